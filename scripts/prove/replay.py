#!/usr/bin/env python3
"""Claim: what was decided over HTTP is decided again from the journal, and by the back-test.

Whole cycles in testnet mode over real ccxt against the local exchange, some of them cold through
the installed command, on real hourly bars where they lie beside the checkout (else made ones).
Then, of every stored decision: `trader audit replay` gives the same bytes; the back-test's own
snapshot of the bar file, given the journal's state and quotes before it, decides the same; and a
back-test that runs free over the same file and policy differs only from where quotes or fills did.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rehearsal
from harness import Verdict, parser_of, prove, say

from trader import wiring
from trader.app.cycle import run_cycle
from trader.app.inputs import decision_inputs
from trader.app.replay import replay_iter
from trader.bars.load import load_bars
from trader.core.canonical import canonical
from trader.core.fold import fold
from trader.core.parameters import Parameters
from trader.core.plan import plan, plan_payload
from trader.core.series import Series
from trader.core.simulate import Model, Simulation
from trader.core.state import State
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars
from trader.journal.journal import Journal

REAL = rehearsal.REAL_DATA / "binance_btcusdt_1h_2017-08_2024-04.csv.gz"
SYMBOL = "BTC/USDT"
STRATEGIES = """ma_cross:
  timeframe: {timeframe}
  size:
    equity_share: 40%
mean_reversion:
  timeframe: {timeframe}
  size:
    equity_share: 40%
