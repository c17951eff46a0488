"""What a row of the tables of broken policies is. Must not live here: rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One broken file: its name, its text, "line CODE key" of every problem in order, and a part
    of the first message."""

    file: str
    text: str | bytes
    expected: list[str]
    part: str


def rows_of(file: str, rows: Iterable[tuple[str | bytes, list[str], str]]) -> list[Row]:
    """Rows of one file."""
    return [Row(file, text, expected, part) for text, expected, part in rows]
