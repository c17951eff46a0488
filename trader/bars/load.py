"""A bar file -> a series of the core, or one sentence that says why not.

Lives here: `load_bars`. Absent bars stay absent ("no trade") and are counted; what is doubled, out
of order, impossible or readable in two ways is refused with its line. Must not live here: repairs.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, repeat
from math import isfinite
from operator import eq, lt
from pathlib import Path

from trader.bars.dialect import BarText, Header, read_header
from trader.bars.explain import Reading, refuse_rows, refuse_scale
from trader.bars.grid import GridError, count_distances, gaps_of, step_of
from trader.bars.names import symbols_in, timeframes_in
from trader.bars.stamps import STAMP_MS_MAX, StampColumn
from trader.bars.ticks import DecimalTicks, FinerPriceError, FixedTicks, clean
from trader.core.money import AMOUNT_MAX
from trader.core.series import Series
from trader.errors import DataError

# Raised whenever the same bytes may be read as other bars: what was kept of a file is then void.
READER_VERSION = 1


@dataclass(frozen=True, slots=True)
class BarFileReport:
    """What was found while reading; none of it stops a run.

    Attributes:
        rows, first_ms, last_ms: bars, open time of the first and the last.
        gaps, missing: places where bars are absent, and how many bars are absent there.
        zero_volume: bars without volume.
        snapped: price cells that were a float's shadow of a shorter decimal (or of the tick).
        ignored: columns that are not known to be harmless.
        encoding, gzipped, delimiter, time_unit: how the file was read (unit "iso": dates).
        ended: False when the last line has no line break: it may have been cut inside a number.
    """

    rows: int
    first_ms: int
    last_ms: int
    gaps: int
    missing: int
    zero_volume: int
    snapped: int
    ignored: tuple[str, ...]
    encoding: str
    gzipped: bool
    delimiter: str
    time_unit: str
    ended: bool


@dataclass(frozen=True, slots=True)
class BarFile:
    """A file's bars and the report about it."""

    path: Path
    series: Series
    report: BarFileReport

    @property
    def symbol(self) -> str:
        """`BASE/QUOTE`, as told by the caller or the file's name."""
        return self.series.symbol

    @property
    def tick(self) -> Decimal:
        """What one tick is worth: as given, else 10**-(most decimals seen)."""
        return self.series.tick

    @property
    def step_ms(self) -> int:
        """Length of a bar."""
        return self.series.step_ms


def load_bars(
    path: Path | str,
    symbol: str | None = None,
    tick: Decimal | None = None,
    timeframe: str | None = None,
) -> BarFile:
    """Read a CSV or CSV.gz bar file, oldest bar first, with a header line in any order and case.

    Args:
        symbol: `BASE/QUOTE`; needed when the file's name does not say it unambiguously.
        tick: prices must be multiples of it (float shadows within 1e-9 are snapped); inferred
            from the decimals seen when not given.
        timeframe: length of a bar (`1h`); inferred from the distances when not given.

    Raises DataError naming what, where (file:line) and what to do.
    """
    path = Path(path)
    text = BarText(path)
    with closing(text.blocks()) as blocks:
        first = next(blocks, None)
        if first is None:
            raise DataError(f"bar file {path} is empty", "fetch or copy it again")
        header = read_header(path, first)
        symbol = symbol or _symbol_of(path)
        reader = _Reader(path, header, tick)
        reader.take(first[1:], cut=not text.ended)
        for lines in blocks:
            reader.take(lines, cut=not text.ended)
    if not reader.open_ms:
        raise DataError(f"bar file {path} has a header but no bars", "fetch or copy it again")
    return _finish(text, reader, symbol, timeframe)


def _finish(text: BarText, reader: _Reader, symbol: str, timeframe: str | None) -> BarFile:
    if len(reader.named) > 1:
        named = ", ".join(sorted(reader.named)[:3])
        raise DataError(
            f"bar file {text.path} holds several instruments: {named}",
            "keep one instrument per file",
        )
    distances = count_distances(reader.open_ms)
    try:
        step_ms = step_of(reader.open_ms, distances, timeframe, timeframes_in(text.path.name))
    except GridError as error:
        line = "" if error.index is None else f":{reader.line_of(error.index)}"
        raise DataError(f"{text.path}{line}: {error.what}", error.hint) from None
    gaps, missing = gaps_of(distances, step_ms)
    report = BarFileReport(
        rows=len(reader.open_ms),
        first_ms=reader.open_ms[0],
        last_ms=reader.open_ms[-1],
        gaps=gaps,
        missing=missing,
        zero_volume=reader.volume.count(0.0),
        snapped=reader.ticks.snapped,
        ignored=reader.header.ignored,
        encoding=text.encoding,
        gzipped=text.gzipped,
        delimiter=reader.header.delimiter,
        time_unit=reader.stamps.unit,
        ended=text.ended,
    )
    opened, high, low, close = reader.prices
    series = Series(
        symbol,
        step_ms,
        reader.ticks.tick,
        reader.open_ms,
        opened,
        high,
        low,
        close,
        reader.volume,
    )
    return BarFile(text.path, series, report)


