"""What a report draws: equity and drawdown, months, prices with round trips, results, exposure.

Lives here: few points that stand for many bars, each list with how many it stands for. Must not
live here: layout, metrics (see `statistics`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.report_rows import amounts_of, opinion
from trader.app.round_trips import RoundTrip
from trader.app.statistics import Curve
from trader.core.curve import drawn_rows, highs_at
from trader.core.money import PPM
from trader.core.scale import to_units
from trader.domain.timeframe import DAY_MS, timeframe_name

# Twice as many points are drawn at most: the lowest and the highest of each stretch.
EQUITY_BLOCKS = 500
PRICE_BLOCKS = 240
POSITION_BLOCKS = 240
# A page with more pictures of prices, or more marks in one, says less.
SYMBOLS_DRAWN_MAX = 6
TRIPS_DRAWN_MAX = 120
# Steps of the distribution, in millionths: the first with at most so many bars between its ends.
STEPS_PPM = (
    500, 1_000, 2_000, 2_500, 5_000, 10_000, 20_000, 25_000, 50_000, 100_000, 200_000, 250_000,
    500_000, 1_000_000,
)  # fmt: skip
BINS_MAX = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def curve_of(result: BacktestResult) -> Curve:
    """The run's equity as statistics read it."""
    inputs = result.inputs
    start = to_units(inputs.cash, inputs.cash_unit, "starting balance")
    first_ms = result.curve_ms[0] - inputs.parameters.step_ms
    return Curve(first_ms, start, result.curve_ms, result.curve_units, inputs.cash_unit)


def build_series(result: BacktestResult, closed: Sequence[RoundTrip]) -> dict[str, Any]:
    """The parts of a report that are there to be drawn; times in epoch ms, amounts as text."""
    curve = curve_of(result)
    trips = [*closed, *(position.trip for position in result.open)]
    return {
        "equity": equity_points(curve),
        "monthly": monthly(curve, trips),
        "positions": position_points(trips, curve),
        "prices": price_points(result, trips),
        "distribution": distribution(closed),
    }


def drawn(units: Sequence[int], blocks: int) -> array[int]:
    """Rows of a curve that draw it."""
    out = array("q", bytes(8 * (2 * blocks + 2)))
    return out[: drawn_rows(units, blocks, out)]


def equity_points(curve: Curve) -> dict[str, Any]:
    """[close, equity, share below the high so far], thinned."""
    rows = drawn(curve.units, EQUITY_BLOCKS)
    highs = array("q", bytes(8 * len(rows)))
    highs_at(curve.units, curve.start_units, rows, highs)
    shown = amounts_of(curve.unit)
    points = [
        [curve.closes_ms[row], shown(curve.units[row]), opinion(1.0 - curve.units[row] / high)]
        for row, high in zip(rows, highs, strict=True)
    ]
    return {"bars": len(curve.units), "points": points}


