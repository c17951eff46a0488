"""Execute: the latch between commit and send, quotes that are no use, sensible codes."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from decimal import Decimal

import pytest

from trader import wiring
from trader.app.cycle import decide_cycle
from trader.app.execute import Executor, core_quote
from trader.core.scale import ScaleError
from trader.domain.market import Quote
from trader.errors import ExitCode

from .world import World

Worlds = Callable[..., World]
ORDER = {"method": "POST", "path": "/api/v3/order"}
QUOTES = "/api/v3/ticker/bookTicker"


def test_a_latch_set_between_commit_and_send_keeps_the_order_here(world: World) -> None:
    setup = world.setup()
    told: list[str] = []
    # Once for the step, once between the commit and the send.
    levels = iter(["running", "frozen"])

    def level() -> str:
        told.append(next(levels, "frozen"))
        return told[-1]

    with wiring.open_journal(setup, create=True) as journal:
        venue = wiring.open_venue(setup)
        decide_cycle(setup.run, venue, journal)
        run = dataclasses.replace(setup.run, latch_level=level)
        Executor(run, venue, journal).run()
    (order,) = world.orders()
    assert (order["state"], order["outcome_code"]) == ("not_sent", "LATCHED")
    assert world.posts() == []
    assert world.kinds()["order_sent"] == 1
    assert told[:2] == ["running", "frozen"]


@pytest.mark.parametrize("level", ["no_entries", "reduce_only", "frozen"])
def test_an_intent_that_a_halt_forbids_is_abandoned_by_name(world: World, level: str) -> None:
    setup = world.setup()
    with wiring.open_journal(setup, create=True) as journal:
        decide_cycle(setup.run, wiring.open_venue(setup), journal)
    world.latch = level
    assert world.cycle().code is ExitCode.HALTED
    (order,) = world.orders()
    assert (order["state"], order["outcome_code"]) == ("abandoned", f"halt_{level}")
    assert world.posts() == []


def test_the_ladder_ends_when_no_fresh_quote_is_to_be_had(worlds: Worlds) -> None:
    world = worlds(served={"depth": "0.02"}, share="90%")
    world.cycle(8)
    # The plan's own read is answered; those for the second step (with its repeats) are not.
    world.admin.faults(
        [{"path": QUOTES, "when": {"nth": n}, "action": "html_502"} for n in range(2, 12)]
    )
    world.cycle(10)
    assert [row["attempt"] for row in world.orders() if row["side"] == "sell"] == [0]
    assert world.payloads("quote")[-1]["quote"] == []
    world.admin.clear_faults()
    for minute in (14, 15):
        world.cycle(minute)
    assert world.differences() == []


def test_a_quote_that_does_not_fit_ends_the_ladder_and_not_the_cycle(worlds: Worlds) -> None:
    world = worlds(served={"depth": "0.02"}, share="90%")
    world.cycle(8)
    huge = {"op": "set", "at": ["askPrice"], "value": "9" * 30}
    every = {"op": "set", "at": [0, "askPrice"], "value": "9" * 30}
    edit = {"name": "edit", "edit": [huge, every]}
    world.admin.faults([{"path": QUOTES, "when": {"nth": 2}, "action": edit}])
    world.cycle(10)
    assert [row["attempt"] for row in world.orders() if row["side"] == "sell"] == [0]
    assert world.payloads("quote")[-1]["quote"] == []


def test_a_rejected_order_is_the_venues_word(world: World) -> None:
    body = '{"code":-2010,"msg":"Account has insufficient balance for requested action."}'
    world.admin.faults([{**ORDER, "action": {"name": "answer", "status": 400, "body": body}}])
    assert world.cycle(8).code is ExitCode.OK
    assert world.states() == ["rejected"]
    assert world.orders()[0]["outcome_code"] != ""
    assert world.held() == 0


def test_steps_and_their_facts_are_written_down(world: World) -> None:
    world.cycle(8)
    steps = world.payloads("step")
    assert steps[0]["actions"][0]["do"] == "Send"
    assert steps[-1]["actions"] == []
    assert set(steps[0]["facts"]) == {"now_ms", "looked", "quotes", "latch", "mismatches"}


def test_a_quote_is_rounded_away_from_the_middle(world: World) -> None:
    world.cycle(8)
    with world.journal() as journal:
        spec = journal.state.spec("BTC/USDT")
    odd = Quote("BTC/USDT", 7, Decimal("100.005"), Decimal("100.011"), Decimal("0.0019"), None)
    assert core_quote(odd, spec).row() == [10_000, 10_002, 1, -1, 7]
    with pytest.raises(ScaleError):
        core_quote(dataclasses.replace(odd, ask=Decimal(10) ** 30), spec)


def test_an_order_carries_the_hashes_of_what_sent_it(world: World) -> None:
    world.cycle(8)
    [sent] = world.payloads("order_sent")
    [started] = world.payloads("cycle_start")
    for name in ("policy", "code", "lock"):
        assert sent[name] == started[name] != ""


def test_an_older_journal_put_back_within_the_bar_sends_nothing_again(world: World) -> None:
    # A slice of the account: what the lost part of the journal spent leaves no shortage.
    capital = {"APP__CAPITAL": "2000"}
    world.cycle(7, **capital)
    folder = wiring.open_journal(world.setup(**capital), read_only=True).path.parent
    older = world.folder / "older"
    shutil.copytree(folder, older)
    assert world.cycle(8, **capital).code is ExitCode.OK
    assert len(world.posts()) == 1
    shutil.rmtree(folder)
    shutil.copytree(older, folder)
    for second in (20, 40):
        world.at(8, second)
        report = world.cycle(**capital)
        assert report.code is ExitCode.MISMATCH
        assert "ORDER_STRANGE" in report.findings[0]
        assert world.posts()[0] in report.findings[0]
    assert len(world.posts()) == 1
    assert world.states() == ["planned"]
    assert "ORDER_STRANGE" in world.payloads("mismatch")[-1]["findings"][0]


def test_a_look_before_the_send_that_fails_holds_nothing_back(world: World) -> None:
    world.admin.faults([{"method": "GET", "path": "/api/v3/order", "action": "html_502"}])
    world.cycle(8)
    assert len(world.posts()) == 1
