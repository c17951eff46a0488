"""The head file: the newest head, kept beside the database.

Lives here: `journal.head`, two lines of fixed length that are written in turn, in place and
fsynced, each with a check of its own. A chain cannot see its own tail cut off; this file can.
A crash between the commit and this write leaves an ancestor of the head, which is as good.
Must not live here: anything that judges the chain.

A line is `SEQ:HASH CHECK`: 20 digits, 64 hex digits, and the first 16 hex digits of sha256 of what
stands before.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from trader.errors import JournalError
from trader.journal.codec import HASH_LENGTH, NO_HASH
from trader.records import dataclass

LINES = 2


@dataclass(frozen=True, slots=True)
class Head:
    """An entry that was the newest one: `seq` and its `hash`."""

    seq: int
    hash: str


def _line(head: Head) -> bytes:
    text = f"{head.seq:020d}:{head.hash}"
    check = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text} {check}\n".encode()


LINE_BYTES = len(_line(Head(0, NO_HASH)))


def _parse(line: bytes) -> Head | None:
    try:
        number, rest = line.decode("ascii").split(":")
        hash_, _ = rest.split(" ")
        head = Head(int(number), hash_)
    except ValueError:
        return None
    return head if _line(head) == line else None


def parse_noted(text: str) -> Head:
    """A head noted elsewhere, `SEQ:HASH`; ValueError when it is not one."""
    number, colon, hash_ = text.strip().partition(":")
    if not (colon and number.isascii() and number.isdigit() and len(hash_) == HASH_LENGTH):
        raise ValueError(f"{text!r} is not SEQ:HASH with 64 hex digits")
    if set(hash_) - set("0123456789abcdef"):
        raise ValueError(f"{text!r} is not SEQ:HASH with 64 hex digits")
    return Head(int(number), hash_)


def head_path(journal: Path) -> Path:
    """Where the head of a journal stands: same folder, same name, ending in `.head`."""
    return journal.with_suffix(".head")


def read_lines(path: Path) -> list[Head | None]:
    """Both lines, None for one that is damaged; raises OSError (FileNotFoundError: no file).

    A file of another length gives a third, damaged line.
    """
    data = path.read_bytes()
    lines = [_parse(data[i * LINE_BYTES : (i + 1) * LINE_BYTES]) for i in range(LINES)]
    return lines if len(data) == LINES * LINE_BYTES else [*lines, None]


class HeadFile:
    """The head file of one open journal. Errors are OSError; the journal turns them into its own.

    Attributes:
        newest: the newest head that stands in the file; None before the first write.
    """

    def __init__(self, path: Path) -> None:
        """Read what stands there; a missing file is an empty one."""
        self.path = path
        self.newest: Head | None = None
        self._whole = False
        self._turn = 0
        self._fd = -1
        try:
            lines = read_lines(path)
        except FileNotFoundError:
            return
        known = [(head.seq, turn) for turn, head in enumerate(lines) if head is not None]
        if not known:
            raise JournalError(
                f"the head file {path} is damaged",
                "run `trader audit verify`, restore database, -wal and head file together",
            )
        self._whole = None not in lines
        self._turn = max(known)[1]
        self.newest = lines[self._turn]

    def prepare(self, current: Head) -> None:
        """Make ready to write; what stands there becomes `current` when it is anything else."""
        if not self._whole or self.newest != current:
            rewrite(self.path, current)
            self.newest, self._turn = current, 0
        self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, head: Head) -> None:
        """Note a head, durably, over the older line; the newer one stays as it is."""
        self._turn = (self._turn + 1) % LINES
        os.pwrite(self._fd, _line(head), self._turn * LINE_BYTES)
        os.fdatasync(self._fd)
        self.newest = head

    def close(self) -> None:
        """Give the file back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def rewrite(path: Path, head: Head) -> None:
    """Make the whole file anew, both lines the same head, by an atomic rename."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(_line(head) * LINES)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename or a new name in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
