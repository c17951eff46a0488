"""How large an entry may be at most, by the words of its strategy's size.

Lives here: the bound on value or loss that each method names; of those that look at history, the
most that they may come to. Must not live here: limits.
"""

from __future__ import annotations

from decimal import Decimal

from worlds_moment import MILLION, Leg, Moment

CONSERVATIVE = Decimal("0.01")
AGGRESSIVE = Decimal("0.02")


def size_problem(m: Moment, leg: Leg, slack: Decimal) -> str:
    """In what an approved entry is larger than its size says; "" when it is not."""
    spec = m.spec(leg.strategy)
    size, equity = spec.size, max(Decimal(0), m.equity)
    cost = m.cost(leg.symbol, leg.value)
    lost = m.lost(leg.symbol, cost, leg.qty, leg.stop)
    if size.method == "fixed":
        found, limit = cost, Decimal(size.notional)
    elif size.method in {"equity_share", "volatility", "risk_parity"}:
        found, limit = cost, equity * size.share_ppm / MILLION
    elif size.method == "risk":
        found, limit = lost, equity * size.risk_ppm / MILLION
    elif size.method == "kelly":  # whatever its results say
        found, limit = lost, equity * size.risk_ppm_max / MILLION
    elif size.method == "conservative":
        found, limit = lost, equity * CONSERVATIVE
    else:  # aggressive: 2 % of a small account at most
        found, limit = lost, equity * AGGRESSIVE
    if found <= limit + slack:
        return ""
    return f"SIZE: {size.method} of {leg.strategy}: limit={limit} measured={found}"
