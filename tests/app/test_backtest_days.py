"""Daily bars of the limits in a back-test: made from the file, never of a day that goes on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader.app.backtest_inputs import BacktestInputs, BacktestOptions, build_inputs
from trader.core.fold import fold
from trader.core.limits import Correlated, ValueAtRisk
from trader.core.simulate import Model, Simulation
from trader.core.state import State, instrument_row
from trader.core.strategy import load_strategy

from .test_backtest import LIMITS, SOURCE, START_MS, bar_file, parameters

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BTC = "BTC/USDT"
VAR = ValueAtRisk(limit_ppm=500_000, days=10, days_min=5)


def inputs(folder: Path, timeframe: str, step: int, count: int, **limits: Any) -> BacktestInputs:
    """Bars of `step` minutes whose price is the number of the bar, and these limits."""
    rows = [(f"{100 + number}.00",) * 4 for number in range(count)]
    file = bar_file(folder, rows, f"BTC_USDT-{timeframe}.csv", step)
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter="()", leave="()"))
    given = replace(parameters(timeframe), limits=replace(LIMITS, **limits))
    return build_inputs(given, {"hand": code}, {BTC: file}, BacktestOptions(Decimal(1000)))


def test_days_are_made_from_finer_bars_where_a_limit_asks_for_them(tmp_path: Path) -> None:
    for limits in ({"var": VAR}, {"correlated": Correlated(exposure_ppm_max=1)}):
        days = inputs(tmp_path, "1h", 60, 24 * 3, **limits).series[BTC, "1d"]
        # START_MS is midnight: bars 0 to 23 are the first day.
        assert list(days.open_ms) == [START_MS + day * DAY_MS for day in range(3)]
        assert list(days.close) == [(100 + 24 * day + 23) * 100 for day in range(3)]
    assert (BTC, "1d") not in inputs(tmp_path, "1h", 60, 24 * 3).series


def test_a_decision_sees_the_days_that_have_ended(tmp_path: Path) -> None:
    given = inputs(tmp_path, "1h", 60, 24 * 15, var=VAR)
    state = State()
    genesis = {"account": "a", "mode": "backtest", "prefix": "abcdef", "quote": "USDT"}
    fold(state, "genesis", {**genesis, "cash_digits": 8, "capital_units": 10**11})
    fold(state, "instrument", instrument_row(given.instruments[0]))
    run = Simulation(
        given.parameters, given.strategies, given.series, state, Model(), lambda _kind, _fact: None
    )
    for hour, last_day in ((24 * 12 + 22, 11), (24 * 12 + 23, 12), (24 * 13, 12)):
        seen = run.snapshot(START_MS + hour * HOUR_MS).series[BTC, "1d"]
        assert seen.open_ms[-1] == START_MS + last_day * DAY_MS
        assert len(seen) == 11  # one more than there are returns


def test_nobody_has_to_approve_a_back_test(tmp_path: Path) -> None:
    assert inputs(tmp_path, "1h", 60, 3, approval="always").parameters.limits.approval == "given"
