"""Whole cycles with strategy files that are lost, cannot be loaded, or are refused by the check."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from trader import wiring
from trader.app import strategy_process
from trader.app.replay import replay
from trader.errors import ExitCode, UsageError

from .world import START_MS, World

Worlds = Callable[..., World]
# Enters in minute 8; what it does from minute 9 on is put in.
FILE = f'''"""A strategy for tests."""

import itertools
import os

PARAMETERS = {{"stop": 1.0}}


def warmup(p):
    return 1


def signals(bars, p):
    minutes = [(at - {START_MS}) // 60_000 for at in bars.open_ms]
    if minutes[-1] >= 9 and minutes[-1] < 1000:
        BODY
    return {{
        "enter": [minute == 8 for minute in minutes],
        "exit": [0] * len(minutes),
        "stop": [p["stop"]] * len(minutes),
    }}
'''
RISES = "x > y for x, y in zip(bars.close[1:], bars.close)] + [0"
CHEAT = FILE.replace("minute == 8 for minute in minutes", RISES).replace("BODY", "pass")
LOT = Decimal("0.001")
STRATEGIES = """bad:
  file: bad.py
  timeframe: 1m
  instruments: [BTC/USDT]
  size: {equity_share: 20%}
flipper:
  file: flipper.py
  timeframe: 1m
  instruments: [ETH/USDT]
  size: {equity_share: 20%}
"""


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy_process, "EVALUATE_S", 1.0)
    monkeypatch.setattr(strategy_process, "EVALUATE_S_LEAST", 1.0)
    monkeypatch.setattr(strategy_process, "LOAD_S", 2.0)


@pytest.fixture
def world(worlds: Worlds) -> World:
    """BTC falls to its stop in minute 11."""
    made = worlds(("BTC/USDT", "ETH/USDT"), closes={11: "98", 12: "98", 13: "98"})
    write(made, FILE.replace("BODY", "pass"))
    (made.folder / "config" / "strategies.yaml").write_text(STRATEGIES)
    return made


def write(world: World, text: str) -> None:
    (world.folder / "config" / "strategies" / "bad.py").write_text(text)


def proven(world: World) -> bool:
    with world.journal() as journal:
        return replay(journal, world.setup().run.code_sha).proven


LOST = {
    "while True: pass": "why=time in=signals limit_ms=1000",
    "sum(itertools.repeat(1))": "why=time in=signals limit_ms=1000",
    "os._exit(7)": "why=died in=signals code=7",
    "bytearray(1 << 42)": "why=memory in=signals",
}


@pytest.mark.parametrize("body", LOST)
def test_a_lost_strategy_is_off_the_others_go_on_and_its_stop_still_runs(
    world: World, body: str
) -> None:
    assert world.cycle(8).code is ExitCode.OK
    assert world.held("BTC/USDT") > 0
    write(world, FILE.replace("BODY", body))
    report = world.cycle(9)
    assert report.code is ExitCode.OK
    trouble = f"STRATEGY_FAILED {LOST[body]}"
    assert world.payloads("snapshot")[-1]["strategy_troubles"] == {"bad": trouble}
    assert world.payloads("plan")[-1]["off"] == [["bad", trouble]]
    # It is not asked again: no trouble, and no second off.
    world.cycle(10)
    assert "strategy_troubles" not in world.payloads("snapshot")[-1]
    report = world.cycle(12)
    assert report.plan is not None
    legs = {(leg.proposal.strategy, leg.proposal.reason) for leg in report.plan.legs}
    assert ("flipper", "entry_signal") in legs
    assert world.held("BTC/USDT") < LOT
    assert proven(world)
    assert world.differences() == []


def test_a_file_that_cannot_be_loaded_is_off_and_what_it_holds_is_looked_after(
    world: World,
) -> None:
    world.cycle(8)
    write(world, "while True: pass\n")
    assert world.cycle(9).code is ExitCode.OK
    trouble = "STRATEGY_FAILED why=time in=load limit_ms=2000"
    assert world.payloads("plan")[-1]["off"] == [["bad", trouble]]
    write(world, "1 / 0\n")
    assert world.cycle(12).code is ExitCode.OK
    assert world.payloads("snapshot")[-1]["strategy_troubles"] == {
        "bad": "STRATEGY_FAILED why=load error=ZeroDivisionError"
    }
    assert world.held("BTC/USDT") < LOT
    assert proven(world)


def test_a_cheat_ends_a_pass_before_it_begins(world: World) -> None:
    write(world, CHEAT)
    with pytest.raises(UsageError, match=r"bad is refused: LOOKS_AHEAD: .* enter of the bar"):
        world.cycle(8)
    assert world.posts() == []
    assert not world.setup().places.journal.exists() or not world.payloads("cycle_start")


def test_a_file_that_is_no_python_ends_a_pass_before_it_begins(world: World) -> None:
    write(world, "def (\n")
    with pytest.raises(UsageError, match="strategy bad: invalid syntax"):
        world.cycle(8)
    assert world.posts() == []


def test_a_cheat_does_not_keep_what_is_held_from_its_stop(world: World) -> None:
    world.cycle(8)
    write(world, CHEAT)
    report = world.cycle(9)
    assert report.code is ExitCode.USAGE
    trouble = "STRATEGY_FAILED why=refused found=LOOKS_AHEAD"
    assert world.payloads("plan")[-1]["off"] == [["bad", trouble]]
    report = world.cycle(12)
    assert report.code is ExitCode.USAGE
    assert world.held("BTC/USDT") < LOT
    assert world.held("ETH/USDT") > 0
    assert proven(world)
    # Nothing of its own is left, but the other strategy holds something: still no end.
    assert world.cycle(13).code is ExitCode.USAGE


def test_a_cheat_that_may_open_nothing_keeps_nobody_from_trading(world: World) -> None:
    write(world, CHEAT)
    text = STRATEGIES.replace("file: bad.py", "file: bad.py\n  enabled: false", 1)
    (world.folder / "config" / "strategies.yaml").write_text(text)
    assert world.cycle(8).code is ExitCode.OK
    assert world.held("ETH/USDT") > 0


def test_what_must_work_whatever_the_files_are_loads_none(world: World) -> None:
    write(world, "while True: pass\n")
    setup = wiring.load_setup(wiring.SetupOptions(env=world.env, cwd=world.folder), decides=False)
    assert setup.run.strategies == ()
    assert [spec.name for spec in setup.run.parameters.strategies] == ["bad", "flipper"]
