"""The database file: opening it, and refusing what is not a journal of ours.

Lives here: connections with their settings, the check of whose file it is, the files that belong
together. Must not live here: entries.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from trader.errors import JournalError
from trader.journal.codec import NO_HASH
from trader.journal.failures import guarded
from trader.journal.schema import APPLICATION_ID, MIGRATIONS, PAGE_BYTES, applied, migrate

STATEMENTS_CACHED = 256
# journal_size_limit 0: a WAL that starts anew is cut to its new length, so that no old frames lie
# behind the live ones. wal_autocheckpoint 0: checkpoints are `sums.seal`'s alone.
_WRITER_SETTINGS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 0",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
)


def wal_path(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(path.name + "-wal")


def connect_writer(
    path: Path, busy_ms: int, *, create: bool, origin: tuple[int, str] = (0, NO_HASH)
) -> sqlite3.Connection:
    """A connection that may write, on a journal with every migration applied.

    A new file's chain starts after `origin`. Raises JournalError; see `Journal.open`.
    """
    _refuse_absent(path, create=create)
    connection = _connect(path, "rwc" if create else "rw", busy_ms)
    with undone_by(partial(abandon, connection, path)), guarded(path, "opening"):
        if _is_ours(connection, path, create=create):
            _refuse_newer(connection, path)
        else:
            _prepare_new(connection)
        for setting in _WRITER_SETTINGS:
            connection.execute(setting)
        if not _is_current(connection):
            migrate(connection, origin)
    return connection


def connect_reader(path: Path, busy_ms: int) -> sqlite3.Connection:
    """A connection that cannot write, on a journal with this program's schema."""
    _refuse_absent(path, create=False)
    connection = _connect(path, "ro", busy_ms)
    with undone_by(connection.close), guarded(path, "opening for reading"):
        _is_ours(connection, path, create=False)
        _refuse_newer(connection, path)
        if not _is_current(connection):
            raise JournalError(
                f"the journal {path} has an older schema than this program",
                "run `trader cycle` once: it migrates the journal",
            )
    return connection


@contextmanager
def undone_by(undo: Callable[[], object]) -> Generator[None]:
    """When the block fails, however it does, `undo` runs before the failure goes on."""
    with ExitStack() as stack:
        stack.callback(undo)
        yield
        stack.pop_all()


def abandon(connection: sqlite3.Connection, path: Path) -> None:
    """Close a connection without a checkpoint of its own: the files stay as they are.

    SQLite checkpoints when the last connection that may write closes; one that may only read is
    held open until after that.
    """
    with ExitStack() as stack:
        with suppress(sqlite3.Error):  # gone or unreadable: nothing to checkpoint either
            witness = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            stack.enter_context(closing(witness))
            witness.execute("PRAGMA schema_version").fetchone()
        connection.close()


def _connect(path: Path, mode: str, busy_ms: int) -> sqlite3.Connection:
    with guarded(path, "opening"):
        if mode == "rwc":
            path.parent.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=busy_ms / 1000,
            cached_statements=STATEMENTS_CACHED,
        )


def _refuse_absent(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise JournalError(f"{path} is a folder", "give the path of a journal file")
    if not create and not path.exists():
        raise JournalError(f"there is no journal at {path}", "run `trader cycle` to start one")


def _is_ours(connection: sqlite3.Connection, path: Path, *, create: bool) -> bool:
    """Whether it is a journal (False: an empty file that may become one)."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    if mark == APPLICATION_ID:
        return True
    (things,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if mark or things or not create:
        what = "a database of another program" if mark or things else "empty"
        raise JournalError(f"{path} is {what}, not a journal", "give the path of a journal")
    return False


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    newer = sorted(applied(connection) - {name for name, _ in MIGRATIONS})
    if newer:
        raise JournalError(
            f"the journal {path} has a newer schema ({', '.join(newer)})",
            "use the version of trader that wrote it, or a newer one",
        )


def _is_current(connection: sqlite3.Connection) -> bool:
    return applied(connection) >= {name for name, _ in MIGRATIONS}


def _prepare_new(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
