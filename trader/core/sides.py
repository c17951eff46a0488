# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Sides: on which side of each other two means of prices are, row by row, told by whole ticks.

Lives here: for comparisons and crosses of `close`, `sma(close, 20)` and their like, loops that
find where the answer changes. n * m times the difference of two means is a whole number of ticks;
as long as that is not 0 the floats that rules compare lie the same way (see `tick_limit`), and
where it is 0 the floats are computed, by the very kernels that rules use. Must not live here: which
rows may be asked (`own_signals`), what a mean is (`averages`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

from trader.core.averages import sma_rows
from trader.core.rule_kernels import price_rows

# Columns: int64 ticks, int32 rows, int8 sides, float64; arrays or views.
Ticks: TypeAlias = Any
Ints: TypeAlias = Any
Floats: TypeAlias = Any

# Doubles of a mean's state, see `averages.sma_rows`.
STATE = 16
# Of two means, each within 3 roundings (2**-53) of the exact one, the order is that of the exact
# ones when these differ by more than 8 roundings of the larger.
SURE = 1 << 50
# Whole numbers up to here are exact as floats.
EXACT = 1 << 53


def tick_limit(n: int, m: int, numerator: int) -> int:
    """The largest price in ticks up to which sides of means of n and m rows are told here.

    The exact means differ by at least 1 / (n * m) ticks where they differ at all; that is more
    than 8 roundings of a price below 2**50 / (n * m). `numerator`: of a tick as a fraction; a
    price must also be exact before it is divided.
    """
    return min(SURE // (n * m), EXACT // numerator)


def tick_spans(a: Ticks, tile: int, size: int, least: Ticks, most: Ticks) -> None:
    """least[tile] and most[tile] of rows [tile * size, (tile + 1) * size), as far as there are."""
    i = tile * size
    stop = min(len(a), i + size)
    low = a[i]
    high = low
    while i < stop:
        # Most stretches bring no new extreme: whether one does, is asked without a branch a row.
        beyond = -1
        if i + 16 <= stop:
            beyond = 0
            for k in range(16):
                beyond |= (a[i + k] - low) | (high - a[i + k])
        if beyond < 0:
            for j in range(i, min(i + 16, stop)):
                low = min(low, a[j])
                high = max(high, a[j])
        i += 16
    least[tile] = low
    most[tile] = high


def side_rows(
    a: Ticks, n: int, b: Ticks, m: int, start: int, stop: int, same: int, numerator: int,
    denominator: int, rows: Ints, sides: Ints, work: Floats, state: Floats,
) -> int:  # fmt: skip
    """Rows at which the side of the mean of n rows of `a` beside that of m rows of `b` changes;
    how many.

    Of rows [start - 1, stop): the first is always told. Sides are 1 above, 0 equal, -1 below.
    There must be max(n, m) rows before `start`, and ticks that `mean_sides.TickSpans` lets pass.
    `same`: both columns are one. `rows` and `sides` hold stop - start + 1; `work` 2 * max(n, m),
    `state` STATE.
    """
    gap = 0
    for j in range(start - n, start):
        gap += m * a[j]
    for j in range(start - m, start):
        gap -= n * b[j]
    was = 1 if gap > 0 else -1
    if gap == 0:
        was = exact_side(a, n, b, m, start - 1, same, numerator, denominator, work, state)
    rows[0] = start - 1
    sides[0] = was
    count = 1
    i = start
    while i < stop:
        gap += m * (a[i] - a[i - n]) - n * (b[i] - b[i - m])
        if was > 0:
            # Most rows are on the side of the row before.
            while gap > 0 and i + 1 < stop:
                i += 1
                gap += m * (a[i] - a[i - n]) - n * (b[i] - b[i - m])
        elif was < 0:
            while gap < 0 and i + 1 < stop:
                i += 1
                gap += m * (a[i] - a[i - n]) - n * (b[i] - b[i - m])
        side = 1 if gap > 0 else -1
        if gap == 0:
            side = exact_side(a, n, b, m, i, same, numerator, denominator, work, state)
        if side != was:
            rows[count] = i
            sides[count] = side
            count += 1
            was = side
        i += 1
    return count


def exact_side(
    a: Ticks, n: int, b: Ticks, m: int, i: int, same: int, numerator: int, denominator: int,
    work: Floats, state: Floats,
) -> int:  # fmt: skip
    """The side at a row by the floats that rules compare."""
    if same:
        # Both means of a level window are its value.
        j = i - 1
        far = max(n, m)
        while j > i - far and a[j] == a[i]:
            j -= 1
        if j == i - far:
            return 0
    one = exact_mean(a, n, i, numerator, denominator, work, state)
    other = exact_mean(b, m, i, numerator, denominator, work, state)
    if one > other:
        return 1
    return -1 if one < other else 0


def exact_mean(
    a: Ticks, n: int, i: int, numerator: int, denominator: int, work: Floats, state: Floats
) -> float:
    """The mean of the n prices up to a row, as its kernel computes it; `work` is written over."""
    price_rows(a, numerator, denominator, EXACT, work, i - n + 1, i + 1)
    if n > 1:
        for j in range(STATE):
            state[j] = 0.0
        sma_rows(work, n, work[n:], 0, n, state)
        return work[2 * n - 1]
    return work[0]


def runs_on(
    rows: Ints, sides: Ints, count: int, first: int, stop: int, wanted: int, crossing: int,
    out: Ints,
) -> int:  # fmt: skip
    """Flat runs of rows [first, stop) whose side is wanted, from what `side_rows` told of them;
    how many ints.

    `wanted`: 4 above, 2 equal, 1 below, or sums of them. `crossing`: only the row at which the
    side becomes a wanted one. `out` holds two ints for each change.
    """
    told = 0
    for k in range(count):
        if not wanted & (2 << sides[k] if sides[k] >= 0 else 1):
            continue
        if crossing:
            if k > 0:
                out[told] = rows[k]
                out[told + 1] = rows[k] + 1
                told += 2
            continue
        begin = max(rows[k], first)
        end = rows[k + 1] if k + 1 < count else stop
        if begin >= end:
            continue
        if told and out[told - 1] == begin:
            out[told - 1] = end
        else:
            out[told] = begin
            out[told + 1] = end
            told += 2
    return told
