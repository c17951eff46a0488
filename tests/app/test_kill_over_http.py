"""`kill --all` through real ccxt and HTTP, against the local exchange and its faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trader.app.kill import KillSetup, Target, kill_all
from trader.app.sweep import SweepLimits
from trader.errors import ExitCode
from trader.exchange.server import ExchangeConfig, RunningExchange, serve_in_thread
from trader.ops.clock import SystemClock
from trader.ops.latch import Latch
from trader.ops.lock import CycleLock
from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue

START_MS = 1_700_006_400_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT")


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[RunningExchange]:
    """Five instruments at 100 and an account full of resting orders, 1 % below."""
    lines = ["timestamp_ms,open,high,low,close,volume"]
    lines += [f"{START_MS + i * 60_000},100,100,100,100,600" for i in range(5)]
    for symbol in SYMBOLS:
        (tmp_path / f"{symbol}.csv").write_text("\n".join([*lines, ""]))
    rules = {"tick": "0.01", "lot": "0.001", "min_notional": "10"}
    config = ExchangeConfig(
        bars=[f"{tmp_path / symbol}.csv={symbol}" for symbol in SYMBOLS],
        now_ms=START_MS + 2 * 60_000,
        instruments=dict.fromkeys(SYMBOLS, rules),
        balances={"USDT": "100000"},
    )
    with serve_in_thread(config) as served:
        for number in range(20):
            symbol = SYMBOLS[number % len(SYMBOLS)]
            served.admin.place(symbol, "BUY", "0.5", "99", client_id=f"byhand{number}")
        yield served


@pytest.fixture
def setup(exchange: RunningExchange, tmp_path: Path) -> Iterator[KillSetup]:
    """A kill that knows of one instrument only."""
    clock = exchange.exchange.clock.now_ms
    config = CcxtConfig("binance", "testnet", exchange.base_url, "local-key", "local-secret")
    venue = CcxtVenue(config, clock)
    state = tmp_path / "state"
    yield KillSetup(
        latch=Latch(state / "latch"),
        lock=CycleLock(state / "lock", 0.1, time.sleep),
        journal_path=state / "journal.db",
        open_target=lambda: Target(venue, ("BTC/USDT",)),
        clock=SystemClock(),
        sleep=lambda seconds: time.sleep(seconds / 50),
        grace_ms=30_000,
        limits=SweepLimits(late_ms=200, deadline_ms=20_000),
    )
    venue.close()


def open_orders(exchange: RunningExchange) -> int:
    """How many orders rest in the exchange's own books."""
    books = exchange.admin.books()
    return sum(order["status"] in {"NEW", "PARTIALLY_FILLED"} for order in books["orders"])


def test_every_resting_order_of_the_account_is_gone(
    exchange: RunningExchange, setup: KillSetup
) -> None:
    assert open_orders(exchange) == 20
    report = kill_all(setup, "drill", "ann")
    assert report.confirmed, report.left
    assert report.exit_code is ExitCode.OK
    assert open_orders(exchange) == 0


def test_cancels_that_are_lost_refused_or_cut_are_tried_again(
    exchange: RunningExchange, setup: KillSetup
) -> None:
    exchange.admin.faults(
        [
            {"method": "DELETE", "path": "/api/v3/openOrders", "action": action, "times": 2}
            for action in ("drop_before", "html_502", "null", "reset_after", "cut_json")
        ]
        + [
            {"method": "GET", "path": "/api/v3/openOrders", "action": action, "times": 1}
            for action in ("html_502", "drop_after", "html_200", "null")
        ]
    )
    report = kill_all(setup, "drill", "ann")
    assert report.confirmed, report.left
    assert open_orders(exchange) == 0
    assert sum(row["observed"] for row in exchange.admin.faults()) >= 6


def test_a_revoked_key_is_not_confirmed_and_says_so(
    exchange: RunningExchange, setup: KillSetup
) -> None:
    exchange.admin.key(key="local-key", enabled=False)
    limited = KillSetup(
        latch=setup.latch,
        lock=setup.lock,
        journal_path=setup.journal_path,
        open_target=setup.open_target,
        clock=setup.clock,
        sleep=setup.sleep,
        grace_ms=setup.grace_ms,
        limits=SweepLimits(rounds_max=4),
    )
    report = kill_all(limited, "drill", "ann")
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    assert open_orders(exchange) == 20
    assert any("could not be read" in line for line in report.left)
    standing = setup.latch.read()
    assert standing is not None
    assert standing.level == "frozen"
