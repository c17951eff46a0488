"""What the parts of a rule are: number, series or condition; and of which kind, such as a price.

Lives here: the value of a sub-expression as the parser knows it, and the arithmetic of kinds from
which warnings come. Must not live here: the tree, the program, what a name means.

A kind is what the unit of a series is: "price", "distance" (of prices), "percent" (5 is 5 %),
"bounded" (an oscillator), "volume", "ratio", "count"; "" when nothing is known, which fits all.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from trader.policy.rules_problems import Span
from trader.records import dataclass

KIND_WORDS = {
    "price": "a price",
    "distance": "a distance between prices",
    "percent": "a percentage",
    "bounded": "an oscillator",
    "volume": "a volume",
    "ratio": "a ratio",
    "count": "a count",
}

# Where an indicator runs that has bounds: name, or name.output -> least, most.
BOUNDS: dict[str, tuple[int, int]] = {
    "rsi": (0, 100),
    "stoch.k": (0, 100),
    "stoch.d": (0, 100),
    "mfi": (0, 100),
    "williams_r": (-100, 0),
    "adx": (0, 100),
    "plus_di": (0, 100),
    "minus_di": (0, 100),
    "aroon.up": (0, 100),
    "aroon.down": (0, 100),
    "cmf": (-1, 1),
    "correlation": (-1, 1),
    "percentrank": (0, 100),
}


class Type(StrEnum):
    """What a sub-expression is, in the words of messages."""

    NUMBER = "a number"
    SERIES = "a series of numbers"
    BOOLEAN = "a condition"
    TEXT = "a text"
    BAD = "refused already"


@dataclass(frozen=True, slots=True)
class Value:
    """A sub-expression that has been read.

    Attributes:
        span: where it stands in the text at hand.
        node: its node of the program; -1 for a number that is not needed as a node yet.
        number: decimal text, or `$name` of a parameter; "" for what is computed.
        known: what a number is with the parameters at hand; None for anything else.
        fixed: whether only literals are in it, so that no parameter changes it.
        low, high: where a bounded series runs.
        text: of a text.
    """

    type: Type
    span: Span
    node: int = -1
    kind: str = ""
    number: str = ""
    known: Decimal | None = None
    fixed: bool = False
    low: Decimal | None = None
    high: Decimal | None = None
    text: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether it is a number or a series of numbers."""
        return self.type in {Type.NUMBER, Type.SERIES}

    @property
    def is_literal(self) -> bool:
        """Whether it is a number of literals alone."""
        return self.type is Type.NUMBER and self.fixed


def bad(span: Span) -> Value:
    """What stands for a sub-expression whose problem is noted."""
    return Value(Type.BAD, span)


def type_of_both(left: Value, right: Value) -> Type:
    """A series as soon as one of two numeric values is one."""
    both_numbers = left.type is Type.NUMBER and right.type is Type.NUMBER
    return Type.NUMBER if both_numbers else Type.SERIES


def clash(left: Value, right: Value) -> bool:
    """Whether two values have kinds that cannot be compared."""
    return bool(left.kind and right.kind) and left.kind != right.kind


def kind_of(op: str, left: Value, right: Value) -> tuple[str, bool]:
    """Kind of `left op right`, and whether the two cannot be added or compared."""
    if op in {"add", "sub"}:
        return _sum(op, left, right)
    if op == "mul":
        return _product(left, right), False
    if op == "div":
        return _quotient(left, right), False
    # min and max
    if clash(left, right):
        return "", True
    return _either(left, right), False


def _either(left: Value, right: Value) -> str:
    """The kind of two values of which a number takes the other's; "" when one is not known."""
    if left.type is Type.NUMBER:
        return right.kind
    if right.type is Type.NUMBER or left.kind == right.kind:
        return left.kind
    return ""


def _sum(op: str, left: Value, right: Value) -> tuple[str, bool]:
    kinds = (left.kind, right.kind)
    if op == "sub" and kinds == ("price", "price"):
        return "distance", False
    if kinds == ("price", "distance"):
        return "price", False
    if op == "add" and kinds == ("distance", "price"):
        return "price", False
    if clash(left, right):
        return "", True
    return _either(left, right), False


def _product(left: Value, right: Value) -> str:
    if left.type is Type.NUMBER:
        return _scaled(right.kind, left.known if left.fixed else None)
    if right.type is Type.NUMBER:
        return _scaled(left.kind, right.known if right.fixed else None)
    if left.kind == "ratio":
        return right.kind
    return left.kind if right.kind == "ratio" else ""


def _quotient(left: Value, right: Value) -> str:
    if right.type is Type.NUMBER:
        factor = 1 / right.known if right.fixed and right.known else None
        return _scaled(left.kind, factor)
    if left.kind and left.kind == right.kind:
        return "ratio"
    return "ratio" if (left.kind, right.kind) == ("distance", "price") else ""


def _scaled(kind: str, factor: Decimal | None) -> str:
    """The kind of a multiple: 1.02 * close is a price, 0.05 * close a distance, or anything."""
    if kind != "price":
        return kind
    near_one = factor is not None and Decimal("0.5") <= factor <= 2
    return kind if near_one else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison always comes to, and why; `always` None: it depends."""

    always: bool | None = None
    why: str = ""


def outcome_of(op: str, left: Value, right: Value) -> Outcome:
    """Whether a comparison of a bounded series with a literal can come out one way only."""
    if left.node >= 0 and left.node == right.node:
        return Outcome(op in {"ge", "le", "eq"}, "both sides are the same")
    if left.is_literal and right.low is not None:
        return outcome_of(MIRRORED[op], right, left)
    number = right.known if right.is_literal else None
    if number is None or left.low is None or left.high is None:
        return Outcome()
    why = f"it runs from {left.low} to {left.high}"
    return Outcome(_always(op, left.low, left.high, number), why)


MIRRORED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq", "ne": "ne"}


def _always(op: str, low: Decimal, high: Decimal, number: Decimal) -> bool | None:
    if op in {"eq", "ne"}:
        return None if low <= number <= high else op == "ne"
    if op in {"gt", "ge"}:
        strict = op == "gt"
        if number > high or (strict and number == high):
            return False
        return True if number < low or (not strict and number == low) else None
    turned = _always("gt" if op == "le" else "ge", low, high, number)
    return None if turned is None else not turned
