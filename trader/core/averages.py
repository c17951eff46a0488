# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops of the averages: sma, ema, rma, wma, hma.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)` that fill
outs[start:stop] from rows 0..stop and remember what they need in `state` (zeroed at row 0). A row
whose input is not finite has no value and restarts the count; what overflows has no value. Must
not live here: checks of arguments (indicator.py); without bounds checks these loops trust them.

Sums over a window are kept as a float and the sum of all its rounding errors, each of which is
exact, and begun anew when the sum has become much larger or smaller: the pair is the exact sum
while the values of a window are within a factor of about 2**25 of each other. So a mean does not
depend on where the series starts, and does not drift.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from math import nan

Floats = MutableSequence[float]

# Rows after which it is looked how large a running sum has become.
LOOK = 64.0
# A sum up to this cannot overflow before the next look: no row makes it more than half larger.
SAFE = 1e290
# How many times larger or smaller a running sum may become before it is summed anew.
SPAN = 4096.0


def sma_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Mean of n rows.

    State: count, sum, error, last mean, least and most of the sum, rows since a value was below 0,
    rows until the sum is looked at, whether it cannot overflow before.
    """
    i = start
    while i < stop:
        if state[0] >= n and state[7] < 1.0:
            if not (state[4] <= absolute(state[1]) <= state[5]):
                add_window(x, i - n, i, state)
            state[7] = LOOK
            state[8] = 1.0 if absolute(state[1]) <= SAFE else 0.0
        if state[0] >= n and state[6] >= n and state[8] > 0.0:
            left = int(state[7])
            end = i + left if left < stop - i else stop
            made = slide_rows(x, n, out, i, end, state)
            state[6] += made - i
            state[7] -= made - i
            i = made
            if made == end:
                continue
        mean_row(x, n, out, i, state)
        i += 1


def slide_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> int:
    """The mean while it moves in small steps; the row that it left off at.

    No value of the window is below 0. Where neither of two values is more than half above the
    other, their difference is exact and less than the sum, so that the error of adding it is
    exact too.
    """
    total = state[1]
    error = state[2]
    mean = state[3]
    old = x[start - n]
    i = start
    while i < stop:
        value = x[i]
        if not (value <= 1.5 * old and old <= 1.5 * value):
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
    state[1] = total
    state[2] = error
    state[3] = mean
    return i


def mean_row(x: Floats, n: int, out: Floats, i: int, state: Floats) -> None:
    """One row of the mean, whatever its value."""
    value = x[i]
    out[i] = nan
    if value - value != 0.0:
        state[0] = 0.0
        return
    state[6] = 0.0 if value < 0.0 else (state[6] + 1.0 if state[0] > 0.0 else 1.0)
    state[7] -= 1.0
    if state[0] < n:
        state[0] += 1.0
        if state[0] < n:
            return
        add_window(x, i - n + 1, i + 1, state)
    else:
        # step + rest is exactly value - old; made + slip is exactly total + step.
        old = x[i - n]
        total = state[1]
        step = value - old
        back = step - value
        rest = (value - (step - back)) - (old + back)
        made = total + step
        back = made - total
        slip = (total - (made - back)) + (step - back)
        state[1] = made
        state[2] += rest + slip
        if not (state[4] <= absolute(made) <= state[5]):
            add_window(x, i - n + 1, i + 1, state)
        elif step == 0.0:
            out[i] = state[3]
            return
    # A level window is its value to the bit; sum / n may miss it by one unit.
    whole = state[1] + state[2]
    state[3] = value if level_from(x, i - n + 1, i) else whole / n
    if whole - whole != 0.0:
        state[3] = nan
    out[i] = state[3]


def level_from(x: Floats, first: int, last: int) -> bool:
    """Whether all values of x[first:last] equal x[last]."""
    value = x[last]
    j = last - 1
    while j >= first and x[j] == value:
        j -= 1
    return j < first


def add_window(x: Floats, first: int, stop: int, state: Floats) -> None:
    """Sum and error of x[first:stop], anew, and how far the sum may move before the next time.

    A sum that has been much larger has lost digits to what has left it.
    """
    total = 0.0
    error = 0.0
    for j in range(first, stop):
        made = total + x[j]
        back = made - total
        error += (total - (made - back)) + (x[j] - back)
        total = made
    state[1] = total
    state[2] = error
    state[4] = absolute(total) / SPAN
    state[5] = absolute(total) * SPAN if absolute(total) <= SAFE else absolute(total)
    state[7] = 0.0
    if error - error != 0.0:
        state[4] = 1.0
        state[5] = 0.0


def absolute(value: float) -> float:
    """Its distance from 0."""
    return value if value > 0.0 else -value


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


def faded_tiles(
    x: Floats, n: int, weight: float, warm: int, own: int, depth: int, count: int, out: Floats
) -> None:
    """`faded_rows` of many windows of finite values, four side by side.

    Each window has `warm` + `own` rows and the next one begins `own` rows after it. Of each, the
    last `depth` + `own` rows go to `out`, window after window; `warm - depth` is at least n.
    """
    kept = warm - depth
    last = count - 1
    b = 0
    while b < count:
        # Behind the last window its values are written once more.
        c, d, e = min(b + 1, last), min(b + 2, last), min(b + 3, last)
        i, j, k, m = b * own, c * own, d * own, e * own
        first, second, third, fourth = x[i], x[j], x[k], x[m]
        one = two = three = four = 0.0
        for r in range(n):
            one += x[i + r] - first
            two += x[j + r] - second
            three += x[k + r] - third
            four += x[m + r] - fourth
        one = first + one / n
        two = second + two / n
        three = third + three / n
        four = fourth + four / n
        for r in range(n, kept):
            one = one + (x[i + r] - one) * weight
            two = two + (x[j + r] - two) * weight
            three = three + (x[k + r] - three) * weight
            four = four + (x[m + r] - four) * weight
        b, c, d, e = b * (depth + own), c * (depth + own), d * (depth + own), e * (depth + own)
        for r in range(kept, warm + own):
            one = one + (x[i + r] - one) * weight
            two = two + (x[j + r] - two) * weight
            three = three + (x[k + r] - three) * weight
            four = four + (x[m + r] - four) * weight
            out[b + r - kept] = one
            out[c + r - kept] = two
            out[d + r - kept] = three
            out[e + r - kept] = four
        b = b // (depth + own) + 4


def tile_rows(x: Floats, warm: int, own: int, depth: int, count: int, out: Floats) -> None:
    """The last `depth` + `own` rows of such windows, window after window."""
    place = 0
    for b in range(count):
        begin = b * own + warm - depth
        for r in range(begin, begin + depth + own):
            out[place] = x[r]
            place += 1


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
