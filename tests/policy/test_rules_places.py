"""Where a problem of a rule is shown: line, column, the line itself and the carets under it."""

from __future__ import annotations

import pytest

from trader.policy.rules_compile import compile_rules
from trader.policy.rules_problems import EXCERPT_WIDTH_MAX, Span, excerpt, line_and_column


def shown(text: str) -> str:
    result = compile_rules({"enter": text}, parameters={}, triggers={}, own_timeframe="1h")
    return str(result.problems[0])


def test_a_problem_reads_like_that_of_a_compiler() -> None:
    assert shown("rsi(14) < 30 and clsoe > open") == (
        "enter:1:18: nothing here is called 'clsoe'\n"
        "    rsi(14) < 30 and clsoe > open\n"
        "                     ^^^^^\n"
        "    did you mean close"
    )


def test_a_rule_on_several_lines_shows_the_line_and_counts_within_it() -> None:
    assert shown("rsi(14) < 30\n  and close > opne\n  and volume > 0\n") == (
        "enter:2:15: nothing here is called 'opne'\n"
        "      and close > opne\n"
        "                  ^^^^\n"
        "    did you mean open"
    )


def test_a_span_over_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    drawn = shown("sma(close,\n  20,\n  30) > 1").splitlines()
    assert drawn[1:3] == ["    sma(close,", "    ^^^^^^^^^^"]


@pytest.mark.parametrize("before", [0, 1, 30, 34, 60, 200, 400])
@pytest.mark.parametrize("after", [0, 1, 30, 34, 60, 200, 400])
def test_a_long_line_is_cut_around_the_place(before: int, after: int) -> None:
    text = "x " * before + "@@@" + " y" * after
    line, carets = excerpt(text, Span(2 * before, 2 * before + 3)).split("\n")
    assert len(line) <= EXCERPT_WIDTH_MAX
    at = carets.index("^")
    assert line[at : at + 3] == "@@@"
    assert carets.count("^") == 3
    if len(text) <= EXCERPT_WIDTH_MAX:
        assert line == text


def test_signs_that_a_terminal_might_act_on_are_not_printed() -> None:
    drawn = excerpt("a\x1b[31m\u202e > \u00e9\tb", Span(0, 1))
    assert drawn.isascii()
    assert drawn.isprintable() or drawn.replace("\n", "").isprintable()


def test_a_line_that_may_hold_a_secret_is_not_shown() -> None:
    # Put together here: what looks like a key has no place in a file.
    word = "aB3" * 10
    text = f"close > {word}"
    assert word not in shown(text)
    assert "^" not in shown(text)


@pytest.mark.parametrize(
    ("at", "place"), [(0, (1, 1)), (2, (1, 3)), (3, (1, 4)), (4, (2, 1)), (7, (3, 1))]
)
def test_places_count_from_one(at: int, place: tuple[int, int]) -> None:
    assert line_and_column("abc\nde\nf", at) == place
