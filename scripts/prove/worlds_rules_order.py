"""Rules of one order: its price, its value and quantity, where it goes and what stands there.

Lives here: what `worlds_rules` puts into its table. Must not live here: sums over the account.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fnmatch import fnmatchcase

from worlds_ledger import ZERO
from worlds_moment import MILLION, NEVER, Found, Leg, Moment

from trader.core.limits import NEVER as UNBOUND

FLOATS = Decimal("0.000001")  # a mean of floats is nobody's exact number


def _restricted(m: Moment, leg: Leg) -> Found:
    rules = m.limits.restricted
    named = [
        any(fnmatchcase(leg.symbol, pattern.replace(".*", "*")) for pattern in rules.instruments),
        ("buy" if leg.buy else "sell") in rules.sides,
        leg.order_type in rules.order_types,
        leg.order_type not in {"limit", "post_only", "stop_limit"},
        m.parameters.venue in rules.venues or not m.parameters.venue,
    ]
    return Found(Decimal(sum(named)), ZERO)


def _spread(m: Moment, leg: Leg) -> Found:
    quote = m.quote(leg)
    if quote.bid_ticks < 1 or quote.ask_ticks < quote.bid_ticks:
        return Found(NEVER, ZERO)
    middle = Decimal(quote.bid_ticks + quote.ask_ticks) / 2
    wide = (quote.ask_ticks - quote.bid_ticks) / middle * MILLION
    return Found(wide, Decimal(m.limits.spread_ppm_max))


def _collar(m: Moment, leg: Leg) -> Found:
    close, _ = m.close(leg)
    if close <= 0:
        return Found(NEVER, ZERO)
    return Found(abs(leg.price - close) / close * MILLION, Decimal(m.limits.collar_ppm))


def _collar_window(m: Moment, leg: Leg) -> Found | None:
    limits, spec = m.limits, m.spec(leg.strategy)
    if limits.collar_window_ppm >= UNBOUND:
        return None
    newest = m.close_ms // spec.timeframe_ms * spec.timeframe_ms - spec.timeframe_ms
    then = newest - limits.collar_window_bars * spec.timeframe_ms
    closes = [bar[1] for bar in m.bars[leg.symbol, spec.timeframe] if bar[0] <= then]
    if not closes or closes[-1] <= 0:
        return Found(NEVER, ZERO)
    away = abs(leg.price - closes[-1]) / closes[-1] * MILLION
    return Found(away, Decimal(limits.collar_window_ppm))


def _slippage(m: Moment, leg: Leg) -> Found:
    tick = m.ledger.rules[leg.symbol].tick
    quote, cap = m.quote(leg), Decimal(m.limits.slippage_ppm)
    touch = (quote.ask_ticks if leg.buy else quote.bid_ticks) * tick
    if touch <= 0 or leg.price <= 0:
        return Found(NEVER, cap)
    worse = leg.price - touch if leg.buy else touch - leg.price
    if not leg.buy and leg.price == tick:
        return Found(ZERO, cap)  # there is no lower price
    return Found(worse / touch * MILLION, cap)


def _touch(m: Moment, leg: Leg) -> Found:
    close, _ = m.close(leg)
    ask = m.quote(leg).ask_ticks * m.ledger.rules[leg.symbol].tick
    if ask <= 0 or close <= 0:
        return Found(NEVER, ZERO)
    return Found((ask - close) / close * MILLION, Decimal(m.limits.slippage_ppm))


def _short(m: Moment, leg: Leg) -> Found:
    if leg.buy:
        return Found(ZERO, ZERO)
    mine = m.ledger.held.get((leg.strategy, leg.symbol), ZERO)
    taken = sum((o.rest for o in m.ledger.on(leg.symbol) if not o.buy and not o.dormant), ZERO)
    taken += sum((g.qty for g in m.legs if g.symbol == leg.symbol and not g.buy), ZERO)
    return Found(leg.qty, max(ZERO, mine - taken))


def _self_cross(m: Moment, leg: Leg) -> Found | None:
    """An own sell that stands at or below the price would meet the purchase."""
    bid = m.quote(leg).bid_ticks * m.ledger.rules[leg.symbol].tick
    sells = [o.price for o in m.on(leg) if not o.buy and not (o.is_stop and bid > o.trigger)]
    sells += [g.price for g in m.legs if g.symbol == leg.symbol and not g.buy]
    if not sells:
        return None
    return Found(leg.price, min(sells) - m.ledger.rules[leg.symbol].tick)


def _value(m: Moment, leg: Leg) -> Found:
    return Found(leg.value, Decimal(m.limits.order_value_max), amount=True)


def _value_home(m: Moment, leg: Leg) -> Found | None:
    home = m.limits.home
    if not home.currency:
        return None
    quote = m.quotes.get(home.rate_symbol)
    if quote is None or home.rate_symbol not in m.ledger.rules:
        return Found(leg.value, -NEVER)
    if not 1 <= quote.bid_ticks <= quote.ask_ticks:
        return Found(leg.value, -NEVER)
    if abs(m.now_ms - quote.at_ms) > home.quote_age_ms_max:
        return Found(leg.value, -NEVER)
    rate = quote.bid_ticks * m.ledger.rules[home.rate_symbol].tick
    return Found(leg.value, Decimal(home.order_value_max) * rate, amount=True)


def _qty(m: Moment, leg: Leg) -> Found:
    limits = m.limits
    most = Decimal(limits.order_qty_max_of.get(leg.symbol, limits.order_qty_max))
    return Found(leg.qty, most, loose=m.ledger.rules[leg.symbol].lot)


def _volume(m: Moment, leg: Leg) -> Found | None:
    limits, spec = m.limits, m.spec(leg.strategy)
    if limits.volume_ppm_max >= UNBOUND:
        return None
    newest = m.close_ms // spec.timeframe_ms * spec.timeframe_ms - spec.timeframe_ms
    first = newest - (limits.volume_bars - 1) * spec.timeframe_ms
    bars = m.bars[leg.symbol, spec.timeframe]
    traded = sum((Decimal(bar[2]) for bar in bars if first <= bar[0] <= newest), ZERO)
    most = traded / limits.volume_bars * limits.volume_ppm_max / MILLION
    return Found(leg.qty, most * (1 + FLOATS), loose=m.ledger.rules[leg.symbol].lot)


def _depth(m: Moment, leg: Leg) -> Found | None:
    if m.limits.depth_ppm_max <= 0:
        return None
    lot, stands = m.ledger.rules[leg.symbol].lot, m.quote(leg).ask_lots
    if stands < 0:
        return Found(leg.qty, -NEVER)
    return Found(leg.qty, stands * lot * m.limits.depth_ppm_max / MILLION, loose=lot)


def _qty_min(m: Moment, leg: Leg) -> Found:
    rules = m.ledger.rules[leg.symbol]
    return Found(-leg.qty, -max(rules.lot, rules.qty_min))


def _qty_max(m: Moment, leg: Leg) -> Found | None:
    rules = m.ledger.rules[leg.symbol]
    return Found(leg.qty, rules.qty_max) if rules.qty_max else None


def _notional_min(m: Moment, leg: Leg) -> Found:
    least = m.ledger.rules[leg.symbol].notional_min
    if leg.buy:
        own = m.spec(leg.strategy).size.notional_min
        least = max(least, Decimal(m.limits.order_notional_min), Decimal(own))
    return Found(-leg.value, -least, amount=True)


ORDER_RULES: dict[str, Callable[[Moment, Leg], Found | None]] = {
    "RESTRICTED": _restricted,
    "SPREAD": _spread,
    "PRICE_COLLAR": _collar,
    "COLLAR_WINDOW": _collar_window,
    "SLIPPAGE_CAP": _slippage,
    "TOUCH_MOVED": _touch,
    "SHORT": _short,
    "SELF_CROSS": _self_cross,
    "ORDER_VALUE": _value,
    "ORDER_VALUE_HOME": _value_home,
    "ORDER_QTY": _qty,
    "VOLUME_SHARE": _volume,
    "DEPTH_SHARE": _depth,
    "QTY_MIN": _qty_min,
    "QTY_MAX": _qty_max,
    "NOTIONAL_MIN": _notional_min,
}
