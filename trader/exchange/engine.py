"""The matching engine: orders against the market's book and path.

Here: acceptance of orders (rules, balances, identity), immediate matching over the book's levels,
fills of resting orders as the path moves, fees. Time is an argument. Not here: HTTP, a dialect's
words and codes, or where the books are kept.

A resting order fills as maker at its own price: by the depth of the book at or beyond its price
when the touch has moved through it, by a drawn share of the step's volume when only touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from trader.exchange.books import Books, Order, Shortage, Trade
from trader.exchange.instruments import Instrument
from trader.exchange.market import STEPS, Level, Market, Spot
from trader.exchange.money import LOOSE, ONE, ZERO, eighths_down, floor_to, is_multiple
from trader.exchange.views import Views
from trader.records import dataclass, field


class Reason(StrEnum):
    """Why the exchange refuses; each dialect has its own words for them."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    MARKET_CLOSED = "market_closed"
    PRICE_FILTER = "price_filter"
    LOT_SIZE = "lot_size"
    MARKET_LOT_SIZE = "market_lot_size"
    NOTIONAL = "notional"
    PERCENT_PRICE = "percent_price"
    MAX_OPEN_ORDERS = "max_open_orders"
    BALANCE = "balance"
    DUPLICATE_ID = "duplicate_id"
    WOULD_TAKE = "would_take"
    NO_LIQUIDITY = "no_liquidity"
    UNKNOWN_ORDER = "unknown_order"


