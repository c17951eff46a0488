"""The ladder of an exit: caps of its rungs, limit prices, the least that the venue takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.ladder import exit_price_ticks, least_lots, least_ticks, rung_ppm
from trader.core.limits import Limits
from trader.core.money import price_down
from trader.core.scale import Spec, notional_down

from .made import LIMITS, instrument

SPEC = Spec(instrument(), 8)  # one tick x lot is 1,000 cash units; from 2 lots and 5 USDT


def limits(attempts: int, first: int = 1_000, last: int = 5_000) -> Limits:
    return replace(LIMITS, slippage_ppm=first, exit_slippage_ppm=last, exit_attempts=attempts)


@pytest.mark.parametrize(
    ("attempts", "rungs"),
    [
        (1, [1_000]),
        (2, [1_000, 5_000]),
        (3, [1_000, 3_000, 5_000]),
        (4, [1_000, 2_333, 3_666, 5_000]),  # thirds of 4,000, down
        (5, [1_000, 2_000, 3_000, 4_000, 5_000]),
    ],
)
def test_rungs_go_evenly_from_the_one_cap_to_the_other(attempts: int, rungs: list[int]) -> None:
    assert [rung_ppm(limits(attempts), attempt) for attempt in range(attempts)] == rungs


def test_nothing_is_given_away_beyond_the_last_rung() -> None:
    assert rung_ppm(limits(3), 99) == 5_000
    assert rung_ppm(limits(3, 4_000, 4_000), 1) == 4_000
    assert rung_ppm(limits(3, 4_000, 1_000), 2) == 4_000  # the wider of the two


@given(st.integers(1, 10), st.integers(0, 200_000), st.integers(0, 200_000), st.integers(0, 12))
def test_a_later_rung_is_never_nearer_and_never_outside_the_caps(
    attempts: int, first: int, more: int, attempt: int
) -> None:
    asked = limits(attempts, first, first + more)
    assert first <= rung_ppm(asked, attempt) <= rung_ppm(asked, attempt + 1) <= first + more


@pytest.mark.parametrize(
    ("bid", "ppm", "lots", "price"),
    [
        (0, 1_000, 100, 0),
        (10_000, 1_000, 100, 9_990),
        (10_000, 0, 100, 10_000),
        # 60 lots are worth 5 USDT from 8,333.3 ticks on: the limit does not go below 8,334.
        (8_340, 1_000, 60, 8_334),
        (8_334, 1_000, 60, 8_334),
        # The bid itself is too low: the price is the cap's, and the gates say what is wrong.
        (8_333, 1_000, 60, 8_325),
        (1, 900_000, 100, 1),
    ],
)
def test_the_limit_price_is_the_cap_or_what_the_venue_takes(
    bid: int, ppm: int, lots: int, price: int
) -> None:
    assert exit_price_ticks(SPEC, bid, ppm, lots) == price


@given(st.integers(1, 10**7), st.integers(0, 999_999), st.integers(1, 10**6))
def test_a_limit_price_is_between_the_cap_and_the_bid(bid: int, ppm: int, lots: int) -> None:
    assert price_down(bid, ppm) <= exit_price_ticks(SPEC, bid, ppm, lots) <= max(bid, 1)


def test_a_venue_without_a_smallest_value_lets_the_price_go_to_one_tick() -> None:
    spec = Spec(instrument(notional_min="0"), 8)
    assert exit_price_ticks(spec, 2, 999_999, 100) == 1
    assert (least_lots(spec, 10_000), least_ticks(spec, 100)) == (2, 0)


@given(st.integers(1, 10**7), st.integers(1, 10**6))
def test_the_least_is_exact(price: int, lots: int) -> None:
    least = SPEC.notional_units_min
    fewest = least_lots(SPEC, price)
    assert fewest >= SPEC.qty_lots_min
    assert notional_down(SPEC, price, fewest) >= least
    if fewest > SPEC.qty_lots_min:
        assert notional_down(SPEC, price, fewest - 1) < least
    lowest = least_ticks(SPEC, lots)
    assert notional_down(SPEC, lowest, lots) >= least
    if lowest > 1:
        assert notional_down(SPEC, lowest - 1, lots) < least
