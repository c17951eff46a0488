"""Settling: fills are booked once, and what contradicts the books is reported, not booked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from trader import wiring
from trader.app.settle import Answer, settle
from trader.domain.account import Balance, Fill
from trader.domain.order import OrderState, Side, VenueOrder
from trader.journal.journal import Journal

from .world import World

GRACE_MS = 10_000


def fill(order: dict[str, Any], **changed: Any) -> Fill:
    """A fill of a hundredth of a coin for an order."""
    given: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "trade_id": "x1",
        "venue_order_id": "",
        "client_order_id": order["client_id"],
        "side": Side.BUY,
        "price": Decimal(100),
        "qty": Decimal("0.01"),
        "cost": Decimal(1),
        "fee": Decimal(0),
        "fee_asset": "",
        "maker": False,
        "at_ms": 5,
        **changed,
    }
    return Fill(**given)


def told(world: World, *fills: Fill, answers: tuple[Answer, ...] = ()) -> list[str]:
    """What settling these finds."""
    with wiring.open_journal(world.setup()) as journal:
        return settle(journal, answers, fills, 10**13, GRACE_MS)


@pytest.fixture
def filled(world: World) -> dict[str, Any]:
    """The one filled order of a world."""
    world.cycle(8)
    return world.orders()[0]


def test_a_fill_that_is_told_again_is_not_booked_again(
    world: World, filled: dict[str, Any]
) -> None:
    with world.journal() as journal:
        known = journal.fills()[0]
        before = journal.head
    again = fill(filled, trade_id=str(known["trade_id"]), qty=Decimal(5))
    assert told(world, again, again) == []
    with world.journal() as journal:
        assert journal.head == before


def test_a_fill_beyond_what_was_asked_is_reported(world: World, filled: dict[str, Any]) -> None:
    before = world.held()
    (finding,) = told(world, fill(filled))
    assert finding.startswith(f"FILL_EXCEEDS client_id={filled['client_id']} trade=x1")
    assert world.held() == before


def test_a_fill_on_the_wrong_side_is_reported(world: World, filled: dict[str, Any]) -> None:
    (finding,) = told(world, fill(filled, side=Side.SELL))
    assert finding.startswith("FILL_EXCEEDS")


def test_a_fill_off_the_grid_is_reported(world: World, filled: dict[str, Any]) -> None:
    (finding,) = told(world, fill(filled, price=Decimal("100.001")))
    assert finding.startswith("FILL_OFF_GRID trade=x1 why=BTC/USDT price")


def test_an_order_off_the_grid_is_reported(world: World, filled: dict[str, Any]) -> None:
    shown = VenueOrder(
        filled["client_id"],
        "1",
        "BTC/USDT",
        Side.BUY,
        OrderState.FILLED,
        Decimal(1),
        Decimal("0.00001"),
        None,
        1,
    )
    (finding,) = told(world, answers=(Answer(filled["client_id"], shown),))
    assert finding.startswith("ORDER_OFF_GRID")


def test_the_owners_own_trade_is_none_of_ours(world: World, filled: dict[str, Any]) -> None:
    assert told(world, fill(filled, client_order_id="web", venue_order_id="999999")) == []
    assert told(world, answers=(Answer("0" * 32, None),)) == []


def test_a_venue_numbers_the_orders_of_each_instrument_by_themselves(
    world: World, filled: dict[str, Any]
) -> None:
    assert filled["venue_id"]
    other = fill(
        filled, symbol="ETH/USDT", client_order_id="web", venue_order_id=filled["venue_id"]
    )
    before = world.kinds()
    assert told(world, other) == []
    assert world.kinds() == before


def test_a_fill_of_an_order_that_the_venue_rejected_is_reported_and_not_booked(
    world: World,
) -> None:
    body = '{"code":-2010,"msg":"Account has insufficient balance for requested action."}'
    fault = {"method": "POST", "path": "/api/v3/order"}
    world.admin.faults([{**fault, "action": {"name": "answer", "status": 400, "body": body}}])
    world.cycle(8)
    (order,) = world.orders()
    assert order["state"] == "rejected"
    (finding,) = told(world, fill(order))
    assert finding.startswith(f"FILL_CONTRADICTS client_id={order['client_id']} trade=x1")
    assert world.kinds()["fill"] == 0


def test_a_sell_of_more_than_is_held_is_reported_and_not_booked(world: World) -> None:
    world.cycle(8)
    world.cycle(10)
    entry, leaving = world.orders()
    assert leaving["side"] == "sell"
    with wiring.open_journal(world.setup()) as journal:
        grown = {**leaving, "qty_lots": 10**6, "client_id": "f" * 32, "state": "open"}
        with journal.transaction() as tx:
            tx.append("order_recalled", grown, 1)
        found = settle(
            journal, (), [fill(grown, side=Side.SELL, qty=Decimal(50))], 10**13, GRACE_MS
        )
    assert [one.split()[0] for one in found] == ["FILL_CONTRADICTS"]
    assert entry["state"] == "filled"


def test_a_fill_is_found_by_the_venues_id_when_it_carries_no_other(world: World) -> None:
    world.admin.moods(trades_lag_ms=10_000)
    cut = {"op": "set", "at": ["fills"], "value": []}
    world.admin.faults(
        [
            {
                "method": "POST",
                "path": "/api/v3/order",
                "action": {"name": "edit", "edit": [cut]},
            }
        ]
    )
    world.cycle(8)
    (order,) = world.orders()
    late = fill(order, client_order_id="", venue_order_id=order["venue_id"])
    assert told(world, late) == []
    assert world.held() == Decimal("0.01")


def recalled(journal: Journal, client_id: str) -> int:
    return sum(
        1
        for entry in journal.entries()
        if entry.kind == "order_recalled" and entry.payload["client_id"] == client_id
    )


def test_a_late_fill_of_an_order_that_has_left_the_state_recalls_it_once(world: World) -> None:
    world.admin.faults([{"method": "POST", "path": "/api/v3/order", "action": "drop_before"}])
    world.cycle(8)
    world.admin.clear_faults()
    world.cycle(9)  # absent
    world.cycle(10)  # and out of the state
    (order,) = world.orders()
    with world.journal() as journal:
        assert order["client_id"] not in journal.state.orders
    assert told(world, fill(order), fill(order, trade_id="x2"), fill(order)) == []
    with world.journal() as journal:
        assert recalled(journal, order["client_id"]) == 1
    assert world.kinds()["fill"] == 2
    assert world.held() == Decimal("0.02")
    assert told(world, fill(order)) == []


@pytest.fixture
def denied(world: World) -> dict[str, Any]:
    """The one order of a world: its answer was lost and the venue says it knows no such order."""
    world.admin.faults([{"method": "POST", "path": "/api/v3/order", "action": "drop_before"}])
    world.cycle(8)
    world.admin.clear_faults()
    (order,) = world.orders()
    assert order["state"] == "unknown"
    return order


@pytest.mark.parametrize(
    ("changed", "concluded"),
    [
        ({}, "unknown"),
        ({"price": Decimal(10**6)}, "absent"),  # beyond its limit
        ({"side": Side.SELL}, "absent"),
        ({"qty": Decimal(10**6)}, "absent"),  # more than was asked for
        ({"at_ms": -120_000}, "absent"),  # long before it was sent
        ({"at_ms": 120_000}, "absent"),  # an immediate order cannot fill so late
    ],
)
def test_a_denied_order_is_not_absent_while_a_fill_may_be_of_it(
    changed: dict[str, Any], concluded: str, world: World, denied: dict[str, Any]
) -> None:
    given = {"at_ms": 40, **changed}
    given["at_ms"] += denied["sent_ms"]
    found = told(
        world,
        fill(denied, client_order_id="", venue_order_id="4711", **given),
        answers=(Answer(denied["client_id"], None),),
    )
    wanted = [f"FILL_UNCLAIMED client_id={denied['client_id']} trade=x1 venue_order=4711"]
    assert found == (wanted if concluded == "unknown" else [])
    assert world.orders()[0]["state"] == concluded


def test_a_fee_in_the_coin_sold_that_the_owners_coins_paid_is_booked_beside(world: World) -> None:
    world.cycle(8)
    world.cycle(10)
    leaving = world.orders()[1]
    held = world.held()
    with wiring.open_journal(world.setup()) as journal:
        lots = (
            journal.state.positions["BTC/USDT"].qty_units
            // journal.state.spec("BTC/USDT").base_per_lot
        )
        sold = journal.state.spec("BTC/USDT").qty(lots)
        order = {**leaving, "client_id": "f" * 32, "state": "open", "qty_lots": lots}
        order |= {"filled_lots": 0, "filled_units": 0, "venue_lots": 0}
        with journal.transaction() as tx:
            tx.append("order_recalled", order, 1)
        sale = fill(order, side=Side.SELL, qty=sold, fee=Decimal("0.5"), fee_asset="BTC")
        assert settle(journal, (), [sale], 10**13, GRACE_MS) == []
        paid = Decimal(journal.state.other_fees["BTC"])
    assert world.held() == 0
    assert paid == Decimal("0.5") - (held - sold)


@pytest.mark.parametrize(("held", "concluded"), [("9000", "unknown"), ("10000", "absent")])
def test_a_denied_order_is_not_absent_while_the_cash_it_would_have_spent_is_missing(
    held: str, concluded: str, world: World, denied: dict[str, Any]
) -> None:
    with wiring.open_journal(world.setup()) as journal:
        own = journal.state.cash_units
        unit = Decimal(1).scaleb(-journal.state.number("cash_digits"))
        assert own * unit == 10_000
        balances = {"USDT": Balance("USDT", Decimal(held), Decimal(0))}
        answers = (Answer(denied["client_id"], None),)
        assert settle(journal, answers, (), 10**13, GRACE_MS, balances=balances) == []
    assert world.orders()[0]["state"] == concluded
