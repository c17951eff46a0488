"""Best bid and ask, from whichever of its sources the venue offers.

Lives here: the order in which sources are asked (book ticker, day ticker, order book, day ticker
of one instrument), and what counts as "not offered". Must not live here: whether a quote is good
enough to trade on (gates), requests and retries (`ccxt_venue`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol, cast

from trader.domain.market import Quote
from trader.errors import VenueUnavailable
from trader.venues import parse
from trader.venues.dialect import Dialect, Reply

DEPTH_ROWS = 5  # the fewest that every venue of this dialect serves
Quotes = dict[str, Quote]


class NotOffered(VenueUnavailable):
    """The venue has no such source, or not in the form in which it was asked: not a fault."""


class Read(Protocol):
    """An idempotent request by its ccxt name, and what `read` makes of the answer."""

    def __call__(self, name: str, read: Callable[[Any, Reply], Quotes], *args: Any) -> Quotes:
        """Raises VenueUnavailable (NotOffered among it) or VenueRefused."""
        ...


class QuoteSources:
    """Remembers which source answered, so that the others are asked about once in a process."""

    def __init__(self, read: Read, clock_ms: Callable[[], int]) -> None:
        self._read = read
        self._clock_ms = clock_ms
        self._sources = (self._book_tickers, self._day_tickers, self._books, self._day_tickers_each)
        self._first = 0

    def fetch(self, symbols: list[str]) -> Quotes:
        """Quotes of listed instruments; raises VenueRefused for one that the venue has dropped."""
        for index in range(self._first, len(self._sources) - 1):
            try:
                return self._sources[index](symbols)
            except NotOffered:
                self._first = index + 1
        return self._sources[-1](symbols)

    def _book_tickers(self, symbols: list[str]) -> Quotes:
        return self._tickers("fetch_bids_asks", symbols)

    def _day_tickers(self, symbols: list[str]) -> Quotes:
        return self._tickers("fetch_tickers", symbols)

    def _tickers(self, name: str, symbols: list[str]) -> Quotes:
        at_ms = self._clock_ms()

        def read(answer: Any, _: Reply) -> Quotes:
            return _quotes({symbol: answer.get(symbol) for symbol in symbols}, at_ms)

        return self._read(name, read, symbols)

    def _books(self, symbols: list[str]) -> Quotes:
        return self._each(symbols, "fetch_order_book", _top_of, DEPTH_ROWS)

    def _day_tickers_each(self, symbols: list[str]) -> Quotes:
        return self._each(symbols, "fetch_ticker", _as_it_is)

    def _each(
        self, symbols: list[str], name: str, ticker_of: Callable[[Any, Reply], Any], *args: Any
    ) -> Quotes:
        found: Quotes = {}
        for symbol in symbols:
            at_ms = self._clock_ms()

            def read(answer: Any, reply: Reply, symbol: str = symbol, at_ms: int = at_ms) -> Quotes:
                return _quotes({symbol: ticker_of(answer, reply)}, at_ms)

            found |= self._read(name, read, symbol, *args)
        return found


SOURCE_CALLS = frozenset({"fetch_bids_asks", "fetch_tickers", "fetch_order_book", "fetch_ticker"})
_NOT_KNOWN = frozenset({400, 404, 405, 410, 501})


def not_offered(dialect: Dialect, reply: Reply | None) -> bool:
    """Whether an answer says that the request itself is not known here: no such path, or a proper
    error about its parameters. What is refused, unwell or about an instrument is not."""
    if reply is None:
        return False
    told = dialect.error_of(reply.parsed)
    verdict = dialect.verdict(*told) if told else None
    if verdict is not None:
        return reply.status < 500 and verdict.code == "bad_request"
    return reply.status in _NOT_KNOWN


def _quotes(tickers: Mapping[str, Any], at_ms: int) -> Quotes:
    quotes = [parse.quote_from(row, name, at_ms) for name, row in tickers.items() if row]
    return {quote.symbol: quote for quote in quotes if quote is not None}


def _as_it_is(answer: Any, _: Reply) -> Any:
    return answer


def _top_of(_: Any, reply: Reply) -> dict[str, Any]:
    """The best rows of an order book under the names of a ticker; an empty side is a zero.

    Read from the answer as it came, and by value: ccxt turns a book's numbers into floats.
    """
    top: dict[str, Any] = {}
    for side, best, price, size in _SIDES:
        rows = cast("Sequence[Sequence[Any]]", reply.parsed[side])
        first = best(rows, key=_price) if rows else ("0", "0")
        top[price], top[size] = first[0], first[1]
    return top


def _price(row: Sequence[Any]) -> Decimal:
    return parse.exact(row[0], "order book: price")


_SIDES: tuple[tuple[str, Callable[..., Sequence[Any]], str, str], ...] = (
    ("bids", max, "bid", "bidVolume"),
    ("asks", min, "ask", "askVolume"),
)
