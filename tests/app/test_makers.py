"""Maker entries through whole cycles at the local exchange: rest, move, end, crash, replay."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trader import wiring
from trader.app.replay import replay
from trader.app.stopping import Cancelling, cancel_entries, stop_entries
from trader.errors import ExitCode, UsageError

from .world import World

Worlds = Callable[..., World]
# Enters at minute 8, leaves at minute 30.
ONCE = '''"""A strategy for tests."""

PARAMETERS = {"start": 1700006400000}


def warmup(p):
    return 1


def signals(bars, p):
    turn = [(at - 1700006400000) // 60_000 for at in bars.open_ms]
    return {
        "enter": [int(t == 8) for t in turn],
        "exit": [int(t >= 30) for t in turn],
        "stop": [50.0] * len(turn),
    }
'''
MAKER = {
    "STRATEGIES__FLIPPER__ENTRY__STYLE": "maker",
    "STRATEGIES__FLIPPER__ENTRY__TTL": "6m",
    "STRATEGIES__FLIPPER__ENTRY__REPRICE": "5bps",
    "STRATEGIES__FLIPPER__ENTRY__MOVES_MAX": "2",
}
# A cycle of minute 9 stands in minute 10: the bid is 100.05 there, 5 bps above 99.99 are 100.04.
UP = dict.fromkeys(range(10, 30), "100.06")
ORDER = {"method": "POST", "path": "/api/v3/order"}
# The cancel never reaches the book, and the answer says nothing.
CANCEL_LOST = {
    "method": "DELETE",
    "path": "/api/v3/order",
    "action": {"name": "html_502", "process": False},
}


@pytest.fixture
def makers(worlds: Worlds) -> Worlds:
    """Makes a world whose one strategy enters as a maker at minute 8."""

    def make(**options: Any) -> World:
        world = worlds(**options)
        (world.folder / "config" / "strategies" / "flipper.py").write_text(ONCE)
        world.env.update(MAKER)
        return world

    return make


def proven(world: World) -> None:
    """Every decision is decided again, to the byte."""
    with world.journal() as journal:
        [start] = [e.payload["code"] for e in journal.entries() if e.kind == "cycle_start"][:1]
        report = replay(journal, str(start))
    assert report.proven, [str(one) for one in report.differences]


def whys(world: World) -> list[str]:
    return [str(row["why"]) for row in world.payloads("cancel_sent")]


def test_a_maker_rests_over_cycles_and_fills_when_price_comes_to_it(makers: Worlds) -> None:
    world = makers(closes={12: "99"})
    assert world.cycle(8).code is ExitCode.OK
    [order] = world.orders()
    assert (order["order_type"], order["state"], order["tif"]) == ("post_only", "open", "gtc")
    assert world.cycle(9).code is ExitCode.OK
    assert world.cycle(10).code is ExitCode.OK
    assert world.states() == ["open"]
    world.cycle(12)
    [order] = world.orders()
    assert order["state"] == "filled"
    assert {row["maker"] for row in world.payloads("fill")} == {1}
    assert len(world.posts()) == 1
    assert world.differences() == []
    proven(world)


def test_a_maker_is_moved_by_cancel_confirm_and_a_new_attempt(makers: Worlds) -> None:
    world = makers(closes=UP)
    world.cycle(8)
    world.cycle(9)
    assert whys(world) == ["moved"]
    first, second = world.orders()
    assert (first["state"], second["state"]) == ("canceled", "open")
    assert (second["leg"], second["bar_ms"]) == (first["leg"], first["bar_ms"])
    assert (second["attempt"], second["qty_lots"]) == (1, first["qty_lots"])
    assert second["price_ticks"] > first["price_ticks"]
    world.cycle(10)
    assert len(world.posts()) == 2
    assert world.differences() == []
    proven(world)


def test_a_maker_ends_when_its_time_is_over(makers: Worlds) -> None:
    world = makers()
    for minute in range(8, 16):
        world.cycle(minute)
    assert (whys(world), world.states()) == (["time_to_live"], ["canceled"])
    assert world.held() == 0
    assert world.differences() == []
    proven(world)


def test_a_halt_ends_what_rests_in_the_next_cycle_by_name(makers: Worlds) -> None:
    world = makers()
    world.cycle(8)
    world.latch = "no_entries"
    assert world.cycle(9).code is ExitCode.HALTED
    assert (whys(world), world.states()) == (["HALT_LEVEL"], ["canceled"])
    proven(world)


def test_an_order_that_would_take_is_refused_by_the_venue_and_not_sent_again(
    makers: Worlds,
) -> None:
    world = makers()
    body = '{"code":-2010,"msg":"Order would immediately match and take."}'
    world.admin.faults([{**ORDER, "action": {"name": "answer", "status": 400, "body": body}}])
    world.cycle(8)
    [order] = world.orders()
    assert (order["state"], order["outcome_code"]) == ("rejected", "would_take")


def test_a_cancel_that_nobody_confirms_sends_no_second_order(makers: Worlds) -> None:
    world = makers(closes=UP)
    world.cycle(8)
    world.admin.faults([CANCEL_LOST])
    world.cycle(9)
    _, second = world.orders()
    assert (second["state"], second["outcome_code"]) == ("abandoned", "cancel_unconfirmed")
    assert len(world.posts()) == 1
    world.admin.clear_faults()
    world.cycle(10)
    # It goes on ending what it began to end, and the leg is over.
    assert world.states() == ["canceled", "abandoned"]
    assert len(world.posts()) == 1
    assert world.differences(never_arrived={"abandoned"}) == []
    proven(world)


def test_a_rerun_of_the_same_bar_sends_nothing_twice(makers: Worlds) -> None:
    world = makers(closes=UP)
    world.cycle(8)
    world.cycle()
    world.cycle(9)
    world.cycle()
    assert len(world.posts()) == 2
    assert world.differences() == []
    proven(world)


def cancelling(world: World) -> Cancelling:
    setup = world.setup()
    return Cancelling(
        wiring.open_venue(setup), world.clock.now_ms, lambda _: None, setup.run.grace_ms
    )


def test_a_stop_with_cancel_ends_working_entries_and_confirms_it(makers: Worlds) -> None:
    world = makers()
    world.cycle(8)
    with wiring.open_journal(world.setup()) as journal:
        with pytest.raises(UsageError):
            stop_entries(journal, "ann", " ", world.clock.now_ms())
        report = stop_entries(journal, "ann", "calm", world.clock.now_ms())
        cancel_entries(journal, cancelling(world), "ann", report)
    assert (report.halted, report.level, report.left) == (True, "no_entries", [])
    assert len(report.cancelled) == 1
    assert report.exit_code is ExitCode.OK
    assert world.states() == ["canceled"]
    assert world.payloads("cancel_sent")[0]["by"] == "ann"
    assert world.cycle(9).code is ExitCode.HALTED
    assert world.differences() == []
    proven(world)


def test_a_stop_that_the_venue_does_not_confirm_says_so(makers: Worlds) -> None:
    world = makers()
    world.cycle(8)
    world.admin.faults([CANCEL_LOST])
    with wiring.open_journal(world.setup()) as journal:
        report = stop_entries(journal, "ann", "calm", world.clock.now_ms())
        cancel_entries(journal, cancelling(world), "ann", report)
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    assert len(report.left) == 1
    assert world.states() == ["open"]
    # The next cycle goes on with it.
    world.admin.clear_faults()
    world.cycle(9)
    assert world.states() == ["canceled"]
    proven(world)


def test_a_stop_leaves_a_graver_halt_and_exits_alone(makers: Worlds) -> None:
    world = makers(closes={12: "99"})
    world.cycle(8)
    world.cycle(12)
    assert world.held() > Decimal(0)
    with wiring.open_journal(world.setup()) as journal:
        halt = {"level": "reduce_only", "why": "w", "by": "b", "at_ms": 1}
        journal.append("halt", halt, world.clock.now_ms())
        report = stop_entries(journal, "ann", "calm", world.clock.now_ms())
    assert (report.halted, report.level) == (False, "reduce_only")
    world.cycle(30)
    assert world.held() < Decimal("0.001")  # the fee in BTC leaves a rest below one lot


def test_on_paper_a_maker_rests_fills_and_is_replayed_like_anywhere(makers: Worlds) -> None:
    world = makers(closes={10: "99"})
    world.env["APP__MODE"] = "paper"
    world.cycle(8)
    assert world.states() == ["open"]
    # In minute 10 the ask is at 99.01, below the bid of 99.99: it was met, at its own price.
    world.cycle(9)
    assert world.states() == ["filled"]
    [fill] = world.payloads("fill")
    assert (fill["price_ticks"], fill["maker"]) == (9_999, 1)
    assert world.posts() == []
    proven(world)
