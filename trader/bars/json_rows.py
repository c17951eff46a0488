"""JSON of bars -> lines of bytes, in one pass and little memory.

Lives here: arrays of rows (as ccxt, freqtrade and the exchanges write them), the same as lines,
objects with named values, and an answer of an exchange around its rows. Numbers keep their text.
Must not live here: which column is which.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, cast

from trader.bars.header import plain_name
from trader.errors import DataError

if TYPE_CHECKING:
    from trader.bars.source import Part

_AROUND_BYTES_MAX = 1 << 16
_ROW_BYTES_MAX = 1 << 16
_CELL = rb'(?:"[^"\\\[\]{},]*"|-?\d[\d.eE+-]*|null|true|false|NaN|-?Infinity)'
_ROW = re.compile(rb"\[\s*" + _CELL + rb"(?:\s*,\s*" + _CELL + rb")*\s*\]")
_OBJECT = re.compile(rb"\{[^{}\[\]]*\}")
_GAP = re.compile(rb"[ \t\r\n]*")
_ROWS_BEGIN = re.compile(rb"\[\s*[\[{]")
_HINT = "give an array of rows [time, open, high, low, close, volume], or objects with those names"


def json_blocks(part: Part, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """Rows as lines of cells joined by commas; of objects, `part.names` is set before the first."""
    text = _Text(part, chunks)
    prefix, is_array = _before_rows(text)
    rows = _Rows(part, text, is_array=is_array)
    yield from rows.blocks()
    text.all(_AROUND_BYTES_MAX)
    suffix = text.data[text.at :]
    whole = prefix + suffix if is_array else (suffix.strip() and b"x") or b"[]"
    try:
        json.loads(whole)
    except ValueError:
        raise DataError(
            f"{part.place(rows.count + 1)}: the JSON is cut off or damaged here",
            "fetch or copy it again",
        ) from None


class _Text:
    """What is at hand of the file, and where reading stands."""

    def __init__(self, part: Part, chunks: Iterator[bytes]) -> None:
        self.part = part
        self.chunks = chunks
        self.data = b""
        self.at = 0

    def more(self) -> bool:
        """Get the next chunk, dropping what was read; False at the end."""
        chunk = next(self.chunks, b"")
        if b"\0" in chunk:
            raise DataError(
                f"bar file {self.part.where} holds zero bytes: it is binary or half-written",
                "fetch or copy it again",
            )
        self.data = self.data[self.at :] + chunk
        self.at = 0
        return bool(chunk)

    def all(self, most: int) -> None:
        """Get the rest, which may be no longer than this."""
        while len(self.data) - self.at <= most and self.more():
            pass

    def skip(self) -> bytes:
        """Past blanks, the byte that follows; b"" at the end."""
        while True:
            found = _GAP.match(self.data, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.data) or not self.more():
                return self.data[self.at : self.at + 1]


def _before_rows(text: _Text) -> tuple[bytes, bool]:
    """(what stands before the first row, whether the rows are in an array); stands at the row."""
    text.all(_AROUND_BYTES_MAX)
    text.skip()
    data = text.data[text.at :]
    if _ROW.match(data) or _is_flat(data):
        return b"", False
    found = _ROWS_BEGIN.search(data, 0, _AROUND_BYTES_MAX)
    if found is None:
        raise DataError(f"bar file {text.part.where} is JSON without rows of bars", _HINT)
    text.at += found.start() + 1
    return data[: found.start() + 1], True


def _is_flat(data: bytes) -> bool:
    """Whether the text begins with an object of plain values that has a bar's names."""
    found = _OBJECT.match(data)
    if found is None:
        return False
    try:
        names = {plain_name(name) for name in json.loads(found[0])}
    except ValueError:
        return False
    return bool(names & {"close", "c", "close_price"})


class _Rows:
    """Takes rows one after another; `count` is how many were taken."""

    def __init__(self, part: Part, text: _Text, *, is_array: bool) -> None:
        self.part = part
        self.text = text
        self.is_array = is_array
        self.count = 0

    def blocks(self) -> Generator[bytes, None, None]:
        lines: list[bytes] = []
        size = 0
        while (line := self._next()) is not None:
            lines.append(line)
            size += len(line)
            self.count += 1
            if size > 1 << 18:
                yield b"".join(lines)
                lines, size = [], 0
        if lines:
            yield b"".join(lines)

    def _next(self) -> bytes | None:
        text = self.text
        first = text.skip()
        if self.count and first == b"," and self.is_array:
            text.at += 1
            first = text.skip()
        elif self.count and first in (b"[", b"{") and self.is_array:
            raise self._damaged()
        if first == b"[":
            row = self._match(_ROW)
            if b'"' in row or b" " in row or b"\n" in row:
                cells = [cell.strip().strip(b'"') for cell in row[1:-1].split(b",")]
                return b",".join(cells) + b"\n"
            return row[1:-1] + b"\n"
        if first == b"{":
            return self._object(self._match(_OBJECT))
        return None

    def _match(self, pattern: re.Pattern[bytes]) -> bytes:
        text = self.text
        while True:
            found = pattern.match(text.data, text.at)
            if found is not None:
                text.at = found.end()
                return found[0]
            if len(text.data) - text.at > _ROW_BYTES_MAX or not text.more():
                raise self._damaged()

    def _object(self, row: bytes) -> bytes:
        try:
            told = json.loads(row, parse_float=str, parse_int=str, object_pairs_hook=list)
        except ValueError:
            raise self._damaged() from None
        pairs = cast("list[tuple[str, Any]]", told)
        names = tuple(plain_name(name) for name, _ in pairs)
        if self.part.names is None:
            self.part.names = names
        cells = {name: _cell(value) for name, (_, value) in zip(names, pairs, strict=True)}
        if set(names) != set(self.part.names) or len(names) != len(self.part.names):
            raise DataError(
                f"{self.part.place(self.count + 1)}: its names are not those of the first row",
                "give rows with the same names",
            )
        return ",".join(cells[name] for name in self.part.names).encode() + b"\n"

    def _damaged(self) -> DataError:
        return DataError(
            f"{self.part.place(self.count + 1)}: the JSON is cut off or damaged here",
            "fetch or copy it again",
        )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    # What is no plain text becomes a cell that no column takes.
    return str(value).replace(",", ";").replace("\n", " ")
