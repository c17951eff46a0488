"""ccxt's unified dicts -> the domain's nouns, exactly or not at all.

Lives here: reading of orders, fills, balances, bars, quotes and instruments. Every number must be
finite decimal text; what is missing or odd raises Garbage instead of becoming zero. Must not live
here: requests, and guesses about what the venue meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from trader.app.ports import RawBar
from trader.domain.account import Balance, Fill
from trader.domain.instrument import Instrument
from trader.domain.market import Quote
from trader.domain.order import OrderState, Side, VenueOrder
from trader.venues.outcomes import Garbage

ZERO = Decimal(0)

_STATES = {
    "open": OrderState.OPEN,
    "canceling": OrderState.OPEN,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
    # Words of venues that ccxt passes on as they are.
    "PENDING_NEW": OrderState.OPEN,
}


def exact(value: Any, what: str) -> Decimal:
    """A finite decimal from text or a whole number; raises Garbage."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Garbage(f"{what}: {value!r} is not decimal text")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise Garbage(f"{what}: {value!r} is not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise Garbage(f"{what}: {value!r} is not a usable number")
    return number


def text_of(value: Any, what: str) -> str:
    """Text that is there; raises Garbage."""
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise Garbage(f"{what} is missing")
    return str(value)


def whole(value: Any, what: str) -> int:
    """A whole number, e.g. epoch ms; raises Garbage."""
    number = exact(value, what)
    if number != number.to_integral_value():
        raise Garbage(f"{what}: {value!r} is not whole")
    return int(number)


def order_from(order: Mapping[str, Any], symbol: str, client_order_id: str = "") -> VenueOrder:
    """An order; `client_order_id` replaces what the venue shows where it names another id."""
    what = f"order of {symbol}"
    state = _STATES.get(str(order.get("status")))
    if state is None:
        raise Garbage(f"{what}: status {order.get('status')!r}")
    qty = exact(order.get("amount"), f"{what}: quantity")
    filled = exact(order.get("filled"), f"{what}: filled")
    if not ZERO <= filled <= qty:
        raise Garbage(f"{what}: filled {filled} of {qty}")
    if state is OrderState.FILLED and filled < qty:
        # Some venues close a cancelled order that filled in part.
        state = OrderState.CANCELED
    price = order.get("price")
    at_ms = order.get("lastUpdateTimestamp") or order.get("timestamp")
    return VenueOrder(
        client_order_id or str(order.get("clientOrderId") or ""),
        text_of(order.get("id"), f"{what}: id"),
        symbol,
        _side(order.get("side"), what),
        state,
        qty,
        filled,
        None if price is None else exact(price, f"{what}: price"),
        whole(at_ms, f"{what}: time"),
    )


def fill_from(trade: Mapping[str, Any], symbol: str, order: VenueOrder | None = None) -> Fill:
    """A fill; `order` gives what a fill inside an order's reply does not repeat."""
    what = f"fill of {symbol}"
    price = exact(trade.get("price"), f"{what}: price")
    qty = exact(trade.get("amount"), f"{what}: quantity")
    if price <= 0 or qty <= 0:
        raise Garbage(f"{what}: {qty} at {price}")
    told_cost = trade.get("cost")
    cost = price * qty if told_cost is None else exact(told_cost, f"{what}: cost")
    fee, asset = _fee(trade, what)
    at_ms = trade.get("timestamp")
    if at_ms is None and order is not None:
        at_ms = order.at_ms
    return Fill(
        symbol=symbol,
        trade_id=text_of(trade.get("id"), f"{what}: id"),
        venue_order_id=order.venue_order_id if order else str(trade.get("order") or ""),
        client_order_id=order.client_order_id if order else "",
        side=order.side if order else _side(trade.get("side"), what),
        price=price,
        qty=qty,
        cost=cost,
        fee=fee,
        fee_asset=asset,
        maker=trade.get("takerOrMaker") == "maker",
        at_ms=whole(at_ms, f"{what}: time"),
    )


