"""The account as a decision sees it, worked by hand: every sum, and who is counted in it.

100 lots at 10,000 ticks are 10 USDT; an entry at 10,000 ticks costs 10.01 with its fee of 0.1 %.
"""

from __future__ import annotations

from typing import Any

import pytest

from trader.core.account_view import AccountView
from trader.core.approval import Proposal
from trader.core.fold import fold
from trader.core.state import State
from trader.core.totals import Sum, Totals, ordered_at_risk
from trader.domain.order import Side, TimeInForce

from .made import (
    BAR_MS,
    BTC,
    ETH,
    NOW_MS,
    UNIT,
    account,
    fill_row,
    hold,
    instrument,
    order_row,
    sent,
)

TEN, FEE = 10 * UNIT, UNIT // 100


def leg(side: Side = Side.BUY, symbol: str = BTC, lots: int = 100, name: str = "one") -> Proposal:
    """A leg of the plan in hand."""
    ioc = TimeInForce.IOC
    return Proposal(name, symbol, side, ioc, BAR_MS, 0, 0, 10_000, lots, 9_000, 1, "x")


def entry(state: State, client: str, symbol: str = BTC, filled: int = 0, **row: Any) -> None:
    """An entry of 100 lots under way, of which so many are filled."""
    client_id = client * 32
    sent(state, order_row(client_id, symbol=symbol, qty_lots=100, **row))
    if filled:
        cost = filled * 10_000 * 1_000
        booked = {"symbol": symbol, "qty_lots": filled, "cost_units": cost}
        fold(state, "fill", fill_row(client_id, f"t{client}", **booked))


def totals(view: AccountView, now_ms: int = NOW_MS) -> Totals:
    """Without slippage of the exit."""
    return Totals(view, lambda symbol: f"tier of {symbol}", 0, now_ms)


def test_equity_is_cash_and_what_is_held_at_its_mark() -> None:
    state = account()
    hold(state, BTC, lots=100)
    assert AccountView(state, {BTC: 12_000}).equity_units() == 1_000 * UNIT - TEN + 12 * UNIT
    # No close is known: at what was paid.
    assert AccountView(state, {}).equity_units() == 1_000 * UNIT
    assert AccountView(state, {BTC: 1}).mark_ticks(BTC) == 1


def test_the_books_results_are_their_cash_and_coins() -> None:
    state = account()
    hold(state, BTC, lots=100, name="one")
    hold(state, ETH, lots=200, name="two")
    view = AccountView(state, {BTC: 12_000, ETH: 9_000})
    assert view.book_results() == {"one": 2 * UNIT, "two": -2 * UNIT}


def test_cash_is_reserved_for_what_may_still_fill_and_for_the_plan() -> None:
    state = account()
    entry(state, "a", filled=40)
    view = AccountView(state, {BTC: 10_000})
    spent, rest = 4 * UNIT, 6 * UNIT + 6 * FEE // 10
    assert view.free_cash_units() == 1_000 * UNIT - spent - rest
    view.add(leg(symbol=ETH, lots=200))
    assert view.free_cash_units() == 1_000 * UNIT - spent - rest - 2 * (TEN + FEE)
    view.add(leg(Side.SELL))
    assert view.free_cash_units() == 1_000 * UNIT - spent - rest - 2 * (TEN + FEE)


def test_a_sell_under_way_reserves_no_cash_and_is_no_exposure() -> None:
    state = account()
    hold(state, BTC, lots=100)
    sent(state, order_row("b" * 32, side="sell", qty_lots=60, signal_ms=0))
    view = AccountView(state, {BTC: 12_000})
    assert view.free_cash_units() == 1_000 * UNIT - TEN
    assert view.exposure_units(BTC) == 12 * UNIT
    assert (view.sells_in_flight_lots(BTC), view.leaving(BTC)) == (60, True)
    assert view.entries_in_flight(BTC) == 0


def test_the_exposure_of_an_instrument_is_what_is_held_and_what_may_still_be_bought() -> None:
    state = account()
    hold(state, BTC, lots=100)
    entry(state, "a", filled=40)
    view = AccountView(state, {BTC: 20_000})
    assert view.exposure_units(BTC) == 28 * UNIT + 6 * UNIT + 6 * FEE // 10
    assert view.exposure_units(ETH) == 0
    assert view.held_lots(BTC) == 140
    assert view.held_lots(ETH) == 0


def test_a_protective_stop_is_no_sell_that_others_must_wait_for() -> None:
    state = account()
    hold(state, BTC, lots=100)
    stop = {"tif": "gtc", "order_type": "stop_limit", "trigger_ticks": 9_000, "signal_ms": 0}
    sent(state, order_row("c" * 32, side="sell", qty_lots=100, price_ticks=8_900, **stop))
    view = AccountView(state, {BTC: 10_000})
    assert (view.sells_in_flight_lots(BTC), view.leaving(BTC)) == (0, False)
    view.add(leg(Side.SELL, lots=1))
    assert view.leaving(BTC)


def test_a_leg_that_buys_leaves_nothing() -> None:
    view = AccountView(account(), {})
    view.add(leg())
    assert not view.leaving(BTC)
    assert view.entries_in_flight(BTC) == 1


