# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Round trips and executions of a run as rows of whole numbers.

Lives here: the rows of both, and how an execution changes them; a run of a million bars has
tens of thousands, so they are numbers with the names beside them. Must not live here: whose facts
they are (`app.round_trips`), the account.
"""

from __future__ import annotations

from array import array

from trader.core.lane_books import LaneBooks
from trader.core.lane_rows import Leg
from trader.core.scale import value_of_base_down

# Of one execution, in this order; `symbol`, `strategy` and `reason` are places of names, `side` is
# 0 for a buy and 1 for a sale.
FILL_COLUMNS = (
    "at_ms", "symbol", "strategy", "side", "qty_lots", "price_ticks", "value_units", "fee_units",
    "reason", "maker",
)  # fmt: skip
# Of one round trip, in this order (see `app.round_trips.RoundTrip`); names are places, too.
TRIP_COLUMNS = (
    "strategy", "symbol", "opened_ms", "closed_ms", "bought_lots", "sold_lots", "first_ticks",
    "last_ticks", "cost_units", "proceeds_units", "fee_units", "result_units", "fills",
    "exit_reason",
)  # fmt: skip


class Execution:
    """One execution: see FILL_COLUMNS. `fee_cash_units`: the part of the fee paid in cash."""

    __slots__ = (
        "at_ms", "fee_cash_units", "fee_units", "maker", "price_ticks", "qty_lots",
        "reason", "side", "strategy", "symbol", "value_units",
    )  # fmt: skip

    def __init__(self) -> None:
        """To be filled in."""
        self.at_ms = self.qty_lots = self.price_ticks = self.value_units = 0
        self.fee_units = self.fee_cash_units = self.maker = self.side = 0
        self.symbol = self.strategy = self.reason = 0


class Trip:
    """One round trip: see TRIP_COLUMNS. `closed_ms` -1 while it is open, `exit_reason` -1 while
    nothing was sold."""

    __slots__ = (
        "bought_lots", "closed_ms", "cost_units", "exit_reason", "fee_units", "fills",
        "first_ticks", "last_ticks", "opened_ms", "proceeds_units", "result_units",
        "sold_lots", "strategy", "symbol",
    )  # fmt: skip

    def __init__(self) -> None:
        """To be begun."""
        self.closed_ms = self.exit_reason = -1
        self.strategy = self.symbol = self.opened_ms = self.first_ticks = 0
        self.bought_lots = self.sold_lots = self.fills = self.last_ticks = 0
        self.cost_units = self.proceeds_units = self.fee_units = self.result_units = 0

    def begin(self, first: Execution) -> None:
        """Take from an execution, which is not added yet, whose trip it is."""
        self.strategy = first.strategy
        self.symbol = first.symbol
        self.opened_ms = first.at_ms
        self.first_ticks = first.price_ticks

    def add(self, one: Execution) -> None:
        """Count an execution."""
        self.fills += 1
        self.fee_units += one.fee_units
        self.last_ticks = one.price_ticks
        if one.side == 0:
            self.bought_lots += one.qty_lots
            self.cost_units += one.value_units + one.fee_cash_units
        else:
            self.sold_lots += one.qty_lots
            self.proceeds_units += one.value_units - one.fee_cash_units
            self.exit_reason = one.reason


class Trips:
    """Executions, closed round trips in the order they closed, and the open ones by symbol."""

    __slots__ = ("closed", "fills", "open", "turnover_units")

    def __init__(self) -> None:
        """Nothing was traded."""
        self.fills: list[Execution] = []
        self.closed: list[Trip] = []
        self.open: dict[int, Trip] = {}
        self.turnover_units = 0

    def take(self, one: Execution, result_units: int, closed_ms: int) -> None:
        """Count an execution and what it brought; `closed_ms`: when it left nothing that can be
        sold, else -1. A sale of what a trip that is over had left belongs to that trip."""
        self.fills.append(one)
        self.turnover_units += one.value_units
        trip = self.open.get(one.symbol)
        if trip is None and one.side == 1:
            trip = self._left_by(one.strategy, one.symbol)
        elif trip is None:
            trip = Trip()
            trip.begin(one)
            self.open[one.symbol] = trip
        trip.add(one)
        trip.result_units += result_units
        if closed_ms >= 0:
            trip.closed_ms = closed_ms
            if one.symbol in self.open:
                self.closed.append(self.open.pop(one.symbol))

    def close(self, symbol: int, closed_ms: int, reason: int) -> None:
        """An open trip is over without a sale."""
        trip = self.open.pop(symbol)
        trip.closed_ms = closed_ms
        trip.exit_reason = reason
        self.closed.append(trip)

    def _left_by(self, strategy: int, symbol: int) -> Trip:
        at = len(self.closed) - 1
        while True:
            trip = self.closed[at]
            if trip.strategy == strategy and trip.symbol == symbol:
                return trip
            at -= 1

    def take_legs(
        self,
        legs: list[Leg],
        books: LaneBooks,
        places: list[tuple[int, int]],
        reasons: list[int],
    ) -> None:
        """What the lane filled. `places`: by pair, those of strategy and symbol; `reasons`: places
        of its reasons."""
        for i in range(len(legs)):
            leg = legs[i]
            pair = books.pairs[leg.pair]
            one = Execution()
            one.strategy, one.symbol = places[leg.pair]
            one.at_ms = leg.bar_ms + books.step_ms
            one.side = 0 if leg.is_buy else 1
            one.qty_lots = leg.qty_lots
            one.price_ticks = leg.fill_ticks
            one.value_units = leg.value_units
            one.fee_units = one.fee_cash_units = leg.fee_units
            if leg.base_fee_units:
                coin = pair.coin
                spec = coin.spec
                one.fee_units += value_of_base_down(spec, leg.fill_ticks, leg.base_fee_units)
            one.reason = reasons[leg.reason]
            self.take(one, leg.result_units, one.at_ms if leg.closed else -1)


def fill_cells(fills: list[Execution]) -> array[int]:
    """int64[n * len(FILL_COLUMNS)], one execution after another."""
    cells = array("q", bytes(8 * 10 * len(fills)))
    write_fills(fills, memoryview(cells))
    return cells


def write_fills(fills: list[Execution], cells: memoryview) -> None:
    """Write the rows of executions."""
    at = 0
    for i in range(len(fills)):
        one = fills[i]
        cells[at] = one.at_ms
        cells[at + 1] = one.symbol
        cells[at + 2] = one.strategy
        cells[at + 3] = one.side
        cells[at + 4] = one.qty_lots
        cells[at + 5] = one.price_ticks
        cells[at + 6] = one.value_units
        cells[at + 7] = one.fee_units
        cells[at + 8] = one.reason
        cells[at + 9] = one.maker
        at += 10


def trip_cells(trips: list[Trip]) -> array[int]:
    """int64[n * len(TRIP_COLUMNS)], one round trip after another."""
    cells = array("q", bytes(8 * 14 * len(trips)))
    write_trips(trips, memoryview(cells))
    return cells


def results_of(trips: list[Trip], results: memoryview, costs: memoryview) -> None:
    """Write what each round trip came to, and what it cost."""
    for i in range(len(trips)):
        trip = trips[i]
        results[i] = trip.result_units
        costs[i] = trip.cost_units


def write_trips(trips: list[Trip], cells: memoryview) -> None:
    """Write the rows of round trips."""
    at = 0
    for i in range(len(trips)):
        trip = trips[i]
        cells[at] = trip.strategy
        cells[at + 1] = trip.symbol
        cells[at + 2] = trip.opened_ms
        cells[at + 3] = trip.closed_ms
        cells[at + 4] = trip.bought_lots
        cells[at + 5] = trip.sold_lots
        cells[at + 6] = trip.first_ticks
        cells[at + 7] = trip.last_ticks
        cells[at + 8] = trip.cost_units
        cells[at + 9] = trip.proceeds_units
        cells[at + 10] = trip.fee_units
        cells[at + 11] = trip.result_units
        cells[at + 12] = trip.fills
        cells[at + 13] = trip.exit_reason
        at += 14
