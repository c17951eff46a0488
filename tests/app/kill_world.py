"""A venue in memory that can fail and lie, and a clock that only sleeping moves.

The venue keeps the port's contract about what it holds; what its answers say is up to the test. It
stands for an exchange, not for code of ours.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader.app.kill import KillReport, KillSetup, Target, kill_all
from trader.app.ports import RawBar
from trader.app.sweep import SweepLimits
from trader.core.approval import Approved
from trader.core.state import instrument_row
from trader.domain.account import Balance, Fill
from trader.domain.instrument import Instrument
from trader.domain.market import Quote
from trader.domain.order import OrderState, Side, VenueOrder
from trader.domain.outcome import Accepted, Outcome, Rejected, Unknown
from trader.errors import VenueUnavailable
from trader.journal.journal import Journal
from trader.ops.latch import Latch
from trader.ops.lock import CycleLock

NOW_MS = 1_700_000_000_000
D = Decimal
OWN_ID = "abcdef" + "1" * 26


def instrument(symbol: str) -> Instrument:
    """Rules like Binance's."""
    base, quote = symbol.split("/")
    return Instrument(
        symbol, base, quote, D("0.01"), D("0.0001"), D("0.0001"), D(9000), D(10),
        D("0.001"), D("0.001"),
    )  # fmt: skip


def resting(symbol: str, number: int, client_id: str = "", filled: str = "0") -> VenueOrder:
    """An open buy order of 1 coin at 100."""
    return VenueOrder(
        client_id, f"v{number}", symbol, Side.BUY, OrderState.OPEN, D(1), D(filled), D(100), NOW_MS
    )


class FakeClock:
    """Time passes by sleeping, and a little with each look."""

    def __init__(self, at_ms: int = NOW_MS, tick_ms: int = 1) -> None:
        self.at_ms = at_ms
        self.tick_ms = tick_ms
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        """Epoch ms."""
        with self._lock:
            self.at_ms += self.tick_ms
            return self.at_ms

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.at_ms += round(seconds * 1000)


def no_fault(_name: str, _what: Any) -> Outcome | None:
    """Every call does what it says."""
    return None


