"""The same random back-test, varied: later listings, silent data, rich accounts, other models.

Lives here: `varied`, which changes a case in a way that is drawn. Must not live here: how cases are
drawn in the first place.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from equal_cases import Case

from trader.app.backtest_inputs import BacktestInputs
from trader.bars.resample import resample
from trader.core.model import CLOSE, Fees, FeeTier, Model, Slippage, VolumeCap
from trader.core.scale import ScaleError, cash_digits_for
from trader.core.series import Series
from trader.domain.timeframe import timeframe_name

RICH_MAX = Decimal(10_000_000_000)
Change = Callable[[random.Random, BacktestInputs], BacktestInputs]


def varied(case: Case) -> Case:
    """One or two changes, by the case's name."""
    rng = random.Random(f"varied {case.name}")
    inputs = case.inputs
    names: list[str] = []
    for name in rng.sample(sorted(CHANGES), rng.choice((1, 1, 2))):
        inputs = CHANGES[name](rng, inputs)
        names.append(name)
    return replace(case, theme=(*case.theme, *names), inputs=inputs)


def other_spans(rng: random.Random, inputs: BacktestInputs) -> BacktestInputs:
    """Instruments that are listed later than others, or end before them."""

    def part(series: Series) -> Series:
        rows = len(series)
        first = rng.choice((0, rows // 3, rows // 2))
        last = rows - rng.choice((0, rows // 4))
        return series.slice(first, max(first + 1, last))

    return _with_series(inputs, part)


def silent(rng: random.Random, inputs: BacktestInputs) -> BacktestInputs:
    """Data that tell no volume, or hardly any."""
    share = rng.choice((0.0, 0.0, 1e-9, 0.02))

    def part(series: Series) -> Series:
        return replace(series, volume=array("d", [one * share for one in series.volume]))

    return _with_series(inputs, part)


def rich(rng: random.Random, inputs: BacktestInputs) -> BacktestInputs:
    """An account near what the integers can hold."""
    try:
        digits = cash_digits_for(list(inputs.instruments), RICH_MAX)
    except ScaleError:
        return inputs
    cash = Decimal(rng.choice((1_000_000_000, 5_000_000_000, 9_999_999_999)))
    limits = replace(
        inputs.parameters.limits, order_value_max=str(RICH_MAX), order_qty_max="1000000000000"
    )
    parameters = replace(inputs.parameters, cash_max=str(RICH_MAX), limits=limits)
    return replace(inputs, parameters=parameters, cash=cash, cash_digits=digits)


def poor(rng: random.Random, inputs: BacktestInputs) -> BacktestInputs:
    """An account of a few coins, or next to nothing."""
    return replace(inputs, cash=Decimal(rng.choice(("0.01", "3", "17.5", "60"))))


def other_model(rng: random.Random, inputs: BacktestInputs) -> BacktestInputs:
    """What is no part of the plain model."""
    models: list[Callable[[Model], Model]] = [
        lambda model: replace(model, latency_bars=rng.choice((0, 2, 3))),
        lambda model: replace(model, volume=VolumeCap(rng.choice((1, 10_000, 200_000)), 3)),
        lambda model: replace(model, slippage=Slippage(rng.choice((50, 2_000)), 500_000, 1_000)),
        lambda model: replace(model, fees=Fees((FeeTier(0, 800, 700), FeeTier(10**12, 400, 100)))),
        lambda model: replace(model, spread_range_ppm=rng.choice((1_000, 300_000))),
        lambda model: replace(model, at_end=CLOSE),
        lambda model: replace(model, delisted=CLOSE),
        lambda model: replace(model, zero_volume_fills=True),
    ]
    model = inputs.model
    for change in rng.sample(models, rng.choice((1, 1, 2))):
        model = change(model)
    return replace(inputs, model=model)


CHANGES: dict[str, Change] = {
    "other_model": other_model,
    "other_spans": other_spans,
    "poor": poor,
    "rich": rich,
    "silent": silent,
}


def _with_series(inputs: BacktestInputs, part: Callable[[Series], Series]) -> BacktestInputs:
    """Other decision bars for every instrument, and longer bars made of them."""
    name = timeframe_name(inputs.parameters.step_ms)
    own = {
        symbol: part(series)
        for (symbol, timeframe), series in inputs.series.items()
        if timeframe == name
    }
    found = {
        (symbol, timeframe): own[symbol]
        if timeframe == name
        else resample(own[symbol], series.step_ms)
        for (symbol, timeframe), series in inputs.series.items()
    }
    return replace(inputs, series=found)
