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
    x: Floats, n: int, i: int, count: int, state: Floats, carried: int, base: int
) -> int:  # fmt: skip
    """Row of the highest of the n rows up to row i; of equals the newest.

    Called for every row; `count` is how many finite rows there are with this one. What it needs
    lies in state[carried] (row of the block's highest) and state[base : base + n] (rows of the
    last block's highest from each place to its end). Before n rows are there, of those there are.
    """
    place = (count - 1) % n
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
    x: Floats, n: int, i: int, count: int, state: Floats, carried: int, base: int
) -> int:  # fmt: skip
    """Row of the lowest of the n rows up to row i; of equals the newest. As `top_of`."""
    place = (count - 1) % n
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


def highest_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Highest of n rows. State: count, the block's highest; rows from slot 16."""
    count = int(state[0])
    for i in range(start, stop):
        count = count + 1 if x[i] - x[i] == 0.0 else 0
        out[i] = nan
        if count > 0:
            best = top_of(x, n, i, count, state, 1, 16)
            out[i] = x[best] if count >= n else nan
    state[0] = count


def lowest_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Lowest of n rows. State: count, the block's lowest; rows from slot 16."""
    count = int(state[0])
    for i in range(start, stop):
        count = count + 1 if x[i] - x[i] == 0.0 else 0
        out[i] = nan
        if count > 0:
            best = bottom_of(x, n, i, count, state, 1, 16)
            out[i] = x[best] if count >= n else nan
    state[0] = count


def donchian_rows(
    high: Floats, low: Floats, n: int, upper: Floats, middle: Floats, lower: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Highest high, lowest low and their mean. State: count, two blocks' extremes; then rows."""
    count = int(state[0])
    for i in range(start, stop):
        count = count + 1 if high[i] - high[i] == 0.0 and low[i] - low[i] == 0.0 else 0
        upper[i] = middle[i] = lower[i] = nan
        if count > 0:
            top = high[top_of(high, n, i, count, state, 1, 16)]
            bottom = low[bottom_of(low, n, i, count, state, 2, 16 + n)]
            if count >= n:
                upper[i] = top
                middle[i] = 0.5 * top + 0.5 * bottom
                lower[i] = bottom
    state[0] = count


def aroon_rows(
    high: Floats, low: Floats, n: int, down: Floats, up: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """How long ago the extremes of n + 1 rows were. State as of `donchian_rows`."""
    count = int(state[0])
    for i in range(start, stop):
        count = count + 1 if high[i] - high[i] == 0.0 and low[i] - low[i] == 0.0 else 0
        down[i] = up[i] = nan
        if count > 0:
            top = top_of(high, n + 1, i, count, state, 1, 16)
            bottom = bottom_of(low, n + 1, i, count, state, 2, 17 + n)
            if count > n:
                up[i] = 100.0 * (n - (i - top)) / n
                down[i] = 100.0 * (n - (i - bottom)) / n
    state[0] = count


def stoch_rows(
    high: Floats, low: Floats, close: Floats, n: int, smooth: int, signal: int, k: Floats,
    d: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Place of the close within the range of n rows, smoothed twice.

    State: count, two blocks' extremes, and count and place of two histories; from slot 16 rows of
    the blocks, raw values, smoothed values.
    """
    count = int(state[0])
    raw_place = int(state[3])
    place = int(state[4])
    for i in range(start, stop):
        k[i] = d[i] = nan
        whole = high[i] + low[i] + close[i]
        if whole - whole != 0.0:
            count = raw_place = place = 0
            continue
        count += 1
        top = high[top_of(high, n, i, count, state, 1, 16)]
        bottom = low[bottom_of(low, n, i, count, state, 2, 16 + n)]
        if count < n:
            continue
        raw = 50.0
        if top - bottom != 0.0:
            raw = 100.0 * ((close[i] - bottom) / (top - bottom))
        raw_place = keep(state, 16 + 2 * n, smooth, raw_place, raw)
        if count < n + smooth - 1:
            continue
        smoothed = mean_of(state, 16 + 2 * n + raw_place - smooth, smooth)
        place = keep(state, 16 + 2 * n + 2 * smooth, signal, place, smoothed)
        if count >= n + smooth + signal - 2:
            k[i] = smoothed
            d[i] = mean_of(state, 16 + 2 * n + 2 * smooth + place - signal, signal)
    state[0] = count
    state[3] = raw_place
    state[4] = place


def williams_r_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Distance of the close from the top of n rows, 0 .. -100. State as of `donchian_rows`."""
    count = int(state[0])
    for i in range(start, stop):
        whole = high[i] + low[i] + close[i]
        count = count + 1 if whole - whole == 0.0 else 0
        out[i] = nan
        if count > 0:
            top = high[top_of(high, n, i, count, state, 1, 16)]
            bottom = low[bottom_of(low, n, i, count, state, 2, 16 + n)]
            value = -50.0
            if top - bottom != 0.0:
                value = -100.0 * ((top - close[i]) / (top - bottom))
            out[i] = value if count >= n and value - value == 0.0 else nan
    state[0] = count


def ichimoku_rows(
    high: Floats, low: Floats, conversion: int, base: int, span: int, conversion_line: Floats,
    base_line: Floats, span_a: Floats, span_b: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Middles of three windows; two of the lines are what was computed `base` rows before.

    State: count, six blocks' extremes; from slot 16 rows of the blocks, then the two spans of the
    last `base` rows.
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
        quick = middle_of(high, low, conversion, i, count, state, 1, 16)
        calm = middle_of(high, low, base, i, count, state, 3, second)
        slow = middle_of(high, low, span, i, count, state, 5, third)
        # A slot is read before it is written: it holds what was computed `base` rows before.
        slot = kept + 2 * ((count - 1) % base)
        if count > base:
            span_a[i] = state[slot]
            span_b[i] = state[slot + 1]
        state[slot] = 0.5 * quick + 0.5 * calm
        state[slot + 1] = slow
        conversion_line[i] = quick
        base_line[i] = calm
    state[0] = count


def middle_of(
    high: Floats, low: Floats, n: int, i: int, count: int, state: Floats, carried: int, base: int
) -> float:
    """Middle between highest high and lowest low of n rows; no number before n rows are there."""
    top = high[top_of(high, n, i, count, state, carried, base)]
    bottom = low[bottom_of(low, n, i, count, state, carried + 1, base + n)]
    return 0.5 * top + 0.5 * bottom if count >= n else nan
