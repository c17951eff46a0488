"""Checked products against exact fractions, and overflow by name. The same in compiled code."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.money import (
    AMOUNT_MAX,
    PPM,
    AmountOverflow,
    mul_div_down,
    mul_div_up,
    price_down,
    price_up,
    product,
    share_down,
    share_up,
)

MulDiv = Callable[[int, int, int], int]
BELOW = AMOUNT_MAX - 1
# Small, large, and the neighbourhood of the bound.
AMOUNTS = st.one_of(st.integers(0, 1_000), st.integers(0, BELOW), st.integers(BELOW - 1_000, BELOW))
DIVISORS = AMOUNTS.map(lambda value: max(1, value))


@given(AMOUNTS, AMOUNTS, DIVISORS)
def test_mul_div_is_the_exact_fraction_rounded_as_its_name_says(a: int, b: int, c: int) -> None:
    exact = Fraction(a * b, c)
    for function, rounded in ((mul_div_down, floor(exact)), (mul_div_up, ceil(exact))):
        if rounded < AMOUNT_MAX:
            assert function(a, b, c) == rounded
        else:
            with pytest.raises(AmountOverflow, match="does not fit"):
                function(a, b, c)


@given(AMOUNTS, st.one_of(AMOUNTS, st.integers(0, 3 * PPM)))
def test_a_share_is_so_many_millionths_rounded_as_its_name_says(amount: int, ppm: int) -> None:
    exact = Fraction(amount * ppm, PPM)
    for function, rounded in ((share_down, floor(exact)), (share_up, ceil(exact))):
        if rounded < AMOUNT_MAX:
            assert function(amount, ppm) == rounded
        else:
            with pytest.raises(AmountOverflow, match="does not fit"):
                function(amount, ppm)


@given(AMOUNTS, AMOUNTS)
def test_a_product_is_exact_or_an_overflow(a: int, b: int) -> None:
    if a * b < AMOUNT_MAX:
        assert product(a, b) == a * b
    else:
        with pytest.raises(AmountOverflow, match="does not fit"):
            product(a, b)


@pytest.mark.parametrize("function", [product, share_down, share_up])
@pytest.mark.parametrize(
    ("a", "b"), [(-1, 1), (1, -1), (AMOUNT_MAX, 1), (1, AMOUNT_MAX), (2**63, 1)]
)
def test_a_factor_out_of_range_is_an_overflow(
    function: Callable[[int, int], int], a: int, b: int
) -> None:
    with pytest.raises(OverflowError):
        function(a, b)


@pytest.mark.parametrize("function", [mul_div_down, mul_div_up])
@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        (AMOUNT_MAX, 1, 1),
        (1, AMOUNT_MAX, 1),
        (1, 1, AMOUNT_MAX),
        (-1, 1, 1),
        (1, -1, 1),
        (1, 1, 0),
        (1, 1, -1),
        (2**63 - 1, 1, 1),
        (2**63, 1, 1),
        (2**64 + 5, 1, 1),
        (1, 10**30, 1),
        (-(2**63) - 1, 1, 1),
    ],
)
def test_an_argument_out_of_range_is_an_overflow(function: MulDiv, a: int, b: int, c: int) -> None:
    with pytest.raises(OverflowError):
        function(a, b, c)


@pytest.mark.parametrize("function", [mul_div_down, mul_div_up])
def test_a_result_at_the_bound_is_refused_and_one_below_is_not(function: MulDiv) -> None:
    assert function(BELOW, 1, 1) == BELOW
    assert function(BELOW, BELOW, BELOW) == BELOW
    with pytest.raises(AmountOverflow):
        function(2**31, 2**31, 1)  # exactly 2**62
    with pytest.raises(AmountOverflow):
        function(BELOW, BELOW, 1)


def test_rounding_up_may_be_what_does_not_fit() -> None:
    # (2**63 - 1) / 2 = 2**62 - 1/2; the numerator is 7 * (2**63 - 1) / 7.
    a, b, c = (2**63 - 1) // 7, 7, 2
    assert a * b == 2**63 - 1
    assert mul_div_down(a, b, c) == BELOW
    with pytest.raises(AmountOverflow):
        mul_div_up(a, b, c)


def test_the_product_that_wrapped_round_in_64_bits_is_exact() -> None:
    # fee of 1000 ppm on 1e17: a plain int64 product gives 7.8e12.
    assert mul_div_up(10**17, 1_000, PPM) == 10**14


@given(st.integers(1, 10**15), st.integers(0, 2 * PPM))
def test_a_price_is_moved_by_ppm_towards_the_old_one(price: int, ppm: int) -> None:
    assert price_up(price, ppm) == floor(Fraction(price * (PPM + ppm), PPM))
    lowered = max(1, ceil(Fraction(price * (PPM - ppm), PPM))) if ppm < PPM else 1
    assert price_down(price, ppm) == lowered
    assert price_down(price, ppm) <= price <= price_up(price, ppm)


@pytest.mark.parametrize(
    ("price", "ppm", "up", "down"),
    [
        (10_000, 1_000, 10_010, 9_990),
        (10_001, 1_000, 10_011, 9_991),  # 10011.001 down, 9990.999 up
        (1, 999_999, 1, 1),
        (1, 1_000_000, 2, 1),
        (100, 1_500_000, 250, 1),
    ],
)
def test_moved_prices_by_hand(price: int, ppm: int, up: int, down: int) -> None:
    assert (price_up(price, ppm), price_down(price, ppm)) == (up, down)
