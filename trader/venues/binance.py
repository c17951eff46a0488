"""Binance spot: codes, texts, shapes and limits of its REST answers.

Lives here: what is documented for Binance spot and was seen to be so; nothing else knows its
words. Must not live here: how an outcome is decided (`outcomes`), requests (`ccxt_venue`).
"""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import parse_qsl

from trader.venues.dialect import Dialect, Json, Meaning, SentOrder, Verdict

_NO, _MAYBE, _GONE = Meaning.REJECTED, Meaning.UNKNOWN, Meaning.ABSENT

_CODES = {
    # 10xx: the server. What timed out or was cut may have been carried out.
    "-1000": Verdict(_MAYBE, "server"),
    "-1001": Verdict(_MAYBE, "server"),
    "-1002": Verdict(_NO, "auth"),
    "-1003": Verdict(_MAYBE, "rate_limited"),
    "-1004": Verdict(_MAYBE, "server"),
    "-1006": Verdict(_MAYBE, "timeout"),
    "-1007": Verdict(_MAYBE, "timeout"),
    "-1008": Verdict(_MAYBE, "server"),
    "-1010": Verdict(_MAYBE, "server"),
    "-1013": Verdict(_NO, "filter"),
    "-1014": Verdict(_NO, "bad_request"),
    "-1015": Verdict(_MAYBE, "rate_limited"),
    "-1016": Verdict(_MAYBE, "server"),
    "-1020": Verdict(_NO, "bad_request"),
    "-1021": Verdict(_NO, "clock"),
    "-1022": Verdict(_NO, "auth"),
    "-1034": Verdict(_MAYBE, "rate_limited"),
    # 11xx: the request.
    **{f"-{code}": Verdict(_NO, "bad_request") for code in range(1100, 1136)},
    "-1111": Verdict(_NO, "precision"),
    "-1121": Verdict(_NO, "bad_symbol"),
    "-1122": Verdict(_NO, "bad_symbol"),
    # 20xx: the order and the account.
    "-2010": Verdict(_NO, "refused"),
    "-2011": Verdict(_NO, "refused"),
    "-2013": Verdict(_GONE, "not_found"),
    "-2014": Verdict(_NO, "auth"),
    "-2015": Verdict(_NO, "auth"),
    "-2016": Verdict(_NO, "market_closed"),
    "-2026": Verdict(_MAYBE, "archived"),
}

_TEXTS = (
    ("-2010", "duplicate", Verdict(_MAYBE, "duplicate")),
    ("-2010", "insufficient balance", Verdict(_NO, "insufficient_balance")),
    ("-2010", "market is closed", Verdict(_NO, "market_closed")),
    ("-2010", "immediately match", Verdict(_NO, "would_take")),
    ("-2010", "not enabled", Verdict(_NO, "no_right")),
    ("-2010", "disabled", Verdict(_NO, "no_right")),
    ("-2010", "does not have permission", Verdict(_NO, "no_right")),
    ("-2010", "liquidity", Verdict(_NO, "no_liquidity")),
    ("-1013", "market is closed", Verdict(_NO, "market_closed")),
    ("-1013", "notional", Verdict(_NO, "notional_min")),
    ("-2011", "unknown order", Verdict(_GONE, "not_found")),
    ("-2011", "was not canceled", Verdict(_MAYBE, "refused")),
)


def _error_of(parsed: Json) -> tuple[str, str] | None:
    """{"code": -1121, "msg": "Invalid symbol."}; numbers may have been read as text."""
    if not isinstance(parsed, dict):
        return None
    body = cast("dict[str, Any]", parsed)
    code, words = body.get("code"), body.get("msg")
    if isinstance(code, bool) or not isinstance(code, int | str) or not isinstance(words, str):
        return None
    return None if str(code) in {"0", "200"} else (str(code), words)


def _is_order(parsed: Json) -> bool:
    body = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    return all(name in body for name in ("symbol", "orderId", "clientOrderId"))


