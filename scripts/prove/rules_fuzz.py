#!/usr/bin/env python3
"""Claim: a rule's value is a fact of its bars alone. Random rules over random bars show it.

For each of 100,000 rules that use every indicator and operator: cutting off the future never
changes the past; one call over all rows and calls of a few rows give equal bits; random lengths of
history give equal bits; a whole history evaluated at once says what each decision says; another
anchor flips no condition where nothing fades, and where something does only where the values
compared lie within the residual that the indicator declares (counted as near ties; where a fading
value is compared after a ratio or another indicator, no residual is declared: counted as compound).
Besides, a sample is the same to the bit interpreted and compiled, and 100,000 random strings
parse or are refused.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from harness import Verdict, parser_of, prove, say
from rule_checks import (
    CLAIMS,
    OWN,
    Case,
    Held,
    columns_of,
    made_case,
    made_market,
    memories_of,
    shifted,
)
from rule_making import RuleMaker
from rule_strings import fuzz_strings

from trader import build
from trader.policy.rules_compile import compile_rules

RULES, RULES_QUICK = 100_000, 600
STRINGS, STRINGS_QUICK = 100_000, 1_500
SAMPLE, SAMPLE_QUICK = 2_000, 60
MARKETS = 12
PARAMETERS = {"fast": 3, "slow": 7}
# Short periods: the windows stay small, and every operator still meets every other.
PERIOD_MAX, SESSION_ROWS_MAX = 7, 16
MIXES = (("finite",), ("finite", "fading"), ("finite", "session"), ("finite", "fading", "session"))


@dataclass
class Found:
    """What came of it; `failures`: seed of the rule, claim and rule, at most ten."""

    rules: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list[str])
    anchors: Counter[str] = field(default_factory=Counter[str])
    used: Counter[str] = field(default_factory=Counter[str])

    def fail(self, number: int, claim: str, texts: dict[str, str], why: str) -> None:
        """Keep one failure."""
        if len(self.failures) < 10:
            self.failures.append(f"rule {number}, {claim}: {why}: {texts}")


@cache
def market(number: int) -> Held:
    """One of the markets that all rules share."""
    return made_market(number)


def rule_of(seed: int, number: int, used: Counter[str]) -> tuple[dict[str, str], Random]:
    """The texts of one rule, and the chance that goes on from there."""
    chance = Random(f"rule {seed} {number}")
    higher = ("1h", "4h") if chance.random() < 0.3 else ()
    maker = RuleMaker(
        chance,
        timeframe=OWN,
        period_max=PERIOD_MAX,
        memories=chance.choice(MIXES),
        higher=higher,
        session_rows_max=SESSION_ROWS_MAX,
        parameters=tuple(PARAMETERS),
        used=used,
    )
    depth = chance.choice([1, 2, 2, 3])
    return {"enter": maker.condition(depth), "strength": maker.series(depth)}, chance


def case_of(seed: int, number: int, used: Counter[str]) -> tuple[dict[str, str], Case | None]:
    """One rule, bound and placed; None when the parser refuses it (it never moves, say)."""
    texts, chance = rule_of(seed, number, used)
    result = compile_rules(texts, parameters=PARAMETERS, triggers={}, own_timeframe=OWN)
    if result.problems:
        return texts, None
    held = market(chance.randrange(MARKETS))
    return texts, made_case(result.program, PARAMETERS, held, chance)


def look_at_rules(seed: int, count: int) -> Found:
    """Every claim over so many rules."""
    found = Found()
    number = 0
    while found.rules < count:
        number += 1
        texts, case = case_of(seed, number, found.used)
        if case is None:
            found.refused += 1
            continue
        found.rules += 1
        for claim, check in CLAIMS.items():
            why = check(case)
            if why:
                found.fail(number, claim, texts, why)
        told = shifted(case)
        memory = "fading" if "fading" in memories_of(case.bound) else "finite"
        known = told in {"same", "near tie", "compound"}
        found.anchors[f"{memory} {told if known else 'flip'}"] += 1
        if not known:
            found.fail(number, "anchor", texts, told)
        if found.rules % 5_000 == 0:
            say(f"{found.rules} rules, {len(found.failures)} failures, {dict(found.anchors)}")
    return found


def digest_of(seed: int, count: int) -> str:
    """A hash over every output of the first rules."""
    digest = hashlib.sha256()
    for number in range(1, count + 1):
        _, case = case_of(seed, number, Counter())
        if case is not None:
            for name, column in sorted(columns_of(case, case.now()).items()):
                digest.update(name.encode() + column)
    return digest.hexdigest()


def interpreted_digest(seed: int, count: int) -> str:
    """The same hash by another process, in which the core runs interpreted."""
    words = [sys.executable, str(Path(__file__)), "--seed", str(seed), "--digest", str(count)]
    env = {**os.environ, "TRADER_INTERPRETED": "1"}
    ran = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def run(arguments: argparse.Namespace) -> Verdict:
    """Rules, strings, and the sample in both forms."""
    quick, seed = arguments.quick, arguments.seed
    found = look_at_rules(seed, arguments.rules or (RULES_QUICK if quick else RULES))
    strings = fuzz_strings(seed, STRINGS_QUICK if quick else STRINGS)
    sample = SAMPLE_QUICK if quick else SAMPLE
    compiled = build.describe() == "compiled"
    equal = not compiled or digest_of(seed, sample) == interpreted_digest(seed, sample)
    failures = [*found.failures, *strings.failures]
    failures += [] if equal else [f"the first {sample} rules differ interpreted and compiled"]
    for failure in failures:
        say(f"FAILED (seed {seed}) {failure}")
    figures: dict[str, Any] = {
        "refused": found.refused,
        "anchors": dict(sorted(found.anchors.items())),
        "words_used": len(found.used),
        "strings": strings.parsed + strings.refused,
        "strings_parsed": strings.parsed,
        "interpreted_sample": sample if compiled else 0,
        "failures": failures[:10],
    }
    return Verdict(not failures, found.rules, figures)


def main() -> int:
    """Prove, or print the hash that the other process asks for."""
    parser = parser_of("rules_fuzz", __doc__)
    parser.add_argument("--rules", type=int, default=0, help="how many rules")
    parser.add_argument("--digest", type=int, default=0, help="print the hash of so many rules")
    given = parser.parse_args()
    if given.digest:
        print(digest_of(given.seed, given.digest))
        return 0
    return prove("rules_fuzz", run, parser)


if __name__ == "__main__":
    sys.exit(main())
