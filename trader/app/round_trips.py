"""Round trips: a position from its first fill until nothing sellable is left of it.

Lives here: grouping of the fills of one account by instrument, with what came of each group. Must
not live here: the account itself (see `core.fold`, whose results are only read) and statistics.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from trader.core.fold import is_open
from trader.core.lane_books import LaneBooks
from trader.core.lane_rows import REASONS, Leg
from trader.core.scale import value_of_base_down
from trader.core.state import Order, State
from trader.core.trips import FILL_COLUMNS, TRIP_COLUMNS, Execution, Trips
from trader.domain.order import Side
from trader.records import dataclass


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
    """Every execution, oldest first, as whole numbers.

    `names`: texts that rows point at; see `core.trips.FILL_COLUMNS` (`fee_units` as in RoundTrip).
    """

    def __init__(self, trips: Trips, names: list[str]) -> None:
        """A view of what was counted."""
        self._trips = trips
        self.names = names

    @property
    def rows(self) -> array[int]:
        """int64[n * len(FILL_COLUMNS)], one execution after another."""
        return self._trips.fills.told()

    @property
    def fee_units(self) -> int:
        """All fees, cash units: what round trips paid, closed or open."""
        return sum(self._trips.fills.column(FILL_COLUMNS.index("fee_units")))

    def __len__(self) -> int:
        """How many executions."""
        return self._trips.fills.count

    def __iter__(self) -> Iterator[array[int]]:
        """The columns of each execution."""
        rows, width = self.rows, len(FILL_COLUMNS)
        return (rows[at : at + width] for at in range(0, len(rows), width))


class ClosedTrips(Sequence[RoundTrip]):
    """Closed round trips in the order they closed; each is made when somebody looks at it."""

    def __init__(self, trips: Trips, names: list[str]) -> None:
        """A view of what was counted."""
        self._trips = trips
        self._names = names

    def __len__(self) -> int:
        """How many."""
        return self._trips.closed.count

    @overload
    def __getitem__(self, index: int) -> RoundTrip: ...

    @overload
    def __getitem__(self, index: slice) -> list[RoundTrip]: ...

    def __getitem__(self, index: int | slice) -> RoundTrip | list[RoundTrip]:
        """One of them, or some."""
        found = range(len(self))[index]
        if isinstance(found, range):
            return [self._shown(number) for number in found]
        return self._shown(found)

    def _shown(self, number: int) -> RoundTrip:
        return _shown(self._trips.closed.row(number), self._names)

    @property
    def rows(self) -> array[int]:
        """int64[n * len(TRIP_COLUMNS)], one trip after another; names are places in `names`."""
        return self._trips.closed.told()

    def column(self, name: str) -> array[int]:
        """One number of each (see `core.trips.TRIP_COLUMNS`)."""
        return self._trips.closed.column(TRIP_COLUMNS.index(name))

    def results(self) -> tuple[array[int], array[int]]:
        """What each came to, and what it cost; cash units."""
        return self.column("result_units"), self.column("cost_units")


def _shown(row: Sequence[int], names: Sequence[str]) -> RoundTrip:
    """A round trip of its row; RoundTrip's fields are TRIP_COLUMNS in order."""
    strategy, symbol, *numbers, reason = row
    return RoundTrip(
        names[strategy], names[symbol], *numbers, exit_reason=names[reason] if reason >= 0 else ""
    )


class RoundTrips:
    """Watches facts as they are folded; `closed` in the order they closed, `open` by symbol."""

    def __init__(self, state: State, names: Iterable[str] = ()) -> None:
        """`state` is the account that the facts are folded into; `names` come first in `names`."""
        self.state = state
        self.counted = Trips()
        self.names: list[str] = []
        self.closed = ClosedTrips(self.counted, self.names)
        self.fills = Fills(self.counted, self.names)
        self._places: dict[str, int] = {}
        for name in (*names, *REASONS):
            self.place(name)
        self._realised: dict[str, int] = {}

    @property
    def open(self) -> dict[str, RoundTrip]:
        """Open round trips by symbol."""
        found = [trip for trip in self.counted.trips if trip.is_open]
        return {self.names[trip.symbol]: _shown(trip.row(), self.names) for trip in found}

    @property
    def any_open(self) -> bool:
        """Whether any is open."""
        return self.counted.open > 0

    @property
    def turnover_units(self) -> int:
        """Value of all executions."""
        return self.counted.turnover_units

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
        position = self.state.positions[symbol]
        one = self._execution(order, payload)
        result = position.realised_units - self._realised.get(symbol, 0)
        self._realised[symbol] = position.realised_units
        left = order.side is Side.BUY or is_open(position, self.state.spec(symbol))
        self.counted.take(one, result, -1 if left else one.at_ms)

    def observe_plan(self, payload: Mapping[str, Any]) -> None:
        """Take a `plan` fact that has just been folded: what it declared dust is over."""
        for key in payload.get("dust", {}):
            strategy, _, symbol = str(key).partition("|")
            place = self.place(symbol)
            trip = self.counted.trip_of(place)
            if trip.is_open and trip.strategy == self.place(strategy):
                self.counted.close(place, int(payload["bar_ms"]), self.place("dust"))

    def take_lane(self, legs: list[Leg], books: LaneBooks) -> None:
        """Take what the fast engine's lane filled; the state holds it already."""
        if not legs:
            return
        names = [name for pair in books.pairs for name in (pair.strand.name, pair.coin.symbol)]
        places, reasons = (array("q", map(self.place, told)) for told in (names, REASONS))
        self.counted.take_legs(legs, books, memoryview(places), memoryview(reasons))
        for coin in books.coins:
            if coin.known:
                self._realised[coin.symbol] = coin.realised_units

    def _execution(self, order: Order, payload: Mapping[str, Any]) -> Execution:
        spec, one = self.state.spec(order.symbol), Execution()
        one.at_ms = int(payload["at_ms"])
        one.symbol, one.strategy = self.place(order.symbol), self.place(order.strategy)
        one.reason, one.side = self.place(order.reason), int(order.side is Side.SELL)
        one.qty_lots, one.price_ticks = int(payload["qty_lots"]), int(payload["price_ticks"])
        one.value_units, one.maker = int(payload["cost_units"]), int(payload["maker"])
        one.fee_cash_units = int(payload["fee_cash_units"])
        base = value_of_base_down(spec, one.price_ticks, int(payload["fee_base_units"]))
        one.fee_units = one.fee_cash_units + base
        return one


__all__ = ["FILL_COLUMNS", "ClosedTrips", "Fills", "RoundTrip", "RoundTrips"]
