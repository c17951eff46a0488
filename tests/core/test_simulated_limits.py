"""Limits over time in the reference back-test: waits, days, entries without a human."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trader.core.days import ACCOUNT, days_of
from trader.core.limits import Cooldowns, Day, Zone
from trader.core.parameters import StrategyCode
from trader.core.simulate import Model, Simulation
from trader.core.state import State

from .made import BAR_MS, BTC, MINUTE_MS, account, parameters, says, strategy
from .test_simulate import FLAT, Bar, series

Facts = list[tuple[str, dict[str, Any]]]


def always(stop: float = 50.0) -> StrategyCode:
    """It wants to enter at every bar."""
    code = says(stop=stop)

    def signals(bars: Any, numbers: Any) -> dict[str, Any]:
        return {**code.signals(bars, numbers), "enter": [1] * len(bars)}

    return replace(code, signals=signals)


def walk(rows: list[Bar], hold_minutes: int = 1, **limits: Any) -> tuple[State, Facts]:
    """A back-test over minute bars from BAR_MS on of a strategy that always wants to enter."""
    facts: Facts = []
    state = account()
    spec = strategy(hold_ms_max=hold_minutes * MINUTE_MS)
    policy = parameters(spec, slippage_ppm=50_000, collar_ppm=90_000, **limits)
    simulation = Simulation(
        policy,
        {"one": always()},
        {(BTC, "1m"): series(rows)},
        state,
        Model(spread_ppm=0),
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    simulation.run(BAR_MS, BAR_MS + len(rows) * MINUTE_MS)
    return state, facts


def minutes(facts: Facts, side: str) -> list[int]:
    """Minutes at whose close orders of a side were filled, the first bar's close being 1."""
    fills = [payload for kind, payload in facts if kind == "fill" and payload["side"] == side]
    return [(fill["at_ms"] - BAR_MS) // MINUTE_MS for fill in fills]


def test_after_an_exit_the_strategy_stays_out_for_as_long_as_policy_says() -> None:
    rows = [FLAT] * 30
    _, free = walk(rows)
    bought, sold = minutes(free, "buy"), minutes(free, "sell")
    assert bought[1] - sold[0] == 1  # nothing keeps it out: it buys at the next close
    _, waited = walk(rows, cooldowns=Cooldowns(exit_ms=7 * MINUTE_MS, exit_bars=2))
    bought, sold = minutes(waited, "buy"), minutes(waited, "sell")
    assert [next_ - left for next_, left in zip(bought[1:], sold, strict=False)] == [7] * (
        len(bought) - 1
    )
    assert len(bought) > 2
    _, by_bars = walk(rows, cooldowns=Cooldowns(exit_ms=1, exit_bars=9))
    bought, sold = minutes(by_bars, "buy"), minutes(by_bars, "sell")
    assert bought[1] - sold[0] == 9


def test_a_days_stop_ends_with_its_day_and_days_sum_to_the_result() -> None:
    fall: Bar = (10_000, 10_000, 9_900, 9_900)
    low: Bar = (9_900, 9_900, 9_900, 9_900)
    rows = [FLAT] * 4 + [fall] + [low] * 25
    # A day that begins at the close of the 15th bar.
    begins_min = (BAR_MS // MINUTE_MS + 15) % 1_440
    limits = {"day": Day(Zone(), begins_min), "day_stop_ppm": 500}
    state, facts = walk(rows, 6, **limits)
    bought = minutes(facts, "buy")
    assert [at for at in bought if 5 <= at < 15] == []
    assert min(at for at in bought if at >= 15) == 15
    today = state.number("day")
    rows_of_days = days_of(state, ACCOUNT, today - 5, today)
    assert [row.day for row in rows_of_days] == [today - 1, today]
    result = state.number("equity_units") - state.number("capital_units")
    assert sum(row.result_units for row in rows_of_days) == result
    assert sum(row.trades for row in rows_of_days) == len(bought)
    of_one = days_of(state, "one", today - 5, today)
    assert sum(row.result_units for row in of_one) == result


def test_entries_end_after_as_many_fills_as_may_come_without_a_human() -> None:
    state, facts = walk([FLAT] * 40, unattended_max=3)
    assert len(minutes(facts, "buy")) == state.books["one"].entries_filled == 3
    refused = [row[3] for kind, payload in facts if kind == "plan" for row in payload["refused"]]
    assert "UNATTENDED" in refused
