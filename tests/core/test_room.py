"""What the books cannot hold is refused by name before it is sent, by both engines.

The coin costs 10 ticks. A lot of it is 100,000 base units and costs 10,000 cash units: one amount
holds 2**62 // 100,000 - 1 = 46,116,860,184,272 lots, which cost 4.6 thousand million USDT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from trader.core.account_view import AccountView
from trader.core.fast import FastSimulation
from trader.core.fold import fold
from trader.core.money import AMOUNT_MAX, AmountOverflow
from trader.core.parameters import StrategyCode
from trader.core.scale import Spec
from trader.core.series import Series, build_series
from trader.core.simulate import Model, Simulation
from trader.core.state import State

from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    TICK,
    account,
    fill_row,
    hold,
    instrument,
    order_row,
    parameters,
    sent,
    strategy,
)

CASH = 2 * 10**18
MOST = AMOUNT_MAX // 100_000 - 1
LIMITS: Mapping[str, Any] = {
    "pyramiding": True,
    "position_ppm": 1_000_000,
    "order_value_max": "100000000000",
    "order_qty_max": "100000000000",
}
ENGINES = (Simulation, FastSimulation)


def minutes(count: int) -> Series:
    """Bars at 10 ticks, from the one before BAR_MS on."""
    rows = [(BAR_MS + i * MINUTE_MS, 10, 10, 10, 10, 1.0) for i in range(-1, count)]
    return build_series(BTC, MINUTE_MS, TICK, rows)


def at(enter: set[int], leave: set[int]) -> StrategyCode:
    """Enters and leaves on bars by their number, with a stop half way down."""

    def signals(bars: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        turn = [(opened - BAR_MS) // MINUTE_MS for opened in bars.open_ms]
        return {
            "enter": [int(t in enter) for t in turn],
            "exit": [int(t in leave) for t in turn],
            "stop": [0.05] * len(turn),
        }

    return StrategyCode(lambda _: 1, signals)


def fills(engine: type[Simulation], share: int) -> tuple[State, list[tuple[Any, ...]]]:
    """(minute, side, lots) of every fill of a strategy that adds, with its share of the equity."""
    found: list[tuple[Any, ...]] = []

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "fill":
            minute = (payload["at_ms"] - BAR_MS) // MINUTE_MS
            found.append((minute, payload["side"], payload["qty_lots"]))

    state = account(CASH, instrument(qty_max="0"))
    policy = parameters(strategy(share=share, pyramiding=True), **LIMITS)
    codes, series = {"one": at({0, 2}, {4})}, {(BTC, "1m"): minutes(7)}
    simulation = engine(policy, codes, series, state, Model(spread_ppm=0), record)
    simulation.run(BAR_MS, BAR_MS + 7 * MINUTE_MS)
    return state, found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_position_is_added_to_as_far_as_its_coins_fit(engine: type[Simulation]) -> None:
    # 2e17 / 10,010; then the fee of 199,800,199,800,190 is gone: 199,980,019,980,019,981 / 10,010.
    first, second = 19_980_019_980_019, 19_978_023_974_027
    state, found = fills(engine, 100_000)
    assert found == [(1, "buy", first), (3, "buy", second), (5, "sell", first + second)]
    assert state.positions[BTC].qty_units == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_an_addition_whose_coins_do_not_fit_is_not_sent(engine: type[Simulation]) -> None:
    # 40 % of 2e18 would buy 8e13 lots: the first is cut to what fits one amount.
    state, found = fills(engine, 400_000)
    assert found == [(1, "buy", MOST), (5, "sell", MOST)]
    assert state.positions[BTC].qty_units == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_gate_refuses_is_said_by_the_gate(engine: type[Simulation]) -> None:
    refused: list[str] = []

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "plan":
            refused.extend(row[3] for row in payload["refused"])

    state = account(CASH, instrument(qty_max="0"))
    policy = parameters(strategy(share=400_000), **LIMITS)
    codes, series = {"one": at({0, 2}, {4})}, {(BTC, "1m"): minutes(7)}
    simulation = engine(policy, codes, series, state, Model(spread_ppm=0), record)
    simulation.run(BAR_MS, BAR_MS + 7 * MINUTE_MS)
    assert refused == ["ALREADY_HELD"]


# --- which amounts -------------------------------------------------------------------------------


def spec_of(state: State) -> Spec:
    return state.spec(BTC)


def check(state: State, lots: int, cost: int = 1) -> None:
    AccountView(state, {}).check_room(BTC, lots, cost)


def rich() -> State:
    return account(CASH, instrument(qty_max="0"), instrument(ETH))


def test_coins_held_and_being_bought_and_asked_for_have_to_fit_together() -> None:
    state = rich()
    check(state, MOST)
    hold(state, lots=1_000)
    check(state, MOST - 1_000)
    sent(state, order_row("b" * 32, qty_lots=500))
    fold(state, "fill", fill_row("b" * 32, "t", qty_lots=200, cost_units=200 * 10_000_000))
    check(state, MOST - 1_500)
    # The last amount that fits is 2**62 - 1 base units: 100,000 more than MOST lots are too many.
    with pytest.raises(AmountOverflow):
        check(state, MOST - 1_498)


def test_what_another_strategy_left_takes_room_too() -> None:
    state = rich()
    hold(state, lots=1, name="two")  # less than the smallest order: nobody's position
    check(state, MOST - 1)
    with pytest.raises(AmountOverflow):
        check(state, MOST + 1)


@pytest.mark.parametrize("name", ["cost_units", "bought_units"])
def test_what_was_paid_for_a_position_has_to_fit(name: str) -> None:
    state = rich()
    hold(state)
    setattr(state.positions[BTC], name, AMOUNT_MAX - 1_000)
    check(state, 1, 999)
    with pytest.raises(AmountOverflow):
        check(state, 1, 1_000)


def test_lots_bought_since_it_was_opened_have_to_fit_as_value() -> None:
    state = rich()
    hold(state)
    position, per_lot = state.positions[BTC], spec_of(state).notional_num
    position.bought_lots = AMOUNT_MAX // per_lot - 10
    check(state, 9)
    with pytest.raises(AmountOverflow):
        check(state, 11)
