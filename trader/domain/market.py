"""Market data: bars and quotes, which refuse to be impossible."""

from __future__ import annotations

from decimal import Decimal

from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices of [open_ms, close_ms) in quote currency; volume in base coins.

    Raises ValueError on a price at or below 0, low above or high below the others, a negative
    volume, or an interval that is not positive: such a bar is a fault of its source.
    """

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal

    def __post_init__(self) -> None:
        """Refuse a bar that no market can have made."""
        problem = bar_problem(self.open, self.high, self.low, self.close, self.volume)
        if self.close_ms <= self.open_ms:
            problem = f"closes at {self.close_ms}, before it opens"
        if problem:
            raise ValueError(f"bar {self.open_ms}: {problem}")


def bar_problem(
    open_: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: Decimal
) -> str | None:
    """Why these five numbers cannot be a bar, or None when they can."""
    values = (open_, high, low, close, volume)
    if not all(value.is_finite() for value in values):
        return "a value is not a number"
    if min(open_, high, low, close) <= 0:
        return "a price is zero or negative"
    if volume < 0:
        return "the volume is negative"
    if low > min(open_, close) or high < max(open_, close):
        return f"impossible prices: open {open_} high {high} low {low} close {close}"
    return None


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask with the quantities there (base coins; None when not told).

    May be crossed or zero: gates judge that, because a bad quote is a fact to be recorded.
    """

    symbol: str
    at_ms: int
    bid: Decimal
    ask: Decimal
    bid_qty: Decimal | None = None
    ask_qty: Decimal | None = None
