"""Execute: carry out what `core.step` says, one action at a time, written down before and after.

Lives here: the loop commit -> act -> commit. Must not live here: any choice of what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from decimal import Decimal
from functools import partial
from typing import Any

from trader.app.context import PassSetup
from trader.app.fanout import gather
from trader.app.ports import Venue
from trader.app.settle import FILLS_MARGIN_MS, Answer, settle
from trader.core.approval import restore
from trader.core.scale import ScaleError, Spec, to_units_rounded
from trader.core.snapshot import CoreQuote
from trader.core.state import HALT_LEVELS
from trader.core.step import (
    Abandon,
    Action,
    Cancel,
    Look,
    PlanAttempt,
    Requote,
    Send,
    StepFacts,
    action_row,
    facts_row,
    noted,
    step,
    work_left,
)
from trader.domain.market import Quote
from trader.domain.order import OrderState, Side, VenueOrder
from trader.domain.outcome import Accepted, NotSent, Outcome, Rejected
from trader.errors import VenueRefused, VenueUnavailable
from trader.journal.journal import Journal, Transaction
from trader.records import replace

# The look before the first send may take this part of a round of reads: quotes grow old meanwhile.
LOOK_SHARE = 3


class Executor:
    """Carries one plan out; lives for one cycle."""

    def __init__(
        self, setup: PassSetup, venue: Venue, journal: Journal, mismatches: int = 0
    ) -> None:
        """`journal.state` holds the plan; `mismatches`: how many reconcile found."""
        self.setup = setup
        self.venue = venue
        self.journal = journal
        self.findings: list[str] = []
        self.facts = StepFacts(
            now_ms=setup.clock.now_ms(), mismatches=mismatches, stops=venue.rests_stops
        )

    def run(self) -> None:
        """Until `step` has nothing left, or a signal asks the process to stop."""
        if not work_left(self.journal.state, self.facts) or self._sent_before():
            return
        while not self.setup.stopping():
            now_ms = self.setup.clock.now_ms()
            self.facts = replace(self.facts, now_ms=now_ms, latch=self.setup.latch_level())
            actions = step(self.journal.state, self.setup.parameters, self.facts)
            record = self._recorder(actions)
            if not actions:
                with self.journal.transaction() as tx:
                    record(tx)
                return
            for action in actions:
                self._act(action, record)
                record = _nothing

    def _sent_before(self) -> bool:
        """Whether the venue knows an intent of this plan, which this journal has never sent: the
        journal is older than the account (restored, or begun anew), and sending would double it.

        A look that fails is no evidence, and holds no exit back.
        """
        looks: dict[Hashable, Any] = {
            order.client_id: partial(self.venue.fetch_order, order.symbol, order.client_id)
            for order in self.journal.state.orders.values()
            if order.state is OrderState.PLANNED
        }
        told = gather(looks, self.setup.reads_s / LOOK_SHARE)
        strange = [
            f"ORDER_STRANGE client_id={seen.client_order_id} symbol={seen.symbol}: never sent from "
            "this journal, which is older than the account"
            for seen in told.values()
            if isinstance(seen, VenueOrder)
        ]
        if strange:
            self.findings += strange
            with self.journal.transaction() as tx:
                tx.append("mismatch", {"findings": strange}, self.setup.clock.now_ms())
        return bool(strange)

    def _recorder(self, actions: list[Action]) -> Callable[[Transaction], Any]:
        """Appends the `step` entry, in the transaction of its first action."""
        payload = {
            "bar_ms": self.journal.state.number("last_bar_ms"),
            "facts": facts_row(self.facts),
            "actions": [action_row(action) for action in actions],
        }
        return lambda tx: tx.append("step", payload, self.facts.now_ms)

    def _act(self, action: Action, record: Callable[[Transaction], Any]) -> None:
        if isinstance(action, Send):
            self._send(action.client_id, record)
        elif isinstance(action, Look):
            self._look(action, record)
        elif isinstance(action, Requote):
            self._requote(action.symbol, record)
        elif isinstance(action, Cancel):
            self._cancel(action, record)
        elif isinstance(action, PlanAttempt):
            with self.journal.transaction() as tx:
                record(tx)
                tx.append("order_planned", action.approved.row(), self.facts.now_ms)
            self.facts = noted(self.facts, action)
        else:
            self._abandon(action, record)

    def _send(self, client_id: str, record: Callable[[Transaction], Any]) -> None:
        order = self.journal.state.orders[client_id]
        approved = restore(order, self.journal.state.spec(order.symbol))
        sent_ms = self.setup.clock.now_ms()
        with self.journal.transaction() as tx:
            record(tx)
            tx.append("order_sent", self._stamped(client_id, sent_ms), sent_ms)
        # The latch is read once more between the commit and the send: a kill may just have come.
        rank = HALT_LEVELS.index(self.setup.latch_level())
        if rank > (0 if order.side is Side.BUY else 2):
            outcome: Outcome = NotSent("LATCHED", "the latch was set before the request left")
        else:
            outcome = self.venue.submit(approved)
        self._write_outcome(client_id, outcome)

    def _stamped(self, client_id: str, sent_ms: int) -> dict[str, Any]:
        """The `order_sent` fact, with the hashes of what sends it."""
        setup = self.setup
        return {
            "client_id": client_id,
            "at_ms": sent_ms,
            "policy": setup.policy_sha,
            "code": setup.code_sha,
            "lock": setup.lock_sha,
        }

    def _write_outcome(self, client_id: str, outcome: Outcome) -> None:
        at_ms = self.setup.clock.now_ms()
        payload: dict[str, Any] = {"client_id": client_id, "at_ms": at_ms, "venue_id": ""}
        if isinstance(outcome, Accepted):
            venue_id = outcome.order.venue_order_id
            payload |= {"outcome": "accepted", "code": "", "text": "", "venue_id": venue_id}
            answers, fills = [Answer(client_id, outcome.order)], outcome.fills
        else:
            payload |= {"outcome": _name(outcome), "code": outcome.code, "text": outcome.text}
            answers, fills = [], ()
        self.findings += settle(
            self.journal,
            answers,
            fills,
            at_ms,
            self.setup.grace_ms,
            also=lambda tx: tx.append("order_outcome", payload, at_ms),
        )

    def _cancel(self, action: Cancel, record: Callable[[Transaction], Any]) -> None:
        """Written down, then asked for once; what the venue answers is evidence like any other."""
        sent_ms = self.setup.clock.now_ms()
        fact = {"client_id": action.client_id, "at_ms": sent_ms, "why": action.why}
        with self.journal.transaction() as tx:
            record(tx)
            tx.append("cancel_sent", fact, sent_ms)
        outcome = self.venue.cancel(action.symbol, action.client_id)
        self.facts = noted(self.facts, action)
        if isinstance(outcome, Accepted):
            at_ms, answers = self.setup.clock.now_ms(), [Answer(action.client_id, outcome.order)]
            self.findings += settle(
                self.journal, answers, outcome.fills, at_ms, self.setup.grace_ms
            )

    def _look(self, action: Look, record: Callable[[Transaction], Any]) -> None:
        order = self.journal.state.orders[action.client_id]
        self.facts = noted(self.facts, action)
        try:
            venue_ms = self.venue.fetch_venue_ms()
            seen = self.venue.fetch_order(action.symbol, action.client_id)
            fills = self.venue.fetch_fills(action.symbol, order.sent_ms - FILLS_MARGIN_MS)
        except (VenueUnavailable, VenueRefused):
            # No evidence: the order stays as it is, the next cycle asks again.
            with self.journal.transaction() as tx:
                record(tx)
            return
        # That it is not known yet proves nothing here: absence is concluded by reconcile, which
        # has the balances to hold against it.
        answers = [Answer(action.client_id, seen)] if seen is not None else []
        self.findings += settle(
            self.journal,
            answers,
            fills,
            venue_ms,
            self.setup.grace_ms,
            also=record,
        )

    def _requote(self, symbol: str, record: Callable[[Transaction], Any]) -> None:
        try:
            quote = self.venue.fetch_quotes([symbol]).get(symbol)
        except (VenueUnavailable, VenueRefused):
            quote = None
        try:
            core = core_quote(quote, self.journal.state.spec(symbol)) if quote else None
        except ScaleError:
            core = None
        self.facts = noted(self.facts, Requote(symbol), core)
        payload = {"symbol": symbol, "quote": core.row() if core else []}
        with self.journal.transaction() as tx:
            record(tx)
            tx.append("quote", payload, self.setup.clock.now_ms())

    def _abandon(self, action: Abandon, record: Callable[[Transaction], Any]) -> None:
        at_ms = self.setup.clock.now_ms()
        with self.journal.transaction() as tx:
            record(tx)
            payload = {"client_id": action.client_id, "at_ms": at_ms, "why": action.why}
            tx.append("order_abandoned", payload, at_ms)


def _nothing(_: Transaction) -> None:
    """The `step` entry is written once, with the first of its actions."""


def _name(outcome: Outcome) -> str:
    if isinstance(outcome, Rejected):
        return "rejected"
    return "not_sent" if isinstance(outcome, NotSent) else "unknown"


def core_quote(quote: Quote, spec: Spec) -> CoreQuote:
    """A venue's quote in core integers, rounded away from the middle: the cautious side.

    Raises ScaleError for a price or quantity that does not fit.
    """
    bid = to_units_rounded(quote.bid, spec.tick, "bid", up=False)
    ask = to_units_rounded(quote.ask, spec.tick, "ask", up=True)
    return CoreQuote(bid, ask, _lots(quote.bid_qty, spec), _lots(quote.ask_qty, spec), quote.at_ms)


def _lots(qty: Decimal | None, spec: Spec) -> int:
    return -1 if qty is None else to_units_rounded(qty, spec.lot, "quantity", up=False)
