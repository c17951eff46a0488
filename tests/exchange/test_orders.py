"""What the exchange does with an order, asked over HTTP: refusals, matching, fees, locks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trader.exchange.server import RunningExchange

from .conftest import FLAT, MINUTE_MS, RULES, START_MS, Customer, Row

BALANCE = "Account has insufficient balance for requested action."
DIP: Row = ("100", "100", "95", "96", "600")


def _asks(who: Customer) -> list[tuple[Decimal, Decimal]]:
    rows = who.get("depth", symbol="BTCUSDT").json["asks"]
    return [(Decimal(price), Decimal(qty)) for price, qty in rows]


def test_an_ioc_order_takes_level_after_level_and_the_rest_expires(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100()
    first, second, third = _asks(who)[:3]
    wanted = first[1] + second[1] + third[1] + 1
    answer = who.limit("BUY", str(wanted), str(second[0]), "IOC", newClientOrderId="ioc").json
    bought = first[1] + second[1]
    cost = first[0] * first[1] + second[0] * second[1]
    assert answer["status"] == "EXPIRED"
    assert Decimal(answer["executedQty"]) == bought
    assert Decimal(answer["cummulativeQuoteQty"]) == cost
    assert [(Decimal(x["price"]), Decimal(x["qty"])) for x in answer["fills"]] == [first, second]
    assert _asks(who)[0] == third, "what was taken is gone for this step"
    assert who.balance("USDT") == (f"{10000 - cost:.8f}", "0.00000000")
    assert who.balance("BTC") == (f"{10 + bought * Decimal('0.999'):.8f}", "0.00000000")
    served.admin.advance(1_000)
    assert _asks(who)[0][0] == first[0], "the next step has a fresh book"


def test_fill_or_kill_is_all_or_nothing(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    price, qty = _asks(who)[0]
    killed = who.limit("BUY", str(qty + 1), str(price), "FOK").json
    assert (killed["status"], killed["fills"]) == ("EXPIRED", [])
    assert who.balance("USDT") == ("10000.00000000", "0.00000000")
    assert who.limit("BUY", str(qty), str(price), "FOK").json["status"] == "FILLED"


def test_a_limit_order_takes_what_it_can_and_the_rest_waits_in_the_book(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    price, qty = _asks(who)[0]
    answer = who.limit("BUY", str(qty + 1), str(price), newClientOrderId="rest").json
    assert (answer["status"], Decimal(answer["executedQty"])) == ("PARTIALLY_FILLED", qty)
    assert Decimal(who.balance("USDT")[1]) == price, "one unit is still reserved for"
    canceled = who.signed(
        "DELETE", "order", symbol="BTCUSDT", origClientOrderId="rest", newClientOrderId="c1"
    ).json
    assert (canceled["status"], canceled["origClientOrderId"]) == ("CANCELED", "rest")
    assert (canceled["clientOrderId"], Decimal(canceled["executedQty"])) == ("c1", qty)
    assert who.balance("USDT")[1] == "0.00000000"


def test_a_maker_only_order_refuses_to_take(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "1"}
    text = "Order would immediately match and take."
    assert who.signed("POST", "order", **order, price="100.01").refusal == (400, -2010, text)
    rests = who.signed("POST", "order", **order, price="100").json
    assert "status" not in rests, "maker orders are acknowledged only, unless asked otherwise"
    shown = who.signed("GET", "order", symbol="BTCUSDT", orderId=rests["orderId"]).json
    assert (shown["status"], shown["type"]) == ("NEW", "LIMIT_MAKER")


def test_market_orders_by_quantity_and_by_money(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100(depth="10")
    sold = who.market("SELL", quantity="2").json
    assert (sold["status"], sold["executedQty"]) == ("FILLED", "2.00000000")
    bought = who.market("BUY", quoteOrderQty="250").json
    spent = Decimal(bought["cummulativeQuoteQty"])
    assert bought["status"] == "FILLED"
    assert bought["executedQty"] == bought["origQty"] == "2.49900000"
    assert Decimal("249.9") < spent <= 250
    assert bought["origQuoteOrderQty"] == "250.00000000"


def test_a_market_order_larger_than_the_book_expires_with_what_it_got(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100(depth="0.01")
    offered = sum(Decimal(x[1]) for x in who.get("depth", symbol="BTCUSDT").json["bids"])
    answer = who.market("SELL", quantity="9").json
    assert (answer["status"], Decimal(answer["executedQty"])) == ("EXPIRED", offered)
    assert who.balance("BTC") == (f"{10 - offered:.8f}", "0.00000000")
    empty = "Order book liquidity is less than LOT_SIZE filter minimum quantity."
    assert who.market("SELL", quantity="1").refusal == (400, -2010, empty)


def test_the_answer_to_an_order_is_as_full_as_asked_for(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    short = who.limit("BUY", "1", "99", newOrderRespType="ACK").json
    assert set(short) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    result = who.limit("BUY", "1", "99", newOrderRespType="RESULT").json
    assert (result["status"], "fills" in result) == ("NEW", False)
    assert who.limit("BUY", "1", "99").json["fills"] == []


def test_a_resting_order_fills_as_maker_at_its_own_price_when_the_path_comes(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100(DIP, maker_fee="0.0002", taker_fee="0.001")
    who.limit("BUY", "20", "97", newClientOrderId="dip")
    served.admin.advance(1)
    who.now_ms += 1
    states: list[str] = []
    for _ in range(60):
        served.admin.advance(1_000)
        who.now_ms += 1_000
        got = who.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="dip").json
        locked = Decimal(got["price"]) * (Decimal(20) - Decimal(got["executedQty"]))
        assert Decimal(who.balance("USDT")[1]) == locked
        states.append(got["status"])
    assert list(dict.fromkeys(states)) == ["NEW", "PARTIALLY_FILLED", "FILLED"]
    trades = who.signed("GET", "myTrades", symbol="BTCUSDT").json
    assert len(trades) > 1
    assert {(x["price"], x["isMaker"], x["isBuyer"]) for x in trades} == {
        ("97.00000000", True, True)
    }
    assert sum(Decimal(x["qty"]) for x in trades) == 20
    assert sum(Decimal(x["commission"]) for x in trades) == Decimal("0.004"), "20 x 0.0002"
    assert [x["id"] for x in trades] == sorted({x["id"] for x in trades})


def test_fills_do_not_depend_on_how_often_one_looks(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]], tmp_path: Any
) -> None:
    seen: list[Any] = []
    for steps in ([60_000], [7_000] * 8 + [4_000], [1] * 10 + [59_990]):
        served, who = open_at_100(DIP)
        who.limit("BUY", "20", "97")
        who.limit("BUY", "3", "96.5")
        for step in steps:
            served.admin.advance(step)
        seen.append(served.admin.books())
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]["trades"]


def test_a_touch_alone_fills_only_a_share_of_what_trades(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100(DIP, half_spread_bps="50")
    who.limit("BUY", "20", "95", newClientOrderId="low")
    served.admin.advance(MINUTE_MS)
    who.now_ms += MINUTE_MS
    got = who.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="low").json
    assert got["status"] == "PARTIALLY_FILLED", "the low was touched, the ask stayed above it"
    assert Decimal(got["executedQty"]) < 10, "a step trades 10 of the bar's 600"


def test_the_better_price_fills_first_then_the_older_order(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100(DIP, half_spread_bps="50", balances={"USDT": "100000"})
    for client_id, price in (("low", "95"), ("old", "95.01"), ("new", "95.01"), ("high", "95.02")):
        who.limit("BUY", "200", price, newClientOrderId=client_id)
    served.admin.advance(MINUTE_MS)
    filled = {x["client_id"]: Decimal(x["executed"]) for x in served.admin.books()["orders"]}
    assert 0 < filled["high"] < 200, "one step's volume is not enough for all"
    assert filled["old"] == filled["new"] == filled["low"] == 0


def test_what_rests_after_taking_below_its_price_reserves_no_more_than_it_needs(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    levels = _asks(who)[:3]
    taken = sum(qty for _, qty in levels)
    answer = who.limit("BUY", str(taken + 2), str(levels[2][0])).json
    assert (answer["status"], Decimal(answer["executedQty"])) == ("PARTIALLY_FILLED", taken)
    free, locked = (Decimal(x) for x in who.balance("USDT"))
    assert locked == 2 * levels[2][0]
    assert free == 10000 - locked - sum(price * qty for price, qty in levels)


def test_a_clock_set_back_lives_the_same_prices_again(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100(DIP)
    served.admin.advance(2 * MINUTE_MS)
    served.admin.set_clock(who.now_ms)
    who.limit("BUY", "1", "97")
    served.admin.advance(2 * MINUTE_MS)
    first = served.admin.books()["trades"]
    assert {trade["price"] for trade in first} == {"97"}
    served.admin.set_clock(who.now_ms)
    served.admin.advance(2 * MINUTE_MS)
    assert served.admin.books()["trades"] == first, "what has filled stays filled, once"


def test_nothing_fills_while_no_bar_trades(
    bar_file: Callable[..., str],
    serve: Callable[..., RunningExchange],
    customer: Callable[..., Customer],
) -> None:
    served = serve(
        bar_file([FLAT, FLAT, None, None, None]), now_ms=START_MS + 3 * MINUTE_MS, instruments=RULES
    )
    who = customer(served)
    who.limit("BUY", "1", "100")
    served.admin.advance(10 * MINUTE_MS)
    assert served.admin.books()["trades"] == []
    day = who.get("ticker/24hr", symbol="BTCUSDT").json
    assert (day["lastPrice"], day["closeTime"]) == ("100.00000000", START_MS + 2 * MINUTE_MS - 1)


@pytest.mark.parametrize(
    ("options", "side", "fee_asset", "fee"),
    [
        ({}, "BUY", "BTC", "0.001"),
        ({}, "SELL", "USDT", "0.09999"),
        ({"fee_mode": "quote"}, "BUY", "USDT", "0.10001"),
        ({"fee_mode": "quote"}, "SELL", "USDT", "0.09999"),
        # A quarter off, at 300 a coin: 100.01 x 0.00075 / 300 and 99.99 x 0.00075 / 300, cut.
        ({"fee_coin": "BNB", "held": "1"}, "BUY", "BNB", "0.00025002"),
        ({"fee_coin": "BNB", "held": "1"}, "SELL", "BNB", "0.00024997"),
        ({"fee_coin": "BNB", "held": "0.0001"}, "BUY", "BTC", "0.001"),
        ({"fee_coin": "BNB", "held": "0"}, "SELL", "USDT", "0.09999"),
    ],
)
def test_fees_are_taken_in_quote_base_or_a_third_coin(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
    options: dict[str, str],
    side: str,
    fee_asset: str,
    fee: str,
) -> None:
    held = options.pop("held", "0")
    balances = {"USDT": "10000", "BTC": "10", "BNB": held}
    prices = {"BNBUSDT": "300"}
    _, who = open_at_100(depth="10", balances=balances, fee_coin_prices=prices, **options)
    fill = who.market(side, quantity="1").json["fills"][0]
    assert (fill["commissionAsset"], Decimal(fill["commission"])) == (fee_asset, Decimal(fee))
    start, spent = Decimal(balances[fee_asset]), Decimal(fee)
    moved = {
        ("BUY", "BTC"): 1,
        ("BUY", "USDT"): Decimal("-100.01"),
        ("SELL", "USDT"): Decimal("99.99"),
    }
    assert Decimal(who.balance(fee_asset)[0]) == start + moved.get((side, fee_asset), 0) - spent
    options["held"] = held


def test_what_is_locked_cannot_be_spent_twice(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    assert who.limit("SELL", "7", "120").status == 200
    assert who.balance("BTC") == ("3.00000000", "7.00000000")
    assert who.limit("SELL", "3.001", "120").refusal == (400, -2010, BALANCE)
    assert who.limit("BUY", "100", "99").status == 200
    assert who.balance("USDT") == ("100.00000000", "9900.00000000")
    assert who.limit("BUY", "2", "99").refusal == (400, -2010, BALANCE)
    assert len(who.signed("DELETE", "openOrders", symbol="BTCUSDT").json) == 2
    assert who.balance("BTC") == ("10.00000000", "0.00000000")
    assert who.balance("USDT") == ("10000.00000000", "0.00000000")


@pytest.mark.parametrize(
    ("scope", "after_cancel", "after_fill"),
    [("unfilled", -2010, 200), ("open", 200, 200), ("unique", -2010, -2010)],
)
def test_a_client_id_may_be_used_again_as_the_venue_allows(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
    scope: str,
    after_cancel: int,
    after_fill: int,
) -> None:
    _, who = open_at_100(id_scope=scope)

    def outcome(client_id: str, price: str) -> int:
        answer = who.limit("BUY", "1", price, newClientOrderId=client_id)
        return 200 if answer.status == 200 else answer.json["code"]

    assert outcome("one", "99") == 200
    clash = who.limit("BUY", "1", "99", newClientOrderId="one")
    assert clash.refusal == (400, -2010, "Duplicate order sent.")
    who.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId="one")
    assert outcome("one", "99") == after_cancel
    assert outcome("two", "110") == 200, "filled at once"
    assert outcome("two", "110") == after_fill


def test_orders_are_found_by_either_id_and_the_newest_of_a_reused_one(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100()
    first = who.limit("BUY", "1", "110", newClientOrderId="again").json
    second = who.limit("BUY", "1", "99", newClientOrderId="again").json
    assert second["orderId"] > first["orderId"]

    def ask(method: str = "GET", **which: Any) -> Any:
        return who.signed(method, "order", symbol="BTCUSDT", **which).json

    assert ask(origClientOrderId="again")["orderId"] == second["orderId"]
    assert ask(orderId=first["orderId"])["status"] == "FILLED"
    assert ask(orderId=first["orderId"], origClientOrderId="other")["code"] == -2013
    assert ask(orderId=999_999) == {"code": -2013, "msg": "Order does not exist."}
    assert ask()["code"] == -1102
    assert ask("DELETE", orderId=999_999) == {"code": -2011, "msg": "Unknown order sent."}
    assert ask("DELETE", orderId=first["orderId"])["code"] == -2011, "filled: too late"
    none_open = who.signed("DELETE", "openOrders", symbol="BTCUSDT")
    assert none_open.status == 200
    none_open = who.signed("DELETE", "openOrders", symbol="BTCUSDT")
    assert none_open.refusal == (400, -2011, "Unknown order sent.")


def test_lists_of_orders_and_trades_are_paged(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100(depth="10")
    begun = who.now_ms
    orders = [who.market("BUY", quantity="0.5").json for _ in range(4)]
    served.admin.advance(5_000)
    who.now_ms += 5_000
    orders += [who.market("BUY", quantity="0.5").json for _ in range(3)]
    ids = [order["orderId"] for order in orders]
    trade_ids = [order["fills"][0]["tradeId"] for order in orders]

    def ask(path: str, field: str, **params: Any) -> list[int]:
        rows = who.signed("GET", path, symbol="BTCUSDT", **params).json
        return [row[field] for row in rows]

    assert ask("allOrders", "orderId") == ids
    assert ask("allOrders", "orderId", limit=2) == ids[-2:]
    assert ask("allOrders", "orderId", orderId=ids[1], limit=2) == ids[1:3]
    assert ask("allOrders", "orderId", startTime=begun + 1) == ids[4:]
    assert ask("myTrades", "id") == trade_ids
    assert ask("myTrades", "id", limit=3) == trade_ids[-3:]
    assert ask("myTrades", "id", fromId=trade_ids[2], limit=3) == trade_ids[2:5]
    assert ask("myTrades", "id", orderId=ids[5]) == [trade_ids[5]]
    assert ask("myTrades", "id", startTime=begun, endTime=begun, limit=2) == trade_ids[:2]
    assert ask("myTrades", "id", endTime=begun) == trade_ids[:4]
    day = 24 * 60 * MINUTE_MS
    wide = who.signed("GET", "myTrades", symbol="BTCUSDT", startTime=0, endTime=day + 1)
    assert wide.refusal == (400, -1127, "More than 24 hours between startTime and endTime.")
    mixed = who.signed("GET", "myTrades", symbol="BTCUSDT", startTime=begun, fromId=1)
    assert mixed.refusal == (400, -1128, "Combination of optional parameters invalid.")
    bad = who.signed("GET", "myTrades", symbol="BTCUSDT", limit=0)
    assert bad.refusal[:2] == (400, -1130)


def test_a_market_that_is_closed_takes_no_order(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100(DIP)
    who.limit("BUY", "1", "97")
    served.admin.instrument("BTCUSDT", status="BREAK")
    assert who.limit("BUY", "1", "97").refusal == (400, -1013, "Market is closed.")
    served.admin.advance(MINUTE_MS + 1)
    who.now_ms += MINUTE_MS + 1
    assert served.admin.books()["trades"] == [], "and fills none"
    info = who.get("exchangeInfo", symbol="BTCUSDT").json["symbols"][0]
    assert info["status"] == "BREAK"
    assert len(who.signed("DELETE", "openOrders", symbol="BTCUSDT").json) == 1


def test_the_end_of_the_bars_can_close_the_market(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    for ended, status in (("quote", 200), ("break", 400)):
        served, who = open_at_100(ended=ended)
        served.admin.advance(60 * MINUTE_MS)
        who.now_ms += 60 * MINUTE_MS
        assert who.limit("BUY", "1", "99").status == status
        assert who.get("ticker/price", symbol="BTCUSDT").json["price"] == "100.00000000"


def test_equal_requests_at_equal_times_get_equal_bytes(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    def story() -> list[tuple[int, bytes, dict[str, str]]]:
        served, who = open_at_100(DIP, seed=42)
        answers = []
        for step in range(12):
            answers.append(who.limit("BUY", "2", "97"))
            answers.append(who.market("SELL", quantity="0.5"))
            answers.append(who.get("depth", symbol="BTCUSDT"))
            answers.append(who.get("ticker/24hr"))
            answers.append(who.signed("GET", "account"))
            answers.append(who.get("klines", symbol="BTCUSDT", interval="5m"))
            served.admin.advance(7_000)
            who.now_ms += 7_000
            if step == 8:
                answers.append(who.signed("DELETE", "openOrders", symbol="BTCUSDT"))
        return [(x.status, x.body, x.headers) for x in answers]

    assert story() == story()


def test_the_fee_coin_is_priced_by_its_own_market_and_pays_for_itself(
    bar_file: Callable[..., str],
    serve: Callable[..., RunningExchange],
    customer: Callable[..., Customer],
) -> None:
    coin: Row = ("50", "50", "50", "50", "600")
    files = [bar_file([FLAT] * 4), bar_file([coin] * 4, "BNBUSDT")]
    rules = {name: {"tick": "0.01", "lot": "0.001"} for name in ("BTCUSDT", "BNBUSDT")}
    served = serve(
        *files, instruments=rules, balances={"USDT": "1000", "BNB": "1"}, fee_coin="BNB", depth="10"
    )
    who = customer(served)
    # 100.01 x 0.00075 / 50, and 2 BNB x 0.00075: each cut to eight decimals.
    other = who.market("BUY", quantity="1").json["fills"][0]
    assert (other["commissionAsset"], other["commission"]) == ("BNB", "0.00150015")
    order = {"symbol": "BNBUSDT", "side": "BUY", "type": "MARKET", "quantity": "2"}
    itself = who.signed("POST", "order", **order).json["fills"][0]
    assert (itself["commissionAsset"], itself["commission"]) == ("BNB", "0.00150000")


def test_no_more_orders_may_rest_than_the_venue_says(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    _, who = open_at_100(orders_10s_max=1000)
    info = who.get("exchangeInfo").json["symbols"][0]["filters"]
    most = next(x["maxNumOrders"] for x in info if x["filterType"] == "MAX_NUM_ORDERS")
    for _ in range(most):
        assert who.limit("BUY", "0.4", "30").status == 200
    refused = who.limit("BUY", "0.4", "30").refusal
    assert refused == (400, -1013, "Filter failure: MAX_NUM_ORDERS")


def test_a_day_has_its_own_order_limit(
    open_at_100: Callable[..., tuple[RunningExchange, Customer]],
) -> None:
    served, who = open_at_100()
    served.exchange.limits.orders_1d_max = 1
    assert who.limit("BUY", "1", "50").status == 200
    full = who.limit("BUY", "1", "50")
    text = "Too many new orders; current limit is 1 orders per 1 DAY."
    assert full.refusal == (429, -1015, text)
    assert full.headers["Retry-After"] == str(86_400 - 119)
