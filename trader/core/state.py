"""The account's state: what `fold` builds from facts, in journal and back-test alike.

Lives here: mutable records in core integers, and their canonical rows (the journal's projections).
Only `fold` changes them. Must not live here: rules about what may be traded.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from trader.core.books import Book, Holding, Row, holding_key
from trader.core.days import Cooldown, DayRow
from trader.core.scale import Spec, text
from trader.domain.instrument import Instrument
from trader.domain.order import UNRESOLVED, WORKING, OrderState, Side, TimeInForce

HALT_LEVELS = ("running", "no_entries", "reduce_only", "frozen")

# Trades per day are counted exactly up to this many; the policy allows no larger limit.
SENT_SLOTS = 1_024
# Messages: one bucket for each minute of a day, and the times of the newest ones.
MINUTE_SLOTS = 1_440
STAMP_SLOTS = 64


class FoldError(ValueError):
    """A fact that contradicts the state: an unknown order, more fills than lots, more sold than
    held, a stop that is loosened. The journal refuses to append it."""


class Record(Protocol):
    """What a projection is made of."""

    def row(self) -> Row:
        """Its canonical row."""
        ...


class Order:
    """One attempt of one leg of a plan.

    `signal_ms` is the open time of the signal bar an entry acts on (0 for an exit). `stop_ticks`,
    `target_ticks`, `trail_ticks` (a distance) and `hold_ms`: exits of the position that it opens,
    0 for none. So are `even_ticks` (the price from which on its stop is where it breaks even),
    `arm_ticks` (the price from which on the trail counts) and `steps` (scale-out: `ticks:ppm ...`).
    `order_type`: `limit`, `post_only` or `stop_limit` (resting until `trigger_ticks` trades);
    `until_ms`: when what rests is to be cancelled, 0: not by the clock. `ending`: why it is to be
    cancelled, "" while it may rest.
    `qty_lots` asked for, `filled_lots` and `filled_units` (cash, before fees) booked from fills,
    `venue_lots` the filled quantity that the venue's own order record claims (-1: not told).
    """

    __slots__ = (
        "arm_ticks",
        "attempt",
        "bar_ms",
        "client_id",
        "ending",
        "even_ticks",
        "filled_lots",
        "filled_units",
        "hold_ms",
        "leg",
        "order_type",
        "outcome_code",
        "price_ticks",
        "qty_lots",
        "reason",
        "sent_ms",
        "side",
        "signal_ms",
        "state",
        "steps",
        "stop_ticks",
        "strategy",
        "symbol",
        "target_ticks",
        "tif",
        "trail_ticks",
        "trigger_ticks",
        "until_ms",
        "updated_ms",
        "venue_id",
        "venue_lots",
    )

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.client_id = str(row["client_id"])
        self.strategy = str(row["strategy"])
        self.symbol = str(row["symbol"])
        self.side = Side(row["side"])
        self.tif = TimeInForce(row["tif"])
        self.bar_ms = int(row["bar_ms"])
        self.leg = int(row["leg"])
        self.attempt = int(row["attempt"])
        self.price_ticks = int(row["price_ticks"])
        self.qty_lots = int(row["qty_lots"])
        self.stop_ticks = int(row["stop_ticks"])
        self.target_ticks = int(row["target_ticks"])
        self.trail_ticks = int(row["trail_ticks"])
        self.hold_ms = int(row["hold_ms"])
        self.arm_ticks = int(row.get("arm_ticks", 0))
        self.even_ticks = int(row.get("even_ticks", 0))
        self.steps = str(row.get("steps", ""))
        self.order_type = str(row.get("order_type", "limit"))
        self.trigger_ticks = int(row.get("trigger_ticks", 0))
        self.until_ms = int(row.get("until_ms", 0))
        self.ending = str(row.get("ending", ""))
        self.signal_ms = int(row["signal_ms"])
        self.reason = str(row["reason"])
        self.state = OrderState(row.get("state", OrderState.PLANNED))
        self.filled_lots = int(row.get("filled_lots", 0))
        self.filled_units = int(row.get("filled_units", 0))
        self.venue_lots = int(row.get("venue_lots", -1))
        self.venue_id = str(row.get("venue_id", ""))
        self.outcome_code = str(row.get("outcome_code", ""))
        self.sent_ms = int(row.get("sent_ms", 0))
        self.updated_ms = int(row.get("updated_ms", 0))

    def row(self) -> Row:
        """Canonical row: projection table `orders`, key `client_id`."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @property
    def working(self) -> bool:
        """May still change the account, or has told of fills that are not booked yet."""
        return self.state in WORKING or self.venue_lots > self.filled_lots

    @property
    def unresolved(self) -> bool:
        """Nobody knows yet whether it reached the venue."""
        return self.state in UNRESOLVED

    @property
    def is_stop(self) -> bool:
        """A protective stop, at rest until its trigger trades."""
        return self.order_type == "stop_limit"

    @property
    def open_lots(self) -> int:
        """Lots that may still fill; everything not booked while the order is working."""
        return self.qty_lots - self.filled_lots if self.working else 0


