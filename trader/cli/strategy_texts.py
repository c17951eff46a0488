"""What `trader strategy new` writes: a first strategy file, and its entry in strategies.yaml.

Lives here: the two texts. Must not live here: where they go.
"""

from __future__ import annotations

FILE = '''"""{name}: what it does, in a sentence.

signals() is called with closed bars only, oldest first, in a process of its own. The value at row i
may depend on rows 0..i and on nothing else: no clock, no chance, no file, nothing remembered.
`trader strategy check {name}` looks for what breaks this.
"""

# Any indicator library will do; these come with trader and have no number before they are ready.
from trader.core.indicators import atr, crosses_above, highest, sma

# Numbers that strategies.yaml may set; a sweep may vary them.
PARAMETERS = {{"entry": 20, "trend": 50, "atr": 14, "stop_atr": 3.0}}


def warmup(p):
    """Bars before a value is trusted: the longest look back, one more for each step to the bar
    before; ten periods for what fades (ATR, EMA, RSI)."""
    return max(p["entry"] + 1, p["trend"], 10 * p["atr"])


def signals(bars, p):
    """Columns as long as the bars.

    bars.open_ms (int64), bars.open, high, low, close, volume (float64), read-only; len(bars).
    """
    n = len(bars)
    trend = sma(bars.close, p["trend"])
    tops = highest(bars.high, p["entry"])
    before = [float("nan"), *tops[:-1]]  # the highest up to the bar before
    spans = atr(bars.high, bars.low, bars.close, p["atr"])
    breaks = crosses_above(bars.close, before)
    return {{
        # An edge: true on the bar where it happens.
        "enter": [breaks[i] and bars.close[i] > trend[i] for i in range(n)],
        # A level: true for as long as one wants out.
        "exit": [bars.close[i] < trend[i] for i in range(n)],
        # Distance of the stop below the close, in price.
        "stop": [p["stop_atr"] * span for span in spans],
        # "strength": 0..1 scales the size. "target", "trail", "trail_from", "break_even":
        # distances in price.
    }}
'''

FILE_ENTRY = """\
{name}:
  file: {name}.py            # in the folder strategies/ beside this file
  enabled: true              # may it open positions? exits always run
  shadow: true               # decides and is written down, opens nothing: false lets it trade
  instruments: [BTC/USDT]    # or, instead: tier: core
  timeframe: 1h              # it speaks when one of these bars has closed
  size:
    equity_share: 2%         # value of one position, share of equity
  parameters:                # what differs from PARAMETERS in the file
    entry: 20
"""

RULES_ENTRY = """\
{name}:
  # The language is told in docs/rules.md; nothing in it can name a bar that has not closed.
  enter: crosses_above(close, highest(high, entry)[1]) and close > sma(close, trend)
  exit: close < sma(close, trend)
  stop: 3 * atr(14)          # distance below the close, in price; or a share of it: 5%
  enabled: true              # may it open positions? exits always run
  shadow: true               # decides and is written down, opens nothing: false lets it trade
  instruments: [BTC/USDT]    # or, instead: tier: core
  timeframe: 1h              # it speaks when one of these bars has closed
  size:
    equity_share: 2%         # value of one position, share of equity
  parameters:                # numbers that the rules name
    entry: 20
    trend: 50
"""
