"""What a call means: indicators and functions of rules, from arguments that are already read.

Lives here: arity, defaults, periods and their bounds, sessions, the kind of what comes out. Must
not live here: how arguments are read, on() and triggers (they read theirs elsewhere).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from trader.core.indicator import Indicator
from trader.core.indicator import Number as NumberOf
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.fields import close_to
from trader.policy.problems import Code, shown
from trader.policy.quantities import decimal_text
from trader.policy.rules_extremes import beyond_itself, never_beyond
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_program import Nodes
from trader.policy.rules_types import (
    BOUNDS,
    KIND_WORDS,
    Type,
    Value,
    clash,
    kind_of,
    type_of_both,
)
from trader.policy.rules_vocabulary import FUNCTIONS
from trader.records import dataclass

STEPS_BACK_MAX = 5_000
SOURCE = "source"
SESSION = "session"
# On which side of b a crossing leaves a.
CROSSINGS = {"crosses_above": "gt", "crosses_below": "lt"}
NOWHERE = Span(0, 1)

Named = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One call: whose, where, with what, and where its nodes belong.

    `timeframe` is that of the nodes ("" the strategy's own), `bar` the name of that timeframe (""
    when a trigger is looked at by itself); `part` the output asked for, with its place.
    """

    name: str
    span: Span
    arguments: tuple[Value, ...]
    keywords: Named
    timeframe: str
    bar: str
    nodes: Nodes
    warn: Callable[[Refused], None]
    part: str = ""
    part_span: Span = NOWHERE

    def refuse(self, message: str, hint: str = "", code: Code = Code.RULE_ARGUMENTS) -> Refused:
        """A refusal of the whole call."""
        return Refused(code, self.span, message, hint)

    def node_of(self, value: Value) -> int:
        """The node of a value, made when it is a bare number."""
        return node_of(self.nodes, value, self.timeframe)

    def add(self, op: str, arguments: Sequence[Value], numbers: Sequence[str] = ()) -> int:
        """A node over values."""
        below = [self.node_of(value) for value in arguments]
        return self.nodes.add(op, self.timeframe, below, numbers)


def node_of(nodes: Nodes, value: Value, timeframe: str) -> int:
    """The node of a value; a bare number becomes one here."""
    if value.node >= 0:
        return value.node
    return nodes.add("number", timeframe, (), (value.number,))


def number_text(value: Value, what: str, span_code: Code = Code.RULE_PERIOD) -> str:
    """A number as the program holds it; `what` names it in messages. Raises Refused."""
    if value.type is not Type.NUMBER:
        say = f"{what} must be a number, not {value.type.value}"
        raise Refused(span_code, value.span, say)
    if not value.number:
        say = f"{what} is computed from a parameter"
        raise Refused(span_code, value.span, say, "give the result a parameter of its own")
    return value.number


def period(value: Value, what: str, least: Decimal, most: Decimal, *, whole: bool) -> str:
    """A number within its bounds, as the program holds it; raises Refused."""
    text = number_text(value, what)
    known = value.known
    assert known is not None
    name = f" ({text[1:]})" if text.startswith("$") else ""
    said = decimal_text(known)
    if whole and known != int(known):
        say = f"{what} must be a whole number, not {said}{name}"
        raise Refused(Code.RULE_PERIOD, value.span, say)
    if not least <= known <= most:
        say = f"{what} is {said}{name}, outside {decimal_text(least)} to {decimal_text(most)}"
        raise Refused(Code.RULE_PERIOD, value.span, say)
    return text


def steps_of(value: Value, what: str, least: int = 1) -> str:
    """A whole number of rows; raises Refused."""
    return period(value, what, Decimal(least), Decimal(STEPS_BACK_MAX), whole=True)


# Indicators ------------------------------------------------------------------------------------


def usage(indicator: Indicator, first: str = "") -> str:
    """How an indicator is written, with its defaults, or another first number."""
    words = ["close" for name in indicator.inputs if name == SOURCE]
    if len(words) > 1:
        words = ["close", "volume", *words[2:]]
    for number in indicator.numbers:
        words.append(first or ("20" if number.default is None else _default(number)))
        first = ""
    if indicator.session:
        words.append('session="1d"')
    part = f".{indicator.outputs[0]}" if indicator.outputs else ""
    return f"{indicator.name}({', '.join(words)}){part}"


