"""Prices that a position is left by: distances as ticks, steps as text, break-even."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.exit_prices import (
    ExitPrices,
    even_stop_ticks,
    exit_prices,
)
from trader.core.exit_sizes import kept_lots, reached_steps, step_lots, trim_lots
from trader.core.ladder import least_lots
from trader.core.plan import plan
from trader.core.scale import Spec
from trader.core.signals import Opinion
from trader.core.state import Position
from trader.core.steps import steps_of, steps_text

from .made import account, instrument, parameters, says, snapshot, strategy

SPEC = Spec(instrument(), 8)


def opinion(**distances: Any) -> Opinion:
    return Opinion("", 1, 10_000, 1, exit_now=False, stop_distance=1.0, strength=1.0, **distances)


def test_distances_become_ticks_above_the_close_rounded_down() -> None:
    said = opinion(
        target_distance=4.567,
        trail_distance=1.239,
        arm_distance=2.999,
        even_distance=0.001,
        step_distances=(3.0, 1.5),
    )
    assert exit_prices(SPEC, said, (300_000, 200_000)) == ExitPrices(
        10_456, 123, 10_299, 10_001, "10150:200000 10300:300000"
    )


def test_what_is_not_asked_for_is_nothing() -> None:
    said = opinion(target_distance=nan, trail_distance=nan)
    assert exit_prices(SPEC, said, ()) == ExitPrices(0, 0, 0, 0, "")


def test_steps_at_one_price_are_one_step() -> None:
    said = opinion(step_distances=(1.001, 1.009, 2.0))
    prices = exit_prices(SPEC, said, (100_000, 200_000, 300_000))
    assert prices.steps == "10100:300000 10200:300000"


def test_each_step_has_its_share() -> None:
    with pytest.raises(ValueError, match="longer"):
        exit_prices(SPEC, opinion(step_distances=(3.0,)), (300_000, 200_000))


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**6)), max_size=5))
def test_steps_are_read_back_as_they_were_written(steps: list[tuple[int, int]]) -> None:
    assert steps_of(steps_text(steps)) == steps


@pytest.mark.parametrize(
    ("fee", "slippage", "entry", "even"),
    [
        ("0", 0, 10_000, 10_000),
        ("0.001", 0, 10_000, 10_021),  # x 1.001 / 0.999 = 10,020.02
        ("0.001", 5_000, 10_000, 10_071),  # / 0.995 too = 10,070.4
        ("0", 500_000, 10_000, 20_000),
        ("0.001", 5_000, 1, 2),
        ("0", 1_000_000, 10_000, 0),  # whatever is sold for nothing never pays
    ],
)
def test_the_stop_breaks_even(fee: str, slippage: int, entry: int, even: int) -> None:
    spec = Spec(instrument(fee_taker=fee), 8)
    assert even_stop_ticks(spec, entry, slippage) == even


@given(st.integers(1, 10**12), st.integers(0, 900_000), st.integers(0, 100_000))
def test_leaving_at_the_break_even_stop_pays_what_was_paid(
    entry: int, slippage: int, fee_ppm: int
) -> None:
    spec = Spec(instrument(fee_taker=f"0.{fee_ppm:06}"), 8)
    even = even_stop_ticks(spec, entry, slippage)
    paid = entry * (10**6 + fee_ppm) * 10**6
    brings = (10**6 - slippage) * (10**6 - fee_ppm)
    assert even * brings >= paid
    assert (even - 1) * brings < paid  # and no tick lower would


def test_an_entry_carries_where_its_trail_counts_its_break_even_and_its_steps() -> None:
    code = says()

    def signals(bars: Any, numbers: Any) -> dict[str, Any]:
        names = {"trail": 1.0, "trail_from": 2.0, "break_even": 1.5, "scale_out_1": 3.0}
        more = {name: [value] * len(bars) for name, value in names.items()}
        return {**code.signals(bars, numbers), **more}

    policy = parameters(strategy(scale_ppm=(400_000,)))
    given = {"strategies": {"one": replace(code, signals=signals)}}
    row = plan(snapshot(account(), policy, **given)).legs[0].row()
    told = ("trail_ticks", "arm_ticks", "even_ticks", "steps")
    assert [row[name] for name in told] == [100, 10_200, 10_150, "10300:400000"]


@pytest.mark.parametrize("bad", [nan, 0.0, -1.0])
@pytest.mark.parametrize("name", ["trail_from", "break_even", "scale_out_1"])
def test_a_distance_that_is_none_is_no_signal(name: str, bad: float) -> None:
    code = says()

    def signals(bars: Any, numbers: Any) -> dict[str, Any]:
        steps = {"scale_out_1": [1.0] * len(bars)}
        return {**code.signals(bars, numbers), **steps, name: [bad] * len(bars)}

    policy = parameters(strategy(scale_ppm=(400_000,)))
    given = {"strategies": {"one": replace(code, signals=signals)}}
    decided = plan(snapshot(account(), policy, **given))
    assert decided.legs == ()
    assert decided.trail[0].answer.startswith("SIGNAL_NOT_READY")
    assert f"{name}={bad.hex()}" in decided.trail[0].answer


# --- how much ------------------------------------------------------------------------------------


def held(bought_lots: int, steps: str, scaled: int = 0) -> Position:
    return Position({"symbol": "X", "bought_lots": bought_lots, "steps": steps, "scaled": scaled})


def test_steps_that_were_reached_stay_reached() -> None:
    position = held(100, "100:300000 200:300000", scaled=1)
    assert [reached_steps(position, price) for price in (99, 100, 199, 200)] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("bought", "scaled", "kept"), [(1_000, 0, 1_000), (1_000, 1, 667), (1_000, 2, 0), (1, 1, 1)]
)
def test_what_is_kept_is_rounded_up(bought: int, scaled: int, kept: int) -> None:
    assert kept_lots(held(bought, "100:333333 200:666667"), scaled) == kept


# At 10,000 ticks the venue takes 50 lots and more.
@pytest.mark.parametrize(
    ("held_lots", "kept", "sold"),
    [
        (1_000, 700, 300),
        (700, 700, 0),
        (690, 700, 0),
        (1_000, 951, 0),  # 49 lots: they go with the next step
        (1_000, 950, 50),
        (1_000, 49, 1_000),  # 49 lots would remain
        (1_000, 50, 950),
        (49, 0, 0),
        (50, 0, 50),
        (0, 0, 0),
    ],
)
def test_a_step_sells_what_the_venue_takes_and_leaves_nothing_that_it_does_not(
    held_lots: int, kept: int, sold: int
) -> None:
    assert step_lots(SPEC, held_lots, kept, 10_000) == sold


@pytest.mark.parametrize(
    ("held_lots", "wanted", "sold"),
    [
        (1_000, 0, 0),
        (1_000, 1, 50),  # raised to the smallest order
        (1_000, 300, 300),
        (1_000, 951, 1_000),  # 49 lots would remain
        (1_000, 2_000, 1_000),
        (99, 1, 99),
        (100, 1, 50),
        (49, 49, 0),
    ],
)
def test_a_trim_sells_at_least_the_smallest_order_and_never_more_than_is_held(
    held_lots: int, wanted: int, sold: int
) -> None:
    assert trim_lots(SPEC, held_lots, wanted, 10_000) == sold


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_no_part_is_below_the_smallest_order_and_no_rest_either(
    held_lots: int, other: int, price: int
) -> None:
    least = least_lots(SPEC, price)
    for sold in (
        step_lots(SPEC, held_lots, other, price),
        trim_lots(SPEC, held_lots, other, price),
    ):
        assert 0 <= sold <= held_lots
        assert sold == 0 or sold >= least
        assert sold in {0, held_lots} or held_lots - sold >= least
