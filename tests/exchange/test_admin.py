"""The admin plane, and the options with which an exchange starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.exchange.bars import ExchangeSetupError
from trader.exchange.client import AdminClient, AdminError
from trader.exchange.exchange import Exchange, ExchangeConfig
from trader.exchange.instruments import default_instrument, symbol_in_file_name
from trader.exchange.server import RunningExchange, parse_options

from .conftest import FLAT, MINUTE_MS, START_MS, Customer


@pytest.fixture
def served(bar_file: Callable[..., str], serve: Callable[..., RunningExchange]) -> RunningExchange:
    """An exchange of flat bars."""
    return serve(bar_file([FLAT] * 5), balances={"USDT": "10000", "BTC": "10"})


@pytest.fixture
def who(served: RunningExchange, customer: Callable[..., Customer]) -> Customer:
    """A customer of it."""
    return customer(served)


def test_without_its_token_the_admin_plane_does_nothing(
    served: RunningExchange, who: Customer
) -> None:
    assert who.send("GET", "/admin/books").status == 403
    with pytest.raises(AdminError, match="needs its token"):
        AdminClient(served.port, "guessed").advance(1)
    with pytest.raises(AdminError, match="no GET /admin/nothing"):
        served.admin._call("GET", "nothing")


def test_the_clock_stands_jumps_and_runs(served: RunningExchange) -> None:
    admin = served.admin
    begun = START_MS + 2 * MINUTE_MS
    assert admin.clock() == admin.clock() == {"now_ms": begun, "rate": "0"}
    assert admin.advance(1_500)["now_ms"] == begun + 1_500
    assert admin.set_clock(begun)["now_ms"] == begun, "it may be set back"
    running = admin.set_clock(rate="1000")
    assert running["rate"] == "1000"
    while admin.clock()["now_ms"] <= running["now_ms"]:
        pass
    admin.set_clock(rate="0")
    for rate in ("-1", "NaN", "Infinity"):
        with pytest.raises(AdminError, match="finite and not negative"):
            admin.set_clock(rate=rate)
    with pytest.raises(AdminError, match="finite and not negative"):
        admin.advance(-(10**15))
    assert admin.clock() == admin.clock()


def test_orders_by_hand_are_orders_like_any_other(served: RunningExchange, who: Customer) -> None:
    made = served.admin.place("BTCUSDT", "SELL", "2", "120", client_id="by-hand")
    shown = who.signed("GET", "openOrders", symbol="BTCUSDT").json
    assert [(x["orderId"], x["clientOrderId"]) for x in shown] == [(made["order_id"], "by-hand")]
    assert served.admin.books()["orders"][0]["by_hand"] is True
    served.admin.fill("BTCUSDT", client_id="by-hand", qty="0.5")
    assert who.balance("BTC") == ("8.00000000", "1.50000000")
    trade = who.signed("GET", "myTrades", symbol="BTCUSDT").json[0]
    assert (trade["price"], trade["qty"], trade["isMaker"]) == ("120.00000000", "0.50000000", True)
    mine = who.limit("SELL", "1", "130").json
    assert served.admin.cancel("BTCUSDT", order_id=mine["orderId"]) == {"status": "CANCELED"}
    for call in (
        lambda: served.admin.cancel("BTCUSDT", order_id=mine["orderId"]),
        lambda: served.admin.fill("BTCUSDT", order_id=mine["orderId"]),
        lambda: served.admin.place("BTCUSDT", "SELL", "200", "120"),
    ):
        with pytest.raises(AdminError, match=r"refused: (unknown_order|balance)"):
            call()
    with pytest.raises(AdminError, match="KeyError: 'nobody'"):
        served.admin.cancel("BTCUSDT", client_id="nobody")


def test_money_comes_and_goes_but_never_below_zero(served: RunningExchange, who: Customer) -> None:
    assert served.admin.deposit("DOGE", "12.5") == {"free": "12.5"}
    assert who.balance("DOGE") == ("12.50000000", "0.00000000")
    served.admin.deposit("DOGE", "-2.5")
    assert who.balance("DOGE") == ("10.00000000", "0.00000000")
    with pytest.raises(AdminError, match=r"has 10\.0 DOGE free, needs 11"):
        served.admin.deposit("DOGE", "-11")
    with pytest.raises(AdminError, match="InvalidOperation"):
        served.admin.deposit("DOGE", "much")


def test_rules_change_while_the_exchange_runs(served: RunningExchange, who: Customer) -> None:
    changed = served.admin.instrument("BTCUSDT", tick="0.5", lot="0.1", min_notional="100")
    assert (changed["tick"], changed["lot"], changed["min_notional"]) == ("0.5", "0.1", "100")
    filters = who.get("exchangeInfo").json["symbols"][0]["filters"]
    assert filters[0]["tickSize"] == "0.50000000"
    assert who.limit("BUY", "2", "99.2").refusal[2] == "Filter failure: PRICE_FILTER"
    book = who.get("depth", symbol="BTCUSDT").json
    assert (book["bids"][0][0], book["asks"][0][0]) == ("99.50000000", "100.50000000")
    for change in ({"tick": "0"}, {"tick": "x"}, {"status": "ASLEEP"}, {"tik": "1"}):
        with pytest.raises(AdminError):
            served.admin.instrument("BTCUSDT", **change)
    with pytest.raises(AdminError, match="KeyError"):
        served.admin.instrument("NOSUCH", tick="1")


def test_requests_are_counted_and_logged_with_their_client_id(
    served: RunningExchange, who: Customer
) -> None:
    who.limit("BUY", "1", "50", newClientOrderId="one")
    who.limit("BUY", "1000", "99", newClientOrderId="two")
    who.get("time")
    seen = served.admin.requests()
    assert seen["counts"] == {"GET /api/v3/time": 1, "POST /api/v3/order": 2}
    rows = [(x["method"], x.get("client_id"), x["outcome"], x["at_ms"]) for x in seen["log"]]
    now = who.now_ms
    assert rows == [("POST", "one", 200, now), ("POST", "two", 400, now), ("GET", None, 200, now)]
    served.admin.clear_requests()
    assert served.admin.requests() == {"counts": {}, "log": []}


def test_a_second_account_has_its_own_orders_money_and_ids(
    served: RunningExchange, who: Customer, customer: Callable[..., Customer]
) -> None:
    served.admin.key(key="second", secret="s2", account="other")
    served.admin.deposit("USDT", "1000", account="other")
    other = customer(served, key="second", secret="s2")
    mine = who.limit("BUY", "1", "99", newClientOrderId="same").json["orderId"]
    theirs = other.limit("BUY", "2", "99", newClientOrderId="same").json["orderId"]
    assert mine != theirs
    assert other.balance("USDT") == ("802.00000000", "198.00000000")
    assert who.balance("USDT") == ("9901.00000000", "99.00000000")
    assert other.signed("GET", "order", symbol="BTCUSDT", orderId=mine).json["code"] == -2013
    assert other.signed("DELETE", "order", symbol="BTCUSDT", orderId=mine).json["code"] == -2011
    assert len(other.signed("DELETE", "openOrders", symbol="BTCUSDT").json) == 1
    assert len(who.signed("GET", "openOrders").json) == 1


def test_a_ban_by_hand(served: RunningExchange, who: Customer) -> None:
    served.admin.ban(who.now_ms + 60_000)
    assert who.get("time").status == 418
    served.admin.advance(60_000)
    assert who.get("time").status == 200


@pytest.mark.parametrize(
    ("symbol", "price", "decimals", "tick", "lot", "min_notional"),
    [
        ("BTCUSDT", "60000", 1, "0.01", "0.00001", "5"),
        ("BTCUSDT", "60000", 3, "0.001", "0.00001", "5"),
        ("BTCUSDT", "60000", 8, "0.01", "0.00001", "5"),
        ("ETH/USDT", "3000", 2, "0.01", "0.0001", "5"),
        ("XRPUSDT", "0.52", 4, "0.00001", "1", "5"),
        ("ETHBTC", "0.05", 6, "0.000001", "0.0001", "0.00005"),
        ("XRPBTC", "0.00007", 9, "0.00000001", "0.1", "0.00005"),
    ],
)
def test_rules_are_guessed_like_a_venue_would_set_them(
    symbol: str, price: str, decimals: int, tick: str, lot: str, min_notional: str
) -> None:
    rules = default_instrument(symbol, Decimal(price), decimals)
    assert (rules.tick, rules.lot) == (Decimal(tick), Decimal(lot))
    assert rules.notional_min == Decimal(min_notional)


def test_every_candle_lies_on_the_grid_that_the_venue_announces(
    bar_file: Callable[..., str],
) -> None:
    fine = bar_file([("100", "100.125", "99.9999", "100.0001", "5"), FLAT])

    def shown(**rules: str) -> tuple[str, list[str]]:
        config = ExchangeConfig(bars=[fine], instruments={"BTC/USDT": rules} if rules else {})
        exchange = Exchange(config, lambda: 0)
        path = "/api/v3/klines?symbol=BTCUSDT&interval=1m"
        candle = json.loads(exchange.handle("GET", path, {}, b"")[2])[0]
        tick = exchange.engine.instruments["BTCUSDT"].as_json()["tick"]
        return tick, [price.rstrip("0") for price in candle[1:5]]

    assert shown() == ("0.0001", ["100.", "100.125", "99.9999", "100.0001"])
    assert shown(tick="0.05") == ("0.05", ["100.", "100.1", "100.", "100."])


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance_btcusdt_1h_2017-08_2024-04.csv.gz", "BTCUSDT"),
        ("octobot_bittrex_xrpbtc_5m_2018-07.csv.gz", "XRPBTC"),
        ("made_solusdt_1m.csv.gz", "SOLUSDT"),
        ("nautilus_btc_perp_1m.csv.gz", None),
    ],
)
def test_a_symbol_is_found_in_a_file_name(name: str, symbol: str | None) -> None:
    assert symbol_in_file_name(name) == symbol


def test_options_become_a_configuration(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"ETH/USDT": {"lot": 0.5}}))
    config = parse_options(
        ["--bars", "a.csv", "b.csv=ETH/USDT", "--seed", "7", "--now", "2023-11-15T00:02:00",
         "--clock", "manual", "--balance", "usdt=5", "--balance", "BTC=1", "--no-fsync",
         "--instrument", "BTC/USDT:tick=0.01,lot=0.001", "--instrument", str(rules),
         "--state", "books", "--fee-coin", "BNB", "--fee-coin-price", "BNBUSDT=300"],
        {"EXCHANGE_KEY": "k", "EXCHANGE_SECRET": "s", "EXCHANGE_ADMIN_TOKEN": "t"},
    )  # fmt: skip
    assert list(config.bars) == ["a.csv", "b.csv=ETH/USDT"]
    assert (config.seed, config.now_ms, config.rate) == (7, START_MS + 2 * MINUTE_MS, "0")
    assert (config.key, config.secret, config.admin_token) == ("k", "s", "t")
    assert config.balances == {"USDT": "5", "BTC": "1"}
    assert config.instruments == {
        "BTCUSDT": {"tick": "0.01", "lot": "0.001"},
        "ETHUSDT": {"lot": "0.5"},
    }
    assert (config.state_dir, config.fsync, config.fee_coin) == ("books", False, "BNB")
    assert parse_options(["--bars", "a", "--now", "1700006520"], {}).now_ms == 1_700_006_520_000
    assert parse_options(["--bars", "a"], {}).rate == "1"


@pytest.mark.parametrize(
    "options",
    [
        ["--now", "yesterday"],
        ["--balance", "USDT"],
        ["--instrument", "BTCUSDT"],
        ["--instrument", "nowhere.json"],
    ],
)
def test_options_that_mean_nothing_are_refused(options: list[str]) -> None:
    with pytest.raises(ExchangeSetupError):
        parse_options(["--bars", "a", *options], {})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bars": []}, "no bar file given"),
        ({"dialect": "klingon"}, "dialect 'klingon' is not spoken; known: binance"),
        ({"balances": {"USDT": "much"}}, "is not a number"),
        ({"maker_fee": "-1"}, "must be finite and not negative"),
        ({"instruments": {"ETHUSDT": {"tick": "1"}}}, "rules for ETHUSDT, which has no bar file"),
    ],
)
def test_an_exchange_that_cannot_be_is_refused(
    bar_file: Callable[..., str], changes: dict[str, Any], said: str
) -> None:
    settings: dict[str, Any] = {"bars": [bar_file([FLAT] * 3)], **changes}
    with pytest.raises(ExchangeSetupError, match=said):
        Exchange(ExchangeConfig(**settings), lambda: 0)


def test_files_must_name_different_symbols(bar_file: Callable[..., str], tmp_path: Path) -> None:
    spec = bar_file([FLAT] * 3)
    with pytest.raises(ExchangeSetupError, match="BTCUSDT already has a bar file"):
        Exchange(ExchangeConfig(bars=[spec, spec]), lambda: 0)
    nameless = tmp_path / "nameless.csv.gz"
    nameless.write_bytes(Path(spec.partition("=")[0]).read_bytes())
    with pytest.raises(ExchangeSetupError, match="write FILE=BASE/QUOTE"):
        Exchange(ExchangeConfig(bars=[str(nameless)]), lambda: 0)


def test_a_port_in_use_is_named(
    served: RunningExchange, bar_file: Callable[..., str], serve: Callable[..., RunningExchange]
) -> None:
    with pytest.raises(ExchangeSetupError, match=f"port {served.port}: cannot listen"):
        serve(bar_file([FLAT] * 3), port=served.port)


def test_the_clock_starts_at_the_end_of_the_first_bars(bar_file: Callable[..., str]) -> None:
    config = ExchangeConfig(bars=[bar_file([FLAT] * 9)], warm_bars=4)
    assert Exchange(config, lambda: 0).clock.now_ms() == START_MS + 4 * MINUTE_MS
    early = ExchangeConfig(bars=[bar_file([FLAT] * 9)], now_ms=START_MS - 1)
    status, _, body = Exchange(early, lambda: 0).handle("GET", "/api/v3/exchangeInfo", {}, b"")
    assert (status, json.loads(body)["symbols"][0]["status"]) == (200, "BREAK")
