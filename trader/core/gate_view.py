"""What the gates see of one proposal, and the gates over that alone.

Lives here: `GateView`, plain integers that refuse until they were filled in, and one small question
per gate over them. Must not live here: the gates over sums (`account_gates` and its siblings), the
order in which all are asked (`gates`), and where the numbers come from.
"""

from __future__ import annotations

from trader.core.account_gates import AccountSums, Measure
from trader.core.approval import Proposal
from trader.core.book_gates import BookSums
from trader.core.limits import Limits
from trader.core.money import AMOUNT_MAX, price_down, price_up
from trader.core.order_gates import OrderSums
from trader.core.risk_gates import RiskSums
from trader.core.scale import Spec
from trader.core.tier_gates import TierSums
from trader.core.time_gates import TimeSums
from trader.domain.order import Side

# The same as a C number where this module is compiled.
MOST = AMOUNT_MAX


class GateView:
    """One proposal and what surrounds it, as integers.

    Attributes:
        is_entry, is_buy: 1 or 0. price_ticks, qty_lots: of the proposal.
        bid_ticks, ask_ticks: 0 when there is none. quote_age_ms: negative: from the future.
        close_ticks: independent reference, the last close; 0 when there is none.
        before_ticks: the close one bar earlier; 0 when there is none.
        worst_ticks: the worst price that the size was computed for; 0 for an exit.
        slippage_ppm: the cap of this attempt. quote_age_ms_max, bar_jump_ppm_max, collar_ppm,
            positions_max: as in `Limits`.
        halt_rank: 0 running .. 3 frozen. mismatches: number of unexplained differences.
        unresolved, working_entries: orders on this instrument. held_lots: sellable lots held.
        shadow: 1 when the strategy only watches, `shadow_why`: why, where policy does not say so.
        may_add: 1 when it may add to what it holds.
        owner_other: 1 when another strategy owns the instrument, whose name is `owner`.
        positions: open or being opened, other instruments than this one.
        notional_units, cost_units: of this order, cost with fee. cash_units: free of what is in
            flight. exposure_units: held and in flight on this instrument, before this order.
        sums: of the account and the strategy's budget, this entry included. tier: of its tier.
        order, risk, times, book: see the modules of these gates.
    """

    __slots__ = (
        "active",
        "ask_ticks",
        "bar_jump_ppm_max",
        "before_ticks",
        "bid_ticks",
        "book",
        "cash_units",
        "close_ticks",
        "collar_ppm",
        "cost_units",
        "enabled",
        "exposure_units",
        "halt_rank",
        "held_lots",
        "is_buy",
        "is_entry",
        "may_add",
        "mismatches",
        "notional_units",
        "order",
        "own_notional_units_min",
        "owner",
        "owner_other",
        "position_cap_units",
        "positions",
        "positions_max",
        "price_ticks",
        "qty_lots",
        "qty_lots_max",
        "qty_lots_min",
        "quote_age_ms",
        "quote_age_ms_max",
        "risk",
        "shadow",
        "shadow_why",
        "slippage_ppm",
        "sums",
        "tier",
        "times",
        "unresolved",
        "venue_notional_units_min",
        "working_entries",
        "worst_ticks",
    )

    def __init__(self, proposal: Proposal, spec: Spec, limits: Limits) -> None:
        """With everything that refuses by default until the caller has filled it in."""
        self.quote_age_ms_max = limits.quote_age_ms_max
        self.bar_jump_ppm_max, self.collar_ppm = limits.bar_jump_ppm_max, limits.collar_ppm
        self.positions_max = limits.positions_max
        self.is_buy = 1 if proposal.side is Side.BUY else 0
        self.is_entry = self.is_buy
        self.price_ticks = proposal.price_ticks
        self.qty_lots = proposal.qty_lots
        self.active = 1 if spec.active else 0
        self.qty_lots_min = spec.qty_lots_min
        self.qty_lots_max = spec.qty_lots_max
        self.venue_notional_units_min = spec.notional_units_min
        self.own_notional_units_min = AMOUNT_MAX
        self.slippage_ppm = limits.slippage_ppm
        self.enabled = self.may_add = 0
        self.shadow = 1
        self.shadow_why = ""
        self.owner = ""
        self.bid_ticks = self.ask_ticks = self.close_ticks = self.before_ticks = 0
        self.worst_ticks = 0
        self.quote_age_ms = AMOUNT_MAX
        self.halt_rank = 3
        self.mismatches = self.unresolved = self.working_entries = self.owner_other = 1
        self.held_lots = self.positions = AMOUNT_MAX
        self.notional_units = self.cost_units = self.exposure_units = 0
        self.cash_units = 0
        self.position_cap_units = -1
        self.sums = AccountSums()
        self.tier = TierSums()
        self.order = OrderSums()
        self.risk = RiskSums()
        self.times = TimeSums()
        self.book = BookSums()


