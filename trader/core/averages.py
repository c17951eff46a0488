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

# Rows that are summed before it is looked whether a sum has overflowed.
CHUNK = 512


def sma_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Mean of n rows. State: count, sum, error, last mean."""
    i = start
    careful = start
    while i < stop:
        if state[0] >= n and i >= careful:
            careful = i + CHUNK if i + CHUNK < stop else stop
            made = slide_rows(x, n, out, i, careful, state)
            if made == careful:
                i = made
                continue
            if made > i:
                i = careful = made
        mean_row(x, n, out, i, state)
        i += 1


def slide_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> int:
    """The mean while it moves in small steps; the row that it could not take, or start when a sum
    overflowed.

    Where neither of two positive values is more than twice the other, their difference is exact,
    and where a sum is at least the value that leaves it, so is the error of adding the difference.
    """
    total = state[1]
    error = state[2]
    mean = state[3]
    old = x[start - n]
    i = start
    while i < stop:
        value = x[i]
        if not (value <= old + old and old <= value + value and old <= total):
            break
        step = value - old
        made = total + step
        error += step - (made - total)
        total = made
        old = x[i - n + 1]
        if value != old:
            mean = (total + error) / n
        elif step != 0.0:
            mean = value if level_from(x, i - n + 1, i) else (total + error) / n
        out[i] = mean
        i += 1
    if error - error != 0.0:
        return start
    state[1] = total
    state[2] = error
    state[3] = mean
    return i


def mean_row(x: Floats, n: int, out: Floats, i: int, state: Floats) -> None:
    """One row of the mean, whatever its value."""
    value = x[i]
    out[i] = nan
    if value - value != 0.0:
        state[0] = state[1] = state[2] = 0.0
        state[3] = nan
        return
    old = 0.0
    if state[0] < n:
        state[0] += 1.0
        state[3] = nan
    else:
        old = x[i - n]
    # step + rest is exactly value - old; made + slip is exactly total + step.
    total = state[1]
    step = value - old
    back = step - value
    rest = (value - (step - back)) - (old + back)
    made = total + step
    back = made - total
    slip = (total - (made - back)) + (step - back)
    state[1] = made
    state[2] += rest + slip
    if state[0] < n:
        return
    whole = state[1] + state[2]
    if whole - whole != 0.0:
        add_window(x, i - n + 1, i + 1, state)
        whole = state[1] + state[2]
    if whole - whole != 0.0:
        state[3] = nan
    elif step != 0.0 or state[3] - state[3] != 0.0:
        # A level window is its value to the bit; sum / n may miss it by one unit.
        state[3] = value if level_from(x, i - n + 1, i) else whole / n
    out[i] = state[3]


def level_from(x: Floats, first: int, last: int) -> bool:
    """Whether all values of x[first:last] equal x[last]."""
    value = x[last]
    j = last - 1
    while j >= first and x[j] == value:
        j -= 1
    return j < first


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
    """Average v + (x - v) * weight from the mean of the first n rows on.

    State: count, v, first value.
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
