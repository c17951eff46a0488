#!/usr/bin/env python3
"""Claim: no key of the policy is dead: each one is read, and each one is documented.

A key is read when another value of it changes what the policy becomes (`core.parameters`, the
settings of the wiring), and the program reads every field that changed, outside the policy's own
code. It is documented when a page in docs/config has a row that says what it means.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, cast

from harness import Verdict, parser_of, prove, say
from key_readers import Field, Readers, copy_of, readers
from key_values import ALONG, CHANGED, FILES, PYTHON, SINGLE, STARS

from trader.core.parameters import Parameters
from trader.policy.checked import Checked, Form
from trader.policy.checking import all_keys, check_policy
from trader.policy.parameters import Settings, build_parameters, build_settings
from trader.policy.sources import find_sources
from trader.policy.sweep_ranges import SweepSpec, build_sweeps

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

Built = tuple[Parameters, Settings, dict[str, SweepSpec]]
Leaves = dict[tuple[str, Field], Any]


def checked_of(folder: Path, env: Mapping[str, str]) -> Checked:
    """The small policy, checked, with variables."""
    sources = find_sources([str(folder)], cwd=folder, env=env)
    return check_policy(sources, env)


def write_files(folder: Path) -> None:
    """The small policy in which every key counts."""
    (folder / "strategies").mkdir(parents=True)
    (folder / "strategies" / "cross.py").write_text(PYTHON, encoding="utf-8")
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def built(form: Form, checked: Checked) -> Built:
    """What a form becomes, and what sweeps are told beside it."""
    sweeps = build_sweeps(checked.sweeps)
    return build_parameters(form, {"cross": ""}), build_settings(form), sweeps


def leaves(value: Any, place: str = "") -> Iterator[tuple[tuple[str, Field], Any]]:
    """Every plain field of built values: ((where, (class, field)), value)."""
    for field in fields(value):
        inner: Any = getattr(value, field.name)
        inside = parts(inner)
        for number, part in enumerate(inside):
            yield from leaves(part, f"{place}/{field.name}{number}")
        if not inside and inner not in (None, ()):
            yield (place, (type(value).__name__, field.name)), inner


def parts(value: Any) -> list[Any]:
    """The values inside a field that have fields themselves."""
    inside: list[Any] = [value]
    if isinstance(value, tuple):
        inside = list(cast("tuple[Any, ...]", value))
    elif isinstance(value, Mapping):
        inside = list(cast("Mapping[str, Any]", value).values())
    return inside if all(is_dataclass(part) for part in inside) else []


def leaves_of(value: Built) -> Leaves:
    """Of all parts."""
    swept = [leaf for name, spec in value[2].items() for leaf in leaves(spec, name)]
    return {**dict(leaves(value[0])), **dict(leaves(value[1])), **dict(swept)}


def changed_fields(folder: Path, key: str) -> set[Field]:
    """The fields that differ when this one key has its other value."""
    before = checked_of(folder, {})
    other, after = before, copy.deepcopy(before.form)
    if key in SINGLE:
        *path, last = key.split(".")
        at: Any = after
        for step in path:
            at = at[step]
        at[last] = SINGLE[key]
    else:
        concrete = STARS.get(key, key.replace("*", "cross"))
        name = "TRADER__" + concrete.upper().replace(".", "__")
        other = checked_of(folder, {name: CHANGED[key], **ALONG.get(key, {})})
        after = other.form
    old, new = leaves_of(built(before.form, before)), leaves_of(built(after, other))
    return {
        field for place, field in {*old, *new} if old.get((place, field)) != new.get((place, field))
    }


def all_changed_fields() -> dict[str, set[Field]]:
    """Of every key of the schema; a key without another value in the table changes nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "config"
        write_files(folder)
        return {key: changed_fields(folder, key) if key in CHANGED else set() for key in all_keys()}


def read_keys(changed: Mapping[str, set[Field]], found: Readers) -> list[str]:
    """The keys that change something, all of which somebody reads."""
    return [
        key
        for key, touched in changed.items()
        if touched and all(found[field] for field in touched)
    ]


def classes_of(changed: Mapping[str, set[Field]]) -> set[str]:
    """The classes whose fields the keys change."""
    return {name for touched in changed.values() for name, _ in touched}


def run(_arguments: argparse.Namespace) -> Verdict:
    """Schema, readers and pages, compared."""
    from docs_keys import documented

    keys = set(all_keys())
    changed = all_changed_fields()
    with tempfile.TemporaryDirectory() as scratch:
        found = readers(copy_of(ROOT, Path(scratch)), classes_of(changed))
    read, told = set(read_keys(changed, found)), set(documented(ROOT))
    for key in sorted(keys - read):
        unread = sorted(f"{c}.{name}" for c, name in changed[key] if not found[c, name])
        say(f"NOT READ {key}: " + (", ".join(unread) or "changes nothing"))
    for key in sorted(keys ^ told):
        say(f"{'NOT DOCUMENTED' if key in keys else 'DOCUMENTED, NO KEY'} {key}")
    figures = {
        "keys": len(keys),
        "read": len(read),
        "documented": len(told),
        "fields": len(found),
        "readers": sum(len(places) for places in found.values()),
    }
    return Verdict(keys == read == told, len(keys), figures)


if __name__ == "__main__":
    sys.exit(prove("keys", run, parser_of("keys", __doc__)))
