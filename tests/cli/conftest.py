"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars
from trader.exchange.server import ExchangeConfig, serve_in_thread

from .workspace import KEYS, MINUTE_MS, WARM, Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A folder with the demo's policy in paper mode, and no exchange."""
    found = Workspace(tmp_path)
    found.write_config()
    return found


@pytest.fixture(scope="session")
def made_bars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Minute bars of two instruments."""
    folder = tmp_path_factory.mktemp("bars")
    return write_made_bars(folder, minutes=WARM + 60, instruments=DEMO_INSTRUMENTS[:2])


@pytest.fixture
def exchange(tmp_path: Path, made_bars: list[Path]) -> Iterator[Workspace]:
    """A folder whose policy points at a local exchange, in testnet mode."""
    found = Workspace(tmp_path, dict(KEYS))
    with serve_in_thread(ExchangeConfig(bars=made_bars, warm_bars=WARM)) as served:
        found.first_ms = served.exchange.clock.now_ms() // MINUTE_MS * MINUTE_MS
        found.admin = served.admin
        found.write_config(served.base_url, ("BTC/USDT", "ETH/USDT"))
        yield found
