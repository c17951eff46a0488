"""Checked forms that earlier versions wrote into a journal are read as they were meant."""

from __future__ import annotations

from typing import Any, cast

from trader.policy.checking import check_policy
from trader.policy.parameters import build_parameters
from trader.policy.upcasting import upcast

from .conftest import FindSources

# What the first version kept of a small policy, the section `app` apart, which is as it was.
FIRST: dict[str, Any] = {
    "policy": {
        "limits": {
            "slippage": "0.001",
            "exit_slippage": "0.005",
            "collar": "0.03",
            "position": "0.1",
            "positions_max": 5,
            "order_notional_min": "10",
            "quote_age_max": "10s",
            "missing_bars_max": "0.1",
            "bar_jump_max": "0.25",
        }
    },
    "universe": {"instruments": ["BTC/USDT", "ETH/USDT"]},
    "signals": {"defaults": {"ttl_bars": 2}, "presets": {}},
    "strategies": {
        "cross": {
            "file": "cross.py",
            "enabled": True,
            "instruments": ["BTC/USDT", "ETH/USDT"],
            "timeframe": "1h",
            "ttl_bars": 2,
            "size": {"equity_share": "0.02"},
            "preset": "",
            "parameters": {"fast": 20},
        }
    },
}


def test_a_form_of_the_first_version_decides_as_it_did(sources_of: FindSources) -> None:
    present = check_policy(sources_of(), {}).form
    old = build_parameters({"app": present["app"], **FIRST}, {"cross": "ab"})
    assert (old.limits.position_ppm, old.limits.positions_max) == (100_000, 5)
    assert old.limits.exposure_ppm_max == old.limits.day_stop_ppm == 1_000_000
    (spec,) = old.strategies
    assert (spec.symbols, spec.ttl_bars, spec.equity_ppm) == (("BTC/USDT", "ETH/USDT"), 2, 20_000)
    assert (spec.program, spec.tier, spec.source_sha) == ({}, "", "ab")
    (tier,) = old.universe.tiers
    assert (tier.pairs, tier.weight_ppm) == (("BTC/USDT", "ETH/USDT"), 1_000_000)
    assert old.universe.regime is None


def test_an_upcast_form_has_every_key_that_is_read(sources_of: FindSources) -> None:
    present = check_policy(sources_of(), {}).form
    raised = upcast({"app": present["app"], **FIRST})

    def keys(value: Any) -> Any:
        if not isinstance(value, dict):
            return None
        return {name: keys(inner) for name, inner in cast("dict[str, Any]", value).items()}

    ours, theirs = keys(present), keys(raised)
    del ours["signals"]["defaults"]["equity_share"]  # every strategy has its own by then
    assert theirs == ours


def test_a_present_form_is_left_alone(sources_of: FindSources) -> None:
    form = check_policy(sources_of(), {}).form
    assert upcast(form) is form
