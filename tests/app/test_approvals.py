"""Approvals: who approved which code, policy and lock file, and what they permit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trader import wiring
from trader.app.approvals import approve
from trader.app.status import approval_row, read_status
from trader.core.snapshot import Running
from trader.errors import UsageError
from trader.journal.journal import Journal

from .test_status import GENESIS
from .world import World

Worlds = Callable[..., World]
RAN = Running("p" * 64, "c" * 64, "l" * 64)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.db", create=True) as opened:
        opened.append("genesis", GENESIS, 1)
        yield opened


def test_an_approval_is_one_entry_with_the_three_hashes(journal: Journal) -> None:
    assert approve(journal, RAN, " ann ", " released ", 5) == ["code", "lock", "policy"]
    entry = journal.entry(journal.head.seq)
    assert entry is not None
    told = {"code": "c" * 64, "lock": "l" * 64, "policy": "p" * 64}
    assert (entry.kind, entry.payload) == (
        "approval",
        {**told, "by": "ann", "why": "released", "at_ms": 5},
    )


def test_what_is_approved_already_is_not_approved_again(journal: Journal) -> None:
    approve(journal, RAN, "ann", "released", 5)
    seq = journal.head.seq
    assert approve(journal, RAN, "bob", "me too", 6) == []
    assert journal.head.seq == seq
    assert approve(journal, Running(RAN.policy, RAN.code, "x"), "bob", "lock", 7) == ["lock"]


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ann", ""), (" ", " ")])
def test_nobody_approves_anything_for_no_reason(journal: Journal, by: str, reason: str) -> None:
    seq = journal.head.seq
    with pytest.raises(UsageError, match="only a named human"):
        approve(journal, RAN, by, reason, 5)
    assert journal.head.seq == seq


def test_books_must_be_there_before_anything_is_approved(tmp_path: Path) -> None:
    with (
        Journal.open(tmp_path / "journal.db", create=True) as opened,
        pytest.raises(UsageError, match="has no books yet"),
    ):
        approve(opened, RAN, "ann", "early", 5)


def test_what_ran_last_is_held_against_what_was_approved(journal: Journal) -> None:
    assert approval_row(journal.state, RAN) is None
    approve(journal, RAN, "ann", "released", 5)
    row = approval_row(journal.state, Running(RAN.policy, "d" * 64, RAN.lock))
    assert row is not None
    assert (row["by"], row["differs"]) == ("ann", ["code"])
    row = approval_row(journal.state, None)
    assert row is not None
    assert row["differs"] == []


def approve_in(world: World) -> list[str]:
    setup = world.setup()
    with wiring.open_journal(setup) as journal:
        return approve(journal, setup.run.running, "ann", "looked at", world.clock.now_ms())


def sides(world: World, minute: int) -> list[str]:
    """Sides of the legs of one pass."""
    report = world.cycle(minute)
    assert report.plan is not None
    return [str(leg.side) for leg in report.plan.legs]


def test_a_changed_policy_opens_nothing_until_a_named_human_approves_it(worlds: Worlds) -> None:
    world = worlds()
    world.cycle(7)
    approve_in(world)
    assert sides(world, 8) == ["buy"]
    world.env["POLICY__LIMITS__SLIPPAGE"] = "49bps"
    assert sides(world, 10) == ["sell"]  # exits are not asked
    report = world.cycle(12)
    assert report.plan is not None
    (no,) = report.plan.refused
    assert f"{no.code} {no.detail}".startswith("HASH_UNAPPROVED differs=policy limit=0 measured=1")
    told = read_status(world.setup().places.folder).row["approval"]
    assert told["differs"] == ["policy"]
    assert approve_in(world) == ["policy"]
    assert sides(world, 16) == ["buy"]


def test_where_policy_asks_for_an_approval_none_is_a_no(worlds: Worlds) -> None:
    world = worlds(approval="always")
    report = world.cycle(8)
    assert report.plan is not None
    assert [no.code for no in report.plan.refused] == ["HASH_UNAPPROVED"]
    approve_in(world)
    assert sides(world, 12) == ["buy"]
