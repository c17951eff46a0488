"""Exits: whether a position is left now, for which reason, and how much of it.

Lives here: one function per question over the decision's desk. What a position leaves by is its own
(stop, target, trail, break-even, steps, longest hold) and is looked at whatever became of its
strategy; only the exit signal needs the strategy. Must not live here: how much is sold
(`exit_sizes`), the order itself (`exit_orders`), what the venue does not take (`dust`), reducing to
a cap (`trim`), and what happens when an exit does not fill (`step`).

**Order of precedence.** A bar says that it was low and that it was high, not which came first: the
worst case counts, and is named. The first of these that holds is the reason; the first six sell
all, the last two a part.

1. The stop as it stood before the bar is at or above the bar's low, or the bid: `stop_loss`; when
   the trail had ratcheted it up `trailing_stop`, when break-even had `break_even`. So it is too
   when the bar opened beyond the stop (a gap: it is sold where trading goes on, not at the stop),
   and when the same bar reached target, steps or a new high: the low may have come first.
2. The stop that this bar's high has just ratcheted up is at or above the close, or the bid: by
   trail or break-even, whichever is higher (the trail when both say the same). Behind a new high
   comes the close for certain, and the bid; the bar's low may have come before, and is not asked.
   So a spike is left at once, and before the target that it reached.
3. A named human asked for it: `force_exit`. It needs nothing but a bid.
4. The target is at or below the bar's high, or the bid: `take_profit`. It sells all, so it goes
   before the steps that the same high reached.
5. It was held for so long: `max_hold`.
6. The strategy's exit level holds: `exit_signal`.
7. A step of the scale-out was reached, by the high since the entry or the bid: `scale_out`. Steps
   that were reached stay reached; what could not be sold is tried again on the next bar.
8. The account holds more than a cap: `trim` (see `trim`).

Only a bar that closed at this decision counts for 1, 2 and 4, and only bars that can be trusted for
ratchets and steps: a stop that was put too high stays there. A bid counts while its quote is fresh;
without one nothing is sold, and an alarm (EXIT_NO_BID) says so when something should have been, or
when there is neither bar nor bid to tell.
"""

from __future__ import annotations

from trader.core.asked import is_asked
from trader.core.desk import Desk, Seen
from trader.core.dust import declare_dust
from trader.core.exit_orders import exit_view, fresh_bid_ticks, leave
from trader.core.exit_prices import STOP_REASONS, even_stop_ticks
from trader.core.exit_sizes import can_sell, kept_lots, reached_steps, step_lots
from trader.core.gates import NO_ANSWERS
from trader.core.money import price_down
from trader.core.parameters import StrategySpec
from trader.core.series import Series
from trader.core.sizing import exit_lots
from trader.core.snapshot import Snapshot
from trader.core.state import Position
from trader.domain.timeframe import bar_open_ms, timeframe_name
from trader.records import dataclass

__all__ = ["Look", "exit_reason", "exit_view", "look_after", "look_at"]


@dataclass(frozen=True, slots=True)
class Look:
    """What an exit is decided on; prices in ticks, 0: not there, says nothing.

    Attributes:
        low_ticks, high_ticks, close_ticks: of the decision bar. bid_ticks: of a fresh quote.
        peak_ticks: the highest price since the entry was filled, of bars that can be trusted.
        trail_to_ticks, even_to_ticks: where trail and break-even would put the stop now.
        held_ms: since the decision bar in which the position was opened began.
        exit_now: the strategy's exit level holds. asked: a named human asked for the exit.
    """

    low_ticks: int
    high_ticks: int
    close_ticks: int
    bid_ticks: int
    trail_to_ticks: int
    held_ms: int
    exit_now: bool
    peak_ticks: int = 0
    even_to_ticks: int = 0
    asked: bool = False

    @property
    def stop_to_ticks(self) -> int:
        """Where the stop would be put now."""
        return max(self.trail_to_ticks, self.even_to_ticks)


