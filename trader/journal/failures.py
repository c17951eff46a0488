"""What SQLite and the file system say, as one kind of error.

Lives here: the only mapping from sqlite3 and OS errors to `JournalError`. Must not live here:
anything that recovers.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from trader.errors import JournalError

# By the first part of SQLite's error name (SQLITE_BUSY_SNAPSHOT is a SQLITE_BUSY).
_SAID: dict[str, tuple[str, str]] = {
    "BUSY": ("is locked by another process", "wait for it to end, or find it with `fuser`"),
    "LOCKED": ("is locked by this process", "close the other reader first"),
    "READONLY": ("is read-only", "make file and folder writable for this user"),
    "PERM": ("may not be accessed", "make file and folder readable and writable for this user"),
    "FULL": ("does not fit: the disk is full", "free some space; nothing half-written was kept"),
    "IOERR": ("cannot be read or written", "check the disk (full? failing?) and run it again"),
    "CORRUPT": ("is corrupt", "run `trader audit verify`, then restore it from a backup"),
    "NOTADB": ("is not a journal", "give the path of a journal, or restore it from a backup"),
    "CANTOPEN": ("cannot be opened", "check that the folder exists and may be written"),
    "CONSTRAINT": ("refused a row", "run `trader audit verify`"),
}
_OS_SAID = {
    errno.ENOSPC: "FULL",
    errno.EDQUOT: "FULL",
    errno.EROFS: "READONLY",
    errno.EACCES: "PERM",
    errno.EPERM: "PERM",
}


def journal_error(error: sqlite3.Error | OSError, path: Path, doing: str) -> JournalError:
    """The JournalError for an error met while `doing` something with the file at `path`."""
    if isinstance(error, OSError):
        name = _OS_SAID.get(error.errno or 0, "IOERR")
        detail = error.strerror or str(error)
    else:
        full = str(getattr(error, "sqlite_errorname", "SQLITE_UNKNOWN"))
        name = full.removeprefix("SQLITE_").split("_")[0]
        detail = f"{error}, {full}"
    state, hint = _SAID.get(name, ("cannot be used", "run `trader audit verify`"))
    return JournalError(f"the journal {path} {state} ({doing}: {detail})", hint)


@contextmanager
def guarded(path: Path, doing: str) -> Generator[None]:
    """Turns what SQLite or the file system raises inside into one JournalError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise journal_error(error, path, doing) from error