def _is_told(parsed: Json) -> bool:
    """An order with its state and amounts: nothing of it may be made up from defaults."""
    wanted = ("status", "side", "origQty", "executedQty", "price")
    return _is_order(parsed) and all(name in parsed for name in wanted)


def _list_of(*names: str) -> Any:
    def check(parsed: Json) -> bool:
        rows = cast("list[Any]", parsed) if isinstance(parsed, list) else None
        return rows is not None and all(
            isinstance(row, dict) and all(name in row for name in names) for row in rows
        )

    return check


def _has(name: str, *kinds: type) -> Any:
    def check(parsed: Json) -> bool:
        body = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
        return isinstance(body.get(name), kinds)

    return check


def _is_account(parsed: Json) -> bool:
    return _has("balances", list)(parsed) and _list_of("asset", "free", "locked")(
        parsed["balances"]
    )


def _is_klines(parsed: Json) -> bool:
    rows = cast("list[Any]", parsed) if isinstance(parsed, list) else None
    return rows is not None and all(
        isinstance(row, list) and len(cast("list[Any]", row)) >= 6 for row in rows
    )


def _is_ticker(parsed: Json) -> bool:
    return _list_of("symbol", "bidPrice", "askPrice")([parsed])


def _is_book(parsed: Json) -> bool:
    return _has("bids", list)(parsed) and _has("asks", list)(parsed)


def _is_listing(parsed: Json) -> bool:
    if not _has("symbols", list)(parsed) or not parsed["symbols"]:
        return False
    return _list_of("symbol", "status", "baseAsset", "quoteAsset", "filters")(parsed["symbols"])


_TOLD_ORDERS = _list_of("symbol", "orderId", "clientOrderId", "status", "origQty", "executedQty")


def _sent_order(body: str) -> SentOrder | None:
    """The order in the form of a POST."""
    form = dict(parse_qsl(body))
    if "newClientOrderId" not in form:
        return None
    names = ("newClientOrderId", "type", "side", "timeInForce", "quantity", "price")
    values = [form.get(name, "") for name in names]
    return SentOrder(values[0], *(value.lower() for value in values[1:]))


BINANCE = Dialect(
    exchange_id="binance",
    options={
        "defaultType": "spot",
        "fetchCurrencies": False,
        "fetchMargins": False,
        "fetchMarkets": {"types": ["spot"]},
        "warnOnFetchOpenOrdersWithoutSymbol": False,
        "adjustForTimeDifference": False,
    },
    hosts={
        "live": frozenset({"api.binance.com"}),
        "testnet": frozenset({"testnet.binance.vision"}),
    },
    codes=_CODES,
    texts=_TEXTS,
    error_of=_error_of,
    shapes={
        "create_order": _is_order,
        "fetch_order": _is_told,
        "cancel_order": _is_told,
        "cancel_all_orders": _TOLD_ORDERS,
        "fetch_open_orders": _TOLD_ORDERS,
        "fetch_my_trades": _list_of("symbol", "id", "orderId", "price", "qty", "time"),
        "fetch_balance": _is_account,
        "fetch_ohlcv": _is_klines,
        "fetch_bids_asks": _list_of("symbol", "bidPrice", "askPrice"),
        "fetch_tickers": _list_of("symbol", "bidPrice", "askPrice"),
        "fetch_ticker": _is_ticker,
        "fetch_order_book": _is_book,
        "fetch_markets": _is_listing,
        "fetch_time": _has("serverTime", int, str),
    },
    sent_order=_sent_order,
    symbol_key="symbol",
    order_types={"limit": ("limit", "timeInForce"), "post_only": ("limit_maker", "")},
    info_kept={"orderTypes": ["LIMIT", "LIMIT_MAKER"]},
    rules_codes=frozenset({"-1013", "-1111"}),
    weight_header="x-mbx-used-weight-1m",
    weight_max=6_000,
    bars_page=1000,
    fills_page=1000,
    fills_window_ms=86_400_000,
)

DIALECTS: dict[str, Dialect] = {BINANCE.exchange_id: BINANCE}
