"""Evidence: what a venue's answer proves of an order and of the books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from trader.core.evidence import fill_fact, find_mismatches, judge_order, may_have_spent
from trader.core.scale import ScaleError
from trader.core.state import Order
from trader.domain.account import Balance, Fill
from trader.domain.order import OrderState, Side, VenueOrder

from .made import BTC, UNIT, account, hold, instrument, order_row, sent

ID = "a" * 32
GRACE_MS = 10_000
SENT_MS = 1_000_000
SPEC = account().spec(BTC)


def order(state: str, **changed: Any) -> Order:
    return Order({**order_row(), "state": state, "sent_ms": SENT_MS, **changed})


def shown(state: str, filled: str = "0", venue_id: str = "7") -> VenueOrder:
    return VenueOrder(
        ID, venue_id, BTC, Side.BUY, OrderState(state), Decimal("0.1"), Decimal(filled), None, 5
    )


NOTHING = None
JUDGED = [
    # what we hold, what the venue shows (None: it knows none), ms since sent -> proves
    ("sending", None, 10_001, ("absent", 0)),
    ("unknown", None, 10_001, ("absent", 0)),
    ("unknown", None, 10_000, NOTHING),  # the request's window has not passed yet
    ("unknown", None, -5, NOTHING),
    ("open", None, 10**9, NOTHING),  # it was accepted once: silence never ends it
    ("unknown", ("open", "0"), 1, ("open", 0)),
    ("unknown", ("open", "0.04"), 1, ("open", 40)),
    ("sending", ("filled", "0.1"), 1, ("filled", 100)),
    ("sending", ("rejected", "0"), 1, ("rejected", 0)),
    ("open", ("expired", "0.03"), 1, ("expired", 30)),
    ("open", ("canceled", "0"), 1, ("canceled", 0)),
    ("absent", ("open", "0"), 1, ("open", 0)),  # it turned up all the same
    ("expired", ("open", "0"), 1, ("expired", 0)),  # stale: the end stays, the claim is noted
    ("filled", ("canceled", "0.1"), 1, ("filled", 100)),
]


@pytest.mark.parametrize(("held", "seen", "after_ms", "proves"), JUDGED)
def test_what_an_answer_proves(
    held: str, seen: tuple[str, str] | None, after_ms: int, proves: tuple[str, int] | None
) -> None:
    answer = None if seen is None else shown(*seen)
    fact = judge_order(order(held), answer, SPEC, SENT_MS + after_ms, GRACE_MS)
    told = None if fact is None else (fact["state"], fact["venue_lots"])
    assert told == proves


def test_an_order_with_booked_fills_is_never_absent() -> None:
    held = order("unknown", filled_lots=1)
    assert judge_order(held, None, SPEC, SENT_MS + 10**9, GRACE_MS) is None


def test_what_is_known_already_is_not_written_again() -> None:
    held = order("open", venue_id="7", venue_lots=40)
    assert judge_order(held, shown("open", "0.04"), SPEC, SENT_MS, GRACE_MS) is None
    assert judge_order(held, shown("open", "0.03"), SPEC, SENT_MS, GRACE_MS) is None
    assert judge_order(held, shown("open", "0.05"), SPEC, SENT_MS, GRACE_MS) is not None
    ended = order("expired", venue_id="7", venue_lots=40)
    assert judge_order(ended, shown("open", "0.04"), SPEC, SENT_MS, GRACE_MS) is None
    more = judge_order(ended, shown("open", "0.06"), SPEC, SENT_MS, GRACE_MS)
    assert more is not None
    assert (more["state"], more["venue_lots"]) == ("expired", 60)


def test_a_quantity_off_the_grid_is_an_error() -> None:
    with pytest.raises(ScaleError, match="quantity"):
        judge_order(order("open"), shown("open", "0.00001"), SPEC, SENT_MS, GRACE_MS)


def fill(**changed: Any) -> Fill:
    given: dict[str, Any] = {
        "symbol": BTC,
        "trade_id": "t",
        "venue_order_id": "7",
        "client_order_id": ID,
        "side": Side.BUY,
        "price": Decimal("100.01"),
        "qty": Decimal("0.007"),
        "cost": Decimal("0.70007"),
        "fee": Decimal("0.000007"),
        "fee_asset": "BTC",
        "maker": True,
        "at_ms": 9,
        **changed,
    }
    return Fill(**given)


@pytest.mark.parametrize(
    ("asset", "fee", "cash", "base", "other"),
    [
        ("BTC", "0.000007", 0, 700, ("", "")),
        ("USDT", "0.00070007", 70_007, 0, ("", "")),
        ("USDT", "0.000000001", 1, 0, ("", "")),  # finer than a unit: against us
        ("BNB", "0.0001", 0, 0, ("BNB", "0.0001")),
        ("", "0", 0, 0, ("", "")),  # the venue did not say
    ],
)
def test_a_fee_is_booked_where_it_was_taken(
    asset: str, fee: str, cash: int, base: int, other: tuple[str, str]
) -> None:
    fact = fill_fact(order("open"), fill(fee_asset=asset, fee=Decimal(fee)), SPEC)
    assert (fact["fee_cash_units"], fact["fee_base_units"]) == (cash, base)
    assert (fact["fee_asset"], fact["fee"]) == other
    assert (fact["price_ticks"], fact["qty_lots"], fact["maker"]) == (10_001, 7, 1)


def test_a_cost_finer_than_the_cash_unit_is_rounded_against_us() -> None:
    cost = Decimal("0.700070005")
    bought = fill_fact(order("open"), fill(cost=cost), SPEC)
    sold = fill_fact(order("open"), fill(cost=cost, side=Side.SELL), SPEC)
    assert (bought["cost_units"], sold["cost_units"]) == (70_007_001, 70_007_000)


@pytest.mark.parametrize("changed", [{"price": "100.005"}, {"qty": "0.0001"}])
def test_an_execution_off_the_grid_is_an_error(changed: dict[str, str]) -> None:
    with pytest.raises(ScaleError):
        fill_fact(order("open"), fill(**{k: Decimal(v) for k, v in changed.items()}), SPEC)


def balances(usdt: str = "990", btc: str = "0.1", locked: str = "0") -> dict[str, Balance]:
    cash = Balance("USDT", Decimal(usdt), Decimal(locked))
    return {"USDT": cash, "BTC": Balance("BTC", Decimal(btc), Decimal(0))}


@pytest.mark.parametrize(
    ("there", "finding"),
    [
        (balances(), []),
        (balances(usdt="990000000000000", btc="99999999999999"), []),  # the owner's own riches
        (balances(usdt="980", locked="10"), []),  # locked in an order is still there
        (
            balances(usdt="989.99999999"),
            ["CASH_SHORT asset=USDT own=990 venue=989.99999999 short=0.00000001"],
        ),
        (balances(btc="0.09999999"), ["COINS_SHORT asset=BTC own=0.1 venue=0.09999999"]),
        ({}, ["CASH_SHORT asset=USDT own=990 venue=0 short=990", "COINS_SHORT asset=BTC"]),
    ],
)
def test_a_shortage_of_one_unit_is_found(there: dict[str, Balance], finding: list[str]) -> None:
    state = account()
    hold(state)
    found = find_mismatches(state, there)
    assert len(found) == len(finding)
    assert all(one.startswith(start) for one, start in zip(found, finding, strict=True))


def test_what_an_unresolved_order_may_have_taken_is_allowed_for() -> None:
    state = account()
    hold(state)
    sent(state, order_row("b" * 32, qty_lots=50), outcome="unknown")
    sent(state, order_row("c" * 32, side="sell", qty_lots=30), outcome="unknown")
    # 50 lots at 100.00 with a fee of 0.1 %: 5.005; 30 lots of 0.001.
    assert not find_mismatches(state, balances("984.995", "0.07"))
    found = find_mismatches(state, balances("984.99499999", "0.06999999"))
    assert [one.split()[0] for one in found] == ["CASH_SHORT", "COINS_SHORT"]
    assert found[0].endswith("short=0.00000001")
    assert state.cash_units == 990 * UNIT


def test_an_instrument_in_whole_coins_can_be_held_beside_very_many_of_the_owner() -> None:
    state = account(1_000 * UNIT, instrument("PEPE/USDT", tick="0.00000001", lot="1"))
    rich = {"PEPE": Balance("PEPE", Decimal(10) ** 14, Decimal(0)), **balances("1000")}
    hold(state, "PEPE/USDT", lots=5, name="one")
    assert find_mismatches(state, rich) == []


@pytest.mark.parametrize(("coins", "spent"), [("0.1", False), ("0.099", True), ("5", False)])
def test_coins_that_are_missing_may_have_been_sold_by_an_order_in_doubt(
    coins: str, spent: bool
) -> None:
    state = account()
    hold(state)
    held = {"BTC": Balance("BTC", Decimal(0), Decimal(coins))}
    assert may_have_spent(state, order("unknown", side="sell"), held) is spent
