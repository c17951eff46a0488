"""Entries at rest, step by step: ended by name, moved by cancel and confirm, never twice."""

from __future__ import annotations

from typing import Any

import pytest

from trader.core.actions import StepFacts, facts_of, facts_row, noted
from trader.core.approval import Approved, Refused
from trader.core.fold import fold
from trader.core.limits import Messages
from trader.core.resting import sell_room
from trader.core.shrunk import approve_less
from trader.core.state import FoldError, Order, State
from trader.core.step import (
    Abandon,
    Action,
    Cancel,
    Look,
    PlanAttempt,
    Requote,
    Send,
    action_row,
    step,
    work_left,
)

from .made import BAR_MS, BTC, MINUTE_MS, NOW_MS, account, hold, order_row, parameters, quote

A, B = "a" * 32, "b" * 32
FACTS = StepFacts(NOW_MS)
UNTIL_MS = NOW_MS + 5 * MINUTE_MS


def maker(client_id: str = A, **changed: Any) -> dict[str, Any]:
    usual = {"tif": "gtc", "order_type": "post_only", "until_ms": UNTIL_MS, "bar_ms": BAR_MS}
    return order_row(client_id, **{**usual, **changed})


def went(state: State, client_id: str, outcome: str = "accepted") -> None:
    fold(state, "order_sent", {"client_id": client_id, "at_ms": NOW_MS})
    answer = {"client_id": client_id, "at_ms": NOW_MS, "code": "", "text": "", "venue_id": "1"}
    fold(state, "order_outcome", {**answer, "outcome": outcome})


def seen(state: State, client_id: str, what: str, lots: int = 0) -> None:
    row = {"client_id": client_id, "at_ms": NOW_MS, "venue_id": "1", "source": "order"}
    fold(state, "order_seen", {**row, "state": what, "venue_lots": lots})


def resting(**later: Any) -> State:
    """A maker's order of 100 lots that rests, and the plan after it with `later` in it."""
    state = account()
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": [maker()]})
    went(state, A)
    if later:
        fold(state, "plan", {"bar_ms": BAR_MS + MINUTE_MS, "legs": [], **later})
    return state


def act(state: State, facts: StepFacts = FACTS, **limits: Any) -> list[Action]:
    return step(state, parameters(**limits), facts)


def filled(state: State, client_id: str, lots: int) -> None:
    cost = lots * 10_000 * 1_000
    row = {"client_id": client_id, "symbol": BTC, "trade_id": f"t{client_id[0]}{lots}"}
    fees = {"fee_cash_units": 0, "fee_base_units": 0, "fee_asset": "", "fee": "", "maker": 1}
    fact = {**row, **fees, "side": "buy", "price_ticks": 10_000, "qty_lots": lots}
    fold(state, "fill", {**fact, "cost_units": cost, "at_ms": NOW_MS})


def test_an_order_that_rests_is_left_alone_from_cycle_to_cycle() -> None:
    state = resting()
    assert act(state) == []
    fold(state, "plan", {"bar_ms": BAR_MS + MINUTE_MS, "legs": []})
    assert act(state) == []
    assert work_left(state, FACTS)


def test_one_that_told_of_fills_not_booked_yet_is_looked_at() -> None:
    state = resting()
    seen(state, A, "open", 40)
    assert act(state) == [Look(BTC, A)]


@pytest.mark.parametrize(("late", "ends"), [(-1, False), (0, True), (1, True)])
def test_it_lives_until_its_time_and_not_a_millisecond_longer(late: int, *, ends: bool) -> None:
    actions = act(resting(), StepFacts(UNTIL_MS + late))
    assert actions == ([Cancel(BTC, A, "time_to_live")] if ends else [])


def test_one_without_a_time_rests_until_something_ends_it() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": [maker(until_ms=0)]})
    went(state, A)
    assert act(state, StepFacts(2**60)) == []


def test_what_the_plan_ends_is_cancelled_confirmed_and_then_over() -> None:
    state = resting(ends={A: "DAY_STOP"})
    assert act(state) == [Cancel(BTC, A, "DAY_STOP")]
    fold(state, "cancel_sent", {"client_id": A, "at_ms": NOW_MS, "why": "DAY_STOP"})
    facts = noted(FACTS, Cancel(BTC, A, "DAY_STOP"))
    assert act(state, facts) == [Look(BTC, A)]
    facts = noted(facts, Look(BTC, A))
    assert act(state, facts) == []  # not confirmed: the next cycle goes on
    assert act(state, StepFacts(NOW_MS + MINUTE_MS)) == [Cancel(BTC, A, "DAY_STOP")]
    seen(state, A, "canceled")
    assert act(state, facts) == []


