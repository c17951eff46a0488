"""Whose page is it: the database file's pages by the table or index they belong to.

Lives here: a walk over the b-trees of a database file, so that `verify` can name what a damaged
page holds. It gives up on what it cannot follow: telling what is wrong is not its task. Source:
"Database File Format" of sqlite.org.
"""

from __future__ import annotations

import struct

from trader.journal.schema import PAGE_BYTES

FILE_HEADER_BYTES = 100
TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER = 0x0D, 0x05, 0x0A, 0x02
# How much of a payload stays in the page, from the format's page (usable size is the page size).
_LOCAL_MAX_TABLE = PAGE_BYTES - 35
_LOCAL_MAX_INDEX = (PAGE_BYTES - 12) * 64 // 255 - 23
_LOCAL_MIN = (PAGE_BYTES - 12) * 32 // 255 - 23


def page_owners(data: bytes, roots: dict[str, int]) -> dict[int, str]:
    """Table or index of each page that can be reached from `roots` (name -> root page).

    `data` is the whole file; page 1 belongs to the schema.
    """
    owners: dict[int, str] = {}
    for owner, root in {"schema": 1, **roots}.items():
        waiting = [root]
        while waiting:
            number = waiting.pop()
            page = data[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
            if number in owners or number < 1 or len(page) < PAGE_BYTES:
                continue
            owners[number] = owner
            try:
                inner, overflows = _follow(page, FILE_HEADER_BYTES if number == 1 else 0)
            except (struct.error, IndexError):
                continue
            waiting += inner
            for first in overflows:
                _claim_chain(data, first, owner, owners)
    return owners


def _follow(page: bytes, start: int) -> tuple[list[int], list[int]]:
    """Pages below this one, and first pages of the overflow chains of its cells."""
    kind = page[start]
    if kind not in {TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER}:
        return [], []
    inner = kind in {TABLE_INNER, INDEX_INNER}
    (cells,) = struct.unpack_from(">H", page, start + 3)
    pointers = struct.unpack_from(f">{cells}H", page, start + (12 if inner else 8))
    below: list[int] = []
    if inner:
        below = [struct.unpack_from(">I", page, at)[0] for at in (start + 8, *pointers)]
    if kind == TABLE_INNER:
        return below, []
    chains = [_overflow(page, kind, at + (4 if inner else 0)) for at in pointers]
    return below, [first for first in chains if first]


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """A varint (of a size or rowid that fits 56 bits) and where it ends."""
    value = 0
    while page[at] & 0x80:
        value = (value | page[at] & 0x7F) << 7
        at += 1
    return value | page[at], at + 1


def _overflow(page: bytes, kind: int, at: int) -> int:
    """First overflow page of the cell whose payload size stands at `at`; 0 when it has none."""
    size, at = _varint(page, at)
    if kind == TABLE_LEAF:
        at = _varint(page, at)[1]
    most = _LOCAL_MAX_TABLE if kind == TABLE_LEAF else _LOCAL_MAX_INDEX
    if size <= most:
        return 0
    local = _LOCAL_MIN + (size - _LOCAL_MIN) % (PAGE_BYTES - 4)
    return int(struct.unpack_from(">I", page, at + (local if local <= most else _LOCAL_MIN))[0])


def _claim_chain(data: bytes, number: int, owner: str, owners: dict[int, str]) -> None:
    while number and number not in owners and number * PAGE_BYTES <= len(data):
        owners[number] = f"{owner}, overflow"
        (number,) = struct.unpack_from(">I", data, (number - 1) * PAGE_BYTES)