class Refused(Exception):
    """The exchange refuses; nothing was changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fees:
    """Rates as fractions. `mode`: "received" takes the fee from what a side receives (base on buys,
    quote on sells), "quote" always from quote. `coin` pays first when the account holds enough."""

    maker: Decimal
    taker: Decimal
    mode: str = "received"
    coin: str = ""
    coin_discount: Decimal = Decimal("0.25")
    coin_prices: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A wish. `type`: LIMIT, LIMIT_MAKER or MARKET; a MARKET order gives qty or quote_qty."""

    account: str
    symbol: str
    side: str
    type: str
    client_id: str
    tif: str = "GTC"
    qty: Decimal = ZERO
    quote_qty: Decimal = ZERO
    price: Decimal = ZERO
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs from venue to venue. `id_scope`: when a client id may be used again: "unfilled"
    (an earlier order with it is filled), "open" (none with it is open), "unique" (never)."""

    fees: Fees
    id_scope: str = "unfilled"
    open_orders_max: int = 200
    ended: str = "quote"


class Engine:
    """Books and markets together. All arithmetic runs inside `money.exact()` of the caller."""

    def __init__(self, markets: dict[str, Market], instruments: dict[str, Instrument],
                 rules: Rules) -> None:  # fmt: skip
        self.markets = markets
        self.instruments = instruments
        self.rules = rules
        self.books = Books()
        self.views = Views(self.books)
        self.settled_ms = 0

    # --- what the market shows -------------------------------------------------------------

    def status(self, symbol: str, now_ms: int) -> str:
        """The instrument's status now: its own, or BREAK before its first bar (or after its
        last one, when so configured)."""
        market = self.markets[symbol]
        spot = market.spot(now_ms)
        ended = self.rules.ended == "break" and now_ms >= market.end_ms
        return "BREAK" if spot is None or ended else self.instruments[symbol].status

    def book(self, symbol: str, now_ms: int) -> tuple[list[Level], list[Level]]:
        """Bids and asks, best first; both empty before the first bar."""
        spot = self.markets[symbol].spot(now_ms)
        if spot is None:
            return [], []
        return self.markets[symbol].book(self.instruments[symbol], spot)

    def last_price(self, symbol: str, now_ms: int) -> Decimal:
        """Last traded price; zero before the first bar."""
        spot = self.markets[symbol].spot(now_ms)
        return ZERO if spot is None else self.markets[symbol].price(self.instruments[symbol], spot)

    # --- orders ----------------------------------------------------------------------------

    def place(self, wish: OrderRequest, now_ms: int) -> tuple[Order, list[Trade]]:
        """Accept and match an order, or raise Refused with the books unchanged."""
        rules = self.instruments.get(wish.symbol)
        if rules is None:
            raise Refused(Reason.UNKNOWN_SYMBOL)
        if self.status(wish.symbol, now_ms) != "TRADING":
            raise Refused(Reason.MARKET_CLOSED)
        self._check_rules(wish, rules, now_ms)
        self._check_identity(wish)
        bids, asks = self.book(wish.symbol, now_ms)
        parts = _sweep(wish, asks if wish.side == "BUY" else bids, rules.lot)
        if wish.type == "LIMIT_MAKER" and parts:
            raise Refused(Reason.WOULD_TAKE)
        if wish.type == "MARKET" and not parts:
            raise Refused(Reason.NO_LIQUIDITY)
        if wish.tif == "FOK" and sum((qty for _, qty in parts), ZERO) < wish.qty:
            parts = []
        order = self._open(wish, rules, parts, now_ms)
        spot = self.markets[wish.symbol].spot(now_ms)
        assert spot is not None
        taken = "ask" if wish.side == "BUY" else "bid"
        trades: list[Trade] = []
        for price, qty in parts:
            self.markets[wish.symbol].take(spot, taken, price, qty)
            trades.append(self._fill(order, rules, price, qty, now_ms, is_maker=False))
        if order.is_open and (order.type == "MARKET" or order.tif in ("IOC", "FOK")):
            self._finish(order, "EXPIRED", now_ms)
        return order, trades

    def cancel(self, order: Order, now_ms: int) -> Order:
        """Take an open order out of the book; raises Refused if it is not open."""
        if not order.is_open:
            raise Refused(Reason.UNKNOWN_ORDER)
        moods, lot = self.views.moods, self.instruments[order.symbol].lot
        raced = floor_to(order.left * moods.fill_on_cancel, lot)
        if raced:
            self.fill_by_hand(order, raced, now_ms)
            if not order.is_open:
                raise Refused(Reason.UNKNOWN_ORDER)
        self._finish(order, "CANCELED", now_ms, keep_locked=moods.unlock_lag_ms > 0)
        return order

    def fill_by_hand(self, order: Order, qty: Decimal, now_ms: int) -> Trade:
        """Strangers take (part of) a resting order at its price, whatever the market says."""
        if not order.is_open:
            raise Refused(Reason.UNKNOWN_ORDER)
        rules = self.instruments[order.symbol]
        return self._fill(order, rules, order.price, min(qty, order.left), now_ms, is_maker=True)

    def settle(self, now_ms: int) -> None:
        """Let resting orders meet every step of the path since the last call. When the clock was
        set back, time is lived again from there: what has filled stays filled."""
        for order in list(self.books.lingering.values()):
            if order.updated_ms + self.views.moods.unlock_lag_ms <= now_ms:
                self._finish(order, order.status, order.updated_ms)
        for symbol, resting in self.books.open.items():
            if resting and self.instruments[symbol].status == "TRADING":
                self._settle_symbol(symbol, now_ms)
        self.settled_ms = now_ms

    # --- inside ----------------------------------------------------------------------------

    def _check_rules(self, wish: OrderRequest, rules: Instrument, now_ms: int) -> None:
        last = self.last_price(wish.symbol, now_ms)
        is_market = wish.type == "MARKET"
        if not is_market:
            in_range = rules.price_min <= wish.price <= rules.price_max
            if not in_range or not is_multiple(wish.price, rules.tick):
                raise Refused(Reason.PRICE_FILTER)
            low, high = last * rules.percent_down, last * rules.percent_up
            if not low <= wish.price <= high:
                raise Refused(Reason.PERCENT_PRICE)
        if not wish.quote_qty:
            in_range = rules.qty_min <= wish.qty <= rules.qty_max
            if not in_range or not is_multiple(wish.qty, rules.lot):
                raise Refused(Reason.LOT_SIZE)
            if is_market and wish.qty > rules.market_qty_max:
                raise Refused(Reason.MARKET_LOT_SIZE)
        notional = wish.quote_qty or wish.qty * (last if is_market else wish.price)
        if notional < rules.notional_min or (notional > rules.notional_max and not is_market):
            raise Refused(Reason.NOTIONAL)
        resting = self.books.open.get(wish.symbol, {}).values()
        if sum(x.account == wish.account for x in resting) >= self.rules.open_orders_max:
            raise Refused(Reason.MAX_OPEN_ORDERS)

    def _check_identity(self, wish: OrderRequest) -> None:
        earlier = self.books.with_client_id(wish.account, wish.symbol, wish.client_id)
        scope = self.rules.id_scope
        clash = {
            "open": any(order.is_open for order in earlier),
            "unfilled": any(order.status != "FILLED" for order in earlier),
            "unique": bool(earlier),
        }[scope]
        if clash:
            raise Refused(Reason.DUPLICATE_ID)

    def _open(
        self,
        wish: OrderRequest,
        rules: Instrument,
        parts: list[tuple[Decimal, Decimal]],
        now_ms: int,
    ) -> Order:
        qty = wish.qty or sum((part for _, part in parts), ZERO)
        order = Order(
            symbol=wish.symbol, order_id=0, client_id=wish.client_id, account=wish.account,
            side=wish.side, type=wish.type, tif=wish.tif, price=wish.price, qty=qty,
            quote_qty=wish.quote_qty, created_ms=now_ms, updated_ms=now_ms, by_hand=wish.by_hand,
        )  # fmt: skip
        cost = sum((price * part for price, part in parts), ZERO)
        try:
            if wish.side == "SELL":
                self.books.lock(order, rules.base, qty)
            elif wish.type == "MARKET":
                self.books.lock(order, rules.quote, cost * self._buy_pad())
            else:
                self.books.lock(order, rules.quote, self._reserve(order))
        except Shortage as error:
            raise Refused(Reason.BALANCE) from error
        order.order_id = self.books.count_up(f"order:{wish.symbol}", 1001)
        self.books.add_order(order)
        return order

    def _buy_pad(self) -> Decimal:
        fees = self.rules.fees
        return ONE + max(fees.taker, fees.maker) if fees.mode == "quote" else ONE

    def _reserve(self, order: Order) -> Decimal:
        if order.side == "SELL":
            return order.left
        return order.price * order.left * self._buy_pad()

    def _fill(
        self, order: Order, rules: Instrument, price: Decimal, qty: Decimal, at_ms: int, *,
        is_maker: bool,
    ) -> Trade:  # fmt: skip
        books = self.books
        quote = price * qty
        order.executed += qty
        order.cost += quote
        if order.side == "BUY":
            books.spend_locked(order, rules.quote, quote)
            books.to_strangers(rules.quote, quote)
            books.give(order.account, rules.base, qty)
        else:
            books.spend_locked(order, rules.base, qty)
            books.to_strangers(rules.base, qty)
            books.give(order.account, rules.quote, quote)
        fee, fee_asset = self._charge(order, rules, price, qty, is_maker=is_maker, at_ms=at_ms)
        trade = Trade(
            symbol=order.symbol, trade_id=books.count_up(f"trade:{order.symbol}", 501),
            order_id=order.order_id, account=order.account, price=price, qty=qty, quote_qty=quote,
            fee=fee, fee_asset=fee_asset, at_ms=at_ms, is_buyer=order.side == "BUY",
            is_maker=is_maker,
        )  # fmt: skip
        books.add_trade(trade)
        order.updated_ms = at_ms
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        asset = rules.quote if order.side == "BUY" else rules.base
        if not order.left:
            books.unlock(order, asset, order.locked)
        elif order.type != "MARKET":
            books.unlock(order, asset, order.locked - self._reserve(order))
        books.touch(order)
        return trade

    def _charge(
        self, order: Order, rules: Instrument, price: Decimal, qty: Decimal, *, is_maker: bool,
        at_ms: int,
    ) -> tuple[Decimal, str]:  # fmt: skip
        fees = self.rules.fees
        rate = fees.maker if is_maker else fees.taker
        quote = price * qty
        coin_price = self._coin_price(rules, price, at_ms)
        if coin_price:
            due = LOOSE.divide(quote * rate * (ONE - fees.coin_discount), coin_price)
            fee = eighths_down(due)
            if self.books.free_of(order.account, fees.coin) >= fee:
                self.books.charge_fee(order.account, fees.coin, fee)
                return fee, fees.coin
        if order.side == "BUY" and fees.mode == "quote":
            fee = eighths_down(quote * rate)
            self.books.fee_from_lock(order, rules.quote, fee)
            return fee, rules.quote
        if order.side == "BUY":
            fee = eighths_down(qty * rate)
            self.books.charge_fee(order.account, rules.base, fee)
            return fee, rules.base
        fee = eighths_down(quote * rate)
        self.books.charge_fee(order.account, rules.quote, fee)
        return fee, rules.quote

    def _coin_price(self, rules: Instrument, price: Decimal, at_ms: int) -> Decimal:
        coin = self.rules.fees.coin
        if not coin:
            return ZERO
        if coin in (rules.quote, rules.base):
            return ONE if coin == rules.quote else price
        symbol = coin + rules.quote
        if symbol in self.markets:
            return self.last_price(symbol, at_ms)
        return self.rules.fees.coin_prices.get(symbol, ZERO)

    def _finish(self, order: Order, status: str, at_ms: int, *, keep_locked: bool = False) -> None:
        rules = self.instruments[order.symbol]
        asset = rules.quote if order.side == "BUY" else rules.base
        if not keep_locked:
            self.books.unlock(order, asset, order.locked)
        order.status = status
        order.updated_ms = at_ms
        self.books.touch(order)

    def _settle_symbol(self, symbol: str, now_ms: int) -> None:
        market = self.markets[symbol]
        begin = max(0, market.series.index_at(self.settled_ms))
        end = market.series.index_at(now_ms)
        for index in range(begin, end + 1):
            bar = market.series.bar(index)
            resting = self.books.open[symbol]
            if not any(_touches(order, bar.low, bar.high) for order in resting.values()):
                continue
            for step in range(STEPS):
                at_ms = bar.open_ms + step * market.step_ms
                if self.settled_ms < at_ms <= now_ms:
                    self._settle_step(symbol, Spot(index, step), at_ms)

    def _settle_step(self, symbol: str, spot: Spot, at_ms: int) -> None:
        market, rules = self.markets[symbol], self.instruments[symbol]
        price = market.price(rules, spot)
        met = [x for x in self.books.open[symbol].values() if _touches(x, price, price)]
        if not met:
            return
        # Price-time priority: the best price first, then the older order.
        met.sort(key=lambda x: (-x.price if x.side == "BUY" else x.price, x.order_id))
        flow = market.step_volume(rules, spot)
        for order in met:
            bids, asks = market.book(rules, spot)
            levels = asks if order.side == "BUY" else bids
            crossed = [x for x in levels if _touches(order, x.price, x.price)]
            for level in crossed:
                qty = min(level.qty, order.left)
                if qty and order.is_open:
                    market.take(spot, "ask" if order.side == "BUY" else "bid", level.price, qty)
                    self._fill(order, rules, order.price, qty, at_ms, is_maker=True)
            qty = min(flow, order.left)
            if not crossed and qty:
                flow -= qty
                self._fill(order, rules, order.price, qty, at_ms, is_maker=True)


def _touches(order: Order, low: Decimal, high: Decimal) -> bool:
    return order.price >= low if order.side == "BUY" else order.price <= high


def _sweep(wish: OrderRequest, levels: list[Level], lot: Decimal) -> list[tuple[Decimal, Decimal]]:
    """What the wish would take of the levels right now: (price, qty), best first."""
    parts: list[tuple[Decimal, Decimal]] = []
    left, money = wish.qty, wish.quote_qty
    for level in levels:
        beyond = level.price > wish.price if wish.side == "BUY" else level.price < wish.price
        if wish.type != "MARKET" and beyond:
            break
        wanted = floor_to(LOOSE.divide(money, level.price), lot) if wish.quote_qty else left
        qty = min(level.qty, wanted)
        if not qty:
            break
        parts.append((level.price, qty))
        left -= qty
        money -= level.price * qty
    return parts
