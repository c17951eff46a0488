"""The dialect of Binance spot's REST interface.

Here: paths, parameters, signatures, time windows, weights, error codes with their HTTP status, and
the JSON that a client parses. What happens to an order is the engine's business; this file is the
only one that knows Binance's words, and other dialects stand beside it as one file each.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

from trader.exchange import binance_shapes as shapes
from trader.exchange.binance_call import BinanceError, Call, authenticate, illegal
from trader.exchange.books import Order, Trade
from trader.exchange.candles import Candle
from trader.exchange.engine import OrderRequest, Reason, Refused
from trader.exchange.money import ZERO, ratio, text
from trader.exchange.wire import Reply, Request, parse_form
from trader.records import dataclass

if TYPE_CHECKING:
    from trader.exchange.exchange import Exchange

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_DAY_MS = 86_400_000
_Record = TypeVar("_Record", Order, Trade)
_REFUSALS = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.MARKET_CLOSED: (-1013, "Market is closed."),
    Reason.PRICE_FILTER: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.LOT_SIZE: (-1013, "Filter failure: LOT_SIZE"),
    Reason.MARKET_LOT_SIZE: (-1013, "Filter failure: MARKET_LOT_SIZE"),
    Reason.NOTIONAL: (-1013, "Filter failure: NOTIONAL"),
    Reason.PERCENT_PRICE: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Reason.MAX_OPEN_ORDERS: (-1013, "Filter failure: MAX_NUM_ORDERS"),
    Reason.BALANCE: (-2010, "Account has insufficient balance for requested action."),
    Reason.DUPLICATE_ID: (-2010, "Duplicate order sent."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.NO_LIQUIDITY: (
        -2010,
        "Order book liquidity is less than LOT_SIZE filter minimum quantity.",
    ),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
}


@dataclass(frozen=True, slots=True)
class _Route:
    answer: Callable[[Call], Any]
    weight: int | Callable[[dict[str, str]], int]
    signed: bool = False
    trades: bool = False
    family: str = "API"


class BinanceDialect:
    """Answers requests from the exchange's engine."""

    def __init__(self, exchange: Exchange) -> None:
        self._x = exchange
        self._views = exchange.engine.views
        self._rows: dict[tuple[str, str, int], tuple[Candle, str]] = {}
        self._routes = self._table()

    def __call__(self, request: Request) -> Reply:
        """Answer one request; the books change only if the answer is a success."""
        call = Call(parse_form(request.query), self._x.now_ms)
        for name, value in parse_form(request.body.decode("latin-1")).items():
            call.params.setdefault(name, value)
        symbol = call.params.get("symbol", "")
        call.note = {"symbol": symbol} if symbol else {}
        for name in ("newClientOrderId", "origClientOrderId"):
            if name in call.params:
                call.note["client_id"] = call.params[name]
        route = self._routes.get((request.method, request.path))
        try:
            if route is None:
                return self._no_route(request, call)
            self._charge(route, call)
            if route.signed:
                authenticate(call, request, self._x.keys, trades=route.trades)
            result = route.answer(call)
            body = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
            status = 200
        except Refused as error:
            code, msg = _REFUSALS[error.reason]
            status, body = 400, json.dumps({"code": code, "msg": msg})
        except BinanceError as error:
            status, body = error.status, json.dumps({"code": error.code, "msg": error.msg})
        family = route.family if route else "API"
        used = self._x.limits.used(family, call.now_ms)
        name = "X-MBX-USED-WEIGHT" if family == "API" else "X-SAPI-USED-IP-WEIGHT"
        headers = [(f"{name}-1M", str(used)), *call.headers]
        if family == "API":
            headers.insert(0, ("X-MBX-USED-WEIGHT", str(used)))
        return Reply(status, body.encode(), headers, call.note)

    # --- access ----------------------------------------------------------------------------

    def _no_route(self, request: Request, call: Call) -> Reply:
        known = any(path == request.path for _, path in self._routes)
        if known:
            raise BinanceError(-1100, f"Request method '{request.method}' is not supported.", 405)
        page = b"<html><body><h2>404 Not found</h2></body></html>"
        return Reply(404, page, [("Content-Type", "text/html")], call.note)

    def _charge(self, route: _Route, call: Call) -> None:
        weight = route.weight if isinstance(route.weight, int) else route.weight(call.params)
        limits = self._x.limits
        excess = limits.spend(route.family, weight, call.now_ms)
        if excess is None:
            return
        call.headers.append(("Retry-After", str(excess.retry_after_s)))
        if excess.banned_until_ms:
            until = excess.banned_until_ms
            raise BinanceError(
                -1003, f"Way too much request weight used; IP banned until {until}. Please use "
                "WebSocket Streams for live updates to avoid bans.", 418
            )  # fmt: skip
        raise BinanceError(
            -1003, f"Too much request weight used; current limit is {limits.weight_max} request "
            "weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling "
            "the API.", 429
        )  # fmt: skip

    def _symbol(self, call: Call) -> str:
        symbol = call.need("symbol")
        if symbol not in self._x.engine.instruments:
            raise BinanceError(-1121, "Invalid symbol.")
        return symbol

    def _symbols(self, call: Call) -> list[str]:
        """The symbols that a ticker request is about: one, a JSON list, or all."""
        if "symbol" in call.params:
            return [self._symbol(call)]
        if "symbols" not in call.params:
            return list(self._x.engine.instruments)
        try:
            names: Any = json.loads(call.params["symbols"])
        except ValueError:
            names = None
        if not isinstance(names, list) or not names:
            raise illegal("symbols", '^\\[("[A-Z0-9-_.]{1,20}",)*"[A-Z0-9-_.]{1,20}"\\]$')
        if any(name not in self._x.engine.instruments for name in cast("list[str]", names)):
            raise BinanceError(-1121, "Invalid symbol.")
        return cast("list[str]", names)

    # --- market data -----------------------------------------------------------------------

    def _exchange_info(self, call: Call) -> Any:
        engine, now_ms = self._x.engine, call.now_ms
        return {
            "timezone": "UTC",
            "serverTime": call.now_ms,
            "rateLimits": shapes.rate_limits(self._x.limits),
            "exchangeFilters": [],
            "symbols": [
                shapes.symbol_info(
                    engine.instruments[name],
                    engine.status(name, now_ms),
                    engine.rules.open_orders_max,
                )
                for name in self._symbols(call)
            ],
        }

    def _klines(self, call: Call) -> str:
        symbol, interval = self._symbol(call), call.need("interval")
        candles = self._x.candles[symbol]
        if not candles.offers(interval):
            raise BinanceError(-1120, "Invalid interval.")
        found = candles.window(
            self._x.engine.instruments[symbol], interval, self._views.candles_ms(call.now_ms),
            call.whole("startTime"), call.whole("endTime"), call.limit(500, 1000),
        )  # fmt: skip
        rows: list[str] = []
        for candle in found:
            key = (symbol, interval, candle.open_ms)
            kept = self._rows.get(key)
            if kept is None or kept[0] is not candle:
                kept = self._rows[key] = (candle, shapes.kline(candle))
            rows.append(kept[1])
        return f"[{','.join(rows)}]"

    def _depth(self, call: Call) -> Any:
        symbol, count = self._symbol(call), call.limit(100, 5000)
        bids, asks = self._x.engine.book(symbol, call.now_ms)
        return {
            "lastUpdateId": call.now_ms,
            "bids": [[text(level.price), text(level.qty)] for level in bids[:count]],
            "asks": [[text(level.price), text(level.qty)] for level in asks[:count]],
        }

    def _tickers(self, one: Callable[[str, int], dict[str, Any]]) -> Callable[[Call], Any]:
        def answer(call: Call) -> Any:
            found = [one(symbol, call.now_ms) for symbol in self._symbols(call)]
            return found[0] if "symbol" in call.params else found

        return answer

    def _price(self, symbol: str, now_ms: int) -> dict[str, Any]:
        return {"symbol": symbol, "price": text(self._x.engine.last_price(symbol, now_ms))}

    def _book_ticker(self, symbol: str, now_ms: int) -> dict[str, Any]:
        bids, asks = self._x.engine.book(symbol, now_ms)
        return {
            "symbol": symbol,
            "bidPrice": text(bids[0].price if bids else ZERO),
            "bidQty": text(bids[0].qty if bids else ZERO),
            "askPrice": text(asks[0].price if asks else ZERO),
            "askQty": text(asks[0].qty if asks else ZERO),
        }

    def _day(self, symbol: str, now_ms: int) -> dict[str, Any]:
        market = self._x.engine.markets[symbol]
        rules = self._x.engine.instruments[symbol]
        spot = market.spot(now_ms)
        last = self._x.engine.last_price(symbol, now_ms)
        first = high = low = volume = turnover = ZERO
        close_ms = now_ms
        if spot is not None:
            first, high, low, volume, turnover = self._x.candles[symbol].day(rules, spot)
            # In a gap nothing has traded since the bar ended: the ticker's time says so.
            close_ms = min(now_ms, market.series.close_ms(spot.index) - 1)
        change = last - first
        average = ratio(turnover, volume) if volume else ZERO
        percent = ratio(change * 100, first, 3) if first else ZERO
        quote = self._book_ticker(symbol, now_ms)
        return {
            "symbol": symbol, "priceChange": text(change),
            "priceChangePercent": format(percent, "f"), "weightedAvgPrice": text(average),
            "prevClosePrice": text(first), "lastPrice": text(last), "lastQty": text(rules.lot),
            "bidPrice": quote["bidPrice"], "bidQty": quote["bidQty"],
            "askPrice": quote["askPrice"], "askQty": quote["askQty"], "openPrice": text(first),
            "highPrice": text(high), "lowPrice": text(low), "volume": text(volume),
            "quoteVolume": text(turnover), "openTime": close_ms - _DAY_MS, "closeTime": close_ms,
            "firstId": -1, "lastId": -1, "count": int(volume),
        }  # fmt: skip

    # --- account ---------------------------------------------------------------------------

    def _account(self, call: Call) -> Any:
        fees, key = self._x.engine.rules.fees, call.key
        assets = self._views.balances(call.account, call.now_ms)
        names = sorted({*assets, *self._x.assets()})
        return {
            "makerCommission": int(fees.maker * 10_000),
            "takerCommission": int(fees.taker * 10_000),
            "buyerCommission": 0, "sellerCommission": 0,
            "commissionRates": {"maker": text(fees.maker), "taker": text(fees.taker),
                                "buyer": text(ZERO), "seller": text(ZERO)},
            "canTrade": bool(key and key.trading), "canWithdraw": bool(key and key.withdrawals),
            "canDeposit": True, "brokered": False, "requireSelfTradePrevention": False,
            "preventSor": False, "updateTime": call.now_ms, "accountType": "SPOT",
            "balances": [
                {"asset": name, "free": text(assets[name].free if name in assets else ZERO),
                 "locked": text(assets[name].locked if name in assets else ZERO)}
                for name in names if call.params.get("omitZeroBalances") != "true"
                or (name in assets and assets[name].free + assets[name].locked)
            ],
            "permissions": ["SPOT"], "uid": 1,
        }  # fmt: skip

    def _post_order(self, call: Call) -> Any:
        symbol, side, kind = self._symbol(call), call.need("side"), call.need("type")
        if side not in ("BUY", "SELL"):
            raise BinanceError(-1117, "Invalid side.")
        if kind not in shapes.SERVED_TYPES:
            raise BinanceError(-1116, "Invalid orderType.")
        call.forbid("stopPrice", "trailingDelta", "icebergQty")
        client_id = call.params.get("newClientOrderId") or self._x.made_up_id(symbol)
        if not _CLIENT_ID.fullmatch(client_id):
            raise illegal("newClientOrderId", "^[\\.A-Z\\:/a-z0-9_-]{1,36}$")
        usual = "ACK" if kind == "LIMIT_MAKER" else "FULL"
        answer_kind = call.params.get("newOrderRespType", usual)
        if answer_kind not in ("ACK", "RESULT", "FULL"):
            raise illegal("newOrderRespType", "^(ACK|RESULT|FULL)$")
        qty, quote_qty, price, tif = self._order_numbers(call, kind)
        full = self._x.limits.orders_full(call.account, call.now_ms)
        if full is not None:
            most, window, left_s = full
            call.headers.append(("Retry-After", str(left_s)))
            raise BinanceError(
                -1015, f"Too many new orders; current limit is {most} orders per {window}.", 429
            )
        wish = OrderRequest(call.account, symbol, side, kind, client_id, tif, qty, quote_qty, price)
        order, trades = self._x.engine.place(wish, call.now_ms)
        self._x.limits.count_order(call.account, call.now_ms)
        short, day = self._x.limits.order_counts(call.account, call.now_ms)
        call.headers.append(("X-MBX-ORDER-COUNT-10S", str(short)))
        call.headers.append(("X-MBX-ORDER-COUNT-1D", str(day)))
        call.note |= {"client_id": client_id, "order_id": order.order_id}
        return shapes.placed_order(order, trades, answer_kind)

    def _order_numbers(self, call: Call, kind: str) -> tuple[Decimal, Decimal, Decimal, str]:
        if kind == "MARKET":
            call.forbid("price", "timeInForce")
            if "quoteOrderQty" in call.params:
                if "quantity" in call.params:
                    raise BinanceError(-1128, "Combination of optional parameters invalid.")
                return ZERO, call.number("quoteOrderQty"), ZERO, "GTC"
            return call.number("quantity"), ZERO, ZERO, "GTC"
        call.forbid("quoteOrderQty")
        tif = "GTC"
        if kind == "LIMIT_MAKER":
            call.forbid("timeInForce")
        else:
            tif = call.need("timeInForce")
        if tif not in ("GTC", "IOC", "FOK"):
            raise BinanceError(-1115, "Invalid timeInForce.")
        return call.number("quantity"), ZERO, call.number("price"), tif

    def _find(self, call: Call, code: int, msg: str) -> Order:
        """The order that a request names by orderId or origClientOrderId."""
        symbol = self._symbol(call)
        order_id, client_id = call.whole("orderId"), call.params.get("origClientOrderId", "")
        books = self._x.engine.books
        if order_id is None and not client_id:
            raise BinanceError(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        if order_id is not None:
            order = books.orders.get((symbol, order_id))
            if order is not None and client_id and order.client_id != client_id:
                order = None
        else:
            order = next(iter(books.with_client_id(call.account, symbol, client_id)[::-1]), None)
        lost = order is None or order.account != call.account
        if order is None or lost or not self._views.finds(order, call.now_ms):
            raise BinanceError(code, msg)
        return order

    def _get_order(self, call: Call) -> Any:
        return shapes.order(self._find(call, -2013, "Order does not exist."))

    def _delete_order(self, call: Call) -> Any:
        order = self._find(call, -2011, "Unknown order sent.")
        self._x.engine.cancel(order, call.now_ms)
        call.note["order_id"] = order.order_id
        made_up = self._x.made_up_id(order.symbol, order.order_id)
        return shapes.canceled_order(order, call.params.get("newClientOrderId") or made_up)

    def _open_orders(self, call: Call) -> Any:
        if "symbol" in call.params:
            return [shapes.order(order) for order in self._resting(call, self._symbol(call))]
        everywhere = self._x.engine.instruments
        return [shapes.order(x) for name in everywhere for x in self._resting(call, name)]

    def _resting(self, call: Call, symbol: str) -> list[Order]:
        return self._views.resting(call.account, symbol, call.now_ms)

    def _delete_open_orders(self, call: Call) -> Any:
        resting = self._resting(call, self._symbol(call))
        if not resting:
            raise BinanceError(-2011, "Unknown order sent.")
        for order in resting:
            self._x.engine.cancel(order, call.now_ms)
        return [
            shapes.canceled_order(order, self._x.made_up_id(order.symbol, order.order_id))
            for order in resting
        ]

    def _all_orders(self, call: Call) -> Any:
        found = self._views.orders(call.account, self._symbol(call), call.now_ms)
        first, count = call.whole("orderId"), call.limit(500, 1000)
        if first is not None:
            begin = bisect_left(found, first, key=lambda x: x.order_id)
            return [shapes.order(order) for order in found[begin : begin + count]]
        return [shapes.order(x) for x in _page(call, found, count, lambda x: x.created_ms)]

    def _my_trades(self, call: Call) -> Any:
        found = self._views.trades(call.account, self._symbol(call), call.now_ms)
        first, order_id, count = call.whole("fromId"), call.whole("orderId"), call.limit(500, 1000)
        timed = "startTime" in call.params or "endTime" in call.params
        if timed and (first is not None or order_id is not None):
            raise BinanceError(-1128, "Combination of optional parameters invalid.")
        if order_id is not None:
            found = [trade for trade in found if trade.order_id == order_id]
        if first is not None:
            begin = bisect_left(found, first, key=lambda x: x.trade_id)
            return [shapes.trade(trade) for trade in found[begin : begin + count]]
        return [shapes.trade(x) for x in _page(call, found, count, lambda x: x.at_ms)]

    # --- wallet ----------------------------------------------------------------------------

    def _coins(self, call: Call) -> Any:
        held = self._views.balances(call.account, call.now_ms)
        return [shapes.coin(name, held.get(name)) for name in self._x.assets()]

    def _restrictions(self, call: Call) -> Any:
        assert call.key is not None
        return shapes.restrictions(call.key)

    def _trade_fee(self, call: Call) -> Any:
        fees = self._x.engine.rules.fees
        return [
            {
                "symbol": name,
                "makerCommission": text(fees.maker),
                "takerCommission": text(fees.taker),
            }
            for name in self._symbols(call)
        ]

    def _table(self) -> dict[tuple[str, str], _Route]:
        v3, sapi = "/api/v3", "/sapi/v1"
        day = self._tickers(self._day)
        table = {
            ("GET", f"{v3}/ping"): _Route(lambda _: {}, 1),
            ("GET", f"{v3}/time"): _Route(lambda call: {"serverTime": call.now_ms}, 1),
            ("GET", f"{v3}/exchangeInfo"): _Route(self._exchange_info, 20),
            ("GET", f"{v3}/klines"): _Route(self._klines, 2),
            ("GET", f"{v3}/depth"): _Route(self._depth, _depth_weight),
            ("GET", f"{v3}/ticker/24hr"): _Route(day, _day_weight),
            ("GET", f"{v3}/ticker/price"): _Route(self._tickers(self._price), _quote_weight),
            ("GET", f"{v3}/ticker/bookTicker"): _Route(
                self._tickers(self._book_ticker), _quote_weight
            ),
            ("GET", f"{v3}/account"): _Route(self._account, 20, signed=True),
            ("POST", f"{v3}/order"): _Route(self._post_order, 1, signed=True, trades=True),
            ("GET", f"{v3}/order"): _Route(self._get_order, 4, signed=True),
            ("DELETE", f"{v3}/order"): _Route(self._delete_order, 1, signed=True, trades=True),
            ("GET", f"{v3}/openOrders"): _Route(
                self._open_orders, lambda given: 6 if "symbol" in given else 80, signed=True
            ),
            ("DELETE", f"{v3}/openOrders"): _Route(
                self._delete_open_orders, 1, signed=True, trades=True
            ),
            ("GET", f"{v3}/allOrders"): _Route(self._all_orders, 20, signed=True),
            ("GET", f"{v3}/myTrades"): _Route(
                self._my_trades, lambda given: 5 if "orderId" in given else 20, signed=True
            ),
        }
        # Derivatives and margin markets are asked for by clients that load every market: none.
        for path in ("/fapi/v1", "/dapi/v1"):
            table["GET", f"{path}/exchangeInfo"] = _Route(lambda _: {"symbols": []}, 1)
        wallet: dict[str, tuple[Callable[[Call], Any], int]] = {
            "capital/config/getall": (self._coins, 10),
            "account/apiRestrictions": (self._restrictions, 1),
            "asset/tradeFee": (self._trade_fee, 1),
            "margin/allPairs": (lambda _: [], 1),
            "margin/isolated/allPairs": (lambda _: [], 1),
        }
        for path, (answer, weight) in wallet.items():
            table["GET", f"{sapi}/{path}"] = _Route(answer, weight, signed=True, family="SAPI")
        return table


def _page(
    call: Call, found: Sequence[_Record], count: int, at_ms: Callable[[_Record], int]
) -> list[_Record]:
    """The page that a time window selects: from its start when given, else the newest."""
    start, end = call.whole("startTime"), call.whole("endTime")
    if start is not None and end is not None and not 0 <= end - start <= _DAY_MS:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")
    if start is not None and end is None:
        end = start + _DAY_MS
    inside = [
        x
        for x in found
        if (start is None or at_ms(x) >= start) and (end is None or at_ms(x) <= end)
    ]
    return inside[:count] if start is not None else inside[-count:]


def _depth_weight(given: dict[str, str]) -> int:
    asked = int(given["limit"]) if given.get("limit", "").isdigit() else 100
    return next((cost for most, cost in ((100, 5), (500, 25), (1000, 50)) if asked <= most), 250)


def _quote_weight(given: dict[str, str]) -> int:
    return 2 if "symbol" in given else 4


def _day_weight(given: dict[str, str]) -> int:
    if "symbol" in given:
        return 2
    named = given["symbols"].count(",") + 1 if "symbols" in given else 101
    return next((cost for most, cost in ((20, 2), (100, 40)) if named <= most), 80)
