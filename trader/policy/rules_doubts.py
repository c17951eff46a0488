"""Comparisons that can be evaluated and are probably a mistake: what the warnings say.

Lives here: units that do not go together, floats that are asked to be equal, comparisons whose
outcome is foregone, also where two contradict each other. Must not live here: refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from trader.policy.problems import Code
from trader.policy.quantities import decimal_text
from trader.policy.rules_calls import mixture
from trader.policy.rules_extremes import beyond_itself, never_beyond
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_program import Nodes
from trader.policy.rules_types import KIND_WORDS, MIRRORED, Outcome, Type, Value, clash, outcome_of

Warn = Callable[[Refused], None]
SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/",
    "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "==", "ne": "!=",
}  # fmt: skip


def doubt_comparison(
    warn: Warn, nodes: Nodes, op: str, sides: tuple[Value, Value], span: Span
) -> None:
    """At most one warning about `left op right`."""
    left, right = sides
    outcome = outcome_of(op, left, right)
    if clash(left, right):
        warn(mixture(span, f"{SIGNS[op]} between", left, right))
    elif outcome.always is not None:
        warn(_foregone(outcome, span))
    elif op in {"eq", "ne"}:
        _doubt_equality(warn, op, sides, span)
    elif beyond_itself(nodes, op, left.node, right.node):
        warn(never_beyond(span))
    else:
        _doubt_scale(warn, sides, span)


def _doubt_equality(warn: Warn, op: str, sides: tuple[Value, Value], span: Span) -> None:
    left, right = sides
    numbers = left.type is Type.NUMBER and right.type is Type.NUMBER
    if numbers or "count" in {left.kind, right.kind}:
        return
    say = f"{SIGNS[op]} asks whether computed numbers are equal to the last digit"
    warn(Refused(Code.RULE_EQUALITY, span, say, "use >= or <="))


def _doubt_scale(warn: Warn, sides: tuple[Value, Value], span: Span) -> None:
    """An oscillator of 0 to 100 that is held against a share of 1."""
    for series, number in (sides, sides[::-1]):
        known = number.known if number.is_literal else None
        if known is None or series.high != 100 or not 0 < known < 1:
            continue
        said = decimal_text(known)
        say = f"compares {KIND_WORDS['bounded']} of {series.low} to 100 with {said}"
        warn(Refused(Code.RULE_UNITS, span, say, f"did you mean {decimal_text(100 * known)}"))


def _foregone(outcome: Outcome, span: Span) -> Refused:
    if outcome.always:
        return Refused(Code.RULE_ALWAYS, span, f"is always true: {outcome.why}")
    return Refused(Code.RULE_NEVER, span, f"can never be true: {outcome.why}")


def doubt_conjunction(
    warn: Warn, nodes: Nodes, whole: int, parts: Sequence[int], span: Span
) -> None:
    """A warning when an `and` holds one value above and below numbers that exclude each other.

    `parts` are its operands: what contradicts itself within one of them is told there.
    """
    found = _contradiction(nodes, whole)
    if found and not any(_contradiction(nodes, part) for part in parts):
        warn(Refused(Code.RULE_NEVER, span, f"can never be true: {found}"))


def _contradiction(nodes: Nodes, top: int) -> str:
    """What two comparisons below the same `and` demand of one value, or ""."""
    lows: dict[int, tuple[Decimal, bool]] = {}
    highs: dict[int, tuple[Decimal, bool]] = {}
    # Equal parts are one node: each is looked at once, however often it is named.
    left, seen = [top], {top}
    while left:
        op, _, arguments, _, _ = nodes.rows[left.pop()]
        if op == "and":
            left += [part for part in dict.fromkeys(arguments) if part not in seen]
            seen.update(arguments)
        elif op in {"gt", "ge", "lt", "le"}:
            _demand(nodes, op, arguments, (lows, highs))
    for series in lows.keys() & highs.keys():
        (low, above), (high, below) = lows[series], highs[series]
        if low > high or (low == high and (above or below)):
            return f"one value cannot be above {low} and below {high}"
    return ""


def _demand(
    nodes: Nodes,
    op: str,
    arguments: Sequence[int],
    demands: tuple[dict[int, tuple[Decimal, bool]], dict[int, tuple[Decimal, bool]]],
) -> None:
    """Notes the strictest (bound, whether equal is excluded) of a series against a literal."""
    series, number = arguments
    if nodes.rows[series][0] == "number":
        series, number, op = number, series, MIRRORED[op]
    text = nodes.rows[number][3][0] if nodes.rows[number][0] == "number" else "$"
    if text.startswith("$"):
        return
    up = op in {"gt", "ge"}
    known, bound = demands[0 if up else 1], (Decimal(text), op in {"gt", "lt"})
    known[series] = _tighter(known.get(series, bound), bound, up=up)


def _tighter(a: tuple[Decimal, bool], b: tuple[Decimal, bool], *, up: bool) -> tuple[Decimal, bool]:
    """The bound that leaves less; of equal ones the one that excludes them."""
    if a[0] == b[0]:
        return a[0], a[1] or b[1]
    return a if (a[0] > b[0]) == up else b
