"""Equal risk contributions: by hand, against what they mean, and when there are none."""

from __future__ import annotations

import random
from array import array
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.covariance import common_closes, covariance, shrink, simple_returns
from trader.core.risk_parity import equal_risk

from .made import BAR_MS, BTC, ETH, MINUTE_MS, bars


def flat(rows: list[list[float]]) -> array[float]:
    """A matrix as the core holds it."""
    return array("d", [value for row in rows for value in row])


def shares(rows: list[list[float]], weights: list[float]) -> list[float]:
    """What each part adds to the variance, w[i] (S w)[i], share of all of it."""
    along = [sum(value * w for value, w in zip(row, weights, strict=True)) for row in rows]
    own = [w * value for w, value in zip(weights, along, strict=True)]
    return [value / sum(own) for value in own]


# Each covariance was made from its weights: off the diagonal at will, on it such that every
# w[i] (S w)[i] is t.
BY_HAND = [
    # deviations 10 %, 20 %, 40 %, nothing shared: weights as 1/0.1 : 1/0.2 : 1/0.4 = 4 : 2 : 1
    ([[0.01, 0, 0], [0, 0.04, 0], [0, 0, 0.16]], [4 / 7, 2 / 7, 1 / 7]),
    # the same, each pair correlated by 0.5: still as 1 : deviation
    (
        [[0.01, 0.01, 0.02], [0.01, 0.04, 0.04], [0.02, 0.04, 0.16]],
        [4 / 7, 2 / 7, 1 / 7],
    ),
    # t = 0.02. (S w)[1] = 0.04 = s/2 + 0.01/3 + 0.02/6: s = 1/15. (S w)[2] = 0.06 = 0.01/2 + s/3 +
    # 0.03/6: s = 0.15. (S w)[3] = 0.12 = 0.02/2 + 0.03/3 + s/6: s = 0.6
    ([[1 / 15, 0.01, 0.02], [0.01, 0.15, 0.03], [0.02, 0.03, 0.6]], [1 / 2, 1 / 3, 1 / 6]),
    # t = 0.01, one pair moves against each other. 0.02 = s/2 - 0.003: s = 0.046; 0.01/0.3 = -0.005
    # + 0.3 s + 0.002: s = 0.109/0.9; 0.05 = 0.003 + 0.2 s: s = 0.235
    (
        [[0.046, -0.01, 0], [-0.01, 0.109 / 0.9, 0.01], [0, 0.01, 0.235]],
        [0.5, 0.3, 0.2],
    ),
    ([[0.04]], [1.0]),
    ([[0.04, 0.01], [0.01, 0.01]], [1 / 3, 2 / 3]),  # two parts: as 1 : deviation, always
]


@pytest.mark.parametrize(("rows", "weights"), BY_HAND)
def test_weights_are_those_worked_by_hand(rows: list[list[float]], weights: list[float]) -> None:
    found, why = equal_risk(flat(rows), len(rows))
    assert why == ""
    assert list(found) == pytest.approx(weights, abs=1e-8)
    assert sum(found) == pytest.approx(1.0, abs=1e-15)


@given(st.integers(1, 12), st.integers(0, 2**32), st.floats(1e-12, 1e6))
def test_every_part_adds_the_same_risk(n: int, seed: int, scale: float) -> None:
    rng = random.Random(seed)
    columns = [array("d", [rng.gauss(0, rng.uniform(0.1, 9)) for _ in range(40)]) for _ in range(n)]
    common = [rng.gauss(0, 1) for _ in range(40)]
    for column in columns:
        part = rng.uniform(-1, 3)
        for i, value in enumerate(common):
            column[i] = (column[i] + part * value) * scale
    matrix = covariance(columns)
    shrink(matrix, n, 0.2)
    weights, why = equal_risk(matrix, n)
    assert why == ""
    rows = [list(matrix[i * n : (i + 1) * n]) for i in range(n)]
    assert all(weight > 0 for weight in weights)
    assert shares(rows, list(weights)) == pytest.approx([1 / n] * n, abs=1e-8)


def test_the_order_of_parts_changes_nothing_that_matters() -> None:
    rows, _ = BY_HAND[2]
    plain, _ = equal_risk(flat(rows), 3)
    for order in permutations(range(3)):
        turned, _ = equal_risk(flat([[rows[i][j] for j in order] for i in order]), 3)
        assert [turned[order.index(i)] for i in range(3)] == pytest.approx(list(plain), abs=1e-8)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([[0.04, 0.0], [0.0, 0.0]], "variance=1"),
        ([[-0.04, 0.0], [0.0, 0.04]], "variance=0"),
        ([[float("nan"), 0.0], [0.0, 0.04]], "variance=0"),
        ([[0.04, 0.0], [0.0, float("inf")]], "variance=1"),
        # they hedge each other out: no amount of them has any risk
        ([[0.04, -0.04], [-0.04, 0.04]], "not_converged"),
        # no covariance at all
        ([[0.04, float("nan")], [float("nan"), 0.04]], "not_converged"),
    ],
)
def test_why_there_are_no_weights(rows: list[list[float]], why: str) -> None:
    weights, said = equal_risk(flat(rows), len(rows))
    assert (list(weights), said) == ([], why)


def test_parts_that_are_the_same_share_alike() -> None:
    weights, why = equal_risk(flat([[0.04, 0.04], [0.04, 0.04]]), 2)
    assert why == ""
    assert list(weights) == pytest.approx([0.5, 0.5], abs=1e-8)


# --- covariance ----------------------------------------------------------------------------------


def test_covariance_by_hand() -> None:
    # means 2 and 4; deviations -1 0 1 and -2 -2 4: 2/2, 24/2, (2 + 0 + 4)/2
    matrix = covariance([array("d", [1, 2, 3]), array("d", [2, 2, 8])])
    assert list(matrix) == [1.0, 3.0, 3.0, 12.0]
    shrink(matrix, 2, 0.25)
    assert list(matrix) == [1.0, 2.25, 2.25, 12.0]


def test_returns_are_simple_ones() -> None:
    assert list(simple_returns(array("d", [100, 110, 99]))) == pytest.approx([0.1, -0.1])


def test_only_bars_that_all_have_are_common() -> None:
    one = bars([100, 101, 102, 103], BTC)
    other = bars([200, 201, 202, 203, 204], ETH, BAR_MS + MINUTE_MS)
    # `other` begins where `one` does and goes one further; its bar before the last is taken out
    missing = other.slice(0, 2)
    for column, more in (("open_ms", 3), ("close", 3)):
        getattr(missing, column).append(getattr(other, column)[more])
    first = one.open_ms[0]
    assert [list(c) for c in common_closes([one, missing], first, BAR_MS, 9)] == [
        [100.0, 101.0, 103.0],
        [200.0, 201.0, 203.0],
    ]
    assert [list(c) for c in common_closes([one, missing], first, BAR_MS, 2)] == [
        [101.0, 103.0],
        [201.0, 203.0],
    ]
    assert [list(c) for c in common_closes([one], BAR_MS, BAR_MS, 9)] == [[103.0]]
    # the other way round: what only one of them has is in none
    assert [list(c) for c in common_closes([missing, one], first, BAR_MS, 9)] == [
        [200.0, 201.0, 203.0],
        [100.0, 101.0, 103.0],
    ]
