#!/usr/bin/env python3
"""Claim: the back-test decides as a journal did, and each difference of a free run has its cause.

Accounts trade at the local exchange in this process. The first lives through 1,440 minutes of real
bars (made ones where those do not lie beside the checkout): nothing may be unexplained. On another,
faults are planted (time-outs after a submit, lost and partial fills, missed cycles, late and
repainted candles, halts, deposits, skew): parity must name each by its cause. Others are decided by
altered code (one gate removed, exits left out, a number changed on its way to the journal): each
must be found, exit 12.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any

import rehearsal
from harness import Verdict, parser_of, prove, say
from parity_worlds import ALTERED, Altered, Life, Planted, altered, living, plant, planted

from trader.app.parity import ParityReport, journals_at_hand, parity
from trader.errors import ExitCode
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

REAL = {
    "bitfinex_btcusd_1m_2018.csv.gz": "BTCUSDT",
    "bitfinex_ethusd_1m_2018.csv.gz": "ETHUSDT",
}
REAL_START_MS = 1_517_443_200_000  # 1 February 2018
STRATEGIES = """ma_cross:
  timeframe: 1m
  size:
    equity_share: 30%
mean_reversion:
  timeframe: 1m
  size:
    equity_share: 30%
"""
FLIPPER = "flipper:\n  file: flipper.py\n  timeframe: 1m\n  size:\n    equity_share: 40%\n"
LIMITS = "  position: 50%\n  positions_max: 2\n  bar_jump_max: 90%\n  collar: 50%\n"
SKEWED = {"POLICY__LIMITS__CLOCK_SKEW_MAX": "1s"}
ALTERED_BARS = 12


@dataclass
class Found:
    """What was seen over all accounts."""

    decisions: int = 0
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    problems: list[str] = field(default_factory=list[str])


def run(arguments: argparse.Namespace) -> Verdict:
    """The three kinds of accounts."""
    found = Found()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = write_made_bars(
            folder / "bars", arguments.seed, 2_400, instruments=DEMO_INSTRUMENTS[:2]
        )
        one = [f"{made[0]}=BTCUSDT"]
        bars = 60 if arguments.quick else arguments.bars
        day(folder, bars_of_day(folder, made, bars), bars, arguments.seed, found)
        faults(folder, one, arguments.seed, found)
        for number, what in enumerate(ALTERED):
            if not arguments.quick or number % 3 == arguments.seed % 3:
                tampered(folder / f"altered{number}", one, what, arguments.seed, found)
    for problem in found.problems[:20]:
        say(f"PROBLEM {problem}")
    holds = not found.problems
    return Verdict(holds, found.decisions, {**found.figures, "problems": len(found.problems)})


def bars_of_day(folder: Path, made: Sequence[Path], bars: int) -> list[str]:
    """A part of the real files, as long as it takes; the made ones where they are not at hand."""
    if not all((rehearsal.REAL_DATA / name).exists() for name in REAL):
        return [f"{path}={name}" for path, name in zip(made, REAL.values(), strict=True)]
    specs: list[str] = []
    for file, name in REAL.items():
        with gzip.open(rehearsal.REAL_DATA / file, "rt", encoding="utf-8") as lines:
            head = next(lines)
            later = dropwhile(lambda line: int(line.partition(",")[0]) < REAL_START_MS, lines)
            cut = folder / f"real_{name}.csv"
            cut.write_text(head + "".join(islice(later, bars + 700)), encoding="utf-8")
        specs.append(f"{cut}={name}")
    return specs


def day(folder: Path, specs: Sequence[str], bars: int, seed: int, found: Found) -> None:
    """An account that nothing happens to but the market."""
    real = "real_" in specs[0]
    with living(folder / "day", specs, STRATEGIES, LIMITS, seed=seed) as life:
        for number in range(bars):
            life.cycle()
            if number % 200 == 199:
                say(f"{number + 1} cycles")
        report = compared(life)
        orders, fills = len(life.journal.orders()), len(life.journal.fills())
    judge("day", report, found)
    found.problems += [f"day: {told}" for told in life.exits]
    if report.plans != bars or not fills:
        found.problems.append(f"day: {report.plans} of {bars} bars planned, {fills} fills")
    row = report.row()["free"]
    found.figures["day"] = {
        "data": "real minutes" if real else "made minutes",
        "cycles": report.plans,
        "orders": orders,
        "fills": fills,
        "stepped_differences": len(report.stepped),
        "differing": row["differing"],
        "causes": row["causes"],
        "unexplained": row["unexplained"],
    }


def faults(folder: Path, bars: Sequence[str], seed: int, found: Found) -> None:
    """An account that everything happens to, one thing after another."""
    with living(folder / "faults", bars, FLIPPER, LIMITS, seed=seed, env=SKEWED) as life:
        life.until(0)
        at = [(what, plant(life, what)) for what in planted()]
        for _ in range(4):
            life.cycle()
        report = compared(life)
    judge("faults", report, found)
    told = {what.name: named(report, what, bar_ms) for what, bar_ms in at}
    found.problems += [
        f"{what.name}: not told as {what.cause} at bar {bar_ms}, but {causes_at(report, bar_ms)}"
        for what, bar_ms in at
        if not told[what.name]
    ]
    found.figures["faults"] = {
        "planted": len(at),
        "named": sum(told.values()),
        "cycles": report.plans,
        "causes": report.row()["free"]["causes"],
        "unexplained": len(report.unexplained),
    }


def tampered(folder: Path, bars: Sequence[str], what: Altered, seed: int, found: Found) -> None:
    """An account whose decisions other code made: found by the code that is here; and the same
    account by this code is in order, so that nothing else was found."""
    with living(folder / "altered", bars, FLIPPER, LIMITS, seed=seed, env=what.env) as life:
        with altered(what):
            live(life)
        report = compared(life)
    with living(folder / "honest", bars, FLIPPER, LIMITS, seed=seed, env=what.env) as life:
        live(life)
        honest = compared(life)
    found.decisions += report.plans + honest.plans
    found.figures.setdefault("altered", {})[what.name] = len(report.stepped)
    if honest.exit_code is not ExitCode.OK:
        found.problems.append(f"{what.name}: without it, {why(honest)}")
    if report.exit_code is not ExitCode.PROOF_FAILED or not report.stepped:
        found.problems.append(f"{what.name}: NOT found")


def live(life: Life) -> None:
    """Some bars, with entries and exits."""
    life.until(0)
    for _ in range(ALTERED_BARS):
        life.cycle()


def compared(life: Life) -> ParityReport:
    """Parity of the journal as it stands."""
    with journals_at_hand(life.journal.path) as journals:
        return parity(journals)


def judge(name: str, report: ParityReport, found: Found) -> None:
    """It must be proven: nothing unexplained."""
    found.decisions += report.plans
    if report.exit_code is not ExitCode.OK:
        found.problems.append(f"{name}: {why(report)}")


def why(report: ParityReport) -> str:
    """The first thing that stands against a report."""
    texts = [*report.stepped, *map(str, report.unexplained), *report.undecidable, *report.archived]
    return f"{len(texts)} findings, such as {texts[0]}" if texts else "nothing was compared"


def named(report: ParityReport, what: Planted, bar_ms: int) -> bool:
    """Whether the cause is told of that bar, or of one of the next few."""
    last_ms = bar_ms + (what.bars - 1) * rehearsal.MINUTE_MS
    first_ms = bar_ms - rehearsal.MINUTE_MS  # an act of people lies between two decisions
    return any(
        what.cause in found.causes and first_ms <= found.bar_ms <= last_ms
        for found in report.differences
    )


def causes_at(report: ParityReport, bar_ms: int) -> list[str]:
    """What is told of a bar."""
    found = [d for d in report.differences if d.bar_ms == bar_ms]
    return [f"{d.what}:{'+'.join(d.causes)}" for d in found]


if __name__ == "__main__":
    parser = parser_of("parity", __doc__)
    parser.add_argument("--bars", type=int, default=1_440, help="minutes of the first account")
    sys.exit(prove("parity", run, parser))
