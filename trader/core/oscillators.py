# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops of the oscillators: rsi, cci, mfi, roc, momentum, macd, ppo.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)`, with the rules
of averages.py: rows that are not finite have no value and restart the count. Must not live here:
checks of arguments.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

from trader.core.averages import keep

Floats = MutableSequence[float]

# What lies closer together, as a part of the price, differs by rounding: a third of a sum of three
# prices is not exact, and equal typical prices may come out as neighbours.
ROUNDING = 1e-14


def rsi_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Relative strength. State: count of rows, last value, average gain, average loss."""
    count = int(state[0])
    last = state[1]
    gain = state[2]
    loss = state[3]
    weight = 1.0 / n
    for i in range(start, stop):
        value = x[i]
        if value - value != 0.0:
            count = 0
            out[i] = nan
            continue
        if count == 0:
            last = value
            gain = loss = 0.0
        change = value - last
        last = value
        up = change if change > 0.0 else 0.0
        down = -change if change < 0.0 else 0.0
        if count > n:
            gain = gain + (up - gain) * weight
            loss = loss + (down - loss) * weight
        else:
            gain += up
            loss += down
            if count == n:
                gain = gain / n
                loss = loss / n
            count += 1
        whole = gain + loss
        if count <= n or whole - whole != 0.0:
            out[i] = nan
        else:
            out[i] = 100.0 * (gain / whole) if whole > 0.0 else 50.0
    state[0] = count
    state[1] = last
    state[2] = gain
    state[3] = loss


def cci_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Commodity channel index. State: count, place; typical prices from slot 16."""
    count = int(state[0])
    place = int(state[1])
    for i in range(start, stop):
        typical = (high[i] + low[i] + close[i]) / 3.0
        if typical - typical != 0.0:
            count = place = 0
            out[i] = nan
            continue
        place = keep(state, 16, n, place, typical)
        count += 1
        if count < n:
            out[i] = nan
            continue
        first = 16 + place - n
        shift = 0.0
        for j in range(first, first + n):
            shift += state[j] - typical
        mean = typical + shift / n
        spread = 0.0
        for j in range(first, first + n):
            gap = state[j] - mean
            spread += gap if gap > 0.0 else -gap
        spread = 0.015 * (spread / n)
        gap = typical - mean
        slack = ROUNDING * (typical if typical > 0.0 else -typical)
        value = gap / spread if spread > slack else 0.0
        out[i] = value if spread - spread == 0.0 and value - value == 0.0 else nan
    state[0] = count
    state[1] = place


def mfi_rows(
    high: Floats, low: Floats, close: Floats, volume: Floats, n: int, out: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Money flow index. State: count of rows, last typical price, place; flows from slot 16.

    A flow is typical price * volume, below 0 where the price fell, 0 where it stood.
    """
    count = int(state[0])
    last = state[1]
    place = int(state[2])
    for i in range(start, stop):
        typical = (high[i] + low[i] + close[i]) / 3.0
        flow = typical * volume[i]
        if typical - typical != 0.0 or flow - flow != 0.0:
            count = place = 0
            out[i] = nan
            continue
        if count > 0:
            move = typical - last
            slack = ROUNDING * (typical if typical > 0.0 else -typical)
            flow = flow if move > slack else (-flow if move < -slack else 0.0)
            place = keep(state, 16, n, place, flow)
        last = typical
        count += 1
        if count <= n:
            out[i] = nan
            continue
        rise = 0.0
        fall = 0.0
        for j in range(16 + place - n, 16 + place):
            flow = state[j]
            rise += flow if flow > 0.0 else 0.0
            fall += -flow if flow < 0.0 else 0.0
        whole = rise + fall
        if whole - whole != 0.0:
            out[i] = nan
        else:
            out[i] = 100.0 * (rise / whole) if whole > 0.0 else 50.0
    state[0] = count
    state[1] = last
    state[2] = place


def roc_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Rate of change in percent. State: count."""
    count = int(state[0])
    for i in range(start, stop):
        if x[i] - x[i] != 0.0:
            count = 0
            out[i] = nan
            continue
        count += 1
        if count <= n or x[i - n] == 0.0:
            out[i] = nan
            continue
        value = 100.0 * (x[i] / x[i - n] - 1.0)
        out[i] = value if value - value == 0.0 else nan
    state[0] = count


def momentum_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Difference to n rows before. State: count."""
    count = int(state[0])
    for i in range(start, stop):
        if x[i] - x[i] != 0.0:
            count = 0
            out[i] = nan
            continue
        count += 1
        value = x[i] - x[i - n] if count > n else nan
        out[i] = value if value - value == 0.0 else nan
    state[0] = count


def macd_rows(
    x: Floats, fast: int, slow: int, signal: int, line: Floats, trigger: Floats, hist: Floats,
    start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Two averages' distance, its average, and the distance of these two.

    State: count, first value, fast, slow, signal. All three lines start where the signal does.
    """
    count = int(state[0])
    first = state[1]
    quick = state[2]
    calm = state[3]
    level = state[4]
    fast_weight = 2.0 / (fast + 1)
    slow_weight = 2.0 / (slow + 1)
    signal_weight = 2.0 / (signal + 1)
    for i in range(start, stop):
        line[i] = trigger[i] = hist[i] = nan
        value = x[i]
        if value - value != 0.0:
            count = 0
            continue
        if count == 0:
            first = value
            quick = calm = level = 0.0
        count += 1
        if count > slow:
            quick = quick + (value - quick) * fast_weight
            calm = calm + (value - calm) * slow_weight
        else:
            quick += value - first if count > slow - fast else 0.0
            calm += value - first
            if count < slow:
                continue
            quick = first + quick / fast
            calm = first + calm / slow
        gap = quick - calm
        if count >= slow + signal:
            level = level + (gap - level) * signal_weight
        else:
            level += gap
            if count < slow + signal - 1:
                continue
            level = level / signal
        if level - level == 0.0 and gap - gap == 0.0:
            line[i] = gap
            trigger[i] = level
            hist[i] = gap - level
    state[0] = count
    state[1] = first
    state[2] = quick
    state[3] = calm
    state[4] = level


def ppo_rows(
    x: Floats, fast: int, slow: int, out: Floats, start: int, stop: int, state: Floats
) -> None:
    """Two averages' distance in percent of the slow one. State: count, first value, fast, slow."""
    count = int(state[0])
    first = state[1]
    quick = state[2]
    calm = state[3]
    fast_weight = 2.0 / (fast + 1)
    slow_weight = 2.0 / (slow + 1)
    for i in range(start, stop):
        out[i] = nan
        value = x[i]
        if value - value != 0.0:
            count = 0
            continue
        if count == 0:
            first = value
            quick = calm = 0.0
        count += 1
        if count > slow:
            calm = calm + (value - calm) * slow_weight
        else:
            calm += value - first
            calm = first + calm / slow if count == slow else calm
        if count > fast:
            quick = quick + (value - quick) * fast_weight
        else:
            quick += value - first
            quick = first + quick / fast if count == fast else quick
        if count >= slow and calm != 0.0:
            value = 100.0 * ((quick - calm) / calm)
            out[i] = value if value - value == 0.0 else nan
    state[0] = count
    state[1] = first
    state[2] = quick
    state[3] = calm
