"""What a cycle makes of the bars that a venue tells: sound rows, and every problem by code.

Lives here: the judgement of single rows and their order. Must not live here: freshness, gaps in a
window (a snapshot judges those) and fetching.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from trader.bars.stamps import utc_text
from trader.bars.ticks import BarTextError, FixedTicks, OffTickError, plain_volume
from trader.core.series import Series, build_series
from trader.domain.timeframe import bar_open_ms
from trader.records import dataclass


class RawRow(Protocol):
    """One bar as a venue told it: prices and volume as text; None where it told nothing."""

    @property
    def open_ms(self) -> int:
        """Open time, UTC epoch ms."""
        ...

    @property
    def open(self) -> str | None:
        """First price."""
        ...

    @property
    def high(self) -> str | None:
        """Highest price."""
        ...

    @property
    def low(self) -> str | None:
        """Lowest price."""
        ...

    @property
    def close(self) -> str | None:
        """Last price."""
        ...

    @property
    def volume(self) -> str | None:
        """Base coins."""
        ...


class CleanRow(NamedTuple):
    """A sound bar: prices in ticks, volume as exact plain text (base coins)."""

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: str


class BarCode(StrEnum):
    """What can be wrong with bars. The first two are notes: the rows are used all the same."""

    BAR_REPEATED = "BAR_REPEATED"
    """The same bar was told twice with equal values; one is kept."""
    BAR_ORDER = "BAR_ORDER"
    """Bars were not oldest first; they were sorted."""
    BAR_CONTRADICTION = "BAR_CONTRADICTION"
    """Two different bars for one open time; none of them is used."""
    BAR_IMPOSSIBLE = "BAR_IMPOSSIBLE"
    """No number, not above zero, a negative volume, or high and low that do not hold the rest."""
    BAR_OFF_GRID = "BAR_OFF_GRID"
    """The bar does not open on its timeframe's UTC grid."""
    BAR_OFF_TICK = "BAR_OFF_TICK"
    """A price is no multiple of the instrument's tick, or does not fit in ticks."""


NOTES = frozenset((BarCode.BAR_REPEATED, BarCode.BAR_ORDER))


@dataclass(frozen=True, slots=True)
class BarProblem:
    """One finding about the bar that opens at `open_ms`; `text` is for people."""

    code: BarCode
    open_ms: int
    text: str

    @property
    def is_note(self) -> bool:
        """True when the finding takes nothing away: no row was left out that held news."""
        return self.code in NOTES


def judge_rows(
    rows: Iterable[RawRow], step_ms: int, tick: Decimal
) -> tuple[list[CleanRow], list[BarProblem]]:
    """(sound rows, oldest first, each open time once; every problem, oldest first).

    Rows with a problem that is not a note are left out: whether the rest is enough is the
    caller's decision. Never raises for what the rows hold.
    """
    ticks = FixedTicks(tick)
    problems: list[BarProblem] = []
    found: dict[int, CleanRow] = {}
    doubtful: set[int] = set()
    newest = -1
    for raw in rows:
        row = _read(raw, step_ms, ticks)
        if raw.open_ms < newest:
            problems.append(_problem(BarCode.BAR_ORDER, raw.open_ms, "came after a later bar"))
        newest = max(newest, raw.open_ms)
        if isinstance(row, BarProblem):
            problems.append(row)
            doubtful.add(raw.open_ms)
            continue
        before = found.setdefault(row.open_ms, row)
        if before is row:
            continue
        if before == row:
            problems.append(_problem(BarCode.BAR_REPEATED, row.open_ms, "was told twice"))
            continue
        doubtful.add(row.open_ms)
        text = f"was told in two ways: {_values(before)} and {_values(row)} (ticks)"
        problems.append(_problem(BarCode.BAR_CONTRADICTION, row.open_ms, text))
    clean = [found[at] for at in sorted(found) if at not in doubtful]
    return clean, sorted(problems, key=lambda problem: (problem.open_ms, problem.code))


def series_of(symbol: str, step_ms: int, tick: Decimal, rows: Iterable[CleanRow]) -> Series:
    """Clean rows as columns, volume as float64; ValueError when `open_ms` does not increase."""
    floats = ((*row[:5], float(row.volume)) for row in rows)
    return build_series(symbol, step_ms, tick, floats)


def _read(raw: RawRow, step_ms: int, ticks: FixedTicks) -> CleanRow | BarProblem:
    at_ms = raw.open_ms
    if at_ms < 0 or bar_open_ms(at_ms, step_ms) != at_ms:
        return _problem(BarCode.BAR_OFF_GRID, at_ms, f"is off the grid of {step_ms} ms")
    try:
        opened = ticks[raw.open or ""]
        high = ticks[raw.high or ""]
        low = ticks[raw.low or ""]
        close = ticks[raw.close or ""]
        volume = plain_volume(raw.volume or "")
    except OffTickError as error:
        return _problem(BarCode.BAR_OFF_TICK, at_ms, str(error))
    except BarTextError as error:
        return _problem(BarCode.BAR_IMPOSSIBLE, at_ms, str(error))
    if low > min(opened, close) or high < max(opened, close):
        text = f"open {raw.open} high {raw.high} low {raw.low} close {raw.close}"
        return _problem(BarCode.BAR_IMPOSSIBLE, at_ms, text)
    return CleanRow(at_ms, opened, high, low, close, volume)


def _values(row: CleanRow) -> str:
    return f"{row.open} {row.high} {row.low} {row.close} {row.volume}"


def _problem(code: BarCode, open_ms: int, text: str) -> BarProblem:
    return BarProblem(code, open_ms, f"bar {utc_text(open_ms)} {text}")
