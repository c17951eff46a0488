#!/usr/bin/env python3
"""Claim: members and regime are decided alike whenever they are decided, and nothing is opened
outside an open tier's members.

The shipped policy under both ready profiles is back-tested on four real files (one with an
exchange's outage in it), the tiers' pairs named by the files; where they do not lie beside the
checkout, on made minutes. The trail of universe and regime is printed: how often each answer was
given, and some decisions whole. Then every decision is taken again from the recorded facts alone
(trail and plan must be equal, byte for byte), and this file's own reading of members and regimes is
held against every entry.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import yaml
from harness import Verdict, parser_of, prove, say
from rehearsal import REAL_DATA, ROOT

from trader.app.backtest import open_books
from trader.app.backtest_inputs import BacktestInputs, BacktestOptions, build_inputs
from trader.app.inputs import decision_inputs
from trader.bars.bar_file import BarFile
from trader.bars.load import load_bars
from trader.core.canonical import canonical
from trader.core.fold import fold
from trader.core.membership import is_universe_row
from trader.core.plan import Plan, plan, plan_payload
from trader.core.simulate import Simulation
from trader.core.strategy import load_strategy
from trader.domain.instrument import Instrument
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars
from trader.policy.checking import check_policy
from trader.policy.sources import find_sources
from trader.policy.strategy_files import load_strategies

PROFILES = ("conservative", "aggressive")
DAY_MS = 86_400_000
WARM_MS = 45 * DAY_MS  # what strategies, ranks and regime look back on
SHOWN = 3
Facts = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Ground:
    """Files that are tested together; `pairs` by file name, the first is the benchmark."""

    name: str
    pairs: Mapping[str, str]
    timeframe: str
    since: str

    @property
    def quote(self) -> str:
        """The settlement currency."""
        return next(iter(self.pairs.values())).partition("/")[2]

    def there(self) -> bool:
        """Whether the real files are at hand."""
        return all((REAL_DATA / name).exists() for name in self.pairs)


GROUNDS = (
    Ground(
        "binance hourly", {"binance_btcusdt_1h_2017-08_2024-04.csv.gz": "BTC/USDT"}, "1h",
        "2021-05-10",
    ),
    Ground(
        "bitfinex 2018, two coins",
        {"bitfinex_btcusd_1m_2018.csv.gz": "BTC/USD", "bitfinex_ethusd_1m_2018.csv.gz": "ETH/USD"},
        "15m", "2018-02-16",
    ),
    Ground(
        "bitfinex 2016, the outage",
        {"awkward_bitfinex_btcusd_1m_2016-07-25_2016-08-20_hack_outage.csv.gz": "BTC/USD"}, "15m",
        "2016-08-02",
    ),
)  # fmt: skip
MADE = Ground(
    "made minutes", {"made_btcusdt_1m.csv.gz": "BTC/USDT", "made_ethusdt_1m.csv.gz": "ETH/USDT"},
    "15m", "",
)  # fmt: skip


@dataclass
class Tally:
    """What was seen over all runs."""

    decisions: int = 0
    entries: int = 0
    runs: int = 0
    answers: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])


def prove_universe(arguments: argparse.Namespace) -> Verdict:
    """Every ground under both profiles."""
    bars = 160 if arguments.quick else 1_500
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        grounds = grounds_at_hand(folder, arguments.seed)
        for ground in grounds:
            files = read_files(ground, folder, bars)
            for profile in PROFILES:
                inputs = inputs_of(ground, profile, files, folder)
                run_one(f"{ground.name}, {profile}", inputs, start_of(ground), bars, tally)
    for problem in tally.problems[:20]:
        say(f"PROBLEM {problem}")
    holds = not tally.problems and tally.entries > 0 and tally.runs == 2 * len(grounds)
    figures = {"runs": tally.runs, "entries": tally.entries, "answers": dict(tally.answers)}
    return Verdict(holds, tally.decisions, {**figures, "problems": len(tally.problems)})


def grounds_at_hand(folder: Path, seed: int) -> list[Ground]:
    """The real ones whose files are there (the others are said); made bars where there is none."""
    absent = [ground.name for ground in GROUNDS if not ground.there()]
    if absent:
        say(f"LEFT OUT, their files are not at hand: {', '.join(absent)}")
    if len(absent) < len(GROUNDS):
        return [ground for ground in GROUNDS if ground.there()]
    write_made_bars(folder, seed, 36_000, instruments=DEMO_INSTRUMENTS[:2])
    return [MADE]


# --- policy and data -----------------------------------------------------------------------------


def read_files(ground: Ground, folder: Path, bars: int) -> dict[str, BarFile]:
    """Bar files by pair, cut to what may be looked at."""
    files: dict[str, BarFile] = {}
    until_ms = start_of(ground) + bars * TIMEFRAMES_MS[ground.timeframe]
    for name, pair in ground.pairs.items():
        place = (folder if ground is MADE else REAL_DATA) / name
        if ground is not MADE:
            place = cut(place, folder, start_of(ground) - WARM_MS, until_ms)
        files[pair] = load_bars(place, symbol=pair)
    return files


def cut(source: Path, folder: Path, from_ms: int, to_ms: int) -> Path:
    """A copy of a bar file with the rows of a stretch of time; rows in epoch ms only."""
    target = folder / source.name.removesuffix(".gz")
    with gzip.open(source, "rt", encoding="utf-8") as lines, target.open("w") as kept:
        for number, line in enumerate(lines):
            at = line.partition(",")[0]
            if not number or not at.isdigit() or from_ms <= int(at) < to_ms:
                kept.write(line)
            if at.isdigit() and int(at) >= to_ms:
                break
    return target


def start_of(ground: Ground) -> int:
    """Epoch ms; 0 for made bars."""
    if not ground.since:
        return 0
    return int(datetime.fromisoformat(ground.since).replace(tzinfo=UTC).timestamp()) * 1000


def inputs_of(
    ground: Ground, profile: str, files: Mapping[str, BarFile], folder: Path
) -> BacktestInputs:
    """The shipped policy under a profile, its tiers named by the files."""
    config = folder / f"{ground.quote}-{profile}-{ground.timeframe}-{len(files)}" / "config"
    write_policy(config, ground, profile)
    sources = find_sources((str(config),), cwd=config.parent, env={}, stdin=None)
    checked = check_policy(sources, {}, strategy_files=True)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, strategies = decision_inputs(checked.form, texts)
    codes = {source.name: source.code for source in strategies}
    for spec in parameters.strategies:
        if spec.name in texts:  # the shipped files: here they need no process of their own
            file, _ = load_strategy(spec.name, texts[spec.name])
            codes[spec.name] = replace(file, program=spec.program)
    rules = {pair: rules_of(file) for pair, file in files.items()}
    options = BacktestOptions(cash=Decimal(10_000))
    return build_inputs(parameters, codes, files, options, rules)


def write_policy(config: Path, ground: Ground, profile: str) -> None:
    """The repository's five files, with these pairs, this profile and decision bars."""
    shutil.rmtree(config, ignore_errors=True)
    shutil.copytree(ROOT / "config", config)
    first, *others = ground.pairs.values()
    changes: dict[str, dict[str, Any]] = {
        "app": {"quote": ground.quote, "timeframe": ground.timeframe, "cash_max": 100_000},
        "policy": {"profile": profile},
        "universe": {
            "deny": [f".*{end}/{ground.quote}" for end in ("UP", "DOWN")],
            "tiers": {
                "core": {"pairs": [first]},
                "rotational": {"pairs": [f".*/{ground.quote}"], "take": 1, "keep": 1},
                "event": {"pairs": []},
            },
            "regime": {"benchmark": first},
        },
        "strategies": {
            "mean_reversion": {"instruments": [first, *others], "timeframe": ground.timeframe}
        },
    }
    for name, changed in changes.items():
        path = config / f"{name}.yaml"
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump(laid_over(told, changed), sort_keys=False))


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping over another, section by section."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        if isinstance(value, dict) and isinstance(inner, dict):
            section = cast("dict[str, Any]", inner)
            merged[key] = laid_over(section, cast("dict[str, Any]", value))
        else:
            merged[key] = value
    return merged


