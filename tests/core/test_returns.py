"""Returns of days: rows worked by hand, the loss that few days exceed, and who moves with whom."""

from __future__ import annotations

import statistics
from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.money import AMOUNT_MAX, AmountOverflow
from trader.core.returns import (
    add_results,
    cautious_returns,
    known_days,
    loss_exceeded_rarely,
    move_together,
    rare_days,
    told_returns,
)

DAY_MS = 86_400_000
LAST_MS = 20_000 * DAY_MS
PPM = 1_000_000


def ints(*values: int) -> array[int]:
    return array("q", values)


def days_before(count: int, *, skip: tuple[int, ...] = ()) -> array[int]:
    """Open times of the `count` days up to the last one, oldest first, but for some."""
    return ints(*(LAST_MS - back * DAY_MS for back in reversed(range(count)) if back not in skip))


def row(*returns: int | None) -> array[int]:
    """A row of returns in ppm, made from closes of 1,000,000 and its change; None: absent."""
    told = array("q")
    for value in returns:
        if value is None:
            told.extend(told_returns(ints(), ints(), LAST_MS, 1))
        else:
            told.append(value)
    return told


def test_a_return_is_the_change_from_the_day_before_rounded_down() -> None:
    # 10,000 -> 10,050 is +0.5 %; -> 10,049: -1/10,050 = -99.50.. ppm, down to -100; -> 0.3 up.
    closes = ints(10_000, 10_050, 10_049, 10_052)
    assert list(told_returns(days_before(4), closes, LAST_MS, 3)) == [5_000, -100, 298]


def test_a_day_needs_its_own_bar_and_the_one_of_the_day_before() -> None:
    closes = ints(100, 110, 121)
    told = told_returns(days_before(5, skip=(1, 2)), closes, LAST_MS, 4)
    assert known_days(told) == 1
    assert told[0] == 100_000
    assert max(told[1:]) < -PPM


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ((100, 199), 990_000),
        ((100, 200), PPM),
        ((100, 299), PPM),
        ((100, 100_000), PPM),
        ((1_000, 1), -999_000),
        ((3, 1), -666_667),
    ],
)
def test_a_gain_counts_up_to_a_doubling_and_a_loss_in_full(
    closes: tuple[int, int], expected: int
) -> None:
    assert list(told_returns(days_before(2), ints(*closes), LAST_MS, 1)) == [expected]


def test_a_doubling_counts_on_its_own_day() -> None:
    told = told_returns(days_before(4), ints(100, 200, 198, 198), LAST_MS, 3)
    assert list(told) == [PPM, -10_000, 0]


def test_the_smallest_prices_have_returns() -> None:
    assert list(told_returns(days_before(3), ints(1, 1, 1), LAST_MS, 2)) == [0, 0]


def test_prices_that_cannot_be_give_no_return() -> None:
    assert known_days(told_returns(days_before(3), ints(0, 100, 0), LAST_MS, 2)) == 0
    assert known_days(told_returns(days_before(4), ints(7, 0, 7, 7), LAST_MS, 3)) == 1
    with pytest.raises(AmountOverflow):
        told_returns(days_before(2), ints(AMOUNT_MAX, AMOUNT_MAX + 5), LAST_MS, 1)


def test_bars_older_than_the_days_asked_for_or_newer_count_for_nothing() -> None:
    closes = ints(100, 200, 100, 110)
    opens = ints(*(LAST_MS + at * DAY_MS for at in (-3, -2, -1, 0)))
    assert list(told_returns(opens, closes, LAST_MS - DAY_MS, 1)) == [-500_000]


def test_a_day_without_a_return_counts_like_the_worst_and_never_as_a_gain() -> None:
    assert list(cautious_returns(row(5, None, -70, None), 2, 200_000)) == [5, -70, -70, -70]
    assert list(cautious_returns(row(5, None, 9), 2, 200_000)) == [5, 0, 9]


def test_too_few_days_count_as_a_loss_on_every_day() -> None:
    told = row(5, -3, None)
    assert list(cautious_returns(told, 2, 200_000)) == [5, -3, -3]
    assert list(cautious_returns(told, 3, 200_000)) == [-200_000] * 3
    assert list(cautious_returns(row(None, None), 0, 150_000)) == [-150_000] * 2
    assert list(cautious_returns(row(4), 1, 150_000)) == [4]


def test_results_of_a_day_are_rounded_against_us() -> None:
    results = ints(0, 0, 0)
    # 1,000,001 units: +0.5 ppm-units is rounded down to 0, -0.5 down to -1.
    add_results(results, ints(1, -1, 500_000), 1_500_000)
    assert list(results) == [1, -2, 750_000]


