"""The texts of the demo's workspace: five small policy files and a strategy file.

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
  # Made bars reach back no further than a day: each coin counts with an assumed loss of 20%.
  var:
    limit: 10%
  correlated:
    exposure_max: 48%
  day_stop: 10%
  rolling_loss: 15%
  drawdown_max: 20%
  # Decides every minute, so that a minute's demo shows something: far too much for real money.
  trades_per_hour_max: 60
  trades_per_day_max: 1000
cooldowns:
  exit: 1m
  exit_bars: 1
  stop: 5m
"""

UNIVERSE = """\
tiers:
  core:
    pairs:
{instruments}
"""

# With several instruments: two named, the others by rank; and a market with moods.
WIDE_UNIVERSE = """\
timeframe: 15m
refresh: 15m
tiers:
  core:
    pairs:
{instruments}
  rotational:                # the two of all others that trade most, until they are fourth
    pairs: [".*/USDT"]
    take: 2
    keep: 3
    rank_by: quote_volume
regime:
  benchmark: BTC/USDT
  timeframe: 15m
  confirm_bars: 2
  states:
    crash: {{when: "roc(close, 8) < -8", tiers: [], risk: 0}}
    bear: {{when: "close < sma(close, 16)", tiers: [core, rotational], risk: 50%}}
    bull: {{tiers: [core, rotational], risk: 100%}}
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

WIDE_SIGNALS = """\
triggers:
  turning:                   # it was sold hard, and is bought again
    rule: crosses_above(rsi(length), level)
    parameters: {length: 14, level: 35}
"""

WIDE_STRATEGIES = """\
demo_dip:                    # rules alone: no Python
  enter: turning and volume > 0
  exit: rsi(14) > 65
  stop: 1.5%
  target: 2%
  max_hold: 3h
  tier: rotational
  timeframe: 1m
  size:
    equity_share: 10%
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


def config_files(base_url: str, symbols: list[str], *, wide: bool = False) -> dict[str, str]:
    """Path below the workspace -> text.

    `wide`: the symbols are the core of a universe of two tiers, a regime opens and closes them,
    and a strategy of rules trades the best of the rest.
    """
    instruments = "\n".join(f"      - {symbol}" for symbol in symbols)
    universe = WIDE_UNIVERSE if wide else UNIVERSE
    return {
        "config/app.yaml": APP.format(base_url=base_url),
        "config/policy.yaml": POLICY,
        "config/universe.yaml": universe.format(instruments=instruments),
        "config/signals.yaml": SIGNALS + (WIDE_SIGNALS if wide else ""),
        "config/strategies.yaml": STRATEGIES + ("\n" + WIDE_STRATEGIES if wide else ""),
        "config/strategies/demo_cross.py": DEMO_CROSS,
    }
