"""Signals: anchored, causal, alive for a while, and silent when the data is not good enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.frames import Frames
from trader.core.indicators import ema
from trader.core.parameters import StrategyCode, StrategySpec
from trader.core.series import Series, build_series
from trader.core.signals import (
    Opinion,
    anchor_ms,
    form_opinion,
    last_open_ms,
    wanted_windows,
    window_start_ms,
)
from trader.domain.timeframe import WEEK_ORIGIN_MS

from .made import BAR_MS, BTC, ETH, MINUTE_MS, account, bars, hold, parameters, strategy

CLOSE_MS = BAR_MS + MINUTE_MS
HOUR_MS = 60 * MINUTE_MS


def opinion(
    code: StrategyCode,
    series: Series | None,
    spec: StrategySpec | None = None,
    close_ms: int = CLOSE_MS,
    missing_ppm_max: int = 100_000,
) -> Opinion:
    spec = spec or strategy()
    held = {} if series is None else {(BTC, spec.timeframe): series}
    return form_opinion(spec, code, Frames(held, close_ms, 10), BTC, missing_ppm_max)


def columns(warmup: int = 1, **made: Callable[[int], list[Any]]) -> StrategyCode:
    """A strategy whose columns are made from the number of bars."""
    usual: dict[str, Callable[[int], list[Any]]] = {
        "enter": lambda n: [0] * n,
        "exit": lambda n: [0] * n,
        "stop": lambda n: [1.0] * n,
        **made,
    }

    def signals(window: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        return {name: make(len(window)) for name, make in usual.items()}

    return StrategyCode(lambda _: warmup, signals)


def at(index: int, value: Any = 1) -> Callable[[int], list[Any]]:
    """A column that is 0 but for one row (negative: from the end)."""

    def make(length: int) -> list[Any]:
        column: list[Any] = [0] * length
        if -length <= index < length:
            column[index] = value
        return column

    return make


# --- the window --------------------------------------------------------------------------------


def test_the_anchor_is_the_grid_rounded_down_to_its_block() -> None:
    assert anchor_ms(BAR_MS + 7 * MINUTE_MS, MINUTE_MS, 10) == BAR_MS
    assert anchor_ms(BAR_MS + 10 * MINUTE_MS, MINUTE_MS, 10) == BAR_MS + 10 * MINUTE_MS
    week = 7 * 24 * HOUR_MS
    assert anchor_ms(WEEK_ORIGIN_MS + 5 * week, week, 4) == WEEK_ORIGIN_MS + 4 * week


@pytest.mark.parametrize(("minutes", "newest"), [(0, -1), (59, -1), (60, 0), (61, 0), (119, 0)])
def test_an_hourly_strategy_speaks_of_the_hour_that_has_closed(minutes: int, newest: int) -> None:
    day = BAR_MS // HOUR_MS * HOUR_MS
    assert last_open_ms(day + minutes * MINUTE_MS, HOUR_MS) == day + newest * HOUR_MS


def fading(window: Any, numbers: Mapping[str, float | int]) -> dict[str, Any]:
    """An average that never quite forgets: its value tells where the series began."""
    n = len(window)
    slow = ema(window.close, 3)
    return {"enter": [0] * (n - 1) + [1], "exit": [0] * n, "stop": [abs(v) for v in slow]}


@given(st.lists(st.integers(9_000, 11_000), min_size=40, max_size=60), st.integers(15, 40))
def test_a_value_is_the_same_whatever_the_history_at_hand(closes: list[int], keep: int) -> None:
    spec = strategy()
    code = StrategyCode(lambda _: 5, fading)
    whole = bars(closes, last_ms=BAR_MS + 9 * MINUTE_MS)
    close_ms = BAR_MS + 10 * MINUTE_MS
    full = opinion(code, whole, spec, close_ms)
    start = window_start_ms(BAR_MS + 9 * MINUTE_MS, spec, 10, 5)
    assert start == BAR_MS - 5 * MINUTE_MS
    short = whole.slice(len(whole) - keep, len(whole))
    assert opinion(code, short, spec, close_ms) == full
    assert full.problem == ""
    # What comes later changes nothing either.
    earlier = BAR_MS + 8 * MINUTE_MS
    cut = whole.slice(0, len(whole) - 1)
    assert opinion(code, whole, spec, earlier + MINUTE_MS) == opinion(
        code, cut, spec, earlier + MINUTE_MS
    )


def test_a_strategy_reads_exactly_its_window() -> None:
    seen: list[tuple[int, int]] = []

    def signals(window: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        seen.append((window.open_ms[0], window.open_ms[-1]))
        return {name: [0] * len(window) for name in ("enter", "exit", "stop")}

    opinion(StrategyCode(lambda _: 3, signals), bars([10_000] * 30))
    assert seen == [(BAR_MS - 3 * MINUTE_MS, BAR_MS)]


def test_the_bars_are_read_only() -> None:
    def signals(window: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        window.close[0] = 1.0
        return {}

    said = opinion(StrategyCode(lambda _: 1, signals), bars([10_000] * 3))
    assert said.problem == "STRATEGY_FAILED in=signals error=TypeError"


# --- not good enough ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "problem"),
    [
        (None, f"DATA_STALE wanted_ms={BAR_MS} newest_ms=none"),
        (bars([]), f"DATA_STALE wanted_ms={BAR_MS} newest_ms=none"),
        (
            bars([10_000] * 5, last_ms=BAR_MS - MINUTE_MS),
            f"DATA_STALE wanted_ms={BAR_MS} newest_ms={BAR_MS - MINUTE_MS}",
        ),
        (bars([10_000] * 5, last_ms=BAR_MS - 99 * MINUTE_MS), "DATA_STALE wanted"),
    ],
)
def test_a_missing_last_bar_is_stale(series: Series | None, problem: str) -> None:
    said = opinion(columns(enter=at(-1)), series)
    assert said.problem.startswith(problem)
    assert (said.enter_ms, said.exit_now) == (-1, False)


@pytest.mark.parametrize(
    ("gone", "problem"),
    [
        ((), ""),
        ((5,), ""),
        ((5, 6), "DATA_GAPPY limit_ppm=100000 missing_ppm=200000"),
        # Without its first bars the history is short; it has no holes.
        ((0,), ""),
        ((0, 1), "DATA_SHORT limit_ppm=100000 missing_ppm=200000"),
        ((0, 1, 5, 6), "DATA_GAPPY limit_ppm=100000 missing_ppm=400000"),
    ],
)
def test_too_many_bars_missing_in_the_window_is_gappy_or_short(
    gone: tuple[int, ...], problem: str
) -> None:
    # The window is ten bars (warm-up nine); one in ten may be missing.
    whole = bars([10_000] * 10)
    rows = [row for index, row in enumerate(whole.rows()) if index not in gone]
    series = build_series(whole.symbol, whole.step_ms, whole.tick, rows)
    said = opinion(columns(warmup=9, enter=at(-1)), series)
    assert said.problem == problem


class OwnError(Exception):
    """What a user's file may define."""


