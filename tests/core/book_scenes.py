"""Scenes in which one gate over books, days or times alone refuses the entry of BTC.

Lives here: the scenes. Must not live here: what is asserted of them (`test_plan`).
"""

from __future__ import annotations

from collections.abc import Callable

from trader.core.calendar import EPOCH_IN_WEEK_MS, WEEK_MS
from trader.core.fold import fold
from trader.core.limits import Calendar, Cooldowns, Weekly
from trader.core.marks import DAY_MS
from trader.core.snapshot import Snapshot
from trader.core.state import State

from .made import (
    BAR_MS,
    BTC,
    MINUTE_MS,
    NOW_MS,
    UNIT,
    account,
    order_row,
    parameters,
    sent,
    snapshot,
)

# Minutes since Monday 00:00 UTC at which the decision's orders would leave.
NOW_MIN = (NOW_MS + EPOCH_IN_WEEK_MS) % WEEK_MS // MINUTE_MS
TODAY = BAR_MS // DAY_MS
YESTERDAY = {"day": TODAY - 1, "day_units": 1_100 * UNIT, "equity_units": 1_050 * UNIT}


def planned(**told: object) -> State:
    """An account whose newest plan told this."""
    state = account()
    fold(state, "plan", {"bar_ms": BAR_MS - MINUTE_MS, "legs": [], **told})
    return state


def unfilled() -> State:
    """Its entry expired without a fill at the close of the bar before."""
    state = account()
    sent(state, order_row(symbol=BTC))
    seen = {"client_id": order_row()["client_id"], "at_ms": BAR_MS, "venue_id": ""}
    fold(state, "order_seen", {**seen, "state": "expired", "venue_lots": 0, "source": "order"})
    return state


BOOK_SCENES: dict[str, Callable[[], Snapshot]] = {
    "COOLDOWN": lambda: snapshot(
        unfilled(), parameters(cooldowns=Cooldowns(unfilled_ms=MINUTE_MS + 1))
    ),
    # Yesterday began with 1,100: 1,000 are 9.1 % less.
    "ROLLING_LOSS": lambda: snapshot(
        planned(marks=YESTERDAY), parameters(rolling_days=2, rolling_loss_ppm=90_000)
    ),
    "STRATEGY_DRAWDOWN": lambda: snapshot(planned(stopped=["one"])),
    "SESSION_CLOSED": lambda: snapshot(
        account(), parameters(calendar=Calendar(sessions=(Weekly(NOW_MIN + 1, NOW_MIN + 2),)))
    ),
    "BLACKOUT": lambda: snapshot(
        account(), parameters(calendar=Calendar(weekly=(Weekly(NOW_MIN, NOW_MIN + 1, "upkeep"),)))
    ),
    "UNATTENDED": lambda: snapshot(account(), parameters(unattended_max=0)),
}
