"""Several strategies in whole cycles: one fails and comes back, the others go on; replay agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trader import wiring
from trader.app.explain import explain
from trader.app.replay import replay
from trader.app.resumes import resume_strategy
from trader.app.status import read_status
from trader.errors import ExitCode

from .world import START_MS, World

Worlds = Callable[..., World]
# Raises from minute 9 on.
MOODY = f'''"""A strategy for tests: it fails from a certain minute on."""

PARAMETERS = {{"stop": 50.0}}


def warmup(p):
    return 1


def signals(bars, p):
    minutes = [(at - {START_MS}) // 60_000 for at in bars.open_ms]
    return {{
        "enter": [1 // max(0, 9 - minute) and minute % 4 == 0 for minute in minutes],
        "exit": [0] * len(minutes),
        "stop": [p["stop"]] * len(minutes),
    }}
'''
STRATEGIES = """flipper:
  file: flipper.py
  timeframe: 1m
  instruments: [ETH/USDT]
  size: {equity_share: 20%}
moody:
  file: moody.py
  timeframe: 1m
  instruments: [BTC/USDT]
  max_hold: 3m
  size: {equity_share: 20%}
"""


@pytest.fixture
def world(worlds: Worlds) -> World:
    made = worlds(("BTC/USDT", "ETH/USDT"))
    config = made.folder / "config"
    (config / "strategies" / "moody.py").write_text(MOODY)
    (config / "strategies.yaml").write_text(STRATEGIES)
    return made


def answers(world: World, minute: int) -> dict[str, str]:
    """By strategy, what the decision of a minute came to for its entries."""
    report = world.cycle(minute)
    assert report.code is ExitCode.OK
    assert report.plan is not None
    names = ("flipper", "moody")
    return {row.strategy: row.answer for row in report.plan.trail if row.strategy in names}


def books(world: World) -> dict[str, dict[str, Any]]:
    folder = world.setup().places.folder
    return {row["strategy"]: row for row in read_status(folder).row["strategies"]}


def test_a_strategy_that_fails_is_off_until_resumed_and_its_position_is_looked_after(
    world: World,
) -> None:
    assert answers(world, 8) == {"flipper": "approved", "moody": "approved"}
    failed = answers(world, 9)
    assert failed["moody"].startswith("STRATEGY_OFF why=STRATEGY_FAILED in=signals error=Zero")
    assert failed["flipper"] == "NO_SIGNAL"
    plan = world.payloads("plan")[-1]
    assert [name for name, _ in plan["off"]] == ["moody"]
    assert books(world)["moody"]["state"] == "failed"
    assert answers(world, 10)["moody"].startswith("STRATEGY_OFF why=")
    # Bought just after the close of minute 8: three minutes are over when minute 11 closes.
    report = world.cycle(11)
    assert report.plan is not None
    sold = [leg.proposal for leg in report.plan.legs if leg.proposal.strategy == "moody"]
    assert [(leg.symbol, leg.reason) for leg in sold] == [("BTC/USDT", "max_hold")]
    assert answers(world, 12)["flipper"] == "approved"
    with wiring.open_journal(world.setup()) as journal:
        ended = resume_strategy(journal, [], "moody", "ann", "mended", 5)
        assert ended.startswith("it was off, STRATEGY_FAILED")
    assert books(world)["moody"]["state"] == "on"
    assert world.cycle(13).plan is not None
    assert "off" in world.payloads("plan")[-1]  # it was not mended
    assert world.differences() == []
    with world.journal() as journal:
        report = replay(journal, world.setup().run.code_sha)
    assert report.proven, report.row()
    assert report.plans == 6


def test_a_shadow_sends_nothing_and_what_it_held_is_left(world: World) -> None:
    assert answers(world, 8)["flipper"] == "approved"
    path = world.folder / "config" / "strategies.yaml"
    path.write_text(STRATEGIES.replace("flipper.py", "flipper.py\n  shadow: true"))
    report = world.cycle(10)
    assert report.plan is not None
    sold = [leg.proposal.reason for leg in report.plan.legs if leg.proposal.strategy == "flipper"]
    assert sold == ["exit_signal"]
    assert answers(world, 12)["flipper"] == "STRATEGY_SHADOW"
    assert books(world)["flipper"]["state"] == "shadow"
    assert world.held("ETH/USDT") < 1


def test_status_json_tells_each_book_as_the_plan_knew_it(world: World) -> None:
    world.cycle(8)
    world.cycle(9)
    told = json.loads(world.setup().places.status.read_text())["strategies"]
    assert [(row["strategy"], row["state"], row["positions"]) for row in told] == [
        ("flipper", "on", ["ETH/USDT"]),
        ("moody", "failed", ["BTC/USDT"]),
    ]
    # Bought at the ask, marked at the close: what the spread and the fee took.
    assert all(Decimal(row["result"]) < 0 for row in told)
    assert all(row["drawdown_max"] == row["result"].removeprefix("-") for row in told)


def test_why_a_position_is_left_after_its_longest_hold_is_told_in_words(world: World) -> None:
    for minute in (8, 9, 10, 11):
        world.cycle(minute)
    with world.journal() as journal:
        text = "\n".join(explain(journal, 4).lines)
    assert "held for 180 s, longest hold 180 s" in text
    assert "reason max_hold (the position was held for as long as its strategy holds one)" in text
    assert "moody on BTC/USDT: STRATEGY_OFF" in text
