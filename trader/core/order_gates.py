"""Gates over one order: its value and quantity, its price, where it goes and what stands there.

Lives here: the plain integers that these gates compare, and one small question per gate. A number
that was not filled in refuses. Must not live here: how the numbers are made (`order_sums`), and the
order in which gates are asked (`gates`).
"""

from __future__ import annotations

from trader.core.money import AMOUNT_MAX, PPM, mul_div_up, price_down, price_up

Measure = tuple[bool, int, int]
# The same as a C number where this module is compiled.
MILLION = PPM


class OrderSums:
    """What these gates compare. Built so that everything refuses until it was filled in.

    Attributes:
        skew_ms, skew_ms_max: this host's clock less the venue's, and how far off it may be.
        restricted: how many restrictions name the order; `restricted_by` says which.
        repaint_ppm: largest change at the venue of a bar of the instrument that was decided on.
        bid_ticks, ask_ticks: 0 when there is none. spread_asked: 0 when there is no limit.
        price_ticks: limit of the order. window_asked: 0 when no window's price is looked at;
            window_ticks: the close so many bars earlier, 0 when it is not known.
        sell_lots: what the order sells, 0 for a buy; free_lots: held less what other sells may
            still take.
        is_buy: 1 or 0. own_sell_ticks: lowest price of an own sell that could meet this order.
        value_units, value_units_max: cash. home_asked: 0 when app.quote is the owner's currency;
            home_units_max: the limit in that currency, worth so much cash now, -1 when its rate is
            not known; `home_words`: why, or at which rate.
        qty_lots, qty_lots_max. volume_asked, depth_asked: 0 when there is no limit;
            volume_lots_max, depth_lots_max: -1 when volume or depth are not known.
    """

    __slots__ = (
        "ask_ticks",
        "bid_ticks",
        "depth_asked",
        "depth_lots_max",
        "free_lots",
        "home_asked",
        "home_units_max",
        "home_words",
        "is_buy",
        "own_sell_ticks",
        "price_ticks",
        "qty_lots",
        "qty_lots_max",
        "repaint_ppm",
        "repaint_ppm_max",
        "restricted",
        "restricted_by",
        "sell_lots",
        "skew_ms",
        "skew_ms_max",
        "spread_asked",
        "spread_ppm_max",
        "value_units",
        "value_units_max",
        "volume_asked",
        "volume_lots_max",
        "window_asked",
        "window_ppm",
        "window_ticks",
    )

    def __init__(self) -> None:
        """Everything refuses."""
        self.skew_ms = self.repaint_ppm = AMOUNT_MAX
        self.skew_ms_max = self.repaint_ppm_max = self.spread_ppm_max = 0
        self.restricted = 1
        self.restricted_by = ""
        self.bid_ticks = self.ask_ticks = 0
        self.price_ticks = AMOUNT_MAX
        self.spread_asked = 1
        self.window_asked = self.home_asked = self.volume_asked = self.depth_asked = 1
        self.window_ticks = self.window_ppm = 0
        self.sell_lots = AMOUNT_MAX
        self.free_lots = -1
        self.is_buy = 1
        self.own_sell_ticks = 0
        self.value_units = self.qty_lots = AMOUNT_MAX
        self.value_units_max = self.qty_lots_max = -1
        self.home_units_max = self.volume_lots_max = self.depth_lots_max = -1
        self.home_words = ""


def clock_skew(sums: OrderSums) -> Measure:
    """This host's clock is as near to the venue's as allowed: else nobody knows which bar closed,
    or how old a quote is."""
    return abs(sums.skew_ms) <= sums.skew_ms_max, sums.skew_ms_max, sums.skew_ms


def restricted(sums: OrderSums) -> Measure:
    """Nothing names the instrument, the side, the kind of order or the venue; what is unknown is
    named."""
    return sums.restricted == 0, 0, sums.restricted


def data_repainted(sums: OrderSums) -> Measure:
    """No bar that was decided on has since become another one."""
    return sums.repaint_ppm <= sums.repaint_ppm_max, sums.repaint_ppm_max, sums.repaint_ppm


def spread(sums: OrderSums) -> Measure:
    """(ask - bid) / mid, millionths rounded up. Raises AmountOverflow for a crossed quote."""
    if sums.spread_asked == 0:
        return True, sums.spread_ppm_max, 0
    if sums.bid_ticks < 1:
        return False, sums.spread_ppm_max, -1
    both = sums.bid_ticks + sums.ask_ticks
    measured = mul_div_up(sums.ask_ticks - sums.bid_ticks, 2 * MILLION, both)
    return measured <= sums.spread_ppm_max, sums.spread_ppm_max, measured


def collar_window(sums: OrderSums) -> Measure:
    """The price is not insanely far from where the market was so many bars earlier."""
    price, then = sums.price_ticks, sums.window_ticks
    if sums.window_asked == 0:
        return True, 0, price
    if then < 1:
        return False, 0, price
    up = price_up(then, sums.window_ppm)
    if price > up:
        return False, up, price
    down = price_down(then, sums.window_ppm)
    return price >= down, down, price


def short(sums: OrderSums) -> Measure:
    """A sell takes no more than is held and not in another sell that may still happen."""
    return sums.sell_lots <= max(0, sums.free_lots), sums.free_lots, sums.sell_lots


def self_cross(sums: OrderSums) -> Measure:
    """A buy stays below every own sell of the instrument, whichever strategy's: else the account
    would trade with itself."""
    return (
        sums.is_buy == 0 or sums.price_ticks < sums.own_sell_ticks,
        (sums.own_sell_ticks - 1),
        sums.price_ticks,
    )


def order_value(sums: OrderSums) -> Measure:
    """Value of the order at its limit, rounded up, in settlement currency."""
    return sums.value_units <= sums.value_units_max, sums.value_units_max, sums.value_units


def order_value_home(sums: OrderSums) -> Measure:
    """The same against the limit in the owner's currency, which is worth so much now."""
    ok = sums.home_asked == 0 or sums.value_units <= sums.home_units_max
    return ok, sums.home_units_max, sums.value_units


def order_qty(sums: OrderSums) -> Measure:
    """Quantity, whatever it is worth: a price of next to nothing must not smuggle a fortune."""
    return sums.qty_lots <= sums.qty_lots_max, sums.qty_lots_max, sums.qty_lots


def volume_share(sums: OrderSums) -> Measure:
    """Quantity against what is traded in a bar on average."""
    ok = sums.volume_asked == 0 or sums.qty_lots <= sums.volume_lots_max
    return ok, sums.volume_lots_max, sums.qty_lots


def depth_share(sums: OrderSums) -> Measure:
    """Quantity against what stands at the best ask."""
    ok = sums.depth_asked == 0 or sums.qty_lots <= sums.depth_lots_max
    return ok, sums.depth_lots_max, sums.qty_lots
