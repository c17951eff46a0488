"""Kinds for what a sweep tries: a range of values, a condition between parameters.

Lives here: the texts of `sweep_ranges` as types of the schema. Must not live here: their meaning.
"""

from __future__ import annotations

from typing import Any, cast

from trader.policy.fields import Kind, Value
from trader.policy.problems import Code
from trader.policy.quantities import BadText
from trader.policy.sweep_ranges import HINT, range_text, read_where
from trader.records import dataclass

_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"


@dataclass(frozen=True)
class Range(Kind):
    """`5:50:5`, `20, 50, 100`, or a list; canonically one text."""

    def _check(self, raw: Any) -> Value:
        if not isinstance(raw, list):
            return super()._check(raw)
        parts = cast("list[Any]", raw)
        if not all(isinstance(part, str) for part in parts):
            raise BadText(Code.WRONG_KIND, "must be a list of numbers", HINT)
        if any(":" in part for part in parts):
            raise BadText(Code.SWEEP_RANGE, "a range stands alone, without brackets", HINT)
        return self.convert(",".join(parts))

    def convert(self, text: str) -> str:
        """See Kind."""
        return range_text(text)

    def words(self) -> str:
        """See Kind."""
        return "range FROM:TO:STEP, or a list of numbers"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        text = {"type": "string", "pattern": f"^ *{_NUMBER}( *[:,] *{_NUMBER})* *$"}
        numbers = {"type": "array", "items": {"type": "number"}, "minItems": 1}
        return {"anyOf": [text, numbers, {"type": "number"}]}


@dataclass(frozen=True)
class Condition(Kind):
    """`fast < slow`."""

    def convert(self, text: str) -> str:
        """See Kind."""
        return str(read_where(text.strip()))

    def words(self) -> str:
        """See Kind."""
        return "condition such as fast < slow"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "pattern": "^.*(<|>|!=).*$"}
