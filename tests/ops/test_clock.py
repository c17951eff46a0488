"""Clocks."""

from __future__ import annotations

import time

from freezegun import freeze_time

from trader.ops.clock import SystemClock, TravelClock


def test_the_system_clock_tells_the_hosts_time() -> None:
    with freeze_time("2024-02-29T12:00:00.5Z"):
        assert SystemClock().now_ms() == 1_709_208_000_500


def test_a_travel_clock_starts_where_it_is_told_and_runs_on() -> None:
    clock = TravelClock(1_000_000)
    first = clock.now_ms()
    time.sleep(0.01)
    second = clock.now_ms()
    assert 1_000_000 <= first < second


def test_a_travel_clock_does_not_follow_the_hosts_steps() -> None:
    clock = TravelClock(1_000_000)
    with freeze_time("1999-01-01", ignore=["trader.ops.clock"]):
        assert clock.now_ms() >= 1_000_000
