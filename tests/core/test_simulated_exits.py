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


# Exits in price, shares of the steps, bars from the one of the entry's fill on, then each sale:
# minute, price, reason, and what of the bought lots is kept afterwards, millionths, rounded up. The
# entry fills at 10,050. An exit may slip 5,000 ppm, so the stop breaks even at
# 10,050 x 1.001 / (0.999 x 0.995) = 10,120.8, up: 10,121.
Sales = list[tuple[int, int, str, int]]
PARTS: dict[str, tuple[dict[str, float], tuple[int, ...], list[Bar], Sales]] = {
    "a trail that counts from 10,200 on": (
        {"stop": 5.0, "trail": 1.0, "trail_from": 2.0},
        (),
        [
            UP,
            (10_150, 10_199, 10_050, 10_150),  # a trail from the first bar on would sit at 10,099
            (10_150, 10_250, 10_120, 10_240),  # armed: the stop goes to 10,150
            (10_240, 10_240, 10_140, 10_200),
            (10_190, 10_200, 10_180, 10_190),
        ],
        [(5, 10_190, "trailing_stop", 0)],
    ),
    "break-even from 10,200 on": (
        {"stop": 5.0, "break_even": 2.0},
        (),
        [
            UP,
            (10_100, 10_200, 10_095, 10_180),
            (10_150, 10_160, 10_121, 10_130),
            (10_125, 10_130, 10_100, 10_110),
        ],
        [(4, 10_125, "break_even", 0)],
    ),
    "a spike to break-even": (
        {"stop": 5.0, "break_even": 2.0},
        (),
        [UP, (10_100, 10_200, 10_095, 10_110), (10_115, 10_130, 10_100, 10_110)],
        [(3, 10_115, "break_even", 0)],
    ),
    "two steps, then the stop": (
        {"stop": 5.0, "scale_out_1": 2.0, "scale_out_2": 4.0},
        (300_000, 300_000),
        [
            UP,
            (10_150, 10_200, 10_100, 10_180),
            (10_190, 10_450, 10_180, 10_400),
            (10_390, 10_390, 9_400, 9_450),
            (9_440, 9_440, 9_400, 9_400),
        ],
        [
            (3, 10_190, "scale_out", 700_000),
            (4, 10_390, "scale_out", 400_000),
            (5, 9_440, "stop_loss", 0),
        ],
    ),
    "a gap over both steps, then the target": (
        {"stop": 5.0, "target": 9.0, "scale_out_1": 2.0, "scale_out_2": 4.0},
        (300_000, 300_000),
        [
            UP,
            (10_500, 10_550, 10_450, 10_500),
            (10_510, 10_950, 10_500, 10_900),
            (10_910, 10_910, 10_900, 10_900),
        ],
        [(3, 10_510, "scale_out", 400_000), (4, 10_910, "take_profit", 0)],
    ),
    "step and stop in one bar: the stop": (
        {"stop": 5.0, "scale_out_1": 2.0},
        (300_000,),
        [UP, (10_100, 10_300, 9_500, 10_200), (10_210, 10_210, 10_200, 10_200)],
        [(3, 10_210, "stop_loss", 0)],
    ),
    "all in steps": (
        {"stop": 5.0, "scale_out_1": 2.0, "scale_out_2": 4.0},
        (500_000, 500_000),
        [
            UP,
            (10_150, 10_200, 10_100, 10_180),
            (10_190, 10_450, 10_180, 10_400),
            (10_390, 10_390, 10_390, 10_390),
        ],
        [(3, 10_190, "scale_out", 500_000), (4, 10_390, "scale_out", 0)],
    ),
}


@pytest.mark.parametrize("fee_in_base", [False, True])
@pytest.mark.parametrize("name", PARTS)
def test_parts_are_sold_where_the_table_says(name: str, fee_in_base: bool) -> None:
    exits, shares, bars, sales = PARTS[name]
    facts: list[tuple[str, dict[str, Any]]] = []
    rows = [FLAT, *bars, FLAT, FLAT]
    state = account()
    simulation = Simulation(
        parameters(strategy(scale_ppm=shares), slippage_ppm=5_000, collar_ppm=90_000),
        {"one": exiting(at({0}, set()), exits)},
        {(BTC, "1m"): series(rows)},
        state,
        Model(spread_ppm=0, fee_in_base=fee_in_base),
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    simulation.run(BAR_MS, BAR_MS + len(rows) * MINUTE_MS)
    buy, *sold = [payload for kind, payload in facts if kind == "fill"]
    plans = [payload for kind, payload in facts if kind == "plan"]
    reasons = {leg["client_id"]: leg["reason"] for plan in plans for leg in plan["legs"]}
    bought, per_lot = buy["qty_lots"], state.spec(BTC).base_per_lot
    held_units = bought * per_lot - buy["fee_base_units"]
    for fill, (minute, price, reason, kept_ppm) in zip(sold, sales, strict=True):
        assert (fill["at_ms"] - BAR_MS) // MINUTE_MS == minute
        assert (fill["price_ticks"], reasons[fill["client_id"]]) == (price, reason)
        kept = -(-bought * kept_ppm // 1_000_000)
        assert fill["qty_lots"] == held_units // per_lot - kept
        held_units -= fill["qty_lots"] * per_lot
    assert state.held_units("one", BTC) == held_units < per_lot
    # The rest that a fee left is told once, and nobody owns the instrument.
    dust = [plan["dust"] for plan in plans if "dust" in plan]
    assert dust == ([{f"one|{BTC}": held_units}] if held_units else [])
    assert state.positions[BTC].strategy == ""


def test_leaving_at_break_even_costs_nothing() -> None:
    """Bought at 10,050 and sold at 10,125 with both fees: the result is above zero."""
    exits, _, bars, _ = PARTS["break-even from 10,200 on"]
    rows = [FLAT, *bars, FLAT]
    state = account()
    simulation = Simulation(
        parameters(slippage_ppm=5_000, collar_ppm=90_000),
        {"one": exiting(at({0}, set()), exits)},
        {(BTC, "1m"): series(rows)},
        state,
        Model(spread_ppm=0),
        lambda _kind, _payload: None,
    )
    simulation.run(BAR_MS, BAR_MS + len(rows) * MINUTE_MS)
    assert state.positions[BTC].strategy == ""
    assert state.positions[BTC].realised_units > 0