def indicator_value(indicator: Indicator, site: Site) -> Value:
    """The series of one output of an indicator; raises Refused."""
    series, rest = _sources(indicator, site)
    numbers, today = _numbers(indicator, site, rest)
    if indicator.session:
        numbers.append(_session(indicator, site, today))
    output = _output(indicator, site)
    index = indicator.outputs.index(output) if output else 0
    text = f"{indicator.name}.{output}" if output else indicator.name
    arguments = [site.node_of(value) for value in series]
    node = site.nodes.add("indicator", site.timeframe, arguments, numbers, text)
    kind = kind_of_line(indicator.kinds[index], series[0].kind if series else "price")
    low, high = BOUNDS.get(text, (None, None))
    return Value(
        Type.SERIES,
        site.span,
        node,
        kind,
        low=None if low is None else Decimal(low),
        high=None if high is None else Decimal(high),
    )


def kind_of_line(declared: str, source: str) -> str:
    """The kind of an indicator's line, which the table declares for prices, on another source."""
    if declared == SOURCE:
        return source
    if declared == "distance" and source != "price":
        # A difference of volumes is one of volumes; that of oscillators runs elsewhere than they.
        return "" if source == "bounded" else source
    return declared


def _sources(indicator: Indicator, site: Site) -> tuple[list[Value], list[Value]]:
    """The series an indicator is computed from, and the arguments behind them."""
    wanted = indicator.inputs.count(SOURCE)
    rest = list(site.arguments)
    series: list[Value] = []
    while rest and len(series) < wanted and rest[0].type is not Type.NUMBER:
        series.append(rest.pop(0))
    named = [value for name, value in site.keywords if name == SOURCE]
    if named and series:
        raise site.refuse(f"the source of {site.name} is given twice")
    series += named if wanted == 1 else []
    for value in series:
        if value.type is not Type.SERIES:
            say = f"{site.name} is computed from a series of numbers, not {value.type.value}"
            raise Refused(Code.RULE_TYPE, value.span, say, f"such as {usage(indicator)}")
    if wanted == 1 and not series:
        node = site.nodes.add("column", site.timeframe, text="close")
        series.append(Value(Type.SERIES, site.span, node, "price"))
    if len(series) < wanted:
        say = f"{site.name} is computed from {wanted} series, not {len(series)}"
        raise site.refuse(say, f"such as {usage(indicator)}")
    return series, rest


def _numbers(
    indicator: Indicator, site: Site, rest: Sequence[Value]
) -> tuple[list[str], list[float]]:
    """Every number of an indicator in its table's order: as text, and what it is today."""
    names = [number.name for number in indicator.numbers]
    given = _given(indicator, site, rest, names)
    texts: list[str] = []
    today: list[float] = []
    for number in indicator.numbers:
        value = given.get(number.name)
        if value is None and number.default is None:
            say = f"{site.name} needs its {number.name}"
            raise site.refuse(say, f"such as {usage(indicator)}")
        bounded = None if value is None else _bounded(indicator.name, number, value)
        texts.append(_default(number) if bounded is None else bounded)
        today.append(_today(number, value))
    why = indicator.relation(today)
    if why:
        raise site.refuse(f"{site.name}: {why}", code=Code.RULE_PERIOD)
    return texts, today


def _given(
    indicator: Indicator, site: Site, rest: Sequence[Value], names: Sequence[str]
) -> dict[str, Value]:
    for value in rest:
        if value.type in {Type.SERIES, Type.BOOLEAN}:
            raise _too_many_series(indicator, value)
    if len(rest) > len(names):
        said = (
            "no number" if not names else "1 number" if len(names) == 1 else f"{len(names)} numbers"
        )
        say = f"{site.name} takes {said}, not {len(rest)}"
        raise site.refuse(say, f"such as {usage(indicator)}")
    given = dict(zip(names, rest, strict=False))
    own = {SESSION} if indicator.session else set[str]()
    own |= {SOURCE} if indicator.inputs.count(SOURCE) == 1 else set()
    for name, value in site.keywords:
        if name in own:
            continue
        if name not in names:
            raise _unknown_argument(site, name, value, [*names, *own])
        if name in given:
            raise Refused(Code.RULE_ARGUMENTS, value.span, f"{name} is given twice")
        given[name] = value
    return given


