#!/usr/bin/env python3
"""Claim: the fast back-test says what the reference says, byte for byte.

Random policies on random bars (see `equal_cases`) and stretches of real files are run by both
engines. Every fact that the engine records, every row of the books at the end, the equity curve,
refusals, quiet counts, statistics and the report must be equal. A part of the cases is run again in
a process whose core is interpreted: equal hashes. Rows of signals in one go, bars that the engine
does at once, and the number of processes (one or two) are drawn for each case. A case that fails
prints its name (`SEED:NUMBER`, or a file's) and the first difference; `--only NUMBER` runs it alone
(with the same `--rows`).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from equal_bars import real_market
from equal_cases import Case, made_case
from equal_told import (
    FAST,
    REFERENCE,
    Told,
    difference,
    in_blocks,
    told_facts,
    told_in_steps,
    told_result,
    with_plans,
)
from equal_varied import varied
from harness import Verdict, parser_of, prove, say

from trader import build
from trader.bars.load import load_bars

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "real"
FILES = (
    "binance_btcusdt_1h_2017-08_2024-04.csv.gz",
    "bitfinex_btcusd_1m_2017.csv.gz",
    "bitfinex_ethusd_1m_2018.csv.gz",
    "bitfinex_ltcusd_1m_2016.csv.gz",
    "basana_binance_btcusdt_1d_2020.csv.gz",
    "basana_bitstamp_btcusd_1d_2015_zero_volume_days.csv.gz",
    "freqtrade_binance_dashbtc_5m_2018-01_gaps.csv.gz",
    "freqtrade_binance_ethbtc_5m_2018-01.csv.gz",
    "freqtrade_binance_trxbtc_5m_2018-01_gaps.csv.gz",
    "freqtrade_binance_xrpeth_1m_2019-10.csv.gz",
    "freqtrade_unittest_btc_1m_2017-11.csv.gz",
    "octobot_bittrex_xrpbtc_1h_2018-07.csv.gz",
)
SYMBOLS = {"freqtrade_unittest_btc_1m_2017-11.csv.gz": "BTC/USDT"}
ROWS_MAX, ROWS_QUICK, REAL_ROWS = 500, 160, 1_500
# Rows of signals in one go, processes that work them out, bars that the engine does at once.
BLOCKS, WORKERS, STEPS = (1, 7, 50, 333, 32_768), (1, 1, 1, 2), (1, 5, 64, 1_000, 65_536)


@dataclass
class Found:
    """What came of it."""

    cases: int = 0
    bars: int = 0
    fills: int = 0
    idle: int = 0
    lane_bars: int = 0
    slow_bars: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[str] = field(default_factory=Counter[str])
    workers: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])
    digests: dict[str, str] = field(default_factory=dict[str, str])

    def look(self, case: Case, *, facts: bool) -> None:
        """Both engines over one case."""
        rng = random.Random(case.name)
        told = told_result(case.inputs, REFERENCE)
        self.held(case, "result", told, told_in_steps(case.inputs, rng.choice(STEPS)))
        if facts:
            said = told_facts(case.inputs, REFERENCE)
            blocks = in_blocks(rng.choice(BLOCKS), rng.choice(WORKERS))
            self.workers[str(blocks.workers)] += 1
            fast = told_facts(case.inputs, FAST, blocks)
            self.held(case, "facts", with_plans(said, fast), with_plans(fast, said))
            self.lane_bars += fast.lanes[0]
            self.slow_bars += fast.lanes[1]
        self.cases += 1
        self.kinds[case.kind] += 1
        self.bars += len(told.rows.get("curve_ms", ()))
        self.fills += told.fills
        self.idle += not told.fills
        self.digests[case.name] = told.digest()
        for row in told.rows.get("counts", ()):
            code, count = row.rsplit(" ", 1)
            self.answers[code] += int(count)

    def held(self, case: Case, what: str, reference: Told, fast: Told) -> None:
        """Keep the first difference of two readings."""
        why = difference(reference, fast)
        if why:
            say(f"case {case.name} ({case.kind}, {case.theme}) {what}: {why}")
            self.failures.append(f"{case.name} {what}: {why[:300]}")


def run(given: argparse.Namespace) -> Verdict:
    """Made cases, real files, other processes."""
    found = Found()
    started = time.monotonic()
    settled(given)
    numbers = range(given.first, given.first + given.cases)
    if given.only is not None:
        numbers = range(given.only, given.only + 1)
    for number in numbers:
        case = drawn(given, number)
        found.look(case, facts=number % 2 == 0 or given.only is not None)
        if given.seconds and time.monotonic() - started > given.seconds:
            break
        if found.cases % 100 == 0:
            say(f"{found.cases} cases, {found.fills} fills, {len(found.failures)} failures")
    files = 0
    if given.only is None:
        for case in real_cases(given.seed, 1 if given.quick else given.per_file, quick=given.quick):
            found.look(case, facts=True)
            files += 1
        elsewhere(given, found)
    figures = {
        "real": files,
        "bars": found.bars,
        "fills": found.fills,
        "without_fills": found.idle,
        "lane_bars": found.lane_bars,
        "slow_bars": found.slow_bars,
        "workers": dict(sorted(found.workers.items())),
        "kinds": dict(sorted(found.kinds.items())),
        "answers": dict(found.answers.most_common()),
        "core": build.describe(),
        "failures": found.failures[:20],
        "failed": len(found.failures),
    }
    holds = not found.failures and (found.fills > 0 or given.only is not None)
    return Verdict(holds, found.cases, figures)


def drawn(given: argparse.Namespace, number: int) -> Case:
    """A made case; every third is varied."""
    case = made_case(given.seed, number, given.rows)
    return varied(case) if number % 3 == 2 else case


def real_cases(seed: int, per_file: int, *, quick: bool) -> Iterator[Case]:
    """Policies on stretches of real files, where they lie beside the checkout."""
    there = [name for name in FILES if (REAL / name).exists()]
    if len(there) < len(FILES):
        say(f"{len(FILES) - len(there)} of {len(FILES)} real files are not there")
    for name in there[:2] if quick else there:
        series = load_bars(REAL / name, SYMBOLS.get(name)).series
        for number in range(per_file):
            rng = random.Random(f"{seed} {name} {number}")
            rows = min(len(series), 300 if quick else REAL_ROWS)
            market = real_market(series, rng.randrange(len(series) - rows + 1), rows, rng)
            case = made_case(seed, 1_000_000 + number, rows, market)
            yield Case(f"{name} {number}", case.kind, case.theme, case.inputs)


def elsewhere(given: argparse.Namespace, found: Found) -> None:
    """The first cases again in a process whose core is interpreted: the same hashes."""
    count = min(given.cases, given.again)
    told = other_process(given, count, {"TRADER_INTERPRETED": "1"})
    for name, digest in told.items():
        if found.digests.get(name, digest) != digest:
            say(f"case {name}: interpreted says otherwise")
            found.failures.append(f"{name}: interpreted differs")
    if len(told) != count:
        found.failures.append("the interpreted process told of fewer cases")


def other_process(given: argparse.Namespace, count: int, env: dict[str, str]) -> dict[str, str]:
    """Hashes of the first cases by the fast engine, from another process."""
    words = ["--digests", "--seed", str(given.seed), "--first", str(given.first)]
    words += ["--rows", str(given.rows)]
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), *words, "--cases", str(count)],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return told


def tell_digests(given: argparse.Namespace) -> int:
    """Only run the fast engine and print each case's hash."""
    told: dict[str, Any] = {}
    for number in range(given.first, given.first + given.cases):
        case = drawn(given, number)
        told[case.name] = told_result(case.inputs, FAST).digest()
    print(json.dumps(told))
    return 0


def main() -> int:
    """Prove it."""
    parser = parser_of("fast_equals_reference", __doc__)
    parser.add_argument("--cases", type=int, default=0, help="made cases (1000, quick: 24)")
    parser.add_argument("--first", type=int, default=0, help="number of the first of them")
    parser.add_argument("--rows", type=int, default=0, help="bars of a made case at most")
    parser.add_argument("--only", type=int, help="this case alone")
    parser.add_argument("--seconds", type=float, default=0.0, help="made cases for no longer")
    parser.add_argument("--per-file", type=int, default=8, help="policies on each real file")
    parser.add_argument("--again", type=int, default=0, help="cases that run interpreted too")
    parser.add_argument("--digests", action="store_true", help="print hashes and prove nothing")
    given = parser.parse_args()
    if given.digests:
        return tell_digests(settled(given))
    return prove("fast_equals_reference", run, parser)


def settled(given: argparse.Namespace) -> argparse.Namespace:
    """How many cases, where nobody said."""
    given.cases = given.cases or (24 if given.quick else 1_000)
    given.rows = given.rows or (ROWS_QUICK if given.quick else ROWS_MAX)
    given.again = given.again or (6 if given.quick else 120)
    return given


if __name__ == "__main__":
    sys.exit(main())
