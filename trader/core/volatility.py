"""Volatility of one instrument: how far its price moves in a year, as an opinion (float64).

Lives here: the exponentially weighted mean of squared returns over a window of fixed length, and
its yearly value. Only sqrt is taken from the library (it is correctly rounded everywhere). Must
not live here: what a position may be worth because of it (`sizes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

YEAR_MS = 365 * 86_400_000


def ewma_variance(closes: Sequence[int], first: int, stop: int, span: int) -> float:
    """Weighted mean of the squared simple returns of closes[first:stop] (ticks, oldest first).

    RiskMetrics (1996), the mean return taken as 0: the newest return weighs 1, each one before it
    `keep` = 1 - 2 / (span + 1) times the one after it; weights are normalised over the window, so
    that the value does not depend on bars before it. At least two closes, all > 0; span >= 2.
    """
    keep = (span - 1.0) / (span + 1.0)
    total = weight = 0.0
    before = float(closes[first])
    for i in range(first + 1, stop):
        after = float(closes[i])
        move = after / before - 1.0
        total = total * keep + move * move
        weight = weight * keep + 1.0
        before = after
    return total / weight


def yearly(variance: float, step_ms: int) -> float:
    """Standard deviation of a year (365 days) from the variance of bars of `step_ms`."""
    return sqrt(variance * (YEAR_MS / step_ms))
