"""What a person at a terminal sees, and that a pipe sees none of it."""

from __future__ import annotations

from trader.ops.latch import Latch

from .terminal import in_terminal
from .workspace import Workspace, loads

# The bar that closes then is where the made prices' fast average first crosses the slow one.
ENTRY_MINUTE = 2


def test_status_on_a_terminal_is_a_frame_with_the_figures_of_the_json(exchange: Workspace) -> None:
    for minute in range(ENTRY_MINUTE + 1):
        exchange.trader("cycle", "--now", exchange.now(minute))
    (row,) = loads(exchange.trader("status", "--json"))["accounts"]
    seen = in_terminal(exchange, "status")
    assert seen.code == 0
    assert "\x1b[" in seen.raw
    assert "[testnet] account demo" in seen.text
    assert "…" not in seen.text
    for word in ("running", "last cycle  3, exit code 0", "OVERDUE by", "realised", "open result"):
        assert word in seen.text
    assert f"{float(row['equity']):,.2f} USDT" in seen.text
    assert "Strategies (results in USDT)" in seen.text
    assert all(book["strategy"] in seen.text for book in row["strategies"])
    (held,) = row["positions"]
    line = next(line for line in seen.text.splitlines() if held["symbol"] in line)
    for name in ("strategy", "qty", "entry", "last", "stop"):
        assert held[name] in line
    assert max(len(line) for line in seen.text.splitlines()) <= 80


def test_the_same_in_a_pipe_or_a_dumb_terminal_is_plain(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    piped = exchange.trader("status").stdout
    assert "\x1b" not in piped
    assert all(line.startswith("[testnet] ") for line in piped.splitlines())
    dumb = in_terminal(exchange, "status", TERM="dumb", columns=500)
    assert dumb.text == piped
    assert "\x1b" not in dumb.raw
    assert "\x1b[3" not in in_terminal(exchange, "status", NO_COLOR="1").raw


def test_a_halt_and_a_failed_cycle_stand_above_everything_else(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    folder = exchange.folder / "state" / "demo-testnet"
    Latch(folder / "latch").set("frozen", "smoke in the room", "ann", 5)
    said = in_terminal(exchange, "status").text
    assert said.index("LATCHED at frozen by ann: smoke in the room") < said.index("last cycle")
    assert "HALTED" in said


def test_status_watch_draws_in_place_and_ctrl_c_is_130(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    seen = in_terminal(exchange, "status", "--watch", interrupt_at="No positions")
    assert seen.code == 130
    assert "Traceback" not in seen.text
    # The alternate screen was entered and left, and the cursor is back.
    assert seen.raw.count("\x1b[?1049h") == seen.raw.count("\x1b[?1049l") == 1
    assert seen.raw.rindex("\x1b[?25h") > seen.raw.rindex("\x1b[?25l")
    # What was seen last stays.
    assert "[testnet] account demo" in seen.raw[seen.raw.rindex("\x1b[?1049l") :]


def test_paper_watch_shows_account_answers_and_countdown(exchange: Workspace) -> None:
    words = ("paper", "--watch", "--now", exchange.now(0))
    seen = in_terminal(exchange, *words, interrupt_at="next pass in")
    assert seen.code == 130
    assert "[paper] account demo" in seen.text
    assert "[paper] demo_cross BTC/USDT: " in seen.text
    assert "watch ended by a signal" in seen.text


def test_paper_watch_outlives_an_exchange_that_is_down(workspace: Workspace) -> None:
    workspace.write_config("http://127.0.0.1:9", ("BTC/USDT",))
    seen = in_terminal(workspace, "paper", "--watch", interrupt_at="1 failed so far")
    assert seen.code == 130
    assert "[paper] pass failed with exit code 4" in seen.text


def test_paper_watch_does_not_outlive_a_broken_journal(exchange: Workspace) -> None:
    exchange.trader("paper", "--now", exchange.now(0))
    path = exchange.folder / "state" / "demo-paper" / "journal.db"
    path.write_bytes(b"not a database" * 1000)
    done = exchange.trader("paper", "--watch", "--now", exchange.now(1))
    assert done.returncode == 10
    assert done.stderr.startswith("trader: [paper] ")


def test_vv_shows_every_gate_and_v_the_answers_alone(exchange: Workspace) -> None:
    for minute in range(ENTRY_MINUTE):
        exchange.trader("cycle", "--now", exchange.now(minute))
    said = exchange.trader("cycle", "-vv", "--now", exchange.now(ENTRY_MINUTE)).stderr
    assert "[testnet]   CASH ok: measured " in said
    assert " USDT, limit " in said
    exchange.trader("paper", "--now", exchange.now(0))
    said = exchange.trader("paper", "-v", "--now", exchange.now(1)).stderr
    assert "demo_cross BTC/USDT: " in said
    assert " ok: measured " not in said


def test_an_error_about_an_account_names_its_mode_and_one_before_it_does_not(
    workspace: Workspace,
) -> None:
    workspace.write_config("http://127.0.0.1:9", ("BTC/USDT",))
    keys = {"TRADER_TESTNET_KEY": "k", "TRADER_TESTNET_SECRET": "s"}
    assert workspace.trader("cycle", **keys).stderr.startswith("trader: [testnet] ")
    assert workspace.trader("paper").stderr.startswith("trader: [paper] ")
    workspace.replace("app.yaml", "mode:", "mood:")
    said = workspace.trader("cycle", **keys).stderr
    assert said.startswith("trader: ")
    assert "[" not in said.split(":")[1]
