"""Auto-trim by hand: who gives way, how much, and what is never trimmed.

The account holds 1,000 USDT. 100 lots at 10,000 ticks are worth 10 USDT; the fee is 1,000 ppm, an
order may slip 1,000 ppm, and the venue takes 5 USDT (50 lots at 10,000) and more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trader.core.fold import fold
from trader.core.parameters import StrategySpec
from trader.core.plan import Plan, plan, plan_payload
from trader.core.state import State, instrument_row

from .made import (
    BTC,
    ETH,
    NOW_MS,
    UNIT,
    account,
    bars,
    fill_row,
    hold,
    instrument,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
    strategy,
)


def decide(
    state: State,
    prices: dict[str, int],
    specs: tuple[StrategySpec, ...] = (),
    seen: dict[str, Any] | None = None,
    **limits: Any,
) -> Plan:
    """A decision in which nobody wants anything, with these closes in ticks."""
    specs = specs or (strategy("one", BTC), strategy("two", ETH))
    given: dict[str, Any] = {
        "series": {(name, "1m"): bars([price] * 12, name) for name, price in prices.items()},
        "quotes": {name: quote(price, price + 1) for name, price in prices.items()},
        "strategies": {spec.name: says(enter=0) for spec in specs},
    }
    asked = {"exposure_ppm_max": 250_000, "trim_from_ppm": 100_000, **limits}
    return plan(snapshot(state, parameters(*specs, **asked), **{**given, **(seen or {})}))


def trims(decided: Plan) -> list[tuple[str, int]]:
    asked = [leg.proposal for leg in decided.legs]
    assert {refused.code for refused in decided.refused} <= {"HALT_LEVEL"}
    assert {one.reason for one in asked} <= {"trim"}
    return [(one.symbol, one.qty_lots) for one in asked]


def two(btc: int, eth: int, **row: Any) -> State:
    """So many lots of each, bought at 10,000, without a stop."""
    state = account()
    for symbol, lots, name in ((BTC, btc, "one"), (ETH, eth, "two")):
        if lots:
            hold(state, symbol, lots, name, **{"stop_ticks": 0, **row})
    return state


# 1,000 USDT of equity; exposure cap 250, trimmed from more than 275 on.
@pytest.mark.parametrize(
    ("btc", "eth", "trimmed"),
    [
        (1_250, 1_250, []),
        (1_250, 1_500, []),  # 275: at the bound
        (1_250, 1_501, [(ETH, 251)]),  # 275.1: down to 250
        (1_501, 1_250, [(BTC, 251)]),  # equal priorities: the larger loss gives way
        (2_751, 0, [(BTC, 251)]),
    ],
)
def test_exposure_is_brought_down_to_its_cap_and_only_beyond_the_hysteresis(
    btc: int, eth: int, trimmed: list[tuple[str, int]]
) -> None:
    assert trims(decide(two(btc, eth), {BTC: 10_000, ETH: 10_000})) == trimmed


def test_a_price_that_rose_is_what_it_is_for() -> None:
    # 2,000 lots from 100 to 150: worth 300 of 1,100. The cap is 275, the bound 302.5.
    state = two(2_000, 0)
    assert trims(decide(state, {BTC: 15_000})) == []
    # To 160: 320 of 1,120, more than 308. 40 of 320 is an eighth of 2,000 lots.
    assert trims(decide(state, {BTC: 16_000})) == [(BTC, 250)]


def test_a_cap_that_was_lowered_is_what_it_is_for() -> None:
    state = two(1_000, 1_000)
    decided = decide(state, {BTC: 10_000, ETH: 10_000}, exposure_ppm_max=100_000)
    assert trims(decided) == [(BTC, 1_000)]  # 100 too much: all of one, and the other stays


def test_the_lowest_priority_gives_way_first_then_the_next() -> None:
    specs = (strategy("one", BTC, priority=5), strategy("two", ETH, priority=4))
    limits: dict[str, Any] = {"exposure_ppm_max": 100_000}
    state = two(500, 1_500)
    prices = {BTC: 10_000, ETH: 10_000}
    assert trims(decide(state, prices, specs, **limits)) == [(BTC, 500), (ETH, 500)]
    specs = (specs[0], replace(specs[1], priority=6))
    assert trims(decide(state, prices, specs, **limits)) == [(ETH, 1_000)]
    # One that is gone from the policy has no say left.
    assert trims(decide(state, prices, (replace(specs[0], priority=999),), **limits)) == [
        (ETH, 1_000)
    ]


def test_loss_to_the_stops_is_brought_down_to_its_cap() -> None:
    """1,000 lots with a stop at 9,000: sold 1,000 ppm below it, at 8,991 ticks, for 89.91 less a
    fee of 0.08991: 89.82009. Paid were 100: 10.17991 are at risk. The cap is 8: 2.17991 too much,
    of 1,000 lots 214.1 and so 215."""
    state = two(1_000, 0, stop_ticks=9_000)
    limits: dict[str, Any] = {"exposure_ppm_max": 1_000_000, "loss_ppm_max": 8_000}
    assert trims(decide(state, {BTC: 10_000}, **limits)) == [(BTC, 215)]
    # A gain that no stop holds was never put at risk: the same 10.17991 at any higher price.
    assert trims(decide(state, {BTC: 12_000}, loss_ppm_max=9_500, exposure_ppm_max=10**6)) == []
    # Of a price that fell, less is left to lose: 95 less 89.82009 is 5.17991, below the cap.
    assert trims(decide(state, {BTC: 9_500}, **limits)) == []


def test_a_stop_that_this_decision_ratchets_up_counts() -> None:
    state = two(1_000, 0, stop_ticks=9_000, trail_ticks=500)
    # The trail puts the stop at 9,500: 95 less costs against 100 paid are 5.2, within 8.
    limits: dict[str, Any] = {"exposure_ppm_max": 1_000_000, "loss_ppm_max": 8_000}
    decided = decide(state, {BTC: 10_000}, **limits)
    assert decided.stops == {BTC: 9_500}
    assert trims(decided) == []


@pytest.mark.parametrize("level", ["running", "no_entries", "reduce_only", "frozen"])
def test_a_trim_is_an_exit_that_only_frozen_stops(level: str) -> None:
    state = two(3_000, 0)
    fold(state, "halt", {"level": level, "why": "x", "by": "ann", "at_ms": 1})
    decided = decide(state, {BTC: 10_000})
    assert trims(decided) == ([] if level == "frozen" else [(BTC, 500)])
    assert [refused.code for refused in decided.refused] == (
        ["HALT_LEVEL"] if level == "frozen" else []
    )


def test_zero_trims_nothing() -> None:
    assert trims(decide(two(9_000, 0), {BTC: 10_000}, trim_from_ppm=0)) == []


def test_a_sale_is_never_below_the_smallest_order_and_leaves_no_less() -> None:
    # 276.0 of 275: 26 too much of 2,760 lots; of BTC's 60 lots nothing may remain.
    specs = (strategy("one", BTC, priority=900), strategy("two", ETH))
    state = two(60, 2_700)
    decided = decide(state, {BTC: 10_000, ETH: 10_000}, specs)
    assert trims(decided) == [(BTC, 60), (ETH, 200)]
    # 25.9 of its 25.9 too much: all of it, and no more of the other.
    state = two(259, 2_500)
    decided = decide(state, {BTC: 10_000, ETH: 10_000}, specs)
    assert trims(decided) == [(BTC, 259)]
    state = two(501, 2_250)
    decided = decide(state, {BTC: 10_000, ETH: 10_000}, specs, trim_from_ppm=1)
    assert trims(decided) == [(BTC, 251)]
    # One lot too much: 50 are sold, the smallest order.
    state = two(2_501, 0)
    assert trims(decide(state, {BTC: 10_000}, trim_from_ppm=1)) == [(BTC, 50)]


def test_what_is_being_sold_already_counts_with_what_will_be_left() -> None:
    state = two(1_500, 1_500)
    sell = order_row("c" * 32, side="sell", qty_lots=500, signal_ms=0, stop_ticks=0)
    sent(state, sell, outcome="unknown")
    # 300 less the 50 on their way out.
    assert trims(decide(state, {BTC: 10_000, ETH: 10_000})) == []
    # A position that this decision leaves frees its value, and is not sold twice.
    state = two(1_500, 1_500, hold_ms=1)
    decided = decide(state, {BTC: 10_000, ETH: 10_000})
    asked = sorted((leg.proposal.reason, leg.proposal.qty_lots) for leg in decided.legs)
    assert asked == [("max_hold", 1_500), ("max_hold", 1_500)]
    assert decided.refused == ()
    # What is on its way out is not trimmed further, though the rest is too much; others are.
    state = two(3_000, 1_000)
    sent(state, sell, outcome="unknown")
    assert trims(decide(state, {BTC: 10_000, ETH: 10_000})) == [(ETH, 1_000)]


def test_entries_on_their_way_count_and_cannot_be_trimmed() -> None:
    state = two(2_000, 0)
    sent(state, order_row("d" * 32, symbol=ETH, strategy="two", qty_lots=1_000, signal_ms=9))
    # 200 held and 100.1 on their way: 50.1 above 250, of 2,000 lots worth 200 are 501.
    assert trims(decide(state, {BTC: 10_000, ETH: 10_000})) == [(BTC, 501)]
    # What of it has filled is held, and counts once: 10 of 100 lots.
    fold(state, "fill", fill_row("d" * 32, "9", symbol=ETH, qty_lots=100))
    assert trims(decide(state, {BTC: 10_000, ETH: 10_000})) == [(BTC, 501)]


def test_the_loss_of_entries_on_their_way_counts() -> None:
    """An entry of 100 USDT and 0.1 of fee with a stop at 9,900: sold at 9,890.1, up to 9,891 ticks,
    for 98.91 less 0.09891, it loses 1.28891. Held are 1,000 lots with a stop at 9,000: 10.17991 at
    risk. Together 11.46882, cap 10: 1.46882 too much, of 1,000 lots 144.3 and so 145."""
    state = two(1_000, 0, stop_ticks=9_000)
    sent(state, order_row("d" * 32, symbol=ETH, strategy="two", qty_lots=1_000, signal_ms=9))
    limits: dict[str, Any] = {"exposure_ppm_max": 1_000_000, "loss_ppm_max": 10_000}
    assert trims(decide(state, {BTC: 10_000, ETH: 10_000}, **limits)) == [(BTC, 145)]


def test_without_a_fresh_bid_nothing_is_trimmed_and_an_alarm_says_so() -> None:
    state = two(3_000, 0)
    decided = decide(state, {BTC: 10_000}, seen={"quotes": {BTC: quote(at_ms=NOW_MS - 99_999)}})
    assert decided.legs == ()
    assert decided.alarms == (f"EXIT_NO_BID symbol={BTC} reason=trim",)


def test_who_cannot_be_sold_is_passed_over() -> None:
    prices = {BTC: 10_000, ETH: 10_000}
    first = (strategy("one", BTC, priority=900), strategy("two", ETH))
    state = two(1_500, 1_500)
    # No bid, and an instrument that is not traded: the next one is trimmed instead.
    decided = decide(state, prices, first, seen={"quotes": {ETH: quote(10_000, 10_001)}})
    assert trims(decided) == [(ETH, 500)]
    fold(state, "instrument", instrument_row(instrument(BTC, active=False)))
    decided = decide(state, prices, first)
    assert [refused.code for refused in decided.refused] == ["INSTRUMENT_INACTIVE"]
    assert [(leg.symbol, leg.proposal.qty_lots) for leg in decided.legs] == [(ETH, 500)]
    # Too small to be sold at all.
    assert trims(decide(two(49, 3_000), prices, first)) == [(ETH, 549)]
    # In doubt.
    doubt = {"troubles": {BTC: ("DATA_IMPOSSIBLE bar_ms=1 why=X",)}}
    assert trims(decide(two(1_500, 1_500), prices, first, seen=doubt)) == [(ETH, 500)]


def test_two_give_way_to_loss_one_after_the_other() -> None:
    """Without a stop all is at risk: 300 of 1,000 against a cap of 50."""
    limits: dict[str, Any] = {"exposure_ppm_max": 1_000_000, "loss_ppm_max": 50_000}
    decided = decide(two(1_000, 2_000), {BTC: 10_000, ETH: 10_000}, **limits)
    assert trims(decided) == [(ETH, 2_000), (BTC, 500)]


def test_one_lot_on_its_way_out_is_reason_enough_to_wait() -> None:
    state = two(3_000, 1_000)
    sell = order_row("c" * 32, side="sell", qty_lots=1, signal_ms=0, stop_ticks=0)
    sent(state, sell, outcome="unknown")
    assert trims(decide(state, {BTC: 10_000, ETH: 10_000})) == [(ETH, 1_000)]


def test_who_risks_nothing_does_not_give_way_to_risk() -> None:
    state = account()
    hold(state, BTC, 1_000, "one", stop_ticks=10_500)
    hold(state, ETH, 1_000, "two", stop_ticks=0)
    specs = (strategy("one", BTC, priority=900), strategy("two", ETH))
    limits: dict[str, Any] = {"exposure_ppm_max": 1_000_000, "loss_ppm_max": 50_000}
    # 110 of 1,010 are held in BTC behind a stop at 105; ETH has 100 at risk, the cap is 50.5.
    decided = decide(state, {BTC: 11_000, ETH: 10_000}, specs, **limits)
    assert trims(decided) == [(ETH, 495)]


def test_three_give_way_in_turn() -> None:
    xrp = "XRP/USDT"
    state = account(1_000 * UNIT, instrument(BTC), instrument(ETH), instrument(xrp))
    for symbol, name in ((BTC, "one"), (ETH, "two"), (xrp, "six")):
        hold(state, symbol, 1_000, name, stop_ticks=0)
    specs = tuple(
        strategy(name, symbol, priority=number)
        for number, (name, symbol) in enumerate((("one", BTC), ("two", ETH), ("six", xrp)))
    )
    prices = {BTC: 10_000, ETH: 10_000, xrp: 10_000}
    decided = decide(state, prices, specs, exposure_ppm_max=50_000)
    assert trims(decided) == [(xrp, 1_000), (ETH, 1_000), (BTC, 500)]


def test_caps_are_rounded_down_and_the_hysteresis_up() -> None:
    # Of 1,000 USDT less two units a quarter is 24,999,999,999.5 units: one more is too much, so
    # that 501 lots go and not 500.
    for exposure, loss in ((250_000, 2_000_000), (1_000_000, 250_000)):
        state = account(1_000 * UNIT - 2)
        hold(state, BTC, 3_000, "one", stop_ticks=0)
        asked: dict[str, Any] = {"exposure_ppm_max": exposure, "loss_ppm_max": loss}
        assert trims(decide(state, {BTC: 10_000}, **asked)) == [(BTC, 501)]
    # A cap of 25,007,692,307 and 30 % of it are 32,509,999,999.1: 325.1 USDT are not above that.
    state = account(100_030_769_228)
    hold(state, BTC, 3_251, "one", stop_ticks=0)
    assert trims(decide(state, {BTC: 10_000}, trim_from_ppm=300_000)) == []
    assert trims(decide(state, {BTC: 10_000}, trim_from_ppm=299_999)) == [(BTC, 751)]


def test_what_does_not_fit_is_said_and_trims_nothing() -> None:
    state = two(3_000, 0)
    huge = {"price_ticks": 10**15, "qty_lots": 4_000_000, "signal_ms": 9}
    sent(state, order_row("d" * 32, symbol=ETH, strategy="two", **huge), outcome="unknown")
    decided = decide(state, {BTC: 10_000, ETH: 10_000})
    assert decided.legs == ()
    assert [row.answer for row in decided.trail if row.symbol == "*"] == ["AMOUNT_OVERFLOW"]


def test_data_in_doubt_trims_nothing_and_counts_what_was_paid() -> None:
    state = two(1_200, 1_200)
    doubt = {"troubles": {BTC: ("DATA_IMPOSSIBLE bar_ms=1 why=X",)}}
    # 1,200 lots at 1,000 times their price would be everything; they count with 120.
    decided = decide(state, {BTC: 10_000_000, ETH: 10_000}, seen=doubt)
    assert decided.legs == ()


@settings(deadline=None)
@given(
    st.integers(50, 4_000),
    st.integers(50, 4_000),
    st.integers(5_000, 20_000),
    st.integers(10_000, 400_000),
    st.sampled_from([1, 50_000, 200_000]),
)
def test_after_a_trim_exposure_is_within_its_cap_and_no_more_was_sold_than_needed(
    btc: int, eth: int, price: int, cap_ppm: int, from_ppm: int
) -> None:
    state = account(10_000 * UNIT)
    hold(state, BTC, btc, "one", stop_ticks=0)
    hold(state, ETH, eth, "two", stop_ticks=0)
    prices = {BTC: price, ETH: 10_000}
    limits: dict[str, Any] = {"exposure_ppm_max": cap_ppm // 20, "trim_from_ppm": from_ppm}
    decided = decide(state, prices, **limits)
    sold = dict(trims(decided))
    assert sold.get(BTC, 0) <= btc
    assert sold.get(ETH, 0) <= eth
    equity = state.cash_units + (btc * price + eth * 10_000) * 1_000
    cap = equity * (cap_ppm // 20) // 10**6
    before = (btc * price + eth * 10_000) * 1_000
    after = before - sum(lots * prices[symbol] * 1_000 for symbol, lots in sold.items())
    unsellable = sum(
        held * prices[s] * 1_000
        for s, held in ((BTC, btc), (ETH, eth))
        if held * prices[s] < 500_000
    )
    if before <= cap + cap * from_ppm // 10**6:
        assert not sold
    elif before > cap + cap * from_ppm // 10**6 + 1:
        assert after <= cap + unsellable
        # Of each sale no more than a smallest order, and its rest, beyond what was needed.
        assert after >= cap - len(sold) * 2 * (5 * UNIT + max(prices.values()) * 1_000)


def test_a_trim_is_written_down_with_its_numbers() -> None:
    decided = decide(two(3_000, 0), {BTC: 10_000})
    row = next(row for row in decided.trail if row.asked.get("reason") == "trim")
    assert row.seen["exposure_units"] == 300 * UNIT
    assert row.seen["exposure_units_max"] == 250 * UNIT
    assert plan_payload(decided)["legs"][0]["reason"] == "trim"
