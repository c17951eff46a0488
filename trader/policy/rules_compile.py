"""The rule language's front door: texts -> one plain program, or every problem with its place.

Lives here: what each output must be, and the checks of a whole rule and of the triggers of
signals.yaml by themselves. Must not live here: grammar, types, names; files and lines of YAML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trader.policy.problems import Code
from trader.policy.rules_problems import Refused, RuleProblem, Span, problem_at
from trader.policy.rules_program import NODES_MAX, WRITTEN_MAX, Nodes, Program
from trader.policy.rules_reading import Exhausted, Reader, Scope
from trader.policy.rules_syntax import parse
from trader.policy.rules_triggers import Bound, Number, Trigger, bound_of, parameter_of
from trader.policy.rules_types import KIND_WORDS, Type, Value
from trader.policy.rules_vocabulary import COLUMNS, FUNCTIONS
from trader.records import dataclass

# Outputs that are numbers; every other output (enter, exit, a regime's state) is a condition.
DISTANCES = ("stop", "target", "trail", "trail_from", "break_even")
NUMBERS = ("strength", *DISTANCES)
# And those of the steps of a scale-out: `scale_out_1` ...
STEP_OUTPUT = "scale_out_"
# Programs of equal rules are equal, in whatever order the keys are written.
_ORDER = ("enter", "exit", *NUMBERS)


@dataclass(frozen=True, slots=True)
class RulesResult:
    """What came of some rules.

    Attributes:
        program: the plain program (see `rules_program`), {} when there are problems or no texts.
        problems, warnings: in the order of the texts, then by place.
        used: parameters of the strategy that the rules read.
    """

    program: Program
    problems: tuple[RuleProblem, ...]
    warnings: tuple[RuleProblem, ...]
    used: frozenset[str] = frozenset()


def compile_rules(
    texts: Mapping[str, str],
    *,
    parameters: Mapping[str, Number],
    triggers: Mapping[str, Trigger],
    own_timeframe: str,
) -> RulesResult:
    """The program of a strategy's (or regime's) rules, by output.

    `parameters`: the strategy's numbers by name; the program keeps their names (`$name`), their
    values are used for checks alone. `own_timeframe`: of the strategy's bars, a key of
    `domain.timeframe.TIMEFRAMES_MS`. Never raises for a text.
    """
    names = {name: parameter_of(name, value) for name, value in parameters.items()}
    nodes = Nodes()
    reader = Reader(nodes, own_timeframe, triggers)
    outputs: dict[str, int] = {}
    problems: list[RuleProblem] = []
    warnings: list[RuleProblem] = []
    for output in _ordered(texts):
        scope = Scope(names)
        value = _read(reader, output, texts[output], scope)
        outputs[output] = value.node
        problems += _placed(output, texts[output], scope.problems)
        warnings += _placed(output, texts[output], scope.warnings)
        if any(isinstance(refusal, Exhausted) for refusal in scope.problems):
            break
    if problems or not outputs:
        return RulesResult({}, tuple(problems), tuple(warnings), frozenset(reader.used))
    program = nodes.program(outputs)
    return RulesResult(program, (), tuple(warnings), frozenset(reader.used))


def check_triggers(triggers: Mapping[str, Trigger]) -> RulesResult:
    """Problems and warnings of triggers by themselves, whoever uses them; the program is {}.

    `output` of a problem is the trigger's name, its place is in the trigger's own rule.
    """
    scopes: dict[str, Scope] = {}
    for name, trigger in triggers.items():
        scope = scopes[name] = Scope(_bounds(trigger), trail=(name,))
        taken = _taken(name)
        if taken is not None:
            scope.problems.append(taken)
        else:
            _read_trigger(Reader(Nodes(), "", triggers), trigger.rule, scope)
        # Triggers that write each other out without end take their time; one of them will do.
        if any(isinstance(refusal, Exhausted) for refusal in scope.problems):
            break
    own = _own_problems(scopes)
    problems: list[RuleProblem] = []
    warnings: list[RuleProblem] = []
    for name, refusals in own.items():
        problems += _placed(name, triggers[name].rule, refusals)
        warnings += _placed(name, triggers[name].rule, scopes[name].warnings)
    return RulesResult({}, tuple(problems), tuple(warnings))


def _own_problems(scopes: Mapping[str, Scope]) -> dict[str, list[Refused]]:
    """Problems of each trigger that are not another's already; a cycle is told once."""
    broken = {name for name, scope in scopes.items() if scope.problems}
    cycles: set[frozenset[str]] = set()
    own: dict[str, list[Refused]] = {}
    for name, scope in scopes.items():
        own[name] = []
        for refusal in scope.problems:
            around = frozenset(refusal.way) if refusal.code is Code.RULE_CYCLE else frozenset[str]()
            if name in around and around not in cycles:
                cycles.add(around)
            elif around or refusal.trigger in broken:
                continue
            own[name].append(refusal)
    return own


