"""Rules between the keys of a size, each with a bad and a good example.

Lives here: the part of the table that is about `size`. Must not live here: what an example is (see
`incoherent_kinds`).
"""

from __future__ import annotations

from .incoherent_kinds import RULE, Example, mild, of_file

TINY = "  stop: 5%\n  size: {method: risk, loss: 0.2%}\n"

OF_SIZES = (
    of_file(
        "SIZE_KEY",
        "strategies",
        1,
        "remove it, or write method: risk",
        "cross: {size: {method: equity_share, loss: 1%}}\n",
        "cross: {size: {method: risk, loss: 1%}}\n",
    ),
    of_file(
        "SIZE_KEY",
        "strategies",
        2,
        "equity_share does not belong to method kelly",
        "cross:\n  size: {method: kelly, equity_share: 5%}\n",
        "cross:\n  size: {method: volatility, equity_share: 5%}\n",
    ),
    of_file(
        "SIZE_KEY",
        "strategies",
        1,
        "span does not belong to method equity_share",
        "cross: {size: {span: 30}}\n",
        "cross: {size: {method: volatility, span: 30}}\n",
    ),
    # The profile's method has no keys of its own.
    Example(
        "SIZE_KEY",
        "strategies.yaml:1",
        "loss does not belong to method conservative",
        {"policy": "profile: conservative\n", "strategies": "cross: {size: {loss: 1%}}\n"},
        {
            "policy": "profile: conservative\n",
            "strategies": "cross: {size: {method: risk, loss: 1%}}\n",
        },
    ),
    of_file(
        "SIZE_AMOUNT",
        "strategies",
        1,
        "write notional: an amount in USDT",
        "cross: {size: {method: fixed}}\n",
        "cross: {size: {method: fixed, notional: 100}}\n",
    ),
    of_file(
        "WARMUP_WINDOW",
        "strategies",
        1,
        "needs 401 of 446 bars of 1w; 428 can be read",
        "cross: {timeframe: 1w, size: {method: volatility, span: 100}}\n",
        "cross: {timeframe: 1w, size: {method: volatility, span: 60}}\n",
    ),
    of_file(
        "NEVER_TRADES",
        "strategies",
        1,
        "its size is below policy.limits.order_notional_min 10 on any account",
        "cross: {size: {method: fixed, notional: 10}}\n",
        "cross: {size: {method: fixed, notional: 10.01}}\n",
    ),
    # 1.1 % lost may not exceed what the account loses in a day.
    Example(
        "STOP_LAYERS",
        "strategies.yaml:1",
        "a size of risk loses 1.1% of equity, not below policy.limits.day_stop 1.1%",
        {
            "policy": "limits: {loss_max: 1.1%, day_stop: 1.1%, position: 100%, positions_max: 1, "
            "exposure_max: 100%}\n",
            "strategies": "cross: {size: {method: risk, loss: 1.1%}}\n",
        },
        {
            "policy": "limits: {loss_max: 1.1%, day_stop: 1.2%, position: 100%, positions_max: 1, "
            "exposure_max: 100%}\n",
            "strategies": "cross: {size: {method: risk, loss: 1.1%}}\n",
        },
    ),
    # Five positions that lose 1 % each: how many fit is what loss_max says, so that is no fault. A
    # position of 5 % with a stop of 5 % loses 5 % x 0.05379 = 0.268 %.
    mild(
        of_file(
            "CAP_BINDS",
            "strategies",
            4,
            "a stop of 5% loses 0.2689% of equity, not 1%",
            RULE + "  stop: 5%\n  size: {method: risk, loss: 1%}\n",
            RULE + TINY,
        )
    ),
    mild(
        Example(
            "NEVER_TRADES",
            "strategies.yaml:1",
            "an order of 499.50 is above policy.limits.order_value_max 499",
            {"policy": "limits: {order_value_max: 499}\n"},
            {"policy": "limits: {order_value_max: 500}\n"},
        )
    ),
)
