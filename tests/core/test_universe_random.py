"""Members in random worlds, against a definition of a few lines that is not the core's."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from trader.core.fold import fold
from trader.core.parameters import Parameters, TierSpec, UniverseSpec
from trader.core.plan import Plan, plan, plan_payload
from trader.core.snapshot import Snapshot
from trader.core.state import State

from .made import MINUTE_MS, parameters
from .test_universe import CLOSE_MS, HOUR_MS, hours, known, quoted

NAMES = [f"{letter}{digit}/USDT" for letter in "AB" for digit in range(6)]


def rules_of(dice: random.Random) -> Parameters:
    """Random caps; the core names two and takes a pattern, the rest is rotational."""
    take = dice.randrange(1, 4)
    core = TierSpec("core", ("A0/USDT", "B1/USDT", "A.*/USDT"), "0", take=take, keep=take + 2)
    least = str(dice.randrange(0, 6_000))
    rest = TierSpec("rotational", (".*/USDT",), least, take=2, keep=dice.randrange(2, 5))
    deny = tuple(dice.sample(NAMES, 1))
    return replace(
        parameters(), strategies=(), universe=UniverseSpec(tiers=(core, rest), deny=deny)
    )


def expected(
    rules: Parameters, coins: dict[str, int], before: dict[str, set[str]]
) -> dict[str, list[str]]:
    """By tier, members by rank: what the documents say, said again."""
    core = {name for name in coins if name.startswith("A")} | {"B1/USDT"}
    found: dict[str, list[str]] = {}
    for tier, homes in zip(rules.universe.tiers, (core, set(coins) - core), strict=True):
        # 24 bars at 100.00 each.
        passing = [
            (-24 * 100 * amount, name)
            for name, amount in coins.items()
            if name in homes
            and name not in rules.universe.deny
            and 24 * 100 * amount >= int(tier.quote_volume_min)
        ]
        ranked = [name for _, name in sorted(passing)]
        was_in = before.get(tier.name, set())
        found[tier.name] = [
            name
            for place, name in enumerate(ranked, 1)
            if place <= tier.take or (name in was_in and place <= tier.keep)
        ]
    return found


def decided(
    state: State, rules: Parameters, coins: dict[str, int], at_ms: int, order: list[str]
) -> Plan:
    series = {(name, "1h"): hours(name, float(coins[name]), end_ms=at_ms) for name in order}
    return plan(
        Snapshot(
            at_ms - MINUTE_MS, at_ms + 5_000, state, rules, {}, series,
            {name: quoted() for name in order},
        )
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_members_are_what_the_documents_say_at_every_refresh(seed: int) -> None:
    dice = random.Random(seed)
    rules, names = rules_of(dice), list(NAMES)
    dice.shuffle(names)
    state, mirrored = known(*names), known(*sorted(names))
    before: dict[str, set[str]] = {}
    changes = 0
    for turn in range(8):
        coins = {name: dice.randrange(1, 5) for name in names}  # few values: many ties
        at_ms = CLOSE_MS + turn * HOUR_MS
        wanted = expected(rules, coins, before)
        made = decided(state, rules, coins, at_ms, names)
        # The order in which instruments became known, or are handed in, changes nothing.
        again = decided(mirrored, rules, coins, at_ms, sorted(names))
        assert plan_payload(made) == plan_payload(again)
        assert made.members == {
            tier: " ".join([str(at_ms), *members]) for tier, members in wanted.items()
        }
        rows = [(row.strategy, row.symbol) for row in made.trail]
        assert len(set(rows)) == len(rows) == len(names)  # one row each, in one tier
        fold(state, "plan", plan_payload(made))
        fold(mirrored, "plan", plan_payload(again))
        now = {tier: set(members) for tier, members in wanted.items()}
        changes += now != before
        before = now
    assert changes > 1
