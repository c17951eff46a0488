"""Equal risk contributions: long-only weights in which each part adds the same risk (float64).

Lives here: the weights of a covariance. Only sqrt is taken from the library. Must not live here:
where the covariance comes from (`covariance`), and sizes (`sizes`).

Source: Spinu (2013), "An algorithm for computing risk parity weights": the weights are the one
minimum of x' S x / 2 - sum(ln x), at which x[i] (S x)[i] = 1 for every i, divided by their sum.
Solved one coordinate after another (Griveau-Billion, Richard, Roncalli 2013, "A fast algorithm for
computing high-dimensional risk parity portfolios"): each step is the positive root of
S[i,i] x[i] ** 2 + b x[i] - 1 = 0, with b the sum of S[i,j] x[j] over the others.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, MutableSequence

from trader.records import dataclass

Floats = MutableSequence[float]

TOLERANCE = 1e-9
ROUNDS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Parity:
    """`weights_ppm` by instrument or strategy, rounded down, at most a million together; or
    `problem`: why there are none, as `key=value ...`."""

    weights_ppm: Mapping[str, int]
    problem: str = ""


def equal_risk(matrix: Floats, n: int) -> tuple[Floats, str]:
    """(weights that sum to 1, "") of a covariance of n x n, or (nothing, why there are none).

    Why: `variance=i`: the variance of part i is not a number above zero; `not_converged`: the risk
    contributions are not within TOLERANCE of equal after ROUNDS_MAX rounds, as when parts hedge
    each other out.
    """
    none: Floats = array("d")
    for i in range(n):
        own = matrix[i * n + i]
        if not (math.isfinite(own) and own > 0.0):
            return none, f"variance={i}"
    scaled = array("d", bytes(8 * n * n))
    to_correlations(matrix, n, scaled)
    weights = array("d", [1.0] * n)
    for _ in range(ROUNDS_MAX):
        one_round(scaled, n, weights)
        if distance(scaled, n, weights) <= TOLERANCE * TOLERANCE:
            return _to_shares(matrix, n, weights), ""
    return none, "not_converged"


def to_correlations(matrix: Floats, n: int, out: Floats) -> None:
    """The covariance with every variance made 1: the weights of the one, divided by the deviations,
    are those of the other, and steps are as good for parts of any size."""
    for i in range(n):
        for j in range(n):
            both = math.sqrt(matrix[i * n + i]) * math.sqrt(matrix[j * n + j])
            out[i * n + j] = 1.0 if i == j else matrix[i * n + j] / both


def one_round(matrix: Floats, n: int, x: Floats) -> None:
    """Every coordinate once, in order, of a matrix whose diagonal is 1: each becomes the positive
    root of x ** 2 + others x - 1."""
    for i in range(n):
        others = 0.0
        for j in range(n):
            if j != i:
                others += matrix[i * n + j] * x[j]
        x[i] = (math.sqrt(others * others + 4.0) - others) / 2.0


def distance(matrix: Floats, n: int, x: Floats) -> float:
    """How far each x[i] (S x)[i] is from 1: the sum of squares; not a number where one is none."""
    total = 0.0
    for i in range(n):
        along = 0.0
        for j in range(n):
            along += matrix[i * n + j] * x[j]
        gap = x[i] * along - 1.0
        total += gap * gap
    return total


def _to_shares(matrix: Floats, n: int, x: Floats) -> Floats:
    """Weights of the covariance from those of the correlations, summing to 1."""
    raw = [x[i] / math.sqrt(matrix[i * n + i]) for i in range(n)]
    total = 0.0
    for value in raw:
        total += value
    return array("d", [value / total for value in raw])
