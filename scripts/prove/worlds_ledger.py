"""The account counted a second time, in Decimal, from what was sent and what the venue told.

Lives here: the orders, coins and cash of a world as its oracle knows them, made by none of the
core's rules, and the comparison with the core's own books. Must not live here: limits
(`worlds_rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trader.core.approval import Approved
from trader.core.state import State
from trader.domain.account import Fill
from trader.domain.instrument import Instrument
from trader.domain.order import Side, TimeInForce

ZERO = Decimal(0)
STOPS = frozenset({"stop_loss", "trailing_stop", "break_even", "protective_stop"})


@dataclass(slots=True)
class Ours:
    """One attempt of one leg. `state`: `planned`, `sent` (no answer yet, or a lost one), `open` or
    `ended`; `claimed`: coins that the venue's order record says are filled; `rests`: it may outlive
    its cycle, until `until_ms`; `trigger`: of a protective stop, 0 for others."""

    client_id: str
    strategy: str
    symbol: str
    buy: bool
    qty: Decimal
    price: Decimal
    stop: Decimal
    bar_ms: int
    leg: int
    attempt: int
    reason: str
    rests: bool
    until_ms: int
    trigger: Decimal
    state: str = "planned"
    sent_ms: int = 0
    filled: Decimal = ZERO
    claimed: Decimal = ZERO

    @property
    def in_flight(self) -> bool:
        """May still change the account, or has told of fills that nobody booked."""
        return self.state != "ended" or self.claimed > self.filled

    @property
    def is_stop(self) -> bool:
        """A protective stop at the venue."""
        return self.trigger > 0

    @property
    def dormant(self) -> bool:
        """A stop that is known to rest: whoever sells takes it away first."""
        return self.is_stop and self.state not in {"sent", "planned"}

    @property
    def rest(self) -> Decimal:
        """Coins that may still be bought or sold."""
        return self.qty - self.filled


@dataclass
class Ledger:
    """What the program can know.

    Attributes:
        cash, held: what its fills left; held by (strategy, symbol). fees: paid in cash.
        cost: cash paid for what is held, fees in cash included. booked: cash of each strategy.
        entries: (sent_ms, strategy, client id) of every entry that ever left, moves not counted.
        messages: when each request left that changes something at the venue. faults: of the venue,
        in a row; fault_ms: the newest; try_ms: the newest entry sent since. waits: since when, by
        what ended (`exit`, `stop`, `unfilled`). approved: hashes that a human approved. dust: what
        was declared too little to be sold, until it changes.
    """

    rules: Mapping[str, Instrument]
    unit: Decimal
    cash: Decimal
    held: dict[tuple[str, str], Decimal] = field(default_factory=dict[tuple[str, str], Decimal])
    orders: dict[str, Ours] = field(default_factory=dict[str, Ours])
    alive: dict[str, Ours] = field(default_factory=dict[str, Ours])
    entries: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    messages: list[int] = field(default_factory=list[int])
    cost: dict[tuple[str, str], Decimal] = field(default_factory=dict[tuple[str, str], Decimal])
    filled_entries: dict[str, int] = field(default_factory=dict[str, int])
    attended: dict[str, int] = field(default_factory=dict[str, int])
    waits: dict[tuple[str, str], dict[str, int]] = field(
        default_factory=dict[tuple[str, str], dict[str, int]]
    )
    approved: dict[str, str] = field(default_factory=dict[str, str])
    capital: Decimal = ZERO
    flows: Decimal = ZERO
    dust: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    faults: int = 0
    fault_ms: int = -1
    try_ms: int = -1
    close_ms: int = -1
    booked: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    fees: Decimal = ZERO
    trades: set[str] = field(default_factory=set[str])
    problems: list[str] = field(default_factory=list[str])

    def planned(self, leg: Approved) -> None:
        """An approved leg, or a further attempt of one."""
        p = leg.proposal
        tick = self.rules[p.symbol].tick
        if leg.client_order_id in self.orders:
            self.problems.append(f"client id {leg.client_order_id} was given twice")
        ours = Ours(
            leg.client_order_id,
            p.strategy,
            p.symbol,
            p.side is Side.BUY,
            p.qty_lots * self.rules[p.symbol].lot,
            p.price_ticks * tick,
            p.stop_ticks * tick,
            p.bar_ms,
            p.leg,
            p.attempt,
            p.reason,
            p.tif is TimeInForce.GTC,
            p.until_ms,
            p.trigger_ticks * tick,
        )
        self.orders[ours.client_id] = self.alive[ours.client_id] = ours

    def sent(self, client_id: str, at_ms: int) -> None:
        """It leaves."""
        ours = self.orders[client_id]
        if ours.state != "planned":
            self.problems.append(f"{client_id} is sent again")
        ours.state, ours.sent_ms = "sent", at_ms
        self.messages.append(at_ms)
        if ours.buy and not ours.attempt:
            self.entries.append((at_ms, ours.strategy, client_id))
            if self.faults:
                self.try_ms = at_ms

    def leg_of(self, client_id: str) -> list[Ours]:
        """Every attempt of an order's leg; none for no order."""
        ours = self.orders.get(client_id)
        if ours is None:
            return []
        leg = (ours.bar_ms, ours.leg, ours.symbol)
        return [o for o in self.orders.values() if (o.bar_ms, o.leg, o.symbol) == leg]

    def answered(self, outcome: str, at_ms: int) -> None:
        """What came of a send is news of the venue."""
        if outcome in {"unknown", "not_sent"}:
            self.faults += 1
            self.fault_ms = at_ms
        elif outcome == "accepted":
            self.faults = 0

    def ended(self, client_id: str, claimed: Decimal = ZERO, how: str = "", at_ms: int = 0) -> None:
        """The venue (or the program itself, for what never left) says that it is over."""
        ours = self.orders[client_id]
        ours.state, ours.claimed = "ended", max(ours.claimed, claimed)
        late = how == "canceled" and 0 < ours.until_ms <= at_ms
        if ours.buy and not ours.filled and not ours.claimed and (late or how == "expired"):
            self._wait(ours, "unfilled", at_ms)
        if not ours.in_flight:
            self.alive.pop(client_id, None)

    def opened(self, client_id: str, claimed: Decimal = ZERO) -> None:
        """The venue says that it has it."""
        ours = self.orders[client_id]
        if ours.state == "sent":
            ours.state = "open"
        ours.claimed = max(ours.claimed, claimed)

    def fill(self, fill: Fill) -> None:
        """The venue tells of an execution; each is told once."""
        ours = self.orders[fill.client_order_id]
        rules = self.rules[fill.symbol]
        self.trades.add(fill.trade_id)
        key = (ours.strategy, fill.symbol)
        sign = 1 if ours.buy else -1
        in_cash = fill.fee if fill.fee_asset == rules.quote else ZERO
        in_coin = fill.fee if fill.fee_asset == rules.base else ZERO
        # What is finer than the account's own units is rounded against the account.
        paid = _whole(fill.cost, self.unit, up=ours.buy)
        fee = _whole(in_cash, self.unit, up=True)
        before = self.held.get(key, ZERO)
        was_open = self.opened_by(*key) > 0
        self.dust.discard(key)
        self.held[key] = before + sign * fill.qty - in_coin
        if ours.buy:
            self.cost[key] = self.cost.get(key, ZERO) + paid + fee
            if not ours.filled:
                self.filled_entries[ours.strategy] = self.filled_entries.get(ours.strategy, 0) + 1
        else:
            self._sold(ours, before, was_open=was_open, at_ms=fill.at_ms)
        flow = -sign * paid - fee
        self.cash += flow
        self.booked[ours.strategy] = self.booked.get(ours.strategy, ZERO) + flow
        self.fees += fee
        ours.filled += fill.qty
        if ours.filled > ours.qty:
            self.problems.append(f"{ours.client_id}: filled {ours.filled} of {ours.qty}")
        if ours.filled == ours.qty:
            ours.state = "ended"
        if not ours.in_flight:
            self.alive.pop(ours.client_id, None)
        if self.held[key] < 0:
            self.problems.append(f"{ours.strategy} sold more {fill.symbol} than it held")

    def _sold(self, ours: Ours, before: Decimal, *, was_open: bool, at_ms: int) -> None:
        key = (ours.strategy, ours.symbol)
        left, cost = self.held[key], self.cost.get(key, ZERO)
        part = _whole(cost * (before - left) / before, self.unit, up=True) if before else ZERO
        self.cost[key] = cost - min(part, cost)
        if was_open and not self.sellable(left, ours.symbol):
            self._wait(ours, "exit", at_ms)
        if ours.reason in STOPS:
            self._wait(ours, "stop", at_ms)

    def _wait(self, ours: Ours, what: str, at_ms: int) -> None:
        """What a decision sent counts from the close that it was decided at."""
        since = at_ms if ours.rests or self.close_ms < 0 else min(at_ms, self.close_ms)
        known = self.waits.setdefault((ours.strategy, ours.symbol), {})
        known[what] = max(known.get(what, -1), since)

    # --- questions -------------------------------------------------------------------------------

    def coins(self, symbol: str) -> Decimal:
        """Held of one instrument, whoever bought it."""
        return sum((n for (_, of), n in self.held.items() if of == symbol), ZERO)

    def sellable(self, coins: Decimal, symbol: str) -> Decimal:
        """Whole lots of it, 0 when that is below the smallest order."""
        rules = self.rules[symbol]
        whole = coins // rules.lot * rules.lot
        return whole if whole >= max(rules.lot, rules.qty_min) else ZERO

    def opened_by(self, name: str, symbol: str) -> Decimal:
        """Whole lots that a strategy could sell of an instrument: its position, if it has one."""
        if (name, symbol) in self.dust:
            return ZERO
        return self.sellable(self.held.get((name, symbol), ZERO), symbol)

    def positions(self) -> list[tuple[str, str]]:
        """(strategy, symbol) of everything that is more than dust."""
        return [key for key in self.held if self.opened_by(*key) > 0]

    def holders(self, symbol: str) -> list[str]:
        """Strategies with a position in it."""
        return [name for name, of in self.positions() if of == symbol]

    def buys(self) -> Iterator[Ours]:
        """Purchases in flight."""
        return (o for o in self.alive.values() if o.buy)

    def on(self, symbol: str) -> list[Ours]:
        """Orders in flight on an instrument."""
        return [o for o in self.alive.values() if o.symbol == symbol]

    # --- comparison ------------------------------------------------------------------------------

    def compare(self, state: State) -> list[str]:
        """Everything in which the core's books differ from these."""
        found = [*self.problems]
        unit = self.unit
        if state.cash_units * unit != self.cash:
            found.append(f"cash is {state.cash_units * unit}, by its fills {self.cash}")
        for (name, symbol), coins in self.held.items():
            theirs = state.held_units(name, symbol) * state.spec(symbol).base_unit
            if theirs != coins:
                found.append(f"{name} holds {theirs} {symbol}, by its fills {coins}")
        for symbol, position in state.positions.items():
            theirs = position.qty_units * state.spec(symbol).base_unit
            if theirs != self.coins(symbol):
                found.append(f"{symbol} is {theirs}, by its fills {self.coins(symbol)}")
            holders = self.holders(symbol)
            if len(holders) > 1:
                found.append(f"{symbol} is held by {holders}")
            if position.strategy != "".join(holders) and not self._just_opening(symbol):
                found.append(f"{symbol} is {position.strategy or 'nobody'}'s, not {holders}'s")
        for name, book in state.books.items():
            if book.cash_units * unit != self.booked.get(name, ZERO):
                found.append(f"book of {name} says {book.cash_units * unit} of cash")
        return found

    def _just_opening(self, symbol: str) -> bool:
        """A first fill may be less than can be sold: the position has its owner all the same."""
        return any(o.buy and o.filled > 0 for o in self.orders.values() if o.symbol == symbol)


def _whole(value: Decimal, unit: Decimal, *, up: bool) -> Decimal:
    return (value / unit).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * unit
