"""Text of a rule -> a tree of the few shapes that rules have, each with its place.

Lives here: the call of Python's parser (never its evaluator) and the allow-list of what may come
out of it; whatever is not on the list is refused. Must not live here: names, types, meaning.
"""

from __future__ import annotations

import ast
import re

from trader.policy.problems import Code
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_scan import scan
from trader.records import dataclass

DEPTH_MAX = 64
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Number:
    """A plain decimal as written."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes, such as a timeframe."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name by itself."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `+x` or `not x`; op is neg, pos or not."""

    span: Span
    op: str
    value: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    """`a + b` and the like; op is add, sub, mul or div."""

    span: Span
    op: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Compare:
    """`a < b <= c`: one more value than ops."""

    span: Span
    ops: tuple[str, ...]
    values: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """`a and b and c`; op is and or or."""

    span: Span
    op: str
    values: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Back:
    """`x[k]`."""

    span: Span
    value: Tree
    steps: Tree


@dataclass(frozen=True, slots=True)
class Part:
    """`x.name`; `name_span` is where the name stands."""

    span: Span
    value: Tree
    name: str
    name_span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`callee(arguments, name=value)`; the callee is a Name, or a Part in other languages."""

    span: Span
    callee: Tree
    arguments: tuple[Tree, ...]
    keywords: tuple[tuple[str, Tree], ...]


Tree = Number | Text | Name | Unary | Binary | Compare | Logic | Back | Part | Call

_UNARY: dict[type, str] = {ast.USub: "neg", ast.UAdd: "pos", ast.Not: "not"}
_BINARY: dict[type, str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
_COMPARE: dict[type, str] = {
    ast.Gt: "gt", ast.GtE: "ge", ast.Lt: "lt", ast.LtE: "le", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
_LOGIC: dict[type, str] = {ast.And: "and", ast.Or: "or"}


def parse(text: str) -> Tree:
    """The tree of a rule; raises Refused with the first thing that is wrong."""
    scan(text)
    # One line without blanks in front: Python reads line breaks and indentation, rules do not.
    flat = "".join(" " if c in "\t\r\n" else c for c in text).rstrip()
    skipped = len(flat) - len(flat.lstrip())
    try:
        body = ast.parse(flat[skipped:], mode="eval").body
    except SyntaxError as error:
        at = min(max(0, (error.offset or 1) - 1) + skipped, len(flat) - 1)
        say = "the rule cannot be read from here on"
        raise Refused(Code.RULE_SYNTAX, Span(at, at + 1), say) from error
    except (RecursionError, MemoryError) as error:
        raise _too_deep(Span(skipped, len(flat))) from error
    if _depth(body) > DEPTH_MAX:
        raise _too_deep(Span(skipped, len(flat)))
    return _Reader(flat, skipped).tree(body)


def _too_deep(span: Span) -> Refused:
    hint = "put parts of it into triggers of signals.yaml"
    return Refused(Code.RULE_TOO_LARGE, span, f"is nested more than {DEPTH_MAX} deep", hint)


def _depth(body: ast.expr) -> int:
    """Levels of the tree, counted without recursion."""
    level: list[ast.AST] = [body]
    depth = 0
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        level = [node for node in level if isinstance(node, (ast.expr, ast.keyword))]
    return depth


class _Reader:
    """Python's tree -> ours; `flat` is the text, `skipped` what was cut off before it."""

    def __init__(self, flat: str, skipped: int) -> None:
        self.flat = flat
        self.skipped = skipped

    def span(self, node: ast.expr | ast.keyword) -> Span:
        """Where a node stands in the text."""
        end = node.end_col_offset or node.col_offset + 1
        return Span(node.col_offset + self.skipped, end + self.skipped)

    def tree(self, node: ast.expr) -> Tree:
        """The node as a tree of ours; raises Refused for what is not on the list."""
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return Name(self.span(node), node.id)
            case ast.Attribute():
                return self._part(node)
            case ast.Subscript():
                return Back(self.span(node), self.tree(node.value), self.tree(node.slice))
            case ast.Call():
                return self._call(node)
            case _:
                return self._operation(node)

    def _operation(self, node: ast.expr) -> Tree:
        span = self.span(node)
        match node:
            case ast.UnaryOp() if type(node.op) in _UNARY:
                return Unary(span, _UNARY[type(node.op)], self.tree(node.operand))
            case ast.BinOp() if type(node.op) in _BINARY:
                left, right = self.tree(node.left), self.tree(node.right)
                return Binary(span, _BINARY[type(node.op)], left, right)
            case ast.BoolOp():
                values = tuple(self.tree(value) for value in node.values)
                return Logic(span, _LOGIC[type(node.op)], values)
            case ast.Compare() if all(type(op) in _COMPARE for op in node.ops):
                ops = tuple(_COMPARE[type(op)] for op in node.ops)
                values = tuple(self.tree(value) for value in (node.left, *node.comparators))
                return Compare(span, ops, values)
            case _:
                say = f"rules have no {type(node).__name__}"
                raise Refused(Code.RULE_FORBIDDEN, span, say)

    def _constant(self, node: ast.Constant) -> Tree:
        span = self.span(node)
        if isinstance(node.value, str):
            return Text(span, node.value)
        written = self.flat[span.at : span.end]
        if type(node.value) not in {int, float} or not _PLAIN.fullmatch(written):
            raise Refused(Code.RULE_FORBIDDEN, span, f"rules have no {type(node.value).__name__}")
        return Number(span, written)

    def _part(self, node: ast.Attribute) -> Tree:
        whole = self.span(node)
        name = Span(whole.end - len(node.attr), whole.end)
        return Part(whole, self.tree(node.value), node.attr, name)

    def _call(self, node: ast.Call) -> Tree:
        arguments = tuple(self.tree(argument) for argument in node.args)
        keywords: list[tuple[str, Tree]] = []
        for item in node.keywords:
            name = item.arg or ""
            if name in dict(keywords):
                say = f"{name} is given twice"
                raise Refused(Code.RULE_ARGUMENTS, self.span(item), say)
            keywords.append((name, self.tree(item.value)))
        return Call(self.span(node), self.tree(node.func), arguments, tuple(keywords))
