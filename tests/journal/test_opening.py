"""Opening: what is not a sound journal ends in one sentence and exit code 10."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from trader.errors import ExitCode, JournalError
from trader.journal import Journal
from trader.journal.failures import journal_error
from trader.journal.head import head_path
from trader.journal.schema import TABLES
from trader.journal.sums import sums_path


def _run_sql(*statements: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return spoil


def _remove(path: Path) -> None:
    path.unlink()


def _foreign(path: Path) -> None:
    path.unlink()
    _run_sql("CREATE TABLE things (x)")(path)


def _other_program(path: Path) -> None:
    path.unlink()
    _run_sql("PRAGMA application_id = 77")(path)


def _text(path: Path) -> None:
    path.write_text("date,open,high,low,close\n" * 200)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _garbled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_head(path: Path) -> None:
    head_path(path).unlink()


def _bad_head(path: Path) -> None:
    head_path(path).write_text("something else\n")


def _strange_head(path: Path) -> None:
    head_path(path).unlink()
    head_path(path).mkdir()


BROKEN: list[tuple[Callable[[Path], None], str]] = [
    (_remove, "there is no journal"),
    (_foreign, "a database of another program"),
    (_other_program, "a database of another program"),
    (_text, "is not a journal"),
    (_empty, "is empty"),
    (_folder, "is a folder"),
    (_garbled, "is corrupt|cannot be used"),
    (_half, "is corrupt|cannot be used"),
    (_run_sql("INSERT INTO migrations VALUES ('9999_later')"), r"newer schema \(9999_later\)"),
    (_no_head, "head file .* is missing"),
    (_bad_head, "head file .* is damaged"),
    (_strange_head, "cannot be read or written"),
]


@pytest.mark.parametrize(("spoil", "sentence"), BROKEN)
def test_an_unsound_journal_is_refused_by_name(
    made: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(made)
    before = made.read_bytes() if made.is_file() else b""
    with pytest.raises(JournalError, match=sentence) as caught:
        Journal.open(made, busy_ms=50)
    assert caught.value.code is ExitCode.JOURNAL
    assert caught.value.hint
    assert (made.read_bytes() if made.is_file() else b"") == before


@pytest.mark.parametrize(
    ("spoil", "sentence"), [case for case in BROKEN if "head" not in case[0].__name__]
)
def test_it_is_refused_for_reading_too(
    made: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(made)
    with pytest.raises(JournalError, match=sentence):
        Journal.open(made, read_only=True, busy_ms=50)


def test_create_does_not_take_over_a_foreign_file(made: Path) -> None:
    _foreign(made)
    with pytest.raises(JournalError, match="another program"):
        Journal.open(made, create=True)


def test_create_makes_the_folder_and_the_file(path: Path) -> None:
    with Journal.open(path, create=True) as journal:
        assert journal.head.seq == 0
        assert journal.last_cycle() is None
    with Journal.open(path) as journal:
        assert journal.append("note", {}, 1) == 1


def test_an_interrupted_creation_is_finished_by_the_next_one(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with Journal.open(path, create=True) as journal:
        assert journal.append("note", {}, 1) == 1


def test_a_missing_migration_is_applied_by_the_writer_alone(path: Path) -> None:
    Journal.open(path, create=True).close()
    _run_sql("DELETE FROM migrations WHERE name = '0002_projections'")(path)
    with pytest.raises(JournalError, match="older schema"):
        Journal.open(path, read_only=True)
    _run_sql(*(f"DROP TABLE {name}" for name in TABLES))(path)
    with Journal.open(path) as journal:
        assert journal.append("note", {}, 1) == 1


def test_a_journal_without_its_wal_is_refused(live: Path) -> None:
    live.with_name("journal.db-wal").unlink()
    with pytest.raises(JournalError):
        Journal.open(live)


def test_a_cut_tail_is_refused_and_left_as_it_is(live: Path) -> None:
    wal = live.with_name("journal.db-wal")
    data = bytearray(wal.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    wal.write_bytes(data)
    with pytest.raises(JournalError, match=r"tail is cut") as caught:
        Journal.open(live)
    assert "restore" in caught.value.hint
    assert wal.read_bytes() == bytes(data)


def test_a_killed_writers_wal_is_taken_over(live: Path, made: Path) -> None:
    with Journal.open(live) as journal, Journal.open(made, read_only=True) as other:
        assert journal.head == other.head
    assert not live.with_name("journal.db-wal").exists()


def test_a_head_file_left_behind_by_a_crash_is_brought_up(made: Path, path: Path) -> None:
    old = path.with_name("old.head")
    with Journal.open(path, create=True) as journal:
        journal.append("note", {"n": 1}, 1)
        shutil.copy(head_path(path), old)
        journal.append("note", {"n": 2}, 2)
    shutil.copy(old, head_path(path))
    with Journal.open(path) as journal:
        assert journal.head.seq == 2
    shutil.copy(old, head_path(path))
    data = bytearray(head_path(path).read_bytes())
    data[3] ^= 1
    head_path(path).write_bytes(data)
    with Journal.open(path) as journal:
        assert journal.append("note", {"n": 3}, 3) == 3


def test_missing_page_sums_are_made_again(made: Path) -> None:
    whole = sums_path(made).read_bytes()
    sums_path(made).unlink()
    Journal.open(made).close()
    assert sums_path(made).read_bytes() == whole


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_is_one_sentence(made: Path) -> None:
    made.chmod(0o444)
    with pytest.raises(JournalError, match="read-only"), Journal.open(made) as journal:
        journal.append("note", {}, 1)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "is read-only"),
        (errno.EACCES, "may not be accessed"),
        (errno.EIO, "cannot be read or written"),
    ],
)
def test_what_the_file_system_says_is_mapped(number: int, words: str) -> None:
    error = journal_error(OSError(number, os.strerror(number)), Path("j.db"), "testing")
    assert words in str(error)
    assert "testing" in str(error)


def test_an_error_without_a_number_is_still_a_sentence() -> None:
    assert "cannot be read or written" in str(journal_error(OSError("?"), Path("j.db"), "x"))
    assert "cannot be used" in str(journal_error(sqlite3.Error("?"), Path("j.db"), "x"))
