"""Members and regime, compiled and interpreted: equal trails, to the last bit of every number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Run in a process of its own: random walks of four instruments, a pattern ranked by momentum, a
# regime of rules; every plan with its whole trail is hashed.
WORK = """
import hashlib, json, random
from dataclasses import replace
from tests.core.made import TICK, UNIT, account, instrument, parameters, says, strategy
from trader.core import gates, money, plan, rules, signals
from trader.core.canonical import canonical
from trader.core.parameters import RegimeSpec, RegimeState, TierSpec, UniverseSpec
from trader.core.plan import plan_payload
from trader.core.series import build_series
from trader.core.simulate import Model, Simulation

HOUR = 3_600_000
NAMES = ("A/USDT", "B/USDT", "C/USDT", "D/USDT")
PROGRAM = {
    "nodes": [
        ["column", "", [], [], "close"],
        ["indicator", "", [0], ["20"], "ema"],
        ["lt", "", [0, 1], [], ""],
        ["falling", "", [1], ["3"], ""],
        ["and", "", [2, 3], [], ""],
    ],
    "outputs": {"bear": 4},
}
STATES = (RegimeState("bear", "bear", ("core",), 400_000),
          RegimeState("calm", "", ("core", "rotational"), 900_000))
FIRST = 400_000 * HOUR

def walk(rng, count):
    price, rows = 10_000, []
    for i in range(count):
        opened, price = price, max(500, price + rng.randrange(-160, 161))
        high, low = max(opened, price) + rng.randrange(40), min(opened, price) - rng.randrange(40)
        rows.append((FIRST + i * HOUR, opened, high, low, price, rng.random() * 1_000))
    return rows

digest, answers = hashlib.sha256(), {}
for seed in range(2):
    rng = random.Random(seed)
    series = {(n, "1h"): build_series(n, HOUR, TICK, walk(rng, 420)) for n in NAMES}
    for rank_by in ("quote_volume", "momentum", "volatility"):
        tiers = (TierSpec("core", ("A/USDT",)),
                 TierSpec("rotational", (".*/USDT",), take=1, keep=2, rank_by=rank_by,
                          quote_volume_min="1000", spread_ppm_max=400))
        told = RegimeSpec("A/USDT", "1h", HOUR, 2, STATES, PROGRAM)
        follower = replace(strategy("one", timeframe="1h", timeframe_ms=HOUR), symbols=(),
                           tier="rotational")
        policy = replace(parameters(follower, bar_jump_ppm_max=900_000), step_ms=HOUR,
                         universe=UniverseSpec(refresh_ms=4 * HOUR, tiers=tiers, regime=told))
        state = account(1_000 * UNIT, *(instrument(n) for n in NAMES))
        run = Simulation(policy, {"one": says(stop=2.0)}, series, state, Model(),
                         lambda kind, payload: None)
        for bar_ms in run.decision_bars(FIRST + 200 * HOUR, FIRST + 420 * HOUR):
            decided = run.decide_and_execute(bar_ms)
            digest.update(canonical(plan_payload(decided)).encode())
            digest.update(canonical([row.row() for row in decided.trail]).encode())
            for row in decided.trail:
                code = row.answer.partition(" ")[0]
                answers[code] = answers.get(code, 0) + 1
        digest.update(canonical([state.meta, state.members]).encode())
modules = [money, gates, plan, rules, signals]
compiled = sorted({module.__file__.endswith(".so") for module in modules})
print(json.dumps({"hash": digest.hexdigest(), "answers": answers, "compiled": compiled}))
"""


def work(*, interpreted: bool) -> dict[str, Any]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TRADER_INTERPRETED": "1" if interpreted else ""}
    if not interpreted:
        del env["TRADER_INTERPRETED"]
    done = subprocess.run(
        [sys.executable, "-c", WORK], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_members_and_regime_are_the_same_compiled_and_interpreted() -> None:
    interpreted = work(interpreted=True)
    answers = interpreted["answers"]
    seen = {"MEMBER", "UNIVERSE_RANK", "REGIME_TOLD", "TIER_CLOSED", "approved"}
    assert seen <= set(answers), answers  # something of each was decided
    compiled = work(interpreted=False)
    if compiled["compiled"] == [False]:
        pytest.skip("the core is not compiled here: there is nothing to compare")
    assert (compiled["compiled"], interpreted["compiled"]) == ([True], [False])
    assert compiled["hash"] == interpreted["hash"]
    assert compiled["answers"] == answers
