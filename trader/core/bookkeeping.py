"""Bookkeeping: what a fill, a plan and a resumed strategy mean for positions and books.

Lives here: the parts of `fold` that move coins and results, so that every fill is booked once in a
position, once in its strategy's holding and once in its strategy's book. A strategy sells only what
it bought itself: dust that another left stays where it is. Must not live here: orders and their
states, and what is allowed (`gates`).
"""

from __future__ import annotations

from typing import Any

from trader.core.books import Book, Holding, holding_key
from trader.core.days import note_fill, note_result
from trader.core.money import PPM, mul_div_down, mul_div_up
from trader.core.scale import Spec
from trader.core.state import FoldError, Order, Position, State
from trader.core.waits import note_exit
from trader.domain.order import Side

Payload = dict[str, Any]
# A result of this many times what was paid counts as such: sums of them stay far from overflow.
TIMES_MAX = 1_000
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
    result = 0
    if order.side is Side.BUY:
        _buy(order, position, holding, spec, payload)
        book.cash_units -= value + fee
        book.entries_filled += int(order.filled_lots == 0 and not leg_filled(state, order))
    else:
        result = _sell(order, position, holding, spec, payload)
        position.realised_units += result
        book.realised_units += result
        book.cash_units += value - fee
        holding.dust_units = 0
        closed = order.strategy == position.strategy and not is_open(position, spec)
        note_exit(state, order, int(payload["at_ms"]), closed=closed)
        if closed:
            _settle(book, position)
            _close(state, position, spec, int(payload["at_ms"]))
    if book.first_day < 0:
        book.first_day = state.number("day")
    note_fill(state, order.strategy, result, fee)
    position.fees_units += fee
    book.fees_units += fee
    book.fills += 1
    state.dirty |= {
        ("positions", symbol),
        ("holdings", holding.key),
        ("books", order.strategy),
    }


def leg_filled(state: State, order: Order) -> bool:
    """Whether another attempt of the same entry was filled, at least in part: it is one entry."""
    return any(
        other.filled_lots > 0
        for other in state.orders_of(order.symbol)
        if (other.bar_ms, other.leg) == (order.bar_ms, order.leg) and other.attempt != order.attempt
    )


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
    holding.dust_units = 0
    if position.strategy != order.strategy:
        return  # told late, when another strategy owns the instrument: see `_close`
    # Adding to a position never lowers its stop; what it had no exit for, the addition may bring.
    position.stop_ticks = max(position.stop_ticks, order.stop_ticks)
    for name in EXITS:
        setattr(position, name, getattr(position, name) or getattr(order, name))
    position.steps = position.steps or order.steps
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
    position.bought_lots = position.bought_units = position.trailed = position.result_units = 0
    position.stop_ticks = order.stop_ticks
    position.steps, position.scaled = order.steps, 0
    for name in EXITS:
        setattr(position, name, getattr(order, name))


def _sell(order: Order, position: Position, holding: Holding, spec: Spec, payload: Payload) -> int:
    """Take the coins out; returns the cash result, which counts for an owner's position."""
    gone = int(payload["qty_lots"]) * spec.base_per_lot + int(payload["fee_base_units"])
    cost = mul_div_up(holding.cost_units, gone, holding.qty_units) if holding.qty_units else 0
    cost = min(cost, holding.cost_units)
    for held in (holding, position):
        held.qty_units -= gone
        held.cost_units -= cost
    result = int(payload["cost_units"]) - int(payload["fee_cash_units"]) - cost
    if position.strategy == order.strategy:
        position.own_units -= gone
        position.result_units += result
    return result


def _settle(book: Book, position: Position) -> None:
    """A position is closed: its result counts, as share of what its entries bought."""
    result, bought = position.result_units, position.bought_units
    ppm = TIMES_MAX * PPM
    if abs(result) // TIMES_MAX < bought:
        ppm = mul_div_down(result, PPM, bought) if result > 0 else mul_div_up(-result, PPM, bought)
    if result > 0:
        book.wins += 1
        book.won_ppm += ppm
    else:
        book.losses += 1
        book.lost_ppm += ppm


def _close(state: State, position: Position, spec: Spec, at_ms: int) -> None:
    """Nothing sellable is left to the owner: nobody owns the instrument, or who else holds enough
    of it (a fill told after ownership had passed; what was declared dust is not enough); that
    position keeps the stop that was there."""
    stop_ticks = position.stop_ticks
    position.strategy = ""
    position.opened_ms = position.own_units = position.bought_lots = position.bought_units = 0
    position.entry_ticks = position.stop_ticks = position.trailed = position.scaled = 0
    position.result_units = 0
    position.steps = ""
    for name in EXITS:
        setattr(position, name, 0)
    for _, holding in sorted(state.holdings.items()):
        lots = holding.qty_units // spec.base_per_lot
        if holding.symbol != position.symbol or lots < spec.qty_lots_min or holding.is_dust:
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


