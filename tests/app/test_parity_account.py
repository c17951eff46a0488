"""Rows of two accounts: each that parts is put down to a difference, or told as nobody's."""

from __future__ import annotations

from trader.app.parity_account import Apart, account_of
from trader.core.state import Order, State
from trader.domain.order import OrderState

from .test_parity_orders import ROW

CASH = ("meta", "cash_units")
HELD = ("positions", "BTC/USDT")
OTHER = ("positions", "ETH/USDT")


def test_what_was_done_when_is_not_compared_but_what_came_of_it_is() -> None:
    one, other = State(), State()
    for state, at_ms in ((one, 1_000), (other, 9_000)):
        order = Order({**ROW, "state": OrderState.FILLED})
        order.sent_ms = order.updated_ms = at_ms
        state.orders[order.client_id] = order
        state.sent["0"] = f"{at_ms} cross"
        state.messages["s0"] = str(at_ms)
        state.meta["cycles"] = at_ms
        state.asked["*"] = {"symbol": "*", "by": "ann", "at_ms": at_ms, "done_ms": -1}
    assert account_of(one) == account_of(other)
    other.orders[ROW["client_id"]].filled_lots = 50
    other.sent["0"] = "9000 revert"
    other.asked["*"] = {**other.asked["*"], "done_ms": 9_500}
    differing = {key for key, row in account_of(one).items() if account_of(other)[key] != row}
    assert differing == {("orders", ROW["client_id"]), ("sent", "0"), ("asked", "*")}


def test_a_row_that_parts_is_put_down_to_what_was_just_found_of_its_instrument() -> None:
    apart = Apart()
    fresh = {"BTC/USDT": [3], "ETH/USDT": [4], "": [5]}
    lost = apart.update({CASH: 1, HELD: 1, OTHER: 1}, {CASH: 2, HELD: 2, OTHER: 2}, fresh)
    assert lost == []
    assert apart.rows == {CASH: (3, 4, 5), HELD: (3,), OTHER: (4,)}
    assert apart.behind({"BTC/USDT"}) == (3,)
    assert apart.behind({"XRP/USDT"}) == (3, 4, 5)


def test_a_row_that_parts_later_follows_from_those_that_had() -> None:
    apart = Apart()
    apart.update({HELD: 1}, {HELD: 2}, {"BTC/USDT": [3]})
    assert apart.update({HELD: 1, CASH: 1}, {HELD: 2, CASH: 2}, {}) == []
    assert apart.rows[CASH] == (3,)


def test_rows_that_meet_again_are_forgotten() -> None:
    apart = Apart()
    apart.update({HELD: 1}, {HELD: 2}, {"BTC/USDT": [3]})
    assert apart
    assert apart.update({HELD: 2}, {HELD: 2}, {}) == []
    assert not apart


def test_a_row_that_parts_for_no_reason_is_told_once() -> None:
    apart = Apart()
    assert apart.update({CASH: 1}, {CASH: 2}, {}) == [CASH]
    apart.excuse([CASH], 9)
    assert apart.update({CASH: 1}, {CASH: 2}, {}) == []
    assert apart.update({CASH: 1, HELD: 1}, {CASH: 2}, {}) == []
    assert apart.rows[HELD] == (9,)
