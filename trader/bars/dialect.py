"""The outside of a bar file: compression, encoding, delimiter and header.

Lives here: opening a CSV or CSV.gz as lines of text, and telling which column is which. What is no
bar file, or could be read in two ways, is refused. Must not live here: the meaning of the cells.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path

from trader.bars.stamps import TIME_COLUMNS
from trader.bars.ticks import BarTextError, clean, split_number
from trader.errors import DataError

VALUE_COLUMNS = ("open", "high", "low", "close", "volume")
EXPECTED = f"{'|'.join(TIME_COLUMNS)} and {', '.join(VALUE_COLUMNS)}"
# Columns of the large exchanges' own files that change nothing about a bar.
HARMLESS = frozenset(
    (
        "close_time", "quote_volume", "quote_asset_volume", "quote_av", "trades", "trade_count",
        "number_of_trades", "count", "taker_buy_volume", "taker_buy_quote_volume",
        "taker_buy_base_asset_volume", "taker_buy_quote_asset_volume", "tb_base_av", "tb_quote_av",
        "ignore", "vwap", "turnover",
    )
)  # fmt: skip
_SYMBOL_COLUMNS = ("symbol", "pair", "ticker")
_DELIMITERS = (",", ";", "\t")
_BLOCK_CHARS = 1 << 20
_MAGIC = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd compressed: unpack it first",
    b"BZh": "bzip2 compressed: unpack it first",
    b"\xfd7zXZ": "xz compressed: unpack it first",
    b"PAR1": "a Parquet file: export it as CSV",
    b"ARROW1": "a feather file: export it as CSV",
    b"SQLite format 3": "a SQLite database: export the bars as CSV",
}
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Header:
    """Which column is which.

    Attributes:
        time_name: name of the time column; time: its index.
        values: indexes of open, high, low, close, volume.
        symbol: index of a column that names the instrument, or None.
        width: number of columns. ignored: names of columns that are not known to be harmless.
    """

    delimiter: str
    time_name: str
    time: int
    values: tuple[int, int, int, int, int]
    symbol: int | None
    width: int
    ignored: tuple[str, ...]


class BarText:
    """The lines of a bar file, in blocks.

    Attributes:
        encoding: `utf-8`, `utf-8-sig` or `utf-16`. gzipped: whether the file is compressed.
        ended: after the last block, whether the last line ended with a line break.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding = ""
        self.gzipped = False
        self.ended = True

    def blocks(self) -> Generator[list[str], None, None]:
        """Lists of lines without line breaks; DataError when the file is not readable text."""
        try:
            with self.path.open("rb") as raw:
                yield from self._blocks(raw)
        except FileNotFoundError:
            raise DataError(
                f"bar file {self.path} does not exist",
                "check the path or import the bars first",
            ) from None
        except (EOFError, zlib.error) as error:
            raise DataError(
                f"bar file {self.path} is cut off or damaged inside its gzip stream ({error})",
                "fetch or copy it again",
            ) from None
        except UnicodeError:
            raise DataError(
                f"bar file {self.path} is not UTF-8 or UTF-16 text",
                "give a CSV or CSV.gz file, saved as UTF-8",
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(
                f"bar file {self.path} cannot be read: {reason}",
                "give a readable CSV or CSV.gz file",
            ) from None

    def _blocks(self, raw: BufferedReader) -> Generator[list[str], None, None]:
        magic = raw.read(2)
        raw.seek(0)
        self.gzipped = magic == b"\x1f\x8b"
        plain = gzip.GzipFile(fileobj=raw) if self.gzipped else raw
        start = plain.read(16)
        plain.seek(0)
        self._refuse_other_formats(start)
        self.encoding = _ENCODINGS.get(start[:2], "utf-8")
        with TextIOWrapper(plain, encoding=self.encoding) as text:
            yield from self._lines(text)

    def _lines(self, text: TextIOWrapper) -> Generator[list[str], None, None]:
        rest = ""
        while block := text.read(_BLOCK_CHARS):
            if "\0" in block:
                raise DataError(
                    f"bar file {self.path} holds zero bytes: it is binary, half-written, or UTF-16 "
                    "without its mark",
                    "give a CSV or CSV.gz file, saved as UTF-8",
                )
            lines = (rest + block).split("\n")
            rest = lines.pop()
            if len(rest) > _BLOCK_CHARS:
                raise DataError(
                    f"bar file {self.path} has a line of over a million characters",
                    "give a CSV or CSV.gz file with one bar per line",
                )
            if lines:
                yield lines
        self.ended = not rest
        if rest:
            yield [rest]

    def _refuse_other_formats(self, start: bytes) -> None:
        if not start:
            raise DataError(f"bar file {self.path} is empty", "fetch or copy it again")
        for magic, what in _MAGIC.items():
            if start.startswith(magic):
                raise DataError(f"bar file {self.path} is not CSV text", f"it is {what}")


def read_header(path: Path, first_lines: list[str]) -> Header:
    """Columns by the names in line 1, in any order and case; DataError when they are not there."""
    line = first_lines[0]
    delimiter = max(_DELIMITERS, key=lambda mark: _known(_names(line, mark)))
    names = _names(line, delimiter)
    if _known(names) == 0:
        raise _headerless(path, first_lines)
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise DataError(
            f"{path}:1: column {doubled[0]} is there {names.count(doubled[0])} times",
            "keep the one that holds the bars",
        )
    times = [name for name in names if name in TIME_COLUMNS]
    missing = [name for name in VALUE_COLUMNS if name not in names]
    if not times:
        missing.insert(0, "a time column")
    if missing:
        raise _missing(path, names, missing)
    if len(times) > 1:
        raise DataError(
            f"{path}:1: the time could be column {' or column '.join(times)}",
            "keep one of them",
        )
    known = {times[0], *VALUE_COLUMNS, *HARMLESS, *_SYMBOL_COLUMNS}
    symbols = [index for index, name in enumerate(names) if name in _SYMBOL_COLUMNS]
    opened, high, low, close, volume = (names.index(name) for name in VALUE_COLUMNS)
    return Header(
        delimiter,
        times[0],
        names.index(times[0]),
        (opened, high, low, close, volume),
        symbols[0] if symbols else None,
        len(names),
        tuple(name for name in names if name not in known),
    )


def _names(line: str, delimiter: str) -> list[str]:
    cells = (clean(cell).lower() for cell in line.split(delimiter))
    return [cell.replace(" ", "_").replace("-", "_") for cell in cells]


def _known(names: list[str]) -> int:
    return sum(name in TIME_COLUMNS or name in VALUE_COLUMNS for name in names)


def _missing(path: Path, names: list[str], missing: list[str]) -> DataError:
    found = ", ".join(name or "(no name)" for name in names[:12])
    alike = [name for name in names if "volume" in missing and name.startswith("volume_")]
    could = f" (the volume in base coins could be {' or '.join(alike)}: rename it)" if alike else ""
    return DataError(
        f"{path}:1: the header lacks {', '.join(missing)}; it has {found}{could}",
        f"expected are {EXPECTED}",
    )


def _headerless(path: Path, lines: list[str]) -> DataError:
    first = lines[0]
    delimiter = max(_DELIMITERS, key=first.count)
    hint = f"line 1 must name the columns: {EXPECTED}"
    if not first[:1].strip('"').isdigit() and not first[1:2].isdigit():
        return DataError(f"{path}:1: no header line with known column names", hint)
    orders = {
        "open,high,low,close": (1, 2, 3, 4),
        "open,close,high,low (as Bitfinex's API orders them)": (1, 3, 4, 2),
    }
    fitting = [
        name for name, order in orders.items() if _all_possible(lines[:2_000], delimiter, order)
    ]
    if fitting and first.count(delimiter) == 5:
        hint += f"; the rows can be read as time,{' or as time,'.join(fitting)}, then volume"
    return DataError(f"{path}:1: the header line is not there, line 1 is a bar already", hint)


def _all_possible(lines: list[str], delimiter: str, order: tuple[int, ...]) -> bool:
    for line in lines:
        cells = line.split(delimiter)
        try:
            values = [split_number(cells[index]) for index in order]
        except (BarTextError, IndexError):
            return False
        digits = max(decimals for _, decimals in values)
        opened, high, low, close = (n * 10 ** (digits - decimals) for n, decimals in values)
        if low > min(opened, close) or high < max(opened, close):
            return False
    return bool(lines)