@pytest.mark.parametrize(
    ("days", "confidence_ppm", "expected"),
    [
        (60, 950_000, 4),  # 57 days within, 3 beyond
        (60, 990_000, 1),  # 59.4 -> 60 days within
        (100, 950_000, 6),
        (20, 950_000, 2),
        (10, 1_000_000, 1),
        (10, 500_000, 6),
        (1, 1, 1),
    ],
)
def test_the_quantile_is_the_smallest_loss_that_enough_days_did_not_exceed(
    days: int, confidence_ppm: int, expected: int
) -> None:
    assert rare_days(days, confidence_ppm) == expected


def test_the_loss_that_few_days_exceed_by_hand() -> None:
    # A held row of results and 1,000,000 units more of one that moved -1 %, +2 %, -3 %, -4 %, 0 %.
    held = ints(-500, -40_000, 10_000, 20_000, -30_000)
    moved = ints(-10_000, 20_000, -30_000, -40_000, 0)
    # Losses: 10,500; 20,000; 20,000; 20,000; 30,000 -> largest first 30, 20, 20, 20, 10.5 thousand.
    found = [loss_exceeded_rarely(held, moved, PPM, array("q", bytes(8 * m))) for m in (1, 2, 4, 5)]
    assert found == [30_000, 20_000, 20_000, 10_500]


def test_what_was_left_in_the_room_does_not_count() -> None:
    assert loss_exceeded_rarely(ints(-3, -1), ints(0, 0), 0, ints(9, 8)) == 1


def test_a_gain_on_every_day_is_no_loss() -> None:
    assert loss_exceeded_rarely(ints(5, 7), ints(1, 1), 10, ints(0)) == 0


VALUES = st.integers(min_value=0, max_value=2**61)
RETURNS = st.integers(min_value=-PPM, max_value=PPM)


@given(
    st.lists(st.tuples(RETURNS, RETURNS), min_size=1, max_size=40),
    VALUES,
    VALUES,
    st.integers(min_value=1, max_value=1_000_000),
)
def test_value_at_risk_is_that_of_exact_fractions_up_to_one_unit_for_each_thing_held(
    days: list[tuple[int, int]], held: int, bought: int, confidence_ppm: int
) -> None:
    one, two = (ints(*column) for column in zip(*days, strict=True))
    results = array("q", bytes(8 * len(days)))
    add_results(results, one, held)
    room = array("q", bytes(8 * rare_days(len(days), confidence_ppm)))
    found = loss_exceeded_rarely(results, two, bought, room)
    losses = sorted(-Fraction(a * held + b * bought, PPM) for a, b in days)
    within = -(-len(days) * confidence_ppm // PPM)  # days that must not exceed it
    exact = max(Fraction(0), losses[within - 1])
    assert exact <= found < exact + 2


@given(st.lists(st.tuples(RETURNS, RETURNS), min_size=2, max_size=30), VALUES, VALUES)
def test_more_of_a_loser_never_lowers_the_loss_of_any_day(
    days: list[tuple[int, int]], held: int, bought: int
) -> None:
    one = ints(*(a for a, _ in days))
    two = ints(*(min(0, b) for _, b in days))
    results = array("q", bytes(8 * len(days)))
    add_results(results, one, held)
    less = loss_exceeded_rarely(results, two, bought // 2, array("q", bytes(16)))
    assert less <= loss_exceeded_rarely(results, two, bought, array("q", bytes(16)))


def test_who_moves_together_by_hand() -> None:
    # r = cov / sqrt(var var): x = 1 2 3, y = 1 3 2: cov = 1, var = 2 and 2: r = 0.5.
    one, other = row(1, 2, 3), row(1, 3, 2)
    assert move_together(one, other, 3, 500_000)
    assert not move_together(one, other, 3, 500_001)
    assert not move_together(one, row(3, 2, 1), 3, 0)
    assert move_together(one, one, 3, 1_000_000)
    assert move_together(row(-1, 0, 0, 1), row(0, -1, 1, 0), 4, 0)
    assert not move_together(row(-1, 0, 0, 1), row(0, -1, 1, 0), 4, 1)


def test_what_cannot_be_compared_moves_together() -> None:
    one, against = row(1, 2, 3, None), row(3, 2, 1, 5)
    assert not move_together(one, against, 3, 800_000)
    assert move_together(one, against, 4, 800_000)
    assert move_together(row(7, 7, 7), row(1, 2, 3), 3, 800_000)
    assert move_together(row(1, 2, 3), row(7, 7, 7), 3, 800_000)


@given(
    st.lists(st.tuples(RETURNS, RETURNS), min_size=3, max_size=60),
    st.integers(min_value=0, max_value=PPM),
)
def test_moving_together_is_pearson_s_correlation(
    days: list[tuple[int, int]], above_ppm: int
) -> None:
    one, other = ([float(v) for v in column] for column in zip(*days, strict=True))
    if len(set(one)) < 2 or len(set(other)) < 2:
        return
    found = statistics.correlation(one, other)
    if abs(found - above_ppm / PPM) < 1e-9:
        return  # floats cannot tell
    first, second = (ints(*(int(v) for v in column)) for column in (one, other))
    assert move_together(first, second, 3, above_ppm) == (found > above_ppm / PPM)
