# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Returns of days: what instruments did on each of the last days, in whole millionths.

Lives here: rows of daily returns made from daily bars, the loss of a day that a share of the days
did not exceed, and whether two instruments move together. All of it is exact: integers, no floats.
Must not live here: which bars are asked for (`daily`), and what is allowed (`risk_gates`).

A return is the simple one, close / close of the day before - 1, in ppm, rounded down; a day on
which a price more than doubled counts as one on which it doubled (`GAIN_MAX`), so that a value
times a return, and sums of their squares, fit in 64 bits.
"""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence, Sequence

from trader.core.money import PPM, mul_div_down

GAIN_MAX = 1_000_000
MILLION = 1_000_000
DAY_MS = 86_400_000
# A day without a return: no bar of it, or none of the day before.
ABSENT = -9_000_000_000_000_000_000
Ints = MutableSequence[int]


def told_returns(
    open_ms: Sequence[int], close: Sequence[int], last_ms: int, days: int
) -> array[int]:
    """Returns of the `days` days up to the one that opens at `last_ms`, oldest first: ppm, or
    ABSENT.

    `open_ms`, `close`: int64[n], daily bars oldest first (ms, ticks). A day has a return when it
    and the day before it have bars with a close above zero.
    """
    told = array("q", [ABSENT]) * days
    for i in range(1, len(open_ms)):
        back = (last_ms - open_ms[i]) // DAY_MS
        if not 0 <= back < days or open_ms[i] - open_ms[i - 1] != DAY_MS:
            continue
        if close[i - 1] <= 0 or close[i] <= 0:
            continue
        if close[i] // close[i - 1] >= 2:
            told[days - 1 - back] = GAIN_MAX
        else:
            told[days - 1 - back] = mul_div_down(close[i], MILLION, close[i - 1]) - MILLION
    return told


def known_days(told: Ints) -> int:
    """How many days have a return."""
    count = 0
    for i in range(len(told)):
        if told[i] != ABSENT:
            count += 1
    return count


def are_enough(told: Ints, days_min: int) -> bool:
    """Whether as many days as asked for, and at least one, have a return."""
    return known_days(told) >= max(1, days_min)


def cautious_returns(told: Ints, days_min: int, assumed_ppm: int) -> array[int]:
    """A return for every day: a day that has none counts like the worst that has one (never as a
    gain), and with fewer than `days_min` of those every day is a loss of `assumed_ppm`."""
    if not are_enough(told, days_min):
        return array("q", [-assumed_ppm]) * len(told)
    worst = min(0, *(value for value in told if value != ABSENT))
    return array("q", [worst if value == ABSENT else value for value in told])


def add_results(results: Ints, row: Ints, value_units: int) -> None:
    """Add to each day's result of the account what `value_units` (>= 0) made on it, rounded down.

    The caller keeps the sum of all values below 2**62: then no day's result can overflow.
    """
    high = value_units // MILLION
    low = value_units - high * MILLION
    for i in range(len(row)):
        results[i] += high * row[i] + low * row[i] // MILLION


def loss_exceeded_rarely(results: Ints, row: Ints, value_units: int, worst: Ints) -> int:
    """The loss that only the len(worst) - 1 worst days exceeded, were `value_units` added; >= 0.

    `worst` is room for int64[m]: the m largest losses, the largest first; the last is told.
    """
    high = value_units // MILLION
    low = value_units - high * MILLION
    last = len(worst) - 1
    for j in range(last + 1):
        worst[j] = 0
    for i in range(len(row)):
        loss = -(results[i] + high * row[i] + low * row[i] // MILLION)
        if loss <= worst[last]:
            continue
        j = last
        while j > 0 and worst[j - 1] < loss:
            worst[j] = worst[j - 1]
            j -= 1
        worst[j] = loss
    return worst[last]


def rare_days(days: int, confidence_ppm: int) -> int:
    """How many of the worst days are looked at: the last of them is the value at risk.

    The quantile is the inverse of the empirical distribution (definition 1 of Hyndman and Fan,
    "Sample Quantiles in Statistical Packages", The American Statistician 50, 1996): the smallest
    loss that at least `confidence_ppm` of the days did not exceed. Of 60 days and 95 % that is the
    57th from below, the 4th worst.
    """
    within = -(-days * confidence_ppm // PPM)
    return max(1, days - max(1, within) + 1)


def moments(one: Ints, other: Ints) -> tuple[int, int, int, int]:
    """(days both have, n**2 x covariance, n**2 x variance of one, of the other), exact."""
    days = ones = others = squares = other_squares = products = 0
    for i in range(len(one)):
        a = one[i]
        if a == ABSENT:
            continue
        b = other[i]
        if b == ABSENT:
            continue
        days += 1
        ones += a
        others += b
        squares += a * a
        other_squares += b * b
        products += a * b
    return (
        days,
        days * products - ones * others,
        days * squares - ones * ones,
        days * other_squares - others * others,
    )


def move_together(one: Ints, other: Ints, days_min: int, above_ppm: int) -> bool:
    """Whether Pearson's correlation over the days that both have is `above_ppm` or more.

    True as well when it cannot be told: fewer than `days_min` such days, or one that never moved
    (then both sides of the comparison are zero). Compared as squares of integers: exact.
    """
    days, shared, wide, broad = moments(one, other)
    if days < days_min:
        return True
    if shared < 0:
        return False
    # Whole integers of any length: these products do not fit in 64 bits, so no C type is declared.
    scaled, bound = shared * PPM, above_ppm * above_ppm
    return scaled * scaled >= bound * wide * broad
