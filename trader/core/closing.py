"""Closing out: the order by which a back-test sells what the end of its bars leaves open.

Lives here: that order's row. It is no decision: it stands for the choice that positions are closed,
not marked, and passes no gate. Must not live here: when that happens, and at which price.
"""

from __future__ import annotations

from trader.core.books import Holding
from trader.core.identity import client_order_id
from trader.core.parameters import Parameters
from trader.domain.order import Side, TimeInForce

# Numbered apart from the legs of a plan and from protective stops.
CLOSE_LEG = 2_000_000
CLOSE_REASONS = ("end_of_data", "delisted")


def close_row(
    parameters: Parameters, holding: Holding, bar_ms: int, price_ticks: int, lots: int, why: str
) -> dict[str, int | str]:
    """The planned order, as the journal would keep it."""
    client_id = client_order_id(
        parameters.prefix,
        parameters.account,
        holding.strategy,
        holding.symbol,
        bar_ms=bar_ms,
        leg=CLOSE_LEG,
        attempt=0,
    )
    names = ("stop_ticks", "target_ticks", "trail_ticks", "hold_ms", "arm_ticks", "even_ticks")
    return {
        "client_id": client_id,
        "strategy": holding.strategy,
        "symbol": holding.symbol,
        "side": str(Side.SELL),
        "tif": str(TimeInForce.IOC),
        "bar_ms": bar_ms,
        "leg": CLOSE_LEG,
        "attempt": 0,
        "price_ticks": price_ticks,
        "qty_lots": lots,
        **dict.fromkeys(names, 0),
        "steps": "",
        "order_type": "limit",
        "trigger_ticks": 0,
        "until_ms": 0,
        "signal_ms": 0,
        "reason": why,
    }
