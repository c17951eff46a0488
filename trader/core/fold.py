"""The one fold: facts in, account state out.

Lives here: what each kind of entry means for the account, the same in the journal's projections
and in the back-test. `fold` changes the state it is given (copying it for each of a million fills
would cost more than the fills) and marks what it touched in `state.dirty`. Must not live here:
decisions, or anything about where facts are kept.

An entry's payload is plain data: int, text, lists and dicts of these, never float.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trader.core.account_facts import FACTS, count_message, note_outcome, note_sent, set_meta
from trader.core.bookkeeping import (
    book_fill,
    check_plan,
    is_open,
    note_plan,
    resume_strategy,
    sellable_lots,
)
from trader.core.days import note_equity
from trader.core.marks import MARKS
from trader.core.regrid import in_flight_on, regrid
from trader.core.scale import Spec, text
from trader.core.state import HALT_LEVELS, FoldError, Order, State, instrument_of
from trader.core.waits import note_ended
from trader.domain.order import IllegalTransition, OrderEvent, OrderState, Side, next_state

Payload = dict[str, Any]

OUTCOME_EVENTS = {
    "accepted": OrderEvent.ACCEPT,
    "rejected": OrderEvent.REJECT,
    "unknown": OrderEvent.LOSE,
    "not_sent": OrderEvent.FAIL_CONNECT,
}
SEEN_EVENTS = {
    OrderState.OPEN: OrderEvent.ACCEPT,
    OrderState.FILLED: OrderEvent.FILL_ALL,
    OrderState.CANCELED: OrderEvent.CANCEL,
    OrderState.EXPIRED: OrderEvent.EXPIRE,
    OrderState.REJECTED: OrderEvent.REJECT,
    OrderState.ABSENT: OrderEvent.FIND_ABSENT,
}


def fold(state: State, kind: str, payload: Payload) -> State:
    """Apply one fact; returns the same `state`. Kinds that say nothing about the account pass.

    Raises FoldError or IllegalTransition (and leaves the state as it was) when the fact
    contradicts what is known.
    """
    handler = _HANDLERS.get(kind)
    if handler is not None:
        handler(state, payload)
    return state


def _genesis(state: State, payload: Payload) -> None:
    for key in ("account", "mode", "prefix", "quote"):
        set_meta(state, key, str(payload[key]))
    for key in ("cash_digits", "capital_units"):
        set_meta(state, key, int(payload[key]))
    set_meta(state, "cash_units", int(payload["capital_units"]))


def _instrument(state: State, payload: Payload) -> None:
    symbol = str(payload["symbol"])
    if symbol in state.instruments:
        before = state.spec(symbol)
        after = Spec(instrument_of(payload), state.number("cash_digits"))
        if (before.tick, before.lot) != (after.tick, after.lot):
            regrid(state, symbol, before, after)
    state.set_instrument(dict(payload))


def _policy(state: State, payload: Payload) -> None:
    set_meta(state, "policy", str(payload["sha"]))
    named = sorted(payload["strategies"].items())
    set_meta(state, "strategies", ",".join(f"{name}={sha}" for name, sha in named))


def _cycle_start(state: State, payload: Payload) -> None:
    set_meta(state, "cycles", int(payload["cycle"]))


def _plan(state: State, payload: Payload) -> None:
    bar_ms = int(payload["bar_ms"])
    if bar_ms <= state.number("last_bar_ms"):
        raise FoldError(f"bar {bar_ms} is already planned")
    settled = [key for key, order in state.orders.items() if not order.working]
    planned = [Order(leg) for leg in payload["legs"]]
    check_plan(state, payload)
    names = [*state.orders, *(order.client_id for order in planned)]
    if len(set(names)) != len(names):
        raise FoldError(f"the plan of bar {bar_ms}: one of its orders exists already")
    ends = {_order(state, {"client_id": key}): str(why) for key, why in _ends(payload)}
    _forget_settled(state, settled)
    for order, why in ends.items():
        order.ending = why
        state.dirty.add(("orders", order.client_id))
    set_meta(state, "last_bar_ms", bar_ms)
    day_before = state.number("day")
    for name, value in payload.get("marks", {}).items():
        set_meta(state, _mark_name(name), int(value))
    note_equity(state, day_before)
    _universe(state, payload)
    note_plan(state, payload, day_before)
    alarms = "\n".join(payload.get("alarms", ()))
    if alarms != state.word("alarms"):
        set_meta(state, "alarms", alarms)
    for order in planned:
        _put(state, order)


def _ends(payload: Payload) -> list[tuple[str, str]]:
    """(client id, why) of the resting orders that the plan wants cancelled."""
    return list(payload.get("ends", {}).items())


def _forget_settled(state: State, settled: list[str]) -> None:
    """Drop settled orders, but not the earlier attempts of a leg that still works: what they were
    filled counts against the quantity of their first (see `children`)."""
    alive = {(o.bar_ms, o.leg) for o in state.orders.values() if o.working and not o.is_stop}
    for key in settled:
        order = state.orders[key]
        if order.state is OrderState.PLANNED:
            continue
        if (order.bar_ms, order.leg) in alive and not order.is_stop:
            state.dirty.add(("orders", key))  # the journal holds what the newest plan touched
        else:
            del state.orders[key]


def _universe(state: State, payload: Payload) -> None:
    """Members of the tiers and the regime, where the plan told them anew."""
    for tier, members in payload.get("members", {}).items():
        state.members[str(tier)] = str(members)
        state.dirty.add(("members", str(tier)))
    regime = payload.get("regime", [])
    if regime:
        set_meta(state, "regime_ms", int(regime[0]))
        set_meta(state, "regime", str(regime[1]))


def _mark_name(name: str) -> str:
    if name not in MARKS:
        raise FoldError(f"{name} is no mark")
    return name


def _order_planned(state: State, payload: Payload) -> None:
    order = Order(payload)
    if order.client_id in state.orders:
        raise FoldError(f"order {order.client_id} exists already")
    _put(state, order)


def _order_recalled(state: State, payload: Payload) -> None:
    if str(payload["client_id"]) not in state.orders:
        _put(state, Order(payload))


def _order_sent(state: State, payload: Payload) -> None:
    order = _order(state, payload)
    order.state = next_state(order.state, OrderEvent.SEND)
    order.sent_ms = int(payload["at_ms"])
    _touch(state, order, payload)
    note_sent(state, order)


def _cancel_sent(state: State, payload: Payload) -> None:
    order = _order(state, payload)
    if not order.working:
        raise FoldError(f"order {order.client_id} is {order.state}: nothing to cancel")
    order.ending = str(payload["why"])
    _touch(state, order, payload)
    count_message(state, order.updated_ms)


def _order_outcome(state: State, payload: Payload) -> None:
    order = _order(state, payload)
    event = OUTCOME_EVENTS[payload["outcome"]]
    order.state = next_state(order.state, event)
    order.outcome_code = str(payload["code"])
    _touch(state, order, payload)
    note_outcome(state, payload)


def _order_seen(state: State, payload: Payload) -> None:
    order = _order(state, payload)
    seen = OrderState(payload["state"])
    if seen is not order.state:
        order.state = next_state(order.state, SEEN_EVENTS[seen])
    order.venue_lots = max(order.venue_lots, int(payload["venue_lots"]))
    _touch(state, order, payload)
    note_ended(state, order)


def _order_abandoned(state: State, payload: Payload) -> None:
    order = _order(state, payload)
    order.state = next_state(order.state, OrderEvent.ABANDON)
    order.outcome_code = str(payload["why"])
    _touch(state, order, payload)


def _fill(state: State, payload: Payload) -> None:
    order = _order(state, payload)
    spec = state.spec(order.symbol)
    lots, units = int(payload["qty_lots"]), int(payload["cost_units"])
    if (payload["side"], payload["symbol"]) != (order.side, order.symbol):
        raise FoldError(
            f"order {order.client_id} is to {order.side} {order.symbol}: fill "
            f"{payload['trade_id']} is a {payload['side']} of {payload['symbol']}"
        )
    if order.filled_lots + lots > order.qty_lots:
        raise FoldError(
            f"order {order.client_id}: fill {payload['trade_id']} of {lots} lots on top of "
            f"{order.filled_lots} is more than the {order.qty_lots} asked for"
        )
    done = order.filled_lots + lots == order.qty_lots
    after = next_state(order.state, OrderEvent.FILL_ALL if done else OrderEvent.FILL_PART)
    base = lots * spec.base_per_lot + int(payload["fee_base_units"])
    held = state.held_units(order.strategy, order.symbol)
    if order.side is Side.SELL and base > held:
        raise FoldError(f"order {order.client_id}: sold {base} of {held} held")
    book_fill(state, order, payload, spec)
    order.filled_lots += lots
    order.filled_units += units
    order.state = after
    flow = -units if order.side is Side.BUY else units
    set_meta(state, "cash_units", state.cash_units + flow - int(payload["fee_cash_units"]))
    if order.side is Side.BUY and order.signal_ms:
        key = f"{order.strategy}|{order.symbol}"
        state.consumed[key] = max(state.consumed.get(key, -1), order.signal_ms)
        state.dirty.add(("consumed", key))
    _other_fee(state, payload)
    _touch(state, order, payload)


def _other_fee(state: State, payload: Payload) -> None:
    asset = str(payload["fee_asset"])
    if not asset:
        return
    total = Decimal(state.other_fees.get(asset, "0")) + Decimal(str(payload["fee"]))
    state.other_fees[asset] = text(total)
    state.dirty.add(("other_fees", asset))


def _halt(state: State, payload: Payload) -> None:
    level = str(payload["level"])
    if HALT_LEVELS.index(level) < HALT_LEVELS.index(state.word("halt_level")):
        return
    set_meta(state, "halt_level", level)
    set_meta(state, "halt_why", str(payload["why"]))
    set_meta(state, "halt_by", str(payload["by"]))


def _resume(state: State, payload: Payload) -> None:
    set_meta(state, "halt_level", "running")
    set_meta(state, "halt_why", str(payload["why"]))
    set_meta(state, "halt_by", str(payload["by"]))


def _mark_reset(state: State, payload: Payload) -> None:
    """A named human accepts the draw-down: it is measured from the equity of the next decision."""
    set_meta(state, "high_units", 0)
    set_meta(state, "drawdown_stopped", 0)
    set_meta(state, "halt_why", str(payload["why"]))
    set_meta(state, "halt_by", str(payload["by"]))


def _order(state: State, payload: Payload) -> Order:
    order = state.orders.get(str(payload["client_id"]))
    if order is None:
        raise FoldError(f"order {payload['client_id']} is not known")
    return order


def _touch(state: State, order: Order, payload: Payload) -> None:
    order.updated_ms = int(payload["at_ms"])
    venue_id = str(payload.get("venue_id", ""))
    if venue_id:
        order.venue_id = venue_id
    state.dirty.add(("orders", order.client_id))


def _put(state: State, order: Order) -> None:
    state.orders[order.client_id] = order
    state.dirty.add(("orders", order.client_id))


_HANDLERS: dict[str, Callable[[State, Payload], None]] = {
    "genesis": _genesis,
    "instrument": _instrument,
    "policy": _policy,
    "cycle_start": _cycle_start,
    "plan": _plan,
    "order_planned": _order_planned,
    "order_recalled": _order_recalled,
    "order_sent": _order_sent,
    "cancel_sent": _cancel_sent,
    "order_outcome": _order_outcome,
    "order_seen": _order_seen,
    "order_abandoned": _order_abandoned,
    "fill": _fill,
    "halt": _halt,
    "mark_reset": _mark_reset,
    "resume": _resume,
    "strategy_resumed": resume_strategy,
    **FACTS,
}

__all__ = ["FoldError", "IllegalTransition", "fold", "in_flight_on", "is_open", "sellable_lots"]
