"""The methods by which an entry's size is found: which keys of `size` each has, and their defaults.

Lives here: tables, and how they fill in a strategy's `size`. Must not live here: the kinds of these
keys (see `schema_strategies`), and what a method computes (see `core.sizes`).
"""

from __future__ import annotations

from typing import Any

# Method -> its own keys; `method` and `notional_min` belong to every one.
KEYS: dict[str, tuple[str, ...]] = {
    "equity_share": ("equity_share",),
    "fixed": ("notional",),
    "risk": ("loss",),
    "conservative": (),
    "aggressive": (),
    "volatility": ("volatility", "span", "equity_share"),
    "kelly": ("fraction", "trades_min", "loss_max"),
    "risk_parity": ("across", "bars", "shrink", "equity_share"),
}
COMMON = ("method", "notional_min")
# What a key is when it is left out. `notional` is refused then: no amount suits every account.
DEFAULTS: dict[str, str | int] = {
    "notional": "0",
    "loss": "0.01",
    "volatility": "0.2",
    "span": 60,
    "fraction": "0.25",
    "trades_min": 30,
    "loss_max": "0.02",
    "across": "instruments",
    "bars": 120,
    "shrink": "0.2",
}
# Where `equity_share` is taken from when it is left out, by method.
SHARE_FROM: dict[str, str] = {
    "equity_share": "signals.defaults.equity_share",
    "volatility": "policy.limits.position",
    "risk_parity": "policy.limits.exposure_max",
}
# Methods that can be meant without any key: what signals.defaults.size may name.
DEFAULT_METHODS = tuple(name for name in KEYS if name != "fixed")


def method_of(size: dict[str, Any], default: str) -> str:
    """The method of a `size` as it was written: its own, that of its `equity_share`, the default.

    `size: {equity_share: 3%}` says all there is to say, whatever a profile makes the default.
    """
    if size["method"] is not None:
        return str(size["method"])
    return "equity_share" if size["equity_share"] is not None else default


def methods_with(key: str) -> list[str]:
    """The methods that a key of `size` belongs to."""
    return [name for name, keys in KEYS.items() if key in keys]
