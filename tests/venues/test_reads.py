"""Reads: what is no answer is never taken for an empty one, and pages are joined."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from trader.domain.order import OrderState
from trader.errors import VenueRefused, VenueUnavailable
from trader.venues.ccxt_venue import CcxtVenue

from .conftest import NOW_MS
from .scripted import Asked, Say, Scripted, error, said

BTC = "BTC/USDT"
HTML = (("Content-Type", "text/html"),)
READS: dict[str, Callable[[CcxtVenue], Any]] = {
    "clock": lambda venue: venue.fetch_venue_ms(),
    "listing": lambda venue: venue.fetch_instruments(),
    "balances": lambda venue: venue.fetch_balances(),
    "open orders": lambda venue: venue.fetch_open_orders([BTC]),
    "order": lambda venue: venue.fetch_order(BTC, "a" * 32),
    "fills": lambda venue: venue.fetch_fills(BTC, NOW_MS - 1000),
    "bars": lambda venue: venue.fetch_bars(BTC, "1m", NOW_MS - 120_000, 2),
    "quotes": lambda venue: venue.fetch_quotes([BTC]),
}
GARBAGE: dict[str, Say] = {
    "html": Say(200, "<html></html>", HTML),
    "empty": Say(200, ""),
    "null": Say(200, "null"),
    "an empty object": Say(200, "{}"),
    "a list of null": Say(200, "[null]"),
    "a list of lists": Say(200, "[[]]"),
    "a list of numbers": Say(200, "[1]"),
    "half": Say(200, '[{"symbol": "BTCUSDT"'),
    "a redirect": Say(302, "", (("Location", "/elsewhere"),)),
    "a bad gateway": Say(502, "<html></html>", HTML),
    "a firewall": Say(403, "<html></html>", HTML),
    "nothing": Say(mode="close"),
    "half a body": Say(200, json.dumps([{"symbol": "BTCUSDT"}]), mode="cut"),
}


@pytest.mark.parametrize("what", GARBAGE)
@pytest.mark.parametrize("read", READS)
def test_what_is_no_answer_is_unavailable(
    what: str, read: str, serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: GARBAGE[what])
    venue = open_venue(server.base_url)
    venue.instruments_for([BTC])
    server.listing = GARBAGE[what]
    with pytest.raises(VenueUnavailable):
        READS[read](venue)
    # Idempotent, so it was tried again, a bounded number of times.
    assert len(server.asked) == 1 + 4


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (error(-2015, "Invalid API-key, IP, or permissions for action.", 401), VenueRefused),
        (error(-2014, "API-key format invalid.", 401), VenueRefused),
        (error(-1022, "Signature for this request is not valid."), VenueRefused),
        (error(-1121, "Invalid symbol."), VenueRefused),
        (Say(451, "Service unavailable from a restricted location", HTML), VenueRefused),
        (error(-1021, "Timestamp is outside of the recvWindow."), VenueUnavailable),
        (error(-1003, "Too many requests.", 429, Retry_After="7"), VenueUnavailable),
    ],
)
def test_a_refused_read_says_so_and_is_not_repeated_for_a_key(
    say: Say,
    kind: type[Exception],
    serve: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
) -> None:
    server = serve(lambda _: say)
    venue = open_venue(server.base_url)
    with pytest.raises(kind) as raised:
        venue.fetch_balances()
    told = str(raised.value)
    assert "test-key" not in told
    assert "test-secret" not in told
    if kind is VenueRefused or say.status == 429:
        assert server.count("GET", "/api/v3/account") == 1


def test_a_rate_limit_names_the_time_until_which_to_be_silent(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: error(-1003, "Too many requests.", 429, Retry_After="7"))
    venue = open_venue(server.base_url)
    with pytest.raises(VenueUnavailable) as raised:
        venue.fetch_balances()
    assert raised.value.retry_at_ms == NOW_MS + 7_000
    with pytest.raises(VenueUnavailable):
        venue.fetch_venue_ms()
    assert len(server.asked) == 1


def test_a_read_succeeds_when_the_second_try_does(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    answers = [Say(502, "", HTML), said({"serverTime": 17}, X_MBX_USED_WEIGHT_1M="41")]
    server = serve(lambda _: answers.pop(0))
    venue = open_venue(server.base_url)
    assert venue.fetch_venue_ms() == 17
    assert venue.used_weight() == 41
    assert len(server.asked) == 2


def test_no_try_begins_after_the_deadline(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: Say(502, "", HTML))
    venue = open_venue(server.base_url)
    venue.deadline_s = 0.0  # long ago, in monotonic seconds
    with pytest.raises(VenueUnavailable, match="deadline"):
        venue.fetch_venue_ms()
    assert server.asked == []


def test_an_order_is_none_only_when_the_venue_says_so(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: error(-2013, "Order does not exist."))
    venue = open_venue(server.base_url)
    assert venue.fetch_order(BTC, "a" * 32) is None
    server.answer = lambda _: error(-2013, "Order does not exist.", 500)
    with pytest.raises(VenueUnavailable):
        venue.fetch_order(BTC, "a" * 32)


def test_another_order_than_the_one_asked_for_is_garbage(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: said(_row("b" * 32)))
    venue = open_venue(server.base_url)
    with pytest.raises(VenueUnavailable):
        venue.fetch_order(BTC, "a" * 32)
    server.answer = lambda _: said({**_row("a" * 32), "symbol": "ETHUSDT"})
    with pytest.raises(VenueUnavailable):
        venue.fetch_order(BTC, "a" * 32)


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("NEW", "0", OrderState.OPEN),
        ("PENDING_NEW", "0", OrderState.OPEN),
        ("PARTIALLY_FILLED", "0.2", OrderState.OPEN),
        ("FILLED", "0.5", OrderState.FILLED),
        ("CANCELED", "0.2", OrderState.CANCELED),
        ("EXPIRED", "0.2", OrderState.EXPIRED),
        ("EXPIRED_IN_MATCH", "0", OrderState.EXPIRED),
        ("REJECTED", "0", OrderState.REJECTED),
    ],
)
def test_every_state_of_the_venue_is_one_of_ours(
    status: str,
    filled: str,
    state: OrderState,
    serve: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
) -> None:
    server = serve(lambda _: said({**_row("a" * 32), "status": status, "executedQty": filled}))
    order = open_venue(server.base_url).fetch_order(BTC, "a" * 32)
    assert order is not None
    assert (order.state, order.filled) == (state, Decimal(filled))


def test_many_instruments_are_asked_for_in_one_request_and_foreign_ones_left_out(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    rows = [_row("a" * 32), {**_row("stranger"), "symbol": "XYZUSDT", "orderId": 8}]
    server = serve(lambda _: said(rows))
    venue = open_venue(server.base_url)
    found = venue.fetch_open_orders([BTC, "ETH/USDT", "SOL/USDT", "ADA/USDT"])
    assert [order.client_order_id for order in found] == ["a" * 32]
    assert server.count("GET", "/api/v3/openOrders") == 1
    assert "symbol=" not in server.asked[-1].query


def test_one_delisted_instrument_does_not_hide_the_orders_of_the_others(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    def answer(asked: Asked) -> Say:
        if "symbol=" in asked.query:
            return error(-1121, "Invalid symbol.")
        return said([_row("a" * 32)])

    venue = open_venue(serve(answer).base_url)
    found = venue.fetch_open_orders([BTC])
    assert [order.client_order_id for order in found] == ["a" * 32]


def test_one_unknown_instrument_does_not_hide_the_quotes_of_the_others(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: error(-1121, "Invalid symbol."))
    venue = open_venue(server.base_url)
    server.answer = lambda _: said(
        [{"symbol": "BTCUSDT", "bidPrice": "1.00", "bidQty": "2", "askPrice": "0", "askQty": "0"}]
    )
    quotes = venue.fetch_quotes([BTC, "NO/USDT"])
    assert list(quotes) == [BTC]
    assert (quotes[BTC].bid, quotes[BTC].ask, quotes[BTC].at_ms) == (Decimal(1), 0, NOW_MS)


@pytest.mark.parametrize("bad", ["NaN", "abc", None, "1e99"])
def test_a_quote_that_is_no_number_is_left_out(
    bad: Any, serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    row = {"symbol": "BTCUSDT", "bidPrice": bad, "bidQty": "2", "askPrice": bad, "askQty": "1"}
    server = serve(lambda _: said([row]))
    assert open_venue(server.base_url).fetch_quotes([BTC]) == {}


@pytest.mark.parametrize("bad", ["NaN", "-1", "abc", None])
def test_a_balance_that_is_no_amount_makes_the_answer_garbage(
    bad: Any, serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    rows = [{"asset": "USDT", "free": bad, "locked": "0"}]
    server = serve(lambda _: said({"balances": rows, "canTrade": True}))
    with pytest.raises(VenueUnavailable):
        open_venue(server.base_url).fetch_balances()


def test_bars_are_joined_from_pages_and_may_be_impossible(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    first_ms, step_ms = NOW_MS - 1_500 * 60_000, 60_000

    def answer(asked: Asked) -> Say:
        query = dict(parse_qsl(asked.query))
        start = max(0, (int(query["startTime"]) - first_ms + step_ms - 1) // step_ms)
        rows = [
            [first_ms + i * step_ms, "100", "99", "101", "-1", "NaN", 0, "0", 0, "0", "0", "0"]
            for i in range(start, min(1_500, start + int(query["limit"])))
        ]
        return said(rows)

    server = serve(answer)
    bars = open_venue(server.base_url).fetch_bars(BTC, "1m", first_ms, 1_200)
    assert [bar.open_ms for bar in bars] == [first_ms + i * step_ms for i in range(1_200)]
    assert (bars[0].high, bars[0].low, bars[0].close, bars[0].volume) == ("99", "101", "-1", "NaN")
    assert server.count("GET", "/api/v3/klines") == 2


@pytest.mark.parametrize("age_ms", [3_600_000, 30 * 86_400_000])
@pytest.mark.parametrize("count", [0, 1, 99, 1_000, 2_345])
def test_fills_are_complete_and_in_order_whatever_the_pages(
    age_ms: int,
    count: int,
    serve: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
) -> None:
    since_ms = NOW_MS - age_ms
    kept = [_trade(i, since_ms + i * (age_ms // (count + 1))) for i in range(count)]
    rows = [_trade(-i, since_ms - i * 1000) for i in range(5, 0, -1)] + kept
    server = serve(lambda asked: _my_trades(rows, asked))
    fills = open_venue(server.base_url).fetch_fills(BTC, since_ms)
    assert [fill.trade_id for fill in fills] == [str(row["id"]) for row in kept]


def _my_trades(rows: list[dict[str, Any]], asked: Asked) -> Say:
    """As documented: newest rows without a start, oldest with one, never more than a day."""
    query = dict(parse_qsl(asked.query))
    limit = min(int(query.get("limit", "500")), 1_000)
    if "fromId" in query:
        return said([row for row in rows if row["id"] >= int(query["fromId"])][:limit])
    if "startTime" in query:
        start = int(query["startTime"])
        end = int(query.get("endTime", start + 86_400_000 - 1))
        assert end - start < 86_400_000
        return said([row for row in rows if start <= row["time"] <= end][:limit])
    return said(rows[-limit:])


def test_threads_use_instances_of_their_own(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda asked: said(_row(dict(parse_qsl(asked.query))["origClientOrderId"])))
    venue = open_venue(server.base_url)
    venue.instruments_for([BTC])
    wrong: list[str] = []

    def ask(number: int) -> None:
        for i in range(20):
            own = f"{number:02d}{i:030d}"
            order = venue.fetch_order(BTC, own)
            if order is None or order.client_order_id != own:
                wrong.append(own)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_abort_ends_a_read_that_waits_in_another_thread(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    reached = threading.Event()

    def answer(_: Asked) -> Say:
        reached.set()
        return Say(mode="dribble")

    venue = open_venue(serve(answer).base_url, timeout_ms=60_000)
    raised: list[BaseException] = []

    def read() -> None:
        try:
            venue.fetch_venue_ms()
        except VenueUnavailable as stopped:
            raised.append(stopped)

    thread = threading.Thread(target=read)
    thread.start()
    assert reached.wait(5)
    venue.abort()
    thread.join(5)
    assert not thread.is_alive()
    assert len(raised) == 1


def test_an_alarm_ends_a_read_of_the_main_thread(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    venue = open_venue(serve(lambda _: Say(mode="hang")).base_url, timeout_ms=60_000)

    def ring(*_: object) -> None:
        venue.abort()
        raise VenueUnavailable("the run took too long")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(VenueUnavailable, match="too long"):
            venue.fetch_venue_ms()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _row(client_id: str) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "orderId": 7, "orderListId": -1, "clientOrderId": client_id,
        "price": "100.00", "origQty": "0.500", "executedQty": "0", "cummulativeQuoteQty": "0",
        "status": "NEW", "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "time": NOW_MS,
        "updateTime": NOW_MS,
    }  # fmt: skip


def _trade(number: int, at_ms: int) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "id": 1_000_000 + number, "orderId": 7, "price": "100.00",
        "qty": "0.001", "quoteQty": "0.1", "commission": "0.000001", "commissionAsset": "BTC",
        "time": at_ms, "isBuyer": True, "isMaker": False,
    }  # fmt: skip
