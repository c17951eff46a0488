"""Claim: planted cheating strategies are refused for what they do, and honest ones are not.

Every file of `strategy_samples.py` must be refused, with one of the codes that are right for it;
every file of `honest_samples.py`, and every strategy that ships, must pass. A file refused for
another reason counts against the claim. What is not planted here may still slip through: a check by
evaluation samples.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

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
    enough = len(CHEATS) >= CHEATS_LEAST and len(HONEST) >= HONEST_LEAST and bool(shipped)
    figures = {
        "cheats": len(CHEATS),
        "honest": len(HONEST) + len(shipped),
        "timeframes": len(timeframes),
        "evaluations": asked,
        "verdicts": codes,
        "wrong": wrong,
    }
    return Verdict(enough and not wrong, len(CHEATS) + len(HONEST) + len(shipped), figures)


def subject(sample: Sample, step_ms: int) -> Subject:
    """A sample on bars of this length. What is reset each day needs a day of bars, which only
    hours give in few; on other bars these samples are checked as on hours."""
    if "86_400_000" in sample.text:
        step_ms = HOUR_MS
    return Subject(sample.name, sample.text, None, step_ms, ANCHOR_BARS)


if __name__ == "__main__":
    sys.exit(main())
