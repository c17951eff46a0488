"""A price that is asked to be beyond the extreme of bars that it is one of: always in vain.

Lives here: telling `close > highest(high, 20)` from `close > highest(high, 20)[1]`, and the words
of the warning. Must not live here: other doubts (see `rules_doubts`).
"""

from __future__ import annotations

from trader.policy.problems import Code
from trader.policy.rules_problems import Refused, Span
from trader.policy.rules_program import Nodes


def never_beyond(span: Span) -> Refused:
    """The warning that `beyond_itself` asks for."""
    say = "can never be true: the highest or lowest of bars holds the newest bar too"
    return Refused(Code.RULE_NEVER, span, say, "write [1] behind it: of the bars before")


def beyond_itself(nodes: Nodes, op: str, left: int, right: int) -> bool:
    """Whether a bar's price is asked to be beyond the extreme of bars that it is one of."""
    if min(left, right) < 0 or op not in {"gt", "lt"}:
        return False
    up = op == "gt"
    return _within(nodes, left, right, up=up) or _within(nodes, right, left, up=not up)


def _within(nodes: Nodes, price: int, extreme: int, *, up: bool) -> bool:
    _, frame, sources, _, text = nodes.rows[extreme]
    op, own_frame, _, _, column = nodes.rows[price]
    in_bar = op == "column" and own_frame == frame and column != "volume"
    if text == ("donchian.upper" if up else "donchian.lower"):
        return in_bar
    if text != ("highest" if up else "lowest"):
        return False
    source = nodes.rows[sources[0]]
    return sources[0] == price or (
        in_bar and source[0] == "column" and source[4] == ("high" if up else "low")
    )
