"""Status reads what is there, and says what is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from trader.app.status import account_folders, read_status
from trader.core.state import instrument_row
from trader.domain.instrument import Instrument
from trader.journal.journal import Journal

from .test_backtest import RULES

GENESIS = {
    "account": "demo",
    "mode": "paper",
    "prefix": "abcdef",
    "quote": "USDT",
    "cash_digits": 8,
    "capital": "1000",
    "capital_units": 1000 * 10**8,
}


def leg(instrument: Instrument) -> dict[str, int | str]:
    return {
        "client_id": "abcdef" + "0" * 26,
        "strategy": "hand",
        "symbol": instrument.symbol,
        "side": "buy",
        "tif": "ioc",
        "bar_ms": 60_000,
        "leg": 0,
        "attempt": 0,
        "price_ticks": 10_000,
        "qty_lots": 500,
        "stop_ticks": 9_000,
        "target_ticks": 12_000,
        "trail_ticks": 0,
        "hold_ms": 0,
        "signal_ms": 60_000,
        "reason": "entry_signal",
    }


def write_books(folder: Path) -> None:
    """Half a coin bought at 100.00 with a fee of 0.05; the newest bar closed at 104.00."""
    folder.mkdir(parents=True)
    row = leg(RULES)
    client = {"client_id": row["client_id"], "at_ms": 5}
    accepted = {**client, "outcome": "accepted", "code": "", "text": "", "venue_id": "9"}
    fill = {
        **client,
        "symbol": "BTC/USDT",
        "trade_id": "1",
        "side": "buy",
        "price_ticks": 10_000,
        "qty_lots": 500,
        "cost_units": 50 * 10**8,
        "fee_cash_units": 5 * 10**6,
        "fee_base_units": 0,
        "fee_asset": "",
        "fee": "",
        "maker": 0,
    }
    bar = [120_000, 10_000, 10_500, 9_900, 10_400, "1"]
    bars = {"symbol": "BTC/USDT", "timeframe": "1m", "tick": "0.01", "rows": [bar]}
    with Journal.open(folder / "journal.db", create=True) as journal:
        for kind, payload in (
            ("genesis", GENESIS),
            ("instrument", instrument_row(RULES)),
            ("bars", bars),
            ("plan", {"bar_ms": 60_000, "legs": [row], "refused": [], "trail": "0" * 64}),
            ("order_sent", client),
            ("order_outcome", accepted),
            ("fill", fill),
        ):
            journal.append(kind, payload, 5)


def test_results_are_worked_out_at_the_newest_close(tmp_path: Path) -> None:
    write_books(tmp_path / "demo-paper")
    found = read_status(tmp_path / "demo-paper")
    assert (found.mode, found.trouble) == ("paper", "")
    (position,) = found.row["positions"]
    assert (position["qty"], position["last"], position["value"]) == ("0.5", "104", "52")
    assert position["open_result"] == "1.95"
    assert found.row["cash"] == "949.95"
    assert found.row["equity"] == "1001.95"
    assert (found.row["realised_result"], found.row["fees"]) == ("0", "0.05")
    assert (found.row["cycle"], found.row["exit_code"]) == (0, None)


@pytest.mark.parametrize("data", [b"", b"no database", b"\x00" * 9_000])
def test_a_journal_that_cannot_be_read_is_trouble_not_an_exception(
    tmp_path: Path, data: bytes
) -> None:
    folder = tmp_path / "demo-live"
    folder.mkdir()
    (folder / "journal.db").write_bytes(data)
    (folder / "status.json").write_text(json.dumps({"mode": "live", "cycle": 7}))
    found = read_status(folder)
    assert found.trouble
    assert found.mode == "live"
    assert found.row["cycle"] == 7


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_broken_status_json_is_as_if_there_were_none(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "demo-testnet"
    folder.mkdir()
    (folder / "status.json").write_text(text)
    found = read_status(folder)
    assert found.row == {}
    assert found.mode == "testnet"
    assert found.trouble


def test_only_folders_with_books_are_accounts(tmp_path: Path) -> None:
    for name in ("b-paper", "a-live", "cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "b-paper" / "journal.db").touch()
    (tmp_path / "a-live" / "status.json").touch()
    (tmp_path / "journal.db").touch()
    assert [path.name for path in account_folders(tmp_path)] == ["a-live", "b-paper"]
    assert account_folders(tmp_path / "absent") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_is_closed_to_this_user_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "open-paper").mkdir()
    (tmp_path / "open-paper" / "status.json").write_text("{}")
    (tmp_path / "cache").mkdir(mode=0)
    assert [folder.name for folder in account_folders(tmp_path)] == ["open-paper"]
