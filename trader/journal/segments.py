"""Segments: closed parts of the journal, sealed in files that may be moved away.

Lives here: `close_segment`. Must not live here: reading a segment again (`verify` does).

Entries are never rewritten or deleted, so the live file cannot shrink. Instead a new database is
built whose chain starts at the old one's head (its `origin`) with one `segment` entry: the old
file's name, sha256, first and last entry, and the rows that later decisions need (the whole state,
the newest bars and fills, every blob, the newest cycle and plan). Then the new file takes the old
one's place, and the old one, byte for byte as it was, stays beside it under the segment's name. The
append-only triggers hold in both. A segment ends where it is closed: after the newest cycle.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from trader.errors import JournalError
from trader.journal.codec import Payload
from trader.journal.failures import guarded
from trader.journal.files import abandon, connect_writer, undone_by, wal_path
from trader.journal.head import Head, HeadFile, head_path, sync_folder
from trader.journal.journal import Journal
from trader.journal.schema import BARS, BLOBS, CYCLES, FILLS, FLOWS, ORDERS, PLANS, STATE_TABLES
from trader.journal.sums import ready_sums, seal, sums_path
from trader.journal.writer import Transaction, Writer
from trader.records import dataclass

BUSY_MS = 5000
BARS_KEPT = 5000  # newest of each series
FILLS_KEPT = 1000  # newest of each instrument
Rows = dict[str, list[list[Any]]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A sealed file and the entries in it, both ends included."""

    number: int
    file: Path
    from_seq: int
    to_seq: int


def segment_path(path: Path, number: int) -> Path:
    """Where a segment of the journal at `path` stands."""
    return path.with_name(f"{path.stem}.segment-{number:04d}{path.suffix}")


def close_segment(
    path: Path, at_ms: int, *, bars_kept: int = BARS_KEPT, fills_kept: int = FILLS_KEPT
) -> Segment:
    """Seal everything up to now and go on in a new, small file.

    The caller holds the trading lock. Raises JournalError, with the journal as it was, when a
    cycle has not ended, when there is nothing to seal or when another process has it open. A
    crash at any point leaves a journal that opens, and this may be called again.
    """
    with Journal.open(path) as journal:
        checkpoint, bodies = _checkpoint(journal, bars_kept, fills_kept)
        head = journal.head
    if wal_path(path).exists():
        raise JournalError(f"the journal {path} is open elsewhere", "stop the other process first")
    segment = Segment(
        checkpoint["number"], path.with_name(checkpoint["file"]), checkpoint["from_seq"], head.seq
    )
    with guarded(path, "closing a segment"):
        checkpoint["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        fresh = _build(path, head, checkpoint, bodies, at_ms)
        _take_place(fresh, path, segment.file)
    return segment


def _checkpoint(
    journal: Journal, bars_kept: int, fills_kept: int
) -> tuple[Payload, dict[str, bytes]]:
    """Payload of the `segment` entry, its sha256 still missing, and the stored blobs."""
    cycle, origin, head = journal.last_cycle(), journal.origin, journal.head
    if cycle is None or not cycle.ended:
        what = "no cycle has run" if cycle is None else f"cycle {cycle.cycle} has not ended"
        raise JournalError(f"the journal {journal.path}: {what}", "run `trader cycle` first")
    if cycle.end_seq <= origin.seq:
        raise JournalError(f"the journal {journal.path}: no cycle ended since", "nothing to seal")
    before = journal.entry(origin.seq + 1) if origin.seq else None
    number = 1 + (before.payload["number"] if before else 0)
    bar_ms = journal.state.number("last_bar_ms")
    payload: Payload = {
        "number": number,
        "from_seq": origin.seq + 1,
        "to_seq": head.seq,
        "file": segment_path(journal.path, number).name,
        "head_hash": head.hash,
        "plan": journal.plan_of(bar_ms) or {},
        "rows": _rows(journal, bars_kept, fills_kept),
    }
    return payload, journal.stored_blobs()


def _rows(journal: Journal, bars_kept: int, fills_kept: int) -> Rows:
    rows: Rows = {
        name: journal.rows(f"SELECT * FROM {name} ORDER BY 1")  # noqa: S608 - a table of ours
        for name in STATE_TABLES
        if name != ORDERS.name
    }
    held = [str(client_id) for client_id in journal.state.orders]
    by_id = "SELECT * FROM orders WHERE client_id = ?"
    rows[ORDERS.name] = [row for key in held for row in journal.rows(by_id, (key,))]
    rows[CYCLES.name] = journal.rows("SELECT * FROM cycles ORDER BY cycle DESC LIMIT 1")
    rows[PLANS.name] = journal.rows("SELECT * FROM plans ORDER BY bar_ms DESC LIMIT 1")
    rows[BLOBS.name] = journal.rows("SELECT sha, kind, size, stored, seq FROM blobs ORDER BY sha")
    newest = "SELECT * FROM {} WHERE {} ORDER BY {} DESC LIMIT ?"
    rows[FILLS.name] = [
        row
        for (symbol,) in journal.rows("SELECT DISTINCT symbol FROM fills ORDER BY 1")
        for row in journal.rows(newest.format("fills", "symbol = ?", "seq"), (symbol, fills_kept))
    ]
    # Few, made by hand: their ids must stay known, or one could be booked twice.
    rows[FLOWS.name] = journal.rows("SELECT * FROM flows ORDER BY flow_id")
    rows[BARS.name] = [
        row
        for key in journal.rows("SELECT DISTINCT symbol, timeframe FROM bars ORDER BY 1, 2")
        for row in journal.rows(
            newest.format("bars", "symbol = ? AND timeframe = ?", "open_ms DESC, version"),
            (*key, bars_kept),
        )
    ]
    return rows


def _build(
    path: Path, head: Head, checkpoint: Payload, bodies: dict[str, bytes], at_ms: int
) -> Path:
    """The new file with its checkpoint, complete and without a WAL."""
    fresh = path.with_name(f"{path.stem}-next{path.suffix}")
    for left in (fresh, wal_path(fresh), head_path(fresh), sums_path(fresh)):
        left.unlink(missing_ok=True)
    connection = connect_writer(fresh, BUSY_MS, create=True, origin=(head.seq, head.hash))
    with undone_by(partial(abandon, connection, fresh)):
        head_file = HeadFile(head_path(fresh))
        head_file.prepare(head)
        ready_sums(connection, fresh, head.seq)
        writer = Writer(connection, fresh, head_file)
        with Transaction(writer) as tx:
            writer.bodies.update(bodies)
            seq = tx.append("segment", checkpoint, at_ms)
        head_file.close()
        seal(connection, fresh, wal_path(fresh), seq)
        connection.close()
    return fresh


def _take_place(fresh: Path, path: Path, sealed: Path) -> None:
    """Seal the old file under its new name and let the new one be found under the old name.

    The journal's name exists at every moment. Between the two renames the head file still names
    the old head, which is where the new chain starts: an ancestor.
    """
    if sealed.exists() and sealed.samefile(path):
        sealed.unlink()  # an earlier attempt ended here
    sealed.hardlink_to(path)
    sync_folder(path.parent)
    fresh.replace(path)
    sync_folder(path.parent)
    sealed.chmod(0o444)
    sums_path(fresh).replace(sums_path(path))
    head_path(fresh).replace(head_path(path))
    sync_folder(path.parent)
