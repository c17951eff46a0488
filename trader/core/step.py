"""Execution: `step(state, facts) -> actions`, pure, part of the decision.

Lives here: what to do next with what rests and with the legs of the newest plan, from what is known
of their orders. The caller carries the actions out, writes down what came of them, and asks again
until nothing is left. Legs and attempts are numbered; an exit that did not fill is priced again,
wider, from a fresh quote, within the same cycle; an entry at rest is moved by its next attempt,
once the one before is known to have ended. Must not live here: talking to a venue.
"""

from __future__ import annotations

from trader.core.actions import (
    Abandon,
    Action,
    Cancel,
    Look,
    PlanAttempt,
    Requote,
    Send,
    StepFacts,
    action_row,
    facts_of,
    facts_row,
    noted,
)
from trader.core.approval import Approved, proposal_of
from trader.core.asked import sell_asked
from trader.core.children import CODE as CHILD_QTY
from trader.core.children import child_problem, rest_lots
from trader.core.exits import exit_view
from trader.core.gates import approve
from trader.core.ladder import exit_price_ticks, rung_ppm
from trader.core.messages import binds, count_messages, room
from trader.core.order_sums import free_lots
from trader.core.parameters import Parameters
from trader.core.protect import keep_stops
from trader.core.resting import end_entries, end_order, forbidden, live_stops, sell_room
from trader.core.shrunk import approve_less
from trader.core.snapshot import halt_rank
from trader.core.state import Order, State
from trader.core.time_sums import untimely
from trader.domain.order import OrderState, Side, TimeInForce
from trader.records import replace

_ENDED_UNFILLED = frozenset({OrderState.EXPIRED, OrderState.CANCELED})
HELD_LESS = "HELD_LESS"


def step(state: State, parameters: Parameters, facts: StepFacts) -> list[Action]:
    """What to do now; an empty list when the cycle is done.

    Entries that may not rest any more end first. Then exits leave, one leg at a time, and free
    their cash; what a human asked to leave and no leg carries out follows; then what is held is
    protected; then entries leave, one leg at a time, so that what one of them bought is protected
    before the next.
    """
    legs = legs_of(state)
    actions = end_entries(state, facts)
    for attempts in legs:
        if not actions and attempts[-1].side is Side.SELL:
            actions = _step_exit(state, parameters, facts, attempts)
    if not actions:
        actions = sell_asked(state, parameters, facts)
    if not actions:
        actions = keep_stops(state, parameters, facts)
    for attempts in legs:
        if not actions and attempts[-1].side is Side.BUY:
            actions = _step_entry(state, parameters, facts, attempts)
    return actions


def stale_intents(state: State, bar_ms: int) -> list[Abandon]:
    """Intents of bars older than `bar_ms` that never left: to be abandoned by name."""
    return [
        Abandon(order.client_id, "older_bar")
        for order in state.orders.values()
        if order.state is OrderState.PLANNED and order.bar_ms < bar_ms
    ]


def legs_of(state: State) -> list[list[Order]]:
    """The newest plan's legs, and those older ones of which it planned another attempt; attempts in
    order. Protective stops are no legs."""
    legs: dict[tuple[int, int], list[Order]] = {}
    newest = state.number("last_bar_ms")
    for order in state.orders.values():
        if not order.is_stop:
            legs.setdefault((order.bar_ms, order.leg), []).append(order)
    found: list[list[Order]] = []
    for (bar_ms, _), orders in sorted(legs.items()):
        attempts = sorted(orders, key=lambda order: order.attempt)
        goes_on = attempts[-1].state is OrderState.PLANNED or _is_too_much(attempts[-1])
        if bar_ms == newest or (len(attempts) > 1 and goes_on):
            found.append(attempts)
    return found


def work_left(state: State, facts: StepFacts) -> bool:
    """Whether `step` may have something to say: legs, orders at rest, or something to protect."""
    rests = any(o.working and o.tif is TimeInForce.GTC for o in state.orders.values())
    held = facts.stops and any(position.strategy for position in state.positions.values())
    return rests or held or bool(legs_of(state))


def _looked_for(order: Order, facts: StepFacts) -> list[Action]:
    """A look at an order in doubt, once. One that rests, and told nothing that is not booked, is
    not in doubt."""
    told = order.venue_lots <= order.filled_lots
    if order.tif is TimeInForce.GTC and order.state is OrderState.OPEN and told:
        return []
    if order.client_id in facts.looked:
        return []
    return [Look(order.symbol, order.client_id)]


