"""Random models of a venue, and finer bars that agree with the longer ones.

Lives here: what `laws` draws besides bars and policies. Must not live here: what is checked.
"""

from __future__ import annotations

import random

from equal_cases import Case

from trader.core.model import CLOSE, MARK, FeeCoin, Fees, FeeTier, Model, Slippage, VolumeCap
from trader.core.series import BarRow, Series, build_series
from trader.domain.timeframe import TIMEFRAMES_MS, timeframe_name

PPM = 1_000_000


def drawn_model(rng: random.Random, case: Case) -> Model:
    """Any of the switches, each of them mostly as usual."""
    digits = case.inputs.cash_digits
    return Model(
        spread_ppm=rng.choice((0, 1, 20, 201, 2_000)),
        fee_in_base=rng.random() < 0.3,
        stops=rng.random() < 0.4,
        latency_bars=rng.choice((1, 1, 1, 0, 2, 3)),
        spread_range_ppm=rng.choice((0, 0, 0, 50_000)),
        slippage=Slippage(
            rng.choice((0, 0, 7, 500)),
            rng.choice((0, 0, 300_000)),
            rng.choice((0, 0, 3_000, 40_000)),
            linear=rng.random() < 0.3,
        ),
        volume=VolumeCap(rng.choice((0, 0, 1_000, 100_000, PPM)), rng.choice((0, 1, 10))),
        fees=Fees(_tiers(rng, case, digits), _coin(rng, case, digits)),
        at_end=rng.choice((MARK, CLOSE)),
        delisted=rng.choice((MARK, CLOSE)),
        zero_volume_fills=rng.random() < 0.2,
    )


def _tiers(rng: random.Random, case: Case, digits: int) -> tuple[FeeTier, ...]:
    if rng.random() < 0.7:
        return ()
    whole = int(case.inputs.cash.scaleb(digits))
    rates = sorted((rng.randrange(2_000) for _ in range(3)), reverse=True)
    return tuple(
        FeeTier(whole * times, rate, rate // 2)
        for times, rate in zip((0, 1, 4), rates, strict=True)
    )


def _coin(rng: random.Random, case: Case, digits: int) -> FeeCoin | None:
    if rng.random() < 0.7:
        return None
    symbol = case.inputs.instruments[0].symbol
    price = rng.randrange(1, 10**6) * pow(10, digits - 3)
    return FeeCoin("FEE", price, rng.choice(("", symbol)))


def finer_bars(rng: random.Random, series: Series) -> Series | None:
    """Bars of a finer timeframe whose prices agree with the longer ones; some are absent. None
    where there is no finer timeframe."""
    steps = [ms for ms in TIMEFRAMES_MS.values() if ms < series.step_ms]
    steps = [ms for ms in steps if series.step_ms % ms == 0 and series.step_ms // ms <= 24]
    if not steps:
        return None
    step_ms = rng.choice(steps)
    rows: list[BarRow] = []
    for row in series.rows():
        if rng.random() < 0.95:
            rows.extend(_inside(rng, row, step_ms, series.step_ms // step_ms))
    return build_series(series.symbol, step_ms, series.tick, rows) if rows else None


def _inside(rng: random.Random, row: BarRow, step_ms: int, count: int) -> list[BarRow]:
    opens_ms, open_, high, low, close, volume = row
    turns = [open_, *(rng.randint(low, high) for _ in range(count - 1)), close]
    top, bottom = rng.sample(range(count), 2)
    kept = {0, count - 1, top, bottom, *rng.sample(range(count), count // 2)}
    found: list[BarRow] = []
    for at in sorted(kept):
        first, last = turns[at], turns[at + 1]
        upper = high if at == top else max(first, last)
        lower = low if at == bottom else min(first, last)
        part = 0.0 if rng.random() < 0.1 else volume / count
        found.append((opens_ms + at * step_ms, first, upper, lower, last, part))
    return found


def with_detail(rng: random.Random, case: Case) -> tuple[dict[tuple[str, str], Series], str]:
    """The case's series and finer ones, and the name of their timeframe; "" where none is."""
    step = timeframe_name(case.inputs.parameters.step_ms)
    series = dict(case.inputs.series)
    names: list[str] = []
    for (symbol, name), whole in case.inputs.series.items():
        if name != step or (names and rng.random() < 0.3):
            continue
        finer = finer_bars(random.Random(f"{case.name} {symbol}"), whole)
        if finer is not None and (not names or timeframe_name(finer.step_ms) == names[0]):
            names.append(timeframe_name(finer.step_ms))
            series[symbol, names[0]] = finer
    return (series, names[0]) if names else (series, "")
