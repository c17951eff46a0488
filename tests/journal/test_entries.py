"""Entries: the chain, what refuses to break it, and the payloads."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from trader.errors import ExitCode, JournalError
from trader.journal import Journal
from trader.journal.codec import NO_HASH, entry_hash, upcast, version_of

HALT = {"level": "no_entries", "why": "test", "by": "me", "at_ms": 2000}
CONTENT = "at_ms, kind, version, payload"


def test_each_entry_is_chained_to_the_one_before(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        entries = list(journal.entries())
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0].prev_hash == NO_HASH
    assert all(after.prev_hash == entry.hash for entry, after in pairwise(entries))


def test_the_hash_covers_every_column() -> None:
    columns = (7, 1000, "halt", 1, "{}", NO_HASH)
    plain = f"7\n1000\nhalt\n1\n{NO_HASH}\n" + "{}"
    assert entry_hash(*columns) == hashlib.sha256(plain.encode()).hexdigest()
    changed = [(8, *columns[1:]), (*columns[:5], "1" * 64), (*columns[:2], "resume", *columns[3:])]
    assert len({entry_hash(*other) for other in [columns, *changed]}) == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET at_ms = 1",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE seq = 1",
        "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 1",
        f"INSERT OR IGNORE INTO entries SELECT seq + 2, {CONTENT}, hash, hash FROM entries",
        f"INSERT INTO entries SELECT seq + 1, {CONTENT}, prev_hash, hash FROM entries",
        f"INSERT INTO entries SELECT NULL, {CONTENT}, hash, hash FROM entries",
        f"REPLACE INTO entries SELECT seq, {CONTENT}, prev_hash, hash FROM entries",
        "UPDATE origin SET seq = 5",
        "DELETE FROM origin",
        "INSERT INTO origin VALUES (5, 'x')",
        "INSERT OR REPLACE INTO origin VALUES (0, 'x')",
    ],
)
def test_nothing_but_the_next_entry_is_let_in(journal: Journal, path: Path, statement: str) -> None:
    before = list(journal.entries())
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        pytest.raises(sqlite3.IntegrityError, match=r"append-only|fixed"),
    ):
        other.execute(statement)
    assert list(journal.entries()) == before


@pytest.mark.parametrize(
    "payload",
    [{"price": 1.5}, {"rows": [[1, 2.0]]}, {"deep": {"er": (0, [{"x": float("nan")}])}}],
)
def test_a_float_is_refused_wherever_it_hides(journal: Journal, payload: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="float"):
        journal.append("note", payload, 1)
    assert journal.head.seq == 1


@pytest.mark.parametrize("kind", ["", "two words", "line\nbreak", "größe"])
def test_a_kind_is_a_plain_name(journal: Journal, kind: str) -> None:
    with pytest.raises(ValueError, match="kind"):
        journal.append(kind, {}, 1)


def test_payloads_read_back_are_what_json_made_of_them(journal: Journal) -> None:
    journal.append("note", {"pair": (1, "two"), "yes": True, "uml": "ä\ud800"}, 5)
    entry = journal.entry(2)
    assert entry is not None
    assert entry.payload == {"pair": [1, "two"], "yes": True, "uml": "ä\ud800"}
    assert journal.entry(3) is None


def test_entries_can_be_asked_for_by_kind_and_range(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        fills = list(journal.entries(kinds=["fill"]))
        some = list(journal.entries(5, to_seq=9))
    assert fills
    assert {entry.kind for entry in fills} == {"fill"}
    assert [entry.seq for entry in some] == [5, 6, 7, 8, 9]


def test_an_old_version_is_read_as_todays() -> None:
    upcasters = {
        ("note", 1): lambda old: {"text": old["txt"]},
        ("note", 2): lambda old: {**old, "lines": old["text"].count("\n") + 1},
    }
    assert version_of("note", upcasters) == 3
    assert version_of("other", upcasters) == 1
    assert upcast("note", 1, {"txt": "a\nb"}, upcasters) == {"text": "a\nb", "lines": 2}
    assert upcast("note", 3, {"text": "x", "lines": 1}, upcasters) == {"text": "x", "lines": 1}


@pytest.mark.parametrize("version", [0, 2])
def test_a_version_that_this_program_does_not_know_is_refused_by_name(version: int) -> None:
    with pytest.raises(JournalError, match=f"halt has version {version}") as caught:
        upcast("halt", version, HALT)
    assert caught.value.code is ExitCode.JOURNAL


def test_every_released_kind_still_has_its_first_version_read(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        kinds = {entry.kind: entry.version for entry in journal.entries()}
    assert len(kinds) >= 9
    assert all(version == version_of(kind) for kind, version in kinds.items())
