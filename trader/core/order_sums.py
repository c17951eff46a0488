"""The numbers of `order_gates` for one entry, and for the sells that are asked a part of them.

Lives here: how they are made of the decision's desk: what does not depend on the entry once a
decision (`OrderDesk`), the rest from the entry. Must not live here: whether that is allowed.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from math import isfinite
from typing import TYPE_CHECKING

from trader.core.account_view import in_flight
from trader.core.frames import last_open_ms
from trader.core.limits import ALL_PPM, NEVER, Restricted
from trader.core.money import AMOUNT_MAX, PPM, share_down
from trader.core.order_gates import OrderSums
from trader.core.scale import notional_up
from trader.core.sizing import float_down
from trader.domain.order import Side
from trader.domain.pairs import pair_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trader.core.approval import Proposal
    from trader.core.desk import Desk
    from trader.core.parameters import StrategySpec
    from trader.core.scale import Spec
    from trader.core.snapshot import Snapshot
    from trader.core.state import Order, State

ORDER_TYPES = frozenset({"limit", "post_only", "stop_limit"})
STOP = "stop_limit"


def order_sums(desk: Desk, proposal: Proposal, strategy: StrategySpec, spec: Spec) -> OrderSums:
    """What would be true of this entry. Raises AmountOverflow when a number does not fit."""
    limits, snapshot, symbol = desk.limits, desk.snapshot, proposal.symbol
    shared, sums = desk.orders, OrderSums()
    sums.skew_ms, sums.skew_ms_max = snapshot.skew_ms, limits.clock_skew_ms_max
    sums.restricted, sums.restricted_by = shared.restricted(proposal)
    sums.repaint_ppm = snapshot.repaints.get(symbol, 0)
    sums.repaint_ppm_max = limits.repaint_ppm_max
    sums.spread_asked = int(limits.spread_ppm_max < ALL_PPM)
    sums.spread_ppm_max = limits.spread_ppm_max
    sums.price_ticks, sums.qty_lots = proposal.price_ticks, proposal.qty_lots
    sums.window_asked = int(limits.collar_window_ppm < NEVER)
    sums.window_ppm = limits.collar_window_ppm
    sums.window_ticks = shared.window_ticks(symbol, strategy)
    sums.sell_lots, sums.free_lots = 0, 0
    sums.is_buy = int(proposal.side is Side.BUY)
    sums.volume_asked = int(limits.volume_ppm_max < NEVER)
    sums.volume_lots_max = shared.volume_lots_max(symbol, strategy, spec)
    sums.depth_asked = int(limits.depth_ppm_max > 0)
    quote = snapshot.quotes.get(symbol)
    if quote is not None:
        sums.bid_ticks, sums.ask_ticks = quote.bid_ticks, quote.ask_ticks
        if quote.ask_lots >= 0:
            sums.depth_lots_max = share_down(quote.ask_lots, limits.depth_ppm_max)
    orders, legs = desk.view.orders_on(symbol), desk.view.legs_on(symbol)
    sums.own_sell_ticks = lowest_sell([*orders, *legs], sums.bid_ticks)
    sums.value_units = notional_up(spec, proposal.price_ticks, proposal.qty_lots)
    sums.value_units_max = shared.value_units_max
    sums.home_asked = int(limits.home.currency != "")
    sums.home_units_max, sums.home_words = shared.home_units_max, shared.home_words
    sums.qty_lots_max = shared.qty_lots_max(symbol, spec)
    return sums


def sell_sums(proposal: Proposal, free: int) -> OrderSums:
    """What is asked of an exit, of a protective stop, and of their next attempts; all else
    refuses. `free`: lots that may be sold, see `free_lots`."""
    sums = OrderSums()
    sums.sell_lots = proposal.qty_lots
    sums.free_lots = free
    return sums


def free_lots(state: State, symbol: str, strategy: str) -> int:
    """Whole lots that a strategy holds, less those in sells that may still happen.

    A stop that rests at the venue and is known to is not taken off: whoever sells cancels it first.
    """
    held = state.held_units(strategy, symbol) // state.spec(symbol).base_per_lot
    taken = 0
    for order in state.orders_of(symbol):
        resting_stop = order.is_stop and not order.unresolved
        if order.side is Side.SELL and in_flight(order) and not resting_stop:
            taken += order.qty_lots - order.filled_lots
    return held - taken


def lowest_sell(sells: Iterable[Order | Proposal], bid_ticks: int) -> int:
    """The lowest price among own sells that a buy could meet, AMOUNT_MAX when there is none. A stop
    is in nobody's book while the bid is above its trigger."""
    lowest = AMOUNT_MAX
    for sell in sells:
        dormant = sell.order_type == STOP and bid_ticks > sell.trigger_ticks
        if sell.side is Side.SELL and not dormant:
            lowest = min(lowest, sell.price_ticks)
    return lowest


