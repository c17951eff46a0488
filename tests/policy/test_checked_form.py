"""The checked form: canonical, effective, hashed; and what the core and wiring get of it."""

from __future__ import annotations

import hashlib
import json

import pytest

from trader.core.identity import owner_prefix
from trader.policy.checked import Checked, canonical_form
from trader.policy.checking import check_policy
from trader.policy.parameters import build_parameters, build_settings
from trader.policy.showing import REDACTED, redacted, show

from .conftest import FindSources


def test_two_spellings_of_one_policy_have_one_hash(sources_of: FindSources) -> None:
    one = check_policy(sources_of(policy="limits: {slippage: 10bps, quote_age_max: 60s}\n"), {})
    two = check_policy(
        sources_of(policy="# c\nlimits:\n  quote_age_max: 1m\n  slippage: '0.001'\n"), {}
    )
    three = check_policy(sources_of(policy="limits: {slippage: 11bps, quote_age_max: 1m}\n"), {})
    assert one.sha == two.sha != three.sha
    assert len({one.source_sha, two.source_sha, three.source_sha}) == 3


def test_the_hash_is_that_of_the_canonical_text(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(), {})
    text = canonical_form(checked.form)
    assert hashlib.sha256(text.encode()).hexdigest() == checked.sha
    assert json.loads(text) == checked.form


def test_the_source_hash_covers_overriding_variables_and_no_others(sources_of: FindSources) -> None:
    plain = check_policy(sources_of(), {})
    other = check_policy(sources_of(), {"PATH": "/bin"})
    override = check_policy(sources_of(), {"TRADER__APP__ACCOUNT": "demo"})
    assert plain.source_sha == other.source_sha != override.source_sha
    assert plain.sha == override.sha


def test_the_form_holds_effective_values_and_their_origin(sources_of: FindSources) -> None:
    checked = check_policy(
        sources_of(
            signals="defaults:\n  ttl_bars: 4\npresets:\n  slow:\n    fast: 50\n    stop: 2.50\n",
            strategies="cross:\n  preset: slow\n  parameters:\n    fast: 9\n",
        ),
        {},
    )
    row = checked.form["strategies"]["cross"]
    assert row["file"] == "cross.py"
    assert row["ttl_bars"] == 4
    assert row["instruments"] == ["BTC/USDT", "ETH/USDT"]
    assert row["parameters"] == {"fast": 9, "stop": "2.5"}
    origin = checked.origin
    assert origin["strategies.cross.ttl_bars"] == "config/signals.yaml:2"
    assert origin["strategies.cross.instruments"] == "config/universe.yaml:4"
    assert origin["strategies.cross.parameters.fast"] == "config/strategies.yaml:4"
    assert origin["strategies.cross.parameters.stop"] == "config/signals.yaml:6"
    assert origin["strategies.cross.file"] == "default"


def test_a_preset_alone_gives_every_parameter_an_origin(sources_of: FindSources) -> None:
    checked = check_policy(
        sources_of(signals="presets:\n  slow: {fast: 50}\n", strategies="cross:\n  preset: slow\n"),
        {},
    )
    keys = {shown.key: shown.origin for shown in show(checked).values}
    assert keys["strategies.cross.parameters.fast"] == "config/signals.yaml:2"
    assert set(keys) == set(checked.origin)


