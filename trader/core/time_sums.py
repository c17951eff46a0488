"""The numbers of `time_gates` for one entry.

Lives here: how they are made of the decision's desk. Must not live here: whether that is allowed,
and what a local time is (`calendar`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.calendar import Opening, openings
from trader.core.limits import Calendar
from trader.core.time_gates import TimeSums, blackout, blackout_words, session, session_words
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
    fill_windows(sums, desk.openings, desk.snapshot.now_ms)
    return sums


def fill_windows(sums: TimeSums, said: tuple[Opening, Opening], now_ms: int) -> None:
    """What sessions and closed windows say of an order that would leave now.

    The moment of sending counts, not the close of the bar that was decided on: a late cycle opens
    nothing within a blackout.
    """
    sums.now_ms = now_ms
    (_, sums.session_name, sums.session_ms), (_, sums.blackout_name, sums.blackout_ms) = said


def untimely(calendar: Calendar, now_ms: int) -> str:
    """Why a planned entry must not leave now, "" when it may: its plan may be an hour old."""
    sums = TimeSums()
    fill_windows(sums, openings(calendar, now_ms), now_ms)
    if not session(sums)[0]:
        return f"SESSION_CLOSED {session_words(sums)}"
    return "" if blackout(sums)[0] else f"BLACKOUT {blackout_words(sums)}"
