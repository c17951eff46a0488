"""Entries: whether a strategy opens a position on an instrument now, and with how much.

Lives here: opinion -> size -> what the gates are shown. Must not live here: the gates themselves.
"""

from __future__ import annotations

from math import isnan

from trader.core.account_sums import account_sums
from trader.core.approval import Proposal
from trader.core.asked import is_asked
from trader.core.book_sums import book_sums
from trader.core.desk import Desk, Seen, fill_quote
from trader.core.exit_prices import exit_prices
from trader.core.gate_view import GateView
from trader.core.gates import NO_ANSWERS
from trader.core.money import price_up, share_down
from trader.core.order_sums import order_sums
from trader.core.parameters import StrategySpec
from trader.core.risk_sums import risk_sums
from trader.core.scale import Spec, notional_down
from trader.core.signals import Opinion
from trader.core.sizes import size_entry
from trader.core.sizing import stop_ticks_below
from trader.core.tier_gates import tier_sums
from trader.core.time_sums import time_sums
from trader.domain.order import Side, TimeInForce
from trader.records import dataclass


def consider(desk: Desk, strategy: StrategySpec, symbol: str) -> None:
    """Size and ask for an entry when the strategy wants one; the trail says why it came to none."""
    opinion = desk.opinion(strategy, symbol)
    seen: Seen = opinion.seen()
    quiet = _quiet_reason(desk, strategy, symbol, opinion)
    if quiet:
        desk.note(strategy.name, symbol, seen, {}, NO_ANSWERS, quiet)
        return
    spec = desk.snapshot.state.spec(symbol)
    worst = price_up(opinion.close_ticks, desk.limits.slippage_ppm)
    stop = _stop_ticks(spec, opinion)
    worked = how_worked(desk, strategy, symbol, worst)
    price = min(opinion.close_ticks, worked.price_ticks or worst)
    if stop >= price:
        answer = f"STOP_SIDE limit={price} measured={stop} unit=ticks"
        desk.note(strategy.name, symbol, seen, {}, NO_ANSWERS, answer)
        return
    sized = size_entry(desk, strategy, symbol, opinion.strength, worst, stop)
    # The size ignores cash: the cash gate is what says no, with its numbers.
    sized.told["free_cash_units"] = desk.view.free_cash_units()
    if sized.answer:
        desk.note(strategy.name, symbol, seen, sized.told, NO_ANSWERS, sized.answer)
        return
    exits = exit_prices(spec, opinion, strategy.scale_ppm)
    proposal = Proposal(
        strategy.name,
        symbol,
        Side.BUY,
        worked.tif,
        desk.snapshot.bar_ms,
        len(desk.legs),
        0,
        worked.price_ticks,
        sized.lots,
        stop,
        opinion.enter_ms,
        "entry_signal",
        exits.target_ticks,
        exits.trail_ticks,
        strategy.hold_ms_max,
        exits.arm_ticks,
        exits.even_ticks,
        exits.steps,
        order_type=worked.order_type,
        until_ms=worked.until_ms,
    )
    gate_view = entry_view(desk, proposal, spec, strategy, worst)
    desk.ask(proposal, gate_view, spec, seen, sized.told)


@dataclass(frozen=True, slots=True)
class Worked:
    """How an entry order works: see `Proposal`."""

    price_ticks: int
    tif: TimeInForce = TimeInForce.IOC
    order_type: str = "limit"
    until_ms: int = 0


def how_worked(desk: Desk, strategy: StrategySpec, symbol: str, worst: int) -> Worked:
    """A taker's limit at the ask and the slippage cap, or a maker's at the bid: it never crosses.

    Never beyond `worst`, which the size was computed for; without a quote the gates refuse.
    """
    quote = desk.snapshot.quotes.get(symbol)
    if strategy.style.style == "maker":
        bid = min(worst, quote.bid_ticks) if quote else 0
        until_ms = desk.snapshot.now_ms + strategy.style.ttl_ms
        return Worked(bid, TimeInForce.GTC, "post_only", until_ms)
    ask = quote.ask_ticks if quote else 0
    return Worked(min(worst, price_up(ask, desk.limits.slippage_ppm)) if ask > 0 else worst)


