"""Exits that a named human asked for: of one instrument, or of everything (`*`).

Lives here: whether one is asked for, when it is done, and the sale of those that no leg of the
newest plan carries out: they were asked for after it, or it had no bid. The plan itself sells what
is asked for (`exits`). Must not live here: who may ask, and writing it down.
"""

from __future__ import annotations

from trader.core.actions import Action, PlanAttempt, Requote, StepFacts
from trader.core.approval import Approved, Proposal
from trader.core.bookkeeping import is_open
from trader.core.exit_orders import exit_view
from trader.core.exit_sizes import can_sell
from trader.core.gates import approve
from trader.core.ladder import exit_price_ticks, rung_ppm
from trader.core.order_sums import free_lots
from trader.core.parameters import Parameters
from trader.core.snapshot import halt_rank
from trader.core.state import Order, State
from trader.domain.order import OrderState, Side, TimeInForce

REASON = "force_exit"
ALL = "*"


def is_asked(state: State, symbol: str) -> bool:
    """Whether a named human asked to leave the instrument, or every one, and it is not done."""
    return not {symbol, ALL}.isdisjoint(pending(state))


def exits_done(state: State) -> list[str]:
    """What was asked for and is done, sorted: nothing is left that the venue takes, and no order of
    the instrument (of any, for `*`) may still fill."""
    return [key for key in pending(state) if not left_of(state, key)]


def pending(state: State) -> list[str]:
    """What was asked for and is not done, sorted."""
    return sorted(key for key, row in state.asked.items() if int(row["done_ms"]) < 0)


def left_of(state: State, asked: str) -> list[str]:
    """Instruments, sorted, of which what was asked for is not done."""
    left = {order.symbol for order in state.orders.values() if _may_fill(order)}
    left |= {
        symbol
        for symbol, position in state.positions.items()
        if is_open(position, state.spec(symbol))
    }
    return sorted(symbol for symbol in left if asked in {symbol, ALL})


def _may_fill(order: Order) -> bool:
    return order.working or order.state is OrderState.PLANNED


def sell_asked(state: State, parameters: Parameters, facts: StepFacts) -> list[Action]:
    """The next sale of what was asked for, as a new leg of the newest plan: one for each instrument
    and plan, whose attempts then climb like those of any exit."""
    if not pending(state):
        return []
    newest = state.number("last_bar_ms")
    orders = state.orders.values()
    legs = [order for order in orders if order.bar_ms == newest and not order.is_stop]
    tried = {order.symbol for order in legs if order.reason == REASON}
    leg = 1 + max((order.leg for order in legs), default=-1)
    for symbol in sorted(state.positions):
        if symbol in tried or not is_asked(state, symbol):
            continue
        try:
            actions = _sell(state, parameters, facts, symbol, leg)
        except OverflowError:
            continue  # an amount does not fit: no fill of it could be booked
        if actions:
            return actions
    return []


def _sell(
    state: State, parameters: Parameters, facts: StepFacts, symbol: str, leg: int
) -> list[Action]:
    """The sale of one instrument that was asked for."""
    position, spec = state.positions[symbol], state.spec(symbol)
    free = free_lots(state, symbol, position.strategy) if is_open(position, spec) else 0
    if free < spec.qty_lots_min:
        return []
    if symbol not in facts.quotes:
        return [Requote(symbol)]
    quote = facts.quotes[symbol]
    lots = min(free, spec.qty_lots_max)
    if quote is None or not can_sell(spec, lots, quote.bid_ticks):
        return []
    ppm = rung_ppm(parameters.limits, 0)
    proposal = Proposal(
        position.strategy,
        symbol,
        Side.SELL,
        TimeInForce.IOC,
        state.number("last_bar_ms"),
        leg,
        0,
        exit_price_ticks(spec, quote.bid_ticks, ppm, lots),
        lots,
        0,
        0,
        REASON,
    )
    view = exit_view(
        proposal,
        spec,
        parameters.limits,
        quote,
        rank=halt_rank(state, facts.latch),
        now_ms=facts.now_ms,
        slippage_ppm=ppm,
        free_lots=free,
    )
    verdict, _ = approve(proposal, view, spec, parameters)
    return [PlanAttempt(verdict)] if isinstance(verdict, Approved) else []