def rules_of(file: BarFile) -> Instrument:
    """Rules that fit exact arithmetic beside the file's own tick."""
    base, _, quote = file.symbol.partition("/")
    lot, fee = Decimal("0.0001"), Decimal("0.001")
    return Instrument(
        file.symbol, base, quote, file.tick, lot, lot, Decimal(0), Decimal(0), fee, fee
    )


# --- a run, and the same again -------------------------------------------------------------------


def run_one(name: str, inputs: BacktestInputs, from_ms: int, bars: int, tally: Tally) -> None:
    """Back-test so many decision bars; print, check, and decide all of it again."""
    facts: Facts = []
    state = open_books(inputs)
    run = Simulation(
        inputs.parameters, inputs.strategies, inputs.series, state, inputs.model,
        lambda kind, payload: facts.append((kind, dict(payload))),
    )  # fmt: skip
    chosen = run.decision_bars(from_ms, inputs.end_ms)[-bars:]
    watch = Watch(name, inputs, tally)
    trails: list[str] = []
    for bar_ms in chosen:
        decided = run.decide_and_execute(bar_ms)
        watch.see(decided)
        trails.append(trail_text(decided))
    watch.say_summary(len(chosen))
    decide_again(name, inputs, facts, trails, tally)
    tally.runs += 1
    tally.decisions += len(chosen)