class OrderDesk:
    """What the entries of one decision share.

    Attributes:
        value_units_max: largest value of an order, cash units, rounded down.
        home_units_max: what the limit in the owner's currency is worth in cash units, at the bid
            of its rate (a lower rate makes a lower limit); -1 when the rate cannot be told.
        home_words: at which rate, or why there is none; "" when it is not asked.
    """

    __slots__ = (
        "_desk",
        "_qty",
        "_rules",
        "_volume",
        "_window",
        "home_units_max",
        "home_words",
        "value_units_max",
    )

    def __init__(self, desk: Desk) -> None:
        """Decimals become units here, once."""
        self._desk = desk
        unit = Decimal(1).scaleb(-desk.snapshot.state.number("cash_digits"))
        self.value_units_max = units_below(Decimal(desk.limits.order_value_max), unit)
        self.home_units_max, self.home_words = home_units(desk.snapshot, unit)
        self._rules: dict[tuple[str, Side, str], tuple[int, str]] = {}
        self._qty: dict[str, int] = {}
        self._window: dict[tuple[str, str], int] = {}
        self._volume: dict[tuple[str, str], int] = {}

    def restricted(self, proposal: Proposal) -> tuple[int, str]:
        """How many restrictions name an order, and which, joined by commas; what nobody knows is
        restricted."""
        key = (proposal.symbol, proposal.side, proposal.order_type)
        found = self._rules.get(key)
        if found is None:
            desk = self._desk
            names = restrictions(desk.limits.restricted, desk.parameters.venue, key)
            found = self._rules[key] = (len(names), ",".join(names))
        return found

    def qty_lots_max(self, symbol: str, spec: Spec) -> int:
        """Largest quantity of an order, lots, rounded down."""
        found = self._qty.get(symbol)
        if found is None:
            limits = self._desk.limits
            coins = Decimal(limits.order_qty_max_of.get(symbol, limits.order_qty_max))
            found = self._qty[symbol] = units_below(coins, spec.lot)
        return found

    def window_ticks(self, symbol: str, strategy: StrategySpec) -> int:
        """The close `collar_window_bars` before the strategy's newest bar, of the newest bar that
        had opened by then; 0 when there is none."""
        key = (symbol, strategy.timeframe)
        found = self._window.get(key)
        if found is None:
            found = self._window[key] = self._close_then(key, strategy.timeframe_ms)
        return found

    def _close_then(self, key: tuple[str, str], step_ms: int) -> int:
        series = self._desk.snapshot.series.get(key)
        if series is None:
            return 0
        newest = last_open_ms(self._desk.snapshot.close_ms, step_ms)
        then = newest - self._desk.limits.collar_window_bars * step_ms
        index = series.index_of(then + 1) - 1
        return series.close[index] if index >= 0 else 0

    def volume_lots_max(self, symbol: str, strategy: StrategySpec, spec: Spec) -> int:
        """Lots that are `volume_ppm_max` of the mean volume of a bar; a bar that is absent has
        none. -1 when the volume is not a number."""
        if self._desk.limits.volume_ppm_max >= NEVER:
            return -1
        key = (symbol, strategy.timeframe)
        found = self._volume.get(key)
        if found is None:
            found = self._volume[key] = self._share_of_volume(key, strategy.timeframe_ms, spec)
        return found

    def _share_of_volume(self, key: tuple[str, str], step_ms: int, spec: Spec) -> int:
        limits, series = self._desk.limits, self._desk.snapshot.series.get(key)
        if series is None:
            return -1
        newest = last_open_ms(self._desk.snapshot.close_ms, step_ms)
        first = series.index_of(newest - (limits.volume_bars - 1) * step_ms)
        total = 0.0
        for index in range(first, series.index_of(newest + 1)):
            total += series.volume[index]
        lots = total / limits.volume_bars * limits.volume_ppm_max / PPM / float(spec.lot)
        if not isfinite(lots) or lots < 0.0:
            return -1
        return float_down(lots) if lots < float(AMOUNT_MAX) else AMOUNT_MAX - 1


def restrictions(rules: Restricted, venue: str, order: tuple[str, Side, str]) -> list[str]:
    """Which restrictions name an order, given as (instrument, side, kind of order)."""
    symbol, side, kind = order
    named = (
        ("instrument", symbol in pair_set(rules.instruments)),
        ("side", str(side) in rules.sides),
        ("order_type", kind in rules.order_types or kind not in ORDER_TYPES),
        ("venue", venue in rules.venues or not venue),
    )
    return [name for name, is_named in named if is_named]


def units_below(value: Decimal, unit: Decimal) -> int:
    """`value / unit` rounded down; a limit beyond what integers hold is the largest that they do:
    nothing that is measured comes near it."""
    with localcontext() as context:
        context.prec = 60
        whole = int((value / unit).to_integral_value(ROUND_FLOOR))
    return min(whole, AMOUNT_MAX - 1)


def home_units(snapshot: Snapshot, unit: Decimal) -> tuple[int, str]:
    """(the limit in the owner's currency in cash units, at which rate): see OrderDesk."""
    home = snapshot.parameters.limits.home
    if not home.currency:
        return -1, ""
    words = f"home={home.currency}"
    quote = snapshot.quotes.get(home.rate_symbol)
    known = home.rate_symbol in snapshot.state.instruments
    if quote is None or not known or not 1 <= quote.bid_ticks <= quote.ask_ticks:
        return -1, f"{words} rate=none"
    age_ms = snapshot.now_ms - quote.at_ms
    if abs(age_ms) > home.quote_age_ms_max:
        return -1, f"{words} rate=old age_ms={age_ms}"
    spec = snapshot.state.spec(home.rate_symbol)
    if spec.quote != snapshot.parameters.quote:
        return -1, f"{words} rate=in_{spec.quote}"
    with localcontext() as context:
        context.prec = 60
        worth = Decimal(home.order_value_max) * spec.price(quote.bid_ticks)
    return units_below(worth, unit), f"{words} rate_ticks={quote.bid_ticks}"
