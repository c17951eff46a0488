"""What came of a submit: (answer or behaviour of the server) -> outcome, through real ccxt."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.venue_contract import approved
from trader.domain.order import OrderState, Side, TimeInForce
from trader.domain.outcome import Accepted, NotSent, Outcome, Rejected, Unknown
from trader.venues.ccxt_venue import CcxtVenue

from .conftest import NOW_MS
from .scripted import Asked, Say, Scripted, error, said, scripted

CLIENT_ID = "0123456789abcdef0123456789abcdef"
ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT", "orderId": 7, "orderListId": -1, "clientOrderId": CLIENT_ID,
    "transactTime": NOW_MS, "price": "100.00", "origQty": "0.500", "executedQty": "0.500",
    "cummulativeQuoteQty": "50.00", "status": "FILLED", "timeInForce": "IOC", "type": "LIMIT",
    "side": "BUY", "fills": [{"price": "100.00", "qty": "0.500", "commission": "0.0005",
                              "commissionAsset": "BTC", "tradeId": 9}],
}  # fmt: skip
ACK = {name: ORDER[name] for name in ("symbol", "orderId", "clientOrderId", "transactTime")}
HTML = (("Content-Type", "text/html"),)
PAGE = "<html><body>Welcome</body></html>"
REVOKED = "Invalid API-key, IP, or permissions for action."


def _but(**changes: Any) -> Say:
    return said({**ORDER, **changes})


def _without(*names: str) -> Say:
    return said({name: value for name, value in ORDER.items() if name not in names})


ROWS: list[tuple[str, Say, type[Outcome], str]] = [
    # The venue's own no.
    ("balance", error(-2010, "Account has insufficient balance for requested action."),
     Rejected, "insufficient_balance"),
    ("closed", error(-2010, "Market is closed."), Rejected, "market_closed"),
    ("closed by filter", error(-1013, "Market is closed."), Rejected, "market_closed"),
    ("would take", error(-2010, "Order would immediately match and take."), Rejected, "would_take"),
    ("not enabled", error(-2010, "Rest API trading is not enabled."), Rejected, "no_right"),
    ("new words", error(-2010, "Something that was never said before."), Rejected, "refused"),
    ("notional", error(-1013, "Filter failure: NOTIONAL"), Rejected, "notional_min"),
    ("lot", error(-1013, "Filter failure: LOT_SIZE"), Rejected, "filter"),
    ("price", error(-1013, "Filter failure: PRICE_FILTER"), Rejected, "filter"),
    ("percent", error(-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"), Rejected, "filter"),
    ("precision", error(-1111, "Parameter 'quantity' has too much precision."),
     Rejected, "precision"),
    ("symbol", error(-1121, "Invalid symbol."), Rejected, "bad_symbol"),
    ("parameter", error(-1102, "Mandatory parameter 'price' was not sent."),
     Rejected, "bad_request"),
    ("clock behind", error(-1021, "Timestamp for this request is outside of the recvWindow."),
     Rejected, "clock"),
    ("clock ahead", error(-1021, "Timestamp for this request was 1000ms ahead."),
     Rejected, "clock"),
    ("signature", error(-1022, "Signature for this request is not valid."), Rejected, "auth"),
    ("key format", error(-2014, "API-key format invalid.", 401), Rejected, "auth"),
    ("key revoked", error(-2015, REVOKED, 401), Rejected, "auth"),
    ("no window", error(-2016, "No trading window could be found."), Rejected, "market_closed"),
    ("no said with 200", error(-2010, "Market is closed.", 200), Rejected, "market_closed"),
    ("shown as rejected", _but(status="REJECTED", executedQty="0", fills=[]), Rejected, "refused"),
    # It may have landed.
    ("duplicate", error(-2010, "Duplicate order sent."), Unknown, "duplicate"),
    ("timeout inside", error(-1007, "Timeout waiting for response from backend server."),
     Unknown, "timeout"),
    ("unexpected inside", error(-1006, "Execution status unknown."), Unknown, "timeout"),
    ("disconnected", error(-1001, "Internal error; unable to process."), Unknown, "server"),
    ("unknown inside", error(-1000, "An unknown error occurred."), Unknown, "server"),
    ("overloaded", error(-1008, "Server is currently overloaded."), Unknown, "server"),
    ("a code nobody knows", error(-9999, "What is this?"), Unknown, "venue_code"),
    ("429", error(-1003, "Too many requests.", 429, Retry_After="35"), Unknown, "rate_limited"),
    ("429 orders", error(-1015, "Too many new orders.", 429), Unknown, "rate_limited"),
    ("418", error(-1003, f"IP banned until {NOW_MS + 5000}.", 418), Unknown, "rate_limited"),
    ("429 html", Say(429, PAGE, HTML), Unknown, "rate_limited"),
    ("500 json", error(-1000, "Oops.", 500), Unknown, "http_500"),
    ("500 with a no in it", error(-2010, "Market is closed.", 500), Unknown, "http_500"),
    ("502 html", Say(502, PAGE, HTML), Unknown, "http_502"),
    ("503 html", Say(503, PAGE, HTML), Unknown, "http_503"),
    ("504 html", Say(504, PAGE, HTML), Unknown, "http_504"),
    ("403 html of a firewall", Say(403, PAGE, HTML), Unknown, "http_403"),
    ("404 html", Say(404, PAGE, HTML), Unknown, "http_404"),
    ("408", Say(408, "", HTML), Unknown, "http_408"),
    ("302 elsewhere", Say(302, "", (("Location", "http://127.0.0.1:1/"),)), Unknown, "http_302"),
    ("302 nowhere", Say(302, "", HTML), Unknown, "http_302"),
    # Garbage that says success.
    ("200 html", Say(200, PAGE, HTML), Unknown, "garbage"),
    ("200 empty", Say(200, ""), Unknown, "garbage"),
    ("200 null", Say(200, "null"), Unknown, "garbage"),
    ("200 {}", Say(200, "{}"), Unknown, "garbage"),
    ("200 []", Say(200, "[]"), Unknown, "garbage"),
    ("200 [null]", Say(200, "[null]"), Unknown, "garbage"),
    ("200 a number", Say(200, "17"), Unknown, "garbage"),
    ("200 half of the json", Say(200, json.dumps(ORDER)[:90]), Unknown, "garbage"),
    ("200 deep", Say(200, "[" * 100_000), Unknown, "garbage"),
    ("200 without id", _without("orderId"), Unknown, "garbage"),
    ("200 id null", _but(orderId=None), Unknown, "garbage"),
    ("200 of another id", _but(clientOrderId="f" * 32), Unknown, "garbage"),
    ("200 of another symbol", _but(symbol="ETHUSDT"), Unknown, "garbage"),
    ("200 other side", _but(side="SELL"), Unknown, "garbage"),
    ("200 other quantity", _but(origQty="5.000"), Unknown, "garbage"),
    ("200 other price", _but(price="1.00"), Unknown, "garbage"),
    ("200 NaN", _but(executedQty="NaN"), Unknown, "garbage"),
    ("200 filled more than asked", _but(executedQty="0.9"), Unknown, "garbage"),
    ("200 strange status", _but(status="MAYBE"), Unknown, "garbage"),
    ("200 fill without id", _but(fills=[{"price": "100", "qty": "0.5"}]), Unknown, "garbage"),
    # Connections that end.
    ("closed without a byte", Say(mode="close"), Unknown, "no_answer"),
    ("reset", Say(mode="reset"), Unknown, "no_answer"),
    ("silence", Say(mode="hang"), Unknown, "timeout"),
    ("a byte at a time for ever", Say(mode="dribble"), Unknown, "timeout"),
    ("whole, but cut by ourselves", Say(200, json.dumps(ORDER), mode="unended"),
     Unknown, "timeout"),
    ("cut in the body", Say(200, json.dumps(ORDER), mode="cut"), Unknown, "no_answer"),
]  # fmt: skip


def _order() -> Any:
    return approved(Side.BUY, "100", "0.5", TimeInForce.IOC, client_id=CLIENT_ID)


@pytest.fixture
def submit(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> Callable[[Say], tuple[Outcome, Scripted, CcxtVenue]]:
    """Submits one order to a server that answers it so."""

    def run(say: Say) -> tuple[Outcome, Scripted, CcxtVenue]:
        server = serve(lambda _: say)
        # Only an answer that never ends may wait for the time-out: a busy machine is slow too.
        endless = say.mode in {"hang", "dribble", "unended"}
        venue = open_venue(server.base_url, timeout_ms=150 if endless else 10_000)
        venue.instruments_for(["BTC/USDT"])
        return venue.submit(_order()), server, venue

    return run


def test_the_table_has_its_rows() -> None:
    assert len(ROWS) >= 60
    assert len({name for name, *_ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("say", "kind", "code"), [row[1:] for row in ROWS],
                         ids=[row[0] for row in ROWS])  # fmt: skip
def test_an_answer_means_its_outcome(
    say: Say, kind: type[Outcome], code: str, submit: Callable[..., Any]
) -> None:
    outcome, server, _ = submit(say)
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert outcome.code == code
    assert server.count("POST", "/api/v3/order") == 1
    assert "signature=" not in outcome.text.replace("signature=***", "")


def test_a_full_answer_is_accepted_with_its_fills(submit: Callable[..., Any]) -> None:
    outcome, server, _ = submit(said(ORDER))
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.venue_order_id) == (OrderState.FILLED, "7")
    assert [(fill.trade_id, fill.fee_asset) for fill in outcome.fills] == [("9", "BTC")]
    sent = server.asked[-1].body
    assert f"newClientOrderId={CLIENT_ID}" in sent
    assert "timeInForce=IOC" in sent
    assert "quoteOrderQty" not in sent


def test_an_acknowledgement_is_accepted_as_open(submit: Callable[..., Any]) -> None:
    outcome, _, _ = submit(said(ACK))
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.filled) == (OrderState.OPEN, 0)


def test_a_port_that_is_closed_since_the_listing_means_not_sent(
    open_venue: Callable[..., CcxtVenue],
) -> None:
    with scripted(lambda _: said(ORDER)) as server:
        venue = open_venue(server.base_url, timeout_ms=10_000)
        venue.instruments_for(["BTC/USDT"])
        venue.close()
    outcome = venue.submit(_order())
    assert isinstance(outcome, NotSent)
    assert outcome.code == "no_connection"


def test_without_a_listing_nothing_is_sent(
    open_venue: Callable[..., CcxtVenue], serve: Callable[..., Scripted]
) -> None:
    server = serve(lambda _: said(ORDER))
    server.listing = Say(502, PAGE, HTML)
    outcome = open_venue(server.base_url).submit(_order())
    assert isinstance(outcome, NotSent)
    assert outcome.code == "no_instruments"
    assert server.count("POST", "/api/v3/order") == 0


def test_a_host_that_cannot_be_resolved_means_not_sent(
    serve: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(lambda _: said(ORDER))
    venue = open_venue(server.base_url)
    venue.instruments_for(["BTC/USDT"])
    venue.close()

    def fail(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    outcome = venue.submit(_order())
    assert isinstance(outcome, NotSent)
    assert outcome.code == "no_connection"


def test_a_kept_connection_that_dies_under_the_request_is_unknown(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    def answer(asked: Asked) -> Say:
        return said({"serverTime": NOW_MS}) if asked.path.endswith("/time") else Say(mode="reset")

    server = serve(answer)
    venue = open_venue(server.base_url)
    venue.instruments_for(["BTC/USDT"])
    assert venue.fetch_venue_ms() == NOW_MS
    outcome = venue.submit(_order())
    assert isinstance(outcome, Unknown)


def test_a_ban_is_remembered_and_no_request_leaves_until_it_ends(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    now = [NOW_MS]
    answers = [error(-1003, "Way too much.", 418, Retry_After="35"), said(ORDER)]
    server = serve(lambda _: answers.pop(0))
    venue = open_venue(server.base_url, clock=lambda: now[0])
    venue.instruments_for(["BTC/USDT"])
    assert isinstance(venue.submit(_order()), Unknown)
    assert venue.blocked_until_ms == NOW_MS + 35_000
    outcome = venue.submit(_order())
    assert isinstance(outcome, NotSent)
    assert outcome.code == "rate_limited"
    assert server.count("POST", "/api/v3/order") == 1
    now[0] += 35_000
    assert isinstance(venue.submit(_order()), Accepted)


def test_a_revoked_key_is_not_taken_for_a_rate_limit_after_a_success(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    answers = [said(ORDER), error(-2015, REVOKED, 401)]
    server = serve(lambda _: answers.pop(0))
    venue = open_venue(server.base_url)
    assert isinstance(venue.submit(_order()), Accepted)
    outcome = venue.submit(_order())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "auth"
    assert venue.blocked_until_ms == 0


def test_an_order_that_ccxt_would_change_does_not_leave(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: said(ORDER))
    venue = open_venue(server.base_url)
    # Finer than the venue's lot: ccxt would cut it off without a word.
    outcome = venue.submit(approved(Side.BUY, "100", "0.50009", client_id=CLIENT_ID))
    assert isinstance(outcome, NotSent)
    assert outcome.code == "altered"
    assert server.count("POST", "/api/v3/order") == 0


def test_after_an_abort_nothing_leaves(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: said(ORDER))
    venue = open_venue(server.base_url)
    venue.instruments_for(["BTC/USDT"])
    venue.abort()
    outcome = venue.submit(_order())
    assert isinstance(outcome, NotSent)
    assert outcome.code == "aborted"
    assert server.count("POST", "/api/v3/order") == 0


def test_a_listing_without_order_types_leaves_the_last_word_to_the_venue(
    open_venue: Callable[..., CcxtVenue], serve: Callable[..., Scripted]
) -> None:
    server = serve(lambda _: said(ORDER))
    listed = json.loads(server.listing.body)
    del listed["symbols"][0]["orderTypes"]
    server.listing = said(listed)
    assert isinstance(open_venue(server.base_url).submit(_order()), Accepted)
