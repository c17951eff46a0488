"""Indicators: causal functions over float64 columns.

Lives here: pure sequential loops whose value at i reads only rows 0..i, equal to the last bit in
compiled and interpreted form (no fused operations, no libm beyond sqrt, which IEEE 754 rounds
correctly). Input: buffers of float64 (array, memoryview, numpy). Output: array of float64 of the
same length, NaN until the first valid index. Must not live here: prices as integers.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import nan, sqrt

Column = Sequence[float]


def _blank(length: int) -> array[float]:
    return array("d", [nan]) * length


def _check(period: int) -> None:
    if period < 1:
        raise ValueError(f"a period must be at least 1, not {period}")


def sma(x: Column, n: int) -> array[float]:
    """Simple moving average of n rows; finite memory; first valid index n - 1."""
    _check(n)
    length = len(x)
    out = _blank(length)
    total = 0.0
    for i in range(length):
        total += x[i]
        if i >= n:
            total -= x[i - n]
        if i >= n - 1:
            out[i] = total / n
    return out


def ema(x: Column, n: int) -> array[float]:
    """Exponential moving average, alpha = 2 / (n + 1), seeded with the SMA of the first n rows
    (TA-Lib's convention); fading memory, half-life about 0.35 n; first valid index n - 1."""
    _check(n)
    length = len(x)
    out = _blank(length)
    alpha = 2.0 / (n + 1)
    value = 0.0
    for i in range(length):
        if i < n:
            value += x[i]
            if i == n - 1:
                value = value / n
                out[i] = value
        else:
            value = value + alpha * (x[i] - value)
            out[i] = value
    return out


def stdev(x: Column, n: int) -> array[float]:
    """Population standard deviation of n rows (ddof 0), two passes over each window; finite
    memory; first valid index n - 1; 0 for flat input."""
    _check(n)
    length = len(x)
    out = _blank(length)
    for i in range(n - 1, length):
        total = 0.0
        for j in range(i - n + 1, i + 1):
            total += x[j]
        mean = total / n
        squares = 0.0
        for j in range(i - n + 1, i + 1):
            gap = x[j] - mean
            squares += gap * gap
        out[i] = sqrt(squares / n)
    return out


def highest(x: Column, n: int) -> array[float]:
    """Highest of n rows; finite memory; first valid index n - 1."""
    _check(n)
    length = len(x)
    out = _blank(length)
    for i in range(n - 1, length):
        best = x[i - n + 1]
        for j in range(i - n + 2, i + 1):
            best = max(best, x[j])
        out[i] = best
    return out


def lowest(x: Column, n: int) -> array[float]:
    """Lowest of n rows; finite memory; first valid index n - 1."""
    _check(n)
    length = len(x)
    out = _blank(length)
    for i in range(n - 1, length):
        best = x[i - n + 1]
        for j in range(i - n + 2, i + 1):
            best = min(best, x[j])
        out[i] = best
    return out


def atr(high: Column, low: Column, close: Column, n: int) -> array[float]:
    """Average true range (Wilder 1978): first the mean of n true ranges, then
    (previous * (n - 1) + range) / n; fading memory; first valid index n; 0 for flat input."""
    _check(n)
    length = len(close)
    out = _blank(length)
    value = 0.0
    for i in range(1, length):
        before = close[i - 1]
        span = max(high[i], before) - min(low[i], before)
        if i <= n:
            value += span
            if i == n:
                value = value / n
                out[i] = value
        else:
            value = (value * (n - 1) + span) / n
            out[i] = value
    return out


def rsi(x: Column, n: int) -> array[float]:
    """Relative strength index (Wilder 1978), 0..100; fading memory; first valid index n; flat
    input, where neither gain nor loss exists, gives 50."""
    _check(n)
    length = len(x)
    out = _blank(length)
    gain = 0.0
    loss = 0.0
    for i in range(1, length):
        change = x[i] - x[i - 1]
        up = max(0.0, change)
        down = -change if change < 0.0 else 0.0
        if i <= n:
            gain += up
            loss += down
            if i == n:
                gain = gain / n
                loss = loss / n
        else:
            gain = (gain * (n - 1) + up) / n
            loss = (loss * (n - 1) + down) / n
        if i >= n:
            whole = gain + loss
            out[i] = 100.0 * gain / whole if whole > 0.0 else 50.0
    return out


def crosses_above(a: Column, b: Column) -> array[int]:
    """1 where a > b and one row before a <= b; 0 elsewhere and where a value is NaN."""
    length = len(a)
    out = array("b", [0]) * length
    for i in range(1, length):
        if a[i] > b[i] and a[i - 1] <= b[i - 1]:
            out[i] = 1
    return out


def crosses_below(a: Column, b: Column) -> array[int]:
    """1 where a < b and one row before a >= b; 0 elsewhere and where a value is NaN."""
    length = len(a)
    out = array("b", [0]) * length
    for i in range(1, length):
        if a[i] < b[i] and a[i - 1] >= b[i - 1]:
            out[i] = 1
    return out
