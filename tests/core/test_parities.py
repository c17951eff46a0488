"""Risk parity on a desk: which parts share, on which rows, and when there is no ground for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core.access import Access
from trader.core.days import DayRow, day_key
from trader.core.desk import Desk
from trader.core.parameters import SizeSpec, StrategySpec
from trader.core.parities import parity
from trader.core.signals import wanted_windows
from trader.core.size_windows import closes_wanted, size_span
from trader.core.sizes import Sized, size_entry
from trader.core.state import State

from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    UNIT,
    account,
    bars,
    parameters,
    says,
    snapshot,
    strategy,
)

FREE: dict[str, Any] = {
    "position_ppm": 1_000_000,
    "exposure_ppm_max": 1_000_000,
    "missing_ppm_max": 0,
}
PARITY = SizeSpec("risk_parity", share_ppm=600_000, bars=20, shrink_ppm=0)
# Twenty returns: those of ETH are the same moves twice as wide, so that it weighs half of BTC.
CALM = [10_000 + 100 * (i % 2) for i in range(21)]
WILD = [10_000 + 200 * (i % 2) for i in range(21)]


def desk_of(*specs: StrategySpec, state: State | None = None, **given: Any) -> Desk:
    """A desk with these strategies and bars."""
    policy = parameters(*specs, **FREE)
    given.setdefault("series", {(BTC, "1m"): bars(CALM), (ETH, "1m"): bars(WILD, ETH)})
    made = snapshot(state or account(1_000 * UNIT), policy, **given)
    return Desk(made, Access(policy.universe, {}))


def sized(desk: Desk, symbol: str) -> Sized:
    """The size of the first strategy's entry."""
    return size_entry(desk, desk.parameters.strategies[0], symbol, 1.0, 10_010, 9_000)


def test_two_instruments_weigh_as_their_deviations_ask() -> None:
    both = strategy("one", BTC, ETH, size=PARITY)
    desk = desk_of(both)
    found = parity(desk, both)
    # 1/1 : 1/2 but for roundings of the returns (100/10,000 and 100/10,100, 200/10,200)
    assert found.problem == ""
    calm = (0.01**2 + (1 / 101) ** 2) ** 0.5
    wild = (0.02**2 + (1 / 51) ** 2) ** 0.5
    assert found.weights_ppm[BTC] == pytest.approx(1e6 * wild / (calm + wild), abs=100)
    assert sum(found.weights_ppm.values()) in {999_999, 1_000_000}
    # 1,000 x 60 % x weight / 0.1002001
    weight = found.weights_ppm[BTC]
    assert sized(desk, BTC).lots == int(600 * weight / 1e6 / 0.1002001)
    assert sized(desk, BTC).told["parts"] == 2
    assert parity(desk, both) is found  # made once


def test_the_order_in_which_instruments_are_declared_changes_nothing() -> None:
    one, other = strategy("one", BTC, ETH, size=PARITY), strategy("one", ETH, BTC, size=PARITY)
    assert parity(desk_of(one), one) == parity(desk_of(other), other)


def test_history_before_the_window_changes_nothing() -> None:
    both = strategy("one", BTC, ETH, size=PARITY)
    series = {
        (BTC, "1m"): bars([5_000, 20_000, *CALM]),
        (ETH, "1m"): bars([9_000, 100, 50_000, *WILD], ETH),
    }
    assert parity(desk_of(both, series=series), both) == parity(desk_of(both), both)


@pytest.mark.parametrize(
    ("btc", "eth", "answer"),
    [
        (CALM[1:], WILD, "bars=20 bars_min=21 parts=2"),
        (CALM, [10_000] * 21, f"part={ETH} parts=2 why=variance"),
    ],
)
def test_no_ground_for_weights_is_refused_by_name(
    btc: list[int], eth: list[int], answer: str
) -> None:
    both = strategy("one", BTC, ETH, size=PARITY)
    series = {(BTC, "1m"): bars(btc), (ETH, "1m"): bars(eth, ETH)}
    found = sized(desk_of(both, series=series), BTC)
    assert (found.lots, found.answer) == (0, f"SIZE_NOT_READY method=risk_parity {answer}")


