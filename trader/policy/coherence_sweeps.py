"""Rules about what a sweep tries: parameters that there are, values that the rules can take.

Lives here: `strategies.*.sweep` against the strategy that it belongs to. Must not live here: texts
of ranges and conditions (see `sweep_ranges`), parameters that only a Python file declares
(`strategy_sources`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trader.policy.fields import close_to
from trader.policy.findings import Asked, Finding, Form
from trader.policy.problems import Code
from trader.policy.reading import Node
from trader.policy.sweep_ranges import number_of, range_values, read_where

# Whole numbers that operators take, and the least.
_WHOLE = {"back": 0, "rising": 1, "falling": 1, "any": 1, "all": 1}


def names(form: Form, _tree: Node) -> Iterator[Finding]:
    """A range of a parameter that the strategy's rules do not have."""
    for name, row in form["strategies"].items():
        known = row["parameters"]
        for key in row["sweep"]["ranges"]:
            if key in known or row["file"]:
                continue
            message = f"strategy {name} has no parameter {key} that could be swept"
            hint = (
                close_to(key, known)
                or f"write parameters: {{{key}: ...}}, and a rule that reads it"
            )
            yield Finding(Code.PARAMETER_UNKNOWN, (_range(name, key),), message, hint)


def values(form: Form, _tree: Node) -> Iterator[Finding]:
    """A value that an indicator of the rules does not take."""
    for name, row in form["strategies"].items():
        for key, text in row["sweep"]["ranges"].items():
            why = bad_value(row.get("program") or {}, key, text)
            if why:
                hint = "a range of values that the rule takes"
                yield Finding(Code.SWEEP_VALUE, (_range(name, key),), why, hint)


def conditions(form: Form, _tree: Node) -> Iterator[Finding]:
    """A condition about parameters that there are not, or that no values keep."""
    for name, row in form["strategies"].items():
        ranges = row["sweep"]["ranges"]
        known = {**row["parameters"], **ranges}
        for text in row["sweep"]["where"]:
            where = read_where(text)
            paths = (("strategies", name, "sweep", "where"),)
            missing = [key for key in where.names if key not in known]
            if missing and not row["file"]:
                message = f"{text}: strategy {name} has no parameter {missing[0]}"
                hint = close_to(missing[0], known) or f"it has {', '.join(known) or 'none'}"
                yield Finding(Code.SWEEP_WHERE, paths, message, hint)
            elif not missing and not _ever(where, ranges, row["parameters"]):
                message = f"{text} holds for no values of the ranges"
                yield Finding(
                    Code.SWEEP_WHERE, paths, message, "other ranges, or another condition"
                )


def _ever(where: Any, ranges: Mapping[str, str], fixed: Mapping[str, object]) -> bool:
    """Whether a condition can hold: between two terms it does at ends of the ranges, if at all."""
    ends: dict[str, tuple[str, ...]] = {}
    for key in where.names:
        tried = range_values(ranges[key]) if key in ranges else (str(fixed[key]),)
        numbers = sorted(tried, key=float)
        ends[key] = tuple(dict.fromkeys((numbers[0], numbers[-1], *numbers[1:2])))
    one, *more = where.names
    return any(
        where.holds({one: first} | ({more[0]: second} if more else {}))
        for first in ends[one]
        for second in (ends[more[0]] if more else ("0",))
    )


def bad_value(program: Mapping[str, Any], key: str, text: str) -> str:
    """Why the rules cannot take some value of a range for their parameter; "" when they can.

    What several parameters must be together is not judged here: a trial is refused then.
    """
    nodes: list[Any] = program.get("nodes", [])
    if not nodes or not any(f"${key}" in node[3] for node in nodes):
        return ""
    tried = [number_of(value) for value in range_values(text)]
    some = {min(tried), max(tried), *(v for v in tried if isinstance(v, float))}
    for value in sorted(some):
        for op, _, _, numbers, indicator in nodes:
            places = [at for at, number in enumerate(numbers) if number == f"${key}"]
            why = next((w for at in places if (w := _why(op, indicator, at, value))), "")
            if why:
                return why
    return ""


def _why(op: str, text: str, at: int, value: float) -> str:
    if op == "indicator":
        from trader.core.indicator_table import INDICATORS

        indicator = INDICATORS[text.partition(".")[0]]
        why = indicator.numbers[at].problem(value) if at < len(indicator.numbers) else ""
        return f"{indicator.name}: {why}" if why else ""
    if op in _WHOLE and (not isinstance(value, int) or value < _WHOLE[op]):
        return f"{op} takes a whole number of at least {_WHOLE[op]}, not {value}"
    return ""


def _range(name: str, key: str) -> tuple[str, ...]:
    return ("strategies", name, "sweep", "ranges", key)


RULES: tuple[Asked, ...] = (
    (names, ("signals.presets", "strategies")),
    (values, ("strategies",)),
    (conditions, ("signals.presets", "strategies")),
)
