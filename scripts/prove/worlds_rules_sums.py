"""Rules of sums: what everything held, in flight and planned comes to, this order included.

Lives here: what `worlds_rules` puts into its table. Must not live here: how the rows of a sum are
made (`worlds_moment`).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from worlds_ledger import ZERO
from worlds_moment import DAY_MS, MILLION, Found, Leg, Moment

GAIN_MAX = Decimal(1_000_000)


def _sum(m: Moment, leg: Leg, kept: Callable[[str, str], bool], *, losses: bool = False) -> Decimal:
    """Value (or loss to the stops) of what is kept, by strategy and symbol."""
    rows = [row for row in m.rows(leg) if kept(row[0], row[1])]
    return sum((row[4] if losses else row[2] for row in rows), ZERO)


def _everything(_: str, __: str) -> bool:
    return True


def _positions(m: Moment, leg: Leg) -> Found:
    return Found(Decimal(len(m.open_symbols(leg))), Decimal(m.limits.positions_max))


def _position_cap(m: Moment, leg: Leg) -> Found:
    value = _sum(m, leg, lambda _, symbol: symbol == leg.symbol)
    return Found(value, m.share(m.limits.position_ppm), amount=True)


def _exposure(m: Moment, leg: Leg) -> Found:
    value = _sum(m, leg, _everything)
    return Found(value, m.share(m.limits.exposure_ppm_max), amount=True)


def _asset(m: Moment, leg: Leg) -> Found:
    base = m.ledger.rules[leg.symbol].base
    value = _sum(m, leg, lambda _, symbol: m.ledger.rules[symbol].base == base)
    return Found(value, m.share(m.limits.asset_ppm_max), amount=True)


def _loss(m: Moment, leg: Leg) -> Found:
    lost = _sum(m, leg, _everything, losses=True)
    return Found(lost, m.share(m.limits.loss_ppm_max), amount=True)


def _budget_exposure(m: Moment, leg: Leg) -> Found:
    cap = m.share(m.spec(leg.strategy).budget_exposure_ppm)
    return Found(_sum(m, leg, lambda name, _: name == leg.strategy), cap, amount=True)


def _budget_loss(m: Moment, leg: Leg) -> Found:
    cap = m.share(m.spec(leg.strategy).budget_loss_ppm)
    lost = _sum(m, leg, lambda name, _: name == leg.strategy, losses=True)
    return Found(lost, cap, amount=True)


def _budget_positions(m: Moment, leg: Leg) -> Found:
    ledger, name = m.ledger, leg.strategy
    mine = {of for who, of in ledger.positions() if who == name}
    mine |= {o.symbol for o in m.buys(leg) if o.strategy == name}
    mine |= {g.symbol for g in m.legs if g.buy and g.strategy == name}
    most = m.spec(name).budget_positions_max
    return Found(Decimal(len(mine | {leg.symbol})), Decimal(most))


def _tier_positions(m: Moment, leg: Leg) -> Found | None:
    tier = next((t for t in m.parameters.universe.tiers if leg.symbol in t.pairs), None)
    if tier is None:
        return None
    mine = {symbol for symbol in m.open_symbols(leg) if m.tier(symbol) == tier.name}
    return Found(Decimal(len(mine)), Decimal(tier.positions_max))


def _tier_weight(m: Moment, leg: Leg) -> Found | None:
    tier = next((t for t in m.parameters.universe.tiers if leg.symbol in t.pairs), None)
    if tier is None:
        return None
    value = _sum(m, leg, lambda _, symbol: m.tier(symbol) == tier.name)
    return Found(value, m.share(tier.weight_ppm), amount=True)


def _cash(m: Moment, leg: Leg) -> Found:
    return Found(m.pending(leg), m.ledger.cash, amount=True)


def _capital(m: Moment, leg: Leg) -> Found:
    """What positions cost, open orders and fees, within what the program may use."""
    used = sum(m.ledger.cost.values(), ZERO) + m.pending(leg)
    whole = max(ZERO, m.equity)
    most = whole if not m.parameters.capital else min(m.ledger.capital, whole)
    return Found(used, most, amount=True)


def _pending(m: Moment, leg: Leg) -> Found:
    return Found(m.pending(leg), m.share(m.limits.pending_ppm_max), amount=True)


# --- losses that were made -----------------------------------------------------------------------


def _flag(state: int | None) -> Found | None:
    return None if state is None else Found(Decimal(state), ZERO)


def _day_stop(m: Moment, _: Leg) -> Found | None:
    return _flag(m.day_stopped)


def _drawdown(m: Moment, _: Leg) -> Found | None:
    return _flag(m.drawdown_stopped)


def _strategy_drawdown(m: Moment, leg: Leg) -> Found | None:
    return _flag(m.fallen.get(leg.strategy, 0))


def _rolling(m: Moment, _: Leg) -> Found | None:
    limits = m.limits
    if limits.rolling_loss_ppm >= MILLION:
        return None
    loss, base = m.rolled
    limit = max(ZERO, base) * limits.rolling_loss_ppm / MILLION
    # A loss at the limit is too much: what is allowed is a unit less.
    return Found(loss, max(limit, m.ledger.unit) - m.ledger.unit, amount=True)


# --- by the history of days ----------------------------------------------------------------------


def _told(m: Moment, symbol: str) -> list[Decimal | None]:
    """Returns of the last days, oldest first, whole millionths rounded down; None: not known."""
    days = m.limits.var.days
    last = m.close_ms // DAY_MS * DAY_MS - DAY_MS
    closes = dict(m.days.get(symbol, ()))
    found: list[Decimal | None] = []
    for back in range(days - 1, -1, -1):
        at = last - back * DAY_MS
        now, before = closes.get(at), closes.get(at - DAY_MS)
        if not now or not before or now <= 0 or before <= 0:
            found.append(None)
        else:
            change = now * MILLION // before - MILLION
            found.append(min(GAIN_MAX, change))
    return found


def _cautious(m: Moment, symbol: str) -> list[Decimal]:
    var, told = m.limits.var, _told(m, symbol)
    known = [value for value in told if value is not None]
    if len(known) < max(1, var.days_min):
        return [Decimal(-var.assumed_ppm)] * var.days
    worst = min(ZERO, *known)
    return [worst if value is None else value for value in told]


def _values(m: Moment, leg: Leg) -> dict[str, Decimal]:
    """Value by instrument, with fees of what is being bought."""
    found: dict[str, Decimal] = {}
    for row in m.rows(leg):
        found[row[1]] = found.get(row[1], ZERO) + row[3]
    return found


def _var(m: Moment, leg: Leg) -> Found | None:
    var = m.limits.var
    if var.limit_ppm >= MILLION:
        return None
    days = [ZERO] * var.days
    for symbol, value in _values(m, leg).items():
        for at, change in enumerate(_cautious(m, symbol)):
            days[at] -= value * change / MILLION
    # The smallest loss that the stated share of days did not exceed.
    within = -(-var.days * var.confidence_ppm // 1_000_000)
    loss = sorted(days)[max(1, within) - 1]
    return Found(max(ZERO, loss), m.share(min(var.limit_ppm, 1_000_000)), amount=True)


def _correlated(m: Moment, leg: Leg) -> Found | None:
    limits = m.limits.correlated
    if limits.exposure_ppm_max >= MILLION:
        return None
    value = sum(
        (v for symbol, v in _values(m, leg).items() if _together(m, leg.symbol, symbol)), ZERO
    )
    return Found(value, m.share(limits.exposure_ppm_max), amount=True)


def _together(m: Moment, one: str, other: str) -> bool:
    if one == other:
        return True
    both = [
        (a, b)
        for a, b in zip(_told(m, one), _told(m, other), strict=True)
        if a is not None and b is not None
    ]
    n = len(both)
    if n < m.limits.var.days_min or n == 0:
        return True
    mean_a = sum((a for a, _ in both), ZERO) / n
    mean_b = sum((b for _, b in both), ZERO) / n
    shared = sum(((a - mean_a) * (b - mean_b) for a, b in both), ZERO)
    wide = sum(((a - mean_a) ** 2 for a, _ in both), ZERO)
    broad = sum(((b - mean_b) ** 2 for _, b in both), ZERO)
    if wide < Decimal("1e-20") or broad < Decimal("1e-20"):
        return True
    least = m.limits.correlated.above_ppm / MILLION
    return shared >= 0 and shared / (wide * broad).sqrt() >= least


SUM_RULES: dict[str, Callable[[Moment, Leg], Found | None]] = {
    "POSITIONS_MAX": _positions,
    "POSITION_CAP": _position_cap,
    "DAY_STOP": _day_stop,
    "ROLLING_LOSS": _rolling,
    "DRAWDOWN_STOP": _drawdown,
    "STRATEGY_DRAWDOWN": _strategy_drawdown,
    "ASSET_EXPOSURE": _asset,
    "EXPOSURE_TOTAL": _exposure,
    "PENDING_EXPOSURE": _pending,
    "CORRELATED_EXPOSURE": _correlated,
    "LOSS_TOTAL": _loss,
    "VALUE_AT_RISK": _var,
    "BUDGET_EXPOSURE": _budget_exposure,
    "BUDGET_LOSS": _budget_loss,
    "BUDGET_POSITIONS": _budget_positions,
    "TIER_POSITIONS": _tier_positions,
    "TIER_WEIGHT": _tier_weight,
    "CAPITAL": _capital,
    "CASH": _cash,
}
