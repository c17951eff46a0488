"""`policy show` as data: every key, its value, where that was written, and the hashes.

Lives here: what people are shown of a checked form, with nothing secret in it. Must not live here:
printing. No yaml, no pydantic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from trader.policy.checked import DERIVED, Checked, Form
from trader.policy.problems import Problem, looks_like_credential
from trader.records import dataclass

REDACTED = "(redacted)"


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One key: dotted `key`, canonical `value`, and `origin`: `file:line`, `env NAME`, default."""

    key: str
    value: Any
    origin: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A policy for people's eyes; `form` is the merged policy, redacted."""

    sha: str
    source_sha: str
    form: Form
    values: tuple[ShownValue, ...]
    warnings: tuple[Problem, ...]


def show(checked: Checked) -> Shown:
    """The merged policy with where each value came from."""
    form = cast("Form", redacted(checked.form))
    values = tuple(
        ShownValue(key, value, checked.origin.get(key, "default"))
        for key, value in leaves(_with_sweeps(form, checked))
    )
    return Shown(checked.sha, checked.source_sha, form, values, checked.warnings)


def _with_sweeps(form: Form, checked: Checked) -> Form:
    """The form with what sweeps try, at the end of each strategy."""
    rows: Form = {
        name: {**row, "sweep": checked.sweeps[name]} if name in checked.sweeps else row
        for name, row in form["strategies"].items()
    }
    return {**form, "strategies": rows}


def leaves(form: Form, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every written leaf as dotted key and value; lists and empty mappings are leaves."""
    for key, value in form.items():
        if key in DERIVED:
            continue
        dotted = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value:
            yield from leaves(cast("Form", value), dotted)
        else:
            yield dotted, value


def redacted(value: Any, key: str = "") -> Any:
    """A copy in which nothing looks like a credential. A second line: such a policy is refused."""
    if isinstance(value, dict):
        rows = cast("dict[str, Any]", value)
        return {name: redacted(inner, name) for name, inner in rows.items()}
    if isinstance(value, list):
        return [redacted(inner, key) for inner in cast("list[Any]", value)]
    is_place = key.endswith(("_file", "_dir"))
    if isinstance(value, str) and not is_place and looks_like_credential(value):
        return REDACTED
    return value
