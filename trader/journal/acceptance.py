"""Accepting a head: a human vouches for a chain that its head file no longer vouches for.

Lives here: `accept_head`, the only way back for a journal whose head file is lost. Must not live
here: judging (`verify` does), or restoring what is damaged.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from trader.errors import ProofFailed, UsageError
from trader.journal.failures import guarded
from trader.journal.files import abandon, connect_reader, connect_writer, undone_by, wal_path
from trader.journal.head import Head, HeadFile, head_path, sync_folder
from trader.journal.reads import head_of
from trader.journal.sums import ready_sums, seal
from trader.journal.verify import ERROR, head_missing, verify
from trader.journal.writer import Transaction, Writer

BUSY_MS = 5000
KIND = "head_accepted"


def accept_head(path: Path, by: str, reason: str, at_ms: int) -> Head | None:
    """Make the newest entry the head again, and write down who said so; returns that head.

    None, and nothing is changed, when the head file knows the newest entry already. The caller
    holds the trading lock and has the journal closed. Raises UsageError without a name or a
    reason, ProofFailed when `verify` finds anything but a missing head file, JournalError.
    """
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise UsageError(
            "only a named human accepts a head, with a reason",
            "give both --by NAME and --reason TEXT",
        )
    errors = [
        found for found in verify(path) if found.level == ERROR and found != head_missing(path)
    ]
    if errors:
        raise ProofFailed(
            f"the head of {path} is not accepted, nothing was changed: verify has "
            f"{len(errors)} other findings, the first is {errors[0]}",
            "run `trader audit verify`; restore database, -wal and head file together",
        )
    with guarded(path, "reading its head"), closing(connect_reader(path, BUSY_MS)) as connection:
        noted, found = HeadFile(head_path(path)).newest, head_of(connection)
    if noted == found:
        return None
    said = {"by": by, "reason": reason, "head": _text(found), "noted": _text(noted)}
    _write(path, found, {**said, "at_ms": at_ms}, at_ms)
    return found


def _write(path: Path, found: Head, payload: dict[str, object], at_ms: int) -> None:
    """The entry first, then the head file: a crash in between leaves the head to be accepted."""
    connection = connect_writer(path, BUSY_MS, create=False)
    with undone_by(partial(abandon, connection, path)), guarded(path, "accepting its head"):
        place = head_path(path)
        aside = place.with_name(f"{place.name}.accepted")
        aside.unlink(missing_ok=True)  # an earlier attempt ended here
        head_file = HeadFile(aside)
        head_file.prepare(found)
        ready_sums(connection, path, found.seq)
        with Transaction(Writer(connection, path, head_file)) as tx:
            seq = tx.append(KIND, payload, at_ms)
        head_file.close()
        aside.replace(place)
        sync_folder(path.parent)
        seal(connection, path, wal_path(path), seq)
        connection.close()


def _text(head: Head | None) -> str:
    return f"{head.seq}:{head.hash}" if head else ""
