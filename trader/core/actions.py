"""Actions and facts: what `step` may ask for, and what it is told, with their canonical forms.

Lives here: records, and how a fact follows from an action that was carried out. Must not live here:
which action comes next (`step`), and who carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.core.approval import Approved
from trader.core.snapshot import CoreQuote
from trader.records import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Send:
    """Commit `order_sent`, then submit this planned order."""

    client_id: str


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the venue for this order and its fills, and write down what it says."""

    symbol: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Requote:
    """Read a fresh quote of this instrument and write it down."""

    symbol: str


@dataclass(frozen=True, slots=True)
class PlanAttempt:
    """Commit `order_planned` with this newly approved attempt."""

    approved: Approved


@dataclass(frozen=True, slots=True)
class Abandon:
    """Commit `order_abandoned`: the intent has not left and must not leave any more."""

    client_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Commit `cancel_sent`, then ask the venue to cancel this order, and write down its answer."""

    symbol: str
    client_id: str
    why: str


Action = Send | Look | Requote | PlanAttempt | Abandon | Cancel


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What happened in this cycle since the plan: every value is an entry of the journal.

    Attributes:
        now_ms: the time of this step.
        looked: client ids that were looked at in this cycle since they were sent or cancelled
            (once is enough: what stays unknown is the next cycle's business).
        quotes: fresh quotes read in this cycle, by symbol; a value of None: the venue had none.
        latch: halt level of the latch outside the journal (`running` when it is not set).
        mismatches: unexplained differences between journal and venue: no entry may leave.
        cancelled: client ids whose cancel was asked for in this cycle.
        stops: whether the venue lets a protective stop rest.
    """

    now_ms: int
    looked: frozenset[str] = frozenset()
    quotes: Mapping[str, CoreQuote | None] = field(default_factory=dict[str, CoreQuote | None])
    latch: str = "running"
    mismatches: int = 0
    cancelled: frozenset[str] = frozenset()
    stops: bool = False


def noted(facts: StepFacts, action: Action, quote: CoreQuote | None = None) -> StepFacts:
    """The facts after an action was carried out, whatever came of it; `quote`: what a Requote read.

    What was sent or cancelled may be looked at again; the quote that an attempt was priced by is
    used up.
    """
    if isinstance(action, Look):
        return replace(facts, looked=facts.looked | {action.client_id})
    if isinstance(action, Requote):
        return replace(facts, quotes={**facts.quotes, action.symbol: quote})
    if isinstance(action, Cancel):
        return replace(
            facts,
            cancelled=facts.cancelled | {action.client_id},
            looked=facts.looked - {action.client_id},
        )
    if isinstance(action, PlanAttempt) and action.approved.symbol in facts.quotes:
        quotes = {
            name: seen for name, seen in facts.quotes.items() if name != action.approved.symbol
        }
        return replace(facts, quotes=quotes)
    return facts


def facts_row(facts: StepFacts) -> dict[str, Any]:
    """Canonical form of the facts, part of the `step` entry; what is usual is left out."""
    row: dict[str, Any] = {
        "now_ms": facts.now_ms,
        "looked": sorted(facts.looked),
        "quotes": {
            symbol: quote.row() if quote else [] for symbol, quote in sorted(facts.quotes.items())
        },
        "latch": facts.latch,
        "mismatches": facts.mismatches,
    }
    if facts.cancelled:
        row["cancelled"] = sorted(facts.cancelled)
    if facts.stops:
        row["stops"] = 1
    return row


def facts_of(row: Mapping[str, Any]) -> StepFacts:
    """The facts that `facts_row` described."""
    quotes = {
        symbol: CoreQuote(*values) if values else None for symbol, values in row["quotes"].items()
    }
    return StepFacts(
        int(row["now_ms"]),
        frozenset(row["looked"]),
        quotes,
        str(row["latch"]),
        int(row["mismatches"]),
        frozenset(row.get("cancelled", ())),
        bool(row.get("stops", 0)),
    )


def action_row(action: Action) -> dict[str, Any]:
    """Canonical form of an action, part of the `step` entry."""
    name = type(action).__name__
    if isinstance(action, PlanAttempt):
        return {"do": name, "order": action.approved.row()}
    if isinstance(action, Send):
        return {"do": name, "client_id": action.client_id}
    if isinstance(action, Look):
        return {"do": name, "client_id": action.client_id, "symbol": action.symbol}
    if isinstance(action, Requote):
        return {"do": name, "symbol": action.symbol}
    row = {"do": name, "client_id": action.client_id, "why": action.why}
    return row if isinstance(action, Abandon) else {**row, "symbol": action.symbol}
