"""Days and findings as plain data: what status, reports and status.json show of them.

Lives here: rows of days with decimals as text, and sentences about what stands in the way of new
entries and who ends it. Must not live here: layout, and what a day is (`core.days`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from trader.app.units import time_text
from trader.core.account_view import AccountView
from trader.core.days import ACCOUNT, DayRow, day_row, days_of
from trader.core.scale import text, to_decimal
from trader.core.state import State
from trader.core.totals import DAY_MS, HOUR_MS

DAYS_SHOWN = 30
_EPOCH = date(1970, 1, 1).toordinal()


def date_text(day: int) -> str:
    """The date of a local day's number, ISO."""
    return date.fromordinal(_EPOCH + day).isoformat()


def today_row(state: State, name: str = ACCOUNT) -> dict[str, Any] | None:
    """The newest day of the account ("") or of a strategy; a strategy's without any change is a
    day of nothing. None before the account's first decision."""
    day = state.number("day")
    if day < 0:
        return None
    found = day_row(state, name, day)
    return _row(state, found or DayRow({"key": f"{name}|0", "day": day}))


def recent_rows(state: State, name: str = ACCOUNT, count: int = DAYS_SHOWN) -> list[dict[str, Any]]:
    """Days with a decision (a strategy's: with a change) among the last `count`, oldest first."""
    day = state.number("day")
    if day < 0:
        return []
    return [_row(state, row) for row in days_of(state, name, day - count + 1, day)]


def _row(state: State, row: DayRow) -> dict[str, Any]:
    unit = Decimal(1).scaleb(-state.number("cash_digits"))

    def cash(units: int) -> str:
        return text(to_decimal(units, unit))

    return {
        "date": date_text(row.day),
        "result": cash(row.result_units),
        "realised_result": cash(row.realised_units),
        "unrealised_result": cash(row.result_units - row.realised_units),
        "low_result": cash(row.low_units),
        "fees": cash(row.fees_units),
        "flows": cash(row.flow_units),
        "start": cash(row.start_units),
        "end": cash(row.end_units),
        "entries": row.trades,
        "fills": row.fills,
    }


def account_marks(state: State) -> dict[str, Any]:
    """High-water mark, draw-down and entries sent, as of the newest decision; money in flight now:
    what working entries may still cost."""
    close_ms = state.number("close_ms")
    unit = Decimal(1).scaleb(-state.number("cash_digits"))
    high, equity = state.number("high_units"), state.number("equity_units")
    reserved = state.cash_units - AccountView(state, {}).free_cash_units()
    ages = [close_ms - at_ms for at_ms, _ in state.sent_entries()]
    return {
        "high": text(to_decimal(high, unit)),
        "drawdown": text(to_decimal(max(0, high - equity), unit)),
        "in_flight": text(to_decimal(reserved, unit)),
        "entries_hour": sum(1 for age in ages if age < HOUR_MS),
        "entries_day": sum(1 for age in ages if age < DAY_MS),
    }


def _ends_ms(state: State) -> int:
    return state.number("day_ends_ms")


def findings(state: State) -> list[str]:
    """What keeps entries back or wants a human, one sentence each, the account's first."""
    mark = "trader resume --mark --by NAME --reason TEXT"
    found: list[str] = []
    if state.number("day_stopped"):
        ends = f"until day {date_text(state.number('day'))} ends, {time_text(_ends_ms(state))}"
        found.append(f"DAY_STOP: the day's loss reached its limit; nothing is opened {ends}")
    if state.number("drawdown_stopped"):
        found.append(f"DRAWDOWN_STOP: equity fell too far below its high; to go on: {mark}")
    for name, book in sorted(state.books.items()):
        back = f"to let it go on: trader resume --strategy {name} --by NAME --reason TEXT"
        if book.shadow_why:
            found.append(f"strategy {name} only watches, {book.shadow_why}; {back}")
        if book.stopped:
            found.append(f"strategy {name} is stopped, STRATEGY_DRAWDOWN; {back}")
    return found
