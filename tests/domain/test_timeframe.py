"""The bar grid: since the epoch, weeks from Monday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.domain.timeframe import (
    TIMEFRAMES_MS,
    bar_open_ms,
    grid_origin_ms,
    last_closed_open_ms,
    timeframe_name,
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("at", "name", "opens"),
    [
        ("2024-02-29T23:59:59", "1m", "2024-02-29T23:59"),
        ("2024-02-29T23:59:59", "5m", "2024-02-29T23:55"),
        ("2024-02-29T23:59:59", "15m", "2024-02-29T23:45"),
        ("2024-02-29T23:29:59", "30m", "2024-02-29T23:00"),
        ("2024-02-29T23:59:59", "1h", "2024-02-29T23:00"),
        ("2024-02-29T23:59:59", "4h", "2024-02-29T20:00"),
        ("2024-02-29T23:59:59", "1d", "2024-02-29T00:00"),
        ("2024-02-29T23:59:59", "1w", "2024-02-26T00:00"),  # a Monday
        ("2024-02-26T00:00:00", "1w", "2024-02-26T00:00"),
        ("2024-02-25T23:59:59", "1w", "2024-02-19T00:00"),  # Sunday belongs to the week before
        ("1970-01-01T00:00:00", "1w", "1969-12-29T00:00"),
    ],
)
def test_a_time_belongs_to_the_bar_that_holds_it(at: str, name: str, opens: str) -> None:
    assert bar_open_ms(ms(at), TIMEFRAMES_MS[name]) == ms(opens)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(sorted(TIMEFRAMES_MS.values())))
def test_a_bar_holds_its_time_and_lies_on_the_grid(at_ms: int, step_ms: int) -> None:
    opens = bar_open_ms(at_ms, step_ms)
    assert opens <= at_ms < opens + step_ms
    assert bar_open_ms(opens, step_ms) == opens
    assert (opens - grid_origin_ms(step_ms)) % step_ms == 0


def test_the_newest_closed_bar_at_the_very_close_is_the_one_that_closes() -> None:
    close = ms("2024-01-01T00:01")
    assert last_closed_open_ms(close, 60_000) == close - 60_000
    assert last_closed_open_ms(close - 1, 60_000) == close - 120_000


def test_every_week_starts_on_a_monday() -> None:
    for week in range(0, 3_000, 97):
        opens = bar_open_ms(week * 7 * 86_400_000 + 12_345, TIMEFRAMES_MS["1w"])
        assert datetime.fromtimestamp(opens / 1000, UTC).weekday() == 0


def test_names_and_lengths_name_each_other() -> None:
    assert {timeframe_name(step): step for step in TIMEFRAMES_MS.values()} == TIMEFRAMES_MS
    with pytest.raises(ValueError, match="no timeframe of 61000 ms; known: 1m, 5m"):
        timeframe_name(61_000)
