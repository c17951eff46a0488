"""Auto-trim: positions are reduced when the account's sums are above their caps.

Lives here: what is above a cap, who gives way and how much. Must not live here: caps on entries
(`account_gates`), and the order itself (`exit_orders`).

Two caps are looked at: exposure (value at the marks of all positions, cost of entries in flight)
and loss to the stops, both a share of equity. Prices, a cap that was lowered and equity that fell
can bring a sum above its cap after everything was bought within it. Nothing happens until a sum is
above its cap by more than the share `limits.trim_from_ppm` of that cap (hysteresis; 0: never); then
it is brought down to the cap, by partial sales in this order: the strategy with the lowest priority
(the highest number; one that is gone from the policy before all others), then the largest loss to
the stop, then the instrument's name. A sale that is smaller than the venue takes is raised to that,
a rest that the venue would not take is sold too, and nothing is ever sold that is not held.

A position is not trimmed for its gain. There is no trim to the cap of one position: that cap guards
entries, and a winner may outgrow it. And the loss to the stop counts from the mark or from what was
paid, whichever is lower: a gain that no stop holds yet was never put at risk. Only exposure counts
gains, behind the hysteresis. A position whose data is in doubt counts at the lower price likewise,
and is not trimmed; one that is being sold already, for whatever reason, counts with what will be
left of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from trader.core.desk import Desk, Seen
from trader.core.exit_orders import fresh_bid_ticks, leave
from trader.core.exit_sizes import trim_lots
from trader.core.gates import NO_ANSWERS
from trader.core.money import PPM, mul_div_up, share_down, share_up
from trader.core.parameters import StrategySpec
from trader.core.risk import held_loss_units
from trader.core.scale import value_of_base_down
from trader.core.state import Position
from trader.core.totals import ordered_at_risk
from trader.domain.order import Side
from trader.records import dataclass

GONE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """One position as a trim sees it: amounts in cash units of what is left of it after sales that
    are under way; `fixed`: nothing more of it is to be sold now."""

    position: Position
    priority: int
    lots: int
    fixed: bool
    exposure_units: int
    loss_units: int

    @property
    def turn(self) -> tuple[int, int, str]:
        """Sorts those that give way first to the front."""
        return -self.priority, -self.loss_units, self.position.symbol


def trim(desk: Desk, strategies: Mapping[str, StrategySpec]) -> None:
    """Ask for the sales that bring exposure and loss down to their caps, where they are needed."""
    if desk.limits.trim_from_ppm <= 0 or not desk.valued:
        return
    try:
        _trim(desk, strategies)
    except OverflowError:
        desk.note("", "*", {"reason": "trim"}, {}, NO_ANSWERS, "AMOUNT_OVERFLOW")


def _trim(desk: Desk, strategies: Mapping[str, StrategySpec]) -> None:
    exposure_cap = share_down(desk.equity, desk.limits.exposure_ppm_max)
    loss_cap = share_down(desk.equity, desk.limits.loss_ppm_max)
    from_ppm, all_ = desk.limits.trim_from_ppm, desk.totals.all
    if not (
        _excess(all_.exposure_units, exposure_cap, from_ppm)
        or _excess(all_.loss_units, loss_cap, from_ppm)
    ):
        return  # what is counted below is never more than that
    held = [_held(desk, symbol, strategies) for symbol in desk.view.open_symbols()]
    exposure, loss = _in_flight(desk)
    exposure += sum(one.exposure_units for one in held)
    loss += sum(one.loss_units for one in held)
    too_much = _excess(exposure, exposure_cap, from_ppm)
    too_risky = _excess(loss, loss_cap, from_ppm)
    sums: Seen = {
        "exposure_units": exposure,
        "exposure_units_max": exposure_cap,
        "loss_units": loss,
        "loss_units_max": loss_cap,
    }
    for one in sorted(held, key=lambda one: one.turn):
        sold = 0 if one.fixed else _reduce(desk, one, too_much, too_risky, sums)
        if sold == one.lots:
            too_much = max(0, too_much - one.exposure_units)
            too_risky = max(0, too_risky - one.loss_units)
        elif sold:
            return  # a part of it was enough


def _excess(total: int, cap: int, from_ppm: int) -> int:
    """How much is above the cap; 0 while that is within the hysteresis."""
    return total - cap if total > share_up(cap, PPM + from_ppm) else 0


def _held(desk: Desk, symbol: str, strategies: Mapping[str, StrategySpec]) -> Held:
    state, view = desk.snapshot.state, desk.view
    position, spec = state.positions[symbol], state.spec(symbol)
    leaving = view.sells_in_flight_lots(symbol)
    leaving += sum(leg.qty_lots for leg in view.legs_on(symbol) if leg.side is Side.SELL)
    units = position.qty_units - leaving * spec.base_per_lot
    doubtful = symbol in desk.snapshot.troubles
    mark = view.mark_ticks(symbol)
    if doubtful:
        mark = min(mark, position.entry_ticks)
    value = value_of_base_down(spec, mark, units)
    paid = mul_div_up(position.cost_units, units, position.qty_units)
    stop = max(position.stop_ticks, desk.stops.get(symbol, 0))
    loss = held_loss_units(spec, min(value, paid), units, stop, desk.limits.slippage_ppm)
    owner = strategies.get(position.strategy)
    priority = owner.priority if owner else GONE
    fixed = leaving > 0 or doubtful
    return Held(position, priority, view.held_lots(symbol), fixed, value, loss)


def _in_flight(desk: Desk) -> tuple[int, int]:
    """Cost, and loss to the stop, of entries that may still fill."""
    rows = list(ordered_at_risk(desk.view, desk.limits.slippage_ppm))
    return sum(row[2] for row in rows), sum(row[3] for row in rows)


def _reduce(desk: Desk, one: Held, too_much: int, too_risky: int, sums: Seen) -> int:
    """Sell what is needed of one position; returns the lots that were approved."""
    wanted = max(
        _part(one.lots, too_much, one.exposure_units), _part(one.lots, too_risky, one.loss_units)
    )
    if not wanted:
        return 0
    symbol = one.position.symbol
    spec = desk.snapshot.state.spec(symbol)
    bid = fresh_bid_ticks(desk.snapshot, symbol)
    if not bid:
        desk.alarm(f"EXIT_NO_BID symbol={symbol} reason=trim")
        return 0
    lots = min(trim_lots(spec, one.lots, wanted, bid), spec.qty_lots_max)
    if not lots:
        return 0
    before = len(desk.legs)
    leave(desk, one.position.strategy, spec, "trim", lots, {**sums, "bid_ticks": bid})
    return lots * (len(desk.legs) - before)


def _part(lots: int, excess: int, of: int) -> int:
    """The lots that take the excess (>= 0) away from a sum to which all lots contribute `of`."""
    return mul_div_up(lots, min(excess, of), max(1, of))
