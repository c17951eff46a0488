"""The books: conserved under anything, kept through restarts and kills."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.exchange.bars import ExchangeSetupError
from trader.exchange.client import AdminClient
from trader.exchange.engine import OrderRequest, Refused
from trader.exchange.exchange import Exchange, ExchangeConfig
from trader.exchange.money import exact
from trader.exchange.server import RunningExchange, serve_in_thread
from trader.exchange.state import BooksNotKeptError, StateDir

from .conftest import FLAT, MINUTE_MS, START_MS, Customer, Row

DIP: Row = ("100", "100", "95", "96", "600")


def _walk(seed: int, count: int) -> list[Row | None]:
    rng = random.Random(seed)
    rows: list[Row | None] = []
    price = 10_000
    for _ in range(count):
        low, high = price - rng.randrange(60), price + rng.randrange(60)
        close = rng.randrange(low, high + 1)
        numbers = (price, high, low, close)
        o, h, lo, c = (str(Decimal(x) / 100) for x in numbers)
        rows.append((o, h, lo, c, str(rng.randrange(3_000))))
        price = close
    return rows


def _assert_conserved(exchange: Exchange) -> None:
    """deposits = accounts + fees + strangers, nothing below zero, locks = what orders reserve."""
    books = exchange.engine.books
    totals: dict[str, Decimal] = {}
    for held in books.accounts.values():
        for asset, balance in held.items():
            assert balance.free >= 0
            assert balance.locked >= 0
            totals[asset] = totals.get(asset, Decimal(0)) + balance.free + balance.locked
    for asset in {*totals, *books.deposits}:
        parts = (totals, books.fees, books.strangers)
        assert sum(x.get(asset, Decimal(0)) for x in parts) == books.deposits.get(asset, 0), asset
    reserved: dict[tuple[str, str], Decimal] = {}
    for order in books.orders.values():
        rules = exchange.engine.instruments[order.symbol]
        key = (order.account, rules.quote if order.side == "BUY" else rules.base)
        reserved[key] = reserved.get(key, Decimal(0)) + order.locked
        pad = 1 + exchange.engine.rules.fees.taker if exchange.config.fee_mode == "quote" else 1
        per_unit = order.price * pad if order.side == "BUY" else 1
        assert order.locked == (order.left * per_unit if order.is_open else 0)
        fills = [
            x for x in books.trades if (x.symbol, x.order_id) == (order.symbol, order.order_id)
        ]
        assert sum(x.qty for x in fills) == order.executed <= order.qty
        assert sum(x.quote_qty for x in fills) == order.cost
    for account, held in books.accounts.items():
        for asset, balance in held.items():
            assert balance.locked == reserved.get((account, asset), 0)


def _random_wish(rng: random.Random, last: Decimal) -> OrderRequest:
    kind = rng.choice(["LIMIT", "LIMIT", "LIMIT", "LIMIT_MAKER", "MARKET"])
    side, account = rng.choice(["BUY", "SELL"]), rng.choice(["main", "other"])
    price = Decimal(int(last * 100) * rng.randrange(985, 1016) // 1000) / 100
    qty = Decimal(rng.randrange(1, 30_000)) / 1000
    wish = OrderRequest(account, "BTCUSDT", side, kind, f"c{rng.randrange(10**9)}")
    if kind == "MARKET":
        by_money = rng.random() < 0.5
        amount = {"quote_qty": qty * 10} if by_money else {"qty": qty}
        return OrderRequest(account, "BTCUSDT", side, kind, wish.client_id, **amount)
    tif = rng.choice(["GTC", "GTC", "IOC", "FOK"]) if kind == "LIMIT" else "GTC"
    return OrderRequest(account, "BTCUSDT", side, kind, wish.client_id, tif, qty, price=price)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fee_mode", ["received", "quote"])
def test_no_unit_of_any_asset_appears_or_vanishes(
    bar_file: Callable[..., str], seed: int, fee_mode: str
) -> None:
    rng = random.Random(seed)
    config = ExchangeConfig(
        bars=[bar_file(_walk(seed, 80))], seed=seed, now_ms=START_MS + 2 * MINUTE_MS,
        instruments={"BTCUSDT": {"tick": "0.01", "lot": "0.001", "min_notional": "1"}},
        balances={"USDT": "5000", "BTC": "40", "BNB": "0.01"}, fee_mode=fee_mode,
        fee_coin="BNB", fee_coin_prices={"BNBUSDT": "300"}, maker_fee="0.00075",
    )  # fmt: skip
    exchange = Exchange(config, lambda: 0)
    engine, accepted, now_ms = exchange.engine, 0, START_MS + 2 * MINUTE_MS
    with exact():
        engine.books.deposit("other", "USDT", Decimal("777.77"))
        for step in range(300):
            try:
                engine.place(_random_wish(rng, engine.last_price("BTCUSDT", now_ms)), now_ms)
                accepted += 1
            except Refused:
                pass
            resting = list(engine.books.open.get("BTCUSDT", {}).values())
            if resting and rng.random() < 0.2:
                engine.cancel(rng.choice(resting), now_ms)
            now_ms += rng.randrange(30_000)
            engine.settle(now_ms)
            if step % 10 == 0:
                _assert_conserved(exchange)
        _assert_conserved(exchange)
    statuses = {order.status for order in engine.books.orders.values()}
    assert accepted > 60, f"seed {seed}"
    assert {"FILLED", "EXPIRED", "CANCELED"} <= statuses, f"seed {seed}"
    assert {x.is_maker for x in engine.books.trades} == {True, False}, f"seed {seed}"
    assert "BNB" in engine.books.fees, f"seed {seed}"


def _books(exchange: Exchange) -> Any:
    with exact():
        return exchange.engine.books.as_json()


def test_books_clock_rules_and_taken_liquidity_survive_a_restart(
    bar_file: Callable[..., str], tmp_path: Path, customer: Callable[..., Customer]
) -> None:
    config = ExchangeConfig(
        bars=[bar_file([FLAT, FLAT, DIP, FLAT])], now_ms=START_MS + 2 * MINUTE_MS - 1,
        state_dir=tmp_path / "state", balances={"USDT": "10000", "BTC": "10"},
    )  # fmt: skip
    with serve_in_thread(config) as served:
        who = customer(served)
        who.limit("BUY", "5", "97", newClientOrderId="dip")
        who.market("BUY", quantity="3")
        served.admin.instrument("BTCUSDT", min_notional="25")
        served.admin.deposit("EUR", "12.5")
        depth = who.get("depth", symbol="BTCUSDT").body
        before = served.admin.books()
    with serve_in_thread(config) as served:
        assert served.admin.books() == before
        who = customer(served)
        assert who.get("depth", symbol="BTCUSDT").body == depth
        assert served.admin.instruments()[0]["min_notional"] == "25"
        served.admin.advance(MINUTE_MS)
        who.now_ms += MINUTE_MS
        order = who.signed("GET", "order", symbol="BTCUSDT", origClientOrderId="dip").json
        assert order["status"] == "FILLED", "the order went on waiting across the restart"
        assert len(before["trades"]) < len(served.admin.books()["trades"])
        settled = served.admin.books()
    with serve_in_thread(config) as served:
        assert served.admin.books() == settled


def test_a_restart_does_not_bring_back_prices_that_were_over(
    bar_file: Callable[..., str], tmp_path: Path
) -> None:
    config = ExchangeConfig(
        bars=[bar_file([FLAT, FLAT, DIP, FLAT, FLAT])], state_dir=tmp_path / "state",
        now_ms=START_MS + 3 * MINUTE_MS + 1_000, balances={"USDT": "10000"},
    )  # fmt: skip
    with serve_in_thread(config) as served:
        served.admin.place("BTCUSDT", "BUY", "1", "97")
    with serve_in_thread(config) as served:
        served.admin.advance(MINUTE_MS)
        assert served.admin.books()["trades"] == [], "the dip was before the order"


def test_books_of_another_market_are_refused(bar_file: Callable[..., str], tmp_path: Path) -> None:
    files = [bar_file([FLAT] * 3), bar_file([FLAT] * 3, "ETHUSDT")]
    options: dict[str, Any] = {"state_dir": tmp_path / "state"}
    with serve_in_thread(ExchangeConfig(bars=files, **options)) as served:
        served.admin.place("ETHUSDT", "BUY", "1", "99")
    with pytest.raises(ExchangeSetupError, match="open orders of ETHUSDT"):
        Exchange(ExchangeConfig(bars=files[:1], **options), lambda: 0)
    with pytest.raises(ExchangeSetupError, match="made with --seed 1"):
        Exchange(ExchangeConfig(bars=files, seed=2, **options), lambda: 0)
    with serve_in_thread(ExchangeConfig(bars=files, **options)) as served:
        assert len(served.admin.books()["orders"]) == 1


def test_a_snapshot_replaces_a_long_log(
    bar_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trader.exchange.state._LOG_LINES_MAX", 7)
    config = ExchangeConfig(bars=[bar_file([FLAT] * 3)], state_dir=tmp_path / "state")
    exchange = Exchange(config, lambda: 0)
    headers = {"X-Admin-Token": config.admin_token}
    for count in range(40):
        body = json.dumps({"asset": "USDT", "amount": str(count)}).encode()
        assert exchange.handle("POST", "/admin/balances", headers, body)[0] == 200
    before = _books(exchange)
    exchange.close()
    assert (tmp_path / "state" / "books.json").exists()
    logs = list((tmp_path / "state").glob("log-*.jsonl"))
    assert len(logs) == 1
    assert len(logs[0].read_text().splitlines()) <= 7
    again = Exchange(config, lambda: 0)
    assert _books(again) == before
    again.close()


def test_a_torn_last_line_was_never_answered_and_is_dropped(tmp_path: Path) -> None:
    state = StateDir(tmp_path, fsync=False)
    assert state.load() == []
    state.append({"a": 1}, dict)
    state.append({"a": 2}, dict)
    state.close()
    log = tmp_path / "log-0.jsonl"
    log.write_bytes(log.read_bytes() + b'{"a":3')
    again = StateDir(tmp_path, fsync=True)
    assert again.load() == [{"a": 1}, {"a": 2}]
    again.append({"a": 4}, dict)
    again.close()
    last = StateDir(tmp_path, fsync=True)
    assert last.load()[-1] == {"a": 4}
    last.close()


def test_a_full_disk_leaves_no_half_line_and_the_next_change_keeps_all(
    bar_file: Callable[..., str], tmp_path: Path
) -> None:
    config = ExchangeConfig(bars=[bar_file([FLAT] * 3)], state_dir=tmp_path / "s", fsync=False)
    exchange = Exchange(config, lambda: 0)

    def deposit(amount: str) -> None:
        body = json.dumps({"asset": "USDT", "amount": amount}).encode()
        headers = {"X-Admin-Token": config.admin_token}
        assert exchange.handle("POST", "/admin/balances", headers, body)[0] == 200

    kept = (tmp_path / "s" / "log-0.jsonl").read_bytes()
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(kept) + 20, most[1]))
    try:
        with pytest.raises(BooksNotKeptError):
            deposit("1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (tmp_path / "s" / "log-0.jsonl").read_bytes() == kept
    deposit("2")
    before = _books(exchange)
    exchange.close()
    again = Exchange(config, lambda: 0)
    assert _books(again) == before
    assert before["accounts"]["main"]["USDT"] == ["10003", "0"]
    again.close()


def test_spoilt_books_and_a_second_server_are_refused(tmp_path: Path) -> None:
    first = StateDir(tmp_path, fsync=False)
    with pytest.raises(ExchangeSetupError, match="another exchange runs on these books"):
        StateDir(tmp_path, fsync=False)
    first.close()
    (tmp_path / "books.json").write_text("{")
    spoilt = StateDir(tmp_path, fsync=False)
    with pytest.raises(ExchangeSetupError, match="books are unreadable"):
        spoilt.load()
    spoilt.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(ExchangeSetupError, match="cannot keep books there"):
        StateDir(tmp_path / "file", fsync=False)


@dataclass
class _Process:
    """A served exchange in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    now_ms: int

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=10)
        return self.process.returncode


