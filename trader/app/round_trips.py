"""Round trips: a position from its first fill until nothing sellable is left of it.

Lives here: grouping of the fills of one account by instrument, with what came of each group. Must
not live here: the account itself (see `core.fold`, whose results are only read) and statistics.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from trader.core.fold import is_open
from trader.core.lane_books import REASONS, LaneBooks
from trader.core.lane_rows import Tape
from trader.core.scale import value_of_base_down
from trader.core.state import Order, State
from trader.core.trips import (
    FILL,
    FILL_COLUMNS,
    NO_REASON,
    OPEN_MS,
    T_OPENED,
    T_REASON,
    T_STRATEGY,
    T_SYMBOL,
    TRIP,
    Execution,
    TripTapes,
)
from trader.domain.order import Side


@dataclass(slots=True)
class RoundTrip:
    """One position, closed or still open.

    Attributes:
        opened_ms, closed_ms: first and last fill; `closed_ms` is -1 while open.
        bought_lots, sold_lots: order lots filled. fills: number of executions.
        cost_units: cash paid for everything bought, fees in cash included.
        proceeds_units: cash received for everything sold, fees in cash taken off.
        result_units: cash result of what was sold, as the books have it.
        fee_units: fees, cash units; a fee taken in the base coin is valued at its fill's price.
        first_ticks, last_ticks: price of the first and the last fill.
        exit_reason: reason of the last sell; "" before the first.
    """

    strategy: str
    symbol: str
    opened_ms: int
    closed_ms: int = -1
    bought_lots: int = 0
    sold_lots: int = 0
    first_ticks: int = 0
    last_ticks: int = 0
    cost_units: int = 0
    proceeds_units: int = 0
    fee_units: int = 0
    result_units: int = 0
    fills: int = 0
    exit_reason: str = ""

    @property
    def closed(self) -> bool:
        """Nothing sellable is left."""
        return self.closed_ms >= 0


class Fills:
    """Every execution, oldest first, as whole numbers: few bytes each, however many there are.

    `names`: texts that rows point at, in order of appearance; see `core.trips.FILL_COLUMNS`
    (`fee_units` as in RoundTrip).
    """

    def __init__(self, tapes: TripTapes, names: list[str]) -> None:
        """A view of what is on the tapes."""
        self._tapes = tapes
        self.names = names

    @property
    def rows(self) -> array[int]:
        """int64[n * len(FILL_COLUMNS)], one execution after another."""
        return array("q", self._tapes.fills.cells[: len(self) * FILL])

    def __len__(self) -> int:
        """How many executions."""
        return self._tapes.fills.rows

    def __iter__(self) -> Iterator[array[int]]:
        """The columns of each execution."""
        rows = self.rows
        return (rows[at : at + FILL] for at in range(0, len(rows), FILL))


class ClosedTrips(Sequence[RoundTrip]):
    """Closed round trips in the order they closed; each is made when somebody looks at it."""

    def __init__(self, tapes: TripTapes, names: list[str]) -> None:
        """A view of what is on the tapes."""
        self._tapes = tapes
        self._names = names

    def __len__(self) -> int:
        """How many."""
        return self._tapes.closed.rows

    @overload
    def __getitem__(self, index: int) -> RoundTrip: ...

    @overload
    def __getitem__(self, index: slice) -> list[RoundTrip]: ...

    def __getitem__(self, index: int | slice) -> RoundTrip | list[RoundTrip]:
        """One of them, or some."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index] * TRIP
        return _trip(self._tapes.closed.cells[at : at + TRIP], self._names)

    @property
    def rows(self) -> array[int]:
        """int64[n * len(TRIP_COLUMNS)], one trip after another; names are places in `names`."""
        return array("q", self._tapes.closed.cells[: len(self) * TRIP])

    def column(self, number: int) -> array[int]:
        """One number of each (see `core.trips.TRIP_COLUMNS`)."""
        return array("q", self._tapes.closed.cells[number : len(self) * TRIP : TRIP])


def _trip(cells: memoryview, names: Sequence[str]) -> RoundTrip:
    reason = cells[T_REASON]
    return RoundTrip(
        names[cells[T_STRATEGY]],
        names[cells[T_SYMBOL]],
        *cells[T_OPENED:T_REASON],
        names[reason] if reason != NO_REASON else "",
    )


