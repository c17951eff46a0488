"""Marks: the account's equity against its day and its high, and the stops that follow from them.

Lives here: one pure function from the state and the equity at a decision to the marks that the plan
carries; `fold` keeps them. A stop that was hit holds: the day's until the day ends, the draw-down's
until a named human resets the mark. Must not live here: what equity is (`account_view`).
"""

from __future__ import annotations

from trader.core.limits import Limits
from trader.core.money import PPM, mul_div_up
from trader.core.state import State

DAY_MS = 86_400_000
MARKS = ("day_ms", "day_units", "day_stopped", "high_units", "drawdown_stopped")


def mark_account(state: State, equity_units: int, close_ms: int, limits: Limits) -> dict[str, int]:
    """The marks (see MARKS) after a decision that closes at `close_ms`, equity in cash units.

    The day is the UTC day of `close_ms`; its first decision sets what its result is measured from.
    A stop is hit when the loss is at or above its share of where it is measured from.
    """
    marks = {name: state.number(name) for name in MARKS}
    day_ms = close_ms // DAY_MS * DAY_MS
    if marks["day_ms"] != day_ms:
        marks |= {"day_ms": day_ms, "day_units": equity_units, "day_stopped": 0}
    marks["high_units"] = max(marks["high_units"], equity_units)
    if marks["day_units"] - equity_units >= limit_units(marks["day_units"], limits.day_stop_ppm):
        marks["day_stopped"] = 1
    if marks["high_units"] - equity_units >= limit_units(
        marks["high_units"], limits.drawdown_ppm_max
    ):
        marks["drawdown_stopped"] = 1
    return marks


def limit_units(base_units: int, ppm: int) -> int:
    """The loss at which a stop is hit: a share of the base, rounded up, at least one unit."""
    return max(1, mul_div_up(max(0, base_units), ppm, PPM))


def changed_marks(state: State, marks: dict[str, int]) -> dict[str, int]:
    """Those that differ from what the state holds: what the plan's entry carries."""
    return {name: value for name, value in marks.items() if state.number(name) != value}
