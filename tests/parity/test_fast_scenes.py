"""Each gate says no, and each exit rule acts, in both engines: how often is written down."""

from __future__ import annotations

from collections import Counter

import pytest
from equal_scenes import EXITS, GATES, UNREACHED, reasons, refused, scene
from equal_told import FAST, REFERENCE, difference, told_result

from trader.core import gates

ENGINES = (REFERENCE, FAST)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("code", sorted(GATES))
def test_a_gate_says_no_as_often_as_is_written_down(code: str, engine: str) -> None:
    number, count = GATES[code]
    assert refused(told_result(scene(number).inputs, engine))[code] == count > 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("reason", sorted(EXITS))
def test_positions_are_left_for_a_reason_as_often_as_is_written_down(
    reason: str, engine: str
) -> None:
    numbers, count = EXITS[reason]
    found: Counter[str] = Counter()
    for number in numbers:
        found += reasons(scene(number).inputs, engine)
    assert found[reason] == count > 0


@pytest.mark.parametrize("number", sorted({number for number, _ in GATES.values()}, key=str)[::4])
def test_a_scene_comes_to_the_same_in_both_engines(number: int | str) -> None:
    inputs = scene(number).inputs
    assert not difference(told_result(inputs, REFERENCE), told_result(inputs, FAST))


def test_every_gate_has_a_scene_or_a_reason_why_a_back_test_never_meets_it() -> None:
    assert {gate.code for gate in gates.GATES} == set(GATES) | set(UNREACHED)
    assert not set(GATES) & set(UNREACHED)
