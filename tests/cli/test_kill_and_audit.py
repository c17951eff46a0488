"""`trader kill` and `trader audit` through the installed command."""

from __future__ import annotations

from .workspace import Workspace, loads


def test_kill_all_confirms_latches_and_is_undone_by_a_named_human(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    done = exchange.trader(
        "kill", "--all", "--by", "ann", "--reason", "smoke", "--now", exchange.now(1)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[testnet] kill CONFIRMED: nothing is open; latched" in done.stdout
    assert "level frozen" in exchange.trader("kill", "status").stdout
    halted = exchange.trader("cycle", "--now", exchange.now(2))
    assert halted.returncode == 8
    assert exchange.trader("kill", "resume", "--by", "ann").returncode == 2
    back = exchange.trader("kill", "resume", "--by", "ann", "--reason", "fixed")
    assert back.stdout == "[testnet] resumed by ann: fixed\n"
    assert loads(exchange.trader("kill", "status", "--json"))["level"] == "running"
    assert exchange.trader("cycle", "--now", exchange.now(3)).returncode == 0


def test_kill_with_a_broken_policy_latches_and_is_not_confirmed(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    exchange.replace("app.yaml", "timeframe: 1m", "timeframe: soon")
    done = exchange.trader("kill", "--all", "--json")
    assert done.returncode == 11
    (report,) = loads(done)["kills"]
    assert report["latched"] is True
    assert report["confirmed"] is False
    assert (exchange.folder / "state" / "demo-testnet" / "latch").exists()


def test_kill_against_a_venue_that_is_down_is_not_confirmed(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    del exchange.env["TRADER_TESTNET_KEY"]
    done = exchange.trader("kill", "--all")
    assert done.returncode == 11
    assert "NOT CONFIRMED" in done.stdout
    assert "LEFT the venue cannot be asked" in done.stdout


def test_what_was_decided_is_proven_and_explained(exchange: Workspace) -> None:
    for minute in range(4):
        exchange.trader("cycle", "--now", exchange.now(minute))
    whole = exchange.trader("audit", "verify")
    assert whole.returncode == 0
    assert whole.stdout.startswith("[testnet] the journal is whole")
    assert loads(exchange.trader("audit", "verify", "--json"))["whole"] is True
    proven = loads(exchange.trader("audit", "replay", "--all", "--json"))
    assert (proven["proven"], proven["cycles"], proven["plans"]) == (True, 4, 4)
    last = exchange.trader("audit", "replay")
    assert "1 plans" in last.stdout
    assert exchange.trader("audit", "replay", "3", "99").returncode == 12
    story = exchange.trader("audit", "explain", "3")
    assert story.returncode == 0
    assert "[testnet] cycle 3 of account demo" in story.stdout
    assert loads(exchange.trader("audit", "explain", "3", "--json"))["cycle"] == 3
    assert exchange.trader("audit", "explain", "99").returncode == 2


def test_a_flipped_byte_is_found(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    path = exchange.folder / "state" / "demo-testnet" / "journal.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    done = exchange.trader("audit", "verify")
    assert done.returncode == 12
    assert "DAMAGED" in done.stdout
