"""`trader cycle` and `trader paper` as a timer and a user run them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from trader.ops.lock import hold

from .workspace import MINUTE_MS, Workspace, loads

# The bar that closes then is where the made prices' fast average first crosses the slow one.
ENTRY_MINUTE = 2


def test_a_cycle_decides_writes_down_and_names_its_mode(exchange: Workspace) -> None:
    done = exchange.trader("cycle", "--now", exchange.now(0))
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.startswith("[testnet] ") for line in done.stdout.splitlines())
    assert "cycle 1, bar" in done.stdout
    assert (exchange.folder / "state" / "demo-testnet" / "journal.db").exists()
    assert (exchange.folder / "state" / "demo-testnet" / "status.json").exists()


def test_a_second_run_of_a_minute_resumes_its_plan(exchange: Workspace) -> None:
    words = ("cycle", "--json", "--now", exchange.now(0))
    first, second = loads(exchange.trader(*words)), loads(exchange.trader(*words))
    assert (first["note"], second["note"]) == ("planned", "resumed")
    assert first["bar_ms"] == second["bar_ms"] == exchange.first_ms - MINUTE_MS
    assert [o["client_id"] for o in first["orders"]] == [o["client_id"] for o in second["orders"]]


def test_orders_reach_the_exchange_and_the_books(exchange: Workspace) -> None:
    rows = [
        loads(exchange.trader("cycle", "--json", "--now", exchange.now(minute)))
        for minute in range(12)
    ]
    orders = [order for row in rows for order in row["orders"]]
    assert orders
    assert {order["state"] for order in orders} <= {"filled", "expired"}
    assert {row["exit_code"] for row in rows} == {0}
    assert all(row["mode"] == "testnet" for row in rows)


def test_a_dry_run_prints_the_plan_and_writes_nothing(exchange: Workspace) -> None:
    before = exchange.tree()
    done = exchange.trader("cycle", "--dry-run", "--now", exchange.now(0))
    assert done.returncode == 0
    assert "dry run for bar" in done.stdout
    assert "demo_cross BTC/USDT:" in done.stdout
    assert exchange.tree() == before


def test_a_dry_run_beside_books_leaves_them_as_they_are(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    before = exchange.tree()
    wanted = loads(exchange.trader("cycle", "--dry-run", "--json", "--now", exchange.now(1)))
    assert exchange.tree() == before
    done = loads(exchange.trader("cycle", "--json", "--now", exchange.now(1)))
    assert wanted["cycle"] == done["cycle"] == 2
    assert [o["client_id"] for o in wanted["orders"]] == [o["client_id"] for o in done["orders"]]


def test_another_cycle_under_way_is_code_9(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    with hold(exchange.folder / "state" / "demo-testnet" / "lock"):
        done = exchange.trader("cycle", "--now", exchange.now(1))
    assert done.returncode == 9
    assert "holds the lock" in done.stderr


def test_an_exchange_that_is_down_is_code_4(workspace: Workspace) -> None:
    workspace.write_config("http://127.0.0.1:9", ("BTC/USDT",))
    workspace.env = {"TRADER_TESTNET_KEY": "k", "TRADER_TESTNET_SECRET": "s"}
    done = workspace.trader("cycle")
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith("trader: ")


def test_a_wrong_secret_is_code_5_and_is_never_shown(exchange: Workspace) -> None:
    done = exchange.trader("cycle", "--now", exchange.now(0), TRADER_TESTNET_SECRET="wr0ngSecret")
    assert done.returncode == 5, done.stderr
    assert "wr0ngSecret" not in done.stderr + done.stdout


def test_missing_credentials_are_code_2(exchange: Workspace) -> None:
    del exchange.env["TRADER_TESTNET_SECRET"]
    done = exchange.trader("cycle", "--now", exchange.now(0))
    assert done.returncode == 2
    assert "TRADER_TESTNET_SECRET" in done.stderr


def test_paper_keeps_books_of_its_own(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    done = exchange.trader("paper", "--now", exchange.now(1))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("[paper] cycle 1, bar")
    names = sorted(path.name for path in (exchange.folder / "state").glob("demo-*"))
    assert names == ["demo-paper", "demo-testnet"]


def test_a_paper_reset_puts_the_books_away(exchange: Workspace) -> None:
    exchange.trader("paper", "--now", exchange.now(0))
    done = exchange.trader("paper", "reset", "--yes")
    assert done.returncode == 0
    assert "were moved to" in done.stdout
    state = exchange.folder / "state"
    assert not (state / "demo-paper").exists()
    assert len(list((state / "archive").glob("demo-paper-*/journal.db"))) == 1
    assert "cycle 1, bar" in exchange.trader("paper", "--now", exchange.now(1)).stdout


def test_paper_watch_goes_on_until_interrupted(exchange: Workspace) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "trader", "paper", "--watch", "--now", exchange.now(0)],
        cwd=exchange.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "cycle 1, bar" in process.stdout.readline()
        while "next pass at" not in process.stderr.readline():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert "Traceback" not in process.stderr.read()


def test_sigterm_finishes_the_step_in_hand_and_leaves_clean_books(exchange: Workspace) -> None:
    assert exchange.admin is not None
    exchange.trader("cycle", "--now", exchange.now(ENTRY_MINUTE - 1))
    hold_orders = {"method": "POST", "path": "/api/v3/order", "times": 1, "action": "hold"}
    exchange.admin.faults([hold_orders])
    with subprocess.Popen(
        [sys.executable, "-m", "trader", "cycle", "--json", "--now", exchange.now(ENTRY_MINUTE)],
        cwd=exchange.folder,
        env={**os.environ, **exchange.env},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while not sum(exchange.admin.held().values()):
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        exchange.admin.release()
        said = json.loads(process.stdout.read())
        assert process.wait(20) == 130
    (order,) = said["orders"]
    assert order["state"] == "filled"
    assert exchange.trader("audit", "verify").returncode == 0
    again = loads(exchange.trader("cycle", "--json", "--now", exchange.now(ENTRY_MINUTE + 1)))
    assert again["mismatches"] == []
    assert again["exit_code"] == 0
