"""Dust: what is held and the venue does not take, by quantity or by value.

Lives here: declaring it, once, so that it is out of positions and ownership and nobody asks for its
sale each minute for ever; and looking again, for when price or rules have made it sellable. Must
not live here: exits of positions (`exits`).

Whatever a strategy still holds where nobody owns the instrument is dust: the rest that a fee left
of an exit, an entry that filled in less than the smallest order, a position whose exit the venue
did not take. It stays in the book of who left it. As soon as the venue takes it at a fresh bid it
is sold, with reason `dust`; until then it is told once (DUST), and again only when its quantity has
changed. Its owner finds it again with its next position.
"""

from __future__ import annotations

from trader.core.books import holding_key
from trader.core.desk import Desk, Seen
from trader.core.exit_orders import fresh_bid_ticks, leave
from trader.core.exit_sizes import can_sell
from trader.core.gates import NO_ANSWERS


def declare_dust(desk: Desk, strategy: str, symbol: str, seen: Seen) -> None:
    """Name what a strategy holds of an instrument dust: one row of the trail, and of the plan."""
    key = holding_key(strategy, symbol)
    units = desk.snapshot.state.holdings[key].qty_units
    desk.dust[key] = units
    desk.note(strategy, symbol, {**seen, "dust_units": units}, {}, NO_ANSWERS, "DUST")


def look_after_dust(desk: Desk) -> None:
    """Sell what has become sellable, declare what is new; positions are not looked at."""
    state = desk.snapshot.state
    for _, holding in sorted(state.holdings.items()):
        if holding.qty_units <= 0 or desk.view.owner(holding.symbol):
            continue
        spec = state.spec(holding.symbol)
        lots = min(holding.qty_units // spec.base_per_lot, spec.qty_lots_max)
        bid = fresh_bid_ticks(desk.snapshot, holding.symbol)
        seen: Seen = {"bid_ticks": bid, "held_units": holding.qty_units}
        if can_sell(spec, lots, bid):
            leave(desk, holding.strategy, spec, "dust", lots, seen)
        elif not holding.is_dust:
            declare_dust(desk, holding.strategy, holding.symbol, seen)
