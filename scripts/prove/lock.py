#!/usr/bin/env python3
"""Claim: of ten `trader cycle` at once one works and nine exit 9; SIGKILL leaves no stale lock.

Each round starts ten installed commands at once against a local exchange that holds the first
answer back until all have come to the lock. Then one more cycle is held in the middle, killed by
SIGKILL, and the next one must run.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import rehearsal
from harness import Verdict, parser_of, prove, say

from trader.errors import ExitCode
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

STRATEGIES = "flipper:\n  timeframe: 1m\n  size:\n    equity_share: 50%\n"
AT_ONCE = 10
HOLD = {"method": "GET", "path": "/api/v3/time", "action": "hold"}
WAIT_S = 30.0
# The one that works is held up until nine others have come and gone, which a busy machine starts
# slowly: it must not give the exchange up meanwhile.
PATIENT = {
    "TRADER__APP__EXCHANGE__TIMEOUT_MS": "20000",
    "TRADER__APP__EXCHANGE__UNKNOWN_GRACE_MS": "60000",
    "TRADER__APP__CYCLE__DEADLINE_MS": "54000",
}


def start(folder: Path, env: dict[str, str], now_ms: int) -> subprocess.Popen[str]:
    """One installed `trader cycle`."""
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return subprocess.Popen(
        [sys.executable, "-m", "trader", "cycle", "--now", moment],
        cwd=folder,
        env={**env, "PYTHONPATH": str(rehearsal.ROOT), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_held(served: rehearsal.Exchange) -> bool:
    """Until a cycle waits inside the exchange, so that it surely holds the lock."""
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        if sum(served.admin.held().values()) > 0:
            return True
        time.sleep(0.02)
    return False


def one_round(
    served: rehearsal.Exchange, folder: Path, env: dict[str, str], now_ms: int
) -> list[str]:
    """Ten at once; what went otherwise than claimed."""
    served.admin.faults([HOLD])
    crowd = [start(folder, env, now_ms) for _ in range(AT_ONCE)]
    problems = [] if wait_held(served) else ["no cycle came as far as the exchange"]
    end_s = time.monotonic() + WAIT_S
    while sum(p.poll() is None for p in crowd) > 1 and time.monotonic() < end_s:
        time.sleep(0.02)
    let_go(served)
    codes = Counter(process.wait() for process in crowd)
    for process in crowd:
        process.communicate()
    if codes != Counter({int(ExitCode.OK): 1, int(ExitCode.LOCKED): AT_ONCE - 1}):
        problems.append(f"exit codes {dict(codes)}")
    return problems


def killed_round(
    served: rehearsal.Exchange, folder: Path, env: dict[str, str], now_ms: int
) -> list[str]:
    """SIGKILL of the one that works; the next one must run at once."""
    served.admin.faults([HOLD])
    holder = start(folder, env, now_ms)
    problems = [] if wait_held(served) else ["no cycle came as far as the exchange"]
    locks = list(folder.glob("state/*/lock"))
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    let_go(served)
    after = start(folder, env, now_ms)
    _, said = after.communicate()
    if after.returncode != 0:
        problems.append(f"after SIGKILL: exit {after.returncode}: {said.strip()}")
    if not locks:
        problems.append("there was no lock file to be left behind")
    return problems


def let_go(served: rehearsal.Exchange) -> None:
    """Take the hold away and answer whoever waits."""
    served.admin.clear_faults()
    end_s = time.monotonic() + 2.0
    while time.monotonic() < end_s:
        served.admin.release()
        if not sum(served.admin.held().values()):
            return
        time.sleep(0.05)


def run(arguments: argparse.Namespace) -> Verdict:
    """The rounds."""
    rounds = 2 if arguments.quick else arguments.rounds
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = write_made_bars(
            folder / "bars", arguments.seed, 1_000, instruments=DEMO_INSTRUMENTS[:1]
        )
        rehearsal.write_config(folder, STRATEGIES, ["BTC/USDT"], "", "1m")
        with rehearsal.exchange([f"{made[0]}=BTCUSDT"]) as served:
            env = rehearsal.environment(served.url) | PATIENT
            start_ms = int(served.admin.clock()["now_ms"])
            for number in range(rounds):
                now_ms = start_ms + 2 * number * rehearsal.MINUTE_MS
                problems += one_round(served, folder, env, now_ms)
                later_ms = now_ms + rehearsal.MINUTE_MS
                problems += killed_round(served, folder, env, later_ms)
                say(f"round {number + 1} of {rounds}: {len(problems)} problems")
    for problem in problems[:20]:
        say(f"PROBLEM {problem}")
    figures = {"at_once": AT_ONCE, "rounds": rounds, "problems": problems[:5]}
    return Verdict(not problems, rounds * (AT_ONCE + 2), figures)


if __name__ == "__main__":
    parser = parser_of("lock", __doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often")
    sys.exit(prove("lock", run, parser))
