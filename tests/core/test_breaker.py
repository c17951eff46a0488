"""The breaker: faults in a row, the rest, and one entry that tries."""

from __future__ import annotations

from typing import Any

import pytest

from trader.core.breaker import reads_close
from trader.core.fold import fold
from trader.core.limits import Breaker
from trader.core.plan import Plan, plan
from trader.core.state import State

from .made import (
    BTC,
    ETH,
    NOW_MS,
    order_row,
    parameters,
    snapshot,
    strategy,
)
from .risk_scenes import (
    faulty,
    refusal,
    said,
)


def broken(state: State, faults_max: int = 3, now_ms: int = NOW_MS, **changed: Any) -> Plan:
    policy = parameters(breaker=Breaker(faults_max, 60_000), quote_age_ms_max=10**9)
    return plan(snapshot(state, policy, now_ms=now_ms, **changed))


def test_the_venue_is_left_alone_after_as_many_faults_as_policy_names() -> None:
    assert said(broken(faulty(2))) == []
    decided = broken(faulty(3))
    assert refusal(decided) == "VENUE_DEGRADED faults=3 limit=0 measured=59000 unit=ms"
    assert said(broken(faulty(3), faults_max=0)) == []


def test_one_may_try_when_the_rest_is_over_and_not_a_millisecond_earlier() -> None:
    rested = NOW_MS - 1_000 + 60_000
    assert refusal(broken(faulty(3), now_ms=rested - 1)).endswith("measured=1 unit=ms")
    assert said(broken(faulty(3), now_ms=rested)) == []


def test_half_open_only_one_entry_of_a_plan_tries() -> None:
    policy = parameters(
        strategy("one", BTC), strategy("two", ETH), breaker=Breaker(3, 1_000), positions_max=5
    )
    decided = plan(snapshot(faulty(3), policy))
    assert [leg.symbol for leg in decided.legs] == [BTC]
    assert refusal(decided) == "VENUE_DEGRADED faults=3 limit=0 measured=1000 unit=ms"


def test_half_open_without_a_rest_still_only_one_tries() -> None:
    policy = parameters(strategy("one", BTC), strategy("two", ETH), breaker=Breaker(3, 0))
    decided = plan(snapshot(faulty(3), policy))
    assert [leg.symbol for leg in decided.legs] == [BTC]
    assert refusal(decided) == "VENUE_DEGRADED faults=3 limit=0 measured=1 unit=ms"


@pytest.mark.parametrize(
    ("faults", "why", "closes"),
    [
        (0, "reads: no answer", False),
        (1, "reads: no answer", True),
        (2, "reads: no answer", True),
        (3, "reads: no answer", False),
        (2, "timeout", False),
    ],
)
def test_an_answered_read_ends_a_row_that_a_failed_one_made_while_it_is_short(
    faults: int, why: str, closes: bool
) -> None:
    assert reads_close(faulty(faults, why=why), Breaker(3, 60_000)) == closes


def test_a_row_that_ended_is_not_ended_again() -> None:
    state = faulty(2)
    fold(state, "venue_ok", {"at_ms": NOW_MS})
    assert not reads_close(state, Breaker(3, 60_000))


def tried(outcome: str, code: str = "") -> State:
    """After three faults and a rest, one entry was sent at NOW_MS."""
    state = faulty(3, at_ms=NOW_MS - 60_000)
    fold(state, "order_planned", order_row("t" * 32, symbol=ETH, qty_lots=10, signal_ms=0))
    fold(state, "order_sent", {"client_id": "t" * 32, "at_ms": NOW_MS})
    if outcome:
        answer = {"client_id": "t" * 32, "at_ms": NOW_MS + 500, "venue_id": "", "text": ""}
        fold(state, "order_outcome", {**answer, "outcome": outcome, "code": code})
    return state


def test_a_try_whose_end_nobody_knows_is_not_followed_by_another_before_its_time() -> None:
    assert refusal(broken(tried(""), now_ms=NOW_MS + 59_999)).endswith("measured=1 unit=ms")
    assert said(broken(tried(""), now_ms=NOW_MS + 60_000)) == []


def test_a_try_that_is_accepted_closes_the_breaker() -> None:
    assert said(broken(tried("accepted"), now_ms=NOW_MS + 501)) == []


@pytest.mark.parametrize(
    ("outcome", "code", "faults"),
    [
        ("unknown", "timeout", 4),
        ("not_sent", "no_connection", 4),
        ("not_sent", "LATCHED", 3),
        ("rejected", "insufficient_balance", 3),
    ],
)
def test_a_try_that_fails_begins_the_rest_anew(outcome: str, code: str, faults: int) -> None:
    state = tried(outcome, code)
    assert state.number("venue_faults") == faults
    since = NOW_MS + (500 if faults == 4 else 0)
    assert said(broken(state, now_ms=since + 59_999)) == ["VENUE_DEGRADED"]
    assert said(broken(state, now_ms=since + 60_000)) == []
