"""Journals to look at: an empty one, and a made one that was closed in peace."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trader.journal import Journal

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "prove"))

from made_journal import made_journal

CYCLES = 25


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal may be made."""
    return tmp_path / "state" / "journal.db"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One made journal, closed, and beside it (`live`) as it was while its WAL was live."""
    place = tmp_path_factory.mktemp("made") / "closed" / "journal.db"
    with made_journal(place, CYCLES, seed=5) as maker:
        # One series of bars was told twice, the second time otherwise.
        bars = {"symbol": "BTC/USDT", "timeframe": "1m", "tick": "0.01"}
        first = maker.journal.known_bars("BTC/USDT", "1m", 0, 2**62)
        open_ms = min(first)
        maker.journal.append("bars", {**bars, "rows": [[open_ms, 1, 4, 1, 2, "8"]]}, open_ms)
        live = place.parent.with_name("live")
        shutil.copytree(place.parent, live, ignore=shutil.ignore_patterns("*-shm"))
    return place


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> Path:
    """A copy of the made journal."""
    return Path(shutil.copytree(made_once.parent, tmp_path / "made")) / made_once.name


@pytest.fixture
def live(made_once: Path, tmp_path: Path) -> Path:
    """A copy of the made journal as a killed process would leave it: with a live WAL."""
    folder = made_once.parent.with_name("live")
    return Path(shutil.copytree(folder, tmp_path / "live")) / made_once.name


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """A new journal with its first entry, open for writing."""
    with Journal.open(path, create=True) as opened:
        genesis = {
            "account": "test",
            "mode": "paper",
            "prefix": "abcdef",
            "quote": "USDT",
            "cash_digits": 8,
            "capital": "1000",
            "capital_units": 10**11,
        }
        opened.append("genesis", genesis, 1000)
        yield opened
