"""Sizes by hand, and the one place where a float becomes an int."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.money import AMOUNT_MAX, AmountOverflow
from trader.core.scale import Spec
from trader.core.sizing import (
    entry_cost_units,
    entry_lots,
    exit_lots,
    float_down,
    stop_ticks_below,
    strength_ppm,
)

from .made import UNIT, instrument

SPEC = Spec(instrument(), 8)


@pytest.mark.parametrize(
    ("value", "down"), [(0.0, 0), (0.999, 0), (1.0, 1), (7.9999999, 7), (2.0**61, 2**61)]
)
def test_a_float_is_rounded_down(value: float, down: int) -> None:
    assert float_down(value) == down


@pytest.mark.parametrize("value", [-0.001, -inf, inf, nan, float(AMOUNT_MAX), 1e300])
def test_a_float_that_is_no_amount_is_refused(value: float) -> None:
    with pytest.raises(AmountOverflow, match="not a usable amount"):
        float_down(value)


@pytest.mark.parametrize(
    ("strength", "ppm"), [(0.0, 0), (0.5, 500_000), (1.0, 1_000_000), (7.0, 1_000_000)]
)
def test_strength_in_millionths(strength: float, ppm: int) -> None:
    assert strength_ppm(strength) == ppm


@pytest.mark.parametrize(
    ("close", "distance", "stop"),
    [
        (10_000, 1.0, 9_900),  # 1.00 is 100 ticks
        (10_000, 1.009, 9_900),  # 100.9 ticks, down: the stop stays nearer
        (10_000, 0.001, 9_999),  # less than a tick is one tick
        (10_000, 99.99, 1),
        (10_000, 1e6, 1),  # below zero: the lowest price there is
    ],
)
def test_the_stop_lies_below_the_close(close: int, distance: float, stop: int) -> None:
    assert stop_ticks_below(SPEC, close, distance) == stop


@pytest.mark.parametrize("distance", [inf, nan, -1.0, 1e300])
def test_a_stop_distance_that_is_none_is_refused(distance: float) -> None:
    with pytest.raises(OverflowError):
        stop_ticks_below(SPEC, 10_000, distance)


@pytest.mark.parametrize(
    ("budget", "cash", "lots"),
    [
        # A lot at 100.00 costs 0.1 and a fee of 0.0001: 0.1001.
        (10_010_000, UNIT, 1),
        (10_009_999, UNIT, 0),
        (100 * UNIT, 100 * UNIT, 999),  # 999 x 0.1001 = 99.9999
        (100 * UNIT, 10_010_000, 1),  # cash is what binds
        (0, UNIT, 0),
        (UNIT, 0, 0),
        (-5, UNIT, 0),
        (10**6 * UNIT, 10**6 * UNIT, 9_000_000),  # the venue's largest quantity
    ],
)
def test_the_lots_of_an_entry_with_their_fee(budget: int, cash: int, lots: int) -> None:
    assert entry_lots(SPEC, 10_000, budget, cash) == lots


@given(st.integers(1, 10**8), st.integers(0, 10**15))
def test_an_entry_never_costs_more_than_its_budget_and_one_lot_more_would(
    price: int, budget: int
) -> None:
    lots = entry_lots(SPEC, price, budget, budget)
    if lots:
        assert entry_cost_units(SPEC, price, lots) <= budget
    if lots < SPEC.qty_lots_max:
        assert entry_cost_units(SPEC, price, lots + 1) > budget


def test_cost_is_value_and_fee_both_rounded_up() -> None:
    assert entry_cost_units(SPEC, 10_000, 100) == 10 * UNIT + UNIT // 100
    fine = Spec(instrument(tick="0.00001", lot="0.0001", fee_taker="0.000001"), 8)
    assert entry_cost_units(fine, 3, 7) == 3 + 1  # 2.1 -> 3, and a fee of 0.000003 -> 1


@pytest.mark.parametrize(
    ("held", "unknown", "lots"),
    [(100, 0, 100), (100, 40, 60), (100, 100, 0), (100, 130, 0), (0, 0, 0), (10**7, 0, 9_000_000)],
)
def test_an_exit_sells_what_is_held_less_what_may_be_sold_already(
    held: int, unknown: int, lots: int
) -> None:
    assert exit_lots(SPEC, held, unknown) == lots
