"""The fold: books worked by hand, contradictions refused with the state left as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.canonical import canonical
from trader.core.fold import FoldError, fold
from trader.core.state import PROJECTIONS, State, instrument_row
from trader.domain.order import IllegalTransition, OrderState

from .made import BAR_MS, BTC, ETH, UNIT, account, fill_row, hold, instrument, order_row, sent

ID = "a" * 32


def dump(state: State) -> str:
    """Every projection of a state as one text."""
    tables: dict[str, Any] = {}
    for table in PROJECTIONS:
        held = getattr(state, table)
        tables[table] = [state.row(table, key) for key in sorted(held)]
    return canonical(tables)


def copy(state: State) -> State:
    """The same state put together again from its rows, as the journal does."""
    again = State()
    for table in PROJECTIONS:
        for key in getattr(state, table):
            row = state.row(table, key)
            assert row is not None
            again.load_row(table, row)
    return again


def position(state: State, symbol: str = BTC) -> dict[str, Any]:
    return state.positions[symbol].row()


def seen(client_id: str, to: str, lots: int = 0, **changed: Any) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "at_ms": BAR_MS,
        "state": to,
        "venue_lots": lots,
        "venue_id": "77",
        "source": "order",
        **changed,
    }


# --- the kinds ---------------------------------------------------------------------------------


def test_the_genesis_names_the_books_and_their_capital() -> None:
    state = account(123)
    assert (state.word("account"), state.word("mode"), state.word("prefix")) == (
        "main",
        "paper",
        "abcdef",
    )
    assert state.cash_units == state.number("capital_units") == 123


def test_a_policy_names_its_strategies_in_order() -> None:
    state = account()
    fold(state, "policy", {"sha": "p", "source_sha": "s", "strategies": {"z": "1", "b": "2"}})
    assert (state.word("policy"), state.word("strategies")) == ("p", "b=2,z=1")


def test_a_cycle_is_counted() -> None:
    state = account()
    fold(state, "cycle_start", {"cycle": 7})
    assert state.number("cycles") == 7


@pytest.mark.parametrize("kind", ["bars", "snapshot", "step", "quote", "mismatch", "cycle_end"])
def test_kinds_that_say_nothing_of_the_account_change_nothing(kind: str) -> None:
    state = account()
    state.dirty.clear()
    before = dump(state)
    fold(state, kind, {"anything": 1})
    assert dump(state) == before
    assert not state.dirty


def test_a_plan_brings_its_legs_and_drops_what_is_settled() -> None:
    state = account()
    done, open_, planned = "d" * 32, "e" * 32, "f" * 32
    sent(state, order_row(done, leg=1), outcome="rejected")
    sent(state, order_row(open_))
    fold(state, "order_planned", order_row(planned))
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": [order_row(ID, bar_ms=BAR_MS)]})
    assert sorted(state.orders) == [ID, open_, planned]
    assert state.orders[ID].state is OrderState.PLANNED
    assert state.number("last_bar_ms") == BAR_MS


def test_an_order_that_told_of_fills_not_booked_yet_outlives_the_next_plan() -> None:
    state = account()
    sent(state, order_row())
    fold(state, "order_seen", seen(ID, "expired", 40))
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": []})
    assert state.orders[ID].working
    fold(state, "fill", fill_row(qty_lots=40, cost_units=4 * UNIT))
    fold(state, "plan", {"bar_ms": BAR_MS + 60_000, "legs": []})
    assert not state.orders


@pytest.mark.parametrize(
    ("outcome", "after"),
    [
        ("accepted", OrderState.OPEN),
        ("rejected", OrderState.REJECTED),
        ("unknown", OrderState.UNKNOWN),
        ("not_sent", OrderState.NOT_SENT),
    ],
)
def test_an_outcome_moves_the_order(outcome: str, after: OrderState) -> None:
    state = account()
    sent(state, order_row(), outcome=outcome)
    assert state.orders[ID].state is after
    assert state.orders[ID].sent_ms == state.orders[ID].updated_ms == BAR_MS


@pytest.mark.parametrize("to", ["open", "filled", "canceled", "expired", "rejected", "absent"])
def test_what_the_venue_shows_moves_an_unknown_order(to: str) -> None:
    state = account()
    sent(state, order_row(), outcome="unknown")
    fold(state, "order_seen", seen(ID, to, 3))
    order = state.orders[ID]
    assert (str(order.state), order.venue_lots, order.venue_id) == (to, 3, "77")


def test_what_the_venue_claims_to_have_filled_never_shrinks() -> None:
    state = account()
    sent(state, order_row())
    fold(state, "order_seen", seen(ID, "open", 30))
    fold(state, "order_seen", seen(ID, "open", 10))
    assert state.orders[ID].venue_lots == 30


def test_an_intent_is_abandoned_by_name() -> None:
    state = account()
    fold(state, "order_planned", order_row())
    fold(state, "order_abandoned", {"client_id": ID, "at_ms": 5, "why": "older_bar"})
    order = state.orders[ID]
    assert (order.state, order.outcome_code) == (OrderState.ABANDONED, "older_bar")


def test_a_recalled_order_comes_back_once_and_never_over_a_known_one() -> None:
    state = account()
    row = {**order_row(), "state": "expired", "filled_lots": 2, "venue_id": "9"}
    fold(state, "order_recalled", row)
    assert state.orders[ID].state is OrderState.EXPIRED
    fold(state, "order_recalled", {**row, "filled_lots": 50})
    assert state.orders[ID].filled_lots == 2


def test_a_halt_is_only_made_graver_and_a_resume_ends_it() -> None:
    state = account()

    def halt(level: str, why: str) -> None:
        fold(state, "halt", {"level": level, "why": why, "by": "kim", "at_ms": 1})

    halt("reduce_only", "first")
    halt("no_entries", "milder")
    assert (state.word("halt_level"), state.word("halt_why")) == ("reduce_only", "first")
    halt("frozen", "graver")
    assert (state.word("halt_level"), state.word("halt_by")) == ("frozen", "kim")
    fold(state, "resume", {"why": "fine again", "by": "lee", "at_ms": 2})
    assert (state.word("halt_level"), state.word("halt_by")) == ("running", "lee")


# --- books by hand -----------------------------------------------------------------------------


def test_a_buy_with_its_fee_in_cash() -> None:
    state = account()
    sent(state, order_row())
    fold(state, "fill", fill_row(fee_cash_units=UNIT // 100))
    held = position(state)
    assert state.cash_units == 990 * UNIT - UNIT // 100
    assert held["qty_units"] == 10_000_000
    assert held["cost_units"] == 10 * UNIT + UNIT // 100
    assert held["fees_units"] == UNIT // 100
    assert (held["entry_ticks"], held["stop_ticks"], held["strategy"]) == (10_000, 9_900, "one")
    assert held["opened_ms"] == BAR_MS
    assert state.orders[ID].state is OrderState.FILLED
    assert state.consumed == {f"one|{BTC}": BAR_MS - 60_000}


def test_a_buy_with_its_fee_in_the_coin_leaves_dust_when_it_is_sold() -> None:
    state = account()
    sent(state, order_row())
    # 100 lots are 10,000,000 base units; 0.1 % of them is the fee.
    fold(state, "fill", fill_row(fee_base_units=10_000))
    assert state.cash_units == 990 * UNIT
    assert position(state)["qty_units"] == 9_990_000
    sold = order_row("b" * 32, side="sell", qty_lots=99, price_ticks=10_100, signal_ms=0)
    sent(state, sold)
    # 99 lots x 10,100 ticks = 999,900 cells of 1,000 units; fee 0.1 %.
    fold(
        state,
        "fill",
        fill_row(
            "b" * 32,
            "2",
            side="sell",
            qty_lots=99,
            price_ticks=10_100,
            cost_units=999_900_000,
            fee_cash_units=999_900,
        ),
    )
    held = position(state)
    # 9.9 of 9.99 parts of the cost leave: 1e9 x 9,900,000 / 9,990,000, rounded up.
    assert held["realised_units"] == 999_900_000 - 999_900 - 990_990_991
    assert (held["qty_units"], held["cost_units"]) == (90_000, 9_009_009)
    assert (held["strategy"], held["stop_ticks"], held["entry_ticks"]) == ("", 0, 0)
    assert state.cash_units == 990 * UNIT + 999_900_000 - 999_900


def test_a_fee_in_a_third_coin_is_summed_by_asset_and_costs_no_cash() -> None:
    state = account()
    sent(state, order_row())
    for trade, fee in (("1", "0.00012345"), ("2", "0.1")):
        fill = fill_row(trade_id=trade, qty_lots=50, cost_units=5 * UNIT, fee_asset="BNB", fee=fee)
        fold(state, "fill", fill)
    assert state.other_fees == {"BNB": "0.10012345"}
    assert state.cash_units == 990 * UNIT
    assert position(state)["fees_units"] == 0


def test_partial_fills_build_one_average_entry() -> None:
    state = account()
    sent(state, order_row())
    fold(state, "fill", fill_row(qty_lots=30, price_ticks=9_990, cost_units=299_700_000))
    assert state.orders[ID].state is OrderState.OPEN
    assert position(state)["entry_ticks"] == 9_990
    fold(state, "fill", fill_row(trade_id="2", qty_lots=70, cost_units=700_000_000))
    # 999,700,000 / (100 lots x 1,000) = 9,997 ticks
    assert position(state)["entry_ticks"] == 9_997
    order = state.orders[ID]
    assert (order.state, order.filled_lots, order.filled_units) == (
        OrderState.FILLED,
        100,
        999_700_000,
    )


@pytest.mark.parametrize("ended", ["canceled", "expired"])
def test_a_late_fill_of_an_ended_order_is_booked(ended: str) -> None:
    state = account()
    sent(state, order_row())
    fold(state, "order_seen", seen(ID, ended))
    fold(state, "fill", fill_row(qty_lots=40, cost_units=4 * UNIT))
    assert str(state.orders[ID].state) == ended
    fold(state, "fill", fill_row(trade_id="2", qty_lots=60, cost_units=6 * UNIT))
    assert state.orders[ID].state is OrderState.FILLED
    assert position(state)["qty_units"] == 10_000_000


def test_a_losing_round_trip_by_hand() -> None:
    state = account()
    hold(state)
    sent(state, order_row("b" * 32, side="sell", signal_ms=0))
    loss = fill_row("b" * 32, "2", side="sell", cost_units=9 * UNIT, fee_cash_units=UNIT // 10)
    fold(state, "fill", loss)
    held = position(state)
    assert held["realised_units"] == 9 * UNIT - UNIT // 10 - 10 * UNIT
    assert (held["qty_units"], held["cost_units"]) == (0, 0)
    assert state.cash_units == 1_000 * UNIT + held["realised_units"]


# --- contradictions ----------------------------------------------------------------------------


def planned(state: State) -> None:
    fold(state, "order_planned", order_row())


def opened(state: State) -> None:
    sent(state, order_row())


def bought(state: State) -> None:
    hold(state, lots=10)
    sent(state, order_row(side="sell", qty_lots=50))


def decided(state: State) -> None:
    fold(state, "plan", {"bar_ms": BAR_MS, "legs": [order_row()]})


ANSWER = {"client_id": ID, "at_ms": 1, "code": "", "text": "", "venue_id": ""}
CONTRADICTIONS: list[tuple[Callable[[State], None], str, dict[str, Any], type[ValueError]]] = [
    (decided, "plan", {"bar_ms": BAR_MS, "legs": []}, FoldError),
    (decided, "plan", {"bar_ms": BAR_MS - 60_000, "legs": []}, FoldError),
    (decided, "plan", {"bar_ms": BAR_MS + 60_000, "legs": [order_row()]}, FoldError),
    (
        planned,
        "plan",
        {"bar_ms": BAR_MS, "legs": [order_row("b" * 32), order_row("b" * 32)]},
        FoldError,
    ),
    (planned, "order_planned", order_row(), FoldError),
    (planned, "order_sent", {"client_id": "x", "at_ms": 1}, FoldError),
    (opened, "order_sent", {"client_id": ID, "at_ms": 1}, IllegalTransition),
    (planned, "order_outcome", {**ANSWER, "outcome": "accepted"}, IllegalTransition),
    (opened, "order_outcome", {**ANSWER, "outcome": "not_sent"}, IllegalTransition),
    (opened, "order_outcome", {**ANSWER, "outcome": "unknown"}, IllegalTransition),
    (planned, "order_outcome", {**ANSWER, "client_id": "x", "outcome": "unknown"}, FoldError),
    (opened, "order_seen", seen(ID, "absent"), IllegalTransition),
    (planned, "order_seen", seen(ID, "filled", 100), IllegalTransition),
    (opened, "order_seen", seen("x", "open"), FoldError),
    (opened, "order_abandoned", {"client_id": ID, "at_ms": 1, "why": "w"}, IllegalTransition),
    (opened, "fill", fill_row("x"), FoldError),
    (opened, "fill", fill_row(qty_lots=101), FoldError),
    (opened, "fill", fill_row(side="sell"), FoldError),
    (opened, "fill", fill_row(symbol=ETH), FoldError),
    (planned, "fill", fill_row(), IllegalTransition),
    (bought, "fill", fill_row(side="sell", qty_lots=11, cost_units=UNIT), FoldError),
    (
        bought,
        "fill",
        fill_row(side="sell", qty_lots=10, cost_units=UNIT, fee_base_units=1),
        FoldError,
    ),
    (planned, "halt", {"level": "paused", "why": "", "by": "", "at_ms": 1}, ValueError),
]


@pytest.mark.parametrize(("given_", "kind", "payload", "refusal"), CONTRADICTIONS)
def test_a_contradiction_is_refused_and_the_state_stays_as_it_was(
    given_: Callable[[State], None], kind: str, payload: dict[str, Any], refusal: type[ValueError]
) -> None:
    state = account()
    given_(state)
    state.dirty.clear()
    before = dump(state)
    with pytest.raises(refusal):
        fold(state, kind, payload)
    assert dump(state) == before
    assert not state.dirty


# --- laws --------------------------------------------------------------------------------------

TRADES = st.lists(
    st.tuples(
        st.sampled_from([BTC, ETH]),
        st.booleans(),  # buy or sell
        st.integers(1, 400),  # lots asked
        st.integers(1, 400),  # of them filled
        st.integers(1, 30_000),  # price
        st.integers(0, 2_000),  # fee, ppm
        st.booleans(),  # fee in the coin (buys)
    ),
    max_size=25,
)


@given(TRADES)
def test_no_unit_of_cash_or_coin_comes_or_goes_unbooked(trades: list[Any]) -> None:
    state = account()
    coins = {BTC: 0, ETH: 0}
    for number, (symbol, buy, asked, filled, price, ppm, in_coin) in enumerate(trades):
        held = state.positions[symbol].qty_units if symbol in state.positions else 0
        lots = min(asked, filled if buy else held // 100_000)
        if lots == 0:
            continue
        client_id = f"{number:032d}"
        side = "buy" if buy else "sell"
        sent(state, order_row(client_id, symbol=symbol, side=side, qty_lots=asked))
        cost = price * lots * 1_000
        fee_coin = lots * 100_000 * ppm // 10**6 if buy and in_coin else 0
        fill = {
            "symbol": symbol,
            "side": side,
            "qty_lots": lots,
            "cost_units": cost,
            "fee_cash_units": 0 if fee_coin else cost * ppm // 10**6,
            "fee_base_units": fee_coin,
        }
        fold(state, "fill", fill_row(client_id, str(number), **fill))
        coins[symbol] += (lots if buy else -lots) * 100_000 - fee_coin
    owned = list(state.positions.values())
    costs = sum(p.cost_units for p in owned)
    realised = sum(p.realised_units for p in owned)
    assert state.cash_units + costs == state.number("capital_units") + realised
    assert {p.symbol: p.qty_units for p in owned if p.qty_units} == {
        symbol: units for symbol, units in coins.items() if units
    }
    assert all(p.cost_units >= 0 for p in owned)
    assert all(p.cost_units == 0 for p in owned if p.qty_units == 0)


@given(TRADES)
def test_a_state_put_together_from_its_rows_is_the_same(trades: list[Any]) -> None:
    state = account()
    for number, (symbol, _, asked, filled, price, _, _) in enumerate(trades):
        client_id = f"{number:032d}"
        sent(state, order_row(client_id, symbol=symbol, qty_lots=asked))
        fill = {"symbol": symbol, "qty_lots": min(asked, filled), "cost_units": price}
        fold(state, "fill", fill_row(client_id, str(number), **fill))
    assert dump(copy(state)) == dump(state)


def test_every_change_is_marked_for_the_projections() -> None:
    state = account()
    state.dirty.clear()
    sent(state, order_row())
    fold(state, "fill", fill_row(fee_asset="BNB", fee="1"))
    assert state.dirty == {
        ("orders", ID),
        ("positions", BTC),
        ("holdings", f"one|{BTC}"),
        ("books", "one"),
        ("meta", "cash_units"),
        ("consumed", f"one|{BTC}"),
        ("other_fees", "BNB"),
        ("meta", "sent_count"),
        ("sent", "0"),
        ("meta", "message_count"),
        ("messages", str(BAR_MS // 60_000 % 1_440)),
        ("messages", "s0"),
    }
    assert state.row("meta", "none") is None
    assert state.row("orders", "none") is None
    assert state.row("positions", "none") is None
    assert state.row("books", "none") is None
    assert state.row("holdings", "none") is None
    assert state.row("instruments", "none") is None


# --- rules that change while coins are held -----------------------------------------------------


def test_a_finer_or_coarser_tick_keeps_a_position_at_its_prices() -> None:
    for tick, entry, stop in (("0.001", 100_000, 99_000), ("0.1", 1_000, 990)):
        state = account()
        hold(state)
        fold(state, "instrument", instrument_row(instrument(tick=tick)))
        held = position(state)
        assert (held["entry_ticks"], held["stop_ticks"]) == (entry, stop)
        assert ("positions", BTC) in state.dirty


def test_a_stop_between_two_coarse_ticks_goes_up_to_the_nearer_one() -> None:
    state = account()
    hold(state, stop_ticks=9_903)  # 99.03
    fold(state, "instrument", instrument_row(instrument(tick="0.5")))
    assert position(state)["stop_ticks"] == 199  # 99.50


def test_other_rules_leave_prices_alone_and_no_stop_stays_no_stop() -> None:
    state = account()
    hold(state, stop_ticks=0)
    fold(state, "instrument", instrument_row(instrument(notional_min="50")))
    fold(state, "instrument", instrument_row(instrument(tick="0.001", notional_min="50")))
    held = position(state)
    assert (held["entry_ticks"], held["stop_ticks"]) == (100_000, 0)
    assert state.spec(BTC).notional_units_min == 50 * UNIT


def test_a_tick_that_changes_under_an_order_in_flight_is_refused() -> None:
    state = account()
    sent(state, order_row())
    with pytest.raises(FoldError, match="cannot change under an order in flight"):
        fold(state, "instrument", instrument_row(instrument(tick="0.1")))


def test_an_order_that_filled_nothing_is_counted_anew_without_a_position() -> None:
    state = account()
    sent(state, order_row())
    fold(state, "order_seen", seen(ID, "expired"))
    fold(state, "instrument", instrument_row(instrument(tick="0.1")))
    assert state.orders[ID].price_ticks == 1_000
    assert not state.positions
