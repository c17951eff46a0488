"""Exact decimal arithmetic of the local exchange.

Here: the one arithmetic context in which the exchange works (anything inexact raises), rounding
with a named direction, and the text forms that a venue prints. Not here: balances, orders, or any
float. Nothing is shared with the trader's own money code: the exchange is a second opinion.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)

ZERO = Decimal(0)
ONE = Decimal(1)
# Sixty digits hold any product of two venue numbers; a result that would need more raises Inexact
# instead of being rounded in silence.
EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact])
LOOSE = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])
_EIGHT = Decimal("0.00000001")


def exact() -> AbstractContextManager[Context]:
    """Context manager: Decimal arithmetic inside is exact or raises `decimal.Inexact`."""
    return localcontext(EXACT)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value` (both not negative)."""
    return (value // step) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value` (both not negative)."""
    low = floor_to(value, step)
    return low if low == value else low + step


def nearest(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `value`, at least one step (both positive)."""
    if value % step == ZERO:
        return value
    steps = LOOSE.divide(value, step).to_integral_value(ROUND_HALF_EVEN, context=LOOSE)
    return max(steps, ONE) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether `value` lies on the grid of `step`; a step of zero allows everything."""
    return step == ZERO or value % step == ZERO


def eighths_down(value: Decimal) -> Decimal:
    """`value` cut to eight decimals, the finest unit of a balance."""
    return value.quantize(_EIGHT, rounding=ROUND_DOWN, context=LOOSE)


def ratio(numerator: Decimal, denominator: Decimal, places: int = 8) -> Decimal:
    """A rounded quotient: for prices on a path and statistics, never for a balance."""
    quotient = LOOSE.divide(numerator, denominator)
    return quotient.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=LOOSE)


def text(value: Decimal) -> str:
    """The number as a venue prints it: at least eight decimals, more only if digits would go."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -8:
        return format(value.quantize(_EIGHT, context=LOOSE), "f")
    plain = format(value, "f").rstrip("0")
    whole, _, fraction = plain.partition(".")
    return f"{whole}.{fraction.ljust(8, '0')}"


def plain(value: Decimal) -> str:
    """The shortest exact text without an exponent, for books and the admin plane."""
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
