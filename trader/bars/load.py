"""Bar files -> a series of the core, or one sentence that says why not.

Lives here: `load_bars`, for whatever bars can be read from. Absent bars stay absent ("no trade")
and are counted; what is out of order, impossible or readable in two ways is refused with its line.
Must not live here: repairs, and what single formats look like.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from itertools import chain
from pathlib import Path

from trader.bars.bar_file import BarFile, BarFileReport
from trader.bars.dialect import header_for, past_header
from trader.bars.grid import GridError, count_distances, gaps_of, step_of
from trader.bars.names import STEPS_MS, symbols_in, timeframes_in
from trader.bars.rows import RowReader
from trader.bars.source import Part, files_in, parts_of, unchanged
from trader.bars.tables import Columns, Table, join
from trader.bars.ticks import DecimalTicks
from trader.core.row_text import count_zeros
from trader.core.series import Series
from trader.errors import DataError

# Called with (bytes read, bytes in all).
Progress = Callable[[int, int], None]


def load_bars(
    path: Path | str,
    symbol: str | None = None,
    tick: Decimal | None = None,
    timeframe: str | None = None,
    columns: str | None = None,
    progress: Progress | None = None,
) -> BarFile:
    """Read bars from a file, an archive or a folder of them (formats: docs/data.md).

    Args:
        symbol: `BASE/QUOTE`; needed when names do not say it unambiguously.
        tick: prices must be multiples of it (float shadows within 1e-9 are snapped); inferred
            from the decimals seen when not given.
        timeframe: length of a bar (`1h`); inferred from the distances when not given.
        columns: the names of the columns in the file's order (`time,open,close,high,low,volume`),
            whatever a header says; needed where rows could be read in two ways.
        progress: called with (bytes read, bytes in all), some times for each megabyte.

    Raises DataError naming what, where (file:line) and what to do; UsageError for `columns` that
    do not fit the file.
    """
    path = Path(path)
    if timeframe is not None and timeframe not in STEPS_MS:
        known = ", ".join(sorted(STEPS_MS, key=STEPS_MS.__getitem__))
        raise DataError(f"{path}: timeframe {timeframe!r} is not known", f"known are {known}")
    loading = _Loading(path, symbol, tick, timeframe, columns)
    files = loading.choose(*files_in(path)) if path.is_dir() else [path]
    if progress is not None:
        sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
        loading.tell = lambda at: progress(sum(sizes[: loading.files]) + at, sum(sizes))
    for file in files:
        with unchanged(file):
            loading.add(file)
        loading.files += 1
    return loading.finish()


class _Loading:
    """One call of `load_bars`: the tables so far, and what was found while reading them."""

    def __init__(
        self,
        path: Path,
        symbol: str | None,
        tick: Decimal | None,
        timeframe: str | None,
        columns: str | None,
    ) -> None:
        self.path = path
        self.symbol = symbol
        self.tick = tick
        self.timeframe = timeframe
        self.columns = columns
        self.tables: list[Table] = []
        self.readers: list[RowReader] = []
        self.symbols: dict[str, None] = {}
        self.timeframes: dict[str, None] = {}
        self.left_out: list[str] = []
        self.files = 0
        self.tell: Callable[[int], None] | None = None

    def choose(self, files: list[Path], others: list[str]) -> list[Path]:
        """The files of a folder that are of the instrument and timeframe asked for."""
        self.left_out += others
        chosen: list[Path] = []
        symbols: dict[str, None] = {}
        timeframes: dict[str, None] = {}
        for file in files:
            said = self._said(file)
            if self._is_other(said):
                self.left_out.append(str(file.relative_to(self.path)))
                continue
            chosen.append(file)
            symbols.update(dict.fromkeys(said[0]))
            timeframes.update(dict.fromkeys(said[1]))
        if not chosen:
            raise DataError(f"folder {self.path} holds no bar files", "name one that does")
        if self.symbol is None and len(symbols) > 1:
            raise self._several("instruments", list(symbols), "name the symbol")
        if self.timeframe is None and len(timeframes) > 1:
            raise self._several("timeframes", list(timeframes), "name the timeframe")
        return chosen

    def _several(self, what: str, found: list[str], hint: str) -> DataError:
        shown = ", ".join(sorted(found)[:4])
        return DataError(f"{self.path} holds several {what}: {shown}", f"{hint}, or a file")

    def _is_other(self, said: tuple[list[str], list[str]]) -> bool:
        """Whether a name says another instrument or timeframe than the one asked for."""
        symbols, timeframes = said
        strange = self.symbol is not None and symbols and self.symbol not in symbols
        other = self.timeframe is not None and timeframes and self.timeframe not in timeframes
        return bool(strange or other)

    def _said(self, file: Path, member: str = "") -> tuple[list[str], list[str]]:
        """(instruments, timeframes) that the innermost name tells which says any."""
        names = [*Path(member).parts[::-1], file.name]
        if self.path != file:
            names += [*file.relative_to(self.path).parts[-2::-1], self.path.name]
        return (
            next((found for name in names if (found := symbols_in(name))), list[str]()),
            next((found for name in names if (found := timeframes_in(name))), list[str]()),
        )

    def add(self, file: Path) -> None:
        """Read every table of one file."""
        with closing(parts_of(file)) as parts:
            for part in parts:
                said = self._said(file, part.member)
                if part.member and self._is_other(said):
                    self.left_out.append(part.member)
                    continue
                self.symbols.update(dict.fromkeys(said[0]))
                self.timeframes.update(dict.fromkeys(said[1]))
                if part.member and self.symbol is None and len(self.symbols) > 1:
                    raise self._several("instruments", list(self.symbols), "name the symbol")
                base = (self.symbol or (said[0][0] if len(said[0]) == 1 else "")).partition("/")[0]
                self._read(part, base)

    def _read(self, part: Part, base: str) -> None:
        blocks = iter(part.blocks)
        first = next(blocks, None)
        if first is None:
            raise DataError(f"bar file {part.where} holds no bars", "fetch or copy it again")
        header = header_for(part, first, base, self.columns)
        reader = RowReader(part, header, self.tick)
        reader.take(past_header(header, first))
        for block in blocks:
            reader.take(block)
            if self.tell is not None:
                self.tell(part.position())
        if not reader.open_ms:
            raise DataError(
                f"bar file {part.where} has a header but no bars", "fetch or copy it again"
            )
        reader.finish()
        if len(reader.named) > 1:
            named = ", ".join(sorted(reader.named)[:3])
            raise DataError(
                f"bar file {part.where} holds several instruments: {named}",
                "keep one instrument per file",
            )
        digits = reader.ticks.digits if isinstance(reader.ticks, DecimalTicks) else 0
        opened, high, low, close = reader.prices
        columns = (reader.open_ms, opened, high, low, close, reader.volume)
        self.readers.append(reader)
        self.tables.append(Table(part.where, columns, digits))

    def finish(self) -> BarFile:
        """The series and the report."""
        if not self.tables:
            raise DataError(
                f"{self.path} holds no bars of {self.symbol or self.timeframe}",
                "name another symbol or timeframe, or the right file",
            )
        symbol = self._symbol()
        only = self.readers[0] if len(self.readers) == 1 else None
        columns, digits, repeated = join(self.tables)
        tick = self.tick if self.tick is not None else Decimal((0, (1,), -digits))
        distances = count_distances(columns[0])
        try:
            step_ms = step_of(columns[0], distances, self.timeframe, list(self.timeframes))
        except GridError as error:
            place = str(self.path)
            if only is not None and error.index is not None:
                place = only.part.place(only.line_of(error.index))
            raise DataError(f"{place}: {error.what}", error.hint) from None
        series = Series(symbol, step_ms, tick, *columns)
        gaps = gaps_of(distances, step_ms)
        return BarFile(self.path, series, self._report(columns, gaps, repeated))

    def _report(self, columns: Columns, gaps: tuple[int, int], repeated: int) -> BarFileReport:
        first = self.readers[0]
        return BarFileReport(
            rows=len(columns[0]),
            first_ms=columns[0][0],
            last_ms=columns[0][-1],
            gaps=gaps[0],
            missing=gaps[1],
            zero_volume=count_zeros(columns[5]),
            snapped=sum(reader.ticks.snapped for reader in self.readers),
            ignored=tuple(dict.fromkeys(chain(*(r.header.ignored for r in self.readers)))),
            format=first.part.form,
            compression=first.part.compression,
            encoding=first.part.encoding,
            delimiter=first.header.delimiter,
            time_unit=first.stamps.unit,
            layout=first.header.layout,
            newest_first=any(reader.newest_first for reader in self.readers),
            ended=all(reader.part.ended for reader in self.readers),
            files=len(self.readers),
            repeated=repeated,
            left_out=tuple(self.left_out),
        )

    def _symbol(self) -> str:
        """As given; else as the name says; else as a column says."""
        cells = {cell for reader in self.readers for cell in reader.named}
        by_column = {symbol for cell in cells for symbol in symbols_in(cell.replace("/", "_"))}
        if self.symbol is not None:
            if len(by_column) == 1 and self.symbol not in by_column:
                (other,) = by_column
                raise DataError(
                    f"{self.path}: a column says that these are bars of {other}, "
                    f"not of {self.symbol}",
                    f"name {other}, or the right file",
                )
            return self.symbol
        found = list(self.symbols) or sorted(by_column)
        if len(found) == 1:
            return found[0]
        why = f"could mean {' or '.join(found)}" if found else "does not say which instrument it is"
        raise DataError(
            f"the name of bar file {self.path} {why}", "name the symbol, for example BTC/USDT"
        )
