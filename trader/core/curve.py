# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops over an equity curve: ends of days, the deepest fall, its sum, and rows to draw.

Lives here: single passes over one number a decision bar (int64 cash units, oldest first) that need
no memory of their own, however many bars there are. Must not live here: formulas of metrics and
decimals (`app.statistics`), text. Without bounds checks these loops trust their callers: `out` is
as long as each says.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, MutableSequence, Sequence
from typing import overload

from trader.core.exact import quotient

DAY_MS = 86_400_000
SMALL = 1 << 58


class Closes(Sequence[int]):
    """Closes of decision bars, oldest first, as their opens so much earlier: no second column of
    them is made. `opens_ms`: int64[n]."""

    __slots__ = ("later_ms", "opens_ms")

    def __init__(self, opens_ms: array[int] | memoryview, later_ms: int) -> None:
        """A bar closes `later_ms` after it opens."""
        self.opens_ms = opens_ms
        self.later_ms = later_ms

    def __len__(self) -> int:
        """How many bars."""
        return len(self.opens_ms)

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...

    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        """One of them, or some."""
        if isinstance(index, slice):
            return Closes(self.opens_ms[index], self.later_ms)
        return self.opens_ms[index] + self.later_ms

    def __iter__(self) -> Iterator[int]:
        """Each of them."""
        later_ms = self.later_ms
        return (open_ms + later_ms for open_ms in self.opens_ms)


def day_ends(opens_ms: Sequence[int], later_ms: int, out: MutableSequence[int]) -> int:
    """How many UTC days have a bar; out[0:that] are the rows of each one's last bar.

    Bars close `later_ms` after they open. One that closes at midnight belongs to the day it ends.
    `out` holds a row for each day that the curve spans.
    """
    n = len(opens_ms)
    count = 0
    # How many bars the day before had: most days have as many, so that few rows are looked at.
    bars = 1
    i = 0
    while i < n:
        last_ms = ((opens_ms[i] + later_ms - 1) // DAY_MS + 1) * DAY_MS - later_ms
        low = i
        high = i + bars
        while high < n and opens_ms[high] <= last_ms:
            low = high
            high += bars
            bars += bars
        high = min(high, n)
        if low < high - 1 and opens_ms[high - 1] <= last_ms:
            low = high - 1
        while low + 1 < high:
            middle = (low + high) // 2
            if opens_ms[middle] <= last_ms:
                low = middle
            else:
                high = middle
        bars = high - i
        out[count] = low
        count += 1
        i = high
    return count


def values_at(
    units: Sequence[int],
    before: int,
    rows: Sequence[int],
    first: int,
    stop: int,
    out: MutableSequence[int],
) -> None:
    """out[k]: the value of row rows[k], for k in [first, stop); the first of `units` is of row
    `before`."""
    for k in range(first, stop):
        out[k] = units[rows[k] - before]


def day_returns(
    values: Sequence[int],
    start: int,
    opens_ms: Sequence[int],
    later_ms: int,
    rows: Sequence[int],
    out: MutableSequence[float],
) -> int:
    """Simple returns by UTC day, from `start` on: how many; a day without a bar has 0.

    `rows`: see `day_ends`; `values`: the curve there. `out` is zeros, one for each day from that
    of the first row on.
    """
    count = 0
    first = 0
    before = start
    for k in range(len(rows)):
        now = values[k]
        day = (opens_ms[rows[k]] + later_ms - 1) // DAY_MS
        if k == 0:
            first = day
        count = day - first
        out[count] = quotient(now, before) - 1.0 if before > 0 else 0.0
        count += 1
        before = now
    return count


# Numbers that a pass over a curve carries along, see `follow_fall`.
FALL_SLOTS = 11


def begin_fall(start: int, out: MutableSequence[int]) -> None:
    """Get ready for `follow_fall`; `start` is the value before row 0, and a high too."""
    out[0] = out[1] = out[2] = out[9] = -1
    out[3] = out[4] = out[7] = out[8] = start
    out[5] = out[6] = 0
    out[10] = start + 1


def follow_fall(
    units: Sequence[int], at: int, stop: int, row: int, out: MutableSequence[int]
) -> float:
    """Go on with units[at:stop], which are rows from `row` on: the largest share that the curve
    fell below its highest value until now; the first of equals.

    out[0:7] become: row of the high (-1: the start), row of the trough (-1: it never fell), row at
    which it was back (-1: never, or it never fell), the high, the trough; and the sum of the curve,
    which may not fit into 64 bits, is out[5] * 2**31 + out[6]. What follows is carried along: the
    highest value, the lowest since, the row of the former.
    """
    high = out[7]
    lowest = out[8]
    high_row = out[9]
    # From this value on there is something to note: a new high, or the deepest fall is made good.
    top = out[10]
    share = float(out[3] - out[4]) / float(out[3]) if out[1] >= 0 else 0.0
    upper = out[5]
    lower = out[6]
    i = until = at
    while i < stop:
        # Most stretches of sixteen bring neither a new high nor a new low: whether one does, is
        # asked without a branch a bar. Of larger values neither that nor their sum would fit.
        if i >= until and i + 16 <= stop and high < SMALL and lowest > -SMALL:
            until = i + 16
            beyond = part = 0
            for k in range(16):
                beyond |= (units[i + k] - lowest) | (top - 1 - units[i + k])
                part += units[i + k]
            if beyond >= 0:
                upper += part >> 31
                lower += part & 2147483647
                i = until
                continue
        now = units[i]
        upper += now >> 31
        lower += now & 2147483647
        if now >= top:
            if top == high:
                out[2] = row + i - at
            if now > high:
                high = now
                lowest = now
                high_row = row + i - at
            top = high + 1
        elif now < lowest:
            lowest = now
            fallen = float(high - now) / float(high) if high > 0 else 0.0
            if fallen > share:
                share = fallen
                top = high
                out[0] = high_row
                out[1] = row + i - at
                out[2] = -1
                out[3] = high
                out[4] = now
        i += 1
    out[5] = upper
    out[6] = lower
    out[7] = high
    out[8] = lowest
    out[9] = high_row
    out[10] = top
    return share


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
