"""Books of strategies: what a fill, a plan and a human mean for them, and that they sum up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.account_view import AccountView
from trader.core.fold import FoldError, fold
from trader.core.plan import plan, plan_payload
from trader.core.state import State, instrument_row
from trader.domain.order import Side

from .made import (
    BAR_MS,
    BTC,
    ETH,
    UNIT,
    account,
    fill_row,
    hold,
    instrument,
    order_row,
    parameters,
    says,
    sent,
    snapshot,
    strategy,
)
from .test_fold import dump, position, seen

LOT = 100_000  # base units


def order(state: State, number: int, name: str, side: str, lots: int, **row: Any) -> str:
    """An order that is at the venue."""
    client_id = f"{number:032d}"
    asked = {"strategy": name, "side": side, "qty_lots": lots, **row}
    sent(state, order_row(client_id, **asked))
    return client_id


def trade(state: State, number: int, name: str, side: str, lots: int, **fill: Any) -> None:
    """An order that is filled whole at 10,000 ticks."""
    symbol = str(fill.get("symbol", BTC))
    client_id = order(state, number, name, side, lots, symbol=symbol)
    cost = {"side": side, "qty_lots": lots, "cost_units": lots * UNIT // 10}
    fold(state, "fill", fill_row(client_id, str(number), **{**cost, **fill}))


def held(state: State, name: str, symbol: str = BTC) -> tuple[int, int]:
    """(base units, cost) of a strategy's holding."""
    row = state.row("holdings", f"{name}|{symbol}")
    assert row is not None
    return int(row["qty_units"]), int(row["cost_units"])


def book(state: State, name: str = "one") -> dict[str, Any]:
    row = state.row("books", name)
    assert row is not None
    return dict(row)


def sums(state: State) -> dict[str, int]:
    """What every state of the books must give: zeros."""
    found = {
        "cash": state.cash_units
        - state.number("capital_units")
        - sum(b.cash_units for b in state.books.values()),
        "realised": sum(p.realised_units for p in state.positions.values())
        - sum(b.realised_units for b in state.books.values()),
        "fees": sum(p.fees_units for p in state.positions.values())
        - sum(b.fees_units for b in state.books.values()),
    }
    for symbol, one in state.positions.items():
        parts = [h for h in state.holdings.values() if h.symbol == symbol]
        found[symbol] = one.qty_units - sum(h.qty_units for h in parts)
        found[f"{symbol} cost"] = one.cost_units - sum(h.cost_units for h in parts)
        owned = state.held_units(one.strategy, symbol) if one.strategy else 0
        found[f"{symbol} own"] = one.own_units - owned
    return found


def holds(state: State) -> bool:
    return not any(sums(state).values())


