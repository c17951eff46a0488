"""Rules: a plain program bound to numbers, ready to be evaluated over rows.

Lives here: what a checked rule means. `bind` turns the program that the policy holds (see
`policy.rules_program`: nodes in order, equal sub-expressions once) into nodes with their kernels,
numbers and warm-up; `fill` computes rows of one node from rows of its arguments. Pure and causal:
no kernel can name a row to come. Must not live here: text and syntax (policy), which rows are
evaluated (`frames`), what is done with an answer (`signals`).

Warm-up of a node is what its own kernel needs plus the most that its arguments need. A program's,
per timeframe, is that of its nodes, rounded up to `WARMUP_STEP` rows: strategies whose windows
start on the same bar share what they compute.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, TypeAlias

from trader.core import rule_kernels as kernels
from trader.core.indicator import Indicator
from trader.core.rule_kernels import Flags, Floats
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.records import dataclass, field, replace

WARMUP_STEP = 64
Column: TypeAlias = "Floats | Flags"
Fill = Callable[..., Any]

PLAIN_COLUMNS = ("open", "high", "low", "close", "volume")
MEANS: dict[str, tuple[Fill, tuple[str, ...]]] = {
    "hl2": (kernels.mean2_rows, ("high", "low")),
    "hlc3": (kernels.mean3_rows, ("high", "low", "close")),
    "ohlc4": (kernels.mean4_rows, ("open", "high", "low", "close")),
}
# op -> kernel, whether its arguments are conditions, whether its result is one, whether they swap.
UNARY: dict[str, tuple[Fill, bool]] = {
    "neg": (kernels.neg_rows, False),
    "abs": (kernels.abs_rows, False),
    "not": (kernels.not_rows, True),
}
BINARY: dict[str, tuple[Fill, bool, bool, bool]] = {
    "add": (kernels.add_rows, False, False, False),
    "sub": (kernels.sub_rows, False, False, False),
    "mul": (kernels.mul_rows, False, False, False),
    "div": (kernels.div_rows, False, False, False),
    "min": (kernels.min_rows, False, False, False),
    "max": (kernels.max_rows, False, False, False),
    "gt": (kernels.gt_rows, False, True, False),
    "ge": (kernels.ge_rows, False, True, False),
    "lt": (kernels.gt_rows, False, True, True),
    "le": (kernels.ge_rows, False, True, True),
    "eq": (kernels.eq_rows, False, True, False),
    "ne": (kernels.ne_rows, False, True, False),
    "and": (kernels.and_rows, True, True, False),
    "or": (kernels.or_rows, True, True, False),
}
CROSSES = ("crosses_above", "crosses_below")
COUNTED: dict[str, tuple[Fill, bool]] = {
    "rising": (kernels.rising_rows, False),
    "falling": (kernels.falling_rows, False),
    "any": (kernels.any_rows, True),
    "all": (kernels.all_rows, True),
}
SIGNS = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "gt": ">", "ge": ">=", "lt": "<", "le": "<=",
    "eq": "==", "ne": "!=", "and": "and", "or": "or",
}  # fmt: skip
UNARY_SIGNS = {"neg": "(-", "abs": "abs(", "not": "(not "}
CONDITIONS = frozenset({"enter", "exit"})


class RuleError(ValueError):
    """A program that cannot be evaluated with these numbers; says which node and why."""


@dataclass(frozen=True, slots=True)
class Node:
    """One sub-expression, bound.

    Attributes:
        op: as in the program. place: index into the program's frames, 0 is the strategy's own.
        args: indices of nodes, in the kernel's order. form: how the kernel is called (see `fill`).
        kernel: fills rows. flags: whether the rows are a condition.
        number, whole: what the kernel takes besides. columns: those of the bars that it reads.
        indicator, numbers: of an indicator. lines: keys of what one call computes together, its
            own among them; () for a node alone. below: keys of its arguments.
        key: equal keys over equal rows have equal values. text: the expression, for people.
        warmup: rows before a row after which where the series starts no longer matters.
        exact: whether that is so to the last bit (nothing below fades).
    """

    op: str
    place: int
    form: str
    kernel: Fill
    text: str
    key: str
    args: tuple[int, ...] = ()
    flags: bool = False
    warmup: int = 0
    exact: bool = True
    number: float = 0.0
    whole: int = 0
    columns: tuple[str, ...] = ()
    indicator: Indicator | None = None
    numbers: tuple[float | int, ...] = ()
    lines: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One timeframe of a program: its name, length, warm-up in its own rows, whether all of its
    nodes are exact, and the nodes to fill, arguments first."""

    timeframe: str
    step_ms: int
    warmup: int
    exact: bool
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """A program bound to numbers: `frames[0]` is the strategy's own timeframe."""

    nodes: tuple[Node, ...]
    outputs: Mapping[str, int]
    frames: tuple[Frame, ...]

    def below(self, index: int) -> list[int]:
        """A node and all that it is computed from, arguments first."""
        found = {index}
        for i in range(index, -1, -1):
            if i in found:
                found.update(self.nodes[i].args)
        return sorted(found)


