"""Exits by hand: bar tables with the expected reason and stop beside each bar.

A table's position was bought at 100.00 (10,000 ticks) at the open of its first bar.
A bar is (high, low, close) in ticks; the bid is one tick below the close unless the table says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core.exits import Look, exit_reason
from trader.core.fold import fold
from trader.core.parameters import SizeSpec
from trader.core.plan import Plan, plan, plan_payload
from trader.core.series import Series, build_series
from trader.core.state import Position, State

from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    TICK,
    UNIT,
    account,
    bars,
    fill_row,
    hold,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
    strategy,
)

Bar = tuple[int, int, int]
Row = tuple[Bar, str, int]


def series_of(rows: list[Bar], last_ms: int) -> Series:
    """Minute bars that open where they close."""
    first = last_ms - (len(rows) - 1) * MINUTE_MS
    return build_series(
        BTC,
        MINUTE_MS,
        TICK,
        [
            (first + i * MINUTE_MS, close, high, low, close, 1.0)
            for i, (high, low, close) in enumerate(rows)
        ],
    )


def decide(state: State, seen: list[Bar], at: int, **changed: Any) -> Plan:
    """The decision `at` bars after the entry's, `seen` its newest bars."""
    bar_ms = BAR_MS + at * MINUTE_MS
    now_ms = bar_ms + MINUTE_MS
    close = seen[-1][2]
    given: dict[str, Any] = {
        "bar_ms": bar_ms,
        "now_ms": now_ms,
        "series": {(BTC, "1m"): series_of(seen, bar_ms)},
        "quotes": {BTC: quote(close - 1, close + 1, now_ms)},
        "strategies": {"one": says(enter=0)},
        **changed,
    }
    return plan(snapshot(state, parameters(collar_ppm=900_000), **given))


def reasons(decided: Plan) -> list[str]:
    return [leg.proposal.reason for leg in decided.legs]


def position(**row: Any) -> State:
    """100 lots bought at 10,000 at the open of the first bar of a table."""
    state = account()
    client_id = "a" * 32
    sent(state, order_row(client_id, signal_ms=1, **{"stop_ticks": 0, **row}))
    fold(state, "fill", fill_row(client_id, at_ms=BAR_MS, cost_units=10 * UNIT))
    return state


