"""Exits: whether a position is left now, for which reason, and the order that leaves it.

Lives here: one function per question over the decision's desk; the worst case of a bar is looked at
first. What a position leaves by is its own (stop, target, trail, longest hold) and is looked at
whatever became of its strategy; only the exit signal needs the strategy. Must not live here: what
happens when an exit does not fill (see `step`).
"""

from __future__ import annotations

from dataclasses import dataclass

from trader.core.approval import Proposal
from trader.core.desk import Desk, Seen, fill_quote
from trader.core.gates import NO_ANSWERS, GateView
from trader.core.limits import Limits
from trader.core.money import price_down
from trader.core.parameters import StrategySpec
from trader.core.scale import Spec, notional_down
from trader.core.series import Series
from trader.core.sizing import exit_lots
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import Position
from trader.domain.order import Side, TimeInForce
from trader.domain.timeframe import grid_origin_ms


@dataclass(frozen=True, slots=True)
class Look:
    """What an exit is decided on; prices in ticks, 0: not there, says nothing.

    Attributes:
        low_ticks, high_ticks, close_ticks: of the decision bar.
        trail_to_ticks: where the trail would put the stop now.
        held_ms: since the decision bar in which the position was opened began.
    """

    low_ticks: int
    high_ticks: int
    close_ticks: int
    bid_ticks: int
    trail_to_ticks: int
    held_ms: int
    exit_now: bool


def look_after(desk: Desk, position: Position, owner: StrategySpec | None) -> None:
    """A position is looked after even when its strategy is gone, off or fails."""
    symbol = position.symbol
    spec = desk.snapshot.state.spec(symbol)
    quote = desk.snapshot.quotes.get(symbol)
    opinion = desk.opinion(owner, symbol) if owner else None
    exit_now = opinion is not None and opinion.exit_now
    look = look_at(desk.snapshot, position, exit_now=exit_now)
    seen: Seen = {
        "bid_ticks": look.bid_ticks,
        "exit": int(exit_now),
        "held_units": position.own_units,
        "high_ticks": look.high_ticks,
        "low_ticks": look.low_ticks,
        "problem": opinion.problem if opinion else "STRATEGY_GONE",
        "stop_ticks": position.stop_ticks,
        "target_ticks": position.target_ticks,
        "trail_to_ticks": look.trail_to_ticks,
    }
    if position.hold_ms:
        seen |= {"held_ms": look.held_ms, "hold_ms": position.hold_ms}
    if look.trail_to_ticks > position.stop_ticks:
        desk.stops[symbol] = look.trail_to_ticks
    reason = exit_reason(position, look)
    if not reason:
        desk.note(position.strategy, symbol, seen, {}, NO_ANSWERS, "HOLD")
        return
    pending = desk.view.sells_in_flight_lots(symbol)
    lots = exit_lots(spec, desk.view.held_lots(symbol), pending)
    if lots <= 0:
        answer = "EXIT_WORKING" if pending else "NOTHING_TO_SELL"
        desk.note(position.strategy, symbol, seen, {}, NO_ANSWERS, answer)
        return
    bid = look.bid_ticks
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


def look_at(snapshot: Snapshot, position: Position, *, exit_now: bool) -> Look:
    """What the decision bar and the quote say about a position."""
    symbol = position.symbol
    low = high = close = 0
    series = decision_series(snapshot, symbol)
    if series is not None and len(series) and series.open_ms[-1] == snapshot.bar_ms:
        low, high, close = series.low[-1], series.high[-1], series.close[-1]
    quote = snapshot.quotes.get(symbol)
    bid = quote.bid_ticks if quote else 0
    step_ms = snapshot.parameters.step_ms
    origin = grid_origin_ms(step_ms)
    began_ms = (position.opened_ms - origin) // step_ms * step_ms + origin
    trail_to = trail_to_ticks(snapshot, position, series)
    return Look(low, high, close, bid, trail_to, snapshot.close_ms - began_ms, exit_now)


def trail_to_ticks(snapshot: Snapshot, position: Position, series: Series | None) -> int:
    """The highest price since the entry was filled, less the trail; 0 when there is no trail.

    Bars count from the one in which the fill came. Data that cannot be trusted ratchets nothing:
    a stop that was put too high would stay there.
    """
    if position.trail_ticks <= 0 or series is None or position.symbol in snapshot.troubles:
        return 0
    first = series.index_of(position.opened_ms - series.step_ms + 1)
    highs = series.high[first:]
    return max(0, max(highs) - position.trail_ticks) if len(highs) else 0


def exit_reason(position: Position, look: Look) -> str:
    """Why a position is left now, "" when it is held. The worst case comes first.

    The stop as it stood before the bar is held against the bar's low: the low may have come before
    the high. Behind a new high comes the close for certain, and the bid: only they are held against
    a stop that this bar has ratcheted up.
    """
    stop, trailed = position.stop_ticks, look.trail_to_ticks
    if stop > 0 and _reached(stop, look.low_ticks, look.bid_ticks):
        return "trailing_stop" if position.trailed else "stop_loss"
    if trailed > stop and _reached(trailed, look.close_ticks, look.bid_ticks):
        return "trailing_stop"
    if 0 < position.target_ticks <= max(look.high_ticks, look.bid_ticks):
        return "take_profit"
    if 0 < position.hold_ms <= look.held_ms:
        return "max_hold"
    return "exit_signal" if look.exit_now else ""


def _reached(stop_ticks: int, *prices: int) -> bool:
    return any(0 < price <= stop_ticks for price in prices)


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


def decision_series(snapshot: Snapshot, symbol: str) -> Series | None:
    """The instrument's bars of the decision timeframe."""
    for (name, _), series in sorted(snapshot.series.items()):
        if name == symbol and series.step_ms == snapshot.parameters.step_ms:
            return series
    return None
