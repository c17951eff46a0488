"""What came of a cancel: (answer or behaviour of the server) -> outcome, through real ccxt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trader.domain.order import OrderState
from trader.domain.outcome import Accepted, NotSent, Outcome, Rejected, Unknown
from trader.venues.ccxt_venue import CcxtVenue

from .conftest import NOW_MS
from .scripted import Say, Scripted, error, said, scripted

BTC = "BTC/USDT"
CLIENT_ID = "0123456789abcdef0123456789abcdef"
ENDED: dict[str, Any] = {
    "symbol": "BTCUSDT", "origClientOrderId": CLIENT_ID, "orderId": 7, "orderListId": -1,
    "clientOrderId": "made-up", "transactTime": NOW_MS, "price": "100.00", "origQty": "0.500",
    "executedQty": "0.200", "cummulativeQuoteQty": "20.00", "status": "CANCELED",
    "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
}  # fmt: skip
PAGE = Say(200, "<html></html>", (("Content-Type", "text/html"),))

ROWS: list[tuple[str, Say, type[Outcome], str]] = [
    ("not found", error(-2011, "Unknown order sent."), Rejected, "not_found"),
    ("other refusal", error(-2011, "Order is being processed."), Rejected, "refused"),
    ("key", error(-2015, "Invalid API-key, IP, or permissions.", 401), Rejected, "auth"),
    ("clock", error(-1021, "Outside of the recvWindow."), Rejected, "clock"),
    ("timeout inside", error(-1007, "Timeout waiting for response."), Unknown, "timeout"),
    ("500", error(-2011, "Unknown order sent.", 500), Unknown, "http_500"),
    ("429", error(-1003, "Too many requests.", 429), Unknown, "rate_limited"),
    ("html", PAGE, Unknown, "garbage"),
    ("{}", Say(200, "{}"), Unknown, "garbage"),
    ("another instrument", said({**ENDED, "symbol": "ETHUSDT"}), Unknown, "garbage"),
    ("without state", said({**ENDED, "status": None}), Unknown, "garbage"),
    ("silence", Say(mode="hang"), Unknown, "timeout"),
    ("reset", Say(mode="reset"), Unknown, "no_answer"),
]


@pytest.mark.parametrize(("say", "kind", "code"), [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])  # fmt: skip
def test_an_answer_to_a_cancel_means_its_outcome(
    say: Say,
    kind: type[Outcome],
    code: str,
    serve: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
) -> None:
    server = serve(lambda _: say)
    # Only an answer that never ends may wait for the time-out: a busy machine is slow too.
    endless = say.mode in {"hang", "dribble", "unended"}
    venue = open_venue(server.base_url, timeout_ms=150 if endless else 10_000)
    outcome = venue.cancel(BTC, CLIENT_ID)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert outcome.code == code
    assert server.count("DELETE", "/api/v3/order") == 1


def test_a_cancel_tells_what_had_filled(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    outcome = open_venue(serve(lambda _: said(ENDED)).base_url).cancel(BTC, CLIENT_ID)
    assert isinstance(outcome, Accepted)
    assert (outcome.order.client_order_id, outcome.order.state) == (CLIENT_ID, OrderState.CANCELED)
    assert str(outcome.order.filled) == "0.200"


def test_cancel_all_is_none_only_when_the_venue_says_that_nothing_is_open(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: error(-2011, "Unknown order sent."))
    venue = open_venue(server.base_url)
    assert venue.cancel_all(BTC) is None
    server.answer = lambda _: said([ENDED])
    outcome = venue.cancel_all(BTC)
    assert isinstance(outcome, Accepted)
    assert outcome.order.client_order_id == CLIENT_ID
    for lie in (PAGE, Say(200, "{}"), Say(200, ""), error(-2011, "Unknown order sent.", 502)):
        server.answer = lambda _, lie=lie: lie
        assert isinstance(venue.cancel_all(BTC), Unknown)


def test_a_cancel_without_a_connection_was_not_sent(open_venue: Callable[..., CcxtVenue]) -> None:
    with scripted(lambda _: said(ENDED)) as server:
        venue = open_venue(server.base_url, timeout_ms=10_000)
        venue.instruments_for([BTC])
        venue.close()
    assert isinstance(venue.cancel(BTC, CLIENT_ID), NotSent)
