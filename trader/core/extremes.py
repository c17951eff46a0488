# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over the highest and lowest of a window: highest, lowest, donchian, aroon, stoch,
williams_r, ichimoku.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)`, with the rules
of averages.py: rows that are not finite have no value and restart the count. Must not live here:
checks of arguments.

The extreme of a sliding window costs the same for every n (van Herk 1992, Gil and Werman 1993):
rows are cut into blocks of n; a window is the end of one block, whose extremes towards its end are
kept in the state, and the beginning of the next, whose extreme is carried along.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

from trader.core.averages import keep, mean_of

Floats = MutableSequence[float]


def top_of(
    x: Floats, n: int, i: int, count: int, place: int, state: Floats, carried: int, base: int
) -> int:
    """Row of the highest of the n rows up to row i; of equals the newest.

    Called for every row; `count` is how many finite rows there are with this one, `place` which of
    its block it is (`placed`). What it needs lies in state[carried] (row of the block's highest)
    and state[base : base + n] (rows of the last block's highest from each place to its end).
    Before n rows are there, it is the highest of those there are.
    """
    best = i
    if place == 0 and count > 1:
        for j in range(n):
            best = i - 1 - j if j == 0 or x[i - 1 - j] > x[best] else best
            state[base + n - 1 - j] = best
        best = i
    elif place > 0:
        best = int(state[carried])
        best = i if x[i] >= x[best] else best
    state[carried] = best
    if place + 1 < n and count > n:
        older = int(state[base + place + 1])
        best = older if x[older] > x[best] else best
    return best


def bottom_of(
    x: Floats, n: int, i: int, count: int, place: int, state: Floats, carried: int, base: int
) -> int:
    """Row of the lowest of the n rows up to row i; of equals the newest. As `top_of`."""
    best = i
    if place == 0 and count > 1:
        for j in range(n):
            best = i - 1 - j if j == 0 or x[i - 1 - j] < x[best] else best
            state[base + n - 1 - j] = best
        best = i
    elif place > 0:
        best = int(state[carried])
        best = i if x[i] <= x[best] else best
    state[carried] = best
    if place + 1 < n and count > n:
        older = int(state[base + place + 1])
        best = older if x[older] < x[best] else best
    return best


def placed(place: int, count: int, n: int) -> int:
    """Place in its block, 0 .. n - 1, of the row after the one at `place`."""
    return 0 if count == 1 or place + 1 >= n else place + 1


def highest_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Highest of n rows. State: count, the block's highest, place; rows from slot 16."""
    count = int(state[0])
    place = int(state[2])
    for i in range(start, stop):
        count = count + 1 if x[i] - x[i] == 0.0 else 0
        out[i] = nan
        if count > 0:
            place = placed(place, count, n)
            best = top_of(x, n, i, count, place, state, 1, 16)
            out[i] = x[best] if count >= n else nan
    state[0] = count
    state[2] = place


def lowest_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Lowest of n rows. State: count, the block's lowest, place; rows from slot 16."""
    count = int(state[0])
    place = int(state[2])
    for i in range(start, stop):
        count = count + 1 if x[i] - x[i] == 0.0 else 0
        out[i] = nan
        if count > 0:
            place = placed(place, count, n)
            best = bottom_of(x, n, i, count, place, state, 1, 16)
            out[i] = x[best] if count >= n else nan
    state[0] = count
    state[2] = place


def donchian_rows(
    high: Floats, low: Floats, n: int, upper: Floats, middle: Floats, lower: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Highest high, lowest low and their mean.

    State: count, two blocks' extremes, place; rows from slot 16.
    """
    count = int(state[0])
    place = int(state[3])
    for i in range(start, stop):
        count = count + 1 if high[i] - high[i] == 0.0 and low[i] - low[i] == 0.0 else 0
        upper[i] = middle[i] = lower[i] = nan
        if count > 0:
            place = placed(place, count, n)
            top = high[top_of(high, n, i, count, place, state, 1, 16)]
            bottom = low[bottom_of(low, n, i, count, place, state, 2, 16 + n)]
            if count >= n:
                upper[i] = top
                middle[i] = 0.5 * top + 0.5 * bottom
                lower[i] = bottom
    state[0] = count
    state[3] = place


def aroon_rows(
    high: Floats, low: Floats, n: int, down: Floats, up: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """How long ago the extremes of n + 1 rows were. State as of `donchian_rows`."""
    count = int(state[0])
    place = int(state[3])
    for i in range(start, stop):
        count = count + 1 if high[i] - high[i] == 0.0 and low[i] - low[i] == 0.0 else 0
        down[i] = up[i] = nan
        if count > 0:
            place = placed(place, count, n + 1)
            top = top_of(high, n + 1, i, count, place, state, 1, 16)
            bottom = bottom_of(low, n + 1, i, count, place, state, 2, 17 + n)
            if count > n:
                up[i] = 100.0 * (n - (i - top)) / n
                down[i] = 100.0 * (n - (i - bottom)) / n
    state[0] = count
    state[3] = place


def stoch_rows(
    high: Floats, low: Floats, close: Floats, n: int, smooth: int, signal: int, k: Floats,
    d: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Place of the close within the range of n rows, smoothed twice.

    State: count, two blocks' extremes, places in the blocks and in two histories; from slot 16
    rows of the blocks, raw values, smoothed values.
    """
    count = int(state[0])
    place = int(state[3])
    raw_place = int(state[4])
    kept = int(state[5])
    for i in range(start, stop):
        k[i] = d[i] = nan
        whole = high[i] + low[i] + close[i]
        if whole - whole != 0.0:
            count = raw_place = kept = 0
            continue
        count += 1
        place = placed(place, count, n)
        top = high[top_of(high, n, i, count, place, state, 1, 16)]
        bottom = low[bottom_of(low, n, i, count, place, state, 2, 16 + n)]
        if count < n:
            continue
        raw = 50.0
        if top - bottom != 0.0:
            raw = 100.0 * ((close[i] - bottom) / (top - bottom))
        raw_place = keep(state, 16 + 2 * n, smooth, raw_place, raw)
        if count < n + smooth - 1:
            continue
        smoothed = mean_of(state, 16 + 2 * n + raw_place - smooth, smooth)
        kept = keep(state, 16 + 2 * n + 2 * smooth, signal, kept, smoothed)
        if count >= n + smooth + signal - 2:
            k[i] = smoothed
            d[i] = mean_of(state, 16 + 2 * n + 2 * smooth + kept - signal, signal)
    state[0] = count
    state[3] = place
    state[4] = raw_place
    state[5] = kept


def williams_r_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Distance of the close from the top of n rows, 0 .. -100. State as of `donchian_rows`."""
    count = int(state[0])
    place = int(state[3])
    for i in range(start, stop):
        whole = high[i] + low[i] + close[i]
        count = count + 1 if whole - whole == 0.0 else 0
        out[i] = nan
        if count > 0:
            place = placed(place, count, n)
            top = high[top_of(high, n, i, count, place, state, 1, 16)]
            bottom = low[bottom_of(low, n, i, count, place, state, 2, 16 + n)]
            value = -50.0
            if top - bottom != 0.0:
                value = -100.0 * ((top - close[i]) / (top - bottom))
            out[i] = value if count >= n and value - value == 0.0 else nan
    state[0] = count
    state[3] = place


def ichimoku_rows(
    high: Floats, low: Floats, conversion: int, base: int, span: int, conversion_line: Floats,
    base_line: Floats, span_a: Floats, span_b: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Middles of three windows; two of the lines are what was computed `base` rows before.

    State: count, six blocks' extremes, three places in the blocks; from slot 16 rows of the
    blocks, then the two spans of the last `base` rows.
    """
    count = int(state[0])
    second = 16 + 2 * conversion
    third = second + 2 * base
    kept = third + 2 * span
    for i in range(start, stop):
        conversion_line[i] = base_line[i] = span_a[i] = span_b[i] = nan
        if high[i] - high[i] != 0.0 or low[i] - low[i] != 0.0:
            count = 0
            continue
        count += 1
        quick = middle_of(high, low, conversion, i, count, 7, state, 1, 16)
        calm = middle_of(high, low, base, i, count, 8, state, 3, second)
        slow = middle_of(high, low, span, i, count, 9, state, 5, third)
        # A slot is read before it is written: it holds what was computed `base` rows before.
        slot = kept + 2 * int(state[8])
        if count > base:
            span_a[i] = state[slot]
            span_b[i] = state[slot + 1]
        state[slot] = 0.5 * quick + 0.5 * calm
        state[slot + 1] = slow
        conversion_line[i] = quick
        base_line[i] = calm
    state[0] = count


def middle_of(
    high: Floats, low: Floats, n: int, i: int, count: int, held: int, state: Floats, carried: int,
    base: int,
) -> float:  # fmt: skip
    """Middle between highest high and lowest low of n rows; no number before n rows are there.

    state[held] is the place in the block.
    """
    place = placed(int(state[held]), count, n)
    state[held] = place
    top = high[top_of(high, n, i, count, place, state, carried, base)]
    bottom = low[bottom_of(low, n, i, count, place, state, carried + 1, base + n)]
    return 0.5 * top + 0.5 * bottom if count >= n else nan
