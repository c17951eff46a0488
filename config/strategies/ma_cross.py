"""Moving-average cross with an ATR stop: follows trends.

Enters on the bar where the fast average crosses above the slow one; wants out as long as the fast
one is below; the stop stands `stop_atr` average true ranges below the close.
"""

from trader.core.indicators import atr, crosses_above, sma

PARAMETERS = {"fast": 20, "slow": 50, "atr": 14, "stop_atr": 3.0}

# The ATR fades with a half-life of 0.69 n rows: ten periods leave e**-10 of where it started.
ATR_PERIODS = 10


def warmup(p):
    """Bars before a value is trusted."""
    return max(p["slow"] + 1, ATR_PERIODS * p["atr"])


def signals(bars, p):
    """An entry is an edge, an exit is a level, the stop is a distance in price."""
    if not 0 < p["fast"] < p["slow"]:
        raise ValueError("fast must be above 0 and below slow")
    fast = sma(bars.close, p["fast"])
    slow = sma(bars.close, p["slow"])
    ranges = atr(bars.high, bars.low, bars.close, p["atr"])
    return {
        "enter": crosses_above(fast, slow),
        "exit": [quick < calm for quick, calm in zip(fast, slow, strict=True)],
        "stop": [p["stop_atr"] * span for span in ranges],
    }