def _too_many_series(indicator: Indicator, value: Value) -> Refused:
    hint = f"write {usage(indicator)}"
    own = [name for name in indicator.inputs if name != SOURCE]
    if own:
        say = f"{indicator.name} reads {', '.join(own)} by itself"
    else:
        say = f"a number belongs here, not {value.type.value}"
    return Refused(Code.RULE_ARGUMENTS, value.span, say, hint)


def _unknown_argument(site: Site, name: str, value: Value, known: Sequence[str]) -> Refused:
    hint = close_to(name, known) or (f"known here: {', '.join(known)}" if known else "")
    if name == SESSION:
        say, hint = f"{site.name} forgets by itself and takes no session", ""
    else:
        say = f"{site.name} has no argument {shown(name)}"
    return Refused(Code.RULE_ARGUMENTS, value.span, say, hint)


def _default(number: NumberOf) -> str:
    return decimal_text(Decimal(str(number.default)))


def _today(number: NumberOf, value: Value | None) -> float:
    """The number as the indicator gets it, with the parameters at hand."""
    known = Decimal(str(number.default)) if value is None else value.known
    assert known is not None
    return int(known) if number.whole else float(known)


def _bounded(owner: str, number: NumberOf, value: Value) -> str:
    least, most = Decimal(str(number.least)), Decimal(str(number.most))
    return period(value, f"{number.name} of {owner}", least, most, whole=number.whole)


def _session(indicator: Indicator, site: Site, today: Sequence[float]) -> str:
    given = dict(site.keywords).get(SESSION)
    hint = f"write {usage(indicator)}: anew each UTC day"
    if given is None:
        say = f"{site.name} remembers every bar since it started: it needs a session"
        raise site.refuse(say, hint, Code.RULE_SESSION)
    if given.type is not Type.TEXT:
        raise Refused(Code.RULE_SESSION, given.span, "a session is a text in quotes", hint)
    length = TIMEFRAMES_MS.get(given.text, 0)
    if not length:
        say = f"{shown(given.text)} is no session"
        hint = f"one of {', '.join(TIMEFRAMES_MS)}"
        raise Refused(Code.RULE_SESSION, given.span, say, hint)
    if not site.bar:
        return given.text
    rows, left = divmod(length, TIMEFRAMES_MS[site.bar])
    if left or rows < 2:
        say = f"a session of {given.text} does not hold several whole bars of {site.bar}"
        raise Refused(Code.RULE_SESSION, given.span, say)
    first = indicator.first_valid(today) + 1
    if first > rows:
        say = f"a session of {given.text} is {rows} bars; {site.name} is ready on bar {first}"
        raise Refused(Code.RULE_SESSION, given.span, say, "a longer session, or a smaller number")
    return given.text


def _output(indicator: Indicator, site: Site) -> str:
    outputs = indicator.outputs
    if not outputs and site.part:
        say = f"{site.name} has one output and no part called {shown(site.part)}"
        raise Refused(Code.RULE_PART, site.part_span, say, f"write {usage(indicator)}")
    if not outputs or site.part in outputs:
        return site.part
    known = ", ".join(f".{name}" for name in outputs)
    if not site.part:
        say = f"{site.name} has {len(outputs)} outputs: say which"
        hint = f"{known}, such as {usage(indicator)}"
        raise Refused(Code.RULE_PART, site.span, say, hint)
    say = f"{site.name} has no output {shown(site.part)}"
    hint = close_to(site.part, outputs) or f"one of {known}"
    raise Refused(Code.RULE_PART, site.part_span, say, hint)


# Functions -------------------------------------------------------------------------------------


