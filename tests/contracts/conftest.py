"""Rigs: each venue of the program on the same local exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from trader.exchange.server import ExchangeConfig, RunningExchange, serve_in_thread
from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue
from trader.venues.paper_venue import PaperVenue

from .venue_contract import Rig

START_MS = 1_700_006_400_000  # midnight UTC, 2023-11-15
MINUTE_MS = 60_000
RULES = {"BTCUSDT": {"tick": "0.01", "lot": "0.001", "min_notional": "10"}}
BALANCES = {"USDT": "10000", "BTC": "5"}
_ROWS = ["100,100,100,100,600", "100,100,100,100,600", "100,100,95,97,600"]


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[RunningExchange]:
    """A served exchange that stands still at the end of the second of its bars."""
    path = tmp_path / "BTCUSDT.csv"
    rows = _ROWS + ["97,97,97,97,600"] * 5
    lines = [f"{START_MS + i * MINUTE_MS},{row}" for i, row in enumerate(rows)]
    path.write_text("\n".join(["timestamp_ms,open,high,low,close,volume", *lines, ""]))
    config = ExchangeConfig(
        bars=[f"{path}=BTCUSDT"],
        now_ms=START_MS + 2 * MINUTE_MS,
        instruments=RULES,
        balances=BALANCES,
    )
    with serve_in_thread(config) as served:
        yield served


@pytest.fixture
def rig_of(exchange: RunningExchange, tmp_path: Path) -> Iterator[Callable[[str], Rig]]:
    """Makes a rig by the name of its venue."""
    with ExitStack() as stack:

        def make(kind: str, **options: Any) -> Rig:
            clock = exchange.exchange.clock.now_ms
            testnet = kind == "ccxt"
            config = CcxtConfig(
                "binance",
                "testnet" if testnet else "paper",
                exchange.base_url,
                "local-key" if testnet else "",
                "local-secret" if testnet else "",
            )
            market = CcxtVenue(config, clock)
            stack.callback(market.close)
            books = tmp_path / "paper" / "paper.json"
            venue = market if testnet else PaperVenue(market, books, clock, BALANCES, **options)
            return Rig(venue, clock, exchange.admin.advance)

        yield make
