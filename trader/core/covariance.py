"""Covariance of returns on common rows, and its shrinkage: opinions (float64).

Lives here: rows that several series have in common, simple returns, the sample covariance and the
pull toward its diagonal. Sums run in one order, so that the same rows give the same bits. Must not
live here: what follows for sizes (`risk_parity`, `sizes`).

A covariance of n series is an array of n x n, row by row.
"""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence, Sequence

from trader.core.series import Series

Floats = MutableSequence[float]


def common_closes(series: Sequence[Series], first_ms: int, last_ms: int, rows: int) -> list[Floats]:
    """Of each series (at least one), its closes at the newest `rows` open times that all of them
    have within [first_ms, last_ms], oldest first; fewer where there are fewer."""
    known = [_closes(one, first_ms, last_ms) for one in series]
    shared = set(known[0])
    for closes in known:
        shared &= closes.keys()
    newest = sorted(shared)[-rows:]
    return [array("d", [float(closes[at]) for at in newest]) for closes in known]


def _closes(one: Series, first_ms: int, last_ms: int) -> dict[int, int]:
    """Close by open time."""
    rows = range(one.index_of(first_ms), one.index_of(last_ms + 1))
    return {one.open_ms[row]: one.close[row] for row in rows}


def simple_returns(closes: Floats) -> Floats:
    """Each close (> 0) by the close before, less 1: one row less than there are closes."""
    return array("d", [closes[i] / closes[i - 1] - 1.0 for i in range(1, len(closes))])


def covariance(columns: Sequence[Floats]) -> Floats:
    """Sample covariance (divided by rows - 1) of columns of equal length, at least two rows."""
    n = len(columns)
    flat = array("d")
    for column in columns:
        flat.extend(column)
    out = array("d", bytes(8 * n * n))
    if n:
        covariance_rows(flat, n, len(columns[0]), out)
    return out


def covariance_rows(flat: Floats, n: int, rows: int, out: Floats) -> None:
    """out[i * n + j] from n columns of so many rows that lie one behind another; `flat` is left
    with the means taken off."""
    for i in range(n):
        total = 0.0
        for k in range(rows):
            total += flat[i * rows + k]
        mean = total / rows
        for k in range(rows):
            flat[i * rows + k] -= mean
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(rows):
                total += flat[i * rows + k] * flat[j * rows + k]
            out[i * n + j] = out[j * n + i] = total / (rows - 1.0)


def shrink(matrix: Floats, n: int, share: float) -> None:
    """Pull a covariance toward its own diagonal: (1 - share) x S + share x diag(S), in place.

    The target is D of Schaefer and Strimmer (2005), "A shrinkage approach to large-scale covariance
    matrix estimation": variances stay, correlations are multiplied by 1 - share. The share is
    given, not estimated; with any share above 0 and variances above 0 the result is invertible.
    """
    for i in range(n):
        for j in range(n):
            if i != j:
                matrix[i * n + j] *= 1.0 - share
