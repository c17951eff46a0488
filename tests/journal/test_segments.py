"""Segments: the live file shrinks, the chain goes on, and what is gone is said to be gone."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from made_journal import Maker, made_journal

from trader.core.canonical import canonical
from trader.errors import JournalError
from trader.journal import Journal
from trader.journal.codec import entry_hash
from trader.journal.head import Head, head_path, rewrite
from trader.journal.rebuild import rebuild, repair
from trader.journal.segments import close_segment, segment_path
from trader.journal.sums import sums_path
from trader.journal.verify import Finding, has_errors, verify

from .test_transactions import plain
from .test_verify import change, words

CARRIED = {"bars_kept": 10, "fills_kept": 4}


def test_the_state_and_the_newest_bars_go_on_in_a_smaller_file(made: Path) -> None:
    size = made.stat().st_size
    with Journal.open(made, read_only=True) as journal:
        before, head = plain(journal.state), journal.head
        last = journal.last_cycle()
        assert last is not None
        plan, blob = journal.plan_of(last.bar_ms), next(iter(journal.stored_blobs()))
        content = journal.get_blob(blob)
        window = journal.bars_window("BTC/USDT", "1m", 0, 2**62)
    segment = close_segment(made, 5, **CARRIED)
    assert (segment.number, segment.from_seq, segment.to_seq) == (1, 1, head.seq)
    assert made.stat().st_size < size
    with Journal.open(made) as journal:
        assert plain(journal.state) == before
        assert journal.origin == head
        assert journal.head.seq == head.seq + 1
        assert journal.last_cycle() == last
        assert journal.plan_of(last.bar_ms) == plan
        assert journal.get_blob(blob) == content
        kept = journal.bars_window("BTC/USDT", "1m", 0, 2**62)
        assert list(kept.rows()) == list(window.rows())[-10:]
        assert len(journal.fills("BTC/USDT")) == 4
        Maker(journal, seed=9).run(3)
    assert rebuild(made) == []
    assert verify(made) == []


def test_segments_follow_each_other_and_are_verified_through(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        early = journal.entry(3)
        assert early is not None
    close_segment(made, 5)
    with Journal.open(made) as journal:
        Maker(journal, seed=9).run(3)
    second = close_segment(made, 6)
    assert second.number == 2
    assert verify(made) == []
    assert verify(made, Head(3, early.hash)) == []
    assert "knows another entry 3" in words(verify(made, Head(3, "0" * 64)))


def test_what_is_gone_reads_archived_and_never_ok(made: Path) -> None:
    segment = close_segment(made, 5)
    segment.file.rename(segment.file.with_name("elsewhere"))
    findings = verify(made, Head(3, "0" * 64))
    assert not has_errors(findings)
    said = f"inputs archived in segment 1: entries 1 to {segment.to_seq}"
    assert said in words(findings)
    assert "entry 3 lies in an archived segment" in words(findings)


def test_a_changed_segment_is_found_and_the_entry_named(made: Path) -> None:
    segment = close_segment(made, 5)
    segment.file.chmod(0o644)
    with closing(sqlite3.connect(segment.file, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER entries_keep_update")
        connection.execute("UPDATE entries SET at_ms = at_ms + 1 WHERE seq = 12")
    findings = verify(made)
    assert "the file was changed after it was sealed" in words(findings)
    assert 12 in {finding.seq for finding in findings}


def test_a_segment_that_is_no_database_is_found(made: Path) -> None:
    segment = close_segment(made, 5)
    segment.file.chmod(0o644)
    segment.file.write_bytes(b"nothing " * 1000)
    findings = verify(made)
    assert "cannot be read" in words(findings)
    assert "cannot be compared with the segment" in words(findings)


def _forge_rows(path: Path) -> None:
    """A checkpoint that carries more cash than there was, chain and head made to fit."""
    with Journal.open(path, read_only=True) as journal:
        entry = journal.entry(journal.head.seq)
    assert entry is not None
    for row in entry.payload["rows"]["meta"]:
        row[1] = 10**15 if row[0] == "cash_units" else row[1]
    text = canonical(entry.payload)
    hash_ = entry_hash(entry.seq, entry.at_ms, entry.kind, 1, text, entry.prev_hash)
    change(path, f"UPDATE entries SET payload = '{text}', hash = '{hash_}'")
    rewrite(head_path(path), Head(entry.seq, hash_))
    repair(path)


def test_rows_that_the_segment_does_not_hold_are_found(made: Path) -> None:
    close_segment(made, 5)
    _forge_rows(made)
    findings = [finding for finding in verify(made) if finding.level == "error"]
    assert len(findings) == 1
    assert "carries a row of meta that the segment does not hold" in str(findings[0])


def test_a_checkpoint_that_does_not_fit_its_origin_is_found(made: Path) -> None:
    close_segment(made, 5)
    change(made, "UPDATE origin SET hash = 'f' || substr(hash, 2)", "DELETE FROM entries")
    assert "is no checkpoint of what lies before" in words(verify(made))


def test_a_plan_from_before_the_newest_is_out_of_reach(made: Path) -> None:
    close_segment(made, 5)
    with Journal.open(made) as journal:
        assert journal.plan_of(1) is None
        change_plan = "INSERT INTO plans VALUES (1, 1)"
        with closing(sqlite3.connect(made, isolation_level=None)) as other:
            other.execute(change_plan)
        assert journal.plan_of(1) is None


def _no_cycle(path: Path) -> None:
    Journal.open(path, create=True).close()


def _open_cycle(path: Path) -> None:
    with made_journal(path, 2, 1) as maker:
        start = {"cycle": 3, "now_ms": 1, "bar_ms": 1, "policy": "", "code": "", "lock": ""}
        maker.journal.append("cycle_start", start, 1)


def _closed_just_now(path: Path) -> None:
    with made_journal(path, 2, 1):
        pass
    close_segment(path, 5)


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (_no_cycle, "no cycle has run"),
        (_open_cycle, "cycle 3 has not ended"),
        (_closed_just_now, "nothing to seal"),
    ],
)
def test_a_segment_is_not_closed_at_the_wrong_time(
    path: Path, prepare: Callable[[Path], None], sentence: str
) -> None:
    prepare(path)
    before = path.read_bytes()
    with pytest.raises(JournalError, match=sentence):
        close_segment(path, 6)
    assert path.read_bytes() == before


def test_a_segment_is_not_closed_while_somebody_else_has_it_open(made: Path) -> None:
    with Journal.open(made) as journal:
        journal.append("note", {}, 1)
        with pytest.raises(JournalError, match="open elsewhere"):
            close_segment(made, 6)
    assert verify(made) == []


def test_a_crash_between_the_two_names_is_made_good(made: Path) -> None:
    sealed = segment_path(made, 1)
    sealed.hardlink_to(made)  # the first step of an earlier attempt, and no more
    assert close_segment(made, 5).file == sealed
    assert verify(made) == []


def test_a_crash_after_the_new_file_took_its_place_is_made_good(made: Path) -> None:
    old_head, old_sums = made.with_name("old.head"), made.with_name("old.sums")
    shutil.copy(head_path(made), old_head)
    shutil.copy(sums_path(made), old_sums)
    close_segment(made, 5)
    old_head.replace(head_path(made))
    old_sums.replace(sums_path(made))
    assert not has_errors(verify(made))
    with Journal.open(made) as journal:
        journal.append("note", {}, 1)
    assert verify(made) == []


def test_a_segment_name_that_is_taken_stops_it_with_the_journal_as_it_was(made: Path) -> None:
    segment_path(made, 1).write_text("somebody else's")
    with pytest.raises(JournalError, match="closing a segment"):
        close_segment(made, 5)
    assert verify(made) == []
    segment_path(made, 1).unlink()
    assert close_segment(made, 5).number == 1


def test_a_new_file_that_cannot_be_built_leaves_the_journal_as_it_was(made: Path) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        close_segment(made, cast("int", "not a time"))
    assert verify(made) == []


def test_findings_read_as_sentences() -> None:
    assert str(Finding("error", "entry 7", "is missing", 7)) == "entry 7: is missing"
