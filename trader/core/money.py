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
# The product of two numbers below this is below LIMIT.
SMALL = 2_147_483_648  # 2**31


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


def product(a: int, b: int) -> int:
    """The product of a, b >= 0; raises AmountOverflow from 2**62 on."""
    if 0 <= a < SMALL and 0 <= b < SMALL:
        return a * b
    if not (0 <= a < LIMIT and 0 <= b < LIMIT):
        raise AmountOverflow(f"{a} * {b}: an argument is out of range")
    found = a
    found *= b
    if found >= LIMIT:
        raise AmountOverflow(f"{a} * {b} does not fit")
    return found


def share_down(amount: int, ppm: int) -> int:
    """So many millionths of an amount, rounded down; raises AmountOverflow as `mul_div_down`."""
    if not (0 <= amount < LIMIT and 0 <= ppm <= MILLION):
        return mul_div_down(amount, ppm, MILLION)
    # Up to the whole, no product of these leaves int64; a division by a literal is a product.
    whole = amount // 1_000_000
    return whole * ppm + (amount - whole * 1_000_000) * ppm // 1_000_000


def share_up(amount: int, ppm: int) -> int:
    """So many millionths of an amount, rounded up; raises AmountOverflow as `mul_div_up`."""
    if not (0 <= amount < LIMIT and 0 <= ppm <= MILLION):
        return mul_div_up(amount, ppm, MILLION)
    whole = amount // 1_000_000
    return whole * ppm + ((amount - whole * 1_000_000) * ppm + 999_999) // 1_000_000


def limit_units(base_units: int, ppm: int) -> int:
    """The loss at which a stop is hit: a share of the base, rounded up, at least one unit."""
    return max(1, share_up(max(0, base_units), ppm))


def price_up(price_ticks: int, ppm: int) -> int:
    """Highest price (ticks) that is not above `price_ticks` raised by `ppm` millionths."""
    if not 0 <= ppm <= MILLION:
        return mul_div_down(price_ticks, MILLION + ppm, MILLION)
    raised = price_ticks + share_down(price_ticks, ppm)
    if raised >= LIMIT:
        raise AmountOverflow(f"{price_ticks} raised by {ppm} millionths does not fit")
    return raised


def price_down(price_ticks: int, ppm: int) -> int:
    """Lowest price (ticks) that is not below `price_ticks` lowered by `ppm` millionths; >= 1."""
    if ppm >= MILLION:
        return 1
    lowered = share_up(price_ticks, MILLION - ppm)
    return max(1, lowered)