def raises(error: BaseException) -> Callable[[int], list[Any]]:
    def make(length: int) -> list[Any]:
        raise error

    return make


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (columns(enter=raises(ZeroDivisionError())), "STRATEGY_FAILED in=signals error=ZeroDiv"),
        (columns(enter=raises(StopIteration())), "STRATEGY_FAILED in=signals error=StopIteration"),
        (columns(enter=raises(OSError())), "STRATEGY_FAILED in=signals error=OSError"),
        (columns(enter=raises(OwnError())), "STRATEGY_FAILED in=signals error=OwnError"),
        (columns(enter=lambda n: [1] * (n - 1)), "STRATEGY_FAILED in=signals error=ValueError"),
        (columns(stop=lambda n: [1.0] * (n + 1)), "STRATEGY_FAILED in=signals error=ValueError"),
        (columns(strength=lambda n: [1.0] * (n + 1)), "STRATEGY_FAILED in=signals error=ValueErr"),
        (StrategyCode(lambda _: 1, lambda b, p: {}), "STRATEGY_FAILED in=signals error=KeyError"),
        (
            StrategyCode(lambda p: int(p["none"]), lambda b, p: {}),
            "STRATEGY_FAILED in=warmup error=KeyError",
        ),
        (columns(enter=at(-1), stop=lambda n: [nan] * n), "SIGNAL_NOT_READY stop=nan"),
        (columns(enter=at(-1), stop=lambda n: [0.0] * n), "SIGNAL_NOT_READY stop=0x0.0p+0"),
        (columns(enter=at(-1), stop=lambda n: [-1.0] * n), "SIGNAL_NOT_READY"),
        (columns(enter=at(-1), stop=lambda n: [inf] * n), "SIGNAL_NOT_READY stop=inf"),
        (columns(enter=at(-1), strength=lambda n: [nan] * n), "SIGNAL_NOT_READY"),
        (columns(enter=at(-1), strength=lambda n: [-0.5] * n), "SIGNAL_NOT_READY"),
        (columns(enter=at(-1), strength=lambda n: [inf] * n), "SIGNAL_NOT_READY"),
    ],
)
def test_a_strategy_that_fails_or_is_not_ready_says_so(code: StrategyCode, problem: str) -> None:
    said = opinion(code, bars([10_000] * 5))
    assert said.problem.startswith(problem)
    assert not said.exit_now