def bind(
    program: Mapping[str, Any], numbers: Mapping[str, float | int], timeframe: str, step_ms: int
) -> Bound:
    """The program with its parameters put in, on a strategy's timeframe.

    Raises RuleError when it is malformed or a number is out of an indicator's bounds.
    """
    binder = _Binder(numbers, timeframe, step_ms)
    try:
        for row in program["nodes"]:
            binder.add(*row)
        outputs = {str(name): int(index) for name, index in program["outputs"].items()}
        _check_outputs(outputs, binder.nodes)
    except RuleError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RuleError(f"malformed: {type(error).__name__} {error}") from error
    frames = binder.frames()
    return Bound(tuple(_keyed(binder.nodes, frames)), outputs, frames)


_KNOWN: dict[int, tuple[Mapping[str, Any], dict[Any, Bound]]] = {}
_KNOWN_MAX = 256


def bound_of(
    program: Mapping[str, Any], numbers: Mapping[str, float | int], timeframe: str, step_ms: int
) -> Bound:
    """`bind`, remembered: a program is plain data that nobody changes, and is bound once."""
    kept = _KNOWN.get(id(program))
    if kept is None or kept[0] is not program:
        if len(_KNOWN) >= _KNOWN_MAX:
            _KNOWN.clear()
        kept = _KNOWN[id(program)] = (program, {})
    key = (timeframe, step_ms, tuple(sorted(numbers.items())))
    found = kept[1].get(key)
    if found is None:
        if len(kept[1]) >= _KNOWN_MAX:
            kept[1].clear()
        found = kept[1][key] = bind(program, numbers, timeframe, step_ms)
    return found


def _check_outputs(outputs: Mapping[str, int], nodes: Sequence[Node]) -> None:
    for name, index in outputs.items():
        if not 0 <= index < len(nodes) or nodes[index].place:
            raise RuleError(f"output {name} is no node of the strategy's own timeframe")
        if name in CONDITIONS and not nodes[index].flags:
            raise RuleError(f"output {name} is no condition")


