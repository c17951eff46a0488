"""Every key of the schema is read: another value changes what the core or wiring gets.

A key that nobody reads is a promise nobody keeps (an old flag re-used cost others a fortune).
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from trader.policy.checked import Form
from trader.policy.checking import all_keys, check_policy
from trader.policy.describing import key_rows
from trader.policy.parameters import build_parameters, build_settings

from .conftest import FindSources

# Another valid value for every leaf key; `*` is the one entry that the policy below has.
CHANGED: dict[str, str] = {
    "app.account": "other",
    "app.mode": "testnet",
    "app.quote": "EUR",
    "app.timeframe": "5m",
    "app.capital": "500",
    "app.cash_max": "2000000",
    "app.state_dir": "elsewhere",
    "app.exchange.name": "binance",
    "app.exchange.base_url": "http://127.0.0.1:1",
    "app.exchange.timeout_ms": "4000",
    "app.exchange.recv_window_ms": "4000",
    "app.exchange.unknown_grace_ms": "40000",
    "app.exchange.credentials.testnet.key_env": "A",
    "app.exchange.credentials.testnet.secret_env": "B",
    "app.exchange.credentials.testnet.key_file": "/a",
    "app.exchange.credentials.testnet.secret_file": "/b",
    "app.exchange.credentials.live.key_env": "C",
    "app.exchange.credentials.live.secret_env": "D",
    "app.exchange.credentials.live.key_file": "/c",
    "app.exchange.credentials.live.secret_file": "/d",
    "app.cycle.deadline_ms": "30000",
    "app.cycle.settle_ms": "1000",
    "app.cycle.anchor_bars": "128",
    "app.paper.starting_balance": "777",
    "policy.limits.slippage": "11bps",
    "policy.limits.exit_slippage": "51bps",
    "policy.limits.collar": "4%",
    "policy.limits.position": "11%",
    "policy.limits.positions_max": "6",
    "policy.limits.order_notional_min": "11",
    "policy.limits.quote_age_max": "11s",
    "policy.limits.missing_bars_max": "11%",
    "policy.limits.bar_jump_max": "26%",
    "universe.instruments": "ETH/USDT",
    "signals.defaults.ttl_bars": "3",
    "signals.presets.*.*": "99",
    "strategies.*.file": "other.py",
    "strategies.*.enabled": "false",
    "strategies.*.instruments": "ETH/USDT",
    "strategies.*.timeframe": "4h",
    "strategies.*.ttl_bars": "5",
    "strategies.*.size.equity_share": "3%",
    "strategies.*.preset": "quick",
    "strategies.*.parameters.*": "21",
}
# Keys with one possible value so far, and what else must change for another value to be coherent.
SINGLE = {"app.exchange.name": "kraken"}
ALONG = {
    "app.quote": {
        "TRADER__UNIVERSE__INSTRUMENTS": "BTC/EUR",
    },
}
STARS = {
    "signals.presets.*.*": "signals.presets.slow.calm",
    "strategies.*.parameters.*": "strategies.cross.parameters.fast",
}


def _seen(form: Form) -> tuple[Any, Any]:
    return build_parameters(form, {"cross": ""}), build_settings(form)


def _sources(sources_of: FindSources) -> Any:
    return sources_of(
        signals="presets:\n  slow: {calm: 50}\n  quick: {calm: 5}\n",
        strategies="cross:\n  preset: slow\n  parameters: {fast: 20}\n",
    )


def test_every_leaf_of_the_schema_is_in_the_table() -> None:
    keys = all_keys()
    assert len(keys) > 40
    assert set(CHANGED) == set(keys)
    assert tuple(row.key for row in key_rows()) == keys


@pytest.mark.parametrize("key", sorted(set(CHANGED) - set(SINGLE)))
def test_another_value_changes_what_is_read(sources_of: FindSources, key: str) -> None:
    sources = _sources(sources_of)
    concrete = STARS.get(key, key.replace("*", "cross"))
    name = "TRADER__" + concrete.upper().replace(".", "__")
    before = _seen(check_policy(sources, {}).form)
    after = _seen(check_policy(sources, {name: CHANGED[key], **ALONG.get(key, {})}).form)
    assert before != after


def test_the_quote_currency_itself_is_read(sources_of: FindSources) -> None:
    env = {"TRADER__APP__QUOTE": "EUR", **ALONG["app.quote"]}
    parameters, _ = _seen(check_policy(_sources(sources_of), env).form)
    assert parameters.quote == "EUR"


@pytest.mark.parametrize("key", sorted(SINGLE))
def test_a_key_with_one_possible_value_is_read_too(sources_of: FindSources, key: str) -> None:
    form = check_policy(_sources(sources_of), {}).form
    other = copy.deepcopy(form)
    *path, last = key.split(".")
    place: Any = other
    for step in path:
        place = place[step]
    place[last] = SINGLE[key]
    assert _seen(form) != _seen(other)
