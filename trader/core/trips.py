"""Round trips and executions of a run as tapes of whole numbers.

Lives here: the rows of both, and how an execution changes them; a run of a million bars has
tens of thousands, so they are numbers with the names beside them. Must not live here: whose facts
they are (`app.round_trips`), the account.
"""

from __future__ import annotations

from trader.core.lane_books import (
    BUY,
    L_BAR,
    L_BASE_FEE,
    L_CLOSED,
    L_FEE,
    L_FILL,
    L_LOTS,
    L_PAIR,
    L_REASON,
    L_RESULT,
    L_SIDE,
    L_VALUE,
    LEG,
    LaneBooks,
)
from trader.core.lane_rows import Tape
from trader.core.scale import value_of_base_down

# Of one execution, in this order; `symbol`, `strategy` and `reason` are places of names, `side` is
# 0 for a buy and 1 for a sale.
FILL_COLUMNS = (
    "at_ms", "symbol", "strategy", "side", "qty_lots", "price_ticks", "value_units", "fee_units",
    "reason", "maker",
)  # fmt: skip
FILL = len(FILL_COLUMNS)
# Of one round trip, in this order (see `app.round_trips.RoundTrip`); names are places, too.
TRIP_COLUMNS = (
    "strategy", "symbol", "opened_ms", "closed_ms", "bought_lots", "sold_lots", "first_ticks",
    "last_ticks", "cost_units", "proceeds_units", "fee_units", "result_units", "fills",
    "exit_reason",
)  # fmt: skip
(
    T_STRATEGY, T_SYMBOL, T_OPENED, T_CLOSED, T_BOUGHT, T_SOLD, T_FIRST, T_LAST, T_COST,
    T_PROCEEDS, T_FEE, T_RESULT, T_FILLS, T_REASON,
) = range(14)  # fmt: skip
TRIP = 14
OPEN_MS = -1
NO_REASON = -1


class Execution:
    """One execution: places of names, and numbers; see FILL_COLUMNS. `fee_cash_units`: the part of
    the fee that was paid in cash."""

    __slots__ = (
        "at_ms", "fee_cash_units", "fee_units", "is_buy", "maker", "price_ticks", "qty_lots",
        "reason", "strategy", "symbol", "value_units",
    )  # fmt: skip

    def __init__(self) -> None:
        """To be filled in."""
        self.at_ms = self.qty_lots = self.price_ticks = self.value_units = 0
        self.fee_units = self.fee_cash_units = self.maker = self.is_buy = 0
        self.symbol = self.strategy = self.reason = 0


