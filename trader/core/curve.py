# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over an equity curve: ends of days, the deepest fall, its sum, and rows to draw.

Lives here: single passes over one number a decision bar (int64 cash units, oldest first) that need
no memory of their own, however many bars there are. Must not live here: formulas of metrics and
decimals (`app.statistics`), text. Without bounds checks these loops trust their callers: `out` is
as long as each says.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

DAY_MS = 86_400_000


def day_ends(closes_ms: Sequence[int], out: MutableSequence[int]) -> int:
    """How many UTC days have a bar; out[0:that] are the rows of each one's last bar.

    A bar that closes at midnight belongs to the day it ends. `out` holds a row for each day that
    the curve spans.
    """
    n = len(closes_ms)
    count = 0
    # One division a day: a bar is of the day until a close is beyond its midnight.
    ends_ms = -1
    i = 0
    while i < n:
        if closes_ms[i] > ends_ms:
            if i > 0:
                out[count] = i - 1
                count += 1
            ends_ms = ((closes_ms[i] - 1) // DAY_MS + 1) * DAY_MS
        i += 1
    if n > 0:
        out[count] = n - 1
        count += 1
    return count


def deepest_fall(units: Sequence[int], start: int, out: MutableSequence[int]) -> float:
    """The largest share that the curve fell below its highest value so far; the first of equals.

    `start` is the value before row 0, and a high too. out[0:5] become: row of the high (-1: the
    start), row of the trough (-1: it never fell), row at which it was back (-1: never, or it never
    fell), the high, the trough.
    """
    n = len(units)
    high = start
    lowest = start
    mark = start
    high_row = -1
    share = 0.0
    out[0] = -1
    out[1] = -1
    out[2] = -1
    out[3] = start
    out[4] = start
    under = 0
    i = 0
    while i < n:
        now = units[i]
        if now > high:
            high = now
            lowest = now
            high_row = i
        elif now < lowest:
            lowest = now
            fallen = float(high - now) / float(high) if high > 0 else 0.0
            if fallen > share:
                share = fallen
                mark = high
                under = 1
                out[0] = high_row
                out[1] = i
                out[2] = -1
                out[3] = high
                out[4] = now
        if under == 1 and now >= mark:
            under = 0
            out[2] = i
        i += 1
    return share


def sum_parts(units: Sequence[int], out: MutableSequence[int]) -> None:
    """The sum of a curve that may not fit into 64 bits: out[0] * 2**31 + out[1]."""
    n = len(units)
    upper = 0
    lower = 0
    i = 0
    while i < n:
        now = units[i]
        upper += now >> 31
        lower += now & 2147483647
        i += 1
    out[0] = upper
    out[1] = lower


def drawn_rows(units: Sequence[int], blocks: int, out: MutableSequence[int]) -> int:
    """Rows that draw the curve as all of them would: the first, the last, and of each of `blocks`
    equal stretches the lowest and the highest, in order. out holds 2 * blocks + 2 rows."""
    n = len(units)
    count = 0
    block = 0
    last = -1
    while block < blocks:
        i = n * block // blocks
        stop = n * (block + 1) // blocks
        block += 1
        if i == stop:
            continue
        low = i
        top = i
        while i < stop:
            if units[i] < units[low]:
                low = i
            if units[i] > units[top]:
                top = i
            i += 1
        first = low if low < top else top
        second = top if low < top else low
        if last < 0 and first > 0:
            out[count] = 0
            count += 1
        if first > last:
            out[count] = first
            count += 1
            last = first
        if second > last:
            out[count] = second
            count += 1
            last = second
    if n > 0 and last < n - 1:
        out[count] = n - 1
        count += 1
    return count


def highs_at(
    units: Sequence[int], start: int, rows: Sequence[int], out: MutableSequence[int]
) -> None:
    """out[k]: the highest value up to rows[k], `start` included; `rows` increase."""
    high = start
    i = 0
    k = 0
    while k < len(rows):
        stop = rows[k]
        while i <= stop:
            high = units[i] if units[i] > high else high
            i += 1
        out[k] = high
        k += 1
