"""The latch: set durably, read at once, and closed whenever in doubt."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from trader.errors import JournalError, UsageError
from trader.ops.latch import Latch, LatchState

NOW_MS = 1_700_000_000_000
GOOD = {"level": "reduce_only", "why": "drill", "by": "ann", "at_ms": NOW_MS}


@pytest.fixture
def latch(tmp_path: Path) -> Latch:
    """A latch that is not set."""
    return Latch(tmp_path / "state" / "latch")


def test_no_file_means_running(latch: Latch) -> None:
    assert latch.read() is None
    assert latch.level() == "running"


def test_what_was_set_is_read_by_everybody(latch: Latch) -> None:
    latch.set("frozen", "kill --all", "ann", NOW_MS)
    assert Latch(latch.path).read() == LatchState("frozen", "kill --all", "ann", NOW_MS)
    assert latch.level() == "frozen"
    assert [path.name for path in latch.path.parent.iterdir()] == ["latch"]


def test_a_lesser_level_does_not_loosen_a_graver_one(latch: Latch) -> None:
    latch.set("frozen", "first", "ann", NOW_MS)
    latch.set("no_entries", "second", "bob", NOW_MS + 1)
    assert latch.read() == LatchState("frozen", "second", "bob", NOW_MS + 1)


def test_a_graver_level_replaces_a_lesser_one(latch: Latch) -> None:
    latch.set("no_entries", "first", "ann", NOW_MS)
    latch.set("reduce_only", "second", "ann", NOW_MS)
    assert latch.level() == "reduce_only"


@pytest.mark.parametrize("level", ["running", "", "stopped", "FROZEN"])
def test_only_levels_of_a_latch_can_be_set(latch: Latch, level: str) -> None:
    with pytest.raises(ValueError, match="is not a level"):
        latch.set(level, "why", "ann", NOW_MS)
    assert latch.read() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\x00" * 64,
        b"\xff\xfe",
        b"frozen",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        json.dumps(GOOD).encode()[:-4],
        json.dumps(GOOD | {"level": "running"}).encode(),
        json.dumps(GOOD | {"level": "unheard"}).encode(),
        json.dumps(GOOD | {"level": ["frozen"]}).encode(),
        json.dumps(GOOD | {"at_ms": "now"}).encode(),
        json.dumps(GOOD | {"by": None}).encode(),
        json.dumps({"level": "no_entries"}).encode(),
    ],
)
def test_a_file_that_cannot_be_understood_is_frozen(latch: Latch, content: bytes) -> None:
    latch.path.parent.mkdir()
    latch.path.write_bytes(content)
    assert latch.level() == "frozen"


def test_every_cut_of_a_good_file_is_frozen(latch: Latch) -> None:
    latch.set("no_entries", "drill", "ann", NOW_MS)
    whole = latch.path.read_bytes()
    for length in range(len(whole) - 1):
        latch.path.write_bytes(whole[:length])
        assert latch.level() == "frozen", whole[:length]
    latch.path.write_bytes(whole)
    assert latch.level() == "no_entries"


def test_a_folder_or_a_dangling_link_in_its_place_is_frozen(latch: Latch) -> None:
    latch.path.mkdir(parents=True)
    assert latch.level() == "frozen"
    latch.path.rmdir()
    latch.path.symlink_to(latch.path.with_name("nowhere"))
    assert latch.level() == "frozen"


def test_a_file_where_the_folder_should_be_is_frozen(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    latch = Latch(tmp_path / "state" / "latch")
    assert latch.level() == "frozen"
    with pytest.raises(JournalError, match="cannot be written"):
        latch.set("frozen", "why", "ann", NOW_MS)


def test_a_full_disk_leaves_a_frozen_latch(latch: Latch, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int, __: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    latch.set("no_entries", "why", "ann", NOW_MS)
    assert latch.level() == "frozen"
    assert [path.name for path in latch.path.parent.iterdir()] == ["latch"]


def test_clearing_takes_it_away_and_keeps_who_did_it(latch: Latch) -> None:
    latch.set("frozen", "kill --all", "ann", NOW_MS)
    latch.clear("bob", "checked by hand", NOW_MS + 5)
    assert latch.read() is None
    kept = json.loads(latch.path.with_name("latch.cleared").read_bytes())
    assert kept == {
        "at_ms": NOW_MS + 5,
        "by": "bob",
        "reason": "checked by hand",
        "was": ["frozen", "kill --all", "ann", NOW_MS],
    }


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ann", ""), ("  ", "why"), ("ann", "\t")])
def test_it_is_not_cleared_without_a_name_and_a_reason(latch: Latch, by: str, reason: str) -> None:
    latch.set("frozen", "why", "ann", NOW_MS)
    with pytest.raises(UsageError):
        latch.clear(by, reason, NOW_MS)
    assert latch.level() == "frozen"


def test_clearing_what_is_not_set_does_nothing(latch: Latch) -> None:
    latch.clear("ann", "nothing there", NOW_MS)
    assert not latch.path.parent.exists()


def test_a_broken_latch_can_be_cleared_by_a_human(latch: Latch) -> None:
    latch.path.parent.mkdir()
    latch.path.write_bytes(b"")
    latch.clear("ann", "it was empty", NOW_MS)
    assert latch.read() is None
