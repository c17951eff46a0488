"""Quality of settled days: figures worked by hand, and what becomes of a strategy for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core.days import DAY_SLOTS
from trader.core.fold import FoldError, fold
from trader.core.limits import NEVER, Quality
from trader.core.marks import DAY_MS, changed_marks, mark_account
from trader.core.plan import Plan, plan, plan_payload
from trader.core.quality import Measured, is_asked, measure, sharpe_milli, shortfall
from trader.core.state import State

from .made import BAR_MS, MINUTE_MS, UNIT, account, bars, parameters, quote, snapshot, strategy

# daily returns in thousandths; mean, spread (ddof 1), Sharpe x 1000 worked by hand
RATIOS = [
    # mean 1, squares 1 + 1 = 2, spread sqrt(2 / 1) = 1.41421; 0.707107 x 19.104973 = 13.50925
    ("two days, 0 and 2", [0, 2], 13_509),
    # mean 2, squares 1 + 0 + 1, spread 1; 2 x 19.104973 = 38.20994
    ("1, 2, 3", [1, 2, 3], 38_209),
    ("the same, lost: rounded down, not towards nothing", [-1, -2, -3], -38_210),
    # mean 0
    ("won and lost alike", [1, -1], 0),
    # mean 1, squares 4 x 9 = 36, spread sqrt(36 / 3) = 3.4641; 0.288675 x 19.104973 = 5.51513
    ("4, -2, 4, -2", [4, -2, 4, -2], 5_515),
    ("no spread, a gain", [1, 1, 1], NEVER),
    ("no spread, a loss", [-1, -1, -1], -NEVER),
    ("nothing at all", [0, 0, 0], 0),
    ("one day says nothing", [5], 0),
    # mean -1, the rest as above: -13.50925, down
    ("two days, 0 and -2", [0, -2], -13_510),
]  # fmt: skip


@pytest.mark.parametrize(
    ("returns", "expected"), [row[1:] for row in RATIOS], ids=[row[0] for row in RATIOS]
)
def test_the_sharpe_ratio_of_daily_returns(returns: list[int], expected: int) -> None:
    assert sharpe_milli([one / 1_000 for one in returns]) == expected


# 20,003 is a Monday (1970-01-05 was day 4).
MONDAY = 20_003


def walked(results: dict[int, int], last: int, first: int = MONDAY) -> State:
    """An account worth 1,000 whose strategy `one` won so much (USDT) on these days, each counted
    at the day's noon; decisions at every day's start and noon, the last at the start of `last`."""
    state = account(1_000 * UNIT)
    fold(state, "plan", {"bar_ms": 0, "legs": [], "results": {"one": 0}})
    state.books["one"].first_day = first
    total = 0
    for day in range(first, last + 1):
        for hour in (0, 12):
            if day == last and hour:
                break
            close_ms = day * DAY_MS + hour * 3_600_000
            changed: dict[str, Any] = {}
            if hour and day in results:
                total += results[day] * UNIT
                changed["results"] = {"one": total}
            marks = mark_account(state, 1_000 * UNIT + total, close_ms, parameters().limits)
            changed["marks"] = changed_marks(state, marks)
            fold(state, "plan", {"bar_ms": close_ms, "legs": [], **changed})
    return state


def test_days_without_a_change_are_returns_of_nothing_and_weeks_without_one_say_nothing() -> None:
    # week 1: +10 -4, week 2: nothing, week 3: -5, the running week: +50
    results = {MONDAY: 10, MONDAY + 6: -4, MONDAY + 14: -5, MONDAY + 21: 50}
    found = measure(walked(results, MONDAY + 23), "one", MONDAY + 23, None)
    assert (found.days, found.weeks, found.weeks_ppm) == (23, 2, 500_000)
    returns = [0.0] * 23
    returns[0], returns[6] = 10 / 1_000, -4 / 1_010
    returns[14], returns[21] = -5 / 1_006, 50 / 1_001
    assert found.sharpe_milli == sharpe_milli(returns)


def test_a_day_that_ends_at_this_very_decision_counts_with_what_it_came_to() -> None:
    results = {MONDAY: 10, MONDAY + 1: 10}
    state = walked(results, MONDAY + 2)
    known = measure(state, "one", MONDAY + 3, None)
    ended = measure(state, "one", MONDAY + 3, (MONDAY + 2, 10 * UNIT))
    assert (known.days, ended.days) == (3, 3)
    assert ended.sharpe_milli > known.sharpe_milli


def test_days_before_a_human_judged_count_no_more() -> None:
    state = walked({MONDAY: -50, MONDAY + 8: 5, MONDAY + 9: 6}, MONDAY + 20)
    state.books["one"].judged_day = MONDAY + 7
    found = measure(state, "one", MONDAY + 20, None)
    assert (found.days, found.weeks_ppm) == (13, 1_000_000)


def test_no_more_days_count_than_the_ring_holds() -> None:
    state = walked({}, MONDAY)
    state.books["one"].first_day = 0
    assert measure(state, "one", MONDAY, None).days == DAY_SLOTS - 1


def test_a_first_day_of_number_0_is_a_day() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": 0, "legs": [], "results": {"one": 0}})
    state.books["one"].first_day = 0
    assert measure(state, "one", 3, None).days == 3


def test_a_week_that_came_to_nothing_is_not_won_and_one_unit_wins_it() -> None:
    even = measure(walked({MONDAY: 5, MONDAY + 1: -5}, MONDAY + 8), "one", MONDAY + 8, None)
    assert (even.weeks, even.weeks_ppm) == (1, 0)
    idle = measure(walked({MONDAY: 0}, MONDAY + 8), "one", MONDAY + 8, None)
    assert (idle.weeks, idle.weeks_ppm) == (1, 0)
    none = measure(walked({}, MONDAY + 8), "one", MONDAY + 8, None)
    assert (none.weeks, none.weeks_ppm) == (0, 0)
    state = walked({MONDAY: 5, MONDAY + 1: -5}, MONDAY + 8)
    state.days[f"one|{MONDAY % DAY_SLOTS}"].end_units += 1
    found = measure(state, "one", MONDAY + 8, None)
    assert (found.weeks, found.weeks_ppm) == (1, 1_000_000)


def test_an_account_that_began_a_day_with_nothing_returned_nothing() -> None:
    state = walked({MONDAY: 10, MONDAY + 1: 20, MONDAY + 2: 30}, MONDAY + 3)
    tail = [20 / 1_010, 30 / 1_030]
    key = f"|{MONDAY % DAY_SLOTS}"
    for start, first in ((0, 0.0), (1, 10.0 * UNIT)):
        state.days[key].start_units = start
        found = measure(state, "one", MONDAY + 3, None)
        assert found.sharpe_milli == sharpe_milli([first, *tail])
    del state.days[key]
    found = measure(state, "one", MONDAY + 3, None)
    assert found.sharpe_milli == sharpe_milli([0.0, *tail])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_ratio_beyond_all_bounds_is_the_bound(sign: int) -> None:
    # mean 1, spread 1e-11 x sqrt(1 / 2): more than 10**9 thousandths
    assert sharpe_milli([sign * 1.0, sign * (1.0 + 1e-11)]) == sign * NEVER


def test_a_ratio_of_nearly_nothing_is_rounded_down() -> None:
    assert sharpe_milli([1.0, -0.99999999]) == 0
    assert sharpe_milli([-1.0, 0.99999999]) == -1


def test_a_strategy_without_a_fill_has_no_sample() -> None:
    assert measure(account(), "one", MONDAY, None) == Measured(MONDAY, 0, 0, 0, 0)


ASKED = Quality(800, 600_000, 60)
ENOUGH = Measured(MONDAY, 60, 800, 5, 600_000)
JUDGED = [
    ("at both bounds", ENOUGH, ""),
    ("a thousandth of Sharpe less", ENOUGH._replace(sharpe_milli=799), "sharpe_milli"),
    ("a millionth of weeks less", ENOUGH._replace(weeks_ppm=599_999), "weeks_ppm"),
    ("one day too few", ENOUGH._replace(days=59, sharpe_milli=-NEVER), ""),
    ("one week, and it was lost", ENOUGH._replace(weeks=1, weeks_ppm=0), "weeks_ppm"),
    ("no week with a result", ENOUGH._replace(weeks=0, weeks_ppm=0), ""),
]


@pytest.mark.parametrize(
    ("measured", "unit"), [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED]
)
def test_what_policy_asks_of_quality_is_met_at_the_bound_and_not_below(
    measured: Measured, unit: str
) -> None:
    why = shortfall(measured, ASKED)
    assert f"unit={unit}" in why if unit else why == ""
    assert shortfall(measured, Quality()) == ""


def test_the_least_that_can_be_asked_is_asked() -> None:
    assert is_asked(Quality(weeks_ppm_min=1))
    assert is_asked(Quality(sharpe_milli_min=1 - NEVER))
    assert not is_asked(Quality())


# --- in a decision -----------------------------------------------------------------------------

TODAY = BAR_MS // DAY_MS
POOR = Quality(800, 0, 2)


def decided(state: State, quality: Quality, bar_ms: int = BAR_MS) -> Plan:
    """A decision at which `one` wants to enter."""
    series = {("BTC/USDT", "1m"): bars([10_000] * 3, last_ms=bar_ms)}
    now_ms = bar_ms + MINUTE_MS + 5_000
    quotes = {"BTC/USDT": quote(at_ms=now_ms)}
    policy = parameters(strategy("one"), quality=quality)
    return plan(snapshot(state, policy, bar_ms=bar_ms, now_ms=now_ms, series=series, quotes=quotes))


def poor() -> State:
    """`one` lost on the two days before the decision's."""
    state = walked({TODAY - 2: -10, TODAY - 1: -12}, TODAY - 1, TODAY - 2)
    close_ms = TODAY * DAY_MS - 3_600_000
    marks = changed_marks(state, mark_account(state, 978 * UNIT, close_ms, parameters().limits))
    state.books["one"].cash_units = -22 * UNIT
    told = {"results": {"one": -22 * UNIT}, "marks": marks}
    fold(state, "plan", {"bar_ms": close_ms, "legs": [], **told})
    return state


