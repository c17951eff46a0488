#!/usr/bin/env python3
"""Claim: the tests notice nearly every small mistake in gates, sizing, exits and the account.

Each file is changed in one place (a comparison, a sign, a rounding, a constant, a line left out),
and the tests that run that place are asked; at least 95 % of all mutants must make one of them
fail. Those that none noticed are listed; the ones that cannot be noticed stand in
`mutant_survivors.py` with the reason, and count as survivors all the same.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import random
import sys
from pathlib import Path
from types import ModuleType

import interpreted
import pytest
from harness import Verdict, parser_of, prove, say
from mutant_runs import Runner, Told, Work
from mutant_survivors import REASONS
from mutant_targets import TARGETS
from mutation import Mutant, mutants_of

ROOT = interpreted.ROOT
LEAST_PPM = 950_000
# A sample of 60 scatters: by chance alone one of a hundred of them lies this far below.
LEAST_QUICK_PPM = 880_000
QUICK_MUTANTS = 60
QUICK_MODULES = 3


def run(arguments: argparse.Namespace) -> Verdict:
    """Mutate, run, count."""
    names = [name for name in TARGETS if not arguments.module or name in arguments.module]
    rng = random.Random(arguments.seed)
    if arguments.quick:
        names = rng.sample(names, min(QUICK_MODULES, len(names)))
    modules = {name: importlib.import_module(f"trader.core.{name}") for name in names}
    texts = {name: text_of(module) for name, module in modules.items()}
    mutants = [mutant for name in names for mutant in mutants_of(name, texts[name])]
    if arguments.quick:
        mutants = rng.sample(mutants, min(QUICK_MUTANTS, len(mutants)))
    tests = sorted({test for name in names for test in TARGETS[name]})
    say(f"{len(mutants)} mutants of {len(names)} files against {len(tests)} files of tests")
    told = against(Work(modules, texts, mutants, workers=len(os.sched_getaffinity(0))), tests)
    if told.failed:
        say(f"these tests fail without any mutant: {told.failed[:5]}")
        return Verdict(False, 0, {"failing": told.failed[:20]})
    survivors = [mutant for mutant in mutants if not told.killed.get(mutant)]
    for mutant in survivors:
        reason = REASONS.get(reason_key(mutant), "no reason known")
        say(f"survived: {mutant.name} (ran by {told.asked.get(mutant, 0)} tests): {reason}")
    killed = len(mutants) - len(survivors)
    share_ppm = killed * 1_000_000 // max(1, len(mutants))
    figures = {
        "killed": killed,
        "share": f"{share_ppm / 10_000:.2f}%",
        "tests": told.tests,
        "survivors": [mutant.name for mutant in survivors],
        "without_reason": [m.name for m in survivors if reason_key(m) not in REASONS],
    }
    least_ppm = LEAST_QUICK_PPM if arguments.quick else LEAST_PPM
    return Verdict(share_ppm >= least_ppm, len(mutants), figures)


def reason_key(mutant: Mutant) -> str:
    """A survivor's name without its line, which changes with every edit."""
    return f"{mutant.module} {mutant.what}"


def text_of(module: ModuleType) -> str:
    """The source of a module that runs as a source."""
    path = Path(str(module.__file__))
    if path.suffix != ".py":
        raise SystemExit(f"{path} is compiled: mutants need the sources")
    return path.read_text(encoding="utf-8")


def against(work: Work, tests: list[str]) -> Told:
    """Run these test files under the plugin."""
    runner = Runner(work)
    words = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:cov", "--no-header"]
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main([*words, *(str(ROOT / test) for test in tests)], plugins=[runner])
    return runner.told


if __name__ == "__main__":
    parser = parser_of("mutants", __doc__)
    parser.add_argument("--module", action="append", help="only this file of the core")
    sys.exit(prove("mutants", run, parser))
