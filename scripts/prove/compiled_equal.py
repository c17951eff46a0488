#!/usr/bin/env python3
"""Claim: the compiled core and the same files interpreted decide equally, to the last byte.

Two processes, one with the extension and one with TRADER_INTERPRETED=1, do the same work:
back-tests of the shipped strategies on made data under random limits, random values through every
indicator and through the checked mul-div, and whole cycles over HTTP against the local exchange
with a clock that stands still in between. Each process hashes every fact it made; the hashes must
be equal.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from array import array
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import rehearsal
from harness import Verdict, parser_of, prove, say
from size_values import told_sizes

from trader import build, wiring
from trader.app.cycle import run_cycle
from trader.app.inputs import decision_inputs
from trader.bars.load import load_bars
from trader.bars.resample import resample
from trader.core import calendar, indicators, returns
from trader.core.canonical import canonical
from trader.core.fold import fold
from trader.core.indicator_table import INDICATORS
from trader.core.limits import Calendar, Dated, Day, Weekly, Zone
from trader.core.money import mul_div_down, mul_div_up
from trader.core.parameters import Parameters
from trader.core.scale import Spec
from trader.core.simulate import Model, Simulation
from trader.core.state import State, instrument_row
from trader.domain.instrument import Instrument
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars
from trader.policy.checking import check_policy
from trader.policy.sources import find_sources
from trader.policy.strategy_files import load_strategies

SYMBOLS = ("BTC/USDT", "ETH/USDT")
MADE = DEMO_INSTRUMENTS[:2]
STRATEGIES = """ma_cross:
  timeframe: 1m
  instruments: [BTC/USDT, ETH/USDT]
  size:
    method: risk_parity
    equity_share: 40%
    bars: 60
  parameters:
    fast: 3
    slow: 9
  trail: 1.2%
  trail_from: 0.004 * close
  break_even: 0.009 * close
  scale_out: [{at: 0.003 * close, share: 30%}, {at: 3 * atr(14), share: 30%}]
  max_hold: 40m
mean_reversion:
  timeframe: 5m
  target: 1.2%
  priority: 50
  instruments: [BTC/USDT, ETH/USDT]
  size:
    method: volatility
    volatility: 60%
    span: 20
    equity_share: 15%
dip:
  enter: rsi(9) < 35 and close > open
  stop: 1.5%
  max_hold: 20m
  timeframe: 1m
  priority: 200
  instruments: [BTC/USDT, ETH/USDT]
