"""Exact integer money: one checked mul-div, notional values and fees.

Lives here: every product of two core integers. Prices are in ticks, quantities in lots, cash in
units of the settlement currency. Rounding is declared by the function's name. Must not live
here: floats (one function in `sizing` turns a float into an int) and decimals (see `scale`).
"""

from __future__ import annotations

# Results must stay below this, so that a sum of two cannot leave int64.
AMOUNT_MAX = 4_611_686_018_427_387_904  # 2**62
PPM = 1_000_000


class AmountOverflow(OverflowError):
    """A product that does not fit: the instrument, cap or quantity is refused by name.

    Handlers catch OverflowError: compiled code raises that itself for an argument past int64.
    """


def mul_div_down(a: int, b: int, c: int) -> int:
    """floor(a * b / c) for a, b >= 0 and c > 0; raises AmountOverflow from 2**62 on."""
    if not (0 <= a < AMOUNT_MAX and 0 <= b < AMOUNT_MAX and 0 < c < AMOUNT_MAX):
        raise AmountOverflow(f"mul_div of {a} * {b} / {c}: an argument is out of range")
    # Widened before it is multiplied: `a * b` of two int64 would wrap round in compiled code.
    product = a
    product *= b
    quotient = product // c
    if quotient >= AMOUNT_MAX:
        raise AmountOverflow(f"{a} * {b} / {c} does not fit")
    return quotient


def mul_div_up(a: int, b: int, c: int) -> int:
    """ceil(a * b / c) for a, b >= 0 and c > 0; raises AmountOverflow from 2**62 on."""
    if not (0 <= a < AMOUNT_MAX and 0 <= b < AMOUNT_MAX and 0 < c < AMOUNT_MAX):
        raise AmountOverflow(f"mul_div of {a} * {b} / {c}: an argument is out of range")
    # Widened before it is multiplied: `a * b` of two int64 would wrap round in compiled code.
    product = a
    product *= b
    quotient = product // c
    if quotient * c != product:
        quotient += 1
    if quotient >= AMOUNT_MAX:
        raise AmountOverflow(f"{a} * {b} / {c} does not fit")
    return quotient


def price_up(price_ticks: int, ppm: int) -> int:
    """Highest price (ticks) that is not above `price_ticks` raised by `ppm` millionths."""
    return mul_div_down(price_ticks, PPM + ppm, PPM)


def price_down(price_ticks: int, ppm: int) -> int:
    """Lowest price (ticks) that is not below `price_ticks` lowered by `ppm` millionths; >= 1."""
    if ppm >= PPM:
        return 1
    lowered = mul_div_up(price_ticks, PPM - ppm, PPM)
    return max(1, lowered)
