# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops of the trends: adx, plus_di, minus_di, psar, supertrend, heikin_ashi; and when a session
begins.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)`, with the rules
of averages.py: rows that are not finite have no value and restart the count. What lasts a session
has no value until one begins: a sum whose beginning was not seen is no number, and neither is what
follows a row that is not finite. Must not live here: checks of arguments.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

from trader.core.ranges import spanned

Floats = MutableSequence[float]
Times = MutableSequence[int]


def session_age(at_ms: int, session_ms: int, age: int, state: Floats, slot: int) -> int:
    """Rows of the session up to this one: 1 on its first row, 0 while its start was not seen.

    The grid is UTC, from the epoch, or from its first Monday for whole weeks. `age` is that of the
    row before; state[slot] holds the session's start, state[slot + 1] whether there was a row.
    """
    known = state[slot + 1] != 0.0
    if known and 0.0 <= at_ms - state[slot] < session_ms:
        return age + 1 if age > 0 else 0
    origin = 345_600_000 if session_ms % 604_800_000 == 0 else 0
    rest = (at_ms - origin) % session_ms
    if rest < 0:
        rest += session_ms
    state[slot] = at_ms - rest
    state[slot + 1] = 1.0
    return 1 if known or rest == 0 else 0


def directional(
    high: Floats, low: Floats, close: Floats, n: int, weight: float, i: int, count: int,
    state: Floats,
) -> None:  # fmt: skip
    """One row of Wilder's sums: state[4] +dm, state[5] -dm, state[6] true range; weight: 1 / n.

    `count` counts this row. State 1 to 3: last high, low, close. The first sums are of n - 1 rows.
    """
    if count > 1:
        rise = high[i] - state[1]
        fall = state[2] - low[i]
        plus = rise if rise > 0.0 and rise > fall else 0.0
        minus = fall if fall > 0.0 and fall > rise else 0.0
        span = spanned(high[i], low[i], state[3])
        lost = weight if count > n else 0.0
        state[4] = state[4] - state[4] * lost + plus
        state[5] = state[5] - state[5] * lost + minus
        state[6] = state[6] - state[6] * lost + span
    else:
        state[4] = state[5] = state[6] = 0.0
    state[1] = high[i]
    state[2] = low[i]
    state[3] = close[i]


def plus_di_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Share of the range that was a rise. State: count, then as of `directional`."""
    direction_rows(high, low, close, n, 4, out, start, stop, state)


def minus_di_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Share of the range that was a fall. State: count, then as of `directional`."""
    direction_rows(high, low, close, n, 5, out, start, stop, state)


def direction_rows(
    high: Floats, low: Floats, close: Floats, n: int, which: int, out: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """One of the two sums in percent of the range's."""
    count = int(state[0])
    weight = 1.0 / n
    for i in range(start, stop):
        whole = high[i] + low[i] + close[i]
        out[i] = nan
        if whole - whole != 0.0:
            count = 0
            continue
        count += 1
        directional(high, low, close, n, weight, i, count, state)
        if count > n:
            value = 100.0 * (state[which] / state[6]) if state[6] > 0.0 else 0.0
            out[i] = value if value - value == 0.0 else nan
    state[0] = count


def adx_rows(
    high: Floats, low: Floats, close: Floats, n: int, out: Floats, start: int, stop: int,
    state: Floats,
) -> None:  # fmt: skip
    """Average of how one-sided the movement is. State: count, as of `directional`, average."""
    count = int(state[0])
    level = state[7]
    weight = 1.0 / n
    for i in range(start, stop):
        whole = high[i] + low[i] + close[i]
        out[i] = nan
        if whole - whole != 0.0:
            count = 0
            continue
        count += 1
        directional(high, low, close, n, weight, i, count, state)
        both = state[4] + state[5]
        gap = state[4] - state[5]
        value = 0.0
        if both > 0.0 and state[6] > 0.0:
            value = 100.0 * ((gap if gap > 0.0 else -gap) / both)
        if count > 2 * n:
            level = level + (value - level) * weight
        else:
            level = level + value if count > n else 0.0
            if count < 2 * n:
                continue
            level = level / n
        out[i] = level if level - level == 0.0 else nan
    state[0] = count
    state[7] = level


def psar_rows(
    open_ms: Times, high: Floats, low: Floats, step: float, most: float, session_ms: int,
    out: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Parabolic stop and reverse.

    State: age, session (2), direction (1 up, -1 down), next value, extreme, speed, last high, low.
    """
    age = int(state[0])
    side = state[3]
    stand = state[4]
    extreme = state[5]
    speed = state[6]
    for i in range(start, stop):
        age = session_age(open_ms[i], session_ms, age, state, 1)
        top = high[i]
        bottom = low[i]
        out[i] = nan
        if top - top != 0.0 or bottom - bottom != 0.0:
            age = 0
        last_top = state[7] if age > 2 else top
        last_bottom = state[8] if age > 2 else bottom
        if age == 2:
            fall = state[8] - bottom
            side = -1.0 if fall > 0.0 and fall > top - state[7] else 1.0
            extreme = top if side > 0.0 else bottom
            stand = state[8] if side > 0.0 else state[7]
            speed = step
        state[7] = top
        state[8] = bottom
        if age < 2:
            continue
        outer_top = top if top > last_top else last_top
        outer_bottom = bottom if bottom < last_bottom else last_bottom
        if (bottom <= stand) if side > 0.0 else (top >= stand):
            # Touched: it turns, and stands at the extreme of the trend that has ended.
            side = -side
            stand = inside(extreme, side, outer_top, outer_bottom)
            extreme = top if side > 0.0 else bottom
            speed = step
            out[i] = stand
        else:
            out[i] = stand
            if (top > extreme) if side > 0.0 else (bottom < extreme):
                extreme = top if side > 0.0 else bottom
                speed = speed + step if speed + step < most else most
        stand = inside(stand + speed * (extreme - stand), side, outer_top, outer_bottom)
    state[0] = age
    state[3] = side
    state[4] = stand
    state[5] = extreme
    state[6] = speed


def inside(stand: float, side: float, top: float, bottom: float) -> float:
    """The stop, kept below both bars while long and above both while short."""
    if side > 0.0:
        return bottom if stand > bottom else stand
    return top if stand < top else stand


def supertrend_rows(
    open_ms: Times, high: Floats, low: Floats, close: Floats, n: int, k: float, session_ms: int,
    line: Floats, direction: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Two bands around the middle of the bar that only move towards the price.

    State: age, session (2), average range, upper, lower, direction, last close.
    """
    age = int(state[0])
    span = state[3]
    upper = state[4]
    lower = state[5]
    side = state[6]
    last = state[7]
    weight = 1.0 / n
    for i in range(start, stop):
        age = session_age(open_ms[i], session_ms, age, state, 1)
        line[i] = direction[i] = nan
        whole = high[i] + low[i] + close[i]
        if whole - whole != 0.0:
            age = 0
            continue
        before = last
        last = close[i]
        if age > n + 1:
            span = span + (spanned(high[i], low[i], before) - span) * weight
        else:
            span = span + spanned(high[i], low[i], before) if age > 1 else 0.0
            span = span / n if age == n + 1 else span
            upper = lower = nan
            side = 1.0
        if age <= n:
            continue
        middle = 0.5 * high[i] + 0.5 * low[i]
        top = middle + k * span
        bottom = middle - k * span
        upper = upper if top >= upper and before <= upper else top
        lower = lower if bottom <= lower and before >= lower else bottom
        # The first row has no trend to leave: it counts as up, whatever its close.
        turned = last < lower if side > 0.0 else last > upper
        side = -side if turned and age > n + 1 else side
        if top - top == 0.0 and bottom - bottom == 0.0:
            line[i] = lower if side > 0.0 else upper
            direction[i] = side
    state[0] = age
    state[3] = span
    state[4] = upper
    state[5] = lower
    state[6] = side
    state[7] = last


def heikin_ashi_rows(
    opened: Floats, high: Floats, low: Floats, close: Floats, open_line: Floats,
    high_line: Floats, low_line: Floats, close_line: Floats, start: int, stop: int, state: Floats,
) -> None:  # fmt: skip
    """Averaged candles. State: count, open and close of the last one."""
    count = int(state[0])
    begin = state[1]
    end = state[2]
    for i in range(start, stop):
        open_line[i] = high_line[i] = low_line[i] = close_line[i] = nan
        whole = opened[i] + high[i] + low[i] + close[i]
        if whole - whole != 0.0:
            count = 0
            continue
        begin = 0.5 * begin + 0.5 * end if count > 0 else 0.5 * opened[i] + 0.5 * close[i]
        end = whole / 4.0
        count = 1
        open_line[i] = begin
        close_line[i] = end
        outer = begin if begin > end else end
        inner = begin if begin < end else end
        high_line[i] = outer if outer > high[i] else high[i]
        low_line[i] = inner if inner < low[i] else low[i]
    state[0] = count
    state[1] = begin
    state[2] = end
