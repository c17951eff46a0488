"""Seeded random worlds: cycles among faults and early ends; the books are equal at the end.

A failure names its seed: `World(seed)` plays the same faults again.
"""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.app.world import World, exchange_config, write_bars, write_config
from trader import wiring
from trader.app.cycle import decide_cycle, run_cycle
from trader.app.execute import Executor
from trader.errors import ExitCode, TraderError
from trader.exchange.server import serve_in_thread
from trader.journal.verify import verify

CYCLES = 40
SEEDS = (1, 2, 3)
ORDER = {"method": "POST", "path": "/api/v3/order"}
# Faults of single answers: an order may have landed or not; a read may say nothing sensible.
FAULTS = [
    {**ORDER, "action": "drop_after"},
    {**ORDER, "action": "drop_before"},
    {**ORDER, "action": "reset_after"},
    {**ORDER, "action": "html_504"},
    {**ORDER, "action": "cut_json"},
    {**ORDER, "action": "empty_object"},
    {"method": "GET", "path": "/api/v3/order", "action": "html_502"},
    {"method": "GET", "path": "/api/v3/myTrades", "action": "null"},
    {"method": "GET", "path": "/api/v3/account", "action": "reset_before"},
    {"method": "GET", "path": "/api/v3/klines", "action": "cut_json"},
]
EXPECTED = {ExitCode.OK, ExitCode.UNKNOWN_OUTCOME, ExitCode.DATA, ExitCode.MISMATCH}


def prices(rng: random.Random, minutes: int) -> dict[int, str]:
    """A walk around 100, at most one percent a minute."""
    found: dict[int, str] = {}
    price = 10_000
    for minute in range(minutes):
        price = max(5_000, price + rng.randrange(-90, 91))
        found[minute] = f"{price / 100:.2f}"
    return found


def ends_early(world: World, rng: random.Random) -> None:
    """A run that stops right after its plan, or after its first steps."""
    setup = world.setup()
    venue = wiring.open_venue(setup)
    with wiring.open_journal(setup, create=True) as journal:
        decide_cycle(setup.run, venue, journal)
        left = rng.randrange(3)
        if left:
            asked = iter([False] * left)
            run = dataclasses.replace(setup.run, stopping=lambda: next(asked, True))
            Executor(run, venue, journal).run()


def one_cycle(world: World, rng: random.Random, minute: int) -> str:
    """A cycle, or one that ends before its end; what came of it."""
    if rng.random() < 0.15:
        ends_early(world, rng)
        return "ended early"
    setup = world.setup()
    with wiring.open_journal(setup, create=True) as journal:
        code = run_cycle(setup.run, wiring.open_venue(setup), journal).code
    assert code in EXPECTED, f"ended with {code!r} at minute {minute}"
    return code.name


def play(world: World, rng: random.Random) -> Counter[str]:
    """Random cycles; what came of them."""
    told: Counter[str] = Counter()
    minute = 8
    for _ in range(CYCLES):
        minute += rng.choice((1, 1, 1, 2))
        world.at(minute)
        if rng.random() < 0.5:
            world.admin.faults([{**rng.choice(FAULTS), "times": rng.choice((1, 1, 5))}])
        try:
            told[one_cycle(world, rng, minute)] += 1
        except TraderError as error:
            told[type(error).__name__] += 1
        if rng.random() < 0.5:
            world.admin.clear_faults()
    return told


def settle(world: World) -> None:
    """Quiet cycles until nothing is in doubt."""
    world.admin.clear_faults()
    for _ in range(4):
        world.cycle(world.minute + 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_books_are_equal_after_any_faults(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    minutes = 8 + 2 * CYCLES + 20
    bars = write_bars(tmp_path, minutes=minutes, closes=prices(rng, minutes))
    write_config(tmp_path, ["BTC/USDT"], share="60%")
    config = exchange_config(bars, seed=seed, depth=rng.choice(("1", "0.05")))
    with serve_in_thread(config) as served:
        world = World(tmp_path, served)
        told = play(world, rng)
        settle(world)
        where = f"seed {seed}, {dict(told)}"
        states = Counter(world.states())
        ended = {"filled", "expired", "absent", "abandoned", "rejected", "not_sent", "canceled"}
        assert set(states) <= ended, f"{where}: {states}"
        sent = Counter(world.posts())
        assert not [key for key, n in sent.items() if n > 1], f"{where}: an order was sent twice"
        arrived = {row["client_id"] for row in world.admin.books()["orders"]}
        never = {"absent", "abandoned", "rejected", "not_sent"}
        for row in world.orders():
            assert (row["state"] in never) != (row["client_id"] in arrived), f"{where}: {row}"
        assert world.differences(never_arrived=never) == [], where
        assert verify(world.setup().places.journal) == [], where
        assert states["filled"] > 3, where
        assert len(told) > 2, where
