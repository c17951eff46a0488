# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Loops of dispersion: stdev, variance, zscore, bbands, percentrank, linreg, slope, correlation.

Lives here: kernels `name_rows(inputs..., numbers..., outs..., start, stop, state)`, with the rules
of averages.py: rows that are not finite have no value and restart the count. Must not live here:
checks of arguments.

Every window is read anew, as distances from its newest value: nothing drifts, no digits are lost
to large prices, and a flat window gives exactly 0. State: count of finite rows.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence
from math import nan

from trader.core.averages import mean_of

Floats = MutableSequence[float]

# A spread that is a smaller part of its values is rounding of theirs, not movement.
ROUNDING = 1e-14


def counted(value: float, count: int) -> int:
    """Finite rows up to this one."""
    return count + 1 if value - value == 0.0 else 0


def scatter(x: Floats, first: int, n: int, mean: float) -> float:
    """Mean square distance of x[first:first+n] from their mean; infinite where it overflows."""
    total = 0.0
    for j in range(first, first + n):
        gap = x[j] - mean
        total += gap * gap
    return total / n


def slack(mean: float) -> float:
    """The widest spread around this mean that counts as none."""
    return ROUNDING * (mean if mean > 0.0 else -mean)


def variance_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Population variance of n rows."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count)
        out[i] = nan
        if count >= n:
            value = scatter(x, i - n + 1, n, mean_of(x, i - n + 1, n))
            out[i] = value if value - value == 0.0 else nan
    state[0] = count


def stdev_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Population standard deviation of n rows."""
    variance_rows(x, n, out, start, stop, state)
    for i in range(start, stop):
        out[i] = math.sqrt(out[i])


def zscore_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Distance from the mean in standard deviations."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count)
        out[i] = nan
        if count >= n:
            mean = mean_of(x, i - n + 1, n)
            spread = math.sqrt(scatter(x, i - n + 1, n, mean))
            value = (x[i] - mean) / spread if spread > slack(mean) else 0.0
            out[i] = value if spread - spread == 0.0 else nan
    state[0] = count


def bbands_rows(
    x: Floats, n: int, k: float, upper: Floats, middle: Floats, lower: Floats, start: int,
    stop: int, state: Floats,
) -> None:  # fmt: skip
    """Mean and k standard deviations around it."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count)
        upper[i] = middle[i] = lower[i] = nan
        if count < n:
            continue
        mean = mean_of(x, i - n + 1, n)
        reach = k * math.sqrt(scatter(x, i - n + 1, n, mean))
        if reach - reach == 0.0:
            upper[i] = mean + reach
            middle[i] = mean
            lower[i] = mean - reach
    state[0] = count


def percentrank_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """How many of the n rows before are below, in percent."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count)
        out[i] = nan
        if count > n:
            value = x[i]
            below = 0
            for j in range(i - n, i):
                below += 1 if x[j] < value else 0
            out[i] = 100.0 * below / n
    state[0] = count


def inclined(x: Floats, first: int, n: int) -> float:
    """Slope per row of the least-squares line through x[first:first+n], n at least 2.

    Rows are counted from their middle; the sum of squares of -(n-1)/2 .. (n-1)/2 is
    n (n - 1) (n + 1) / 12.
    """
    newest = x[first + n - 1]
    half = 0.5 * (n - 1)
    total = 0.0
    for j in range(n):
        total += (j - half) * (x[first + j] - newest)
    return total / (n * (n - 1.0) * (n + 1.0) / 12.0)


def slope_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Slope of the least-squares line."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count)
        value = inclined(x, i - n + 1, n) if count >= n else nan
        out[i] = value if value - value == 0.0 else nan
    state[0] = count


def linreg_rows(x: Floats, n: int, out: Floats, start: int, stop: int, state: Floats) -> None:
    """Newest value of the least-squares line."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count)
        out[i] = nan
        if count >= n:
            value = mean_of(x, i - n + 1, n) + inclined(x, i - n + 1, n) * (0.5 * (n - 1))
            out[i] = value if value - value == 0.0 else nan
    state[0] = count


def correlation_rows(
    x: Floats, y: Floats, n: int, out: Floats, start: int, stop: int, state: Floats
) -> None:
    """Pearson's correlation of two series."""
    count = int(state[0])
    for i in range(start, stop):
        count = counted(x[i], count) if y[i] - y[i] == 0.0 else 0
        out[i] = nan
        if count < n:
            continue
        first = i - n + 1
        mean = mean_of(x, first, n)
        other = mean_of(y, first, n)
        shared = 0.0
        for j in range(first, first + n):
            shared += (x[j] - mean) * (y[j] - other)
        # Two roots, not the root of a product: that would overflow, or vanish, much earlier.
        wide = math.sqrt(scatter(x, first, n, mean))
        broad = math.sqrt(scatter(y, first, n, other))
        value = 0.0
        if wide > slack(mean) and broad > slack(other):
            value = shared / n / wide / broad
        if wide - wide == 0.0 and broad - broad == 0.0 and value - value == 0.0:
            out[i] = 1.0 if value > 1.0 else (-1.0 if value < -1.0 else value)
    state[0] = count
