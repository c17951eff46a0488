"""The bars that a user keeps: imported from files or fetched from a venue.

Lives here: one file of columns for each instrument and timeframe, the pages that a fetch has
committed since (a line each, with a checksum, on disk before the next is asked for), and the lock
that lets one process write and any number read. Must not live here: where bars come from. A kept
file that is damaged is refused by name, never dropped: it is the user's.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast
from zlib import crc32

from trader.bars.column_file import (
    ColumnFileError,
    drop_parts,
    read_columns,
    sync_folder,
    write_columns,
)
from trader.bars.grid import count_distances, gaps_of
from trader.bars.joining import Joined, join
from trader.bars.names import STEPS_MS, step_name
from trader.core.series import Series, build_series
from trader.errors import DataError, LockHeld, UsageError
from trader.records import dataclass, replace

# So many committed pages are kept as lines before they go into the columns: rows in memory cost
# five times what columns do.
PAGES_MAX = 64
SOURCES_MAX = 64
KIND = "store"
_SUFFIX = ".bars"
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,30}/[A-Z0-9][A-Z0-9.-]{0,30}", re.ASCII)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """Bars of one instrument and timeframe.

    Attributes:
        covered: stretches [from_ms, until_ms) of which a venue told every bar, oldest first.
        sources: where bars came from, oldest first: `what`, `sha` of a file, `rows`.
        notes: sentences about what was found damaged and left out.
        told: what `told_of` says of the columns, as it was written with them; None: not known.
    """

    series: Series
    covered: tuple[Span, ...] = ()
    sources: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    told: Mapping[str, Any] | None = None


class BarStore:
    """A folder of kept bars. Reading takes no lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def held(self) -> list[tuple[str, str]]:
        """(symbol, timeframe) of everything kept, sorted by symbol, then by length of a bar."""
        found: set[tuple[str, str]] = set()
        for path in self.folder.glob("*-*"):
            stem, dot, kind = path.name.rpartition(".")
            pair, dash, timeframe = stem.rpartition("-")
            base, line, quote = pair.rpartition("_")
            if dot and dash and line and kind in {"bars", "pages"} and timeframe in STEPS_MS:
                found.add((f"{base}/{quote}", timeframe))
        return sorted(found, key=lambda key: (key[0], STEPS_MS[key[1]]))

    def place(self, symbol: str, timeframe: str) -> Path:
        """The file of the columns. Raises UsageError for what names none."""
        if not _SYMBOL.fullmatch(symbol):
            raise UsageError(f"{symbol!r} is no instrument", "write BASE/QUOTE, such as BTC/USDT")
        if timeframe not in STEPS_MS:
            known = ", ".join(sorted(STEPS_MS, key=STEPS_MS.__getitem__))
            raise UsageError(f"timeframe {timeframe!r} is not known", f"known are {known}")
        return self.folder / f"{symbol.replace('/', '_')}-{timeframe}{_SUFFIX}"

    def load(self, symbol: str, timeframe: str) -> Kept | None:
        """What is kept, its columns mapped; None when nothing is.

        Raises DataError for a file that is damaged or cannot be read.
        """
        path = self.place(symbol, timeframe)
        # Pages first: a writer puts them into the columns before it removes them.
        pages, notes = _read_pages(_pages_of(path))
        kept = _read_kept(path, symbol, STEPS_MS[timeframe])
        for page in pages:
            if kept is None:
                kept = Kept(_empty(symbol, STEPS_MS[timeframe], page.tick))
            kept = page.onto(kept)
        return replace(kept, notes=notes) if kept is not None else None

    @contextmanager
    def writing(self, symbol: str, timeframe: str) -> Generator[Writer]:
        """The only writer of these bars while the block runs.

        Raises LockHeld when another process is it, DataError like `load`, OSError.
        """
        path = self.place(symbol, timeframe)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path.with_suffix(".lock"), flags, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LockHeld(
                    f"another process writes the bars of {symbol} {timeframe}",
                    "wait until it has finished",
                ) from None
            drop_parts(self.folder)
            yield Writer(path, symbol, STEPS_MS[timeframe], self.load(symbol, timeframe))
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Page:
    """Bars that a venue told in one answer; `covered`: the stretch that they are all of."""

    rows: tuple[tuple[int, int, int, int, int, float], ...]
    tick: Decimal
    covered: Span
    source: str

    def onto(self, kept: Kept) -> Kept:
        """What was kept, and these: they were compared before they were committed."""
        series = kept.series
        new = build_series(series.symbol, series.step_ms, self.tick, self.rows)
        joined = join(series, new, replace=True, where=self.source)
        return Kept(
            joined.series,
            united([*kept.covered, self.covered]),
            _noted(kept.sources, {"what": self.source, "rows": len(new)}),
            kept.notes,
        )

    def line(self) -> bytes:
        """One line of a file of pages."""
        row = {
            "rows": self.rows,
            "tick": str(self.tick),
            "covered": self.covered,
            "source": self.source,
        }
        text = json.dumps(row, separators=(",", ":")).encode("ascii")
        return b"%08x %s\n" % (crc32(text), text)


