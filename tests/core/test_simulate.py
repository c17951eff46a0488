"""The reference back-test on bars that fit on a page, worked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from trader.core.fold import fold
from trader.core.parameters import StrategyCode
from trader.core.series import Series, build_series
from trader.core.simulate import Model, Simulation
from trader.core.state import State

from .made import BAR_MS, BTC, MINUTE_MS, TICK, UNIT, account, order_row, parameters, strategy

# open, high, low, close in ticks, from BAR_MS on
Bar = tuple[int, int, int, int]
FLAT: Bar = (10_000, 10_000, 10_000, 10_000)


def series(rows: Sequence[Bar | None]) -> Series:
    """A history: one flat bar of warm-up, then these (None: no trade in that minute)."""
    made = [(BAR_MS - MINUTE_MS, *FLAT, 1.0)]
    made += [(BAR_MS + i * MINUTE_MS, *row, 1.0) for i, row in enumerate(rows) if row is not None]
    return build_series(BTC, MINUTE_MS, TICK, made)


def at(enter: set[int], leave: set[int], stop: float = 5.0) -> StrategyCode:
    """Enters and leaves on bars by their number."""

    def signals(bars: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        turn = [(opened - BAR_MS) // MINUTE_MS for opened in bars.open_ms]
        return {
            "enter": [int(t in enter) for t in turn],
            "exit": [int(t in leave) for t in turn],
            "stop": [stop] * len(turn),
        }

    return StrategyCode(lambda _: 1, signals)


def run(
    rows: Sequence[Bar | None], code: StrategyCode, model: Model | None = None, **limits: Any
) -> tuple[State, list[tuple[str, dict[str, Any]]]]:
    """The state at the end and every fact, of a back-test over all bars."""
    facts: list[tuple[str, dict[str, Any]]] = []
    state = account()
    simulation = Simulation(
        parameters(strategy(), **limits),
        {"one": code},
        {(BTC, "1m"): series(rows)},
        state,
        model or Model(spread_ppm=0),
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    count = simulation.run(BAR_MS, BAR_MS + len(rows) * MINUTE_MS)
    assert count == sum(1 for row in rows if row is not None)
    return state, facts


def fills(facts: list[tuple[str, dict[str, Any]]]) -> list[tuple[Any, ...]]:
    """(minute of the fill, side, price, lots) of every fill."""
    return [
        ((f["at_ms"] - BAR_MS) // MINUTE_MS, f["side"], f["price_ticks"], f["qty_lots"])
        for kind, f in facts
        if kind == "fill"
    ]


def test_a_round_trip_by_hand() -> None:
    rows: list[Bar | None] = [
        FLAT,  # 0: enters at its close ...
        (10_005, 10_010, 9_990, 10_000),  # 1: ... and is filled at this open
        FLAT,  # 2: leaves at its close ...
        (9_995, 10_000, 9_990, 10_000),  # 3: ... filled here
        FLAT,
    ]
    state, facts = run(rows, at({0}, {2}))
    # 998 lots fit 100 USDT at the worst price of 10,010 (0.1002001 a lot).
    assert fills(facts) == [(1, "buy", 10_005, 998), (3, "sell", 9_995, 998)]
    bought, sold = 998 * 10_005 * 1_000, 998 * 9_995 * 1_000
    fees = 9_984_990 + 9_975_010  # 0.1 % of 9,984,990,000 and of 9,975,010,000
    assert state.cash_units == 1_000 * UNIT - bought + sold - fees
    held = state.positions[BTC]
    assert (held.qty_units, held.realised_units) == (0, sold - bought - fees)
    assert held.fees_units == fees


def test_a_spread_is_paid_on_both_ways() -> None:
    rows: list[Bar | None] = [FLAT] * 5
    _, facts = run(rows, at({0}, {2}), Model(spread_ppm=200))
    # half of 0.02 % around 10,000: 9,999 and 10,001
    assert fills(facts) == [(1, "buy", 10_001, 998), (3, "sell", 9_999, 998)]


def test_a_fee_in_the_coin_leaves_dust() -> None:
    state, facts = run([FLAT] * 5, at({0}, {2}), Model(0, fee_in_base=True))
    # 998 lots less 0.1 %: 99,700,200 base units; 997 lots can be sold.
    assert fills(facts) == [(1, "buy", 10_000, 998), (3, "sell", 10_000, 997)]
    assert state.positions[BTC].qty_units == 99_700_200 - 99_700_000


def test_a_decision_is_never_filled_on_the_bar_that_decided() -> None:
    rows: list[Bar | None] = [(10_000 + i, 10_020, 9_980, 10_000) for i in range(8)]
    _, facts = run(rows, at({0, 4}, {2, 6}))
    assert [(minute, price) for minute, _, price, _ in fills(facts)] == [
        (1, 10_001),
        (3, 10_003),
        (5, 10_005),
        (7, 10_007),
    ]


@pytest.mark.parametrize(
    "rows",
    [[FLAT, None, FLAT, FLAT], [FLAT]],
    ids=["a minute without a trade", "the end of the file"],
)
def test_without_a_next_bar_nothing_is_filled(rows: list[Bar | None]) -> None:
    state, facts = run(rows, at({0}, set()))
    assert fills(facts) == []
    seen = [f["state"] for kind, f in facts if kind == "order_seen"]
    assert seen == ["expired"]
    assert state.cash_units == 1_000 * UNIT


def test_an_open_beyond_the_limit_is_not_paid() -> None:
    for gap, filled in ((10_010, True), (10_011, False)):
        rows: list[Bar | None] = [FLAT, (gap, gap, gap, gap), FLAT]
        _, facts = run(rows, at({0}, set()))
        assert bool(fills(facts)) == filled


def test_a_stop_is_seen_on_the_bar_and_sold_at_the_next_open() -> None:
    rows: list[Bar | None] = [
        FLAT,
        (10_000, 10_000, 9_501, 9_990),  # one tick above the stop of 9,500
        (9_990, 9_990, 9_500, 9_990),  # touched
        (9_985, 9_990, 9_980, 9_990),
        FLAT,
    ]
    state, facts = run(rows, at({0}, set()))
    assert fills(facts) == [(1, "buy", 10_000, 998), (3, "sell", 9_985, 998)]
    reasons = [leg["reason"] for kind, f in facts if kind == "plan" for leg in f["legs"]]
    assert reasons == ["entry_signal", "stop_loss"]
    assert state.positions[BTC].strategy == ""


def test_an_exit_through_a_gap_goes_wider_once_and_then_waits_for_the_next_bar() -> None:
    down: Bar = (9_940, 9_940, 9_940, 9_940)
    rows: list[Bar | None] = [FLAT, FLAT, FLAT, down, down, down]
    _, facts = run(rows, at({0}, {2, 3, 4}))
    # 9,990 was the first limit at the bar's close; the fresh bid is 9,940: 0.5 % below, 9,891.
    attempts = [f for kind, f in facts if kind == "order_planned"]
    assert [(a["attempt"], a["price_ticks"]) for a in attempts] == [(1, 9_891)]
    assert fills(facts)[1:] == [(3, "sell", 9_940, 998)]


def test_signals_one_bar_later_make_another_result() -> None:
    rows: list[Bar | None] = [(10_000 + 3 * i, 10_040, 9_980, 10_000 + 3 * i) for i in range(12)]
    results = {
        shift: run(rows, at({0 + shift, 6 + shift}, {3 + shift, 9 + shift}))[0].cash_units
        for shift in (0, 1)
    }
    assert results[0] != results[1]


def test_two_runs_record_the_same_facts() -> None:
    rows: list[Bar | None] = [(10_000 + i, 10_020, 9_400, 10_000) for i in range(8)]
    assert run(rows, at({0, 4}, {2}))[1] == run(rows, at({0, 4}, {2}))[1]


def test_intents_that_were_left_over_are_abandoned() -> None:
    state = account()
    facts: list[str] = []
    simulation = Simulation(
        parameters(),
        {"one": at({0, 1}, set())},
        {(BTC, "1m"): series([FLAT] * 3)},
        state,
        Model(0),
        lambda kind, _: facts.append(kind),
    )
    assert simulation.decision_bars(BAR_MS, BAR_MS + MINUTE_MS) == [BAR_MS]
    fold(state, "order_planned", order_row(bar_ms=BAR_MS - MINUTE_MS))
    simulation.decide_and_execute(BAR_MS)
    assert facts[0] == "order_abandoned"
