"""The two risk profiles as numbers: what one entry may lose, by the size of the account.

Lives here: the share that `conservative` and `aggressive` risk to the stop. Integers only: the same
on any machine, without a library's exp or pow. Must not live here: how many lots that is (`risk`).
"""

from __future__ import annotations

from trader.core.money import mul_div_down, mul_div_up

CONSERVATIVE_PPM = 10_000
MOST_PPM, LEAST_PPM = 20_000, 5_000
SMALL, LARGE = 10_000, 100_000
# 4 ** -(2 ** -i) for i = 1 .. 48, each times 2 ** 60 and rounded down (a test works them out anew
# with 60 digits): the factors of a power whose exponent is a binary fraction of 48 places.
ONE = 1 << 60
POWERS = (
    576_460_752_303_423_488,
    815_238_614_083_298_888,
    969_487_560_292_816_559,
    1_057_233_681_222_091_666,
    1_104_041_415_199_452_354,
    1_128_216_774_188_376_115,
    1_140_502_249_370_840_087,
    1_146_695_063_803_852_932,
    1_149_804_069_520_534_666,
    1_151_361_731_965_541_101,
    1_152_141_354_333_077_008,
    1_152_531_363_459_347_061,
    1_152_726_417_527_650_499,
    1_152_823_956_940_537_958,
    1_152_872_729_741_971_125,
    1_152_897_116_916_473_259,
    1_152_909_310_697_175_487,
    1_152_915_407_635_889_989,
    1_152_918_456_117_338_161,
    1_152_919_980_361_084_986,
    1_152_920_742_483_714_085,
    1_152_921_123_545_217_557,
    1_152_921_314_076_016_523,
    1_152_921_409_341_427_813,
    1_152_921_456_974_136_410,
    1_152_921_480_790_491_447,
    1_152_921_492_698_669_150,
    1_152_921_498_652_758_047,
    1_152_921_501_629_802_508,
    1_152_921_503_118_324_741,
    1_152_921_503_862_585_858,
    1_152_921_504_234_716_417,
    1_152_921_504_420_781_696,
    1_152_921_504_513_814_336,
    1_152_921_504_560_330_656,
    1_152_921_504_583_588_816,
    1_152_921_504_595_217_896,
    1_152_921_504_601_032_436,
    1_152_921_504_603_939_706,
    1_152_921_504_605_393_341,
    1_152_921_504_606_120_158,
    1_152_921_504_606_483_567,
    1_152_921_504_606_665_271,
    1_152_921_504_606_756_123,
    1_152_921_504_606_801_549,
    1_152_921_504_606_824_262,
    1_152_921_504_606_835_619,
    1_152_921_504_606_841_297,
)


def aggressive_ppm(equity_units: int, unit: int) -> int:
    """What the aggressive profile risks of an account worth `equity_units`; share of equity, ppm.

    `unit`: cash units in one of the settlement currency. With b the balance in that currency:

        r(b) = 2 % x 4 ** -((b - 10,000) / 90,000),  2 % below 10,000, 0.5 % above 100,000

    | balance | exponent | r(b) | ppm, rounded down |
    |---|---|---|---|
    | 1,000 | 0 (below 10,000) | 2 % | 20,000 |
    | 10,000 | 0 | 2 % | 20,000 |
    | 25,000 | 1/6 | 1.587401... % | 15,874 |
    | 55,000 | 1/2 | 1 % | 10,000 |
    | 100,000 | 1 | 0.5 % | 5,000 |

    The exponent is rounded up to 48 binary places, each of at most 48 products down to 60: the
    result is the exact value rounded down, or one ppm less where that value lies within 1e-9 ppm
    above a whole number of ppm (never at the points above).
    """
    whole = equity_units // unit
    if whole < SMALL:
        return MOST_PPM
    if whole >= LARGE:
        return LEAST_PPM
    over = mul_div_up(equity_units - SMALL * unit, 1 << 40, unit)
    exponent = mul_div_up(over, 1 << 8, LARGE - SMALL)
    power, bit = ONE, 1 << 47
    for factor in POWERS:
        if exponent & bit:
            power = mul_div_down(power, factor, ONE)
        bit >>= 1
    # Rounded up to exactly 1: the bits are 48 places behind the point, the whole part is not one.
    return LEAST_PPM if exponent >> 48 else mul_div_down(MOST_PPM, power, ONE)
