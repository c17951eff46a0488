"""Candles of any interval out of base bars.

Here: the grids of intervals (UTC; weeks from Monday; calendar months), aggregation, the open candle
that moves with the clock, and rolling one-day statistics. Not here: how a dialect prints them.
A candle exists only where something traded: no row for an empty interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from trader.exchange.bars import Bar
from trader.exchange.instruments import Instrument
from trader.exchange.market import Market, Spot
from trader.exchange.money import LOOSE, ZERO
from trader.records import dataclass

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
INTERVALS_MS = {
    "1s": 1_000, "1m": _MINUTE, "3m": 3 * _MINUTE, "5m": 5 * _MINUTE, "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE, "1h": _HOUR, "2h": 2 * _HOUR, "4h": 4 * _HOUR, "6h": 6 * _HOUR,
    "8h": 8 * _HOUR, "12h": 12 * _HOUR, "1d": _DAY, "3d": 3 * _DAY, "1w": 7 * _DAY,
    "1M": 31 * _DAY,
}  # fmt: skip
_FIRST_MONDAY_MS = 4 * _DAY
_Day = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle: [open_ms, close_ms), exact prices, volume in base and `turnover` in quote."""

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal


def bucket_open_ms(at_ms: int, interval: str) -> int:
    """Open time of the candle that contains `at_ms`."""
    if interval == "1M":
        day = datetime.fromtimestamp(at_ms // 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    shift = _FIRST_MONDAY_MS if interval == "1w" else 0
    step = INTERVALS_MS[interval]
    return (at_ms - shift) // step * step + shift


def bucket_close_ms(open_ms: int, interval: str) -> int:
    """First millisecond after the candle that opens at `open_ms`."""
    if interval != "1M":
        return open_ms + INTERVALS_MS[interval]
    return bucket_open_ms(open_ms + 32 * _DAY, interval)


class Candles:
    """Candles of one market, with closed ones kept once made."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._buckets: dict[str, list[tuple[int, int, int]]] = {}
        self._made: dict[tuple[str, int], Candle] = {}
        self._day: tuple[int, _Day] | None = None

    def offers(self, interval: str) -> bool:
        """Whether the interval is known and not finer than the bars."""
        known = INTERVALS_MS.get(interval)
        return known is not None and known >= self._market.series.step_ms

    def window(
        self, rules: Instrument, interval: str, now_ms: int, first_ms: int | None,
        last_ms: int | None, count_max: int,
    ) -> list[Candle]:  # fmt: skip
        """Candles whose open time lies in [first_ms, last_ms], up to now, the open one included:
        the first `count_max` when `first_ms` is given, else the last ones."""
        spot = self._market.spot(now_ms)
        if spot is None:
            return []
        buckets = self._bucket_list(interval)
        end = _rows_until(buckets, spot.index, last_ms)
        begin = 0 if first_ms is None else _first_from(buckets, first_ms)
        if first_ms is None:
            begin = max(0, end - count_max)
        end = min(end, begin + count_max)
        return [self._candle(rules, interval, buckets[i], spot) for i in range(begin, end)]

    def day(self, rules: Instrument, spot: Spot) -> _Day:
        """Open, high, low, volume and turnover of the day before `spot`'s bar, that bar included
        as far as it has come."""
        market = self._market
        if self._day is None or self._day[0] != spot.index:
            begin_ms = market.series.opens_ms[spot.index] - _DAY
            begin = market.series.index_at(begin_ms) + 1
            bars = [market.series.bar(i) for i in range(begin, spot.index)]
            first = bars[0].open if bars else market.series.bar(spot.index).open
            kept = (
                first,
                max((bar.high for bar in bars), default=first),
                min((bar.low for bar in bars), default=first),
                sum((bar.volume for bar in bars), ZERO),
                sum((_turnover(bar) for bar in bars), ZERO),
            )
            self._day = (spot.index, kept)
        first, high, low, volume, turnover = self._day[1]
        live = market.partial_bar(rules, spot)
        return (
            first, max(high, live.high), min(low, live.low), volume + live.volume,
            turnover + _turnover(live),
        )  # fmt: skip

    def _bucket_list(self, interval: str) -> list[tuple[int, int, int]]:
        """(open_ms, first row, row after the last) of every candle; made once per interval."""
        found = self._buckets.get(interval)
        if found is None:
            found = self._buckets[interval] = _group(self._market.series.opens_ms, interval)
        return found

    def _candle(
        self, rules: Instrument, interval: str, bucket: tuple[int, int, int], spot: Spot
    ) -> Candle:
        open_ms, begin, end = bucket
        found = self._made.get((interval, open_ms))
        over = end - 1 < spot.index or (end - 1 == spot.index and spot.in_gap)
        if found is not None and over:  # not over: the clock was set back into the candle
            return found
        last = min(end - 1, spot.index)
        bars = [self._market.series.bar(i) for i in range(begin, last)]
        whole = last < spot.index or spot.in_gap
        live = Spot(last, spot.step)
        bars.append(
            self._market.series.bar(last) if whole else self._market.partial_bar(rules, live)
        )
        made = Candle(
            open_ms, bucket_close_ms(open_ms, interval), bars[0].open,
            max(bar.high for bar in bars), min(bar.low for bar in bars), bars[-1].close,
            sum((bar.volume for bar in bars), ZERO), sum(map(_turnover, bars), ZERO),
        )  # fmt: skip
        if over:
            self._made[interval, open_ms] = made
        return made


def _group(opens_ms: Sequence[int], interval: str) -> list[tuple[int, int, int]]:
    found: list[tuple[int, int, int]] = []
    begin, open_ms = 0, bucket_open_ms(opens_ms[0], interval)
    until = bucket_close_ms(open_ms, interval)
    for index, at_ms in enumerate(opens_ms):
        if at_ms >= until:
            found.append((open_ms, begin, index))
            begin, open_ms = index, bucket_open_ms(at_ms, interval)
            until = bucket_close_ms(open_ms, interval)
    found.append((open_ms, begin, len(opens_ms)))
    return found


def _turnover(bar: Bar) -> Decimal:
    return LOOSE.multiply(bar.volume, (bar.open + bar.close) / 2)


def _first_from(buckets: list[tuple[int, int, int]], first_ms: int) -> int:
    low, high = 0, len(buckets)
    while low < high:
        middle = (low + high) // 2
        if buckets[middle][0] < first_ms:
            low = middle + 1
        else:
            high = middle
    return low


def _rows_until(buckets: list[tuple[int, int, int]], index: int, last_ms: int | None) -> int:
    """How many buckets begin at or before bar `index` and, if given, open by `last_ms`."""
    low, high = 0, len(buckets)
    while low < high:
        middle = (low + high) // 2
        if buckets[middle][1] <= index:
            low = middle + 1
        else:
            high = middle
    return low if last_ms is None else min(low, _first_from(buckets, last_ms + 1))
