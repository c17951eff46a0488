"""Orders at rest: how one is ended, and how much a position still lets be sold.

Lives here: cancel, then confirm, and nothing before that; the reasons that end a resting entry; the
room that other sells leave. Must not live here: when an entry is moved (`upkeep`), protective stops
(`protect`), and the order of things (`step`).
"""

from __future__ import annotations

from trader.core.actions import Action, Cancel, Look, StepFacts
from trader.core.asked import is_asked
from trader.core.snapshot import halt_rank
from trader.core.state import HALT_LEVELS, Order, State
from trader.domain.order import WORKING, OrderState, Side, TimeInForce


def forbidden(state: State, facts: StepFacts, order: Order) -> str:
    """Why an order must not leave, or rest, now; "" when it may. New risk needs `running` and books
    that agree; only `frozen` holds a sell."""
    if order.side is Side.BUY and facts.mismatches:
        return "books_mismatch"
    rank = halt_rank(state, facts.latch)
    limit = 0 if order.side is Side.BUY else 2
    return "" if rank <= limit else f"halt_{HALT_LEVELS[rank]}"


def end_order(order: Order, facts: StepFacts, why: str) -> list[Action]:
    """Ask once for a cancel, then look once what became of it; empty when this cycle can do no
    more, though the order may still work."""
    if order.state in WORKING and order.client_id not in facts.cancelled:
        return [Cancel(order.symbol, order.client_id, why)]
    if order.client_id not in facts.looked:
        return [Look(order.symbol, order.client_id)]
    return []


def end_entries(state: State, facts: StepFacts) -> list[Action]:
    """The next thing to do about entries at rest that may not rest any more."""
    for order in state.orders.values():
        if not (is_resting_entry(order) and order.working):
            continue
        why = why_ended(state, facts, order)
        actions = end_order(order, facts, why) if why else []
        if actions:
            return actions
    return []


def is_resting_entry(order: Order) -> bool:
    """An entry that may outlive its cycle."""
    return order.side is Side.BUY and order.tif is TimeInForce.GTC


def why_ended(state: State, facts: StepFacts, order: Order) -> str:
    """Why a resting entry is to be cancelled, "" when it may rest: what its plan or a human said,
    a halt, an exit that was asked for, its time to live, or an attempt that takes its place."""
    if order.ending:
        return order.ending
    why = forbidden(state, facts, order)
    if why:
        return why
    if is_asked(state, order.symbol):
        return "exit_asked"
    if 0 < order.until_ms <= facts.now_ms:
        return "time_to_live"
    leg = (order.bar_ms, order.leg)
    next_one = any(
        other.state is OrderState.PLANNED
        and (other.bar_ms, other.leg) == leg
        and other.attempt > order.attempt
        for other in state.orders_of(order.symbol)
    )
    return "moved" if next_one else ""


def sell_room(state: State, strategy: str, symbol: str, besides: str = "") -> int:
    """Lots that a strategy may sell of what it holds: less everything that sells, or may still be
    found to have sold. `besides`: client id of an order that is not counted."""
    held = state.held_units(strategy, symbol) // state.spec(symbol).base_per_lot
    pending = sum(
        order.open_lots
        for order in state.orders_of(symbol)
        if order.side is Side.SELL and order.strategy == strategy and order.client_id != besides
    )
    return held - pending


def live_stops(state: State, symbol: str) -> list[Order]:
    """Protective stops of an instrument that may still fill."""
    return [order for order in state.orders_of(symbol) if order.is_stop and order.working]
