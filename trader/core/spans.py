"""Spans: sets of rows as flat runs [start, stop), increasing and disjoint.

Lives here: what is asked of such runs and how two of them are put together. Must not live here:
what the rows are.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import TypeAlias

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
    at, total = bisect_right(runs, start) // 2 * 2, 0
    while at < len(runs) and runs[at] < stop:
        total += max(0, min(runs[at + 1], stop) - max(runs[at], start))
        at += 2
    return total


def add_run(runs: Spans, start: int, stop: int) -> None:
    """Put a run behind the others; it is joined to the last one where they touch."""
    if start >= stop:
        return
    if len(runs) and runs[-1] == start:
        runs[-1] = stop
    else:
        runs.append(start)
        runs.append(stop)


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
    if not len(less):
        return runs
    made = no_spans()
    for i in range(0, len(runs), 2):
        start, stop = runs[i], runs[i + 1]
        at = bisect_right(less, start) // 2 * 2
        while start < stop and at < len(less) and less[at] < stop:
            if start < less[at]:
                made.extend((start, less[at]))
            start = max(start, less[at + 1])
            at += 2
        if start < stop:
            made.extend((start, stop))
    return made
