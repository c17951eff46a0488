"""The texts of the demo's workspace: five small policy files and one strategy.

Lives here: what `trader demo` writes. Must not live here: the running of it.
"""

from __future__ import annotations

MARKER = "written-by-trader-demo.txt"

APP = """\
# The demo's account: testnet mode against the local exchange, one decision a minute.
account: demo
mode: testnet
timeframe: 1m
exchange:
  base_url: {base_url}
cycle:
  anchor_bars: 64
  settle_ms: 500
"""

POLICY = """\
limits:
  slippage: 10bps
  exit_slippage: 50bps
  position: 12%
  positions_max: 4
  exposure_max: 48%
  loss_max: 8%
  day_stop: 10%
  drawdown_max: 20%
  # Decides every minute, so that a minute's demo shows something: far too much for real money.
  trades_per_hour_max: 60
  trades_per_day_max: 1000
"""

UNIVERSE = """\
tiers:
  core:
    pairs:
{instruments}
"""

SIGNALS = """\
defaults:
  ttl_bars: 1
"""

STRATEGIES = """\
demo_cross:
  timeframe: 1m
  size:
    equity_share: 10%
  parameters:
    fast: 8
    slow: 40
    stop_atr: 4.0
"""

DEMO_CROSS = '''\
"""Buys when a fast average crosses above a slow one, and leaves when it is below again.

Made to act often on made bars, so that a demo of a minute shows something; not a way to earn.
"""

from trader.core.indicators import atr, crosses_above, sma

PARAMETERS = {"fast": 8, "slow": 40, "atr": 14, "stop_atr": 4.0}


def warmup(p):
    """Bars before a value is trusted."""
    return max(p["slow"] + 1, 10 * p["atr"])


def signals(bars, p):
    """An entry is an edge, an exit is a level, the stop is a distance in price."""
    fast, slow = sma(bars.close, p["fast"]), sma(bars.close, p["slow"])
    ranges = atr(bars.high, bars.low, bars.close, p["atr"])
    return {
        "enter": crosses_above(fast, slow),
        "exit": [quick < calm for quick, calm in zip(fast, slow, strict=True)],
        "stop": [p["stop_atr"] * span for span in ranges],
    }
'''

MARKER_TEXT = """\
This folder was written by `trader demo`. The next demo replaces config, bars, state and exchange.
"""


def config_files(base_url: str, symbols: list[str]) -> dict[str, str]:
    """Path below the workspace -> text."""
    instruments = "\n".join(f"      - {symbol}" for symbol in symbols)
    return {
        "config/app.yaml": APP.format(base_url=base_url),
        "config/policy.yaml": POLICY,
        "config/universe.yaml": UNIVERSE.format(instruments=instruments),
        "config/signals.yaml": SIGNALS,
        "config/strategies.yaml": STRATEGIES,
        "config/strategies/demo_cross.py": DEMO_CROSS,
    }
