"""Rules that are refused: each with its code and column, a sentence, and often a hint."""

from __future__ import annotations

import pytest

from trader.policy.problems import Code
from trader.policy.rules_compile import RulesResult, compile_rules
from trader.policy.rules_problems import RuleProblem
from trader.policy.rules_vocabulary import FOREIGN, FOREIGN_HOMES

from .rule_refusals import REFUSED

PARAMETERS = {"fast": 5, "slow": 20, "share": "0.05", "nothing": 0, "high_n": 20_000}


def compiled(text: str, output: str = "enter", timeframe: str = "1h") -> RulesResult:
    return compile_rules(
        {output: text}, parameters=PARAMETERS, triggers={}, own_timeframe=timeframe
    )


def only_problem(text: str, output: str = "enter") -> RuleProblem:
    result = compiled(text, output)
    assert result.program == {}
    assert len(result.problems) == 1, [str(problem) for problem in result.problems]
    return result.problems[0]


def test_the_table_is_as_long_as_it_should_be_and_has_no_row_twice() -> None:
    assert len(REFUSED) > 180
    assert len({text for text, _, _ in REFUSED}) == len(REFUSED)


@pytest.mark.parametrize(("text", "code", "column"), REFUSED)
def test_a_rule_is_refused_at_its_column(text: str, code: str, column: int) -> None:
    result = compiled(text)
    assert result.problems
    assert result.program == {}
    first = result.problems[0]
    assert (first.code.name, first.line, first.column) == (code, 1, column), str(first)
    assert first.message
    assert not first.message.endswith(".")


def test_every_code_of_a_refusal_is_in_a_table() -> None:
    here = {code for _, code, _ in REFUSED} | {"RULE_CYCLE"}
    warnings = {"RULE_UNITS", "RULE_EQUALITY", "RULE_ALWAYS", "RULE_NEVER"}
    known = {code.name for code in Code if code.name.startswith("RULE_")}
    assert known - warnings == here


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("clsoe > 1", "did you mean close"),
        ("rsy(14) > 30", "did you mean rsi"),
        ("SMA(close, 20) > close", "write sma"),
        ("rsi > 30", "write rsi(close, 14)"),
        ("heikin_ashi.close > open", "write heikin_ashi().open"),
        ("macd(12, 26, 9).sginal > 0", "did you mean signal"),
        ("macd(12, 26, 9) > 0", ".line, .signal, .hist, such as macd(close, 12, 26, 9).line"),
        ("sma(close) > 1", "such as sma(close, 20)"),
        ("sma(close, length=20) > 1", "known here: n, source"),
        ("atr(high, low, close, 14) > 1", "write atr(14)"),
        ("obv() > 1", 'write obv(session="1d"): anew each UTC day'),
        ("close[-1] > 1", "close[1] is the bar before"),
        ("close > 5%", "a share of the price is written 0.05 * close"),
        ("close > 1e3", "did you mean 1000"),
        ("close > .5", "did you mean 0.5"),
        ("close ** 2 > 1", "write x * x"),
        ("close > 1 && open > 1", "conditions are joined by and, or, not"),
        ("close = 1", "equal is written =="),
        ('on("1H", close) > 1', "did you mean 1h"),
        ('on("1h", close) > 1', "write it without on()"),
        ("ta.crossover(close, open)", "write crosses_above(a, b)"),
        ("dataframe['close'] > 1", "write close"),
        ("close.rolling(20) > 1", "write sma(close, 20), highest(high, 20), stdev(close, 20)"),
        ("hhv(high, 20) > close", "write highest(high, 20)"),
        ("barssince(close > open) < 5", f"write {FOREIGN['barssince']}"),
        ("true", "write the condition itself"),
        ("close > 3 AND open > 3", "write and"),
        ("NOT close > 3", "write not"),
        ("close > 3 not open", "conditions are joined by and, or, not"),
        ("close crosses above open", "write crosses_above(a, b)"),
        ("close above open", "write a > b"),
        ("rsi14 < 30", "write rsi(close, 14)"),
        ("EMA_50 > close", "write ema(close, 50)"),
        ("atr_7 > 1", "write atr(7)"),
        ("(close > open) > 1", "conditions are joined by and, or, not"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_write_instead(text: str, hint: str) -> None:
    assert only_problem(text).hint == hint


@pytest.mark.parametrize("word", sorted(FOREIGN))
def test_a_word_of_another_bot_is_answered_with_ours(word: str) -> None:
    assert only_problem(f"{word}(close) > 1").hint == f"write {FOREIGN[word]}"


@pytest.mark.parametrize("home", sorted(FOREIGN_HOMES))
def test_a_word_behind_another_library_s_name_is_answered_too(home: str) -> None:
    problem = only_problem(f"{home}.crossover(close, open)")
    assert problem.code is Code.RULE_NAME
    assert problem.hint == "write crosses_above(a, b)"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("close > open", "RULE_RESULT"),
        ("5", "RULE_CONSTANT"),
        ("2 * fast", "RULE_CONSTANT"),
        ("'5'", "RULE_RESULT"),
    ],
)
@pytest.mark.parametrize("output", ["strength", "stop", "target", "trail"])
def test_an_output_that_is_a_number_must_be_a_series(output: str, text: str, code: str) -> None:
    assert only_problem(text, output).code.name == code