def test_an_instrument_with_troubles_is_no_ground() -> None:
    both = strategy("one", BTC, ETH, size=PARITY)
    desk = desk_of(both, troubles={ETH: ("DATA_IMPOSSIBLE row=1",)})
    assert parity(desk, both).problem == f"part={ETH} why=data"
    desk = desk_of(both, series={(BTC, "1m"): bars(CALM)})
    assert parity(desk, both).problem == f"part={ETH} why=data"


# --- across strategies ---------------------------------------------------------------------------

ACROSS = replace(PARITY, across="strategies")
TODAY = 1_000


def with_days(
    results: dict[str, list[int]], start: int = 1_000 * UNIT, starts: dict[int, int] | None = None
) -> State:
    """An account that began every day with `start` (some, by days back, with `starts`), and what
    strategies made of each day."""
    state = account(1_000 * UNIT)
    state.meta["day"] = TODAY
    for name, made in [("", [0] * 20), *results.items()]:
        for back, result in enumerate(reversed(made), start=1):
            key = day_key(name, TODAY - back)
            began = (starts or {}).get(back, start)
            day = {"key": key, "day": TODAY - back, "start_units": began}
            state.days[key] = DayRow({**day, "end_units": began + result})
    return state


TURNS = [UNIT * (1 if i % 2 else -1) for i in range(20)]
PAIRS = [UNIT * (2 if i % 4 > 1 else -2) for i in range(20)]


def test_strategies_share_by_what_their_days_came_to() -> None:
    one = strategy("one", BTC, size=ACROSS)
    two = strategy("two", ETH, size=ACROSS)
    others = [
        strategy("off", ETH, size=ACROSS, enabled=False),
        strategy("shadow", ETH, size=ACROSS, shadow=True),
        strategy("other", ETH),
    ]
    desk = desk_of(one, two, *others, state=with_days({"one": TURNS, "two": PAIRS}))
    # Twice as wide and not correlated: 2 : 1, up to ppm rounded down
    assert parity(desk, one).weights_ppm == {"one": 666_666, "two": 333_333}
    # 1,000 x 60 % x 0.666666 = 399.9996: / 0.1002001 = 3,992.01
    found = sized(desk, BTC)
    assert (found.lots, found.told["weight_ppm"], found.told["parts"]) == (3_992, 666_666, 2)
    assert found.told["value_units"] == 39_999_960_000
    # Every product is rounded down: 60 % of 1,000.00000007 are 600.00000004 (.2), and of that
    # 0.666666 399.99960002 (.66)
    desk.snapshot.state.meta["cash_units"] = 1_000 * UNIT + 7
    found = sized(Desk(desk.snapshot, desk.access), BTC)
    assert found.told["value_units"] == 39_999_960_002


@pytest.mark.parametrize("state", [{"shadow": True}, {"enabled": False}])
def test_a_strategy_that_opens_nothing_has_no_part_and_no_size(state: dict[str, bool]) -> None:
    one, two = strategy("one", BTC, size=ACROSS, **state), strategy("two", ETH, size=ACROSS)
    desk = desk_of(one, two, state=with_days({"one": TURNS, "two": PAIRS}))
    found = sized(desk, BTC)
    assert found.lots == 0
    assert found.answer == "SIZE_NOT_READY method=risk_parity part=one parts=1 why=off"


