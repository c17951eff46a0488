"""Marks: the account's equity against its day and its high, and the stops that follow from them.

Lives here: one pure function from the state and the equity at a decision to the marks that the plan
carries; `fold` keeps them. A stop that was hit holds: the day's until the day ends, the draw-down's
until a named human resets the mark. Must not live here: what equity is (`account_view`), when a day
begins (`calendar`).

    close_ms            of the newest decision's bar
    equity_units        at it
    day, day_ends_ms    its local day, and when that ends
    day_whole           1 when the day's first decision closed as the day began
    day_units           what the day's result is measured from
    day_stopped         1 from when the day's loss reached its limit until the day ends
    high_units          what the draw-down is measured from; 0: the next decision sets it
    drawdown_stopped    1 from when the draw-down reached its limit

Money that comes or goes without a fill moves equity, day_units and high_units alike (see `flows`),
so that none of it is a result.
"""

from __future__ import annotations

from trader.core.calendar import day_of, day_start_ms
from trader.core.limits import Day, Limits
from trader.core.money import limit_units
from trader.core.state import State

DAY_MS = 86_400_000
MARKS = (
    "close_ms",
    "day",
    "day_ends_ms",
    "day_stopped",
    "day_units",
    "day_whole",
    "drawdown_stopped",
    "equity_units",
    "high_units",
)


def mark_account(state: State, equity_units: int, close_ms: int, limits: Limits) -> dict[str, int]:
    """The marks (see MARKS) after a decision that closes at `close_ms`, equity in cash units.

    A day is measured from the equity with which the day before it ended: that of the decision at
    the very moment it begins, else the newest one before it (of the first day: the first one).
    A stop is hit when the loss is at or above its share of where it is measured from.
    """
    marks = {name: state.number(name) for name in MARKS}
    marks["close_ms"], marks["equity_units"] = close_ms, equity_units
    if close_ms >= marks["day_ends_ms"]:
        _begin_day(state, marks, limits.day)
    marks["high_units"] = max(marks["high_units"], equity_units)
    if marks["day_units"] - equity_units >= limit_units(marks["day_units"], limits.day_stop_ppm):
        marks["day_stopped"] = 1
    if marks["high_units"] - equity_units >= limit_units(
        marks["high_units"], limits.drawdown_ppm_max
    ):
        marks["drawdown_stopped"] = 1
    return marks


def _begin_day(state: State, marks: dict[str, int], day: Day) -> None:
    """A day lasts as it was told when it began; no day begins twice, whatever clock policy names
    meanwhile."""
    close_ms = marks["close_ms"]
    number = day_of(close_ms, day)
    if number > marks["day"]:
        whole = int(day_start_ms(number, day) == close_ms)
        carried = marks["day"] >= 0 and not whole
        start = state.number("equity_units") if carried else marks["equity_units"]
        marks |= {"day": number, "day_whole": whole, "day_units": start, "day_stopped": 0}
    marks["day_ends_ms"] = day_start_ms(marks["day"] + 1, day)


def kept_marks(state: State, close_ms: int) -> dict[str, int]:
    """The marks after a decision whose equity nobody can tell: those there were."""
    return {name: state.number(name) for name in MARKS} | {"close_ms": close_ms}


def changed_marks(state: State, marks: dict[str, int]) -> dict[str, int]:
    """Those that differ from what the state holds: what the plan's entry carries."""
    return {name: value for name, value in marks.items() if state.number(name) != value}
