"""A small venue that lies, and a process that dies: what `step` is driven through at random.

The venue keeps its own count of coins and of what is open; the state hears of it late, in part, or
not at all. Every submit is held to the law: what sells, stops included, is never more than there
is, and no two stops of one instrument are open. All by one seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from trader.core.account_view import AccountView
from trader.core.actions import Action, Cancel, Look, PlanAttempt, Requote, Send, StepFacts, noted
from trader.core.fold import fold
from trader.core.sizing import exit_lots
from trader.core.state import Order
from trader.core.step import stale_intents, step
from trader.domain.order import OrderState, Side, TimeInForce

from .made import BAR_MS, BTC, ETH, MINUTE_MS, UNIT, account, order_row, parameters, quote

SYMBOLS = (BTC, ETH)


class Crash(Exception):
    """The process dies here."""


@dataclass
class There:
    """An order as the venue has it; `told` counts the executions that the state has booked."""

    order: Order
    left: int
    state: str = "open"
    fills: list[int] = field(default_factory=list[int])
    told: int = 0

    @property
    def filled(self) -> int:
        return sum(self.fills)


class World:
    """One account at one venue. `chaos` 0: everything works and is answered."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.state = account(1_000_000 * UNIT)
        self.parameters = parameters(exit_attempts=3)
        self.there: dict[str, There] = {}
        self.coins: dict[str, int] = dict.fromkeys(SYMBOLS, 0)
        self.chaos = 0.0
        self.bar_ms = BAR_MS
        self.number = 0
        self.trades = 0
        self.bid: dict[str, int] = dict.fromkeys(SYMBOLS, 10_000)
        self.sent: list[str] = []
        self.done: list[str] = []

    def odds(self, share: float) -> bool:
        return self.rng.random() < share * self.chaos

    # --- the venue ---------------------------------------------------------------------------

    def open_sells(self, symbol: str) -> list[There]:
        return [
            t
            for t in self.there.values()
            if t.state == "open" and t.order.symbol == symbol and t.order.side is Side.SELL
        ]

    def arrive(self, order: Order) -> str:
        """The venue takes an order; "" or the code of its refusal. The law is held here."""
        assert order.client_id not in self.there, "an order was sent twice"
        if self.odds(0.1):
            return "refused"
        there = There(order, order.qty_lots)
        if order.side is Side.SELL:
            open_ = self.open_sells(order.symbol)
            lots = sum(t.left for t in open_) + order.qty_lots
            assert lots <= self.coins[order.symbol], f"{lots} sell of {self.coins[order.symbol]}"
            assert not (order.is_stop and any(t.order.is_stop for t in open_)), "two stops"
            if order.is_stop and order.trigger_ticks >= self.bid[order.symbol]:
                return "would_trigger"
        self.there[order.client_id] = there
        if order.tif is TimeInForce.IOC:
            self.trade(there, there.left if not self.odds(0.6) else self.rng.randint(0, there.left))
            if there.state == "open":
                there.state = "expired"
        return ""

    def trade(self, there: There, lots: int) -> None:
        """So much of an open order is carried out."""
        if lots <= 0:
            return
        there.left -= lots
        there.fills.append(lots)
        self.coins[there.order.symbol] += lots if there.order.side is Side.BUY else -lots
        assert self.coins[there.order.symbol] >= 0, "sold more than there was"
        if there.left == 0:
            there.state = "filled"

    def market(self) -> None:
        """Orders at rest may fill, in part or whole."""
        for there in self.there.values():
            if there.state == "open" and self.odds(0.25):
                self.trade(there, self.rng.randint(1, there.left))

    # --- what the state hears ----------------------------------------------------------------

    def tell(self, client_id: str) -> None:
        """The venue's answer about one order, its executions maybe only later."""
        there, order = self.there.get(client_id), self.state.orders[client_id]
        if there is None:
            return
        seen, lots = OrderState(there.state), there.filled
        if seen is not order.state or lots > order.venue_lots:
            if order.state in {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED}:
                seen = order.state
            row = {"client_id": client_id, "at_ms": self.bar_ms, "venue_id": "1", "source": "x"}
            fold(self.state, "order_seen", {**row, "state": str(seen), "venue_lots": lots})
        while there.told < len(there.fills) and not self.odds(0.3):
            self.book(there, there.fills[there.told])
            there.told += 1

    def book(self, there: There, lots: int) -> None:
        self.trades += 1
        order, price = there.order, self.bid[there.order.symbol]
        fill = {
            "client_id": order.client_id, "symbol": order.symbol, "trade_id": str(self.trades),
            "side": str(order.side), "price_ticks": price, "qty_lots": lots,
            "cost_units": price * lots * 1_000, "fee_cash_units": 0, "fee_base_units": 0,
            "fee_asset": "", "fee": "", "maker": 0, "at_ms": self.bar_ms,
        }  # fmt: skip
        fold(self.state, "fill", fill)

    def reconcile(self) -> None:
        """What every cycle begins with: each order that may still work is asked about."""
        for client_id, order in list(self.state.orders.items()):
            if not order.working:
                continue
            if client_id not in self.there and order.unresolved and not self.odds(0.5):
                row = {"client_id": client_id, "at_ms": self.bar_ms, "venue_id": "", "source": "x"}
                fold(self.state, "order_seen", {**row, "state": "absent", "venue_lots": 0})
            else:
                self.tell(client_id)

    # --- the process -------------------------------------------------------------------------

    def cycle(self, *, legs: bool = True, stops: bool = True) -> None:
        """One pass, that may die anywhere; the next one goes on from what was written down."""
        try:
            self.market()
            self.reconcile()
            if self.rng.random() > 0.2 * self.chaos:
                self.plan(legs=legs)
            self.carry_out(stops=stops)
        except Crash:
            pass

    def plan(self, *, legs: bool) -> None:
        self.bar_ms += MINUTE_MS
        for intent in stale_intents(self.state, self.bar_ms):
            row = {"client_id": intent.client_id, "at_ms": self.bar_ms, "why": intent.why}
            fold(self.state, "order_abandoned", row)
        for symbol in SYMBOLS:
            self.bid[symbol] = max(1_000, self.bid[symbol] + self.rng.randint(-50, 50))
        payload: dict[str, Any] = {"bar_ms": self.bar_ms, "legs": [], "stops": {}}
        if legs:
            for symbol in SYMBOLS:
                self.wish(symbol, payload)
        fold(self.state, "plan", payload)

    def wish(self, symbol: str, payload: dict[str, Any]) -> None:
        """An exit, a ratchet, an entry of either kind, or a move, as a plan would approve them."""
        view = AccountView(self.state, {})
        position = self.state.positions.get(symbol)
        turn = self.rng.random()
        resting = [o for o in view.orders_on(symbol) if o.side is Side.BUY and o.working]
        if view.owner(symbol) and symbol in view.open_symbols():
            assert position is not None
            free = exit_lots(
                self.state.spec(symbol), view.held_lots(symbol), view.sells_in_flight_lots(symbol)
            )
            if turn < 0.3 and free >= 2:
                lots = free if turn < 0.2 else self.rng.randint(2, free)
                self.leg(payload, symbol, side="sell", qty_lots=lots, price_ticks=1, stop_ticks=0,
                         signal_ms=0, reason="exit_signal")  # fmt: skip
                return
            if turn < 0.5 and position.stop_ticks + 100 < self.bid[symbol]:
                payload["stops"][symbol] = position.stop_ticks + self.rng.randint(1, 50)
        if resting:
            order = resting[0]
            if turn > 0.7 and order.state is OrderState.OPEN and order.attempt < 4:
                numbers = [
                    o.attempt
                    for o in self.state.orders.values()
                    if (o.bar_ms, o.leg) == (order.bar_ms, order.leg)
                ]
                rest = order.qty_lots - max(order.filled_lots, order.venue_lots, 0)
                if rest > 0:
                    self.leg(payload, symbol, tif="gtc", order_type="post_only", qty_lots=rest,
                             bar_ms=order.bar_ms, leg=order.leg,
                             attempt=max(numbers) + 1)  # fmt: skip
        elif turn > 0.6 and not view.leaving(symbol):
            maker = self.rng.random() < 0.6
            self.leg(payload, symbol, tif="gtc" if maker else "ioc",
                     order_type="post_only" if maker else "limit",
                     qty_lots=self.rng.randint(60, 400),
                     stop_ticks=self.bid[symbol] - self.rng.randint(200, 900),
                     until_ms=self.bar_ms + self.rng.randint(2, 6) * MINUTE_MS)  # fmt: skip

    def leg(self, payload: dict[str, Any], symbol: str, **changed: Any) -> None:
        self.number += 1
        usual = {"symbol": symbol, "bar_ms": self.bar_ms, "leg": len(payload["legs"])}
        row = order_row(f"{self.number:032x}", **{**usual, **changed})
        payload["legs"].append(row)

    def carry_out(self, *, stops: bool) -> None:
        now_ms = self.bar_ms + MINUTE_MS
        facts = StepFacts(now_ms, stops=stops)
        for _ in range(200):
            actions = step(self.state, self.parameters, facts)
            if not actions:
                return
            for action in actions:
                facts = self.act(action, facts)
                self.market()
        raise AssertionError(f"step never ends: {self.done[-5:]}")

    def maybe_crash(self) -> None:
        if self.odds(0.04):
            raise Crash

    def act(self, action: Action, facts: StepFacts) -> StepFacts:
        self.done.append(type(action).__name__)
        self.maybe_crash()
        if isinstance(action, Send):
            self.send(action.client_id)
        elif isinstance(action, Cancel):
            self.cancel(action)
        elif isinstance(action, Look):
            if not self.odds(0.2):
                self.tell(action.client_id)
        elif isinstance(action, PlanAttempt):
            fold(self.state, "order_planned", action.approved.row())
        elif not isinstance(action, Requote):
            row = {"client_id": action.client_id, "at_ms": self.bar_ms, "why": action.why}
            fold(self.state, "order_abandoned", row)
        fresh = None
        if isinstance(action, Requote) and not self.odds(0.2):
            bid = self.bid[action.symbol]
            fresh = quote(bid, bid + 2, facts.now_ms)
        self.maybe_crash()
        return noted(facts, action, fresh)

    def send(self, client_id: str) -> None:
        order = self.state.orders[client_id]
        fold(self.state, "order_sent", {"client_id": client_id, "at_ms": self.bar_ms})
        self.sent.append(client_id)
        self.maybe_crash()
        if self.odds(0.08):
            self.answer(client_id, "unknown" if self.odds(0.5) else "not_sent")
            return
        refused = self.arrive(order)
        self.maybe_crash()
        if refused:
            self.answer(client_id, "rejected")
        elif self.odds(0.15):
            self.answer(client_id, "unknown")
        else:
            self.answer(client_id, "accepted")
            self.tell(client_id)

    def answer(self, client_id: str, outcome: str) -> None:
        row = {"client_id": client_id, "at_ms": self.bar_ms, "code": "", "text": "", "venue_id": ""}
        fold(self.state, "order_outcome", {**row, "outcome": outcome})

    def cancel(self, action: Cancel) -> None:
        row = {"client_id": action.client_id, "at_ms": self.bar_ms, "why": action.why}
        fold(self.state, "cancel_sent", row)
        self.maybe_crash()
        there = self.there.get(action.client_id)
        if there is not None and there.state == "open" and not self.odds(0.15):
            if self.odds(0.3):
                self.trade(there, self.rng.randint(1, there.left))  # the race
            if there.state == "open":
                there.state = "canceled"
            self.maybe_crash()
            if not self.odds(0.3):
                self.tell(action.client_id)

    def calm(self, cycles: int = 6) -> None:
        """Everything works again, and nothing is wished for."""
        self.chaos = 0.0
        for _ in range(cycles):
            self.cycle(legs=False)


def play(seed: int, cycles: int, chaos: float, check: Callable[[World], None]) -> World:
    """A world that was shaken and then left alone; `check` after every cycle."""
    world = World(seed)
    world.chaos = chaos
    for _ in range(cycles):
        world.cycle()
        check(world)
    world.calm()
    return world
