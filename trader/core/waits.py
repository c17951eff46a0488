"""Waits: since when a strategy has been out of an instrument, and why.

Lives here: what the ends of orders and positions mean for `state.cooldowns`. Must not live here:
how long a wait is, and who must wait (`time_gates`).
"""

from __future__ import annotations

from trader.core.books import holding_key
from trader.core.days import Cooldown
from trader.core.state import Order, State
from trader.domain.order import OrderState, Side

# Reasons of exits that were forced by the price.
STOPS = frozenset({"stop_loss", "trailing_stop", "break_even", "protective_stop"})


def note_exit(state: State, order: Order, at_ms: int, *, closed: bool) -> None:
    """A sell was filled: `closed` its owner's position, or only a part of it.

    A stop counts from its first fill on, any exit from when nothing sellable is left.
    """
    stopped = order.reason in STOPS
    if not (closed or stopped):
        return
    wait = _wait_of(state, order)
    if closed:
        wait.exit_ms = max(wait.exit_ms, at_ms)
    if stopped:
        wait.stop_ms = max(wait.stop_ms, at_ms)


def note_ended(state: State, order: Order) -> None:
    """An entry whose time ran out with nothing filled: it expired, or was taken back when its time
    was up (taken back earlier, to be priced anew, is no end)."""
    if order.side is not Side.BUY or max(order.filled_lots, order.venue_lots) > 0:
        return
    late = order.state is OrderState.CANCELED and 0 < order.until_ms <= order.updated_ms
    if late or order.state is OrderState.EXPIRED:
        wait = _wait_of(state, order)
        wait.unfilled_ms = max(wait.unfilled_ms, order.updated_ms)


def _wait_of(state: State, order: Order) -> Cooldown:
    key = holding_key(order.strategy, order.symbol)
    state.dirty.add(("cooldowns", key))
    return state.cooldowns.setdefault(key, Cooldown({"key": key}))
