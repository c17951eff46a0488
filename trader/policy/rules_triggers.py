"""Named triggers of signals.yaml: a rule with parameters of its own, used by name.

Lives here: what a trigger is, and which numbers its parameters take where it is used. Must not live
here: reading its rule (see `rules_reading`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trader.policy.fields import close_to
from trader.policy.problems import Code, shown
from trader.policy.quantities import decimal_text
from trader.policy.rules_calls import Named, number_text
from trader.policy.rules_problems import Refused, Span
from trader.records import dataclass, field

Number = int | float | str | Decimal


def no_parameters() -> Mapping[str, Number]:
    """No parameters at all."""
    return {}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A rule by name; `parameters` are its numbers (decimal text or numbers) unless overridden."""

    rule: str
    parameters: Mapping[str, Number] = field(default_factory=no_parameters)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a name stands for: a number as the program holds it, and what it is today.

    `number` is decimal text, or `$name` for a parameter of the strategy itself.
    """

    number: str
    known: Decimal


Bounds = tuple[tuple[str, Bound], ...]


def bound_of(value: Number) -> Bound:
    """A plain number."""
    known = Decimal(str(value))
    return Bound(decimal_text(known), known)


def parameter_of(name: str, value: Number) -> Bound:
    """A parameter of the strategy: the program keeps its name, so that a sweep can vary it."""
    return Bound(f"${name}", Decimal(str(value)))


def bind(name: str, trigger: Trigger, span: Span, positional: int, named: Named) -> Bounds:
    """The trigger's numbers where it is used, sorted by name; raises Refused."""
    known = sorted(trigger.parameters)
    if positional:
        say = f"{name} is a trigger: its numbers are given by name"
        hint = f"such as {name}({known[0]}=10)" if known else f"write {name}"
        raise Refused(Code.RULE_ARGUMENTS, span, say, hint)
    bounds = {key: bound_of(trigger.parameters[key]) for key in known}
    for key, value in named:
        if key not in bounds:
            say = f"trigger {name} has no parameter {shown(key)}"
            hint = close_to(key, known) or (f"known here: {', '.join(known)}" if known else "")
            raise Refused(Code.RULE_ARGUMENTS, value.span, say, hint)
        number = number_text(value, f"{key} of {name}", Code.RULE_ARGUMENTS)
        assert value.known is not None
        bounds[key] = Bound(number, value.known)
    return tuple(bounds.items())


def cycle(trail: tuple[str, ...], name: str, span: Span) -> Refused | None:
    """The refusal of a trigger that is being read already; names the way round."""
    if name not in trail:
        return None
    way = trail[trail.index(name) :]
    say = f"trigger {name} needs itself: {' -> '.join((*way, name))}"
    return Refused(Code.RULE_CYCLE, span, say, "take one of them out", way=way)
