"""The examples of the pages about configuration: texts of one file each.

Lives here: what is written and which keys are shown for it. Must not live here: what comes of it,
which is computed when the pages are made (and checked by a test).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One example: the file it belongs to, and the keys whose effective values are shown."""

    section: str
    title: str
    say: str
    text: str
    keys: tuple[str, ...] = ()


EXAMPLES = (
    Example(
        "app",
        "A slice of an account",
        "The program works with 500 of whatever the account holds, and decides every five minutes.",
        "account: small\ncapital: 500\ntimeframe: 5m\n",
        ("app.account", "app.capital", "app.timeframe", "app.mode"),
    ),
    Example(
        "app",
        "Keys in files",
        "A service manager can hand credentials over as files. A path takes the place of the "
        "variable, which is then set to nothing.",
        'exchange:\n  credentials:\n    testnet:\n      key_env: ""\n      secret_env: ""\n'
        "      key_file: /run/credentials/key\n      secret_file: /run/credentials/secret\n",
        (
            "app.exchange.credentials.testnet.key_file",
            "app.exchange.credentials.testnet.key_env",
        ),
    ),
    Example(
        "policy",
        "A profile, and one value of your own",
        "Everything that the profile says holds, but for the line that you write.",
        "profile: conservative\nlimits:\n  day_stop: 2.8%\n",
        (
            "policy.limits.position",
            "policy.limits.exposure_max",
            "policy.limits.loss_max",
            "policy.limits.day_stop",
            "policy.limits.drawdown_max",
        ),
    ),
    Example(
        "policy",
        "Three ways to write a share",
        "They are one: the hash of the policy is the same.",
        "limits:\n  slippage: 10bps\n  exit_slippage: 0.5%\n  collar: 0.03\n",
        ("policy.limits.slippage", "policy.limits.exit_slippage", "policy.limits.collar"),
    ),
    Example(
        "universe",
        "All pairs that settle in USDT, the five with the most trading",
        "A wildcard stands for whatever the venue lists. A pair belongs to the first tier that "
        "names it, else to the first whose wildcard matches: BTC/USDT stays in `core`.",
        'tiers:\n  core:\n    pairs: [BTC/USDT, ETH/USDT]\n  rotational:\n    pairs: [".*/USDT"]\n'
        "    filters:\n      quote_volume_24h_min: 10000000\n      age_min: 90d\n"
        "    take: 5\n    keep: 8\n    rank_by: quote_volume\n",
        ("universe.tiers.rotational.pairs", "universe.tiers.rotational.filters.age_min"),
    ),
    Example(
        "universe",
        "Another rule for the bear",
        "The first state whose rule holds on the benchmark's closed bars counts, once it held for "
        "`confirm_bars` in a row. The last has no rule: it is what is left. While the regime "
        "cannot be told (too few bars, or stale ones) no tier is open. Here one state of the "
        "shipped regime is changed; the others stay.",
        "regime:\n  timeframe: 4h\n  confirm_bars: 3\n  states:\n    bear:\n"
        "      when: close < sma(close, 50)\n      tiers: [core]\n      risk: 25%\n",
        ("universe.regime.states.bear.when", "universe.regime.states.bear.risk"),
    ),
    Example(
        "signals",
        "A trigger of your own",
        "Its numbers have names, so that whoever uses it can take others.",
        "triggers:\n  squeeze:\n    rule: bbands(close, length, 2).upper < keltner(length, 10, "
        "width).upper\n    parameters: {length: 20, width: 1.5}\n",
        ("signals.triggers.squeeze.parameters.width",),
    ),
    Example(
        "strategies",
        "Rules alone",
        "Buys a dip in an upward trend. No Python runs, and nothing in a rule can name a bar that "
        "is yet to come.",
        "dip:\n  enter: rsi(length) < 35 and close > sma(close, 100)\n  exit: rsi(length) > 60\n"
        "  stop: 4%\n  max_hold: 2d\n  instruments: [BTC/USDT, ETH/USDT]\n  timeframe: 1h\n"
        "  parameters: {length: 14}\n",
        (
            "strategies.dip.stop",
            "strategies.dip.size.equity_share",
            "strategies.dip.budget.exposure",
            "strategies.dip.ttl_bars",
        ),
    ),
    Example(
        "strategies",
        "A trigger with another number, on two timeframes",
        "`on` sees only bars of the higher timeframe that have closed at the decision.",
        'steady:\n  enter: breakout(length=55) and on("4h", close > sma(close, 50))\n'
        "  stop: 3 * atr(14)\n  trail: 4 * atr(14)\n  tier: rotational\n  timeframe: 1h\n",
        ("strategies.steady.tier", "strategies.steady.instruments"),
    ),
    Example(
        "strategies",
        "A Python file whose exit is a rule",
        "A rule beside a file stands in for the file's column of that name.",
        "ma_cross:\n  exit: close < sma(close, 20)\n  target: 8%\n",
        ("strategies.ma_cross.file", "strategies.ma_cross.exit", "strategies.ma_cross.target"),
    ),
    Example(
        "strategies",
        "What a sweep tries",
        "`trader backtest sweep` makes a run for each pair that keeps the condition: see "
        "[sweeps](../sweep.md). None of it is part of the policy's hash.",
        "cross:\n  enter: crosses_above(sma(close, fast), sma(close, slow))\n"
        "  exit: crosses_below(sma(close, fast), sma(close, slow))\n  stop: 5%\n"
        "  instruments: [BTC/USDT]\n  parameters: {fast: 20, slow: 50}\n  sweep:\n"
        "    ranges: {fast: 5:50:5, slow: [60, 120, 240]}\n    where: [fast < slow]\n",
        ("strategies.cross.sweep.ranges.slow", "strategies.cross.sweep.where"),
    ),
    Example(
        "strategies",
        "In the shadow",
        "It decides and is journaled, and opens nothing; what it still holds is looked after.",
        "mean_reversion:\n  shadow: true\n",
        ("strategies.mean_reversion.shadow", "strategies.mean_reversion.enabled"),
    ),
)
