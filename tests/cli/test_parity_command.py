"""`trader audit parity` through the installed command."""

from __future__ import annotations

import sqlite3

from .workspace import Workspace, loads

CYCLES = 6


def test_parity_of_an_account_that_traded_over_http(exchange: Workspace) -> None:
    for minute in range(CYCLES):
        exchange.trader("cycle", "--now", exchange.now(minute))
    done = exchange.trader("audit", "parity")
    assert done.returncode == 0, done.stdout + done.stderr
    first, *rest = done.stdout.splitlines()
    assert first.startswith("[testnet] parity PROVEN: bars ")
    assert f"stepped: {CYCLES} decisions and " in rest[0]
    assert "0 UNEXPLAINED" in rest[1]
    table = done.stdout[done.stdout.index("what the free run differs by") :].splitlines()
    assert table[2].split() == [
        "cause", "decision", "numbers", "order", "fill", "account", "event", "begins",
    ]  # fmt: skip
    assert max(map(len, table)) <= 80
    assert exchange.trader("audit", "parity", COLUMNS="120").stdout == done.stdout
    told = loads(exchange.trader("audit", "parity", "--json"))
    assert (told["proven"], told["mode"]) == (True, "testnet")
    assert told["stepped"]["plans"] == told["free"]["bars"] == CYCLES
    assert told["stepped"]["live"]["quotes"] == CYCLES
    part = loads(exchange.trader("audit", "parity", "--json", "--until", exchange.now(2)))
    assert 0 < part["stepped"]["plans"] < CYCLES


def test_a_named_journal_needs_no_policy_and_a_cut_one_is_not_proven(exchange: Workspace) -> None:
    for minute in range(3):
        exchange.trader("cycle", "--now", exchange.now(minute))
    path = exchange.folder / "state" / "demo-testnet" / "journal.db"
    exchange.replace("app.yaml", "timeframe: 1m", "timeframe: soon")
    assert exchange.trader("audit", "parity").returncode == 2
    named = exchange.trader("audit", "parity", "--journal", str(path))
    assert named.returncode == 0, named.stdout + named.stderr
    assert named.stdout.startswith("[testnet] parity PROVEN")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER entries_keep_delete")
        connection.execute("DELETE FROM entries WHERE kind = 'snapshot'")
    connection.close()
    done = exchange.trader("audit", "parity", "--journal", str(path))
    assert done.returncode == 12
    assert "parity NOT PROVEN" in done.stdout
    assert "UNDECIDABLE cycle 1, entry" in done.stdout


def test_what_cannot_be_is_refused_in_a_sentence(exchange: Workspace) -> None:
    for words, said in (
        (("--from", "soon"), "--from 'soon' is not a time"),
        (("--spread", "wide"), "--spread 'wide' is not a number"),
        (("--spread", "-1"), "--spread -1 is out of range"),
    ):
        done = exchange.trader("audit", "parity", *words)
        assert done.returncode == 2
        assert said in done.stderr
    gone = exchange.trader("audit", "parity", "--journal", "nowhere.db")
    assert gone.returncode == 10
    assert "nowhere.db" in gone.stderr
