# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Passes over many round trips: sums by a name, shares of what they cost, the weightiest, and how
many are held at a time.

Lives here: single passes over rows of `core.trips.TRIP_COLUMNS` or over times in order. Without
bounds checks these loops trust their callers: an `out` is as long as each says. Must not live here:
names, text, what is drawn of it (`app.report_series`).
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from trader.core.money import AMOUNT_MAX, PPM
from trader.core.trips import TRIP_COLUMNS

# Of one group, in this order; a sum that may not fit into 64 bits is upper * 2**31 + lower.
SUM_COLUMNS = (
    "count", "wins", "result_upper", "result_lower", "cost_upper", "cost_lower", "fee_upper",
    "fee_lower", "held_upper", "held_lower", "best", "worst",
)  # fmt: skip
WIDTH, SUMS = len(TRIP_COLUMNS), len(SUM_COLUMNS)
LOW_BITS, LOW_MASK = 31, (1 << 31) - 1
MILLION, SHARE_MAX = PPM, AMOUNT_MAX
SYMBOL, OPENED, CLOSED = (TRIP_COLUMNS.index(name) for name in ("symbol", "opened_ms", "closed_ms"))
COST, FEE, RESULT = (
    TRIP_COLUMNS.index(name) for name in ("cost_units", "fee_units", "result_units")
)


def sum_by(rows: Sequence[int], column: int, out: MutableSequence[int]) -> None:
    """Add closed round trips up by the place of a name in one of their columns.

    `out` is zeros, SUM_COLUMNS of place -1 first, then those of place 0 and so on.
    """
    at = 0
    while at < len(rows):
        to = (rows[at + column] + 1) * SUMS
        result = rows[at + RESULT]
        cost = rows[at + COST]
        fee = rows[at + FEE]
        held = rows[at + CLOSED] - rows[at + OPENED]
        if out[to] == 0 or result > out[to + 10]:
            out[to + 10] = result
        if out[to] == 0 or result < out[to + 11]:
            out[to + 11] = result
        out[to] += 1
        if result > 0:
            out[to + 1] += 1
        out[to + 2] += result >> LOW_BITS
        out[to + 3] += result & LOW_MASK
        out[to + 4] += cost >> LOW_BITS
        out[to + 5] += cost & LOW_MASK
        out[to + 6] += fee >> LOW_BITS
        out[to + 7] += fee & LOW_MASK
        out[to + 8] += held >> LOW_BITS
        out[to + 9] += held & LOW_MASK
        at += WIDTH


def shares_of(rows: Sequence[int], out: MutableSequence[int]) -> int:
    """How many round trips cost something; out[0:that] are their results in millionths of that,
    rounded down, and cut off where nobody can tell them apart (2**62)."""
    count = 0
    at = 0
    while at < len(rows):
        cost = rows[at + COST]
        # Widened before it is multiplied: int64 would wrap round in compiled code.
        wide = rows[at + RESULT]
        wide *= MILLION
        if cost > 0:
            # In steps: each keeps the wide type, and divides what is not negative.
            if wide >= 0:
                wide //= cost
            else:
                wide = -wide
                wide += cost - 1
                wide //= cost
                wide = -wide
            if wide > SHARE_MAX:
                out[count] = SHARE_MAX
            elif wide < -SHARE_MAX:
                out[count] = -SHARE_MAX
            else:
                out[count] = wide
            count += 1
        at += WIDTH
    return count


def weightiest(rows: Sequence[int], symbol: int, most: int, out: MutableSequence[int]) -> int:
    """How many round trips of an instrument (its place) are among its `most` with the largest
    results, gained or lost; out[0:that] are their numbers, the largest first; of equals the one
    that opened first. `out` has room for one more than `most`."""
    count = 0
    number = 0
    while number * WIDTH < len(rows):
        at = number * WIDTH
        if rows[at + SYMBOL] == symbol:
            place = count
            while place > 0 and _is_heavier(rows, at, out[place - 1] * WIDTH):
                out[place] = out[place - 1]
                place -= 1
            out[place] = number
            if count < most:
                count += 1
        number += 1
    return count


def _is_heavier(rows: Sequence[int], one: int, other: int) -> bool:
    weight = abs(rows[one + RESULT])
    beside = abs(rows[other + RESULT])
    if weight != beside:
        return weight > beside
    return rows[one + OPENED] < rows[other + OPENED]


def time_held(
    opened_ms: Sequence[int],
    closed_ms: Sequence[int],
    first_ms: int,
    last_ms: int,
    at: int,
    to: int,
) -> int:
    """How much of [first_ms, last_ms) has at least one position. Times are in order; `at` of those
    in `opened_ms` and `to` of those in `closed_ms` are not after `first_ms`."""
    total = 0
    now_ms = first_ms
    while now_ms < last_ms:
        next_ms = last_ms
        if at < len(opened_ms) and opened_ms[at] < next_ms:
            next_ms = opened_ms[at]
        if to < len(closed_ms) and closed_ms[to] < next_ms:
            next_ms = closed_ms[to]
        if at > to:
            total += next_ms - now_ms
        now_ms = next_ms
        while at < len(opened_ms) and opened_ms[at] <= now_ms:
            at += 1
        while to < len(closed_ms) and closed_ms[to] <= now_ms:
            to += 1
    return total


def most_held(
    opened_ms: Sequence[int],
    closed_ms: Sequence[int],
    start_ms: int,
    end_ms: int,
    out: MutableSequence[int],
) -> None:
    """The most positions that are held at a time in each equal stretch of [start_ms, end_ms); `out`
    is zeros, one for each stretch. Times are in order."""
    at = 0
    to = 0
    while at < len(opened_ms) or to < len(closed_ms):
        now_ms = opened_ms[at] if at < len(opened_ms) else closed_ms[to]
        if to < len(closed_ms) and closed_ms[to] < now_ms:
            now_ms = closed_ms[to]
        while at < len(opened_ms) and opened_ms[at] <= now_ms:
            at += 1
        while to < len(closed_ms) and closed_ms[to] <= now_ms:
            to += 1
        until_ms = end_ms
        if at < len(opened_ms):
            until_ms = opened_ms[at]
        if to < len(closed_ms) and (at == len(opened_ms) or closed_ms[to] < until_ms):
            until_ms = closed_ms[to]
        until_ms = until_ms - 1 if until_ms > now_ms else now_ms
        block = _block(now_ms, start_ms, end_ms, len(out))
        last = _block(until_ms, start_ms, end_ms, len(out))
        while block <= last:
            out[block] = max(out[block], at - to)
            block += 1


def _block(at_ms: int, start_ms: int, end_ms: int, blocks: int) -> int:
    if at_ms <= start_ms:
        return 0
    block = (at_ms - start_ms) * blocks // (end_ms - start_ms)
    return block if block < blocks else blocks - 1