class Writer:
    """Adds to what is kept; see `BarStore.writing`.

    Attributes: kept: what is kept now; notes: what was found damaged when it was opened.
    """

    def __init__(self, path: Path, symbol: str, step_ms: int, kept: Kept | None) -> None:
        self._path = path
        self._pages = _pages_of(path)
        self._pending: list[Page] = []
        self._symbol = symbol
        self._step_ms = step_ms
        self.kept = kept
        self.notes = kept.notes if kept is not None else ()
        if kept is not None and self._pages.exists():
            # Left by a fetch that was interrupted, perhaps in the middle of its last line.
            self._put(kept)
        else:
            self._pages.unlink(missing_ok=True)

    def add(self, series: Series, source: Mapping[str, Any], *, replace: bool = False) -> Joined:
        """Join bars of a file and write the columns anew. Raises DataError for one that differs
        (nothing is written then), OSError."""
        self._fold_pending()
        kept = self.kept or Kept(_empty(self._symbol, self._step_ms, series.tick))
        joined = join(kept.series, series, replace=replace, where=str(source["what"]))
        self._put(Kept(joined.series, kept.covered, _noted(kept.sources, source)))
        return joined

    def append(self, page: Page, *, replace: bool = False) -> Joined:
        """Commit one page: it is on disk after the return. Raises DataError, OSError."""
        if self._pending and page.covered[0] < self._pending[-1].covered[1]:
            # Not after the pages before it, which it then has to be held against, too.
            self._fold_pending()
        kept = self.kept or Kept(_empty(self._symbol, self._step_ms, page.tick))
        new = build_series(self._symbol, self._step_ms, page.tick, page.rows)
        joined = join(_around(kept.series, new), new, replace=replace, where=page.source)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        is_first = not self._pages.exists()
        descriptor = os.open(self._pages, flags, 0o600)
        try:
            line = memoryview(page.line())
            while line:
                line = line[os.write(descriptor, line) :]
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if is_first:
            sync_folder(self._pages.parent)
        self._pending.append(page)
        if len(self._pending) >= PAGES_MAX:
            self.fold()
        return joined

    def fold(self) -> None:
        """Put the committed pages into the columns. Raises OSError."""
        kept = self.kept
        for pages in _runs(self._pending):
            kept = kept or Kept(_empty(self._symbol, self._step_ms, pages.tick))
            kept = pages.onto(kept)
        self._pending.clear()
        if kept is not None:
            self._put(kept)

    def _fold_pending(self) -> None:
        if self._pending:
            self.fold()

    def _put(self, kept: Kept) -> None:
        facts = {
            "kind": KIND,
            "covered": [list(span) for span in kept.covered],
            "sources": list(kept.sources),
            "told": told_of(kept.series),
        }
        write_columns(self._path, kept.series, facts, durable=True)
        self._pages.unlink(missing_ok=True)
        # Mapped anew, so that what was joined in memory can go.
        self.kept = _read_kept(self._path, self._symbol, self._step_ms)


def told_of(series: Series) -> dict[str, Any]:
    """Sums over bars that each run would make anew: gaps, missing, zero_volume, sha."""
    gaps, missing = gaps_of(count_distances(series.open_ms), series.step_ms)
    zeros = sum(map((0.0).__eq__, series.volume))
    return {"gaps": gaps, "missing": missing, "zero_volume": zeros, "sha": series_sha(series)}


