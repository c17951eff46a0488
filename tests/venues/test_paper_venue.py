"""The paper venue: bars walked once, money to the last unit, kills survived."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.venue_contract import approved
from trader.app.ports import RawBar
from trader.domain.account import Balance
from trader.domain.instrument import Instrument
from trader.domain.market import Quote
from trader.domain.order import OrderState, Side, TimeInForce
from trader.domain.outcome import Accepted, NotSent, Rejected
from trader.errors import VenueRefused, VenueUnavailable
from trader.venues.paper_venue import PaperVenue

D = Decimal
BTC = "BTC/USDT"
START_MS = 1_700_006_400_000
MINUTE_MS = 60_000
GTC = TimeInForce.GTC


@dataclass
class StillMarket:
    """Market data from memory: a real source of the port, driven by the test."""

    name: str = "still"
    now_ms: int = START_MS
    bars: list[RawBar] = field(default_factory=list[RawBar])
    quote: Quote | None = None
    down: bool = False
    active: bool = True
    bar_reads: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def _check(self) -> None:
        if self.down:
            raise VenueUnavailable("the market does not answer")

    def fetch_instruments(self) -> dict[str, Instrument]:
        self._check()
        rules = Instrument(
            BTC, "BTC", "USDT", D("0.01"), D("0.001"), D("0.001"), D(100), D(10), D("0.001"),
            D("0.0005"), active=self.active,
        )  # fmt: skip
        return {BTC: rules}

    def instruments_for(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        return {s: rules for s, rules in self.fetch_instruments().items() if s in symbols}

    def fetch_venue_ms(self) -> int:
        return self.now_ms

    def fetch_bars(self, symbol: str, timeframe: str, since_ms: int, limit: int) -> list[RawBar]:
        self._check()
        self.bar_reads.append((since_ms, limit))
        return [bar for bar in self.bars if bar.open_ms >= since_ms][:limit]

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        self._check()
        return {BTC: self.quote} if self.quote else {}


def _bar(number: int, *values: str) -> RawBar:
    """The number-th minute since START_MS: open, high, low, close, volume."""
    return RawBar(START_MS + number * MINUTE_MS, *values)


@pytest.fixture
def market() -> StillMarket:
    quote = Quote(BTC, START_MS, D("99.99"), D("100.01"), D(3), D(2))
    return StillMarket(quote=quote)


@pytest.fixture
def open_paper(market: StillMarket, tmp_path: Path) -> Callable[..., PaperVenue]:
    """Opens the venue, again and again on the same books."""

    def make(**options: Any) -> PaperVenue:
        start = {"USDT": "1000", "BTC": "5"}
        return PaperVenue(market, tmp_path / "p" / "paper.json", lambda: market.now_ms, start,
                          **options)  # fmt: skip

    return make


# Order, then the bar after it -> what fills at what price. The bar is open high low close volume.
WALKS: list[tuple[str, Side, str, str, tuple[str, ...], list[tuple[str, str]]]] = [
    ("through", Side.BUY, "96", "1", ("100", "100", "95", "97", "50"), [("96", "1")]),
    ("only touched", Side.BUY, "96", "1", ("100", "100", "96", "97", "50"), []),
    ("away", Side.BUY, "94", "1", ("100", "100", "95", "97", "50"), []),
    ("opens below", Side.BUY, "96", "1", ("90", "97", "89", "91", "50"), [("96", "1")]),
    ("thin", Side.BUY, "96", "1", ("100", "100", "95", "97", "0.25"), [("96", "0.25")]),
    ("empty", Side.BUY, "96", "1", ("100", "100", "95", "97", "0"), []),
    ("sale through", Side.SELL, "104", "1", ("100", "105", "99", "101", "50"), [("104", "1")]),
    ("sale touched", Side.SELL, "104", "1", ("100", "104", "99", "101", "50"), []),
    ("sale opens above", Side.SELL, "104", "1", ("106", "107", "99", "101", "50"), [("104", "1")]),
    ("off the grid", Side.BUY, "96", "1", ("100", "100", "95.999", "97", "50"), []),
    ("impossible bar", Side.BUY, "96", "1", ("100", "90", "95", "97", "50"), []),
    ("a bar of NaN", Side.BUY, "96", "1", ("NaN", "100", "95", "97", "50"), []),
    ("a bar of zero", Side.BUY, "96", "1", ("100", "100", "0", "97", "50"), []),
]


@pytest.mark.parametrize(("side", "limit", "qty", "bar", "filled"), [row[1:] for row in WALKS],
                         ids=[row[0] for row in WALKS])  # fmt: skip
def test_a_resting_order_meets_a_bar(
    side: Side,
    limit: str,
    qty: str,
    bar: tuple[str, ...],
    filled: list[tuple[str, str]],
    market: StillMarket,
    open_paper: Callable[..., PaperVenue],
) -> None:
    venue = open_paper()
    order = approved(side, limit, qty, GTC)
    assert isinstance(venue.submit(order), Accepted)
    market.bars = [_bar(0, *bar)]
    market.now_ms += MINUTE_MS
    fills = venue.fetch_fills(BTC, 0)
    assert [(fill.price, fill.qty) for fill in fills] == [(D(p), D(q)) for p, q in filled]
    assert all(fill.maker and fill.at_ms == START_MS + MINUTE_MS for fill in fills)
    # The same bar is never walked twice, whoever asks.
    assert open_paper().fetch_fills(BTC, 0) == fills
    assert len(market.bar_reads) == 1


def test_every_bar_since_the_last_look_is_walked(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    order = approved(Side.BUY, "96", "1", GTC)
    assert isinstance(venue.submit(order), Accepted)
    market.bars = [_bar(i, "100", "100", "99", "100", "9") for i in range(40)]
    market.bars[17] = _bar(17, "100", "100", "95", "97", "0.4")
    market.bars[33] = _bar(33, "100", "100", "95", "97", "0.4")
    market.now_ms += 10 * MINUTE_MS
    assert venue.fetch_fills(BTC, 0) == []
    market.now_ms += 30 * MINUTE_MS
    times = [fill.at_ms for fill in open_paper().fetch_fills(BTC, 0)]
    assert times == [START_MS + 18 * MINUTE_MS, START_MS + 34 * MINUTE_MS]
    assert market.bar_reads == [(START_MS, 10), (START_MS + 10 * MINUTE_MS, 30)]


def test_a_quote_beyond_an_order_at_rest_has_met_it(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    order = approved(Side.BUY, "96", "1", GTC, order_type="post_only")
    assert isinstance(venue.submit(order), Accepted)
    for ask, fills in (("96.01", 0), ("96", 0), ("95.99", 1)):
        market.now_ms += 1_000
        market.quote = Quote(BTC, market.now_ms, D("95.9"), D(ask), D(9), D(9))
        assert len(venue.fetch_fills(BTC, 0)) == fills, ask
    (fill,) = venue.fetch_fills(BTC, 0)
    assert (fill.price, fill.qty, fill.maker) == (D(96), D(1), True)


def test_an_order_placed_inside_a_bar_does_not_fill_from_what_came_before_it(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    market.now_ms += 1
    venue = open_paper()
    assert isinstance(venue.submit(approved(Side.BUY, "96", "1", GTC)), Accepted)
    market.bars = [_bar(0, "100", "100", "95", "97", "50")]
    market.now_ms += MINUTE_MS
    assert venue.fetch_fills(BTC, 0) == []


def test_a_younger_order_does_not_fill_from_the_bars_of_an_older_one(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    old, young = approved(Side.BUY, "90", "1", GTC), approved(Side.BUY, "96", "1", GTC)
    assert isinstance(venue.submit(old), Accepted)
    market.bars = [_bar(i, "100", "100", "95", "97", "50") for i in range(3)]
    market.bars += [_bar(3, "100", "100", "97", "97", "50")]
    market.now_ms += 3 * MINUTE_MS
    assert isinstance(venue.submit(young), Accepted)
    market.now_ms += MINUTE_MS
    assert venue.fetch_fills(BTC, 0) == []
    assert market.bar_reads == [(START_MS, 4)]


def test_two_orders_share_the_volume_of_a_bar(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    for _ in range(2):
        assert isinstance(venue.submit(approved(Side.BUY, "96", "1", GTC)), Accepted)
    market.bars = [_bar(0, "100", "100", "95", "97", "1.5")]
    market.now_ms += MINUTE_MS
    assert [fill.qty for fill in venue.fetch_fills(BTC, 0)] == [D(1), D("0.5")]


def test_money_is_exact_after_a_part_fill_and_a_cancel(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    order = approved(Side.BUY, "96", "2", GTC)
    assert isinstance(venue.submit(order), Accepted)
    assert venue.fetch_balances()["USDT"] == Balance("USDT", D(808), D(192))
    market.bars = [_bar(0, "90", "97", "89", "91", "0.5")]
    market.now_ms += MINUTE_MS
    # 0.5 at 96 costs 48, though the bar opens below: it was met at its own price. 1.5 stay locked;
    # the maker's fee of 0.05 % is taken in BTC.
    assert venue.fetch_balances() == {
        "USDT": Balance("USDT", D(808), D(144)),
        "BTC": Balance("BTC", D("5.49975"), D(0)),
    }
    assert isinstance(venue.cancel(BTC, order.client_order_id), Accepted)
    assert venue.fetch_balances()["USDT"] == Balance("USDT", D(952), D(0))


def test_a_fee_in_quote_is_part_of_what_is_held_back(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper(fee_in_base=False)
    assert isinstance(venue.submit(approved(Side.BUY, "96", "2", GTC)), Accepted)
    assert venue.fetch_balances()["USDT"].locked == D("192.192")
    market.bars = [_bar(0, "100", "100", "95", "97", "9")]
    market.now_ms += MINUTE_MS
    assert venue.fetch_balances()["USDT"] == Balance("USDT", D("807.904"), D(0))
    (fill,) = venue.fetch_fills(BTC, 0)
    assert (fill.fee, fill.fee_asset) == (D("0.096"), "USDT")


def test_a_market_that_is_down_places_nothing(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    market.down = True
    outcome = venue.submit(approved(Side.BUY, "100.01", "1"))
    assert isinstance(outcome, NotSent)
    market.down = False
    assert venue.fetch_order(BTC, "a" * 32) is None
    assert venue.fetch_balances()["USDT"].free == 1000


def test_a_quote_without_a_side_fills_nothing(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    for quote in (None, Quote(BTC, START_MS, D(0), D(0))):
        market.quote = quote
        outcome = open_paper().submit(approved(Side.BUY, "100.01", "1"))
        assert isinstance(outcome, Accepted)
        assert (outcome.order.state, outcome.fills) == (OrderState.EXPIRED, ())


@pytest.mark.parametrize(
    ("price", "qty", "code"),
    [("100.001", "1", "precision"), ("100", "1.0005", "precision"), ("1", "200", "filter"),
     ("100", "0.05", "notional_min"), ("100", "50", "insufficient_balance")],
)  # fmt: skip
def test_an_order_that_breaks_a_rule_is_rejected(
    price: str, qty: str, code: str, open_paper: Callable[..., PaperVenue]
) -> None:
    outcome = open_paper().submit(approved(Side.BUY, price, qty))
    assert isinstance(outcome, Rejected)
    assert outcome.code == code


def test_a_halted_instrument_takes_no_orders(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    market.active = False
    outcome = open_paper().submit(approved(Side.BUY, "100.01", "1"))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "market_closed"


def test_a_reset_begins_again_and_never_uses_a_number_twice(
    market: StillMarket, open_paper: Callable[..., PaperVenue]
) -> None:
    venue = open_paper()
    first = venue.submit(approved(Side.BUY, "100.01", "1"))
    venue.reset()
    assert venue.fetch_balances() == {
        "USDT": Balance("USDT", D(1000), D(0)),
        "BTC": Balance("BTC", D(5), D(0)),
    }
    assert venue.fetch_fills(BTC, 0) == []
    market.now_ms += 1
    venue.reset()
    second = venue.submit(approved(Side.BUY, "100.01", "1"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert first.fills[0].trade_id != second.fills[0].trade_id


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 2}', b"\xff"])
def test_books_that_cannot_be_read_are_named_and_left_alone(
    content: bytes, open_paper: Callable[..., PaperVenue], tmp_path: Path
) -> None:
    path = tmp_path / "p" / "paper.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(VenueRefused, match=r"paper\.json.*reset"):
        open_paper().fetch_balances()
    assert path.read_bytes() == content


def test_two_processes_may_work_on_one_book(open_paper: Callable[..., PaperVenue]) -> None:
    first, second = open_paper(), open_paper()
    order = approved(Side.BUY, "90", "1", GTC)
    assert isinstance(first.submit(order), Accepted)
    assert isinstance(second.cancel(BTC, order.client_order_id), Accepted)
    assert first.fetch_open_orders([BTC]) == []
    assert first.fetch_balances()["USDT"] == Balance("USDT", D(1000), D(0))


def test_threads_lose_no_order(open_paper: Callable[..., PaperVenue]) -> None:
    venue = open_paper()

    def place() -> None:
        for _ in range(5):
            venue.submit(approved(Side.BUY, "20", "0.5", GTC))

    threads = [threading.Thread(target=place) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(venue.fetch_open_orders([BTC])) == 20
    assert venue.fetch_balances()["USDT"] == Balance("USDT", D(800), D(200))


_CHILD = """
import sys
from pathlib import Path
from tests.contracts.venue_contract import approved
from tests.venues.test_paper_venue import BTC, StillMarket, Quote, START_MS, D
from trader.domain.order import Side, TimeInForce
from trader.venues.paper_venue import PaperVenue
market = StillMarket(quote=Quote(BTC, START_MS, D("99.99"), D("100.01")))
start = {"USDT": "1000000", "BTC": "5"}
venue = PaperVenue(market, Path(sys.argv[1]), lambda: market.now_ms, start)
for i in range(1000):
    order = approved(Side.BUY, "100.01", "0.1", client_id=f"{i:032d}")
    venue.submit(order)
    print(i, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 23])
def test_a_kill_at_any_moment_leaves_whole_books_with_every_answered_order(
    after: int, tmp_path: Path
) -> None:
    path = tmp_path / "paper.json"
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(path)],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    ) as child:  # fmt: skip
        assert child.stdout is not None
        answered = -1
        for line in child.stdout:
            answered = int(line)
            if answered >= after:
                os.kill(child.pid, signal.SIGKILL)
                break
        answered = max([answered, *(int(line) for line in child.stdout.read().split())])
    books = json.loads(path.read_bytes())
    ids = [order["row"]["client_id"] for order in books["orders"]]
    assert ids[: answered + 1] == [f"{i:032d}" for i in range(answered + 1)]
    assert len(ids) - (answered + 1) in (0, 1)
    bought = sum(D(fill["qty"]) for fill in books["fills"])
    assert D(books["balances"]["USDT"][0]) == D(1000000) - bought * D("100.01")
    assert books["balances"]["USDT"][1] == "0"