class Position:
    """What the program holds of one instrument, and for which strategy.

    `qty_units` base units (sum of fills less fees taken in the base coin), of them `own_units` the
    owner's: the rest is dust that others left. `cost_units` cash paid for what is held (fees in
    cash included), `realised_units` cash result of what was sold, of it `result_units` since the
    position was opened, `fees_units` cash fees paid.
    `bought_lots` and `bought_units` (cash, before fees): what the owner's entries bought since it
    opened, whose average is `entry_ticks`. `stop_ticks` is the stop in force (`trailed`: 1 when it
    was ratcheted up by the trail, 2 to break-even), `trail_ticks` the distance it keeps below the
    highest price, `target_ticks` and `hold_ms` as its orders asked; 0 for none. `even_ticks`,
    `arm_ticks`, `steps` as in its order; `scaled`: how many of the steps were reached. A closed
    position keeps its row (dust, realised result).
    """

    __slots__ = (
        "arm_ticks",
        "bought_lots",
        "bought_units",
        "cost_units",
        "entry_ticks",
        "even_ticks",
        "fees_units",
        "hold_ms",
        "opened_ms",
        "own_units",
        "qty_units",
        "realised_units",
        "result_units",
        "scaled",
        "steps",
        "stop_ticks",
        "strategy",
        "symbol",
        "target_ticks",
        "trail_ticks",
        "trailed",
    )

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.symbol = str(row["symbol"])
        self.strategy = str(row.get("strategy", ""))
        self.qty_units = int(row.get("qty_units", 0))
        self.own_units = int(row.get("own_units", 0))
        self.cost_units = int(row.get("cost_units", 0))
        self.bought_lots = int(row.get("bought_lots", 0))
        self.bought_units = int(row.get("bought_units", 0))
        self.entry_ticks = int(row.get("entry_ticks", 0))
        self.stop_ticks = int(row.get("stop_ticks", 0))
        self.target_ticks = int(row.get("target_ticks", 0))
        self.trail_ticks = int(row.get("trail_ticks", 0))
        self.trailed = int(row.get("trailed", 0))
        self.hold_ms = int(row.get("hold_ms", 0))
        self.arm_ticks = int(row.get("arm_ticks", 0))
        self.even_ticks = int(row.get("even_ticks", 0))
        self.steps = str(row.get("steps", ""))
        self.scaled = int(row.get("scaled", 0))
        self.opened_ms = int(row.get("opened_ms", 0))
        self.realised_units = int(row.get("realised_units", 0))
        self.result_units = int(row.get("result_units", 0))
        self.fees_units = int(row.get("fees_units", 0))

    def row(self) -> Row:
        """Canonical row: projection table `positions`, key `symbol`."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


class State:
    """Everything a decision needs to know of the account.

    Attributes:
        meta: single facts as text or int: `account`, `mode`, `prefix`, `quote`, `cash_digits`,
            `capital_units` (what the owner put in, less what was taken out), `cash_units`,
            `halt_level`, `halt_why`, `halt_by`, `last_bar_ms`
            (newest planned decision bar, -1 before the first), `regime` and `regime_ms` (name, and
            open time of the benchmark's bar it was told from), `cycles`, `policy`, `strategies`
            (`name=sha,...` of the sources in force), `sent_count` (entries ever sent),
            `alarms` (of the newest plan, one a line: what somebody must look at),
            `message_count` (requests ever sent), `approved_code`, `approved_policy`,
            `approved_lock`, `approved_by` (hashes that a named human approved), `venue_faults` (in
            a row), `venue_fault_ms` and `venue_fault_why` (the newest), `venue_try_ms` (the newest
            entry sent while there were some), and the account's marks (see `marks`).
        orders: by client id, every order that is not settled, and those of the newest plan.
        positions: by symbol.
        instruments: by symbol, the newest rules as canonical rows (decimals as text).
        other_fees: by asset, decimal text: fees taken in a third coin.
        consumed: by `strategy|symbol`, open time of the newest signal bar that was acted on.
        books: by strategy. holdings: by `strategy|symbol`.
        members: by tier, `refreshed_ms SYMBOL SYMBOL ...`, the best ranked first (see `universe`).
        sent: by slot, `at_ms strategy` of the newest entries sent: a ring of SENT_SLOTS.
        messages: requests sent: by minute of the day (UTC), `minute count`, where minute is
            counted since the epoch; and by `s` and slot, the time in ms of the newest STAMP_SLOTS.
        days: by `name|slot`, see `days`. cooldowns: by `strategy|symbol`.
        asked: by symbol, or `*` for every one: the newest exit that a named human asked for, as
            {symbol, by, why, at_ms, done_ms}; done_ms is -1 until nothing is left to sell.
        dirty: (table, key) touched since the caller last cleared it.
    """

    __slots__ = (
        "_specs",
        "asked",
        "books",
        "consumed",
        "cooldowns",
        "days",
        "dirty",
        "holdings",
        "instruments",
        "members",
        "messages",
        "meta",
        "orders",
        "other_fees",
        "positions",
        "sent",
    )

    def __init__(self) -> None:
        """An account about which nothing is known."""
        self.meta: dict[str, int | str] = {
            "account": "",
            "alarms": "",
            "approved_by": "",
            "approved_code": "",
            "approved_lock": "",
            "approved_policy": "",
            "capital_units": 0,
            "cash_digits": 8,
            "cash_units": 0,
            "close_ms": -1,
            "cycles": 0,
            "day": -1,
            "day_ends_ms": -1,
            "day_stopped": 0,
            "day_units": 0,
            "day_whole": 0,
            "drawdown_stopped": 0,
            "equity_units": 0,
            "halt_by": "",
            "halt_level": "running",
            "halt_why": "",
            "high_units": 0,
            "last_bar_ms": -1,
            "message_count": 0,
            "mode": "",
            "policy": "",
            "prefix": "",
            "quote": "",
            "regime": "",
            "regime_ms": -1,
            "sent_count": 0,
            "strategies": "",
            "venue_fault_ms": -1,
            "venue_fault_why": "",
            "venue_faults": 0,
            "venue_try_ms": -1,
        }
        self.orders: dict[str, Order] = {}
        self.positions: dict[str, Position] = {}
        self.instruments: dict[str, Row] = {}
        self.other_fees: dict[str, str] = {}
        self.consumed: dict[str, int] = {}
        self.members: dict[str, str] = {}
        self.sent: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.asked: dict[str, Row] = {}
        self.days: dict[str, DayRow] = {}
        self.cooldowns: dict[str, Cooldown] = {}
        self.books: dict[str, Book] = {}
        self.holdings: dict[str, Holding] = {}
        self.dirty: set[tuple[str, str]] = set()
        self._specs: dict[str, Spec] = {}

    def spec(self, symbol: str) -> Spec:
        """The instrument's newest rules in core integers; KeyError when it was never seen."""
        known = self._specs.get(symbol)
        if known is None:
            known = Spec(instrument_of(self.instruments[symbol]), self.number("cash_digits"))
            self._specs[symbol] = known
        return known

    def set_instrument(self, row: Row) -> None:
        """Take newer rules of an instrument; raises ScaleError when they cannot be held."""
        symbol = str(row["symbol"])
        self._specs[symbol] = Spec(instrument_of(row), self.number("cash_digits"))
        self.instruments[symbol] = row
        self.dirty.add(("instruments", symbol))

    def number(self, key: str) -> int:
        """A meta value that is an int."""
        return int(self.meta[key])

    def word(self, key: str) -> str:
        """A meta value that is text."""
        return str(self.meta[key])

    @property
    def cash_units(self) -> int:
        """Cash of the program's slice, in cash units; what is in flight is not taken off."""
        return int(self.meta["cash_units"])

    def row(self, table: str, key: str) -> Row | None:
        """The canonical row of one projection, or None when it does not exist."""
        records: dict[str, Mapping[str, Record]] = {
            "orders": self.orders,
            "positions": self.positions,
            "books": self.books,
            "holdings": self.holdings,
            "days": self.days,
            "cooldowns": self.cooldowns,
        }
        if table in records:
            record = records[table].get(key)
            return record.row() if record else None
        rows = {"instruments": self.instruments, "asked": self.asked}
        if table in rows:
            return rows[table].get(key)
        single: dict[str, Mapping[str, int | str]] = {
            "meta": self.meta,
            "consumed": self.consumed,
            **self._texts(),
        }
        held = single[table]
        return {"key": key, "value": held[key]} if key in held else None

    def load_row(self, table: str, row: Row) -> None:
        """Put back one row that `row` gave: how the journal rebuilds a State when it opens."""
        texts = self._texts().get(table)
        if texts is not None:
            texts[str(row["key"])] = str(row["value"])
        elif table == "meta":
            self.meta[str(row["key"])] = row["value"]
        elif table == "consumed":
            self.consumed[str(row["key"])] = int(row["value"])
        elif table == "days":
            self.days[str(row["key"])] = DayRow(row)
        elif table == "cooldowns":
            self.cooldowns[str(row["key"])] = Cooldown(row)
        elif table == "orders":
            self.orders[str(row["client_id"])] = Order(row)
        elif table == "positions":
            self.positions[str(row["symbol"])] = Position(row)
        elif table == "books":
            self.books[str(row["strategy"])] = Book(row)
        elif table == "holdings":
            self.holdings[str(row["key"])] = Holding(row)
        else:
            held = {"instruments": self.instruments, "asked": self.asked}
            held[table][str(row["symbol"])] = row

    def _texts(self) -> dict[str, dict[str, str]]:
        return {
            "other_fees": self.other_fees,
            "members": self.members,
            "sent": self.sent,
            "messages": self.messages,
        }

    def sent_entries(self) -> list[tuple[int, str]]:
        """(at_ms, strategy) of the newest SENT_SLOTS entries sent, in no order."""
        pairs = (value.split(" ", 1) for value in self.sent.values())
        return [(int(at_ms), strategy) for at_ms, strategy in pairs]

    def held_units(self, strategy: str, symbol: str) -> int:
        """Base units of an instrument that a strategy may sell: it bought them and holds them."""
        holding = self.holdings.get(holding_key(strategy, symbol))
        return holding.qty_units if holding else 0

    def orders_of(self, symbol: str) -> list[Order]:
        """Orders of an instrument in the order they were planned."""
        return [order for order in self.orders.values() if order.symbol == symbol]


def instrument_row(instrument: Instrument) -> Row:
    """An instrument as a canonical row (decimals as text): payload of an `instrument` entry."""
    return {
        "symbol": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "tick": text(instrument.tick),
        "lot": text(instrument.lot),
        "qty_min": text(instrument.qty_min),
        "qty_max": text(instrument.qty_max),
        "notional_min": text(instrument.notional_min),
        "fee_taker": text(instrument.fee_taker),
        "fee_maker": text(instrument.fee_maker),
        "active": int(instrument.active),
    }


def instrument_of(row: Row) -> Instrument:
    """The instrument that `instrument_row` described."""
    exact = {
        name: Decimal(str(row[name]))
        for name in ("tick", "lot", "qty_min", "qty_max", "notional_min", "fee_taker", "fee_maker")
    }
    symbol, base, quote = (str(row[name]) for name in ("symbol", "base", "quote"))
    return Instrument(symbol, base, quote, active=bool(row["active"]), **exact)


PROJECTIONS = (
    "meta",
    "orders",
    "positions",
    "instruments",
    "other_fees",
    "consumed",
    "members",
    "sent",
    "messages",
    "books",
    "holdings",
    "days",
    "cooldowns",
    "asked",
)


def _plain(value: int | str) -> int | str:
    return str(value) if isinstance(value, str) else value