# Each row: the bar, why the position is left at its close, the stop that the plan leaves behind.
TABLES: dict[str, tuple[dict[str, Any], list[Row]]] = {
    "nothing is set: nothing happens": ({}, [((99_000, 1, 10_000), "", 0)]),
    "the low touches the stop": (
        {"stop_ticks": 9_900},
        [((10_100, 9_901, 10_000), "", 9_900), ((10_100, 9_900, 10_000), "stop_loss", 9_900)],
    ),
    "a gap through the stop": (
        {"stop_ticks": 9_900},
        [((9_500, 9_300, 9_400), "stop_loss", 9_900)],
    ),
    "the high touches the target": (
        {"target_ticks": 10_500},
        [((10_499, 9_000, 10_000), "", 0), ((10_500, 9_000, 10_000), "take_profit", 0)],
    ),
    "a gap above the target": (
        {"target_ticks": 10_500},
        [((11_000, 10_800, 10_900), "take_profit", 0)],
    ),
    "stop and target in one bar: the worse one": (
        {"stop_ticks": 9_900, "target_ticks": 10_500},
        [((10_600, 9_800, 10_200), "stop_loss", 9_900)],
    ),
    "the trail follows the highest price and never comes down": (
        {"stop_ticks": 9_000, "trail_ticks": 500},
        [
            ((9_400, 9_300, 9_350), "", 9_000),  # 9,400 - 500 is below the stop
            ((10_000, 9_700, 9_900), "", 9_500),
            ((10_400, 10_000, 10_300), "", 9_900),
            ((10_200, 10_000, 10_100), "", 9_900),  # lower high: the stop stays
            ((10_000, 9_900, 9_950), "trailing_stop", 9_900),
        ],
    ),
    "a trail alone is a stop from the first bar on": (
        {"trail_ticks": 500},
        [((10_200, 9_000, 10_100), "", 9_700), ((10_100, 9_700, 9_900), "trailing_stop", 9_700)],
    ),
    "the low of the bar that ratchets is held against the stop before it": (
        {"stop_ticks": 9_000, "trail_ticks": 500},
        [((10_400, 9_200, 10_300), "", 9_900), ((10_400, 9_901, 10_300), "", 9_900)],
    ),
    "a spike: the close behind the high is below the stop that it ratcheted up": (
        {"stop_ticks": 9_000, "trail_ticks": 500},
        [((11_000, 10_000, 10_200), "trailing_stop", 10_500)],
    ),
    "a spike after the low has hit the stop: the worse one": (
        {"stop_ticks": 9_500, "trail_ticks": 500},
        [((11_000, 9_400, 10_200), "stop_loss", 10_500)],
    ),
    "trail and target in one bar: the worse one": (
        {"trail_ticks": 500, "target_ticks": 10_900},
        [((11_000, 10_000, 10_200), "trailing_stop", 10_500)],
    ),
    "a trail wider than the price ratchets nothing": (
        {"trail_ticks": 20_000},
        [((11_000, 9_000, 10_200), "", 0)],
    ),
    "held for three minutes: left at the close of the third bar": (
        {"hold_ms": 3 * MINUTE_MS},
        [
            ((10_000, 9_990, 10_000), "", 0),
            ((10_000, 9_990, 10_000), "", 0),
            ((10_000, 9_990, 10_000), "max_hold", 0),
        ],
    ),
    "time over and target reached: the target": (
        {"hold_ms": MINUTE_MS, "target_ticks": 10_500},
        [((10_500, 9_990, 10_000), "take_profit", 0)],
    ),
    "time over and stop hit: the stop": (
        {"hold_ms": MINUTE_MS, "stop_ticks": 9_900},
        [((10_500, 9_900, 10_000), "stop_loss", 9_900)],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_position_is_left_as_the_table_says(name: str) -> None:
    asked, rows = TABLES[name]
    state = position(**asked)
    bars: list[Bar] = [(10_000, 10_000, 10_000)]
    for at, (bar, reason, stop) in enumerate(rows):
        bars.append(bar)
        decided = decide(state, bars[-2:], at)
        assert reasons(decided) == ([reason] if reason else []), f"bar {at}"
        payload = plan_payload(decided)
        fold(state, "plan", {**payload, "legs": []})
        assert state.positions[BTC].stop_ticks == stop, f"bar {at}"
    assert rows


@pytest.mark.parametrize(
    ("asked", "bid", "reason"),
    [
        ({"stop_ticks": 9_900}, 9_900, "stop_loss"),
        ({"stop_ticks": 9_900}, 9_901, ""),
        ({"target_ticks": 10_500}, 10_500, "take_profit"),
        ({"target_ticks": 10_500}, 10_499, ""),
        ({"trail_ticks": 100}, 9_900, "trailing_stop"),
        ({"trail_ticks": 100}, 9_901, ""),
    ],
)
def test_the_bid_counts_as_much_as_the_bar(asked: dict[str, int], bid: int, reason: str) -> None:
    state = position(**asked)
    seen = [(10_000, 9_950, 9_950)]
    decided = decide(state, seen, 1, quotes={BTC: quote(bid, 10_600, BAR_MS + 2 * MINUTE_MS)})
    assert reasons(decided) == ([reason] if reason else [])


def test_the_longest_hold_needs_no_bars_but_a_bid() -> None:
    state = position(hold_ms=MINUTE_MS, stop_ticks=9_900)
    stale: dict[str, Any] = {"series": {}, "troubles": {BTC: ("DATA_STALE read=VENUE",)}}
    decided = decide(state, [(1, 1, 10_000)], 1, **stale)
    assert reasons(decided) == ["max_hold"]
    decided = decide(state, [(1, 1, 10_000)], 1, **stale, quotes={})
    assert [refused.code for refused in decided.refused] == ["QUOTE_MISSING"]


def test_a_hold_counts_from_the_bar_in_which_the_fill_came() -> None:
    state = account()
    sent(state, order_row(signal_ms=1, hold_ms=2 * MINUTE_MS, stop_ticks=0))
    fold(state, "fill", fill_row(at_ms=BAR_MS + MINUTE_MS + 5_250))
    quiet = [(10_000, 9_990, 10_000)]
    assert reasons(decide(state, quiet, 1)) == []
    assert reasons(decide(state, quiet, 2)) == ["max_hold"]


@pytest.mark.parametrize("fill_ms", [BAR_MS + MINUTE_MS, BAR_MS + MINUTE_MS + 5_250])
def test_what_was_high_before_the_fill_ratchets_nothing(fill_ms: int) -> None:
    state = account()
    sent(state, order_row(signal_ms=1, trail_ticks=500, stop_ticks=9_000))
    fold(state, "fill", fill_row(at_ms=fill_ms))
    spike, quiet = (12_000, 9_990, 10_000), (10_100, 9_990, 10_000)
    decided = decide(state, [spike, quiet], 1)
    assert decided.stops == {BTC: 9_600}


def test_bars_that_no_cycle_saw_count_with_their_highs() -> None:
    state = position(trail_ticks=500, stop_ticks=9_000)
    missed, quiet = (10_400, 9_990, 10_000), (10_100, 9_990, 10_000)
    assert decide(state, [missed, quiet, quiet], 3).stops == {BTC: 9_900}


def test_untrusted_data_ratchets_nothing() -> None:
    state = position(trail_ticks=500, stop_ticks=9_000)
    bad = {"troubles": {BTC: ("DATA_IMPOSSIBLE bar_ms=1 why=X",)}}
    assert decide(state, [(99_000, 9_990, 10_000)], 1, **bad).stops == {}


def test_a_ratchet_is_kept_though_the_exit_is_refused() -> None:
    state = position(trail_ticks=500, stop_ticks=9_000)
    decided = decide(state, [(11_000, 9_990, 10_200)], 1, quotes={})
    assert [refused.code for refused in decided.refused] == ["QUOTE_MISSING"]
    assert plan_payload(decided)["stops"] == {BTC: 10_500}


PLAIN = {"stop_ticks": 9_900, "target_ticks": 10_500, "hold_ms": 9 * MINUTE_MS}


@pytest.mark.parametrize(
    ("bar", "at", "reason"),
    [
        ((10_000, 9_900, 10_000), 1, "stop_loss"),
        ((10_500, 9_950, 10_000), 1, "take_profit"),
        ((10_000, 9_950, 10_000), 9, "max_hold"),
    ],
)
@pytest.mark.parametrize(
    "state_of_things", ["off", "shadow", "failed", "failing", "gone", "changed"]
)
def test_what_belongs_to_the_position_runs_whatever_became_of_its_strategy(
    bar: Bar, at: int, reason: str, state_of_things: str
) -> None:
    state = position(**PLAIN)
    spec = strategy()
    codes = {"one": says(enter=0), "two": says(enter=0)}
    if state_of_things == "off":
        spec = replace(spec, enabled=False)
    elif state_of_things == "shadow":
        spec = replace(spec, shadow=True)
    elif state_of_things == "failed":
        fold(state, "plan", {"bar_ms": BAR_MS, "legs": [], "off": [["one", "STRATEGY_FAILED x=1"]]})
    elif state_of_things == "failing":
        codes["one"] = says(stop="x")  # type: ignore[arg-type] # a user's mistake
    elif state_of_things == "gone":
        spec = strategy("two", ETH)
    else:
        spec = replace(spec, hold_ms_max=1, size=SizeSpec(share_ppm=1), tier="core")
    now_ms = BAR_MS + (at + 1) * MINUTE_MS
    decided = plan(
        snapshot(
            state,
            parameters(spec),
            bar_ms=BAR_MS + at * MINUTE_MS,
            now_ms=now_ms,
            series={(BTC, "1m"): series_of([bar], BAR_MS + at * MINUTE_MS)},
            quotes={BTC: quote(9_999, 10_001, now_ms)},
            strategies=codes,
        )
    )
    assert reasons(decided) == [reason]


@pytest.mark.parametrize("flag", [{"enabled": False}, {"shadow": True}])
def test_the_exit_signal_of_a_strategy_that_opens_nothing_still_counts(
    flag: dict[str, Any],
) -> None:
    state = account()
    hold(state, stop_ticks=0)
    policy = parameters(strategy(**flag))
    decided = plan(snapshot(state, policy, strategies={"one": says(leave=1)}))
    assert reasons(decided) == ["exit_signal"]


def test_without_prices_nothing_says_to_leave() -> None:
    held = Position({"symbol": BTC, "stop_ticks": 9_900, "target_ticks": 9_000})
    nothing = Look(0, 0, 0, 0, 0, 0, exit_now=False)
    assert exit_reason(held, nothing) == ""
    assert exit_reason(held, replace(nothing, exit_now=True)) == "exit_signal"


# --- what an entry asks for ---------------------------------------------------------------------


def test_an_entry_carries_its_exits() -> None:
    """Close 10,000; target 4.567 up, trail 1.239 down, both down to ticks; the hold as it is."""
    code = says(stop=2.5)

    def signals(bars: Any, numbers: Any) -> dict[str, Any]:
        columns = dict(code.signals(bars, numbers))
        return {**columns, "target": [4.567] * len(bars), "trail": [1.239] * len(bars)}

    policy = parameters(strategy(hold_ms_max=7_200_000))
    decided = plan(snapshot(account(), policy, strategies={"one": replace(code, signals=signals)}))
    row = decided.legs[0].row()
    exits = ("stop_ticks", "target_ticks", "trail_ticks", "hold_ms")
    assert [row[name] for name in exits] == [9_750, 10_456, 123, 7_200_000]


def test_a_price_that_does_not_fit_stops_no_other_position() -> None:
    state = account(10**17)
    hold(state, lots=4_000_000, stop_ticks=9_999)
    hold(state, ETH, stop_ticks=10_000)
    quotes = {BTC: quote(10**15, 10**15 + 1), ETH: quote()}
    lows = {(BTC, "1m"): bars([10_000, 10_000], lows=[10_000, 9_000])}
    series = {**lows, (ETH, "1m"): bars([10_000, 10_000], ETH)}
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}, series=series, quotes=quotes))
    assert decided.trail[0].answer == "AMOUNT_OVERFLOW"
    assert [(leg.symbol, leg.proposal.reason) for leg in decided.legs] == [(ETH, "stop_loss")]