@dataclass
class MemoryVenue:
    """An exchange's account in memory.

    Attributes:
        seen_from_ms: by venue id, when an order begins to show in lists and queries.
        fault: asked before each call with its name and argument; it may raise, or return an
            outcome that is answered instead of doing anything (for cancels).
    """

    clock: FakeClock
    listed: tuple[str, ...] = ("BTC/USDT", "ETH/USDT")
    orders: dict[str, VenueOrder] = field(default_factory=dict[str, VenueOrder])
    fills: list[Fill] = field(default_factory=list[Fill])
    seen_from_ms: dict[str, int] = field(default_factory=dict[str, int])
    fault: Callable[[str, Any], Outcome | None] = no_fault
    calls: list[str] = field(default_factory=list[str])
    name: str = "memory"
    _lock: Any = field(default_factory=threading.Lock)

    def add(self, *orders: VenueOrder, seen_from_ms: int = 0) -> None:
        """Orders that rest here."""
        for order in orders:
            self.orders[order.venue_order_id] = order
            self.seen_from_ms[order.venue_order_id] = seen_from_ms

    def open_ids(self) -> list[str]:
        """What is open in truth."""
        return [key for key, o in self.orders.items() if o.state is OrderState.OPEN]

    def _call(self, name: str, what: Any = None) -> Outcome | None:
        with self._lock:
            self.calls.append(name)
        return self.fault(name, what)

    def _shows(self, order: VenueOrder) -> bool:
        return self.seen_from_ms[order.venue_order_id] <= self.clock.now_ms()

    def _end(self, order: VenueOrder) -> VenueOrder:
        ended = replace(order, state=OrderState.CANCELED)
        self.orders[order.venue_order_id] = ended
        return ended

    def fetch_instruments(self) -> dict[str, Instrument]:
        """Every listed instrument."""
        self._call("fetch_instruments")
        return {symbol: instrument(symbol) for symbol in self.listed}

    def instruments_for(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Of these, the listed ones."""
        return {symbol: instrument(symbol) for symbol in symbols if symbol in self.listed}

    def active_symbols(self) -> list[str]:
        """Every listed instrument."""
        self._call("active_symbols")
        return sorted(self.listed)

    def fetch_venue_ms(self) -> int:
        """Its clock."""
        self._call("fetch_venue_ms")
        return self.clock.now_ms()

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """No market here."""
        raise VenueUnavailable(f"no bars of {symbol} {timeframe} {since_ms} {limit}")

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """No market here."""
        raise VenueUnavailable(f"no quotes of {symbols}")

    def fetch_balances(self) -> dict[str, Balance]:
        """Nothing."""
        return {}

    def fetch_open_orders(self, symbols: Sequence[str]) -> list[VenueOrder]:
        """Open and visible orders of these instruments."""
        self._call("fetch_open_orders", list(symbols))
        with self._lock:
            held = list(self.orders.values())
        return [
            order
            for order in held
            if order.symbol in symbols and order.state is OrderState.OPEN and self._shows(order)
        ]

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """By client id, when it is visible."""
        self._call("fetch_order", client_order_id)
        for order in list(self.orders.values()):
            if (order.symbol, order.client_order_id) == (symbol, client_order_id):
                return order if self._shows(order) else None
        return None

    def fetch_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Since a time."""
        self._call("fetch_fills", symbol)
        return [f for f in self.fills if f.symbol == symbol and f.at_ms >= since_ms]

    def submit(self, order: Approved) -> Outcome:
        """A kill sends nothing."""
        raise AssertionError(f"a kill sent {order.client_order_id}")

    def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """One order."""
        said = self._call("cancel", client_order_id)
        if said is not None:
            return said
        with self._lock:
            for order in self.orders.values():
                if (order.symbol, order.client_order_id) != (symbol, client_order_id):
                    continue
                if order.state is OrderState.OPEN and self._shows(order):
                    return Accepted(self._end(order))
        return Rejected("not_found", "Unknown order sent.")

    def cancel_all(self, symbol: str) -> Outcome | None:
        """Every visible order of an instrument."""
        said = self._call("cancel_all", symbol)
        if said is not None:
            return said
        with self._lock:
            here = [
                order
                for order in self.orders.values()
                if order.symbol == symbol and order.state is OrderState.OPEN and self._shows(order)
            ]
            ended = [self._end(order) for order in here]
        return Accepted(ended[-1]) if ended else None


class Moody:
    """Three calls of ten fail: a third time out, a third answer 5xx, a third claim a success
    that is none (a cancel that did nothing)."""

    def __init__(self, seed: int, share: float = 0.3) -> None:
        self.random = random.Random(seed)
        self.share = share
        self.injected = 0

    def __call__(self, name: str, what: Any) -> Outcome | None:
        """See MemoryVenue.fault."""
        if self.random.random() >= self.share:
            return None
        self.injected += 1
        kind = self.random.randrange(3)
        if not name.startswith("cancel"):
            raise VenueUnavailable(("timed out", "HTTP 503", "connection reset")[kind])
        if kind < 2:
            return Unknown(("timeout", "http_503")[kind], "no usable answer")
        return Accepted(resting("BTC/USDT", 0))


@dataclass
class World:
    """A state folder, a venue and the parts of a kill."""

    folder: Path
    clock: FakeClock
    venue: MemoryVenue
    symbols: tuple[str, ...] = ("BTC/USDT",)
    limits: SweepLimits = field(default_factory=SweepLimits)

    @property
    def latch(self) -> Latch:
        """The latch file."""
        return Latch(self.folder / "latch")

    @property
    def journal_path(self) -> Path:
        """The journal."""
        return self.folder / "journal.db"

    def lock(self) -> AbstractContextManager[None]:
        """The cycle lock, to be held."""
        return self._lock().hold()

    def _lock(self) -> CycleLock:
        return CycleLock(self.folder / "lock", 0.05, time.sleep)  # processes take real time

    def setup(self, open_target: Callable[[], Target] | None = None) -> KillSetup:
        """What a kill is given."""
        return KillSetup(
            latch=self.latch,
            lock=self._lock(),
            journal_path=self.journal_path,
            open_target=open_target or (lambda: Target(self.venue, self.symbols)),
            clock=self.clock,
            sleep=self.clock.sleep,
            grace_ms=30_000,
            limits=self.limits,
        )

    def kill(self) -> KillReport:
        """`kill --all`."""
        return kill_all(self.setup(), "drill", "ann")

    def write_books(self, symbol: str = "ETH/USDT", state: str = "accepted") -> None:
        """A journal with one order on an instrument that no policy names any more; `state`:
        `accepted`, `unknown`, or `sending` (a crash between commit and answer)."""
        order = {
            "client_id": OWN_ID, "strategy": "cross", "symbol": symbol, "side": "buy",
            "tif": "gtc", "bar_ms": NOW_MS - 60_000, "leg": 0, "attempt": 0, "price_ticks": 10_000,
            "qty_lots": 10_000, "stop_ticks": 9_000, "target_ticks": 0, "trail_ticks": 0,
            "hold_ms": 0, "signal_ms": NOW_MS - 60_000,
            "reason": "entry_signal",
        }  # fmt: skip
        with Journal.open(self.journal_path, create=True) as journal, journal.transaction() as tx:
            genesis = {
                "account": "demo", "mode": "testnet", "prefix": "abcdef", "quote": "USDT",
                "cash_digits": 8, "capital": "1000", "capital_units": 1000 * 10**8,
            }  # fmt: skip
            tx.append("genesis", genesis, NOW_MS)
            tx.append("instrument", instrument_row(instrument(symbol)), NOW_MS)
            plan = {"bar_ms": NOW_MS - 60_000, "legs": [order], "refused": [], "trail": ""}
            tx.append("plan", plan, NOW_MS)
            tx.append("order_sent", {"client_id": OWN_ID, "at_ms": NOW_MS}, NOW_MS)
            if state == "sending":
                return
            outcome = {
                "client_id": OWN_ID, "at_ms": NOW_MS, "outcome": state, "code": "", "text": "",
                "venue_id": "v9" if state == "accepted" else "",
            }  # fmt: skip
            tx.append("order_outcome", outcome, NOW_MS)


def fill_of(order: VenueOrder, trade: str, qty: str) -> Fill:
    """An execution of an order at its price."""
    return Fill(
        order.symbol, trade, order.venue_order_id, order.client_order_id, order.side, D(100),
        D(qty), D(100) * D(qty), D(0), "", maker=True, at_ms=NOW_MS,
    )  # fmt: skip
