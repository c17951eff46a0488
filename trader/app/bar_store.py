"""Where bars come from: a file through the cache, or what was imported and fetched before.

Lives here: `open_bars` and `stored`, which every command that needs bars calls. Must not live here:
parsing, the formats on disk, and what is done with the bars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from trader.bars.cache import BarCache, arguments_of, hash_source, refuse_growing
from trader.bars.load import BarFile, load_bars
from trader.errors import DataError

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
) -> OpenedBars:
    """What `load_bars` makes of a file or folder; parsed once for the same bytes and arguments.

    `folder`: where the program's caches are; None parses always. Bars from the cache are mapped:
    their columns are read-only views. Raises DataError like `load_bars`, and for a file that was
    written to while it was read.
    """
    path = Path(given)
    try:
        source = hash_source(path, progress)
    except OSError:
        source = None  # the reader says best what is wrong with it
    if source is None:
        return _opened(load_bars(path, symbol, tick, timeframe))
    arguments = arguments_of(symbol, tick, timeframe)
    cache = None if folder is None else BarCache(folder / "bars")
    notes: tuple[str, ...] = ()
    if cache is not None:
        found, notes = cache.load(source, arguments)
        if found is not None:
            return _opened(found, source.sha, notes, cached=True)
    try:
        file = load_bars(path, symbol, tick, timeframe)
    except DataError as error:
        # A file that grows reads as cut or as another one: that it grows is the cause.
        raise (refuse_growing(path) if source.changed() else error) from None
    if source.changed():
        raise refuse_growing(path)
    if cache is not None:
        notes += cache.save(source, arguments, file)
    return _opened(file, source.sha, notes)


def _opened(
    file: BarFile, sha: str = "", notes: tuple[str, ...] = (), *, cached: bool = False
) -> OpenedBars:
    return OpenedBars(file.path, file.series, file.report, sha, cached, notes)
