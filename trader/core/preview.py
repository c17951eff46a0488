"""Preview: what an order would be if somebody wanted it now, without a signal and without sending.

Lives here: the same sizing, gates and exit orders as in a decision, for one wish. Must not live
here: whether a strategy wants it (`signals`), and carrying anything out.
"""

from __future__ import annotations

from trader.core.approval import Approved, Refused
from trader.core.desk import Desk, TrailRow
from trader.core.entries import consider
from trader.core.exit_orders import leave
from trader.core.gates import NO_ANSWERS
from trader.core.parameters import SizeSpec, StrategySpec
from trader.core.plan import open_desk
from trader.core.snapshot import Snapshot
from trader.core.state import Position
from trader.domain.order import Side
from trader.records import dataclass, replace

FORCED = "force_exit"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked at: a strategy's entry on an instrument, or the exit of what is held.

    `size`: in place of the strategy's own method; None: its own.
    """

    strategy: StrategySpec
    symbol: str
    side: Side
    size: SizeSpec | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of it: the trail's row, and the order or the refusal (None: no size)."""

    row: TrailRow
    leg: Approved | None
    refused: Refused | None


def preview(snapshot: Snapshot, wish: Wish) -> Preview:
    """Decide one wish as a decision would: alone, with everything that is held and in flight."""
    _, _, desk = open_desk(snapshot)
    strategy, symbol = wish.strategy, wish.symbol
    if wish.size is not None:
        strategy = replace(strategy, size=wish.size)
    try:
        if wish.side is Side.BUY:
            desk.suppose(strategy, symbol)
            consider(desk, strategy, symbol)
        else:
            _leave(desk, symbol)
    except OverflowError:
        desk.note(strategy.name, symbol, {}, {}, NO_ANSWERS, "AMOUNT_OVERFLOW")
    row = desk.trail[-1]
    leg = desk.legs[-1] if desk.legs else None
    return Preview(row, leg, desk.refused[-1] if desk.refused else None)


def _leave(desk: Desk, symbol: str) -> None:
    position: Position | None = desk.snapshot.state.positions.get(symbol)
    if position is None or symbol not in desk.view.open_symbols():
        desk.note("", symbol, {}, {}, NO_ANSWERS, "NOTHING_TO_SELL")
        return
    spec = desk.snapshot.state.spec(symbol)
    leave(desk, position.strategy, spec, FORCED, desk.view.held_lots(symbol), {})
