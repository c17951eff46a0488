"""Round trips and executions of a run as rows of whole numbers, and those rows as words.

Lives here: the tables that a run keeps on disk (int64, one row after another), and their exact
decimal text, which costs microseconds a row. Must not live here: files (see `backtest_runs`),
figures about them (see `backtest_report`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from trader.app.round_trips import RoundTrip
from trader.core.trips import FILL_COLUMNS, TRIP_COLUMNS

OPINION_DIGITS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING = f"-{0:.{OPINION_DIGITS}f}"
Row = dict[str, Any]


def utc_text(at_ms: int) -> str:
    """`2024-01-31T23:59:00Z`; "" for a time that is not there (-1)."""
    if at_ms < 0:
        return ""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def opinion(value: float | None) -> str | None:
    """A metric as text with six decimals; None stays None."""
    if value is None:
        return None
    shown = f"{value:.{OPINION_DIGITS}f}"
    return shown[1:] if shown == _NOTHING else shown


def amounts_of(unit: Decimal) -> Callable[[int], str]:
    """How many of `unit` -> `core.scale.text` of the amount, without making decimals."""
    _, digits, exponent = unit.as_tuple()
    assert isinstance(exponent, int), "a unit is a number"
    mantissa = int("".join(map(str, digits))) * 10 ** max(0, exponent)
    places = max(0, -exponent)
    whole = 10**places

    def shown(units: int) -> str:
        sign = "-" if units < 0 else ""
        above, below = divmod(abs(units) * mantissa, whole)
        if not below:
            return f"{sign}{above}"
        return f"{sign}{above}.{below:0{places}d}".rstrip("0")

    return shown


class Scales:
    """How rows of whole numbers read: cash of the account, prices and quantities by instrument."""

    def __init__(self, cash_unit: str, market: Sequence[Mapping[str, Any]]) -> None:
        """`cash_unit`: what a cash unit is worth. `market`: rows with symbol, tick and lot."""
        self.cash = amounts_of(Decimal(cash_unit))
        self.prices = {row["symbol"]: amounts_of(Decimal(row["tick"])) for row in market}
        self.lots = {row["symbol"]: amounts_of(Decimal(row["lot"])) for row in market}

    @staticmethod
    def of(report: Mapping[str, Any]) -> Scales:
        """As a report names them."""
        return Scales(report["account"]["cash_unit"], report["market"])


def _cut(rows: Sequence[int], width: int) -> Iterator[Sequence[int]]:
    return (rows[at : at + width] for at in range(0, len(rows), width))


def read_trips(rows: array[int], names: Sequence[str]) -> list[RoundTrip]:
    """Round trips of a table of whole numbers, all at once: a microsecond each."""
    assert tuple(RoundTrip.__slots__) == TRIP_COLUMNS, "a round trip is its row, with names"
    return [
        RoundTrip(
            names[row[0]], names[row[1]], row[2], row[3], row[4], row[5], row[6], row[7], row[8],
            row[9], row[10], row[11], row[12], names[row[13]] if row[13] >= 0 else "",
        )
        for row in _cut(rows, len(TRIP_COLUMNS))
    ]  # fmt: skip


def trip_rows(rows: array[int], names: Sequence[str], scales: Scales) -> Iterator[Row]:
    """Round trips for people and JSON."""
    cash = scales.cash
    for row in _cut(rows, len(TRIP_COLUMNS)):
        strategy, at, opened, closed, bought, sold, first, last = row[:8]
        cost, proceeds, fee, result, fills, reason = row[8:]
        symbol = names[at]
        price, qty = scales.prices[symbol], scales.lots[symbol]
        yield {
            "strategy": names[strategy],
            "symbol": symbol,
            "opened": utc_text(opened),
            "closed": utc_text(closed) or None,
            "opened_ms": opened,
            "closed_ms": closed if closed >= 0 else None,
            "bought": qty(bought),
            "sold": qty(sold),
            "first_price": price(first),
            "last_price": price(last),
            "cost": cash(cost),
            "proceeds": cash(proceeds),
            "fees": cash(fee),
            "result": cash(result),
            "share": opinion(result / cost if cost else None),
            "fills": fills,
            "exit_reason": names[reason],
        }


def fill_rows(rows: array[int], names: Sequence[str], scales: Scales) -> Iterator[Row]:
    """Executions for people and CSV."""
    for row in _cut(rows, len(FILL_COLUMNS)):
        at_ms, at, strategy, side, lots, ticks, value, fee, reason, maker = row
        symbol = names[at]
        yield {
            "time": utc_text(at_ms),
            "time_ms": at_ms,
            "symbol": symbol,
            "strategy": names[strategy],
            "side": "sell" if side else "buy",
            "qty": scales.lots[symbol](lots),
            "price": scales.prices[symbol](ticks),
            "value": scales.cash(value),
            "fee": scales.cash(fee),
            "reason": names[reason],
            "maker": bool(maker),
        }
