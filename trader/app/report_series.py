"""What a report draws: equity and drawdown, months, prices with round trips, results, exposure.

Lives here: few points that stand for many bars, each list with how many it stands for. Must not
live here: layout, metrics (see `statistics`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.report_rows import amounts_of, opinion, read_trips
from trader.app.round_trips import RoundTrip
from trader.app.statistics import Curve
from trader.core.curve import drawn_rows, highs_at
from trader.core.money import PPM
from trader.core.trip_groups import most_held, shares_of, time_held, weightiest
from trader.core.trips import TRIP_COLUMNS
from trader.domain.timeframe import DAY_MS, timeframe_name
from trader.records import dataclass

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
_WIDTH = len(TRIP_COLUMNS)


@dataclass(frozen=True, slots=True)
class Held:
    """When positions were opened and when they were closed, each in order; a position that is still
    open has no end."""

    opened_ms: array[int]
    closed_ms: array[int]

    @staticmethod
    def of(closed: array[int], still_open: Sequence[RoundTrip]) -> Held:
        """Of a table of closed round trips and of those that the end left open."""
        opened = [*_column(closed, "opened_ms"), *(trip.opened_ms for trip in still_open)]
        ended = _column(closed, "closed_ms")
        return Held(array("q", sorted(opened)), array("q", sorted(ended)))

    def closed_in(self, first_ms: int, last_ms: int) -> int:
        """How many were closed in [first_ms, last_ms)."""
        return bisect_left(self.closed_ms, last_ms) - bisect_left(self.closed_ms, first_ms)

    def overlap_ms(self, first_ms: int, last_ms: int) -> int:
        """How much of [first_ms, last_ms) has a position."""
        begun = bisect_right(self.opened_ms, first_ms)
        ended = bisect_right(self.closed_ms, first_ms)
        return time_held(self.opened_ms, self.closed_ms, first_ms, last_ms, begun, ended)


def _column(trips: array[int], name: str) -> array[int]:
    return trips[TRIP_COLUMNS.index(name) :: _WIDTH]


def build_series(
    result: BacktestResult, closed: array[int], *, all_of_it: bool = True
) -> dict[str, Any]:
    """The parts of a report that are there to be drawn; times in epoch ms, amounts as text.
    `closed`: the rows of its closed round trips. Without `all_of_it`: what tables show."""
    curve = result.curve
    held = Held.of(closed, [position.trip for position in result.open])
    months = {"monthly": monthly(curve, held)}
    if not all_of_it:
        return months
    return {
        "equity": equity_points(curve),
        **months,
        "positions": position_points(held, curve),
        "prices": price_points(result, closed),
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


def monthly(curve: Curve, held: Held) -> list[dict[str, Any]]:
    """Each UTC month that has a bar: equity at its end, what it came to, exposure."""
    ends: dict[tuple[int, int], int] = {}
    for row in curve.day_rows():
        ends[month_of(curve.closes_ms[row] - 1)] = row
    shown = amounts_of(curve.unit)
    before = curve.start_units
    rows: list[dict[str, Any]] = []
    for (year, month), row in ends.items():
        now = curve.units[row]
        begins, ends_ms = _month_ms(year, month), _month_ms(year + month // 12, month % 12 + 1)
        first, last = max(curve.start_ms, begins), min(curve.closes_ms[-1], ends_ms)
        rows.append(
            {
                "month": f"{year:04d}-{month:02d}",
                "equity": shown(now),
                "result": shown(now - before),
                "return": opinion(now / before - 1.0 if before > 0 else None),
                "round_trips": held.closed_in(begins, ends_ms),
                "exposure": opinion(held.overlap_ms(first, last) / (last - first)),
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


def position_points(held: Held, curve: Curve) -> dict[str, Any]:
    """[time, most positions held from then until the next], thinned to equal stretches."""
    if not curve.closes_ms:
        return {"most": 0, "points": []}
    start, end = curve.start_ms, curve.closes_ms[-1]
    blocks = min(POSITION_BLOCKS, len(curve.closes_ms))
    most = array("q", bytes(8 * blocks))
    most_held(held.opened_ms, held.closed_ms, start, end, most)
    points = [[start + (end - start) * k // blocks, count] for k, count in enumerate(most)]
    return {"most": max(most), "points": points}


def price_points(result: BacktestResult, closed: array[int]) -> list[dict[str, Any]]:
    """Closes and round trips of the instruments with the most round trips."""
    places = _column(closed, "symbol")
    names = result.fills.names
    counts = {symbol: places.count(names.index(symbol)) for symbol in sorted(result.market)}
    for position in result.open:
        counts[position.trip.symbol] += 1
    busiest = sorted(counts, key=lambda symbol: (-counts[symbol], symbol))
    return [
        _price(result, symbol, closed, counts[symbol])
        for symbol in busiest[:SYMBOLS_DRAWN_MAX]
        if counts[symbol] or symbol == busiest[0]
    ]


def _price(result: BacktestResult, symbol: str, closed: array[int], count: int) -> dict[str, Any]:
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
    marks = [
        {
            "opened_ms": trip.opened_ms,
            "first_price": shown(trip.first_ticks),
            "closed_ms": trip.closed_ms if trip.closed else None,
            "last_price": shown(trip.last_ticks) if trip.closed else None,
            "result": cash(trip.result_units),
        }
        for trip in _weighty(result, symbol, closed)
    ]
    return {
        "symbol": symbol,
        "bars": len(closes),
        "points": points,
        "round_trips": count,
        "marks": marks,
    }


def _weighty(result: BacktestResult, symbol: str, closed: array[int]) -> list[RoundTrip]:
    """An instrument's round trips with the largest results, in the order they opened."""
    names = result.fills.names
    found = array("q", bytes(8 * (TRIPS_DRAWN_MAX + 1)))
    count = weightiest(closed, names.index(symbol), TRIPS_DRAWN_MAX, found)
    rows = array("q")
    for number in found[:count]:
        rows.extend(closed[number * _WIDTH : (number + 1) * _WIDTH])
    trips = read_trips(rows, names)
    trips += [p.trip for p in result.open if p.trip.symbol == symbol]
    weighty = sorted(trips, key=lambda t: (-abs(t.result_units), t.opened_ms))[:TRIPS_DRAWN_MAX]
    return sorted(weighty, key=lambda t: t.opened_ms)


