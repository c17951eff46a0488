#!/usr/bin/env python3
"""Claim: SIGKILL at any instant of a cycle loses nothing, doubles nothing, and leaves no doubt.

Whole cycles run in forked children against the local exchange over HTTP. Each child is killed by
SIGKILL: half of them at a random instant, half at a boundary (before or after a SQL statement, an
fsync, a rename, an HTTP send or receive), the boundary that was killed least often so far first.
Entries alternate with exits that need two steps. After the next cycles the journal and the
exchange's books must be equal to the last unit: each intent resolved once, no order sent twice, no
fill lost.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rehearsal
from boundaries import Boundaries
from harness import Verdict, parser_of, prove, say

from trader import wiring
from trader.app.cycle import run_cycle
from trader.errors import ExitCode, TraderError
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars
from trader.journal.verify import verify

STRATEGIES = "flipper:\n  file: flipper.py\n  timeframe: 1m\n  size:\n    equity_share: 90%\n"
LIMITS = "  position: 100%\n  positions_max: 1\n  bar_jump_max: 90%\n  collar: 50%\n"
# Wide on the bars that enter, narrow on those that leave: then an exit needs its second step.
WIDE = {"POLICY__LIMITS__SLIPPAGE": "40bps", "POLICY__LIMITS__EXIT_SLIPPAGE": "300bps"}
NARROW = {"POLICY__LIMITS__SLIPPAGE": "1bps", "POLICY__LIMITS__EXIT_SLIPPAGE": "300bps"}
# With --makers: entries rest at the bid, follow it, and end with the bar that leaves.
MAKER = {
    "STRATEGIES__FLIPPER__ENTRY__STYLE": "maker",
    "STRATEGIES__FLIPPER__ENTRY__REPRICE": "0",
    "STRATEGIES__FLIPPER__ENTRY__TTL": "3m",
}
CHECK_EVERY = 10
ROUNDS_MAX = 200
Place = tuple[str, int]
NOWHERE: Place = ("", 1)
ONE = DEMO_INSTRUMENTS[:1]


@dataclass
class World:
    """One sweep in progress."""

    rng: random.Random
    served: rehearsal.Exchange
    clock: rehearsal.HandClock
    setups: dict[str, wiring.Setup]
    bar_ms: int
    killed: Counter[str] = field(default_factory=Counter[str])
    seen: Counter[str] = field(default_factory=Counter[str])
    routes: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    typical_s: float = 0.05
    kills: int = 0
    problems: list[str] = field(default_factory=list[str])

    def setup(self) -> wiring.Setup:
        """The policy of the bar in hand."""
        return self.setups["narrow" if self.turn() == 2 else "wide"]

    def turn(self) -> int:
        """What the strategy does on the bar that has just closed: 0 enters, 2 leaves."""
        return (self.bar_ms // rehearsal.MINUTE_MS) % 4


def one_cycle(setup: wiring.Setup) -> int:
    """A whole cycle as the command runs it, venue and journal opened anew; its exit code."""
    venue = wiring.open_venue(setup)
    with wiring.open_journal(setup, create=True) as journal:
        return int(run_cycle(setup.run, venue, journal).code)


def child(setup: wiring.Setup, kill_at: Place, report: int) -> None:
    """In the forked child: run the cycle under boundaries, tell the route, end."""
    bounds = Boundaries(*kill_at)
    bounds.install()
    try:
        code = one_cycle(setup)
    except TraderError as error:
        code = int(error.code)
    os.write(report, json.dumps([code, bounds.names]).encode())
    os._exit(0)


def run_child(world: World, kill_at: Place, kill_after_s: float | None) -> tuple[bool, Any]:
    """Fork, run, maybe kill. (was it killed, [exit code, boundaries] when it was not)."""
    reader, writer = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        child(world.setup(), kill_at, writer)
    os.close(writer)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(pid, signal.SIGKILL)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return True, None
    if kill_after_s is None:
        world.typical_s = 0.8 * world.typical_s + 0.2 * (time.monotonic() - began)
    if not told:
        say("a cycle ended with an exception: its traceback stands above")
    return False, json.loads(told) if told else [int(ExitCode.BUG), []]


def clean_run(world: World) -> None:
    """A cycle that is left alone; its route is remembered for choosing boundaries."""
    _, told = run_child(world, NOWHERE, None)
    code, names = told
    if code not in {0, 6}:
        world.problems.append(f"a clean cycle ended with {code} at bar {world.bar_ms}")
    world.routes[world.turn()] = names
    world.seen.update(names)


def choose_place(world: World, route: list[str]) -> Place:
    """A boundary of a route by its name, of those killed least often, and which passing of it."""
    rarest = min(world.killed[name] for name in route)
    names = sorted({name for name in route if world.killed[name] == rarest})
    name = world.rng.choice(names)
    return name, world.rng.randint(1, route.count(name))


def kill_one(world: World) -> None:
    """One child, killed by time or at a boundary; not counted when it ended first."""
    if world.rng.random() < 0.5 or world.turn() not in world.routes:
        killed, told = run_child(world, NOWHERE, world.rng.uniform(0.0, world.typical_s * 1.2))
        name = "random instant"
    else:
        place = choose_place(world, world.routes[world.turn()])
        name = place[0]
        killed, told = run_child(world, place, None)
    if killed:
        world.kills += 1
        world.killed[name] += 1
    elif told and told[0] not in {0, 6}:
        world.problems.append(f"a cycle ended with {told[0]} at bar {world.bar_ms}")


def next_bar(world: World) -> None:
    """Both clocks to five seconds after the next bar's close."""
    world.bar_ms += rehearsal.MINUTE_MS
    rehearsal.move(world.served, world.clock, world.bar_ms + rehearsal.MINUTE_MS + 5_000)


