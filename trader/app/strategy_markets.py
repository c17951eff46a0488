"""Markets that a strategy is checked on: made from a seed, or cut from given bars.

Lives here: the kinds of generated bars, and what becomes of bars when somebody changes the future.
Bars of one seed share their times whatever their kind, as instruments do. Must not live here: what
is asked of a strategy on them.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from random import Random

from trader.app.strategy_wire import SHOWN, Bars
from trader.core.series import Series
from trader.domain.timeframe import bar_open_ms

# A Monday; each seed starts some days later, so that weeks, months and leap days take part.
START_MS = 1_672_617_600_000
DAY_MS = 86_400_000
# kind -> (first price, tick, drift of a regime, noise of a row), shares of the price.
KINDS: dict[str, tuple[float, float, float, float]] = {
    "trend": (100.0, 0.01, 0.0025, 0.003),
    "range": (250.0, 0.01, 0.0, 0.004),
    "jumps": (40.0, 0.001, 0.001, 0.004),
    "gaps": (1_000.0, 0.1, 0.0015, 0.004),
    "flat": (50.0, 0.01, 0.0, 0.0),
    "tiny": (0.000_123_45, 1e-8, 0.0015, 0.004),
    "large": (2_500_000.0, 0.5, 0.0015, 0.004),
}
_REGIME_ROWS = 45


def seeded(seed: int | str) -> Random:
    """Chance that is the same again for a seed."""
    return Random(seed)  # noqa: S311 # nosec B311 - bars to try, nothing secret


def made_market(kind: str, seed: int, rows: int, step_ms: int) -> Bars:
    """So many bars of a kind; equal arguments give equal bars."""
    chance = seeded(f"{kind} {seed}")
    price, tick, drift, noise = KINDS[kind]
    times = _times(kind, seed, rows, step_ms)
    columns: list[array[float]] = [array("d") for _ in range(5)]
    middle, lean = price, drift
    for row in range(rows):
        if row % _REGIME_ROWS == 0:
            lean = drift * chance.choice((-1.0, 1.0, 1.0, -1.0, 0.2))
        first = middle
        middle = max(20 * tick, _next(kind, chance, price, middle, lean, noise, row))
        # Far from where it began it turns around: prices stay between bounds.
        if not price / 4 < middle < price * 4:
            lean = drift if middle < price else -drift
        opened = first + _opening(kind, row) * (middle - first)
        for column, value in zip(columns, _bar(chance, opened, middle, tick, noise), strict=True):
            column.append(value)
    return Bars([times, *columns])


def _next(
    kind: str, chance: Random, price: float, middle: float, lean: float, noise: float, row: int
) -> float:
    step = lean + noise * chance.gauss(0.0, 1.0)
    if kind == "range":
        aim = price * (1.0 + 0.06 * math.sin(row / 11.0) + 0.03 * math.sin(row / 3.7))
        return middle + 0.35 * (aim - middle) + middle * step
    if kind == "jumps" and chance.random() < 0.03:
        return middle * (1.0 + chance.choice((-0.16, -0.08, 0.09, 0.19)))
    if kind == "flat":
        return middle * (1.0 + (0.02 if row % 40 == 39 else 0.0) * chance.choice((-1, 1)))
    return middle * (1.0 + step)


def _opening(kind: str, row: int) -> float:
    """Which share of a row's way lies before its open: code that looks at gaps must see some."""
    return 0.8 if kind == "jumps" and row % 2 == 0 else 0.0


def _bar(chance: Random, first: float, last: float, tick: float, noise: float) -> list[float]:
    """(open, high, low, close, volume), prices on the tick."""
    reach = noise * abs(chance.gauss(0.0, 0.7))
    high = max(first, last) * (1.0 + reach)
    low = min(first, last) * (1.0 - noise * abs(chance.gauss(0.0, 0.7)))
    volume = 0.0 if noise == 0.0 else round(chance.lognormvariate(3.0, 0.8), 3)
    return [*(round(value / tick) * tick for value in (first, high, low, last)), volume]


