"""Several tables of one instrument -> one: daily files, members of an archive, pages that overlap.

Lives here: putting columns one behind the other. A bar that two tables tell alike is kept once and
counted; one that they tell differently is refused, and both are named. Must not live here: reading.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TypeAlias

from trader.bars.stamps import utc_text
from trader.core.money import AMOUNT_MAX
from trader.core.row_text import scale_by
from trader.errors import DataError
from trader.records import dataclass

Columns: TypeAlias = (
    "tuple[array[int], array[int], array[int], array[int], array[int], array[float]]"
)


@dataclass(slots=True)
class Table:
    """The bars of one part, oldest first.

    Attributes:
        where: what a refusal names.
        columns: open_ms, open, high, low, close (ticks of 10**-digits, or of a given tick) and
            volume. digits: decimals of the tick; alike in all tables where the tick is given.
    """

    where: str
    columns: Columns
    digits: int


def join(tables: list[Table]) -> tuple[Columns, int, int]:
    """(columns, digits, bars that were told more than once), from at least one table.

    The tables are emptied on the way. Raises DataError.
    """
    digits = max(table.digits for table in tables)
    tables.sort(key=lambda table: table.columns[0][0])
    spans: list[tuple[int, int, str]] = []
    joined: Columns | None = None
    repeated = 0
    while tables:
        table = tables.pop(0)
        columns = _rescaled(table, digits)
        span = (columns[0][0], columns[0][-1], table.where)
        if joined is None:
            joined = columns
        elif columns[0][0] > joined[0][-1]:
            for whole, more in zip(joined, columns, strict=True):
                whole.frombytes(memoryview(more).cast("B"))
        else:
            repeated += _merge(joined, columns, spans, table.where)
        spans.append(span)
    assert joined is not None
    return joined, digits, repeated


def _rescaled(table: Table, digits: int) -> Columns:
    if table.digits == digits:
        return table.columns
    times = 10 ** (digits - table.digits)
    _, opened, high, low, close, _ = table.columns
    if max(high) * times >= AMOUNT_MAX:
        raise DataError(
            f"{table.where}: its prices do not fit in 64 bits beside the {digits} decimals of "
            "the other files",
            "round the prices, or name the tick",
        )
    for column in (opened, high, low, close):
        scale_by(column, times)
    return table.columns


def _merge(joined: Columns, more: Columns, spans: list[tuple[int, int, str]], where: str) -> int:
    """Put bars into what overlaps them; how many were there already."""
    at = bisect_left(joined[0], more[0][0])
    tail = [_row(joined, i) for i in range(at, len(joined[0]))]
    known = {row[0]: row for row in tail}
    rows = [_row(more, i) for i in range(len(more[0]))]
    repeated = 0
    for row in rows:
        before = known.get(row[0])
        if before is None:
            known[row[0]] = row
        elif before == row:
            repeated += 1
        else:
            other = next(name for first, last, name in spans if first <= row[0] <= last)
            raise DataError(
                f"{other} and {where} disagree about the bar of {utc_text(row[0])}: "
                f"{_text(before)} and {_text(row)} (open high low close in ticks, volume)",
                "remove the one that is wrong, or fetch the bars again",
            )
    for column in joined:
        del column[at:]
    for at_ms in sorted(known):
        for column, value in zip(joined, known[at_ms], strict=True):
            column.append(value)  # pyright: ignore[reportArgumentType]  ints and a float, by place
    return repeated


def _row(columns: Columns, index: int) -> tuple[int, int, int, int, int, float]:
    opens, opened, high, low, close, volume = columns
    return opens[index], opened[index], high[index], low[index], close[index], volume[index]


def _text(row: tuple[int, int, int, int, int, float]) -> str:
    return " ".join(str(value) for value in row[1:])
