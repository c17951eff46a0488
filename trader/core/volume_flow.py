# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over volume: obv, vwap, session_vwap, cmf.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)`, with the rules
of averages.py and, for what lasts a session, of trends.py. Must not live here: checks of
arguments.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

from trader.core.averages import keep
from trader.core.trends import session_age

Floats = MutableSequence[float]
Times = MutableSequence[int]


def obv_rows(
    open_ms: Times, close: Floats, volume: Floats, session_ms: int, out: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Volume that came with rises less volume that came with falls. State: age, session (2), last
    close, sum."""
    age = int(state[0])
    last = state[3]
    total = state[4]
    for i in range(start, stop):
        age = session_age(open_ms[i], session_ms, age, state, 1)
        value = close[i]
        if value - value != 0.0 or volume[i] - volume[i] != 0.0:
            age = 0
        if age == 1:
            total = volume[i]
        elif value > last:
            total += volume[i]
        elif value < last:
            total -= volume[i]
        last = value
        out[i] = total if age > 0 and total - total == 0.0 else nan
    state[0] = age
    state[3] = last
    state[4] = total


def session_vwap_rows(
    open_ms: Times, high: Floats, low: Floats, close: Floats, volume: Floats, session_ms: int,
    out: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Average price of the session so far. State: age, session (2), first price, sums of volume
    and of volume times the distance from the first price (so that a flat price is itself)."""
    age = int(state[0])
    first = state[3]
    weight = state[4]
    total = state[5]
    for i in range(start, stop):
        age = session_age(open_ms[i], session_ms, age, state, 1)
        typical = (high[i] + low[i] + close[i]) / 3.0
        out[i] = nan
        if typical - typical != 0.0 or volume[i] - volume[i] != 0.0:
            age = 0
        if age == 1:
            first = typical
            weight = total = 0.0
        weight += volume[i]
        total += (typical - first) * volume[i]
        if age > 0 and weight > 0.0:
            value = first + total / weight
            out[i] = value if value - value == 0.0 else nan
    state[0] = age
    state[3] = first
    state[4] = weight
    state[5] = total


def vwap_rows(
    high: Floats, low: Floats, close: Floats, volume: Floats, n: int, out: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Average price of n rows. State: count, place; typical prices from slot 16."""
    count = int(state[0])
    place = int(state[1])
    for i in range(start, stop):
        typical = (high[i] + low[i] + close[i]) / 3.0
        out[i] = nan
        if typical - typical != 0.0 or volume[i] - volume[i] != 0.0:
            count = place = 0
            continue
        place = keep(state, 16, n, place, typical)
        count += 1
        if count < n:
            continue
        total = 0.0
        weight = 0.0
        first = 16 + place - n
        for j in range(n):
            weight += volume[i - n + 1 + j]
            total += (state[first + j] - typical) * volume[i - n + 1 + j]
        if weight > 0.0:
            value = typical + total / weight
            out[i] = value if value - value == 0.0 else nan
    state[0] = count
    state[1] = place


def cmf_rows(
    high: Floats, low: Floats, close: Floats, volume: Floats, n: int, out: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Share of volume that came with closes near the high. State: count, place; flows from 16."""
    count = int(state[0])
    place = int(state[1])
    for i in range(start, stop):
        span = high[i] - low[i]
        lean = (close[i] - low[i]) - (high[i] - close[i])
        flow = lean / span * volume[i] if span > 0.0 else 0.0 * (lean + volume[i])
        out[i] = nan
        if flow - flow != 0.0 or volume[i] - volume[i] != 0.0:
            count = place = 0
            continue
        place = keep(state, 16, n, place, flow)
        count += 1
        if count < n:
            continue
        total = 0.0
        weight = 0.0
        first = 16 + place - n
        for j in range(n):
            weight += volume[i - n + 1 + j]
            total += state[first + j]
        value = total / weight if weight > 0.0 else 0.0
        out[i] = value if weight - weight == 0.0 and value - value == 0.0 else nan
    state[0] = count
    state[1] = place
