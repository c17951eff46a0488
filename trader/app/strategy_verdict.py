"""What a check says of a strategy file: codes, the verdict, and when two answers are the same.

Lives here: plain values and comparisons of columns. Must not live here: how answers are obtained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isnan
from typing import Any

from trader.records import dataclass

Columns = Mapping[str, Sequence[float]]

# Code -> what it means; the documents are checked against it.
CODES: dict[str, str] = {
    "LOOKS_AHEAD": "a value changes when bars after it are cut off or changed",
    "WARMUP_SHORT": "a value still depends on where the window starts; more warm-up would mend it",
    "HISTORY_LENGTH": "a value depends on where the window starts, however much came before",
    "HIDDEN_STATE": "a value depends on what was asked before",
    "RANDOM": "two fresh processes answer differently, or chance decides",
    "CLOCK": "a value depends on the time of day at which it is asked",
    "HASH_ORDER": "a value depends on the order of a set or of hashes",
    "REACHES_OUT": "a file, socket, process or thread was asked for",
    "WARMUP_INVALID": "warmup(p) is not a whole number of bars, or not always the same",
    "SHAPE": "a column is missing or not as long as the bars",
    "PRINTS": "something was written to standard output",
    "FAILS": "an exception ended the evaluation",
    "LOST": "it ran out of time or memory, or its process died",
}
# With these the strategy is wrong wherever it runs; the others show while it runs, and switch it
# off then.
REFUSED = frozenset(
    {
        "LOOKS_AHEAD",
        "WARMUP_SHORT",
        "HISTORY_LENGTH",
        "HIDDEN_STATE",
        "RANDOM",
        "CLOCK",
        "HASH_ORDER",
        "REACHES_OUT",
        "WARMUP_INVALID",
    }
)
REQUIRED = ("enter", "exit", "stop")
CONDITIONS = frozenset({"enter", "exit"})
# Of a column's own range: what a fading start may leave (e**-10 of it, doubled twice).
RESIDUAL = 2e-4
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked.

    Attributes:
        numbers: its parameters; None: the file's own. step_ms: length of its bars.
        anchor_bars: the anchor block; windows are as long as a decision's.
        required: columns it must return.
    """

    name: str
    text: str
    numbers: Mapping[str, float | int] | None
    step_ms: int
    anchor_bars: int
    required: tuple[str, ...] = REQUIRED


