"""What the gates are shown of a lane's entries: everything that does not change while it runs.

Lives here: the `GateView` of each pair with its constant numbers, and whether the lane can size and
send its entries at all. Must not live here: numbers of one entry (`lane_sums`).
"""

from __future__ import annotations

from decimal import Decimal

from trader.core.approval import Proposal
from trader.core.gate_view import GateView
from trader.core.lane_gates import asked_gates
from trader.core.lane_rows import Pair
from trader.core.lane_rules import LaneRules
from trader.core.lane_sums import AGGRESSIVE, FIXED, KELLY, SHARE
from trader.core.limits import ALL_PPM, NEVER
from trader.core.money import AMOUNT_MAX
from trader.core.order_sums import restrictions, units_below
from trader.core.parameters import Parameters, StrategySpec
from trader.core.risk_curve import CONSERVATIVE_PPM
from trader.core.scale import cash_units, one_in_units
from trader.core.universe import tier_of
from trader.domain.order import Side, TimeInForce

METHODS = {
    "fixed": (FIXED, 0),
    "equity_share": (SHARE, 0),
    "risk": (SHARE, 1),
    "conservative": (SHARE, 1),
    "aggressive": (AGGRESSIVE, 1),
    "kelly": (KELLY, 1),
}


def entry_view_of(
    pair: Pair, strategy: StrategySpec, parameters: Parameters, rules: LaneRules, cash_digits: int
) -> GateView | None:
    """The view of a pair, and its numbers in `pair`; None where its entries are not the lane's."""
    limits, spec = parameters.limits, pair.coin.spec
    plain = strategy.style.style == "taker" and not strategy.scale_ppm
    plain = plain and strategy.timeframe_ms == parameters.step_ms
    if not plain or limits.home.currency or strategy.size.method not in METHODS:
        return None
    _fill_pair(pair, strategy, parameters, cash_digits)
    proposal = Proposal(
        strategy.name, spec.symbol, Side.BUY, TimeInForce.IOC, 0, 0, 0, 1, 1, 0, 0, "entry_signal"
    )
    view = GateView(proposal, spec, limits)
    view.quote_age_ms = 0
    view.halt_rank = view.mismatches = view.unresolved = 0
    view.enabled, view.shadow = int(strategy.enabled), int(strategy.shadow)
    least = cash_units(limits.order_notional_min, cash_digits, up=True)
    own = cash_units(strategy.size.notional_min, cash_digits, up=True)
    view.own_notional_units_min = max(least, own)
    _fill_groups(view, pair, strategy, parameters, rules)
    pair.asked = asked_gates(view)
    return view


def _fill_pair(
    pair: Pair, strategy: StrategySpec, parameters: Parameters, cash_digits: int
) -> None:
    limits, size = parameters.limits, strategy.size
    pair.method, pair.at_risk = METHODS[size.method]
    pair.share_ppm = size.risk_ppm if size.method == "risk" else size.share_ppm
    if size.method == "conservative":
        pair.share_ppm = CONSERVATIVE_PPM
    pair.fixed_units = one_in_units(cash_digits)
    if pair.method == FIXED:
        pair.fixed_units = cash_units(size.notional, cash_digits, up=False)
    least = cash_units(limits.order_notional_min, cash_digits, up=True)
    own = cash_units(size.notional_min, cash_digits, up=True)
    pair.least_units = max(pair.coin.spec.notional_units_min, least, own)
    pair.may_add = int(strategy.pyramiding and limits.pyramiding)
    pair.hold_ms = strategy.hold_ms_max
    pair.lot_float = float(pair.coin.spec.lot)
    caps = [limits.position_ppm, limits.exposure_ppm_max, strategy.budget_exposure_ppm]
    tiers = {tier.name: tier for tier in parameters.universe.tiers}
    tier = tiers.get(strategy.tier or tier_of(parameters.universe, pair.coin.symbol))
    if tier is not None:
        caps.append(tier.weight_ppm)
        pair.tier_index = parameters.universe.tiers.index(tier)
        pair.tier_ppm = tier.weight_ppm
    pair.cap_ppm = min(caps)


def _fill_groups(
    view: GateView, pair: Pair, strategy: StrategySpec, parameters: Parameters, rules: LaneRules
) -> None:
    limits, spec = parameters.limits, pair.coin.spec
    sums, order, risk, times, book = view.sums, view.order, view.risk, view.times, view.book
    tiers = parameters.universe.tiers
    if not tiers:
        view.tier.positions_max = view.tier.exposure_units_max = AMOUNT_MAX
    elif pair.tier_index >= 0:
        view.tier.positions_max = tiers[pair.tier_index].positions_max
    sums.own_positions_max = strategy.budget_positions_max
    sums.trades_hour_max, sums.trades_day_max = limits.trades_hour_max, limits.trades_day_max
    sums.own_trades_day_max = strategy.budget_trades_day_max
    order.skew_ms, order.skew_ms_max = 0, limits.clock_skew_ms_max
    named = restrictions(limits.restricted, parameters.venue, (spec.symbol, Side.BUY, "limit"))
    order.restricted, order.restricted_by = len(named), ",".join(named)
    order.repaint_ppm, order.repaint_ppm_max = 0, limits.repaint_ppm_max
    order.spread_asked = int(limits.spread_ppm_max < ALL_PPM)
    order.spread_ppm_max = limits.spread_ppm_max
    order.window_asked, order.window_ppm = rules.window_asked, limits.collar_window_ppm
    order.sell_lots = order.free_lots = 0
    order.is_buy = 1
    order.volume_asked, order.depth_asked = rules.volume_asked, rules.depth_asked
    order.value_units_max, order.home_asked = rules.value_units_max, 0
    coins = Decimal(limits.order_qty_max_of.get(spec.symbol, limits.order_qty_max))
    order.qty_lots_max = units_below(coins, spec.lot)
    risk.unapproved = []
    risk.faults = risk.wait_ms = risk.duplicates = 0
    risk.messages, risk.messages_max, risk.messages_window = 1, NEVER, "none"
    risk.var_units = risk.correlated_units = 0
    times.cooldown_ms, times.cooldown_name = 0, ""
    times.session_ms = times.blackout_ms = 0
    times.session_name = times.blackout_name = ""
    book.unattended_max = limits.unattended_max