class TripTapes:
    """Executions, closed round trips in the order they closed, and the open ones.

    `row_of`: by place of a symbol, row of `open` of the trip that is open there, -1 for none.
    """

    __slots__ = ("closed", "fills", "free", "open", "row_of", "turnover_units")

    def __init__(self) -> None:
        """Nothing was traded."""
        self.fills = Tape(FILL)
        self.closed = Tape(TRIP)
        self.open = Tape(TRIP)
        self.free: list[int] = []
        self.row_of: dict[int, int] = {}
        self.turnover_units = 0

    def take(self, one: Execution) -> None:
        """Write down an execution, and add it to the trip that is open, or begin one."""
        self._write(one)
        row = self.row_of.get(one.symbol, -1)
        if row < 0:
            row = self._begin(one)
        add(self.open.cells, row * TRIP, one)

    def settle(self, symbol: int, result_units: int, closed_ms: int) -> None:
        """What a sale brought; `closed_ms`: when it left nothing that can be sold, else -1."""
        row = self.row_of[symbol]
        self.open.cells[row * TRIP + T_RESULT] += result_units
        if closed_ms >= 0:
            self.close(symbol, closed_ms)

    def close(self, symbol: int, closed_ms: int) -> None:
        """The trip is over."""
        row = self.row_of.pop(symbol)
        self.free.append(row)
        tape, at = self.closed, row * TRIP
        if tape.rows == tape.room:
            tape.grow()
        cells, to = self.open.cells, tape.rows * TRIP
        for column in range(TRIP):
            tape.cells[to + column] = cells[at + column]
        tape.cells[to + T_CLOSED] = closed_ms
        tape.rows += 1

    def take_late(self, one: Execution, result_units: int, closed_ms: int) -> None:
        """A sale of what a trip that is over had left: it belongs to the newest such trip."""
        self._write(one)
        cells = self.closed.cells
        at = (self.closed.rows - 1) * TRIP
        while cells[at + T_STRATEGY] != one.strategy or cells[at + T_SYMBOL] != one.symbol:
            at -= TRIP
        add(cells, at, one)
        cells[at + T_RESULT] += result_units
        if closed_ms >= 0:
            cells[at + T_CLOSED] = closed_ms

    def _write(self, one: Execution) -> None:
        tape = self.fills
        if tape.rows == tape.room:
            tape.grow()
        cells = tape.cells
        at = tape.rows * FILL
        cells[at], cells[at + 1], cells[at + 2] = one.at_ms, one.symbol, one.strategy
        cells[at + 3] = 0 if one.is_buy else 1
        cells[at + 4], cells[at + 5] = one.qty_lots, one.price_ticks
        cells[at + 6], cells[at + 7] = one.value_units, one.fee_units
        cells[at + 8], cells[at + 9] = one.reason, one.maker
        tape.rows += 1
        self.turnover_units += one.value_units

    def _begin(self, one: Execution) -> int:
        tape = self.open
        if self.free:
            row = self.free.pop()
        else:
            if tape.rows == tape.room:
                tape.grow()
            row = tape.rows
            tape.rows += 1
        cells = tape.cells
        at = row * TRIP
        for column in range(TRIP):
            cells[at + column] = 0
        cells[at + T_STRATEGY], cells[at + T_SYMBOL] = one.strategy, one.symbol
        cells[at + T_OPENED], cells[at + T_CLOSED] = one.at_ms, OPEN_MS
        cells[at + T_FIRST], cells[at + T_REASON] = one.price_ticks, NO_REASON
        self.row_of[one.symbol] = row
        return row

    def take_legs(
        self, legs: Tape, books: LaneBooks, places: list[tuple[int, int]], reasons: list[int]
    ) -> None:
        """What the lane filled. `places`: by pair, those of strategy and symbol; `reasons`: places
        of its reasons."""
        cells = legs.cells
        one = Execution()
        for i in range(legs.rows):
            at = i * LEG
            pair = books.pairs[cells[at + L_PAIR]]
            strategy, symbol = places[pair.index]
            one.at_ms = cells[at + L_BAR] + books.step_ms
            one.strategy, one.symbol = strategy, symbol
            one.is_buy = 1 if cells[at + L_SIDE] == BUY else 0
            one.qty_lots, one.price_ticks = cells[at + L_LOTS], cells[at + L_FILL]
            one.value_units = cells[at + L_VALUE]
            one.fee_units = one.fee_cash_units = cells[at + L_FEE]
            if cells[at + L_BASE_FEE]:
                one.fee_units += value_of_base_down(
                    pair.coin.spec, one.price_ticks, cells[at + L_BASE_FEE]
                )
            one.reason = reasons[cells[at + L_REASON]]
            self.take(one)
            if not one.is_buy:
                closed_ms = one.at_ms if cells[at + L_CLOSED] else OPEN_MS
                self.settle(symbol, cells[at + L_RESULT], closed_ms)


def add(cells: memoryview, at: int, one: Execution) -> None:
    """Add an execution to a trip."""
    cells[at + T_FILLS] += 1
    cells[at + T_FEE] += one.fee_units
    cells[at + T_LAST] = one.price_ticks
    if one.is_buy:
        cells[at + T_BOUGHT] += one.qty_lots
        cells[at + T_COST] += one.value_units + one.fee_cash_units
    else:
        cells[at + T_SOLD] += one.qty_lots
        cells[at + T_PROCEEDS] += one.value_units - one.fee_cash_units
        cells[at + T_REASON] = one.reason