def test_entries_under_way_and_of_the_plan_are_counted_one_by_one() -> None:
    state = account()
    entry(state, "a")
    sent(state, order_row("b" * 32, leg=1, qty_lots=10), outcome="unknown")
    view = AccountView(state, {})
    assert (view.entries_in_flight(BTC), view.unresolved(BTC)) == (2, 1)
    view.add(leg())
    view.add(leg(Side.SELL))
    assert view.entries_in_flight(BTC) == 3
    assert [one.side for one in view.legs_on(BTC)] == [Side.BUY, Side.SELL]


def test_an_order_that_is_asked_about_does_not_count_beside_itself() -> None:
    state = account()
    entry(state, "a")
    view = AccountView(state, {}, without="a" * 32)
    assert (view.entries_in_flight(BTC), view.busy_symbols(ETH)) == (0, 0)
    assert view.free_cash_units() == 1_000 * UNIT


def test_busy_are_instruments_held_being_bought_or_planned_besides_one() -> None:
    third = instrument("LTC/USDT")
    state = account(1_000 * UNIT, instrument(BTC), instrument(ETH), third)
    hold(state, BTC, lots=100)
    entry(state, "a", ETH)
    view = AccountView(state, {})
    assert (view.busy_symbols("LTC/USDT"), view.busy_symbols(BTC)) == (2, 1)
    view.add(leg(symbol="LTC/USDT"))
    assert (view.busy_symbols("LTC/USDT"), view.busy_symbols(BTC)) == (2, 2)
    assert view.open_symbols() == [BTC]


def test_the_owner_is_who_holds_else_who_ordered_else_who_plans() -> None:
    state = account()
    view = AccountView(state, {})
    assert view.owner(BTC) == ""
    view.add(leg(name="three"))
    assert view.owner(BTC) == "three"
    entry(state, "a", strategy="two")
    ordered = AccountView(state, {})
    ordered.add(leg(name="three"))
    assert ordered.owner(BTC) == "two"
    hold(state, ETH, lots=100, name="one")
    assert AccountView(state, {}).owner(ETH) == "one"


def test_what_may_still_fill_is_at_risk_to_its_stop() -> None:
    state = account()
    entry(state, "a", filled=40, stop_ticks=9_000)
    sent(state, order_row("b" * 32, symbol=ETH, side="buy", qty_lots=100, stop_ticks=0))
    rows = list(ordered_at_risk(AccountView(state, {}), 0))
    # 6 USDT and fee; 60 lots at 90 bring 5.4 less 0.0054. Without a stop all that it costs.
    cost = 6 * UNIT + 6 * FEE // 10
    assert rows == [
        ("one", BTC, cost, cost - 540_000_000 + 540_000),
        ("one", ETH, TEN + FEE, TEN + FEE),
    ]


def test_a_sell_is_not_at_risk() -> None:
    state = account()
    hold(state, BTC, lots=100)
    sent(state, order_row("b" * 32, side="sell", qty_lots=60, signal_ms=0))
    assert list(ordered_at_risk(AccountView(state, {}), 0)) == []
    assert totals(AccountView(state, {BTC: 10_000})).pending_units == 0


def test_sums_are_by_strategy_tier_instrument_and_coin() -> None:
    state = account()
    hold(state, BTC, lots=100, name="one")
    entry(state, "a", ETH, strategy="two")
    found = totals(AccountView(state, {BTC: 10_000}))
    assert found.all.exposure_units == 2 * TEN + FEE
    assert found.pending_units == TEN + FEE
    assert found.of_strategy("one").exposure_units == TEN
    assert found.of_strategy("two").exposure_units == TEN + FEE
    assert found.of_tier(f"tier of {ETH}").symbols == {ETH}
    assert found.of_coin("BTC").exposure_units == found.symbols[BTC].exposure_units == TEN
    assert found.of_coin("LTC").exposure_units == found.of_tier("none").exposure_units == 0
    assert found.exposure_of([BTC, ETH]) == found.all.exposure_units


def test_the_newest_entry_that_was_asked_about_is_not_mistaken_for_another() -> None:
    found = totals(AccountView(account(), {}))
    assert found.entry(BTC, 10_000, 100, 0) == (TEN + FEE, TEN + FEE)
    assert found.entry(BTC, 10_000, 200, 0)[0] == 2 * (TEN + FEE)
    assert found.entry(BTC, 20_000, 200, 0)[0] == 4 * (TEN + FEE)
    assert found.entry(ETH, 20_000, 200, 0)[0] == 4 * (TEN + FEE)
    assert found.entry(ETH, 20_000, 200, 19_000)[1] < 4 * (TEN + FEE)


@pytest.mark.parametrize(
    ("known", "asked", "count"), [((), "A", 1), (("A",), "A", 1), (("A",), "B", 2)]
)
def test_a_position_more_is_counted_once(known: tuple[str, ...], asked: str, count: int) -> None:
    found = Sum()
    for name in known:
        found.add(name, 1, 1)
    assert found.positions_with(asked) == count
