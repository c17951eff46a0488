"""What fills: one definition for paper and back-test.

Lives here: whether a limit order fills against a touch or a bar, at what price and for how many
lots, and the `fill` fact that follows. The worst order of events is assumed inside a bar. Must not
live here: the local exchange's matching, which is a second opinion and shares nothing with this.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from trader.core.model import AWAY_PPM_MAX, Slippage
from trader.core.money import PPM, mul_div_up, share_down, share_up
from trader.core.scale import Spec, fee_up, notional_down, notional_up, text, to_decimal
from trader.core.state import Order
from trader.domain.order import Side

NO_FILL = (0, 0)


def fill_ioc(
    side: Side, limit_ticks: int, qty_lots: int, touch_ticks: int, touch_lots: int
) -> tuple[int, int]:
    """(price_ticks, lots) of an immediate-or-cancel limit order against the touch.

    `touch_ticks` is the ask for a buy and the bid for a sell; <= 0 means there is none.
    `touch_lots` is the quantity there, -1 when not told (then all of the order fills).
    """
    if touch_ticks <= 0:
        return NO_FILL
    if side is Side.BUY and touch_ticks > limit_ticks:
        return NO_FILL
    if side is Side.SELL and touch_ticks < limit_ticks:
        return NO_FILL
    lots = qty_lots if touch_lots < 0 else min(qty_lots, touch_lots)
    return (touch_ticks, lots) if lots > 0 else NO_FILL


def away_ticks(side: Side, base_ticks: int, away_ppm: int) -> int:
    """The price that a taker gets `away_ppm` (rounded up, below PPM) from a bar's price, against
    it: a buy above, rounded up; a sale below, rounded down, at least one tick."""
    if side is Side.BUY:
        return share_up(base_ticks, PPM + away_ppm)
    return max(1, share_down(base_ticks, PPM - away_ppm))


def slippage_ppm(slippage: Slippage, spread_ppm: int, lots: int, volume_lots: int) -> int:
    """What an order of so many lots gives away beyond the touch, rounded up.

        fixed + of_spread * spread + impact * sqrt(lots / volume)

    Linear: `impact * lots / volume`. Where no volume is told the order counts as all of it. The
    square root is the usual law of market impact (Almgren and others, 2005), exact in integers.
    """
    away = slippage.fixed_ppm + share_up(spread_ppm, slippage.of_spread_ppm)
    full = slippage.impact_ppm
    if full:
        volume = max(1, volume_lots if volume_lots > 0 else lots)
        if slippage.linear:
            away += mul_div_up(full, lots, volume)
        else:
            # The least whole x with x * x * volume >= full * full * lots.
            away += ceil_sqrt(full, lots, volume)
    return min(away, AWAY_PPM_MAX)


def ceil_sqrt(full: int, lots: int, volume: int) -> int:
    """ceil(full * sqrt(lots / volume)), exact; big numbers are asked for in Python's integers."""
    inside = -(-(full * full * lots) // volume)
    root = isqrt(inside)
    return root if root * root == inside else root + 1


class Met(NamedTuple):
    """What a taker's order meets: a bar's price and the spread there, the lots that may fill at
    most (-1: no bound), and what the bar traded, lots (only asked for an impact)."""

    base_ticks: int
    spread_ppm: int
    room_lots: int = -1
    volume_lots: int = -1


def fill_taker(
    side: Side, limit_ticks: int, qty_lots: int, met: Met, slippage: Slippage
) -> tuple[int, int]:
    """(price_ticks, lots) of a taker's order against a bar's price with spread and slippage.

    With an impact, only so much fills as the limit still covers.
    """
    wanted = qty_lots if met.room_lots < 0 else min(qty_lots, met.room_lots)
    if wanted <= 0 or met.base_ticks <= 0:
        return NO_FILL
    half = (met.spread_ppm + 1) // 2

    def price_of(lots: int) -> int:
        away = half + slippage_ppm(slippage, met.spread_ppm, lots, met.volume_lots)
        return away_ticks(side, met.base_ticks, min(away, PPM - 1))

    def covered(lots: int) -> bool:
        price = price_of(lots)
        return price <= limit_ticks if side is Side.BUY else price >= limit_ticks

    if covered(wanted):
        return price_of(wanted), wanted
    # The price only worsens with the lots, so the most that is covered is found by halves.
    low, high = 0, wanted
    while high - low > 1:
        middle = (low + high) // 2
        if covered(middle):
            low = middle
        else:
            high = middle
    return (price_of(low), low) if low else NO_FILL


def fill_resting(
    side: Side,
    limit_ticks: int,
    qty_lots: int,
    bar: tuple[int, int, int],
    volume_lots: int,
) -> tuple[int, int]:
    """(price_ticks, lots) of a resting limit order on one bar (open, high, low in ticks).

    The price must trade *through* the limit, because at the limit others may stand before us. It
    fills at its own price; where the bar lies wholly beyond that, at the bar's worst for us (its
    high for a buy): no price that did not trade is given or taken. `volume_lots` bounds the
    quantity; -1 when not told.
    """
    _, high, low = bar
    buy = side is Side.BUY
    through = low < limit_ticks if buy else high > limit_ticks
    lots = qty_lots if volume_lots < 0 else min(qty_lots, volume_lots)
    if not through or lots <= 0:
        return NO_FILL
    return (min(limit_ticks, high) if buy else max(limit_ticks, low), lots)


def stop_touch(trigger_ticks: int, bar: tuple[int, int, int]) -> int:
    """The price at which a bar (open, high, low) triggers a stop that sells, 0 when it does not:
    the open when it is at or below the trigger (a gap), else the trigger itself."""
    open_, _, low = bar
    if open_ <= trigger_ticks:
        return open_
    return trigger_ticks if low <= trigger_ticks else 0


def fill_stop(
    limit_ticks: int,
    qty_lots: int,
    touch: tuple[int, int],
    bar: tuple[int, int, int],
    volume_lots: int,
) -> tuple[int, int]:
    """(price_ticks, lots) of a stop-limit sale on the bar that triggers it.

    `touch`: the price that triggered it, and the bid there. It sells at that bid, never below its
    limit. Where a gap has left the limit behind, it rests there for the rest of the bar; where it
    was triggered inside the bar, what came after is not known and nothing more is assumed.
    """
    price, bid = touch
    if bid >= limit_ticks:
        lots = qty_lots if volume_lots < 0 else min(qty_lots, volume_lots)
        return (bid, lots) if lots > 0 else NO_FILL
    if price == bar[0]:
        return fill_resting(Side.SELL, limit_ticks, qty_lots, bar, volume_lots)
    return NO_FILL


def fill_payload(  # noqa: PLR0913 - the facts of one execution
    order: Order,
    spec: Spec,
    trade_id: str,
    price_ticks: int,
    qty_lots: int,
    at_ms: int,
    *,
    fee_ppm: int,
    fee_in_base: bool,
    maker: bool,
) -> dict[str, int | str]:
    """The `fill` fact of a modelled execution: we pay rounded up, receive rounded down."""
    buy = order.side is Side.BUY
    value = notional_up if buy else notional_down
    cost = value(spec, price_ticks, qty_lots)
    base_fee = buy and fee_in_base
    return {
        "client_id": order.client_id,
        "symbol": order.symbol,
        "trade_id": trade_id,
        "side": str(order.side),
        "price_ticks": price_ticks,
        "qty_lots": qty_lots,
        "cost_units": cost,
        "fee_cash_units": 0 if base_fee else fee_up(cost, fee_ppm),
        "fee_base_units": (share_up(qty_lots * spec.base_per_lot, fee_ppm) if base_fee else 0),
        "fee_asset": "",
        "fee": "",
        "maker": int(maker),
        "at_ms": at_ms,
    }


def modelled_fee(spec: Spec, payload: dict[str, int | str]) -> tuple[str, str]:
    """(amount as decimal text, asset) of a modelled fill's fee, for a venue's books."""
    base = int(payload["fee_base_units"])
    if base:
        return text(to_decimal(base, spec.base_unit)), spec.base
    return text(to_decimal(int(payload["fee_cash_units"]), spec.cash_unit)), spec.quote
