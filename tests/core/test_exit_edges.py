"""Edges of exits, one by one: smallest numbers, bounds, what the trail and the order's row say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core.access import Access
from trader.core.desk import Desk
from trader.core.exit_orders import exit_view, fresh_bid_ticks, leave
from trader.core.exit_sizes import can_sell
from trader.core.exits import Look, even_to_ticks, exit_reason, peak_ticks, trail_to_ticks
from trader.core.plan import plan_payload
from trader.core.series import build_series
from trader.core.snapshot import Snapshot
from trader.core.state import Position

from .exit_tables import Row
from .made import (
    BAR_MS,
    BTC,
    LIMITS,
    MINUTE_MS,
    NOW_MS,
    TICK,
    account,
    bars,
    order_row,
    quote,
    sent,
    snapshot,
)
from .test_exit_tables import bought, decide

SEEN = Look(0, 0, 0, 0, 0, 0, exit_now=False)


def position(**row: int | str) -> Position:
    return Position({"symbol": BTC, **row})


def test_a_price_of_one_tick_is_a_price() -> None:
    assert exit_reason(position(stop_ticks=5), replace(SEEN, bid_ticks=1)) == "stop_loss"
    assert exit_reason(position(stop_ticks=1), replace(SEEN, low_ticks=1)) == "stop_loss"
    assert exit_reason(position(target_ticks=1), replace(SEEN, bid_ticks=1)) == "take_profit"
    assert exit_reason(position(hold_ms=1), replace(SEEN, held_ms=1)) == "max_hold"
    assert trail_to_ticks(position(trail_ticks=1), 10) == 9
    assert trail_to_ticks(position(trail_ticks=10), 10) == 0
    spec = account().spec(BTC)
    assert can_sell(spec, 10**9, 1)
    assert not can_sell(spec, 10**9, 0)


def test_trail_and_break_even_at_one_price_are_the_trail() -> None:
    # The trail puts the stop at 10,200 - 129 = 10,071, and so does break-even.
    state = bought(stop_ticks=9_000, trail_ticks=129, even_ticks=10_200)
    decided = decide(state, [Row((10_200, 10_000, 10_190))], 0)
    assert (decided.stops, decided.even) == ({BTC: 10_071}, ())
    decided = decide(state, [Row((10_200, 10_000, 10_060))], 0)
    assert [leg.proposal.reason for leg in decided.legs] == ["trailing_stop"]


def seen_of(state: Any, **changed: Any) -> Snapshot:
    return snapshot(state, bar_ms=BAR_MS, **changed)


def test_break_even_counts_when_the_highest_price_is_the_stop_itself() -> None:
    state = bought(even_ticks=1)
    held = state.positions[BTC]
    assert even_to_ticks(seen_of(state), held, 10_071) == 10_071
    assert even_to_ticks(seen_of(state), held, 10_070) == 0
    assert even_to_ticks(seen_of(state), position(even_ticks=0), 20_000) == 0


def test_the_highest_price_is_that_of_trusted_bars_since_the_fill() -> None:
    state = bought()
    held = state.positions[BTC]
    seen = bars([9_000, 12_000, 10_500, 10_400], last_ms=BAR_MS + 2 * MINUTE_MS)
    # Bought in the bar that closes at 12,000; whenever in it the fill came.
    for fill_ms in (BAR_MS, BAR_MS + 1, BAR_MS + MINUTE_MS - 1):
        held.opened_ms = fill_ms
        assert peak_ticks(seen_of(state), held, seen) == 12_000
    held.opened_ms = BAR_MS + MINUTE_MS
    assert peak_ticks(seen_of(state), held, seen) == 10_500
    held.opened_ms = BAR_MS + 9 * MINUTE_MS
    assert peak_ticks(seen_of(state), held, seen) == 0
    held.opened_ms = BAR_MS
    assert peak_ticks(seen_of(state), held, None) == 0
    assert peak_ticks(seen_of(state, troubles={BTC: ("X",)}), held, seen) == 0
    assert peak_ticks(seen_of(state), held, build_series(BTC, MINUTE_MS, TICK, [])) == 0


@pytest.mark.parametrize(
    ("given", "bid"),
    [
        (quote(9_999, 9_999), 9_999),
        (quote(9_999, 9_998), 0),
        (quote(1, 1), 1),
        (quote(0, 1), 0),
        (quote(5, 0), 0),
        (quote(9, 10, NOW_MS - 10_000), 9),
        (quote(9, 10, NOW_MS - 10_001), 0),
        (quote(9, 10, NOW_MS + 10_000), 9),
        (quote(9, 10, NOW_MS + 10_001), 0),
    ],
)
def test_a_bid_counts_while_its_quote_is_fresh_and_whole(given: Any, bid: int) -> None:
    assert fresh_bid_ticks(snapshot(account(), quotes={BTC: given}), BTC) == bid


FULL: dict[str, Any] = {
    "stop_ticks": 9_000,
    "trail_ticks": 500,
    "arm_ticks": 11_000,
    "even_ticks": 10_900,
    "hold_ms": 900_000,
    "steps": "10500:300000",
}


def test_the_trail_tells_what_a_position_has_and_nothing_that_it_has_not() -> None:
    row = decide(bought(**FULL), [Row((10_600, 10_400, 10_450))], 0).trail[0]
    assert row.seen == {
        "problem": "",
        "arm_ticks": 11_000,
        "bid_ticks": 10_449,
        "even_ticks": 10_900,
        "even_to_ticks": 0,
        "exit": 0,
        "held_ms": 60_000,
        "held_units": 100_000_000,
        "high_ticks": 10_600,
        "hold_ms": 900_000,
        "kept_lots": 700,
        "low_ticks": 10_400,
        "peak_ticks": 10_600,
        "scaled": 1,
        "steps": "10500:300000",
        "stop_ticks": 9_000,
        "target_ticks": 0,
        "trail_to_ticks": 0,
    }
    bare = decide(bought(), [Row((10_600, 10_400, 10_450))], 0).trail[0]
    absent = {"arm_ticks", "even_ticks", "hold_ms", "steps", "scaled", "asked"}
    assert not absent & set(bare.seen)


def test_the_row_of_an_exit_is_whole() -> None:
    decided = decide(bought(stop_ticks=9_900), [Row((10_000, 9_900, 9_950))], 0)
    (row,) = plan_payload(decided)["legs"]
    row.pop("client_id")
    numbers = dict.fromkeys(
        ("attempt", "leg", "stop_ticks", "target_ticks", "trail_ticks", "hold_ms", "arm_ticks",
         "even_ticks", "trigger_ticks", "until_ms", "signal_ms"),
        0,
    )  # fmt: skip
    assert row == {
        **numbers,
        "strategy": "one",
        "symbol": BTC,
        "side": "sell",
        "tif": "ioc",
        "order_type": "limit",
        "steps": "",
        "bar_ms": BAR_MS,
        "price_ticks": 9_940,  # 9,949 less 1,000 ppm is 9,939.05, up
        "qty_lots": 1_000,
        "reason": "stop_loss",
    }


def test_an_exit_without_a_quote_has_no_price() -> None:
    decided = decide(bought(stop_ticks=9_900), [Row((10_000, 9_900, 9_950))], 0, quotes={})
    assert decided.trail[0].asked["price_ticks"] == 0


def test_what_is_in_sells_that_may_still_fill_is_not_asked_for_again() -> None:
    answers: dict[int, str] = {}
    for pending in (1_000, 999, 998):
        state = bought(stop_ticks=9_900)
        sell = order_row("c" * 32, side="sell", qty_lots=pending, signal_ms=0, stop_ticks=0)
        sent(state, sell, outcome="unknown")
        decided = decide(state, [Row((10_000, 9_900, 9_950))], 0)
        assert decided.legs == ()
        answers[pending] = decided.trail[0].answer
    # One lot is less than the smallest quantity; two are asked for, and too little in value.
    assert answers == {1_000: "EXIT_WORKING", 999: "EXIT_WORKING", 998: "NOTIONAL_MIN"}


def test_a_second_sale_of_the_same_coins_in_one_plan_is_refused() -> None:
    state = bought()
    desk = Desk(snapshot(state), Access(snapshot(state).parameters.universe, {}, ""))
    spec = state.spec(BTC)
    for lots, legs in ((600, 1), (401, 1), (400, 2)):
        leave(desk, "one", spec, "trim", lots, {})
        assert len(desk.legs) == legs
    assert [refused.code for refused in desk.refused] == ["SHORT"]


def test_gates_are_shown_the_cap_of_the_attempt() -> None:
    (leg,) = decide(bought(stop_ticks=9_900), [Row((10_000, 9_900, 9_950))], 0).legs
    spec = account().spec(BTC)
    given: dict[str, Any] = {"rank": 2, "now_ms": NOW_MS, "free_lots": 5}
    view = exit_view(leg.proposal, spec, LIMITS, quote(), slippage_ppm=4_321, **given)
    assert (view.slippage_ppm, view.halt_rank) == (4_321, 2)


def test_an_alarm_is_only_for_what_has_no_bid() -> None:
    rows = [Row((10_600, 1, 1), bid=1)]
    # The lowest price and bid there are: the stop is hit, the bid insane against nothing.
    assert decide(bought(stop_ticks=9_900), rows, 0).alarms == ()
    quiet = decide(bought(steps="10500:300000"), rows, 0)
    assert quiet.alarms == ()
    sold = bought(700, steps="10500:300000")
    sold.positions[BTC].bought_lots = 1_000
    assert decide(sold, rows, 0, quotes={}).alarms == ()  # nothing is left to do for this step
    low = [Row((1, 1, 1))]
    assert decide(bought(), low, 0, quotes={}).alarms == ()  # a bar of one tick is a bar