@pytest.mark.parametrize("output", ["enter", "exit", "crash"])
def test_every_other_output_must_be_a_condition(output: str) -> None:
    assert only_problem("close", output).code is Code.RULE_RESULT


def test_a_parameter_with_the_name_of_a_column_is_refused_where_it_is_read() -> None:
    result = compile_rules(
        {"enter": "close > low"}, parameters={"low": 3}, triggers={}, own_timeframe="1h"
    )
    (problem,) = result.problems
    assert (problem.code, problem.column) == (Code.RULE_NAME, 9)
    assert problem.hint == "give the parameter another name"


def test_every_problem_of_a_rule_comes_at_once_in_the_order_of_the_text() -> None:
    text = "clsoe > 1 and not close\n  and sma(close, 0) > obv() and (close > open) > 1"
    places = [(p.line, p.column, p.code.name) for p in compiled(text).problems]
    assert places == [
        (1, 1, "RULE_NAME"),
        (1, 19, "RULE_TYPE"),
        (2, 18, "RULE_PERIOD"),
        (2, 23, "RULE_SESSION"),
        (2, 34, "RULE_TYPE"),
    ]


def test_problems_of_several_outputs_come_together() -> None:
    texts = {"stop": "close > open", "exit": "rsi(14", "enter": "rsi(14) < 30"}
    result = compile_rules(texts, parameters={}, triggers={}, own_timeframe="1h")
    assert [(p.output, p.code.name) for p in result.problems] == [
        ("exit", "RULE_SYNTAX"),
        ("stop", "RULE_RESULT"),
    ]
    assert result.program == {}


def test_a_session_and_a_higher_timeframe_are_judged_by_the_strategy_s_bars() -> None:
    text = 'on("4h", close) > open and close > session_vwap(session="4h")'
    assert compiled(text, timeframe="1h").problems == ()
    found = compiled(text, timeframe="4h").problems
    assert [p.code.name for p in found] == ["RULE_TIMEFRAME", "RULE_SESSION"]


def test_a_session_that_ends_before_its_indicator_is_ready_is_refused() -> None:
    assert compiled("supertrend(3, 3, session='4h').line > 1").problems == ()
    problem = only_problem("supertrend(4, 3, session='4h').line > 1")
    assert problem.message == "a session of 4h is 4 bars; supertrend is ready on bar 5"


def test_what_stands_below_a_refusal_s_sentence_fits_eighty_columns() -> None:
    texts = [text for text, _, _ in REFUSED] + [f"{word}(close) > 1" for word in FOREIGN]
    wide = {
        line
        for text in texts
        for problem in compiled(text).problems
        for line in str(problem).splitlines()[1:]
        if len(line) > 80
    }
    assert not wide
