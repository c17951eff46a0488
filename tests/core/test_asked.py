"""Exits that a named human asked for: in the plan, in a cycle whose plan came before, and done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core.actions import Cancel, PlanAttempt, Requote, StepFacts
from trader.core.asked import exits_done, is_asked, left_of, sell_asked
from trader.core.fold import FoldError, fold
from trader.core.plan import plan, plan_payload
from trader.core.resting import why_ended
from trader.core.snapshot import CoreQuote
from trader.core.state import State
from trader.core.step import step

from .exit_tables import Row
from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    NOW_MS,
    UNIT,
    account,
    hold,
    order_row,
    parameters,
    quote,
    sent,
    snapshot,
)
from .test_exit_tables import bought, carry_out, decide

FLAT = Row((10_000, 10_000, 10_000))


def ask(state: State, symbol: str = BTC) -> State:
    row = {"symbol": symbol, "by": "ann", "why": "news", "at_ms": BAR_MS}
    return fold(state, "exit_asked", row)


def reasons(state: State, row: Row = FLAT, **changed: Any) -> list[str]:
    return [leg.proposal.reason for leg in decide(state, [row], 0, **changed).legs]


@pytest.mark.parametrize("symbol", [BTC, "*"])
def test_a_plan_sells_what_was_asked_for(symbol: str) -> None:
    state = ask(bought(stop_ticks=9_000), symbol)
    decided = decide(state, [FLAT], 0)
    assert [(leg.proposal.reason, leg.proposal.qty_lots) for leg in decided.legs] == [
        ("force_exit", 1_000)
    ]
    assert decided.trail[0].seen["asked"] == 1
    assert exits_done(state) == []
    carry_out(state, decided)
    assert exits_done(state) == [symbol]
    fold(state, "exit_done", {"symbol": symbol, "at_ms": 0})
    assert not is_asked(state, BTC)
    assert exits_done(state) == []
    with pytest.raises(FoldError):
        fold(state, "exit_done", {"symbol": symbol, "at_ms": NOW_MS})


def test_of_another_instrument_it_says_nothing() -> None:
    assert reasons(ask(bought(stop_ticks=9_000), ETH)) == []


@pytest.mark.parametrize(
    ("asked", "row", "reason"),
    [
        ({"stop_ticks": 9_900}, Row((10_000, 9_900, 9_950)), "stop_loss"),
        ({"target_ticks": 10_500}, Row((10_500, 9_900, 10_400)), "force_exit"),
        ({"hold_ms": 1}, FLAT, "force_exit"),
        ({"steps": "10500:300000"}, Row((10_500, 9_900, 10_400)), "force_exit"),
        ({"stop_ticks": 9_000, "trail_ticks": 500}, Row((11_000, 9_900, 10_400)), "trailing_stop"),
    ],
)
def test_a_stop_is_worse_and_everything_else_gives_way(
    asked: dict[str, Any], row: Row, reason: str
) -> None:
    assert reasons(ask(bought(**asked)), row) == [reason]


@pytest.mark.parametrize("level", ["no_entries", "reduce_only", "frozen"])
def test_every_halt_but_frozen_lets_it_leave(level: str) -> None:
    state = ask(bought(stop_ticks=9_000))
    fold(state, "halt", {"level": level, "why": "x", "by": "ann", "at_ms": 1})
    assert reasons(state) == ([] if level == "frozen" else ["force_exit"])


def test_it_needs_a_bid_and_nothing_else() -> None:
    state = ask(bought(stop_ticks=9_000))
    assert reasons(state, series={}) == ["force_exit"]
    decided = decide(state, [FLAT], 0, quotes={})
    assert decided.alarms == (f"EXIT_NO_BID symbol={BTC} reason=force_exit",)


def test_nothing_is_opened_while_it_is_asked_for() -> None:
    state = ask(account(), "*")
    decided = plan(snapshot(state))
    assert [row.answer for row in decided.trail] == ["EXIT_ASKED"]
    fold(state, "exit_done", {"symbol": "*", "at_ms": NOW_MS})
    assert len(plan(snapshot(state)).legs) == 1


def test_it_is_not_done_while_anything_may_fill() -> None:
    state = ask(account())
    assert exits_done(state) == [BTC]
    sent(state, order_row(signal_ms=1), outcome="unknown")
    assert exits_done(state) == []
    assert left_of(state, BTC) == left_of(state, "*") == [BTC]
    assert left_of(state, ETH) == []


def test_what_the_venue_does_not_take_is_done_with() -> None:
    state = ask(bought(60))
    carry_out(state, decide(state, [Row((8_000, 8_000, 8_000))], 0))
    assert state.positions[BTC].strategy == ""
    assert exits_done(state) == [BTC]


# --- asked for after the plan --------------------------------------------------------------------


def planned(**row: Any) -> State:
    """A position whose decision is made, and then somebody asks."""
    state = bought(**row)
    carry_out(state, decide(state, [FLAT], 0))
    return ask(state)


def facts(**changed: Any) -> StepFacts:
    return replace(StepFacts(BAR_MS + 2 * MINUTE_MS), **changed)


def fresh(bid: int = 9_999) -> dict[str, CoreQuote]:
    return {BTC: quote(bid, bid + 2, BAR_MS + 2 * MINUTE_MS)}


def test_a_quote_is_read_then_a_leg_of_its_own_is_planned_once() -> None:
    state = planned(stop_ticks=9_000)
    assert sell_asked(state, parameters(), facts()) == [Requote(BTC)]
    assert step(state, parameters(), facts()) == [Requote(BTC)]
    (action,) = sell_asked(state, parameters(), facts(quotes=fresh()))
    assert isinstance(action, PlanAttempt)
    row = action.approved.row()
    told = ("reason", "leg", "attempt", "qty_lots", "price_ticks", "bar_ms", "side")
    # 9,999 less 1,000 ppm is 9,989.001, up: no more than the cap is given away.
    assert [row[name] for name in told] == ["force_exit", 0, 0, 1_000, 9_990, BAR_MS, "sell"]
    assert (row["stop_ticks"], row["signal_ms"], row["strategy"]) == (0, 0, "one")
    fold(state, "order_planned", row)
    assert sell_asked(state, parameters(), facts(quotes=fresh())) == []


def test_its_leg_comes_after_those_of_the_plan() -> None:
    state = account(10_000 * UNIT)
    hold(state, BTC, 1_000, "one", stop_ticks=0)
    hold(state, ETH, 1_000, "two", stop_ticks=0, hold_ms=1)
    decided = plan(snapshot(state, strategies={"one": snapshot(state).strategies["one"]}))
    assert [leg.symbol for leg in decided.legs] == [ETH]
    fold(state, "plan", plan_payload(decided))
    ask(state)
    quotes = {BTC: quote(9_999, 10_001, BAR_MS + 2 * MINUTE_MS)}
    (action,) = sell_asked(state, parameters(), facts(quotes=quotes))
    assert isinstance(action, PlanAttempt)
    assert (action.approved.symbol, action.approved.row()["leg"]) == (BTC, 1)


@pytest.mark.parametrize(
    "seen",
    [
        {"quotes": {BTC: None}},
        {"quotes": fresh(0)},
        {"quotes": {BTC: quote(9_999, 10_001, BAR_MS)}},  # old
        {"quotes": fresh(), "latch": "frozen"},
    ],
)
def test_without_a_fresh_bid_or_frozen_no_leg_is_planned(seen: dict[str, Any]) -> None:
    assert sell_asked(planned(stop_ticks=9_000), parameters(), facts(**seen)) == []


def test_what_is_in_other_sells_is_not_sold_twice() -> None:
    state = planned(stop_ticks=9_000)
    sell = order_row("c" * 32, side="sell", qty_lots=400, signal_ms=0, stop_ticks=0)
    sent(state, sell, outcome="unknown")
    (action,) = sell_asked(state, parameters(), facts(quotes=fresh()))
    assert isinstance(action, PlanAttempt)
    assert action.approved.row()["qty_lots"] == 600
    state = planned(stop_ticks=9_000)
    sent(state, {**sell, "qty_lots": 1_000}, outcome="unknown")
    assert sell_asked(state, parameters(), facts(quotes=fresh())) == []


def test_legs_are_counted_in_the_newest_plan_alone_and_stops_are_none() -> None:
    state = planned(stop_ticks=9_000)
    here = {"side": "sell", "signal_ms": 0, "stop_ticks": 0, "bar_ms": BAR_MS, "qty_lots": 1}
    old = {**here, "bar_ms": BAR_MS - MINUTE_MS, "leg": 40}
    stop = {**here, "order_type": "stop_limit", "trigger_ticks": 9_000, "leg": 50, "tif": "gtc"}
    rows = [old, stop, {**here, "leg": 0}, {**here, "leg": 3, "reason": "scale_out"}]
    for number, row in enumerate(rows):
        sent(state, order_row(f"{number}" * 32, **row), outcome="rejected")
    (action,) = sell_asked(state, parameters(), facts(quotes=fresh()))
    assert isinstance(action, PlanAttempt)
    assert action.approved.row()["leg"] == 4


def test_each_instrument_is_asked_about_by_itself() -> None:
    state = account(10_000 * UNIT)
    hold(state, BTC, 1_000, "one", stop_ticks=0)
    hold(state, ETH, 1_000, "two", stop_ticks=0)
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": []})
    assert sell_asked(state, parameters(), facts()) == []
    ask(state, ETH)
    assert sell_asked(state, parameters(), facts()) == [Requote(ETH)]
    ask(state, BTC)
    fold(state, "exit_done", {"symbol": ETH, "at_ms": 0})
    assert exits_done(state) == []
    assert sell_asked(state, parameters(), facts()) == [Requote(BTC)]
    ask(state, "*")
    none: dict[str, Any] = {"quotes": {BTC: None}}
    assert sell_asked(state, parameters(), facts(**none)) == [Requote(ETH)]


@pytest.mark.parametrize(("left", "actions"), [(2, [Requote(BTC)]), (1, []), (0, [])])
def test_less_than_the_smallest_quantity_asks_for_no_quote(left: int, actions: list[Any]) -> None:
    state = planned(stop_ticks=9_000)
    sell = {"side": "sell", "signal_ms": 0, "stop_ticks": 0, "qty_lots": 1_000 - left}
    sent(state, order_row("c" * 32, **sell), outcome="unknown")
    assert sell_asked(state, parameters(), facts()) == actions


def test_nobody_asked_nothing_is_sold() -> None:
    state = bought(stop_ticks=9_000)
    carry_out(state, decide(state, [FLAT], 0))
    assert sell_asked(state, parameters(), facts(quotes=fresh())) == []


def test_an_entry_at_rest_ends_when_its_instrument_is_to_be_left() -> None:
    state = account()
    entry = {"tif": "gtc", "order_type": "post_only", "until_ms": BAR_MS + 99 * MINUTE_MS}
    sent(state, order_row("e" * 32, signal_ms=1, **entry))
    now = facts(now_ms=BAR_MS + MINUTE_MS)
    order = state.orders["e" * 32]
    assert why_ended(state, now, order) == ""
    ask(state, ETH)
    assert why_ended(state, now, order) == ""
    ask(state)
    assert why_ended(state, now, order) == "exit_asked"
    assert step(state, parameters(), now) == [Cancel(BTC, "e" * 32, "exit_asked")]
