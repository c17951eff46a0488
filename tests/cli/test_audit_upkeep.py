"""`trader audit inspect | export | seal | repair | accept-head` through the installed command."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from trader.exchange.server import ExchangeConfig, serve_in_thread

from .workspace import KEYS, MINUTE_MS, WARM, Workspace, loads

ACCEPT = ("audit", "accept-head", "--by", "ann", "--reason", "restored from the backup")


def folder_of(exchange: Workspace) -> Path:
    return exchange.folder / "state" / "demo-testnet"


def files_of(exchange: Workspace) -> dict[str, bytes]:
    """Database, head file and page sums; empty logs and shared memory mean nothing."""
    folder = folder_of(exchange)
    return {path.name: path.read_bytes() for path in folder.glob("journal*") if path.stat().st_size}


@pytest.fixture
def trading(exchange: Workspace) -> Workspace:
    """Two cycles in the books, and an exchange for more of them."""
    for minute in range(2):
        assert exchange.trader("cycle", "--now", exchange.now(minute)).returncode == 0
    return exchange


@pytest.fixture(scope="module")
def two_cycles(tmp_path_factory: pytest.TempPathFactory, made_bars: list[Path]) -> Workspace:
    """Two cycles in the books, made once; the exchange is gone."""
    found = Workspace(tmp_path_factory.mktemp("traded"), dict(KEYS))
    with serve_in_thread(ExchangeConfig(bars=made_bars, warm_bars=WARM)) as served:
        found.first_ms = served.exchange.clock.now_ms() // MINUTE_MS * MINUTE_MS
        found.write_config(served.base_url, ("BTC/USDT", "ETH/USDT"))
        for minute in range(2):
            assert found.trader("cycle", "--now", found.now(minute)).returncode == 0
    return found


@pytest.fixture
def traded(two_cycles: Workspace, tmp_path: Path) -> Workspace:
    """A copy of those books, for what asks no exchange."""
    shutil.copytree(two_cycles.folder, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path, dict(KEYS))


@contextmanager
def locked(exchange: Workspace) -> Generator[None]:
    """As if a cycle were running."""
    with (folder_of(exchange) / "lock").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def change(exchange: Workspace, statement: str) -> None:
    with closing(sqlite3.connect(folder_of(exchange) / "journal.db")) as connection:
        connection.execute(statement)
        connection.commit()


def test_inspect_counts_what_export_writes(traded: Workspace) -> None:
    seen = loads(traded.trader("audit", "inspect", "--json"))
    said = traded.trader("audit", "inspect").stdout.splitlines()
    assert seen["mode"] == "testnet"
    assert seen["head"].startswith(f"{seen['tables']['entries']}:")
    assert seen["bytes"] == (folder_of(traded) / "journal.db").stat().st_size
    assert seen["kinds"]["cycle_start"] == seen["tables"]["cycles"] == 2
    assert f"[testnet] head {seen['head']}" in said
    assert "[testnet] table cycles: 2 rows" in said
    assert "[testnet] kind cycle_end: 2 entries" in said
    assert all(line.startswith("[testnet] ") for line in said)
    bars = traded.trader("audit", "export", "bars")
    assert len(list(csv.DictReader(bars.stdout.splitlines()))) == seen["tables"]["bars"]
    assert bars.stderr.startswith("[testnet] bars of ")
    entries = loads(traded.trader("audit", "export", "entries", "--format", "json"))
    lines = traded.trader("audit", "export", "entries", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == entries
    assert f"{entries[-1]['seq']}:{entries[-1]['hash']}" == seen["head"]
    assert traded.trader("audit", "export", "entry").returncode == 2
    assert traded.trader("audit", "export", "entries", "--format", "xml").returncode == 2


def test_an_export_whose_reader_is_gone_ends_quietly(traded: Workspace) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "trader", "audit", "export", "entries"],
            cwd=traded.folder, stdout=write_end, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **traded.env}, timeout=50, check=False,
        )  # fmt: skip
    finally:
        os.close(write_end)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


def test_a_sealed_part_may_be_moved_away_and_verify_says_so(trading: Workspace) -> None:
    done = trading.trader("audit", "seal")
    assert done.returncode == 0, done.stderr
    (sealed,) = folder_of(trading).glob("journal.segment-*.db")
    assert f"in {sealed}" in done.stdout
    promised = done.stdout.splitlines()[-1].partition("exit 0): ")[2]
    assert promised.startswith("inputs archived in segment 1: entries 1 to ")
    there = trading.trader("audit", "verify")
    assert (there.returncode, promised in there.stdout) == (0, False), there.stdout
    inside = trading.trader("audit", "inspect", "--json", "--journal", str(sealed))
    assert loads(inside)["tables"]["cycles"] == 2
    shutil.move(sealed, trading.folder)
    gone = trading.trader("audit", "verify")
    assert (gone.returncode, promised in gone.stdout) == (0, True), gone.stdout
    assert trading.trader("audit", "seal").returncode == 10  # nothing new to seal
    assert trading.trader("cycle", "--now", trading.now(2)).returncode == 0
    assert trading.trader("audit", "verify").returncode == 0


@pytest.mark.parametrize("words", [("audit", "seal"), ("audit", "repair"), ACCEPT])
def test_what_writes_waits_for_no_lock_and_changes_nothing(
    traded: Workspace, words: tuple[str, ...]
) -> None:
    (folder_of(traded) / "journal.head").unlink()
    before = files_of(traded)
    with locked(traded):
        done = traded.trader(*words)
    assert done.returncode == 9, done.stderr
    assert done.stderr.count("\n") == 1
    assert files_of(traded) == before


def test_a_changed_row_is_named_and_put_right(traded: Workspace) -> None:
    nothing = traded.trader("audit", "repair")
    assert nothing.returncode == 0
    assert nothing.stdout.startswith("[testnet] nothing differed: ")
    change(traded, "UPDATE cycles SET code = 7 WHERE cycle = 1")
    assert traded.trader("audit", "verify").returncode == 12
    done = traded.trader("audit", "repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("[testnet] repaired 1 rows: ")
    assert "differed: cycles 1: code is 7, the entries make it 0" in done.stdout
    assert traded.trader("audit", "verify").returncode == 0


def test_damaged_entries_are_not_folded_into_the_tables(traded: Workspace) -> None:
    with closing(sqlite3.connect(folder_of(traded) / "journal.db")) as connection:
        query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = dict(connection.execute(query))
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE entries SET at_ms = at_ms + 1 WHERE seq = 3")
        for statement in triggers.values():
            connection.execute(statement)
        connection.commit()
    before = files_of(traded)
    done = traded.trader("audit", "repair")
    assert done.returncode == 12
    assert "nothing was changed" in done.stderr
    assert "entry 3" in done.stderr
    assert files_of(traded) == before


def test_repair_says_what_it_cannot_put_right(traded: Workspace) -> None:
    (folder_of(traded) / "journal.head").unlink()
    done = traded.trader("audit", "repair")
    assert done.returncode == 12
    assert "still wrong: head file journal.head: is missing" in done.stdout


def test_a_missing_head_is_accepted_by_a_named_human_and_written_down(trading: Workspace) -> None:
    head = loads(trading.trader("audit", "inspect", "--json"))["head"]
    none = trading.trader(*ACCEPT)
    assert (none.returncode, "nothing to accept" in none.stdout) == (0, True)
    (folder_of(trading) / "journal.head").unlink()
    stuck = trading.trader("cycle", "--now", trading.now(2))
    assert (stuck.returncode, "trader audit accept-head" in stuck.stderr) == (10, True)
    assert trading.trader("audit", "verify").returncode == 12
    done = trading.trader(*ACCEPT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"[testnet] accepted head {head} by ann: restored from the backup\n"
    assert trading.trader("audit", "verify", "--head", head).returncode == 0
    lines = trading.trader("audit", "export", "entries", "--format", "jsonl").stdout.splitlines()
    entry = json.loads(lines[-1])
    said = json.loads(entry["payload"])
    assert entry["kind"] == "head_accepted"
    assert said.pop("at_ms") == entry["at_ms"]
    assert said == {"by": "ann", "reason": "restored from the backup", "head": head, "noted": ""}
    assert trading.trader("cycle", "--now", trading.now(2)).returncode == 0
    assert loads(trading.trader("audit", "replay", "--all", "--json"))["proven"] is True


def test_a_head_that_is_behind_is_accepted(trading: Workspace) -> None:
    place = folder_of(trading) / "journal.head"
    behind = place.read_bytes()
    assert trading.trader("cycle", "--now", trading.now(2)).returncode == 0
    place.write_bytes(behind)
    assert trading.trader(*ACCEPT).returncode == 0
    seen = loads(trading.trader("audit", "inspect", "--json"))
    assert seen["kinds"]["head_accepted"] == 1
    assert place.read_bytes().count(seen["head"].encode()[-64:]) == 1
    assert trading.trader("audit", "verify").returncode == 0


@pytest.mark.parametrize("words", [("--by", "ann"), ("--by", " ", "--reason", "x"), ()])
def test_a_head_is_accepted_by_nobody_without_a_name_and_a_reason(
    traded: Workspace, words: tuple[str, ...]
) -> None:
    (folder_of(traded) / "journal.head").unlink()
    before = files_of(traded)
    done = traded.trader("audit", "accept-head", *words)
    assert done.returncode == 2
    assert "--by NAME and --reason TEXT" in done.stderr
    assert files_of(traded) == before


def test_a_head_is_not_accepted_when_anything_else_is_wrong(trading: Workspace) -> None:
    place = folder_of(trading) / "journal.head"
    older = {path: path.read_bytes() for path in folder_of(trading).glob("journal.*")}
    assert trading.trader("cycle", "--now", trading.now(2)).returncode == 0
    ahead = place.read_bytes()
    for path, data in older.items():
        path.write_bytes(data)
    place.write_bytes(ahead)  # the tail is cut: the head file knows more
    cut = files_of(trading)
    done = trading.trader(*ACCEPT)
    assert (done.returncode, "is the first that is lost" in done.stderr) == (12, True)
    assert files_of(trading) == cut
    place.unlink()
    change(trading, "UPDATE cycles SET code = 7 WHERE cycle = 1")
    changed = files_of(trading)
    done = trading.trader(*ACCEPT)
    assert (done.returncode, "row of cycles" in done.stderr) == (12, True), done.stderr
    assert files_of(trading) == changed
