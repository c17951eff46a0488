"""The account's days, flows and waits: what a restart finds is what was folded, to the last row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.account_course import HOUR_MS, LIMITS, Course, Facts
from tests.core.made import ETH, UNIT, order_row
from tests.core.test_fold import dump
from trader.core.fold import FoldError, fold
from trader.core.marks import changed_marks, mark_account
from trader.domain.order import IllegalTransition
from trader.journal import Journal
from trader.journal.rebuild import rebuild
from trader.journal.segments import close_segment

from .conftest import CYCLES


def tell(journal: Journal, course: Course, facts: Facts, at_ms: int) -> int:
    """Fold and append alike; how many both refused."""
    refused = 0
    for kind, payload in facts:
        try:
            fold(course.state, kind, payload)
        except (FoldError, IllegalTransition):
            refused += 1
            with pytest.raises((FoldError, IllegalTransition)):
                journal.append(kind, payload, at_ms)
            assert dump(journal.state) == dump(course.state)
        else:
            journal.append(kind, payload, at_ms)
    return refused


@pytest.mark.parametrize("seed", range(4))
def test_a_restart_at_any_moment_finds_the_account_that_was_folded(path: Path, seed: int) -> None:
    course = Course(seed)
    facts, refused = course.opening(), 0
    for life in range(8):
        with Journal.open(path, create=True) as journal:
            assert dump(journal.state) == dump(course.state)
            for _ in range(14):
                refused += tell(journal, course, facts, life)
                facts = course.step()
    assert rebuild(path) == []
    assert len(course.state.days) > 10
    assert course.state.cooldowns
    assert refused < 40


def test_a_flow_is_booked_once_in_a_life_a_later_one_and_after_a_segment(made: Path) -> None:
    again = {"flow_id": "f1", "kind": "deposit", "asset": "USDT", "amount": "10", "units": 10**9}
    again |= {"by": "ann", "why": "once more", "at_ms": 1}
    for closed in (False, True):
        if closed:
            close_segment(made, 5, bars_kept=10, fills_kept=4)
        with Journal.open(made) as journal:
            cash = journal.state.cash_units
            with pytest.raises(FoldError, match="flow f1 is booked already"):
                journal.append("flow", again, 9)
            assert journal.state.cash_units == cash
            assert journal.knows_flow("f1")
            assert [row["flow_id"] for row in journal.flows()] == ["f1"]
            assert journal.state.number("cycles") == CYCLES
    assert rebuild(made) == []


def test_the_tables_do_not_grow_with_the_number_of_messages_and_days(path: Path) -> None:
    course = Course(1)
    counts: list[dict[str, int]] = []
    with Journal.open(path, create=True) as journal, journal.transaction() as tx:
        for kind, payload in course.opening():
            tx.append(kind, payload, 1)
        for number in range(2_200):
            at_ms = course.close_ms + number * 7 * HOUR_MS
            client_id = f"{number:032d}"
            tx.append("order_planned", order_row(client_id, symbol=ETH, bar_ms=at_ms), at_ms)
            tx.append("order_sent", {"client_id": client_id, "at_ms": at_ms}, at_ms)
            gone = {"client_id": client_id, "at_ms": at_ms, "outcome": "rejected", "code": ""}
            tx.append("order_outcome", {**gone, "text": ""}, at_ms)
            marks = changed_marks(
                journal.state, mark_account(journal.state, 10_000 * UNIT, at_ms, LIMITS)
            )
            tx.append("plan", {"bar_ms": at_ms, "legs": [], "marks": marks}, at_ms)
            if number in {1_800, 2_199}:
                state = journal.state
                rings = (state.days, state.messages, state.sent, state.meta, state.orders)
                counts.append({str(place): len(ring) for place, ring in enumerate(rings)})
    assert counts[0] == counts[1]