def test_parameters_are_the_form_in_integers(sources_of: FindSources) -> None:
    checked = check_policy(
        sources_of(
            app="account: alice\nmode: testnet\ntimeframe: 5m\ncapital: 250.50\n",
            policy="limits: {collar: 2.5%, quote_age_max: 1500ms, order_notional_min: 12.50}\n",
            strategies="cross:\n  timeframe: 4h\n  enabled: false\n  size: {equity_share: 3%}\n"
            "  instruments: [ETH/USDT]\n  parameters: {fast: 20, stop: 1.50, level: -3}\n",
        ),
        {},
    )
    built = build_parameters(checked.form, {"cross": "ab" * 32})
    assert (built.account, built.mode, built.capital) == ("alice", "testnet", "250.5")
    assert built.prefix == owner_prefix("alice", "testnet")
    assert built.step_ms == 300_000
    assert built.limits.collar_ppm == 25_000
    assert built.limits.quote_age_ms_max == 1_500
    assert built.limits.order_notional_min == "12.5"
    (spec,) = built.strategies
    assert (spec.name, spec.source, spec.source_sha) == ("cross", "cross.py", "ab" * 32)
    assert (spec.timeframe, spec.timeframe_ms) == ("4h", 14_400_000)
    assert (spec.size.share_ppm, spec.enabled, spec.symbols) == (30_000, False, ("ETH/USDT",))
    assert spec.numbers == {"fast": 20, "stop": 1.5, "level": -3}
    assert [type(value) for value in spec.numbers.values()] == [int, float, int]


def test_capital_all_is_no_slice(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(), {})
    assert build_parameters(checked.form, {"cross": ""}).capital == ""


def test_a_strategy_without_a_hash_is_not_built(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(), {})
    with pytest.raises(KeyError):
        build_parameters(checked.form, {})


def test_settings_are_what_wiring_reads(sources_of: FindSources) -> None:
    app = (
        "state_dir: /var/lib/x\nexchange: {timeout_ms: 700, credentials: {live: {key_env: '', "
        "key_file: /run/key}}}\npaper: {starting_balance: 1258.82}\n"
    )
    settings = build_settings(check_policy(sources_of(app=app), {}).form)
    assert (settings.state_dir, settings.timeout_ms, settings.venue) == (
        "/var/lib/x",
        700,
        "binance",
    )
    assert settings.credentials["live"].key_file == "/run/key"
    assert settings.credentials["testnet"].secret_env == "TRADER_TESTNET_SECRET"
    assert settings.starting_balance == "1258.82"


def test_show_gives_every_leaf_with_its_origin_and_the_hash(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(), {})
    shown = show(checked)
    assert shown.sha == checked.sha
    assert shown.form == checked.form
    rows = {row.key: (row.value, row.origin) for row in shown.values}
    assert rows["policy.limits.collar"] == ("0.03", "config/policy.yaml:4")
    assert rows["app.exchange.timeout_ms"] == (5000, "default")
    assert set(rows) == set(checked.origin)


def test_show_redacts_what_looks_like_a_credential() -> None:
    secret = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utI"
    assert redacted({"a": [secret, "BTC/USDT"], "key_file": "/run/Keys2/abcdefghijk"}) == {
        "a": [REDACTED, "BTC/USDT"],
        "key_file": "/run/Keys2/abcdefghijk",
    }


def test_a_checked_form_survives_plain_json(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(universe="tiers: {core: {pairs: [BTC-USDT]}}\n"), {})
    assert checked.warnings
    assert Checked.from_plain(json.loads(json.dumps(checked.to_plain()))) == checked


def test_what_a_sweep_tries_is_no_part_of_the_hash(sources_of: FindSources) -> None:
    cross = "cross:\n  parameters: {fast: 20}\n"
    swept = (
        cross + "  sweep:\n    ranges: {fast: 5:50:5, stop: [1.5, 2.50]}\n    where: [fast<99]\n"
    )
    plain = check_policy(sources_of(strategies=cross), {})
    checked = check_policy(sources_of(strategies=swept), {})
    assert checked.sha == plain.sha
    assert checked.form == plain.form
    assert checked.source_sha != plain.source_sha
    assert plain.sweeps == {}
    ranges = {"fast": "5:50:5", "stop": "1.5,2.5"}
    assert checked.sweeps == {"cross": {"ranges": ranges, "where": ["fast < 99"]}}
    rows = {row.key: (row.value, row.origin) for row in show(checked).values}
    assert rows["strategies.cross.sweep.ranges.fast"] == ("5:50:5", "config/strategies.yaml:4")
    assert set(rows) == set(checked.origin)
    assert Checked.from_plain(json.loads(json.dumps(checked.to_plain()))) == checked
