"""A strategy's `size` of the checked form -> what the core reads of it.

Lives here: plain data becomes integers. Imports neither yaml nor pydantic. Must not live here:
which keys belong to which method (see `size_methods`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.core.parameters import SizeSpec
from trader.policy.form_numbers import ppm

# Key of the form -> field of SizeSpec, by kind of value.
_SHARES = {
    "equity_share": "share_ppm",
    "loss": "risk_ppm",
    "volatility": "volatility_ppm",
    "fraction": "fraction_ppm",
    "loss_max": "risk_ppm_max",
    "shrink": "shrink_ppm",
}
_PLAIN = {
    "method": "method",
    "notional": "notional",
    "span": "span_bars",
    "trades_min": "trades_min",
    "across": "across",
    "bars": "bars",
    "notional_min": "notional_min",
}


def build_size(row: Mapping[str, Any]) -> SizeSpec:
    """The size that a checked form describes; keys of other methods are not in it."""
    fields: dict[str, Any] = {}
    for key, value in row.items():
        if key in _SHARES:
            fields[_SHARES[key]] = ppm(value)
        else:
            fields[_PLAIN[key]] = value
    return SizeSpec(**fields)