def look_after(desk: Desk, position: Position, owner: StrategySpec | None) -> None:
    """A position is looked after even when its strategy is gone, off or fails."""
    symbol = position.symbol
    spec = desk.snapshot.state.spec(symbol)
    opinion = desk.opinion(owner, symbol) if owner else None
    exit_now = opinion is not None and opinion.exit_now
    look = look_at(desk.snapshot, position, exit_now=exit_now)
    seen = _seen(position, look, opinion.problem if opinion else "STRATEGY_GONE")
    _ratchet(desk, position, look)
    reason = exit_reason(position, look)
    if reason:
        _leave_whole(desk, position, look, reason, seen)
        return
    lots = _step_lots(desk, position, look, seen)
    if lots:
        leave(desk, position.strategy, spec, "scale_out", lots, seen)
        return
    answer = "HOLD"
    if not (look.close_ticks or look.bid_ticks):
        answer = "EXIT_NO_BID"
        desk.alarm(f"EXIT_NO_BID symbol={symbol} reason=blind")
    desk.note(position.strategy, symbol, seen, {}, NO_ANSWERS, answer)


def _seen(position: Position, look: Look, problem: str) -> Seen:
    """For the trail; what the position does not have is left out."""
    seen: Seen = {
        "bid_ticks": look.bid_ticks,
        "exit": int(look.exit_now),
        "held_units": position.own_units,
        "high_ticks": look.high_ticks,
        "low_ticks": look.low_ticks,
        "problem": problem,
        "stop_ticks": position.stop_ticks,
        "target_ticks": position.target_ticks,
        "trail_to_ticks": look.trail_to_ticks,
    }
    if position.hold_ms:
        seen |= {"held_ms": look.held_ms, "hold_ms": position.hold_ms}
    if position.even_ticks:
        seen |= {"even_ticks": position.even_ticks, "even_to_ticks": look.even_to_ticks}
    if position.arm_ticks:
        seen["arm_ticks"] = position.arm_ticks
    if position.steps:
        seen |= {"steps": position.steps, "peak_ticks": look.peak_ticks}
    if look.asked:
        seen["asked"] = 1
    return seen


def _ratchet(desk: Desk, position: Position, look: Look) -> None:
    if look.stop_to_ticks > position.stop_ticks:
        desk.stops[position.symbol] = look.stop_to_ticks
        if look.trail_to_ticks < look.even_to_ticks:
            desk.even.append(position.symbol)


def _leave_whole(desk: Desk, position: Position, look: Look, reason: str, seen: Seen) -> None:
    """All that is held and not already being sold; dust when the venue does not take it."""
    symbol = position.symbol
    spec = desk.snapshot.state.spec(symbol)
    pending = desk.view.sells_in_flight_lots(symbol)
    lots = exit_lots(spec, desk.view.held_lots(symbol), pending)
    if pending and lots < spec.qty_lots_min:
        desk.note(position.strategy, symbol, seen, {}, NO_ANSWERS, "EXIT_WORKING")
    elif not pending and _is_sane(desk, look) and not can_sell(spec, lots, look.bid_ticks):
        declare_dust(desk, position.strategy, symbol, seen | {"reason": reason})
    else:
        if not look.bid_ticks:
            desk.alarm(f"EXIT_NO_BID symbol={symbol} reason={reason}")
        leave(desk, position.strategy, spec, reason, lots, seen)


def _is_sane(desk: Desk, look: Look) -> bool:
    """Whether there is a bid, and not insanely far below the bar's close: a position is not
    declared dust for a quote that is wrong."""
    return look.bid_ticks >= price_down(look.close_ticks, desk.limits.collar_ppm)


