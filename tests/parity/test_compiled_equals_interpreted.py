"""Compiled = interpreted: the same back-test in two processes, equal to the last byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trader.core import money

ROOT = Path(__file__).resolve().parents[2]

# Run in a process of its own: made bars, a strategy over indicators, every fact hashed.
WORK = """
import hashlib, json, random
from tests.core.made import BAR_MS, BTC, MINUTE_MS, TICK, account, parameters, strategy
from tests.core.rule_made import cross_program
from trader.core import gates, indicators, money, plan, rules, signals
from trader.core.canonical import canonical
from trader.core.columns import build_columns
from trader.core.parameters import EntryStyle, StrategyCode
from trader.core.series import build_series
from trader.core.simulate import Model, Simulation

def walk(seed, count):
    rng = random.Random(seed)
    price, rows = 10_000, []
    for i in range(count):
        opened = price
        price = max(500, price + rng.randrange(-60, 61))
        high = max(opened, price) + rng.randrange(20)
        low = min(opened, price) - rng.randrange(20)
        rows.append((BAR_MS + i * MINUTE_MS, opened, high, low, price, rng.random() * 10))
    return rows

def say(bars, numbers):
    fast, slow = indicators.ema(bars.close, 3), indicators.sma(bars.close, 7)
    calm = indicators.rsi(bars.close, 5)
    span = indicators.atr(bars.high, bars.low, bars.close, 5)
    wide = indicators.stdev(bars.close, 6)
    up, down = indicators.crosses_above(fast, slow), indicators.crosses_below(fast, slow)
    strength = [min(1.0, 0.3 + c / 100) if c == c else 0.5 for c in calm]
    stop = [1.5 * a + w if a == a and w == w else 1.0 for a, w in zip(span, wide)]
    return {"enter": up, "exit": down, "stop": stop, "strength": strength}

digest, kinds = hashlib.sha256(), {}
def record(kind, payload):
    kinds[kind] = kinds.get(kind, 0) + 1
    digest.update(canonical([kind, payload]).encode())

program = cross_program("$fast", 9, "ema")
ruled = dict(source="", program=program, numbers={"fast": 4})
codes = [StrategyCode(lambda _: 40, say), StrategyCode(lambda _: 0, lambda b, n: {}, program)]
for seed in range(6):
    state = account()
    style = EntryStyle(("taker", "maker")[seed % 4 > 1], 600_000, 500, 3)
    spec = strategy(ttl_bars=2, style=style, **(ruled if seed % 2 else {}))
    policy = parameters(spec, bar_jump_ppm_max=900_000)
    series = {(BTC, "1m"): build_series(BTC, MINUTE_MS, TICK, walk(seed, 260))}
    code = {"one": codes[seed % 2]}
    model = Model(200, fee_in_base=seed == 1, stops=seed > 2)
    Simulation(policy, code, series, state, model, record).run(BAR_MS, BAR_MS + 10**9)
    digest.update(canonical(state.meta).encode())
    digest.update(canonical([p.row() for p in state.positions.values()]).encode())
    kinds[f"fills of {seed % 2}"] = kinds.get("fill", 0)
for seed, name in enumerate(("sma", "ema", "rma")):
    rows = [row for row in walk(seed, 4_000) if row[0] % 7 or seed]
    series = {(BTC, "1m"): build_series(BTC, MINUTE_MS, TICK, rows)}
    policy = parameters(strategy(source=""), missing_ppm_max=900_000)
    code = {"one": StrategyCode(lambda _: 0, lambda b, n: {}, cross_program(3, 8, name))}
    said = build_columns(policy, code, series, [("one", BTC)])["one", BTC]
    for column in (said.enters, said.leaves, said.offsets, said.stop):
        digest.update(column.tobytes())
    digest.update(repr([said.problems, said.opinion(2_000), said.quiet(9, 3_000)]).encode())
    kinds[f"signals of {name}"] = len(said.stop)
modules = [money, indicators, signals, rules, gates, plan]
compiled = sorted({module.__file__.endswith(".so") for module in modules})
print(json.dumps({"hash": digest.hexdigest(), "kinds": kinds, "compiled": compiled}))
"""


def work(*, interpreted: bool) -> dict[str, object]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TRADER_INTERPRETED": "1" if interpreted else ""}
    if not interpreted:
        del env["TRADER_INTERPRETED"]
    done = subprocess.run(
        [sys.executable, "-c", WORK], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_back_test_decides_the_same_compiled_and_interpreted() -> None:
    compiled = work(interpreted=False)
    if compiled["compiled"] == [False]:
        pytest.skip("the core is not compiled here: there is nothing to compare")
    interpreted = work(interpreted=True)
    assert (compiled["compiled"], interpreted["compiled"]) == ([True], [False])
    assert compiled["hash"] == interpreted["hash"]
    assert compiled["kinds"] == interpreted["kinds"]
    kinds = compiled["kinds"]
    assert isinstance(kinds, dict)
    assert kinds["fill"] - kinds["fills of 0"] > 3  # the rules did trade
    assert kinds["fill"] > 30
    for name in ("sma", "ema", "rma"):
        assert kinds[f"signals of {name}"] > 50
    assert kinds["cancel_sent"] > 10  # makers that end, and stops that are replaced


def test_this_process_says_which_core_it_runs() -> None:
    wanted = ".py" if os.environ.get("TRADER_INTERPRETED") == "1" else (".so", ".py")
    assert str(money.__file__).endswith(wanted)
