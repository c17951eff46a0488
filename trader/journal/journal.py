"""The open journal: the one way to write a fact.

Lives here: `Journal` (opening, the state in memory, the head file) and `Transaction`. Must not
live here: SQL of single tables, or what a fact means.

One transaction is one commit: BEGIN IMMEDIATE, the head read inside, each entry folded into the
state and its projections, COMMIT, head file. Whatever fails, the transaction is rolled back and
the state in memory is made equal to the disk again.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from trader.core.canonical import canonical
from trader.core.state import State
from trader.errors import JournalError
from trader.journal.codec import Payload, decode, entry_hash, version_of
from trader.journal.failures import guarded
from trader.journal.files import LIBRARY, connect_reader, connect_writer
from trader.journal.folding import Folder, load_state, reload_state
from trader.journal.head import Head, HeadFile, head_path
from trader.journal.reads import Reader, head_of

_INSERT = (
    "INSERT INTO entries (seq, at_ms, kind, version, payload, prev_hash, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_UNKNOWN = Head(-1, "")
ZLIB_LEVEL = 9


def stored_form(body: bytes) -> bytes:
    """A blob's content as the table keeps it."""
    return zlib.compress(body, ZLIB_LEVEL)


class Journal(Reader):
    """An open journal. Made by `Journal.open`; a context manager that closes it.

    Attributes:
        state: the account, always equal to what the disk holds after the last transaction. The
            object stays the same for the journal's life.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, head_file: HeadFile | None
    ) -> None:
        """For `open` alone; without a head file it only reads."""
        super().__init__(connection, path)
        self._head_file = head_file
        self._bodies: dict[str, bytes] = {}
        self._in_transaction = False
        with guarded(path, "reading its projections"):
            self.state: State = load_state(connection)
            self._loaded = head_of(connection)
        self._folder = Folder(connection, self.state, self._bodies.__getitem__)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        create: bool = False,
        read_only: bool = False,
        busy_ms: int = 5000,
    ) -> Self:
        """Open a journal; the writer applies missing migrations and heals the head file.

        Raises JournalError: absent (and not `create`), locked for longer than `busy_ms`,
        read-only, full, not a journal, corrupt, of a newer schema, or shorter than its head file.
        """
        path = Path(path)
        if read_only:
            return cls(connect_reader(path, busy_ms), path, None)
        connection = connect_writer(path, busy_ms, create=create)
        try:
            with guarded(path, "reading its head file"):
                head_file = HeadFile(head_path(path))
            journal = cls(connection, path, head_file)
            journal._agree_with_head_file(head_file)
        except BaseException:
            connection.close()
            raise
        return journal

    def _agree_with_head_file(self, head_file: HeadFile) -> None:
        noted, found = head_file.newest, self._loaded
        if noted is None and found.seq > self.origin.seq:
            raise JournalError(
                f"the head file {head_file.path} is missing",
                "run `trader audit verify`; when nothing is lost, `trader audit accept-head`",
            )
        if noted is not None and not self._is_ancestor(noted):
            raise JournalError(
                f"the journal {self.path} ends at entry {found.seq}, but its head file knows "
                f"entry {noted.seq} with hash {noted.hash[:12]}...: its tail is cut or replaced",
                "run `trader audit verify` and restore database, -wal and head file together",
            )
        with guarded(self.path, "writing its head file"):
            current = Head(found.seq, found.hash, LIBRARY)
            if noted is not None and noted.library != current.library:
                # Another library wrote last: let its number in the header become ours as well.
                self._connection.execute("PRAGMA user_version = 0")
            head_file.prepare(current)

    def _is_ancestor(self, head: Head) -> bool:
        origin = self.origin
        if head.seq <= origin.seq:
            return head.seq < origin.seq or head.hash == origin.hash
        rows = self._rows("SELECT hash FROM entries WHERE seq = ?", (head.seq,))
        return bool(rows) and rows[0][0] == head.hash

    def close(self) -> None:
        """Close it; the last one to close folds the WAL into the database."""
        with guarded(self.path, "closing"):
            if self._head_file is not None:
                self._head_file.close()
            self._connection.close()

    def __enter__(self) -> Self:
        """The journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def transaction(self) -> Transaction:
        """A new transaction, to be used in a `with`; entries exist once the block has ended."""
        return Transaction(self)

    def append(self, kind: str, payload: Mapping[str, object], at_ms: int) -> int:
        """One entry in a transaction of its own; returns its seq."""
        with self.transaction() as tx:
            return tx.append(kind, payload, at_ms)

    # For Transaction alone.

    def _begin(self) -> Head:
        if self._head_file is None:
            raise JournalError(f"the journal {self.path} was opened for reading", "open it to write")
        assert not self._in_transaction, "a transaction is open already"
        with guarded(self.path, "beginning a transaction"):
            self._connection.execute("BEGIN IMMEDIATE")
            self._in_transaction = True
            head = head_of(self._connection)
            if head != self._loaded:
                # Another process wrote (a kill's own entry), or the last rollback failed.
                reload_state(self._connection, self.state)
                self._loaded = head
        return head

    def _insert(self, head: Head, kind: str, payload: object, at_ms: int) -> Head:
        text = canonical(payload)
        decoded = decode(text)
        version = version_of(kind)
        seq = head.seq + 1
        hash_ = entry_hash(seq, at_ms, kind, version, text, head.hash)
        with guarded(self.path, f"appending {kind}"):
            row = (seq, at_ms, kind, version, text, head.hash, hash_)
            self._connection.execute(_INSERT, row)
            self._folder.apply(seq, kind, decoded)
        return Head(seq, hash_)

    def _commit(self, head: Head) -> None:
        if head == self._loaded:
            self._roll_back()
            return
        with guarded(self.path, "committing"):
            self._connection.execute("COMMIT")
        self._in_transaction = False
        self._bodies.clear()
        self._loaded = head
        assert self._head_file is not None
        with guarded(self.path, "writing its head file, after the commit"):
            self._head_file.write(Head(head.seq, head.hash, LIBRARY))

    def _roll_back(self) -> None:
        """Back to what the disk holds; a failure here leaves that to the next transaction."""
        self._in_transaction = False
        self._bodies.clear()
        self._loaded = _UNKNOWN
        with guarded(self.path, "rolling back"):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            reload_state(self._connection, self.state)
            self._loaded = head_of(self._connection)