def _start(*options: str) -> _Process:
    command = [sys.executable, "-m", "trader.exchange.server", *options]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    ready = json.loads(line)
    assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
    return _Process(process, ready["port"], ready["now_ms"])


def _trade_until_cut_off(served: _Process, name: str, answered: dict[str, int]) -> None:
    """Orders that are canceled at once, so that they never run into the limit of open ones."""
    who = Customer(served.port, served.now_ms)
    with contextlib.closing(who.connection):
        for count in range(100_000):
            client_id = f"{name}-{count}"
            try:
                answer = who.limit("BUY", "1", "99.5", newClientOrderId=client_id)
                assert answer.status == 200, answer.body
                answered[client_id] = answer.json["orderId"]
                who.signed("DELETE", "order", symbol="BTCUSDT", origClientOrderId=client_id)
            except (OSError, http.client.HTTPException):
                return


def test_what_was_answered_outlives_sigkill(bar_file: Callable[..., str], tmp_path: Path) -> None:
    options = ["--bars", bar_file([FLAT] * 4), "--state", str(tmp_path / "state"), "--clock",
               "manual", "--now", str(START_MS + 2 * MINUTE_MS), "--orders-10s-max", "100000",
               "--weight-max", "1000000", "--balance", "USDT=100000000"]  # fmt: skip
    answered: dict[str, int] = {}
    for round_number in range(2):
        served = _start(*options)

        workers = [
            threading.Thread(
                target=_trade_until_cut_off, args=(served, f"{round_number}{x}", answered)
            )
            for x in "ab"
        ]
        for worker in workers:
            worker.start()
        while len(answered) < 60 * (round_number + 1) and any(x.is_alive() for x in workers):
            pass
        assert served.end(signal.SIGKILL) == -signal.SIGKILL
        for worker in workers:
            worker.join(10)
    assert len(answered) >= 120
    served = _start(*options)
    orders = AdminClient(served.port, "local-admin").books()["orders"]
    kept = {x["client_id"]: x["order_id"] for x in orders}
    assert served.end(signal.SIGTERM) == 0
    missing = {name for name, order_id in answered.items() if kept.get(name) != order_id}
    assert not missing
    assert len(kept) - len(answered) <= 4, "at most one order per worker was never answered"


