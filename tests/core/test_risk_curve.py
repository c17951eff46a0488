"""The aggressive profile's curve: at its points, between them against 60 digits, and its ends."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.risk_curve import ONE, POWERS, aggressive_ppm

from .made import UNIT

# Balance -> ppm: 20,000 x 4 ** -((b - 10,000) / 90,000), rounded down.
POINTS = [
    ("0", 20_000),
    ("250", 20_000),
    ("9999.99999999", 20_000),
    ("10000", 20_000),
    # 4 ** -(1e-8 / 90,000) is a little below 1
    ("10000.00000001", 19_999),
    ("25000", 15_874),  # 4 ** -(1/6) = 0.79370052...
    ("32500", 14_142),  # 4 ** -(1/4) = 0.70710678...
    ("40000", 12_599),  # 4 ** -(1/3) = 0.62996052...
    ("55000", 10_000),  # 4 ** -(1/2) = 0.5
    ("77500", 7_071),  # 4 ** -(3/4) = 0.35355339...
    ("99999.99999999", 5_000),
    ("100000", 5_000),
    ("1000000", 5_000),
]


@pytest.mark.parametrize(("balance", "ppm"), POINTS)
def test_the_curve_at_its_points(balance: str, ppm: int) -> None:
    assert aggressive_ppm(int(Decimal(balance) * UNIT), UNIT) == ppm


FINEST = 10**13


def test_a_balance_a_hair_inside_the_ends() -> None:
    # Up to the next of 2**48 places: a hair above 10,000 is no longer 2 %, one below 100,000 is 1.
    assert aggressive_ppm(10_000 * FINEST, FINEST) == 20_000
    assert aggressive_ppm(10_000 * FINEST + 1, FINEST) == 19_999
    assert aggressive_ppm(100_000 * FINEST - 1, FINEST) == 5_000
    assert aggressive_ppm(100_000 * FINEST + 1, FINEST) == 5_000


def exact(units: int, unit: int) -> Decimal:
    """The formula with 60 digits, ppm."""
    with localcontext() as context:
        context.prec = 60
        exponent = (Decimal(units) / unit - 10_000) / 90_000
        return 20_000 * (-exponent * Decimal(4).ln()).exp()


@given(st.integers(10_000 * UNIT, 100_000 * UNIT))
def test_the_curve_is_the_formula_rounded_down(units: int) -> None:
    value = exact(units, UNIT)
    # One less is allowed only within 1e-9 ppm above a whole number.
    least = int(value - Decimal("1e-9"))
    assert least <= aggressive_ppm(units, UNIT) <= max(int(value), 5_000)


@given(st.integers(0, 2**61), st.integers(0, 10**15), st.sampled_from([1, 10**8, 10**13, 10**17]))
def test_more_balance_never_means_more_risk(units: int, more: int, unit: int) -> None:
    assert 5_000 <= aggressive_ppm(units + more, unit) <= aggressive_ppm(units, unit) <= 20_000


def test_the_constants_are_the_powers_they_stand_for() -> None:
    assert ONE == 2**60
    assert len(POWERS) == 48
    with localcontext() as context:
        context.prec = 80
        for place, power in enumerate(POWERS, start=1):
            # A root of a root is as near as any other way, and takes no logarithm.
            root = Decimal(4)
            for _ in range(place):
                root = root.sqrt()
            assert power == int(Decimal(2) ** 60 / root)
