"""Rules between limits, each with a bad and a good example.

Lives here: the table. Must not live here: rules of other files (see `incoherent`).
"""

from __future__ import annotations

from .incoherent_kinds import RULE, Example, mild, of_file

# Every limit that a profile gives.
LIMITS = (
    "position: 6%, positions_max: 5, exposure_max: 30%, loss_max: 2.5%, day_stop: 3%, "
    "drawdown_max: 25%, trades_per_hour_max: 5, trades_per_day_max: 120, pyramiding: false, "
    "pending_max: 18%, correlated: {exposure_max: 24%}, var: {limit: 3%, assumed: 7.5%}, "
    "rolling_loss: 6%, strategy_drawdown: 15%"
)
QUALITY = "quality: {sharpe_min: 0.8, weeks_min: 60%}\n"
OF_LIMITS = (
    of_file(
        "LIMIT_ORDER",
        "policy",
        1,
        "the collar would reject",
        "limits: {exit_slippage: 3%, collar: 2%}\n",
        "limits: {exit_slippage: 2%, collar: 2%}\n",
    ),
    of_file(
        "TRADES_RATE",
        "policy",
        1,
        "above 24 x trades_per_hour_max 5 = 120",
        "limits: {trades_per_hour_max: 5, trades_per_day_max: 121}\n",
        "limits: {trades_per_hour_max: 5, trades_per_day_max: 120}\n",
    ),
    of_file(
        "TRADES_RATE",
        "policy",
        1,
        "trades_per_hour_max 11 is above trades_per_day_max 10",
        "limits: {trades_per_hour_max: 11, trades_per_day_max: 10}\n",
        "limits: {trades_per_hour_max: 10, trades_per_day_max: 10}\n",
    ),
    Example(
        "PYRAMIDING_DISAGREES",
        "strategies.yaml:1",
        "set both to true",
        {"strategies": "cross: {pyramiding: true}\n"},
        {"strategies": "cross: {pyramiding: true}\n", "policy": "limits: {pyramiding: true}\n"},
    ),
    of_file(
        "EXPOSURE_SUM",
        "policy",
        1,
        "5 x position 6% = 30% is above exposure_max 25%",
        "limits: {position: 6%, positions_max: 5, exposure_max: 25%}\n",
        "limits: {position: 5%, positions_max: 5, exposure_max: 25%}\n",
    ),
    of_file(
        "LOSS_SUM",
        "strategies",
        3,
        "5 positions of 5% with a stop of 11% lose 2.75%, above policy.limits.loss_max 2.5%",
        RULE + "  stop: 11%\n",
        RULE + "  stop: 10%\n",
    ),
    of_file(
        "BUDGETS_SUM",
        "strategies",
        2,
        "the budgets of cross, dip add up to 26%",
        "cross: {budget: {exposure: 15%}}\ndip: {file: cross.py, budget: {exposure: 11%}}\n",
        "cross: {budget: {exposure: 15%}}\ndip: {file: cross.py, budget: {exposure: 10%}}\n",
    ),
    of_file(
        "BUDGETS_SUM",
        "strategies",
        2,
        "add up to 6, above policy.limits.positions_max 5",
        "cross: {budget: {positions_max: 3}}\ndip: {file: cross.py, budget: {positions_max: 3}}\n",
        "cross: {budget: {positions_max: 3}}\ndip: {file: cross.py, budget: {positions_max: 2}}\n",
    ),
    of_file(
        "BUDGETS_SUM",
        "strategies",
        1,
        "cross may have 3%, above policy.limits.loss_max 2.5%",
        "cross: {budget: {loss: 3%}}\n",
        "cross: {budget: {loss: 2.5%}}\n",
    ),
    of_file(
        "NOTIONAL_TWICE",
        "strategies",
        1,
        "9 is below policy.limits.order_notional_min 10",
        "cross: {size: {notional_min: 9}}\n",
        "cross: {size: {notional_min: 11}}\n",
    ),
    mild(
        Example(
            "NOTIONAL_TWICE",
            "policy.yaml:1",
            "15 has no effect",
            {
                "policy": "limits: {order_notional_min: 15}\n",
                "strategies": "cross: {size: {notional_min: 20}}\n",
            },
            {
                "policy": "limits: {order_notional_min: 20}\n",
                "strategies": "cross: {size: {notional_min: 20}}\n",
            },
        )
    ),
    of_file(
        "STOP_LAYERS",
        "policy",
        1,
        "day_stop 10% is not below drawdown_max 10%",
        "limits: {day_stop: 10%, rolling_loss: 10%, drawdown_max: 10%}\n",
        "limits: {day_stop: 9%, rolling_loss: 9%, drawdown_max: 10%}\n",
    ),
    Example(
        "STOP_LAYERS",
        "strategies.yaml:3",
        "one stop of 20% on a position of 5% loses 1% of equity, not below policy.limits.day_stop",
        {
            "policy": "limits: {loss_max: 15%, day_stop: 1%}\n",
            "strategies": RULE + "  stop: 20%\n",
        },
        {
            "policy": "limits: {loss_max: 15%, day_stop: 1%}\n",
            "strategies": RULE + "  stop: 19%\n",
        },
    ),
    of_file(
        "STOP_INSIDE_COSTS",
        "strategies",
        3,
        "taker fee of binance and slippage 0.1%, in and out, are 0.4%",
        RULE + "  stop: 0.4%\n",
        RULE + "  stop: 0.41%\n",
    ),
    of_file(
        "STOP_INSIDE_COSTS",
        "strategies",
        4,
        "write more than 0.4%",
        RULE + "  stop: 5%\n  target: 40bps\n",
        RULE + "  stop: 5%\n  target: 41bps\n",
    ),
    of_file(
        "STOP_MISSING",
        "strategies",
        1,
        "write stop: 5%",
        RULE,
        RULE + "  stop: 5%\n",
    ),
    mild(
        of_file(
            "SHARE_SCALE",
            "policy",
            1,
            "1 is the whole: 100%",
            "limits: {loss_max: 1}\n",
            "limits: {loss_max: 1%}\n",
        )
    ),
    mild(
        of_file(
            "SHARE_SCALE",
            "policy",
            1,
            "did you mean 25%",
            "limits: {drawdown_max: 0.25%, day_stop: 20bps}\n",
            "limits: {drawdown_max: 25%, day_stop: 3%}\n",
        )
    ),
    mild(
        of_file(
            "CAP_BINDS",
            "strategies",
            1,
            "equity_share 6% is above what policy.limits.position allows, 5%",
            "cross: {size: {equity_share: 6%}}\n",
            "cross: {size: {equity_share: 5%}}\n",
        )
    ),
    mild(
        of_file(
            "CAP_BINDS",
            "strategies",
            1,
            "what budget.exposure allows, 4%: the cap always binds",
            "cross: {size: {equity_share: 5%}, budget: {exposure: 4%}}\n",
            "cross: {size: {equity_share: 4%}, budget: {exposure: 4%}}\n",
        )
    ),
    # What 1 % at risk with a stop of 10 % wants, and what a cap of 3 % makes of it.
    mild(
        Example(
            "CAP_BINDS",
            "strategies.yaml:4",
            "a stop of 10% loses 0.3% of equity, not 1%",
            {
                "policy": "limits: {position: 3%}\n",
                "strategies": RULE + "  stop: 10%\n  size: {equity_share: 10%}\n",
            },
            {
                "policy": "limits: {position: 10%, positions_max: 2}\n",
                "strategies": RULE + "  stop: 10%\n  size: {equity_share: 10%}\n",
            },
        )
    ),
    mild(
        of_file(
            "PROFILE_IDLE",
            "policy",
            1,
            "profile conservative gives no limit",
            f"profile: conservative\nlimits: {{{LIMITS}}}\n{QUALITY}",
            f"profile: none\nlimits: {{{LIMITS}}}\n{QUALITY}",
        )
    ),
)
