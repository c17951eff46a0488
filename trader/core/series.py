"""Series: closed bars of one instrument and timeframe as columns, oldest first.

Lives here: the container that bar files, journal and venue readings become before anything is
decided. Prices are int64 ticks, volume is float64 (an opinion's input). Must not live here:
parsing, and any judgement of quality.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import TypeAlias

from trader.records import dataclass

# Columns are an array, or a view of memory mapped from a file (format "q" or "d", read-only):
# both are indexed and sliced alike, a slice of a view is a view, and neither is written to.
Ints: TypeAlias = "array[int] | memoryview[int]"
Floats: TypeAlias = "array[float] | memoryview[float]"
BarRow = tuple[int, int, int, int, int, float]


@dataclass(slots=True)
class Series:
    """Columns of equal length n, strictly increasing in `open_ms`.

    Attributes:
        open_ms: int64[n], open time. open, high, low, close: int64[n], ticks.
        volume: float64[n], base coins.
        tick: what one tick is worth.
        step_ms: length of a bar. Absent bars have no row: nothing is invented.
    """

    symbol: str
    step_ms: int
    tick: Decimal
    open_ms: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Floats

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.open_ms)

    def row(self, index: int) -> BarRow:
        """(open_ms, open, high, low, close, volume) of one bar."""
        return (
            self.open_ms[index],
            self.open[index],
            self.high[index],
            self.low[index],
            self.close[index],
            self.volume[index],
        )

    def rows(self) -> Iterator[BarRow]:
        """Every bar, oldest first."""
        return (self.row(index) for index in range(len(self)))

    def index_of(self, open_ms: int) -> int:
        """Index of the first bar that opens at or after a time; n when there is none."""
        low, high = 0, len(self.open_ms)
        while low < high:
            middle = (low + high) // 2
            if self.open_ms[middle] < open_ms:
                low = middle + 1
            else:
                high = middle
        return low

    def slice(self, start: int, stop: int) -> Series:
        """Bars [start, stop): a copy of arrays, a view of views."""
        return Series(
            self.symbol,
            self.step_ms,
            self.tick,
            self.open_ms[start:stop],
            self.open[start:stop],
            self.high[start:stop],
            self.low[start:stop],
            self.close[start:stop],
            self.volume[start:stop],
        )


def build_series(symbol: str, step_ms: int, tick: Decimal, rows: Iterable[BarRow]) -> Series:
    """Columns from rows; ValueError when `open_ms` does not strictly increase."""
    ints = [array("q") for _ in range(5)]
    volume = array("d")
    last = None
    for row in rows:
        if last is not None and row[0] <= last:
            raise ValueError(f"{symbol}: bar {row[0]} does not come after {last}")
        last = row[0]
        for column, value in zip(ints, row[:5], strict=True):
            column.append(value)
        volume.append(row[5])
    opens, first, high, low, close = ints
    return Series(symbol, step_ms, tick, opens, first, high, low, close, volume)
