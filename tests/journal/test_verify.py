"""Verify: a whole journal is whole, and nothing that was done to one stays unseen."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from random import Random
from typing import cast

import pytest

from trader.errors import JournalError
from trader.journal import Journal
from trader.journal.codec import NO_HASH, entry_hash
from trader.journal.files import wal_path
from trader.journal.head import Head, head_path, rewrite
from trader.journal.pages import page_owners
from trader.journal.rebuild import repair
from trader.journal.sums import Sums, read_sums, seal, sums_path, write_sums
from trader.journal.verify import Finding, has_errors, verify
from trader.journal.wal import FRAME_BYTES, HEADER, newest_frames, walk_wal


def words(findings: list[Finding]) -> str:
    return "\n".join(map(str, findings))


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def change(path: Path, *statements: str) -> None:
    """Behind the journal's back, its triggers as before; the page sums go."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
        triggers = connection.execute(query).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, statement in triggers:
            connection.execute(statement)
    sums_path(path).unlink()


def test_a_whole_journal_has_no_findings(made: Path, live: Path) -> None:
    assert verify(made) == []
    assert verify(str(live)) == []


def test_a_journal_can_be_verified_while_it_is_written(journal: Journal) -> None:
    journal.append("note", {}, 1)
    assert not has_errors(verify(journal.path))


def test_verify_changes_nothing(live: Path) -> None:
    before = {place.name: place.read_bytes() for place in live.parent.iterdir()}
    verify(live)
    assert {place.name: place.read_bytes() for place in live.parent.iterdir()} == before


