"""Upkeep of entries at rest: at every decision each passes the gates again, or ends by name.

Lives here: whether an entry that rests at the venue may go on, ends, or is moved to the bid. It is
asked about as if it were not there yet, with what is left of it; what it has itself brought about
(coins it bought, its own sending) does not count against it. Must not live here: how it is
cancelled and replaced (`step`), and entries that are new (`entries`).
"""

from __future__ import annotations

from trader.core.approval import Approved, Proposal, proposal_of
from trader.core.asked import is_asked
from trader.core.children import CODE, rest_lots
from trader.core.desk import Desk, Seen
from trader.core.entries import entry_view
from trader.core.gate_view import GateView
from trader.core.gates import NO_ANSWERS, Answers, approve
from trader.core.money import PPM, price_up, share_up
from trader.core.parameters import StrategySpec
from trader.core.resting import is_resting_entry
from trader.core.state import Order
from trader.core.totals import DAY_MS, HOUR_MS
from trader.domain.order import OrderState
from trader.records import replace

# Too little is left to be sent anew: that ends nothing which is at the venue already.
_SMALL = frozenset({"QTY_MIN", "NOTIONAL_MIN"})


def keep_up(desk: Desk, specs: dict[str, StrategySpec]) -> None:
    """Look at every entry at rest, in the order they were planned."""
    for order in list(desk.snapshot.state.orders.values()):
        if is_resting_entry(order) and order.working and not order.ending:
            try:
                _keep_up(desk, order, specs.get(order.strategy))
            except OverflowError:
                _end(desk, order, {}, "AMOUNT_OVERFLOW")


def _keep_up(desk: Desk, order: Order, strategy: StrategySpec | None) -> None:
    seen: Seen = {
        "client_id": order.client_id,
        "filled_lots": order.filled_lots,
        "price_ticks": order.price_ticks,
        "qty_lots": order.qty_lots,
        "until_ms": order.until_ms,
    }
    attempts = attempts_of(desk, order)
    why = _why_dead(desk, order, strategy)
    rest = order.qty_lots - order.filled_lots
    if strategy is None or why or rest <= 0:
        if rest > 0:
            _end(desk, order, seen, why)
        return
    alone = desk.without(order.client_id)
    staying = replace(proposal_of(order), qty_lots=rest)
    view = _view(alone, staying, strategy, attempts)
    spec = desk.snapshot.state.spec(order.symbol)
    verdict, answers = approve(staying, view, spec, desk.parameters)
    if not isinstance(verdict, Approved) and verdict.code not in _SMALL:
        _end(desk, order, seen, verdict.code, answers)
        return
    moved = _moved(desk, alone, order, strategy, attempts)
    if isinstance(moved, Approved):
        to = moved.proposal
        asked: Seen = {"price_ticks": to.price_ticks, "qty_lots": to.qty_lots}
        desk.note(order.strategy, order.symbol, seen, asked, answers, "ENTRY_MOVES")
        desk.add_leg(moved)
        return
    desk.note(order.strategy, order.symbol, seen, {}, answers, f"ENTRY_RESTS{moved}")


def attempts_of(desk: Desk, order: Order) -> list[Order]:
    """Every attempt of an order's leg, in order."""
    orders = desk.snapshot.state.orders_of(order.symbol)
    leg = [o for o in orders if (o.bar_ms, o.leg) == (order.bar_ms, order.leg) and not o.is_stop]
    return sorted(leg, key=lambda attempt: attempt.attempt)


def _end(desk: Desk, order: Order, seen: Seen, why: str, answers: Answers = NO_ANSWERS) -> None:
    desk.ends[order.client_id] = why.partition(" ")[0]
    desk.note(order.strategy, order.symbol, seen, {}, answers, f"ENTRY_ENDED why={why}")


def _why_dead(desk: Desk, order: Order, strategy: StrategySpec | None) -> str:
    """Why what stood behind the order is gone: its strategy, its data, its signal, its place."""
    if strategy is None:
        return "STRATEGY_GONE"
    troubles = desk.snapshot.troubles.get(order.symbol, ())
    if troubles:
        return troubles[0]
    opinion = desk.opinion(strategy, order.symbol)
    if opinion.problem:
        return opinion.problem
    if is_asked(desk.snapshot.state, order.symbol):
        return "EXIT_ASKED"
    if opinion.exit_now:
        return "EXIT_LEVEL"
    if desk.view.leaving(order.symbol):
        return "POSITION_LEAVES"
    return desk.access.answer(strategy, order.symbol)


def _view(
    alone: Desk, proposal: Proposal, strategy: StrategySpec, attempts: list[Order]
) -> GateView:
    """What the gates see of the rest of an entry, without what the entry itself brought about."""
    symbol = proposal.symbol
    opinion = alone.opinion(strategy, symbol)
    worst = price_up(opinion.close_ticks, alone.limits.slippage_ppm)
    view = entry_view(alone, proposal, alone.snapshot.state.spec(symbol), strategy, worst)
    view.held_lots = max(0, view.held_lots - sum(attempt.filled_lots for attempt in attempts))
    view.book.unattended -= sum(1 for attempt in attempts if attempt.filled_lots)
    sent_ms = attempts[0].sent_ms
    if sent_ms > alone.snapshot.now_ms - DAY_MS:
        view.sums.trades_day -= 1
        view.sums.own_trades_day -= 1
        if sent_ms > alone.snapshot.now_ms - HOUR_MS:
            view.sums.trades_hour -= 1
    return view


def _moved(
    desk: Desk, alone: Desk, order: Order, strategy: StrategySpec, attempts: list[Order]
) -> Approved | str:
    """The attempt that takes the order's place at the bid; else "" or why there is none."""
    style, quote = strategy.style, desk.snapshot.quotes.get(order.symbol)
    if quote is None or order.state is not OrderState.OPEN or style.style != "maker":
        return ""
    opinion = desk.opinion(strategy, order.symbol)
    bid = min(quote.bid_ticks, price_up(opinion.close_ticks, desk.limits.slippage_ppm))
    away = share_up(order.price_ticks, PPM + style.reprice_ppm)
    if bid < max(away, order.price_ticks + 1):
        return ""
    if attempts[-1].attempt >= style.moves_max:
        return f" moves={attempts[-1].attempt} moves_max={style.moves_max}"
    rest = min(rest_lots(attempts, order.client_id), order.qty_lots - order.filled_lots)
    if rest <= 0:
        return f" {CODE}"
    proposal = replace(
        proposal_of(order), attempt=attempts[-1].attempt + 1, price_ticks=bid, qty_lots=rest
    )
    view = _view(alone, proposal, strategy, attempts)
    verdict, _ = approve(proposal, view, desk.snapshot.state.spec(order.symbol), desk.parameters)
    return verdict if isinstance(verdict, Approved) else f" refused={verdict.code}"
