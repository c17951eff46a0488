#!/usr/bin/env python3
"""Claim: no gate or exit rule can be taken out of either engine without a test that breaks.

Each gate that a back-test can meet has a scene in which it says no (`equal_scenes`), and each exit
rule one in which it acts; tests hold how often, in both engines. Here every gate is silenced in
turn, and every exit rule is taken out of the sources of the reference and of the fast engine's
lane: each time the scene must come to something else, in the engine that lost the rule.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence

import interpreted
from engine_rules import LANE_EXITS, REFERENCE_EXITS, Removal, without_gate, without_rule
from equal_scenes import EXITS, GATES, UNREACHED, scene
from equal_told import FAST, REFERENCE, told_result
from harness import Verdict, parser_of, prove, say

from trader.core import gates

ROOT = interpreted.ROOT
QUICK = 6


def run(given: argparse.Namespace) -> Verdict:
    """Take out, look, put back."""
    rng = random.Random(given.seed)
    codes = sorted(GATES)
    exits = [(REFERENCE, reason, rule) for reason, rule in REFERENCE_EXITS]
    exits += [(FAST, reason, rule) for reason, rule in LANE_EXITS]
    unknown = sorted({gate.code for gate in gates.GATES} - set(codes) - set(UNREACHED))
    if given.quick:
        codes, exits = rng.sample(codes, QUICK), rng.sample(exits, QUICK)
    missed = [f"gate {code} has no scene" for code in unknown]
    for code in codes:
        number, _ = GATES[code]
        missed += [f"{code} of {engine}" for engine in unnoticed_gate(code, number)]
    for engine, reason, rule in exits:
        if not noticed_rule(engine, rule, EXITS[reason][0]):
            missed.append(f"{reason} of {engine}: {rule.old}")
    for one in missed:
        say(f"not noticed: {one}")
    figures = {"gates": len(codes), "exit_rules": len(exits), "missed": missed}
    return Verdict(not missed, 2 * len(codes) + len(exits), figures)


def unnoticed_gate(code: str, number: int | str) -> list[str]:
    """The engines in which a scene comes to the same without a gate."""
    same: list[str] = []
    for engine in (REFERENCE, FAST):
        before = told_result(scene(number).inputs, engine).digest()
        with without_gate(code):
            after = told_result(scene(number).inputs, engine).digest()
        if before == after:
            same.append(engine)
    return same


def noticed_rule(engine: str, rule: Removal, numbers: Sequence[int | str]) -> bool:
    """Whether one of the scenes comes to something else without the rule."""
    for number in numbers:
        before = told_result(scene(number).inputs, engine).digest()
        with without_rule(rule):
            after = told_result(scene(number).inputs, engine).digest()
        if before != after:
            return True
    return False


if __name__ == "__main__":
    sys.exit(prove("engine_mutants", run, parser_of("engine_mutants", __doc__)))