@pytest.mark.parametrize("level", ["no_entries", "reduce_only", "frozen"])
@pytest.mark.parametrize("where", ["latch", "journal"])
def test_every_halt_ends_it_by_name(level: str, where: str) -> None:
    state = resting()
    if where == "journal":
        fold(state, "halt", {"level": level, "why": "w", "by": "b", "at_ms": 1})
    facts = StepFacts(NOW_MS, latch=level if where == "latch" else "running")
    assert act(state, facts) == [Cancel(BTC, A, f"halt_{level}")]


def test_books_that_disagree_end_it() -> None:
    assert act(resting(), StepFacts(NOW_MS, mismatches=1)) == [Cancel(BTC, A, "books_mismatch")]


def test_one_in_doubt_is_asked_to_end_all_the_same() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": [maker()]})
    went(state, A, "unknown")
    assert act(state) == [Look(BTC, A)]
    assert act(state, StepFacts(NOW_MS, latch="frozen")) == [Cancel(BTC, A, "halt_frozen")]


def moving(lots: int = 100) -> State:
    """The plan wants the order moved: its next attempt, for so many lots."""
    later = maker(B, attempt=1, price_ticks=10_050, qty_lots=lots)
    return resting(legs=[later])


def test_a_move_is_cancel_then_confirm_then_the_next_attempt_of_the_leg() -> None:
    state = moving()
    assert act(state) == [Cancel(BTC, A, "moved")]
    seen(state, A, "canceled")
    assert act(state) == [Send(B)]
    went(state, B)
    assert act(state) == []
    assert state.number("sent_count") == 1  # one entry, however often it is moved


def test_a_move_whose_cancel_is_not_confirmed_sends_nothing() -> None:
    key = frozenset({A})
    facts = StepFacts(NOW_MS, cancelled=key, looked=key)
    assert act(moving(), facts) == [Abandon(B, "cancel_unconfirmed")]


@pytest.mark.control(12)
@pytest.mark.parametrize(("lots", "leaves"), [(60, True), (61, False)])
def test_what_filled_before_the_cancel_leaves_that_much_less_to_move(
    lots: int, *, leaves: bool
) -> None:
    state = moving(lots)
    seen(state, A, "canceled", 40)
    filled(state, A, 40)
    no = Abandon(B, f"CHILD_QTY limit=60 measured={lots} unit=lots")
    assert act(state, order_notional_min="6") == [Send(B) if leaves else no]
    if leaves:
        return
    # What is left is asked for instead, under the next number: 60 lots at 10,050 are 6.03.
    row = {"client_id": B, "at_ms": NOW_MS, "why": no.why}
    fold(state, "order_abandoned", row)
    assert act(state, order_notional_min="6.04") == []
    (attempt,) = act(state, order_notional_min="6.03")
    assert isinstance(attempt, PlanAttempt)
    asked = attempt.approved.proposal
    assert (asked.attempt, asked.qty_lots, asked.price_ticks) == (2, 60, 10_050)
    fold(state, "order_planned", attempt.approved.row())
    assert act(state) == [Send(attempt.approved.client_order_id)]


def test_less_is_less_and_worth_an_order() -> None:
    state = account()
    order = Order(maker(qty_lots=100))
    for lots in (0, 100, 101, -1):
        with pytest.raises(ValueError, match="not less"):
            approve_less(state, parameters(), order, lots)
    small = parameters(order_notional_min="0")
    least = approve_less(state, small, order, 50)  # 5 USDT: the venue's smallest
    assert isinstance(least, Approved)
    refused = approve_less(state, small, order, 49)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.detail) == (
        "NOTIONAL_MIN",
        "limit=500000000 measured=490000000 unit=cash",
    )
    refused = approve_less(state, small, order, 1)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.detail) == ("QTY_MIN", "limit=2 measured=1 unit=lots")


@pytest.mark.control(12)
def test_an_attempt_is_held_back_while_the_venue_told_of_more_than_is_booked() -> None:
    state = moving(60)
    seen(state, A, "canceled", 40)
    assert act(state) == [Look(BTC, A)]
    told = StepFacts(NOW_MS, looked=frozenset({A}))
    assert act(state, told) == [Abandon(B, "cancel_unconfirmed")]