def _bounds(trigger: Trigger) -> dict[str, Bound]:
    return {name: bound_of(value) for name, value in trigger.parameters.items()}


def _taken(name: str) -> Refused | None:
    """The refusal of a trigger whose name can never be said."""
    if name in COLUMNS or name in FUNCTIONS:
        what = "a column of the bar" if name in COLUMNS else "a function of rules"
        say = f"{name} is {what}"
        return Refused(Code.RULE_NAME, Span(0, 1), say, "give the trigger another name")
    return None


def is_distance(output: str) -> bool:
    """Whether an output is a distance from the price."""
    return output in DISTANCES or output.startswith(STEP_OUTPUT)


def _ordered(texts: Mapping[str, str]) -> list[str]:
    known = [name for name in _ORDER if name in texts]
    return known + [name for name in texts if name not in _ORDER]


def _placed(output: str, text: str, found: Iterable[Refused]) -> list[RuleProblem]:
    """With their places, each once, in the order of the text."""
    placed = [problem_at(output, text, refusal) for refusal in found]
    return sorted(dict.fromkeys(placed), key=lambda problem: (problem.line, problem.column))


def _read(reader: Reader, output: str, text: str, scope: Scope) -> Value:
    """One output's value; what is wrong with it stands in the scope."""
    value = _try(reader, text, scope)
    if value.type is not Type.BAD:
        refusal = _unfit(reader.nodes, output, value)
        if refusal is not None:
            scope.problems.append(refusal)
        elif is_distance(output) and value.kind not in {"", "distance"}:
            scope.warnings.append(_no_distance(output, value))
    return value


def _read_trigger(reader: Reader, text: str, scope: Scope) -> None:
    value = _try(reader, text, scope)
    if value.type is not Type.BAD and not _moves(reader.nodes, value):
        scope.problems.append(_constant(value))


def _try(reader: Reader, text: str, scope: Scope) -> Value:
    try:
        return reader.read(parse(text), scope)
    except Refused as refusal:
        scope.problems.append(refusal)
        return Value(Type.BAD, refusal.span)


def _moves(nodes: Nodes, value: Value) -> bool:
    return value.node >= 0 and nodes.reads_bars(value.node)


def _constant(value: Value, hint: str = "") -> Refused:
    say = f"{value.type.value} that no bar can change"
    return Refused(Code.RULE_CONSTANT, value.span, say, hint)


def _unfit(nodes: Nodes, output: str, value: Value) -> Refused | None:
    """Why a value cannot be this output."""
    wants_number = output in NUMBERS or is_distance(output)
    if value.type is Type.TEXT or wants_number != value.is_numeric:
        wanted = "a series of numbers" if wants_number else "a condition"
        hint = "such as 2 * atr(14)" if wants_number else "such as rsi(14) < 30"
        say = f"{output} must be {wanted}, not {value.type.value}"
        return Refused(Code.RULE_RESULT, value.span, say, hint)
    if not _moves(nodes, value):
        share = is_distance(output)
        return _constant(value, "a share of the price is written 5%" if share else "")
    if len(nodes.below([value.node])) > NODES_MAX:
        say = f"has more than {NODES_MAX} parts when its triggers are written out"
        return Refused(Code.RULE_TOO_LARGE, value.span, say)
    if nodes.written(value.node) > WRITTEN_MAX:
        say = f"has more than {WRITTEN_MAX} parts when its triggers are written out"
        return Refused(Code.RULE_TOO_LARGE, value.span, say)
    return None


def _no_distance(output: str, value: Value) -> Refused:
    hint = "such as 2 * atr(14), or 0.05 * close"
    if value.kind == "price":
        hint = "such as 2 * atr(14), or close - lowest(low, 10)"
    say = f"{output} is a distance from the price; this is {KIND_WORDS[value.kind]}"
    return Refused(Code.RULE_UNITS, value.span, say, hint)