@dataclass(slots=True)
class _Binder:
    """A program being bound; nodes come with their arguments before them."""

    own: Mapping[str, float | int]
    timeframe: str
    step_ms: int
    nodes: list[Node] = field(default_factory=list[Node])
    names: list[str] = field(default_factory=lambda: [""])

    def add(
        self, op: str, timeframe: str, args: Sequence[int], numbers: Sequence[str], text: str
    ) -> None:
        """One row of the program."""
        index = len(self.nodes)
        if any(not 0 <= i < index for i in args):
            raise RuleError(f"node {index} ({op}): an argument does not come before it")
        if timeframe and timeframe not in TIMEFRAMES_MS:
            raise RuleError(f"timeframe {timeframe!r} is not known")
        if timeframe not in self.names:
            self.names.append(timeframe)
        place = self.names.index(timeframe)
        below = [self.nodes[i] for i in args]
        if op == "on":
            self.nodes.append(self._on(place, tuple(args), below, text))
            return
        if any(node.place != place for node in below):
            raise RuleError(f"node {index} ({op}): mixes timeframes without on()")
        self.nodes.append(self._plain(op, place, tuple(args), below, numbers, text))

    def _plain(
        self,
        op: str,
        place: int,
        args: tuple[int, ...],
        below: list[Node],
        numbers: Sequence[str],
        text: str,
    ) -> Node:
        """A node of one timeframe."""
        if op == "column":
            return self._column(place, text)
        if op == "number":
            value = self._number(numbers[0])
            told = _told(value)
            return Node(op, place, "number", kernels.number_rows, told, told, number=float(value))
        if op == "indicator":
            return self._indicator(place, args, below, numbers, text)
        if op in UNARY:
            kernel, takes_flags = UNARY[op]
            _check(op, below, 1, flags=takes_flags)
            told = f"{UNARY_SIGNS[op]}{below[0].text})"
            node = Node(op, place, "unary", kernel, told, told, flags=takes_flags)
            return _over(node, args, below)
        if op in BINARY:
            return _binary(op, place, args, below)
        if op in CROSSES:
            return _crossing(op, place, args, below)
        if op == "back":
            flags = below[0].flags
            _check(op, below, 1, flags=flags)
            kernel = kernels.back_flags if flags else kernels.back_rows
            k = self._whole(op, numbers[0], 0)
            told = f"{below[0].text}[{k}]"
            node = Node(op, place, "whole", kernel, told, told, flags=flags, whole=k)
            return _over(node, args, below, k)
        if op in COUNTED:
            kernel, takes_flags = COUNTED[op]
            _check(op, below, 1, flags=takes_flags)
            n = self._whole(op, numbers[0], 1)
            told = f"{op}({below[0].text}, {n})"
            node = Node(op, place, "whole", kernel, told, told, flags=True, whole=n)
            return _over(node, args, below, n - 1 if takes_flags else n)
        raise RuleError(f"operator {op!r} is not known")

    def _column(self, place: int, text: str) -> Node:
        if text in MEANS:
            kernel, columns = MEANS[text]
            return Node("column", place, "mean", kernel, text, text, columns=columns)
        if text not in PLAIN_COLUMNS:
            raise RuleError(f"column {text!r} is not known")
        return Node("column", place, "column", kernels.back_rows, text, text, columns=(text,))

    def _indicator(
        self,
        place: int,
        args: tuple[int, ...],
        below: list[Node],
        numbers: Sequence[str],
        text: str,
    ) -> Node:
        # Loading every kernel takes half as long as starting the interpreter: rules pay for it.
        from trader.core.indicator_table import INDICATORS

        name, _, output = text.partition(".")
        indicator = INDICATORS.get(name)
        if indicator is None:
            raise RuleError(f"indicator {name!r} is not known")
        _check(name, below, indicator.inputs.count("source"), flags=False)
        if (output or indicator.outputs) and output not in indicator.outputs:
            raise RuleError(f"{name} has no output {output!r}")
        values, session_rows, words = self._numbers(indicator, numbers, self._step_ms(place))
        words = [*(one.text for one in below), *words]
        run = f"{name}({', '.join(words)})"
        own = indicator.warmup(values[:-1] if indicator.session else values, session_rows)
        told = run + (f".{output}" if output else "")
        node = Node("indicator", place, "indicator", indicator.kernel, told, told)
        node = _over(node, args, below, own)
        exact = node.exact and indicator.memory == "finite"
        lines = tuple(f"{run}.{name}" for name in indicator.outputs) or (run,)
        return replace(node, indicator=indicator, numbers=values, lines=lines, exact=exact)

    def _numbers(
        self, indicator: Indicator, numbers: Sequence[str], step_ms: int
    ) -> tuple[tuple[float | int, ...], int, list[str]]:
        """(numbers as the kernel takes them, rows of its session, numbers as text)."""
        own = list(numbers)
        session = own.pop() if indicator.session and own else ""
        if len(own) != len(indicator.numbers):
            raise RuleError(f"{indicator.name} takes {len(indicator.numbers)} numbers")
        values: list[float | int] = [
            self._whole(indicator.name, text, 0) if number.whole else self._number(text)
            for text, number in zip(own, indicator.numbers, strict=True)
        ]
        if why := indicator.problem(values):
            raise RuleError(why)
        told = [_told(value) for value in values]
        if not indicator.session:
            return tuple(values), 0, told
        session_ms = TIMEFRAMES_MS.get(session, 0)
        if not session_ms or session_ms % step_ms:
            raise RuleError(f"{indicator.name}: a session of {session!r} is not made of its bars")
        return (*values, session_ms), session_ms // step_ms, [*told, f'"{session}"']

    def _on(self, place: int, args: tuple[int, ...], below: list[Node], text: str) -> Node:
        if place or len(below) != 1 or text not in TIMEFRAMES_MS:
            raise RuleError(f"on({text!r}) is not one expression seen from the strategy's bars")
        if self.names[below[0].place] != text:
            raise RuleError(f"on({text!r}): the expression is of another timeframe")
        kernel = kernels.spread_flags if below[0].flags else kernels.spread_rows
        told = f'on("{text}", {below[0].text})'
        flags, exact = below[0].flags, below[0].exact
        return Node("on", 0, "on", kernel, told, told, args, flags=flags, exact=exact)

    def frames(self) -> tuple[Frame, ...]:
        """The timeframes, the strategy's own first."""
        made: list[Frame] = []
        for place, name in enumerate(self.names):
            order = tuple(i for i, node in enumerate(self.nodes) if node.place == place)
            most = max((self.nodes[i].warmup for i in order), default=0)
            warmup = -(-most // WARMUP_STEP) * WARMUP_STEP
            exact = all(self.nodes[i].exact for i in order)
            timeframe = name or self.timeframe
            made.append(Frame(timeframe, self._step_ms(place), warmup, exact, order))
        return tuple(made)

    def _step_ms(self, place: int) -> int:
        return TIMEFRAMES_MS[self.names[place]] if place else self.step_ms

    def _number(self, text: str) -> float | int:
        value: float | int = self.own[text[1:]] if text.startswith("$") else float(text)
        if not isfinite(value):
            raise RuleError(f"{text} is not a finite number")
        return value

    def _whole(self, op: str, text: str, least: int) -> int:
        value = self._number(text)
        if value != int(value) or value < least:
            raise RuleError(f"{op}: {text} is not a whole number from {least} on")
        return int(value)


def _over(node: Node, args: tuple[int, ...], below: Sequence[Node], own: int = 0) -> Node:
    """The node with its arguments, whose warm-up comes before its own."""
    warmup = own + max((one.warmup for one in below), default=0)
    exact = all(one.exact for one in below)
    return replace(node, args=args, warmup=warmup, exact=exact)


def _binary(op: str, place: int, args: tuple[int, ...], below: list[Node]) -> Node:
    kernel, takes_flags, flags, swapped = BINARY[op]
    _check(op, below, 2, flags=takes_flags)
    a, b = below[0].text, below[1].text
    told = f"({a} {SIGNS[op]} {b})" if op in SIGNS else f"{op}({a}, {b})"
    order = (args[1], args[0]) if swapped else args
    return _over(Node(op, place, "binary", kernel, told, told, flags=flags), order, below)


def _crossing(op: str, place: int, args: tuple[int, ...], below: list[Node]) -> Node:
    """One of the two crosses of a pair of series, which are computed together."""
    _check(op, below, 2, flags=False)
    lines = tuple(f"{name}({below[0].text}, {below[1].text})" for name in CROSSES)
    told = lines[CROSSES.index(op)]
    node = Node(op, place, "crosses", kernels.crosses_rows, told, told, flags=True, lines=lines)
    return _over(node, args, below, 1)


def _check(op: str, below: Sequence[Node], count: int, *, flags: bool) -> None:
    if len(below) != count:
        raise RuleError(f"{op} takes {count} arguments, not {len(below)}")
    if any(node.flags != flags for node in below):
        raise RuleError(f"{op} takes {'conditions' if flags else 'numbers'}")


def _told(value: float) -> str:
    text = repr(float(value))
    return text.removesuffix(".0")


def _keyed(nodes: Sequence[Node], frames: Sequence[Frame]) -> list[Node]:
    """Nodes with the keys of their arguments. Keys of on() are completed by the warm-up of the
    frame they look into, because it is part of what they mean."""
    made: list[Node] = []
    for node in nodes:
        below = [made[i] for i in node.args]
        key, lines = node.key, node.lines
        if node.op == "on":
            key = f"{node.text} from {frames[below[0].place].warmup}"
        elif any(one.key != one.text for one in below):
            of = " of " + "; ".join(one.key for one in below)
            key, lines = key + of, tuple(line + of for line in lines)
        keys = tuple(one.key for one in below)
        made.append(replace(node, key=key, lines=lines, below=keys))
    return made


# --- filling rows --------------------------------------------------------------------------------


def new_column(node: Node, rows: int) -> array[Any]:
    """Where a node's rows go; what is in it before it is filled counts for nothing."""
    return array("b", bytes(rows)) if node.flags else array("d", bytes(8 * rows))


def new_state(node: Node) -> array[float] | None:
    """What an indicator remembers from row to row, at row 0; None for anything else."""
    if node.indicator is None:
        return None
    own = node.numbers[:-1] if node.indicator.session else node.numbers
    return node.indicator.new_state(own)


def fill(
    node: Node, bars: Any, args: Sequence[Column], outs: Sequence[Column], start: int, stop: int,
    state: array[float] | None,
) -> None:  # fmt: skip
    """Rows [start, stop) of a node from rows [0, stop) of its arguments and of the bars.

    `outs` is one column, or one for each of the node's lines. `state` is what `new_state` gave,
    carried from call to call; None for anything else. A plain column and on() are not filled
    here: `frames` has them.
    """
    form = node.form
    if form == "binary":
        node.kernel(args[0], args[1], outs[0], start, stop)
    elif form == "indicator":
        inputs = _inputs(node, bars, args)
        node.kernel(*inputs, *node.numbers, *outs, start, stop, state)
    elif form == "crosses":
        node.kernel(args[0], args[1], outs[0], outs[1], start, stop)
    elif form == "whole":
        node.kernel(args[0], node.whole, outs[0], start, stop)
    elif form == "unary":
        node.kernel(args[0], outs[0], start, stop)
    elif form == "number":
        node.kernel(node.number, outs[0], start, stop)
    else:
        node.kernel(*[getattr(bars, name) for name in node.columns], outs[0], start, stop)


def _inputs(node: Node, bars: Any, args: Sequence[Column]) -> list[Column]:
    """Columns of the bars and series, in the order the indicator takes them."""
    assert node.indicator is not None
    left = iter(args)
    return [next(left) if n == "source" else getattr(bars, n) for n in node.indicator.inputs]
