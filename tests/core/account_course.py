"""A seeded course of an account, as facts: for tests of the fold and of what the journal keeps.

Lives here: the made facts. Must not live here: assertions.
"""

from __future__ import annotations

from random import Random
from typing import Any

from trader.core.limits import Limits
from trader.core.marks import DAY_MS, changed_marks, mark_account
from trader.core.state import State, instrument_row

from .made import BTC, ETH, UNIT, fill_row, instrument, order_row

HOUR_MS = 3_600_000
LIMITS = Limits(
    slippage_ppm=1_000,
    exit_slippage_ppm=5_000,
    collar_ppm=30_000,
    position_ppm=250_000,
    positions_max=3,
    order_notional_min="10",
    quote_age_ms_max=10_000,
    missing_ppm_max=100_000,
    bar_jump_ppm_max=200_000,
    day_stop_ppm=30_000,
)
Facts = list[tuple[str, dict[str, Any]]]


class Course:
    """A seeded course of an account: decisions, orders, fills, money, humans, a failing venue."""

    def __init__(self, seed: int) -> None:
        """Nothing told yet; `state` is what folding everything in one life gives."""
        self.random = Random(seed)
        self.state = State()
        self.close_ms = 20_000 * DAY_MS + 5 * HOUR_MS
        self.number = 0

    def opening(self) -> Facts:
        """Genesis and instruments."""
        genesis = {"account": "a", "mode": "paper", "prefix": "abcdef", "quote": "USDT"}
        cash = {"cash_digits": 8, "capital": "", "capital_units": 10_000 * UNIT}
        listed = [("instrument", dict(instrument_row(instrument(s)))) for s in (BTC, ETH)]
        return [("genesis", {**genesis, **cash}), *listed]

    def step(self) -> Facts:
        """What happens next."""
        self.number += 1
        self.close_ms += self.random.choice((HOUR_MS, HOUR_MS, 11 * HOUR_MS, 60 * HOUR_MS))
        what = self.random.choice((self.decision, self.trade, self.trade, self.flow, self.human))
        return what()

    def decision(self) -> Facts:
        """A plan with marks, results, and now and then what stops a strategy."""
        equity = self.random.randrange(9_000, 11_000) * UNIT
        told: dict[str, Any] = {"results": {"one": self.random.randrange(-50, 50) * UNIT}}
        if self.random.random() < 0.1:
            told |= {"stopped": ["one"], "shadow": [["one", "STRATEGY_QUALITY x=1"]]}
        if self.random.random() < 0.1:
            told["off"] = [["one", "STRATEGY_FAILED x=1"]]
        told |= self.positions()
        if self.random.random() < 0.1:
            told["quality"] = {"one": [self.state.number("day"), 61, -5, 3, 333_333]}
        marks = mark_account(self.state, equity, self.close_ms, LIMITS)
        told["marks"] = changed_marks(self.state, marks)
        return [("plan", {"bar_ms": self.close_ms, "legs": [], **told})]

    def positions(self) -> dict[str, Any]:
        """What a plan tells of positions: stops that ratchet, steps reached, dust declared."""
        told: dict[str, Any] = {}
        for symbol, position in self.state.positions.items():
            if not position.strategy or self.random.random() < 0.5:
                continue
            told["stops"] = {symbol: position.stop_ticks + 1}
            if position.scaled < len(position.steps.split()):
                told["scaled"] = {symbol: position.scaled + 1}
            holding = self.state.holdings[f"{position.strategy}|{symbol}"]
            if self.random.random() < 0.1:
                told["dust"] = {holding.key: holding.qty_units}
        return told

    def trade(self) -> Facts:
        """A buy that fills in part or whole, is lost or expires; then, of what is held, a sale."""
        symbol = self.random.choice((BTC, ETH))
        held = self.state.held_units("one", symbol) // 100_000
        side = "sell" if held >= 100 and self.random.random() < 0.6 else "buy"
        client_id = f"{self.number:032d}"
        at = {"client_id": client_id, "at_ms": self.close_ms}
        reason = self.random.choice(("stop_loss", "exit_signal"))
        lots = self.random.choice((30, 100))
        row = order_row(client_id, symbol=symbol, side=side, bar_ms=self.close_ms, reason=reason)
        row |= {"signal_ms": 0} if side == "sell" else {"steps": "11000:500000 12000:300000"}
        facts: Facts = [("order_planned", row), ("order_sent", at)]
        outcome = self.random.choice(("accepted", "accepted", "unknown"))
        facts.append(("order_outcome", {**at, "outcome": outcome, "code": "X", "text": ""}))
        if self.random.random() < 0.3:
            told = {"state": "expired", "venue_lots": 0, "venue_id": "", "source": "order"}
            return [*facts, ("order_seen", {**at, **told})]
        trade = {"symbol": symbol, "side": side, "qty_lots": lots, "at_ms": self.close_ms}
        cost = {"cost_units": lots * self.random.randrange(9, 11) * UNIT // 100}
        return [*facts, ("fill", fill_row(client_id, client_id, **trade, **cost))]

    def flow(self) -> Facts:
        """Money that moved."""
        amount = self.random.choice((-700, -3, 5, 1_000))
        row = {"flow_id": f"f{self.number}", "kind": "correction", "asset": "USDT"}
        who = {"by": "ann", "why": "moved", "at_ms": self.close_ms}
        return [("flow", {**row, **who, "amount": str(amount), "units": amount * UNIT})]

    def human(self) -> Facts:
        """What humans and the venue tell."""
        who = {"by": "ann", "why": "seen", "at_ms": self.close_ms}
        return [
            self.random.choice(
                (
                    ("strategy_resumed", {"strategy": "one", **who}),
                    ("mark_reset", who),
                    ("approval", {"code": "c", "policy": "p", "lock": "l", **who}),
                    ("venue_fault", {"at_ms": self.close_ms, "why": "TIMEOUT"}),
                    ("venue_ok", {"at_ms": self.close_ms}),
                    ("exit_asked", {"symbol": BTC, **who}),
                    ("exit_done", {"symbol": BTC, "at_ms": self.close_ms}),
                )
            )
        ]
