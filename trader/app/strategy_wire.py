"""What goes between this program and the process that runs a strategy file: plain rows and arrays.

Lives here: the framing of a message (two lengths, JSON, array bytes), the columns a strategy is
shown and the columns it answers. Only numbers and short texts are ever read from the other side;
nothing is unpickled. Must not live here: processes, and what the numbers mean.
"""

from __future__ import annotations

import json
import math
import struct
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, cast

HEAD = struct.Struct("<II")
# An answer larger than this is not read: a hundred thousand rows of every column are 5 MB.
BYTES_MAX = 64 << 20
# What a strategy may answer; whatever else it returns is not looked at.
COLUMNS = ("enter", "exit", "stop", "strength", "target", "trail", "trail_from", "break_even")
SHOWN = ("open_ms", "open", "high", "low", "close", "volume")
WIDTH = 8
# They have a length and can be walked, and are no columns.
NO_COLUMNS: tuple[type, ...] = (str, bytes, bytearray, Mapping, set, frozenset)


class Bars:
    """Closed bars as a strategy sees them: columns that it can read and not write.

    Attributes:
        open_ms: int64[n], open times, oldest first.
        open, high, low, close: float64[n], prices. volume: float64[n], base coins.
    """

    __slots__ = SHOWN

    open_ms: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    volume: Sequence[float]

    def __init__(self, columns: Sequence[Any]) -> None:
        """From the columns in the order of SHOWN."""
        for name, column in zip(SHOWN, columns, strict=True):
            setattr(self, name, column)

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.open_ms)

    def slice(self, start: int, stop: int) -> Bars:
        """Bars [start, stop)."""
        return Bars([getattr(self, name)[start:stop] for name in SHOWN])


def pack(row: Mapping[str, Any], body: bytes = b"") -> bytes:
    """One message."""
    head = json.dumps(row, separators=(",", ":")).encode()
    return b"".join((HEAD.pack(len(head), len(body)), head, body))


def bars_bytes(bars: Any) -> bytes:
    """The columns of a window, end to end; they have the buffer protocol and 8 bytes a row."""
    return b"".join(bytes(memoryview(getattr(bars, name))) for name in SHOWN)


def bars_of(body: bytes) -> Bars:
    """The window that `bars_bytes` gave; its columns cannot be written."""
    size = len(body) // len(SHOWN)
    view = memoryview(body)
    columns = [view[i * size : (i + 1) * size] for i in range(len(SHOWN))]
    return Bars([columns[0].cast("q"), *(column.cast("d") for column in columns[1:])])


def columns_bytes(returned: Any) -> tuple[list[list[Any]], bytes]:
    """([[name, rows], ...], their float64 values end to end) of what a strategy returned.

    Raises TypeError for what is not a mapping of columns of numbers, ValueError for a column of
    another name.
    """
    if not isinstance(returned, Mapping):
        raise TypeError(f"signals() returned {type(returned).__name__}, not a dict of columns")
    columns = cast("Mapping[Any, Any]", returned)
    # A word that is misspelt would be a stop or a target that is silently not there.
    strange = [str(name)[:40] for name in columns if name not in COLUMNS]
    if strange:
        raise ValueError(f"column {strange[0]} is none of {' '.join(COLUMNS)}")
    told: list[list[Any]] = []
    parts: list[bytes] = []
    for name in COLUMNS:
        if name in columns:
            column = _doubles(name, columns[name])
            told.append([name, len(column)])
            parts.append(column.tobytes())
    return told, b"".join(parts)


def _doubles(name: str, column: Any) -> array[float]:
    if isinstance(column, NO_COLUMNS):
        raise TypeError(f"column {name} is {type(column).__name__}, not a sequence of numbers")
    if len(column) * WIDTH > BYTES_MAX // len(COLUMNS):
        raise ValueError(f"column {name} has {len(column)} rows")
    try:
        return array("d", column)
    except TypeError as error:
        raise TypeError(f"column {name}: {error}") from error


def columns_of(told: Any, body: bytes) -> dict[str, array[float]]:
    """The columns of an answer; ValueError when it contradicts itself."""
    columns: dict[str, array[float]] = {}
    start = 0
    for name, rows in told:
        if name not in COLUMNS or name in columns or type(rows) is not int or rows < 0:
            raise ValueError("columns that nobody asked for")
        stop = start + rows * WIDTH
        columns[name] = array("d", body[start:stop])
        start = stop
    if start != len(body):
        raise ValueError("columns of another size than was said")
    return columns


def numbers_of(row: object) -> dict[str, float | int]:
    """Names and finite numbers of an answer; ValueError when it holds anything else."""
    if not isinstance(row, dict):
        raise ValueError("no parameters")  # noqa: TRY004 - one error for every garbled answer
    numbers: dict[str, float | int] = {}
    for name, value in cast("dict[str, Any]", row).items():
        if type(value) not in {int, float} or (type(value) is float and not math.isfinite(value)):
            raise ValueError(f"parameter {name!r} is not a finite number")
        numbers[str(name)] = value
    return numbers
