"""Evidence: what the venue's answers prove about our orders and books.

Lives here: the pure judgements of reconcile. Nothing is concluded from silence but `absent`, and
that only after the request's own validity window has passed, the venue itself says it knows no
such order, and neither an unexplained fill nor a balance says otherwise. Must not live here: asking
the venue.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trader.core.fold import SEEN_EVENTS
from trader.core.scale import ScaleError, Spec, text, to_decimal, to_units_rounded
from trader.core.sizing import entry_cost_units
from trader.core.state import Order, State
from trader.domain.account import Balance, Fill
from trader.domain.order import TRANSITIONS, OrderState, Side, TimeInForce, VenueOrder

Payload = dict[str, Any]


def judge_order(
    order: Order, seen: VenueOrder | None, spec: Spec, venue_ms: int, grace_ms: int
) -> Payload | None:
    """The `order_seen` fact that an answer proves, or None when it proves nothing new.

    `seen` is None when the venue says it knows no such order; its open orders and complete fills
    up to `venue_ms` must have been read too. An order that was once accepted and is now not known
    proves nothing: one answer that lacks it never ends it.
    """
    if seen is None:
        if not order.unresolved or order.filled_lots:
            return None
        if venue_ms - order.sent_ms <= grace_ms:
            return None
        return _seen(order, OrderState.ABSENT, 0, "", venue_ms, "absent_after_grace")
    lots = spec.lots(seen.filled)
    state = seen.state
    if state is order.state and lots <= max(order.venue_lots, 0) and order.venue_id:
        return None
    if state is not order.state and SEEN_EVENTS[state] not in TRANSITIONS[order.state]:
        # Stale or contradictory (an ended order shown open): the quantity may still be news.
        state = order.state
        if lots <= order.venue_lots:
            return None
    return _seen(order, state, lots, seen.venue_order_id, venue_ms, "order")


def _seen(
    order: Order, state: OrderState, lots: int, venue_id: str, at_ms: int, source: str
) -> Payload:
    return {
        "client_id": order.client_id,
        "at_ms": at_ms,
        "state": str(state),
        "venue_lots": lots,
        "venue_id": venue_id,
        "source": source,
    }


def fill_fact(order: Order, fill: Fill, spec: Spec) -> Payload:
    """The `fill` fact of an execution that the venue told; raises ScaleError off the grid.

    Cost is the venue's own; rounded against us where it is finer than the cash unit.
    """
    buy = fill.side is Side.BUY
    in_cash = fill.fee_asset == spec.quote
    in_base = fill.fee_asset == spec.base
    fee_cash = fill.fee if in_cash else Decimal(0)
    fee_base = fill.fee if in_base else Decimal(0)
    other = not (in_cash or in_base) and bool(fill.fee_asset)
    return {
        "client_id": order.client_id,
        "symbol": fill.symbol,
        "trade_id": fill.trade_id,
        "side": str(fill.side),
        "price_ticks": spec.ticks(fill.price),
        "qty_lots": spec.lots(fill.qty),
        "cost_units": to_units_rounded(fill.cost, spec.cash_unit, "cost", up=buy),
        "fee_cash_units": to_units_rounded(fee_cash, spec.cash_unit, "fee", up=True),
        "fee_base_units": to_units_rounded(fee_base, spec.base_unit, "fee", up=True),
        "fee_asset": fill.fee_asset if other else "",
        "fee": text(fill.fee) if other else "",
        "maker": int(fill.maker),
        "at_ms": fill.at_ms,
    }


def could_be(order: Order, fill: Fill, spec: Spec, grace_ms: int, margin_ms: int) -> bool:
    """Whether an execution that no known order explains may be of this order, which the venue does
    not show. `margin_ms` is how far the clocks may be apart."""
    if (fill.symbol, fill.side) != (order.symbol, order.side):
        return False
    since_ms = fill.at_ms - order.sent_ms
    if since_ms < -margin_ms:
        return False
    if order.tif is TimeInForce.IOC and since_ms > grace_ms + margin_ms:
        return False
    limit = spec.price(order.price_ticks)
    fair = fill.price <= limit if fill.side is Side.BUY else fill.price >= limit
    return fair and fill.qty <= spec.qty(order.qty_lots)


def may_have_spent(state: State, order: Order, balances: Mapping[str, Balance]) -> bool:
    """Whether less than the program's own is there of what the order would have spent: then it may
    have been carried out, whatever the venue's lists say."""
    spec = state.spec(order.symbol)
    if order.side is Side.BUY:
        unit = Decimal(1).scaleb(-state.number("cash_digits"))
        return to_decimal(state.cash_units, unit) > _total(balances, spec.quote)
    position = state.positions.get(order.symbol)
    own = position.qty_units if position else 0
    return to_decimal(own, spec.base_unit) > _total(balances, spec.base)


