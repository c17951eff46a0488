"""Exits: whether a position is left now, for which reason, and the order that leaves it.

Lives here: one function per question over the decision's desk; the worst case of a bar is looked at
first. Must not live here: what happens when an exit does not fill (see `step`).
"""

from __future__ import annotations

from trader.core.approval import Proposal
from trader.core.desk import Desk, Seen, fill_quote
from trader.core.gates import GateView
from trader.core.money import price_down
from trader.core.parameters import Limits, StrategySpec
from trader.core.scale import Spec, notional_down
from trader.core.sizing import exit_lots
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import Position
from trader.domain.order import Side, TimeInForce


def look_after(desk: Desk, position: Position, owner: StrategySpec | None) -> None:
    """A position is looked after even when its strategy is gone or fails."""
    symbol = position.symbol
    spec = desk.snapshot.state.spec(symbol)
    quote = desk.snapshot.quotes.get(symbol)
    bid = quote.bid_ticks if quote else 0
    low = newest_low(desk.snapshot, symbol)
    opinion = desk.opinion(owner, symbol) if owner else None
    exit_now = opinion is not None and not opinion.problem and opinion.exit_now
    seen: Seen = {
        "bid_ticks": bid,
        "exit": int(exit_now),
        "held_units": position.qty_units,
        "low_ticks": low,
        "problem": opinion.problem if opinion else "STRATEGY_GONE",
        "stop_ticks": position.stop_ticks,
    }
    reason = exit_reason(position.stop_ticks, low, bid, exit_now=exit_now)
    if not reason:
        desk.note(position.strategy, symbol, seen, {}, (), "HOLD")
        return
    pending = desk.view.sells_in_flight_lots(symbol)
    lots = exit_lots(spec, desk.view.held_lots(symbol), pending)
    if lots <= 0:
        answer = "EXIT_WORKING" if pending else "NOTHING_TO_SELL"
        desk.note(position.strategy, symbol, seen, {}, (), answer)
        return
    proposal = Proposal(
        position.strategy,
        symbol,
        Side.SELL,
        TimeInForce.IOC,
        desk.snapshot.bar_ms,
        len(desk.legs),
        0,
        price_down(bid, desk.limits.slippage_ppm) if bid > 0 else 0,
        lots,
        0,
        0,
        reason,
    )
    gate_view = exit_view(
        proposal,
        spec,
        desk.limits,
        quote,
        rank=desk.snapshot.halt_rank,
        now_ms=desk.snapshot.now_ms,
        slippage_ppm=desk.limits.slippage_ppm,
    )
    desk.ask(proposal, gate_view, spec, seen)


def exit_reason(stop_ticks: int, low_ticks: int, bid_ticks: int, *, exit_now: bool) -> str:
    """Why a position is left now, "" when it is held. The stop is looked at first: on one bar
    the worst case wins. Prices of 0 are not there and say nothing."""
    if stop_ticks > 0 and (0 < low_ticks <= stop_ticks or 0 < bid_ticks <= stop_ticks):
        return "stop_loss"
    return "exit_signal" if exit_now else ""


def exit_view(
    proposal: Proposal,
    spec: Spec,
    limits: Limits,
    quote: CoreQuote | None,
    *,
    rank: int,
    now_ms: int,
    slippage_ppm: int,
) -> GateView:
    """What the gates see of an exit, at plan time and when `step` prices it again."""
    view = GateView(proposal, spec, limits)
    fill_quote(view, quote, now_ms)
    view.halt_rank = rank
    view.slippage_ppm = slippage_ppm
    view.notional_units = notional_down(spec, proposal.price_ticks, proposal.qty_lots)
    return view


def newest_low(snapshot: Snapshot, symbol: str) -> int:
    """Low of the decision bar, ticks; 0 when the decision timeframe has no such bar."""
    for (name, _), series in sorted(snapshot.series.items()):
        if name != symbol or series.step_ms != snapshot.parameters.step_ms:
            continue
        if len(series) and series.open_ms[-1] == snapshot.bar_ms:
            return series.low[-1]
    return 0
