"""Quotients and sums that are rounded once, against Python's own."""

from __future__ import annotations

from array import array
from math import fsum, inf, isnan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.exact import exact_sum, quotient

LARGE = 2**62 - 1


# 54 bits are as near to one float as to the next: the even one is right.
@pytest.mark.parametrize("part", [2**53 + 1, 2**53 + 3, -(2**53) - 1, 3 * 2**60, LARGE, 0])
@pytest.mark.parametrize("whole", [1, 3, 2**53 + 1, 2**61, LARGE])
def test_a_quotient_is_the_nearest_float(part: int, whole: int) -> None:
    assert quotient(part, whole) == part / whole


@given(
    st.integers(0, 62).flatmap(lambda bits: st.integers(-(2**bits) + 1, 2**bits - 1)),
    st.integers(1, 62).flatmap(lambda bits: st.integers(1, 2**bits - 1)),
)
def test_a_quotient_is_that_of_whole_numbers(part: int, whole: int) -> None:
    assert quotient(part, whole) == part / whole


@given(st.lists(st.floats(-1e6, 1e6) | st.sampled_from([1e300, -1e300, 1e-300, 0.5, -0.0])))
def test_a_sum_is_that_of_fsum(values: list[float]) -> None:
    assert exact_sum(array("d", values)) == fsum(values)


@pytest.mark.parametrize("seed", range(5))
def test_a_sum_of_many_is_that_of_fsum(seed: int) -> None:
    chance = Random(seed)
    values = array("d", [chance.gauss(1e-4, 0.01) for _ in range(5_000)])
    assert exact_sum(values) == fsum(values)
    values.extend([-value for value in values])
    assert exact_sum(values) == 0.0


def test_a_sum_that_lies_between_two_floats_goes_to_the_even_one() -> None:
    assert exact_sum(array("d", [1.0, 2.0**-53])) == 1.0
    assert exact_sum(array("d", [1.0, 2.0**-53, 2.0**-80])) == 1.0 + 2.0**-52


def test_a_sum_of_what_is_not_finite_is_not_finite() -> None:
    assert exact_sum(array("d", [1.0, inf])) == inf
    assert isnan(exact_sum(array("d", [1.0, float("nan")])))
