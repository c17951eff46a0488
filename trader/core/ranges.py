# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops of the ranges: true_range, atr, natr, keltner.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)`, with the rules
of averages.py: rows that are not finite have no value and restart the count. Must not live here:
checks of arguments.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

Floats = MutableSequence[float]


def true_range_rows(
    high: Floats, low: Floats, close: Floats, out: Floats, start: int, stop: int, state: Floats
) -> None:
    """True range. State: count, last close."""
    count = int(state[0])
    last = state[1]
    for i in range(start, stop):
        span = spanned(high[i], low[i], last) if count > 0 else nan
        whole = high[i] + low[i] + close[i]
        out[i] = span if whole - whole == 0.0 and span - span == 0.0 else nan
        count = count + 1 if whole - whole == 0.0 else 0
        last = close[i]
    state[0] = count
    state[1] = last


def spanned(high: float, low: float, last: float) -> float:
    """The bar's range, widened to the last close."""
    top = last if last > high else high
    bottom = last if last < low else low
    return top - bottom


def atr_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Average true range. State: count, last close, average."""
    count = int(state[0])
    last = state[1]
    level = state[2]
    weight = 1.0 / n
    for i in range(start, stop):
        out[i] = nan
        whole = high[i] + low[i] + close[i]
        if whole - whole != 0.0:
            count = 0
            continue
        span = spanned(high[i], low[i], last)
        last = close[i]
        if count > n:
            level = level + (span - level) * weight
        else:
            level = level + span if count > 0 else 0.0
            count += 1
            if count <= n:
                continue
            level = level / n
        if level - level == 0.0:
            out[i] = level
    state[0] = count
    state[1] = last
    state[2] = level


def natr_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Average true range in percent of the close. State as of `atr_rows`."""
    atr_rows(high, low, close, n, out, start, stop, state)
    for i in range(start, stop):
        value = 100.0 * (out[i] / close[i]) if close[i] != 0.0 else nan
        out[i] = value if value - value == 0.0 else nan


def keltner_rows(
    high: Floats,
    low: Floats,
    close: Floats,
    n: int,
    atr: int,
    k: float,
    upper: Floats,
    middle: Floats,
    lower: Floats,
    start: int,
    stop: int,
    state: Floats,
) -> None:
    """Bands of k average true ranges around the average typical price.

    State: count, last close, average range, average price, first price of its seed. Both averages
    have their first value on the same row: the shorter one is seeded with the rows just before.
    """
    count = int(state[0])
    last = state[1]
    span = state[2]
    level = state[3]
    first = state[4]
    begun = n if n > atr else atr + 1
    slowly = 1.0 / atr
    weight = 2.0 / (n + 1)
    for i in range(start, stop):
        upper[i] = middle[i] = lower[i] = nan
        typical = (high[i] + low[i] + close[i]) / 3.0
        if typical - typical != 0.0:
            count = 0
            continue
        count += 1
        step = spanned(high[i], low[i], last)
        last = close[i]
        if count > begun:
            span = span + (step - span) * slowly
            level = level + (typical - level) * weight
        else:
            span = span + step if count > begun - atr else 0.0
            if count == begun - n + 1:
                first = typical
                level = 0.0
            level = level + (typical - first) if count > begun - n else 0.0
            if count < begun:
                continue
            span = span / atr
            level = first + level / n
        top = level + k * span
        if top - top == 0.0:
            upper[i] = top
            middle[i] = level
            lower[i] = level - k * span
    state[0] = count
    state[1] = last
    state[2] = span
    state[3] = level
    state[4] = first
