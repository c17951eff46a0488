"""A made journal: a realistic run of entries, appended through the journal's public way.

Lives here: the entries of an account that trades a few instruments for some cycles, everything
chosen by a seed. Must not live here: anything that reads or judges a journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from trader.core.identity import client_order_id, owner_prefix
from trader.core.state import instrument_row
from trader.domain.instrument import Instrument
from trader.journal import Journal

STEP_MS = 60_000
START_MS = 1_700_000_040_000
SYMBOLS = ("BTC/USDT", "ETH/USDT", "XRP/USDT")
PREFIX = owner_prefix("made", "paper")
TICK = "0.01"
PRICE_TICKS = 100_000
LOTS = 1000  # x 0.0001 coins


def instrument(symbol: str) -> Instrument:
    """Rules as venues have them."""
    base, quote = symbol.split("/")
    return Instrument(
        symbol,
        base,
        quote,
        tick=Decimal(TICK),
        lot=Decimal("0.0001"),
        qty_min=Decimal("0.0001"),
        qty_max=Decimal(9000),
        notional_min=Decimal(5),
        fee_taker=Decimal("0.001"),
        fee_maker=Decimal("0.001"),
        active=True,
    )


class Maker:
    """Appends one cycle after another to an open journal."""

    def __init__(self, journal: Journal, seed: int) -> None:
        """Write the account's first entries when the journal is empty."""
        self.journal = journal
        self.random = Random(seed)
        self.cycle = journal.state.number("cycles")
        self.trade = self.cycle * 10
        if journal.head.seq == 0:
            self._begin()

    def _begin(self) -> None:
        genesis: dict[str, Any] = {
            "account": "made",
            "mode": "paper",
            "prefix": PREFIX,
            "quote": "USDT",
            "cash_digits": 8,
            "capital": "1000000",
            "capital_units": 10**14,
        }
        with self.journal.transaction() as tx:
            tx.append("genesis", genesis, START_MS)
            for symbol in SYMBOLS:
                tx.append("instrument", dict(instrument_row(instrument(symbol))), START_MS)
            who = {"by": "ann", "why": "made", "at_ms": START_MS}
            flow = {"flow_id": "f1", "kind": "deposit", "asset": "USDT", "amount": "10", **who}
            tx.append("flow", {**flow, "units": 10**9}, START_MS)
            tx.append("approval", {"code": "c", "policy": "p", "lock": "l", **who}, START_MS)
            tx.append("exit_asked", {"symbol": SYMBOLS[0], **who}, START_MS)
            tx.append("venue_fault", {"at_ms": START_MS, "why": "TIMEOUT"}, START_MS)

    def run(self, cycles: int) -> None:
        """So many cycles, each with bars, a plan and what came of it."""
        for _ in range(cycles):
            self.one_cycle()

    def one_cycle(self) -> None:
        """One cycle in the transactions that a real one has."""
        self.cycle += 1
        bar_ms = START_MS + self.cycle * STEP_MS
        now_ms = bar_ms + STEP_MS + 5000
        legs = list(self._legs(bar_ms))
        with self.journal.transaction() as tx:
            policy = tx.put_blob("policy", self._policy(), now_ms)
            start = {"cycle": self.cycle, "now_ms": now_ms, "bar_ms": bar_ms}
            tx.append("cycle_start", {**start, "policy": policy, "code": "c", "lock": "l"}, now_ms)
            for symbol in SYMBOLS:
                tx.append("bars", self._bars(symbol, bar_ms), now_ms)
        plan: dict[str, Any] = {"bar_ms": bar_ms, "legs": legs, "refused": [], "trail": "0" * 64}
        equity = 10**14 + self.random.randrange(-(10**9), 10**9)
        plan["marks"] = {"day": bar_ms // 86_400_000, "day_units": 10**14, "equity_units": equity}
        plan["results"] = {"cross": self.random.randrange(-(10**6), 10**6)}
        plan["members"] = {"core": f"{bar_ms} {' '.join(SYMBOLS)}"}
        self.journal.append("plan", plan, now_ms)
        for leg in legs:
            self._carry_out(leg, now_ms)
        summary = {"planned": len(legs)}
        end: dict[str, Any] = {"cycle": self.cycle, "code": 0, "summary": summary}
        self.journal.append("cycle_end", end, now_ms)

    def _policy(self) -> bytes:
        """Mostly the same text; now and then a new one, sometimes longer than a page."""
        if self.cycle % 16:
            return b"the same policy as before"
        return self.random.randbytes(self.random.randrange(10, 9000))

    def _bars(self, symbol: str, bar_ms: int) -> dict[str, Any]:
        open_ = PRICE_TICKS + self.random.randrange(-500, 500)
        row = [bar_ms, open_, open_ + 40, open_ - 40, open_ + 7]
        volume = str(self.random.randrange(10**6))
        return {"symbol": symbol, "timeframe": "1m", "tick": TICK, "rows": [[*row, volume]]}

    def _legs(self, bar_ms: int) -> Iterator[dict[str, Any]]:
        wanted = self.random.sample(SYMBOLS, self.random.randrange(len(SYMBOLS) + 1))
        for leg, symbol in enumerate(wanted):
            held = self.journal.state.positions.get(symbol)
            sells = held is not None and held.qty_units > LOTS * 10**4
            yield {
                "client_id": client_order_id(
                    PREFIX, "made", "cross", symbol, bar_ms=bar_ms, leg=leg, attempt=0
                ),
                "strategy": "cross",
                "symbol": symbol,
                "side": "sell" if sells else "buy",
                "tif": "ioc",
                "bar_ms": bar_ms,
                "leg": leg,
                "attempt": 0,
                "price_ticks": PRICE_TICKS,
                "qty_lots": LOTS,
                "stop_ticks": 0 if sells else PRICE_TICKS * 9 // 10,
                "target_ticks": 0 if sells else PRICE_TICKS * 11 // 10,
                "trail_ticks": 0,
                "hold_ms": 0 if sells else 3_600_000,
                "signal_ms": 0 if sells else bar_ms,
                "reason": "stop_loss" if sells else "entry_signal",
            }

    def _carry_out(self, leg: dict[str, Any], now_ms: int) -> None:
        key = {"client_id": leg["client_id"], "at_ms": now_ms}
        self.journal.append("order_sent", key, now_ms)
        outcome = self.random.choice(("accepted", "accepted", "rejected", "unknown"))
        told = {"outcome": outcome, "code": "", "text": "", "venue_id": ""}
        with self.journal.transaction() as tx:
            if outcome == "accepted":
                self.trade += 1
                told["venue_id"] = str(9000 + self.trade)
            tx.append("order_outcome", {**key, **told}, now_ms)
            if outcome == "accepted":
                tx.append("fill", self._fill(leg, key), now_ms)
            if outcome == "unknown":
                absent = {"state": "absent", "venue_lots": 0, "venue_id": "", "source": "order"}
                tx.append("order_seen", {**key, **absent}, now_ms)

    def _fill(self, leg: dict[str, Any], key: dict[str, Any]) -> dict[str, Any]:
        # One tick of one lot is 0.01 x 0.0001 USDT: 100 cash units.
        return {
            **key,
            "symbol": leg["symbol"],
            "trade_id": str(self.trade),
            "side": leg["side"],
            "price_ticks": PRICE_TICKS,
            "qty_lots": LOTS,
            "cost_units": PRICE_TICKS * LOTS * 100,
            "fee_cash_units": 0,
            "fee_base_units": 0 if leg["side"] == "sell" else LOTS * 10,
            "fee_asset": "BNB",
            "fee": "0.00012",
            "maker": False,
        }


@contextmanager
def made_journal(path: Path, cycles: int, seed: int) -> Iterator[Maker]:
    """A new journal after so many cycles, still open: its WAL is live until the block ends."""
    with Journal.open(path, create=True) as journal:
        maker = Maker(journal, seed)
        maker.run(cycles)
        yield maker