def test_a_round_trip_in_a_strategys_book_by_hand() -> None:
    state = account()
    trade(state, 1, "one", "buy", 100, fee_cash_units=UNIT // 100)
    assert book(state)["cash_units"] == -10 * UNIT - UNIT // 100
    assert held(state, "one") == (100 * LOT, 10 * UNIT + UNIT // 100)
    trade(state, 2, "one", "sell", 100, cost_units=12 * UNIT, fee_cash_units=UNIT // 50)
    row = book(state)
    result = 2 * UNIT - UNIT // 100 - UNIT // 50
    assert (row["cash_units"], row["realised_units"], row["fills"]) == (result, result, 2)
    assert row["fees_units"] == UNIT // 100 + UNIT // 50
    assert held(state, "one") == (0, 0)
    assert holds(state)


def test_dust_stays_with_who_left_it_and_is_sold_by_nobody_else() -> None:
    state = account()
    trade(state, 1, "one", "buy", 100, fee_base_units=60_000)  # 0.6 lots
    trade(state, 2, "one", "sell", 99)
    assert held(state, "one")[0] == LOT - 60_000
    trade(state, 3, "two", "buy", 100, fee_base_units=40_000)
    one = state.positions[BTC]
    assert (one.strategy, one.own_units, one.qty_units) == ("two", 9_960_000, 10_000_000)
    # Together 100 lots are held, of which 99 are the second strategy's.
    assert AccountView(state, {}).held_lots(BTC) == 99
    order(state, 4, "two", "sell", 100)
    with pytest.raises(FoldError, match="sold 10000000 of 9960000 held"):
        fold(state, "fill", fill_row(f"{4:032d}", "4", side="sell", cost_units=10 * UNIT))
    sold = {"qty_lots": 99, "cost_units": 99 * UNIT // 10}
    fold(state, "fill", fill_row(f"{4:032d}", "4", side="sell", **sold))
    assert (held(state, "one")[0], held(state, "two")[0]) == (40_000, 60_000)
    assert (position(state)["strategy"], position(state)["own_units"]) == ("", 0)
    assert holds(state)


def test_who_comes_back_finds_its_own_dust() -> None:
    state = account()
    trade(state, 1, "one", "buy", 100, fee_base_units=60_000)
    trade(state, 2, "one", "sell", 99)
    trade(state, 3, "one", "buy", 100, fee_base_units=40_000)
    assert position(state)["own_units"] == 100 * LOT
    assert AccountView(state, {}).held_lots(BTC) == 100


def test_the_first_part_of_a_fill_opens_the_position_for_good() -> None:
    """The smallest order is 2 lots: after the first lot there is not yet enough to sell."""
    state = account()
    client_id = order(state, 1, "one", "buy", 100)
    fold(state, "fill", fill_row(client_id, "1", qty_lots=1, cost_units=UNIT // 10, at_ms=BAR_MS))
    rest = {"qty_lots": 99, "price_ticks": 10_100, "cost_units": 999_900_000}
    fold(state, "fill", fill_row(client_id, "2", at_ms=BAR_MS + 9, **rest))
    row = position(state)
    assert row["opened_ms"] == BAR_MS
    # 0.10 + 9.999 for 100 lots: 10,099 ticks.
    assert (row["bought_lots"], row["entry_ticks"]) == (100, 10_099)


def test_a_part_that_is_too_little_to_sell_opens_nothing_for_the_next_entry() -> None:
    state = account()
    client_id = order(state, 1, "one", "buy", 100)
    fold(state, "fill", fill_row(client_id, "1", qty_lots=1, cost_units=UNIT // 10))
    fold(state, "order_seen", seen(client_id, "expired"))
    second = order(state, 2, "one", "buy", 100, stop_ticks=9_500)
    fold(state, "fill", fill_row(second, "2", at_ms=BAR_MS + 9, cost_units=10 * UNIT))
    row = position(state)
    assert (row["opened_ms"], row["stop_ticks"], row["own_units"]) == (BAR_MS + 9, 9_500, 101 * LOT)


# --- adding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stop", "left"), [(9_800, 9_900), (9_950, 9_950), (0, 9_900)])
def test_adding_never_lowers_the_stop_and_averages_the_entry(stop: int, left: int) -> None:
    state = account()
    hold(state, stop_ticks=9_900, target_ticks=11_000)
    more = {"stop_ticks": stop, "target_ticks": 12_000, "trail_ticks": 300, "hold_ms": 60_000}
    client_id = order(state, 1, "one", "buy", 300, **more)
    cost = {"qty_lots": 300, "price_ticks": 10_400, "cost_units": 3_120_000_000}
    fold(state, "fill", fill_row(client_id, "1", at_ms=BAR_MS + 60_000, **cost))
    row = position(state)
    assert (row["stop_ticks"], row["target_ticks"]) == (left, 11_000)
    assert (row["trail_ticks"], row["hold_ms"]) == (300, 60_000)
    assert (row["entry_ticks"], row["opened_ms"]) == (10_300, BAR_MS)


@pytest.mark.parametrize(
    ("own", "limit", "answer"),
    [(True, True, "approved"), (True, False, "ALREADY_HELD"), (False, True, "ALREADY_HELD")],
)
def test_adding_needs_both_flags(own: bool, limit: bool, answer: str) -> None:
    state = account()
    hold(state)
    policy = parameters(strategy(pyramiding=own), pyramiding=limit)
    assert [row.answer for row in plan(snapshot(state, policy)).trail] == ["HOLD", answer]


@pytest.mark.parametrize("outcome", ["", "accepted", "unknown"])
def test_nothing_is_added_to_what_is_being_sold(outcome: str) -> None:
    policy = parameters(strategy(pyramiding=True), pyramiding=True)
    state = account()
    hold(state)
    if outcome:
        sell = order_row("s" * 32, side="sell", qty_lots=10, signal_ms=0, price_ticks=10_100)
        sent(state, sell, outcome=outcome)
        codes = {"one": says()}
    else:
        codes = {"one": says(leave=1)}
    decided = plan(snapshot(state, policy, strategies=codes))
    assert all(leg.proposal.side is Side.SELL for leg in decided.legs)
    assert decided.trail[-1].answer in {"ALREADY_HELD", "OUTCOME_UNKNOWN", "SELF_CROSS"}


def test_an_added_signal_is_consumed_like_any_other() -> None:
    state = account()
    hold(state, signal_ms=BAR_MS)
    policy = parameters(strategy(pyramiding=True), pyramiding=True)
    assert plan(snapshot(state, policy)).trail[1].answer == "SIGNAL_USED"


# --- a fill that is told after ownership has passed ---------------------------------------------


def late() -> State:
    """Strategy `late` bought 50 lots that nobody knew of while `one` came to hold 100."""
    state = account()
    client_id = order(state, 1, "late", "buy", 50)
    fold(state, "order_seen", seen(client_id, "expired"))
    hold(state, stop_ticks=9_700)
    fold(state, "fill", fill_row(client_id, "1", qty_lots=50, cost_units=6 * UNIT))
    return state


def test_a_late_fill_is_booked_to_who_asked_for_it_and_not_sold_by_the_owner() -> None:
    state = late()
    row = position(state)
    assert (row["strategy"], row["own_units"], row["qty_units"]) == ("one", 100 * LOT, 150 * LOT)
    assert (row["entry_ticks"], held(state, "late")) == (10_000, (50 * LOT, 6 * UNIT))
    assert AccountView(state, {}).held_lots(BTC) == 100
    assert holds(state)


def test_it_becomes_a_position_with_the_stop_that_was_there_when_the_owner_leaves() -> None:
    state = late()
    trade(state, 2, "one", "sell", 100, at_ms=BAR_MS + 7)
    row = position(state)
    assert (row["strategy"], row["own_units"], row["stop_ticks"]) == ("late", 50 * LOT, 9_700)
    # 6 USDT for 50 lots are 12,000 ticks a lot.
    assert (row["entry_ticks"], row["opened_ms"]) == (12_000, BAR_MS + 7)
    assert holds(state)


def test_a_late_sale_of_another_leaves_the_owners_coins_alone() -> None:
    state = late()
    trade(state, 2, "late", "sell", 50)
    row = position(state)
    assert (row["strategy"], row["own_units"], row["qty_units"]) == ("one", 100 * LOT, 100 * LOT)
    assert holds(state)


# --- results -----------------------------------------------------------------------------------


def test_results_are_marked_high_and_fallen_from() -> None:
    state = account()
    told = (5, 9, 2, 8, -4, 30, 20)
    for number, units in enumerate(told):
        fold(state, "plan", {"bar_ms": number, "legs": [], "results": {"one": units}})
    row = book(state)
    assert (row["result_units"], row["high_units"], row["drawdown_units"]) == (20, 30, 13)


def test_a_loss_from_the_start_is_a_draw_down_from_nothing() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": 1, "legs": [], "results": {"one": -7}})
    assert (book(state)["high_units"], book(state)["drawdown_units"]) == (0, 7)


def test_a_plan_tells_results_that_changed_and_only_those() -> None:
    state = account()
    hold(state)  # 100 lots for 10 USDT, now at 100.00: a result of nothing
    hold(state, ETH, name="two")
    series = snapshot(state).series
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}))
    assert decided.results == {}
    assert "results" not in plan_payload(decided)
    changed = {**series, (ETH, "1m"): snapshot_bars(10_200)}
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}, series=changed))
    assert plan_payload(decided)["results"] == {"two": UNIT // 5}


def snapshot_bars(close: int) -> Any:
    from .made import bars

    return bars([close, close], ETH)


def test_results_count_cash_and_every_holding_at_its_mark() -> None:
    state = late()
    view = AccountView(state, {BTC: 20_000})
    # 100 lots bought for 10 are worth 20; 50 bought for 6 are worth 10.
    assert view.book_results() == {"late": 4 * UNIT, "one": 10 * UNIT}
    assert sum(view.book_results().values()) == view.equity_units() - 1_000 * UNIT


# --- strategies whose code fails ----------------------------------------------------------------

FAILED = "STRATEGY_FAILED in=signals error=ValueError"


def failing(state: State, **changed: Any) -> Any:
    policy = parameters(strategy("bad", BTC, ETH), strategy("one", ETH))
    codes = {"bad": says(stop="x"), "one": says()}  # type: ignore[arg-type] # a user's mistake
    return plan(snapshot(state, policy, strategies=codes, **changed))


def test_code_that_fails_is_asked_no_more_and_the_others_go_on() -> None:
    state = account()
    decided = failing(state)
    answers = [(row.strategy, row.answer) for row in decided.trail]
    assert answers == [
        ("bad", FAILED),
        ("bad", f"STRATEGY_OFF why={FAILED}"),
        ("one", "approved"),
    ]
    payload = plan_payload(decided)
    assert payload["off"] == [["bad", FAILED]]
    fold(state, "plan", payload)
    assert book(state, "bad")["off_why"] == FAILED
    after = failing(state, bar_ms=BAR_MS)
    assert [row.answer for row in after.trail][:2] == [f"STRATEGY_OFF why={FAILED}"] * 2
    assert "off" not in plan_payload(after)


def test_code_that_ran_out_of_time_is_off_as_well() -> None:
    trouble = "STRATEGY_FAILED why=timeout limit_ms=500"
    decided = plan(snapshot(account(), strategy_troubles={"one": trouble}))
    assert plan_payload(decided)["off"] == [["one", trouble]]
    assert decided.trail[0].answer == trouble


def test_a_named_human_lets_it_be_asked_again() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": 1, "legs": [], "off": [["one", FAILED]]})
    resumed = {"strategy": "one", "by": "kim", "why": "mended", "at_ms": 2}
    fold(state, "strategy_resumed", resumed)
    assert book(state)["off_why"] == ""
    assert [row.answer for row in plan(snapshot(state)).trail] == ["approved"]
    with pytest.raises(FoldError, match="strategy one is not off"):
        fold(state, "strategy_resumed", resumed)
    with pytest.raises(FoldError, match="strategy two is not off"):
        fold(state, "strategy_resumed", {**resumed, "strategy": "two"})


# --- ratchets ------------------------------------------------------------------------------------


def ratchet(stops: dict[str, int]) -> dict[str, Any]:
    return {"bar_ms": BAR_MS, "legs": [], "stops": stops}


def test_a_ratchet_moves_the_stop_up() -> None:
    state = account()
    hold(state, stop_ticks=9_900)
    fold(state, "plan", ratchet({BTC: 9_901}))
    assert (position(state)["stop_ticks"], position(state)["trailed"]) == (9_901, 1)
    assert ("positions", BTC) in state.dirty


@pytest.mark.parametrize("stops", [{BTC: 9_900}, {BTC: 9_899}, {ETH: 10_000}, {"X/USDT": 1}])
def test_a_stop_that_is_loosened_or_of_no_position_is_refused(stops: dict[str, int]) -> None:
    state = account()
    hold(state, stop_ticks=9_900)
    hold(state, ETH)
    trade(state, 1, "one", "sell", 100, symbol=ETH)
    before = dump(state)
    with pytest.raises(FoldError, match="ratchets nothing"):
        fold(state, "plan", ratchet(stops))
    assert dump(state) == before


def test_a_position_that_closes_and_opens_again_starts_without_the_old_exits() -> None:
    state = account()
    hold(state, target_ticks=11_000, trail_ticks=100, hold_ms=60_000)
    fold(state, "plan", ratchet({BTC: 9_950}))
    trade(state, 1, "one", "sell", 100)
    names = ("stop_ticks", "trailed", "target_ticks", "trail_ticks", "hold_ms", "bought_units")
    assert [position(state)[name] for name in names] == [0] * len(names)
    trade(state, 2, "two", "buy", 100)
    assert [position(state)[name] for name in names[:3]] == [9_900, 0, 0]


# --- order of who is asked -----------------------------------------------------------------------


def test_priority_then_declared_order() -> None:
    policy = parameters(
        strategy("late", priority=9),
        strategy("first", priority=1),
        strategy("second", priority=1),
    )
    answers = [(row.strategy, row.answer) for row in plan(snapshot(account(), policy)).trail]
    assert answers == [
        ("first", "approved"),
        ("second", "OWNED_BY_OTHER owner=first"),
        ("late", "OWNED_BY_OTHER owner=first"),
    ]


def test_a_shadow_decides_and_sends_nothing_and_keeps_nobody_out() -> None:
    policy = parameters(strategy("watcher", shadow=True, priority=1), strategy("one"))
    decided = plan(snapshot(account(), policy))
    assert [row.answer for row in decided.trail] == ["STRATEGY_SHADOW", "approved"]
    assert plan_payload(decided)["refused"][0][:4] == ["watcher", BTC, "buy", "STRATEGY_SHADOW"]


# --- laws --------------------------------------------------------------------------------------

TRADES = st.lists(
    st.tuples(
        st.sampled_from([BTC, ETH]),
        st.sampled_from(["one", "two", "three"]),
        st.booleans(),  # buy or sell
        st.integers(1, 300),  # lots
        st.integers(1, 30_000),  # price
        st.integers(0, 2_000),  # fee, ppm
        st.booleans(),  # fee in the coin (buys)
    ),
    max_size=30,
)


@given(TRADES)
def test_books_sum_to_the_account_whatever_is_traded(trades: list[Any]) -> None:
    state = account(10**16)
    flows: dict[str, int] = {}
    for number, (symbol, name, buy, lots, price, ppm, in_coin) in enumerate(trades):
        mine = state.held_units(name, symbol) // LOT
        wanted = lots if buy else min(lots, mine)
        if wanted == 0:
            continue
        cost = price * wanted * 1_000
        fee = cost * ppm // 10**6
        coin_fee = wanted * LOT * ppm // 10**6 if buy and in_coin else 0
        fees = {"fee_cash_units": 0 if coin_fee else fee, "fee_base_units": coin_fee}
        side = "buy" if buy else "sell"
        trade(state, number, name, side, wanted, symbol=symbol, cost_units=cost, **fees)
        flow = (-cost if buy else cost) - fees["fee_cash_units"]
        flows[name] = flows.get(name, 0) + flow
        assert holds(state)
    assert {name: b.cash_units for name, b in state.books.items()} == flows
    assert all(h.qty_units >= 0 and h.cost_units >= 0 for h in state.holdings.values())
    assert all(h.cost_units == 0 for h in state.holdings.values() if h.qty_units == 0)


@pytest.mark.parametrize("lot", ["0.0001", "0.01"])
def test_books_sum_still_when_the_venue_changes_its_lot(lot: str) -> None:
    state = late()
    trade(state, 2, "late", "sell", 49)
    fold(state, "instrument", instrument_row(instrument(lot=lot, tick="0.1")))
    assert holds(state)
    assert position(state)["qty_units"] == state.positions[BTC].own_units + held(state, "late")[0]


def test_a_coarser_tick_counts_every_exit_anew() -> None:
    state = account()
    hold(state, stop_ticks=9_900, target_ticks=10_501, trail_ticks=51)
    fold(state, "instrument", instrument_row(instrument(tick="0.1")))
    row = position(state)
    names = ("entry_ticks", "stop_ticks", "target_ticks", "trail_ticks", "bought_lots")
    assert [row[name] for name in names] == [1_000, 990, 1_051, 6, 100]
