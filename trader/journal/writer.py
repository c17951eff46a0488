"""Writing: one transaction, one commit.

Lives here: `Transaction`, and the `Writer` that keeps state, tables and head file in step. Must not
live here: SQL of single tables, or what a fact means.

BEGIN IMMEDIATE, the head read inside, each entry folded into the state and its projections,
COMMIT, head file. Whatever fails, the transaction is rolled back and the state in memory is made
equal to the disk again.
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
from trader.journal.codec import decode, entry_hash, version_of
from trader.journal.failures import guarded
from trader.journal.files import wal_path
from trader.journal.folding import Folder, load_state, reload_state
from trader.journal.head import Head, HeadFile
from trader.journal.reads import head_of
from trader.journal.sums import seal

_INSERT = (
    "INSERT INTO entries (seq, at_ms, kind, version, payload, prev_hash, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_UNKNOWN = Head(-1, "")
ZLIB_LEVEL = 9
SEAL_EVERY = 64  # commits between two looks at the WAL's length
WAL_BYTES_MAX = 4_000_000


class Writer:
    """State, tables and head file of one open journal, kept in step.

    Attributes:
        state: equal to the disk whenever no transaction is open; always the same object.
        loaded: the head that `state` stands for.
        bodies: stored form of the blobs of the open transaction, by sha.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, head_file: HeadFile | None
    ) -> None:
        """Load the state; without a head file nothing can be written."""
        self.path = path
        self.head_file = head_file
        self.bodies: dict[str, bytes] = {}
        self.busy = False
        self._commits = 0
        self._connection = connection
        with guarded(path, "reading its projections"):
            self.state: State = load_state(connection)
            self.loaded = head_of(connection)
        self._folder = Folder(connection, self.state, self.bodies.__getitem__)

    def begin(self) -> Head:
        """Take the write lock; returns the head as it stands under it."""
        if self.head_file is None:
            raise JournalError(
                f"the journal {self.path} was opened for reading", "open it to write"
            )
        assert not self.busy, "a transaction is open already"
        with guarded(self.path, "beginning a transaction"):
            self._connection.execute("BEGIN IMMEDIATE")
        self.busy = True
        try:
            with guarded(self.path, "beginning a transaction"):
                head = head_of(self._connection)
                if head != self.loaded:
                    # Another process wrote (a kill's own entry), or a rollback failed.
                    reload_state(self._connection, self.state)
                    self.loaded = head
        except JournalError:
            self.busy = False
            self.loaded = _UNKNOWN
            self._connection.rollback()
            raise
        return head

    def put(self, head: Head, kind: str, payload: object, at_ms: int) -> Head:
        """One entry after `head`; returns the new head."""
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

    def knows_blob(self, sha: str) -> bool:
        """Whether a content is kept, the open transaction included."""
        with guarded(self.path, "looking for a blob"):
            query = "SELECT 1 FROM blobs WHERE sha = ?"
            return self._connection.execute(query, (sha,)).fetchone() is not None

    def commit(self, head: Head) -> None:
        """Make the transaction durable, then the head file; nothing appended, nothing written."""
        try:
            with guarded(self.path, "committing"):
                self._connection.execute("COMMIT" if head != self.loaded else "ROLLBACK")
        except JournalError:
            self.roll_back()
            raise
        self.busy = False
        self.bodies.clear()
        if head == self.loaded:
            return
        self.loaded = head
        assert self.head_file is not None
        with guarded(self.path, "writing its head file, after the commit"):
            self.head_file.write(head)
            self._commits += 1
            if self._commits % SEAL_EVERY == 0:
                self._seal_if_long(head.seq)

    def _seal_if_long(self, seq: int) -> None:
        """Keep the WAL of a long-lived process short."""
        wal = wal_path(self.path)
        if wal.stat().st_size > WAL_BYTES_MAX:
            seal(self._connection, self.path, wal, seq)

    def roll_back(self) -> None:
        """Back to what the disk holds; when that fails, the next transaction reads it anew."""
        self.busy = False
        self.bodies.clear()
        self.loaded = _UNKNOWN
        with guarded(self.path, "rolling back"):
            self._connection.rollback()
            reload_state(self._connection, self.state)
            self.loaded = head_of(self._connection)


class Transaction:
    """Appends that are committed together, or not at all.

    An exception in the block, a refused fact among them, undoes every append of it.
    """

    def __init__(self, writer: Writer) -> None:
        """For `Journal.transaction`."""
        self._writer = writer
        self._head = _UNKNOWN
        self._refusal: BaseException | None = None

    def __enter__(self) -> Self:
        """Take the write lock; raises JournalError when another process keeps it."""
        self._head = self._writer.begin()
        return self

    def append(self, kind: str, payload: Mapping[str, object], at_ms: int) -> int:
        """Write one fact and fold it into `journal.state`; returns its seq.

        `payload` is what canonical JSON can hold, without floats: TypeError else. Raises FoldError
        or IllegalTransition for a fact that contradicts the state, and JournalError.
        """
        if not (kind.isidentifier() and kind.isascii()):
            raise ValueError(f"{kind!r} is not a kind of entry")
        if self._refusal is not None:
            raise self._refusal
        try:
            self._head = self._writer.put(self._head, kind, payload, int(at_ms))
        except BaseException as error:
            # Half an entry may stand in tables and state: nothing of this block can be kept.
            self._refusal = error
            raise
        return self._head.seq

    def put_blob(self, kind: str, body: bytes, at_ms: int) -> str:
        """Keep a content once, under its sha256 (returned): a `blob` entry when it is new."""
        sha = hashlib.sha256(body).hexdigest()
        if not self._writer.knows_blob(sha):
            stored = zlib.compress(body, ZLIB_LEVEL)
            self._writer.bodies[sha] = stored
            payload: dict[str, object] = {
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
        if kind is None and self._refusal is None:
            self._writer.commit(self._head)
            return
        self._writer.roll_back()
        if kind is None and self._refusal is not None:
            raise self._refusal  # it was swallowed inside the block