def _step_lots(desk: Desk, position: Position, look: Look, seen: Seen) -> int:
    """What the steps of the scale-out that were reached sell now; a step that is new is told."""
    symbol = position.symbol
    spec = desk.snapshot.state.spec(symbol)
    scaled = reached_steps(position, max(look.peak_ticks, look.bid_ticks))
    if scaled > position.scaled:
        desk.scaled[symbol] = scaled
    if not scaled:
        return scaled
    kept = kept_lots(position, scaled)
    seen |= {"scaled": scaled, "kept_lots": kept}
    pending = desk.view.sells_in_flight_lots(symbol)
    held = exit_lots(spec, desk.view.held_lots(symbol), pending)
    if look.bid_ticks:
        return step_lots(spec, held, kept, look.bid_ticks)
    if held > kept:
        desk.alarm(f"EXIT_NO_BID symbol={symbol} reason=scale_out")
    return 0


def look_at(snapshot: Snapshot, position: Position, *, exit_now: bool) -> Look:
    """What the decision bar and the quote say about a position."""
    symbol = position.symbol
    low = high = close = 0
    series = decision_series(snapshot, symbol)
    if series is not None and len(series) and series.open_ms[-1] == snapshot.bar_ms:
        low, high, close = series.low[-1], series.high[-1], series.close[-1]
    step_ms = snapshot.parameters.step_ms
    began_ms = bar_open_ms(position.opened_ms, step_ms)
    peak = peak_ticks(snapshot, position, series)
    return Look(
        low,
        high,
        close,
        fresh_bid_ticks(snapshot, symbol),
        trail_to_ticks(position, peak),
        snapshot.close_ms - began_ms,
        exit_now,
        peak,
        even_to_ticks(snapshot, position, peak),
        is_asked(snapshot.state, symbol),
    )


def peak_ticks(snapshot: Snapshot, position: Position, series: Series | None) -> int:
    """The highest price since the entry was filled; 0 when it is not known.

    Bars count from the one in which the fill came. Data that cannot be trusted says nothing.
    """
    if series is None or position.symbol in snapshot.troubles:
        return 0
    first = series.index_of(bar_open_ms(position.opened_ms, series.step_ms))
    return max(series.high[first:], default=0)


def trail_to_ticks(position: Position, peak: int) -> int:
    """Where the trail puts the stop: its distance below the highest price, once that has reached
    the price from which it counts; 0: nowhere."""
    if position.trail_ticks <= 0 or peak < position.arm_ticks:
        return 0
    return max(0, peak - position.trail_ticks)


def even_to_ticks(snapshot: Snapshot, position: Position, peak: int) -> int:
    """Where break-even puts the stop, once the highest price has reached its distance, and that
    stop itself: a stop above every price seen would only sell at a loss. 0: nowhere."""
    if position.even_ticks <= 0 or peak < position.even_ticks:
        return 0
    spec = snapshot.state.spec(position.symbol)
    limits = snapshot.parameters.limits
    slippage_ppm = max(limits.slippage_ppm, limits.exit_slippage_ppm)
    even = even_stop_ticks(spec, position.entry_ticks, slippage_ppm)
    return even if even <= peak else 0


def exit_reason(position: Position, look: Look) -> str:
    """Why a position is left as a whole now, "" when it is not: see the order of precedence."""
    stop, moved = position.stop_ticks, look.stop_to_ticks
    if _reached(stop, look.low_ticks, look.bid_ticks):
        return STOP_REASONS[position.trailed]
    if _reached(moved, look.close_ticks, look.bid_ticks):
        return "break_even" if look.trail_to_ticks < look.even_to_ticks else "trailing_stop"
    if look.asked:
        return "force_exit"
    if 0 < position.target_ticks <= max(look.high_ticks, look.bid_ticks):
        return "take_profit"
    if 0 < position.hold_ms <= look.held_ms:
        return "max_hold"
    return "exit_signal" if look.exit_now else ""


def _reached(stop_ticks: int, *prices: int) -> bool:
    return any(0 < price <= stop_ticks for price in prices)


def decision_series(snapshot: Snapshot, symbol: str) -> Series | None:
    """The instrument's bars of the decision timeframe."""
    return snapshot.series.get((symbol, timeframe_name(snapshot.parameters.step_ms)))
