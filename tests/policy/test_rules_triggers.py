"""Named triggers: their parameters and what overrides them, cycles, bounds, whose problem it is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from trader.policy.rules_compile import RulesResult, check_triggers, compile_rules
from trader.policy.rules_program import NODES_MAX
from trader.policy.rules_triggers import Trigger

from .rule_writing import told

TRIGGERS = {
    "breakout": Trigger("close > highest(high, length)[1]", {"length": 20}),
    "dip": Trigger("rsi(n) < level", {"n": 14, "level": "30"}),
    "both": Trigger("breakout(length=wide) and dip", {"wide": 55}),
    "spread": Trigger("(high - low) / close"),
    "momentum": Trigger("momentum(close, n) > 0", {"n": 10}),
    "daily": Trigger("on('1d', close > open)"),
}
PARAMETERS = {"own": 40, "twice": 3}


def used(text: str, triggers: Mapping[str, Trigger] = TRIGGERS) -> RulesResult:
    return compile_rules(
        {"enter": text}, parameters=PARAMETERS, triggers=triggers, own_timeframe="15m"
    )


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("breakout", "gt(close, back(highest(high; 20); 1))"),
        ("breakout()", "gt(close, back(highest(high; 20); 1))"),
        ("breakout(length=55)", "gt(close, back(highest(high; 55); 1))"),
        ("breakout(length=own)", "gt(close, back(highest(high; $own); 1))"),
        ("breakout(length=5 * 11)", "gt(close, back(highest(high; 55); 1))"),
        ("dip(level=25)", "lt(rsi(close; 14), 25)"),
        ("both", "and(gt(close, back(highest(high; 55); 1)), lt(rsi(close; 14), 30))"),
        ("both(wide=own)", "and(gt(close, back(highest(high; $own); 1)), lt(rsi(close; 14), 30))"),
        ("not breakout[1]", "not(back(gt(close, back(highest(high; 20); 1)); 1))"),
        ("any(dip, 5)", "any(lt(rsi(close; 14), 30); 5)"),
        ("spread > 0.01", "gt(div(sub(high, low), close), 0.01)"),
        (
            "spread > 2 * sma(spread, 20)",
            "gt(div(sub(high, low), close), mul(2, sma(div(sub(high, low), close); 20)))",
        ),
        ("on('1h', dip)", "on:1h(lt@1h(rsi@1h(close@1h; 14), 30@1h))"),
        ("daily", "on:1d(gt@1d(close@1d, open@1d))"),
        ("momentum", "gt(momentum(close; 10), 0)"),
        ("momentum(n=5)", "gt(momentum(close; 5), 0)"),
        ("momentum(5) > 1", "gt(momentum(close; 5), 1)"),
        ("momentum(volume, n=5) > 1", "gt(momentum(volume; 5), 1)"),
    ],
)
def test_a_trigger_is_its_rule_with_its_numbers(text: str, program: str) -> None:
    result = used(text)
    assert not result.problems, str(result.problems[0])
    assert told(result.program, "enter") == program


def test_a_parameter_of_the_strategy_that_a_trigger_takes_counts_as_read() -> None:
    assert used("breakout(length=own)").used == {"own"}
    assert used("breakout").used == frozenset()


def test_a_trigger_used_twice_is_computed_once() -> None:
    program = used("breakout and not breakout[1] and breakout(length=20)").program
    assert len([node for node in program["nodes"] if node[0] == "indicator"]) == 1


@pytest.mark.parametrize(
    ("text", "code", "column", "message"),
    [
        (
            "breakout(55)",
            "RULE_ARGUMENTS",
            1,
            "breakout is a trigger: its numbers are given by name",
        ),
        ("breakout(len=55)", "RULE_ARGUMENTS", 14, "trigger breakout has no parameter 'len'"),
        (
            "breakout(length=close)",
            "RULE_ARGUMENTS",
            17,
            "length of breakout must be a number, not a series of numbers",
        ),
        (
            "breakout(length=2 * own)",
            "RULE_ARGUMENTS",
            17,
            "length of breakout is computed from a parameter",
        ),
        (
            "close > 1 and breakout(length=0)",
            "RULE_PERIOD",
            15,
            "trigger breakout: n of highest is 0, outside 1 to 10000",
        ),
        (
            "both(wide=0)",
            "RULE_PERIOD",
            1,
            "trigger both, through breakout: n of highest is 0, outside 1 to 10000",
        ),
        (
            "on('1h', daily) or on('1d', daily)",
            "RULE_NESTED_ON",
            10,
            'trigger daily: on("1d", ...) inside on("1h", ...)',
        ),
        ("spread", "RULE_RESULT", 1, "enter must be a condition, not a series of numbers"),
        ("spread and close > 1", "RULE_TYPE", 1, "and joins conditions, not a series of numbers"),
        ("breakuot", "RULE_NAME", 1, "nothing here is called 'breakuot'"),
    ],
)
def test_a_trigger_used_wrongly_is_refused_where_it_is_used(
    text: str, code: str, column: int, message: str
) -> None:
    first = used(text).problems[0]
    assert (first.code.name, first.column, first.message) == (code, column, message)


def test_a_trigger_does_not_see_the_strategy_s_parameters() -> None:
    (problem,) = used("odd", {"odd": Trigger("close > own")}).problems
    assert (problem.trigger, problem.message) == (
        "odd",
        "trigger odd: nothing here is called 'own'",
    )


def test_a_parameter_with_a_trigger_s_name_is_refused() -> None:
    (problem,) = used("own", {"own": Trigger("close > 1")}).problems
    assert problem.message == "own is a trigger and a parameter"


CYCLE = {
    "first": Trigger("second and close > open"),
    "second": Trigger("close > 1 or third(n=5)"),
    "third": Trigger("first or close > n", {"n": 3}),
    "outside": Trigger("not first"),
    "selfish": Trigger("not selfish"),
}


def test_a_cycle_is_named_with_its_way_round() -> None:
    (problem,) = used("close > open and outside", CYCLE).problems
    assert problem.code.name == "RULE_CYCLE"
    assert problem.column == 18
    assert problem.message == "trigger first needs itself: first -> second -> third -> first"


def test_triggers_by_themselves_tell_each_cycle_once() -> None:
    found = check_triggers(CYCLE).problems
    assert [(p.output, p.code.name) for p in found] == [
        ("first", "RULE_CYCLE"),
        ("selfish", "RULE_CYCLE"),
    ]
    assert found[1].message == "trigger selfish needs itself: selfish -> selfish"


def test_a_broken_trigger_is_told_in_its_own_text_and_not_again_by_those_that_use_it() -> None:
    triggers = {"user": Trigger("not broken"), "broken": Trigger("close > 1 and\n  clsoe > 2")}
    (problem,) = check_triggers(triggers).problems
    assert (problem.output, problem.line, problem.column) == ("broken", 2, 3)
    assert problem.trigger == ""
    (use,) = used("user", triggers).problems
    assert (use.trigger, use.line, use.column) == ("user", 1, 1)
    assert use.message == "trigger user, through broken: nothing here is called 'clsoe'"


@pytest.mark.parametrize("name", ["close", "any", "on"])
def test_a_trigger_cannot_take_the_name_of_a_column_or_function(name: str) -> None:
    (problem,) = check_triggers({name: Trigger("close > open")}).problems
    assert (problem.output, problem.code.name) == (name, "RULE_NAME")


@pytest.mark.parametrize("rule", ["3 > 2", "n", "n > 3", "2 * n"])
def test_a_trigger_that_no_bar_can_change_is_refused(rule: str) -> None:
    (problem,) = check_triggers({"fixed": Trigger(rule, {"n": 5})}).problems
    assert problem.code.name == "RULE_CONSTANT"


def test_a_trigger_s_warnings_come_with_its_own_check_only() -> None:
    triggers = {"odd": Trigger("close > rsi(14)")}
    assert [w.code.name for w in check_triggers(triggers).warnings] == ["RULE_UNITS"]
    assert used("odd", triggers).warnings == ()


def test_good_triggers_have_nothing_said_about_them() -> None:
    found = check_triggers(TRIGGERS)
    assert (found.problems, found.warnings) == ((), ())


def parts(count: int) -> Mapping[str, Trigger]:
    """Triggers of 4 nodes each beside close and its own number, and one that joins them."""
    each = {f"part_{i}": Trigger(f"close[{i}] > {i}") for i in range(1, count + 1)}
    return {**each, "whole": Trigger(" or ".join(each))}


def test_a_rule_of_too_many_parts_is_refused_after_its_triggers_are_written_out() -> None:
    # close; of each part back, number, gt; and one or less than parts: 4 n in all.
    fits = used("whole", parts(NODES_MAX // 4))
    assert len(fits.program["nodes"]) == NODES_MAX
    (problem,) = used("whole", parts(NODES_MAX // 4 + 1)).problems
    assert problem.code.name == "RULE_TOO_LARGE"
    assert problem.message == "has more than 500 parts when its triggers are written out"


def test_triggers_that_write_each_other_out_without_end_are_stopped() -> None:
    triggers = {"t_0": Trigger("close > a or close < b", {"a": 1, "b": 2})}
    for i in range(1, 30):
        below = f"t_{i - 1}"
        calls = [f"a={i}, b=b", f"a=a, b={i}", "a=b, b=a", "a=a, b=b"]
        rule = " and ".join(f"{below}({call})" for call in calls)
        triggers[f"t_{i}"] = Trigger(rule, {"a": 1, "b": 2})
    for name in ("t_9", "t_29"):
        (problem,) = used(name, triggers).problems
        assert problem.code.name == "RULE_TOO_LARGE"
    assert [p.code.name for p in check_triggers(triggers).problems] == ["RULE_TOO_LARGE"]


def test_a_chain_of_triggers_as_deep_as_python_s_stack_is_stopped() -> None:
    triggers = {f"t_{i}": Trigger("not any(" * 15 + f"t_{i + 1}" + ", 2)" * 15) for i in range(100)}
    triggers["t_100"] = Trigger("close > open")
    (problem,) = used("t_0", triggers).problems
    assert problem.message == "is nested more than 80 deep when its triggers are written out"
