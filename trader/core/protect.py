"""Protective stops at the venue: placed, replaced, removed; never two that could both fill.

Lives here: what the stop of each position should be, and the next action that brings the venue
nearer to it. A stop is sized by what is really held; one that is no longer right is cancelled, that
is confirmed, and only then comes the next. Where the venue does not let stops rest (a fact of the
step), none is placed. Must not live here: where a position's stop is (`exits`), and exits (`step`),
which take the stop away before they sell.
"""

from __future__ import annotations

from trader.core.actions import Abandon, Action, Look, PlanAttempt, Send, StepFacts
from trader.core.approval import Approved, Proposal
from trader.core.exit_orders import exit_view
from trader.core.exit_prices import STOP_REASONS
from trader.core.fold import is_open
from trader.core.gates import approve
from trader.core.money import price_down
from trader.core.order_sums import free_lots
from trader.core.parameters import Parameters
from trader.core.resting import end_order, forbidden, sell_room
from trader.core.snapshot import CoreQuote, halt_rank
from trader.core.state import Order, State
from trader.domain.order import WORKING, OrderState, Side, TimeInForce
from trader.records import dataclass

# Stops are numbered apart from the legs of a plan, which are counted from 0.
STOP_LEG = 1_000_000
# Of one instrument in one decision bar: what a venue refuses is not asked for without end.
ATTEMPTS_MAX = 6
_FAILED = frozenset({OrderState.REJECTED, OrderState.NOT_SENT, OrderState.ABANDONED})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The stop that a position should have: whose, the price that triggers it, how many lots."""

    strategy: str
    trigger_ticks: int
    qty_lots: int

    def difference(self, order: Order) -> str:
        """Why an order is not this stop; "" when it is."""
        if order.strategy != self.strategy:
            return "owner_changed"
        if order.trigger_ticks != self.trigger_ticks:
            return "stop_moved"
        return "" if order.qty_lots - order.filled_lots == self.qty_lots else "size_changed"


def keep_stops(state: State, parameters: Parameters, facts: StepFacts) -> list[Action]:
    """The next thing to do about protective stops; nothing while the account is frozen."""
    if halt_rank(state, facts.latch) > 2:
        return []
    symbols = {order.symbol for order in state.orders.values() if order.is_stop}
    if facts.stops:
        symbols |= set(state.positions)
    for symbol in sorted(symbols):
        if not is_leaving(state, symbol):
            actions = _unless_too_large(state, parameters, facts, symbol)
            if actions:
                return actions
    return []


def _unless_too_large(
    state: State, parameters: Parameters, facts: StepFacts, symbol: str
) -> list[Action]:
    """Nothing where an amount does not fit: no fill of such a stop could be booked."""
    try:
        return _keep_stop(state, parameters, facts, symbol)
    except OverflowError:
        return []


def is_leaving(state: State, symbol: str) -> bool:
    """Whether a sell other than a stop is under way: it takes the stop away itself."""
    return any(
        order.side is Side.SELL
        and not order.is_stop
        and (order.working or order.state is OrderState.PLANNED)
        for order in state.orders_of(symbol)
    )


def wanted_stop(state: State, facts: StepFacts, symbol: str) -> Wanted | None:
    """The stop that the position should have at the venue; None for none."""
    position = state.positions.get(symbol)
    spec = state.spec(symbol)
    if position is None or not position.strategy or not is_open(position, spec):
        return None
    if not facts.stops or position.stop_ticks <= 0:
        return None
    stops = sum(order.open_lots for order in state.orders_of(symbol) if order.is_stop)
    room = sell_room(state, position.strategy, symbol) + stops
    lots = min(room, spec.qty_lots_max)
    if lots < spec.qty_lots_min:
        return None
    return Wanted(position.strategy, position.stop_ticks, lots)


def _keep_stop(state: State, parameters: Parameters, facts: StepFacts, symbol: str) -> list[Action]:
    wanted = wanted_stop(state, facts, symbol)
    rests = False
    for order in state.orders_of(symbol):
        if not order.is_stop or not (order.working or order.state is OrderState.PLANNED):
            continue
        differs = wanted.difference(order) if wanted else "position_gone"
        if order.state is OrderState.PLANNED:
            return [_planned(state, facts, order, differs)]
        if order.state not in WORKING or (order.unresolved and not differs):
            # Ended with fills that nobody told yet, or nobody knows whether it arrived.
            if order.client_id not in facts.looked:
                return [Look(symbol, order.client_id)]
            rests = True
        elif differs and (wanted or _is_gone(state, symbol)):
            actions = end_order(order, facts, differs)
            if actions:
                return actions
            rests = True  # not confirmed: the next cycle goes on
        else:
            rests = True
    if wanted is None or rests:
        return []
    return _place(state, parameters, facts, symbol, wanted)


def _is_gone(state: State, symbol: str) -> bool:
    """Whether nothing is held that a stop could guard, or it has none any more."""
    position = state.positions.get(symbol)
    if position is None or position.stop_ticks <= 0:
        return True
    return not is_open(position, state.spec(symbol))


def _planned(state: State, facts: StepFacts, order: Order, differs: str) -> Action:
    """Send a stop that is still right, and covered; else name why it does not leave."""
    why = differs or forbidden(state, facts, order)
    room = sell_room(state, order.strategy, order.symbol, order.client_id)
    if not why and order.qty_lots > room:
        why = f"HELD_LESS limit={room} measured={order.qty_lots} unit=lots"
    return Abandon(order.client_id, why) if why else Send(order.client_id)


def _place(
    state: State, parameters: Parameters, facts: StepFacts, symbol: str, wanted: Wanted
) -> list[Action]:
    bar_ms = state.number("last_bar_ms")
    before = [o for o in state.orders_of(symbol) if o.is_stop and o.bar_ms == bar_ms]
    refused = any(
        order.state in _FAILED
        and order.trigger_ticks == wanted.trigger_ticks
        and order.qty_lots == wanted.qty_lots
        for order in before
    )
    if refused or len(before) >= ATTEMPTS_MAX or _is_through(facts, symbol, wanted):
        return []
    limits, spec = parameters.limits, state.spec(symbol)
    proposal = Proposal(
        wanted.strategy,
        symbol,
        Side.SELL,
        TimeInForce.GTC,
        bar_ms,
        STOP_LEG,
        len(before),
        price_down(wanted.trigger_ticks, limits.exit_slippage_ppm),
        wanted.qty_lots,
        0,
        0,
        STOP_REASONS[state.positions[symbol].trailed],
        order_type="stop_limit",
        trigger_ticks=wanted.trigger_ticks,
    )
    # It sells when its trigger trades: that is the touch its price is held against, whatever is
    # quoted now.
    at = wanted.trigger_ticks
    view = exit_view(
        proposal,
        spec,
        limits,
        CoreQuote(at, at, -1, -1, facts.now_ms),
        rank=halt_rank(state, facts.latch),
        now_ms=facts.now_ms,
        slippage_ppm=limits.exit_slippage_ppm,
        free_lots=free_lots(state, symbol, wanted.strategy),
    )
    verdict, _ = approve(proposal, view, spec, parameters)
    return [PlanAttempt(verdict)] if isinstance(verdict, Approved) else []


def _is_through(facts: StepFacts, symbol: str, wanted: Wanted) -> bool:
    """Whether the bid is known to be at the trigger already: the next plan sells."""
    quote = facts.quotes.get(symbol)
    return quote is not None and 0 < quote.bid_ticks <= wanted.trigger_ticks
