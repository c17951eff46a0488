"""Stop: no new entries from now on, and, when asked, none that still works.

Lives here: the halt entry of a calm stop, and cancelling the account's own working entries until
the venue itself shows that they have ended. Exits and protective stops go on. Must not live here:
the emergency stop (`kill`), ending the halt (`resumes`), the lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trader.app.kill import named_human
from trader.app.ports import Venue
from trader.app.settle import FILLS_MARGIN_MS, Answer, settle
from trader.core.state import HALT_LEVELS, Order, State
from trader.domain.order import Side
from trader.domain.outcome import Accepted
from trader.errors import ExitCode, TraderError
from trader.journal.journal import Journal
from trader.records import dataclass, field

LEVEL = "no_entries"
ROUNDS_MAX = 20
PAUSE_S = 0.25


@dataclass(slots=True)
class StopReport:
    """What a stop did, in words.

    Attributes:
        level: the halt that holds now; halted: whether this stop set it.
        cancelled: entries that the venue showed as ended; left: those it did not, and why.
        kept: orders that go on: exits and protective stops. findings: contradictions met.
    """

    level: str = HALT_LEVELS[0]
    halted: bool = False
    cancelled: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    kept: list[str] = field(default_factory=list[str])
    findings: list[str] = field(default_factory=list[str])

    @property
    def exit_code(self) -> ExitCode:
        """OK, or NOT_CONFIRMED when an entry may still fill."""
        return ExitCode.NOT_CONFIRMED if self.left else ExitCode.OK

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "level": self.level,
            "halted": self.halted,
            "cancelled": self.cancelled,
            "left": self.left,
            "kept": self.kept,
            "findings": self.findings,
        }


@dataclass(frozen=True, slots=True)
class Cancelling:
    """What cancelling is given: the venue, the time, waiting (seconds), `PassSetup.grace_ms`."""

    venue: Venue
    now_ms: Callable[[], int]
    sleep: Callable[[float], None]
    grace_ms: int


def stop_entries(journal: Journal, by: str, reason: str, now_ms: int) -> StopReport:
    """Halt new entries, by a named human with a reason; a graver halt stays as it is.

    Raises UsageError without a name or a reason, JournalError.
    """
    by, reason = named_human(by, reason)
    before = journal.state.word("halt_level")
    halts = HALT_LEVELS.index(before) < HALT_LEVELS.index(LEVEL)
    if halts:
        entry = {"level": LEVEL, "why": reason, "by": by, "at_ms": now_ms}
        journal.append("halt", entry, now_ms)
    report = StopReport(journal.state.word("halt_level"), halts)
    report.kept = [words(journal.state, order) for order in _going_on(journal.state)]
    return report


def cancel_entries(journal: Journal, given: Cancelling, by: str, report: StopReport) -> None:
    """Cancel every working entry of the account's own, and look until each has ended.

    Each request is written down before it leaves. What the venue does not show as ended within the
    rounds is named in the report.
    """
    troubles: dict[str, str] = {}
    named = {order.client_id: words(journal.state, order) for order in working(journal.state)}
    for attempt in range(ROUNDS_MAX):
        orders = working(journal.state)
        if not orders:
            break
        if attempt:
            given.sleep(PAUSE_S)
        for order in orders:
            troubles[order.client_id] = _cancel(journal, given, order, by, report)
    for client_id, said in named.items():
        order = journal.state.orders.get(client_id)
        if order is not None and order.working:
            why = troubles.get(client_id) or f"it is {order.state}"
            report.left.append(f"{said}: {why}")
        else:
            report.cancelled.append(said)


def working(state: State) -> list[Order]:
    """Entries that may still fill."""
    return [order for order in state.orders.values() if order.side is Side.BUY and order.working]


def words(state: State, order: Order) -> str:
    """An order for people."""
    spec = state.spec(order.symbol)
    qty, price = spec.qty(order.qty_lots), spec.price(order.price_ticks)
    filled = spec.qty(order.filled_lots)
    return f"{order.symbol} {order.side} {qty} at {price} (filled {filled}), {order.client_id}"


def _going_on(state: State) -> list[Order]:
    return [order for order in state.orders.values() if order.side is Side.SELL and order.working]


def _cancel(journal: Journal, given: Cancelling, order: Order, by: str, report: StopReport) -> str:
    """Ask once, then look once; "" or what stood in the way."""
    at_ms = given.now_ms()
    fact = {"client_id": order.client_id, "at_ms": at_ms, "why": "trader_stop", "by": by}
    journal.append("cancel_sent", fact, at_ms)
    outcome = given.venue.cancel(order.symbol, order.client_id)
    answers = [Answer(order.client_id, outcome.order)] if isinstance(outcome, Accepted) else []
    trouble = "" if answers else f"cancel: {type(outcome).__name__} {getattr(outcome, 'code', '')}"
    try:
        venue_ms = given.venue.fetch_venue_ms()
        seen = given.venue.fetch_order(order.symbol, order.client_id)
        fills = given.venue.fetch_fills(order.symbol, order.sent_ms - FILLS_MARGIN_MS)
    except TraderError as error:
        report.findings += settle(journal, answers, (), at_ms, given.grace_ms)
        return str(error)
    if seen is not None:
        answers = [Answer(order.client_id, seen)]
    report.findings += settle(journal, answers, fills, venue_ms, given.grace_ms)
    return trouble