def test_a_days_return_is_its_result_over_what_the_account_was_worth() -> None:
    one, two = strategy("one", BTC, size=ACROSS), strategy("two", ETH, size=ACROSS)
    # On the newest ten days the account was worth twice as much and everything came to twice as
    # much: the returns are those of before.
    double = dict.fromkeys(range(1, 11), 2_000 * UNIT)
    made = {
        name: [result * (2 if i >= 10 else 1) for i, result in enumerate(results)]
        for name, results in {
            "one": TURNS,
            "two": [3 * UNIT // 2 * r // UNIT for r in PAIRS],
        }.items()
    }
    desk = desk_of(one, two, state=with_days(made, starts=double))
    assert parity(desk, one).weights_ppm == {"one": 750_000, "two": 250_000}


def test_a_day_that_began_with_nothing_is_no_ground() -> None:
    one, two = strategy("one", BTC, size=ACROSS), strategy("two", ETH, size=ACROSS)
    state = with_days({"one": TURNS, "two": PAIRS}, starts={7: 0})
    assert parity(desk_of(one, two, state=state), one).problem == "days=19 days_min=20 parts=2"
    state = with_days({"one": TURNS, "two": PAIRS}, starts={17: 1})
    assert parity(desk_of(one, two, state=state), one).problem == ""


def test_the_covariance_is_pulled_toward_its_diagonal() -> None:
    alone = replace(ACROSS, shrink_ppm=1_000_000)
    specs = [strategy(name, BTC, size=alone) for name in ("one", "two", "three")]
    state = with_days({"one": TURNS, "two": TURNS, "three": PAIRS})
    # As if nothing were shared: 1 : 1 : 1/2, though one and two are the same.
    found = parity(desk_of(*specs, state=state), specs[0]).weights_ppm
    assert found == {"one": 400_000, "three": 200_000, "two": 400_000}
    # As they are, one and two add their risk together: each half of what three is per deviation
    # when x (x + x) = y y, that is 1/sqrt(2) : 1/sqrt(2) : 1/2.
    shared = [replace(spec, size=ACROSS) for spec in specs]
    found = parity(desk_of(*shared, state=state), shared[0]).weights_ppm
    whole = 2 / 2**0.5 + 1 / 2
    assert found["three"] == int(1e6 * 0.5 / whole)


@pytest.mark.parametrize(
    ("results", "today", "problem"),
    [
        ({"one": TURNS, "two": PAIRS}, TODAY - 1, "days=19 days_min=20 parts=2"),
        ({"one": TURNS, "two": PAIRS}, -1, "days=0 days_min=20 parts=2"),
        ({"one": TURNS}, TODAY, "part=two parts=2 why=variance"),
        # what the one gains the other loses: no amount of both has any risk
        ({"one": TURNS, "two": [-made for made in TURNS]}, TODAY, "parts=2 why=not_converged"),
    ],
)
def test_strategies_without_days_are_no_ground(
    results: dict[str, list[int]], today: int, problem: str
) -> None:
    one, two = strategy("one", BTC, size=ACROSS), strategy("two", ETH, size=ACROSS)
    state = with_days(results)
    state.meta["day"] = today
    desk = desk_of(one, two, state=state)
    assert parity(desk, one).problem == problem


# --- which bars are asked for --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "missing", "closes", "bars_back"),
    [
        (SizeSpec("volatility", span_bars=60), 0, 241, 241),
        # 241 / 0.9 = 267.8: as many bars, of which a tenth may be missing
        (SizeSpec("volatility", span_bars=60), 100_000, 241, 268),
        (SizeSpec("volatility", span_bars=60), 900_000, 241, 482),  # at most twice as many
        (PARITY, 0, 21, 21),
        (replace(PARITY, across="strategies"), 0, 0, 0),
        (SizeSpec("conservative"), 0, 0, 0),
    ],
)
def test_a_size_asks_for_the_bars_that_it_reads(
    size: SizeSpec, missing: int, closes: int, bars_back: int
) -> None:
    spec = strategy("one", BTC, size=size)
    assert closes_wanted(size) == closes
    close_ms = BAR_MS + MINUTE_MS
    first, last = size_span(spec, missing, close_ms)
    assert last == BAR_MS
    assert first == BAR_MS - max(0, bars_back - 1) * MINUTE_MS
    policy = replace(parameters(spec, missing_ppm_max=missing), strategies=(spec,))
    wanted = wanted_windows(policy, {"one": says()}, account(), close_ms)
    without = wanted_windows(
        replace(policy, strategies=(strategy("one", BTC),)), {"one": says()}, account(), close_ms
    )
    assert wanted[BTC, "1m"][0] == min(first, without[BTC, "1m"][0])
