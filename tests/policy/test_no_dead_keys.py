"""Every key of the schema is read: another value changes what core or wiring gets, and the program
reads what changed.

A key that nobody reads is a promise nobody keeps (an old flag re-used cost others a fortune).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from trader.policy.checking import all_keys
from trader.policy.describing import key_rows

PROVE = Path(__file__).resolve().parents[2] / "scripts" / "prove"
NAMES = ("harness", "key_values", "key_readers", "keys")


@pytest.fixture(scope="module")
def proof() -> Iterator[dict[str, ModuleType]]:
    """The modules of the proof, which are scripts and not part of the package."""
    before = list(sys.path)
    sys.path.insert(0, str(PROVE))
    yield {name: importlib.import_module(name) for name in NAMES}
    sys.path[:] = before
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def changed(proof: dict[str, ModuleType]) -> dict[str, set[tuple[str, str]]]:
    """By key, the fields that another value of it changes."""
    return proof["keys"].all_changed_fields()


def test_every_leaf_of_the_schema_is_in_the_table(proof: dict[str, ModuleType]) -> None:
    keys = all_keys()
    assert len(keys) > 100
    assert set(proof["key_values"].CHANGED) == set(keys)
    assert tuple(row.key for row in key_rows()) == keys


@pytest.mark.parametrize("key", all_keys())
def test_another_value_changes_what_is_built(
    changed: dict[str, set[tuple[str, str]]], key: str
) -> None:
    assert changed[key]


# Key -> a field it becomes, worked by hand: the table above must not be right by accident.
BECOMES = {
    "policy.limits.day_stop": {("Limits", "day_stop_ppm")},
    "policy.limits.exposure_max": {
        ("Limits", "exposure_ppm_max"),
        ("StrategySpec", "budget_exposure_ppm"),
        # What is left out is the exposure of the account.
        ("Limits", "asset_ppm_max"),
        ("Limits", "pending_ppm_max"),
        ("Correlated", "exposure_ppm_max"),
    },
    "universe.tiers.event.filters.age_min": {("TierSpec", "age_ms_min")},
    "universe.regime.states.*.when": {("RegimeSpec", "program")},
    "strategies.*.max_hold": {("StrategySpec", "hold_ms_max")},
    "strategies.*.stop": {("StrategySpec", "program")},
    "strategies.*.tier": {("StrategySpec", "tier"), ("StrategySpec", "symbols")},
    "app.exchange.timeout_ms": {("Settings", "timeout_ms")},
}


@pytest.mark.parametrize("key", sorted(BECOMES))
def test_a_key_becomes_the_field_that_is_meant(
    changed: dict[str, set[tuple[str, str]]], key: str
) -> None:
    assert changed[key] == BECOMES[key]


def test_a_key_whose_reader_is_removed_is_found_to_be_dead(
    proof: dict[str, ModuleType], changed: dict[str, set[tuple[str, str]]], tmp_path: Path
) -> None:
    keys, key_readers = proof["keys"], proof["key_readers"]
    classes = keys.classes_of(changed)
    (tmp_path / "as_it_is").mkdir()
    whole = key_readers.copy_of(keys.ROOT, tmp_path / "as_it_is")
    # Of the first, another class has a field of the same name that goes on being read.
    removed = {
        ("TierSpec", "positions_max"): "take",
        ("Limits", "drawdown_ppm_max"): "day_stop_ppm",
    }
    found = key_readers.readers(whole, classes, removed)
    assert all(found.values())
    (tmp_path / "without").mkdir()
    without = key_readers.copy_of(keys.ROOT, tmp_path / "without")
    for field, instead in removed.items():
        for place in found[field]:
            name, _, line = place.rpartition(":")
            lines = (without / name).read_text().splitlines(keepends=True)
            lines[int(line) - 1] = lines[int(line) - 1].replace(f".{field[1]}", f".{instead}")
            (without / name).write_text("".join(lines))
    dead = set(all_keys()) - set(keys.read_keys(changed, key_readers.readers(without, classes)))
    assert "policy.limits.drawdown_max" in dead
    assert dead == {
        "policy.limits.drawdown_max",
        *(f"universe.tiers.{tier}.positions_max" for tier in ("core", "rotational", "event")),
        "policy.profile",  # it changes what nobody reads then
    }
