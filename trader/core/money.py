# cython: boundscheck=False, cdivision=True
"""Exact integer money: one checked mul-div, notional values and fees.

Lives here: every product of two core integers. Prices are in ticks, quantities in lots, cash in
units of the settlement currency. Rounding is declared by the function's name. Must not live
here: floats (one function in `sizing` turns a float into an int) and decimals (see `scale`).
"""

from __future__ import annotations

# Results must stay below this, so that a sum of two cannot leave int64.
AMOUNT_MAX = 4_611_686_018_427_387_904  # 2**62
PPM = 1_000_000
# The same as C numbers where this module is compiled.
LIMIT, MILLION = AMOUNT_MAX, PPM


class AmountOverflow(OverflowError):
    """A product that does not fit: the instrument, cap or quantity is refused by name.

    Handlers catch OverflowError: compiled code raises that itself for an argument past int64.
    """


def mul_div_down(a: int, b: int, c: int) -> int:
    """floor(a * b / c) for a, b >= 0 and c > 0; raises AmountOverflow from 2**62 on."""
    if not (0 <= a < LIMIT and 0 <= b < LIMIT and 0 < c < LIMIT):
        raise AmountOverflow(f"mul_div of {a} * {b} / {c}: an argument is out of range")
    # Widened before it is multiplied: `a * b` of two int64 would wrap round in compiled code.
    product = a
    product *= b
    if product < LIMIT:
        small = product  # a narrow division costs a fifth of a wide one
        return small // c
    quotient = product // c
    if quotient >= LIMIT:
        raise AmountOverflow(f"{a} * {b} / {c} does not fit")
    return quotient


def mul_div_up(a: int, b: int, c: int) -> int:
    """ceil(a * b / c) for a, b >= 0 and c > 0; raises AmountOverflow from 2**62 on."""
    if not (0 <= a < LIMIT and 0 <= b < LIMIT and 0 < c < LIMIT):
        raise AmountOverflow(f"mul_div of {a} * {b} / {c}: an argument is out of range")
    # Widened before it is multiplied: `a * b` of two int64 would wrap round in compiled code.
    product = a
    product *= b
    if product < LIMIT:
        small = product
        whole = small // c
        return whole + 1 if whole * c != small else whole
    quotient = product // c
    if quotient * c != product:
        quotient += 1
    if quotient >= LIMIT:
        raise AmountOverflow(f"{a} * {b} / {c} does not fit")
    return quotient


def limit_units(base_units: int, ppm: int) -> int:
    """The loss at which a stop is hit: a share of the base, rounded up, at least one unit."""
    return max(1, mul_div_up(max(0, base_units), ppm, MILLION))


def price_up(price_ticks: int, ppm: int) -> int:
    """Highest price (ticks) that is not above `price_ticks` raised by `ppm` millionths."""
    return mul_div_down(price_ticks, MILLION + ppm, MILLION)


def price_down(price_ticks: int, ppm: int) -> int:
    """Lowest price (ticks) that is not below `price_ticks` lowered by `ppm` millionths; >= 1."""
    if ppm >= MILLION:
        return 1
    lowered = mul_div_up(price_ticks, MILLION - ppm, MILLION)
    return max(1, lowered)
