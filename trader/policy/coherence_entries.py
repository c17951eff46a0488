"""Rules about how a strategy's entry orders work: keys that say nothing, times that cannot be kept.

Lives here: what `entry` says together with its style and the decision bar. Must not live here: how
large an entry is (see `coherence_sizes`), and what a maker's order does (core).
"""

from __future__ import annotations

from collections.abc import Iterator

from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.findings import Asked, Finding, Form, written
from trader.policy.problems import Code
from trader.policy.quantities import duration_ms
from trader.policy.reading import Node

MAKER_KEYS = ("ttl", "reprice", "moves_max")


def _own(name: str, *keys: str) -> tuple[tuple[str, ...], ...]:
    return (("strategies", name, "entry", *keys), ("strategies", name))


def foreign_keys(form: Form, tree: Node) -> Iterator[Finding]:
    """A key of a maker's order under the taker's style, which does not rest."""
    for name, row in form["strategies"].items():
        for key in MAKER_KEYS:
            if row["entry"]["style"] == "taker" and written(
                tree, ("strategies", name, "entry", key)
            ):
                message = f"{key} does not belong to style taker, whose orders do not rest"
                yield Finding(Code.ENTRY_KEY, _own(name, key), message, "write style: maker")


def time_to_live(form: Form, _tree: Node) -> Iterator[Finding]:
    """A maker's order that is to end before anybody looks at it again."""
    step = form["app"]["timeframe"]
    for name, row in form["strategies"].items():
        entry = row["entry"]
        if entry["style"] == "maker" and duration_ms(entry["ttl"]) < TIMEFRAMES_MS[step]:
            message = f"ttl {entry['ttl']} is shorter than a decision bar of {step}"
            hint = f"write {step} or more, or lower app.timeframe"
            yield Finding(Code.ENTRY_SHORT, _own(name, "ttl"), message, hint)


def restricted(form: Form, _tree: Node) -> Iterator[Finding]:
    """A maker whose order type the policy forbids."""
    if "post_only" not in form["policy"]["restricted"]["order_types"]:
        return
    for name, row in form["strategies"].items():
        if row["entry"]["style"] == "maker":
            message = "style maker sends post_only orders, which policy.restricted forbids"
            hint = "write style: taker, or take post_only out of policy.restricted.order_types"
            yield Finding(Code.ENTRY_RESTRICTED, _own(name, "style"), message, hint)


RULES: tuple[Asked, ...] = (
    (foreign_keys, ()),
    (time_to_live, ("app.timeframe",)),
    (restricted, ("policy.restricted.order_types",)),
)
