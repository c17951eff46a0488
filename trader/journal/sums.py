"""Page sums: a check of every byte of the database file, kept beside it.

Lives here: `journal.sums`, one CRC-32 per page of the database as the newest seal left it, and
`seal`, which folds the WAL into the database. SQLite has no sums of its own, and a flipped bit in
a place that holds no row is seen by nobody else. Must not live here: judging (`verify`).

In WAL mode the database file changes in checkpoints only, so checkpoints are made here and
nowhere else: first the sums of the pages that the WAL holds are noted, then they are copied. At any
moment, then, each page is vouched for by its sum or, if the WAL holds it, by the WAL's own
checksums. Sums name the entry that was the newest; when the database holds a newer one and there
is no WAL, somebody else has checkpointed (the `sqlite3` shell, closing last): then the sums say
nothing, and the next writer makes them anew.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
import zlib
from array import array
from pathlib import Path

from trader.journal.schema import PAGE_BYTES
from trader.journal.wal import FRAME, FRAME_BYTES, HEADER, newest_frames
from trader.records import dataclass

_CHECK = 16


@dataclass(frozen=True, slots=True)
class Sums:
    """CRC-32 of every page, page 1 first, of the database whose newest entry is `seq`."""

    seq: int
    pages: array[int]


def sums_path(journal: Path) -> Path:
    """Where the sums of a journal stand: same folder, same name, ending in `.sums`."""
    return journal.with_suffix(".sums")


def _line(seq: int, table: bytes) -> bytes:
    text = f"{seq} {len(table) // 4}"
    check = hashlib.sha256(text.encode() + table).hexdigest()[:_CHECK]
    return f"{text} {check}\n".encode()


def read_sums(path: Path) -> Sums | None:
    """The sums of a file; None when it is damaged. Raises OSError (FileNotFoundError: no file)."""
    line, _, table = path.read_bytes().partition(b"\n")
    seq = line.split(b" ")[0]
    if not seq.isdigit() or _line(int(seq), table) != line + b"\n":
        return None
    return Sums(int(seq), array("I", struct.unpack(f">{len(table) // 4}I", table)))


def write_sums(path: Path, sums: Sums) -> None:
    """Replace the file atomically, its content durable first."""
    table = struct.pack(f">{len(sums.pages)}I", *sums.pages)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(_line(sums.seq, table) + table)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def page_sums(image: bytes) -> list[int]:
    """CRC-32 of each page of a database file's content, a short last one included."""
    pages = range(0, len(image), PAGE_BYTES)
    return [zlib.crc32(image[at : at + PAGE_BYTES]) for at in pages]


def ready_sums(connection: sqlite3.Connection, database: Path, seq: int) -> None:
    """Make the sums anew when they are missing, damaged, or overtaken without a WAL.

    `seq` is the newest entry. Raises OSError or sqlite3.Error. The pages are read through SQLite:
    opening and closing a file that SQLite has open would drop the locks of this process.
    """
    known = _known(sums_path(database))
    wal = database.with_name(database.name + "-wal")
    if known is None or (known.seq != seq and not (wal.exists() and wal.stat().st_size)):
        image = connection.serialize()
        write_sums(sums_path(database), Sums(seq, array("I", page_sums(image))))


def seal(connection: sqlite3.Connection, database: Path, wal: Path, seq: int) -> None:
    """Note the sums, then fold the WAL into the database as far as readers allow.

    `seq` is the newest entry. Raises OSError or sqlite3.Error; whatever happens, nothing that is
    committed is lost, and at worst the sums are made anew later (`ready_sums`, when it opens).
    """
    place = sums_path(database)
    frames, in_log = 0, 1
    while in_log > frames:  # more in the log: another process has committed since it was read
        data = wal.read_bytes() if wal.exists() else b""
        frames, pages = newest_frames(data)
        if not frames:
            return
        known = _known(place)
        if known is not None:
            table = known.pages
            table.extend([0] * (max(pages, default=0) - len(table)))
            for page, at in pages.items():
                start = HEADER.size + (at - 1) * FRAME_BYTES + FRAME.size
                table[page - 1] = zlib.crc32(data[start : start + PAGE_BYTES])
            write_sums(place, Sums(seq, table))
        (_, in_log, _) = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


def _known(place: Path) -> Sums | None:
    try:
        return read_sums(place)
    except FileNotFoundError:
        return None
