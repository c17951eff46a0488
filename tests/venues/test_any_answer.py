"""Whatever a server answers, a submit has an outcome and a read an answer or a named error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.venue_contract import approved
from trader.domain.order import Side
from trader.domain.outcome import Accepted, Rejected, Unknown
from trader.errors import VenueRefused, VenueUnavailable
from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue

from .conftest import NOW_MS
from .scripted import Asked, Say, Scripted, scripted
from .test_reads import READS, _row
from .test_submit_outcomes import CLIENT_ID, ORDER

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**20), st.text(max_size=6),
    st.sampled_from(["NaN", "Infinity", "-1", "0", "1e400", "FILLED", "BTCUSDT", "0.5"]),
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*ORDER, "code", "msg", "balances"]), inner, max_size=4)
    ),
    max_leaves=8,
)
QUIET = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Scripted, CcxtVenue]]:
    """One server and one venue for all examples."""
    with scripted(lambda _: Say(200, "{}")) as server:
        config = CcxtConfig("binance", "testnet", server.base_url, "key", "secret", 2_000)
        venue = CcxtVenue(config, lambda: NOW_MS, sleep=lambda _: None)
        venue.instruments_for(["BTC/USDT"])
        yield server, venue
        venue.close()


@QUIET
@given(
    status=st.sampled_from([200, 200, 200, 201, 400, 401, 404, 418, 429, 500, 503]),
    base=st.sampled_from([ORDER, {"code": -2010, "msg": "Market is closed."}, {}]),
    changes=st.dictionaries(st.sampled_from([*ORDER, "code", "msg"]), JSON, max_size=3),
)
def test_a_submit_is_accepted_only_by_the_order_itself(
    pair: tuple[Scripted, CcxtVenue], status: int, base: dict[str, Any], changes: dict[str, Any]
) -> None:
    server, venue = pair
    body = {**base, **changes}
    server.answer = lambda _: Say(status, json.dumps(body))
    venue.blocked_until_ms = 0
    outcome = venue.submit(approved(Side.BUY, "100", "0.5", client_id=CLIENT_ID))
    assert isinstance(outcome, Accepted | Rejected | Unknown)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert body["clientOrderId"] == CLIENT_ID
        assert body["symbol"] == "BTCUSDT"
        assert str(body["orderId"]) == outcome.order.venue_order_id
    if isinstance(outcome, Rejected):
        assert status < 500
        assert "code" in body or body.get("status") == "REJECTED"


@QUIET
@given(read=st.sampled_from(sorted(READS)), body=JSON, row=st.booleans())
def test_a_read_answers_or_names_its_error(
    pair: tuple[Scripted, CcxtVenue], read: str, body: Any, row: bool
) -> None:
    server, venue = pair
    told = [{**_row("a" * 32), "status": body}] if row else body

    def answer(asked: Asked) -> Say:
        return Say(200, json.dumps(told))

    server.answer, before = answer, server.listing
    server.listing = Say(200, json.dumps(told))
    said = "binance"
    try:
        READS[read](venue)
    except (VenueUnavailable, VenueRefused) as named:
        said = named.what
    finally:
        server.listing = before
    assert said.startswith("binance")


def test_the_reads_are_all_there() -> None:
    assert len(READS) == 8
    assert all(isinstance(read, Callable) for read in READS.values())