"""
APP = {"APP__CYCLE__ANCHOR_BARS": "64"}


def hash_numbers(seed: int, rounds: int) -> str:
    """Indicators and mul-div over random values, exact to the last bit."""
    rng = random.Random(seed)
    digest = hashlib.sha256()
    for _ in range(rounds):
        columns = _columns(rng, 120)
        for entry in INDICATORS.values():
            numbers = tuple(
                rng.randint(int(one.least), 40) if one.whole else rng.uniform(one.least, 1.0)
                for one in entry.numbers
            )
            if entry.problem(numbers):
                continue
            inputs = [columns["close" if name == "source" else name] for name in entry.inputs]
            session = (rng.choice((3_600_000, 86_400_000)),) if entry.session else ()
            for line in entry.values(inputs, (*numbers, *session)):
                digest.update(bytes(line))
        mean = indicators.sma(columns["close"], rng.randrange(1, 40))
        digest.update(bytes(indicators.crosses_above(columns["close"], mean)))
        digest.update(_products(rng).encode())
        digest.update(told_sizes(rng, Spec(_rules("A/USDT", Decimal("0.01")), 8)).encode())
        digest.update(_days(rng).encode())
        digest.update(_clocks(rng).encode())
    return digest.hexdigest()


def _columns(rng: random.Random, rows: int) -> dict[str, array[Any]]:
    """Columns of any size, some with values repeated, huge, below zero or no numbers at all."""
    unit = 10.0 ** rng.randrange(-6, 9)
    odd = rng.choice((0.0, 0.0, 0.05))
    strange = (nan, inf, -inf, 1e308, -1e308, 5e-324, 0.0, -unit)
    columns: dict[str, array[Any]] = {}
    for name in ("open", "high", "low", "close", "volume"):
        level = rng.choice((3, 1_000_000))
        values = [unit * (1.0 + rng.randrange(level) / level) for _ in range(rows)]
        values = [rng.choice(strange) if rng.random() < odd else value for value in values]
        columns[name] = array("d", values)
    start = rng.randrange(10**12)
    columns["open_ms"] = array("q", [start + 600_000 * row for row in range(rows)])
    return columns


def _products(rng: random.Random) -> str:
    told: list[str] = []
    for _ in range(50):
        a, b, c = (rng.randrange(0, 10 ** rng.randrange(1, 20)) for _ in range(3))
        for function in (mul_div_down, mul_div_up):
            try:
                told.append(str(function(a, b, c)))
            except OverflowError:
                told.append("overflow")
    return ",".join(told)


def _days(rng: random.Random) -> str:
    """Daily returns of two instruments, the loss that few days exceed, who moves with whom."""
    days, last_ms = rng.randrange(1, 80), 20_000 * 86_400_000
    rows: list[array[int]] = []
    for _ in range(2):
        backs = [back for back in reversed(range(days + 1)) if rng.random() < 0.95]
        opens = array("q", [last_ms - back * 86_400_000 for back in backs])
        closes = array("q", [rng.randrange(1, 10 ** rng.randrange(1, 15)) for _ in backs])
        rows.append(returns.told_returns(opens, closes, last_ms, days))
    one, two = (returns.cautious_returns(row, rng.randrange(80), 200_000) for row in rows)
    results = array("q", bytes(8 * days))
    for row in (one, two):
        returns.add_results(results, row, rng.randrange(2**60))
    worst = array("q", bytes(8 * returns.rare_days(days, rng.randrange(1, 1_000_001))))
    loss = returns.loss_exceeded_rarely(results, one, rng.randrange(2**60), worst)
    alike = returns.move_together(rows[0], rows[1], rng.randrange(1, 60), rng.randrange(1_000_001))
    return f"{rows} {list(results)} {list(worst)} {loss} {alike} {returns.moments(*rows)}"


def _clocks(rng: random.Random) -> str:
    """Days and windows of a made zone whose clock is put forward and back at random."""
    starts = sorted(rng.sample(range(-(10**10), 2 * 10**12), 12))
    offsets = tuple(rng.randrange(-840, 841) * 60_000 for _ in starts)
    zone = Zone("made", tuple(starts), offsets, starts[-1] + 10**11)
    day = Day(zone, rng.randrange(1_440))
    begins = rng.randrange(10_080)
    window = Weekly(begins, begins + rng.randrange(1, 10_080), "w")
    cuts = sorted(rng.sample(range(10**12), 6))
    dated = tuple(Dated(cuts[i], cuts[i + 1], f"d{i}") for i in (0, 2, 4))
    told: list[object] = []
    for base in (*starts, *cuts, zone.ends_ms):
        at_ms = base + rng.randrange(-(10**8), 10**8)
        number = calendar.day_of(at_ms, day)
        told += [number, calendar.day_start_ms(number, day), calendar.week_of(number)]
        told += calendar.openings(Calendar(zone, (window,)), at_ms)
        told += calendar.openings(Calendar(zone, (), (window,), dated), at_ms)
    return str(told)


def inputs_of(folder: Path, env: Mapping[str, str]) -> tuple[Parameters, Mapping[str, Any]]:
    """Parameters and strategy code of a configuration, checked anew."""
    checked = check_policy(find_sources((), cwd=folder, env=env), env)
    texts = {name: source.text for name, source in load_strategies(checked).items()}
    parameters, sources = decision_inputs(checked.form, texts)
    return parameters, {source.name: source.code for source in sources}


def hash_backtest(
    folder: Path, bars: list[Path], env: Mapping[str, str]
) -> tuple[str, Counter[str]]:
    """Every fact of one back-test."""
    parameters, codes = inputs_of(folder, env)
    digest, kinds = hashlib.sha256(), Counter[str]()

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        kinds[kind] += 1
        digest.update(canonical([kind, payload]).encode())

    state = State()
    capital = 10_000 * 10**8
    genesis = {"account": "a", "mode": "paper", "prefix": parameters.prefix, "quote": "USDT"}
    fold(state, "genesis", {**genesis, "cash_digits": 8, "capital_units": capital})
    series: dict[tuple[str, str], Any] = {}
    for symbol, path in zip(SYMBOLS, bars, strict=True):
        loaded = load_bars(path, symbol=symbol)
        fold(state, "instrument", instrument_row(_rules(symbol, loaded.series.tick)))
        series[symbol, "1m"] = loaded.series
        series[symbol, "5m"] = resample(loaded.series, 300_000)
    Simulation(parameters, codes, series, state, Model(), record).run(0, 2**62)
    digest.update(canonical([state.row("meta", key) for key in sorted(state.meta)]).encode())
    return digest.hexdigest(), kinds


def _rules(symbol: str, tick: Decimal) -> Instrument:
    base, quote = symbol.split("/")
    lot, small = Decimal("0.00001"), Decimal("0.001")
    return Instrument(symbol, base, quote, tick, lot, lot, Decimal(0), Decimal(5), small, small)


class StillClock:
    """Shows what it was set to, until it is set again."""

    def __init__(self) -> None:
        self.at_ms = 0

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        return self.at_ms


def hash_cycles(folder: Path, bars: list[Path], seed: int, cycles: int) -> tuple[str, int]:
    """The journal's head after whole cycles over HTTP, and how many orders were sent."""
    specs = [f"{path}={made.symbol}" for path, made in zip(bars, MADE, strict=True)]
    with rehearsal.exchange(specs, "--seed", str(seed), "--warm-bars", "1200") as served:
        clock = StillClock()
        env = rehearsal.environment(f"http://127.0.0.1:{served.port}", **APP)
        setup = rehearsal.load(folder, env, rehearsal.HandClock())
        pass_ = dataclasses.replace(setup.run, clock=clock, policy_sha="p", code_sha="c")
        # The exchange's port is part of the policy and differs: what is compared leaves it out.
        pass_ = dataclasses.replace(pass_, source_sha="s", form={"same": "form"})
        setup = dataclasses.replace(setup, clock=clock, run=pass_)
        start_ms = int(served.admin.clock()["now_ms"]) // rehearsal.MINUTE_MS * rehearsal.MINUTE_MS
        venue = wiring.open_venue(setup)
        with wiring.open_journal(setup, create=True) as journal:
            for number in range(cycles):
                clock.at_ms = start_ms + number * rehearsal.MINUTE_MS + 5_000
                served.admin.set_clock(clock.at_ms, rate="0")
                run_cycle(setup.run, venue, journal)
            return journal.head.hash, len(journal.orders())


