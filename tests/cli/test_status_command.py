"""`trader status`, offline."""

from __future__ import annotations

import shutil

from trader.ops.latch import Latch
from trader.ops.lock import hold

from .workspace import Workspace, loads


def test_no_books_yet_is_said_and_is_no_failure(workspace: Workspace) -> None:
    done = workspace.trader("status")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no account has books in" in done.stdout
    assert loads(workspace.trader("status", "--json"))["accounts"] == []


def test_status_shows_each_account_with_its_mode(exchange: Workspace) -> None:
    for minute in range(4):
        exchange.trader("cycle", "--now", exchange.now(minute))
    exchange.trader("paper", "--now", exchange.now(4))
    done = exchange.trader("status")
    assert done.returncode == 0
    modes = [line.split(" ")[0] for line in done.stdout.splitlines()]
    assert set(modes) == {"[paper]", "[testnet]"}
    assert modes == sorted(modes)
    assert "cycle 4 decided bar" in done.stdout
    assert "next due" in done.stdout
    assert "running: no halt, no latch" in done.stdout


def test_json_adds_up(exchange: Workspace) -> None:
    for minute in range(6):
        exchange.trader("cycle", "--now", exchange.now(minute))
    (row,) = loads(exchange.trader("status", "--json"))["accounts"]
    assert row["mode"] == "testnet"
    assert row["cycle"] == 6
    assert row["capital"] == "10000"
    assert row["trouble"] == ""
    assert row["latch"] is None
    assert row["running_pid"] is None
    total = float(row["capital"]) + float(row["realised_result"]) + float(row["open_result"])
    assert abs(float(row["equity"]) - total) < 1e-6
    assert row["positions"]
    assert all(isinstance(value, str) for p in row["positions"] for value in (p["qty"], p["last"]))


def test_status_needs_no_policy_and_no_exchange(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    shutil.rmtree(exchange.folder / "config")
    exchange.env.clear()
    done = exchange.trader("status")
    assert done.returncode == 0
    assert "[testnet] cycle 1 decided bar" in done.stdout


def test_status_changes_nothing(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    before = exchange.tree()
    exchange.trader("status", "--json")
    after = exchange.tree()
    # SQLite makes these two for any reader of a database in WAL mode; they hold nothing of ours.
    after.pop("state/demo-testnet/journal.db-shm", None)
    assert after.pop("state/demo-testnet/journal.db-wal", b"") == b""
    assert after == before


def test_a_latch_and_a_running_cycle_are_shown(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    folder = exchange.folder / "state" / "demo-testnet"
    Latch(folder / "latch").set("frozen", "smoke", "ann", 5)
    with hold(folder / "lock"):
        done = exchange.trader("status")
        row = loads(exchange.trader("status", "--json"))["accounts"][0]
    assert "LATCHED at frozen by ann: smoke" in done.stdout
    assert "runs a cycle now" in done.stdout
    assert row["running_pid"] is not None
    assert row["latch"]["why"] == "smoke"


def test_a_corrupt_journal_is_code_10_and_status_json_still_speaks(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    path = exchange.folder / "state" / "demo-testnet" / "journal.db"
    path.write_bytes(b"not a database" * 1000)
    done = exchange.trader("status")
    assert done.returncode == 10
    assert "JOURNAL:" in done.stdout
    assert "cycle 1 decided bar" in done.stdout
    assert done.stderr == ""


def test_v_names_policy_and_head(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    said = exchange.trader("status", "-v").stdout
    head = next(line for line in said.splitlines() if "journal head" in line)
    seq, digest = head.split()[-2:]
    done = exchange.trader("audit", "verify", "--head", f"{seq}:{digest}")
    assert done.returncode == 0, done.stdout
    done = exchange.trader("audit", "verify", "--head", f"{seq}:{'0' * 64}")
    assert done.returncode == 12
