"""Regrid: an instrument's prices and coins counted in new ticks and lots.

Lives here: what happens to orders, positions and holdings when the venue changes an instrument's
tick or lot while something of it is known. Stops and targets go up to the next tick, coins down.
Must not live here: which rules are in force (`state`).
"""

from __future__ import annotations

from collections.abc import Callable

from trader.core.books import Holding
from trader.core.scale import Spec, to_units_rounded
from trader.core.state import FoldError, Order, Position, State
from trader.domain.order import OrderState

EXIT_PRICES = ("stop_ticks", "target_ticks", "trail_ticks", "even_ticks", "arm_ticks")


def in_flight_on(state: State, symbol: str) -> bool:
    """Whether an order counts in the present ticks and lots of the instrument: planned or alive."""
    return any(
        order.working or order.state is OrderState.PLANNED for order in state.orders_of(symbol)
    )


def regrid(state: State, symbol: str, before: Spec, after: Spec) -> None:
    """Count the same prices and coins in new ticks and lots; stops go up to the next tick."""
    if in_flight_on(state, symbol):
        raise FoldError(f"{symbol}: tick and lot cannot change under an order in flight")

    def ticks(old: int) -> int:
        return to_units_rounded(before.price(old), after.tick, f"{symbol} price", up=True)

    def lots(old: int, *, up: bool) -> int:
        return to_units_rounded(before.qty(old), after.lot, f"{symbol} quantity", up=up)

    def coins(old: int) -> int:
        return to_units_rounded(old * before.base_unit, after.base_unit, symbol, up=False)

    changed: list[tuple[Order | Position | Holding, dict[str, int | str]]] = []
    numbers: dict[str, int | str]
    position = state.positions.get(symbol)
    if position is not None:
        held = {h.strategy: h for h in state.holdings.values() if h.symbol == symbol}
        units = {name: coins(holding.qty_units) for name, holding in held.items()}
        for name, holding in held.items():
            changed.append((holding, _of_holding(holding, units[name], coins)))
        numbers = {name: ticks(getattr(position, name)) for name in ("entry_ticks", *EXIT_PRICES)}
        numbers["steps"] = steps_in(position.steps, ticks)
        numbers["bought_lots"] = lots(position.bought_lots, up=True)
        numbers["own_units"] = units.get(position.strategy, 0)
        numbers["qty_units"] = sum(units.values())
        changed.append((position, numbers))
    for order in state.orders_of(symbol):
        # Ended: only what it left unfilled is still asked for, and never more of it than before.
        filled = lots(order.filled_lots, up=True)
        numbers = {"qty_lots": max(filled, lots(order.qty_lots, up=False)), "filled_lots": filled}
        numbers["venue_lots"] = min(order.venue_lots, filled)
        prices = ("price_ticks", "trigger_ticks", *EXIT_PRICES)
        numbers |= {name: ticks(getattr(order, name)) for name in prices}
        numbers["steps"] = steps_in(order.steps, ticks)
        changed.append((order, numbers))
    for counted, values in changed:
        for name, value in values.items():
            setattr(counted, name, value)
        state.dirty.add(_place(counted))


def _of_holding(holding: Holding, units: int, coins: Callable[[int], int]) -> dict[str, int | str]:
    return {"qty_units": units, "dust_units": coins(holding.dust_units)}


def steps_in(steps: str, ticks: Callable[[int], int]) -> str:
    """Scale-out steps (`ticks:ppm ...`) with their prices counted anew."""
    pairs = (step.partition(":") for step in steps.split())
    return " ".join(f"{ticks(int(price))}:{ppm}" for price, _, ppm in pairs)


def _place(counted: Order | Position | Holding) -> tuple[str, str]:
    """Its table and key."""
    if isinstance(counted, Order):
        return "orders", counted.client_id
    if isinstance(counted, Holding):
        return "holdings", counted.key
    return "positions", counted.symbol
