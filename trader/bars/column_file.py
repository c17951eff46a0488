"""Bars on disk as plain columns: one file that is mapped into memory instead of read.

Lives here: the format. Magic, a checksummed header of JSON (version, what the columns are of, a
checksum for each), then six columns: open_ms, open, high, low, close as int64, volume as float64,
each a multiple of 64 bytes from the file's start. A file is written aside and renamed into place,
so a reader sees a whole one or none; one that was cut, altered or written by another version is
told from a sound one before a number of it is used. Must not live here: where such files lie, and
what becomes of one that is not sound.

A checksum is CRC-32: it notices every flipped bit and every cut, and costs 7 ms for a million bars.
It is no seal against somebody who may write into the folder; a file that others may write to is not
believed in the first place.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import stat
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal, InvalidOperation
from itertools import count
from pathlib import Path
from typing import Any, cast
from zlib import crc32

from trader.core.series import Series
from trader.records import dataclass

FORMAT_VERSION = 1
MAGIC = b"TRADBARS"
# Magic, length of the header's JSON, checksum of everything before the columns but itself.
_PREFIX = len(MAGIC) + 8
_ALIGN = 64
_HEADER_BYTES_MAX = 1 << 20
_COLUMNS = 6
_PART = ".part"
# Threads of one process write different parts.
_parts = count()


class ColumnFileError(ValueError):
    """A file that is not believed; the message says why, without the place."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file holds. `series` looks into the mapped file; `facts`: what the writer added."""

    series: Series
    facts: Mapping[str, Any]


def write_columns(path: Path, series: Series, facts: Mapping[str, Any], *, durable: bool) -> None:
    """Replace the file by one of these bars, whole or not at all.

    `facts` are plain JSON. `durable`: a loss of power after the return loses nothing; without it
    the file may then turn out to be cut, which a reader notices. Raises OSError.
    """
    columns = [memoryview(column).cast("B") for column in _columns_of(series)]
    outer = {
        "version": FORMAT_VERSION,
        "byteorder": sys.byteorder,
        "symbol": series.symbol,
        "step_ms": series.step_ms,
        "tick": str(series.tick),
        "rows": len(series),
        "crc": [crc32(column) for column in columns],
        "facts": facts,
    }
    header = json.dumps(outer, sort_keys=True, separators=(",", ":")).encode("ascii")
    width = _up(_PREFIX + len(header))
    length = len(header).to_bytes(4, "little")
    body = header.ljust(width - _PREFIX, b"\0")
    crc = crc32(body, crc32(MAGIC + length)).to_bytes(4, "little")
    gap = bytes(_up(8 * len(series)) - 8 * len(series))
    with _aside(path, durable=durable) as descriptor:
        _write_all(descriptor, memoryview(MAGIC + length + crc + body))
        for index, column in enumerate(columns):
            _write_all(descriptor, column)
            if index + 1 < len(columns):
                _write_all(descriptor, memoryview(gap))


def read_columns(path: Path) -> Columns:
    """The file's bars, mapped: nothing is copied, and its memory is the kernel's to drop.

    Raises FileNotFoundError and other OSErrors, ColumnFileError when it is not to be believed.
    """
    mapped = _map(path)
    view = memoryview(mapped)
    outer, start = _header_of(view)
    try:
        rows = _whole(outer["rows"])
        checks: list[Any] = outer["crc"]
        symbol, step_ms = outer["symbol"], _whole(outer["step_ms"])
        tick = Decimal(outer["tick"])
        facts: Any = outer["facts"]
        sound = isinstance(symbol, str) and isinstance(facts, dict) and tick > 0
        if not (sound and len(checks) == _COLUMNS):
            raise ColumnFileError("its header is not one that is written")
    except (KeyError, TypeError, InvalidOperation):
        raise ColumnFileError("its header is not one that is written") from None
    width = _up(8 * rows)
    if len(view) != start + width * (_COLUMNS - 1) + 8 * rows:
        raise ColumnFileError(f"it has {len(view)} bytes, not those of {rows} bars: it was cut")
    columns: list[memoryview[int]] = []
    for index in range(_COLUMNS):
        begin = start + index * width
        with _looked_at(mapped, begin, width):
            column = view[begin : begin + 8 * rows]
            if crc32(column) != checks[index]:
                raise ColumnFileError(
                    f"column {index} does not have its checksum: bytes have changed"
                )
            if any(view[begin + 8 * rows : begin + width]):
                raise ColumnFileError("bytes between its columns have changed")
        columns.append(column)
    opens, opened, high, low, close = (column.cast("q") for column in columns[:5])
    volume = columns[5].cast("d")
    series = Series(symbol, step_ms, tick, opens, opened, high, low, close, volume)
    return Columns(series, cast("Mapping[str, Any]", facts))


