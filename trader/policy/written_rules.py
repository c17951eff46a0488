"""Kinds for rules as people write them: an expression, and a distance such as `5%`.

Lives here: the texts alone: bounded, a share told from a rule. Must not live here:
what a rule means (see `compiling`).
"""

from __future__ import annotations

import re
from typing import Any

from trader.policy import quantities
from trader.policy.fields import Kind
from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText
from trader.records import dataclass

EXPRESSION_LENGTH_MAX = 2_000
_SHARE = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)? ?(?:%|bps)")
_SHARE_LIKE = re.compile(r"[-+]?[0-9_.,]*(?:[eE][0-9]+)? ?(?:%|bps)")
_NUMBER = re.compile(r"[-+]?[0-9_.,]+")


@dataclass(frozen=True)
class Expression(Kind):
    """A rule over closed bars, on one line or several. `empty` permits none."""

    empty: bool = True

    def convert(self, text: str) -> str:
        """See Kind."""
        rule = "\n".join(line.rstrip() for line in text.strip().split("\n"))
        if not rule and not self.empty:
            raise BadText(Code.NO_VALUE, "must be a rule such as rsi(14) < 30")
        if len(rule) > EXPRESSION_LENGTH_MAX:
            message = f"a rule of {len(rule)} characters; at most {EXPRESSION_LENGTH_MAX}"
            raise BadText(Code.TOO_LARGE, message, "name its parts as triggers in signals.yaml")
        return rule

    def words(self) -> str:
        """See Kind."""
        empty = ", or empty" if self.empty else ""
        return f"rule, at most {EXPRESSION_LENGTH_MAX} characters{empty}"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "maxLength": EXPRESSION_LENGTH_MAX}


@dataclass(frozen=True)
class Distance(Kind):
    """A distance below or above the close: a share of it, kept as `5%`, or a rule; or nothing.

    `most`: the largest share. `empty` permits none.
    """

    most: str
    empty: bool = True

    def convert(self, text: str) -> str:
        """See Kind."""
        bare = text.strip()
        if not bare and not self.empty:
            raise BadText(Code.NO_VALUE, "must be a distance such as 5% or 2 * atr(14)")
        if _SHARE.fullmatch(bare):
            ppm = quantities.share_ppm(bare)
            if not 0 < ppm <= quantities.share_ppm(self.most):
                message = f"{shown(bare)} is not above 0 and at most {self.most}"
                raise BadText(Code.OUT_OF_RANGE, message)
            return quantities.percent_text(bare)
        if _NUMBER.fullmatch(bare) or _SHARE_LIKE.fullmatch(bare):
            hint = "write 5% of the close, or a rule such as 3 * atr(14)"
            raise BadText(Code.NOT_A_SHARE, f"{shown(bare)} is not a distance", hint)
        return Expression().convert(text)

    def words(self) -> str:
        """See Kind."""
        most = quantities.percent_text(self.most)
        empty = ", or empty" if self.empty else ""
        return f"share of the close up to {most}, or a rule{empty}"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "maxLength": EXPRESSION_LENGTH_MAX}


def distance_share_ppm(distance: str) -> int | None:
    """The share of the close that a checked distance is, in millionths; None when it is a rule."""
    return quantities.share_ppm(distance) if distance.endswith("%") else None


def distance_rule(distance: str) -> str:
    """The rule that a checked distance stands for: `5%` is `0.05 * close`; "" for none."""
    ppm = distance_share_ppm(distance)
    return distance if ppm is None else f"{quantities.share_text(ppm)} * close"