def second_steps(world: World) -> int:
    """How many exits were priced a second time."""
    with wiring.open_journal(world.setup(), read_only=True) as journal:
        return sum(1 for row in journal.orders() if row["attempt"] == 1)


def settle_and_compare(world: World) -> None:
    """Cycles left alone until the bar after an exit, then the books must be equal."""
    while True:
        next_bar(world)
        clean_run(world)
        if world.turn() == 3:
            break
    with wiring.open_journal(world.setup(), read_only=True) as journal:
        world.problems += rehearsal.compare_books(journal, world.served.admin.books())
    posts = Counter(
        row.get("client_id")
        for row in world.served.admin.requests()["log"]
        if row["method"] == "POST" and row["path"] == "/api/v3/order"
    )
    world.problems += [f"order {key} was sent {n} times" for key, n in posts.items() if n > 1]


def sweep_first_cycles(world: World, kills: int) -> None:
    """Kill the very first cycle of fresh books, then let the next one finish it."""
    usual = world.setups
    route: list[str] = []
    for number in range(kills):
        folder = usual["wide"].places.folder / f"fresh{number}"
        fresh = {name: elsewhere(setup, folder) for name, setup in usual.items()}
        world.setups = fresh
        # Not on a bar that trades: these books share one account at the exchange.
        while world.turn() != 1:
            next_bar(world)
        if not route:
            _, told = run_child(world, NOWHERE, None)
            route = told[1]
            world.seen.update(route)
            continue
        place = choose_place(world, route)
        killed, _ = run_child(world, place, None)
        if killed:
            world.kills += 1
            world.killed[place[0]] += 1
        _, told = run_child(world, NOWHERE, None)
        if told[0] != 0:
            world.problems.append(f"fresh books after {place[0]}: exit {told[0]}")
        world.problems += [str(found) for found in verify(fresh["wide"].places.journal)]
    world.setups = usual


def elsewhere(setup: wiring.Setup, folder: Path) -> wiring.Setup:
    """The same account with its files in another folder."""
    places = wiring.Places(folder)
    run_ = dataclasses.replace(setup.run, status_path=places.status)
    return dataclasses.replace(setup, places=places, run=run_)


def sweep(world: World, kills: int) -> None:
    """Kill until `kills` children died; compare the books every few bars."""
    sweep_first_cycles(world, kills // 5)
    for _ in range(4):
        next_bar(world)
        clean_run(world)
    rounds = 0
    # Which exits need their second step depends on when children died: go on until some did.
    while (world.kills < kills or not second_steps(world)) and not world.problems:
        if rounds > ROUNDS_MAX + 2 * kills:
            break
        next_bar(world)
        rounds += 1
        for _ in range(world.rng.choice((1, 1, 2))):
            kill_one(world)
        if world.rng.random() < 0.7:
            clean_run(world)
        if rounds % CHECK_EVERY == 0:
            settle_and_compare(world)
            say(f"{world.kills} kills, {len(world.killed)} kinds of places, books equal so far")
    settle_and_compare(world)


def run(arguments: argparse.Namespace) -> Verdict:
    """The whole sweep."""
    kills = 40 if arguments.quick else arguments.kills
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        minutes = 1_600 + 6 * kills
        made = write_made_bars(folder / "bars", arguments.seed, minutes, instruments=ONE)
        bars = [f"{made[0]}=BTCUSDT"]
        rehearsal.write_config(folder, STRATEGIES, ["BTC/USDT"], LIMITS, "1m")
        with rehearsal.exchange(bars, "--depth", "0.15", "--seed", str(arguments.seed)) as served:
            clock = rehearsal.HandClock()
            style = MAKER if arguments.makers else {}
            setups = {
                name: rehearsal.load(folder, rehearsal.environment(served.url, **rules), clock)
                for name, rules in (("wide", WIDE | style), ("narrow", NARROW | style))
            }
            start_ms = int(served.admin.clock()["now_ms"]) // rehearsal.MINUTE_MS
            rng = random.Random(arguments.seed)
            world = World(rng, served, clock, setups, (start_ms - 1) * rehearsal.MINUTE_MS)
            sweep(world, kills)
            return judge(world, kills)


def judge(world: World, kills: int) -> Verdict:
    """The last check: a verified chain, and what was covered."""
    findings = [str(finding) for finding in verify(world.setup().places.journal)]
    with wiring.open_journal(world.setup(), read_only=True) as journal:
        rows = journal.orders()
        cancels = sum(1 for entry in journal.entries(1, ("cancel_sent",)))
        # A machine so busy that the strategy's process ran out of time proves nothing here.
        findings += [
            f"{b.strategy}: {b.off_why}" for b in journal.state.books.values() if b.off_why
        ]
    second = second_steps(world)
    states = Counter(str(row["state"]) for row in rows)
    problems = world.problems + findings
    for problem in problems[:20]:
        say(f"PROBLEM {problem}")
    missed = sorted(set(world.seen) - set(world.killed))
    return Verdict(
        holds=not problems and world.kills >= kills and second > 0,
        count=world.kills,
        figures={
            "problems": len(problems),
            "boundaries_killed": len(world.killed),
            "boundaries_seen": len(world.seen),
            "boundaries_missed": missed[:10],
            "orders": len(rows),
            "second_steps": second,
            "cancels": cancels,
            "states": dict(states),
        },
    )


if __name__ == "__main__":
    parser = parser_of("crash_sweep", __doc__)
    parser.add_argument("--kills", type=int, default=300, help="how many children must die")
    parser.add_argument("--makers", action="store_true", help="entries are makers' orders")
    sys.exit(prove("crash_sweep", run, parser))
