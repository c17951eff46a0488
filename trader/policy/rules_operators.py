"""What an operator means: arithmetic, comparisons, conditions, steps back; operands are read.

Lives here: types of operands, literals that are worked out at once. Must not live here: the tree,
names, calls; what is doubtful about a comparison (see `rules_doubts`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext

from trader.policy.problems import Code
from trader.policy.quantities import decimal_text
from trader.policy.rules_calls import STEPS_BACK_MAX, mixture, node_of, period
from trader.policy.rules_doubts import SIGNS, doubt_comparison, doubt_conjunction
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_program import Nodes
from trader.policy.rules_scan import DIGITS_MAX, NUMBER_MAX
from trader.policy.rules_types import Type, Value, bad, kind_of, type_of_both
from trader.records import dataclass, replace

_JOINED = "conditions are joined by and, or, not"
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the nodes of one operator go, and its warnings; `span` is the whole expression's."""

    nodes: Nodes
    timeframe: str
    warn: Callable[[Refused], None]
    span: Span

    def add(self, op: str, values: Sequence[Value], numbers: Sequence[str] = ()) -> int:
        """A node over values."""
        below = [node_of(self.nodes, value, self.timeframe) for value in values]
        return self.nodes.add(op, self.timeframe, below, numbers)


def literal(known: Decimal, span: Span) -> Value:
    """A number that is written, or worked out of what is written."""
    return Value(Type.NUMBER, span, number=decimal_text(known), known=known, fixed=True)


def back_value(desk: Desk, value: Value, steps: Value) -> Value:
    """`x[k]`."""
    if value.type not in {Type.SERIES, Type.BOOLEAN}:
        say = f"{value.type.value} has no bar before"
        raise Refused(Code.RULE_TYPE, desk.span, say)
    if steps.known is not None and steps.known < 0:
        say = "a negative number names a bar to come: a rule sees closed bars only"
        raise Refused(Code.RULE_LOOKAHEAD, steps.span, say, "close[1] is the bar before")
    most = Decimal(STEPS_BACK_MAX)
    text = period(steps, "the number of bars back", Decimal(0), most, whole=True)
    return value if text == "0" else replace(value, node=desk.add("back", [value], [text]))


def unary_value(desk: Desk, op: str, value: Value) -> Value:
    """`-x`, `+x`, `not x`."""
    if op == "not" and value.type is not Type.BOOLEAN:
        say = f"not stands before {value.type.value}"
        raise Refused(Code.RULE_TYPE, value.span, say, "it takes a condition, such as rsi(14) < 30")
    if op != "not" and not value.is_numeric:
        say = f"a sign stands before {value.type.value}"
        raise Refused(Code.RULE_TYPE, value.span, say, "it takes a number")
    if op == "pos":
        return value
    known = None if value.known is None else -value.known
    if value.is_literal and value.number and known is not None:
        return literal(known, desk.span)
    kind = "" if value.kind == "price" else value.kind
    node = desk.add(op, [value])
    return Value(value.type, desk.span, node, kind, known=known, fixed=value.fixed)


def binary_value(desk: Desk, op: str, left: Value, right: Value) -> Value:
    """`a + b` and the like."""
    _numeric(op, left, right)
    if op == "div" and right.known == 0:
        named = "" if right.fixed else ": its parameter is 0"
        raise Refused(Code.RULE_DIVISION_BY_ZERO, right.span, f"a division by zero{named}")
    kind, mixed = kind_of(op, left, right)
    if mixed:
        desk.warn(mixture(desk.span, f"{SIGNS[op]} of", left, right))
    known = _computed(op, left.known, right.known)
    if left.is_literal and right.is_literal and known is not None and _is_short(known):
        return literal(known, desk.span)
    both, fixed = type_of_both(left, right), left.fixed and right.fixed
    node = desk.add(op, [left, right])
    return Value(both, desk.span, node, kind, known=known, fixed=fixed)


def _numeric(op: str, *values: Value) -> None:
    for value in values:
        if not value.is_numeric:
            say = f"{SIGNS[op]} takes numbers, not {value.type.value}"
            hint = _JOINED if value.type is Type.BOOLEAN else ""
            raise Refused(Code.RULE_TYPE, value.span, say, hint)


def _computed(op: str, left: Decimal | None, right: Decimal | None) -> Decimal | None:
    """What two known numbers give, with 60 digits."""
    if left is None or right is None:
        return None
    with localcontext(_EXACT):
        if op == "add":
            return left + right
        if op == "sub":
            return left - right
        return left * right if op == "mul" else left / right


def _is_short(known: Decimal) -> bool:
    """Whether a result is a literal that a user could have written."""
    digits = len(decimal_text(known).replace(".", "").lstrip("-"))
    return digits <= DIGITS_MAX and abs(known) <= NUMBER_MAX


def logic_value(desk: Desk, op: str, values: Sequence[Value]) -> Value:
    """`a and b and c`."""
    for value in values:
        if value.type not in {Type.BOOLEAN, Type.BAD}:
            say = f"{op} joins conditions, not {value.type.value}"
            hint = "such as rsi(14) < 30 and close > open"
            raise Refused(Code.RULE_TYPE, value.span, say, hint)
    if any(value.type is Type.BAD for value in values):
        return bad(desk.span)
    whole = values[0]
    for value in values[1:]:
        whole = Value(Type.BOOLEAN, desk.span, desk.add(op, [whole, value]))
    if op == "and":
        parts = [value.node for value in values]
        doubt_conjunction(desk.warn, desk.nodes, whole.node, parts, desk.span)
    return whole


def compared(desk: Desk, ops: Sequence[str], values: Sequence[Value]) -> Value:
    """`a < b <= c`: every pair of neighbours."""
    whole: Value | None = None
    for op, left, right in zip(ops, values, values[1:], strict=False):
        _numeric(op, left, right)
        span = Span(left.span.at, right.span.end)
        if left.is_literal and right.is_literal:
            say = "compares two numbers: no bar can change it"
            raise Refused(Code.RULE_CONSTANT, span, say)
        pair = Value(Type.BOOLEAN, span, desk.add(op, [left, right]))
        doubt_comparison(desk.warn, desk.nodes, op, (left, right), span)
        if whole is None:
            whole = pair
        else:
            whole = Value(Type.BOOLEAN, desk.span, desk.add("and", [whole, pair]))
    assert whole is not None
    doubt_conjunction(desk.warn, desk.nodes, whole.node, (), desk.span)
    return whole
