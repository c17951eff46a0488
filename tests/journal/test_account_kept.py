"""The account's days, flows and waits: what a restart finds is what was folded, to the last row."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.core.made import BTC, ETH, UNIT, fill_row, instrument, order_row
from tests.core.test_fold import dump
from trader.core.fold import FoldError, fold
from trader.core.limits import Limits
from trader.core.marks import DAY_MS, changed_marks, mark_account
from trader.core.state import State, instrument_row
from trader.domain.order import IllegalTransition
from trader.journal import Journal
from trader.journal.rebuild import rebuild
from trader.journal.segments import close_segment

from .conftest import CYCLES

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
            told["quality"] = {"one": [self.state.number("day"), 61, -5, 3, 333_333]}
        marks = mark_account(self.state, equity, self.close_ms, LIMITS)
        told["marks"] = changed_marks(self.state, marks)
        return [("plan", {"bar_ms": self.close_ms, "legs": [], **told})]

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
        row |= {"signal_ms": 0} if side == "sell" else {}
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


def tell(journal: Journal, course: Course, facts: Facts, at_ms: int) -> int:
    """Fold and append alike; how many both refused."""
    refused = 0
    for kind, payload in facts:
        try:
            fold(course.state, kind, payload)
        except (FoldError, IllegalTransition):
            refused += 1
            with pytest.raises((FoldError, IllegalTransition)):
                journal.append(kind, payload, at_ms)
            assert dump(journal.state) == dump(course.state)
        else:
            journal.append(kind, payload, at_ms)
    return refused


@pytest.mark.parametrize("seed", range(4))
def test_a_restart_at_any_moment_finds_the_account_that_was_folded(path: Path, seed: int) -> None:
    course = Course(seed)
    facts, refused = course.opening(), 0
    for life in range(8):
        with Journal.open(path, create=True) as journal:
            assert dump(journal.state) == dump(course.state)
            for _ in range(14):
                refused += tell(journal, course, facts, life)
                facts = course.step()
    assert rebuild(path) == []
    assert len(course.state.days) > 10
    assert course.state.cooldowns
    assert refused < 40


def test_a_flow_is_booked_once_in_a_life_a_later_one_and_after_a_segment(made: Path) -> None:
    again = {"flow_id": "f1", "kind": "deposit", "asset": "USDT", "amount": "10", "units": 10**9}
    again |= {"by": "ann", "why": "once more", "at_ms": 1}
    for closed in (False, True):
        if closed:
            close_segment(made, 5, bars_kept=10, fills_kept=4)
        with Journal.open(made) as journal:
            cash = journal.state.cash_units
            with pytest.raises(FoldError, match="flow f1 is booked already"):
                journal.append("flow", again, 9)
            assert journal.state.cash_units == cash
            assert journal.knows_flow("f1")
            assert [row["flow_id"] for row in journal.flows()] == ["f1"]
            assert journal.state.number("cycles") == CYCLES
    assert rebuild(made) == []


def test_the_tables_do_not_grow_with_the_number_of_messages_and_days(path: Path) -> None:
    course = Course(1)
    counts: list[dict[str, int]] = []
    with Journal.open(path, create=True) as journal, journal.transaction() as tx:
        for kind, payload in course.opening():
            tx.append(kind, payload, 1)
        for number in range(2_200):
            at_ms = course.close_ms + number * 7 * HOUR_MS
            client_id = f"{number:032d}"
            tx.append("order_planned", order_row(client_id, symbol=ETH, bar_ms=at_ms), at_ms)
            tx.append("order_sent", {"client_id": client_id, "at_ms": at_ms}, at_ms)
            gone = {"client_id": client_id, "at_ms": at_ms, "outcome": "rejected", "code": ""}
            tx.append("order_outcome", {**gone, "text": ""}, at_ms)
            marks = changed_marks(
                journal.state, mark_account(journal.state, 10_000 * UNIT, at_ms, LIMITS)
            )
            tx.append("plan", {"bar_ms": at_ms, "legs": [], "marks": marks}, at_ms)
            if number in {1_800, 2_199}:
                state = journal.state
                rings = (state.days, state.messages, state.sent, state.meta, state.orders)
                counts.append({str(place): len(ring) for place, ring in enumerate(rings)})
    assert counts[0] == counts[1]
