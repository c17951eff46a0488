"""A tree -> nodes of the program, with every problem on the way.

Lives here: what names, operators, steps back, on() and triggers mean. Must not live here: the text
(see `rules_syntax`), what a call of an indicator or function means (see `rules_calls`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from trader.core.indicator_table import INDICATORS
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.fields import close_to
from trader.policy.problems import Code, shown
from trader.policy.rules_calls import Site, function_value, indicator_value, usage
from trader.policy.rules_operators import (
    Desk,
    back_value,
    binary_value,
    compared,
    literal,
    logic_value,
    unary_value,
)
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_program import Nodes
from trader.policy.rules_syntax import (
    Back,
    Binary,
    Call,
    Compare,
    Logic,
    Name,
    Number,
    Part,
    Text,
    Tree,
    Unary,
    parse,
)
from trader.policy.rules_triggers import Bound, Bounds, Trigger, bind, cycle
from trader.policy.rules_types import Type, Value, bad
from trader.policy.rules_vocabulary import COLUMNS, FOREIGN_HOMES, FUNCTIONS, hint_for
from trader.records import dataclass, field, replace

# Levels of sub-expressions, those of the triggers included: what Python's stack can take.
DEPTH_MAX = 80
# Work before equal nodes are joined: bounds triggers that name each other over and over.
STEPS_MAX = 3_000
PROBLEMS_MAX = 20
_NUMBERED = re.compile(r"([a-z_]+?)_?([1-9][0-9]{0,3})")


class Exhausted(Refused):
    """A bound of the whole rule is passed: nothing more is read."""


@dataclass(slots=True)
class Scope:
    """Where a sub-expression is read.

    Attributes:
        names: parameters that can be named. timeframe: of the nodes, "" for the strategy's own.
        trail: triggers being read, outermost first. problems, warnings: found so far.
    """

    names: Mapping[str, Bound]
    timeframe: str = ""
    trail: tuple[str, ...] = ()
    problems: list[Refused] = field(default_factory=list[Refused])
    warnings: list[Refused] = field(default_factory=list[Refused])


class Reader:
    """Reads trees into one set of nodes; `bar` is the strategy's timeframe ("" not known)."""

    def __init__(self, nodes: Nodes, bar: str, triggers: Mapping[str, Trigger]) -> None:
        self.nodes = nodes
        self.bar = bar
        self.triggers = triggers
        self.used: set[str] = set()
        self._depth = 0
        self._steps = 0
        self._read: dict[tuple[str, Bounds, str], tuple[Value, list[Refused]]] = {}

    def read(self, tree: Tree, scope: Scope) -> Value:
        """The value of a tree; what is wrong is noted in the scope and gives a BAD value."""
        try:
            return self._value(tree, scope)
        except Exhausted:
            raise
        except Refused as refusal:
            if len(scope.problems) < PROBLEMS_MAX:
                scope.problems.append(refusal)
            return bad(tree.span)

    def _value(self, tree: Tree, scope: Scope) -> Value:
        self._step(tree.span)
        self._depth += 1
        try:
            value = self._shape(tree, scope)
            return value if value.span == tree.span else replace(value, span=tree.span)
        finally:
            self._depth -= 1

    def _step(self, span: Span) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            say = f"has more than {STEPS_MAX} parts when its triggers are written out"
            raise Exhausted(Code.RULE_TOO_LARGE, span, say)
        if self._depth >= DEPTH_MAX:
            say = f"is nested more than {DEPTH_MAX} deep when its triggers are written out"
            raise Exhausted(Code.RULE_TOO_LARGE, span, say)

    def _shape(self, tree: Tree, scope: Scope) -> Value:
        match tree:
            case Number():
                return literal(Decimal(tree.text), tree.span)
            case Text():
                return Value(Type.TEXT, tree.span, text=tree.text)
            case Name():
                return self._name(tree, scope)
            case Part():
                return self._part(tree, scope)
            case Call():
                return self._call(tree, scope)
            case Back() if isinstance(tree.steps, Text):
                say = "a number of bars belongs between [ and ]"
                hint = self._method_hint(tree.steps.text)
                raise Refused(Code.RULE_TYPE, tree.steps.span, say, hint)
            case _:
                return self._operation(tree, scope)

    # Names -------------------------------------------------------------------------------------

    def _name(self, tree: Name, scope: Scope) -> Value:
        name = tree.name
        bound = scope.names.get(name)
        other = "a column of the bar" if name in COLUMNS else "a trigger"
        if bound is not None and (name in COLUMNS or name in self.triggers):
            say = f"{name} is {other} and a parameter"
            raise Refused(Code.RULE_NAME, tree.span, say, "give the parameter another name")
        if name in COLUMNS:
            node = self.nodes.add("column", scope.timeframe, text=name)
            return Value(Type.SERIES, tree.span, node, COLUMNS[name])
        if bound is not None:
            self._use(bound)
            return Value(Type.NUMBER, tree.span, number=bound.number, known=bound.known)
        if name in self.triggers:
            return self._trigger(name, tree.span, (), (), scope)
        if name in INDICATORS:
            hint = f"write {usage(INDICATORS[name])}"
            raise Refused(Code.RULE_NAME, tree.span, f"{name} by itself is no value", hint)
        if name in FUNCTIONS:
            say = f"{name} is a function"
            raise Refused(Code.RULE_NAME, tree.span, say, f"such as {FUNCTIONS[name]}")
        raise self._unknown(name, tree.span, scope)

    def _use(self, bound: Bound) -> None:
        if bound.number.startswith("$"):
            self.used.add(bound.number[1:])

    def _unknown(self, name: str, span: Span, scope: Scope) -> Refused:
        known = [*COLUMNS, *scope.names, *self.triggers, *FUNCTIONS, *INDICATORS]
        say = f"nothing here is called {shown(name)}"
        # Elsewhere ema_20 is a column that somebody computed before.
        column = _NUMBERED.fullmatch(name.lower())
        indicator = INDICATORS.get(column.group(1)) if column else None
        if column and indicator and indicator.numbers:
            hint = f"write {usage(indicator, column.group(2))}"
            return Refused(Code.RULE_NAME, span, say, hint)
        return Refused(Code.RULE_NAME, span, say, hint_for(name, known))

    def _part(self, tree: Part, scope: Scope) -> Value:
        if isinstance(tree.value, Call) and isinstance(tree.value.callee, Name):
            call, name = tree.value, tree.value.callee.name
            positional = bool(call.arguments)
            if name in INDICATORS and (positional or name not in self.triggers):
                return self._indicator(call, name, scope, tree)
        if isinstance(tree.value, Name):
            raise self._part_of_name(tree, tree.value.name, scope)
        value = self.read(tree.value, scope)
        if value.type is Type.BAD:
            return value
        say = f"{value.type.value} has no part called {shown(tree.name)}"
        raise Refused(Code.RULE_PART, tree.name_span, say, self._method_hint(tree.name))

    def _part_of_name(self, tree: Part, home: str, scope: Scope) -> Refused:
        if home in INDICATORS:
            hint = f"write {usage(INDICATORS[home])}"
            return Refused(Code.RULE_NAME, tree.value.span, f"{home} is called with ( )", hint)
        if home in COLUMNS or home in scope.names or home in self.triggers:
            say = f"{home} has no part called {shown(tree.name)}"
            return Refused(Code.RULE_PART, tree.name_span, say, self._method_hint(tree.name))
        if home.lower() in FOREIGN_HOMES:
            say = f"rules know no {home}: names stand by themselves"
            return Refused(Code.RULE_NAME, tree.span, say, self._method_hint(tree.name))
        return self._unknown(home, tree.value.span, scope)

    def _method_hint(self, name: str) -> str:
        hint = hint_for(name, [*COLUMNS, *FUNCTIONS, *INDICATORS])
        if name in INDICATORS:
            return f"write {usage(INDICATORS[name])}"
        if name in FUNCTIONS:
            return f"write {FUNCTIONS[name]}"
        return f"write {name}" if name in COLUMNS else hint

    # Calls -------------------------------------------------------------------------------------

    def _call(self, tree: Call, scope: Scope) -> Value:
        if not isinstance(tree.callee, Name):
            raise self._method(tree, scope)
        name = tree.callee.name
        if name == "on":
            return self._on(tree, scope)
        if name in self.triggers and not (name in INDICATORS and tree.arguments):
            named = tuple((key, self.read(value, scope)) for key, value in tree.keywords)
            if any(value.type is Type.BAD for _, value in named):
                return bad(tree.span)
            return self._trigger(name, tree.span, tree.arguments, named, scope)
        if name in INDICATORS:
            return self._indicator(tree, name, scope, None)
        if name in FUNCTIONS:
            site = self._site(tree, name, scope, None)
            return bad(tree.span) if site is None else function_value(site)
        if name in COLUMNS or name in scope.names:
            what = "a column of the bar" if name in COLUMNS else "a parameter"
            hint = f"{name}[1] is the bar before" if name in COLUMNS else f"write {name}"
            raise Refused(Code.RULE_NAME, tree.callee.span, f"{name} is {what}, no function", hint)
        raise self._unknown(name, tree.callee.span, scope)

    def _method(self, tree: Call, scope: Scope) -> Refused:
        """The refusal of `x.shift(1)` and the like."""
        assert isinstance(tree.callee, Part)
        part = tree.callee
        if part.name == "shift" and _is_negative(tree):
            say = "a negative shift would be a bar to come: a rule sees closed bars only"
            return Refused(Code.RULE_LOOKAHEAD, tree.span, say, "close[1] is the bar before")
        home = part.value.name if isinstance(part.value, Name) else ""
        if home and not self._is_known(home, scope) and home.lower() not in FOREIGN_HOMES:
            return self._unknown(home, part.value.span, scope)
        say = f"nothing here has a method {shown(part.name)}"
        if home.lower() in FOREIGN_HOMES:
            say = f"rules know no {home}: names stand by themselves"
        return Refused(Code.RULE_NAME, part.span, say, self._method_hint(part.name))

    def _is_known(self, name: str, scope: Scope) -> bool:
        places = (COLUMNS, scope.names, self.triggers, INDICATORS, FUNCTIONS)
        return any(name in place for place in places)

    def _site(self, tree: Call, name: str, scope: Scope, part: Part | None) -> Site | None:
        """A call with its arguments read; None when one of them is refused."""
        arguments = tuple(self.read(argument, scope) for argument in tree.arguments)
        named = tuple((key, self.read(value, scope)) for key, value in tree.keywords)
        if any(value.type is Type.BAD for value in (*arguments, *(v for _, v in named))):
            return None
        site = Site(
            name,
            tree.span,
            arguments,
            named,
            scope.timeframe,
            scope.timeframe or self.bar,
            self.nodes,
            scope.warnings.append,
        )
        return site if part is None else replace(site, part=part.name, part_span=part.name_span)

    def _indicator(self, tree: Call, name: str, scope: Scope, part: Part | None) -> Value:
        site = self._site(tree, name, scope, part)
        return bad(tree.span) if site is None else indicator_value(INDICATORS[name], site)

    def _on(self, tree: Call, scope: Scope) -> Value:
        if len(tree.arguments) != 2 or tree.keywords:
            say = "on takes a timeframe and what is seen there"
            raise Refused(Code.RULE_ARGUMENTS, tree.span, say, f"such as {FUNCTIONS['on']}")
        timeframe = self._timeframe(tree.arguments[0])
        if scope.timeframe:
            say = f'on("{timeframe}", ...) inside on("{scope.timeframe}", ...)'
            raise Refused(Code.RULE_NESTED_ON, tree.span, say, "write them side by side")
        inner = replace(scope, timeframe=timeframe)
        value = self.read(tree.arguments[1], inner)
        if value.type is Type.BAD:
            return value
        if value.type not in {Type.SERIES, Type.BOOLEAN}:
            say = f"on looks at a series or a condition, not {value.type.value}"
            raise Refused(Code.RULE_TYPE, tree.arguments[1].span, say, f"such as {FUNCTIONS['on']}")
        node = self.nodes.add("on", "", (value.node,), (), timeframe)
        return replace(value, node=node)

    def _timeframe(self, tree: Tree) -> str:
        known = ", ".join(TIMEFRAMES_MS)
        if not isinstance(tree, Text):
            hint = f"such as {FUNCTIONS['on']}"
            say = "the timeframe of on is a text in quotes"
            raise Refused(Code.RULE_TIMEFRAME, tree.span, say, hint)
        step_ms = TIMEFRAMES_MS.get(tree.text)
        if step_ms is None:
            hint = close_to(tree.text, TIMEFRAMES_MS) or f"one of {known}"
            say = f"{shown(tree.text)} is not a timeframe"
            raise Refused(Code.RULE_TIMEFRAME, tree.span, say, hint)
        own_ms = TIMEFRAMES_MS[self.bar] if self.bar else 0
        if step_ms == own_ms:
            say = f"{tree.text} is the strategy's own timeframe"
            raise Refused(Code.RULE_TIMEFRAME, tree.span, say, "write it without on()")
        if own_ms and (step_ms < own_ms or step_ms % own_ms):
            say = f"a bar of {tree.text} does not hold whole bars of {self.bar}"
            hint = "on() looks at a higher timeframe than the strategy's"
            raise Refused(Code.RULE_TIMEFRAME, tree.span, say, hint)
        return tree.text

    def _trigger(
        self,
        name: str,
        span: Span,
        arguments: tuple[Tree, ...],
        named: tuple[tuple[str, Value], ...],
        scope: Scope,
    ) -> Value:
        round_trip = cycle(scope.trail, name, span)
        if round_trip is not None:
            raise round_trip
        bounds = bind(name, self.triggers[name], span, len(arguments), named)
        key = (name, bounds, scope.timeframe)
        if key not in self._read:
            inner = Scope(dict(bounds), scope.timeframe, (*scope.trail, name))
            self._read[key] = (self._body(name, inner, span), inner.problems)
        value, problems = self._read[key]
        if problems:
            raise problems[0].inside(name, span)
        return value

    def _body(self, name: str, inner: Scope, span: Span) -> Value:
        """The value of a trigger's rule; what is wrong stands in the scope."""
        try:
            return self.read(parse(self.triggers[name].rule), inner)
        except Exhausted as refusal:
            raise Exhausted(refusal.code, span, refusal.message, refusal.hint) from refusal
        except Refused as refusal:
            inner.problems.append(refusal)
            return bad(span)

    # Operators ---------------------------------------------------------------------------------

    def _operation(self, tree: Unary | Binary | Compare | Logic | Back, scope: Scope) -> Value:
        below = _operands(tree)
        values = [self.read(value, scope) for value in below]
        desk = Desk(self.nodes, scope.timeframe, scope.warnings.append, tree.span)
        if isinstance(tree, Logic):
            # What is no condition is said of each operand, also beside one that is refused.
            return logic_value(desk, tree.op, values)
        if any(value.type is Type.BAD for value in values):
            return bad(tree.span)
        match tree:
            case Unary():
                return unary_value(desk, tree.op, values[0])
            case Binary():
                return binary_value(desk, tree.op, values[0], values[1])
            case Compare():
                return compared(desk, tree.ops, values)
            case Back():
                return back_value(desk, values[0], values[1])


def _operands(tree: Unary | Binary | Compare | Logic | Back) -> tuple[Tree, ...]:
    match tree:
        case Unary():
            return (tree.value,)
        case Binary():
            return (tree.left, tree.right)
        case Back():
            return (tree.value, tree.steps)
        case Compare() | Logic():
            return tree.values


def _is_negative(tree: Call) -> bool:
    given = (*tree.arguments, *(value for _, value in tree.keywords))
    return any(isinstance(value, Unary) and value.op == "neg" for value in given)
