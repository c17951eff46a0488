"""Broken policy.yaml: limits and profiles.

Lives here: the table. Must not live here: broken text (see `broken_text`), rules between keys.
"""

from __future__ import annotations

from .broken_kinds import Row, rows_of

L = "limits:\n  "
SHARES = ("position", "exposure_max", "loss_max", "day_stop", "drawdown_max", "missing_bars_max")

ROWS: list[Row] = rows_of(
    "policy",
    [
        # --- shares
        (L + "collar: 3\n", ["2 SHARE_SCALE limits.collar"], "did you mean 3%"),
        (L + "collar: nan\n", ["2 NOT_A_SHARE limits.collar"], "finite"),
        (L + "collar: .inf\n", ["2 NOT_A_SHARE limits.collar"], "finite"),
        (L + "collar: 3 percent\n", ["2 NOT_A_SHARE limits.collar"], "share"),
        (L + "collar: 3 %%\n", ["2 NOT_A_SHARE limits.collar"], "share"),
        (L + "collar: 300 bp\n", ["2 NOT_A_SHARE limits.collar"], "500bps"),
        (L + "collar: 1/20\n", ["2 NOT_A_SHARE limits.collar"], "share"),
        (L + "collar: '%'\n", ["2 NOT_A_SHARE limits.collar"], "share"),
        (L + 'collar: "3%\\0"\n', ["2 NOT_A_SHARE limits.collar"], "share"),
        (L + "collar: 0,03\n", ["2 NOT_A_SHARE limits.collar"], "mean 3"),
        (L + "collar: 1e-2\n", ["2 NOT_A_SHARE limits.collar"], "did you mean 0.01"),
        (L + "collar: 010%\n", ["2 NOT_A_SHARE limits.collar"], "did you mean 10"),
        (L + "collar: +3%\n", ["2 NOT_A_SHARE limits.collar"], "did you mean 3"),
        (L + "collar: no\n", ["2 NOT_A_SHARE limits.collar"], "'no'"),
        (L + "collar: [3%]\n", ["2 WRONG_KIND limits.collar"], "not a list"),
        (L + "collar: {max: 3%}\n", ["2 WRONG_KIND limits.collar"], "not a mapping"),
        (L + "collar: 90%\n", ["2 OUT_OF_RANGE limits.collar"], "outside"),
        (L + "position: 25\n", ["2 SHARE_SCALE limits.position"], "mean 25%"),
        (L + "position: 1.01\n", ["2 SHARE_SCALE limits.position"], "mean 1.01%"),
        (L + "position: 101%\n", ["2 OUT_OF_RANGE limits.position"], "outside"),
        (L + "position: -1%\n", ["2 OUT_OF_RANGE limits.position"], "outside"),
        (L + "position: 0\n", ["2 OUT_OF_RANGE limits.position"], "outside"),
        (L + "position: 1e400\n", ["2 NOT_A_SHARE limits.position"], "share"),
        (L + "position: 9" + "0" * 400 + "\n", ["2 NOT_A_SHARE limits.position"], "share"),
        (L + "slippage: 0.01bps%\n", ["2 NOT_A_SHARE limits.slippage"], "share"),
        (L + "slippage: 0.001bps\n", ["2 NOT_A_SHARE limits.slippage"], "finer"),
        *(
            (f"{L}{name}: 25\n", [f"2 SHARE_SCALE limits.{name}"], "did you mean 25%")
            for name in SHARES
        ),
        # --- counts, amounts, durations, flags
        (L + "positions_max: 2.5\n", ["2 NOT_AN_INTEGER limits.positions_max"], ""),
        (L + "positions_max: -1\n", ["2 OUT_OF_RANGE limits.positions_max"], "0 to 1000"),
        (L + "positions_max: five\n", ["2 NOT_AN_INTEGER limits.positions_max"], "'five'"),
        (L + "positions_max: 05\n", ["2 NOT_AN_INTEGER limits.positions_max"], "mean 5"),
        (L + "positions_max: 5_0\n", ["2 NOT_AN_INTEGER limits.positions_max"], "mean 50"),
        (L + "positions_max: 1e1\n", ["2 NOT_AN_INTEGER limits.positions_max"], "mean 10"),
        (L + "positions_max: 0x5\n", ["2 NOT_AN_INTEGER limits.positions_max"], "0x5"),
        (L + "positions_max: 12:30:00\n", ["2 NOT_AN_INTEGER limits.positions_max"], "12:30"),
        (L + "positions_max: ~\n", ["2 NOT_AN_INTEGER limits.positions_max"], "'~'"),
        (L + "positions_max: 9" + "9" * 30 + "\n", ["2 NOT_AN_INTEGER limits.positions_max"], ""),
        (L + "positions_max:\n", ["2 NO_VALUE limits.positions_max"], "no value"),
        (
            L + "trades_per_hour_max: 5/h\n",
            ["2 NOT_AN_INTEGER limits.trades_per_hour_max"],
            "5/h",
        ),
        (
            L + "trades_per_day_max: -1\n",
            ["2 OUT_OF_RANGE limits.trades_per_day_max"],
            "outside 0",
        ),
        (L + "order_notional_min: 10 USDT\n", ["2 NOT_A_NUMBER limits.order_notional_min"], "10 U"),
        (L + "order_notional_min: $10\n", ["2 NOT_A_NUMBER limits.order_notional_min"], "$10"),
        (L + "order_notional_min: -1\n", ["2 OUT_OF_RANGE limits.order_notional_min"], "outside"),
        (L + "quote_age_max: 10\n", ["2 NOT_A_DURATION limits.quote_age_max"], "10s"),
        (L + "quote_age_max: 1h\n", ["2 OUT_OF_RANGE limits.quote_age_max"], "5m"),
        (L + "quote_age_max: 0s\n", ["2 OUT_OF_RANGE limits.quote_age_max"], "outside"),
        (L + "quote_age_max: 1.5s\n", ["2 NOT_A_DURATION limits.quote_age_max"], "write"),
        (L + "quote_age_max: 10 seconds\n", ["2 NOT_A_DURATION limits.quote_age_max"], "write"),
        (L + "quote_age_max: 00:00:10\n", ["2 NOT_A_DURATION limits.quote_age_max"], "write"),
        (L + "quote_age_max: -1s\n", ["2 NOT_A_DURATION limits.quote_age_max"], "write"),
        (L + "pyramiding: no\n", ["2 NOT_A_BOOLEAN limits.pyramiding"], "mean false"),
        (L + "pyramiding: 0\n", ["2 NOT_A_BOOLEAN limits.pyramiding"], "true or false"),
        # --- keys and shapes
        (L + "colar: 3%\n", ["2 UNKNOWN_KEY limits.colar"], "did you mean collar"),
        (L + "max_positions: 3\n", ["2 UNKNOWN_KEY limits.max_positions"], "positions_max"),
        (L + "at_risk: 5%\n", ["2 RISK_AMBIGUOUS limits.at_risk"], "exposure_max"),
        (L + "total_at_risk: 5%\n", ["2 RISK_AMBIGUOUS limits.total_at_risk"], "loss_max"),
        ("max_risk: 2%\n", ["1 RISK_AMBIGUOUS max_risk"], "limits.exposure_max"),
        ("position: 5%\n", ["1 UNKNOWN_KEY position"], "policy.limits.position"),
        ("policy: {limits: {}}\n", ["1 UNKNOWN_KEY policy"], "already is section policy"),
        ("limits:\n", ["1 NO_VALUE limits"], "no value"),
        ("limits: tight\n", ["1 WRONG_KIND limits"], "keys and values"),
        ("limits: []\n", ["1 WRONG_KIND limits"], "not a list"),
        ("limits: {collar 3%}\n", ["1 NO_VALUE limits.collar 3%"], "no value"),
        ("profile: consrvative\n", ["1 NOT_A_CHOICE profile"], "did you mean conservative"),
        ("profile: Aggressive\n", ["1 NOT_A_CHOICE profile"], "did you mean aggressive"),
        ("profile: [aggressive]\n", ["1 WRONG_KIND profile"], "not a list"),
        ("profile: null\n", ["1 NOT_A_CHOICE profile"], "one of"),
        ("profiles: aggressive\n", ["1 UNKNOWN_KEY profiles"], "did you mean profile"),
        # --- several at once, all of them
        (
            "limits:\n  collar: x\n  position: 0\n  positions_max: y\n  slipage: 1%\n",
            [
                "2 NOT_A_SHARE limits.collar",
                "3 OUT_OF_RANGE limits.position",
                "4 NOT_AN_INTEGER limits.positions_max",
                "5 UNKNOWN_KEY limits.slipage",
            ],
            "share",
        ),
        # --- contradictions
        (L + "slippage: 1%\n", ["2 LIMIT_ORDER limits.slippage"], "below slippage 0.01"),
        (L + "collar: 10bps\n", ["2 LIMIT_ORDER limits.collar"], "the collar would reject"),
        (
            "limits: {position: 20%, day_stop: 20%, rolling_loss: 20%, trades_per_day_max: 500}\n",
            [
                "1 EXPOSURE_SUM limits.position",
                "1 STOP_LAYERS limits.day_stop",
                "1 TRADES_RATE limits.trades_per_day_max",
            ],
            "5 x position 20% = 100%",
        ),
    ],
)
