"""Bars and blobs: kept once, read back as they were known at any entry."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from trader.errors import DataError
from trader.journal import Journal
from trader.journal.rebuild import rebuild

CENT = Decimal("0.01")
SERIES = ("BTC/USDT", "1m")


def told(rows: list[list[object]], tick: str = "0.01") -> dict[str, object]:
    return {"symbol": SERIES[0], "timeframe": SERIES[1], "tick": tick, "rows": rows}


ROWS: list[list[object]] = [
    [60_000, 100, 110, 90, 105, "1.5"],
    [120_000, 105, 115, 95, 100, "2"],
    [240_000, 100, 100, 100, 100, "0"],
]


def test_bars_come_back_as_a_series(journal: Journal) -> None:
    journal.append("bars", told(ROWS), 1)
    series = journal.bars_window(*SERIES, 60_000, 240_000)
    assert list(series.rows()) == [
        (60_000, 100, 110, 90, 105, 1.5),
        (120_000, 105, 115, 95, 100, 2.0),
    ]
    assert (series.symbol, series.step_ms, series.tick) == ("BTC/USDT", 60_000, CENT)
    assert journal.first_bar_ms(*SERIES) == 60_000
    assert journal.last_bar_ms(*SERIES) == 240_000


def test_no_bars_are_an_empty_series(journal: Journal) -> None:
    journal.append("bars", told([]), 1)
    series = journal.bars_window(*SERIES, 0, 10**15)
    assert len(series) == 0
    assert series.tick == 1
    assert journal.last_bar_ms(*SERIES) == -1
    assert journal.new_bars(*SERIES, CENT, []) == []


def test_a_bar_that_changes_is_a_new_version_and_the_old_one_stays(journal: Journal) -> None:
    first = journal.append("bars", told(ROWS), 1)
    changed = [120_000, 105, 116, 95, 101, "2"]
    journal.append("bars", told([changed]), 2)
    assert journal.bars_window(*SERIES, 120_000, 180_000).row(0)[1:5] == (105, 116, 95, 101)
    then = journal.bars_window(*SERIES, 120_000, 180_000, at_seq=first)
    assert then.row(0)[1:5] == (105, 115, 95, 100)
    assert rebuild(journal.path) == []


def test_only_new_and_changed_bars_are_to_be_told(journal: Journal) -> None:
    journal.append("bars", told(ROWS), 1)
    same = [60_000, 100, 110, 90, 105, "1.50"]
    more = [120_000, 105, 115, 95, 100, "2.1"]
    other = [240_000, 100, 101, 100, 100, "0"]
    fresh = [300_000, 100, 100, 100, 100, "7"]
    rows = [same, more, other, fresh]
    assert journal.new_bars(*SERIES, CENT, rows) == [more, other, fresh]


def test_bars_told_in_another_tick_are_the_same_bars(journal: Journal) -> None:
    journal.append("bars", told(ROWS[:1]), 1)
    finer = [60_000, 1000, 1100, 900, 1050, "1.5"]
    assert journal.new_bars(*SERIES, Decimal("0.001"), [finer]) == []
    assert journal.new_bars(*SERIES, Decimal("0.001"), [[*finer[:4], 1051, "1.5"]])


def test_a_window_is_converted_exactly_or_refused(journal: Journal) -> None:
    journal.append("bars", told(ROWS[:1]), 1)
    journal.append("bars", told([[120_000, 1001, 1100, 900, 1000, "1"]], "0.001"), 2)
    series = journal.bars_window(*SERIES, 0, 10**15)
    assert series.tick == Decimal("0.001")
    assert list(series.close) == [1050, 1000]
    with pytest.raises(DataError, match=r"0\.001.* is not a multiple of 0\.01"):
        journal.bars_window(*SERIES, 0, 10**15, tick=CENT)


def test_a_content_is_kept_once(journal: Journal) -> None:
    body = Random(1).randbytes(20_000) + b"x" * 50_000
    with journal.transaction() as tx:
        sha = tx.put_blob("policy", body, 1)
        assert tx.put_blob("policy", body, 1) == sha
    with journal.transaction() as tx:
        assert tx.put_blob("strategy", body, 2) == sha
    assert journal.get_blob(sha) == body
    assert journal.has_blob(sha)
    assert [entry.payload["size"] for entry in journal.entries(kinds=["blob"])] == [70_000]


def test_a_content_of_an_undone_block_is_not_kept(journal: Journal) -> None:
    sha = hashlib.sha256(b"never mind").hexdigest()

    def interrupted() -> None:
        with journal.transaction() as tx:
            assert tx.put_blob("policy", b"never mind", 1) == sha
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not journal.has_blob(sha)
    with pytest.raises(KeyError):
        journal.get_blob(sha)


def test_the_hot_path_imports_no_heavy_library() -> None:
    heavy = "{'sqlite_utils', 'ccxt', 'pydantic', 'typer', 'rich', 'yaml', 'numpy'}"
    code = f"import sys, trader.journal; print(sorted({heavy} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"
