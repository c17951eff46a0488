"""Verify: is this journal whole, and is it what was written?

Lives here: `verify`, which works on a copy and changes nothing. It looks at every byte in one of
several ways: frames of the write-ahead log, sums of the database's pages, the schema with its
triggers, the chain of entries, blobs against their names, projections against a rebuild, the head
file, a head noted elsewhere, sealed segments. Must not live here: repairing.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from trader.core.canonical import canonical
from trader.errors import JournalError
from trader.journal.codec import NO_HASH, decode, entry_hash
from trader.journal.failures import guarded
from trader.journal.files import wal_path
from trader.journal.head import LINES, Head, head_path, read_lines
from trader.journal.pages import page_owners
from trader.journal.rebuild import EntryRefused, compare, fold_all
from trader.journal.schema import TABLES, migrate
from trader.journal.sums import page_sums, read_sums, sums_path
from trader.journal.wal import newest_frames, walk_wal
from trader.records import dataclass, replace

ERROR = "error"
INFO = "info"
COPY_TRIES = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that verify has to say.

    Attributes:
        level: `error`, or `info` for what is no fault but was not looked at (an archived segment).
        where: the entry, row, page or file it is about.
        seq: number of the entry concerned, when there is one.
    """

    level: str
    where: str
    what: str
    seq: int | None = None

    def __str__(self) -> str:
        """`where: what`."""
        return f"{self.where}: {self.what}"


def has_errors(findings: list[Finding]) -> bool:
    """Whether something is wrong, not merely out of sight."""
    return any(finding.level == ERROR for finding in findings)


def head_missing(path: Path) -> Finding:
    """What is said when the journal at `path` has no head file."""
    return Finding(ERROR, f"head file {head_path(path).name}", "is missing")


def verify(path: Path | str, head: Head | None = None) -> list[Finding]:
    """Everything that is wrong with a journal, nothing when it is whole.

    `head` is one noted elsewhere, which must be an entry of this chain. Raises JournalError when
    there is no file to look at. Not to be called by a process that has this journal open: closing
    a file that SQLite has open in the same process drops its locks.
    """
    path = Path(path)
    if not path.is_file():
        raise JournalError(f"there is no journal at {path}", "give the path of a journal file")
    with guarded(path, "verifying"), TemporaryDirectory(prefix="verify-") as folder:
        copy, raw = Path(folder) / "copy.db", Path(folder) / "raw.db"
        _copy(path, copy)
        shutil.copyfile(copy, raw)  # the copy itself changes when its WAL is recovered
        lines, findings = _head_lines(path)
        if head is not None:
            lines.append(("the head noted elsewhere", head))
        database = _Database(path, copy, raw, lines)
        return [*findings, *database.findings()]


def _copy(path: Path, copy: Path) -> None:
    """Copy database and WAL as they were at one moment (a writer may be at work)."""
    wal, wal_copy = wal_path(path), wal_path(copy)
    for _ in range(COPY_TRIES):
        before = _marks(path, wal)
        shutil.copyfile(path, copy)
        wal_copy.unlink(missing_ok=True)
        if before[1] is not None:
            shutil.copyfile(wal, wal_copy)
        if _marks(path, wal) == before:
            return
    raise JournalError(f"the journal {path} keeps changing", "stop the cycle and run it again")


def _marks(*paths: Path) -> list[tuple[int, int] | None]:
    """Size and time of change of each file, None for one that is not there."""
    stats = [path.stat() if path.exists() else None for path in paths]
    return [(stat.st_size, stat.st_mtime_ns) if stat else None for stat in stats]


def _head_lines(path: Path) -> tuple[list[tuple[str, Head]], list[Finding]]:
    place = head_path(path)
    try:
        lines = read_lines(place)
    except FileNotFoundError:
        return [], [head_missing(path)]
    heads: list[tuple[str, Head]] = []
    findings: list[Finding] = []
    for number, line in enumerate(lines, 1):
        name = f"head file {place.name}, line {number}"
        if line is not None:
            heads.append((name, line))
        else:
            what = "is damaged" if number <= LINES else "should not be there, or the file is cut"
            findings.append(Finding(ERROR, name, what))
    return heads, findings


