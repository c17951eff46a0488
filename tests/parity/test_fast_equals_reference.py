"""Fast = reference on random policies and bars: results, facts, books; in any block of work."""

from __future__ import annotations

import pytest
from equal_cases import Case, made_case
from equal_told import (
    FAST,
    REFERENCE,
    difference,
    in_blocks,
    told_facts,
    told_in_steps,
    told_result,
    with_plans,
)

SEED, ROWS = 11, 120
NUMBERS = range(14)


def case(number: int) -> Case:
    return made_case(SEED, number, ROWS)


@pytest.mark.parametrize("number", NUMBERS)
def test_both_engines_come_to_the_same_result(number: int) -> None:
    inputs = case(number).inputs
    assert not difference(told_result(inputs, REFERENCE), told_result(inputs, FAST))


@pytest.mark.parametrize("number", NUMBERS)
def test_both_engines_record_the_same_facts_and_keep_the_same_books(number: int) -> None:
    inputs = case(number).inputs
    told, fast = told_facts(inputs, REFERENCE), told_facts(inputs, FAST)
    assert not difference(with_plans(told, fast), with_plans(fast, told))


@pytest.mark.parametrize(("rows", "workers"), [(1, 1), (7, 1), (333, 1), (50, 2)])
def test_rows_in_one_go_and_processes_change_nothing(rows: int, workers: int) -> None:
    for number in (0, 3, 8):
        inputs = case(number).inputs
        fast = told_facts(inputs, FAST)
        assert not difference(fast, told_facts(inputs, FAST, in_blocks(rows, workers)))


@pytest.mark.parametrize("bars", [1, 7, 64])
def test_bars_done_at_once_change_nothing(bars: int) -> None:
    for number in (1, 2, 5):
        inputs = case(number).inputs
        assert not difference(told_result(inputs, FAST), told_in_steps(inputs, bars))


def test_the_lane_does_most_bars_of_plain_policies() -> None:
    plain = [one for one in map(case, range(40)) if one.kind == "plain"]
    lanes = [told_facts(one.inputs, FAST).lanes for one in plain[:12]]
    lane, slow = (sum(counts) for counts in zip(*lanes, strict=True))
    assert lane > slow > 0
