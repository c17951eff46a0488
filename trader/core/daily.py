"""Daily bars that the limits read: of everything held, on its way, or followed.

Lives here: which windows of daily bars a decision needs for value at risk and correlation; none
while neither limit binds. Must not live here: what is made of them (`returns`, `risk_sums`).
"""

from __future__ import annotations

from trader.core.limits import ALL_PPM, Limits
from trader.core.parameters import Parameters
from trader.core.state import State
from trader.core.universe import followed_symbols
from trader.domain.timeframe import DAY_MS, last_closed_open_ms

DAY_NAME = "1d"


def asks_var(limits: Limits) -> bool:
    """Whether value at risk is measured: at 100 % of equity and above it cannot bind, because
    nothing that is held can lose more than its value."""
    return limits.var.limit_ppm < ALL_PPM


def asks_correlated(limits: Limits) -> bool:
    """Whether correlated exposure is measured."""
    return limits.correlated.exposure_ppm_max < ALL_PPM


def daily_span(limits: Limits, close_ms: int) -> tuple[int, int]:
    """First and last open time of the daily bars: one more than there are returns."""
    last_ms = last_closed_open_ms(close_ms, DAY_MS)
    return last_ms - limits.var.days * DAY_MS, last_ms


def daily_windows(
    parameters: Parameters, state: State, close_ms: int
) -> dict[tuple[str, str], tuple[int, int]]:
    """By (symbol, "1d"): first and last open time of the bars that a decision reads."""
    limits = parameters.limits
    if not (asks_var(limits) or asks_correlated(limits)):
        return {}
    span = daily_span(limits, close_ms)
    symbols = {symbol for symbol, position in state.positions.items() if position.qty_units > 0}
    symbols.update(order.symbol for order in state.orders.values() if order.working)
    symbols.update(followed_symbols(parameters, state))
    return {(symbol, DAY_NAME): span for symbol in sorted(symbols)}