def series_sha(series: Series) -> str:
    """sha256 of bars: instrument, length of a bar, tick and columns."""
    digest = hashlib.sha256(f"{series.symbol} {series.step_ms} {series.tick} ".encode())
    for column in (series.open_ms, series.open, series.high, series.low, series.close):
        digest.update(memoryview(column).cast("B"))
    digest.update(memoryview(series.volume).cast("B"))
    return digest.hexdigest()


def united(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same stretches, sorted, those that touch as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def missing_spans(covered: Sequence[Span], start_ms: int, end_ms: int) -> list[Span]:
    """The parts of [start, end) that no stretch covers, oldest first."""
    found: list[Span] = []
    at_ms = start_ms
    for start, end in united(covered):
        if end <= at_ms or start >= end_ms:
            continue
        if start > at_ms:
            found.append((at_ms, start))
        at_ms = end
    return [*found, (at_ms, end_ms)] if at_ms < end_ms else found


def _runs(pages: Sequence[Page]) -> list[Page]:
    """Pages that follow each other on one tick, put together: one join for all of them."""
    found: list[Page] = []
    for page in pages:
        last = found[-1] if found else None
        follows = last and last.rows and page.rows and last.rows[-1][0] < page.rows[0][0]
        if last and follows and (last.tick, last.source) == (page.tick, page.source):
            touching = last.covered[1] == page.covered[0]
            if touching:
                span = (last.covered[0], page.covered[1])
                found[-1] = Page(last.rows + page.rows, page.tick, span, page.source)
                continue
        found.append(page)
    return found


def _around(series: Series, new: Series) -> Series:
    """The kept bars within the times of the new ones: all that a comparison needs."""
    if not len(new):
        return series.slice(0, 0)
    return series.slice(series.index_of(new.open_ms[0]), series.index_of(new.open_ms[-1] + 1))


def _noted(
    sources: tuple[Mapping[str, Any], ...], source: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ...]:
    """Sources and one more; pages of one venue in a row are one source."""
    last = sources[-1] if sources else None
    if last is not None and last["what"] == source["what"] and "sha" not in source:
        source = {**last, "rows": last["rows"] + source["rows"]}
        sources = sources[:-1]
    return (*sources, source)[-SOURCES_MAX:]


def _pages_of(path: Path) -> Path:
    return path.with_suffix(".pages")


def _empty(symbol: str, step_ms: int, tick: Decimal) -> Series:
    return build_series(symbol, step_ms, tick, ())


def _read_kept(path: Path, symbol: str, step_ms: int) -> Kept | None:
    try:
        columns = read_columns(path)
        series, facts = columns.series, columns.facts
        if (series.symbol, series.step_ms, facts["kind"]) != (symbol, step_ms, KIND):
            raise ColumnFileError(f"it holds {series.symbol} {step_name(series.step_ms)}")
        covered = tuple((int(start), int(end)) for start, end in facts["covered"])
        return Kept(series, covered, tuple(facts["sources"]), told=facts["told"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(
            f"the kept bars {path} cannot be read: {error.strerror}", "give read access"
        ) from None
    except (ColumnFileError, KeyError, TypeError, ValueError) as error:
        what = str(error) if isinstance(error, ColumnFileError) else "its header is incomplete"
        raise DataError(
            f"the kept bars {path} are damaged: {what}",
            "put back a copy, or remove the file and import or fetch again",
        ) from None


def _read_pages(path: Path) -> tuple[list[Page], tuple[str, ...]]:
    """(committed pages, words about a line that was left out).

    Raises DataError when the file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return [], ()
    except OSError as error:
        raise DataError(
            f"the kept pages {path} cannot be read: {error.strerror}", "give read access"
        ) from None
    pages: list[Page] = []
    for number, line in enumerate(lines, 1):
        page = _page_of(line)
        if page is not None:
            pages.append(page)
        elif line:
            # What came after it is asked for again, as it is not told to be covered.
            return pages, (f"{path}:{number}: a page was not written whole; it is asked for again",)
    return pages, ()


def _page_of(line: bytes) -> Page | None:
    mark, _, text = line.partition(b" ")
    try:
        if not text or int(mark, 16) != crc32(text):
            return None
        row = cast("dict[str, Any]", json.loads(text))
        rows = tuple((*map(int, one[:5]), float(one[5])) for one in row["rows"])
        start, end = row["covered"]
        return Page(cast("Any", rows), Decimal(row["tick"]), (start, end), row["source"])
    except (ValueError, KeyError, TypeError, IndexError, InvalidOperation):
        return None
