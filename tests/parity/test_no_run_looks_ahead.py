"""No back-test knows a bar to come: quick forms of the claims over whole runs."""

from __future__ import annotations

import lookahead_runs


def test_filling_the_bar_that_decided_makes_a_fortune_that_no_engine_makes() -> None:
    problems, told = lookahead_runs.published_bug(2)
    assert not problems
    assert set(told) == {"looking ahead", "reference", "fast"}


def test_signals_a_bar_later_are_filled_a_bar_later_and_come_to_something_else() -> None:
    assert not lookahead_runs.shifted_signals(2)


def test_a_back_test_does_not_begin_with_a_file_that_reads_the_next_bar() -> None:
    assert not lookahead_runs.refused_reader()


def test_without_the_future_everything_before_it_is_the_same() -> None:
    problems, facts = lookahead_runs.cut_off(2, 4, 120)
    assert not problems
    assert facts > 0
