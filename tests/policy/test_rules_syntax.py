"""The tree of a rule: the allow-list holds by itself, whatever the scan before it lets through."""

from __future__ import annotations

import ast

import pytest

from trader.policy import rules_syntax
from trader.policy.problems import Code
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_syntax import Back, Call, Name, Number, Part, Text, Unary, parse

NOT_ON_THE_LIST = [
    "lambda: 1",
    "a if b else c",
    "[a, b]",
    "(a, b)",
    "{a, b}",
    "{a: b}",
    "[x for x in y]",
    "{x for x in y}",
    "{x: x for x in y}",
    "(x for x in y)",
    "f'{a}'",
    "(a := b)",
    "f(*a)",
    "a[1:2]",
    "a ** b",
    "a // b",
    "a % b",
    "a @ b",
    "a | b",
    "a & b",
    "a ^ b",
    "a << b",
    "a >> b",
    "~a",
    "a is b",
    "a is not b",
    "a in b",
    "a not in b",
    "True",
    "None",
    "...",
    "1j",
    "b'a'",
    "0x10",
    "1_000",
    "1e5",
    "1.",
]


def read(text: str) -> rules_syntax.Tree:
    """The tree as if the scan had found nothing."""
    return rules_syntax._Reader(text, 0).tree(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize("text", NOT_ON_THE_LIST)
def test_an_expression_that_is_not_on_the_list_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        read(f"close > f({text})")
    assert caught.value.code is Code.RULE_FORBIDDEN
    assert caught.value.span.at >= 8


def test_every_kind_of_expression_of_this_python_is_on_one_of_the_two_lists() -> None:
    accepted = {
        ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.UnaryOp, ast.BinOp,
        ast.BoolOp, ast.Compare,
    }  # fmt: skip
    refused: set[type] = set()
    for text in NOT_ON_THE_LIST:
        refused |= {type(node) for node in ast.walk(ast.parse(text, mode="eval"))}
    refused |= {ast.Await, ast.Yield, ast.YieldFrom}
    # What only stands inside another expression that is refused.
    known = {kind for kind in ast.expr.__subclasses__() if not kind.__name__.startswith("_")}
    inner = {"FormattedValue", "Slice", "Starred", "TemplateStr", "Interpolation"}
    assert {kind.__name__ for kind in known - accepted - refused} <= inner


@pytest.mark.parametrize("text", ["f(**a)", "f(a=1, **b)"])
def test_a_double_star_has_no_name_and_is_refused_by_the_scan(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert caught.value.code is Code.RULE_OPERATOR


def test_what_python_cannot_parse_is_refused_where_it_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules_syntax, "scan", lambda text: None)
    with pytest.raises(Refused) as caught:
        parse("close >\n  open open")
    assert caught.value.code is Code.RULE_SYNTAX
    assert 0 <= caught.value.span.at < 19
    with pytest.raises(Refused) as caught:
        parse("(" * 1_000)
    assert caught.value.code in {Code.RULE_SYNTAX, Code.RULE_TOO_LARGE}


@pytest.mark.parametrize("text", ["-" * 3_000 + "a", "a" + "[1]" * 3_000, "not " * 3_000 + "a"])
def test_what_is_too_deep_for_python_is_refused_by_name(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules_syntax, "scan", lambda text: None)
    with pytest.raises(Refused) as caught:
        parse(text)
    assert caught.value.code is Code.RULE_TOO_LARGE


def test_every_part_of_a_tree_knows_its_place() -> None:
    text = '\n f(a [1], "1h",\n n=-2.50).hist'
    tree = parse(text)
    assert isinstance(tree, Part)
    assert (tree.name, text[tree.name_span.at : tree.name_span.end]) == ("hist", "hist")
    call = tree.value
    assert isinstance(call, Call)
    back, words = call.arguments
    assert back == Back(Span(4, 9), Name(Span(4, 5), "a"), Number(Span(7, 8), "1"))
    assert words == Text(Span(11, 15), "1h")
    ((name, value),) = call.keywords
    assert (name, value) == ("n", Unary(Span(20, 25), "neg", Number(Span(21, 25), "2.50")))
