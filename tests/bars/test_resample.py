"""Higher bars are exact, on the UTC grid, and never half-known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.bars.resample import resample
from trader.core.series import BarRow, Series, build_series

M = 60_000
T0 = 1_528_156_800_000  # 2018-06-05 00:00 UTC, a Tuesday
DAY = 86_400_000


def _series(*rows: BarRow, step_ms: int = M) -> Series:
    return build_series("BTC/USDT", step_ms, Decimal("0.01"), rows)


def _flat(minutes: list[int]) -> Series:
    return _series(*((T0 + m * M, m + 2, m + 3, m + 1, m + 2, 1.0) for m in minutes))


def test_first_open_highest_lowest_last_close_and_summed_volume() -> None:
    source = _series(
        (T0, 50, 60, 40, 55, 1.5),
        (T0 + 1 * M, 55, 70, 54, 66, 2.0),
        (T0 + 2 * M, 66, 67, 30, 31, 0.0),
        (T0 + 4 * M, 31, 35, 31, 34, 4.0),
        (T0 + 5 * M, 34, 99, 1, 34, 9.0),
    )
    found = resample(source, 5 * M)
    assert list(found.rows()) == [(T0, 50, 70, 30, 34, 7.5)]
    assert (found.symbol, found.step_ms, found.tick) == (
        "BTC/USDT",
        5 * M,
        Decimal("0.01"),
    )


@pytest.mark.parametrize(
    ("minutes", "opens"),
    [
        (list(range(10)), [0, 5]),
        (list(range(3, 15)), [5, 10]),
        (list(range(9)), [0]),
        ([0, 4], [0]),
        ([0, 3], []),
        ([0, 12, 20], [0, 10]),
        ([1, 2, 3, 4, 5], []),
    ],
)
def test_only_intervals_known_whole_have_a_bar(minutes: list[int], opens: list[int]) -> None:
    found = resample(_flat(minutes), 5 * M)
    assert list(found.open_ms) == [T0 + minute * M for minute in opens]


def test_the_caller_may_know_more_than_the_bars_show() -> None:
    source = _flat([1, 2, 3])
    assert len(resample(source, 5 * M)) == 0
    assert len(resample(source, 5 * M, from_ms=T0)) == 0
    assert len(resample(source, 5 * M, until_ms=T0 + 5 * M)) == 0
    assert list(resample(source, 5 * M, T0, T0 + 5 * M).rows()) == [(T0, 3, 6, 2, 5, 3.0)]
    assert len(resample(source, 5 * M, T0, T0 + 5 * M - 1)) == 0


def test_weeks_are_cut_on_monday() -> None:
    days = _series(*((T0 + day * DAY, 5, 6, 4, 5, 1.0) for day in range(14)), step_ms=DAY)
    assert list(resample(days, 7 * DAY).open_ms) == [T0 + 6 * DAY]


def test_an_empty_series_stays_empty() -> None:
    assert len(resample(_series(), 5 * M)) == 0


@pytest.mark.parametrize("step_ms", [0, -M, 90_000, 30_000])
def test_a_step_that_is_no_multiple_is_refused(step_ms: int) -> None:
    with pytest.raises(ValueError, match="is not a multiple"):
        resample(_flat([0, 1]), step_ms)


@given(minutes=st.sets(st.integers(0, 600), min_size=1), inner=st.sampled_from([5, 15, 30]))
def test_resampling_twice_equals_resampling_once(minutes: set[int], inner: int) -> None:
    source = _flat(sorted(minutes))
    start, stop = T0, T0 + 660 * M
    half_way = resample(source, inner * M, start, stop)
    assert list(resample(half_way, 60 * M, start, stop).rows()) == list(
        resample(source, 60 * M, start, stop).rows()
    )
    assert sum(half_way.volume) == len(source)
