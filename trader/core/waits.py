"""Waits: since when a strategy has been out of an instrument, and for how long it stays out.

Lives here: what the ends of orders and positions mean for `state.cooldowns`, and how long each wait
is. Must not live here: who is refused for it (`time_gates`).

What a decision sent counts from the close it was decided at, however many seconds its fill came
later: else a cycle would wait for one bar more than a back-test. What was at rest at the venue
counts from when it was filled or ended.
"""

from __future__ import annotations

from trader.core.books import holding_key
from trader.core.days import Cooldown
from trader.core.limits import Cooldowns
from trader.core.state import Order, State
from trader.domain.order import OrderState, Side, TimeInForce

# Reasons of exits that were forced by the price.
STOPS = frozenset({"stop_loss", "trailing_stop", "break_even", "protective_stop"})


def note_exit(state: State, order: Order, at_ms: int, *, closed: bool) -> None:
    """A sell was filled: `closed` its owner's position, or only a part of it.

    A stop counts from its first fill on, any exit from when nothing sellable is left.
    """
    stopped = order.reason in STOPS
    if not (closed or stopped):
        return
    since = _since_ms(state, order, at_ms)
    wait = _wait_of(state, order)
    if closed:
        wait.exit_ms = max(wait.exit_ms, since)
    if stopped:
        wait.stop_ms = max(wait.stop_ms, since)


def note_ended(state: State, order: Order) -> None:
    """An entry whose time ran out with nothing filled: it expired, or was taken back when its time
    was up (taken back earlier, to be priced anew, is no end)."""
    if order.side is not Side.BUY or max(order.filled_lots, order.venue_lots) > 0:
        return
    late = order.state is OrderState.CANCELED and 0 < order.until_ms <= order.updated_ms
    if late or order.state is OrderState.EXPIRED:
        wait = _wait_of(state, order)
        wait.unfilled_ms = max(wait.unfilled_ms, _since_ms(state, order, order.updated_ms))


def _since_ms(state: State, order: Order, at_ms: int) -> int:
    close_ms = state.number("close_ms")
    if close_ms < 0 or order.tif is not TimeInForce.IOC:
        return at_ms
    return min(at_ms, close_ms)


def _wait_of(state: State, order: Order) -> Cooldown:
    key = holding_key(order.strategy, order.symbol)
    state.dirty.add(("cooldowns", key))
    return state.cooldowns.setdefault(key, Cooldown({"key": key}))


def out_until(wait: Cooldown | None, limits: Cooldowns, timeframe_ms: int) -> tuple[int, str]:
    """(instant in UTC ms before which the strategy stays out, after what); (0, "") for no wait.

    After any exit it is the longer of `exit_ms` and `exit_bars` of the strategy's bars; of several
    waits the one that ends last.
    """
    until, after = 0, ""
    if wait is None:
        return until, after
    for name, since, length in (
        ("exit", wait.exit_ms, max(limits.exit_ms, limits.exit_bars * timeframe_ms)),
        ("stop", wait.stop_ms, limits.stop_ms),
        ("unfilled", wait.unfilled_ms, limits.unfilled_ms),
    ):
        if since >= 0 and length > 0 and since + length > until:
            until, after = since + length, name
    return until, after
