"""Rules between keys: what each key allows alone, but not together.

Lives here: the list of all rules, and asking those whose keys are sound. Must not live here: the
rules (see `coherence_app`, `_limits`, `_universe`, `_strategies`), and kinds and bounds of single
values (see `fields`, `schema`).
"""

from __future__ import annotations

from trader.policy import (
    coherence_app,
    coherence_calendar,
    coherence_entries,
    coherence_limits,
    coherence_orders,
    coherence_sizes,
    coherence_strategies,
    coherence_sweeps,
    coherence_universe,
)
from trader.policy.findings import Asked, Finding, Form, key
from trader.policy.reading import Node
from trader.policy.tree import Path

RULES: tuple[Asked, ...] = (
    *coherence_app.RULES,
    *coherence_calendar.RULES,
    *coherence_entries.RULES,
    *coherence_limits.RULES,
    *coherence_orders.RULES,
    *coherence_sizes.RULES,
    *coherence_universe.RULES,
    *coherence_strategies.RULES,
    *coherence_sweeps.RULES,
)


def findings(form: Form, tree: Node, broken: set[Path]) -> list[Finding]:
    """What every rule that can be asked finds."""
    found: list[Finding] = []
    for rule, reads in RULES:
        if not any(_touch(key(read), path) for read in reads for path in broken):
            found += rule(form, tree)
    return found


def _touch(read: Path, broken: Path) -> bool:
    length = min(len(read), len(broken))
    return read[:length] == broken[:length]
