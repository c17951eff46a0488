"""The limits of a checked form -> `core.limits`.

Lives here: the section `policy` becomes integers, once. Imports neither yaml nor pydantic. Must not
live here: checks (the form has passed them), and what is not of policy.yaml (see `parameters`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.core.limits import (
    NEVER,
    Breaker,
    Cooldowns,
    Correlated,
    Home,
    Limits,
    Messages,
    Quality,
    Restricted,
    ValueAtRisk,
)
from trader.policy.form_numbers import milli_up, ms, ppm
from trader.policy.parameters_calendar import build_calendar, build_day

Row = Mapping[str, Any]


def build_limits(policy: Row) -> Limits:
    """Everything that policy.yaml says, its profile apart, which is in the values already."""
    row = policy["limits"]
    return Limits(
        slippage_ppm=ppm(row["slippage"]),
        exit_slippage_ppm=ppm(row["exit_slippage"]),
        exit_attempts=row["exit_attempts"],
        collar_ppm=ppm(row["collar"]),
        collar_window_ppm=ppm(row["collar_window"]),
        collar_window_bars=row["collar_window_bars"],
        position_ppm=ppm(row["position"]),
        positions_max=row["positions_max"],
        order_notional_min=row["order_notional_min"],
        order_value_max=row["order_value_max"],
        order_qty_max=row["order_qty_max"],
        order_qty_max_of=row["order_qty_max_of"],
        quote_age_ms_max=ms(row["quote_age_max"]),
        spread_ppm_max=ppm(row["spread_max"]),
        volume_ppm_max=ppm(row["volume_share"]),
        volume_bars=row["volume_bars"],
        depth_ppm_max=ppm(row["depth_share"]),
        missing_ppm_max=ppm(row["missing_bars_max"]),
        bar_jump_ppm_max=ppm(row["bar_jump_max"]),
        repaint_ppm_max=ppm(row["repaint_max"]),
        clock_skew_ms_max=ms(row["clock_skew_max"]),
        exposure_ppm_max=ppm(row["exposure_max"]),
        asset_ppm_max=ppm(row["asset_max"]),
        pending_ppm_max=ppm(row["pending_max"]),
        loss_ppm_max=ppm(row["loss_max"]),
        day_stop_ppm=ppm(row["day_stop"]),
        rolling_loss_ppm=ppm(row["rolling_loss"]),
        rolling_days=row["rolling_days"],
        drawdown_ppm_max=ppm(row["drawdown_max"]),
        strategy_drawdown_ppm=ppm(row["strategy_drawdown"]),
        trades_hour_max=row["trades_per_hour_max"],
        trades_day_max=row["trades_per_day_max"],
        unattended_max=row["unattended_max"],
        pyramiding=row["pyramiding"],
        trim_from_ppm=ppm(row["trim_from"]),
        approval=row["approval"],
        day=build_day(policy["day"]),
        calendar=build_calendar(policy["calendar"]),
        cooldowns=_cooldowns(policy["cooldowns"]),
        quality=_quality(policy["quality"]),
        restricted=Restricted(**{name: tuple(of) for name, of in policy["restricted"].items()}),
        home=_home(policy["home"]),
        messages=_messages(policy["messages"]),
        breaker=Breaker(policy["breaker"]["faults"], ms(policy["breaker"]["rest"])),
        var=_value_at_risk(row["var"]),
        correlated=_correlated(row["correlated"]),
    )


def _value_at_risk(row: Row) -> ValueAtRisk:
    return ValueAtRisk(
        limit_ppm=ppm(row["limit"]),
        confidence_ppm=ppm(row["confidence"]),
        days=row["days"],
        days_min=row["days_min"],
        assumed_ppm=ppm(row["assumed"]),
    )


def _correlated(row: Row) -> Correlated:
    return Correlated(exposure_ppm_max=ppm(row["exposure_max"]), above_ppm=ppm(row["above"]))


def _cooldowns(row: Row) -> Cooldowns:
    return Cooldowns(
        exit_ms=ms(row["exit"]),
        exit_bars=row["exit_bars"],
        stop_ms=ms(row["stop"]),
        unfilled_ms=ms(row["unfilled"]),
    )


def _quality(row: Row) -> Quality:
    sharpe = row["sharpe_min"]
    return Quality(
        sharpe_milli_min=-NEVER if sharpe == "off" else milli_up(sharpe),
        weeks_ppm_min=ppm(row["weeks_min"]),
        days_min=row["days_min"],
    )


def _home(row: Row) -> Home:
    return Home(
        currency=row["currency"],
        rate_symbol=row["rate_symbol"],
        order_value_max=row["order_value_max"],
        quote_age_ms_max=ms(row["quote_age_max"]),
    )


def _messages(row: Row) -> Messages:
    return Messages(
        second_max=row["per_second"],
        minute_max=row["per_minute"],
        day_max=row["per_day"],
        reserve_ppm=ppm(row["reserve"]),
    )