# --- what is said -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ttl", "index", "alive"),
    [(1, -1, True), (1, -2, False), (2, -2, True), (2, -3, False), (5, -5, True)],
)
def test_a_signal_lives_for_its_number_of_bars(ttl: int, index: int, alive: bool) -> None:
    last_ms = BAR_MS + 9 * MINUTE_MS  # the last bar of its anchor block
    series = bars([10_000] * 19, last_ms=last_ms)
    code = columns(9, enter=at(index))
    said = opinion(code, series, strategy(ttl_bars=ttl), last_ms + MINUTE_MS)
    assert said.enter_ms == (last_ms + (index + 1) * MINUTE_MS if alive else -1)


def test_a_living_signal_of_an_earlier_block_is_what_that_block_says() -> None:
    seen: list[tuple[int, int]] = []

    def signals(window: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        seen.append((window.open_ms[0], window.open_ms[-1]))
        n = len(window)
        # The row says how far it lies behind the start of its window.
        return {
            "enter": [0] * (n - 1) + [int(window.open_ms[-1] < BAR_MS)],
            "exit": [0] * n,
            "stop": [float(i + 1) for i in range(n)],
        }

    code = StrategyCode(lambda _: 3, signals)
    said = opinion(code, bars([10_000] * 30), strategy(ttl_bars=2))
    block_ms = 10 * MINUTE_MS
    assert seen == [
        (BAR_MS - 3 * MINUTE_MS, BAR_MS),
        (BAR_MS - block_ms - 3 * MINUTE_MS, BAR_MS - MINUTE_MS),
    ]
    assert (said.enter_ms, said.stop_distance) == (BAR_MS - MINUTE_MS, 13.0)
    # The decision before said the same of it, when it was the newest bar.
    before = opinion(code, bars([10_000] * 30), strategy(ttl_bars=2), BAR_MS)
    assert (before.enter_ms, before.stop_distance) == (BAR_MS - MINUTE_MS, 13.0)


def test_what_an_earlier_block_said_with_too_many_bars_missing_is_not_read() -> None:
    code = columns(3, enter=lambda n: [0] * (n - 1) + [int(n > 4)])
    whole = bars([10_000] * 30)
    assert opinion(code, whole, strategy(ttl_bars=2)).enter_ms == BAR_MS - MINUTE_MS
    gone = {BAR_MS - minutes * MINUTE_MS for minutes in (5, 6)}
    rows = [row for row in whole.rows() if row[0] not in gone]
    series = build_series(whole.symbol, whole.step_ms, whole.tick, rows)
    assert opinion(code, series, strategy(ttl_bars=2)).enter_ms == -1


def test_an_hourly_signal_lives_on_between_the_hours() -> None:
    hourly = strategy(timeframe="1h", timeframe_ms=HOUR_MS, ttl_bars=1)
    hour = BAR_MS // HOUR_MS * HOUR_MS
    series = bars([10_000] * 4, last_ms=hour)
    series.step_ms = HOUR_MS
    for index in range(4):
        series.open_ms[index] = hour - (3 - index) * HOUR_MS
    code = columns(1, enter=at(-1))
    for minute in (0, 1, 59):
        close_ms = hour + HOUR_MS + minute * MINUTE_MS
        frames = Frames({(BTC, "1h"): series}, close_ms, 1)
        said = form_opinion(hourly, code, frames, BTC, 0)
        assert (said.problem, said.enter_ms) == ("", hour)
    late = form_opinion(hourly, code, Frames({(BTC, "1h"): series}, hour + 2 * HOUR_MS, 1), BTC, 0)
    assert late.problem.startswith("DATA_STALE")


def test_the_newest_living_signal_counts_with_its_own_stop_and_strength() -> None:
    code = columns(
        9,
        enter=lambda n: [1] * (n - 1) + [0],
        stop=lambda n: [float(i + 1) for i in range(n)],
        strength=lambda n: [i / 10 for i in range(n)],
    )
    last_ms = BAR_MS + 9 * MINUTE_MS
    series = bars([10_000] * 19, last_ms=last_ms)
    said = opinion(code, series, strategy(ttl_bars=3), last_ms + MINUTE_MS)
    assert said.enter_ms == last_ms - MINUTE_MS
    assert (said.stop_distance, said.strength) == (18.0, 1.7)


def test_target_and_trail_are_those_of_the_signals_bar() -> None:
    code = columns(9, enter=at(-1), target=lambda n: [7.0] * n, trail=lambda n: [0.5] * n)
    said = opinion(code, bars([10_000] * 10))
    assert (said.target_distance, said.trail_distance) == (7.0, 0.5)
    assert said.seen()["target_distance"] == (7.0).hex()
    plain = opinion(columns(9, enter=at(-1)), bars([10_000] * 10))
    assert "trail_distance" not in plain.seen()


@pytest.mark.parametrize("name", ["target", "trail"])
@pytest.mark.parametrize("value", [nan, 0.0, -1.0, inf])
def test_a_target_or_trail_that_is_no_distance_is_not_ready(name: str, value: float) -> None:
    code = columns(9, enter=at(-1), exit=at(-1), **{name: lambda n: [value] * n})
    said = opinion(code, bars([10_000] * 10))
    assert said.problem.startswith("SIGNAL_NOT_READY stop=0x1.0000000000000p+0 ")
    assert f"{name}={value.hex()}" in said.problem
    # What is held is still left: an exit needs no stop.
    assert said.exit_now


def test_an_earlier_block_without_any_bar_says_nothing() -> None:
    rows = [row for row in bars([10_000] * 40).rows() if row[0] >= BAR_MS - 2 * MINUTE_MS]
    early = [row for row in bars([10_000] * 60).rows() if row[0] < BAR_MS - 20 * MINUTE_MS]
    series = build_series(BTC, MINUTE_MS, bars([1]).tick, [*early, *rows])
    code = columns(1, enter=lambda n: [0] * (n - 1) + [int(n != 2)])
    # The newest bar says no; what its ten bars before hold has too many holes, then no bar at all.
    said = opinion(code, series, strategy(ttl_bars=18), missing_ppm_max=500_000)
    assert (said.problem, said.enter_ms) == ("", -1)
    assert said.seen()["enter_ms"] == -1


def test_a_note_and_a_trail_are_told_to_the_trail() -> None:
    said = Opinion("", 1, 2, 3, exit_now=False, stop_distance=1.0, strength=1.0, note="X y=1")
    assert said.seen()["note"] == "X y=1"
    assert "note" not in replace(said, note="").seen()
    trailing = replace(said, trail_distance=0.5).seen()
    assert trailing["trail_distance"] == (0.5).hex()


def test_a_strategy_in_trouble_is_not_asked() -> None:
    def signals(window: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        raise AssertionError

    why = "STRATEGY_FAILED why=timeout limit_ms=5000"
    frames = Frames({(BTC, "1m"): bars([10_000] * 10)}, CLOSE_MS, 10)
    said = form_opinion(strategy(), StrategyCode(lambda _: 1, signals), frames, BTC, 0, why)
    assert said.problem == why


def test_an_exit_is_a_level_on_the_newest_bar_alone() -> None:
    assert opinion(columns(9, exit=at(-1)), bars([10_000] * 10)).exit_now
    assert not opinion(columns(9, exit=at(-2)), bars([10_000] * 10)).exit_now


def test_not_a_number_is_no_signal() -> None:
    code = columns(9, enter=at(-1, nan), exit=at(-1, nan))
    said = opinion(code, bars([10_000] * 10))
    assert (said.problem, said.enter_ms, said.exit_now) == ("", -1, False)


# --- what is asked for ---------------------------------------------------------------------------


def test_the_bars_that_a_decision_reads() -> None:
    hourly = strategy("slow", BTC, timeframe="1h", timeframe_ms=HOUR_MS)
    policy = parameters(strategy("fast", BTC), hourly)
    codes = {"fast": columns(5), "slow": columns(2)}
    state = account()
    hold(state, ETH)
    wanted = wanted_windows(policy, codes, state, CLOSE_MS)
    hour = last_open_ms(CLOSE_MS, HOUR_MS)
    assert wanted == {
        (BTC, "1m"): (BAR_MS - 5 * MINUTE_MS, BAR_MS),
        (ETH, "1m"): (BAR_MS - MINUTE_MS, BAR_MS),
        (BTC, "1h"): (anchor_ms(hour, HOUR_MS, 10) - 2 * HOUR_MS, hour),
    }


@pytest.mark.parametrize("warmup", [-7, 10**6])
def test_a_strange_warm_up_reads_no_less_than_the_anchor_asks_for(warmup: int) -> None:
    wanted = wanted_windows(parameters(), {"one": columns(warmup)}, account(), CLOSE_MS)
    assert wanted[BTC, "1m"][0] == BAR_MS - max(1, warmup) * MINUTE_MS


def test_a_strategy_whose_warm_up_fails_is_still_given_its_anchored_window() -> None:
    broken = StrategyCode(lambda p: int(p["none"]), lambda b, p: {})
    wanted = wanted_windows(parameters(), {"one": broken}, account(), CLOSE_MS)
    assert wanted == {(BTC, "1m"): (BAR_MS - MINUTE_MS, BAR_MS)}
