"""The page of controls, and the page that walks one decision through sizing and gates.

Lives here: their text, made from the table of controls, the policy's schema, the tests that name a
code, and one decision that is really taken. Must not live here: facts of the program.
"""

from __future__ import annotations

import re
from pathlib import Path

from docs_decision import decision_lines

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/core", "tests/policy", "tests/app")


def control_pages(note: str) -> dict[str, str]:
    """Path below the repository -> text."""
    return {
        "docs/controls.md": "\n".join([note, *controls_lines()]),
        "docs/decision.md": "\n".join([note, *decision_lines()]),
    }


def controls_lines() -> list[str]:
    """Every gate in its order, and every control with keys, defaults, codes and tests."""
    from trader.core.controls import CONTROLS
    from trader.core.gates import GATES
    from trader.core.reasons import REFUSALS
    from trader.policy.describing import key_rows

    defaults = {row.key: row.default for row in key_rows()}
    number = {code: control.number for control in CONTROLS for code in control.codes}
    lines = ["# Controls", ""]
    lines += [
        "What regulators and the industry ask of a program that trades, and what keeps each here.",
        "`trader audit controls` shows them with the values of your policy and how often each",
        "refused; `scripts/prove/controls.py` runs the tests of all of them.",
        "",
        "| no | control | from | keys and defaults | codes | tests |",
        "|---|---|---|---|---|---|",
    ]
    for control in CONTROLS:
        if control.is_later:
            continue
        keys = [f"`{key}` {defaults.get(key, '') or 'none'}" for key in control.keys]
        codes = ", ".join(f"`{code}`" for code in control.codes)
        tests = ", ".join(tests_naming(control.codes))
        lines.append(
            f"| {control.number} | {control.title} | {control.source} | "
            f"{'<br>'.join(keys) or 'always on'} | {codes} | {tests} |"
        )
    lines += ["", "## Gates, in the order in which they are asked", ""]
    lines += [
        "All of them are asked for the trail; the first no decides, and its refusal says the limit",
        "and what was measured. *Exits too*: only these may stop an exit or a protective stop.",
        "",
        "| gate | no | exits too | refuses when |",
        "|---|---|---|---|",
    ]
    for gate in GATES:
        exits = "yes" if gate.for_exits else ""
        lines.append(
            f"| `{gate.code}` | {number.get(gate.code, '')} | {exits} | {REFUSALS[gate.code]} |"
        )
    lines += ["", "## Controls that come later", "", "| no | control | from | now |"]
    lines += ["|---|---|---|---|"]
    for control in CONTROLS:
        if control.is_later:
            now = control.note.removeprefix("later").removeprefix(": ")
            lines.append(f"| {control.number} | {control.title} | {control.source} | {now} |")
    return [*lines, ""]


def tests_naming(codes: tuple[str, ...]) -> list[str]:
    """Files of tests that name one of the codes, shortest first, four at most."""
    pattern = re.compile("|".join(rf'"{code}\b' for code in codes)) if codes else None
    if pattern is None:
        return []
    paths = [path for place in TESTS for path in (ROOT / place).glob("test_*.py")]
    found = [path.name for path in paths if pattern.search(path.read_text(encoding="utf-8"))]
    return sorted(found, key=lambda name: (len(name), name))[:4]