def _times(kind: str, seed: int, rows: int, step_ms: int) -> array[int]:
    chance = seeded(f"times {seed}")
    at = bar_open_ms(START_MS + (seed % 400) * DAY_MS, step_ms)
    times: array[int] = array("q")
    for _ in range(rows):
        times.append(at)
        absent = chance.choice((1, 2, 30)) if kind == "gaps" and chance.random() < 0.03 else 0
        at += step_ms * (1 + absent)
    return times


def given_market(series: Series) -> Bars:
    """Bars of a file, as a strategy would see them."""
    tick = float(series.tick)
    numerator, denominator = series.tick.as_integer_ratio()
    assert tick > 0.0
    prices = [
        array("d", [ticks * numerator / denominator for ticks in column])
        for column in (series.open, series.high, series.low, series.close)
    ]
    return Bars([series.open_ms, *prices, series.volume])


def _scaled(bars: Bars, row: int, factor: float) -> Bars:
    columns = [array("d", column) for column in _floats(bars)]
    for column in columns[:4]:
        for index in range(row, len(bars)):
            column[index] *= factor
    return Bars([bars.open_ms, *columns])


def _floats(bars: Bars) -> list[array[float]]:
    return [array("d", getattr(bars, name)) for name in SHOWN[1:]]


def _higher(bars: Bars, row: int) -> Bars:
    return _scaled(bars, row, 3.0)


def _lower(bars: Bars, row: int) -> Bars:
    return _scaled(bars, row, 0.3)


def _spike(bars: Bars, row: int) -> Bars:
    columns = _floats(bars)
    columns[1][row] *= 10.0
    columns[2][row] *= 0.1
    columns[3][row] *= 7.0
    return Bars([bars.open_ms, *columns])


def _turned(bars: Bars, row: int) -> Bars:
    """Open, high, low, close and volume of what comes, back to front."""
    columns = _floats(bars)
    for column in columns:
        column[row:] = column[row:][::-1]
    return Bars([bars.open_ms, *columns])


def _still(bars: Bars, row: int) -> Bars:
    """What comes is one price, and nothing is traded."""
    columns = _floats(bars)
    price = columns[3][row - 1]
    for index in range(row, len(bars)):
        for column in columns[:4]:
            column[index] = price
        columns[4][index] = 0.0
    return Bars([bars.open_ms, *columns])


def _busy(bars: Bars, row: int) -> Bars:
    """Only volumes of what comes change."""
    columns = _floats(bars)
    for index in range(row, len(bars)):
        columns[4][index] = columns[4][index] * 50.0 + 1.0
    return Bars([bars.open_ms, *columns])


def _later(bars: Bars, row: int) -> Bars:
    """What comes, comes four weeks later."""
    times = array("q", bars.open_ms)
    for index in range(row, len(bars)):
        times[index] += 28 * DAY_MS
    return Bars([times, *_floats(bars)])


# name -> bars with the rows from `row` on changed; every one keeps the rows before.
FUTURES: dict[str, Callable[[Bars, int], Bars]] = {
    "three times as high": _higher,
    "at a third": _lower,
    "with one wild bar": _spike,
    "back to front": _turned,
    "standing still": _still,
    "with other volumes": _busy,
    "four weeks later": _later,
}


def shaken(bars: Bars, share: float, seed: int) -> Bars:
    """Prices moved by at most `share` of their range: what changes then was a tie that anything
    decides. Every third seed moves them slowly, the others each row by itself, a tenth as far."""
    chance = seeded(seed)
    columns = _floats(bars)
    reach = max(share * (max(columns[1]) - min(columns[2])), 1e-9 * max(columns[1]))
    rate, phase = chance.uniform(0.05, 0.9), chance.uniform(0.0, 6.28)
    for index in range(len(bars)):
        move = math.sin(rate * index + phase) if seed % 3 == 0 else chance.uniform(-0.1, 0.1)
        for column in columns[:4]:
            column[index] += reach * move
    return Bars([bars.open_ms, *columns])