class _Database:
    """The copy under examination."""

    def __init__(
        self,
        path: Path,
        copy: Path,
        raw: Path,
        heads: list[tuple[str, Head]],
        *,
        sealed: bool = False,
    ) -> None:
        self.path = path
        self.sealed = sealed
        self.copy = copy
        self.raw = raw
        self.heads = heads
        # The chain as it was walked: hash by seq, and where it starts and ends.
        self.hashes: dict[int, str] = {}
        self.origin = Head(0, "")
        self.last = 0
        self.reaches_back = False

    def findings(self) -> Iterator[Finding]:
        wal = wal_path(self.copy)
        log = wal.read_bytes() if wal.exists() else b""
        yield from self._wal(log)
        roots: dict[str, int] = {}
        try:
            with closing(sqlite3.connect(self.copy, isolation_level=None)) as connection:
                connection.text_factory = _lenient
                yield from self._structure(connection)
                yield from self._schema(connection)
                query = "SELECT name, rootpage FROM sqlite_schema WHERE rootpage"
                roots = dict(connection.execute(query))
                yield from self._chain(connection)
                yield from self._blobs(connection)
                yield from self._projections(connection)
                yield from self._segments(connection)
        except sqlite3.Error as error:
            yield Finding(ERROR, f"database {self.path.name}", f"cannot be read: {error}")
        yield from self._heads()
        if not self.sealed:
            yield from self._pages(log, roots)

    def _wal(self, log: bytes) -> Iterator[Finding]:
        name = f"write-ahead log {wal_path(self.path).name}"
        for frame, what in walk_wal(log).problems:
            yield Finding(ERROR, f"{name}, frame {frame}" if frame else name, what)

    def _structure(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        connection.execute("PRAGMA cell_size_check = ON")
        for (line,) in connection.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield Finding(ERROR, f"database {self.path.name}", line)

    def _schema(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        found, wanted = _schema_of(connection), _wanted_schema()
        for name in wanted.keys() | found.keys():
            if found.get(name) != wanted.get(name):
                state = "is missing" if name not in found else "is not what the migrations make"
                yield Finding(ERROR, f"schema, {name}", state)

    def _chain(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        row = connection.execute("SELECT seq, hash FROM origin").fetchone()
        if row is None:
            yield Finding(ERROR, "schema, origin", "holds no row")
        seq, hash_ = row or (0, NO_HASH)
        self.origin = Head(seq, hash_)
        self.hashes[seq] = hash_
        self.last = seq
        query = (
            "SELECT seq, at_ms, kind, version, payload, prev_hash, hash FROM entries ORDER BY seq"
        )
        try:
            for row in connection.execute(query):
                yield from self._link(row)
        except sqlite3.DatabaseError as error:
            seq = self.last + 1
            yield Finding(ERROR, f"entry {seq}", f"cannot be read: {error}", seq)

    def _link(self, row: tuple[Any, ...]) -> Iterator[Finding]:
        seq, at_ms, kind, version, payload, prev_hash, hash_ = row
        for missing in range(self.last + 1, seq):
            yield Finding(ERROR, f"entry {missing}", "is missing", missing)
        whole = entry_hash(seq, at_ms, kind, version, payload, prev_hash) == hash_
        if not whole:
            yield Finding(
                ERROR, f"entry {seq} ({kind})", "its hash is not that of its content", seq
            )
        before = self.hashes.get(seq - 1)
        if whole and before is not None and before != prev_hash:
            # This entry is whole, so what it was chained to has been replaced.
            what = f"is not the one that entry {seq} was written after"
            yield Finding(ERROR, f"entry {seq - 1}", what, seq - 1)
        if whole and not _is_canonical(payload):
            yield Finding(ERROR, f"entry {seq} ({kind})", "its payload is not canonical", seq)
        self.hashes[seq] = hash_
        self.last = seq

    def _heads(self) -> Iterator[Finding]:
        for name, head in self.heads:
            if head.seq > self.last:
                lost = self.last + 1
                what = f"knows entry {head.seq}, but the chain ends at entry {self.last}: entry "
                yield Finding(ERROR, name, f"{what}{lost} is the first that is lost", lost)
            elif head.seq < self.origin.seq and self.reaches_back:
                continue  # looked for in the segment
            elif head.seq < self.origin.seq:
                yield Finding(INFO, name, f"entry {head.seq} lies in an archived segment", head.seq)
            elif self.hashes.get(head.seq, head.hash) != head.hash:
                what = f"knows another entry {head.seq}: it was replaced, or one before it"
                yield Finding(ERROR, name, what, head.seq)

    def _blobs(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        for sha, size, stored, body in connection.execute(
            "SELECT sha, size, stored, body FROM blobs"
        ):
            where = f"blob {str(sha)[:12]}"
            if hashlib.sha256(body).hexdigest() != stored:
                yield Finding(ERROR, where, "its stored bytes were changed")
                continue
            content = zlib.decompress(body)
            if hashlib.sha256(content).hexdigest() != sha or len(content) != size:
                yield Finding(ERROR, where, "its content is not what its name says")

    def _projections(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        try:
            fresh, _ = fold_all(connection, self.path)
        except EntryRefused as error:
            where = f"entry {error.seq} ({error.kind})"
            yield Finding(ERROR, where, f"does not follow: {error.why}", error.seq)
            return
        except (ValueError, TypeError, JournalError) as error:
            yield Finding(ERROR, "entries", f"cannot be decoded: {error}")
            return
        with closing(fresh):
            for difference in compare(connection, fresh):
                yield Finding(ERROR, f"row of {difference.table}", str(difference))

    def _segments(self, connection: sqlite3.Connection) -> Iterator[Finding]:
        """The checkpoint that this file starts with, and the sealed file before it."""
        if self.origin.seq == 0:
            return
        first = self.origin.seq + 1
        row = connection.execute(
            "SELECT kind, payload FROM entries WHERE seq = ?", (first,)
        ).fetchone()
        checkpoint = decode(row[1]) if row and row[0] == "segment" else {}
        if (checkpoint.get("to_seq"), checkpoint.get("head_hash")) != (
            self.origin.seq,
            self.origin.hash,
        ):
            yield Finding(ERROR, f"entry {first}", "is no checkpoint of what lies before", first)
            return
        sealed = self.path.with_name(str(checkpoint["file"]))
        name = f"segment {checkpoint['number']} ({sealed.name})"
        if not sealed.exists():
            span = f"entries {checkpoint['from_seq']} to {checkpoint['to_seq']}"
            what = f"inputs archived in segment {checkpoint['number']}: {span}"
            yield Finding(INFO, name, what)
            return
        self.reaches_back = True
        copy, raw = self.copy.with_name(f"sealed-{first}.db"), sealed
        shutil.copyfile(sealed, copy)
        if hashlib.sha256(copy.read_bytes()).hexdigest() != checkpoint["sha256"]:
            yield Finding(ERROR, name, "the file was changed after it was sealed")
        older = [(place, head) for place, head in self.heads if head.seq < self.origin.seq]
        heads = [(f"the checkpoint, entry {first}", self.origin), *older]
        before = _Database(sealed, copy, raw, heads, sealed=True)
        for finding in before.findings():
            yield replace(finding, where=f"{name}, {finding.where}")
        yield from _carried(copy, checkpoint["rows"], first)

    def _pages(self, log: bytes, roots: dict[str, int]) -> Iterator[Finding]:
        """Every page against its sum; those that the WAL holds are vouched for by the WAL."""
        name = f"database {self.path.name}"
        place = sums_path(self.path)
        frames, in_wal = newest_frames(log)
        try:
            sums = read_sums(place)
        except FileNotFoundError:
            yield Finding(
                INFO, f"page sums {place.name}", "are missing: the next writer makes them"
            )
            return
        if sums is None:
            yield Finding(ERROR, f"page sums {place.name}", "are damaged")
            return
        if not frames and sums.seq < self.last:
            what = f"were made at entry {sums.seq}: another program has checkpointed since"
            yield Finding(INFO, f"page sums {place.name}", what)
            return
        data = self.raw.read_bytes()
        owners = page_owners(data, roots)
        for number, pair in enumerate(zip_longest(page_sums(data), sums.pages), 1):
            if number not in in_wal and pair[0] != pair[1]:
                what = "is missing" if pair[0] is None else "was changed"
                owner = owners.get(number, "in no table or index")
                yield Finding(ERROR, f"{name}, page {number} ({owner})", what)


def _carried(sealed: Path, rows: dict[str, list[list[Any]]], seq: int) -> Iterator[Finding]:
    """Whether the rows that a checkpoint carries over are those of the sealed file."""
    where = f"entry {seq}"
    with closing(sqlite3.connect(sealed)) as connection:
        connection.text_factory = _lenient
        try:
            strange = [
                (name, row)
                for name, carried in rows.items()
                for row in sorted(set(map(tuple, carried)) - _held(connection, name))
            ]
        except sqlite3.Error as error:
            yield Finding(ERROR, where, f"cannot be compared with the segment: {error}", seq)
            return
    for name, row in strange:
        what = f"carries a row of {name} that the segment does not hold: {list(row[:3])}"
        yield Finding(ERROR, where, what, seq)


def _held(connection: sqlite3.Connection, name: str) -> set[tuple[Any, ...]]:
    names = [column for column in TABLES[name].names if column != "body"]
    query = f"SELECT {', '.join(names)} FROM {name}"  # noqa: S608 - a table of ours
    return set(connection.execute(query))


def _lenient(text: bytes) -> str:
    """Text that is no longer UTF-8 still has to be looked at."""
    return text.decode(errors="backslashreplace")


def _is_canonical(payload: str) -> bool:
    try:
        return canonical(decode(payload)) == payload
    except (ValueError, TypeError):
        return False


def _schema_of(connection: sqlite3.Connection) -> dict[str, tuple[Any, ...]]:
    rows = connection.execute("SELECT name, type, tbl_name, sql FROM sqlite_schema").fetchall()
    known: dict[str, tuple[Any, ...]] = {str(row[0]): row for row in rows}
    known["migrations applied"] = tuple(connection.execute("SELECT name FROM migrations"))
    return known


def _wanted_schema() -> dict[str, tuple[Any, ...]]:
    """The schema that the migrations leave in a new file."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh)
        return _schema_of(fresh)
