"""Orders that the exchange refuses, each with its code, its text and its HTTP status."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trader.exchange.server import RunningExchange

from .conftest import Customer

BALANCE = "Account has insufficient balance for requested action."


@pytest.mark.parametrize(
    ("changes", "code", "msg"),
    [
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"symbol": ""}, -1102, "Mandatory parameter 'symbol' was not sent"),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "STOP_LOSS"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        ({"timeInForce": ""}, -1102, "Mandatory parameter 'timeInForce' was not sent"),
        ({"quantity": ""}, -1102, "Mandatory parameter 'quantity' was not sent"),
        ({"quantity": "-1"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "1e-3"}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"quantity": "0"}, -1013, "Invalid quantity."),
        ({"quantity": "0.123456789"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"price": "99.123456789"}, -1111, "Parameter 'price' has too much precision."),
        ({"price": "99.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "100001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.0001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "1.0005"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "1001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.1"}, -1013, "Filter failure: NOTIONAL"),
        ({"price": "19.99"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"price": "500.01"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "200"}, -2010, BALANCE),
        ({"newClientOrderId": "x" * 37}, -1100, "Illegal characters found in parameter 'newC"),
        ({"newClientOrderId": "a b"}, -1100, "Illegal characters found in parameter 'newC"),
        ({"newOrderRespType": "ALL"}, -1100, "Illegal characters found in parameter 'newO"),
        ({"stopPrice": "90"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"quoteOrderQty": "90"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
    ],
)
def test_a_bad_limit_order_is_refused_by_name_and_changes_nothing(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
    changes: dict[str, str],
    code: int,
    msg: str,
) -> None:
    served, who = open_at_100()
    before = served.admin.books()
    good = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    answer = who.signed("POST", "order", **{**good, "quantity": "1", "price": "99", **changes})
    assert answer.refusal[:2] == (400, code)
    assert answer.refusal[2].startswith(msg)
    assert served.admin.books() == before


@pytest.mark.parametrize(
    ("params", "code", "msg"),
    [
        ({"quantity": "1", "price": "99"}, -1106, "Parameter 'price' sent when not required."),
        ({"quantity": "1", "timeInForce": "IOC"}, -1106, "Parameter 'timeInForce' sent"),
        ({"quantity": "51"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
        ({"quantity": "0.05"}, -1013, "Filter failure: NOTIONAL"),
        ({"quoteOrderQty": "9"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "1", "quoteOrderQty": "90"}, -1128, "Combination of optional parameters"),
        ({"quoteOrderQty": "20000"}, -2010, BALANCE),
        ({}, -1102, "Mandatory parameter 'quantity' was not sent"),
    ],
)
def test_a_bad_market_order_is_refused_by_name(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
    params: dict[str, str],
    code: int,
    msg: str,
) -> None:
    _, who = open_at_100(depth="100")
    answer = who.market("BUY", **params)
    assert answer.refusal[:2] == (400, code)
    assert answer.refusal[2].startswith(msg)
