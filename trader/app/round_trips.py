"""Round trips: a position from its first fill until nothing sellable is left of it.

Lives here: grouping of the fills of one account by instrument, with what came of each group. Must
not live here: the account itself (see `core.fold`, whose results are only read) and statistics.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trader.core.fold import is_open
from trader.core.scale import value_of_base_down
from trader.core.state import Order, State
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
    fills: int = 0
    cost_units: int = 0
    proceeds_units: int = 0
    result_units: int = 0
    fee_units: int = 0
    first_ticks: int = 0
    last_ticks: int = 0
    exit_reason: str = ""

    @property
    def closed(self) -> bool:
        """Nothing sellable is left."""
        return self.closed_ms >= 0


# Of one execution: see `Fills`.
FILL_COLUMNS = (
    "at_ms", "symbol", "strategy", "side", "qty_lots", "price_ticks", "value_units", "fee_units",
    "reason", "maker",
)  # fmt: skip


@dataclass(slots=True)
class Fills:
    """Every execution, oldest first, as whole numbers: few bytes each, however many there are.

    Attributes:
        rows: int64[n * len(FILL_COLUMNS)], one execution after another. `symbol`, `strategy` and
            `reason` are places in `names`; `side` is 0 for a buy and 1 for a sale; `maker` 0 or 1;
            `fee_units` as in RoundTrip.
        names: texts that rows point at, in order of appearance.
    """

    rows: array[int] = field(default_factory=lambda: array("q"))
    names: list[str] = field(default_factory=list[str])
    _places: dict[str, int] = field(default_factory=dict[str, int])

    def __len__(self) -> int:
        """How many executions."""
        return len(self.rows) // len(FILL_COLUMNS)

    def __iter__(self) -> Iterator[array[int]]:
        """The columns of each execution."""
        width = len(FILL_COLUMNS)
        return (self.rows[at : at + width] for at in range(0, len(self.rows), width))

    def place(self, name: str) -> int:
        """Where a name is."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = len(self.names)
            self.names.append(name)
        return found

    def add(self, order: Order, payload: Mapping[str, Any], fee_units: int) -> None:
        """Take the fill of an order."""
        self.rows.extend(
            (
                int(payload["at_ms"]),
                self.place(order.symbol),
                self.place(order.strategy),
                0 if order.side is Side.BUY else 1,
                int(payload["qty_lots"]),
                int(payload["price_ticks"]),
                int(payload["cost_units"]),
                fee_units,
                self.place(order.reason),
                1 if payload["maker"] else 0,
            )
        )


class RoundTrips:
    """Watches facts as they are folded; `closed` in the order they closed, `open` by symbol."""

    def __init__(self, state: State) -> None:
        """`state` is the account that the facts are folded into."""
        self.state = state
        self.closed: list[RoundTrip] = []
        self.open: dict[str, RoundTrip] = {}
        self.fills = Fills()
        self.turnover_units = 0
        self._realised: dict[str, int] = {}

    def observe_fill(self, payload: Mapping[str, Any]) -> None:
        """Take a `fill` fact that has just been folded."""
        symbol = str(payload["symbol"])
        order = self.state.orders[str(payload["client_id"])]
        spec = self.state.spec(symbol)
        position = self.state.positions[symbol]
        at_ms = int(payload["at_ms"])
        trip = self.open.get(symbol)
        if trip is None and order.side is Side.SELL:
            trip = self._left_by(order.strategy, symbol)
        elif trip is None:
            trip = RoundTrip(order.strategy, symbol, at_ms)
            trip.first_ticks = int(payload["price_ticks"])
            self.open[symbol] = trip
        self._add(trip, order, payload)
        realised = position.realised_units
        trip.result_units += realised - self._realised.get(symbol, 0)
        self._realised[symbol] = realised
        if order.side is Side.SELL and not is_open(position, spec):
            trip.closed_ms = at_ms
            if self.open.pop(symbol, None) is not None:
                self.closed.append(trip)

    def observe_plan(self, payload: Mapping[str, Any]) -> None:
        """Take a `plan` fact that has just been folded: what it declared dust is over."""
        for key in payload.get("dust", {}):
            strategy, _, symbol = str(key).partition("|")
            trip = self.open.get(symbol)
            if trip is not None and trip.strategy == strategy:
                trip.closed_ms, trip.exit_reason = int(payload["bar_ms"]), "dust"
                self.closed.append(self.open.pop(symbol))

    def _left_by(self, strategy: str, symbol: str) -> RoundTrip:
        """The trip that left what is sold now, as dust."""
        return next(
            trip
            for trip in reversed(self.closed)
            if (trip.strategy, trip.symbol) == (strategy, symbol)
        )

    def _add(self, trip: RoundTrip, order: Order, payload: Mapping[str, Any]) -> None:
        spec = self.state.spec(trip.symbol)
        lots, value = int(payload["qty_lots"]), int(payload["cost_units"])
        price, fee_cash = int(payload["price_ticks"]), int(payload["fee_cash_units"])
        fee = fee_cash + value_of_base_down(spec, price, int(payload["fee_base_units"]))
        self.fills.add(order, payload, fee)
        trip.fee_units += fee
        trip.fills += 1
        trip.last_ticks = price
        self.turnover_units += value
        if order.side is Side.BUY:
            trip.bought_lots += lots
            trip.cost_units += value + fee_cash
        else:
            trip.sold_lots += lots
            trip.proceeds_units += value - fee_cash
            trip.exit_reason = order.reason
