"""The paper venue: live market data in, modelled fills out, books of its own.

Lives here: what a venue does with an order (checks, locks, fills, fees, cancels), with the same
fill rules as the back-test (`core.fills`). It answers like a real venue, refusals included, so
that nothing above it needs to know. Must not live here: where the market data comes from, and the
file of the books (`paper_books`).

An order that rests is walked through every closed 1m bar that opened after it was placed (within a
bar nobody knows what came first), whenever the venue is asked for something of its instrument. So
is the quote of that moment: a price beyond an order that rests has met it already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from trader.app.ports import MarketData, RawBar
from trader.core.approval import Approved
from trader.core.fills import fill_ioc, fill_payload, fill_resting, modelled_fee
from trader.core.scale import (
    ScaleError,
    Spec,
    cash_digits_for,
    fee_up,
    notional_up,
    text,
    to_decimal,
    to_units_rounded,
)
from trader.core.state import Order
from trader.domain.account import Balance, Fill
from trader.domain.instrument import Instrument
from trader.domain.market import Quote, bar_problem
from trader.domain.order import OrderState, Side, TimeInForce, VenueOrder
from trader.domain.outcome import Accepted, NotSent, Outcome, Rejected, Unknown
from trader.domain.timeframe import MINUTE_MS, bar_open_ms
from trader.errors import VenueRefused, VenueUnavailable
from trader.venues.paper_books import BooksFile, PaperBooks, PaperOrder, Shortage

WALK_FRAME = "1m"
# A quote is looked at for orders at rest no oftener than this, whatever the venue is asked.
QUOTE_MS = 1_000
# More than two days of bars in one look: an account that slept longer walks on at the next look.
WALK_BARS_MAX = 3_000


class PaperVenue:
    """See `app.ports.Venue`. `market` is asked for quotes, bars, instruments and the time."""

    def __init__(
        self,
        market: MarketData,
        books_path: Path,
        clock_ms: Callable[[], int],
        balances: Mapping[str, str],
        *,
        fee_in_base: bool = True,
    ) -> None:
        """`balances`: decimal text by asset, for books that do not exist yet.

        `fee_in_base`: a buy's fee is taken from the bought coin (Binance's way), else in quote.
        """
        self.name = f"paper-{market.name}"
        self.rests_stops = False  # as the real venues that it stands for
        self._market = market
        self._clock_ms = clock_ms
        self._fee_in_base = fee_in_base
        self._file = BooksFile(books_path, balances, lambda: clock_ms() * 1000 + 1)
        self._met_ms: dict[str, int] = {}
        self._specs: dict[str, Spec] = {}
        self._rules: dict[str, Instrument] = {}

    # --- market data: the real venue's -------------------------------------------------------

    def fetch_instruments(self) -> dict[str, Instrument]:
        """The market's instruments."""
        return self._market.fetch_instruments()

    def instruments_for(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Those of the market's instruments."""
        return self._market.instruments_for(symbols)

    def active_symbols(self) -> list[str]:
        """The market's."""
        return self._market.active_symbols()

    def fetch_venue_ms(self) -> int:
        """The market's clock."""
        return self._market.fetch_venue_ms()

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """The market's bars."""
        return self._market.fetch_bars(symbol, timeframe, since_ms, limit)

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The market's quotes."""
        return self._market.fetch_quotes(symbols)

    def abort(self) -> None:
        """End the market's requests under way."""
        end: Callable[[], None] | None = getattr(self._market, "abort", None)
        if end is not None:
            end()

    def reset(self) -> None:
        """Begin again with the starting balances and no orders."""
        self._file.reset()

    # --- account -----------------------------------------------------------------------------

    def fetch_balances(self) -> dict[str, Balance]:
        """By asset, free and locked."""
        with self._file.view() as books:
            resting = {order.symbol for order in books.orders.values() if order.state == "open"}
        for symbol in sorted(resting):
            self._walk(symbol)
        with self._file.view() as books:
            return {
                asset: Balance(asset, free, locked)
                for asset, (free, locked) in books.balances.items()
                if free or locked
            }

    def fetch_open_orders(self, symbols: Sequence[str]) -> list[VenueOrder]:
        """Orders of these instruments that may still fill."""
        for symbol in symbols:
            self._walk(symbol)
        with self._file.view() as books:
            return [_shown(order) for symbol in symbols for order in books.open_orders(symbol)]

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The order by our id; None when the books hold none."""
        self._walk(symbol)
        with self._file.view() as books:
            order = books.by_client_id(symbol, client_order_id)
            return _shown(order) if order else None

    def fetch_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Fills since a time, oldest first."""
        self._walk(symbol)
        with self._file.view() as books:
            rows = [row for row in books.fills if row["symbol"] == symbol]
            return [_fill(row) for row in rows if row["at_ms"] >= since_ms]

    # --- orders ------------------------------------------------------------------------------

    def submit(self, order: Approved) -> Outcome:
        """Check, lock, fill against the live quote; an IOC's rest expires, a GTC's rest rests. A
        post-only order is refused when it would take."""
        try:
            spec = self._spec(order.symbol)
            quote = self._market.fetch_quotes([order.symbol]).get(order.symbol)
        except (VenueUnavailable, ScaleError) as error:
            return NotSent("no_market", str(error))
        except VenueRefused as error:
            return Rejected("bad_symbol", error.what)
        refusal = self._refusal(order, spec) or _not_at_rest(order, spec, quote)
        if refusal is not None:
            return refusal
        with self._file.view() as books:
            known = books.by_client_id(order.symbol, order.client_order_id)
        if known is not None:
            return Unknown("duplicate", "an order with this id exists")
        try:
            with self._file.edit() as books:
                placed = self._place(books, order)
                fills = self._take_touch(books, placed, spec, quote)
                if order.tif is TimeInForce.IOC and placed.state == "open":
                    self._end(books, placed, OrderState.EXPIRED)
                return Accepted(_shown(placed), fills)
        except Shortage:
            return Rejected("insufficient_balance", "not enough free balance for this order")

    def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """End a resting order; Rejected('not_found') when none rests under this id."""
        try:
            self._walk(symbol)
        except VenueUnavailable as error:
            return NotSent("no_market", error.what)
        with self._file.edit() as books:
            order = books.by_client_id(symbol, client_order_id)
            if order is None or order.state != "open":
                return Rejected("not_found", "no open order with this id")
            self._end(books, order, OrderState.CANCELED)
            return Accepted(_shown(order))

    def cancel_all(self, symbol: str) -> Outcome | None:
        """End every resting order of an instrument; None when none rests."""
        try:
            self._walk(symbol)
        except VenueUnavailable as error:
            return NotSent("no_market", error.what)
        with self._file.edit() as books:
            resting = books.open_orders(symbol)
            for order in resting:
                self._end(books, order, OrderState.CANCELED)
            return Accepted(_shown(resting[-1])) if resting else None

    # --- the model ---------------------------------------------------------------------------

    def _spec(self, symbol: str) -> Spec:
        """The instrument in integers, exact for every tick x lot; VenueRefused when unlisted."""
        known = self._specs.get(symbol)
        if known is None:
            listed = self._market.instruments_for([symbol]).get(symbol)
            if listed is None:
                raise VenueRefused(f"{self.name}: {symbol} is not listed", "check the universe")
            digits = cash_digits_for([listed], Decimal(0))
            known = self._specs[symbol] = Spec(listed, digits)
            self._rules[symbol] = listed
        return known

    def _refusal(self, order: Approved, spec: Spec) -> Rejected | None:
        """The first rule of the instrument that the order breaks."""
        rules = self._rules[order.symbol]
        if not rules.active:
            return Rejected("market_closed", "the instrument takes no orders")
        try:
            ticks, lots = spec.ticks(order.price), spec.lots(order.qty)
        except ScaleError as error:
            return Rejected("precision", str(error))
        if ticks <= 0 or not spec.qty_lots_min <= lots <= spec.qty_lots_max:
            return Rejected("filter", f"quantity {order.qty} at {order.price}")
        if order.qty * order.price < rules.notional_min:
            return Rejected("notional_min", f"value under {rules.notional_min} {rules.quote}")
        return None

    def _place(self, books: PaperBooks, approved: Approved) -> PaperOrder:
        """A new order with its funds locked; raises Shortage."""
        now_ms = self._clock_ms()
        order = PaperOrder(
            order_id=books.next_order,
            row=dict(approved.row()),
            state=str(OrderState.OPEN),
            qty=text(approved.qty),
            price=text(approved.price),
            filled="0",
            locked_asset="",
            locked="0",
            placed_ms=now_ms,
            changed_ms=now_ms,
            seen_ms=bar_open_ms(now_ms - 1, MINUTE_MS) + MINUTE_MS,
        )
        spec = self._specs[approved.symbol]
        asset = spec.quote if approved.side is Side.BUY else spec.base
        books.lock(order, asset, self._held(order, spec, spec.lots(approved.qty)))
        books.next_order += 1
        books.orders[order.order_id] = order
        return order

    def _held(self, order: PaperOrder, spec: Spec, lots: int) -> Decimal:
        """What is held back for so many lots of an order: its worst cost, fee included where the
        fee comes out of the same coin."""
        if order.row["side"] == Side.SELL:
            return spec.qty(lots)
        cost = notional_up(spec, _limit(order, spec), lots)
        if not self._fee_in_base:
            cost += fee_up(cost, max(spec.fee_maker_ppm, spec.fee_taker_ppm))
        return to_decimal(cost, spec.cash_unit)

    def _take_touch(
        self, books: PaperBooks, order: PaperOrder, spec: Spec, quote: Quote | None
    ) -> tuple[Fill, ...]:
        if quote is None:
            return ()
        buy = order.row["side"] == Side.BUY
        price, size = (quote.ask, quote.ask_qty) if buy else (quote.bid, quote.bid_qty)
        if price <= 0:
            return ()
        # A touch between two ticks counts as the worse of them.
        touch = to_units_rounded(price, spec.tick, f"{spec.symbol} quote", up=buy)
        there = -1 if size is None else int((size / spec.lot).to_integral_value(ROUND_FLOOR))
        limit, left = _limit(order, spec), _left(order, spec)
        at_ticks, filled = fill_ioc(Side(order.row["side"]), limit, left, touch, there)
        if filled == 0:
            return ()
        return (self._book(books, order, spec, at_ticks, filled, maker=False),)

    def _walk(self, symbol: str) -> None:
        """Fill resting orders against the bars that closed since they were last looked at, and
        against the quote of now."""
        self._walk_bars(symbol)
        self._meet_quote(symbol)

    def _meet_quote(self, symbol: str) -> None:
        """Fill resting orders that the other side of the quote is beyond; once in QUOTE_MS."""
        now_ms = self._clock_ms()
        with self._file.view() as books:
            placed = [order.placed_ms for order in books.open_orders(symbol)]
        if not any(at_ms < now_ms for at_ms in placed):
            return
        if now_ms - self._met_ms.get(symbol, now_ms - QUOTE_MS) < QUOTE_MS:
            return
        self._met_ms[symbol] = now_ms
        quote = self._market.fetch_quotes([symbol]).get(symbol)
        if quote is None:
            return
        spec = self._spec(symbol)
        with self._file.edit() as books:
            for order in books.open_orders(symbol):
                buy = order.row["side"] == Side.BUY
                price = quote.ask if buy else quote.bid
                if order.placed_ms >= now_ms or price <= 0:
                    continue
                # Between two ticks it counts as the one that is nearer to the order.
                touch = to_units_rounded(price, spec.tick, f"{symbol} quote", up=buy)
                side, left = Side(order.row["side"]), _left(order, spec)
                at = (touch, touch, touch)
                limit = _limit(order, spec)
                # A quote is one instant: what was beyond its price came by way of it.
                _, lots = fill_resting(side, limit, left, at, -1)
                if lots:
                    self._book(books, order, spec, limit, lots, maker=True)

    def _walk_bars(self, symbol: str) -> None:
        now_ms = self._clock_ms()
        closed_ms = bar_open_ms(now_ms, MINUTE_MS)
        with self._file.view() as books:
            since = [o.seen_ms for o in books.open_orders(symbol) if o.seen_ms < closed_ms]
        if not since:
            return
        spec = self._spec(symbol)
        start_ms = min(since)
        limit = min((closed_ms - start_ms) // MINUTE_MS, WALK_BARS_MAX)
        raw = self._market.fetch_bars(symbol, WALK_FRAME, start_ms, limit)
        walked_ms = start_ms + limit * MINUTE_MS
        with self._file.edit() as books:
            for bar in raw:
                if bar.open_ms + MINUTE_MS <= min(closed_ms, walked_ms):
                    self._walk_bar(books, symbol, spec, bar)
            for order in books.open_orders(symbol):
                order.seen_ms = max(order.seen_ms, walked_ms)

    def _walk_bar(self, books: PaperBooks, symbol: str, spec: Spec, raw: RawBar) -> None:
        bar = _usable(raw)
        if bar is None:
            return
        volume = int((bar[3] / spec.lot).to_integral_value(ROUND_FLOOR))
        for order in books.open_orders(symbol):
            if order.seen_ms > raw.open_ms:
                continue
            side = Side(order.row["side"])
            limit, left = _limit(order, spec), _left(order, spec)
            price, lots = fill_resting(side, limit, left, _ticks(spec, bar, side), volume)
            if lots:
                # What one order took is not there for the next.
                volume -= lots
                at_ms = raw.open_ms + MINUTE_MS
                self._book(books, order, spec, price, lots, maker=True, at_ms=at_ms)

    def _book(
        self,
        books: PaperBooks,
        order: PaperOrder,
        spec: Spec,
        price_ticks: int,
        lots: int,
        *,
        maker: bool,
        at_ms: int | None = None,
    ) -> Fill:
        """Move the money of one fill and write it down."""
        trade_id = str(books.next_trade)
        books.next_trade += 1
        when_ms = self._clock_ms() if at_ms is None else at_ms
        facts = fill_payload(
            Order(order.row),
            spec,
            trade_id,
            price_ticks,
            lots,
            when_ms,
            fee_ppm=spec.fee_maker_ppm if maker else spec.fee_taker_ppm,
            fee_in_base=self._fee_in_base,
            maker=maker,
        )
        fee, asset = modelled_fee(spec, facts)
        cost = to_decimal(int(facts["cost_units"]), spec.cash_unit)
        qty, price = spec.qty(lots), spec.price(price_ticks)
        buy = order.row["side"] == Side.BUY
        books.unlock(order, min(self._held(order, spec, lots), Decimal(order.locked)))
        books.change(spec.quote, -cost if buy else cost)
        books.change(spec.base, qty if buy else -qty)
        books.change(asset, -Decimal(fee))
        order.filled = text(Decimal(order.filled) + qty)
        order.changed_ms = when_ms
        row: dict[str, Any] = {
            "symbol": spec.symbol, "trade_id": trade_id, "order_id": order.order_id,
            "client_id": order.client_id, "side": order.row["side"], "price": text(price),
            "qty": text(qty), "cost": text(cost), "fee": fee, "fee_asset": asset,
            "maker": int(maker), "at_ms": when_ms,
        }  # fmt: skip
        books.fills.append(row)
        if _left(order, spec) == 0:
            self._end(books, order, OrderState.FILLED)
        return _fill(row)

    def _end(self, books: PaperBooks, order: PaperOrder, state: OrderState) -> None:
        books.unlock(order)
        order.state = str(state)
        order.changed_ms = max(order.changed_ms, self._clock_ms())


def _not_at_rest(order: Approved, spec: Spec, quote: Quote | None) -> Rejected | None:
    """Why an order that may only rest is refused: it would take what stands on the other side, or
    is of a type that is not offered."""
    if order.order_type == "stop_limit":
        return Rejected("order_type", "stop orders are not offered")
    if order.order_type != "post_only" or quote is None:
        return None
    buy = order.side is Side.BUY
    other = quote.ask if buy else quote.bid
    if other <= 0:
        return None
    touch = to_units_rounded(other, spec.tick, f"{spec.symbol} quote", up=not buy)
    limit = spec.ticks(order.price)
    takes = touch <= limit if buy else touch >= limit
    return Rejected("would_take", "it would immediately match and take") if takes else None


def _limit(order: PaperOrder, spec: Spec) -> int:
    """The limit in ticks of the rules of now; never better for us than what was asked."""
    up = order.row["side"] == Side.SELL
    return to_units_rounded(Decimal(order.price), spec.tick, f"{spec.symbol} limit", up=up)


def _left(order: PaperOrder, spec: Spec) -> int:
    """Lots that are still to be filled."""
    rest = Decimal(order.qty) - Decimal(order.filled)
    return to_units_rounded(rest, spec.lot, f"{spec.symbol} rest", up=False)


def _usable(raw: RawBar) -> tuple[Decimal, Decimal, Decimal, Decimal] | None:
    """Open, high, low, volume; None for a bar that no market can have made."""
    try:
        open_, high, low, close, volume = (
            Decimal(value) for value in (raw.open, raw.high, raw.low, raw.close, raw.volume)
        )
    except ArithmeticError:
        return None
    return None if bar_problem(open_, high, low, close, volume) else (open_, high, low, volume)


def _ticks(
    spec: Spec, bar: tuple[Decimal, Decimal, Decimal, Decimal], side: Side
) -> tuple[int, int, int]:
    """Open, high and low in ticks; off the grid, each counts as the worse for this side."""
    what = f"{spec.symbol} bar"
    return (
        to_units_rounded(bar[0], spec.tick, what, up=side is Side.BUY),
        to_units_rounded(bar[1], spec.tick, what, up=False),
        to_units_rounded(bar[2], spec.tick, what, up=True),
    )


def _shown(order: PaperOrder) -> VenueOrder:
    return VenueOrder(
        order.client_id,
        str(order.order_id),
        order.symbol,
        Side(order.row["side"]),
        OrderState(order.state),
        Decimal(order.qty),
        Decimal(order.filled),
        Decimal(order.price),
        order.changed_ms,
    )


def _fill(row: Mapping[str, Any]) -> Fill:
    return Fill(
        symbol=str(row["symbol"]),
        trade_id=str(row["trade_id"]),
        venue_order_id=str(row["order_id"]),
        client_order_id=str(row["client_id"]),
        side=Side(row["side"]),
        price=Decimal(row["price"]),
        qty=Decimal(row["qty"]),
        cost=Decimal(row["cost"]),
        fee=Decimal(row["fee"]),
        fee_asset=str(row["fee_asset"]),
        maker=bool(row["maker"]),
        at_ms=int(row["at_ms"]),
    )
