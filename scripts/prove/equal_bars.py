"""Random bars for two engines: walks, jumps, flat runs, holes, tiny and huge prices.

Lives here: instruments and series of one made world, from a seed. Must not live here: policies, and
what is compared.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from trader.bars.resample import resample
from trader.core.series import BarRow, Series, build_series
from trader.core.snapshot import SeriesKey
from trader.domain.instrument import Instrument
from trader.domain.timeframe import TIMEFRAMES_MS, timeframe_name

QUOTE = "USDT"
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NAMES = ("AAA", "BBB", "CCC", "DDD")
# Price of one coin, tick, lot: fine and coarse, lots that leave dust, prices of few ticks.
GRIDS = (
    ("40000", "0.01", "0.00001"),
    ("40000", "0.01", "0.00001"),
    ("2000", "0.05", "0.001"),
    ("100", "0.01", "0.001"),
    ("100", "0.01", "0.25"),
    ("1", "0.0001", "1"),
    ("1", "0.025", "3"),
    ("0.5", "0.00001", "5"),
    ("0.00002", "0.00000001", "100"),
    ("3", "1", "0.1"),
    ("60", "0.5", "7"),
    ("0.05", "0.00000001", "0.0001"),
    ("900000", "0.1", "0.0001"),
)
FEES = ("0", "0.0001", "0.0001", "0.00075", "0.001", "0.0025")
# Where days begin and end oddly: both changes of the clock in Berlin and New York, a year's end,
# a Friday evening; and some day like others.
STARTS_MS = (
    1_711_835_400_000,  # 2024-03-30 21:50 UTC
    1_730_008_200_000,  # 2024-10-27 05:50 UTC
    1_710_053_400_000,  # 2024-03-10 06:50 UTC
    1_704_062_400_000,  # 2023-12-31 22:40 UTC
    1_715_371_200_000,  # 2024-05-10 20:00 UTC
    1_672_617_600_000,  # 2023-01-02 00:00 UTC
)
STEPS_MS = (MINUTE_MS,) * 6 + (5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, HOUR_MS, 4 * HOUR_MS, DAY_MS)


@dataclass(frozen=True, slots=True)
class Market:
    """What is traded: `first_ms` opens the first bar, the last one opens before `end_ms`."""

    step_ms: int
    first_ms: int
    end_ms: int
    instruments: tuple[Instrument, ...]
    series: dict[SeriesKey, Series]

    @property
    def symbols(self) -> tuple[str, ...]:
        """All of them, in order."""
        return tuple(one.symbol for one in self.instruments)

    def with_frames(self, steps_ms: set[int]) -> dict[SeriesKey, Series]:
        """The series, and those of longer bars made of them."""
        found = dict(self.series)
        for (symbol, _), series in self.series.items():
            for step_ms in sorted(steps_ms - {self.step_ms}):
                found[symbol, timeframe_name(step_ms)] = resample(series, step_ms)
        return found


def made_market(rng: random.Random, rows_max: int) -> Market:
    """Instruments and their bars; each has its own holes."""
    step_ms = rng.choice(STEPS_MS)
    first_ms = rng.choice(STARTS_MS) // step_ms * step_ms
    rows = rng.randrange(rows_max // 3, rows_max + 1)
    symbols = [f"{name}/{QUOTE}" for name in NAMES[: rng.choice((1, 1, 1, 2, 2, 3, 4))]]
    instruments = tuple(_instrument(rng, symbol) for symbol in symbols)
    name = timeframe_name(step_ms)
    series = {
        (one.symbol, name): build_series(
            one.symbol, step_ms, one.tick, _rows(rng, one, step_ms, first_ms, rows)
        )
        for one in instruments
    }
    return Market(step_ms, first_ms, first_ms + rows * step_ms, instruments, series)


def walked_market(rng: random.Random, rows: int, wild: float = 0.002) -> Market:
    """One instrument whose minutes lead nowhere: no holes, no jumps, volume enough."""
    tick, lot, none = Decimal("0.01"), Decimal("0.00001"), Decimal(0)
    one = Instrument(f"AAA/{QUOTE}", "AAA", QUOTE, tick, lot, lot, none, none, none, none)
    found: list[BarRow] = []
    at, first_ms = 1_000_000, STARTS_MS[-1]
    for i in range(rows):
        opened = at
        at = max(1_000, round(opened * (1.0 + rng.gauss(0.0, wild) + 0.02 * (1e6 / opened - 1.0))))
        high, low = max(opened, at) + rng.randrange(500), min(opened, at) - rng.randrange(500)
        found.append((first_ms + i * MINUTE_MS, opened, high, low, at, 1e6))
    series = build_series(one.symbol, MINUTE_MS, tick, found)
    end_ms = first_ms + rows * MINUTE_MS
    return Market(MINUTE_MS, first_ms, end_ms, (one,), {(one.symbol, "1m"): series})


def real_market(series: Series, first: int, rows: int, rng: random.Random) -> Market:
    """A stretch of a real file, with made rules."""
    part = series.slice(first, first + rows)
    high = max(part.close) * part.tick
    lot = Decimal(1)
    while lot * high > 20 and lot > Decimal("0.00001"):
        lot = lot.scaleb(-1)
    base = series.symbol.partition("/")[0]
    fee = Decimal(rng.choice(FEES))
    one = Instrument(
        f"{base}/{QUOTE}", base, QUOTE, part.tick, lot, lot, Decimal(0), Decimal(0), fee, fee
    )
    moved = Series(
        one.symbol, part.step_ms, part.tick, part.open_ms, part.open, part.high, part.low,
        part.close, part.volume,
    )  # fmt: skip
    key = (one.symbol, timeframe_name(part.step_ms))
    return Market(
        part.step_ms, part.open_ms[0], part.open_ms[-1] + part.step_ms, (one,), {key: moved}
    )


def longer_steps(step_ms: int) -> list[int]:
    """Timeframes of whole decision bars, up to a day, the shortest first."""
    return [ms for ms in sorted(TIMEFRAMES_MS.values()) if step_ms <= ms <= DAY_MS]


def _instrument(rng: random.Random, symbol: str) -> Instrument:
    _, tick, lot = (Decimal(text) for text in rng.choice(GRIDS))
    base = symbol.partition("/")[0]
    taker = Decimal(rng.choice(FEES))
    maker = Decimal(rng.choice(FEES))
    qty_min = lot * rng.choice((1, 1, 1, 3))
    least = Decimal(rng.choice(("0", "0", "0", "5", "11.5")))
    most = Decimal(rng.choice(("0", "0", "0", "9000")))
    return Instrument(symbol, base, QUOTE, tick, lot, qty_min, most, least, taker, maker)


def _price_of(tick: Decimal, lot: Decimal) -> Decimal:
    return next(Decimal(p) for p, t, of in GRIDS if (Decimal(t), Decimal(of)) == (tick, lot))


def _rows(
    rng: random.Random, one: Instrument, step_ms: int, first_ms: int, rows: int
) -> list[BarRow]:
    """A walk; calm, wild, flat, with jumps, thin or whole, as it was drawn."""
    at = max(1, int(_price_of(one.tick, one.lot) / one.tick * rng.choice((1, 1, 1, 2, 30)) // 1))
    wild = rng.choice((0.0004, 0.001, 0.001, 0.003, 0.003, 0.01, 0.03))
    wild = max(wild, float(Decimal(rng.choice((0, 1, 2))) / at)) * (rng.random() > 0.03)
    jumps, flat = rng.choice((0.0, 0.0, 0.01, 0.05)), rng.choice((0.0, 0.0, 0.3, 0.6))
    holes, volume = rng.choice((0.0, 0.0, 0.0, 0.02, 0.2)), rng.choice((1e6, 1e6, 50.0, 0.5))
    dry = rng.choice((0.0, 0.0, 0.0, 0.3))
    gap = _gap(rng, rows)
    drift, pull, home = rng.choice((0.0, 0.0, 0.1, -0.1)) * wild, rng.choice((0.0, 0.2)), at
    found: list[BarRow] = []
    for i in range(rows):
        opened = max(1, round(at * (1.0 + rng.gauss(0.0, wild) * 0.2)))
        if rng.random() < jumps:
            opened = max(1, round(opened * rng.choice((0.93, 0.99, 1.004, 1.06, 1.3))))
        move = (
            0.0
            if rng.random() < flat
            else rng.gauss(drift + pull * wild * (1 if at < home else -1), wild)
        )
        at = max(1, round(opened * (1.0 + move)))
        reach = abs(rng.gauss(0.0, wild)) * rng.choice((0.0, 0.5, 3.0))
        high, low = round(max(opened, at) * (1.0 + reach)), round(min(opened, at) * (1.0 - reach))
        traded = 0.0 if rng.random() < dry else volume * rng.random()
        if i not in gap and rng.random() >= holes:
            found.append((first_ms + i * step_ms, opened, high, max(1, low), at, traded))
    if not found:
        found.append((first_ms, at, at, at, at, volume))
    return found


def _gap(rng: random.Random, rows: int) -> range:
    """Rows that one long outage leaves out; mostly none."""
    if rng.random() < 0.75:
        return range(0)
    start = rng.randrange(rows)
    return range(start, start + rng.randrange(1, max(2, rows // 2)))
