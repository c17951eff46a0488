"""Protective stops at rest in the reference back-test, worked by hand: gaps, limits, ratchets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from trader.core.fold import fold
from trader.core.parameters import StrategyCode
from trader.core.simulate import Model, Simulation
from trader.core.state import State

from .made import BAR_MS, BTC, MINUTE_MS, account, parameters, strategy
from .test_simulate import FLAT, Bar, at
from .test_simulated_exits import exiting
from .test_simulated_makers import Facts, series_of, story

# Bought at the open of bar 1 at 10,000; the stop is 1.0 below the close of bar 0: 9,900. It may
# sell down to 2 % below: 9,702.
STOPS = Model(spread_ppm=0, stops=True)


def play(
    rows: Sequence[Bar],
    code: StrategyCode | None = None,
    *,
    exits: Mapping[str, float] | None = None,
    volumes: Sequence[float] = (),
    model: Model = STOPS,
    **limits: Any,
) -> tuple[State, Facts]:
    """Everything that happened when these bars follow the one that enters."""
    facts: Facts = []
    state = account()
    Simulation(
        parameters(strategy(), **{"slippage_ppm": 20_000, "exit_slippage_ppm": 20_000, **limits}),
        {"one": exiting(code or at({0}, set()), exits or {"stop": 1.0})},
        {(BTC, "1m"): series_of([FLAT, *rows], volumes)},
        state,
        model,
        lambda kind, payload: facts.append((kind, dict(payload))),
    ).run(BAR_MS, BAR_MS + (len(rows) + 1) * MINUTE_MS)
    return state, facts


def stops(facts: Facts) -> list[tuple[int, int, int]]:
    """(trigger, limit, lots) of every stop that was planned."""
    return [
        (fact["trigger_ticks"], fact["price_ticks"], fact["qty_lots"])
        for kind, fact in facts
        if kind == "order_planned" and fact["order_type"] == "stop_limit"
    ]


def whys(facts: Facts) -> list[str]:
    """Why each order was cancelled."""
    return [fact["why"] for kind, fact in facts if kind == "cancel_sent"]


def reasons(facts: Facts) -> list[str]:
    """Of everything that sold."""
    known: dict[str, str] = {}
    for kind, fact in facts:
        for row in fact["legs"] if kind == "plan" else [fact] if kind == "order_planned" else []:
            known[row["client_id"]] = row["reason"]
    return [known[f["client_id"]] for k, f in facts if k == "fill" and f["side"] == "sell"]


TABLES: dict[str, tuple[list[Bar], int]] = {
    # bars after the entry's -> price at which everything is sold
    "inside the bar": ([FLAT, (9_950, 9_960, 9_890, 9_950)], 9_900),
    "exactly touched": ([FLAT, (9_950, 9_960, 9_900, 9_950)], 9_900),
    "a crash inside the bar": ([FLAT, (9_950, 9_960, 9_000, 9_100)], 9_900),
    "a gap sells at the open": ([FLAT, (9_870, 9_880, 9_860, 9_870)], 9_870),
    "a gap exactly to the limit": ([FLAT, (9_702, 9_880, 9_700, 9_870)], 9_702),
    "past the limit, and back through it": ([FLAT, (9_600, 9_703, 9_590, 9_650)], 9_702),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_resting_stop_sells_where_the_table_says(name: str) -> None:
    bars, price = TABLES[name]
    state, facts = play(bars)
    assert stops(facts)[0][:2] == (9_900, 9_702)
    fills = [fact for kind, fact in facts if kind == "fill"]
    assert [fill["side"] for fill in fills] == ["buy", "sell"]
    assert fills[1]["price_ticks"] == price
    assert fills[1]["qty_lots"] == fills[0]["qty_lots"]
    assert reasons(facts) == ["stop_loss"]
    assert state.positions[BTC].qty_units == 0
    # Sold within the bar that triggered it, not at the open of the one after the decision.
    assert (fills[1]["at_ms"] - BAR_MS) // MINUTE_MS == 1 + len(bars)


def test_one_tick_above_the_trigger_nothing_is_sold() -> None:
    _, facts = play([FLAT, (9_950, 9_960, 9_901, 9_950)])
    assert reasons(facts) == []


def test_a_gap_past_the_limit_is_left_to_the_ladder_after_the_stop_is_gone() -> None:
    down: Bar = (9_600, 9_650, 9_590, 9_600)
    state, facts = play([FLAT, down, (9_590, 9_600, 9_580, 9_590)])
    told = [what for _, what, *_ in story(facts)]
    # entry, stop; then the plan's exit: cancel, and only then the sale
    assert told == ["sent", "fill", "sent", "cancel", "sent", "fill"]
    sold = [fact for kind, fact in facts if kind == "fill"][1]
    assert (sold["price_ticks"], reasons(facts)) == (9_590, ["stop_loss"])
    assert state.positions[BTC].qty_units == 0


def test_without_the_offer_the_back_test_is_as_it_was() -> None:
    bars = [FLAT, (9_950, 9_960, 9_890, 9_950), (9_940, 9_950, 9_930, 9_940)]
    _, facts = play(bars, model=Model(spread_ppm=0))
    assert stops(facts) == []
    assert [fact["price_ticks"] for kind, fact in facts if kind == "fill"] == [10_000, 9_940]


def test_a_stop_that_sells_in_part_goes_on_with_the_rest() -> None:
    low: Bar = (9_880, 9_890, 9_870, 9_880)
    state, facts = play([FLAT, low, low, low], volumes=[1.0, 1.0, 0.3])
    sold = [fact for kind, fact in facts if kind == "fill" and fact["side"] == "sell"]
    # 300 lots in the bar that gapped to it; what is left leaves by the plan: the stop is cancelled
    # first, and what is sold is what is held.
    assert (sold[0]["price_ticks"], sold[0]["qty_lots"]) == (9_880, 300)
    bought = sum(f["qty_lots"] for k, f in facts if k == "fill" and f["side"] == "buy")
    assert sum(fill["qty_lots"] for fill in sold) == bought
    assert state.positions[BTC].qty_units == 0


def test_a_ratcheted_stop_is_replaced_and_never_loosened() -> None:
    rows: list[Bar] = [
        FLAT,
        (10_000, 10_200, 10_000, 10_190),
        (10_190, 10_400, 10_190, 10_390),
        (10_390, 10_395, 10_290, 10_300),
    ]
    _, facts = play(rows, exits={"stop": 1.0, "trail": 1.0})
    triggers = [trigger for trigger, _, _ in stops(facts)]
    # 1.0 below the close of bar 0; then below the highs of 10,200 and 10,400.
    assert triggers == [9_900, 10_100, 10_300]
    assert whys(facts) == ["stop_moved"] * 2
    assert reasons(facts) == ["trailing_stop"]
    assert [f["price_ticks"] for k, f in facts if k == "fill"][-1] == 10_300


def test_an_exit_signal_takes_the_stop_away_and_sells() -> None:
    state, facts = play([FLAT, FLAT, FLAT], at({0}, {2}))
    assert whys(facts) == ["exit"]
    assert reasons(facts) == ["exit_signal"]
    assert not any(order.working for order in state.orders.values())


def test_what_a_halted_account_holds_stays_protected() -> None:
    facts: Facts = []
    state = account()
    simulation = Simulation(
        parameters(strategy(), slippage_ppm=20_000),
        {"one": exiting(at({0}, set()), {"stop": 1.0})},
        {(BTC, "1m"): series_of([FLAT, FLAT, FLAT, (9_950, 9_960, 9_890, 9_950)])},
        state,
        STOPS,
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    simulation.decide_and_execute(BAR_MS)
    fold(state, "halt", {"level": "reduce_only", "why": "w", "by": "b", "at_ms": 1})
    simulation.run(BAR_MS + MINUTE_MS, BAR_MS + 4 * MINUTE_MS)
    assert reasons(facts) == ["stop_loss"]