def trail_text(decided: Plan) -> str:
    """The whole trail, canonical."""
    return canonical([row.row() for row in decided.trail])


def decide_again(
    name: str, inputs: BacktestInputs, facts: Facts, trails: list[str], tally: Tally
) -> None:
    """From the facts alone: every plan and every trail must come out again."""
    state = open_books(inputs)
    again = Simulation(
        inputs.parameters, inputs.strategies, inputs.series, state, inputs.model,
        lambda _kind, _payload: None,
    )  # fmt: skip
    expected: Iterator[str] = iter(trails)
    for kind, payload in facts:
        if kind == "plan":
            bar_ms = int(payload["bar_ms"])
            decided = plan(again.snapshot(bar_ms))
            if canonical(plan_payload(decided)) != canonical(payload):
                tally.problems.append(f"{name}: the plan of bar {bar_ms} comes out differently")
            if trail_text(decided) != next(expected):
                tally.problems.append(f"{name}: the trail of bar {bar_ms} comes out differently")
        fold(state, kind, payload)


class Watch:
    """Reads plans as they come: its own idea of members and regime, held against each entry."""

    def __init__(self, name: str, inputs: BacktestInputs, tally: Tally) -> None:
        """Nobody is a member, no regime is known."""
        self.name = name
        self.universe = inputs.parameters.universe
        self.tally = tally
        self.members: dict[str, list[str]] = {}
        self.regime = "unknown"
        self.answers: Counter[str] = Counter()
        self.shown = 0
        self.entries = 0

    def see(self, decided: Plan) -> None:
        """One decision."""
        payload = plan_payload(decided)
        rows = [row for row in decided.trail if is_universe_row(row)]
        if payload.get("regime"):
            self.regime = payload["regime"][1]
        for tier in {row.strategy.partition(":")[2] for row in rows} - {"regime"}:
            told = [row for row in rows if row.strategy == f"universe:{tier}"]
            self.members[tier] = [r.symbol for r in told if r.answer.startswith("MEMBER ")]
        for row in rows:
            self.answers[row.answer.partition(" risk_ppm")[0].partition(" limit")[0]] += 1
        if rows and self.shown < SHOWN:
            self.shown += 1
            for row in rows:
                numbers = ", ".join(f"{key} {value}" for key, value in row.seen.items())
                at = datetime.fromtimestamp(decided.bar_ms // 1000, UTC)
                say(f"  {at:%F %R} {row.strategy} {row.symbol}: {row.answer} ({numbers})")
        for leg in decided.legs:
            if str(leg.proposal.side) == "buy":
                self._hold(decided.bar_ms, leg.proposal.symbol)

    def _hold(self, bar_ms: int, symbol: str) -> None:
        """An entry must be of a member of a tier that the regime opens."""
        self.entries += 1
        homes = [tier for tier, members in self.members.items() if symbol in members]
        opened = {
            tier
            for state in (self.universe.regime.states if self.universe.regime else ())
            if state.name == self.regime
            for tier in state.tiers
        }
        if not set(homes) & opened:
            self.tally.problems.append(
                f"{self.name}: bar {bar_ms} opened {symbol}, of {homes}, in regime {self.regime}"
            )

    def say_summary(self, decisions: int) -> None:
        """How often each answer was given."""
        say(f"{self.name}: {decisions} decisions, {self.entries} entries")
        for answer, times in sorted(self.answers.items(), key=lambda item: (-item[1], item[0])):
            say(f"  {times:6d} {answer}")
        self.tally.entries += self.entries
        for answer, times in self.answers.items():
            self.tally.answers[answer.partition(" ")[0]] += times


if __name__ == "__main__":
    proof = "universe_trail"
    raise SystemExit(prove(proof, prove_universe, parser_of(proof, __doc__)))
