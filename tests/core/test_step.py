"""Execution step by step: what to do next, from what is known and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from trader.core.fold import fold
from trader.core.snapshot import CoreQuote
from trader.core.state import State, instrument_row
from trader.core.step import (
    Abandon,
    Action,
    Look,
    PlanAttempt,
    Requote,
    Send,
    StepFacts,
    action_row,
    facts_of,
    facts_row,
    stale_intents,
    step,
)

from .made import BAR_MS, BTC, ETH, NOW_MS, account, hold, instrument, order_row, parameters, quote

A, B = "a" * 32, "b" * 32
FACTS = StepFacts(NOW_MS)


def planned(*rows: dict[str, Any], state: State | None = None) -> State:
    """A state whose newest plan has these legs."""
    state = state or account()
    legs = [{**row, "bar_ms": BAR_MS, "leg": leg} for leg, row in enumerate(rows)]
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": legs})
    return state


def leaving(lots: int = 100) -> dict[str, Any]:
    return order_row(A, side="sell", qty_lots=lots, signal_ms=0, reason="exit_signal")


def went(state: State, client_id: str, outcome: str, ended: str = "", lots: int = 0) -> None:
    """The order was sent, answered, and maybe seen at its end."""
    fold(state, "order_sent", {"client_id": client_id, "at_ms": NOW_MS})
    answer = {"client_id": client_id, "at_ms": NOW_MS, "code": "", "text": "", "venue_id": "1"}
    fold(state, "order_outcome", {**answer, "outcome": outcome})
    if ended:
        seen = {"client_id": client_id, "at_ms": NOW_MS, "venue_id": "1", "source": "order"}
        fold(state, "order_seen", {**seen, "state": ended, "venue_lots": lots})


def act(state: State, facts: StepFacts = FACTS, **limits: Any) -> list[Action]:
    return step(state, parameters(**limits), facts)


def quoted(fresh: CoreQuote | None) -> StepFacts:
    return StepFacts(NOW_MS, quotes={BTC: fresh})


def test_legs_leave_one_after_the_other_in_their_order() -> None:
    state = planned(order_row(A), order_row(B, symbol=ETH))
    assert act(state) == [Send(A)]
    went(state, A, "rejected")
    assert act(state) == [Send(B)]
    went(state, B, "not_sent")
    assert act(state) == []


def test_an_order_in_doubt_is_looked_at_once_and_then_left_to_the_next_cycle() -> None:
    state = planned(order_row(A), order_row(B, symbol=ETH))
    went(state, A, "unknown")
    assert act(state) == [Look(BTC, A)]
    assert act(state, StepFacts(NOW_MS, looked=frozenset({A}))) == [Send(B)]


def test_an_order_that_told_of_fills_not_booked_yet_is_looked_at() -> None:
    state = planned(order_row(A))
    went(state, A, "accepted", "filled", 100)
    assert act(state) == [Look(BTC, A)]


def test_an_accepted_order_is_never_sent_again() -> None:
    state = planned(order_row(A))
    went(state, A, "accepted")
    assert act(state) == [Look(BTC, A)]


def exiting(ended: str = "expired") -> State:
    state = account()
    hold(state)
    planned(leaving(), state=state)
    went(state, A, "accepted", ended)
    return state


@pytest.mark.parametrize("ended", ["expired", "canceled"])
def test_an_exit_that_did_not_fill_asks_for_a_fresh_quote_and_goes_wider(ended: str) -> None:
    state = exiting(ended)
    assert act(state) == [Requote(BTC)]
    (attempt,) = act(state, quoted(quote(9_000, 9_100)))
    assert isinstance(attempt, PlanAttempt)
    asked = attempt.approved.proposal
    # 0.5 % below 9,000
    assert (asked.attempt, asked.qty_lots, asked.price_ticks) == (1, 100, 8_955)
    fold(state, "order_planned", attempt.approved.row())
    assert act(state, quoted(quote(9_000, 9_100))) == [Send(attempt.approved.client_order_id)]


def test_the_second_attempt_is_for_the_rest_alone_and_the_last() -> None:
    state = exiting()
    state.orders[A].filled_lots = 40
    (attempt,) = act(state, quoted(quote()))
    assert isinstance(attempt, PlanAttempt)
    assert attempt.approved.proposal.qty_lots == 60
    fold(state, "order_planned", attempt.approved.row())
    went(state, attempt.approved.client_order_id, "accepted", "expired")
    assert act(state, quoted(quote())) == []


@pytest.mark.parametrize(
    "fresh",
    [None, quote(0, 10_001), quote(at_ms=NOW_MS - 10_001), quote(10_002, 10_001)],
    ids=["none", "no bid", "old", "crossed"],
)
def test_without_a_good_fresh_quote_there_is_no_second_attempt(fresh: CoreQuote | None) -> None:
    assert act(exiting(), quoted(fresh)) == []


def test_a_rest_that_the_venue_would_not_take_is_not_asked_for() -> None:
    for lots in (99, 96):  # one lot: below the smallest; four lots: 0.40 of value, below 5
        state = exiting()
        state.orders[A].filled_lots = lots
        assert act(state, quoted(quote())) == []


def test_a_quantity_above_a_new_largest_is_not_asked_for() -> None:
    state = exiting()
    fold(state, "instrument", instrument_row(instrument(qty_max="0.05")))
    assert act(state, quoted(quote())) == []


def test_an_entry_that_did_not_fill_is_not_priced_again() -> None:
    state = planned(order_row(A))
    went(state, A, "accepted", "expired")
    assert act(state) == []


def test_a_rejected_exit_is_not_priced_again() -> None:
    state = account()
    hold(state)
    planned(leaving(), state=state)
    went(state, A, "rejected")
    assert act(state) == []


@pytest.mark.parametrize(
    ("level", "entry", "exit_"),
    [
        ("running", "", ""),
        ("no_entries", "halt_no_entries", ""),
        ("reduce_only", "halt_reduce_only", ""),
        ("frozen", "halt_frozen", "halt_frozen"),
    ],
)
@pytest.mark.parametrize("where", ["latch", "journal"])
def test_what_each_halt_level_lets_leave(level: str, entry: str, exit_: str, where: str) -> None:
    for row, why in ((order_row(A), entry), (leaving(), exit_)):
        state = account()
        hold(state)
        planned(row, state=state)
        if where == "journal":
            fold(state, "halt", {"level": level, "why": "w", "by": "b", "at_ms": 1})
        facts = StepFacts(NOW_MS, latch=level if where == "latch" else "running")
        assert act(state, facts) == [Abandon(A, why) if why else Send(A)]


def test_a_frozen_account_climbs_no_ladder() -> None:
    facts = StepFacts(NOW_MS, quotes={BTC: quote()}, latch="frozen")
    assert act(exiting(), facts) == []


def test_only_the_newest_plan_is_carried_out_and_older_intents_are_named() -> None:
    state = account()
    fold(state, "order_planned", order_row(B))
    planned(order_row(A), state=state)
    assert act(state) == [Send(A)]
    assert stale_intents(state, BAR_MS) == [Abandon(B, "older_bar")]
    assert stale_intents(state, BAR_MS + 60_000) == [
        Abandon(B, "older_bar"),
        Abandon(A, "older_bar"),
    ]


def test_without_a_plan_there_is_nothing_to_do() -> None:
    assert act(account()) == []


def test_facts_and_actions_go_into_the_journal_and_back() -> None:
    facts = StepFacts(NOW_MS, frozenset({A, B}), {BTC: quote(), ETH: None}, "no_entries")
    assert facts_of(facts_row(facts)) == facts
    assert facts_row(facts)["looked"] == [A, B]
    (attempt,) = act(exiting(), quoted(quote()))
    rows = [action_row(a) for a in (Send(A), Look(BTC, A), Requote(BTC), Abandon(A, "w"), attempt)]
    assert [row["do"] for row in rows] == ["Send", "Look", "Requote", "Abandon", "PlanAttempt"]
    assert rows[4]["order"]["attempt"] == 1


def test_an_entry_does_not_leave_while_the_books_disagree_but_an_exit_does() -> None:
    apart = StepFacts(NOW_MS, mismatches=1)
    assert act(planned(order_row(A)), apart) == [Abandon(A, "books_mismatch")]
    state = account()
    hold(state, BTC, 100)
    assert act(planned(leaving(), state=state), apart) == [Send(A)]


def test_facts_are_read_back_as_they_were_written() -> None:
    facts = StepFacts(NOW_MS, frozenset({A}), {BTC: quote(), ETH: None}, "no_entries", 2)
    assert facts_of(facts_row(facts)) == facts
