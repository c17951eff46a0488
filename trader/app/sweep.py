"""Sweep: cancel every open order and prove by reading that none is left.

Lives here: the loop of a kill at the venue. What a cancel answers is only a hint; what counts is
that open orders read empty twice in a row, and that no order of ours is open when asked for by its
id. Calls that fail are tried again until a deadline. Must not live here: latch, lock, journal.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from itertools import count
from typing import Any

from trader.app.fanout import gather
from trader.app.ports import Venue
from trader.app.settle import Answer
from trader.core.state import Order
from trader.domain.account import Fill
from trader.domain.order import OrderState, VenueOrder
from trader.domain.outcome import Accepted, Outcome, Rejected
from trader.errors import TraderError, VenueRefused
from trader.records import dataclass, field

# Fills are asked for from a little before the orders they belong to: clocks differ.
FILLS_MARGIN_MS = 60_000
READINGS_EMPTY = 2
LISTING_ATTEMPTS = 3
_LOOK = ""


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """How long and how often.

    Attributes:
        deadline_ms: no new round of calls starts later than this after the start.
        rounds_max: of calls, whatever the clock says.
        calls_s: seconds that one round of parallel calls may take.
        pause_s: between the first two rounds; it grows to `pause_s_max`, so that the heaviest
            reading stays below a venue's limits. late_ms: how long after its submit an order may
            stay unseen.
    """

    deadline_ms: int = 30_000
    rounds_max: int = 150
    calls_s: float = 5.0
    pause_s: float = 0.2
    pause_s_max: float = 0.5
    late_ms: int = 2_500


@dataclass(slots=True)
class Swept:
    """What was done and what is known at the end.

    Attributes:
        left: what could not be confirmed, in words; empty: nothing is open.
        notes: what a human should know all the same.
        cancelled: orders that were seen open and are gone, in words.
        answers: what the venue said last of each of our working orders.
        fills: of the instruments that had orders. venue_ms: the venue's clock, 0 when not read.
    """

    left: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    cancelled: list[str] = field(default_factory=list[str])
    answers: list[Answer] = field(default_factory=list[Answer])
    fills: list[Fill] = field(default_factory=list[Fill])
    venue_ms: int = 0
    rounds: int = 0


class Sweeper:
    """One sweep. `own` are the orders that may still work, as far as a journal tells."""

    def __init__(
        self,
        venue: Venue,
        symbols: Sequence[str],
        own: Sequence[Order],
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        limits: SweepLimits,
    ) -> None:
        """`symbols`: instruments of the policy and of the journal."""
        self.venue = venue
        self.symbols = set(symbols) | {order.symbol for order in own}
        self.own = {order.client_id: order for order in own}
        self.now_ms = now_ms
        self.sleep = sleep
        self.limits = limits
        self.began_ms = now_ms()
        self.swept = Swept()
        self._outcomes: dict[Hashable, Any] = {}
        self._answers: dict[str, VenueOrder | None] = {}
        self._seen: dict[str, VenueOrder] = {}
        self._shown: list[VenueOrder] = []
        self._trouble = ""
        self._refused = False

    def run(self, *, in_flight: bool, must_list: bool) -> Swept:
        """Cancel until nothing is open, then read fills.

        `in_flight`: a submit may just have left, so that an order may show late. `must_list`: the
        known instruments may be incomplete, so the venue's whole list has to be looked through.
        """
        late_ms = self.limits.late_ms if in_flight else 0
        self._cancel(self.symbols, list(self.own.values()), look=True)
        confirmed = self._until_empty(self.began_ms + late_ms)
        if confirmed:
            confirmed = self._beyond_known(must_list=must_list)
        if not confirmed:
            self._name_what_is_left()
        self._finish()
        return self.swept

    # --- rounds ------------------------------------------------------------------------------

    def _goes_on(self) -> bool:
        self.swept.rounds += 1
        spent_ms = self.now_ms() - self.began_ms
        return self.swept.rounds <= self.limits.rounds_max and spent_ms < self.limits.deadline_ms

    def _until_empty(self, late_until_ms: int) -> bool:
        """Read, cancel what shows, pause; True after two empty readings in a row, the second not
        before `late_until_ms`."""
        empty, pause_s = 0, self.limits.pause_s
        while self._goes_on():
            clean = self._look()
            if not clean:
                empty = 0
            elif empty + 1 < READINGS_EMPTY or self.now_ms() >= late_until_ms:
                empty += 1
            if empty == READINGS_EMPTY:
                return True
            if self._refused:
                self._drop_unlisted()
            self._cancel_what_shows()
            self.sleep(pause_s)
            pause_s = min(pause_s * 1.5, self.limits.pause_s_max)
        return False

    def _look(self) -> bool:
        """One reading by two kinds of questions; True when both say that nothing is open."""
        reads: dict[Hashable, Any] = {"open": partial(self._open_orders, sorted(self.symbols))}
        for client_id, order in self.own.items():
            reads[client_id] = partial(self.venue.fetch_order, order.symbol, client_id)
        answers = gather(reads, self.limits.calls_s)
        failed = [value for value in answers.values() if isinstance(value, TraderError)]
        self._trouble = str(failed[0]) if failed else ""
        self._refused = any(isinstance(value, VenueRefused) for value in failed)
        listed = answers.pop("open")
        shown = [] if isinstance(listed, TraderError) else list(listed)
        for key, answer in answers.items():
            if isinstance(answer, TraderError):
                continue
            self._answers[str(key)] = answer
            if answer is not None and answer.state is OrderState.OPEN:
                shown.append(answer)
        by_key = {_key(order): order for order in shown}
        self._seen.update(by_key)
        self._shown = list(by_key.values())
        return not failed and not self._shown

    def _open_orders(self, symbols: list[str]) -> list[VenueOrder]:
        return self.venue.fetch_open_orders(symbols) if symbols else []

    def _cancel_what_shows(self) -> None:
        """Whole instruments first; what survives that is also cancelled one by one."""
        shown = {order.symbol for order in self._shown}
        unsure = {symbol for symbol in self.symbols if not _clean(self._outcomes.get(symbol))}
        survivors = [order for order in self._shown if order.symbol in self._outcomes]
        self._cancel(shown | unsure, survivors)

    def _cancel(
        self, symbols: set[str], orders: Sequence[Order | VenueOrder], *, look: bool = False
    ) -> None:
        """Ask for cancels side by side. `look`: also list what is open, so that the report can name
        what was cancelled; nothing waits for that, and nothing is concluded from it."""
        calls: dict[Hashable, Any] = {
            symbol: partial(self.venue.cancel_all, symbol) for symbol in sorted(symbols)
        }
        for order in orders:
            client_id = order.client_id if isinstance(order, Order) else order.client_order_id
            if client_id:
                calls[order.symbol, client_id] = partial(self.venue.cancel, order.symbol, client_id)
        if look:
            calls = {_LOOK: partial(self._open_orders, sorted(self.symbols)), **calls}
        if not calls:
            return
        answers = gather(calls, self.limits.calls_s)
        listed: list[VenueOrder] | TraderError = answers.pop(_LOOK, [])
        named = [] if isinstance(listed, TraderError) else list(listed)
        named += [answer.order for answer in answers.values() if isinstance(answer, Accepted)]
        for order in named:
            self._seen.setdefault(_key(order), order)
        self._outcomes.update(answers)

    # --- the rest of the account -------------------------------------------------------------

    def _listing(self, *, insist: bool = False) -> set[str]:
        """Every instrument that the venue lists; empty when it does not tell. `insist`: ask until
        the deadline, not just a few times."""
        for attempt in count():
            answer = gather({"": self.venue.fetch_instruments}, self.limits.calls_s)[""]
            if not isinstance(answer, TraderError):
                return set(answer)
            self._trouble = str(answer)
            if not self._goes_on() or not (insist or attempt + 1 < LISTING_ATTEMPTS):
                break
            self.sleep(self.limits.pause_s)
        return set()

    def _drop_unlisted(self) -> None:
        """One instrument that the venue does not know must not spoil every reading."""
        unlisted = self.symbols - (self._listing() or self.symbols)
        if unlisted:
            self.symbols -= unlisted
            names = ", ".join(sorted(unlisted))
            self.swept.notes.append(f"not listed at the venue, not looked at: {names}")

    def _beyond_known(self, *, must_list: bool) -> bool:
        """Look through every instrument that the venue lists: orders that nobody told of."""
        listed = self._listing(insist=must_list)
        if not listed:
            known = len(self.symbols)
            said = f"only {known} known instruments were looked at: {self._trouble}"
            (self.swept.left if must_list else self.swept.notes).append(said)
            return True
        # Nothing was asked to be cancelled on these, so there is no answer to doubt.
        self._outcomes.update(dict.fromkeys(listed - self.symbols))
        if listed <= self.symbols:
            return True
        self.symbols |= listed
        return self._until_empty(0)

    # --- the end -----------------------------------------------------------------------------

    def _name_what_is_left(self) -> None:
        for order in self._shown:
            self.swept.left.append(f"still open: {_words(order)}{self._said(order)}")
        if self._trouble:
            self.swept.left.append(f"open orders could not be read: {self._trouble}")
        if not self.swept.left:
            self.swept.left.append("open orders were not read as empty twice in a row in time")

    def _said(self, order: VenueOrder) -> str:
        for key in ((order.symbol, order.client_order_id), order.symbol):
            value = self._outcomes.get(key)
            if isinstance(value, TraderError):
                return f" (cancel: {value})"
            if value is not None and not isinstance(value, Accepted):
                return f" (cancel: {type(value).__name__} {value.code} {value.text})"
        return ""

    def _finish(self) -> None:
        """Read fills and the venue's clock; both may fail again and again."""
        open_now = {_key(order) for order in self._shown}
        self.swept.cancelled = [
            _words(order)
            for key, order in sorted(self._seen.items())
            if key not in open_now and order.state in {OrderState.OPEN, OrderState.CANCELED}
        ]
        self.swept.answers = [Answer(*pair) for pair in sorted(self._answers.items())]
        since: dict[str, int] = {}
        times = [(order.symbol, order.sent_ms) for order in self.own.values()]
        times += [(order.symbol, order.at_ms) for order in self._seen.values()]
        for symbol, at_ms in times:
            start_ms = max(0, (at_ms or self.began_ms) - FILLS_MARGIN_MS)
            since[symbol] = min(since.get(symbol, start_ms), start_ms)
        reads: dict[Hashable, Any] = {"clock": self.venue.fetch_venue_ms}
        for symbol, start_ms in sorted(since.items()):
            reads[symbol] = partial(self.venue.fetch_fills, symbol, start_ms)
        while True:
            answers = gather(reads, self.limits.calls_s)
            for key, answer in answers.items():
                if not isinstance(answer, TraderError):
                    self._take(key, answer)
                    del reads[key]
            if not reads or not self._goes_on():
                break
            self.sleep(self.limits.pause_s)
        unread = ", ".join(str(key) for key in reads if key != "clock")
        if unread:
            self.swept.left.append(f"fills could not be read: {unread}")

    def _take(self, key: Hashable, answer: Any) -> None:
        if key == "clock":
            self.swept.venue_ms = answer
        else:
            self.swept.fills += answer


def _clean(outcome: Outcome | TraderError | None) -> bool:
    """Whether a cancel's answer gives no reason to ask again."""
    if isinstance(outcome, Rejected):
        return outcome.code == "not_found"
    return outcome is None or isinstance(outcome, Accepted)


def _key(order: VenueOrder) -> str:
    return f"{order.symbol} {order.venue_order_id or order.client_order_id}"


def _words(order: VenueOrder) -> str:
    price = "at market" if order.price is None else f"at {order.price}"
    name = order.client_order_id or "no client id"
    return (
        f"{order.symbol} {order.side} {order.qty} {price} (filled {order.filled}), "
        f"venue id {order.venue_order_id or 'none'}, {name}"
    )
