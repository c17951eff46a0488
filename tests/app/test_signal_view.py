"""What `signals show` tells: on the journal's bars and on bar files the very bits of the cycle."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trader.app.backtest_inputs import BacktestInputs, BacktestOptions, build_inputs
from trader.app.explain import explain
from trader.app.signal_view import signals_of_bars, signals_of_journal
from trader.app.trail import Decision, walk
from trader.bars.load import load_bars
from trader.core.desk import TrailRow
from trader.core.plan import plan
from trader.core.simulate import Simulation
from trader.core.state import State
from trader.errors import DataError, UsageError

from .world import MINUTE_MS, START_MS, World

BTC = "BTC/USDT"
RULES = """
fading:
  timeframe: 1m
  enter: close > on("5m", ema(close, 3)) or close <= on("5m", ema(close, 3))
  exit: rsi(close, 4) > 99.5
  stop: 3 * atr(4)
  target: 0.02 * sma(close, 5)
  size: {equity_share: 20%}
flipper:
  file: flipper.py
  timeframe: 1m
  size: {equity_share: 5%}
"""
MINUTES, NOW = 900, 850
Shown = dict[str, Any]


@pytest.fixture
def ruled(worlds: Callable[..., World]) -> World:
    """A strategy of rules that fade and see five minutes, on bars that wander."""
    rng = random.Random(11)
    price, closes = 100_00, dict[int, str]()
    for minute in range(MINUTES):
        price += rng.randint(-25, 25)
        closes[minute] = f"{price / 100:.2f}"
    served = {"now_ms": START_MS + NOW * MINUTE_MS}
    world = worlds(closes=closes, minutes=MINUTES, served=served)
    (world.folder / "config" / "strategies.yaml").write_text(RULES)
    return world


def decided(world: World) -> dict[int, TrailRow]:
    """By decision bar, what the trail says of the rules' entry."""
    found: dict[int, TrailRow] = {}
    with world.journal() as journal:
        for event in walk(journal, lambda _: True):
            if isinstance(event, Decision):
                rows = plan(event.snapshot).trail
                mine = [row for row in rows if row.strategy == "fading" and "enter_ms" in row.seen]
                found[event.snapshot.bar_ms] = mine[-1]
    return found


def inputs_of(world: World) -> BacktestInputs:
    """The whole bar file, with this world's policy."""
    setup = world.setup()
    file = load_bars(world.folder / "BTCUSDT.csv", symbol=BTC)
    options = BacktestOptions(Decimal(1000))
    return build_inputs(setup.run.parameters, setup.run.codes, {BTC: file}, options)


def of_journal(world: World, at_ms: int | None, strategy: str = "fading") -> Shown:
    run = world.setup().run
    with world.journal() as journal:
        return signals_of_journal(run.parameters, run.codes, journal, BTC, at_ms, strategy)


def test_cycle_back_test_and_view_give_the_same_bits(ruled: World) -> None:
    for minute in (NOW, NOW + 3):
        ruled.cycle(minute)
    inputs = inputs_of(ruled)
    run = Simulation(
        inputs.parameters, inputs.strategies, inputs.series, State(), inputs.model, lambda *_: None
    )
    for bar_ms, row in decided(ruled).items():
        close_ms = bar_ms + MINUTE_MS
        journal = of_journal(ruled, close_ms + 30_000)["strategies"][0]
        bars = signals_of_bars(inputs, BTC, close_ms, "fading")["strategies"][0]
        assert journal["expressions"] == bars["expressions"]
        assert all(one["ready"] for one in bars["expressions"])
        fading = [one for one in bars["expressions"] if "ema" in one["expression"]]
        assert {one["timeframe"] for one in fading} == {"5m", "1m"}
        for name in ("stop_distance", "target_distance", "strength"):
            told = {journal["opinion"][f"{name}_hex"], bars["opinion"][f"{name}_hex"]}
            assert told == {row.seen[name]}
        assert journal["opinion"]["enter_ms"] == row.seen["enter_ms"] == bar_ms
        # The back-test's own snapshot holds more rows than the journal's, and other ticks.
        spec = next(s for s in inputs.parameters.strategies if s.name == "fading")
        block = run.snapshot(bar_ms).frames.series[BTC, spec.timeframe]
        assert block.open_ms[-1] == bar_ms


def test_explain_tells_every_distance_in_decimals(ruled: World) -> None:
    number = ruled.cycle(NOW).cycle
    row = next(iter(decided(ruled).values()))
    with ruled.journal() as journal:
        rows = explain(journal, number).decisions
    (told,) = [one["seen"] for one in rows if one["strategy"] == "fading" and one["seen"]]
    for name in ("stop_distance", "target_distance", "strength"):
        wanted = float.fromhex(str(row.seen[name]))
        assert float(told[name.replace("_", " ")]) == pytest.approx(wanted, rel=1e-5)


def test_a_strategy_with_a_file_shows_its_opinion(ruled: World) -> None:
    ruled.cycle(NOW)
    (row,) = of_journal(ruled, None, "flipper")["strategies"]
    assert (row["file"], row["expressions"]) == ("flipper.py", [])
    assert row["opinion"]["stop_distance"] == 50.0


def test_every_strategy_of_the_pair_is_asked_when_none_is_named(ruled: World) -> None:
    ruled.cycle(NOW)
    shown = of_journal(ruled, None, "")
    assert [row["strategy"] for row in shown["strategies"]] == ["fading", "flipper"]
    assert shown["close_ms"] == START_MS + (NOW + 1) * MINUTE_MS


def test_too_early_a_time_is_not_ready_rather_than_wrong(ruled: World) -> None:
    inputs = inputs_of(ruled)
    early = signals_of_bars(inputs, BTC, START_MS + 8 * MINUTE_MS, "fading")["strategies"][0]
    assert early["opinion"]["problem"].startswith("DATA_SHORT")
    lacking = {one["expression"]: one["rows_missing"] for one in early["expressions"]}
    assert lacking["sma(close, 5)"] == 0
    assert lacking["ema(close, 3)"] == 17  # one bar of the eighteen is there


def test_what_cannot_be_shown_is_named(ruled: World) -> None:
    inputs = inputs_of(ruled)
    with pytest.raises(UsageError, match="strategy 'none' is not in the policy"):
        signals_of_bars(inputs, BTC, None, "none")
    with pytest.raises(DataError, match="no bar file is of ETH/USDT"):
        signals_of_bars(inputs, "ETH/USDT", None)
    ruled.cycle(NOW)
    run = ruled.setup().run
    with ruled.journal() as journal:
        given = (run.parameters, run.codes, journal, "ETH/USDT", None)
        with pytest.raises(DataError, match="holds no bars of ETH/USDT"):
            signals_of_journal(*given, "fading")
        with pytest.raises(UsageError, match="no strategy trades ETH/USDT"):
            signals_of_journal(*given)