def test_a_strategy_that_is_not_good_enough_only_watches_from_this_decision_on() -> None:
    state = poor()
    made = decided(state, POOR)
    assert [refused.code for refused in made.refused] == ["STRATEGY_SHADOW"]
    why = made.shadow["one"]
    assert why.startswith("STRATEGY_QUALITY limit=800 measured=-")
    assert made.refused[0].detail.startswith(f"why={why}")
    assert made.alarms == (f"STRATEGY_QUALITY strategy=one {why.partition(' ')[2]}",)
    assert made.quality["one"].days == 2
    fold(state, "plan", plan_payload(made))
    assert state.books["one"].shadow_why == why
    again = decided(state, POOR, BAR_MS + MINUTE_MS)
    assert (again.shadow, again.alarms, again.quality) == ({}, (), {})
    assert [refused.code for refused in again.refused] == ["STRATEGY_SHADOW"]


def test_a_named_human_brings_it_back_and_it_is_judged_by_days_to_come() -> None:
    state = poor()
    fold(state, "plan", plan_payload(decided(state, POOR)))
    fold(state, "strategy_resumed", {"strategy": "one", "by": "ann", "why": "seen", "at_ms": 1})
    book = state.books["one"]
    assert (book.shadow_why, book.judged_day, book.quality_days) == ("", TODAY + 1, 0)
    made = decided(state, POOR, BAR_MS + MINUTE_MS)
    assert not made.refused
    assert len(made.legs) == 1
    with pytest.raises(FoldError, match="is not off"):
        fold(state, "strategy_resumed", {"strategy": "one", "by": "ann", "why": "", "at_ms": 2})


