"""The listing on disk: read by symbol, renewed in time, never believed when odd."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.venue_contract import approved
from trader.domain.order import Side
from trader.domain.outcome import Rejected
from trader.domain.timeframe import DAY_MS
from trader.venues.ccxt_venue import CcxtVenue
from trader.venues.instrument_cache import InstrumentCache

from .conftest import NOW_MS
from .scripted import LISTING, Scripted, error, said

BTC = "BTC/USDT"
LISTED = "/api/v3/exchangeInfo"


@pytest.fixture
def cached(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue], tmp_path: Path
) -> Callable[..., tuple[Scripted, Callable[..., CcxtVenue]]]:
    """A server and venues that share one cache file."""

    def make() -> tuple[Scripted, Callable[..., CcxtVenue]]:
        server = serve(lambda _: error(-1013, "Filter failure: LOT_SIZE"))
        path = tmp_path / "state" / "markets.json"

        def fresh(now_ms: int = NOW_MS) -> CcxtVenue:
            return open_venue(server.base_url, clock=lambda: now_ms, cache_path=path)

        return server, fresh

    return make


def test_a_second_process_asks_the_venue_for_nothing(cached: Callable[..., Any]) -> None:
    server, fresh = cached()
    first = fresh().instruments_for([BTC])
    assert fresh(NOW_MS + DAY_MS).instruments_for([BTC]) == first
    assert first[BTC].tick == Decimal("0.01")
    assert server.count("GET", LISTED) == 1


@pytest.mark.parametrize("later_ms", [DAY_MS + 1, -1])
def test_a_listing_that_is_old_or_from_the_future_is_renewed(
    later_ms: int, cached: Callable[..., Any]
) -> None:
    server, fresh = cached()
    fresh().instruments_for([BTC])
    fresh(NOW_MS + later_ms).instruments_for([BTC])
    assert server.count("GET", LISTED) == 2


def test_an_instrument_that_the_file_does_not_hold_is_looked_for_at_the_venue(
    cached: Callable[..., Any],
) -> None:
    server, fresh = cached()
    fresh().instruments_for([BTC])
    venue = fresh()
    assert list(venue.instruments_for([BTC, "NEW/USDT"])) == [BTC]
    assert venue.instruments_for(["NEW/USDT"]) == {}
    assert server.count("GET", LISTED) == 2


def test_names_of_what_can_be_traded_come_from_the_file_without_a_request(
    cached: Callable[..., Any],
) -> None:
    server, fresh = cached()
    first = fresh()
    instruments = first.fetch_instruments()
    tradable = sorted(s for s, instrument in instruments.items() if instrument.active)
    assert BTC in tradable
    assert first.active_symbols() == tradable
    assert fresh().active_symbols() == tradable
    assert server.count("GET", LISTED) == 1
    assert fresh(NOW_MS + DAY_MS + 1).active_symbols() == tradable
    assert server.count("GET", LISTED) == 2


def test_a_line_of_an_inactive_instrument_is_no_name(tmp_path: Path) -> None:
    cache = InstrumentCache(tmp_path / "markets.json", "here", DAY_MS)
    rows = {
        name: {"symbol": name, "tick": "0.01", "active": active, "ccxt": {"active": 1}}
        for name, active in (("OFF/USDT", 0), ("ON/USDT", 1), ("A/USDT", 1))
    }
    cache.save(rows, NOW_MS)
    assert cache.active_symbols(NOW_MS) == ["A/USDT", "ON/USDT"]
    assert cache.active_symbols(NOW_MS + DAY_MS + 1) is None
    assert cache.active_symbols(NOW_MS - 1) is None


def test_an_order_refused_for_its_rules_makes_the_listing_doubtful(
    cached: Callable[..., Any],
) -> None:
    server, fresh = cached()
    venue = fresh()
    assert isinstance(venue.submit(approved(Side.BUY, "100", "1")), Rejected)
    assert venue.rules_doubted
    fresh().instruments_for([BTC])
    assert server.count("GET", LISTED) == 2


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[]\n{}", b'{"version": 1}\n'])
def test_a_file_that_is_not_a_listing_counts_as_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "markets.json"
    path.write_bytes(content)
    assert InstrumentCache(path, "here", DAY_MS).load([BTC], NOW_MS) is None


def test_the_listing_of_another_venue_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "markets.json"
    InstrumentCache(path, "here", DAY_MS).save({BTC: {"symbol": BTC, "tick": "1"}}, NOW_MS)
    assert InstrumentCache(path, "here", DAY_MS).load([BTC], NOW_MS) == {
        BTC: {"symbol": BTC, "tick": "1"}
    }
    assert InstrumentCache(path, "there", DAY_MS).load([BTC], NOW_MS) is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_next_request(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    cache = InstrumentCache(blocked / "markets.json", "here", DAY_MS)
    cache.save({BTC: {"symbol": BTC}}, NOW_MS)
    cache.drop()
    assert cache.load([BTC], NOW_MS) is None


def test_an_instrument_with_impossible_rules_is_left_out_of_the_listing(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: said({}))
    odd = {**LISTING["symbols"][0], "symbol": "ODDUSDT", "baseAsset": "ODD", "filters": []}
    halted = {**LISTING["symbols"][0], "symbol": "OFFUSDT", "baseAsset": "OFF", "status": "BREAK"}
    server.listing = said({"symbols": [*LISTING["symbols"], odd, halted]})
    found = open_venue(server.base_url).fetch_instruments()
    assert sorted(found) == [BTC, "OFF/USDT"]
    assert not found["OFF/USDT"].active
