"""Sessions and closed windows at a decision: entries at the millisecond, exits never."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.calendar import DAY_MS, EPOCH_IN_WEEK_MS, WEEK_MS
from trader.core.fold import fold
from trader.core.limits import Calendar, Dated, Weekly, Zone
from trader.core.plan import Plan, plan, plan_payload
from trader.core.step import Abandon, Send, StepFacts, step
from trader.core.time_sums import untimely

from .made import BAR_MS, BTC, MINUTE_MS, NOW_MS, account, hold, parameters, says, snapshot

# The minute of the week in which the cycle runs: its bar closed five seconds ago.
NOW_MIN = (NOW_MS + EPOCH_IN_WEEK_MS) % WEEK_MS // MINUTE_MS


def decide(calendar: Calendar, now_ms: int = NOW_MS, **changed: Any) -> Plan:
    """One strategy that wants to enter BTC, at a moment, under a calendar."""
    return plan(snapshot(account(), parameters(calendar=calendar), now_ms=now_ms, **changed))


def said(window: str, ends_ms: int) -> str:
    """The detail of a refusal now."""
    return f"window={window} ends_ms={ends_ms} limit={ends_ms} measured={NOW_MS} unit=utc_ms"


def dated(start_ms: int, end_ms: int) -> Calendar:
    return Calendar(dated=(Dated(start_ms, end_ms, "fed"),))


@pytest.mark.parametrize(
    ("calendar", "code", "detail"),
    [
        (dated(NOW_MS + 1, NOW_MS + 9), "", ""),
        (dated(NOW_MS - 9, NOW_MS), "", ""),
        (
            dated(NOW_MS, NOW_MS + 1),
            "BLACKOUT",
            said("fed", NOW_MS + 1),
        ),
        (
            dated(NOW_MS - 9, NOW_MS + 1),
            "BLACKOUT",
            said("fed", NOW_MS + 1),
        ),
        (Calendar(weekly=(Weekly(NOW_MIN + 1, NOW_MIN + 2, "w"),)), "", ""),
        (Calendar(weekly=(Weekly(NOW_MIN - 1, NOW_MIN, "w"),)), "", ""),
        (
            Calendar(weekly=(Weekly(NOW_MIN, NOW_MIN + 1, "w"),)),
            "BLACKOUT",
            said("w", NOW_MS + 55_000),
        ),
        (Calendar(sessions=(Weekly(NOW_MIN, NOW_MIN + 1, "s"),)), "", ""),
        (
            Calendar(sessions=(Weekly(NOW_MIN + 1, NOW_MIN + 2, "s"),)),
            "SESSION_CLOSED",
            said("no_session", NOW_MS + 55_000),
        ),
        (
            Calendar(Zone("X/Y", (0,), (0,), NOW_MS), (Weekly(0, 10_080, "always"),)),
            "SESSION_CLOSED",
            said("zone_unknown:X/Y", 253_402_300_799_000),
        ),
    ],
)
def test_an_entry_leaves_only_in_a_session_and_outside_closed_windows(
    calendar: Calendar, code: str, detail: str
) -> None:
    decided = decide(calendar)
    assert len(decided.legs) == (not code)
    assert [(no.code, no.detail) for no in decided.refused] == ([(code, detail)] if code else [])


def test_the_moment_of_sending_counts_and_not_the_close_of_the_bar() -> None:
    close_ms = BAR_MS + MINUTE_MS
    closed = dated(close_ms, close_ms + 1_000)
    assert decide(closed, close_ms + 999).refused[0].code == "BLACKOUT"
    assert len(decide(closed, close_ms + 1_000).legs) == 1


def test_exits_leave_whatever_the_calendar_says() -> None:
    state = account()
    hold(state, BTC)
    closed = Calendar(sessions=(Weekly(NOW_MIN + 1, NOW_MIN + 2, "s"),), dated=(Dated(0, 2**50),))
    policy = parameters(calendar=closed)
    decided = plan(snapshot(state, policy, strategies={"one": says(enter=0, leave=1)}))
    assert [str(leg.side) for leg in decided.legs] == ["sell"]


def test_a_planned_entry_does_not_leave_into_a_window_that_has_begun() -> None:
    state = account()
    policy = parameters(calendar=dated(NOW_MS, NOW_MS + 1_000))
    decided = decide(policy.limits.calendar, NOW_MS - 1)
    client_id = str(decided.legs[0].row()["client_id"])
    fold(state, "plan", plan_payload(decided))
    assert step(state, policy, StepFacts(NOW_MS - 1)) == [Send(client_id)]
    (action,) = step(state, policy, StepFacts(NOW_MS))
    assert action == Abandon(client_id, f"BLACKOUT window=fed ends_ms={NOW_MS + 1_000}")


def test_what_keeps_a_planned_entry_back_is_named() -> None:
    closed = Calendar(sessions=(Weekly(NOW_MIN + 1, NOW_MIN + 2, "s"),))
    why = f"SESSION_CLOSED window=no_session ends_ms={NOW_MS + 55_000}"
    assert untimely(closed, NOW_MS) == why
    assert untimely(Calendar(), NOW_MS) == ""


WINDOWS = st.builds(
    lambda start, length: Weekly(start, start + length, "w"),
    st.integers(0, 10_079),
    st.integers(1, 10_080),
)


@given(
    st.lists(WINDOWS, min_size=1, max_size=4),
    WINDOWS,
    st.integers(0, 100 * DAY_MS),
    st.integers(0, 100 * DAY_MS),
    st.integers(1, 100 * DAY_MS),
)
def test_a_tighter_calendar_never_lets_more_through(
    sessions: list[Weekly], window: Weekly, at_ms: int, start_ms: int, length_ms: int
) -> None:
    wide = Calendar(sessions=tuple(sessions))
    tight = (
        Calendar(sessions=tuple(sessions[1:]) or (sessions[0],)),
        Calendar(sessions=tuple(sessions), weekly=(window,)),
        Calendar(sessions=tuple(sessions), dated=(Dated(start_ms, start_ms + length_ms, "d"),)),
    )
    if untimely(wide, at_ms):
        assert all(untimely(calendar, at_ms) for calendar in tight)
