"""Two policies side by side: which keys differ, from what to what.

Lives here: the differences of two checked forms as data. Must not live here: printing, and where
the forms come from. No yaml, no pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from trader.policy.checked import DERIVED, Form
from trader.policy.showing import leaves, redacted
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One key: dotted `key`; `old` and `new` values, None where the key is not there."""

    key: str
    old: Any
    new: Any


def changes(old: Form, new: Form) -> list[Change]:
    """Every written key whose value differs, in the order of the new policy, then what is gone."""
    before = dict(leaves(cast("Form", redacted(old))))
    after = dict(leaves(cast("Form", redacted(new))))
    keys = [*after, *(key for key in before if key not in after)]
    return [
        Change(key, before.get(key), after.get(key))
        for key in keys
        if before.get(key) != after.get(key)
    ]


def silent_changes(old: Form, new: Form) -> list[str]:
    """Keys that nobody writes and that differ although nothing written above them does: the order
    of names, and rules that another version of the program reads differently."""
    said = {change.key for change in changes(old, new)}
    found: list[str] = []
    before = dict(_derived(old))
    for key, value in _derived(new):
        above = key.rpartition(".")[0]
        if key in before and before[key] != value and not any(k.startswith(above) for k in said):
            found.append(key)
    return found


def _derived(form: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in form.items():
        dotted = f"{path}.{name}" if path else name
        if name in DERIVED:
            found.append((dotted, value))
        elif isinstance(value, dict):
            found += _derived(cast("Form", value), dotted)
    return found