def _symbol_of(path: Path) -> str:
    found = symbols_in(path.name)
    if len(found) == 1:
        return found[0]
    why = f"could mean {' or '.join(found)}" if found else "does not say which instrument it is"
    raise DataError(f"the name of bar file {path} {why}", "name the symbol, for example BTC/USDT")


class _ScaleError(Exception):
    """Prices so fine and so high that no scale holds both in int64."""

    def __init__(self, digits: int, highest: str) -> None:
        super().__init__(digits, highest)
        self.digits = digits
        self.highest = highest


class _Reader:
    """Takes lines block by block into columns; a block with a fault is explained line by line."""

    def __init__(self, path: Path, header: Header, tick: Decimal | None) -> None:
        self.path = path
        self.header = header
        self.stamps = StampColumn(header.time_name)
        self.ticks = DecimalTicks() if tick is None else FixedTicks(tick, snap=True)
        self.open_ms: array[int] = array("q")
        self.prices: tuple[array[int], ...] = tuple(array("q") for _ in range(4))
        self.volume: array[float] = array("d")
        self.named: set[str] = set()
        self._lines = 1
        self._blank: list[int] = []
        self._before = ""

    def line_of(self, index: int) -> int:
        """Line number of a bar, counting the header as 1."""
        line = index + 2
        while (shifted := index + 2 + bisect_right(self._blank, line)) != line:
            line = shifted
        return line

    def take(self, lines: list[str], *, cut: bool) -> None:
        """Append the bars of some lines; DataError names the first line at fault.

        `cut`: these lines are the file's last and do not end with a line break.
        """
        if not lines:
            return
        full = lines
        if "" in lines:
            self._blank += [self._lines + n for n, line in enumerate(lines, 1) if not line]
            full = [line for line in lines if line]
        try:
            if full:
                self._take(full)
        except (_ScaleError, ValueError) as error:
            numbered = [(self._lines + n, line) for n, line in enumerate(lines, 1) if line]
            reading = Reading(self.path, self.header, self.stamps, self.ticks)
            if isinstance(error, _ScaleError):
                refuse_scale(reading, numbered, error.digits, error.highest)
            refuse_rows(reading, numbered, before=self._before, cut=cut)
            raise AssertionError(f"{self.path}: a fault that no line explains: {error}") from error
        self._lines += len(lines)
        self._before = full[-1] if full else self._before

    def _take(self, lines: list[str]) -> None:
        delimiter, width = self.header.delimiter, self.header.width
        if set(map(str.count, lines, repeat(delimiter))) != {width - 1}:
            raise ValueError("columns")
        # One flat list: a list per line would cost as much as all the rest.
        cells = delimiter.join(lines).split(delimiter)
        columns = [cells[index::width] for index in range(width)]
        opens = self.stamps.read(columns[self.header.time])
        last = self.open_ms[-1] if self.open_ms else -1
        if opens[0] <= last or opens[-1] >= STAMP_MS_MAX:
            raise ValueError("time")
        if not all(map(lt, opens, islice(opens, 1, None))):
            raise ValueError("order")
        volume = _volumes(columns[self.header.values[4]])
        prices = self._ticks([columns[index] for index in self.header.values[:4]])
        opened, high, low, close = prices
        if not all(map(eq, map(max, opened, high, low, close), high)):
            raise ValueError("high")
        if not all(map(eq, map(min, opened, high, low, close), low)):
            raise ValueError("low")
        if self.header.symbol is not None:
            self.named.update(columns[self.header.symbol])
        self.open_ms.extend(opens)
        self.volume.extend(volume)
        for column, ticks in zip(self.prices, prices, strict=True):
            column.extend(ticks)

    def _ticks(self, columns: list[list[str]]) -> list[list[int]]:
        snapped = self.ticks.snapped
        while True:
            try:
                return [list(map(self.ticks.__getitem__, cells)) for cells in columns]
            except FinerPriceError as finer:
                self._grow(finer.digits)
                self.ticks.snapped = snapped

    def _grow(self, digits: int) -> None:
        assert isinstance(self.ticks, DecimalTicks)
        times = 10 ** (digits - self.ticks.digits)
        if max(self.prices[1], default=0) * times >= AMOUNT_MAX:
            raise _ScaleError(digits, f"{max(self.prices[1]) * self.ticks.tick:f}")
        self.ticks.grow(digits)
        self.prices = tuple(array("q", [v * times for v in column]) for column in self.prices)


def _volumes(cells: Sequence[str]) -> list[float]:
    if "_" in "".join(cells):
        raise ValueError("volume")
    try:
        values = list(map(float, cells))
    except ValueError:
        values = [float(clean(cell)) for cell in cells]
    if min(values) < 0 or not all(map(isfinite, values)):
        raise ValueError("volume")
    return values