def work(seed: int, *, quick: bool) -> dict[str, Any]:
    """Everything one process does; its hashes."""
    rng = random.Random(seed)
    told: dict[str, Any] = {"form": build.describe()}
    told["numbers"] = hash_numbers(seed, 20 if quick else 400)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rehearsal.write_config(
            folder, STRATEGIES, SYMBOLS, "  position: 50%\n  positions_max: 2\n", "1m"
        )
        minutes = 1_500 if quick else 3_000
        bars = write_made_bars(folder / "bars", seed, minutes, instruments=MADE)
        kinds: Counter[str] = Counter()
        for number in range(1 if quick else 4):
            env = {f"TRADER__{name}": value for name, value in (APP | _limits(rng)).items()}
            told[f"backtest {number}"], seen = hash_backtest(folder, bars, env)
            kinds += seen
        cycles = 40 if quick else 400
        told["cycles"], told["orders over HTTP"] = hash_cycles(folder, bars, seed, cycles)
        told["facts"] = dict(sorted(kinds.items()))
    return told


def _limits(rng: random.Random) -> dict[str, str]:
    limits = "POLICY__LIMITS__"
    position, positions = rng.randrange(5, 40), rng.randrange(1, 3)
    return {
        limits + "SLIPPAGE": f"{rng.randrange(1, 40)}bps",
        limits + "EXIT_SLIPPAGE": "60bps",
        limits + "EXIT_ATTEMPTS": str(rng.randrange(1, 5)),
        # So near that a price that rises a little is trimmed.
        limits + "EXPOSURE_MAX": f"{position * positions}%",
        limits + "TRIM_FROM": f"{rng.randrange(1, 9)}bps",
        limits + "POSITION": f"{position}%",
        limits + "POSITIONS_MAX": str(positions),
        limits + "SPREAD_MAX": rng.choice(("3bps", "50bps", "100%")),
        limits + "VOLUME_SHARE": rng.choice(("50%", "400%", "100000%")),
        limits + "VOLUME_BARS": str(rng.randrange(1, 30)),
        limits + "COLLAR_WINDOW": rng.choice(("4%", "25%", "100000%")),
        limits + "COLLAR_WINDOW_BARS": str(rng.randrange(1, 30)),
        limits + "ORDER_VALUE_MAX": str(rng.choice((2_000, 25_000))),
        limits + "ORDER_QTY_MAX": str(rng.choice((1_000, 1_000_000))),
        "SIGNALS__DEFAULTS__SIZE": rng.choice(("conservative", "aggressive", "risk", "kelly")),
    }


def run(arguments: argparse.Namespace) -> Verdict:
    """Both forms side by side."""
    command = [sys.executable, __file__, "--seed", str(arguments.seed), "--work"]
    command += ["--quick"] if arguments.quick else []
    told: list[dict[str, Any]] = []
    for forced in ("", "1"):
        env = {**os.environ, "TRADER_INTERPRETED": forced}
        if not forced:
            del env["TRADER_INTERPRETED"]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True)
        told.append(json.loads(done.stdout.splitlines()[-1]))
        say(f"{told[-1]['form']}: done")
    compiled, interpreted = told
    forms = [compiled.pop("form"), interpreted.pop("form")]
    if not forms[0].startswith("compiled"):
        say("the core is not compiled here: there is nothing to compare")
        return Verdict(holds=False, count=0, figures={"forms": forms})
    differ = [key for key in compiled if compiled[key] != interpreted.get(key)]
    figures = {"forms": forms, "differ": differ, "facts": compiled["facts"]}
    figures["orders_over_http"] = compiled["orders over HTTP"]
    return Verdict(not differ, sum(compiled["facts"].values()), figures)


if __name__ == "__main__":
    parser = parser_of("compiled_equal", __doc__)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(work(given.seed, quick=given.quick)))
        sys.exit(0)
    sys.exit(prove("compiled_equal", run, parser))
