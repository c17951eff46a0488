"""Checked forms of earlier versions -> the present form, for what a journal still holds.

Lives here: one step per version. What a step adds decides as before: a limit that did not exist
lets everything through. Must not live here: the present form (see `schema`).
"""

from __future__ import annotations

from typing import Any

from trader.policy.checked import Form

ALL = "1"
MANY = 1_000
_NO_LIMITS: dict[str, Any] = {
    "exposure_max": ALL,
    "loss_max": ALL,
    "day_stop": ALL,
    "drawdown_max": ALL,
    "trades_per_hour_max": MANY,
    "trades_per_day_max": MANY,
    "pyramiding": False,
}
# Beyond what the schema lets anybody write: nothing comes near it.
BEYOND = 1_000_000_000
BEYOND_SHARE = "1000"
_NO_LATER_LIMITS: dict[str, Any] = {
    "exit_attempts": 2,
    "collar_window": BEYOND_SHARE,
    "collar_window_bars": 1,
    "order_value_max": "1000000000",
    "order_qty_max": "1000000000000",
    "order_qty_max_of": {},
    "spread_max": ALL,
    "volume_share": BEYOND_SHARE,
    "volume_bars": 1,
    "depth_share": "0",
    "repaint_max": BEYOND_SHARE,
    "clock_skew_max": f"{BEYOND}ms",
    "asset_max": ALL,
    "pending_max": ALL,
    "correlated": {"exposure_max": ALL, "above": "0.8"},
    "var": {
        "limit": ALL,
        "confidence": "0.95",
        "days": 60,
        "days_min": 30,
        "assumed": "0.2",
    },
    "rolling_loss": ALL,
    "rolling_days": 7,
    "strategy_drawdown": BEYOND_SHARE,
    "unattended_max": BEYOND,
    "trim_from": "0",
    "approval": "given",
}
_NO_SECTIONS: dict[str, Any] = {
    "day": {"zone": "UTC", "starts_at": "00:00", "table": {}},
    "calendar": {
        "zone": "UTC",
        "sessions": [],
        "weekly": [],
        "dated": [],
        "holidays": [],
        "file": "",
        "table": {"sessions": [], "weekly": [], "dated": []},
    },
    "cooldowns": {"exit": "0s", "exit_bars": 0, "stop": "0s", "unfilled": "0s"},
    "quality": {"sharpe_min": "off", "weeks_min": "0", "days_min": 60},
    "restricted": {"instruments": [], "sides": [], "order_types": [], "venues": []},
    "home": {"currency": "", "rate_symbol": "", "order_value_max": "0", "quote_age_max": "1m"},
    "messages": {
        "per_second": BEYOND,
        "per_minute": BEYOND,
        "per_day": BEYOND,
        "reserve": "0",
    },
    "breaker": {"faults": 0, "rest": "5m"},
}
_NO_EXITS: dict[str, Any] = {
    "trail_from": "",
    "break_even": "",
    "scale_out": [],
    "entry": {"style": "taker", "ttl": "5m", "reprice": "0.0005", "moves_max": 5},
}
_STRATEGY: dict[str, Any] = {
    **dict.fromkeys(("enter", "exit", "strength", "stop", "target", "trail", "tier"), ""),
    "max_hold": "0s",
    "shadow": False,
    "priority": 100,
    "pyramiding": False,
    "program": {},
}
_BUDGET: dict[str, Any] = {
    "exposure": ALL,
    "loss": ALL,
    "positions_max": MANY,
    "trades_per_day_max": MANY,
}


def upcast(form: Form) -> Form:
    """The form as this version writes it; itself when it is."""
    if "profile" not in form["policy"]:
        form = _from_first(form)
    return form if "messages" in form["policy"] else _from_second(form)


def _from_second(form: Form) -> Form:
    """From the form whose policy had a profile and the limits of the first rules, and no more."""
    policy: Form = {
        **form["policy"],
        **_NO_SECTIONS,
        "limits": {**form["policy"]["limits"], **_NO_LATER_LIMITS},
    }
    strategies: Form = {
        name: {**row, **_NO_EXITS, "size": {"method": "equity_share", **row["size"]}}
        for name, row in form["strategies"].items()
    }
    return {**form, "policy": policy, "strategies": strategies}


def _from_first(form: Form) -> Form:
    """From the form that had a list of instruments in place of tiers, and no rules."""
    strategies: Form = {
        # Their order was that of the stored text, whose keys are sorted.
        name: {**row, **_STRATEGY, "declared": number, "budget": _BUDGET,
               "size": {**row["size"], "notional_min": "0"}}
        for number, (name, row) in enumerate(form["strategies"].items())
    }  # fmt: skip
    instruments: list[str] = form["universe"]["instruments"]
    tiers: dict[str, list[str]] = {"core": instruments, "rotational": [], "event": []}
    universe: Form = {
        "timeframe": "1h",
        "refresh": "1h",
        "deny": [],
        "tiers": {name: _tier(pairs) for name, pairs in tiers.items()},
        "regime": None,
    }
    policy: Form = {"profile": "none", "limits": {**form["policy"]["limits"], **_NO_LIMITS}}
    none: Form = {}
    signals: Form = {**form["signals"], "triggers": none}
    return {
        **form,
        "policy": policy,
        "universe": universe,
        "signals": signals,
        "strategies": strategies,
    }


def _tier(pairs: list[str]) -> dict[str, Any]:
    filters = {"quote_volume_24h_min": "0", "spread_max": "0", "depth_min": "0", "age_min": "0s"}
    return {
        "pairs": pairs,
        "filters": {**filters, "price_min": "0"},
        "take": 0,
        "keep": 0,
        "rank_by": "quote_volume",
        "positions_max": MANY,
        "weight": ALL,
    }
