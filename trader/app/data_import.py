"""Bar files, and files of trades, into the kept bars.

Lives here: one import of any number of files: all are read and held against each other and against
what is kept before anything is written. Must not live here: parsing (`bars`), the store's files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from trader.app.bar_store import open_bars
from trader.bars.joining import join
from trader.bars.names import STEPS_MS, step_name, symbols_in, timeframes_in
from trader.bars.store import BarStore, series_sha
from trader.bars.trades import bars_of_trades
from trader.core.series import Series
from trader.errors import DataError, UsageError
from trader.records import dataclass

# Called with (file, bytes read, bytes in all).
ImportProgress = Callable[[Path, int, int], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How files are read; None where the file says it.

    Attributes:
        timeframe: length of a bar; with `trades` the bars to make. tick: prices are multiples.
        trades: the files hold single trades. replace: a bar that differs takes the kept one's
            place. columns: names of the columns in order, for files that do not tell them.
    """

    timeframe: str | None = None
    tick: Decimal | None = None
    trades: bool = False
    replace: bool = False
    columns: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file.

    Attributes:
        rows: bars of the file. added, equal, replaced: of these. trades: 0 for a file of bars.
        first_ms, last_ms: open times of its bars. notes: what was found while reading.
    """

    path: Path
    symbol: str
    timeframe: str
    rows: int
    added: int
    equal: int
    replaced: int
    trades: int
    first_ms: int
    last_ms: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    series: Series
    sha: str
    trades: int
    notes: tuple[str, ...]


def import_files(
    files: Sequence[tuple[Path, str | None]],
    store: BarStore,
    options: ImportOptions,
    progress: ImportProgress | None = None,
) -> list[Imported]:
    """Keep the bars of files, each with the symbol that it holds where its name does not say it.

    Each instrument and timeframe is written once, with all of its files or with none. Raises
    DataError (a file that cannot be read, two bars for one time), UsageError, LockHeld, OSError.
    """
    read = [_read(path, symbol, options, progress) for path, symbol in files]
    groups: dict[tuple[str, int], list[_Read]] = {}
    for one in read:
        groups.setdefault((one.series.symbol, one.series.step_ms), []).append(one)
    for group in groups.values():
        _agree(group)
    done: dict[Path, Imported] = {}
    for (symbol, step_ms), group in groups.items():
        timeframe = step_name(step_ms)
        with store.writing(symbol, timeframe) as writer:
            for one in group:
                source = {"what": str(one.path.name), "sha": one.sha, "rows": len(one.series)}
                joined = writer.add(one.series, source, replace=options.replace)
                done[one.path] = Imported(
                    one.path, symbol, timeframe, len(one.series), joined.added, joined.equal,
                    joined.replaced, one.trades, one.series.open_ms[0], one.series.open_ms[-1],
                    one.notes,
                )  # fmt: skip
    return [done[one.path] for one in read]


def _agree(group: Sequence[_Read]) -> None:
    """Raises DataError when two of the files have different bars for one time: even a kept bar
    may be replaced, but which of the two is right was not said."""
    together = group[0].series
    for one in group[1:]:
        together = join(together, one.series, replace=False, where=str(one.path)).series


def _read(
    path: Path, symbol: str | None, options: ImportOptions, progress: ImportProgress | None
) -> _Read:
    if options.trades:
        return _read_trades(path, symbol, options)

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(path, done, total)

    file = open_bars(
        path,
        symbol,
        options.tick,
        options.timeframe,
        progress=told,
        columns=options.columns,
    )
    report = file.report
    notes = list(file.notes)
    if report.snapped:
        notes.append(f"{report.snapped} prices were a float's shadow and were set on the tick")
    if report.ignored:
        notes.append(f"columns left out: {', '.join(report.ignored)}")
    if not report.ended:
        notes.append("the last line has no line break: it may have been cut inside its last number")
    sha = file.content_sha or series_sha(file.series)
    return _Read(path, file.series, sha, 0, tuple(notes))


def _read_trades(path: Path, symbol: str | None, options: ImportOptions) -> _Read:
    named = [options.timeframe] if options.timeframe else timeframes_in(path.name)
    step_ms = STEPS_MS.get(named[0], 0) if len(named) == 1 else 0
    if not step_ms:
        known = ", ".join(sorted(STEPS_MS, key=STEPS_MS.__getitem__))
        raise UsageError(
            f"{path}: which bars its trades should become was not said",
            f"name them with --timeframe; known are {known}",
        )
    symbols = [symbol] if symbol else symbols_in(path.name)
    if len(symbols) != 1:
        raise DataError(
            f"the name of file {path} does not say which instrument it is",
            "write FILE=BASE/QUOTE",
        )
    found = bars_of_trades(path, symbols[0], step_ms, options.tick)
    notes = (f"{found.repeated} trades were there twice",) if found.repeated else ()
    return _Read(path, found.series, series_sha(found.series), found.trades, notes)
