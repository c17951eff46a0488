# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Run kernels: loops that turn rows into runs, and pick numbers at rows.

Lives here: what `own_signals` does once for every row or every signal. Runs are flat pairs
[start, stop) of rows. Must not live here: what a row means.
"""

from __future__ import annotations

from typing import Any, TypeAlias

# Columns: int64 times and ticks, int32 rows, int8 flags, float64; arrays or views.
Ticks: TypeAlias = Any
Ints: TypeAlias = Any
Floats: TypeAlias = Any

PPM = 1_000_000


def flag_runs(flags: Ints, first: int, at: int, stop: int, value: int, out: Ints) -> int:
    """Flat runs of rows [at, stop) whose flag is a value; how many ints. `flags` begins at row
    `first`; `out` holds one int for each row and one more."""
    told = 0
    i = at
    while i < stop:
        if flags[i - first] != value:
            i += 1
            continue
        out[told] = i
        while i < stop and flags[i - first] == value:
            i += 1
        out[told + 1] = i
        told += 2
    return told


def run_offsets(runs: Ints, out: Ints) -> int:
    """out[k]: rows of the runs before run k; the rows of all of them."""
    total = 0
    for k in range(len(runs) // 2):
        out[k] = total
        total += runs[2 * k + 1] - runs[2 * k]
    return total


def rows_within(runs: Ints, at: int, start: int, stop: int) -> int:
    """How many rows of [start, stop) lie in the runs from index `at` on."""
    total = 0
    last = len(runs)
    while at < last and runs[at] < stop:
        begin = runs[at] if runs[at] > start else start
        end = runs[at + 1] if runs[at + 1] < stop else stop
        if begin < end:
            total += end - begin
        at += 2
    return total


def row_list(runs: Ints, out: Ints) -> None:
    """Every row of the runs, in order."""
    place = 0
    for k in range(len(runs) // 2):
        for row in range(runs[2 * k], runs[2 * k + 1]):
            out[place] = row
            place += 1


def picked_ticks(a: Ticks, rows: Ints, out: Ints) -> None:
    """out[k] = a[rows[k]]."""
    for k in range(len(rows)):
        out[k] = a[rows[k]]


def picked_floats(a: Floats, first: int, rows: Ints, start: int, stop: int, out: Floats) -> None:
    """out[k] = a[rows[k] - first] for k in [start, stop)."""
    for k in range(start, stop):
        out[k] = a[rows[k] - first]


def bad_places(column: Floats, least: float, most: float, bad: Ints) -> int:
    """Mark with 1 where a number is not above `least` and below `most`, or no number; how many
    there are in the column."""
    count = 0
    for k in range(len(column)):
        if not least < column[k] < most:
            bad[k] = 1
            count += 1
    return count


def row_runs(rows: Ints, out: Ints) -> int:
    """Flat runs of increasing rows, joined where they touch; how many ints."""
    told = 0
    for k in range(len(rows)):
        if told and out[told - 1] == rows[k]:
            out[told - 1] = rows[k] + 1
        else:
            out[told] = rows[k]
            out[told + 1] = rows[k] + 1
            told += 2
    return told


def drop_in(rows: Ints, runs: Ints, dropped: Ints) -> int:
    """Mark with 1 the rows that lie in the runs; how many."""
    count = 0
    j = 0
    last = len(runs)
    for k in range(len(rows)):
        while j < last and runs[j + 1] <= rows[k]:
            j += 2
        if j < last and runs[j] <= rows[k]:
            dropped[k] = 1
            count += 1
    return count


def kept_ints(a: Ints, dropped: Ints, out: Ints) -> None:
    """What is not dropped, in order."""
    place = 0
    for k in range(len(a)):
        if not dropped[k]:
            out[place] = a[k]
            place += 1


def kept_floats(a: Floats, dropped: Ints, out: Floats) -> None:
    """What is not dropped, in order."""
    place = 0
    for k in range(len(a)):
        if not dropped[k]:
            out[place] = a[k]
            place += 1


def missing_rows(
    opens: Ticks, first: int, at: int, stop: int, start_ms: int, step_ms: int, limit_ppm: int,
    exact: int, out: Ints,
) -> int:  # fmt: skip
    """By row of [at, stop), whether too many bars are absent from its window, which is asked for
    from `start_ms` on and begins at row `first`: 0 no, 1 there are holes, 2 it is too short; how
    many are not 0. `exact`: where the series starts does not matter. See `signals.missing`."""
    found = 0
    for i in range(at, stop):
        there = i + 1 - first
        wanted = (opens[i] - start_ms) // step_ms + 1
        out[i - at] = 0
        if (wanted - there) * PPM // wanted <= limit_ppm:
            continue
        since = (opens[i] - opens[first]) // step_ms + 1
        if (since - there) * PPM // since > limit_ppm:
            out[i - at] = 1
            found += 1
        elif not exact:
            out[i - at] = 2
            found += 1
    return found
