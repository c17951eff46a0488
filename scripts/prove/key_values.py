"""For every key of the schema another valid value, and a small policy in which each one counts.

Lives here: data for `keys` and its tests. Must not live here: what is concluded from it.
"""

from __future__ import annotations

# Another valid value for every leaf key; `*` is the one entry that the policy below has.
CHANGED: dict[str, str] = {
    "app.account": "other",
    "app.mode": "testnet",
    "app.quote": "EUR",
    "app.timeframe": "5m",
    "app.capital": "5000",
    "app.cash_max": "2000000",
    "app.state_dir": "elsewhere",
    "app.exchange.name": "binance",
    "app.exchange.base_url": "http://127.0.0.1:1",
    "app.exchange.timeout_ms": "4000",
    "app.exchange.recv_window_ms": "4000",
    "app.exchange.unknown_grace_ms": "40000",
    "app.exchange.credentials.testnet.key_env": "A",
    "app.exchange.credentials.testnet.secret_env": "B",
    "app.exchange.credentials.testnet.key_file": "/a",
    "app.exchange.credentials.testnet.secret_file": "/b",
    "app.exchange.credentials.live.key_env": "C",
    "app.exchange.credentials.live.secret_env": "D",
    "app.exchange.credentials.live.key_file": "/c",
    "app.exchange.credentials.live.secret_file": "/d",
    "app.cycle.deadline_ms": "30000",
    "app.cycle.settle_ms": "1000",
    "app.cycle.anchor_bars": "128",
    "app.paper.starting_balance": "777",
    "policy.limits.slippage": "11bps",
    "policy.limits.exit_slippage": "51bps",
    "policy.limits.collar": "4%",
    "policy.limits.position": "4%",
    "policy.limits.positions_max": "4",
    "policy.limits.order_notional_min": "11",
    "policy.limits.quote_age_max": "11s",
    "policy.limits.missing_bars_max": "11%",
    "policy.limits.bar_jump_max": "26%",
    "policy.limits.exposure_max": "26%",
    "policy.limits.loss_max": "2%",
    "policy.limits.day_stop": "4%",
    "policy.limits.drawdown_max": "11%",
    "policy.limits.trades_per_hour_max": "6",
    "policy.limits.trades_per_day_max": "100",
    "policy.limits.pyramiding": "true",
    "policy.limits.exit_attempts": "4",
    "policy.limits.collar_window": "30%",
    "policy.limits.collar_window_bars": "12",
    "policy.limits.order_value_max": "20000",
    "policy.limits.order_qty_max": "5000",
    "policy.limits.order_qty_max_of.*": "{BTC/USDT: 3}",
    "policy.limits.spread_max": "40bps",
    "policy.limits.volume_share": "4%",
    "policy.limits.volume_bars": "30",
    "policy.limits.depth_share": "50%",
    "policy.limits.repaint_max": "20bps",
    "policy.limits.clock_skew_max": "1s",
    "policy.limits.asset_max": "10%",
    "policy.limits.pending_max": "10%",
    "policy.limits.correlated.exposure_max": "15%",
    "policy.limits.correlated.above": "70%",
    "policy.limits.var.limit": "2%",
    "policy.limits.var.confidence": "99%",
    "policy.limits.var.days": "90",
    "policy.limits.var.days_min": "20",
    "policy.limits.var.assumed": "30%",
    "policy.limits.rolling_loss": "5%",
    "policy.limits.rolling_days": "10",
    "policy.limits.strategy_drawdown": "12%",
    "policy.limits.unattended_max": "50",
    "policy.limits.trim_from": "10%",
    "policy.limits.approval": "always",
    "policy.profile": "aggressive",
    "policy.day.zone": "Europe/Berlin",
    "policy.day.starts_at": "17:00",
    "policy.calendar.zone": "Asia/Tokyo",
    "policy.calendar.sessions": "mon-fri 08:00-22:00",
    "policy.calendar.weekly": "sat 00:00-24:00",
    "policy.calendar.dated": "[{from: 2026-12-24, to: 2026-12-27, name: christmas}]",
    "policy.calendar.holidays": "2026-12-25,2027-01-01",
    "policy.calendar.file": "closed.yaml",
    "policy.cooldowns.exit": "45m",
    "policy.cooldowns.exit_bars": "3",
    "policy.cooldowns.stop": "3h",
    "policy.cooldowns.unfilled": "10m",
    "policy.quality.sharpe_min": "0.8",
    "policy.quality.weeks_min": "60%",
    "policy.quality.days_min": "90",
    "policy.restricted.instruments": ".*UP/USDT",
    "policy.restricted.sides": "buy",
    "policy.restricted.order_types": "post_only",
    "policy.restricted.venues": "binance",
    "policy.home.currency": "EUR",
    "policy.home.rate_symbol": "EUR/USDT",
    "policy.home.order_value_max": "1000",
    "policy.home.quote_age_max": "30s",
    "policy.messages.per_second": "5",
    "policy.messages.per_minute": "60",
    "policy.messages.per_day": "2000",
    "policy.messages.reserve": "30%",
    "policy.breaker.faults": "3",
    "policy.breaker.rest": "10m",
    "universe.timeframe": "4h",
    "universe.refresh": "2h",
    "universe.deny": "SOL/USDT",
    "universe.tiers.core.pairs": "SOL/USDT",
    "universe.tiers.core.filters.quote_volume_24h_min": "1000000",
    "universe.tiers.core.filters.spread_max": "20bps",
    "universe.tiers.core.filters.depth_min": "500",
    "universe.tiers.core.filters.age_min": "90d",
    "universe.tiers.core.filters.price_min": "0.01",
    "universe.tiers.core.take": "1",
    "universe.tiers.core.keep": "9",
    "universe.tiers.core.rank_by": "momentum",
    "universe.tiers.core.positions_max": "2",
    "universe.tiers.core.weight": "20%",
    "universe.tiers.rotational.pairs": "SOL/USDT",
    "universe.tiers.rotational.filters.quote_volume_24h_min": "1000000",
    "universe.tiers.rotational.filters.spread_max": "20bps",
    "universe.tiers.rotational.filters.depth_min": "500",
    "universe.tiers.rotational.filters.age_min": "90d",
    "universe.tiers.rotational.filters.price_min": "0.01",
    "universe.tiers.rotational.take": "1",
    "universe.tiers.rotational.keep": "9",
    "universe.tiers.rotational.rank_by": "momentum",
    "universe.tiers.rotational.positions_max": "2",
    "universe.tiers.rotational.weight": "20%",
    "universe.tiers.event.pairs": "SOL/USDT",
    "universe.tiers.event.filters.quote_volume_24h_min": "1000000",
    "universe.tiers.event.filters.spread_max": "20bps",
    "universe.tiers.event.filters.depth_min": "500",
    "universe.tiers.event.filters.age_min": "90d",
    "universe.tiers.event.filters.price_min": "0.01",
    "universe.tiers.event.take": "1",
    "universe.tiers.event.keep": "9",
    "universe.tiers.event.rank_by": "momentum",
    "universe.tiers.event.positions_max": "2",
    "universe.tiers.event.weight": "20%",
    "universe.regime.benchmark": "ETH/USDT",
    "universe.regime.timeframe": "1d",
    "universe.regime.confirm_bars": "4",
    "universe.regime.states.*.when": "close < 6",
    "universe.regime.states.*.tiers": "core",
    "universe.regime.states.*.risk": "40%",
    "signals.defaults.ttl_bars": "3",
    "signals.defaults.size": "conservative",
    "signals.defaults.equity_share": "3%",
    "signals.triggers.*.rule": "close < 9",
    "signals.triggers.*.parameters.*": "8",
    "signals.presets.*.*": "99",
    "strategies.*.file": "other.py",
    "strategies.*.enabled": "false",
    "strategies.*.instruments": "ETH/USDT",
    "strategies.*.timeframe": "4h",
    "strategies.*.ttl_bars": "5",
    "strategies.*.size.equity_share": "3%",
    "strategies.*.size.method": "aggressive",
    "strategies.*.size.notional": "300",
    "strategies.*.size.loss": "2%",
    "strategies.*.size.volatility": "30%",
    "strategies.*.size.span": "40",
    "strategies.*.size.fraction": "50%",
    "strategies.*.size.trades_min": "40",
    "strategies.*.size.loss_max": "1%",
    "strategies.*.size.across": "strategies",
    "strategies.*.size.bars": "60",
    "strategies.*.size.shrink": "50%",
    "strategies.*.size.notional_min": "12",
    "strategies.*.entry.style": "maker",
    "strategies.*.entry.ttl": "10m",
    "strategies.*.entry.reprice": "10bps",
    "strategies.*.entry.moves_max": "3",
    "strategies.*.budget.exposure": "9%",
    "strategies.*.budget.loss": "1%",
    "strategies.*.budget.positions_max": "2",
    "strategies.*.budget.trades_per_day_max": "7",
    "strategies.*.shadow": "true",
    "strategies.*.priority": "7",
    "strategies.*.pyramiding": "true",
    "strategies.*.max_hold": "3d",
    "strategies.*.tier": "core",
    "strategies.*.enter": "close > 8",
    "strategies.*.exit": "close < 4",
    "strategies.*.strength": "rsi(14) / 100",
    "strategies.*.stop": "6%",
    "strategies.*.target": "20%",
    "strategies.*.trail": "3%",
    "strategies.*.trail_from": "2%",
    "strategies.*.break_even": "4%",
    "strategies.*.scale_out": "[{at: 5%, share: 30%}]",
    "strategies.*.preset": "quick",
    "strategies.*.parameters.*": "21",
    "strategies.*.sweep.ranges.*": "5:30:5",
    "strategies.*.sweep.where": "[fast < 99]",
}
_METHOD = "TRADER__STRATEGIES__CROSS__SIZE__METHOD"
# Keys of a size with the method that they belong to.
_SIZES = {
    "fixed": ("notional",),
    "risk": ("loss",),
    "volatility": ("volatility", "span"),
    "kelly": ("fraction", "trades_min", "loss_max"),
    "risk_parity": ("across", "bars", "shrink"),
}
# Keys with one possible value so far, and what else must change for another value to be coherent.
SINGLE = {"app.exchange.name": "kraken"}
ALONG = {
    "app.quote": {
        "TRADER__UNIVERSE__TIERS__CORE__PAIRS": "BTC/EUR",
        "TRADER__UNIVERSE__TIERS__ROTATIONAL__PAIRS": "ADA/EUR",
        "TRADER__UNIVERSE__TIERS__EVENT__PAIRS": "XRP/EUR",
        "TRADER__UNIVERSE__REGIME__BENCHMARK": "BTC/EUR",
    },
    "policy.home.currency": {"TRADER__POLICY__HOME__RATE_SYMBOL": "EUR/USDT"},
    "policy.home.rate_symbol": {"TRADER__POLICY__HOME__CURRENCY": "EUR"},
    "strategies.*.pyramiding": {"TRADER__POLICY__LIMITS__PYRAMIDING": "true"},
    "universe.timeframe": {"TRADER__UNIVERSE__REFRESH": "4h"},
    **{
        f"strategies.*.size.{key}": {_METHOD: method}
        for method, keys in _SIZES.items()
        for key in keys
    },
    **{
        f"strategies.*.entry.{key}": {"TRADER__STRATEGIES__CROSS__ENTRY__STYLE": "maker"}
        for key in ("ttl", "reprice", "moves_max")
    },
    **{
        f"universe.tiers.{tier}.keep": {f"TRADER__UNIVERSE__TIERS__{tier.upper()}__TAKE": "8"}
        for tier in ("core", "rotational", "event")
    },
}
# The one name in the policy below that stands for each `*`; else the strategy `cross`.
STARS = {
    "policy.limits.order_qty_max_of.*": "policy.limits.order_qty_max_of",
    "signals.presets.*.*": "signals.presets.slow.calm",
    "signals.triggers.*.rule": "signals.triggers.cheap.rule",
    "signals.triggers.*.parameters.*": "signals.triggers.cheap.parameters.level",
    "strategies.*.parameters.*": "strategies.cross.parameters.fast",
    "strategies.*.sweep.ranges.*": "strategies.cross.sweep.ranges.fast",
    "strategies.*.enter": "strategies.dip.enter",
    "universe.regime.states.*.when": "universe.regime.states.bear.when",
    "universe.regime.states.*.tiers": "universe.regime.states.bear.tiers",
    "universe.regime.states.*.risk": "universe.regime.states.bear.risk",
}
UNIVERSE = """
tiers:
  core: {pairs: [BTC/USDT, ETH/USDT]}
  rotational: {pairs: [ADA/USDT]}
  event: {pairs: [XRP/USDT]}
regime:
  states:
    bear: {when: close < 5, tiers: [rotational], risk: 50%}
    calm: {tiers: [core, rotational], risk: 100%}
"""
SIGNALS = """
presets:
  slow: {calm: 50}
  quick: {calm: 5}
triggers:
  cheap: {rule: close < level, parameters: {level: 7}}
"""
STRATEGIES = """
cross:
  preset: slow
  parameters: {fast: 20}
dip:
  enter: cheap
  stop: 5%
"""


FILES = {
    "app": "account: demo\n",
    "policy": "limits: {}\n",
    "universe": UNIVERSE,
    "signals": SIGNALS,
    "strategies": STRATEGIES,
    "closed": "holidays: [2027-05-01]\n",
}
PYTHON = '''"""A strategy."""
PARAMETERS = {"fast": 20, "calm": 50}
def warmup(p): return p["fast"]
def signals(bars, p): return {"enter": [], "exit": [], "stop": []}
'''
