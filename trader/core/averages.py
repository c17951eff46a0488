# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops of the averages: sma, ema, rma, wma, hma.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)` that fill
outs[start:stop] from rows 0..stop and remember what they need in `state` (zeroed at row 0). A row
whose input is not finite has no value and restarts the count; what overflows has no value. Must
not live here: checks of arguments (indicator.py); without bounds checks these loops trust them.

Sums over a window are kept as a float and the sum of all its rounding errors, each of which is
exact: the pair is the exact sum as long as (largest / smallest value) * rows stays under 2**33, so
a mean does not depend on where the series starts, and does not drift.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

Floats = MutableSequence[float]


def sma_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Mean of n rows. State: count, sum, error, rows of equal value, last value."""
    count = int(state[0])
    total = state[1]
    error = state[2]
    same = int(state[3])
    last = state[4]
    for i in range(start, stop):
        value = x[i]
        if value - value != 0.0:
            count = same = 0
            total = error = 0.0
            out[i] = nan
            continue
        same = same + 1 if value == last and same > 0 else 1
        last = value
        if count < n:
            count += 1
            old = 0.0
        else:
            old = x[i - n]
        # step + rest is exactly value - old; made + slip is exactly total + step.
        step = value - old
        back = step - value
        rest = (value - (step - back)) - (old + back)
        made = total + step
        back = made - total
        error += rest + ((total - (made - back)) + (step - back))
        total = made
        if count < n:
            out[i] = nan
            continue
        whole = total + error
        if whole - whole != 0.0:
            add_window(x, i - n + 1, i + 1, state)
            total = state[1]
            error = state[2]
            whole = total + error
        # A flat window is its value to the bit; sum / n may miss it by one unit.
        out[i] = value if same >= n else (whole / n if whole - whole == 0.0 else nan)
    state[0] = count
    state[1] = total
    state[2] = error
    state[3] = same
    state[4] = last


def add_window(x: Floats, first: int, stop: int, state: Floats) -> None:
    """Sum and error of x[first:stop] into state[1] and state[2], anew: after an overflow."""
    total = 0.0
    error = 0.0
    for j in range(first, stop):
        made = total + x[j]
        back = made - total
        error += (total - (made - back)) + (x[j] - back)
        total = made
    state[1] = total
    state[2] = error


def ema_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Exponential average, weight 2 / (n + 1). State as of `faded_rows`."""
    faded_rows(x, n, 2.0 / (n + 1), out, start, stop, state)


def rma_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Wilder's average, weight 1 / n. State as of `faded_rows`."""
    faded_rows(x, n, 1.0 / n, out, start, stop, state)


def faded_rows(
    x: Floats, n: int, weight: float, out: Floats, start: int, stop: int, state: Floats
) -> None:
    """v + (x - v) * weight from the mean of the first n rows on. State: count, v, first value.

    The seed is summed as distances from its first row, so that a flat series is itself.
    """
    count = int(state[0])
    level = state[1]
    first = state[2]
    for i in range(start, stop):
        value = x[i]
        if value - value != 0.0:
            count = 0
            out[i] = nan
            continue
        if count >= n:
            level = level + (value - level) * weight
        else:
            if count == 0:
                level = 0.0
                first = value
            level += value - first
            count += 1
            if count == n:
                level = first + level / n
        out[i] = level if count >= n and level - level == 0.0 else nan
    state[0] = count
    state[1] = level
    state[2] = first


def wma_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Linearly weighted mean. State: count."""
    count = int(state[0])
    for i in range(start, stop):
        if x[i] - x[i] != 0.0:
            count = 0
            out[i] = nan
            continue
        count += 1
        if count < n:
            out[i] = nan
            continue
        value = weighted(x, i - n + 1, n)
        out[i] = value if value - value == 0.0 else nan
    state[0] = count


def weighted(x: Floats, first: int, n: int) -> float:
    """Linearly weighted mean of x[first:first+n], the last weighing most; of finite values.

    Distances from the newest value are weighed, so that a flat window is its value to the bit; odd
    and even rows are summed apart, so that one addition need not wait for the other.
    """
    newest = x[first + n - 1]
    even = 0.0
    odd = 0.0
    j = 0
    while j + 1 < n:
        even += (j + 1.0) * (x[first + j] - newest)
        odd += (j + 2.0) * (x[first + j + 1] - newest)
        j += 2
    return newest + (even + odd) / (0.5 * n * (n + 1.0))


def hma_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Hull's average. State: count, count of raw values, place; then raw values from slot 16.

    The history has two lengths: a window of it is one piece, moved to its start when it is full.
    """
    count = int(state[0])
    known = int(state[1])
    place = int(state[2])
    half = n // 2 if n > 1 else 1
    short = 1
    while (short + 1) * (short + 1) <= n:
        short += 1
    for i in range(start, stop):
        if x[i] - x[i] != 0.0:
            count = known = place = 0
            out[i] = nan
            continue
        count += 1
        if count < n:
            out[i] = nan
            continue
        raw = 2.0 * weighted(x, i - half + 1, half) - weighted(x, i - n + 1, n)
        if raw - raw != 0.0:
            known = place = 0
            out[i] = nan
            continue
        place = keep(state, 16, short, place, raw)
        known += 1
        value = weighted(state, 16 + place - short, short) if known >= short else nan
        out[i] = value if value - value == 0.0 else nan
    state[0] = count
    state[1] = known
    state[2] = place


def keep(state: Floats, base: int, n: int, place: int, value: float) -> int:
    """Write a value behind a history of 2 n places from `base` on; the place after it.

    The newest n values are then state[base + place - n : base + place].
    """
    if place == 2 * n:
        for j in range(n):
            state[base + j] = state[base + n + j]
        place = n
    state[base + place] = value
    return place + 1


def mean_of(x: Floats, first: int, n: int) -> float:
    """Mean of x[first:first+n], as distances from the newest, so that equal values are exact."""
    newest = x[first + n - 1]
    shift = 0.0
    for j in range(first, first + n - 1):
        shift += x[j] - newest
    return newest + shift / n
