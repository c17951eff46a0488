"""A real exchange through ccxt: reads with retries, submits and cancels exactly once.

Lives here: the venue that the rest of the program talks to (`app.ports.Venue`), one method per
thing it may ask. Must not live here: what codes mean (the dialect's table), how outcomes are
decided (`outcomes`), threads and limits (`connection`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar, cast

from trader.app.ports import RawBar
from trader.core.approval import Approved
from trader.core.scale import text
from trader.domain.account import Balance, Fill
from trader.domain.instrument import Instrument
from trader.domain.market import Quote
from trader.domain.order import OrderState, VenueOrder
from trader.domain.outcome import Accepted, NotSent, Outcome, Rejected
from trader.errors import UsageError, VenueRefused, VenueUnavailable
from trader.venues import parse
from trader.venues.binance import DIALECTS
from trader.venues.connection import CallFailed, CcxtConfig, Connection
from trader.venues.dialect import Reply, SentOrder
from trader.venues.instrument_cache import InstrumentCache, Rows
from trader.venues.listing import Listing, rows_from
from trader.venues.outcomes import Barred, Garbage, absent, failed_read, failed_submit
from trader.venues.quotes import SOURCE_CALLS, NotOffered, QuoteSources, not_offered
from trader.venues.retry import Unwell, read_again

T = TypeVar("T")

# From so many instruments on, one heavy request costs less time than one request for each.
OPEN_ORDERS_SINGLE_MAX = 3
# A page of fills this long may have been cut by the venue, whatever its documentation says.
FILLS_CUT_MIN = 100


class CcxtVenue:
    """See `app.ports.Venue`. Safe to call from any number of threads.

    Attributes:
        name: the exchange's name in ccxt.
        rules_doubted: the venue refused an order for its rules since the listing was loaded.
    """

    def __init__(
        self,
        config: CcxtConfig,
        clock_ms: Callable[[], int],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Imports ccxt; no request is made. Raises UsageError or VenueRefused."""
        dialect = DIALECTS.get(config.exchange_id)
        if dialect is None:
            known = ", ".join(sorted(DIALECTS))
            raise UsageError(f"exchange {config.exchange_id!r}: not supported", f"known: {known}")
        self.name = config.exchange_id
        self.rules_doubted = False
        self.rests_stops = False  # no dialect here speaks of stop orders yet
        self._dialect = dialect
        self._clock_ms = clock_ms
        self._monotonic = monotonic
        self._sleep = sleep
        self._connection = Connection(config, dialect, clock_ms, monotonic)
        self._quotes = QuoteSources(self._read, clock_ms)
        cache: InstrumentCache | None = None
        if config.cache_path is not None:
            where = f"{config.exchange_id} {config.mode} {config.base_url}"
            cache = InstrumentCache(config.cache_path, where, config.cache_age_ms_max)
        self._listing = Listing(cache, clock_ms, self._fetch_listing, self._connection.set_markets)

    # --- limits ------------------------------------------------------------------------------

    @property
    def deadline_s(self) -> float | None:
        """Monotonic seconds after which no request starts or goes on; None for none."""
        return self._connection.deadline_s

    @deadline_s.setter
    def deadline_s(self, at_s: float | None) -> None:
        self._connection.deadline_s = at_s

    @property
    def blocked_until_ms(self) -> int:
        """The venue asked for silence until then (epoch ms); may be set from an earlier process."""
        return self._connection.blocked_until_ms

    @blocked_until_ms.setter
    def blocked_until_ms(self, until_ms: int) -> None:
        self._connection.blocked_until_ms = until_ms

    def used_weight(self) -> int:
        """Request weight used in the venue's window as it told last; 0 when it told none."""
        return self._connection.used_weight

    def abort(self) -> None:
        """End every request under way, in any thread, and refuse new ones for good."""
        self._connection.abort()

    def close(self) -> None:
        """Close idle connections."""
        self._connection.close()

    # --- instruments -------------------------------------------------------------------------

    def fetch_instruments(self) -> dict[str, Instrument]:
        """By symbol, every spot instrument the venue lists; renews the cached listing."""
        return self._listing.renewed()

    def instruments_for(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Of these symbols, those that the venue lists; from the cached listing where it is fresh
        enough and holds them all, else from the venue."""
        return self._listing.of(symbols)

    def active_symbols(self) -> list[str]:
        """Names of the instruments that can be traded now, sorted, without reading their rules."""
        return self._listing.active_symbols()

    def _fetch_listing(self) -> Rows:
        kept = self._dialect.info_kept
        rows = self._read("fetch_markets", lambda answer, _: rows_from(answer, kept))
        self.rules_doubted = False
        return rows

    # --- market data -------------------------------------------------------------------------

    def fetch_venue_ms(self) -> int:
        """The venue's clock, epoch ms."""
        return self._read("fetch_time", lambda answer, _: parse.whole(answer, "venue's time"))

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """Bars opening at or after `since_ms`, oldest first, pages joined; the last may be open."""
        self._need([symbol])
        found: list[RawBar] = []
        start_ms = since_ms
        while len(found) < limit:
            asked = min(limit - len(found), self._dialect.bars_page)
            page = self._read(
                "fetch_ohlcv",
                lambda answer, _: parse.bars_from(answer, symbol),
                symbol,
                timeframe,
                start_ms,
                asked,
            )
            fresh = [bar for bar in page if bar.open_ms >= start_ms]
            found.extend(fresh)
            if len(page) < asked or not fresh:
                break
            start_ms = max(bar.open_ms for bar in fresh) + 1
        return found[:limit]

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Best bid and ask by symbol, stamped with the time before the request left."""
        wanted = list(self._listing.of(symbols))
        if not wanted:
            return {}
        try:
            return self._quotes.fetch(wanted)
        except VenueRefused:
            if len(wanted) == 1:
                return {}
        # One instrument that the venue does not know any more must not hide the others, and with
        # hundreds of them asking for each by itself would take too long: halves find it.
        middle = len(wanted) // 2
        return self.fetch_quotes(wanted[:middle]) | self.fetch_quotes(wanted[middle:])

    # --- account -----------------------------------------------------------------------------

    def fetch_balances(self) -> dict[str, Balance]:
        """By asset; an asset that is not named holds nothing."""
        return self._read("fetch_balance", lambda answer, _: parse.balances_from(answer))

    def fetch_open_orders(self, symbols: Sequence[str]) -> list[VenueOrder]:
        """Every open order of these instruments, own and foreign."""
        self._listing.of(symbols)
        if len(symbols) <= OPEN_ORDERS_SINGLE_MAX:
            try:
                return [order for symbol in symbols for order in self._open_orders(symbol)]
            except VenueRefused:
                # An instrument that the venue does not know any more must not hide the others: a
                # refused key is refused again below.
                pass
        found = self._open_orders(None)
        return [order for order in found if order.symbol in set(symbols)]

    def _open_orders(self, symbol: str | None) -> list[VenueOrder]:
        def read(answer: Any, reply: Reply) -> list[VenueOrder]:
            if len(answer) != len(reply.parsed):
                raise Garbage("open orders: some could not be read")
            if symbol is not None:
                self._about(symbol, reply)
            return [parse.order_from(order, symbol or order["symbol"]) for order in answer]

        return self._read("fetch_open_orders", read, symbol)

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The order by our id; None only when the venue itself says it knows none."""
        self._need([symbol])

        def read(answer: Any, reply: Reply) -> VenueOrder:
            self._about(symbol, reply)
            order = parse.order_from(answer, symbol)
            if order.client_order_id != client_order_id:
                raise Garbage(f"order {order.client_order_id} for {client_order_id}")
            return order

        params = {"clientOrderId": client_order_id}
        try:
            return self._read("fetch_order", read, None, symbol, params)
        except _Absent:
            return None

    def fetch_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Every fill of the account since a time, oldest first, pages joined."""
        self._need([symbol])
        found: dict[str, Fill] = {}
        page = self._first_fills(symbol, since_ms)
        while True:
            fresh = [fill for fill in page if fill.trade_id not in found]
            found.update({fill.trade_id: fill for fill in page})
            if len(page) < FILLS_CUT_MIN or not fresh:
                break
            newest = max(int(fill.trade_id) for fill in page)
            page = self._fills(symbol, {"fromId": newest + 1})
        kept = [fill for fill in found.values() if fill.at_ms >= since_ms]
        return sorted(kept, key=lambda fill: (fill.at_ms, fill.trade_id.zfill(20)))

    def _first_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """The oldest page that starts at or before the first fill since `since_ms`."""
        now_ms = self._clock_ms()
        window_ms = self._dialect.fills_window_ms
        if now_ms - since_ms <= window_ms:
            return self._fills(symbol, {}, since_ms)
        newest = self._fills(symbol, {})
        if len(newest) < FILLS_CUT_MIN or newest[0].at_ms < since_ms:
            return newest
        # More than a page and older than a window: look for the first fill window by window.
        for start_ms in range(since_ms, newest[0].at_ms, window_ms):
            page = self._fills(symbol, {"endTime": start_ms + window_ms - 1}, start_ms)
            if page:
                return self._fills(symbol, {"fromId": min(int(fill.trade_id) for fill in page)})
        return newest

    def _fills(
        self, symbol: str, params: dict[str, Any], since_ms: int | None = None
    ) -> list[Fill]:
        def read(answer: Any, reply: Reply) -> list[Fill]:
            self._about(symbol, reply)
            if len(answer) != len(reply.parsed):
                raise Garbage("fills: some could not be read")
            return [parse.fill_from(trade, symbol) for trade in answer]

        page = self._dialect.fills_page
        return self._read("fetch_my_trades", read, symbol, since_ms, page, params)

    # --- orders ------------------------------------------------------------------------------

    def submit(self, order: Approved) -> Outcome:
        """Send one approved order, once: never another type, or more or less, than approved."""
        kind, tif = self._dialect.order_types.get(order.order_type, ("", ""))
        if not kind:
            return Rejected("order_type", f"{self.name}: {order.order_type} orders are not offered")
        wanted = SentOrder(
            order.client_order_id,
            kind,
            str(order.side),
            str(order.tif) if tif else "",
            text(order.qty),
            text(order.price),
        )

        def inspect(method: str, url: str, body: str) -> None:
            """What leaves must be what was approved: ccxt rounds and rewrites."""
            _ = method, url
            leaving = self._dialect.sent_order(body)
            if leaving is None or not _same(leaving, wanted):
                raise Barred("altered", f"ccxt would send {leaving}, approved was {wanted}")

        def read(answer: Any, reply: Reply) -> Outcome:
            return self._answered(order, answer, reply)

        params = {"clientOrderId": order.client_order_id}
        if tif:
            params[tif] = str(order.tif).upper()
        args = (order.symbol, kind, wanted.side, wanted.qty, wanted.price, params)
        return self._act("create_order", order.symbol, read, *args, inspect=inspect)

    def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel by our id; Rejected('not_found') when the venue knows no open one."""

        def read(answer: Any, reply: Reply) -> Outcome:
            self._about(symbol, reply)
            return Accepted(parse.order_from(answer, symbol, client_order_id))

        params = {"clientOrderId": client_order_id}
        return self._act("cancel_order", symbol, read, None, symbol, params)

    def cancel_all(self, symbol: str) -> Outcome | None:
        """Cancel every open order of an instrument, foreign ones too; None: nothing was open.

        An Accepted holds the last of the orders that ended.
        """

        def read(answer: Any, reply: Reply) -> Outcome:
            self._about(symbol, reply)
            orders = [
                parse.order_from(order, symbol, str(order["info"].get("origClientOrderId") or ""))
                for order in answer
            ]
            return Accepted(orders[-1]) if orders else Rejected("not_found", "nothing was open")

        outcome = self._act("cancel_all_orders", symbol, read, symbol)
        nothing = isinstance(outcome, Rejected) and outcome.code == "not_found"
        return None if nothing else outcome

    def _answered(self, order: Approved, answer: Any, reply: Reply) -> Outcome:
        """The outcome of a submit that was answered with an order."""
        shown = order.client_order_id
        self._about(order.symbol, reply)
        if answer.get("clientOrderId") != shown:
            raise Garbage(f"an answer about {answer.get('clientOrderId')} for {shown}")
        if "status" not in reply.parsed:
            # An acknowledgement: it has the order, the rest is still to be asked.
            venue_id = parse.text_of(answer.get("id"), "order: id")
            taken = VenueOrder(
                shown, venue_id, order.symbol, order.side, OrderState.OPEN,
                order.qty, Decimal(0), order.price, self._clock_ms(),
            )  # fmt: skip
            return Accepted(taken)
        seen = parse.order_from(answer, order.symbol)
        if (seen.side, seen.qty, seen.price) != (order.side, order.qty, order.price):
            raise Garbage(f"order {shown} is shown as {seen.side} {seen.qty} at {seen.price}")
        if seen.state is OrderState.REJECTED:
            return Rejected("refused", "the venue shows the order as rejected")
        trades = cast("list[dict[str, Any]]", answer.get("trades") or [])
        fills = tuple(parse.fill_from(trade, order.symbol, seen) for trade in trades)
        return Accepted(seen, fills)

    # --- calls -------------------------------------------------------------------------------

    def _need(self, symbols: Sequence[str]) -> None:
        """Load the rules of instruments that were not loaded; VenueRefused when one is unknown."""
        known = self._listing.of(symbols)
        if len(symbols) == 1 and symbols[0] not in known:
            raise VenueRefused(f"{self.name}: {symbols[0]} is not listed", "check the universe")

    def _act(
        self,
        name: str,
        symbol: str,
        read: Callable[[Any, Reply], Outcome],
        *args: Any,
        inspect: Callable[[str, str, str], None] | None = None,
    ) -> Outcome:
        """A request that may change the account: once, its outcome as a value."""
        try:
            self._need([symbol])
        except VenueRefused as error:
            return Rejected("bad_symbol", error.what)
        except VenueUnavailable as error:
            return NotSent("no_instruments", error.what)
        try:
            return self._connection.call(name, read, *args, inspect=inspect)
        except CallFailed as failed:
            outcome = failed_submit(
                self._dialect, left=failed.left, reply=failed.reply, error=failed.error
            )
            self._doubt_rules(failed.reply)
        return type(outcome)(outcome.code, self._connection.say(outcome.text))

    def _about(self, symbol: str, reply: Reply) -> None:
        """Raises Garbage when an answer is about another instrument: ccxt does not look."""
        told: Any = reply.parsed
        rows = cast("list[dict[str, Any]]", told if isinstance(told, list) else [told])
        wanted = self._listing.venue_id(symbol)
        for row in rows:
            if row.get(self._dialect.symbol_key) != wanted:
                raise Garbage(f"{symbol}: an answer about {row.get(self._dialect.symbol_key)}")

    def _doubt_rules(self, reply: Reply | None) -> None:
        told = self._dialect.error_of(reply.parsed) if reply else None
        if told and told[0] in self._dialect.rules_codes:
            self.rules_doubted = True
            self._listing.doubt()

    def _read(self, name: str, read: Callable[[Any, Reply], T], *args: Any) -> T:
        """An idempotent request, tried again within the deadline while the venue is unwell."""

        def attempt() -> T:
            try:
                return self._connection.call(name, read, *args)
            except CallFailed as failed:
                raise self._explained(name, args, failed) from None

        return read_again(
            attempt,
            deadline_s=self._connection.deadline_s,
            monotonic=self._monotonic,
            sleep=self._sleep,
        )

    def _explained(self, name: str, args: tuple[Any, ...], failed: CallFailed) -> Exception:
        """The exception that a failed read becomes, fit to be shown and written down."""
        if name == "fetch_order" and absent(self._dialect, failed.reply):
            return _Absent()
        subject = next((f" {arg}" for arg in args if isinstance(arg, str)), "")
        error = failed_read(
            self._dialect,
            f"{self.name} {name}{subject}",
            reply=failed.reply,
            error=failed.error,
            now_ms=self._clock_ms(),
        )
        said = self._connection.say(error.what)
        if isinstance(error, VenueRefused):
            return VenueRefused(said, error.hint)
        if name in SOURCE_CALLS and not_offered(self._dialect, failed.reply):
            return NotOffered(said)
        if isinstance(error, Barred):
            return Barred(error.barred_code, said, retry_at_ms=error.retry_at_ms)
        if error.retry_at_ms:
            return VenueUnavailable(said, error.hint, retry_at_ms=error.retry_at_ms)
        return Unwell(said, error.hint)


class _Absent(Exception):
    """The venue knows no such order."""


def _same(leaving: SentOrder, wanted: SentOrder) -> bool:
    words = ("client_order_id", "kind", "side", "tif")
    if any(getattr(leaving, name) != getattr(wanted, name) for name in words):
        return False
    try:
        return Decimal(leaving.qty) == Decimal(wanted.qty) and (
            Decimal(leaving.price) == Decimal(wanted.price)
        )
    except ArithmeticError:
        return False
