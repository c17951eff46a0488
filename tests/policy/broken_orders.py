"""Broken policy.yaml: limits of orders, losses and messages, cooldowns, restrictions, currency.

Lives here: the table. Must not live here: the limits of positions, and profiles (`broken_policy`),
rules between keys.
"""

from __future__ import annotations

from .broken_kinds import Row, rows_of

L = "limits:\n  "
# Shares of limits that have a least above zero, and what 100 % of them are.
SHARES = ("collar_window", "asset_max", "pending_max", "rolling_loss", "strategy_drawdown")
AMOUNTS = ("order_value_max", "order_qty_max")

ROWS: list[Row] = rows_of(
    "policy",
    [
        *((f"{L}{name}: 0\n", [f"2 OUT_OF_RANGE limits.{name}"], "outside") for name in SHARES),
        *((f"{L}{name}: nan\n", [f"2 NOT_A_SHARE limits.{name}"], "finite") for name in SHARES),
        *((f"{L}{name}: -1%\n", [f"2 OUT_OF_RANGE limits.{name}"], "outside") for name in SHARES),
        (L + "asset_max: 101%\n", ["2 OUT_OF_RANGE limits.asset_max"], "outside"),
        (L + "rolling_loss: 25\n", ["2 SHARE_SCALE limits.rolling_loss"], "mean 25%"),
        (L + "spread_max: 101%\n", ["2 OUT_OF_RANGE limits.spread_max"], "outside"),
        (L + "repaint_max: never\n", ["2 NOT_A_SHARE limits.repaint_max"], "share"),
        (L + "volume_share: -5%\n", ["2 OUT_OF_RANGE limits.volume_share"], "outside"),
        (L + "depth_share: .5\n", ["2 NOT_A_SHARE limits.depth_share"], "share"),
        (L + "trim_from: -10%\n", ["2 OUT_OF_RANGE limits.trim_from"], "outside"),
        *((f"{L}{name}: 1e30\n", [f"2 NOT_A_NUMBER limits.{name}"], "1e30") for name in AMOUNTS),
        *((f"{L}{name}: -1\n", [f"2 OUT_OF_RANGE limits.{name}"], "outside") for name in AMOUNTS),
        *((f"{L}{name}: inf\n", [f"2 NOT_A_NUMBER limits.{name}"], "finite") for name in AMOUNTS),
        (
            L + "order_qty_max_of: {BTC: 1}\n",
            ["2 NOT_A_PAIR limits.order_qty_max_of.BTC"],
            "write it as BTC/USDT",
        ),
        (
            L + "order_qty_max_of: {BTC/USDT: lots}\n",
            ["2 NOT_A_NUMBER limits.order_qty_max_of.BTC/USDT"],
            "'lots'",
        ),
        (L + "order_qty_max_of: 5\n", ["2 WRONG_KIND limits.order_qty_max_of"], "keys"),
        (L + "exit_attempts: 0\n", ["2 OUT_OF_RANGE limits.exit_attempts"], "1 to 10"),
        (L + "exit_attempts: 11\n", ["2 OUT_OF_RANGE limits.exit_attempts"], "1 to 10"),
        (L + "collar_window_bars: 0\n", ["2 OUT_OF_RANGE limits.collar_window_bars"], "1 to"),
        (L + "volume_bars: 2.5\n", ["2 NOT_AN_INTEGER limits.volume_bars"], "2.5"),
        (L + "rolling_days: 366\n", ["2 OUT_OF_RANGE limits.rolling_days"], "1 to 365"),
        (L + "unattended_max: 0\n", ["2 OUT_OF_RANGE limits.unattended_max"], "1 to"),
        (L + "clock_skew_max: 0s\n", ["2 OUT_OF_RANGE limits.clock_skew_max"], "1ms"),
        (L + "clock_skew_max: 500\n", ["2 NOT_A_DURATION limits.clock_skew_max"], "500ms"),
        (L + "approval: never\n", ["2 NOT_A_CHOICE limits.approval"], "always"),
        (L + "var: 3%\n", ["2 WRONG_KIND limits.var"], "keys and values"),
        (L + "var: {limit: 0}\n", ["2 OUT_OF_RANGE limits.var.limit"], "outside"),
        (L + "var: {confidence: 1}\n", ["2 OUT_OF_RANGE limits.var.confidence"], "0.999"),
        (L + "var: {confidence: 95}\n", ["2 SHARE_SCALE limits.var.confidence"], "mean 95%"),
        (L + "var: {days: 9}\n", ["2 OUT_OF_RANGE limits.var.days"], "10 to 400"),
        (L + "var: {window: 60}\n", ["2 UNKNOWN_KEY limits.var.window"], ""),
        (L + "correlated: {above: 1.1}\n", ["2 SHARE_SCALE limits.correlated.above"], "1.1%"),
        ("cooldowns: {exit: 31d}\n", ["1 OUT_OF_RANGE cooldowns.exit"], "30d"),
        ("cooldowns: {stop: 2 hours}\n", ["1 NOT_A_DURATION cooldowns.stop"], "write"),
        ("cooldowns: {exit_bars: -1}\n", ["1 OUT_OF_RANGE cooldowns.exit_bars"], "0 to"),
        ("cooldown: {exit: 1h}\n", ["1 UNKNOWN_KEY cooldown"], "did you mean cooldowns"),
        ("quality: {sharpe_min: none}\n", ["1 NOT_A_NUMBER quality.sharpe_min"], "off"),
        ("quality: {sharpe_min: nan}\n", ["1 NOT_A_NUMBER quality.sharpe_min"], "finite"),
        ("quality: {weeks_min: 60}\n", ["1 SHARE_SCALE quality.weeks_min"], "mean 60%"),
        ("quality: {days_min: 13}\n", ["1 OUT_OF_RANGE quality.days_min"], "14 to"),
        ("restricted: {sides: [sell]}\n", ["1 NOT_A_CHOICE restricted.sides"], "one of buy"),
        (
            "restricted: {order_types: [market]}\n",
            ["1 NOT_A_CHOICE restricted.order_types"],
            "limit, post_only",
        ),
        ("restricted: {venues: binance}\n", ["1 WRONG_KIND restricted.venues"], "list"),
        (
            "restricted: {instruments: [DOGE]}\n",
            ["1 NOT_A_PAIR restricted.instruments"],
            "BTC/USDT",
        ),
        ("home: {currency: eur}\n", ["1 NOT_A_NAME home.currency"], "capitals"),
        ("home: {quote_age_max: 2h}\n", ["1 OUT_OF_RANGE home.quote_age_max"], "1h"),
        ("messages: {per_second: 0}\n", ["1 OUT_OF_RANGE messages.per_second"], "1 to"),
        ("messages: {reserve: 91%}\n", ["1 OUT_OF_RANGE messages.reserve"], "outside"),
        ("breaker: {faults: -1}\n", ["1 OUT_OF_RANGE breaker.faults"], "0 to"),
        ("breaker: {rest: 0s}\n", ["1 OUT_OF_RANGE breaker.rest"], "1s"),
    ],
)
