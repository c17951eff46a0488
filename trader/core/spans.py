"""Spans: sets of rows as flat runs [start, stop), increasing and disjoint.

Lives here: what is asked of such runs and how two of them are put together. Must not live here:
what the rows are.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeAlias

from trader.core.run_kernels import rows_within

Spans: TypeAlias = "array[int]"


def no_spans() -> Spans:
    """No rows."""
    return array("i")


def found_in(runs: Spans, row: int) -> int:
    """Index of the run that holds a row; -1 when none does."""
    at = bisect_right(runs, row)
    return at // 2 if at % 2 else -1


def covered(runs: Spans, start: int, stop: int) -> int:
    """How many rows of [start, stop) lie in runs."""
    return rows_within(runs, bisect_right(runs, start) // 2 * 2, start, stop)


def add_run(runs: Spans, start: int, stop: int) -> None:
    """Put a run behind the others; it is joined to the last one where they touch."""
    if start >= stop:
        return
    if len(runs) and runs[-1] == start:
        runs[-1] = stop
    else:
        runs.append(start)
        runs.append(stop)


def add_runs(runs: Spans, told: Spans, count: int) -> None:
    """Put flat runs, the first `count` ints of `told`, behind the others."""
    if not count:
        return
    begun = 0
    if len(runs) and runs[-1] == told[0]:
        runs[-1] = told[1]
        begun = 2
    runs.extend(told[begun:count])


def joined(runs: Iterable[tuple[int, int]]) -> Spans:
    """Runs in any order, which may overlap, as flat runs."""
    made = no_spans()
    for start, stop in sorted(runs):
        if len(made) and start <= made[-1]:
            made[-1] = max(made[-1], stop)
        elif start < stop:
            made.extend((start, stop))
    return made


def minus(runs: Spans, less: Spans) -> Spans:
    """Rows of `runs` that are not in `less`; runs that touch each other stay apart."""
    made = no_spans()
    at = 0  # the first run that was not taken over yet
    for i in range(0, len(less), 2):
        clear = bisect_right(runs, less[i]) // 2 * 2
        made.extend(runs[at:clear])
        at = max(at, clear)
        while at < len(runs) and runs[at] < less[i + 1]:
            start, stop = runs[at], runs[at + 1]
            made.extend(_cut(start, stop, less, i))
            at += 2
    made.extend(runs[at:])
    return made


def _cut(start: int, stop: int, less: Spans, at: int) -> list[int]:
    """What the runs of `less` from index `at` on leave of [start, stop)."""
    left: list[int] = []
    while start < stop and at < len(less) and less[at] < stop:
        if start < less[at]:
            left += (start, less[at])
        start = max(start, less[at + 1])
        at += 2
    if start < stop:
        left += (start, stop)
    return left