def monthly(curve: Curve, trips: Sequence[RoundTrip]) -> list[dict[str, Any]]:
    """Each UTC month that has a bar: equity at its end, what it came to, exposure."""
    ends: dict[tuple[int, int], int] = {}
    for row in curve.day_rows():
        ends[month_of(curve.closes_ms[row] - 1)] = row
    closed = Counter(month_of(trip.closed_ms) for trip in trips if trip.closed)
    held = _held(trips, curve.closes_ms[-1] if curve.closes_ms else 0)
    shown = amounts_of(curve.unit)
    before = curve.start_units
    rows: list[dict[str, Any]] = []
    for (year, month), row in ends.items():
        now = curve.units[row]
        first = max(curve.start_ms, _month_ms(year, month))
        last = min(curve.closes_ms[-1], _month_ms(year + month // 12, month % 12 + 1))
        rows.append(
            {
                "month": f"{year:04d}-{month:02d}",
                "equity": shown(now),
                "result": shown(now - before),
                "return": opinion(now / before - 1.0 if before > 0 else None),
                "round_trips": closed[year, month],
                "exposure": opinion(_overlap(held, first, last) / (last - first)),
            }
        )
        before = now
    return rows


def month_of(at_ms: int) -> tuple[int, int]:
    """(year, month) of a UTC time."""
    return _month_of_day(at_ms // DAY_MS)


@lru_cache(maxsize=8192)
def _month_of_day(day: int) -> tuple[int, int]:
    moment = _EPOCH + timedelta(days=day)
    return moment.year, moment.month


def _month_ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


def _held(trips: Sequence[RoundTrip], end_ms: int) -> list[tuple[int, int]]:
    """Disjoint stretches in which anything was held, in order."""
    spans = sorted((t.opened_ms, t.closed_ms if t.closed else end_ms) for t in trips)
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _overlap(spans: Sequence[tuple[int, int]], start: int, stop: int) -> int:
    """How much of [start, stop) lies in disjoint spans, given in order."""
    first = bisect_left(spans, start, key=lambda span: span[1])
    last = bisect_left(spans, stop, key=lambda span: span[0])
    return sum(min(stop, b) - max(start, a) for a, b in spans[first:last])


def position_points(trips: Sequence[RoundTrip], curve: Curve) -> dict[str, Any]:
    """[time, most positions held from then until the next], thinned to equal stretches."""
    if not curve.closes_ms:
        return {"most": 0, "points": []}
    start, end = curve.start_ms, curve.closes_ms[-1]
    changes: Counter[int] = Counter()
    for trip in trips:
        changes[trip.opened_ms] += 1
        if trip.closed:
            changes[trip.closed_ms] -= 1
    blocks = min(POSITION_BLOCKS, len(curve.closes_ms))
    most = [0] * blocks
    now = 0
    times = [*sorted(changes), end]
    for at_ms, until in pairwise(times):
        now += changes[at_ms]
        last = _block(max(at_ms, until - 1), start, end, blocks)
        for block in range(_block(at_ms, start, end, blocks), last + 1):
            most[block] = max(most[block], now)
    points = [[start + (end - start) * k // blocks, count] for k, count in enumerate(most)]
    return {"most": max(most), "points": points}


def _block(at_ms: int, start: int, end: int, blocks: int) -> int:
    return max(0, min(blocks - 1, (at_ms - start) * blocks // (end - start)))


def price_points(result: BacktestResult, trips: Sequence[RoundTrip]) -> list[dict[str, Any]]:
    """Closes and round trips of the instruments with the most round trips."""
    by_symbol: dict[str, list[RoundTrip]] = {symbol: [] for symbol in sorted(result.market)}
    for trip in trips:
        by_symbol[trip.symbol].append(trip)
    busiest = sorted(by_symbol, key=lambda symbol: (-len(by_symbol[symbol]), symbol))
    return [
        _price(result, symbol, by_symbol[symbol])
        for symbol in busiest[:SYMBOLS_DRAWN_MAX]
        if by_symbol[symbol] or symbol == busiest[0]
    ]


def _price(result: BacktestResult, symbol: str, trips: list[RoundTrip]) -> dict[str, Any]:
    inputs = result.inputs
    step_ms = inputs.parameters.step_ms
    series = inputs.series[symbol, timeframe_name(step_ms)]
    start, stop = series.index_of(inputs.start_ms), series.index_of(inputs.end_ms)
    closes = memoryview(series.close)[start:stop]
    shown = amounts_of(result.spec(symbol).tick)
    cash = amounts_of(inputs.cash_unit)
    points = [
        [series.open_ms[start + row] + step_ms, shown(closes[row])]
        for row in drawn(closes, PRICE_BLOCKS)
    ]
    weighty = sorted(trips, key=lambda t: (-abs(t.result_units), t.opened_ms))[:TRIPS_DRAWN_MAX]
    marks = [
        {
            "opened_ms": trip.opened_ms,
            "first_price": shown(trip.first_ticks),
            "closed_ms": trip.closed_ms if trip.closed else None,
            "last_price": shown(trip.last_ticks) if trip.closed else None,
            "result": cash(trip.result_units),
        }
        for trip in sorted(weighty, key=lambda t: t.opened_ms)
    ]
    return {
        "symbol": symbol,
        "bars": len(closes),
        "points": points,
        "round_trips": len(trips),
        "marks": marks,
    }


def distribution(trips: Sequence[RoundTrip]) -> dict[str, Any]:
    """How many closed round trips came to which share of their cost: bins [from, to), whose ends
    take what lies beyond."""
    # Whole numbers: a result on an edge falls into the bin that begins there.
    found = sorted(
        ((t.result_units, t.cost_units) for t in trips if t.cost_units),
        key=lambda pair: pair[0] / pair[1],
    )
    if not found:
        return {"step": None, "bins": []}
    # The middle 96 % choose the step, so that one freak result does not make a single bar of all.
    aside = len(found) // 50
    ends = found[aside], found[-1 - aside]

    def places(step: int) -> tuple[int, int]:
        low, high = (result * PPM // (cost * step) for result, cost in ends)
        return low, high

    step = next((s for s in STEPS_PPM if _width(places(s)) <= BINS_MAX), STEPS_PPM[-1])
    first, last = places(step)
    last = min(last, first + BINS_MAX)
    counts = Counter(min(last, max(first, result * PPM // (cost * step))) for result, cost in found)
    return {
        "step": opinion(step / PPM),
        "bins": [
            {
                "from": opinion(place * step / PPM),
                "to": opinion((place + 1) * step / PPM),
                "round_trips": counts[place],
            }
            for place in range(first, last + 1)
        ],
    }


def _width(places: tuple[int, int]) -> int:
    return places[1] - places[0] + 1


def daily(curve: Curve) -> Iterator[list[str]]:
    """[day, equity] at the last decision bar of each UTC day."""
    shown = amounts_of(curve.unit)
    for row in curve.day_rows():
        day = (_EPOCH + timedelta(milliseconds=curve.closes_ms[row] - 1)).date()
        yield [day.isoformat(), shown(curve.units[row])]