@pytest.mark.control(12)
def test_earlier_attempts_are_kept_as_long_as_their_leg_works() -> None:
    state = moving(60)
    seen(state, A, "canceled", 40)
    filled(state, A, 40)
    went(state, B)
    for minute in (2, 3):
        fold(state, "plan", {"bar_ms": BAR_MS + minute * MINUTE_MS, "legs": []})
        assert sorted(state.orders) == [A, B]
        assert ("orders", A) in state.dirty
    seen(state, B, "canceled")
    fold(state, "plan", {"bar_ms": BAR_MS + 4 * MINUTE_MS, "legs": []})
    assert not state.orders


def test_only_what_works_can_be_cancelled() -> None:
    state = resting()
    seen(state, A, "canceled")
    with pytest.raises(FoldError, match="nothing to cancel"):
        fold(state, "cancel_sent", {"client_id": A, "at_ms": NOW_MS, "why": "w"})
    with pytest.raises(FoldError, match="not known"):
        fold(state, "plan", {"bar_ms": BAR_MS + MINUTE_MS, "legs": [], "ends": {B: "X"}})


@pytest.mark.control(4)
@pytest.mark.parametrize(("sent", "leaves"), [(0, True), (1, False)])
def test_an_entry_is_held_back_where_messages_leave_no_room_and_an_exit_is_not(
    sent: int, *, leaves: bool
) -> None:
    limits = Messages(second_max=2, reserve_ppm=500_000)
    for side, may in (("buy", leaves), ("sell", True)):
        state = account()
        hold(state)
        state.messages.clear()
        state.messages.update({f"s{n}": str(NOW_MS) for n in range(sent)})
        row = order_row(B, side=side, bar_ms=BAR_MS, leg=1)
        fold(state, "plan", {"bar_ms": BAR_MS, "legs": [row]})
        [action] = act(state, messages=limits)
        if may:
            assert action == Send(B)
        else:
            assert action == Abandon(B, "MESSAGES window=second limit=1 measured=2")


def test_what_may_be_sold_is_what_is_held_less_everything_that_sells() -> None:
    state = account()
    hold(state, BTC, 100)
    assert sell_room(state, "one", BTC) == 100
    for number, (lots, kind) in enumerate([(30, "limit"), (20, "stop_limit")]):
        key = f"{number}" * 32
        row = order_row(key, side="sell", qty_lots=lots, order_type=kind, tif="gtc", leg=number)
        fold(state, "order_planned", row)
        assert sell_room(state, "one", BTC) == (100 if number == 0 else 70)
        went(state, key)
    assert sell_room(state, "one", BTC) == 50
    assert sell_room(state, "one", BTC, "1" * 32) == 70
    assert sell_room(state, "two", BTC) == 0


def test_facts_and_a_cancel_go_into_the_journal_and_back() -> None:
    facts = StepFacts(NOW_MS, frozenset({A}), {}, "running", 0, frozenset({B}), stops=True)
    assert facts_of(facts_row(facts)) == facts
    assert facts_row(facts)["cancelled"] == [B]
    assert not {"cancelled", "stops"} & set(facts_row(FACTS))
    row = {"do": "Cancel", "client_id": A, "symbol": BTC, "why": "moved"}
    assert action_row(Cancel(BTC, A, "moved")) == row


def test_each_attempt_is_priced_by_a_quote_of_its_own() -> None:
    state = account()
    hold(state)
    exit_ = order_row(A, side="sell", signal_ms=0, reason="exit_signal", bar_ms=BAR_MS)
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": [exit_]})
    went(state, A)
    seen(state, A, "expired")
    facts, prices, quotes = FACTS, list[int](), 0
    for _ in range(20):
        actions = act(state, facts, exit_attempts=4)
        if not actions:
            break
        (action,) = actions
        if isinstance(action, PlanAttempt):
            prices.append(action.approved.proposal.price_ticks)
            fold(state, "order_planned", action.approved.row())
        elif isinstance(action, Send):
            went(state, action.client_id)
            seen(state, action.client_id, "expired")
        quotes += isinstance(action, Requote)
        facts = noted(facts, action, quote(9_000, 9_001))
    # Four rungs from 0.1 % to 0.5 %, the first was the plan's: 2,333, 3,666 and 5,000 ppm below the
    # bid, not below the exact price.
    assert prices == [8_980, 8_968, 8_955]
    assert quotes == 3
