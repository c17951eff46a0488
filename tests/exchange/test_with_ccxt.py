"""The real client library trades on the exchange: only its addresses and its clock are changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ccxt
import pytest

from trader.exchange.server import RunningExchange

from .conftest import FLAT, MINUTE_MS, START_MS, Row

DIP: Row = ("100", "100", "95", "96", "600")
SYMBOL = "BTC/USDT"


def ccxt_of(served: RunningExchange, **options: Any) -> Any:
    """A client whose every address keeps its path but points at the exchange."""
    client = ccxt.binance({"apiKey": "local-key", "secret": "local-secret", **options})
    client.number = str
    for name, url in client.urls["api"].items():
        if isinstance(url, str) and "://" in url:
            client.urls["api"][name] = (
                f"{served.base_url}/{url.split('://', 1)[1].split('/', 1)[1]}"
            )
    client.enableRateLimit = False
    client.milliseconds = served.exchange.clock.now_ms
    client.nonce = served.exchange.clock.now_ms
    return client


@pytest.fixture
def served(bar_file: Callable[..., str], serve: Callable[..., RunningExchange]) -> RunningExchange:
    """BTC and ETH, two flat bars and then a dip."""
    return serve(
        bar_file([FLAT, FLAT, DIP, FLAT, FLAT]),
        bar_file([FLAT, FLAT, DIP, FLAT, FLAT], "ETHUSDT"),
        instruments={"BTCUSDT": {"tick": "0.01", "lot": "0.001", "min_notional": "10"}},
        now_ms=START_MS + 2 * MINUTE_MS - 1,
        balances={"USDT": "10000", "BTC": "10"},
    )


def test_markets_with_default_options_and_their_limits(served: RunningExchange) -> None:
    market = ccxt_of(served).load_markets()[SYMBOL]
    assert market["active"] is True
    assert market["spot"] is True
    assert market["precision"]["price"] == "0.01000000"
    assert market["precision"]["amount"] == "0.00100000"
    assert market["limits"]["cost"]["min"] == "10.00000000"
    assert market["limits"]["amount"]["min"] == "0.00100000"
    # Other options ask for margin pairs and coins, too.
    wide = ccxt_of(served, options={"fetchMargins": True})
    assert set(wide.load_markets()) == {"BTC/USDT", "ETH/USDT"}
    assert "withdraw" in wide.currencies["BTC"]


def test_prices_come_through_every_reading_call(served: RunningExchange) -> None:
    client = ccxt_of(served)
    assert client.fetch_time() == START_MS + 2 * MINUTE_MS - 1
    rows = client.fetch_ohlcv(SYMBOL, "1m", limit=10)
    assert [row[0] for row in rows] == [START_MS, START_MS + MINUTE_MS]
    assert rows[0][1:] == ["100.00000000"] * 4 + ["600.00000000"]
    later = client.fetch_ohlcv(SYMBOL, "5m", since=START_MS, limit=2)
    assert later == [[START_MS, *["100.00000000"] * 4, "1200.00000000"]]
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["bid"], ticker["ask"]) == ("99.99000000", "100.01000000")
    assert ticker["timestamp"] == START_MS + 2 * MINUTE_MS - 1
    assert set(client.fetch_tickers(["BTC/USDT", "ETH/USDT"])) == {"BTC/USDT", "ETH/USDT"}
    assert client.fetch_bids_asks()["ETH/USDT"]["bid"] == "99.99000000"
    assert client.fetch_last_prices([SYMBOL])[SYMBOL]["price"] == "100.00000000"
    assert len(client.fetch_order_book(SYMBOL, 5)["bids"]) == 5
    assert client.fetch_trading_fee(SYMBOL)["maker"] == "0.00100000"


def test_the_life_of_a_resting_order(served: RunningExchange) -> None:
    client = ccxt_of(served)
    params = {"clientOrderId": "a" * 32}
    order = client.create_order(SYMBOL, "limit", "buy", "5", "97", params)
    assert (order["status"], order["clientOrderId"]) == ("open", "a" * 32)
    assert client.fetch_balance()["USDT"]["used"] == "485.00000000"
    assert [x["id"] for x in client.fetch_open_orders(SYMBOL)] == [order["id"]]
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
        client.create_order(SYMBOL, "limit", "buy", "5", "97", params)
    served.admin.advance(MINUTE_MS)
    assert client.fetch_open_orders(SYMBOL) == []
    done = client.fetch_order(None, SYMBOL, {"origClientOrderId": "a" * 32})
    assert (done["status"], done["filled"], done["average"]) == ("closed", "5.00000000", "97")
    fills = client.fetch_my_trades(SYMBOL)
    assert {(x["order"], x["takerOrMaker"], x["side"]) for x in fills} == {
        (order["id"], "maker", "buy")
    }
    assert {x["fee"]["currency"] for x in fills} == {"BTC"}
    balance = client.fetch_balance()
    assert (balance["BTC"]["free"], balance["USDT"]["free"]) == ("14.99500000", "9515.00000000")
    assert [x["id"] for x in client.fetch_orders(SYMBOL)] == [order["id"]]
    since = START_MS + 2 * MINUTE_MS
    assert client.fetch_my_trades(SYMBOL, since) == fills
    assert client.fetch_my_trades(SYMBOL, since, 1) == fills[:1]
    assert client.fetch_my_trades(SYMBOL, None, 1, {"fromId": fills[0]["id"]}) == fills[:1]
    assert client.fetch_order_trades(order["id"], SYMBOL) == fills
    assert [x["id"] for x in client.fetch_closed_orders(SYMBOL, START_MS)] == [order["id"]]


def test_an_ioc_order_reports_its_partial_fill(served: RunningExchange) -> None:
    client = ccxt_of(served)
    order = client.create_order(SYMBOL, "limit", "buy", "50", "100.01", {"timeInForce": "IOC"})
    assert order["status"] == "expired"
    assert 0 < float(order["filled"]) < 50
    assert order["trades"][0]["price"] == "100.01000000"
    assert order["fees"][0]["currency"] == "BTC"


def test_cancels_by_id_by_client_id_and_all(served: RunningExchange) -> None:
    client = ccxt_of(served)
    ids = [client.create_order(SYMBOL, "limit", "sell", "1", str(p))["id"] for p in (110, 111, 112)]
    client.create_order(SYMBOL, "limit", "sell", "1", "113", {"clientOrderId": "mine"})
    assert client.cancel_order(ids[0], SYMBOL)["status"] == "canceled"
    by_client = client.cancel_order(None, SYMBOL, {"origClientOrderId": "mine"})
    assert by_client["status"] == "canceled"
    assert {x["id"] for x in client.cancel_all_orders(SYMBOL)} == set(ids[1:])
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(ids[0], SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("424242", SYMBOL)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (("limit", "buy", "200", "99"), ccxt.InsufficientFunds),
        (("limit", "buy", "0.1", "99"), ccxt.BadRequest),
        (("limit", "buy", "1", "10"), ccxt.InvalidOrder),
        (("limit", "buy", "1", "101", {"postOnly": True}), ccxt.OrderImmediatelyFillable),
    ],
)
def test_refusals_arrive_as_the_classes_that_clients_expect(
    served: RunningExchange, order: tuple[Any, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ccxt_of(served).create_order(SYMBOL, *order)


def test_wrong_credentials_clock_and_symbol_arrive_as_their_classes(
    served: RunningExchange,
) -> None:
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        ccxt_of(served, secret="guessed").fetch_balance()
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        ccxt_of(served, apiKey="unknown").fetch_balance()
    late = ccxt_of(served)
    late.nonce = lambda: served.exchange.clock.now_ms() - 20_000
    with pytest.raises(ccxt.InvalidNonce, match="outside of the recvWindow"):
        late.fetch_balance()
    early = ccxt_of(served)
    early.nonce = lambda: served.exchange.clock.now_ms() + 1_000
    with pytest.raises(ccxt.InvalidNonce, match="1000ms ahead"):
        early.fetch_balance()
    adjusted = ccxt_of(served, options={"adjustForTimeDifference": True})
    assert adjusted.fetch_balance()["USDT"]["free"] == "10000.00000000"
    with pytest.raises(ccxt.BadSymbol):
        adjusted.publicGetTickerPrice({"symbol": "NOSUCH"})
    served.admin.instrument("BTCUSDT", status="HALT")
    with pytest.raises(ccxt.MarketClosed):
        adjusted.create_order(SYMBOL, "limit", "buy", "1", "99")


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("drop_after", ccxt.NetworkError),
        ("reset_after", ccxt.NetworkError),
        ("html_502", ccxt.ExchangeNotAvailable),
        ({"name": "delay", "delay_ms": 2_000}, ccxt.RequestTimeout),
    ],
)
def test_an_order_can_land_although_the_client_sees_a_failure(
    served: RunningExchange, action: Any, error: type[Exception]
) -> None:
    client = ccxt_of(served, timeout=150)
    client.load_markets()
    served.admin.faults([{"method": "POST", "path": "/api/v3/order", "action": action}])
    with pytest.raises(error):
        client.create_order(SYMBOL, "limit", "buy", "1", "99", {"clientOrderId": "ghost"})
    assert client.fetch_order(None, SYMBOL, {"origClientOrderId": "ghost"})["status"] == "open"
    assert served.admin.requests()["counts"]["POST /api/v3/order"] == 1


def test_silent_garbage_reads_as_an_order_without_an_id(served: RunningExchange) -> None:
    client = ccxt_of(served)
    client.load_markets()
    served.admin.faults([{"method": "POST", "path": "/api/v3/order", "action": "null"}])
    order = client.create_order(SYMBOL, "limit", "buy", "1", "99", {"clientOrderId": "ghost"})
    assert order["id"] is None
    assert [x["client_id"] for x in served.admin.books()["orders"]] == ["ghost"]