"""
LIMITS = "  position: 50%\n  positions_max: 1\n"
SETTLE_MS = 5_000
Facts = dict[int, list[str]]


@dataclass
class Ground:
    """Data and account of one run."""

    folder: Path
    bars: Path
    timeframe: str
    data: str
    start_ms: int = 0
    url: str = ""
    env: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def step_ms(self) -> int:
        """Length of a decision bar."""
        return TIMEFRAMES_MS[self.timeframe]


def prepare(folder: Path, seed: int, bars: int) -> Ground:
    """Real hourly bars where they are at hand, else made minutes."""
    if REAL.exists():
        ground = Ground(folder, REAL, "1h", "real hourly bars")
    else:
        made = write_made_bars(folder / "bars", seed, bars + 600, instruments=DEMO_INSTRUMENTS[:1])
        ground = Ground(folder, made[0], "1m", "made minutes")
    text = STRATEGIES.format(timeframe=ground.timeframe)
    rehearsal.write_config(folder, text, [SYMBOL], LIMITS, ground.timeframe)
    return ground


def run_cycles(ground: Ground, served: rehearsal.Exchange, bars: int, cold: int) -> wiring.Setup:
    """`bars` whole cycles, `cold` of them spread evenly through the installed command."""
    clock = rehearsal.HandClock()
    setup = rehearsal.load(ground.folder, ground.env, clock)
    venue = wiring.open_venue(setup)
    every = max(1, bars // cold)
    for number in range(bars):
        now_ms = ground.start_ms + number * ground.step_ms + SETTLE_MS
        if number % every == every - 1 and number // every < cold:
            run_cold(ground, now_ms)
            continue
        rehearsal.move(served, clock, now_ms)
        with wiring.open_journal(setup, create=True) as journal:
            run_cycle(setup.run, venue, journal)
        if number % 200 == 199:
            say(f"{number + 1} cycles")
    return setup


def run_cold(ground: Ground, now_ms: int) -> None:
    """One cycle as systemd would run it: a new process, the installed command."""
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    done = installed(ground, "cycle", "--now", moment)
    if done.returncode != 0:
        raise RuntimeError(f"cold cycle: exit {done.returncode}: {done.stderr.strip()}")


def audit_replay(ground: Ground) -> dict[str, Any]:
    """`trader audit replay --all --json`, the installed command."""
    done = installed(ground, "audit", "replay", "--all", "--json")
    told = json.loads(done.stdout) if done.stdout.strip() else {}
    return {"exit": done.returncode, "stderr": done.stderr.strip(), **told}


def installed(ground: Ground, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed command in the account's folder."""
    return subprocess.run(
        [sys.executable, "-m", "trader", *words],
        cwd=ground.folder,
        env={**ground.env, "PYTHONPATH": str(rehearsal.ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


class FreeRun:
    """The back-test beside the journal: same file, same policy, its own fills."""

    def __init__(self, ground: Ground, journal: Journal, inputs: tuple[Parameters, Any]) -> None:
        self.facts: Facts = {}
        self.bar_ms = -1
        state = State()
        for entry in journal.entries(kinds=("genesis", "instrument")):
            fold(state, entry.kind, entry.payload)
        series = _series(ground, state)
        parameters, codes = inputs
        # Binance takes the fee of a buy in the coin bought.
        model = Model(spread_ppm=100, fee_in_base=True)
        self.simulation = Simulation(parameters, codes, series, state, model, self._record)

    def _record(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "fill":
            told = [payload[name] for name in ("side", "price_ticks", "qty_lots")]
            self.facts.setdefault(self.bar_ms, []).append(canonical(told))

    def decide(self, bar_ms: int) -> str:
        """Decide and carry out one bar; the decision's bytes."""
        self.bar_ms = bar_ms
        return canonical(plan_payload(self.simulation.decide_and_execute(bar_ms)))


def _series(ground: Ground, state: State) -> dict[tuple[str, str], Series]:
    tick = state.spec(SYMBOL).tick
    loaded = load_bars(ground.bars, symbol=SYMBOL, tick=tick)
    return {(SYMBOL, ground.timeframe): loaded.series}


def inputs_of(setup: wiring.Setup) -> tuple[Parameters, dict[str, Any]]:
    """Parameters and code as the passes had them."""
    texts = {source.name: source.text for source in setup.run.strategies}
    parameters, sources = decision_inputs(setup.run.form, texts)
    return parameters, {source.name: source.code for source in sources}


def fills_by_bar(journal: Journal) -> Facts:
    """What the exchange filled, by the decision bar of its order."""
    found: Facts = {}
    bar_of = {row["client_id"]: int(row["bar_ms"]) for row in journal.orders()}
    for fill in journal.fills():
        told = [fill[name] for name in ("side", "price_ticks", "qty_lots")]
        found.setdefault(bar_of[fill["client_id"]], []).append(canonical(told))
    return found


def compare(ground: Ground, setup: wiring.Setup) -> tuple[Counter[str], list[str]]:
    """Every stored decision against the back-test's functions, stepped and running free."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    inputs = inputs_of(setup)
    with wiring.open_journal(setup, read_only=True) as journal:
        filled = fills_by_bar(journal)
        free = FreeRun(ground, journal, inputs)
        parted = False
        for event in replay_iter(journal):
            bar_ms = event.snapshot.bar_ms
            counts["decisions"] += 1
            stored = canonical(event.stored)
            series = free.simulation.series
            beside = Simulation(*inputs, series, event.state, Model(), lambda *_: None)
            own = beside.snapshot(bar_ms)
            # The back-test's own reading of policy and bars; what else was read is a fact.
            stepped = replace(
                event.snapshot,
                parameters=own.parameters,
                strategies=own.strategies,
                series=own.series,
            )
            if canonical(plan_payload(plan(stepped))) != stored:
                problems.append(f"stepped: bar {bar_ms} is decided differently")
            same_account = _account(free.simulation.state) == _account(event.state)
            if not same_account and not parted:
                problems.append(f"free: accounts differ at bar {bar_ms} before any fill did")
            model_quotes = free.simulation.snapshot(bar_ms).quotes
            if free.decide(bar_ms) != stored:
                same_quotes = model_quotes == event.snapshot.quotes
                counts[_cause(same_account=same_account, same_quotes=same_quotes)] += 1
            # Fills of one order at several prices are one fill of the model: that is a difference.
            parted = parted or free.facts.get(bar_ms, []) != filled.get(bar_ms, [])
    if counts["unexplained"]:
        problems.append(f"free: {counts['unexplained']} differences are not explained")
    return counts, problems


def _account(state: State) -> str:
    positions = {
        symbol: [position.qty_units, position.cost_units, position.stop_ticks, position.strategy]
        for symbol, position in state.positions.items()
        if position.qty_units
    }
    return canonical([state.cash_units, positions, sorted(state.consumed.items())])


def _cause(*, same_account: bool, same_quotes: bool) -> str:
    if same_account and same_quotes:
        return "unexplained"
    if same_account:
        return "differs by quote"
    return "differs by fills" if same_quotes else "differs by fills and quote"


def run(arguments: argparse.Namespace) -> Verdict:
    """Cycles, replay, comparison."""
    bars, cold = (120, 3) if arguments.quick else (arguments.bars, 30)
    with tempfile.TemporaryDirectory() as scratch:
        ground = prepare(Path(scratch), arguments.seed, bars)
        spec = f"{ground.bars}={SYMBOL.replace('/', '')}"
        with rehearsal.exchange([spec], "--seed", str(arguments.seed)) as served:
            now_ms = int(served.admin.clock()["now_ms"])
            ground.start_ms = now_ms // ground.step_ms * ground.step_ms
            ground.env = rehearsal.environment(served.url)
            setup = run_cycles(ground, served, bars, cold)
        told = audit_replay(ground)
        counts, problems = compare(ground, setup)
        with wiring.open_journal(setup, read_only=True) as journal:
            orders, fills = len(journal.orders()), len(journal.fills())
    if told.get("exit") != 0:
        problems.append(f"audit replay: exit {told.get('exit')}: {told.get('stderr')}")
    for problem in problems[:20]:
        say(f"PROBLEM {problem}")
    figures = {
        "data": ground.data,
        "cold_cycles": cold,
        "orders": orders,
        "fills": fills,
        "replayed": {name: told.get(name) for name in ("cycles", "plans", "steps", "acts")},
        "replay_differences": len(told.get("differences", ())),
        "stepped_decisions": counts["decisions"],
        "free_run": {key: n for key, n in sorted(counts.items()) if key != "decisions"},
        "problems": len(problems),
    }
    enough = counts["decisions"] == bars and told.get("plans") == bars and fills > 0
    return Verdict(enough and not problems, counts["decisions"], figures)


if __name__ == "__main__":
    parser = parser_of("replay", __doc__)
    parser.add_argument("--bars", type=int, default=1_000, help="decision bars to run")
    sys.exit(prove("replay", run, parser))
