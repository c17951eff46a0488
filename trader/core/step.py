"""Execution: `step(state, facts) -> actions`, pure, part of the decision.

Lives here: what to do next with the legs of the newest plan, from what is known of their orders.
The caller carries the actions out, writes down what came of them, and asks again until nothing is
left. Legs and attempts are numbered; an exit that did not fill is priced once more, wider, from a
fresh quote, within the same cycle. Must not live here: talking to a venue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trader.core.approval import Approved, proposal_of
from trader.core.exits import exit_view
from trader.core.gates import approve
from trader.core.money import price_down
from trader.core.parameters import Parameters
from trader.core.snapshot import CoreQuote, halt_rank
from trader.core.state import HALT_LEVELS, Order, State
from trader.domain.order import OrderState, Side

EXIT_ATTEMPTS = 2
_ENDED_UNFILLED = frozenset({OrderState.EXPIRED, OrderState.CANCELED})


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


Action = Send | Look | Requote | PlanAttempt | Abandon


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What happened in this cycle since the plan: every value is an entry of the journal.

    Attributes:
        now_ms: the time of this step.
        looked: client ids that were looked at in this cycle (once is enough: what stays unknown
            is the next cycle's business).
        quotes: fresh quotes read in this cycle, by symbol; a value of None: the venue had none.
        latch: halt level of the latch outside the journal (`running` when it is not set).
        mismatches: unexplained differences between journal and venue: no entry may leave.
    """

    now_ms: int
    looked: frozenset[str] = frozenset()
    quotes: Mapping[str, CoreQuote | None] = field(default_factory=dict[str, CoreQuote | None])
    latch: str = "running"
    mismatches: int = 0


def facts_row(facts: StepFacts) -> dict[str, Any]:
    """Canonical form of the facts, part of the `step` entry."""
    return {
        "now_ms": facts.now_ms,
        "looked": sorted(facts.looked),
        "quotes": {
            symbol: quote.row() if quote else [] for symbol, quote in sorted(facts.quotes.items())
        },
        "latch": facts.latch,
        "mismatches": facts.mismatches,
    }


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
    return {"do": name, "client_id": action.client_id, "why": action.why}


def step(state: State, parameters: Parameters, facts: StepFacts) -> list[Action]:
    """What to do now with the newest plan's legs; an empty list when the cycle is done.

    One leg at a time, in plan order: exits come first and free their cash before entries leave.
    """
    for attempts in legs_of(state):
        actions = _step_leg(state, parameters, facts, attempts)
        if actions:
            return actions
    return []


def stale_intents(state: State, bar_ms: int) -> list[Abandon]:
    """Intents of bars older than `bar_ms` that never left: to be abandoned by name."""
    return [
        Abandon(order.client_id, "older_bar")
        for order in state.orders.values()
        if order.state is OrderState.PLANNED and order.bar_ms < bar_ms
    ]


def legs_of(state: State) -> list[list[Order]]:
    """The newest plan's orders by leg, attempts in order."""
    legs: dict[int, list[Order]] = {}
    newest = state.number("last_bar_ms")
    for order in state.orders.values():
        if order.bar_ms == newest:
            legs.setdefault(order.leg, []).append(order)
    return [
        sorted(attempts, key=lambda order: order.attempt) for _, attempts in sorted(legs.items())
    ]


def _step_leg(
    state: State, parameters: Parameters, facts: StepFacts, attempts: list[Order]
) -> list[Action]:
    order = attempts[-1]
    if order.state is OrderState.PLANNED:
        why = forbidden(state, facts, order)
        return [Abandon(order.client_id, why)] if why else [Send(order.client_id)]
    if order.working:
        if order.client_id in facts.looked:
            return []
        return [Look(order.symbol, order.client_id)]
    if order.side is Side.SELL and order.state in _ENDED_UNFILLED:
        return _climb(state, parameters, facts, order)
    return []


def forbidden(state: State, facts: StepFacts, order: Order) -> str:
    """Why a planned order must not leave now; "" when it may."""
    if order.side is Side.BUY and facts.mismatches:
        return "books_mismatch"
    rank = halt_rank(state, facts.latch)
    limit = 0 if order.side is Side.BUY else 2
    return "" if rank <= limit else f"halt_{HALT_LEVELS[rank]}"


def _climb(state: State, parameters: Parameters, facts: StepFacts, order: Order) -> list[Action]:
    """The next rung of an exit's ladder: the rest of the quantity, wider, from a fresh quote."""
    rest = order.qty_lots - order.filled_lots
    if rest <= 0 or order.attempt + 1 >= EXIT_ATTEMPTS:
        return []
    if order.symbol not in facts.quotes:
        return [Requote(order.symbol)]
    quote = facts.quotes[order.symbol]
    if quote is None or quote.bid_ticks <= 0:
        return []
    slippage_ppm = parameters.limits.exit_slippage_ppm
    proposal = replace(
        proposal_of(order),
        attempt=order.attempt + 1,
        qty_lots=rest,
        price_ticks=price_down(quote.bid_ticks, slippage_ppm),
    )
    spec = state.spec(order.symbol)
    rank = halt_rank(state, facts.latch)
    view = exit_view(
        proposal,
        spec,
        parameters.limits,
        quote,
        rank=rank,
        now_ms=facts.now_ms,
        slippage_ppm=slippage_ppm,
    )
    verdict, _ = approve(proposal, view, spec, parameters)
    return [PlanAttempt(verdict)] if isinstance(verdict, Approved) else []
