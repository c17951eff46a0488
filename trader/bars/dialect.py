"""Which column is which in one table of bars.

Lives here: the order in which that is told: by the caller, by a header line or the format's own
names, by the numbers. Must not live here: those three themselves (`header`, `layouts`).
"""

from __future__ import annotations

from trader.bars.header import (
    DELIMITERS,
    EXPECTED,
    Header,
    header_of,
    known_names,
    named_columns,
    names_of,
)
from trader.bars.layouts import USUAL, layout_of
from trader.bars.source import Part
from trader.errors import DataError
from trader.records import replace

_COMMENT_LINES_MAX = 5
_COMMENT = ("#", "http://", "https://", "www.", "sep=", '"http')


def past_header(header: Header, block: bytes) -> bytes:
    """A part's first block without the lines before its first bar."""
    begin = 0
    for _ in range(header.lines):
        begin = block.index(b"\n", begin) + 1
    return block[begin:]


def header_for(part: Part, block: bytes, base: str = "", columns: str | None = None) -> Header:
    """Which column is which: as the caller says, as names say, or as the numbers prove.

    Args:
        block: the part's first block. base: the base coin where it is known.
        columns: names in the file's order, whatever a header says.

    Raises DataError; UsageError for `columns` that do not fit.
    """
    lines = _texts(part, block)
    skipped = 0
    if part.form == "text":
        while skipped < min(_COMMENT_LINES_MAX, len(lines) - 1) and (
            lines[skipped].lower().startswith(_COMMENT)
        ):
            skipped += 1
    first = lines[skipped]
    delimiter = max(
        DELIMITERS, key=lambda mark: (known_names(names_of(first, mark)), first.count(mark))
    )
    has_header = part.names is None and known_names(names_of(first, delimiter)) > 0
    where = part.place(skipped + 1) if part.form == "text" else part.where
    if columns is not None:
        found = named_columns(where, columns, first.count(delimiter) + 1, delimiter)
        return _at(found, skipped + has_header, "columns")
    if part.day_ms is not None and not has_header and first.count(",") == USUAL.count(","):
        return _at(named_columns(where, USUAL, first.count(",") + 1, ","), skipped, "LEAN")
    if part.names is not None:
        found = header_of(where, part.names, lines, ",", base)
        return _at(found, 0, "header")
    if has_header:
        rest = lines[skipped + 1 :]
        return _at(
            header_of(where, names_of(first, delimiter), rest, delimiter, base),
            skipped + 1,
            "header",
        )
    if not first[:1].strip('"').isdigit() and not first[1:2].isdigit():
        raise DataError(
            f"{where}: no header line with known column names",
            f"line 1 must name the columns: {EXPECTED}",
        )
    found = layout_of(where, lines[skipped:])
    return _at(found, skipped, found.layout)


def _texts(part: Part, block: bytes) -> list[str]:
    try:
        return block.decode().split("\n")[:-1]
    except UnicodeError:
        raise DataError(
            f"bar file {part.where} is not UTF-8 or UTF-16 text",
            "give a CSV or CSV.gz file, saved as UTF-8",
        ) from None


def _at(header: Header, lines: int, layout: str) -> Header:
    return replace(header, lines=lines, layout=layout)