def test_the_clock_goes_on_across_a_restart(bar_file: Callable[..., str], tmp_path: Path) -> None:
    wall = [1_000_000]
    config = ExchangeConfig(
        bars=[bar_file([FLAT] * 4)], state_dir=tmp_path / "s", now_ms=START_MS, rate="2"
    )
    first = Exchange(config, lambda: wall[0])
    wall[0] += 5_000
    assert first.clock.now_ms() == START_MS + 10_000
    first.close()
    wall[0] += 30_000
    again = Exchange(config, lambda: wall[0])
    assert again.clock.now_ms() == START_MS + 70_000
    again.close()


def test_a_server_says_in_one_sentence_why_it_cannot_start(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "trader.exchange.server",
        "--bars",
        str(tmp_path / "x.csv=BTCUSDT"),
    ]
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=root, timeout=20, check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "cannot read the bar file" in ended.stderr


def test_the_engine_is_reachable_without_sockets(bar_file: Callable[..., str]) -> None:
    exchange = Exchange(ExchangeConfig(bars=[bar_file([FLAT] * 3)]), lambda: 0)
    status, _, body = exchange.handle("GET", "/api/v3/klines?symbol=BTCUSDT&interval=1m", {}, b"")
    assert status == 200
    assert len(json.loads(body)) == 3
    served = RunningExchange(exchange, 1)
    assert served.engine is exchange.engine