def split_base_fee(fact: Payload, held_units: int, spec: Spec) -> Payload:
    """The `fill` fact of a sale that took its fee in the coin sold, from beyond what is held: that
    part came out of the owner's coins, as a fee in any other coin does."""
    over = int(fact["qty_lots"]) * spec.base_per_lot + int(fact["fee_base_units"]) - held_units
    if fact["side"] != Side.SELL or not 0 < over <= int(fact["fee_base_units"]):
        return fact
    own = int(fact["fee_base_units"]) - over
    beside = text(to_decimal(over, spec.base_unit))
    return {**fact, "fee_base_units": own, "fee_asset": spec.base, "fee": beside}


def find_mismatches(state: State, balances: Mapping[str, Balance]) -> list[str]:
    """Shortages of the program's own cash and coins, as `CODE key=value ...`, sorted.

    What an order in doubt may have taken is allowed for; not what one that rests might still take,
    else a shortage would hide behind it. More than expected is the owner's.
    """
    findings: list[str] = []
    quote = state.word("quote")
    cash_unit = Decimal(1).scaleb(-state.number("cash_digits"))
    may_be_gone = sum(
        entry_cost_units(state.spec(order.symbol), order.price_ticks, order.open_lots)
        for order in state.orders.values()
        if _in_doubt(order) and order.side is Side.BUY
    )
    held = _total(balances, quote)
    expected = to_decimal(state.cash_units - may_be_gone, cash_unit)
    if expected > held:
        findings.append(
            f"CASH_SHORT asset={quote} own={text(to_decimal(state.cash_units, cash_unit))} "
            f"venue={text(held)} short={text(expected - held)}"
        )
    for symbol, position in sorted(state.positions.items()):
        spec = state.spec(symbol)
        selling = sum(
            order.open_lots * spec.base_per_lot
            for order in state.orders_of(symbol)
            if _in_doubt(order) and order.side is Side.SELL
        )
        # In decimals: what the owner holds beside it may be more than core integers can count.
        coins = _total(balances, spec.base)
        own = to_decimal(position.qty_units, spec.base_unit)
        expected = to_decimal(position.qty_units - selling, spec.base_unit)
        if expected > coins:
            findings.append(
                f"COINS_SHORT asset={spec.base} own={text(own)} "
                f"venue={text(coins)} short={text(expected - coins)}"
            )
    return findings


def _in_doubt(order: Order) -> bool:
    """Whether it may have taken more than what was told of it."""
    rests = order.state is OrderState.OPEN and order.tif is TimeInForce.GTC
    return order.working and not (rests and order.venue_lots <= order.filled_lots)


def _total(balances: Mapping[str, Balance], asset: str) -> Decimal:
    balance = balances.get(asset)
    return balance.total if balance else Decimal(0)


__all__ = [
    "ScaleError",
    "could_be",
    "fill_fact",
    "find_mismatches",
    "judge_order",
    "may_have_spent",
    "split_base_fee",
]
