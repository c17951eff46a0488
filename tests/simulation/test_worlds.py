"""A sample of the random worlds of `scripts/prove/worlds.py`, and the places of its broken gates.

A failure names its world: the command beside it plays it again.
"""

from __future__ import annotations

import decimal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "prove"))

from worlds_broken import BROKEN, Broken
from worlds_hunt import hunt, patched
from worlds_oracle import ASKED, Tally
from worlds_play import DIGITS, play_one, play_range
from worlds_rules import RULES, SANITY

SEED = 5
WORLDS = 60


@pytest.fixture(autouse=True)
def exact() -> Iterator[None]:
    with decimal.localcontext() as context:
        context.prec = DIGITS
        yield


def test_in_a_sample_of_worlds_no_limit_is_breached() -> None:
    tally = play_range(SEED, 0, WORLDS)
    assert tally.breaches == []
    assert tally.told["worlds"] == WORLDS
    # The sample is not empty talk: orders left, were refused for many reasons, and sold again.
    assert tally.approved["entry_signal"] > WORLDS / 2
    assert sum(tally.approved.values()) > tally.approved["entry_signal"]
    assert len(tally.refused) > 25


def test_a_world_is_the_same_each_time_it_is_played() -> None:
    def told(number: int) -> tuple[str, Tally]:
        tally, digest = play_one(SEED, number)
        return digest, tally

    once, again, another = told(7), told(7), told(8)
    assert once == again
    assert once[0] != another[0]


def test_every_gate_of_the_core_has_a_rule_of_the_oracle() -> None:
    assert sorted(ASKED - set(RULES)) == []
    assert set(SANITY) <= ASKED


@pytest.mark.parametrize("broken", BROKEN, ids=[one.name for one in BROKEN])
def test_a_broken_gate_has_one_place_in_the_core(broken: Broken) -> None:
    place, text = patched(broken)
    assert text != place.read_text(encoding="utf-8")
    compile(text, str(place), "exec")


def test_a_gate_compared_the_wrong_way_round_is_caught_at_once() -> None:
    name = "exposure compared the wrong way round"
    [caught] = hunt([one for one in BROKEN if one.name == name], SEED, 40)
    assert caught.name == name
    assert 0 < caught.worlds <= 40
    assert "EXPOSURE_TOTAL" in caught.breach
