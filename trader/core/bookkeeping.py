"""Bookkeeping: what a fill, a plan and a resumed strategy mean for positions and books.

Lives here: the parts of `fold` that move coins and results, so that every fill is booked once in a
position, once in its strategy's holding and once in its strategy's book. A strategy sells only what
it bought itself: dust that another left stays where it is. Must not live here: orders and their
states, and what is allowed (`gates`).
"""

from __future__ import annotations

from typing import Any

from trader.core.books import Book, Holding, holding_key
from trader.core.money import mul_div_up
from trader.core.scale import Spec
from trader.core.state import FoldError, Order, Position, State
from trader.domain.order import Side

Payload = dict[str, Any]
EXITS = ("target_ticks", "trail_ticks", "hold_ms", "arm_ticks", "even_ticks")


def is_open(position: Position, spec: Spec) -> bool:
    """Whether its owner has enough to sell at all; less is dust, and nobody owns the instrument."""
    return sellable_lots(position, spec) >= spec.qty_lots_min


def sellable_lots(position: Position, spec: Spec) -> int:
    """Whole lots that the owner holds, rounded down."""
    return position.own_units // spec.base_per_lot


def book_fill(state: State, order: Order, payload: Payload, spec: Spec) -> None:
    """Book one execution that the caller has checked; `order` does not count it yet."""
    symbol = order.symbol
    position = state.positions.setdefault(symbol, Position({"symbol": symbol}))
    holding = holding_of(state, order.strategy, symbol)
    book = book_of(state, order.strategy)
    value, fee = int(payload["cost_units"]), int(payload["fee_cash_units"])
    if order.side is Side.BUY:
        _buy(order, position, holding, spec, payload)
        book.cash_units -= value + fee
    else:
        result = _sell(order, position, holding, spec, payload)
        position.realised_units += result
        book.realised_units += result
        book.cash_units += value - fee
        if order.strategy == position.strategy and not is_open(position, spec):
            _close(state, position, spec, int(payload["at_ms"]))
    position.fees_units += fee
    book.fees_units += fee
    book.fills += 1
    state.dirty |= {
        ("positions", symbol),
        ("holdings", holding.key),
        ("books", order.strategy),
    }


def _buy(order: Order, position: Position, holding: Holding, spec: Spec, payload: Payload) -> None:
    lots, value = int(payload["qty_lots"]), int(payload["cost_units"])
    coins = lots * spec.base_per_lot - int(payload["fee_base_units"])
    paid = value + int(payload["fee_cash_units"])
    began = position.strategy == order.strategy and order.filled_lots > 0
    if not is_open(position, spec) and not began:
        _open(order, position, holding, int(payload["at_ms"]))
    position.qty_units += coins
    position.cost_units += paid
    holding.qty_units += coins
    holding.cost_units += paid
    if position.strategy != order.strategy:
        return  # told late, when another strategy owns the instrument: see `_close`
    # Adding to a position never lowers its stop; what it had no exit for, the addition may bring.
    position.stop_ticks = max(position.stop_ticks, order.stop_ticks)
    for name in EXITS:
        setattr(position, name, getattr(position, name) or getattr(order, name))
    position.own_units += coins
    position.bought_lots += lots
    position.bought_units += value
    position.entry_ticks = mul_div_up(
        position.bought_units, spec.notional_den, spec.notional_num * position.bought_lots
    )


def _open(order: Order, position: Position, holding: Holding, at_ms: int) -> None:
    position.strategy = order.strategy
    position.opened_ms = at_ms
    position.own_units = holding.qty_units
    position.bought_lots = position.bought_units = position.trailed = 0
    position.stop_ticks = order.stop_ticks
    for name in EXITS:
        setattr(position, name, getattr(order, name))


def _sell(order: Order, position: Position, holding: Holding, spec: Spec, payload: Payload) -> int:
    """Take the coins out; returns the cash result."""
    gone = int(payload["qty_lots"]) * spec.base_per_lot + int(payload["fee_base_units"])
    cost = mul_div_up(holding.cost_units, gone, holding.qty_units) if holding.qty_units else 0
    cost = min(cost, holding.cost_units)
    for held in (holding, position):
        held.qty_units -= gone
        held.cost_units -= cost
    if position.strategy == order.strategy:
        position.own_units -= gone
    return int(payload["cost_units"]) - int(payload["fee_cash_units"]) - cost


def _close(state: State, position: Position, spec: Spec, at_ms: int) -> None:
    """Nothing sellable is left to the owner: nobody owns the instrument, or who else holds enough
    of it (a fill told after ownership had passed); that position keeps the stop that was there."""
    stop_ticks = position.stop_ticks
    position.strategy = ""
    position.opened_ms = position.own_units = position.bought_lots = position.bought_units = 0
    position.entry_ticks = position.stop_ticks = position.trailed = 0
    for name in EXITS:
        setattr(position, name, 0)
    for _, holding in sorted(state.holdings.items()):
        lots = holding.qty_units // spec.base_per_lot
        if holding.symbol != position.symbol or lots < spec.qty_lots_min:
            continue
        position.strategy, position.opened_ms = holding.strategy, at_ms
        position.own_units, position.stop_ticks = holding.qty_units, stop_ticks
        position.bought_lots, position.bought_units = lots, holding.cost_units
        position.entry_ticks = mul_div_up(
            holding.cost_units, spec.notional_den, spec.notional_num * lots
        )
        return


def holding_of(state: State, strategy: str, symbol: str) -> Holding:
    """A strategy's holding of an instrument, new and empty when it never had one."""
    key = holding_key(strategy, symbol)
    return state.holdings.setdefault(key, Holding({"key": key}))


def book_of(state: State, strategy: str) -> Book:
    """A strategy's book, new and empty when it had none."""
    return state.books.setdefault(strategy, Book({"strategy": strategy}))


def check_stops(state: State, stops: Payload) -> None:
    """Raises FoldError for a stop of no position, or one that is not above the one in force."""
    for symbol, ticks in stops.items():
        position = state.positions.get(symbol)
        if position is None or not position.strategy or int(ticks) <= position.stop_ticks:
            raise FoldError(f"{symbol}: a stop of {ticks} ticks ratchets nothing")


def note_plan(state: State, payload: Payload) -> None:
    """What a plan tells besides its orders: ratcheted stops, results, strategies that failed."""
    for symbol, ticks in payload.get("stops", {}).items():
        position = state.positions[symbol]
        position.stop_ticks, position.trailed = int(ticks), 1
        state.dirty.add(("positions", symbol))
    for name, units in payload.get("results", {}).items():
        book = book_of(state, name)
        book.result_units = int(units)
        book.high_units = max(book.high_units, book.result_units)
        book.drawdown_units = max(book.drawdown_units, book.high_units - book.result_units)
        state.dirty.add(("books", name))
    for name, why in payload.get("off", ()):
        book_of(state, name).off_why = str(why)
        state.dirty.add(("books", name))


def resume_strategy(state: State, payload: Payload) -> None:
    """A named human lets a strategy that failed be asked again."""
    book = state.books.get(str(payload["strategy"]))
    if book is None or not book.off_why:
        raise FoldError(f"strategy {payload['strategy']} is not off")
    book.off_why = ""
    state.dirty.add(("books", book.strategy))