@dataclass(frozen=True, slots=True)
class Difference:
    """The first value that differs: `row` within the longer window, and both values."""

    row: int
    column: str
    expected: float
    found: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Attributes:
        code: "" when nothing was found, else one of CODES. said: a sentence.
        market: the bars it was found on. at_ms: open time of the first bar that differs; -1: none.
        column, expected, found: what differs there, as text.
        warmup: declared, bars; -1 when it could not be told.
        evaluations: how many times signals() was asked. notes: what is worth knowing besides.
        printed: what it wrote to standard output, cut.
    """

    code: str
    said: str
    market: str = ""
    at_ms: int = -1
    column: str = ""
    expected: str = ""
    found: str = ""
    warmup: int = -1
    evaluations: int = 0
    notes: tuple[str, ...] = ()
    printed: str = ""

    @property
    def passed(self) -> bool:
        """Nothing was found."""
        return not self.code

    @property
    def refused(self) -> bool:
        """Neither a cycle nor a back-test runs it."""
        return self.code in REFUSED

    def row(self) -> dict[str, Any]:
        """As JSON-able data; `verdict_of` reads it."""
        return {
            "code": self.code,
            "said": self.said,
            "market": self.market,
            "at_ms": self.at_ms,
            "column": self.column,
            "expected": self.expected,
            "found": self.found,
            "warmup": self.warmup,
            "evaluations": self.evaluations,
            "notes": list(self.notes),
            "printed": self.printed,
        }


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """The verdict that `row` gave; KeyError, TypeError or ValueError when it is not that."""
    if row["code"] not in {"", *CODES}:
        raise ValueError(f"unknown code {row['code']!r}")
    return Verdict(
        str(row["code"]),
        str(row["said"]),
        str(row["market"]),
        int(row["at_ms"]),
        str(row["column"]),
        str(row["expected"]),
        str(row["found"]),
        int(row["warmup"]),
        int(row["evaluations"]),
        tuple(str(note) for note in row["notes"]),
        str(row["printed"]),
    )


def exact_difference(
    expected: Columns, found: Columns, first: int, stop: int, shift: int = 0
) -> Difference | None:
    """First row in [first, stop) where two answers are not the same number; `shift` is added to a
    row of `expected` to find it in `found`. A column that is only in one of them differs at once.
    """
    best: Difference | None = None
    for name in sorted({*expected, *found}):
        mine, theirs = expected.get(name), found.get(name)
        if mine is None or theirs is None or min(len(mine), len(theirs) - shift) < stop:
            return Difference(first, name, float(len(mine or ())), float(len(theirs or ())))
        stop_here = stop if best is None else best.row
        row = _first_other(mine, theirs, first, stop_here, shift)
        if row >= 0:
            best = Difference(row, name, mine[row], theirs[row + shift])
    return best


def _first_other(
    mine: Sequence[float], theirs: Sequence[float], first: int, stop: int, shift: int
) -> int:
    for row in range(first, stop):
        one, other = mine[row], theirs[row + shift]
        if one != other and not (isnan(one) and isnan(other)):
            return row
    return -1


def near_difference(
    expected: Columns, found: Columns, first: int, stop: int, shift: int
) -> list[Difference]:
    """Rows in [first, stop) where two answers differ by more than a start that has faded leaves:
    at most one for each column."""
    differences: list[Difference] = []
    for name in sorted({*expected} & {*found}):
        mine, theirs = expected[name], found[name]
        margin = 0.0 if name in CONDITIONS else RESIDUAL * _range(mine)
        for row in range(first, stop):
            one, other = mine[row], theirs[row + shift]
            if not _close(one, other, margin, condition=name in CONDITIONS):
                differences.append(Difference(row, name, one, other))
                break
    return differences


def _close(one: float, other: float, margin: float, *, condition: bool) -> bool:
    if one == other or (isnan(one) and isnan(other)):
        return True
    if isnan(one) or isnan(other):
        return False
    if condition:
        return bool(one) == bool(other)
    return abs(one - other) <= margin + ROUNDING * max(abs(one), abs(other))


def state_of(column: str, value: float) -> str:
    """What a condition says, or whether another column has a number there."""
    if isnan(value):
        return "nan"
    return str(bool(value)) if column in CONDITIONS else "number"


def settles(column: str, values: Sequence[float], answer: Sequence[float]) -> bool:
    """Whether a value, with more and more history before it, comes to rest: the last three are one,
    or each step is at most half of the one before. `answer`: the column, for its range."""
    margin = 0.0 if column in CONDITIONS else RESIDUAL * _range(answer)
    last = values[-3:]
    if all(_close(last[0], value, margin, condition=column in CONDITIONS) for value in last[1:]):
        return True
    steps = [abs(after - before) for before, after in pairwise(values)]
    return column not in CONDITIONS and all(b <= 0.5 * a for a, b in pairwise(steps))


def _range(column: Sequence[float]) -> float:
    numbers = [value for value in column if abs(value) < float("inf")]
    return max(numbers) - min(numbers) if numbers else 0.0


def turns(column: Sequence[float], first: int) -> list[int]:
    """Rows from `first` on where a condition begins or ends to hold."""
    return [
        row
        for row in range(max(1, first), len(column))
        if _holds(column[row]) != _holds(column[row - 1])
    ]


def holding(column: Sequence[float], first: int) -> list[int]:
    """Rows from `first` on where a condition holds."""
    return [row for row in range(first, len(column)) if _holds(column[row])]


def _holds(value: float) -> bool:
    return bool(value) and not isnan(value)


def shown(column: str, value: float) -> str:
    """A value as people read it."""
    if isnan(value):
        return "nan"
    return ("yes" if value else "no") if column in CONDITIONS else repr(value)


def spread(items: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly spread."""
    if len(items) <= most:
        return list(items)
    return [items[index * (len(items) - 1) // (most - 1)] for index in range(most)]
