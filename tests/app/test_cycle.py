"""Whole cycles against the local exchange, through the real client library over loopback."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from trader import wiring
from trader.app.cycle import decide_cycle, run_cycle
from trader.errors import ExitCode, UsageError, VenueRefused, VenueUnavailable

from .world import MINUTE_MS, START_MS, World

Worlds = Callable[..., World]


def test_an_entry_and_an_exit_leave_equal_books(world: World) -> None:
    report = world.cycle(8)
    assert (report.code, report.note, report.bar_ms) == (ExitCode.OK, "planned", START_MS + 480_000)
    assert world.states() == ["filled"]
    assert world.held() > 0
    for minute in (9, 10, 11):
        assert world.cycle(minute).code is ExitCode.OK
    assert world.states() == ["filled", "filled"]
    assert [row["reason"] for row in world.orders()] == ["entry_signal", "exit_signal"]
    assert world.differences() == []
    assert len(world.posts()) == len(set(world.posts())) == 2


def test_what_was_sent_was_committed_before(world: World) -> None:
    world.cycle(8)
    spine = ["genesis", "cycle_start", "snapshot", "plan", "order_sent", "order_outcome"]
    spine += ["fill", "cycle_end"]
    with world.journal() as journal:
        kinds = [entry.kind for entry in journal.entries()]
    assert list(dict.fromkeys(kind for kind in kinds if kind in spine)) == spine


def test_an_exit_that_did_not_fill_is_priced_once_more_within_the_cycle(worlds: Worlds) -> None:
    world = worlds(served={"depth": "0.02"}, slippage="10bps", exit_slippage="300bps", share="90%")
    assert world.cycle(8).code is ExitCode.OK
    for minute in (9, 10, 11):
        world.cycle(minute)
    exits = [row for row in world.orders() if row["side"] == "sell"]
    assert [row["attempt"] for row in exits] == [0, 1]
    assert exits[0]["state"] == "expired"
    assert exits[1]["price_ticks"] < exits[0]["price_ticks"]
    assert exits[1]["qty_lots"] == exits[0]["qty_lots"] - exits[0]["filled_lots"]
    assert world.differences() == []


def test_a_second_run_in_the_same_minute_resumes_and_never_plans_again(world: World) -> None:
    world.cycle(8)
    first = world.payloads("plan")
    report = world.cycle(POLICY__LIMITS__SLIPPAGE="50bps")
    assert (report.note, report.plan) == ("resumed", None)
    assert world.payloads("plan") == first
    assert len(world.posts()) == 1
    assert world.kinds()["policy"] == 2  # the change itself is a fact


def test_a_run_that_ended_after_its_plan_is_carried_out_by_the_next(world: World) -> None:
    world.stopping = False
    setup = world.setup()
    venue = wiring.open_venue(setup)
    with wiring.open_journal(setup, create=True) as journal:
        decide_cycle(setup.run, venue, journal)
    assert world.states() == ["planned"]
    report = world.cycle(POLICY__LIMITS__SLIPPAGE="1bps")
    assert report.note == "resumed"
    assert world.states() == ["filled"]
    assert len(world.payloads("plan")) == 1


def test_an_intent_of_an_older_bar_is_abandoned_by_name(world: World) -> None:
    setup = world.setup()
    with wiring.open_journal(setup, create=True) as journal:
        decide_cycle(setup.run, wiring.open_venue(setup), journal)
    world.cycle(9)
    (order,) = world.orders()
    assert (order["state"], order["outcome_code"]) == ("abandoned", "older_bar")
    assert world.posts() == []


def test_a_signal_to_stop_leaves_a_plan_that_the_next_run_carries_out(world: World) -> None:
    world.stopping = True
    assert world.cycle(8).note == "stopping"
    assert world.kinds()["plan"] == 0
    world.stopping = False
    calls: list[int] = []

    def stop_after_reads() -> bool:
        calls.append(1)
        return len(calls) > 1  # asked before planning, then before the first step

    setup = world.setup()
    run = dataclasses.replace(setup.run, stopping=stop_after_reads)
    with wiring.open_journal(setup, create=True) as journal:
        report = run_cycle(run, wiring.open_venue(setup), journal)
    assert report.note == "planned"
    assert world.states() == ["planned"]
    assert world.posts() == []
    assert world.cycle().note == "resumed"
    assert world.states() == ["filled"]


def test_a_clock_that_stepped_back_plans_nothing(world: World) -> None:
    world.cycle(12)
    plans = world.kinds()["plan"]
    report = world.cycle(11)
    assert report.note == f"clock_behind planned_ms={START_MS + 12 * MINUTE_MS}"
    assert world.kinds()["plan"] == plans
    assert len(world.posts()) == 1


def test_the_slice_of_the_account_is_respected(worlds: Worlds) -> None:
    world = worlds(app="capital: 500\n", share="100%")
    assert world.cycle(8).code is ExitCode.OK
    (order,) = world.orders()
    # 500 at a worst price of 100.10 and a fee of 0.1 %: 4.990 coins of the 10,000's 99.8.
    assert order["qty_lots"] == 4_990
    with world.journal() as journal:
        assert journal.state.number("capital_units") == 500 * 10**8


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("capital: 10001\n", "app.capital is 10001 USDT, the account holds 10000"),
        ("cash_max: 150000\n", "the account's 200000 USDT exceed app.cash_max 150000"),
    ],
)
def test_a_capital_that_cannot_be_is_refused_and_nothing_is_written(
    worlds: Worlds, app: str, said: str
) -> None:
    rich = "200000" if "cash_max" in app else "10000"
    world = worlds(app=app, served={"balances": {"USDT": rich}})
    with pytest.raises(UsageError, match=said):
        world.cycle(8)
    assert world.kinds() == {}


def test_the_journal_of_another_account_is_refused(world: World) -> None:
    world.cycle(8)
    setup = world.setup()
    other = dataclasses.replace(setup.run.parameters, account="elsewhere")
    run = dataclasses.replace(setup.run, parameters=other)
    before = world.kinds()
    with (
        wiring.open_journal(setup) as journal,
        pytest.raises(UsageError, match="is of account tests, the policy says elsewhere"),
    ):
        run_cycle(run, wiring.open_venue(setup), journal)
    assert world.kinds() == before


@pytest.mark.parametrize("action", ["html_502", "drop_before"])
def test_a_venue_that_does_not_answer_leaves_the_journal_as_it_was(
    world: World, action: str
) -> None:
    world.cycle(8)
    with world.journal() as journal:
        before = journal.head
    world.at(9)
    world.admin.faults([{"method": "GET", "path": "/api/v3/account", "action": action}])
    with pytest.raises(VenueUnavailable):
        world.cycle()
    with world.journal() as journal:
        assert journal.head == before
    world.admin.clear_faults()
    assert world.cycle().code is ExitCode.OK


def test_a_wrong_secret_is_refused_and_nothing_is_written(world: World) -> None:
    world.admin.key(key="local-key", secret="another")
    with pytest.raises(VenueRefused):
        world.cycle(8)
    assert world.kinds() == {}


# --- halts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["no_entries", "reduce_only", "frozen"])
def test_a_latch_stops_entries_and_says_halted(world: World, level: str) -> None:
    world.latch = level
    report = world.cycle(8)
    assert report.code is ExitCode.HALTED
    assert world.posts() == []
    assert report.plan is not None
    assert [r.code for r in report.plan.refused] == ["HALT_LEVEL"]


@pytest.mark.parametrize(("level", "sent"), [("reduce_only", 2), ("frozen", 1)])
def test_exits_go_on_until_frozen(world: World, level: str, sent: int) -> None:
    world.cycle(8)
    world.latch = level
    assert world.cycle(10).code is ExitCode.HALTED
    assert len(world.posts()) == sent


# --- data ----------------------------------------------------------------------------------------


def test_a_missing_last_bar_ends_with_the_data_code(worlds: Worlds) -> None:
    world = worlds(holes=(8,))
    report = world.cycle(8)
    assert report.code is ExitCode.DATA
    assert report.plan is not None
    assert report.plan.trail[0].answer.startswith("DATA_STALE")
    assert world.posts() == []


def test_a_window_with_too_many_holes_ends_with_the_data_code(worlds: Worlds) -> None:
    world = worlds(holes=tuple(range(1, 12)), env={"APP__CYCLE__ANCHOR_BARS": "64"})
    report = world.cycle(12)
    assert report.plan is not None
    assert report.plan.trail[0].answer.startswith("DATA_GAPPY")
    assert report.code is ExitCode.DATA


def test_an_impossible_bar_is_never_decided_on(world: World) -> None:
    edit = {"op": "set", "at": [-2, 2], "value": "1.00"}  # the high of the newest closed bar
    world.admin.faults([{"path": "/api/v3/klines", "action": {"name": "edit", "edit": [edit]}}])
    report = world.cycle(8)
    assert report.plan is not None
    assert report.plan.trail[0].answer.startswith("DATA_IMPOSSIBLE")
    assert report.code is ExitCode.DATA
    assert world.posts() == []


def test_a_jump_of_the_price_is_refused(worlds: Worlds) -> None:
    world = worlds(closes={8: "40"}, bar_jump_max="50%")
    report = world.cycle(8)
    assert report.plan is not None
    assert [r.code for r in report.plan.refused] == ["DATA_JUMP"]


# --- the venue's list ----------------------------------------------------------------------------


def test_an_instrument_that_is_halted_is_not_traded(worlds: Worlds) -> None:
    world = worlds()
    world.admin.instrument("BTCUSDT", status="BREAK")
    report = world.cycle(8)
    assert report.plan is not None
    assert [r.code for r in report.plan.refused] == ["INSTRUMENT_INACTIVE"]
    assert world.posts() == []
