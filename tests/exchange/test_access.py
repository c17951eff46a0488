"""Who may ask: keys, signatures, time windows, weights and bans, each with its HTTP status."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest

from trader.exchange.server import RunningExchange

from .conftest import FLAT, MINUTE_MS, START_MS, Customer

AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."
OUTSIDE = "Timestamp for this request is outside of the recvWindow."
NOT_ALLOWED = "Invalid API-key, IP, or permissions for action."


@pytest.fixture
def served(bar_file: Callable[..., str], serve: Callable[..., RunningExchange]) -> RunningExchange:
    """An exchange of flat bars."""
    return serve(bar_file([FLAT] * 5))


@pytest.fixture
def who(served: RunningExchange, customer: Callable[..., Customer]) -> Customer:
    """A customer of it."""
    return customer(served)


def _sign(secret: str, payload: str) -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def test_a_signature_covers_query_and_body_together(who: Customer) -> None:
    query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
    body = f"quantity=1&price=50&timestamp={who.now_ms}"
    digest = _sign(who.secret, query + body)
    headers = {"X-MBX-APIKEY": who.key}
    # Hex digits of either case are accepted, and the signature may stand in either part.
    for signed_query, signed_body in [
        (query, f"{body}&signature={digest.upper()}"),
        (f"{query}&signature={digest}", body),
    ]:
        answer = who.send("POST", f"/api/v3/order?{signed_query}", signed_body, headers)
        assert (answer.status, answer.json["status"]) == (200, "NEW")
    forged = who.send("POST", f"/api/v3/order?{query}", f"{body}0&signature={digest}", headers)
    assert forged.refusal == (400, -1021, AHEAD), "a longer stamp is another stamp"
    forged = who.send("POST", f"/api/v3/order?x=1&{query}", f"{body}&signature={digest}", headers)
    assert forged.refusal == (400, -1022, "Signature for this request is not valid.")


def test_a_wrong_secret_leaves_the_books_alone(
    served: RunningExchange, customer: Callable[..., Customer]
) -> None:
    thief = customer(served, secret="guessed")
    answer = thief.limit("BUY", "1", "50")
    assert answer.refusal == (400, -1022, "Signature for this request is not valid.")
    assert served.admin.books()["orders"] == []


def test_keys_are_refused_by_form_by_name_and_by_right(
    served: RunningExchange, who: Customer, customer: Callable[..., Customer]
) -> None:
    nobody = customer(served, key="")
    assert nobody.signed("GET", "account").refusal == (401, -2014, "API-key format invalid.")
    stranger = customer(served, key="somebody")
    assert stranger.signed("GET", "account").refusal == (401, -2015, NOT_ALLOWED)
    served.admin.key(trading=False)
    assert who.limit("BUY", "1", "50").refusal == (401, -2015, NOT_ALLOWED)
    assert who.signed("GET", "account").json["canTrade"] is False
    rights = who.signed("GET", "/sapi/v1/account/apiRestrictions").json
    assert (rights["enableSpotAndMarginTrading"], rights["enableWithdrawals"]) == (False, False)
    served.admin.key(enabled=False)
    assert who.signed("GET", "account").refusal == (401, -2015, NOT_ALLOWED)


def test_the_time_window_is_the_documented_one(who: Customer) -> None:
    now = who.now_ms

    def ask(**stamps: Any) -> tuple[int, int, str] | int:
        answer = who.signed("GET", "openOrders", symbol="BTCUSDT", **stamps)
        return answer.status if answer.status == 200 else answer.refusal

    assert ask(timestamp=now + 999) == 200
    assert ask(timestamp=now + 1000) == (400, -1021, AHEAD)
    assert ask(timestamp=now - 5000) == 200, "5000 ms is the window of whoever names none"
    assert ask(timestamp=now - 5001) == (400, -1021, OUTSIDE)
    assert ask(timestamp=now - 60_000, recvWindow=60_000) == 200
    assert ask(timestamp=now * 1000) == 200, "microseconds"
    assert ask(recvWindow=60_001) == (400, -1131, "recvWindow must be less than 60000.")
    missing = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
    assert ask(timestamp="") == (400, -1102, missing.format("timestamp"))
    bare = who.send("GET", f"/api/v3/account?timestamp={now}", headers={"X-MBX-APIKEY": who.key})
    assert bare.refusal == (400, -1102, missing.format("signature"))


def test_weights_are_counted_by_the_minute_of_the_exchange(
    served: RunningExchange, who: Customer
) -> None:
    costs = [
        (lambda: who.get("time"), 1),
        (lambda: who.get("exchangeInfo"), 20),
        (lambda: who.get("klines", symbol="BTCUSDT", interval="1m"), 2),
        (lambda: who.get("depth", symbol="BTCUSDT"), 5),
        (lambda: who.get("depth", symbol="BTCUSDT", limit=1000), 50),
        (lambda: who.get("ticker/24hr", symbol="BTCUSDT"), 2),
        (lambda: who.get("ticker/24hr"), 80),
        (lambda: who.get("ticker/bookTicker"), 4),
        (lambda: who.signed("GET", "account"), 20),
        (lambda: who.signed("GET", "openOrders", symbol="BTCUSDT"), 6),
        (lambda: who.signed("GET", "openOrders"), 80),
        (lambda: who.signed("GET", "allOrders", symbol="BTCUSDT"), 20),
        (lambda: who.signed("GET", "myTrades", symbol="BTCUSDT"), 20),
        (lambda: who.limit("BUY", "1", "50"), 1),
        (lambda: who.signed("DELETE", "openOrders", symbol="BTCUSDT"), 1),
        (lambda: who.signed("GET", "order", symbol="BTCUSDT", orderId=1), 4),
    ]
    used = 0
    for ask, cost in costs:
        used += cost
        assert ask().headers["X-MBX-USED-WEIGHT-1M"] == str(used)
    coins = who.signed("GET", "/sapi/v1/capital/config/getall")
    assert coins.headers["X-SAPI-USED-IP-WEIGHT-1M"] == "10"
    served.admin.advance(MINUTE_MS)
    assert who.get("time").headers["X-MBX-USED-WEIGHT-1M"] == "1"


def test_too_much_weight_is_warned_of_then_banned_ever_longer(
    bar_file: Callable[..., str],
    serve: Callable[..., RunningExchange],
    customer: Callable[..., Customer],
) -> None:
    now = START_MS + 2 * MINUTE_MS + 25_000
    served = serve(bar_file([FLAT] * 5), weight_max=20, now_ms=now)
    who = customer(served)
    assert who.signed("GET", "account").status == 200
    for _ in range(10):
        warned = who.get("time")
        assert (warned.status, warned.json["code"]) == (429, -1003)
        assert warned.headers["Retry-After"] == "35", "the minute ends in 35 seconds"
        assert "current limit is 20 request weight per 1 MINUTE" in warned.json["msg"]
    for ban_s in (120, 240):
        banned = who.get("time")
        until = served.admin.clock()["now_ms"] + ban_s * 1000
        assert (banned.status, banned.json["code"]) == (418, -1003)
        assert banned.headers["Retry-After"] == str(ban_s)
        assert f"IP banned until {until}." in banned.json["msg"]
        served.admin.set_clock(until - 1)
        assert who.get("time").status == 418
        served.admin.set_clock(until + 60_000)
        assert who.get("time").status == 200
        for _ in range(11):
            who.get("exchangeInfo")


def test_orders_are_counted_and_limited(
    bar_file: Callable[..., str],
    serve: Callable[..., RunningExchange],
    customer: Callable[..., Customer],
) -> None:
    served = serve(bar_file([FLAT] * 5), orders_10s_max=2, now_ms=START_MS + 127_000)
    who = customer(served)
    for count in (1, 2):
        answer = who.limit("BUY", "1", "50")
        assert answer.headers["X-MBX-ORDER-COUNT-10S"] == str(count)
        assert answer.headers["X-MBX-ORDER-COUNT-1D"] == str(count)
    text = "Too many new orders; current limit is 2 orders per 10 SECOND."
    full = who.limit("BUY", "1", "50")
    assert full.refusal == (429, -1015, text)
    assert full.headers["Retry-After"] == "3", "the window ends in three seconds"
    served.admin.advance(10_000)
    who.now_ms += 10_000
    answer = who.limit("BUY", "1", "50")
    assert answer.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert answer.headers["X-MBX-ORDER-COUNT-1D"] == "3"


def test_unknown_paths_and_broken_requests_are_answered(who: Customer) -> None:
    assert who.send("GET", "/api/v3/nothing").status == 404
    assert who.send("PATCH", "/api/v3/time").status == 405
    assert who.send("GET", "/fapi/v1/exchangeInfo").json == {"symbols": []}
    assert who.send("GET", "/api/v3/time", headers={"Transfer-Encoding": "chunked"}).status == 400
