"""Claim: planted cheating strategies are refused for what they do, and honest ones are not; and no
back-test of either engine knows a bar to come.

Every file of `strategy_samples.py` must be refused, with one of the codes that are right for it;
every file of `honest_samples.py`, and every strategy that ships, must pass. A file refused for
another reason counts against the claim. What is not planted here may still slip through: a check by
evaluation samples. Whole runs (see `lookahead_runs`): an engine that fills an entry at the open of
the bar that decided it, as one that was published does, makes a fortune that ours do not; shifting
signals by one bar shifts fills and changes results; a back-test does not begin with a file that
reads the next bar; and cutting off the future changes nothing before the cut.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import lookahead_runs
from harness import Verdict, parser_of, prove, say
from honest_samples import HONEST
from strategy_samples import CHEATS, Sample

from trader.app.strategy_check import check_strategy
from trader.app.strategy_verdict import Subject

ROOT = Path(__file__).resolve().parents[2]
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
ANCHOR_BARS = 256
# An honest file is looked at until the time is out; what cheats is mostly found before.
QUICK_S = 0.4
CHEATS_LEAST, HONEST_LEAST = 25, 10


def main() -> int:
    """Prove it."""
    return prove("no_lookahead", run, parser_of("no_lookahead", __doc__))


def run(given: argparse.Namespace) -> Verdict:
    """Check every sample; on minutes too when there is time."""
    timeframes = (HOUR_MS,) if given.quick else (HOUR_MS, 15 * MINUTE_MS, MINUTE_MS)
    shipped = [
        Sample(path.stem, (), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "config" / "strategies").glob("*.py"))
    ]
    wrong: list[str] = []
    codes: dict[str, int] = {}
    asked = 0
    for sample in (*CHEATS, *HONEST, *shipped):
        for step_ms in timeframes:
            budget_s = QUICK_S if given.quick and not sample.codes else 20.0
            verdict = check_strategy(subject(sample, step_ms), budget_s, seed=given.seed)
            asked += verdict.evaluations
            codes[verdict.code or "passed"] = codes.get(verdict.code or "passed", 0) + 1
            if verdict.code not in (sample.codes or ("",)):
                wrong.append(f"{sample.name}: {verdict.code or 'passed'}: {verdict.said}")
            if step_ms == timeframes[0]:
                say(f"{sample.name}: {verdict.code or 'passed'} ({verdict.said})")
    told, runs = run_claims(given, wrong)
    enough = len(CHEATS) >= CHEATS_LEAST and len(HONEST) >= HONEST_LEAST and bool(shipped)
    figures = {
        "cheats": len(CHEATS),
        "honest": len(HONEST) + len(shipped),
        "timeframes": len(timeframes),
        "evaluations": asked,
        "verdicts": codes,
        "runs": told,
        "wrong": wrong,
    }
    count = len(CHEATS) + len(HONEST) + len(shipped) + runs
    return Verdict(enough and not wrong, count, figures)


def run_claims(given: argparse.Namespace, wrong: list[str]) -> tuple[dict[str, object], int]:
    """Whole back-tests; what they came to, and how many runs were cut."""
    cuts, rows = (8, 150) if given.quick else (150, 400)
    bug, worth = lookahead_runs.published_bug(given.seed)
    late = lookahead_runs.shifted_signals(given.seed)
    begun = lookahead_runs.refused_reader()
    cut, facts = lookahead_runs.cut_off(given.seed, cuts, rows)
    for what, problems in (("bug", bug), ("shift", late), ("reader", begun), ("cut", cut)):
        say(f"{what}: {problems[:3] or 'holds'}")
        wrong += [f"{what}: {problem}" for problem in problems]
    if not facts:
        wrong.append("no fact before a cut was held against another")
    return {"worth": worth, "cut_facts": facts, "cuts": cuts}, cuts


def subject(sample: Sample, step_ms: int) -> Subject:
    """A sample on bars of this length. What is reset each day needs a day of bars, which only
    hours give in few; on other bars these samples are checked as on hours."""
    if "86_400_000" in sample.text:
        step_ms = HOUR_MS
    return Subject(sample.name, sample.text, None, step_ms, ANCHOR_BARS)


if __name__ == "__main__":
    sys.exit(main())
