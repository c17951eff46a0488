"""Checked forms that earlier versions wrote into a journal are read as they were meant."""

from __future__ import annotations

from typing import Any, cast

from trader.core.limits import Limits
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
    assert (spec.symbols, spec.ttl_bars, spec.size.share_ppm) == (
        ("BTC/USDT", "ETH/USDT"),
        2,
        20_000,
    )
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
    for taken in ("equity_share", "size"):  # every strategy has its own by then
        del ours["signals"]["defaults"][taken]
    assert theirs == ours


def test_a_limit_that_a_form_did_not_have_lets_everything_through(
    sources_of: FindSources,
) -> None:
    present = check_policy(sources_of(), {}).form
    limits = build_parameters({"app": present["app"], **FIRST}, {"cross": "ab"}).limits
    # What the core takes when nobody says is what binds nobody (see `core.limits`).
    unsaid = Limits(1_000, 5_000, 30_000, 100_000, 5, "10", 10_000, 100_000, 250_000)
    told = {name: getattr(limits, name) for name in Limits.__dataclass_fields__}
    meant = {name: getattr(unsaid, name) for name in Limits.__dataclass_fields__}
    counts = {"trades_hour_max", "trades_day_max"}  # bounded by what the schema bounded them by
    windows = {"collar_window_bars", "volume_bars", "home"}  # of what is not asked
    for name in sorted(set(meant) - counts - windows):
        assert told[name] == meant[name], name
    assert limits.home.currency == ""


def test_a_form_of_the_second_version_keeps_its_limits_and_gets_no_others(
    sources_of: FindSources,
) -> None:
    present = check_policy(sources_of(), {}).form
    first = build_parameters({"app": present["app"], **FIRST}, {"cross": "ab"})
    raised = upcast({"app": present["app"], **FIRST})
    had = ("profile", "limits")
    later = {name: raised["policy"][name] for name in had}
    limits = {
        name: value
        for name, value in later["limits"].items()
        if name in {*FIRST["policy"]["limits"], "exposure_max", "loss_max", "day_stop"}
        or name in {"drawdown_max", "trades_per_hour_max", "trades_per_day_max", "pyramiding"}
    }
    second = {**raised, "policy": {**later, "limits": {**limits, "day_stop": "0.02"}}}
    built = build_parameters(second, {"cross": "ab"})
    assert built.limits.day_stop_ppm == 20_000
    assert built.limits.messages == first.limits.messages
    assert built.limits.order_value_max == first.limits.order_value_max


def test_a_present_form_is_left_alone(sources_of: FindSources) -> None:
    form = check_policy(sources_of(), {}).form
    assert upcast(form) is form
