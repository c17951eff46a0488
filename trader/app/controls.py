"""Which controls are in force, and what the journal shows of them.

Lives here: the table of `core.controls` beside the policy's values and the refusals that plans of
the journal hold. Must not live here: what a control is, and layout.
"""

from __future__ import annotations

from typing import Any, cast

from trader.core.controls import CONTROLS, Control
from trader.journal.journal import Journal
from trader.records import dataclass

Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A control, the values of its keys in the policy, and how often its codes refused.

    `newest_ms`: time of the newest such plan, -1 for none.
    """

    control: Control
    values: dict[str, str]
    refused: dict[str, int]
    newest_ms: int

    def row(self) -> dict[str, Any]:
        """As JSON."""
        control = self.control
        return {
            "number": control.number,
            "title": control.title,
            "source": control.source,
            "in_force": not control.is_later,
            "keys": self.values,
            "codes": list(control.codes),
            "refused": self.refused,
            "newest_ms": self.newest_ms,
            "proof": control.proof,
            "note": control.note,
        }


def control_rows(form: Form, journal: Journal | None) -> list[ControlRow]:
    """Every control; without a journal nothing was refused."""
    counts, newest = refusals(journal) if journal is not None else ({}, {})
    return [
        ControlRow(
            control,
            {key: value_of(form, key) for key in control.keys},
            {code: counts[code] for code in control.codes if code in counts},
            max((newest[code] for code in control.codes if code in newest), default=-1),
        )
        for control in CONTROLS
    ]


def refusals(journal: Journal) -> tuple[dict[str, int], dict[str, int]]:
    """By code: how many orders the plans of the journal refused with it, and when the last time."""
    counts: dict[str, int] = {}
    newest: dict[str, int] = {}
    for entry in journal.entries(kinds=("plan",)):
        for refused in entry.payload["refused"]:
            code = str(refused[3])
            counts[code] = counts.get(code, 0) + 1
            newest[code] = entry.at_ms
    return counts, newest


def value_of(form: Form, key: str) -> str:
    """The value of a dotted key in a checked form, as text; `*` stands for names of the user."""
    value: Any = form
    for word in key.removesuffix(".*").split("."):
        value = value[word]
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return ", ".join(f"{name}: {inner}" for name, inner in named.items()) or "none"
    if isinstance(value, list):
        return ", ".join(str(inner) for inner in cast("list[Any]", value)) or "none"
    return str(value) if value != "" else "none"
