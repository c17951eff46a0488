"""Rebuild and compare: the projections again from nothing but the entries.

Lives here: folding every entry into a fresh database, the comparison of every row with its types,
and the repair that puts the rebuilt rows in place. Must not live here: judging the chain.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from trader.core.fold import FoldError
from trader.core.state import State
from trader.domain.order import IllegalTransition
from trader.errors import JournalError
from trader.journal.codec import Payload
from trader.journal.failures import guarded
from trader.journal.files import abandon, connect_reader, connect_writer, undone_by, wal_path
from trader.journal.folding import Folder
from trader.journal.reads import Reader, head_of
from trader.journal.schema import TABLES, Table, migrate
from trader.journal.sums import ready_sums, seal
from trader.records import dataclass

BUSY_MS = 5000
# What an entry that does not fit may provoke: the fold's own refusals, a key or a number that is
# missing or of another type, a row that the table refuses.
FOLD_REFUSALS = (
    FoldError,
    IllegalTransition,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    ArithmeticError,
    sqlite3.IntegrityError,
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A projection row that is not what the entries make of it.

    Attributes:
        key: values of the primary key. stored, rebuilt: rows in column order, None when absent.
    """

    table: str
    key: tuple[Any, ...]
    stored: tuple[Any, ...] | None
    rebuilt: tuple[Any, ...] | None

    def __str__(self) -> str:
        """Table, key, and the first column that differs."""
        place = f"{self.table} {'/'.join(map(str, self.key))}"
        if self.stored is None:
            return f"{place}: the row is missing"
        if self.rebuilt is None:
            return f"{place}: no entry makes this row"
        pairs = zip(TABLES[self.table].names, self.stored, self.rebuilt, strict=True)
        column, found, made = next(pair for pair in pairs if _typed(pair[1]) != _typed(pair[2]))
        return f"{place}: {column} is {_short(found)}, the entries make it {_short(made)}"


class EntryRefused(Exception):
    """An entry that cannot be folded after the ones before it."""

    def __init__(self, seq: int, kind: str, why: str) -> None:
        super().__init__(f"entry {seq} ({kind}): {why}")
        self.seq = seq
        self.kind = kind
        self.why = why


def fold_all(source: sqlite3.Connection, path: Path) -> tuple[sqlite3.Connection, State]:
    """A database in memory whose projections come from `source`'s entries, and the final state.

    Raises EntryRefused at the first entry that does not follow from the ones before.
    """
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    state = State()
    bodies = _Bodies(source)
    with undone_by(fresh.close):
        migrate(fresh)
        folder = Folder(fresh, state, bodies)
        fresh.execute("BEGIN")
        for entry in Reader(source, path).entries():
            _fold_one(folder, entry.seq, entry.kind, entry.payload)
        fresh.execute("COMMIT")
    return fresh, state


def _fold_one(folder: Folder, seq: int, kind: str, payload: Payload) -> None:
    try:
        folder.apply(seq, kind, payload)
    except FOLD_REFUSALS as error:
        raise EntryRefused(seq, kind, f"{type(error).__name__}: {error}") from error


class _Bodies:
    """Stored bytes of blobs: content, which no entry can make again, is taken from the source."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self._source = source

    def __call__(self, sha: str) -> bytes:
        query = "SELECT body FROM blobs WHERE sha = ?"
        row = self._source.execute(query, (sha,)).fetchone()
        if row is None:
            raise KeyError(f"the content of blob {sha} is missing")
        return bytes(row[0])


def compare(stored: sqlite3.Connection, rebuilt: sqlite3.Connection) -> Iterator[Difference]:
    """Every projection row that differs in a value or its type, table by table in key order."""
    for table in TABLES.values():
        yield from _compare_table(table, stored, rebuilt)


def _compare_table(
    table: Table, stored: sqlite3.Connection, rebuilt: sqlite3.Connection
) -> Iterator[Difference]:
    # Not ordered by SQL: on a damaged file the order of a b-tree is not to be relied on.
    places = [table.names.index(name) for name in table.key]
    query = f"SELECT * FROM {table.name}"  # noqa: S608 - a table of ours
    made = {tuple(row[place] for place in places): row for row in rebuilt.execute(query)}
    for row in stored.execute(query):
        key = tuple(row[place] for place in places)
        other = made.pop(key, None)
        if other is None or [_typed(value) for value in row] != [_typed(value) for value in other]:
            yield Difference(table.name, key, row, other)
    for key, row in made.items():
        yield Difference(table.name, key, None, row)


def _typed(value: object) -> tuple[type, object]:
    return (type(value), value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:36]}..."


def rebuild(path: Path) -> list[Difference]:
    """Fold every entry of a journal into a fresh database and compare; nothing is changed.

    Raises JournalError when the file cannot be read or an entry cannot be folded.
    """
    with guarded(path, "rebuilding"), closing(connect_reader(path, BUSY_MS)) as source:
        source.execute("BEGIN")
        fresh, _ = _fold_or_refuse(source, path)
        with closing(fresh):
            return list(compare(source, fresh))


def _fold_or_refuse(source: sqlite3.Connection, path: Path) -> tuple[sqlite3.Connection, State]:
    try:
        return fold_all(source, path)
    except EntryRefused as error:
        raise JournalError(
            f"the journal {path} cannot be rebuilt: {error}", "run `trader audit verify`"
        ) from error


def repair(path: Path) -> list[Difference]:
    """Put the rebuilt projections in place, in one transaction; returns what differed.

    Entries are not touched, and a blob's content cannot be made again: when one is missing this
    raises JournalError and changes nothing. The caller holds the trading lock.
    """
    connection = connect_writer(path, BUSY_MS, create=False)
    with (
        undone_by(partial(abandon, connection, path)),
        guarded(path, "repairing its projections"),
    ):
        ready_sums(connection, path, head_of(connection).seq)
        differences = _put_right(connection, path)
        seal(connection, path, wal_path(path), head_of(connection).seq)
        connection.close()
    return differences


def _put_right(connection: sqlite3.Connection, path: Path) -> list[Difference]:
    connection.execute("BEGIN IMMEDIATE")
    fresh, _ = _fold_or_refuse(connection, path)
    with closing(fresh):
        differences = list(compare(connection, fresh))
        for table in {difference.table for difference in differences}:
            _replace_rows(TABLES[table], connection, fresh)
    connection.execute("COMMIT")
    return differences


def _replace_rows(table: Table, connection: sqlite3.Connection, fresh: sqlite3.Connection) -> None:
    connection.execute(f"DELETE FROM {table.name}")  # noqa: S608 - a table of ours
    rows = fresh.execute(f"SELECT * FROM {table.name}")  # noqa: S608 - a table of ours
    connection.executemany(table.insert(), rows)
