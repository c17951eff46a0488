"""One decision as the oracle sees it: its own books, what was shown to the core, and sums.

Lives here: legs in coins and prices, and what everything held, in flight and planned comes to, in
Decimal. Must not live here: limits (`worlds_rules`), and the core's sums.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from worlds_ledger import ZERO, Ledger, Ours

from trader.core.approval import Proposal
from trader.core.limits import Limits
from trader.core.parameters import Parameters, StrategySpec
from trader.core.snapshot import CoreQuote, Running
from trader.domain.order import Side

MILLION = Decimal(1_000_000)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NEVER = Decimal(10) ** 40
UNTOLD = Running()
Bar = tuple[int, Decimal, float]
Row = tuple[str, str, Decimal, Decimal, Decimal]


@dataclass(slots=True)
class Leg:
    """An order as it is proposed: coins and prices. `again`: one at rest, or moved, whose own
    sending does not count against it; `messages`: requests that it will be."""

    strategy: str
    symbol: str
    buy: bool
    qty: Decimal
    price: Decimal
    stop: Decimal
    reason: str
    order_type: str = "limit"
    client_id: str = ""
    again: str = ""
    messages: int = 1

    @property
    def value(self) -> Decimal:
        """Quantity at its limit."""
        return self.qty * self.price


class Found(NamedTuple):
    """What a rule measured, and the most it may be. `amount`: in cash, so that a few of the
    account's smallest units more are rounding. `loose`: part of the limit that a refusal may be
    away from it, because the core counts it more carefully."""

    measured: Decimal
    limit: Decimal
    amount: bool = False
    loose: Decimal = ZERO


@dataclass
class Moment:
    """One decision.

    Attributes:
        marks: newest close by symbol. bars: (open_ms, close, volume) by (symbol, timeframe).
        days: daily (open_ms, close) by symbol. stops: in force, by symbol.
        day_stopped, drawdown_stopped: 1 holds, 0 does not, None too near to tell; fallen: the same
            of each strategy's book. rolled: (loss of the rolling days, what it is measured from).
        legs: approved so far in this plan.
    """

    ledger: Ledger
    parameters: Parameters
    marks: Mapping[str, Decimal]
    bars: Mapping[tuple[str, str], list[Bar]]
    days: Mapping[str, list[tuple[int, Decimal]]]
    stops: Mapping[str, Decimal]
    quotes: Mapping[str, CoreQuote]
    halt_rank: int
    mismatches: int
    now_ms: int
    close_ms: int
    equity: Decimal
    skew_ms: int = 0
    repaints: Mapping[str, int] = field(default_factory=dict[str, int])
    running: Running = UNTOLD
    watching: frozenset[str] = frozenset()
    day_stopped: int | None = 0
    drawdown_stopped: int | None = 0
    fallen: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    rolled: tuple[Decimal, Decimal] = (ZERO, ZERO)
    legs: list[Leg] = field(default_factory=list[Leg])

    @property
    def limits(self) -> Limits:
        """Of the policy in force."""
        return self.parameters.limits

    def share(self, ppm: int) -> Decimal:
        """So much of equity."""
        return max(ZERO, self.equity) * ppm / MILLION

    def spec(self, name: str) -> StrategySpec:
        """A strategy of the policy in force."""
        return next(spec for spec in self.parameters.strategies if spec.name == name)

    def leg_of(self, proposal: Proposal, again: str = "") -> Leg:
        """A proposal in coins and prices."""
        rules, p = self.ledger.rules[proposal.symbol], proposal
        return Leg(
            p.strategy,
            p.symbol,
            p.side is Side.BUY,
            p.qty_lots * rules.lot,
            p.price_ticks * rules.tick,
            p.stop_ticks * rules.tick,
            p.reason,
            p.order_type,
            intent_id(self.parameters, p),
            again,
            2 if p.attempt else 1,
        )

    def cost(self, symbol: str, value: Decimal) -> Decimal:
        """Value with the fee of a taker."""
        return value * (1 + self.ledger.rules[symbol].fee_taker)

    def quote(self, leg: Leg) -> CoreQuote:
        """What was quoted; zeros when there was nothing."""
        return self.quotes.get(leg.symbol, CoreQuote(0, 0, -1, -1, self.now_ms - 10**12))

    def close(self, leg: Leg) -> tuple[Decimal, Decimal]:
        """Newest close of the strategy's own bars, and the one before; 0: none."""
        bars = self.bars[leg.symbol, self.spec(leg.strategy).timeframe]
        return (bars[-1][1] if bars else ZERO), (bars[-2][1] if len(bars) > 1 else ZERO)

    # --- sums ------------------------------------------------------------------------------------

    def buys(self, leg: Leg) -> list[Ours]:
        """Purchases in flight, without the one that `leg` is, or takes the place of."""
        return [o for o in self.ledger.buys() if o.client_id != leg.again]

    def on(self, leg: Leg) -> list[Ours]:
        """Orders in flight on the leg's instrument, likewise."""
        return [o for o in self.ledger.on(leg.symbol) if o.client_id != leg.again]

    def rows(self, leg: Leg) -> list[Row]:
        """(strategy, symbol, value, cost with fees, loss to the stop) of all that is held, in
        flight, or wanted by this plan up to and including `leg`."""
        found: list[Row] = []
        for (name, symbol), coins in self.ledger.held.items():
            if coins > 0 and symbol in self.marks:
                value = coins * self.marks[symbol]
                # What is too little to be sold is saved by no stop.
                saved = self.ledger.opened_by(name, symbol) > 0
                stop = self.stops.get(symbol, ZERO) if saved else ZERO
                lost = self.lost(symbol, value, coins, stop)
                found.append((name, symbol, value, value, lost))
        bought = [(o.strategy, o.symbol, o.rest, o.price, o.stop) for o in self.buys(leg)]
        mine = [g for g in (*self.legs, leg) if g.buy]
        bought += [(g.strategy, g.symbol, g.qty, g.price, g.stop) for g in mine]
        for name, symbol, coins, price, stop in bought:
            value = coins * price
            paid = self.cost(symbol, value)
            found.append((name, symbol, value, paid, self.lost(symbol, paid, coins, stop)))
        return found

    def lost(self, symbol: str, value: Decimal, coins: Decimal, stop: Decimal) -> Decimal:
        """What goes when the stop is hit: the sale is expected at the slippage cap below it, at a
        whole tick, and pays its fee."""
        if stop <= 0:
            return value
        rules = self.ledger.rules[symbol]
        sold_at = stop * (MILLION - self.limits.slippage_ppm) / MILLION
        sold_at = max(rules.tick, up_to(sold_at, rules.tick))
        return max(ZERO, value - coins * sold_at * (1 - rules.fee_taker))

    def pending(self, leg: Leg) -> Decimal:
        """Cost of entries whose end is not known, this plan's included."""
        mine = [g for g in (*self.legs, leg) if g.buy]
        wanted = sum((self.cost(g.symbol, g.value) for g in mine), ZERO)
        return wanted + sum((self.cost(o.symbol, o.rest * o.price) for o in self.buys(leg)), ZERO)

    def entries_since(self, since_ms: int, leg: Leg, strategy: str = "") -> int:
        """Entries that left after a time, and those of this plan, `leg` not counted."""
        itself = {o.client_id for o in self.ledger.leg_of(leg.again)}
        gone = sum(
            1
            for at, name, client_id in self.ledger.entries
            if at > since_ms and strategy in {"", name} and client_id not in itself
        )
        return gone + sum(1 for g in self.legs if g.buy and strategy in {"", g.strategy})

    def open_symbols(self, leg: Leg) -> set[str]:
        """Instruments held and being bought, this one included."""
        ledger = self.ledger
        busy = {of for _, of in ledger.positions()}
        busy |= {o.symbol for o in self.buys(leg)}
        return busy | {g.symbol for g in self.legs if g.buy} | {leg.symbol}

    def tier(self, symbol: str) -> str:
        """The first tier that names an instrument."""
        for tier in self.parameters.universe.tiers:
            if symbol in tier.pairs:
                return tier.name
        return ""


def up_to(price: Decimal, tick: Decimal) -> Decimal:
    """The lowest price of the grid that is not below this one."""
    return (price // tick + 1) * tick if price % tick else price


def intent_id(parameters: Parameters, p: Proposal) -> str:
    """The client order id that an intent has, whoever computes it."""
    words = (parameters.account, p.strategy, p.symbol, p.bar_ms, p.leg, p.attempt)
    text = "|".join(map(str, words))
    return parameters.prefix + hashlib.sha256(text.encode()).hexdigest()[:26]


@lru_cache(maxsize=4096)
def wall(zone: str, at_ms: int) -> datetime:
    """What a clock on the wall there shows, without its zone."""
    shown = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=at_ms)
    return shown.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def day_number(zone: str, starts_min: int, at_ms: int) -> int:
    """Number of the local day, each beginning at so many minutes after midnight."""
    shown = wall(zone, at_ms) - timedelta(minutes=starts_min)
    return (shown - datetime(1970, 1, 1)).days  # noqa: DTZ001 - a wall clock has no zone