def check_plan(state: State, payload: Payload) -> None:
    """Raises FoldError for what a plan tells that cannot be: a stop of no position, or one that is
    not above the one in force, a step of a scale-out that was reached before or does not exist, and
    dust that is not what is held."""
    for symbol, ticks in payload.get("stops", {}).items():
        position = state.positions.get(symbol)
        if position is None or not position.strategy or int(ticks) <= position.stop_ticks:
            raise FoldError(f"{symbol}: a stop of {ticks} ticks ratchets nothing")
    for symbol, count in payload.get("scaled", {}).items():
        position = state.positions.get(symbol)
        steps = len(position.steps.split()) if position and position.strategy else 0
        if position is None or not position.scaled < int(count) <= steps:
            raise FoldError(f"{symbol}: step {count} of its scale-out is not a further one")
    for key, units in payload.get("dust", {}).items():
        holding = state.holdings.get(key)
        if holding is None or not 0 < int(units) == holding.qty_units:
            raise FoldError(f"{key}: {units} units of dust are not what is held")


def note_plan(state: State, payload: Payload, day_before: int) -> None:
    """What a plan tells besides its orders: ratcheted stops, steps reached, dust, results,
    strategies that failed, fell too far, or are not good enough.

    `day_before`: the day of the decision before; what changed until the very moment a new day
    begins is the old one's.
    """
    for symbol, ticks in payload.get("stops", {}).items():
        position = state.positions[symbol]
        position.stop_ticks = int(ticks)
        position.trailed = 2 if symbol in payload.get("even", ()) else 1
        state.dirty.add(("positions", symbol))
    for symbol, count in payload.get("scaled", {}).items():
        state.positions[symbol].scaled = int(count)
        state.dirty.add(("positions", symbol))
    for key, units in payload.get("dust", {}).items():
        _declare_dust(state, state.holdings[key], int(units), int(payload["bar_ms"]))
    day = state.number("day")
    if day != day_before and day_before >= 0 and state.number("day_whole"):
        day = day_before
    for name, units in payload.get("results", {}).items():
        book = book_of(state, name)
        note_result(state, name, day, book.result_units, int(units))
        book.result_units = int(units)
        book.high_units = max(book.high_units, book.result_units)
        book.drawdown_units = max(book.drawdown_units, book.high_units - book.result_units)
        state.dirty.add(("books", name))
    for name, why in payload.get("off", ()):
        book_of(state, name).off_why = str(why)
        state.dirty.add(("books", name))
    for name, why in payload.get("shadow", ()):
        book_of(state, name).shadow_why = str(why)
        state.dirty.add(("books", name))
    for name in payload.get("stopped", ()):
        book_of(state, name).stopped = 1
        state.dirty.add(("books", name))
    for name, numbers in payload.get("quality", {}).items():
        book = book_of(state, name)
        book.quality_day, book.quality_days, book.sharpe_milli, book.weeks, book.weeks_ppm = numbers
        state.dirty.add(("books", name))


def _declare_dust(state: State, holding: Holding, units: int, at_ms: int) -> None:
    """The venue does not take what is left: whoever owned it owns the instrument no more, and what
    its sales brought is settled."""
    holding.dust_units = units
    state.dirty.add(("holdings", holding.key))
    position = state.positions[holding.symbol]
    if position.strategy == holding.strategy:
        if position.result_units:  # else nothing of it was ever sold: that is no result
            _settle(book_of(state, holding.strategy), position)
            state.dirty.add(("books", holding.strategy))
        _close(state, position, state.spec(holding.symbol), at_ms)
        state.dirty.add(("positions", holding.symbol))


def needs_human(book: Book) -> bool:
    """Whether a named human can end or look at anything of a strategy."""
    ended = book.off_why or book.shadow_why or book.stopped
    return bool(ended) or book.entries_filled > book.attended


def resume_strategy(state: State, payload: Payload) -> None:
    """A named human has looked at a strategy: what stopped it ends, and is measured anew.

    Its code is asked again, its draw-down is measured from its result now, its quality from the
    next day on, and the entries that fill without a human are counted from 0.
    """
    name = str(payload["strategy"])
    book = state.books.get(name)
    if book is None or not needs_human(book):
        raise FoldError(f"strategy {name} is not off, nor stopped, and all its entries were seen")
    if book.stopped:
        book.high_units = book.result_units
    if book.shadow_why:
        book.judged_day = state.number("day") + 1
        book.quality_day = -1
        book.quality_days = book.sharpe_milli = book.weeks = book.weeks_ppm = 0
    book.off_why = book.shadow_why = ""
    book.stopped = 0
    book.attended = book.entries_filled
    state.dirty.add(("books", name))
