"""Transactions: all or nothing, and a state in memory that always equals the disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from trader.core.fold import FoldError
from trader.core.state import State
from trader.errors import JournalError
from trader.journal import Journal
from trader.journal.folding import load_state

HALT = {"level": "no_entries", "why": "test", "by": "me", "at_ms": 2000}
UNKNOWN_ORDER = {"client_id": "nobody", "at_ms": 3000}


def plain(state: State) -> dict[str, object]:
    """A state as data, the order of its orders included."""
    return {
        "meta": dict(state.meta),
        "orders": [order.row() for order in state.orders.values()],
        "positions": {key: held.row() for key, held in state.positions.items()},
        "instruments": dict(state.instruments),
        "other_fees": dict(state.other_fees),
        "consumed": dict(state.consumed),
        "dirty": set(state.dirty),
    }


def halt_and_send(journal: Journal) -> None:
    with journal.transaction() as tx:
        tx.append("halt", HALT, 2000)
        tx.append("order_sent", UNKNOWN_ORDER, 3000)


def on_disk(path: Path) -> dict[str, object]:
    with closing(sqlite3.connect(path)) as connection:
        return plain(load_state(connection))


def test_several_entries_are_committed_together(journal: Journal, path: Path) -> None:
    with journal.transaction() as tx:
        assert tx.append("halt", HALT, 2000) == 2
        assert tx.append("note", {}, 2001) == 3
    assert journal.state.word("halt_level") == "no_entries"
    assert plain(journal.state) == on_disk(path)


def test_a_refused_fact_undoes_the_whole_block(journal: Journal, path: Path) -> None:
    state, before = journal.state, plain(journal.state)
    with pytest.raises(FoldError, match="nobody"):
        halt_and_send(journal)
    assert journal.state is state
    assert plain(journal.state) == before == on_disk(path)
    assert journal.head.seq == 1


def test_any_exception_in_the_block_undoes_it(journal: Journal, path: Path) -> None:
    before = plain(journal.state)

    def interrupted() -> None:
        with journal.transaction() as tx:
            tx.append("halt", HALT, 2000)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert plain(journal.state) == before == on_disk(path)
    assert journal.append("halt", HALT, 2000) == 2


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_refusal_cannot_be_swallowed_inside_the_block(journal: Journal, goes_on: bool) -> None:
    def swallowing() -> None:
        with journal.transaction() as tx:
            tx.append("halt", HALT, 2000)
            with suppress(FoldError):
                tx.append("order_sent", UNKNOWN_ORDER, 3000)
            if goes_on:
                tx.append("note", {}, 3000)

    with pytest.raises(FoldError):
        swallowing()
    assert journal.head.seq == 1
    assert journal.state.word("halt_level") == "running"


def test_a_block_without_appends_writes_nothing(journal: Journal) -> None:
    head = journal.head
    with journal.transaction():
        pass
    assert journal.head == head


def test_transactions_do_not_nest(journal: Journal) -> None:
    with journal.transaction() as tx:
        with pytest.raises(AssertionError), journal.transaction():
            pass
        tx.append("note", {}, 2)
    assert journal.head.seq == 2


def test_what_another_process_wrote_is_seen_by_the_next_transaction(
    journal: Journal, path: Path
) -> None:
    with Journal.open(path) as other:
        other.append("halt", {**HALT, "level": "frozen"}, 1500)
    assert journal.state.word("halt_level") == "running"
    with journal.transaction() as tx:
        assert journal.state.word("halt_level") == "frozen"
        assert tx.append("note", {}, 2000) == 3
    assert plain(journal.state) == on_disk(path)


def test_a_journal_opened_for_reading_cannot_be_written(journal: Journal, path: Path) -> None:
    with (
        Journal.open(path, read_only=True) as reader,
        pytest.raises(JournalError, match="opened for reading"),
    ):
        reader.append("note", {}, 1)


def test_a_lock_held_by_another_process_is_one_sentence(journal: Journal, path: Path) -> None:
    with (
        Journal.open(path, busy_ms=20) as other,
        journal.transaction(),
        pytest.raises(JournalError, match=r"is locked by another process"),
    ):
        other.append("note", {}, 1)
    assert journal.append("note", {}, 1) == 2


def test_a_damaged_table_found_while_beginning_is_one_sentence(journal: Journal) -> None:
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("ALTER TABLE orders RENAME TO hidden")
        other.execute("DROP TRIGGER entries_keep_delete")
        other.execute("DELETE FROM entries")
    with pytest.raises(JournalError, match="cannot be used"):
        journal.append("note", {}, 2)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("ALTER TABLE hidden RENAME TO orders")
    assert journal.append("note", {}, 2) == 1


def test_a_commit_that_fails_leaves_the_old_state(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = plain(journal.state)
    writer = journal._writer
    full = FailingCommit(writer._connection)
    monkeypatch.setattr(writer, "_connection", full)
    with pytest.raises(JournalError, match="the disk is full"):
        journal.append("halt", HALT, 2000)
    monkeypatch.undo()
    assert plain(journal.state) == before
    assert journal.append("halt", HALT, 2000) == 2


class FailingCommit:
    """A connection whose disk fills up at COMMIT (the real full disk is tested elsewhere)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        if statement == "COMMIT":
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorname = "SQLITE_FULL"
            raise error
        return self.connection.execute(statement, *parameters)

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)
