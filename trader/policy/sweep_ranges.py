"""What a sweep tries: ranges of a parameter, and conditions between parameters, as people write
them.

Lives here: texts -> values, for strategies.yaml and for the command line alike; values are exact.
Must not live here: which parameters there are, and what is run. No yaml, no pydantic.

    5:50:5        from 5 to 50 in steps of 5, both ends among them
    5:50          in steps of 1
    20, 50, 100   these
    fast < slow   a condition: trials that do not keep it are not made
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText, decimal_text, parse_decimal
from trader.records import dataclass, replace

VALUES_MAX = 10_000
LENGTH_MAX = 2_000
NUMBER_MAX = 10**12
HINT = "write FROM:TO:STEP such as 5:50:5, or values such as [20, 50, 100]"
WHERE_HINT = "write such as fast < slow, 2 * fast <= slow or fast + 10 <= slow"

_WORD = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_TERM = re.compile(
    rf"(?:(?P<times>{_NUMBER}) *\* *)?(?P<name>{_WORD}(?:\.{_WORD})?)"
    rf"(?: *(?P<sign>[+-]) *(?P<plus>[0-9]+(?:\.[0-9]+)?))?"
)
_SIGN = re.compile(r"<=|>=|!=|==|<|>")
_SIGNS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
}


def range_text(text: str) -> str:
    """The canonical text of a range or of a list of values; raises BadText."""
    bare = text.strip()
    if not bare:
        raise BadText(Code.NO_VALUE, "must be a range of values", HINT)
    if len(bare) > LENGTH_MAX:
        raise BadText(Code.TOO_LARGE, f"{len(bare)} characters; at most {LENGTH_MAX}", HINT)
    if ":" in bare:
        return ":".join(decimal_text(part) for part in _range(bare))
    values = [decimal_text(_number(part)) for part in bare.split(",")]
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise BadText(Code.SWEEP_RANGE, f"{twice} is named twice", "name each value once")
    return ",".join(values)


def range_values(canonical: str) -> tuple[str, ...]:
    """The values of a `range_text`, in order, as decimal texts."""
    if ":" not in canonical:
        return tuple(canonical.split(","))
    first, last, step = (Decimal(part) for part in canonical.split(":"))
    count = int((last - first) / step) + 1
    return tuple(decimal_text(first + number * step) for number in range(count))


def number_of(value: str) -> float | int:
    """A value as the strategy gets it: what is written without a point is a whole number."""
    return float(value) if "." in value else int(value)


def _range(text: str) -> tuple[Decimal, Decimal, Decimal]:
    parts = [part.strip() for part in text.split(":")]
    if len(parts) > 3:
        raise BadText(Code.SWEEP_RANGE, f"{shown(text)} has {len(parts)} parts", HINT)
    first, last = _number(parts[0]), _number(parts[1])
    whole = first == int(first) and last == int(last)
    if len(parts) == 2 and not whole:
        hint = f"write {text}:0.1"
        raise BadText(Code.SWEEP_RANGE, f"{shown(text)} has no step", hint)
    step = _number(parts[2]) if len(parts) == 3 else Decimal(1)
    if step <= 0:
        hint = f"write {decimal_text(min(first, last))}:{decimal_text(max(first, last))}:1"
        raise BadText(Code.SWEEP_RANGE, f"{shown(text)} has a step of {parts[-1]}", hint)
    if first > last:
        hint = f"did you mean {':'.join((parts[1], parts[0], *parts[2:]))}"
        raise BadText(Code.SWEEP_RANGE, f"{shown(text)} ends before it begins", hint)
    count = int((last - first) / step) + 1
    if count > VALUES_MAX:
        message = f"{shown(text)} has {count} values; at most {VALUES_MAX}"
        raise BadText(Code.TOO_LARGE, message, "take a larger step")
    return first, last, step


def _number(text: str) -> Decimal:
    value = parse_decimal(text.strip())
    if abs(value) > NUMBER_MAX:
        raise BadText(Code.OUT_OF_RANGE, f"{shown(text)} is outside -10^12 to 10^12")
    return value


# --- conditions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """`times * name + plus`; a number alone has no name."""

    times: Decimal
    name: str
    plus: Decimal

    def of(self, values: Mapping[str, str]) -> Decimal:
        """Its value; KeyError for a name that has none."""
        return self.times * Decimal(values[self.name]) + self.plus if self.name else self.plus

    def __str__(self) -> str:
        """Canonical text."""
        if not self.name:
            return decimal_text(self.plus)
        times = "" if self.times == 1 else f"{decimal_text(self.times)} * "
        sign = "-" if self.plus < 0 else "+"
        plus = f" {sign} {decimal_text(abs(self.plus))}" if self.plus else ""
        return f"{times}{self.name}{plus}"


@dataclass(frozen=True, slots=True)
class Where:
    """A condition between two terms."""

    left: Term
    sign: str
    right: Term

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that it reads."""
        return tuple(dict.fromkeys(t.name for t in (self.left, self.right) if t.name))

    def renamed(self, names: Mapping[str, str]) -> Where:
        """The same with other names for its parameters."""
        left = replace(self.left, name=names.get(self.left.name, self.left.name))
        right = replace(self.right, name=names.get(self.right.name, self.right.name))
        return Where(left, self.sign, right)

    def holds(self, values: Mapping[str, str]) -> bool:
        """Whether values (decimal texts by name) keep it."""
        return _SIGNS[self.sign](self.left.of(values), self.right.of(values))

    def __str__(self) -> str:
        """Canonical text."""
        return f"{self.left} {self.sign} {self.right}"


def read_where(text: str) -> Where:
    """A condition; raises BadText."""
    signs = _SIGN.findall(text)
    if len(signs) != 1 or signs[0] == "==" or len(text) > LENGTH_MAX:
        raise BadText(Code.SWEEP_WHERE, f"{shown(text)} is not a condition", WHERE_HINT)
    left, _, right = text.partition(signs[0])
    found = Where(_term(left, text), signs[0], _term(right, text))
    if not found.names:
        message = f"{shown(text)} names no parameter"
        raise BadText(Code.SWEEP_WHERE, message, WHERE_HINT)
    return found


def _term(text: str, whole: str) -> Term:
    bare = text.strip()
    if re.fullmatch(_NUMBER, bare):
        return Term(Decimal(0), "", _number(bare))
    found = _TERM.fullmatch(bare)
    if found is None:
        message = f"{shown(bare or whole)} is neither a parameter nor a number"
        raise BadText(Code.SWEEP_WHERE, message, WHERE_HINT)
    times = _number(found["times"]) if found["times"] else Decimal(1)
    plus = _number(found["plus"]) if found["plus"] else Decimal(0)
    return Term(times, found["name"], -plus if found["sign"] == "-" else plus)


# --- what was declared --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SweepSpec:
    """What a strategy declares: `ranges` by parameter (canonical texts), `where` (conditions)."""

    ranges: Mapping[str, str]
    where: tuple[str, ...]


def build_sweeps(declared: Mapping[str, Any]) -> dict[str, SweepSpec]:
    """By strategy, from `Checked.sweeps`."""
    return {
        name: SweepSpec(dict(row["ranges"]), tuple(row["where"])) for name, row in declared.items()
    }
