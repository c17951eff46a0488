"""Whatever text a rule is, a program or problems with their places are all that comes out."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "prove"))

from rule_making import ARITHMETIC, COLUMNS, COMPARISONS, RuleMaker
from rule_strings import WORDS, Strings, fuzz_strings, judge

from trader.core.indicator_table import INDICATORS
from trader.policy.rules_compile import compile_rules
from trader.policy.rules_vocabulary import FUNCTIONS


def said_of(text: str) -> str:
    return judge(text, "enter", Strings())


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    assert said_of(text) == ""


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25))
def test_any_order_of_words_is_answered(words: list[str]) -> None:
    assert said_of(" ".join(words)) == ""


def test_strings_of_every_sort_are_parsed_or_refused() -> None:
    found = fuzz_strings(1, 3_000)
    assert found.failures == []
    assert found.parsed > 30
    assert found.parsed + found.refused == 3_000
    assert len(found.codes) >= 15


def test_equal_seeds_give_equal_strings() -> None:
    assert fuzz_strings(7, 200) == fuzz_strings(7, 200) != fuzz_strings(8, 200)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_made_rules_are_well_typed(depth: int) -> None:
    maker = RuleMaker(Random(depth), parameters=("p", "q"))
    for _ in range(400):
        texts = {"enter": maker.condition(depth), "strength": maker.series(depth)}
        found = compile_rules(texts, parameters={"p": 3, "q": 9}, triggers={}, own_timeframe="15m")
        assert not found.problems, str(found.problems[0])
        assert set(found.program["outputs"]) == set(texts)


@pytest.mark.parametrize("blank", ["\n", "\n\n   ", "\t", "  "])
def test_line_breaks_and_blanks_do_not_change_a_program(blank: str) -> None:
    maker = RuleMaker(Random(5))
    for _ in range(200):
        text = maker.condition(4)
        spread = blank + text.replace(" ", blank) + blank
        programs = [
            compile_rules({"enter": rule}, parameters={}, triggers={}, own_timeframe="15m").program
            for rule in (text, spread)
        ]
        assert programs[0] == programs[1] != {}


def test_made_rules_use_every_indicator_and_operator() -> None:
    maker = RuleMaker(Random(1))
    for _ in range(3_000):
        maker.condition()
    words = {*INDICATORS, *FUNCTIONS, *COLUMNS, *ARITHMETIC, *COMPARISONS, "and", "or", "not", "[]"}
    assert words <= set(maker.used)


def test_made_rules_keep_to_what_they_are_asked_for() -> None:
    maker = RuleMaker(Random(1), memories=("finite",), higher=())
    for _ in range(500):
        maker.condition()
    assert "on" not in maker.used
    assert not [
        name for name in maker.used if name in INDICATORS and INDICATORS[name].memory != "finite"
    ]
