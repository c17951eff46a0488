"""Accepting a head: what a crash in the middle leaves, and what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from trader.errors import JournalError
from trader.journal import Journal
from trader.journal.acceptance import KIND, accept_head
from trader.journal.head import head_path
from trader.journal.verify import verify


def test_what_an_earlier_attempt_left_beside_does_not_matter(made: Path) -> None:
    place = head_path(made)
    place.with_name(f"{place.name}.accepted").write_text("half a line")
    place.unlink()
    with pytest.raises(JournalError, match="accept-head"):
        Journal.open(made)
    accepted = accept_head(made, " ann ", "a restore", 7)
    assert accepted is not None
    assert verify(made, accepted) == []
    assert not list(made.parent.glob("*.accepted"))
    with Journal.open(made) as journal:
        entry = journal.entry(accepted.seq + 1)
        assert entry is not None
        assert journal.head.seq == entry.seq
    assert (entry.kind, entry.at_ms, entry.payload["by"]) == (KIND, 7, "ann")


def test_a_crash_before_the_head_file_takes_its_place_leaves_it_to_be_accepted_again(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head_path(made).unlink()
    really = Path.replace

    def cut(source: Path, target: Path) -> Path:
        if target == head_path(made):
            raise OSError(5, "the disk is gone")
        return really(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut)
        with pytest.raises(JournalError, match="the disk is gone"):
            accept_head(made, "ann", "a restore", 7)
    with pytest.raises(JournalError, match="accept-head"):
        Journal.open(made)
    assert accept_head(made, "ann", "once more", 8) is not None
    assert verify(made) == []
    with Journal.open(made, read_only=True) as journal:
        said = [entry.payload["reason"] for entry in journal.entries(kinds=(KIND,))]
    assert said == ["a restore", "once more"]
    assert accept_head(made, "ann", "and again", 9) is None
