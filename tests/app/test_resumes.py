"""What a named human ends, one entry each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trader.app.resumes import reset_mark, resume_entries, resume_strategy
from trader.errors import UsageError
from trader.journal.journal import Journal

from .test_status import GENESIS

FAILED = "STRATEGY_FAILED in=signals error=ValueError"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Books of which a strategy failed and a draw-down stops the entries."""
    with Journal.open(tmp_path / "journal.db", create=True) as opened:
        opened.append("genesis", GENESIS, 1)
        plan = {"bar_ms": 60_000, "legs": [], "refused": [], "trail": "", "off": [["bad", FAILED]]}
        opened.append("plan", {**plan, "marks": {"high_units": 9, "drawdown_stopped": 1}}, 2)
        yield opened


def newest(journal: Journal) -> tuple[str, dict[str, object]]:
    entry = journal.entry(journal.head.seq)
    assert entry is not None
    return entry.kind, entry.payload


def test_a_strategy_that_failed_is_asked_again(journal: Journal) -> None:
    assert (
        resume_strategy(journal, ["good"], "bad", " ann ", " mended ", 5) == f"it was off, {FAILED}"
    )
    assert journal.state.books["bad"].off_why == ""
    told = {"strategy": "bad", "by": "ann", "why": "mended", "at_ms": 5}
    assert newest(journal) == ("strategy_resumed", told)
    seq = journal.head.seq
    assert resume_strategy(journal, [], "bad", "ann", "again", 6) == ""
    assert resume_strategy(journal, ["good"], "good", "ann", "never off", 6) == ""
    assert journal.head.seq == seq


def test_a_strategy_that_nobody_knows_is_named_with_what_was_meant(journal: Journal) -> None:
    with pytest.raises(UsageError, match="there is no strategy 'god'") as refused:
        resume_strategy(journal, ["good"], "god", "ann", "why not", 5)
    assert refused.value.hint == "did you mean good?"
    with pytest.raises(UsageError) as refused:
        resume_strategy(journal, ["good"], "zzz", "ann", "why not", 5)
    assert refused.value.hint == "there are: bad, good"


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ann", ""), (" ", " ")])
def test_nobody_ends_anything_for_no_reason(journal: Journal, by: str, reason: str) -> None:
    seq = journal.head.seq
    with pytest.raises(UsageError, match="only a named human"):
        resume_strategy(journal, [], "bad", by, reason, 5)
    with pytest.raises(UsageError, match="only a named human"):
        resume_entries(journal, "running", by, reason, 5)
    with pytest.raises(UsageError, match="only a named human"):
        reset_mark(journal, by, reason, 5)
    assert journal.head.seq == seq


def halt(journal: Journal, level: str) -> None:
    journal.append("halt", {"level": level, "why": "calm", "by": "ann", "at_ms": 3}, 3)


def test_a_calm_halt_ends(journal: Journal) -> None:
    assert not resume_entries(journal, "running", "ann", "nothing is halted", 4)
    halt(journal, "no_entries")
    assert resume_entries(journal, "running", "ann", "fine again", 5)
    assert journal.state.word("halt_level") == "running"
    assert newest(journal)[0] == "resume"


@pytest.mark.parametrize(
    ("level", "latch", "said"),
    [
        ("reduce_only", "running", "reduce_only"),
        ("frozen", "running", "frozen"),
        ("no_entries", "frozen", "frozen"),
        ("running", "no_entries", "no_entries"),
    ],
)
def test_what_a_kill_set_needs_the_kills_own_resume(
    journal: Journal, level: str, latch: str, said: str
) -> None:
    if level != "running":
        halt(journal, level)
    seq = journal.head.seq
    with pytest.raises(UsageError, match=f"stopped at {said} by a kill") as refused:
        resume_entries(journal, latch, "ann", "please", 5)
    assert "trader kill resume --by NAME" in refused.value.hint
    assert journal.head.seq == seq


def test_the_mark_is_set_anew_once(journal: Journal) -> None:
    assert reset_mark(journal, "ann", "accepted", 5)
    assert journal.state.number("drawdown_stopped") == 0
    assert newest(journal)[0] == "mark_reset"
    assert not reset_mark(journal, "ann", "accepted", 6)