def test_the_decision_that_ends_a_day_judges_with_what_the_day_came_to() -> None:
    # Of the two days before, the second is known to have lost 12, and came to a loss of 2 by now.
    bar_ms = TODAY * DAY_MS - MINUTE_MS
    state = poor()
    state.books["one"].cash_units = -12 * UNIT
    made = decided(state, POOR, bar_ms)
    ended = (TODAY - 1, -2 * UNIT)
    assert made.quality["one"] == measure(state, "one", TODAY, ended)
    assert made.quality["one"] != measure(state, "one", TODAY, None)
    # A decision within the day leaves the day before as it was.
    later = decided(state, POOR)
    assert later.quality["one"] == measure(state, "one", TODAY, None)
    # Where that day had no change, it began with what the book came to before.
    del state.days[f"one|{(TODAY - 1) % DAY_SLOTS}"]
    state.books["one"].result_units = -10 * UNIT
    again = decided(state, POOR, bar_ms)
    assert again.quality["one"] == measure(state, "one", TODAY, ended)


def test_quality_that_nobody_asks_for_is_not_measured() -> None:
    made = decided(poor(), Quality())
    assert not made.quality
    assert len(made.legs) == 1


def test_asking_for_more_never_lets_more_through() -> None:
    for least in (-NEVER, -10_000, 0, 800, NEVER):
        for weeks in (0, 500_000, 1_000_000):
            made = decided(poor(), Quality(least, weeks, 2))
            lets = decided(poor(), replace(Quality(least, weeks, 2), sharpe_milli_min=-NEVER))
            assert len(made.legs) <= len(lets.legs)
