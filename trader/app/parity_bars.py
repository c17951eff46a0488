"""The bars of a journal twice: as it knew them at an entry, and as it knows them in the end.

Lives here: series grown from `bars` entries, and where two readings of one window differ. Must not
live here: what a difference means (`parity_causes`), and the journal's own tables.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from trader.core.scale import ScaleError, to_decimal, to_units
from trader.core.series import BarRow, Series, build_series
from trader.core.snapshot import SeriesKey
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.journal.codec import Payload


@dataclass(frozen=True, slots=True)
class Told:
    """One version of a bar: open_ms, four prices in ticks of `tick`, volume as text; `seq` of the
    entry that told it."""

    row: tuple[int, int, int, int, int, str]
    tick: str
    seq: int


class Bars:
    """Every series of a journal; the newest telling of a bar counts.

    `series` is what a back-test reads: prices in the instrument's tick, once that is known. It is
    changed in place: slices that were taken before stay as they were.
    """

    def __init__(self) -> None:
        """Nothing known yet."""
        self.series: dict[SeriesKey, Series] = {}
        self._told: dict[SeriesKey, dict[int, Told]] = {}
        self._ticks: dict[str, Decimal] = {}

    def grid(self, symbol: str, tick: Decimal) -> bool:
        """Count an instrument's prices in this tick; whether that changed a series."""
        before = self._ticks.get(symbol)
        self._ticks[symbol] = tick
        keys = [key for key in self._told if key[0] == symbol]
        if before == tick or not keys:
            return False
        for key in keys:
            self._build(key)
        return True

    def take(self, payload: Payload, seq: int) -> None:
        """One `bars` entry."""
        key = (str(payload["symbol"]), str(payload["timeframe"]))
        known = self._told.setdefault(key, {})
        tick, told_tick = self._ticks.get(key[0]), str(payload["tick"])
        if key not in self.series and tick is not None:
            self._build(key)
        for values in payload["rows"]:
            open_ms, first, high, low, close = map(int, values[:5])
            row_told = (open_ms, first, high, low, close, str(values[5]))
            told = Told(row_told, told_tick, seq)
            known[told.row[0]] = told
            row = None if tick is None else _in_tick(told, tick)
            if row is not None:
                _put(self.series[key], row)

    def told(self, key: SeriesKey, open_ms: int) -> Told | None:
        """The newest version of a bar; None when it was never told."""
        return self._told.get(key, {}).get(open_ms)

    def has(self, symbol: str, timeframe: str, open_ms: int) -> bool:
        """Whether a bar is known."""
        return open_ms in self._told.get((symbol, timeframe), {})

    def _build(self, key: SeriesKey) -> None:
        tick = self._ticks[key[0]]
        known = self._told[key]
        rows = (_in_tick(known[at], tick) for at in sorted(known))
        step_ms = TIMEFRAMES_MS[key[1]]
        self.series[key] = build_series(key[0], step_ms, tick, (r for r in rows if r is not None))


def _in_tick(told: Told, tick: Decimal) -> BarRow | None:
    """The row in another tick; None when its prices are not whole there: a decision under that
    tick could not have read it either."""
    open_ms, *prices, volume = told.row
    own = Decimal(told.tick)
    if own != tick:
        try:
            prices = [to_units(to_decimal(price, own), tick, "price") for price in prices]
        except ScaleError:
            return None
    first, high, low, close = prices
    return open_ms, first, high, low, close, float(volume)


def _put(series: Series, row: BarRow) -> None:
    """Append, replace or insert one row."""
    at = len(series)
    if at and row[0] <= series.open_ms[-1]:
        at = bisect_left(series.open_ms, row[0])
    there = at < len(series) and series.open_ms[at] == row[0]
    columns = (series.open_ms, series.open, series.high, series.low, series.close)
    for column, value in zip(columns, row[:5], strict=True):
        assert isinstance(column, array)  # series that `build_series` made
        if there:
            column[at] = value
        else:
            column.insert(at, value)
    assert isinstance(series.volume, array)
    if there:
        series.volume[at] = row[5]
    else:
        series.volume.insert(at, row[5])


@dataclass(frozen=True, slots=True)
class BarChange:
    """A bar that two readings of a window tell differently: `late` where the first lacks it."""

    key: SeriesKey
    open_ms: int
    late: bool


def changes_between(
    then: Mapping[SeriesKey, Series], now: Mapping[SeriesKey, Series]
) -> list[BarChange]:
    """Bars of the windows `now` that were absent `then`, or other bars, by series and time."""
    found: list[BarChange] = []
    for key, series in sorted(now.items()):
        before = then.get(key)
        rows = {} if before is None else {row[0]: row for row in before.rows()}
        for row in series.rows():
            old = rows.get(row[0])
            if old != row:
                found.append(BarChange(key, row[0], old is None))
    return found
