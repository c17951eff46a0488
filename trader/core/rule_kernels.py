# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Rule kernels: the arithmetic, comparisons and logic of the rule language, row by row.

Lives here: loops `f(inputs..., out, start, stop)` that fill rows [start, stop) of `out` and may
read earlier rows of their inputs, so that one call over all rows and a call for each row give the
same bits. Series are float64, not ready is NaN. Conditions are int8: 1 yes, 0 no, -1 not ready
(Kleene's third value). Every NaN that is written is the same one. Must not live here: indicators,
and which kernel a rule needs (`rules`).
"""

from __future__ import annotations

from array import array
from math import nan
from typing import TypeAlias

Floats: TypeAlias = "array[float] | memoryview[float]"
Flags: TypeAlias = "array[int] | memoryview[int]"
Times: TypeAlias = "array[int] | memoryview[int]"

FLOAT_MOST = 1e300


# --- arithmetic ----------------------------------------------------------------------------------


def number_rows(value: float, out: Floats, start: int, stop: int) -> None:
    """The same number in every row."""
    for i in range(start, stop):
        out[i] = value


def add_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """A + b."""
    for i in range(start, stop):
        value = a[i] + b[i]
        out[i] = value if value == value else nan  # noqa: PLR0124 - only a NaN differs from itself


def sub_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """A - b."""
    for i in range(start, stop):
        value = a[i] - b[i]
        out[i] = value if value == value else nan  # noqa: PLR0124 - only a NaN differs from itself


def mul_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """A * b."""
    for i in range(start, stop):
        value = a[i] * b[i]
        out[i] = value if value == value else nan  # noqa: PLR0124 - only a NaN differs from itself


def div_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """A / b; not ready where b is 0."""
    for i in range(start, stop):
        value = nan
        if b[i] != 0.0:
            value = a[i] / b[i]
        out[i] = value if value == value else nan  # noqa: PLR0124 - only a NaN differs from itself


def min_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """The smaller one; not ready where either is not."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one <= other:
            out[i] = one
        elif other < one:
            out[i] = other
        else:
            out[i] = nan


def max_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """The larger one; not ready where either is not."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one >= other:
            out[i] = one
        elif other > one:
            out[i] = other
        else:
            out[i] = nan


def neg_rows(a: Floats, out: Floats, start: int, stop: int) -> None:
    """-a."""
    for i in range(start, stop):
        value = -a[i]
        out[i] = value if value == value else nan  # noqa: PLR0124 - only a NaN differs from itself


def abs_rows(a: Floats, out: Floats, start: int, stop: int) -> None:
    """Distance of a from 0."""
    for i in range(start, stop):
        value = a[i]
        if value >= 0.0:
            out[i] = value + 0.0  # -0.0 becomes 0.0
        elif value < 0.0:
            out[i] = -value
        else:
            out[i] = nan


# --- columns that are made of others -------------------------------------------------------------


def mean2_rows(a: Floats, b: Floats, out: Floats, start: int, stop: int) -> None:
    """(a + b) / 2."""
    for i in range(start, stop):
        out[i] = (a[i] + b[i]) / 2.0


def mean3_rows(a: Floats, b: Floats, c: Floats, out: Floats, start: int, stop: int) -> None:
    """(a + b + c) / 3."""
    for i in range(start, stop):
        out[i] = (a[i] + b[i] + c[i]) / 3.0


def mean4_rows(
    a: Floats, b: Floats, c: Floats, d: Floats, out: Floats, start: int, stop: int
) -> None:
    """(a + b + c + d) / 4."""
    for i in range(start, stop):
        out[i] = (a[i] + b[i] + c[i] + d[i]) / 4.0


def price_rows(
    ticks: Times, numerator: int, denominator: int, most: int, out: Floats, start: int, stop: int
) -> int:
    """out[i - start] = ticks[i] * numerator / denominator, correctly rounded; 1 when every one of
    them is, 0 when some tick lies beyond `most` (then what was filled counts for nothing).

    Up to `most`, the product is exact as a float, and so must the denominator be.
    """
    fits = 1
    below = float(denominator)
    for i in range(start, stop):
        tick = ticks[i]
        if tick > most or tick < -most:
            fits = 0
            tick = 0
        above = tick * numerator
        out[i - start] = float(above) / below
    return fits


# --- comparisons ---------------------------------------------------------------------------------


def gt_rows(a: Floats, b: Floats, out: Flags, start: int, stop: int) -> None:
    """A > b."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one > other:
            out[i] = 1
        elif one <= other:
            out[i] = 0
        else:
            out[i] = -1


def ge_rows(a: Floats, b: Floats, out: Flags, start: int, stop: int) -> None:
    """A >= b."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one >= other:
            out[i] = 1
        elif one < other:
            out[i] = 0
        else:
            out[i] = -1


def eq_rows(a: Floats, b: Floats, out: Flags, start: int, stop: int) -> None:
    """A == b, to the last bit (0.0 equals -0.0)."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one == other:
            out[i] = 1
        elif one < other or one > other:
            out[i] = 0
        else:
            out[i] = -1


def ne_rows(a: Floats, b: Floats, out: Flags, start: int, stop: int) -> None:
    """A != b."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one == other:
            out[i] = 0
        elif one < other or one > other:
            out[i] = 1
        else:
            out[i] = -1


# --- logic ---------------------------------------------------------------------------------------


def not_rows(a: Flags, out: Flags, start: int, stop: int) -> None:
    """Kleene's not: what is not ready stays so."""
    for i in range(start, stop):
        held = a[i]
        if held >= 0:
            out[i] = 1 - held
        else:
            out[i] = -1


def and_rows(a: Flags, b: Flags, out: Flags, start: int, stop: int) -> None:
    """Kleene's and: no wins over not ready."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one == 0 or other == 0:
            out[i] = 0
        elif one < 0 or other < 0:
            out[i] = -1
        else:
            out[i] = 1


def or_rows(a: Flags, b: Flags, out: Flags, start: int, stop: int) -> None:
    """Kleene's or: yes wins over not ready."""
    for i in range(start, stop):
        one = a[i]
        other = b[i]
        if one > 0 or other > 0:
            out[i] = 1
        elif one < 0 or other < 0:
            out[i] = -1
        else:
            out[i] = 0


# --- rows before ---------------------------------------------------------------------------------


def back_rows(a: Floats, k: int, out: Floats, start: int, stop: int) -> None:
    """The value k rows earlier."""
    for i in range(start, stop):
        if i >= k:
            out[i] = a[i - k]
        else:
            out[i] = nan


def back_flags(a: Flags, k: int, out: Flags, start: int, stop: int) -> None:
    """The condition k rows earlier."""
    for i in range(start, stop):
        if i >= k:
            out[i] = a[i - k]
        else:
            out[i] = -1


def crosses_rows(a: Floats, b: Floats, above: Flags, below: Flags, start: int, stop: int) -> None:
    """Both crosses at once: above is `a > b and (a <= b)[1]`, below `a < b and (a >= b)[1]`."""
    was = 2
    if start > 0:
        was = _side(a[start - 1], b[start - 1])
    i = start
    while i < stop:
        # Most rows are on the side of the row before.
        if was == 1:
            while i < stop and a[i] > b[i]:
                above[i] = 0
                below[i] = 0
                i += 1
        elif was == -1:
            while i < stop and a[i] < b[i]:
                above[i] = 0
                below[i] = 0
                i += 1
        if i == stop:
            break
        side = _side(a[i], b[i])
        above[i] = 0
        below[i] = 0
        if side == 1:
            above[i] = 1 if was <= 0 else -1
        elif side == -1:
            below[i] = 1 if was < 2 else -1
        elif side == 2:
            above[i] = 0 if was == 1 else -1
            below[i] = 0 if was == -1 else -1
        was = side
        i += 1


def _side(one: float, other: float) -> int:
    """1 above, 0 equal, -1 below, 2 not ready."""
    if one > other:
        return 1
    if one < other:
        return -1
    return 0 if one == other else 2


def rising_rows(a: Floats, n: int, out: Flags, start: int, stop: int) -> None:
    """Each of the last n steps went up: `a > a[1] and a[1] > a[2] ...`."""
    for i in range(start, stop):
        held = 1
        for j in range(i, i - n, -1):
            if j < 1:
                held = -1
                break
            if a[j] <= a[j - 1]:
                held = 0
                break
            if not a[j] > a[j - 1]:
                held = -1
        out[i] = held


def falling_rows(a: Floats, n: int, out: Flags, start: int, stop: int) -> None:
    """Each of the last n steps went down: `a < a[1] and a[1] < a[2] ...`."""
    for i in range(start, stop):
        held = 1
        for j in range(i, i - n, -1):
            if j < 1:
                held = -1
                break
            if a[j] >= a[j - 1]:
                held = 0
                break
            if not a[j] < a[j - 1]:
                held = -1
        out[i] = held


def any_rows(a: Flags, n: int, out: Flags, start: int, stop: int) -> None:
    """Yes when the condition held on some of the last n rows; no when it is known for all of them
    that it did not."""
    yes = -1 - n
    unknown = -1
    first = start - n + 1
    first = max(first, 0)
    for i in range(first, stop):
        if a[i] > 0:
            yes = i
        elif a[i] < 0:
            unknown = i
        if i >= start:
            if yes > i - n:
                out[i] = 1
            elif unknown > i - n or i < n - 1:
                out[i] = -1
            else:
                out[i] = 0


def all_rows(a: Flags, n: int, out: Flags, start: int, stop: int) -> None:
    """Yes when the condition held on each of the last n rows; no when it is known that it did not
    on one of them."""
    no = -1 - n
    unknown = -1
    first = start - n + 1
    first = max(first, 0)
    for i in range(first, stop):
        if a[i] == 0:
            no = i
        elif a[i] < 0:
            unknown = i
        if i >= start:
            if no > i - n:
                out[i] = 0
            elif unknown > i - n or i < n - 1:
                out[i] = -1
            else:
                out[i] = 1


# --- other timeframes ----------------------------------------------------------------------------


def newest_closed_rows(
    open_ms: Times, shift_ms: int, other_open_ms: Times, first: int, out: Times
) -> None:
    """out[i]: index of the newest bar of the other timeframe that had closed when row i did.

    `shift_ms` is the length of a row less that of such a bar; `first` the index of the first of
    the bars given. Where none of them had closed it is first - 1.
    """
    last = len(other_open_ms)
    j = 0
    for i in range(len(open_ms)):
        while j < last and other_open_ms[j] <= open_ms[i] + shift_ms:
            j += 1
        out[i] = first + j - 1


def spread_rows(a: Floats, first: int, begin: int, end: int, index: Times, out: Floats) -> None:
    """Rows whose bar of the other timeframe lies in [begin, end) get its value; `a` starts at bar
    `first`. Other rows are left as they are."""
    for i in range(len(index)):
        if begin <= index[i] < end:
            out[i] = a[index[i] - first]


def spread_flags(a: Flags, first: int, begin: int, end: int, index: Times, out: Flags) -> None:
    """As `spread_rows`, for conditions."""
    for i in range(len(index)):
        if begin <= index[i] < end:
            out[i] = a[index[i] - first]


# --- whole histories -----------------------------------------------------------------------------


def near_rows(a: Floats, start: int, stop: int, factor: float) -> int:
    """1 when every finite value that is not 0 lies within [1 / factor, factor] times the first of
    them, signs aside, and none is infinite; else 0."""
    least = 0.0
    most = 0.0
    for i in range(start, stop):
        value = a[i]
        if value < 0.0:
            value = -value
        if least <= value <= most and most > 0.0:
            continue
        if value == 0.0 or value != value:  # noqa: PLR0124 - only a NaN differs from itself
            continue
        if most > 0.0 or value * factor > FLOAT_MOST:
            return 0
        least = value / factor
        most = value * factor
    return 1
