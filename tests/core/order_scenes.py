"""Accounts in which one gate of `order_gates` alone refuses an entry.

Lives here: for the tests of plans and of these gates. BTC costs 10,000 ticks, an account has
1,000 USDT, and the one strategy wants 998 lots (0.998) of BTC at 10,010 ticks: 99.8998 USDT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trader.core.limits import Home, Restricted
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import State

from .made import (
    BTC,
    ETH,
    NOW_MS,
    UNIT,
    account,
    bars,
    instrument,
    order_row,
    parameters,
    sent,
    snapshot,
)
from .made import quote as quoted

EUR = "EUR/USDT"


def limited(
    state: State | None = None, seen: dict[str, Any] | None = None, **limits: Any
) -> Snapshot:
    """An account with this limit, at a decision in which this was seen."""
    return snapshot(state or account(), parameters(**limits), **(seen or {}))


def selling() -> State:
    """The account has a sell of BTC at 10,010 in the market, and holds none of it."""
    state = account()
    row = order_row("s" * 32, side="sell", signal_ms=0, qty_lots=10, price_ticks=10_010)
    sent(state, row)
    return state


def with_rate() -> State:
    """The account also knows EUR/USDT."""
    rate = instrument(EUR, tick="0.0001", lot="1", qty_min="1")
    return account(1_000 * UNIT, instrument(BTC), instrument(ETH), rate)


RATE = {BTC: quoted(), EUR: CoreQuote(12_500, 12_600, -1, -1, NOW_MS - 1_000)}
ORDER_SCENES: dict[str, Callable[[], Snapshot]] = {
    "CLOCK_SKEW": lambda: limited(seen={"skew_ms": -501}, clock_skew_ms_max=500),
    "RESTRICTED": lambda: limited(restricted=Restricted(instruments=("B.*/USDT",))),
    "DATA_REPAINTED": lambda: limited(seen={"repaints": {BTC: 5_001}}, repaint_ppm_max=5_000),
    # 2 of 10,000 ticks are 200 millionths.
    "SPREAD": lambda: limited(spread_ppm_max=199),
    # 10,010 is 1 tick above 9,100 and a tenth of it.
    "COLLAR_WINDOW": lambda: limited(
        seen={"series": {(BTC, "1m"): bars([9_099, 10_000, 10_000])}},
        collar_window_ppm=100_000,
        collar_window_bars=2,
    ),
    "SELF_CROSS": lambda: limited(selling()),
    "ORDER_VALUE": lambda: limited(order_value_max="99.89979999"),
    # At 1.25 a EUR these are 99.89975 USDT.
    "ORDER_VALUE_HOME": lambda: limited(
        with_rate(), {"quotes": RATE}, home=Home("EUR", EUR, "79.9198", 60_000)
    ),
    "ORDER_QTY": lambda: limited(order_qty_max="0.997"),
    # Two bars of one coin in two bars of time: 99.7 % of a coin.
    "VOLUME_SHARE": lambda: limited(volume_ppm_max=997_000, volume_bars=2),
    "DEPTH_SHARE": lambda: limited(
        seen={"quotes": {BTC: CoreQuote(9_999, 10_001, -1, 1_995, NOW_MS)}}, depth_ppm_max=500_000
    ),
}