def halt_level(view: GateView) -> Measure:
    """Entries need `running`; exits stop at `frozen` only."""
    # no_entries (1) and reduce_only (2) stop entries; only frozen (3) stops an exit.
    limit = 0 if view.is_entry else 2
    return view.halt_rank <= limit, limit, view.halt_rank


def strategy_on(view: GateView) -> Measure:
    """The strategy may open positions."""
    return view.enabled == 1, 1, view.enabled


def strategy_live(view: GateView) -> Measure:
    """The strategy does not only watch."""
    return view.shadow == 0, 0, view.shadow


def books_match(view: GateView) -> Measure:
    """Journal and venue agree."""
    return view.mismatches == 0, 0, view.mismatches


def instrument_active(view: GateView) -> Measure:
    """The venue accepts orders for the instrument."""
    return view.active == 1, 1, view.active


def quote_there(view: GateView) -> Measure:
    """Both bid and ask are at least one tick."""
    lowest = min(view.bid_ticks, view.ask_ticks)
    return lowest >= 1, 1, lowest


def quote_uncrossed(view: GateView) -> Measure:
    """The bid is not above the ask."""
    return view.bid_ticks <= view.ask_ticks, view.ask_ticks, view.bid_ticks


def quote_fresh(view: GateView) -> Measure:
    """The quote is neither old nor from the future."""
    limit = view.quote_age_ms_max
    return -limit <= view.quote_age_ms <= limit, limit, view.quote_age_ms


def data_jump(view: GateView) -> Measure:
    """The newest close is not implausibly far from the one before."""
    before = view.before_ticks
    if before <= 0 or view.close_ticks <= 0:
        return False, 0, view.close_ticks
    up = price_up(before, view.bar_jump_ppm_max)
    if view.close_ticks > up:
        return False, up, view.close_ticks
    down = price_down(before, view.bar_jump_ppm_max)
    return view.close_ticks >= down, down, view.close_ticks


def price_collar(view: GateView) -> Measure:
    """The price is not insanely far from the last close."""
    if view.close_ticks <= 0:
        return False, 0, view.price_ticks
    up = price_up(view.close_ticks, view.collar_ppm)
    if view.price_ticks > up:
        return False, up, view.price_ticks
    down = price_down(view.close_ticks, view.collar_ppm)
    return view.price_ticks >= down, down, view.price_ticks


def slippage_cap(view: GateView) -> Measure:
    """The price pays no more beyond the touch than this attempt may."""
    if view.is_buy:
        limit = price_up(view.ask_ticks, view.slippage_ppm) if view.ask_ticks > 0 else 0
        return 0 < view.price_ticks <= limit, limit, view.price_ticks
    limit = price_down(view.bid_ticks, view.slippage_ppm) if view.bid_ticks > 0 else 0
    return view.price_ticks >= limit > 0, limit, view.price_ticks


def touch_moved(view: GateView) -> Measure:
    """The touch is not beyond the worst price that the size was computed for."""
    return 0 < view.ask_ticks <= view.worst_ticks, view.worst_ticks, view.ask_ticks


def outcome_unknown(view: GateView) -> Measure:
    """No order on the instrument has an unknown outcome."""
    return view.unresolved == 0, 0, view.unresolved


def order_working(view: GateView) -> Measure:
    """No entry works on the instrument."""
    return view.working_entries == 0, 0, view.working_entries


def owner(view: GateView) -> Measure:
    """No other strategy owns the instrument."""
    return view.owner_other == 0, 0, view.owner_other


def already_held(view: GateView) -> Measure:
    """Nothing is held, or it may be added to."""
    limit = MOST if view.may_add == 1 else view.qty_lots_min - 1
    return view.held_lots <= limit, limit, view.held_lots


def positions_max(view: GateView) -> Measure:
    """Positions open and being opened, this one included."""
    limit = view.positions_max
    return view.positions + 1 <= limit, limit, view.positions + 1


def position_cap(view: GateView) -> Measure:
    """Value of the position with this order."""
    after = view.exposure_units + view.notional_units
    return after <= view.position_cap_units, view.position_cap_units, after


def cash(view: GateView) -> Measure:
    """Cash that is free covers cost and fee."""
    return 0 < view.cost_units <= view.cash_units, view.cash_units, view.cost_units


def qty_min(view: GateView) -> Measure:
    """The instrument's smallest quantity."""
    return view.qty_lots >= view.qty_lots_min, view.qty_lots_min, view.qty_lots


def qty_max(view: GateView) -> Measure:
    """The instrument's largest quantity."""
    return view.qty_lots <= view.qty_lots_max, view.qty_lots_max, view.qty_lots


def notional_min(view: GateView) -> Measure:
    """The venue's smallest value, and for an entry the policy's."""
    limit = view.venue_notional_units_min
    if view.is_entry:
        limit = max(limit, view.own_notional_units_min)
    return view.notional_units >= limit, limit, view.notional_units
