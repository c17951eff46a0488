"""What was done must have been decided: acts of a cycle against the actions that its steps gave.

Lives here: which sends, attempts, cancels and abandoned intents a cycle's steps allow. Must not
live here: deciding again, and what is made of an act that nobody asked for.
"""

from __future__ import annotations

from typing import Any

from trader.app.trail import Act
from trader.core.canonical import canonical
from trader.core.step import Abandon, stale_intents

_KINDS = {"Send": "order_sent", "Cancel": "cancel_sent", Abandon.__name__: "order_abandoned"}


class Allowed:
    """Acts that the steps of the cycle in hand asked for and that have not happened yet."""

    def __init__(self) -> None:
        """Before any step."""
        self._cycle = -1
        self._acts: set[tuple[str, str]] = set()

    def enter(self, cycle: int) -> None:
        """What a step of another cycle asked for is not asked for any more."""
        if cycle != self._cycle:
            self._cycle = cycle
            self._acts = set()

    def allow(self, row: dict[str, Any]) -> None:
        """One action of a step, in its canonical form."""
        if row["do"] == "PlanAttempt":
            self._acts.add(("order_planned", canonical(row["order"])))
        elif row["do"] in _KINDS:
            self._acts.add((_KINDS[row["do"]], row["client_id"]))

    def is_asked(self, event: Act) -> bool:
        """Whether it was decided, in this cycle and just so; once. A named human may cancel at any
        time (`stop --cancel`), and intents of older bars are abandoned by any cycle."""
        whole = event.kind == "order_planned"
        what = canonical(event.stored) if whole else str(event.stored["client_id"])
        if (event.kind, what) in self._acts:
            self._acts.discard((event.kind, what))
            return True
        if event.kind == "cancel_sent":
            return bool(event.stored.get("by"))
        if event.kind == "order_abandoned":
            stale = stale_intents(event.state, event.cycle.bar_ms)
            return what in {intent.client_id for intent in stale}
        return False
