"""Leaving by hand, in whole cycles against the local exchange: in the next one, or at once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from trader import wiring
from trader.app.explain import explain
from trader.app.leaving import Leaving, ask_exit, left_rows, withdraw_exit
from trader.app.replay import replay
from trader.app.status_file import account_status
from trader.cli.passes import pass_lines
from trader.errors import ExitCode, UsageError

from .world import START_MS, World

Worlds = Callable[..., World]


def ask(world: World, symbol: str, by: str = "ann", reason: str = "news") -> Leaving:
    with wiring.open_journal(world.setup()) as journal:
        return ask_exit(journal, symbol, by, reason, START_MS)


def reasons(world: World) -> list[str]:
    return [row["reason"] for row in world.orders()]


@pytest.mark.parametrize("symbol", ["BTC/USDT", "*"])
def test_what_was_asked_for_after_the_decision_is_sold_in_a_pass_of_the_same_minute(
    world: World, symbol: str
) -> None:
    world.cycle(8)
    assert ask(world, symbol) == Leaving(symbol, ("BTC/USDT",), ())
    report = world.cycle(8)
    assert (report.note, report.code) == ("resumed", ExitCode.OK)
    assert reasons(world) == ["entry_signal", "force_exit"]
    assert 0 <= world.held() < Decimal("0.0001")  # what the fee left
    assert [payload["symbol"] for payload in world.payloads("exit_done")] == [symbol]
    with world.journal() as journal:
        assert left_rows(journal.state, symbol) == []
    assert world.differences() == []
    # Once: another pass sells nothing, and says nothing.
    world.cycle(8)
    assert len(world.orders()) == 2
    assert len(world.payloads("exit_done")) == 1


def test_the_next_decision_sells_and_names_it(world: World) -> None:
    world.cycle(8)
    ask(world, "BTC/USDT")
    report = world.cycle(9)
    assert report.note == "planned"
    assert report.plan is not None
    assert [leg.proposal.reason for leg in report.plan.legs] == ["force_exit"]
    assert 0 <= world.held() < Decimal("0.0001")
    assert len(world.payloads("exit_done")) == 1


def test_what_does_not_fill_is_tried_in_each_cycle_until_it_is_done(worlds: Worlds) -> None:
    world = worlds(served={"depth": "0.02"}, slippage="10bps", exit_slippage="300bps", share="90%")
    once = {"POLICY__LIMITS__EXIT_ATTEMPTS": "1", "POLICY__LIMITS__SLIPPAGE": "1bps"}
    world.cycle(8)
    held = world.held()
    ask(world, "BTC/USDT")
    world.cycle(8, **once)
    assert reasons(world) == ["entry_signal", "force_exit"]
    left = world.held()
    assert Decimal("0.01") < left < held
    assert world.payloads("exit_done") == []
    world.cycle(9)
    assert world.held() < Decimal("0.001")
    assert len(world.payloads("exit_done")) == 1
    assert set(reasons(world)) == {"entry_signal", "force_exit"}
    assert world.differences() == []


def test_what_is_not_held_cannot_be_left(world: World) -> None:
    world.cycle(8)
    with pytest.raises(UsageError, match="nothing of ETH/USDT is held") as told:
        ask(world, "ETH/USDT")
    assert told.value.hint == "there are positions in BTC/USDT"
    for by, reason in (("", "news"), ("ann", " ")):
        with pytest.raises(UsageError, match="only a named human"):
            ask(world, "BTC/USDT", by, reason)
    assert world.payloads("exit_asked") == []


def test_nothing_is_asked_for_when_nothing_is_held(world: World) -> None:
    world.cycle(1)
    assert ask(world, "*") == Leaving("*", (), ())
    assert world.payloads("exit_asked") == []


def test_what_was_asked_for_can_be_taken_back(world: World) -> None:
    world.cycle(8)
    ask(world, "BTC/USDT")
    with wiring.open_journal(world.setup()) as journal:
        with pytest.raises(UsageError, match="only a named human"):
            withdraw_exit(journal, "BTC/USDT", "", "wrong", START_MS)
        assert not withdraw_exit(journal, "*", "ann", "wrong", START_MS)
        assert withdraw_exit(journal, "BTC/USDT", "ann", "wrong", START_MS)
        assert not withdraw_exit(journal, "BTC/USDT", "ann", "wrong", START_MS)
    world.cycle(8)
    assert reasons(world) == ["entry_signal"]


def test_it_can_be_replayed_and_its_story_told(world: World) -> None:
    world.cycle(8)
    ask(world, "BTC/USDT")
    world.cycle(8)
    world.cycle(9)
    with world.journal() as journal:
        report = replay(journal, world.setup().run.code_sha)
        assert report.proven, report.row()
        assert report.plans == 2
        stories = explain(journal, 1).orders
    assert [story.why for story in stories] == ["entry_signal", "force_exit"]
    assert stories[1].events[0][1] == "planned: it was asked for"


def test_an_exit_without_a_bid_is_an_alarm_until_the_next_decision(world: World) -> None:
    world.cycle(8)
    ask(world, "BTC/USDT")
    zero = {"name": "edit", "edit": [{"op": "set", "at": [0, "bidPrice"], "value": "0.00"}]}
    world.admin.faults([{"path": "/api/v3/ticker/bookTicker", "action": zero}])
    report = world.cycle(9)
    assert report.plan is not None
    told = "EXIT_NO_BID symbol=BTC/USDT reason=force_exit"
    assert report.plan.alarms == (told,)
    assert world.payloads("cycle_end")[-1]["summary"]["alarms"] == [told]
    with world.journal() as journal:
        lines = pass_lines(report, journal)
        assert account_status(journal.state)["alarms"] == [told]
    assert f"ALARM {told}" in lines
    assert reasons(world) == ["entry_signal"]
    world.admin.clear_faults()
    world.cycle(10)
    assert reasons(world) == ["entry_signal", "force_exit"]
    assert "alarms" not in world.payloads("cycle_end")[-1]["summary"]
