"""The bars of a journal twice: as it knew them at an entry, and as it knows them in the end.

Lives here: series grown from `bars` entries, and where two readings of one window differ. Must not
live here: what a difference means (`parity_causes`), and the journal's own tables.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from decimal import Decimal

from trader.core.scale import ScaleError, to_decimal, to_units
from trader.core.series import BarRow, Series, build_series
from trader.core.snapshot import SeriesKey
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.journal.codec import Payload
from trader.records import dataclass, field


@dataclass(frozen=True, slots=True)
class _Told:
    """The newest version of a bar, in ticks of `tick`; `seq` of the entry that told it."""

    row: BarRow
    tick: Decimal
    seq: int


@dataclass(slots=True)
class _Held:
    """One series; `seqs`: by row, the entry that told it. `odd`: by open time, bars whose prices
    are not whole in the series' tick (a decision under that tick could not read them either)."""

    series: Series
    seqs: array[int] = field(default_factory=lambda: array("q"))
    odd: dict[int, _Told] = field(default_factory=dict[int, _Told])

    def index(self, open_ms: int) -> int:
        """The row of a bar, -1 when there is none."""
        at = bisect_left(self.series.open_ms, open_ms)
        return at if at < len(self.series) and self.series.open_ms[at] == open_ms else -1

    def put(self, told: _Told) -> None:
        """Append, replace or insert one bar."""
        row = _in_tick(told, self.series.tick)
        open_ms, at = told.row[0], len(self.series)
        if at and open_ms <= self.series.open_ms[-1]:
            at = bisect_left(self.series.open_ms, open_ms)
        if at < len(self.series) and self.series.open_ms[at] == open_ms:
            for column in self._columns():
                del column[at]
        self.odd.pop(open_ms, None)
        if row is None:
            self.odd[open_ms] = told
            return
        for column, value in zip(self._columns(), (*row[:5], told.seq), strict=False):
            column.insert(at, value)
        assert isinstance(self.series.volume, array)
        self.series.volume.insert(at, row[5])

    def _columns(self) -> Iterable[array[int] | array[float]]:
        """Whole numbers first, the volume last: all arrays, which `build_series` made."""
        series = self.series
        whole = (series.open_ms, series.open, series.high, series.low, series.close, self.seqs)
        for column in (*whole, series.volume):
            assert isinstance(column, array)
            yield column

    def regridded(self, tick: Decimal) -> _Held:
        """The same bars in another tick."""
        own = self.series.tick
        told = [
            _Told(row, own, seq) for row, seq in zip(self.series.rows(), self.seqs, strict=True)
        ]
        fresh = _empty(self.series.symbol, self.series.step_ms, tick)
        for one in sorted((*told, *self.odd.values()), key=lambda one: one.row[0]):
            fresh.put(one)
        return fresh


class Bars:
    """Every series of a journal; the newest telling of a bar counts.

    `series` is what a back-test reads, prices in the instrument's tick. It is changed in place:
    slices that were taken before stay as they were.
    """

    def __init__(self) -> None:
        """Nothing known yet."""
        self.series: dict[SeriesKey, Series] = {}
        self._held: dict[SeriesKey, _Held] = {}
        self._ticks: dict[str, Decimal] = {}

    def grid(self, symbol: str, tick: Decimal) -> bool:
        """Count an instrument's prices in this tick; whether that changed a series."""
        self._ticks[symbol] = tick
        other = [
            key for key, held in self._held.items() if key[0] == symbol and held.series.tick != tick
        ]
        for key in other:
            self._keep(key, self._held[key].regridded(tick))
        return bool(other)

    def take(self, payload: Payload, seq: int) -> None:
        """One `bars` entry."""
        key = (str(payload["symbol"]), str(payload["timeframe"]))
        tick = Decimal(str(payload["tick"]))
        if key not in self._held:
            step_ms = TIMEFRAMES_MS[key[1]]
            self._keep(key, _empty(key[0], step_ms, self._ticks.get(key[0], tick)))
        held = self._held[key]
        for values in payload["rows"]:
            open_ms, first, high, low, close = map(int, values[:5])
            row = (open_ms, first, high, low, close, float(values[5]))
            held.put(_Told(row, tick, seq))

    def told_by(self, key: SeriesKey, open_ms: int) -> int:
        """The entry that told a bar last; 0 when it was never told."""
        held = self._held.get(key)
        if held is None:
            return 0
        at = held.index(open_ms)
        return held.seqs[at] if at >= 0 else held.odd[open_ms].seq if open_ms in held.odd else 0

    def volume(self, key: SeriesKey, open_ms: int) -> float:
        """What a bar traded, base coins; 0.0 also where there is none."""
        held = self._held.get(key)
        at = -1 if held is None else held.index(open_ms)
        return 0.0 if held is None or at < 0 else held.series.volume[at]

    def _keep(self, key: SeriesKey, held: _Held) -> None:
        self._held[key] = held
        self.series[key] = held.series


def _empty(symbol: str, step_ms: int, tick: Decimal) -> _Held:
    return _Held(build_series(symbol, step_ms, tick, ()))


def _in_tick(told: _Told, tick: Decimal) -> BarRow | None:
    """The row in another tick; None when its prices are not whole there."""
    if told.tick == tick:
        return told.row
    open_ms, *prices, volume = told.row
    try:
        first, high, low, close = (
            to_units(to_decimal(int(price), told.tick), tick, "price") for price in prices
        )
    except ScaleError:
        return None
    return open_ms, first, high, low, close, volume


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
