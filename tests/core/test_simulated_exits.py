"""Exits through the reference back-test: at which bar, for which reason and at what price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from trader.core.parameters import StrategyCode
from trader.core.simulate import Model, Simulation

from .made import BAR_MS, BTC, MINUTE_MS, account, parameters, strategy
from .test_simulate import FLAT, Bar, at, series

UP = (10_050, 10_100, 10_040, 10_100)
TABLES: dict[str, tuple[dict[str, float], int, list[Bar], tuple[int, int, str]]] = {
    # exits in price, hold in minutes, bars from the one of the entry's fill on, then when, at what
    # price and why it is left: the order is filled at the open of the bar after the decision.
    "stop": (
        {"stop": 1.0},
        0,
        [UP, (10_100, 10_100, 9_899, 9_950), (9_940, 9_950, 9_900, 9_950)],
        (3, 9_940, "stop_loss"),
    ),
    "a gap through the stop is sold where trading goes on": (
        {"stop": 1.0},
        0,
        [UP, (9_600, 9_650, 9_500, 9_600), (9_610, 9_610, 9_600, 9_600)],
        (3, 9_610, "stop_loss"),
    ),
    "target": (
        {"stop": 5.0, "target": 2.0},
        0,
        [UP, (10_100, 10_200, 10_050, 10_180), (10_190, 10_200, 10_180, 10_190)],
        (3, 10_190, "take_profit"),
    ),
    # Highs 10,100 and 10,300 put the stop at 10,000 and 10,200; the third low is below it.
    "trail": (
        {"stop": 5.0, "trail": 1.0},
        0,
        [UP, (10_150, 10_300, 10_150, 10_290), (10_280, 10_280, 10_199, 10_250), FLAT],
        (4, 10_000, "trailing_stop"),
    ),
    "a spike": (
        {"stop": 5.0, "trail": 1.0},
        0,
        [UP, (10_150, 10_500, 10_150, 10_300), (10_310, 10_320, 10_300, 10_310)],
        (3, 10_310, "trailing_stop"),
    ),
    "longest hold": ({"stop": 5.0}, 2, [UP, UP, (10_070, *UP[1:])], (3, 10_070, "max_hold")),
}


def exiting(code: StrategyCode, exits: Mapping[str, float]) -> StrategyCode:
    """The same with these distances."""

    def signals(bars: Any, numbers: Mapping[str, float | int]) -> dict[str, Any]:
        columns = {name: [value] * len(bars) for name, value in exits.items()}
        return {**code.signals(bars, numbers), **columns}

    return replace(code, signals=signals)


@pytest.mark.parametrize("name", TABLES)
def test_a_position_is_left_where_the_table_says(name: str) -> None:
    exits, minutes, bars, left = TABLES[name]
    facts: list[tuple[str, dict[str, Any]]] = []
    rows = [FLAT, *bars, FLAT, FLAT]
    state = account()
    simulation = Simulation(
        parameters(
            strategy(hold_ms_max=minutes * MINUTE_MS), slippage_ppm=50_000, collar_ppm=90_000
        ),
        {"one": exiting(at({0}, set()), exits)},
        {(BTC, "1m"): series(rows)},
        state,
        Model(spread_ppm=0),
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    simulation.run(BAR_MS, BAR_MS + len(rows) * MINUTE_MS)
    fills = [payload for kind, payload in facts if kind == "fill"]
    assert [fill["side"] for fill in fills] == ["buy", "sell"]
    sold = fills[1]
    reasons = {
        leg["client_id"]: leg["reason"]
        for kind, payload in facts
        if kind == "plan"
        for leg in payload["legs"]
    }
    minute = (sold["at_ms"] - BAR_MS) // MINUTE_MS
    assert (minute, sold["price_ticks"], reasons[sold["client_id"]]) == left
    book = state.books["one"]
    assert book.cash_units == state.cash_units - state.number("capital_units")
    assert book.realised_units == state.positions[BTC].realised_units == book.cash_units
    told = [
        payload["results"] for kind, payload in facts if kind == "plan" and "results" in payload
    ]
    assert told[-1] == {"one": book.realised_units}