class RoundTrips:
    """Watches facts as they are folded; `closed` in the order they closed, `open` by symbol."""

    def __init__(self, state: State, names: Iterable[str] = ()) -> None:
        """`state` is the account that the facts are folded into; `names` come first in `names`."""
        self.state = state
        self.tapes = TripTapes()
        self.names: list[str] = []
        self.closed = ClosedTrips(self.tapes, self.names)
        self.fills = Fills(self.tapes, self.names)
        self._places: dict[str, int] = {}
        for name in (*names, *REASONS):
            self.place(name)
        self._realised: dict[str, int] = {}

    @property
    def open(self) -> dict[str, RoundTrip]:
        """Open round trips by symbol."""
        cells = self.tapes.open.cells
        found = self.tapes.row_of.items()
        return {
            self.names[place]: _trip(cells[row * TRIP : (row + 1) * TRIP], self.names)
            for place, row in found
        }

    @property
    def any_open(self) -> bool:
        """Whether any is open."""
        return bool(self.tapes.row_of)

    @property
    def turnover_units(self) -> int:
        """Value of all executions."""
        return self.tapes.turnover_units

    def place(self, name: str) -> int:
        """Where a name is among `names`."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = len(self.names)
            self.names.append(name)
        return found

    def observe_fill(self, payload: Mapping[str, Any]) -> None:
        """Take a `fill` fact that has just been folded."""
        symbol = str(payload["symbol"])
        order = self.state.orders[str(payload["client_id"])]
        spec = self.state.spec(symbol)
        position = self.state.positions[symbol]
        one = self._execution(order, payload)
        result = position.realised_units - self._realised.get(symbol, 0)
        self._realised[symbol] = position.realised_units
        sold = order.side is Side.SELL
        closed_ms = one.at_ms if sold and not is_open(position, spec) else OPEN_MS
        if sold and one.symbol not in self.tapes.row_of:
            self.tapes.take_late(one, result, closed_ms)
            return
        self.tapes.take(one)
        self.tapes.settle(one.symbol, result, closed_ms)

    def observe_plan(self, payload: Mapping[str, Any]) -> None:
        """Take a `plan` fact that has just been folded: what it declared dust is over."""
        for key in payload.get("dust", {}):
            strategy, _, symbol = str(key).partition("|")
            place = self.place(symbol)
            row = self.tapes.row_of.get(place)
            cells = self.tapes.open.cells
            if row is not None and cells[row * TRIP + T_STRATEGY] == self.place(strategy):
                cells[row * TRIP + T_REASON] = self.place("dust")
                self.tapes.close(place, int(payload["bar_ms"]))

    def take_lane(self, legs: Tape, books: LaneBooks) -> None:
        """Take what the fast engine's lane filled; the state holds it already."""
        places = [(self.place(p.strand.name), self.place(p.coin.symbol)) for p in books.pairs]
        reasons = [self.place(reason) for reason in REASONS]
        self.tapes.take_legs(legs, books, places, reasons)
        for coin in books.coins:
            if coin.known:
                self._realised[coin.symbol] = coin.realised_units

    def _execution(self, order: Order, payload: Mapping[str, Any]) -> Execution:
        spec, one = self.state.spec(order.symbol), Execution()
        one.at_ms = int(payload["at_ms"])
        one.symbol, one.strategy = self.place(order.symbol), self.place(order.strategy)
        one.reason, one.is_buy = self.place(order.reason), int(order.side is Side.BUY)
        one.qty_lots, one.price_ticks = int(payload["qty_lots"]), int(payload["price_ticks"])
        one.value_units, one.maker = int(payload["cost_units"]), int(payload["maker"])
        one.fee_cash_units = int(payload["fee_cash_units"])
        base = value_of_base_down(spec, one.price_ticks, int(payload["fee_base_units"]))
        one.fee_units = one.fee_cash_units + base
        return one


__all__ = ["FILL_COLUMNS", "ClosedTrips", "Fills", "RoundTrip", "RoundTrips"]
