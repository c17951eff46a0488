"""Rules between limits of orders, losses, messages and the owner's currency, with examples.

Lives here: the table. Must not live here: positions, sizes and stops (see `incoherent_limits`).
"""

from __future__ import annotations

from .incoherent_kinds import mild, of_file

OF_ORDERS = (
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "the window would reject what the collar allows",
        "limits: {collar: 5%, collar_window: 4.9%}\n",
        "limits: {collar: 5%, collar_window: 5%}\n",
    ),
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "asset_max 4% is below position 5%: an entry at its cap would be refused",
        "limits: {asset_max: 4%}\n",
        "limits: {asset_max: 5%}\n",
    ),
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "write 5% or more",
        "limits: {pending_max: 4%}\n",
        "limits: {pending_max: 5%}\n",
    ),
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "correlated.exposure_max 4% is below position 5%",
        "limits: {correlated: {exposure_max: 4%}}\n",
        "limits: {correlated: {exposure_max: 5%}}\n",
    ),
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "no order fits between them: write 10 or more",
        "limits: {order_value_max: 9.99}\n",
        "limits: {order_value_max: 10}\n",
    ),
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "var.days_min 61 is above var.days 60",
        "limits: {var: {days_min: 61}}\n",
        "limits: {var: {days_min: 60}}\n",
    ),
    of_file(
        "STOP_LAYERS",
        "policy",
        1,
        "rolling_loss 2.9% is below day_stop 3%",
        "limits: {rolling_loss: 2.9%}\n",
        "limits: {rolling_loss: 3%}\n",
    ),
    mild(
        of_file(
            "LIMIT_IDLE",
            "policy",
            1,
            "26% is above exposure_max 25%, which counts",
            "limits: {asset_max: 26%}\n",
            "limits: {asset_max: 25%}\n",
        )
    ),
    mild(
        of_file(
            "LIMIT_IDLE",
            "policy",
            1,
            "10% is not below drawdown_max 10%, which comes first",
            "limits: {rolling_loss: 10%}\n",
            "limits: {rolling_loss: 9.9%}\n",
        )
    ),
    mild(
        of_file(
            "LIMIT_IDLE",
            "policy",
            1,
            "1 attempt goes no wider than slippage",
            "limits: {exit_attempts: 1}\n",
            "limits: {exit_attempts: 1, exit_slippage: 10bps}\n",
        )
    ),
    mild(
        of_file(
            "LIMIT_IDLE",
            "policy",
            1,
            "29m is below exit 30m, which counts after a stop too",
            "cooldowns: {stop: 29m}\n",
            "cooldowns: {stop: 30m}\n",
        )
    ),
    mild(
        of_file(
            "VAR_HISTORY",
            "policy",
            1,
            "above var.limit 3%: nothing of that size is opened",
            "limits: {var: {assumed: 61%}}\n",
            "limits: {var: {assumed: 60%}}\n",
        )
    ),
    of_file(
        "MESSAGES_RATE",
        "policy",
        1,
        "per_minute 121 is above 60 x per_second 2 = 120",
        "messages: {per_second: 2, per_minute: 121}\n",
        "messages: {per_second: 2, per_minute: 120}\n",
    ),
    of_file(
        "MESSAGES_RATE",
        "policy",
        1,
        "per_minute 5001 is above per_day 5000",
        "messages: {per_second: 1000, per_minute: 5001}\n",
        "messages: {per_second: 1000, per_minute: 5000}\n",
    ),
    of_file(
        "MESSAGES_RATE",
        "policy",
        1,
        "a reserve of 51% leaves none of per_second 1 to entries",
        "messages: {per_second: 1, per_minute: 60, reserve: 51%}\n",
        "messages: {per_second: 1, per_minute: 60, reserve: 0%}\n",
    ),
    of_file(
        "HOME_RATE",
        "policy",
        1,
        "one EUR is priced by EUR/USDT, not by nothing",
        "home: {currency: EUR}\n",
        "home: {currency: EUR, rate_symbol: EUR/USDT}\n",
    ),
    of_file(
        "HOME_RATE",
        "policy",
        1,
        "write rate_symbol: EUR/USDT",
        "home: {currency: EUR, rate_symbol: BTC/USDT}\n",
        "home: {currency: EUR, rate_symbol: EUR-USDT}\n",
    ),
    of_file(
        "HOME_RATE",
        "policy",
        1,
        "USDT is app.quote itself",
        "home: {currency: USDT, rate_symbol: USDC/USDT}\n",
        "home: {currency: USDC, rate_symbol: USDC/USDT}\n",
    ),
    mild(
        of_file(
            "HOME_RATE",
            "policy",
            1,
            "order_value_max has no effect without home.currency",
            "home: {order_value_max: 100}\n",
            "home: {order_value_max: 100, currency: EUR, rate_symbol: EUR/USDT}\n",
        )
    ),
    mild(
        of_file(
            "RESTRICTED_ALL",
            "policy",
            1,
            "no entry is anything but a buy",
            "restricted: {sides: [buy]}\n",
            "restricted: {order_types: [post_only]}\n",
        )
    ),
    mild(
        of_file(
            "RESTRICTED_ALL",
            "policy",
            1,
            "app.exchange.name is binance",
            "restricted: {venues: [binance]}\n",
            "restricted: {venues: []}\n",
        )
    ),
    of_file(
        "PAIR_QUOTE",
        "policy",
        1,
        "write BTC/USDT",
        "limits: {order_qty_max_of: {BTC/EUR: 1}}\n",
        "limits: {order_qty_max_of: {BTC/USDT: 1}}\n",
    ),
    of_file(
        "PAIR_QUOTE",
        "policy",
        1,
        "BTC/EUR settles in EUR, not in app.quote USDT",
        "restricted: {instruments: [.*UP/USDT, BTC/EUR]}\n",
        "restricted: {instruments: [.*UP/USDT, BTC/USDT]}\n",
    ),
)
