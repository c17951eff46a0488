"""Indicators against tables worked by hand, and the laws that all of them keep."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from math import isnan, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.indicators import (
    atr,
    crosses_above,
    crosses_below,
    ema,
    highest,
    lowest,
    rsi,
    sma,
    stdev,
)

_ = nan
X = [10.0, 12.0, 11.0, 15.0, 14.0, 8.0]

TABLES: list[tuple[Callable[..., Sequence[float]], int, list[float]]] = [
    # sums of three: 33, 38, 40, 37
    (sma, 3, [_, _, 11.0, 38 / 3, 40 / 3, 37 / 3]),
    (sma, 1, X),
    # alpha 1/2, seed 11: 11, 11 + 4/2, 13 + 1/2, 13.5 - 5.5/2
    (ema, 3, [_, _, 11.0, 13.0, 13.5, 10.75]),
    (ema, 1, X),
    # windows 10 12 / 12 11 / 11 15 / 15 14 / 14 8: half their distance
    (stdev, 2, [_, 1.0, 0.5, 2.0, 0.5, 3.0]),
    # 10 12 11: mean 11, squares 1 1 0
    (stdev, 3, [_, _, sqrt(2 / 3)]),
    (highest, 3, [_, _, 12.0, 15.0, 15.0, 15.0]),
    (lowest, 3, [_, _, 10.0, 11.0, 11.0, 8.0]),
    # changes +2 -1 +4 -1 -6. n=2: gain 1, loss .5 -> 66.67; gain 2.5, loss .25 -> 90.91;
    # gain 1.25, loss .625 -> 66.67; gain .625, loss 3.3125 -> 15.87
    (rsi, 2, [_, _, 200 / 3, 250 / 2.75, 125 / 1.875, 62.5 / 3.9375]),
]


def rows(values: Sequence[float]) -> list[float]:
    return [-999.0 if isnan(value) else value for value in values]


@pytest.mark.parametrize(("indicator", "n", "expected"), TABLES)
def test_by_hand(indicator: Callable[..., Sequence[float]], n: int, expected: list[float]) -> None:
    got = indicator(X, n)[: len(expected)]
    assert rows(got) == pytest.approx(rows(expected), rel=1e-12)


def test_true_range_by_hand() -> None:
    high = [11.0, 13.0, 12.0, 16.0, 20.0]
    low = [9.0, 11.0, 10.0, 14.0, 19.0]
    close = [10.0, 12.0, 11.0, 15.0, 19.5]
    # ranges: 13 - 10 = 3 (gap up), 12 - 10 = 2, 16 - 11 = 5, 20 - 15 = 5
    # n=2: (3 + 2) / 2 = 2.5, (2.5 + 5) / 2 = 3.75, (3.75 + 5) / 2 = 4.375
    assert rows(atr(high, low, close, 2)) == rows([_, _, 2.5, 3.75, 4.375])


def test_crosses_by_hand() -> None:
    a = [1.0, 2.0, 3.0, 3.0, 2.0, 2.0, nan, 3.0, 1.0]
    b = [2.0, 2.0, 2.0, 3.0, 3.0, 2.0, 1.0, 2.0, nan]
    # row 2 leaves "equal" upwards; row 4 leaves "equal" downwards; a NaN on either row is no cross
    assert list(crosses_above(a, b)) == [0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert list(crosses_below(a, b)) == [0, 0, 0, 0, 1, 0, 0, 0, 0]


ONE_COLUMN = [sma, ema, stdev, highest, lowest, rsi]
FIRST_VALID = {sma: -1, ema: -1, stdev: -1, highest: -1, lowest: -1, rsi: 0}


def every(x: Sequence[float], n: int) -> list[Sequence[float]]:
    """All indicators over one column (high and low one above and below it)."""
    high, low = [v + 1.0 for v in x], [v - 1.0 for v in x]
    mean = sma(x, n)
    return [
        *(indicator(x, n) for indicator in ONE_COLUMN),
        atr(high, low, x, n),
        crosses_above(x, mean),
        crosses_below(x, mean),
    ]


COLUMN = st.lists(st.floats(0.01, 1e6, allow_nan=False), min_size=2, max_size=40)


@given(COLUMN, st.integers(1, 12), st.data())
def test_a_value_does_not_depend_on_later_rows(x: list[float], n: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(x)))
    for whole, prefix in zip(every(x, n), every(x[:cut], n), strict=True):
        assert bytes(array("d", whole[:cut])) == bytes(array("d", prefix))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_nothing_is_said_before_the_warm_up_and_something_at_its_end(n: int) -> None:
    for indicator in ONE_COLUMN:
        values = indicator([float(v) for v in range(1, 12)], n)
        first = n + FIRST_VALID[indicator]
        assert all(isnan(value) for value in values[:first])
        assert not any(isnan(value) for value in values[first:])
    assert len(atr([1.0] * 3, [1.0] * 3, [1.0] * 3, 5)) == 3


def test_a_flat_market_has_no_range_no_deviation_and_a_middle_rsi() -> None:
    flat = [0.1] * 30
    for n in (1, 3, 14):
        # n: the first index at which every one of them is valid.
        assert set(atr(flat, flat, flat, n)[n:]) == {0.0}
        assert set(rsi(flat, n)[n:]) == {50.0}
        assert sum(crosses_above(flat, flat)) == sum(crosses_below(flat, flat)) == 0
    assert set(stdev([2.0] * 30, 3)[2:]) == {0.0}
    assert set(stdev(flat, 3)[2:]) <= {0.0, 1.3877787807814457e-17}


@pytest.mark.parametrize("indicator", ONE_COLUMN)
@pytest.mark.parametrize("n", [0, -1])
def test_a_period_below_one_is_refused(indicator: Callable[..., Sequence[float]], n: int) -> None:
    with pytest.raises(ValueError, match="a period must be at least 1"):
        indicator(X, n)


def test_no_rows_give_no_rows() -> None:
    assert [len(column) for column in every([], 3)] == [0] * 9


def test_the_rsi_of_a_market_that_only_rises_or_falls_is_at_the_end_of_its_scale() -> None:
    assert set(rsi([1.0, 2.0, 3.0, 4.0], 2)[2:]) == {100.0}
    assert set(rsi([4.0, 3.0, 2.0, 1.0], 2)[2:]) == {0.0}