def drop_parts(folder: Path) -> None:
    """Remove what writers that are dead left half-written in a folder."""
    for part in folder.glob(f".*{_PART}"):
        with suppress(OSError), part.open("rb") as stream:
            # Its writer holds the lock for as long as it lives.
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink(missing_ok=True)


def _columns_of(series: Series) -> tuple[Any, ...]:
    return (series.open_ms, series.open, series.high, series.low, series.close, series.volume)


def _up(size: int) -> int:
    return -(-size // _ALIGN) * _ALIGN


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(value)
    return value


def _map(path: Path) -> mmap.mmap:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ColumnFileError("it is no regular file")
        if status.st_uid not in {0, os.geteuid()} or status.st_mode & 0o022:
            raise ColumnFileError("others may write to it")
        if status.st_size < _PREFIX:
            raise ColumnFileError("it was cut inside its header")
        return mmap.mmap(descriptor, 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)


@contextmanager
def _looked_at(mapped: mmap.mmap, begin: int, size: int) -> Generator[None]:
    """Each page of a column will be looked at: asked for in one go they cost half. Then they are
    given back, so that columns which nobody reads are no memory of this process."""
    first = begin // mmap.PAGESIZE * mmap.PAGESIZE
    length = min(begin + size, len(mapped)) - first
    if length > 0 and sys.platform == "linux":
        with suppress(OSError):  # a kernel before 5.14
            mapped.madvise(_POPULATE_READ, first, length)
        yield
        mapped.madvise(mmap.MADV_DONTNEED, first, length)
    else:
        yield


_POPULATE_READ = 22  # as Linux names it; Python does not yet


def _header_of(view: memoryview[int]) -> tuple[dict[str, Any], int]:
    """(the header's JSON, where the columns begin)."""
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise ColumnFileError("it is no file of bars")
    length = int.from_bytes(view[len(MAGIC) : len(MAGIC) + 4], "little")
    start = _up(_PREFIX + length)
    if length > _HEADER_BYTES_MAX or start > len(view):
        raise ColumnFileError("it was cut inside its header")
    crc = crc32(view[_PREFIX:start], crc32(view[: len(MAGIC) + 4]))
    if crc != int.from_bytes(view[len(MAGIC) + 4 : _PREFIX], "little"):
        raise ColumnFileError("its header does not have its checksum: bytes have changed")
    try:
        outer: Any = json.loads(bytes(view[_PREFIX : _PREFIX + length]))
        version, byteorder = outer["version"], outer["byteorder"]
    except (ValueError, KeyError, TypeError):
        raise ColumnFileError("its header is not one that is written") from None
    if version != FORMAT_VERSION:
        raise ColumnFileError(f"it is of format {version}, this program's is {FORMAT_VERSION}")
    if byteorder != sys.byteorder:
        raise ColumnFileError(f"it is {byteorder}-endian, this machine is not")
    return outer, start


@contextmanager
def _aside(path: Path, *, durable: bool) -> Generator[int]:
    """A descriptor of a new file that is `path` after the block, and gone when the block fails."""
    part, descriptor = new_part(path)
    try:
        with ExitStack() as failed:
            failed.callback(part.unlink, missing_ok=True)
            yield descriptor
            if durable:
                os.fsync(descriptor)
            part.replace(path)
            failed.pop_all()
            if durable:
                sync_folder(path.parent)
    finally:
        os.close(descriptor)


def new_part(path: Path) -> tuple[Path, int]:
    """A new file beside `path` that this process holds the lock of: see `drop_parts`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        part = path.with_name(f".{path.name}.{os.getpid()}-{next(_parts)}{_PART}")
        with suppress(FileExistsError):  # of a process that had this number and died
            descriptor = os.open(part, flags, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return part, descriptor
            # Taken for a dead writer's, between the two calls.
            os.close(descriptor)


def _write_all(descriptor: int, data: memoryview[int]) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def sync_folder(folder: Path) -> None:
    """Names of new files in a folder survive a loss of power from now on. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
