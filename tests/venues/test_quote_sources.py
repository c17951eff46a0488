"""Quotes come from whichever source a venue offers, and a fault is not taken for a missing one."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from trader.errors import VenueUnavailable
from trader.venues.ccxt_venue import CcxtVenue

from .conftest import NOW_MS
from .scripted import LISTING, Asked, Say, Scripted, error, said

BTC, ETH = "BTC/USDT", "ETH/USDT"
HTML = (("Content-Type", "text/html"),)
BOOK, DAY, DEPTH = "/api/v3/ticker/bookTicker", "/api/v3/ticker/24hr", "/api/v3/depth"
NO_SUCH: dict[str, Say] = {
    "a page": Say(404, "<html>Not Found</html>", HTML),
    "an empty object": said({}, 404),
    "no such method": said({"error": "unknown path"}, 405),
    "an unknown parameter": error(-1101, "Too many parameters; expected '1' and received '2'."),
    "an illegal parameter": error(-1104, "Not all sent parameters were read."),
}


def _ticker(symbol: str) -> dict[str, str]:
    return {"symbol": symbol, "bidPrice": "99.9", "bidQty": "2", "askPrice": "100.0", "askQty": "3"}


def _offering(offered: set[str], missing: Say) -> Callable[[Asked], Say]:
    """A venue with these paths; `/one` means: only for one instrument at a time."""

    def answer(asked: Asked) -> Say:
        query = parse_qs(asked.query)
        if "symbols" in query:
            many = [_ticker(symbol) for symbol in json.loads(query["symbols"][0])]
            return said(many) if asked.path in offered else missing
        if asked.path + "/one" not in offered:
            return missing
        if asked.path == DEPTH:
            # Text order would put 99.9 before 100.0 among the asks, and 9.9 first of the bids.
            bids, asks = [["9.9", "5"], ["99.9", "2"]], [["100.5", "9"], ["100.0", "3"]]
            return said({"lastUpdateId": 1, "bids": bids, "asks": asks})
        return said(_ticker(query["symbol"][0]))

    return answer


@pytest.fixture
def two_instruments(
    serve: Callable[..., Scripted],
) -> Callable[[Callable[[Asked], Say]], Scripted]:
    def start(answer: Callable[[Asked], Say]) -> Scripted:
        first = LISTING["symbols"][0]
        second = {**first, "symbol": "ETHUSDT", "baseAsset": "ETH"}
        server = serve(answer)
        server.listing = said({"symbols": [first, second]})
        return server

    return start


@pytest.mark.parametrize("missing", NO_SUCH)
@pytest.mark.parametrize(
    "offered", [{BOOK}, {DAY}, {DEPTH + "/one"}, {DAY + "/one"}, {DAY, DEPTH + "/one"}]
)
def test_quotes_come_from_whichever_source_is_offered(
    offered: set[str],
    missing: str,
    two_instruments: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
) -> None:
    server = two_instruments(_offering(offered, NO_SUCH[missing]))
    quotes = open_venue(server.base_url).fetch_quotes([BTC, ETH])
    assert sorted(quotes) == [BTC, ETH]
    for quote in quotes.values():
        seen = (quote.bid, quote.bid_qty, quote.ask, quote.ask_qty, quote.at_ms)
        assert seen == (Decimal("99.9"), 2, Decimal("100.0"), 3, NOW_MS)


def test_a_source_that_is_not_offered_is_asked_for_once_in_a_process(
    two_instruments: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = two_instruments(_offering({DEPTH + "/one"}, NO_SUCH["a page"]))
    venue = open_venue(server.base_url)
    for _ in range(3):
        assert len(venue.fetch_quotes([BTC])) == 1
    assert [server.count("GET", path) for path in (BOOK, DAY, DEPTH)] == [1, 1, 3]


def test_an_empty_side_of_a_book_is_a_zero_price(
    two_instruments: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    def answer(asked: Asked) -> Say:
        book = {"lastUpdateId": 1, "bids": [], "asks": [["100.0", "3"]]}
        return said(book) if asked.path == DEPTH else NO_SUCH["a page"]

    quote = open_venue(two_instruments(answer).base_url).fetch_quotes([BTC])[BTC]
    assert (quote.bid, quote.ask) == (0, 100)


@pytest.mark.parametrize(
    "fault", [Say(502, "<html></html>", HTML), Say(200, "{}"), error(-1003, "Too many.", 429)]
)
def test_a_fault_is_not_taken_for_a_missing_source(
    fault: Say, two_instruments: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    def answer(asked: Asked) -> Say:
        return fault if asked.path == BOOK else _offering({DAY}, fault)(asked)

    server = two_instruments(answer)
    with pytest.raises(VenueUnavailable):
        open_venue(server.base_url).fetch_quotes([BTC])
    assert server.count("GET", DAY) == 0


def test_a_venue_without_any_source_of_quotes_is_unavailable(
    two_instruments: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = two_instruments(_offering(set(), NO_SUCH["a page"]))
    with pytest.raises(VenueUnavailable):
        open_venue(server.base_url).fetch_quotes([BTC])