def function_value(site: Site) -> Value:
    """The value of a function that is no indicator; raises Refused."""
    if site.name in {"any", "all"}:
        return _over_rows(site, Type.BOOLEAN, "")
    if site.name in {"rising", "falling"}:
        return _over_rows(site, Type.SERIES, "1")
    for name, value in site.keywords:
        raise _unknown_argument(site, name, value, [])
    for value in site.arguments:
        if not value.is_numeric:
            say = f"{site.name} takes numbers, not {value.type.value}"
            raise Refused(Code.RULE_TYPE, value.span, say, f"such as {FUNCTIONS[site.name]}")
    if site.name == "abs":
        return _absolute(site)
    if site.name in {"min", "max"}:
        return _extreme(site)
    return _crossing(site)


def _arity(site: Site, least: int, most: int) -> None:
    count = len(site.arguments)
    if least <= count <= most:
        return
    said = str(least) if least == most else f"at least {least}"
    things = "value" if said == "1" else "values"
    say = f"{site.name} takes {said} {things}, not {count}"
    raise site.refuse(say, f"such as {FUNCTIONS[site.name]}")


def _over_rows(site: Site, wanted: Type, default: str) -> Value:
    """any, all, rising, falling: one value over the last n rows."""
    values = list(site.arguments)
    for name, value in site.keywords:
        if name != "n":
            raise _unknown_argument(site, name, value, ["n"])
        values.append(value)
    if len(values) == 1 and default:
        steps = default
    elif len(values) == 2:
        steps = steps_of(values[1], f"n of {site.name}")
    else:
        say = f"{site.name} takes a {'condition' if not default else 'series'} and a number of rows"
        raise site.refuse(say, f"such as {FUNCTIONS[site.name]}")
    if values[0].type is not wanted:
        say = f"{site.name} looks at {wanted.value}, not {values[0].type.value}"
        raise Refused(Code.RULE_TYPE, values[0].span, say, f"such as {FUNCTIONS[site.name]}")
    return Value(Type.BOOLEAN, site.span, site.add(site.name, values[:1], [steps]))


def _absolute(site: Site) -> Value:
    _arity(site, 1, 1)
    value = site.arguments[0]
    known = None if value.known is None else abs(value.known)
    if value.is_literal and value.number and known is not None:
        return Value(Type.NUMBER, site.span, number=decimal_text(known), known=known, fixed=True)
    node = site.add("abs", [value])
    return Value(value.type, site.span, node, value.kind, known=known, fixed=value.fixed)


def _extreme(site: Site) -> Value:
    _arity(site, 2, 100)
    best = site.arguments[0]
    for value in site.arguments[1:]:
        best = _extreme_of_two(site, best, value)
    return best


def _extreme_of_two(site: Site, left: Value, right: Value) -> Value:
    kind, mixed = kind_of(site.name, left, right)
    if mixed:
        site.warn(mixture(site.span, f"{site.name} of", left, right))
    known = None
    if left.known is not None and right.known is not None:
        known = (min if site.name == "min" else max)(left.known, right.known)
    if left.is_literal and right.is_literal and left.number and right.number:
        chosen = left if known == left.known else right
        return Value(Type.NUMBER, site.span, number=chosen.number, known=known, fixed=True)
    node = site.add(site.name, [left, right])
    both = type_of_both(left, right)
    return Value(both, site.span, node, kind, known=known, fixed=left.fixed and right.fixed)


def _crossing(site: Site) -> Value:
    _arity(site, 2, 2)
    left, right = site.arguments
    if left.type is Type.NUMBER and right.type is Type.NUMBER:
        say = f"{site.name} of two numbers: they never cross"
        raise site.refuse(say, f"such as {FUNCTIONS[site.name]}", Code.RULE_CONSTANT)
    if clash(left, right):
        site.warn(mixture(site.span, "a crossing of", left, right))
    elif left.node >= 0 and left.node == right.node:
        say = "can never be true: both sides are the same"
        site.warn(Refused(Code.RULE_NEVER, site.span, say))
    elif beyond_itself(site.nodes, CROSSINGS[site.name], left.node, right.node):
        site.warn(never_beyond(site.span))
    return Value(Type.BOOLEAN, site.span, site.add(site.name, [left, right]))


def mixture(span: Span, what: str, left: Value, right: Value) -> Refused:
    """The warning that two kinds do not go together."""
    say = f"{what} {KIND_WORDS[left.kind]} and {KIND_WORDS[right.kind]}"
    return Refused(Code.RULE_UNITS, span, say, "is that what you mean?")
