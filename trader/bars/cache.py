"""The cache in front of the bar readers: what was parsed once is mapped the next time.

Lives here: the key (what the source's bytes and the reader's arguments are), one file of columns
for each key, and the dropping of files that are not to be believed. The whole folder may be removed
at any time, two processes may use it at once, and a folder that cannot be written only costs time.
Must not live here: parsing, and the bars that a user keeps on purpose (`store`).
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from trader.bars.bar_file import READER_VERSION, BarFile, BarFileReport
from trader.bars.column_file import ColumnFileError, drop_parts, read_columns, write_columns
from trader.bars.source_hash import Source
from trader.errors import DataError

# All columns together; the ones used longest ago go first.
CACHE_BYTES_MAX = 8 << 30
_SUFFIX = ".bars"


class BarCache:
    """Columns of bar files, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(
        self, source: Source, arguments: tuple[str, ...]
    ) -> tuple[BarFile | None, tuple[str, ...]]:
        """(the bars that this source was read as with these arguments, words about a file that was
        dropped); no bars when they have to be read. Raises nothing."""
        key, path = self._place(source, arguments)
        try:
            kept = read_columns(path)
            facts = kept.facts
            if facts["key"] != key:
                raise ColumnFileError("it is of another source")
            if facts["reader"] != READER_VERSION:
                raise ColumnFileError(
                    f"it was read by reader {facts['reader']}, this program's is {READER_VERSION}"
                )
            report = _report_of(facts["report"])
        except FileNotFoundError:
            return None, ()
        except OSError as error:
            return None, (f"bar cache: {path} cannot be read ({error.strerror}); left aside",)
        except (ColumnFileError, KeyError, TypeError) as error:
            with suppress(OSError):
                path.unlink()
            return None, (f"bar cache: {path.name} was dropped and is made anew: {_said(error)}",)
        with suppress(OSError):
            os.utime(path)
        return BarFile(source.path, kept.series, report), ()

    def save(self, source: Source, arguments: tuple[str, ...], file: BarFile) -> tuple[str, ...]:
        """Keep bars; words when that was not possible. Raises nothing."""
        key, path = self._place(source, arguments)
        facts = {"key": key, "reader": READER_VERSION, "report": _row_of(file.report)}
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            drop_parts(self._folder)
            # Not made durable: a file that a loss of power cuts is noticed and made anew.
            write_columns(path, file.series, facts, durable=False)
            self._drop_oldest(path)
        except OSError as error:
            return (f"bar cache: {self._folder} cannot be written ({error.strerror})",)
        return ()

    def _place(self, source: Source, arguments: tuple[str, ...]) -> tuple[str, Path]:
        # A file's name tells its instrument and timeframe where the arguments do not.
        key = _sha_of([source.sha, source.path.name, *arguments])
        return key, self._folder / f"{key[:32]}{_SUFFIX}"

    def _drop_oldest(self, keep: Path) -> None:
        """The cache stays below its size, whatever was read in a year."""
        found = [(file.stat(), file) for file in self._folder.glob(f"*{_SUFFIX}")]
        total = sum(status.st_size for status, _ in found)
        for status, file in sorted(found, key=lambda row: (row[0].st_mtime_ns, row[1])):
            if total <= CACHE_BYTES_MAX or file == keep:
                continue
            file.unlink(missing_ok=True)
            total -= status.st_size


def refuse_growing(path: Path) -> DataError:
    """The error of a source that was written to while it was read."""
    return DataError(
        f"bar file {path} was written to while it was read",
        "wait until whoever writes it has finished, or copy it first",
    )


def arguments_of(
    symbol: str | None, tick: Decimal | None, timeframe: str | None, columns: str | None = None
) -> tuple[str, ...]:
    """The reader's arguments as texts of a key: equal texts, equal reading."""
    return (symbol or "", "" if tick is None else str(tick), timeframe or "", columns or "")


def _sha_of(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, ColumnFileError) else "its report is of another version"


def _row_of(report: BarFileReport) -> dict[str, Any]:
    row = {name: getattr(report, name) for name in BarFileReport.__slots__}
    if _report_of(json.loads(json.dumps(row))) != report:
        raise AssertionError("a report of a bar file has a value that JSON does not hold")
    return row


def _report_of(row: Any) -> BarFileReport:
    """Raises TypeError or KeyError when the row is not one of this version's."""
    plain = cast("dict[str, Any]", row)
    if set(plain) != set(BarFileReport.__slots__):
        raise KeyError("report")
    return BarFileReport(**{name: _frozen(value) for name, value in plain.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(one) for one in cast("list[Any]", value))
    return value