def _step_entry(
    state: State, parameters: Parameters, facts: StepFacts, attempts: list[Order]
) -> list[Action]:
    order = attempts[-1]
    if _is_too_much(order):
        return _less(state, parameters, attempts)
    if order.state is not OrderState.PLANNED:
        return _looked_for(order, facts) if order.working else []
    why = forbidden(state, facts, order)
    if not why and any(earlier.working for earlier in attempts):
        why = "cancel_unconfirmed"
    why = why or child_problem(attempts, order.qty_lots)
    why = why or untimely(parameters.limits.calendar, facts.now_ms)
    why = why or _crowded(state, parameters, facts)
    return [Abandon(order.client_id, why)] if why else [Send(order.client_id)]


def _is_too_much(order: Order) -> bool:
    """Whether a move was given up because more had filled than it was planned for."""
    given_up = order.state is OrderState.ABANDONED and order.side is Side.BUY
    return given_up and order.attempt > 0 and order.outcome_code.startswith(CHILD_QTY)


def _less(state: State, parameters: Parameters, attempts: list[Order]) -> list[Action]:
    """The next attempt of a moved entry, for what is left of it."""
    rest = rest_lots(attempts)
    if not 0 < rest < attempts[-1].qty_lots:
        return []
    verdict = approve_less(state, parameters, attempts[-1], rest)
    return [PlanAttempt(verdict)] if isinstance(verdict, Approved) else []


def _crowded(state: State, parameters: Parameters, facts: StepFacts) -> str:
    """Why the limits on messages leave an entry no room now; exits and cancels use the reserve."""
    limits = parameters.limits.messages
    if not binds(limits):
        return ""
    free = room(limits, count_messages(state.messages, facts.now_ms))
    if free.left > 0:
        return ""
    return f"MESSAGES window={free.window} limit={free.limit} measured={free.counted + 1}"


def _step_exit(
    state: State, parameters: Parameters, facts: StepFacts, attempts: list[Order]
) -> list[Action]:
    order = attempts[-1]
    if order.state is OrderState.PLANNED:
        return _leave(state, facts, attempts)
    if order.working:
        return _looked_for(order, facts)
    held_less = order.state is OrderState.ABANDONED and order.outcome_code.startswith(HELD_LESS)
    if order.state not in _ENDED_UNFILLED and not held_less:
        return []
    try:
        return _climb(state, parameters, facts, attempts)
    except OverflowError:
        return []  # an amount does not fit: no fill of it could be booked


def _leave(state: State, facts: StepFacts, attempts: list[Order]) -> list[Action]:
    """Take the protective stop away, see that it is gone, and sell no more than is held then."""
    order = attempts[-1]
    why = forbidden(state, facts, order)
    if why:
        return [Abandon(order.client_id, why)]
    for stop in live_stops(state, order.symbol):
        return end_order(stop, facts, "exit") or [Abandon(order.client_id, "stop_unconfirmed")]
    free = sell_room(state, order.strategy, order.symbol, order.client_id)
    if order.qty_lots > free:
        why = f"{HELD_LESS} limit={free} measured={order.qty_lots} unit=lots"
    why = why or child_problem(attempts, order.qty_lots)
    return [Abandon(order.client_id, why)] if why else [Send(order.client_id)]


def _climb(
    state: State, parameters: Parameters, facts: StepFacts, attempts: list[Order]
) -> list[Action]:
    """The next rung of an exit's ladder: the rest of the quantity, wider, from a fresh quote."""
    order, limits = attempts[-1], parameters.limits
    rung = sum(1 for attempt in attempts if attempt.sent_ms)
    rest = min(rest_lots(attempts), sell_room(state, order.strategy, order.symbol))
    if rest <= 0 or rung >= limits.exit_attempts:
        return []
    if order.symbol not in facts.quotes:
        return [Requote(order.symbol)]
    quote = facts.quotes[order.symbol]
    if quote is None or quote.bid_ticks <= 0:
        return []
    slippage_ppm = rung_ppm(limits, rung)
    spec = state.spec(order.symbol)
    proposal = replace(
        proposal_of(order),
        attempt=order.attempt + 1,
        qty_lots=rest,
        price_ticks=exit_price_ticks(spec, quote.bid_ticks, slippage_ppm, rest),
    )
    view = exit_view(
        proposal,
        spec,
        limits,
        quote,
        rank=halt_rank(state, facts.latch),
        now_ms=facts.now_ms,
        slippage_ppm=slippage_ppm,
        free_lots=free_lots(state, order.symbol, order.strategy),
    )
    verdict, _ = approve(proposal, view, spec, parameters)
    return [PlanAttempt(verdict)] if isinstance(verdict, Approved) else []


__all__ = [
    "Abandon",
    "Action",
    "Cancel",
    "Look",
    "PlanAttempt",
    "Requote",
    "Send",
    "StepFacts",
    "action_row",
    "facts_of",
    "facts_row",
    "legs_of",
    "noted",
    "stale_intents",
    "step",
    "work_left",
]
