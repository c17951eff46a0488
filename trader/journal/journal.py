"""The open journal: what a cycle, `status` and `audit` hold in their hands.

Lives here: `Journal`, that is opening, agreeing with the head file, and closing. Must not live
here: how a transaction works (`writer`), or the questions (`reads`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Self

from trader.core.state import State
from trader.errors import JournalError
from trader.journal.failures import guarded
from trader.journal.files import abandon, connect_reader, connect_writer, undone_by, wal_path
from trader.journal.head import HeadFile, head_path
from trader.journal.reads import Reader
from trader.journal.sums import ready_sums, seal
from trader.journal.writer import Transaction, Writer


class Journal(Reader):
    """An open journal. Made by `Journal.open`; a context manager that closes it."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, head_file: HeadFile | None
    ) -> None:
        """For `open` alone; without a head file it only reads."""
        super().__init__(connection, path)
        self._writer = Writer(connection, path, head_file)
        if head_file is not None:
            self._agree(head_file)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        create: bool = False,
        read_only: bool = False,
        busy_ms: int = 5000,
    ) -> Self:
        """Open a journal; the writer applies missing migrations and brings the head file up.

        Raises JournalError: absent (and not `create`), locked for longer than `busy_ms`,
        read-only, full, not a journal, corrupt, of a newer schema, or shorter than its head file.
        """
        path = Path(path)
        if read_only:
            connection = connect_reader(path, busy_ms)
        else:
            connection = connect_writer(path, busy_ms, create=create)
        head_file: HeadFile | None = None
        with undone_by(partial(abandon, connection, path)):
            with guarded(path, "reading its head file"):
                head_file = None if read_only else HeadFile(head_path(path))
            return cls(connection, path, head_file)

    @property
    def state(self) -> State:
        """The account, always equal to what the disk holds after the last transaction.

        The same object for the journal's life; changed by appends alone.
        """
        return self._writer.state

    def _agree(self, head_file: HeadFile) -> None:
        noted, found = head_file.newest, self._writer.loaded
        if noted is None and found.seq > self.origin.seq:
            raise JournalError(
                f"the head file {head_file.path} is missing",
                "run `trader audit verify`, restore database, -wal and head file together, "
                "or vouch for what is there: `trader audit accept-head`",
            )
        if noted is not None and not self.holds(noted):
            raise JournalError(
                f"the journal {self.path} ends at entry {found.seq}, but its head file knows "
                f"entry {noted.seq} with hash {noted.hash[:12]}...: its tail is cut or replaced",
                "run `trader audit verify` and restore database, -wal and head file together",
            )
        with guarded(self.path, "writing its head file"):
            head_file.prepare(found)
            ready_sums(self._connection, self.path, found.seq)

    def close(self) -> None:
        """Close it; a writer first folds the WAL into the database."""
        head_file = self._writer.head_file
        if head_file is None:
            self._connection.close()
            return
        try:
            with guarded(self.path, "closing"):
                head_file.close()
                seal(self._connection, self.path, wal_path(self.path), self.head.seq)
                self._connection.close()
        except JournalError:
            abandon(self._connection, self.path)
            raise

    def __enter__(self) -> Self:
        """The journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def transaction(self) -> Transaction:
        """A new transaction, to be used in a `with`; entries exist once the block has ended."""
        return Transaction(self._writer)

    def append(self, kind: str, payload: Mapping[str, object], at_ms: int) -> int:
        """One entry in a transaction of its own; returns its seq."""
        with self.transaction() as tx:
            return tx.append(kind, payload, at_ms)


__all__ = ["Journal", "Transaction"]
