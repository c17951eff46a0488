"""Causes: why a back-test that runs by itself and a journal part, as codes, and one difference.

Lives here: the closed set of causes with what each needs as proof, and the record of a difference
with the ones it follows from. Must not live here: finding differences, or proving a cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from trader.records import dataclass


class Cause(StrEnum):
    """Why something differs; docs/parity.md has a row for each."""

    QUOTE = "QUOTE"
    FEE = "FEE"
    CLOCK = "CLOCK"
    BAR_LATE = "BAR_LATE"
    BAR_REPAINTED = "BAR_REPAINTED"
    DATA_TROUBLE = "DATA_TROUBLE"
    NO_BAR = "NO_BAR"
    MODEL_NO_BAR = "MODEL_NO_BAR"
    MISSED_CYCLE = "MISSED_CYCLE"
    CLOCK_SKEW = "CLOCK_SKEW"
    STRATEGY_LOST = "STRATEGY_LOST"
    MISMATCH = "MISMATCH"
    VENUE_FAULT = "VENUE_FAULT"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    ABANDONED = "ABANDONED"
    EXPIRED = "EXPIRED"
    PARTIAL_FILL = "PARTIAL_FILL"
    LATE_FILL = "LATE_FILL"
    RESTING = "RESTING"
    HALT = "HALT"
    RESUME = "RESUME"
    FLOW = "FLOW"
    EXIT_ASKED = "EXIT_ASKED"
    APPROVAL = "APPROVAL"
    CANCEL_ASKED = "CANCEL_ASKED"
    POLICY_CHANGE = "POLICY_CHANGE"
    FOLLOWS = "FOLLOWS"
    UNEXPLAINED = "UNEXPLAINED"


# Entries that change the account, are no order and no fill, and that a back-test does not have.
EVENTS: dict[str, Cause] = {
    "halt": Cause.HALT,
    "resume": Cause.RESUME,
    "mark_reset": Cause.RESUME,
    "strategy_resumed": Cause.RESUME,
    "flow": Cause.FLOW,
    "exit_asked": Cause.EXIT_ASKED,
    "exit_done": Cause.EXIT_ASKED,
    "approval": Cause.APPROVAL,
    "venue_fault": Cause.VENUE_FAULT,
    "venue_ok": Cause.VENUE_FAULT,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the free run and the journal part.

    Attributes:
        number: from 1, in the order found.
        what: `decision` (what is wanted or refused), `numbers` (only what a decision was made
            from: marks, results, the trail), `order`, `fill`, `account`, or `event` (an entry that
            a back-test lacks).
        bar_ms: the decision bar. seq: the journal's entry that is told or that proves it, 0: none.
        where: first differing value. journal, free: what each says there.
        causes: the smallest set that was found to bring it about, most telling first.
        proof: from which entries that is known, in words.
        follows: numbers of earlier differences that it follows from.
    """

    number: int
    what: str
    bar_ms: int
    seq: int
    strategy: str
    symbol: str
    where: str
    journal: str
    free: str
    causes: tuple[Cause, ...]
    proof: str
    follows: tuple[int, ...] = ()

    @property
    def explained(self) -> bool:
        """Whether every part of it has a proved cause."""
        return bool(self.causes) and Cause.UNEXPLAINED not in self.causes

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "number": self.number,
            "what": self.what,
            "bar_ms": self.bar_ms,
            "seq": self.seq,
            "strategy": self.strategy,
            "symbol": self.symbol,
            "where": self.where,
            "journal": self.journal,
            "free": self.free,
            "causes": [str(cause) for cause in self.causes],
            "proof": self.proof,
            "follows": list(self.follows),
        }


def roots_of(differences: Sequence[Difference]) -> dict[int, frozenset[Cause]]:
    """By number, the causes at the beginning of each difference's chain, its own among them."""
    found: dict[int, frozenset[Cause]] = {}
    for difference in differences:
        own = {cause for cause in difference.causes if cause is not Cause.FOLLOWS}
        for earlier in difference.follows:
            own |= found[earlier]  # chains only lead back
        found[difference.number] = frozenset(own)
    return found


def count_causes(differences: Iterable[Difference]) -> dict[str, dict[str, int]]:
    """How often each cause explains each kind of difference: {cause: {what: times}}."""
    counts: dict[str, Counter[str]] = {}
    for difference in differences:
        for cause in difference.causes:
            counts.setdefault(str(cause), Counter())[difference.what] += 1
    return {cause: dict(sorted(rows.items())) for cause, rows in sorted(counts.items())}
