"""The account as a decision sees it: equity, what is in flight, who owns what.

Lives here: sums over the state, in cash units, shared by plan and step. Must not live here:
permissions (see `gates`), and changes of state (see `fold`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trader.core.approval import Proposal
from trader.core.fold import is_open, sellable_lots
from trader.core.money import AMOUNT_MAX, AmountOverflow
from trader.core.scale import Spec, value_of_base_down
from trader.core.sizing import entry_cost_units
from trader.core.state import Order, State
from trader.domain.order import OrderState, Side


def in_flight(order: Order) -> bool:
    """Planned orders count too: what this plan approved will be sent."""
    return order.working or order.state is OrderState.PLANNED


class AccountView:
    """The state plus the legs that the plan in hand has approved so far.

    What is asked for each entry is looked up, not walked: orders and legs by instrument, the cash
    that is reserved, and the instruments that are held or being bought are kept as they change.
    """

    __slots__ = (
        "_busy",
        "_equity",
        "_legs_of",
        "_open",
        "_orders_of",
        "_reserved",
        "closes",
        "legs",
        "orders",
        "state",
    )

    def __init__(self, state: State, closes: Mapping[str, int], without: str = "") -> None:
        """`closes`: by symbol, the newest close in ticks. `without`: client id of an order that is
        not counted, because it is the one that is asked about."""
        self.state = state
        self.closes = closes
        self._equity: int | None = None
        self._reserved: int | None = None
        self.orders = [
            order
            for order in state.orders.values()
            if in_flight(order) and order.client_id != without
        ]
        self.legs: list[Proposal] = []
        self._orders_of: dict[str, list[Order]] = {}
        self._legs_of: dict[str, list[Proposal]] = {}
        for order in self.orders:
            self._orders_of.setdefault(order.symbol, []).append(order)
        self._open = sorted(
            symbol
            for symbol, position in state.positions.items()
            if is_open(position, state.spec(symbol))
        )
        self._busy = set(self._open)
        self._busy.update(order.symbol for order in self.orders if order.side is Side.BUY)

    def add(self, leg: Proposal) -> None:
        """Count an approved leg from now on."""
        if leg.side is Side.BUY:
            reserved = self._reserved_units()
            self._reserved = reserved + self._cost(leg.symbol, leg.price_ticks, leg.qty_lots)
            self._busy.add(leg.symbol)
        self.legs.append(leg)
        self._legs_of.setdefault(leg.symbol, []).append(leg)

    def mark_ticks(self, symbol: str) -> int:
        """The price a position is marked at: newest close, else what was paid."""
        close = self.closes.get(symbol, 0)
        return close if close > 0 else self.state.positions[symbol].entry_ticks

    def equity_units(self) -> int:
        """Cash plus holdings at their marks, rounded down; coins in flight count as cash.

        Added up once: neither state nor closes change while a decision lasts, and each entry's
        size, caps and sums ask for it. Raises AmountOverflow when it does not fit.
        """
        if self._equity is None:
            self._equity = self._add_equity()
        return self._equity

    def _add_equity(self) -> int:
        total = self.state.cash_units
        for symbol, position in sorted(self.state.positions.items()):
            if position.qty_units > 0:
                spec = self.state.spec(symbol)
                total += value_of_base_down(spec, self.mark_ticks(symbol), position.qty_units)
        if total >= AMOUNT_MAX:
            raise AmountOverflow(f"equity of {total} cash units does not fit")
        return total

    def book_results(self) -> dict[str, int]:
        """By strategy: cash flow of its book plus what it holds at its marks, rounded down."""
        results = {name: book.cash_units for name, book in sorted(self.state.books.items())}
        for _, holding in sorted(self.state.holdings.items()):
            if holding.qty_units > 0:
                spec = self.state.spec(holding.symbol)
                ticks = self.mark_ticks(holding.symbol)
                results[holding.strategy] += value_of_base_down(spec, ticks, holding.qty_units)
        return results

    def free_cash_units(self) -> int:
        """Cash less the full cost of every buy that is in flight or already in this plan."""
        return self.state.cash_units - self._reserved_units()

    def _reserved_units(self) -> int:
        if self._reserved is None:
            self._reserved = 0
            for order in self.orders:
                if order.side is Side.BUY:
                    rest = order.qty_lots - order.filled_lots
                    self._reserved += self._cost(order.symbol, order.price_ticks, rest)
        return self._reserved

    def check_room(self, symbol: str, qty_lots: int, cost_units: int) -> None:
        """Raises AmountOverflow when the books could not hold an entry as it fills (its coins, what
        is paid for it and what was since the position was opened, see `bookkeeping`) beside what is
        held, being bought and in this plan: such an order is refused, not sent."""
        spec = self.state.spec(symbol)
        lots, paid = qty_lots, cost_units
        for order in self.orders_on(symbol):
            if order.side is Side.BUY:
                rest = order.qty_lots - order.filled_lots
                lots += rest
                paid += self._cost(symbol, order.price_ticks, rest)
        for leg in self.legs_on(symbol):
            if leg.side is Side.BUY:
                lots += leg.qty_lots
                paid += self._cost(symbol, leg.price_ticks, leg.qty_lots)
        coins, bought = lots * spec.base_per_lot, lots
        position = self.state.positions.get(symbol)
        if position is not None:
            coins += position.qty_units
            bought += position.bought_lots
            paid += max(position.cost_units, position.bought_units)
        if max(coins, paid, bought * spec.notional_num) >= AMOUNT_MAX:
            raise AmountOverflow(f"{symbol}: {lots} lots more do not fit the books")

    def exposure_units(self, symbol: str) -> int:
        """Value held and being bought of one instrument, dust of others included."""
        spec = self.state.spec(symbol)
        position = self.state.positions.get(symbol)
        total = 0
        if position is not None and position.qty_units > 0:
            total = value_of_base_down(spec, self.mark_ticks(symbol), position.qty_units)
        for order in self._orders_of.get(symbol, ()):
            if order.side is Side.BUY:
                rest = order.qty_lots - order.filled_lots
                total += self._cost(symbol, order.price_ticks, rest)
        return total

    def held_lots(self, symbol: str) -> int:
        """Whole lots held, in-flight sells not taken off."""
        position = self.state.positions.get(symbol)
        return 0 if position is None else sellable_lots(position, self.state.spec(symbol))

    def open_symbols(self) -> list[str]:
        """Instruments with a position that can be sold, sorted."""
        return self._open

    def busy_symbols(self, besides: str) -> int:
        """Instruments other than `besides` that are held, being bought, or in this plan."""
        return len(self._busy) - (1 if besides in self._busy else 0)

    def orders_on(self, symbol: str) -> Sequence[Order]:
        """Orders in flight on the instrument, in the order they were planned."""
        return self._orders_of.get(symbol, ())

    def legs_on(self, symbol: str) -> Sequence[Proposal]:
        """Legs of this plan on the instrument."""
        return self._legs_of.get(symbol, ())

    def owner(self, symbol: str) -> str:
        """The strategy that holds the instrument or has something in flight on it; "" for none."""
        position = self.state.positions.get(symbol)
        # Dust that a fee left behind belongs to nobody: it must not keep others out for good.
        if position is not None and is_open(position, self.state.spec(symbol)):
            return position.strategy
        for order in self.orders_on(symbol):
            return order.strategy
        for leg in self.legs_on(symbol):
            return leg.strategy
        return ""

    def entries_in_flight(self, symbol: str) -> int:
        """Entry orders on the instrument, this plan's included."""
        orders = sum(1 for order in self.orders_on(symbol) if order.side is Side.BUY)
        return orders + sum(1 for leg in self.legs_on(symbol) if leg.side is Side.BUY)

    def unresolved(self, symbol: str) -> int:
        """Orders on the instrument whose outcome nobody knows."""
        return sum(1 for order in self.orders_on(symbol) if order.unresolved)

    def sells_in_flight_lots(self, symbol: str) -> int:
        """Lots in sells that may still happen; not those of a protective stop, which is taken away,
        and known to be gone, before anything else sells."""
        return sum(
            order.qty_lots - order.filled_lots
            for order in self.orders_on(symbol)
            if order.side is Side.SELL and not order.is_stop
        )

    def leaving(self, symbol: str) -> bool:
        """Whether a sell of the instrument is in flight or in this plan."""
        legs = any(leg.side is Side.SELL for leg in self.legs_on(symbol))
        return legs or self.sells_in_flight_lots(symbol) > 0

    def _cost(self, symbol: str, price_ticks: int, lots: int) -> int:
        spec: Spec = self.state.spec(symbol)
        return entry_cost_units(spec, price_ticks, lots)
