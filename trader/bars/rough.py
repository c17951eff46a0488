"""A bar file that was refused, read as far as it goes: to say what is wrong with it, all of it.

Lives here: counting what is wrong with rows, by kind, with the first lines of each, and the bars
that are left. Such bars are for looking at; nothing is decided on them. Must not live here: the
reading of sound files (`load`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import islice
from math import isfinite
from operator import sub
from pathlib import Path

from trader.bars.dialect import header_for, past_header
from trader.bars.header import Header
from trader.bars.names import STEPS_MS, symbols_in, timeframes_in
from trader.bars.source import Part, parts_of
from trader.bars.stamps import STAMP_MS_MAX, StampColumn, utc_text
from trader.bars.ticks import BarTextError, clean, shortened, split_number
from trader.core.money import AMOUNT_MAX
from trader.core.series import BarRow, Series, build_series
from trader.domain.timeframe import bar_open_ms
from trader.errors import DataError
from trader.records import dataclass, field

EXAMPLES_MAX = 3
DIGITS_MAX = 12
KINDS = (
    "unreadable",
    "impossible",
    "off_grid",
    "backward_steps",
    "repeated",
    "contradictions",
)


@dataclass(slots=True)
class Faults:
    """What is wrong with rows.

    Attributes:
        rows: lines that should be bars. counts: by kind (KINDS). overlaps: stretches of rows that
            go back over times which were there before, as pages that overlap leave them.
        examples: by kind, `line N: what` of the first few.
    """

    rows: int = 0
    overlaps: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    examples: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def faulty(self) -> int:
        """Rows with a fault; a repeated one that also steps back counts once."""
        counts = self.counts
        doubled = counts["repeated"] + counts["contradictions"]
        rows = counts["unreadable"] + counts["impossible"] + counts["off_grid"]
        return rows + max(doubled, counts["backward_steps"])

    def note(self, kind: str, number: int, what: str) -> None:
        """One fault of one line."""
        self.counts[kind] += 1
        shown = self.examples.setdefault(kind, [])
        if len(shown) < EXAMPLES_MAX:
            shown.append(f"line {number}: {what}")


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    open_ms: int
    prices: tuple[tuple[int, int], ...]
    volume: float


def read_roughly(
    path: Path, symbol: str | None, timeframe: str | None, columns: str | None = None
) -> tuple[Series | None, Faults]:
    """(the bars that are sound, oldest first, None when there are none; what is wrong).

    Raises DataError for what is no text with a header that can be read.
    """
    faults = Faults()
    rows = _in_order(_rows(path, columns, faults), faults)
    known: dict[int, _Row] = {}
    doubtful: set[int] = set()
    for row in rows:
        before = known.setdefault(row.open_ms, row)
        if before is row:
            continue
        if (before.prices, before.volume) == (row.prices, row.volume):
            faults.note("repeated", row.number, f"{utc_text(row.open_ms)} is there twice")
            continue
        doubtful.add(row.open_ms)
        what = f"{utc_text(row.open_ms)} is another bar than in line {before.number}"
        faults.note("contradictions", row.number, what)
    sound = [known[at] for at in sorted(known) if at not in doubtful]
    step_ms = _step_of([row.open_ms for row in sound], timeframe or _named(path))
    if step_ms is None:
        return None, faults
    grid = [row for row in sound if _on_grid(row, step_ms, faults)]
    names = symbols_in(path.name)
    return _series(grid, symbol or (names[0] if len(names) == 1 else "?/?"), step_ms), faults


def _rows(path: Path, columns: str | None, faults: Faults) -> Iterator[_Row]:
    with closing(parts_of(path)) as parts:
        for part in parts:
            yield from _rows_of(part, columns, faults)


def _rows_of(part: Part, columns: str | None, faults: Faults) -> Iterator[_Row]:
    header: Header | None = None
    stamps, number = StampColumn("timestamp"), 0
    for block in part.blocks:
        body = block
        if header is None:
            header = header_for(part, block, columns=columns)
            stamps = StampColumn(header.time_name, part.day_ms)
            number, body = header.lines, past_header(header, block)
        yield from _rows_in(header, stamps, number, body, faults)
        number += body.count(b"\n")


def _rows_in(
    header: Header, stamps: StampColumn, number: int, body: bytes, faults: Faults
) -> Iterator[_Row]:
    for line in body.decode(errors="replace").split("\n")[:-1]:
        number += 1
        row = _row(header, stamps, number, line, faults) if line.strip() else None
        if row is not None:
            yield row


def _row(
    header: Header, stamps: StampColumn, number: int, line: str, faults: Faults
) -> _Row | None:
    faults.rows += 1
    cells = line.split(header.delimiter)
    try:
        if len(cells) != header.width:
            raise BarTextError(f"{len(cells)} columns where the header has {header.width}")
        open_ms = stamps.read_one(cells[header.time])
        if not 0 <= open_ms < STAMP_MS_MAX:
            raise BarTextError(f"time {clean(cells[header.time])} is not after 1970")
        prices = [shortened(*split_number(cells[index]))[:2] for index in header.values[:4]]
        number_of, decimals = split_number(cells[header.values[4]])
        volume = number_of / 10**decimals
    except (BarTextError, OverflowError) as error:
        faults.note("unreadable", number, str(error))
        return None
    opened, high, low, close = (n * 10 ** (DIGITS_MAX * 4 - d) for n, d in prices)
    if not (0 < low <= min(opened, close) and high >= max(opened, close) and isfinite(volume)):
        said = " ".join(clean(cells[index]) for index in header.values[:4])
        faults.note("impossible", number, f"open high low close {said}")
        return None
    return _Row(number, open_ms, tuple(prices), volume)


def _in_order(rows: Iterator[_Row], faults: Faults) -> list[_Row]:
    """The rows, with steps back and overlapping stretches counted."""
    found: list[_Row] = []
    newest, last, inside = -1, -1, False
    for row in rows:
        found.append(row)
        if row.open_ms < last:
            what = f"{utc_text(row.open_ms)} stands after {utc_text(last)}"
            faults.note("backward_steps", row.number, what)
        back = row.open_ms <= newest
        faults.overlaps += back and not inside
        inside, last, newest = back, row.open_ms, max(newest, row.open_ms)
    return found


def _named(path: Path) -> str | None:
    names = timeframes_in(path.name)
    return names[0] if len(names) == 1 else None


def _step_of(opens: list[int], named: str | None) -> int | None:
    """The named length of a bar, else the commonest distance that is one."""
    if named in STEPS_MS:
        return STEPS_MS[named]
    counts: dict[int, int] = {}
    for distance in map(sub, islice(opens, 1, None), opens):
        counts[distance] = counts.get(distance, 0) + 1
    known = [ms for ms in counts if ms in STEPS_MS.values()]
    return max(known, key=lambda ms: (counts[ms], -ms), default=None)


def _on_grid(row: _Row, step_ms: int, faults: Faults) -> bool:
    if bar_open_ms(row.open_ms, step_ms) == row.open_ms:
        return True
    faults.note("off_grid", row.number, f"{utc_text(row.open_ms)} is off the UTC grid")
    return False


def _series(rows: list[_Row], symbol: str, step_ms: int) -> Series | None:
    if not rows:
        return None
    digits = max(decimals for row in rows for _, decimals in row.prices)
    highest = max(n * 10 ** max(0, digits - d) for row in rows for n, d in row.prices)
    if highest >= AMOUNT_MAX:
        raise DataError(
            f"prices with {digits} decimals do not fit in 64 bits", "round the file's prices"
        )
    return build_series(
        symbol, step_ms, Decimal(1).scaleb(-digits), (_bar(row, digits) for row in rows)
    )


def _bar(row: _Row, digits: int) -> BarRow:
    opened, high, low, close = (n * 10 ** (digits - decimals) for n, decimals in row.prices)
    return (row.open_ms, opened, high, low, close, row.volume)