class Transaction:
    """Appends that are committed together, or not at all.

    An exception in the block, a refused fact among them, undoes every append of it.
    """

    def __init__(self, journal: Journal) -> None:
        """For `Journal.transaction`."""
        self._journal = journal
        self._head = _UNKNOWN

    def __enter__(self) -> Self:
        """Take the write lock; raises JournalError when another process keeps it."""
        self._head = self._journal._begin()
        return self

    def append(self, kind: str, payload: Mapping[str, object], at_ms: int) -> int:
        """Write one fact and fold it into `journal.state`; returns its seq.

        `payload` is what canonical JSON can hold, without floats: TypeError else. Raises FoldError
        or IllegalTransition for a fact that contradicts the state, and JournalError.
        """
        if not (kind.isidentifier() and kind.isascii()):
            raise ValueError(f"{kind!r} is not a kind of entry")
        self._head = self._journal._insert(self._head, kind, payload, int(at_ms))
        return self._head.seq

    def put_blob(self, kind: str, body: bytes, at_ms: int) -> str:
        """Keep a content once, under its sha256 (returned): a `blob` entry when it is new."""
        sha = hashlib.sha256(body).hexdigest()
        if not self._journal.has_blob(sha):
            stored = stored_form(body)
            self._journal._bodies[sha] = stored
            payload: Payload = {
                "sha": sha,
                "kind": kind,
                "size": len(body),
                "stored": hashlib.sha256(stored).hexdigest(),
            }
            self.append("blob", payload, at_ms)
        return sha

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Commit, or undo everything when the block failed."""
        if kind is not None:
            self._journal._roll_back()
            return
        try:
            self._journal._commit(self._head)
        except JournalError:
            if self._journal._in_transaction:
                self._journal._roll_back()
            raise