def distribution(closed: array[int]) -> dict[str, Any]:
    """How many closed round trips came to which share of their cost: bins [from, to), whose ends
    take what lies beyond."""
    # Whole numbers: a result on an edge falls into the bin that begins there.
    shares = array("q", bytes(8 * (len(closed) // _WIDTH)))
    shares = array("q", sorted(shares[: shares_of(closed, shares)]))
    if not shares:
        return {"step": None, "bins": []}
    # The middle 96 % choose the step, so that one freak result does not make a single bar of all.
    aside = len(shares) // 50
    low, high = shares[aside], shares[-1 - aside]
    fitting = (s for s in STEPS_PPM if high // s - low // s < BINS_MAX)
    step = next(fitting, STEPS_PPM[-1])
    first = low // step
    last = min(high // step, first + BINS_MAX)
    edges = [0, *(bisect_left(shares, at * step) for at in range(first + 1, last + 1)), len(shares)]
    return {
        "step": opinion(step / PPM),
        "bins": [
            {
                "from": opinion(place * step / PPM),
                "to": opinion((place + 1) * step / PPM),
                "round_trips": edges[place - first + 1] - edges[place - first],
            }
            for place in range(first, last + 1)
        ],
    }


def daily(curve: Curve) -> Iterator[list[str]]:
    """[day, equity] at the last decision bar of each UTC day."""
    shown = amounts_of(curve.unit)
    for row in curve.day_rows():
        day = (_EPOCH + timedelta(milliseconds=curve.closes_ms[row] - 1)).date()
        yield [day.isoformat(), shown(curve.units[row])]
