# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Round trips and executions of a run as rows of whole numbers.

Lives here: the rows of both, how an execution changes them, and what round trips come to; a run of
a million bars has tens of thousands, so they are numbers in one piece of memory with the names
beside them, and no object is made of any until somebody looks at it. Must not live here: whose
facts they are (`app.round_trips`), the account.
"""

from __future__ import annotations

from array import array
from collections.abc import MutableSequence

from trader.core.exact import quotient
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


# Rows grow by blocks of so many: nothing that was written is moved.
BLOCK = 1_024
NOTHING = memoryview(array("q"))


class Rows:
    """Rows of `width` whole numbers each. `blocks`: int64[BLOCK * width] each, `count` rows in all
    of them; `view`: the newest."""

    __slots__ = ("blocks", "count", "next", "view", "width")

    def __init__(self, width: int) -> None:
        """No row, of so many numbers each."""
        self.width = width
        self.count = self.next = 0
        self.blocks: list[array[int]] = []
        self.view = NOTHING

    def add(self) -> int:
        """Where a new row begins in `view`."""
        at = self.next
        if at == len(self.view):
            self.grow()
            at = 0
        self.next = at + self.width
        self.count += 1
        return at

    def grow(self) -> None:
        """Begin a block."""
        block = array("q", [0]) * (BLOCK * self.width)
        self.blocks.append(block)
        self.view = memoryview(block)

    def told(self) -> array[int]:
        """A copy: int64[count * width]."""
        cells = array("q")
        for block in self.blocks:
            cells.extend(block)
        return cells[: self.count * self.width]

    def column(self, number: int) -> array[int]:
        """One number of each row."""
        cells = array("q")
        for block in self.blocks:
            cells.extend(block[number :: self.width])
        return cells[: self.count]

    def row(self, number: int) -> memoryview:
        """One row, to be read and written."""
        at = number % BLOCK * self.width
        return memoryview(self.blocks[number // BLOCK])[at : at + self.width]


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

    def put(self, rows: Rows) -> None:
        """Add its row."""
        at = rows.add()
        rows.view[at] = self.at_ms
        rows.view[at + 1] = self.symbol
        rows.view[at + 2] = self.strategy
        rows.view[at + 3] = self.side
        rows.view[at + 4] = self.qty_lots
        rows.view[at + 5] = self.price_ticks
        rows.view[at + 6] = self.value_units
        rows.view[at + 7] = self.fee_units
        rows.view[at + 8] = self.reason
        rows.view[at + 9] = self.maker


class Trip:
    """One round trip: see TRIP_COLUMNS. `closed_ms` -1 while it is open, `exit_reason` -1 while
    nothing was sold. `is_open`: 1 from its begin until it is closed."""

    __slots__ = (
        "bought_lots", "closed_ms", "cost_units", "exit_reason", "fee_units", "fills",
        "first_ticks", "is_open", "last_ticks", "opened_ms", "proceeds_units", "result_units",
        "sold_lots", "strategy", "symbol",
    )  # fmt: skip

    def __init__(self) -> None:
        """To be begun."""
        self.is_open = 0
        self.closed_ms = self.exit_reason = -1
        self.strategy = self.symbol = self.opened_ms = self.first_ticks = 0
        self.bought_lots = self.sold_lots = self.fills = self.last_ticks = 0
        self.cost_units = self.proceeds_units = self.fee_units = self.result_units = 0

    def begin(self, first: Execution) -> None:
        """Be the trip of an execution, which is not added yet; whatever this was before."""
        self.strategy = first.strategy
        self.symbol = first.symbol
        self.opened_ms = first.at_ms
        self.first_ticks = first.price_ticks
        self.is_open = 1
        self.closed_ms = self.exit_reason = -1
        self.bought_lots = self.sold_lots = self.fills = 0
        self.cost_units = self.proceeds_units = self.fee_units = self.result_units = 0

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

    def put(self, rows: Rows) -> None:
        """Add its row."""
        at = rows.add()
        rows.view[at] = self.strategy
        rows.view[at + 1] = self.symbol
        rows.view[at + 2] = self.opened_ms
        rows.view[at + 3] = self.closed_ms
        rows.view[at + 4] = self.bought_lots
        rows.view[at + 5] = self.sold_lots
        rows.view[at + 6] = self.first_ticks
        rows.view[at + 7] = self.last_ticks
        rows.view[at + 8] = self.cost_units
        rows.view[at + 9] = self.proceeds_units
        rows.view[at + 10] = self.fee_units
        rows.view[at + 11] = self.result_units
        rows.view[at + 12] = self.fills
        rows.view[at + 13] = self.exit_reason

    def row(self) -> array[int]:
        """Its row."""
        return array("q", [getattr(self, name) for name in TRIP_COLUMNS])

    def read(self, row: memoryview) -> None:
        """Take the row of a closed one."""
        self.strategy, self.symbol, self.opened_ms, self.closed_ms = row[:4]
        self.bought_lots, self.sold_lots, self.first_ticks, self.last_ticks = row[4:8]
        self.cost_units, self.proceeds_units, self.fee_units, self.result_units = row[8:12]
        self.fills, self.exit_reason = row[12:]


class Trips:
    """Executions, and closed round trips in the order they closed. `trips`: by the place of each
    symbol its newest; `open`: how many of these are."""

    __slots__ = ("closed", "fills", "lower", "open", "trips", "upper")

    def __init__(self) -> None:
        """Nothing was traded."""
        self.fills = Rows(len(FILL_COLUMNS))
        self.closed = Rows(len(TRIP_COLUMNS))
        self.trips: list[Trip] = []
        self.open = 0
        # The value of all executions, which may not fit into 64 bits: upper * 2**31 + lower.
        self.upper = self.lower = 0

    @property
    def turnover_units(self) -> int:
        """The value of all executions."""
        return int(self.upper) * 2_147_483_648 + int(self.lower)

    def trip_of(self, symbol: int) -> Trip:
        """The newest trip at the place of a symbol."""
        while symbol >= len(self.trips):
            self.trips.append(Trip())
        return self.trips[symbol]

    def take(self, one: Execution, result_units: int, closed_ms: int) -> None:
        """Count an execution and what it brought; `closed_ms`: when it left nothing that can be
        sold, else -1. A sale of what a trip that is over had left belongs to that trip."""
        one.put(self.fills)
        self.upper += one.value_units >> 31
        self.lower += one.value_units & 2147483647
        symbol = one.symbol
        trip = self.trips[symbol] if symbol < len(self.trips) else self.trip_of(symbol)
        if trip.is_open == 0:
            if one.side == 1:
                self.take_late(one, result_units, closed_ms)
                return
            trip.begin(one)
            self.open += 1
        trip.add(one)
        trip.result_units += result_units
        if closed_ms >= 0:
            self._put(trip, closed_ms)

    def close(self, symbol: int, closed_ms: int, reason: int) -> None:
        """An open trip is over without a sale."""
        trip = self.trip_of(symbol)
        trip.exit_reason = reason
        self._put(trip, closed_ms)

    def _put(self, trip: Trip, closed_ms: int) -> None:
        trip.closed_ms = closed_ms
        trip.put(self.closed)
        trip.is_open = 0
        self.open -= 1

    def take_late(self, one: Execution, result_units: int, closed_ms: int) -> None:
        """Count a sale of what the newest closed trip of its strategy and symbol had left."""
        trip = Trip()
        number = self.closed.count - 1
        while number >= 0:
            trip.read(self.closed.row(number))
            if trip.strategy == one.strategy and trip.symbol == one.symbol:
                break
            number -= 1
        assert number >= 0, "a sale of what was never bought"
        trip.add(one)
        trip.result_units += result_units
        if closed_ms >= 0:
            trip.closed_ms = closed_ms
        self.closed.row(number)[:] = memoryview(trip.row())

    def take_legs(
        self, legs: list[Leg], books: LaneBooks, places: memoryview, reasons: memoryview
    ) -> None:
        """What the lane filled. `places`: by pair, those of strategy and symbol; `reasons`: places
        of its reasons."""
        one = Execution()
        for i in range(len(legs)):
            leg = legs[i]
            one.strategy = places[2 * leg.pair]
            one.symbol = places[2 * leg.pair + 1]
            one.at_ms = leg.bar_ms + books.step_ms
            one.side = 0 if leg.is_buy else 1
            one.qty_lots = leg.qty_lots
            one.price_ticks = leg.fill_ticks
            one.value_units = leg.value_units
            one.fee_units = one.fee_cash_units = leg.fee_units
            if leg.base_fee_units:
                pair = books.pairs[leg.pair]
                coin = pair.coin
                spec = coin.spec
                one.fee_units += value_of_base_down(spec, leg.fill_ticks, leg.base_fee_units)
            one.reason = reasons[leg.reason]
            self.take(one, leg.result_units, one.at_ms if leg.closed else -1)


# --- what round trips come to --------------------------------------------------------------------


def sum_results(results: memoryview, out: memoryview) -> None:
    """Sums of the gains and of the losses, and how many gains there are: out[0] * 2**31 + out[1],
    out[2] * 2**31 + out[3] (not negative), out[4]."""
    won_upper = won_lower = lost_upper = lost_lower = winners = 0
    for i in range(len(results)):
        result = results[i]
        if result > 0:
            winners += 1
            won_upper += result >> 31
            won_lower += result & 2147483647
        else:
            result = -result
            lost_upper += result >> 31
            lost_lower += result & 2147483647
    out[0] = won_upper
    out[1] = won_lower
    out[2] = lost_upper
    out[3] = lost_lower
    out[4] = winners


def shares_of(results: memoryview, costs: memoryview, out: MutableSequence[float]) -> int:
    """How many round trips cost anything; out[0:that], float64, become the result of each over its
    cost. All three are as long."""
    count = 0
    for i in range(len(results)):
        if costs[i] > 0:
            out[count] = quotient(results[i], costs[i])
            count += 1
    return count
