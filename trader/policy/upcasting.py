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
    return form if "profile" in form["policy"] else _from_first(form)


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
