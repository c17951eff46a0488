"""Which bars the size of an entry is taken from.

Lives here: how many closes a method reads, and the span of time in which they must lie. Must not
live here: what is computed from them (`sizes`).
"""

from __future__ import annotations

from trader.core.frames import last_open_ms
from trader.core.money import PPM
from trader.core.parameters import SizeSpec, StrategySpec

# The window of a volatility is so many spans long: what lies before it would weigh about e ** -8.
SPANS = 4


def closes_wanted(size: SizeSpec) -> int:
    """How many closes of the strategy's bars a size needs; 0 when it needs none."""
    if size.method == "volatility":
        return SPANS * size.span_bars + 1
    if size.method == "risk_parity" and size.across == "instruments":
        return size.bars + 1
    return 0


def bars_searched(size: SizeSpec, missing_ppm_max: int) -> int:
    """Among how many bars those closes are looked for: as many more as the policy lets be missing
    (at most twice as many). What is older is not counted, so that the size does not depend on how
    much history is at hand."""
    there_ppm = max(PPM - missing_ppm_max, PPM // 2)
    return -(-closes_wanted(size) * PPM // there_ppm)


def size_span(strategy: StrategySpec, missing_ppm_max: int, close_ms: int) -> tuple[int, int]:
    """Open times of the first and the last of those bars, at a decision."""
    newest = last_open_ms(close_ms, strategy.timeframe_ms)
    bars = bars_searched(strategy.size, missing_ppm_max)
    return newest - max(0, bars - 1) * strategy.timeframe_ms, newest