def test_a_missing_journal_is_an_error(path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        verify(path)


def test_bits_of_the_database_are_all_watched(made: Path) -> None:
    random, size = Random(3), made.stat().st_size
    places = [*range(0, 100, 3), *(random.randrange(size) for _ in range(40))]
    for at in places:
        flip(made, at, bit := random.randrange(8))
        assert has_errors(verify(made)), at
        flip(made, at, bit)
    assert verify(made) == []


def test_bits_of_the_wal_are_all_watched_and_the_first_lost_entry_is_named(live: Path) -> None:
    random, wal = Random(4), wal_path(live)
    size = wal.stat().st_size
    for at in [0, 5, 13, 17, 25, 33, 41, 49, *(random.randrange(size) for _ in range(25))]:
        flip(wal, at, bit := random.randrange(8))
        findings = verify(live)
        assert has_errors(findings), at
        assert "write-ahead log" in words(findings) or "is the first that is lost" in words(
            findings
        )
        flip(wal, at, bit)
    assert verify(live) == []


def test_a_missing_wal_is_found_by_the_head_file(live: Path) -> None:
    wal_path(live).unlink()
    assert has_errors(verify(live))


def test_a_database_that_cannot_be_read_is_a_finding(made: Path) -> None:
    made.write_bytes(b"SQLite format 3\x00" + bytes(4080) + made.read_bytes()[4096:])
    findings = verify(made)
    assert has_errors(findings)
    assert "page 1 (schema): was changed" in words(findings)


def test_a_deleted_entry_is_named(made: Path) -> None:
    change(made, "DELETE FROM entries WHERE seq = 7")
    assert Finding("error", "entry 7", "is missing", 7) in verify(made)


def test_an_entry_changed_together_with_its_hash_is_named(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        entry = journal.entry(9)
        assert entry is not None
    forged = entry_hash(9, entry.at_ms, "note", 1, "{}", entry.prev_hash)
    change(made, f"UPDATE entries SET kind='note', payload='{{}}', hash='{forged}' WHERE seq = 9")
    findings = verify(made)
    assert "entry 9: is not the one that entry 10 was written after" in words(findings)


def test_an_entry_that_was_never_canonical_is_named(journal: Journal) -> None:
    path, head = journal.path, journal.head
    for payload in ('{"b":1, "a":2}', '{"a":1.5}', "no json"):
        hash_ = entry_hash(2, 5, "note", 1, payload, head.hash)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN")
            row = (2, 5, "note", 1, payload, head.hash, hash_)
            other.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            other.execute("COMMIT")
        findings = verify(path)
        assert Finding("error", "entry 2 (note)", "its payload is not canonical", 2) in findings
        change_back(path)


def change_back(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        query = "SELECT sql FROM sqlite_schema WHERE name = 'entries_keep_delete'"
        (trigger,) = other.execute(query).fetchone()
        other.execute("DROP TRIGGER entries_keep_delete")
        other.execute("DELETE FROM entries WHERE seq = 2")
        other.execute(trigger)


def test_an_entry_that_does_not_follow_is_named(journal: Journal) -> None:
    head, payload = journal.head, '{"at_ms":1,"client_id":"nobody"}'
    hash_ = entry_hash(2, 5, "order_sent", 1, payload, head.hash)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        row = (2, 5, "order_sent", 1, payload, head.hash, hash_)
        other.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    findings = verify(journal.path)
    assert [finding.seq for finding in findings if finding.level == "error"] == [2]
    assert "order nobody is not known" in words(findings)


def test_a_text_that_is_no_text_is_still_looked_at(made: Path) -> None:
    change(made, "UPDATE entries SET payload = CAST(x'ff00ff' AS TEXT) WHERE seq = 6")
    assert "entry 6 (" in words(verify(made))


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DROP TRIGGER entries_keep_delete", "schema, entries_keep_delete: is missing"),
        ("CREATE TABLE extra (x)", "schema, extra: is not what the migrations make"),
        ("DROP INDEX orders_venue", "schema, orders_venue: is missing"),
        ("INSERT INTO migrations VALUES ('0003_x')", "migrations applied: is not what"),
        ("UPDATE blobs SET body = zeroblob(9)", "its stored bytes were changed"),
        ("UPDATE orders SET qty_lots = qty_lots + 1", "row of orders: orders"),
    ],
)
def test_what_else_may_be_changed_is_found(made: Path, statement: str, finding: str) -> None:
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute(statement)
    sums_path(made).unlink()
    assert finding in words(verify(made))


def test_a_blob_whose_bytes_were_replaced_with_their_sum_is_found(made: Path) -> None:
    body = zlib.compress(b"another policy")
    stored = hashlib.sha256(body).hexdigest()
    change(made, f"UPDATE blobs SET body = x'{body.hex()}', stored = '{stored}'")
    assert "its content is not what its name says" in words(verify(made))


def test_without_an_origin_the_chain_has_no_start(made: Path) -> None:
    change(made, "DELETE FROM origin")
    assert "schema, origin: holds no row" in words(verify(made))


def cut(made: Path, seq: int) -> None:
    change(made, f"DELETE FROM entries WHERE seq >= {seq}")
    repair(made)


def test_a_cut_tail_is_found_by_the_head_file(made: Path) -> None:
    cut(made, 30)
    findings = verify(made)
    assert {finding.seq for finding in findings if finding.level == "error"} == {30}


def test_a_cut_tail_with_a_head_file_to_match_is_found_by_a_head_noted_elsewhere(
    made: Path,
) -> None:
    with Journal.open(made, read_only=True) as journal:
        head, earlier = journal.head, journal.entry(20)
        assert earlier is not None
    cut(made, 30)
    head_path(made).unlink()
    assert "head file journal.head: is missing" in words(verify(made))
    with Journal.open(made, read_only=True) as journal:
        shorter = journal.head
    rewrite(head_path(made), shorter)
    assert not has_errors(verify(made))
    assert not has_errors(verify(made, Head(20, earlier.hash)))
    assert "the head noted elsewhere: knows entry" in words(verify(made, head))
    other = verify(made, Head(20, NO_HASH))
    assert "knows another entry 20" in words(other)


def test_a_damaged_head_line_and_a_longer_head_file_are_found(made: Path) -> None:
    place = head_path(made)
    place.write_bytes(place.read_bytes() + b"x")
    assert "line 3: should not be there" in words(verify(made))
    flip(place, 5, 1)
    assert "line 1: is damaged" in words(verify(made))


def test_sums_that_are_missing_or_overtaken_say_so(made: Path) -> None:
    place = sums_path(made)
    sums = read_sums(place)
    assert sums is not None
    write_sums(place, Sums(sums.seq - 1, sums.pages))
    assert [finding.level for finding in verify(made)] == ["info"]
    flip(place, 40, 3)
    assert "are damaged" in words(verify(made))
    place.unlink()
    assert [finding.level for finding in verify(made)] == ["info"]


def test_pages_that_came_or_went_are_found(made: Path) -> None:
    whole = made.read_bytes()
    made.write_bytes(whole + bytes(4096))
    assert "(in no table or index): was changed" in words(verify(made))
    made.write_bytes(whole[:-4096])
    assert "is missing" in words(verify(made))


def test_a_foreign_checkpoint_is_no_fault_and_the_next_writer_mends_the_sums(live: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert [finding.level for finding in verify(live)] == ["info"]
    Journal.open(live).close()
    assert verify(live) == []


def test_every_page_has_an_owner(made: Path) -> None:
    with closing(sqlite3.connect(made)) as connection:
        query = "SELECT name, rootpage FROM sqlite_schema WHERE rootpage"
        roots = dict(connection.execute(query))
    data = made.read_bytes()
    owners = page_owners(data, roots)
    assert sorted(owners) == list(range(1, len(data) // 4096 + 1))
    assert {"entries", "orders", "orders_touched", "blobs, overflow"} <= set(owners.values())


def test_the_walk_over_damaged_pages_ends(made: Path) -> None:
    with closing(sqlite3.connect(made)) as connection:
        query = "SELECT name, rootpage FROM sqlite_schema WHERE rootpage"
        roots = dict(connection.execute(query))
    random = Random(6)
    whole = made.read_bytes()
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(200):
            data[random.randrange(len(data))] = random.randrange(256)
        assert page_owners(bytes(data), {**roots, "nowhere": 10**6})


def test_an_empty_or_cut_wal_is_read(live: Path) -> None:
    data = wal_path(live).read_bytes()
    assert walk_wal(b"").frames == 0
    assert newest_frames(b"") == (0, {})
    assert walk_wal(data[:20]).problems[0][0] == 0
    whole = walk_wal(data)
    assert whole.problems == ()
    assert whole.frames == whole.committed > 10
    frames, pages = newest_frames(data)
    assert frames == whole.committed
    assert max(pages.values()) == frames


def test_frames_of_an_interrupted_write_are_no_fault(live: Path) -> None:
    wal = wal_path(live)
    data = wal.read_bytes()
    stranger = bytearray(data[-FRAME_BYTES:])
    stranger[4:8] = bytes(4)  # no commit mark
    older = bytearray(data[-FRAME_BYTES:])
    older[8] ^= 1  # of an older log
    wal.write_bytes(data + stranger + older + bytes(100))
    report = walk_wal(wal.read_bytes())
    assert report.leftovers == 2
    assert report.problems == ()
    assert newest_frames(wal.read_bytes())[0] == report.committed
    assert verify(live) == []


def test_checksums_over_big_endian_words_are_known(live: Path) -> None:
    data = bytearray(wal_path(live).read_bytes())
    data[3] |= 1
    assert walk_wal(bytes(data)).problems == ((0, "the WAL's header does not check out"),)
    assert HEADER.size == 32


def test_a_file_that_keeps_changing_is_not_judged(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copyfile, times = shutil.copyfile, iter(range(1, 10**6))

    def busy(source: Path, target: Path) -> None:
        copyfile(source, target)
        os.utime(source, ns=(0, next(times)))

    monkeypatch.setattr(shutil, "copyfile", busy)
    with pytest.raises(JournalError, match="keeps changing"):
        verify(made)


def test_sums_that_vanish_while_it_is_open_come_back_with_the_next_writer(made: Path) -> None:
    with Journal.open(made) as journal:
        journal.append("note", {}, 1)
        sums_path(made).unlink()
    assert [finding.level for finding in verify(made)] == ["info"]
    Journal.open(made).close()
    assert verify(made) == []


class LateCommit:
    """A connection beside which another process commits right before its first checkpoint."""

    def __init__(self, connection: sqlite3.Connection, other: Journal) -> None:
        self.connection = connection
        self.other = other
        self.late = [True]

    def execute(self, statement: str) -> sqlite3.Cursor:
        if "checkpoint" in statement and self.late and self.late.pop():
            self.other.append("note", {"text": "late" * 5000}, 1)
        return self.connection.execute(statement)


def test_a_commit_between_sums_and_checkpoint_is_summed_as_well(made: Path) -> None:
    with Journal.open(made) as one, Journal.open(made) as two:
        one.append("note", {}, 1)
        late = cast("sqlite3.Connection", LateCommit(one._connection, two))
        seal(late, made, wal_path(made), one.head.seq)
        for number in range(3):
            one.append("note", {"n": number}, 1)
        assert not has_errors(verify(made))
    assert verify(made) == []


def test_an_entry_that_cannot_be_read_is_named(made: Path) -> None:
    """The first record of a leaf says that its header is longer than it can be."""
    with closing(sqlite3.connect(made)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE rootpage"))
    data = bytearray(made.read_bytes())
    owned = [page for page, owner in page_owners(bytes(data), roots).items() if owner == "entries"]
    page = next((page - 1) * 4096 for page in sorted(owned) if data[(page - 1) * 4096] == 13)
    at = page + int.from_bytes(data[page + 8 : page + 10], "big")
    for _ in ("size", "rowid"):
        while data[at] & 0x80:
            at += 1
        at += 1
    data[at] = 0x7F
    made.write_bytes(data)
    assert "entry 1: cannot be read: database disk image is malformed" in words(verify(made))
