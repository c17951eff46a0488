"""Reconcile: the first thing every cycle does, and the only way to recover.

Lives here: reading the venue's side (orders, fills, balances, clock), settling what it proves, and
naming what stays different. Every read happens before the first entry is written, so that a venue
that does not answer leaves the books as they were. Must not live here: decisions about new risk.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from trader.app.candidates import Candidates, gone, read_candidates
from trader.app.context import PassSetup
from trader.app.fanout import gather, value_of
from trader.app.ports import Venue
from trader.app.settle import FILLS_MARGIN_MS, Answer, settle
from trader.core.evidence import find_mismatches
from trader.core.fold import in_flight_on
from trader.core.identity import is_own
from trader.core.scale import ScaleError, Spec
from trader.core.state import Order, Row, State, instrument_of, instrument_row
from trader.core.universe import followed_symbols, named_symbols
from trader.domain.account import Balance, Fill
from trader.domain.instrument import Instrument
from trader.domain.order import OrderState, VenueOrder
from trader.domain.timeframe import DAY_MS, bar_open_ms
from trader.errors import TraderError, VenueRefused, VenueUnavailable
from trader.journal.journal import Journal
from trader.records import dataclass, field

# How far back a shortage is searched for fills that nobody told in time.
MORE_FILLS_MS = 3 * DAY_MS
_SENT = frozenset(OrderState) - {OrderState.PLANNED, OrderState.ABANDONED, OrderState.NOT_SENT}


@dataclass(frozen=True, slots=True)
class VenueSide:
    """What the venue said, read once at the start of a cycle.

    `refused`: instruments that it refuses to speak of (delisted, renamed); nothing is concluded
    about them. `candidates`: what the universe's patterns stand for, when it is to be chosen from.
    `skew_ms`: this host's clock less the venue's; 0 where time travels.
    """

    venue_ms: int
    instruments: dict[str, Instrument]
    balances: dict[str, Balance]
    open_orders: list[VenueOrder]
    answers: list[Answer]
    fills: list[Fill]
    refused: tuple[str, ...] = ()
    candidates: Candidates = field(default_factory=Candidates)
    skew_ms: int = 0


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """What reconcile found: unexplained differences, foreign orders, orders still unresolved,
    instruments that the venue refuses to speak of.

    `universe`: by instrument or pattern, why it cannot be chosen, as `CODE key=value ...`.
    `skew_ms`: see VenueSide.
    """

    mismatches: tuple[str, ...]
    foreign: tuple[str, ...]
    unresolved: tuple[str, ...]
    refused: tuple[str, ...] = ()
    universe: Mapping[str, str] = field(default_factory=dict[str, str])
    skew_ms: int = 0


def watched_symbols(setup: PassSetup, journal: Journal) -> list[str]:
    """Instruments that the policy names, members of its tiers, and those of positions and of
    orders that may still change."""
    parameters, state = setup.parameters, journal.state
    held = [symbol for symbol, position in state.positions.items() if position.qty_units > 0]
    ours = {*named_symbols(parameters), *followed_symbols(parameters, state)}
    return sorted({*ours, *held, *(o.symbol for o in state.orders.values())})


def read_venue(setup: PassSetup, venue: Venue, journal: Journal) -> VenueSide:
    """Both rounds of reads; raises VenueUnavailable or VenueRefused, and has written nothing.

    Orders are read before fills and balances: what ended in between then shows in the fills.
    """
    symbols = watched_symbols(setup, journal)
    # First and alone: the other reads need to know the instruments.
    instruments = venue.instruments_for(symbols)
    step_ms = setup.parameters.step_ms
    close_ms = bar_open_ms(setup.clock.now_ms(), step_ms)
    candidates = read_candidates(setup.parameters, venue, journal.state, close_ms)
    sent = [order for order in journal.state.orders.values() if order.state in _SENT]
    working = [order for order in sent if order.working]
    first: dict[Hashable, Any] = {
        "clock": partial(_read_clock, setup, venue),
        "open": partial(venue.fetch_open_orders, symbols),
    }
    for order in working:
        first[order.client_id] = partial(venue.fetch_order, order.symbol, order.client_id)
    orders = gather(first, setup.reads_s)
    venue_ms, skew_ms = value_of(orders, "clock")
    _refuse_skew(setup, skew_ms)
    since: dict[str, int] = {}
    for order in sent:
        since[order.symbol] = min(since.get(order.symbol, order.sent_ms), order.sent_ms)
    second: dict[Hashable, Any] = {"balances": venue.fetch_balances}
    for symbol, sent_ms in since.items():
        second[symbol] = partial(venue.fetch_fills, symbol, sent_ms - FILLS_MARGIN_MS)
    books = gather(second, setup.reads_s)
    # A refused key shows here: from then on a refusal is about one instrument, and stays there.
    balances = value_of(books, "balances")
    refused: set[str] = set()
    opened = _open_orders(setup, venue, symbols, orders["open"], refused)
    fills = {symbol: _unless_refused(books[symbol], symbol, refused) for symbol in sorted(since)}
    answers = {
        order: _unless_refused(orders[order.client_id], order.symbol, refused) for order in working
    }
    return VenueSide(
        venue_ms,
        instruments,
        balances,
        opened,
        [
            Answer(order.client_id, seen)
            for order, seen in answers.items()
            if order.symbol not in refused
        ],
        [fill for told in fills.values() for fill in told or ()],
        tuple(sorted(refused)),
        candidates,
        skew_ms if setup.skew_ms_max else 0,
    )


def _read_clock(setup: PassSetup, venue: Venue) -> tuple[int, int]:
    """(the venue's clock, this host's less the venue's): held against the middle of the request."""
    asked_ms = setup.clock.now_ms()
    venue_ms = venue.fetch_venue_ms()
    return venue_ms, (asked_ms + setup.clock.now_ms()) // 2 - venue_ms


def _refuse_skew(setup: PassSetup, off_ms: int) -> None:
    """Raises VenueUnavailable when the two clocks are too far apart to know which bar closed."""
    if setup.skew_ms_max and abs(off_ms) > setup.skew_ms_max:
        raise VenueUnavailable(
            f"this host's clock is {off_ms / 1000:+.1f} s off the venue's, more than "
            f"{setup.skew_ms_max / 1000:g} s",
            "set the clock of this host (or travel with --now to a rehearsal's time)",
        )


def _unless_refused(told: Any, symbol: str, refused: set[str]) -> Any:
    """The value of a read about one instrument; None, and noted, when the venue refuses it."""
    if isinstance(told, VenueRefused):
        refused.add(symbol)
        return None
    if isinstance(told, TraderError):
        raise told
    return told


def _open_orders(
    setup: PassSetup, venue: Venue, symbols: list[str], told: Any, refused: set[str]
) -> list[VenueOrder]:
    """Open orders; read one instrument at a time when the venue refuses one of them."""
    if not isinstance(told, VenueRefused):
        return _unless_refused(told, "", refused)
    single = gather(
        {symbol: partial(venue.fetch_open_orders, [symbol]) for symbol in symbols}, setup.reads_s
    )
    found = [_unless_refused(single[symbol], symbol, refused) or () for symbol in symbols]
    return [order for orders in found for order in orders]


def reconcile(
    setup: PassSetup,
    journal: Journal,
    side: VenueSide,
    more_fills: Callable[[], Sequence[Fill]] = tuple,
) -> ReconcileReport:
    """Settle what the venue's side proves and compare the books.

    When something is short, `more_fills` is asked: a fill that was hidden until its order was
    settled explains it and is booked.
    """
    universe = refresh_instruments(setup, journal, side)
    answers = [*side.answers, *_turned_up(journal, side)]
    findings = settle(
        journal, answers, side.fills, side.venue_ms, setup.grace_ms, balances=side.balances
    )
    short = find_mismatches(journal.state, side.balances)
    if short:
        findings += settle(journal, [], more_fills(), side.venue_ms, setup.grace_ms)
        short = find_mismatches(journal.state, side.balances)
    findings += short
    findings += _strangers(setup, journal, side)
    if findings:
        with journal.transaction() as tx:
            tx.append("mismatch", {"findings": findings}, setup.clock.now_ms())
    foreign = tuple(
        f"{order.symbol} {order.side} {order.qty} id={order.venue_order_id}"
        for order in side.open_orders
        if not is_own(order.client_order_id, setup.parameters.prefix)
    )
    unresolved = tuple(
        order.client_id for order in journal.state.orders.values() if order.unresolved
    )
    return ReconcileReport(
        tuple(findings), foreign, unresolved, side.refused, universe, side.skew_ms
    )


def read_more_fills(setup: PassSetup, venue: Venue, journal: Journal) -> list[Fill]:
    """Every fill of the watched instruments in the last days, whatever their orders look like;
    nothing of an instrument that cannot be read."""
    since_ms = setup.clock.now_ms() - MORE_FILLS_MS
    reads = {
        symbol: partial(venue.fetch_fills, symbol, since_ms)
        for symbol in watched_symbols(setup, journal)
    }
    told = gather(reads, setup.reads_s)
    return [fill for symbol in sorted(told) for fill in _fills_or_none(told[symbol])]


def _fills_or_none(told: Any) -> list[Fill]:
    return [] if isinstance(told, TraderError) else told


def refresh_instruments(setup: PassSetup, journal: Journal, side: VenueSide) -> dict[str, str]:
    """Append the rules of watched instruments and candidates that are new or have changed at the
    venue. Returns why others cannot be chosen for the universe."""
    state = journal.state
    now_ms = setup.clock.now_ms()
    listed = {**side.candidates.instruments, **side.instruments}
    ended = gone(setup.parameters, state, side.candidates)
    troubles = dict(side.candidates.troubles)
    with journal.transaction() as tx:
        for symbol in sorted({*watched_symbols(setup, journal), *listed, *ended}):
            row = _changed_row(state, symbol, listed.get(symbol))
            if row is not None and _fits(row, state):
                tx.append("instrument", row, now_ms)
            elif row is not None:
                troubles[symbol] = "UNIVERSE_UNLISTED why=scale"
    return troubles


def _changed_row(state: State, symbol: str, listed: Instrument | None) -> Row | None:
    """The newest rules of an instrument as they are to be kept; None when nothing changed."""
    known = state.instruments.get(symbol)
    row = instrument_row(listed) if listed else None
    if known is not None and known["active"] and (row is None or not _fits(row, state)):
        # Its integers would overflow, or it is gone: no longer traded.
        row = {**known, "active": 0}
    if row is not None and known is not None and in_flight_on(state, symbol):
        # Orders in flight are counted on the old grid: it changes when they have ended.
        row = {**row, "tick": known["tick"], "lot": known["lot"]}
    return row if row != known else None


def _fits(row: Row, state: State) -> bool:
    """Whether core integers can hold the instrument beside the account's cash unit."""
    try:
        Spec(instrument_of(row), state.number("cash_digits"))
    except ScaleError:
        return False
    return True


def _turned_up(journal: Journal, side: VenueSide) -> list[Answer]:
    """Open orders that are ours and known, but were not asked for: held to be absent or ended."""
    asked = {answer.client_id for answer in side.answers}
    return [
        Answer(seen.client_order_id, seen)
        for seen in side.open_orders
        if seen.client_order_id in journal.state.orders and seen.client_order_id not in asked
    ]


def _strangers(setup: PassSetup, journal: Journal, side: VenueSide) -> list[str]:
    """Open orders that carry our prefix but that the journal does not hold as working; one that
    was asked for by itself may have ended since the list was read."""
    findings: list[str] = []
    asked = {answer.client_id for answer in side.answers}
    for seen in side.open_orders:
        if not is_own(seen.client_order_id, setup.parameters.prefix):
            continue
        order: Order | None = journal.state.orders.get(seen.client_order_id)
        if order is None or not (order.working or order.client_id in asked):
            findings.append(f"ORDER_STRANGE client_id={seen.client_order_id} symbol={seen.symbol}")
    return findings
