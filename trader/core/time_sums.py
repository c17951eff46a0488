"""The numbers of `time_gates` for one entry.

Lives here: how they are made of the decision's desk. Must not live here: whether that is allowed,
and what a local time is (`calendar`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.calendar import blackout_answer, session_answer
from trader.core.limits import Calendar
from trader.core.time_gates import TimeSums
from trader.core.waits import out_until

if TYPE_CHECKING:
    from trader.core.desk import Desk
    from trader.core.parameters import StrategySpec


def time_sums(desk: Desk, strategy: StrategySpec, symbol: str) -> TimeSums:
    """What would be true of this entry. Raises AmountOverflow when a number does not fit."""
    sums = TimeSums()
    sums.close_ms = desk.snapshot.close_ms
    wait = desk.snapshot.state.cooldowns.get(f"{strategy.name}|{symbol}")
    cooldowns = desk.limits.cooldowns
    sums.cooldown_ms, sums.cooldown_name = out_until(wait, cooldowns, strategy.timeframe_ms)
    fill_windows(sums, desk.limits.calendar, desk.snapshot.now_ms)
    return sums


def fill_windows(sums: TimeSums, calendar: Calendar, now_ms: int) -> None:
    """What sessions and closed windows say of an order that would leave now.

    The moment of sending counts, not the close of the bar that was decided on: a late cycle opens
    nothing within a blackout.
    """
    sums.now_ms = now_ms
    on = session_answer(calendar, now_ms)
    sums.session_ms, sums.session_name = on.ends_ms, on.name
    free = blackout_answer(calendar, now_ms)
    sums.blackout_ms, sums.blackout_name = free.ends_ms, free.name
