"""Settling: what a venue tells of our orders becomes facts in the journal.

Lives here: turning answers (an order, its absence, fills) into entries through `core.evidence`,
the same for the reply to a submit, a look within the cycle, reconcile and kill. A fill is booked
once, by the venue's trade id. Must not live here: asking the venue, deciding what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trader.core.evidence import (
    could_be,
    fill_fact,
    judge_order,
    may_have_spent,
    split_base_fee,
)
from trader.core.scale import ScaleError
from trader.core.state import Order
from trader.domain.account import Balance, Fill
from trader.domain.order import TRANSITIONS, OrderEvent, Side, VenueOrder
from trader.journal.journal import Journal, Transaction
from trader.records import dataclass

# Fills are asked for from a little before the oldest order was sent: clocks differ.
FILLS_MARGIN_MS = 60_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the venue said of one order; `order` None: it knows none by that id."""

    client_id: str
    order: VenueOrder | None


def settle(
    journal: Journal,
    answers: Sequence[Answer],
    fills: Iterable[Fill],
    venue_ms: int,
    grace_ms: int,
    also: Callable[[Transaction], Any] | None = None,
    balances: Mapping[str, Balance] | None = None,
) -> list[str]:
    """Append what the answers and fills prove, in one transaction (`also` is appended first).

    `fills` and `balances` must have been read after the answers; an order that the venue denies is
    not absent while either says that it may have been carried out. Returns findings,
    `CODE key=value ...`: fills that contradict their order are not booked but reported.
    """
    findings: list[str] = []
    with journal.transaction() as tx:
        if also is not None:
            also(tx)
        booking = _Booking(journal, tx, findings, balances)
        # What exists is settled first, so that fills find their order by the venue's id.
        for answer in answers:
            if answer.order is not None:
                booking.judge(answer, venue_ms, grace_ms)
        for fill in fills:
            booking.book(fill)
        for answer in answers:
            if answer.order is None:
                booking.judge(answer, venue_ms, grace_ms)
    return findings


class _Booking:
    """One transaction's worth of settling."""

    def __init__(
        self,
        journal: Journal,
        tx: Transaction,
        findings: list[str],
        balances: Mapping[str, Balance] | None,
    ) -> None:
        self.journal = journal
        self.tx = tx
        self.findings = findings
        self.balances = balances
        self.unclaimed: list[Fill] = []
        # A venue may number the orders of each instrument by themselves.
        self.by_venue_id = {
            (order.symbol, order.venue_id): order
            for order in journal.state.orders.values()
            if order.venue_id
        }

    def judge(self, answer: Answer, venue_ms: int, grace_ms: int) -> None:
        order = self.journal.state.orders.get(answer.client_id)
        if order is None:
            return
        spec = self.journal.state.spec(order.symbol)
        try:
            fact = judge_order(order, answer.order, spec, venue_ms, grace_ms)
        except ScaleError as error:
            self.findings.append(f"ORDER_OFF_GRID client_id={order.client_id} why={error}")
            return
        if fact is not None and not (answer.order is None and self._may_be_told(order, grace_ms)):
            self.tx.append("order_seen", fact, venue_ms)
        if answer.order is not None and answer.order.venue_order_id:
            self.by_venue_id[order.symbol, answer.order.venue_order_id] = order

    def book(self, fill: Fill) -> None:
        if self.journal.knows_fill(fill.symbol, fill.trade_id):
            return
        order = self._order_of(fill)
        if order is None:
            self.unclaimed.append(fill)  # the owner's own trade
            return
        spec = self.journal.state.spec(order.symbol)
        try:
            fact = fill_fact(order, fill, spec)
        except ScaleError as error:
            self.findings.append(f"FILL_OFF_GRID trade={fill.trade_id} why={error}")
            return
        if order.filled_lots + fact["qty_lots"] > order.qty_lots or fill.side is not order.side:
            self.findings.append(
                f"FILL_EXCEEDS client_id={order.client_id} trade={fill.trade_id} "
                f"asked={order.qty_lots} booked={order.filled_lots} more={fact['qty_lots']}"
            )
            return
        held = self.journal.state.held_units(order.strategy, order.symbol)
        fact = split_base_fee(fact, held, spec)
        sold = fact["qty_lots"] * spec.base_per_lot + fact["fee_base_units"]
        oversold = fill.side is Side.SELL and sold > held
        if OrderEvent.FILL_PART not in TRANSITIONS[order.state] or oversold:
            # The venue contradicts itself or the books: reported each cycle until a human looks.
            self.findings.append(
                f"FILL_CONTRADICTS client_id={order.client_id} trade={fill.trade_id} "
                f"state={order.state} lots={fact['qty_lots']}"
            )
            return
        self.tx.append("fill", fact, fill.at_ms)

    def _may_be_told(self, order: Order, grace_ms: int) -> bool:
        """Whether an unexplained fill or a balance says that an order may have been carried out.

        A venue's lists do not always agree at once; while they do not, nothing is concluded.
        (A shortage is reported with the other mismatches.)
        """
        spec = self.journal.state.spec(order.symbol)
        for fill in self.unclaimed:
            if could_be(order, fill, spec, grace_ms, FILLS_MARGIN_MS):
                self.findings.append(
                    f"FILL_UNCLAIMED client_id={order.client_id} trade={fill.trade_id} "
                    f"venue_order={fill.venue_order_id}"
                )
                return True
        return self.balances is not None and may_have_spent(
            self.journal.state, order, self.balances
        )

    def _order_of(self, fill: Fill) -> Order | None:
        orders = self.journal.state.orders
        if fill.client_order_id in orders:
            return orders[fill.client_order_id]
        known = self.by_venue_id.get((fill.symbol, fill.venue_order_id))
        if known is not None:
            return known
        row = self.journal.order_row(fill.client_order_id) if fill.client_order_id else None
        if row is None:
            row = self.journal.order_row_by_venue_id(fill.symbol, fill.venue_order_id)
        if row is None:
            return None
        self.tx.append("order_recalled", row, fill.at_ms)
        order = orders[str(row["client_id"])]
        self.by_venue_id[order.symbol, order.venue_id] = order
        return order
