"""Mean reversion with an RSI filter and an ATR stop: buys what fell too far from its average.

z is the distance of the close from its average of `length` bars, in standard deviations. Enters on
the bar where z falls to or below -z_in while the RSI is at or below `rsi_max`; wants out as long as
z is at or above z_out; the stop stands `stop_atr` average true ranges below the close.
"""

from trader.core.indicators import atr, rsi, sma, stdev

PARAMETERS = {
    "length": 20,
    "z_in": 2.0,
    "z_out": 0.0,
    "rsi": 14,
    "rsi_max": 35.0,
    "atr": 14,
    "stop_atr": 2.5,
}

# RSI and ATR fade with a half-life of 0.69 n rows: ten periods leave e**-10 of where they started.
FADING_PERIODS = 10
NOT_READY = float("nan")


def warmup(p):
    """Bars before a value is trusted."""
    return max(p["length"] + 1, FADING_PERIODS * p["rsi"], FADING_PERIODS * p["atr"])


def z_scores(close, length):
    """Distance from the average in standard deviations; NaN where there is none or it is flat."""
    columns = zip(close, sma(close, length), stdev(close, length), strict=True)
    return [(price - mean) / width if width > 0.0 else NOT_READY for price, mean, width in columns]


def signals(bars, p):
    """An entry is an edge, an exit is a level, the stop is a distance in price."""
    if p["z_out"] <= -p["z_in"]:
        raise ValueError("z_out must be above -z_in: the entry would be an exit")
    z = z_scores(bars.close, p["length"])
    strength = rsi(bars.close, p["rsi"])
    ranges = atr(bars.high, bars.low, bars.close, p["atr"])
    low = [score <= -p["z_in"] for score in z]
    return {
        "enter": [
            i > 0 and low[i] and z[i - 1] > -p["z_in"] and strength[i] <= p["rsi_max"]
            for i in range(len(bars))
        ],
        "exit": [score >= p["z_out"] for score in z],
        "stop": [p["stop_atr"] * span for span in ranges],
    }
