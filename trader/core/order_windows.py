"""Which bars the limits of one order look at.

Lives here: the span of a strategy's bars that the price collar over a window and the share of
volume need, when they are asked. Must not live here: what is made of them (`order_sums`).
"""

from __future__ import annotations

from trader.core.frames import last_open_ms
from trader.core.limits import NEVER, Limits
from trader.core.parameters import StrategySpec


def order_span(strategy: StrategySpec, limits: Limits, close_ms: int) -> tuple[int, int]:
    """First and last open time of those bars, at a decision."""
    window = limits.collar_window_bars if limits.collar_window_ppm < NEVER else 0
    volume = limits.volume_bars - 1 if limits.volume_ppm_max < NEVER else 0
    newest = last_open_ms(close_ms, strategy.timeframe_ms)
    return newest - max(window, volume) * strategy.timeframe_ms, newest