def _stop_ticks(spec: Spec, opinion: Opinion) -> int:
    """The stop of the position, 0 none; one that only trails starts at its distance."""
    for distance in (opinion.stop_distance, opinion.trail_distance):
        if not isnan(distance):
            return stop_ticks_below(spec, opinion.close_ticks, distance)
    return 0


def _quiet_reason(desk: Desk, strategy: StrategySpec, symbol: str, opinion: Opinion) -> str:
    """Why nothing is asked for; "" when an entry is wanted. Data troubles speak first."""
    troubles = desk.snapshot.troubles.get(symbol, ())
    if troubles:
        return troubles[0]
    if opinion.problem:
        return opinion.problem
    if symbol not in desk.snapshot.state.instruments:
        return "INSTRUMENT_INACTIVE known=0"
    if opinion.enter_ms < 0:
        return "NO_SIGNAL"
    key = f"{strategy.name}|{symbol}"
    if opinion.enter_ms <= desk.snapshot.state.consumed.get(key, -1):
        return "SIGNAL_USED"
    if is_asked(desk.snapshot.state, symbol):
        return "EXIT_ASKED"
    return desk.access.answer(strategy, symbol)


def entry_view(
    desk: Desk, proposal: Proposal, spec: Spec, strategy: StrategySpec, worst: int
) -> GateView:
    """What the gates are shown of an entry, new or at rest; `worst`: see GateView.worst_ticks."""
    symbol, equity = proposal.symbol, desk.equity
    view = GateView(proposal, spec, desk.limits)
    fill_quote(view, desk.snapshot.quotes.get(symbol), desk.snapshot.now_ms)
    view.worst_ticks = worst
    view.cash_units = desk.view.free_cash_units()
    series = desk.snapshot.series[(symbol, strategy.timeframe)]
    view.close_ticks = series.close[-1]
    view.before_ticks = series.close[-2] if len(series) > 1 else 0
    view.halt_rank, view.mismatches = desk.halt_rank, desk.mismatches
    view.enabled = int(strategy.enabled)
    view.shadow_why = desk.standings.shadow_why(strategy.name)
    view.shadow = int(strategy.shadow or view.shadow_why != "")
    adds = strategy.pyramiding and desk.limits.pyramiding
    view.may_add = int(adds and not desk.view.leaving(symbol))
    view.unresolved = desk.view.unresolved(symbol)
    view.working_entries = desk.view.entries_in_flight(symbol)
    view.owner = desk.view.owner(symbol)
    view.owner_other = int(view.owner not in {"", strategy.name})
    view.held_lots = desk.view.held_lots(symbol)
    view.positions = desk.view.busy_symbols(symbol)
    view.cost_units, _ = desk.totals.entry(
        symbol, proposal.price_ticks, proposal.qty_lots, proposal.stop_ticks
    )
    view.notional_units = notional_down(spec, proposal.price_ticks, proposal.qty_lots)
    view.exposure_units = desk.view.exposure_units(symbol)
    view.own_notional_units_min = desk.notional_units_min(strategy)
    view.position_cap_units = share_down(equity, desk.limits.position_ppm)
    tier = strategy.tier or desk.tier_of(symbol)
    view.tier = tier_sums(desk.totals, proposal, desk.tiers, tier, equity)
    view.sums = account_sums(desk.totals, proposal, strategy, desk.limits, desk.marks, equity)
    view.order = order_sums(desk, proposal, strategy, spec)
    view.risk = risk_sums(desk, proposal, strategy, spec)
    view.times = time_sums(desk, strategy, symbol)
    view.book = book_sums(desk, strategy)
    return view
