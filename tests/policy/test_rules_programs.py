"""Good rules and the programs they become: equal parts once, plain data, parameters by name."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from trader.core.canonical import canonical
from trader.core.indicator_table import INDICATORS
from trader.policy.rules_calls import usage
from trader.policy.rules_compile import RulesResult, compile_rules
from trader.policy.rules_vocabulary import COLUMNS, FUNCTIONS

from .rule_writing import told

PARAMETERS = {"fast": 5, "slow": 20, "share": "0.05", "level": 30, "none": 0}


def compiled(texts: Mapping[str, str], timeframe: str = "15m") -> RulesResult:
    result = compile_rules(texts, parameters=PARAMETERS, triggers={}, own_timeframe=timeframe)
    assert not result.problems, str(result.problems[0])
    return result


GOOD: list[tuple[str, str]] = [
    ("close > open", "gt(close, open)"),
    ("close >= 100", "ge(close, 100)"),
    ("close < 1.50", "lt(close, 1.5)"),
    ("close <= -1", "le(close, -1)"),
    ("close != open", "ne(close, open)"),
    ("(((close))) == open", "eq(close, open)"),
    ("hl2 > hlc3 and ohlc4 > volume", "and(gt(hl2, hlc3), gt(ohlc4, volume))"),
    ("close + open > 2 * high", "gt(add(close, open), mul(2, high))"),
    ("close - open * 2 > 0", "gt(sub(close, mul(open, 2)), 0)"),
    ("(close - open) * 2 > 0", "gt(mul(sub(close, open), 2), 0)"),
    ("close / open / high > 0", "gt(div(div(close, open), high), 0)"),
    ("-close < +open", "lt(neg(close), open)"),
    ("--close < open", "lt(neg(neg(close)), open)"),
    ("close > 2 * 3 + 1", "gt(close, 7)"),
    ("close > 1 / 4", "gt(close, 0.25)"),
    ("close > 1 / 3", "gt(close, div(1, 3))"),
    ("close > -(2 - 5)", "gt(close, 3)"),
    ("close > abs(-3)", "gt(close, 3)"),
    ("close > max(1, 2, 3) + min(4, 5)", "gt(close, 7)"),
    ("close > 2 * level", "gt(close, mul(2, $level))"),
    ("close > -level", "gt(close, neg($level))"),
    ("close > level / 0.5 - fast", "gt(close, sub(div($level, 0.5), $fast))"),
    ("not close > open", "not(gt(close, open))"),
    ("not not close > open", "not(not(gt(close, open)))"),
    ("not (close > open and open > low)", "not(and(gt(close, open), gt(open, low)))"),
    (
        "close > open or open > low and low > high",
        "or(gt(close, open), and(gt(open, low), gt(low, high)))",
    ),
    (
        "close > 1 and close > 2 and close > 3",
        "and(and(gt(close, 1), gt(close, 2)), gt(close, 3))",
    ),
    ("low < close < high", "and(lt(low, close), lt(close, high))"),
    (
        "low < open <= close < high",
        "and(and(lt(low, open), le(open, close)), lt(close, high))",
    ),
    ("close[0] > close[1]", "gt(close, back(close; 1))"),
    ("close[fast] > 1", "gt(back(close; $fast), 1)"),
    ("close[none] > 1", "gt(back(close; $none), 1)"),
    ("close[2][3] > 1", "gt(back(back(close; 2); 3), 1)"),
    ("(close > open)[1]", "back(gt(close, open); 1)"),
    ("sma(close, 20)[1] > 1", "gt(back(sma(close; 20); 1), 1)"),
    ("sma(20) > close", "gt(sma(close; 20), close)"),
    ("sma(close, n=20) > close", "gt(sma(close; 20), close)"),
    ("sma(n=20, source=open) > close", "gt(sma(open; 20), close)"),
    ("sma(close, fast) > sma(close, slow)", "gt(sma(close; $fast), sma(close; $slow))"),
    ("sma(close, 4 * 5) > close", "gt(sma(close; 20), close)"),
    ("rsi() < 30", "lt(rsi(close; 14), 30)"),
    ("rsi(volume) < level", "lt(rsi(volume; 14), $level)"),
    ("ema(rsi(14), 3) > 50", "gt(ema(rsi(close; 14); 3), 50)"),
    ("ema(2 * close - open, 3) > 50", "gt(ema(sub(mul(2, close), open); 3), 50)"),
    (
        "macd().line > macd(signal=9).signal",
        "gt(macd.line(close; 12, 26, 9), macd.signal(close; 12, 26, 9))",
    ),
    ("macd(fast, slow, 9).hist[1] > 0", "gt(back(macd.hist(close; $fast, $slow, 9); 1), 0)"),
    ("bbands(close, 20, 2.5).upper < close", "lt(bbands.upper(close; 20, 2.5), close)"),
    ("atr(14) > true_range()", "gt(atr(; 14), true_range())"),
    ("stoch(14, signal=3).d > 50", "gt(stoch.d(; 14, 3, 3), 50)"),
    ("correlation(close, volume) > 0.5", "gt(correlation(close, volume; 30), 0.5)"),
    ("psar(session='1d') < close", "lt(psar(; 0.02, 0.2, 1d), close)"),
    ("psar(0.01, session=\"1w\") < close", "lt(psar(; 0.01, 0.2, 1w), close)"),
    ("obv(session=\"1d\") > 0", "gt(obv(; 1d), 0)"),
    ("heikin_ashi().close > open", "gt(heikin_ashi.close(), open)"),
    ("crosses_above(close, sma(close, 20))", "crosses_above(close, sma(close; 20))"),
    ("crosses_below(rsi(14), 70)", "crosses_below(rsi(close; 14), 70)"),
    ("rising(close)", "rising(close; 1)"),
    ("falling(volume, n=3)", "falling(volume; 3)"),
    ("any(rsi(14) < 30, fast)", "any(lt(rsi(close; 14), 30); $fast)"),
    ("all(close > open, n=3)", "all(gt(close, open); 3)"),
    ("min(close, open, 3) > abs(low - high)", "gt(min(min(close, open), 3), abs(sub(low, high)))"),
    ("on('1h', close > open)", "on:1h(gt@1h(close@1h, open@1h))"),
    ("on(\"4h\", rsi(14)) > 50", "gt(on:4h(rsi@4h(close@4h; 14)), 50)"),
    ("on('1h', close * 2)[1] > close", "gt(back(on:1h(mul@1h(close@1h, 2@1h)); 1), close)"),
    ("ema(on('1h', close), 3) > 1", "gt(ema(on:1h(close@1h); 3), 1)"),
    ("on('1h', close[1]) > 1", "gt(on:1h(back@1h(close@1h; 1)), 1)"),
    ("close\n  > open\n\tand low > 1\r\n", "and(gt(close, open), gt(low, 1))"),
    ("\n  close > open", "gt(close, open)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "program"), GOOD)
def test_a_good_rule_becomes_its_program(text: str, program: str) -> None:
    assert told(compiled({"enter": text}).program, "enter") == program


def test_the_plain_form_is_this() -> None:
    texts = {
        "stop": "2 * atr(14)",
        "enter": "crosses_above(ema(close, fast), ema(close, 50)) and on('1h', rsi(14)) < 70",
    }
    assert compiled(texts).program == {
        "nodes": [
            ["column", "", [], [], "close"],
            ["indicator", "", [0], ["$fast"], "ema"],
            ["indicator", "", [0], ["50"], "ema"],
            ["crosses_above", "", [1, 2], [], ""],
            ["column", "1h", [], [], "close"],
            ["indicator", "1h", [4], ["14"], "rsi"],
            ["on", "", [5], [], "1h"],
            ["number", "", [], ["70"], ""],
            ["lt", "", [6, 7], [], ""],
            ["and", "", [3, 8], [], ""],
            ["indicator", "", [], ["14"], "atr"],
            ["number", "", [], ["2"], ""],
            ["mul", "", [11, 10], [], ""],
        ],
        "outputs": {"enter": 9, "stop": 12},
    }


def test_a_program_is_plain_data_that_canonical_json_takes() -> None:
    program = compiled(
        {"enter": "rsi(14) < 30 and close[1] > 0.5", "stop": "share * close"}
    ).program
    assert json.loads(canonical(program)) == program


def test_equal_parts_are_one_node_within_and_across_outputs() -> None:
    texts = {
        "enter": "close > sma(close, 20) and low > sma(close, n=20)",
        "exit": "close < sma(source=close, n=2 * 10)",
        "stop": "2 * abs(close - sma(20))",
    }
    program = compiled(texts).program
    averages = [node for node in program["nodes"] if node[4] == "sma"]
    assert averages == [["indicator", "", [0], ["20"], "sma"]]


def test_the_order_of_the_keys_does_not_change_the_program() -> None:
    texts = {"enter": "rsi(14) < 30", "exit": "rsi(14) > 70", "stop": "2 * atr(14)"}
    turned = dict(reversed(texts.items()))
    assert canonical(compiled(texts).program) == canonical(compiled(turned).program)


def test_the_same_indicator_on_another_timeframe_is_another_node() -> None:
    program = compiled({"enter": "rsi(14) > on('1h', rsi(14))"}).program
    assert [node[1] for node in program["nodes"] if node[0] == "indicator"] == ["", "1h"]


def test_what_no_output_needs_is_not_in_the_program() -> None:
    program = compiled({"enter": "close > 2 + 3"}).program
    assert [node[3] for node in program["nodes"] if node[0] == "number"] == [["5"]]


def test_parameters_that_are_read_are_named() -> None:
    texts = {"enter": "close > sma(close, fast)", "stop": "share * close"}
    assert compiled(texts).used == {"fast", "share"}


def test_a_parameter_and_an_indicator_may_have_one_name() -> None:
    texts = {"enter": "rsi(14) < rsi", "stop": "atr(atr)"}
    result = compile_rules(
        texts, parameters={"rsi": 30, "atr": 10}, triggers={}, own_timeframe="1h"
    )
    assert told(result.program, "enter") == "lt(rsi(close; 14), $rsi)"
    assert told(result.program, "stop") == "atr(; $atr)"


def test_no_texts_are_no_program_and_no_problem() -> None:
    assert compile_rules({}, parameters={}, triggers={}, own_timeframe="1h") == RulesResult(
        {}, (), ()
    )


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_every_indicator_can_be_written_as_its_usage_says(name: str) -> None:
    entry = INDICATORS[name]
    program = compiled({"enter": f"{usage(entry)} > close"}).program
    own = [node for node in program["nodes"] if node[4].split(".")[0] == name]
    assert len(own) == 1
    assert len(own[0][3]) == len(entry.numbers) + entry.session


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_column_can_be_read(name: str) -> None:
    assert told(compiled({"enter": f"{name} > 1"}).program, "enter") == f"gt({name}, 1)"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_s_example_is_a_rule(name: str) -> None:
    result = compile_rules(
        {"enter": FUNCTIONS[name]}, parameters={}, triggers={}, own_timeframe="15m"
    )
    series = [p.code.name for p in result.problems] == ["RULE_RESULT"]
    assert series == (name in {"min", "max", "abs", "on"})
