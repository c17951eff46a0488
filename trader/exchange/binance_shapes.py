"""The JSON shapes of Binance spot's REST interface.

Here: how a candle, an order, a trade, a coin or a key's rights read on the wire; decimals are text
with eight places. Part of the dialect in binance.py, apart only for length: no decision lives here.
"""

from __future__ import annotations

from typing import Any

from trader.exchange.books import Balance, Order, Trade
from trader.exchange.candles import Candle
from trader.exchange.instruments import Instrument
from trader.exchange.limits import ApiKey, Limits
from trader.exchange.money import ZERO, text

SERVED_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET")


def rate_limits(limits: Limits) -> list[dict[str, Any]]:
    """The limits that exchangeInfo announces."""
    rows = [
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_max),
        ("ORDERS", "SECOND", 10, limits.orders_10s_max),
        ("ORDERS", "DAY", 1, limits.orders_1d_max),
    ]
    names = ("rateLimitType", "interval", "intervalNum", "limit")
    return [dict(zip(names, row, strict=True)) for row in rows]


def symbol_info(rules: Instrument, status: str, open_orders_max: int) -> dict[str, Any]:
    """One symbol of exchangeInfo with its filters."""
    return {
        "symbol": rules.symbol, "status": status, "baseAsset": rules.base,
        "baseAssetPrecision": 8, "quoteAsset": rules.quote, "quotePrecision": 8,
        "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": list(SERVED_TYPES), "icebergAllowed": False, "ocoAllowed": False,
        "otoAllowed": False, "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": False,
        "cancelReplaceAllowed": False, "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": text(rules.price_min),
             "maxPrice": text(rules.price_max), "tickSize": text(rules.tick)},
            {"filterType": "LOT_SIZE", "minQty": text(rules.qty_min),
             "maxQty": text(rules.qty_max), "stepSize": text(rules.lot)},
            {"filterType": "MARKET_LOT_SIZE", "minQty": text(ZERO),
             "maxQty": text(rules.market_qty_max), "stepSize": text(ZERO)},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": text(rules.percent_up),
             "bidMultiplierDown": text(rules.percent_down),
             "askMultiplierUp": text(rules.percent_up),
             "askMultiplierDown": text(rules.percent_down), "avgPriceMins": 0},
            {"filterType": "NOTIONAL", "minNotional": text(rules.notional_min),
             "applyMinToMarket": True, "maxNotional": text(rules.notional_max),
             "applyMaxToMarket": False, "avgPriceMins": 0},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": open_orders_max},
        ],
        "permissions": [], "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }  # fmt: skip


def kline(candle: Candle) -> str:
    """One row of klines as JSON text."""
    o, h, low, c = map(text, (candle.open, candle.high, candle.low, candle.close))
    half, half_quote = text(candle.volume / 2), text(candle.turnover / 2)
    count = min(1_000_000, int(candle.volume) + 1) if candle.volume else 0
    return (
        f'[{candle.open_ms},"{o}","{h}","{low}","{c}","{text(candle.volume)}",'
        f'{candle.close_ms - 1},"{text(candle.turnover)}",{count},"{half}","{half_quote}","0"]'
    )


def order(placed: Order) -> dict[str, Any]:
    """An order as the read endpoints show it."""
    return {
        "symbol": placed.symbol, "orderId": placed.order_id, "orderListId": -1,
        "clientOrderId": placed.client_id, "price": text(placed.price),
        "origQty": text(placed.qty), "executedQty": text(placed.executed),
        "origQuoteOrderQty": text(placed.quote_qty), "cummulativeQuoteQty": text(placed.cost),
        "status": placed.status, "timeInForce": placed.tif, "type": placed.type,
        "side": placed.side, "stopPrice": text(ZERO), "icebergQty": text(ZERO),
        "time": placed.created_ms, "updateTime": placed.updated_ms, "isWorking": True,
        "workingTime": placed.created_ms, "selfTradePreventionMode": "EXPIRE_MAKER",
    }  # fmt: skip


def placed_order(placed: Order, trades: list[Trade], kind: str) -> dict[str, Any]:
    """The answer to a new order: `kind` is ACK, RESULT or FULL."""
    answer: dict[str, Any] = {
        "symbol": placed.symbol, "orderId": placed.order_id, "orderListId": -1,
        "clientOrderId": placed.client_id, "transactTime": placed.created_ms,
    }  # fmt: skip
    if kind == "ACK":
        return answer
    shown = order(placed)
    for name in ("stopPrice", "icebergQty", "time", "updateTime", "isWorking"):
        del shown[name]
    answer = {**answer, **shown}
    if kind == "FULL":
        answer["fills"] = [
            {
                "price": text(trade.price),
                "qty": text(trade.qty),
                "commission": text(trade.fee),
                "commissionAsset": trade.fee_asset,
                "tradeId": trade.trade_id,
            }
            for trade in trades
        ]
    return answer


def canceled_order(placed: Order, new_client_id: str) -> dict[str, Any]:
    """The answer to a cancel: the order's own id moves to origClientOrderId."""
    shown = placed_order(placed, [], "RESULT")
    return {
        **shown,
        "origClientOrderId": placed.client_id,
        "clientOrderId": new_client_id,
        "transactTime": placed.updated_ms,
    }


def trade(done: Trade) -> dict[str, Any]:
    """A row of myTrades."""
    return {
        "symbol": done.symbol, "id": done.trade_id, "orderId": done.order_id, "orderListId": -1,
        "price": text(done.price), "qty": text(done.qty), "quoteQty": text(done.quote_qty),
        "commission": text(done.fee), "commissionAsset": done.fee_asset, "time": done.at_ms,
        "isBuyer": done.is_buyer, "isMaker": done.is_maker, "isBestMatch": True,
    }  # fmt: skip


def coin(name: str, held: Balance | None) -> dict[str, Any]:
    """A coin of the wallet."""
    network = {
        "network": name, "coin": name, "isDefault": True, "name": name, "depositEnable": True,
        "withdrawEnable": False, "withdrawFee": "0", "withdrawMin": "0", "withdrawMax": "0",
        "withdrawIntegerMultiple": "0.00000001", "minConfirm": 1, "unLockConfirm": 0,
    }  # fmt: skip
    return {
        "coin": name, "name": name, "free": text(held.free if held else ZERO),
        "locked": text(held.locked if held else ZERO), "freeze": "0", "withdrawing": "0",
        "ipoing": "0", "ipoable": "0", "storage": "0", "trading": True,
        "isLegalMoney": name in ("USD", "EUR", "GBP", "TRY"), "depositAllEnable": True,
        "withdrawAllEnable": False, "networkList": [network],
    }  # fmt: skip


def restrictions(key: ApiKey) -> dict[str, Any]:
    """What the key may do."""
    return {
        "ipRestrict": key.ip_restricted, "createTime": key.created_ms,
        "enableReading": key.reading, "enableSpotAndMarginTrading": key.trading,
        "enableWithdrawals": key.withdrawals, "enableInternalTransfer": False,
        "enableMargin": False, "enableFutures": False, "permitsUniversalTransfer": False,
        "enableVanillaOptions": False, "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False, "enableFixReadOnly": False,
    }  # fmt: skip
