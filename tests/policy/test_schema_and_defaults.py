"""The shipped files, the schema and its JSON form say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import trader
from trader.core.canonical import sha256_of
from trader.policy.checking import all_keys, check_policy, examine
from trader.policy.compiling_calendar import compile_calendar
from trader.policy.describing import json_schemas, key_rows, main, schema_texts
from trader.policy.parameters import build_parameters, build_settings
from trader.policy.schema import Files
from trader.policy.sources import PROFILES, SECTIONS, Source, find_sources

ROOT = Path(trader.__file__).parent.parent


def _shipped() -> Any:
    return find_sources([], cwd=ROOT, env={})


def test_the_shipped_policy_is_good_and_gives_no_warning() -> None:
    checked, problems, warnings = examine(_shipped(), {}, strategy_files=True)
    assert problems == []
    assert warnings == []
    assert checked is not None
    assert checked.sha == sha256_of(checked.form)


def test_the_shipped_policy_is_safe() -> None:
    form = check_policy(_shipped(), {}).form
    parameters = build_parameters(form, dict.fromkeys(form["strategies"], ""))
    limits = parameters.limits
    assert (parameters.account, parameters.mode, parameters.quote) == ("demo", "paper", "USDT")
    assert parameters.step_ms == 60_000
    assert build_settings(form).base_url == ""
    tiers = {tier.name: tier.pairs for tier in parameters.universe.tiers}
    assert list(tiers) == ["core", "rotational", "event"]
    assert tiers["core"] == ("BTC/USDT", "ETH/USDT")
    regime = parameters.universe.regime
    assert regime is not None
    assert [state.name for state in regime.states] == ["crash", "bear", "bull", "sideways"]
    assert list(form["signals"]["triggers"]) == [
        "momentum",
        "breakout",
        "volume_spike",
        "mean_reversion",
        "volatility_expansion",
        "gap",
    ]
    assert (limits.slippage_ppm, limits.exit_slippage_ppm) == (1_000, 5_000)
    assert (limits.collar_ppm, limits.position_ppm) == (30_000, 50_000)
    assert (limits.positions_max, limits.order_notional_min) == (5, "10")
    assert limits.quote_age_ms_max == 10_000
    assert (limits.missing_ppm_max, limits.bar_jump_ppm_max) == (100_000, 250_000)
    assert [spec.name for spec in parameters.strategies] == [
        "ma_cross",
        "mean_reversion",
        "range_breakout",
    ]
    assert all(spec.size.share_ppm <= limits.position_ppm for spec in parameters.strategies)


def _uncommented(source: Source) -> Source:
    """With the keys that a profile gives, which the shipped file shows as comments."""
    data = re.sub(rb"(?m)^((?:  )+)# ([a-z_]+: )", rb"\1\2", source.data)
    return replace(source, data=data)


@pytest.mark.parametrize("section", ["app", "policy"])
def test_the_shipped_file_shows_every_key_with_its_default(section: str) -> None:
    checked = check_policy([_uncommented(source) for source in _shipped()], {})
    defaults = Files().model_dump()
    limits = defaults["policy"]["limits"]
    for name in ("asset_max", "pending_max"):  # left out, these are the exposure of the account
        limits[name] = limits["exposure_max"]
    limits["correlated"]["exposure_max"] = limits["exposure_max"]
    compile_calendar(defaults)
    assert check_policy(_shipped(), {}).form[section] == defaults[section]
    assert checked.form[section] == defaults[section]
    keys = [key for key in all_keys() if key.startswith(f"{section}.")]
    assert keys
    for key in keys:
        assert checked.origin[key.removesuffix(".*")].startswith(f"config/{section}.yaml:"), key


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_coherent_with_the_shipped_files_and_every_limit_of_it_counts(
    profile: str,
) -> None:
    checked = check_policy(_shipped(), {"TRADER__POLICY__PROFILE": profile})
    assert checked.warnings == ()
    given = {key for key, origin in checked.origin.items() if origin.startswith("profile ")}
    limits = {"position", "positions_max", "exposure_max", "loss_max", "day_stop", "drawdown_max"}
    assert {f"policy.limits.{name}" for name in limits} <= given


def test_every_shipped_file_names_its_schema_and_is_commented() -> None:
    for section in SECTIONS:
        lines = (ROOT / "config" / f"{section}.yaml").read_text().splitlines()
        assert lines[0] == f"# yaml-language-server: $schema=schema/{section}.schema.json"
        assert sum("#" in line for line in lines) >= 2
        assert all(len(line) <= 100 for line in lines)


def test_every_key_is_described() -> None:
    rows = key_rows()
    assert len(rows) > 40
    for row in rows:
        assert len(row.description) >= 10, row.key


def test_the_json_schemas_beside_the_files_are_fresh() -> None:
    texts = schema_texts()
    assert sorted(texts) == sorted(f"{section}.schema.json" for section in SECTIONS)
    for name, text in texts.items():
        stored = (ROOT / "config" / "schema" / name).read_text()
        assert stored == text, f"run: python -m trader.policy.describing config/schema ({name})"


def test_the_schema_command_writes_what_the_functions_return(tmp_path: Path) -> None:
    assert main([str(tmp_path / "out")]) == 0
    written = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert written == schema_texts()


def test_the_json_schema_refuses_unknown_keys_at_every_level() -> None:
    def objects(value: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            if "properties" in inner:
                found.append(inner)
            for child in inner.values():
                found += objects(child)
        return found

    bodies = json_schemas()
    seen = [part for body in bodies.values() for part in objects(body)]
    assert len(seen) >= 10
    assert all(part["additionalProperties"] is False for part in seen)
    assert json.loads(json.dumps(bodies)) == bodies


def test_the_json_schema_names_bounds_and_choices() -> None:
    body = json_schemas()["app.yaml"]
    assert body["properties"]["mode"]["enum"] == ["paper", "testnet", "live"]
    assert body["$defs"]["Cycle"]["properties"]["deadline_ms"]["maximum"] == 54_000
