"""A small market and a crossing of two means, for tests of sweeps: a trial takes milliseconds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from math import sin
from typing import Any

from trader.app.backtest_inputs import BacktestInputs, BacktestOptions, build_inputs
from trader.app.sweeping_session import SweepPlan, plan_sweep
from trader.app.sweeping_trials import Conditions, Trials, grid, read_axes, read_conditions
from trader.bars.bar_file import BarFile
from trader.core.parameters import Parameters, SizeSpec, StrategyCode, StrategySpec
from trader.policy.rules_compile import compile_rules
from trader.policy.sweep_ranges import SweepSpec

from .test_backtest import START_MS, bar_file, parameters

RULES = {
    "enter": "crosses_above(sma(close, fast), sma(close, slow))",
    "exit": "crosses_below(sma(close, fast), sma(close, slow))",
    "stop": "stop * close",
}
NUMBERS: dict[str, int | float] = {"fast": 2, "slow": 5, "stop": 0.08}
DECLARED = {"cross": SweepSpec({"fast": "2:4:1", "slow": "3:9:2"}, ("fast < slow",))}
BARS = 60


def spec() -> StrategySpec:
    """The crossing, of rules alone."""
    found = compile_rules(
        RULES,
        parameters={"fast": 2, "slow": 5, "stop": "0.08"},
        triggers={},
        own_timeframe="1m",
    )
    assert not found.problems
    return StrategySpec(
        "cross", "", "", ("BTC/USDT",), "1m", 60_000, NUMBERS, 1, True,
        size=SizeSpec(share_ppm=100_000), program=found.program,
    )  # fmt: skip


def base() -> Parameters:
    """An account that only it trades."""
    limits = replace(parameters().limits, missing_ppm_max=900_000)
    return replace(parameters(), strategies=(spec(),), limits=limits)


def file_of(folder: Any, bars: int = BARS) -> BarFile:
    """A wave on a slope."""
    closes = [100 + 6 * sin(at / 3.1) + 2 * sin(at / 1.3) + at / 20 for at in range(bars + 1)]
    rows: list[tuple[str, ...]] = []
    for before, after in pairwise(closes):
        high, low = max(before, after), min(before, after)
        rows.append(tuple(f"{value:.2f}" for value in (before, high, low, after)))
    return bar_file(folder, rows)


def inputs_of(folder: Any, bars: int = BARS) -> BacktestInputs:
    """What a trial runs on."""
    file = file_of(folder, bars)
    code = StrategyCode(lambda _: 0, lambda _bars, _numbers: {}, spec().program)
    return build_inputs(
        base(), {"cross": code}, {file.symbol: file}, BacktestOptions(Decimal(1000))
    )


def conditions_of(given: list[str] | None = None, where: list[str] | None = None) -> Conditions:
    """The declared ranges, or what a command line gives instead."""
    specs = (spec(),)
    axes = read_axes(specs, DECLARED, given or [])
    return Conditions(axes, read_conditions(specs, DECLARED, where or []), specs)


def trials() -> Trials:
    """Ten trials: three fast ones by four slow ones, but for 3 < 3 and 4 < 3."""
    return grid(conditions_of())


def plan_of(folder: Any, tried: Trials | None = None, sha: str = "ab") -> SweepPlan:
    """A plan over them."""
    row = {"symbol": "BTC/USDT", "timeframe": "1m", "use": "bars", "sha256": sha}
    manifest = {"id": "x", "policy": "p", "policy_source": "q", "seed": 0, "data": [row]}
    return plan_sweep(inputs_of(folder), tried or trials(), manifest)


__all__ = ["BARS", "START_MS", "conditions_of", "inputs_of", "plan_of", "spec", "trials"]