def _fee(trade: Mapping[str, Any], what: str) -> tuple[Decimal, str]:
    """Amount taken and its asset; (0, "") when the venue did not say or gave a rebate."""
    told = trade.get("fee")
    if not isinstance(told, Mapping):
        return ZERO, ""
    fee = cast("Mapping[str, Any]", told)
    if fee.get("cost") is None or not fee.get("currency"):
        return ZERO, ""
    amount = exact(fee["cost"], f"{what}: fee")
    return (amount, str(fee["currency"])) if amount >= 0 else (ZERO, "")


def _side(value: Any, what: str) -> Side:
    try:
        return Side(value)
    except ValueError:
        raise Garbage(f"{what}: side {value!r}") from None


def balances_from(answer: Mapping[str, Any]) -> dict[str, Balance]:
    """By asset, what is not nothing. Raises Garbage on a negative or missing amount."""
    found: dict[str, Balance] = {}
    free = cast("Mapping[str, Any]", answer["free"])
    used = cast("Mapping[str, Any]", answer["used"])
    for asset in free:
        balance = Balance(
            asset,
            exact(free[asset], f"balance of {asset}: free"),
            exact(used[asset], f"balance of {asset}: locked"),
        )
        if balance.free < 0 or balance.locked < 0:
            raise Garbage(f"balance of {asset}: free {balance.free} locked {balance.locked}")
        if balance.total:
            found[asset] = balance
    return found


def bars_from(rows: Sequence[Sequence[Any]], symbol: str) -> list[RawBar]:
    """Bars in the order given; values stay text, because `bars` judges them."""
    what = f"bar of {symbol}"
    return [
        RawBar(
            whole(row[0], f"{what}: time"),
            *(text_of(row[i], f"{what}: value {i}") for i in range(1, 6)),
        )
        for row in rows
    ]


def quote_from(ticker: Mapping[str, Any], symbol: str, at_ms: int) -> Quote | None:
    """Best bid and ask; None when a side cannot be read. A zero price passes: gates judge it."""
    raw = {name: ticker.get(name) for name in ("bid", "ask", "bidVolume", "askVolume")}
    try:
        prices = [exact(raw[name] or "0", name) for name in ("bid", "ask")]
        sizes = [
            None if raw[name] is None else exact(raw[name], name)
            for name in ("bidVolume", "askVolume")
        ]
    except Garbage:
        return None
    if not any(prices) or any(size is not None and size < 0 for size in sizes):
        return None
    return Quote(symbol, at_ms, prices[0], prices[1], sizes[0], sizes[1])


def instrument_from(market: Mapping[str, Any]) -> Instrument | None:
    """A spot instrument, or None when its rules are incomplete or it is not spot."""
    if market.get("spot") is not True or market.get("settle") is not None:
        return None
    limits = cast("Mapping[str, Mapping[str, Any]]", market["limits"])
    precision = cast("Mapping[str, Any]", market["precision"])
    try:
        return Instrument(
            str(market["symbol"]),
            str(market["base"]),
            str(market["quote"]),
            tick=exact(precision.get("price"), "tick"),
            lot=exact(precision.get("amount"), "lot"),
            qty_min=_limit(limits, "amount", "min"),
            qty_max=_limit(limits, "amount", "max"),
            notional_min=_limit(limits, "cost", "min"),
            fee_taker=exact(str(market.get("taker")), "taker fee"),
            fee_maker=exact(str(market.get("maker")), "maker fee"),
            active=market.get("active") is True,
        )
    except ValueError:
        # Rules that no order could keep: a listing holds thousands, one bad one stops no other.
        return None


def _limit(limits: Mapping[str, Mapping[str, Any]], part: str, end: str) -> Decimal:
    value = limits.get(part, {}).get(end)
    return ZERO if value is None else exact(value, f"{part} {end}")
