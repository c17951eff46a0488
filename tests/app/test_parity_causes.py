"""Causes: each documented; chains are followed to where they begin."""

from __future__ import annotations

import re
from pathlib import Path

from trader.app.parity_causes import EVENTS, Cause, Difference, count_causes, roots_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "parity.md"


def difference(number: int, what: str, causes: tuple[Cause, ...], *follows: int) -> Difference:
    """One of that kind."""
    return Difference(number, what, 0, 0, "", "", "", "", "", causes, "", follows)


CHAIN = [
    difference(1, "fill", (Cause.QUOTE,)),
    difference(2, "numbers", (Cause.FOLLOWS,), 1),
    difference(3, "event", (Cause.HALT,)),
    difference(4, "decision", (Cause.FOLLOWS, Cause.CLOCK), 2, 3),
    difference(5, "order", (Cause.FOLLOWS,), 4),
    difference(6, "order", (Cause.FOLLOWS, Cause.UNEXPLAINED), 4),
]


def test_every_cause_has_a_row_in_the_page_and_no_other_has() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| ", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(cause.value for cause in Cause)
    assert set(EVENTS.values()) < set(Cause)


def test_a_chain_is_followed_to_every_beginning() -> None:
    roots = roots_of(CHAIN)
    assert roots[2] == {Cause.QUOTE}
    assert roots[4] == roots[5] == {Cause.QUOTE, Cause.HALT, Cause.CLOCK}
    assert Cause.UNEXPLAINED in roots[6]


def test_one_part_that_is_not_proved_leaves_the_whole_unexplained() -> None:
    assert [found.explained for found in CHAIN] == [True] * 5 + [False]
    assert not difference(7, "order", ()).explained


def test_causes_are_counted_by_what_they_explain() -> None:
    assert count_causes(CHAIN) == {
        "CLOCK": {"decision": 1},
        "FOLLOWS": {"decision": 1, "numbers": 1, "order": 2},
        "HALT": {"event": 1},
        "QUOTE": {"fill": 1},
        "UNEXPLAINED": {"order": 1},
    }
