"""Bars of a file or folder, through the cache.

Lives here: `open_bars`, which every command that reads bar files calls; the readers are imported
only where something has to be parsed. Must not live here: parsing, the formats on disk, bars that
are kept (`kept_bars`), and what is done with the bars.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from trader.bars.bar_file import BarFile
from trader.bars.cache import BarCache, arguments_of, refuse_growing
from trader.bars.source_hash import hash_source
from trader.errors import DataError
from trader.records import dataclass

# Called with (bytes read, bytes in all).
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class OpenedBars(BarFile):
    """Bars, and how they were come by.

    Attributes:
        content_sha: sha256 of the source's bytes (of a folder: of its files' names and bytes), ""
            where the source can be read but once.
        cached: whether they came from the cache. notes: sentences about the cache, mostly none.
    """

    content_sha: str = ""
    cached: bool = False
    notes: tuple[str, ...] = ()


def open_bars(
    given: Path | str,
    symbol: str | None = None,
    tick: Decimal | None = None,
    timeframe: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    columns: str | None = None,
) -> OpenedBars:
    """What `load_bars` makes of a file or folder; parsed once for the same bytes and arguments.

    `folder`: where the program's caches are; None parses always. Bars from the cache are mapped:
    their columns are read-only views. Raises DataError like `load_bars`, and for a file that was
    written to while it was read.
    """
    path = Path(given)
    try:
        source = hash_source(path, progress, None if folder is None else folder / "bars")
    except OSError:
        source = None  # the reader says best what is wrong with it
    if source is None:
        return _opened(_read(path, symbol, tick, timeframe, columns))
    arguments = arguments_of(symbol, tick, timeframe, columns)
    cache = None if folder is None else BarCache(folder / "bars")
    notes: tuple[str, ...] = ()
    if cache is not None:
        found, notes = cache.load(source, arguments)
        if found is not None:
            if source.changed():
                raise refuse_growing(path)
            return _opened(found, source.sha, notes, cached=True)
    try:
        file = _read(path, symbol, tick, timeframe, columns)
    except DataError as error:
        # A file that grows reads as cut or as another one: that it grows is the cause.
        raise (refuse_growing(path) if source.changed() else error) from None
    if source.changed():
        raise refuse_growing(path)
    if cache is not None:
        notes += cache.save(source, arguments, file)
    return _opened(file, source.sha, notes)


def _read(
    path: Path,
    symbol: str | None,
    tick: Decimal | None,
    timeframe: str | None,
    columns: str | None,
) -> BarFile:
    from trader.bars.load import load_bars

    return load_bars(path, symbol, tick, timeframe, columns)


def _opened(
    file: BarFile, sha: str = "", notes: tuple[str, ...] = (), *, cached: bool = False
) -> OpenedBars:
    return OpenedBars(file.path, file.series, file.report, sha, cached, notes)
