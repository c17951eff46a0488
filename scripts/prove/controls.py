#!/usr/bin/env python3
"""Claim: every control that belongs to decisions has a key, a default, a code and tests that pass.

The controls are the rows of `core.controls`. A test belongs to a control when it is marked so
(`@pytest.mark.control(7)`), or when one of the control's codes is among its parameters. All of them
are run here; a control without a key (unless it is always on), without a code, or without a test
fails the claim. Those that come later are listed as such.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from harness import Verdict, parser_of, prove, say

from trader.core.controls import CONTROLS, Control
from trader.policy.describing import key_rows

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("tests/core", "tests/policy", "tests/app")
QUICK_TESTS = 8


@dataclass
class Tests:
    """The plugin: chooses the tests of the controls, and notes what came of each."""

    quick: bool
    seed: int
    of: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    failed: set[str] = field(default_factory=set[str])
    skipped: set[str] = field(default_factory=set[str])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep only what shows a control."""
        rng = random.Random(self.seed)
        wanted: set[str] = set()
        for control in CONTROLS:
            found = [item.nodeid for item in items if shows(item, control)]
            if self.quick and len(found) > QUICK_TESTS:
                found = rng.sample(found, QUICK_TESTS)
            self.of[control.number] = found
            wanted.update(found)
        items[:] = [item for item in items if item.nodeid in wanted]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test."""
        if report.failed:
            self.failed.add(report.nodeid)
        if report.skipped:
            self.skipped.add(report.nodeid)


def shows(item: pytest.Item, control: Control) -> bool:
    """Whether a test shows a control."""
    if any(control.number in marker.args for marker in item.iter_markers("control")):
        return True
    words = item.nodeid.partition("[")[2].rstrip("]").replace("-", " ").replace("=", " ").split()
    return any(code in words for code in control.codes)


def run(arguments: argparse.Namespace) -> Verdict:
    """Collect, run, and hold each row against what it must have."""
    tests = Tests(arguments.quick, arguments.seed)
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:cov", "--no-header", "-p", "no:randomly"]
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main([*words, *(str(ROOT / place) for place in PLACES)], plugins=[tests])
    defaults = {row.key: row.default for row in key_rows()}
    table = [row_of(control, tests, defaults) for control in CONTROLS if not control.is_later]
    problems: list[str] = []
    for row in table:
        found: list[str] = row.pop("problems")
        problems += [f"{row['number']}: {said}" for said in found]
    for row in table:
        say(f"{row['number']:>2} {row['title']}: {row['tests']} tests, {row['passed']} passed")
    for said in problems:
        say(f"PROBLEM {said}")
    later = [control.number for control in CONTROLS if control.is_later]
    say(f"later: {', '.join(map(str, later))}")
    return Verdict(
        not problems, len(table), {"controls": table, "later": later, "problems": problems}
    )


def row_of(control: Control, tests: Tests, defaults: dict[str, str]) -> dict[str, Any]:
    """One control as a row of the last line, with what is wrong with it."""
    ids = tests.of.get(control.number, [])
    passed = [name for name in ids if name not in tests.failed | tests.skipped]
    problems = [f"key {key} does not exist" for key in control.keys if key not in defaults]
    problems += [f"{name} failed" for name in ids if name in tests.failed]
    if not passed:
        problems.append("no test shows it")
    if not control.codes:
        problems.append("no code")
    if control.proof and not (ROOT / "scripts" / "prove" / control.proof).is_file():
        problems.append(f"{control.proof} does not exist")
    return {
        "number": control.number,
        "title": control.title,
        "keys": {key: defaults.get(key, "") for key in control.keys} or "always on",
        "codes": list(control.codes),
        "tests": len(ids),
        "passed": len(passed),
        "ids": sorted(ids)[:4],
        "proof": control.proof,
        "problems": problems,
    }


if __name__ == "__main__":
    sys.exit(prove("controls", run, parser_of("controls", __doc__)))
