"""Reconcile: unknown outcomes, late fills, foreign orders, shortages and rules that change."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal

import pytest

from trader import wiring
from trader.app.reconcile import read_venue
from trader.errors import ExitCode, VenueUnavailable
from trader.ops.clock import TravelClock

from .world import MINUTE_MS, World

Worlds = Callable[..., World]
ORDER = {"method": "POST", "path": "/api/v3/order"}
LOT = Decimal("0.001")


def lose(world: World, action: str, times: int = 1) -> None:
    world.admin.faults([{**ORDER, "action": action, "times": times}])


def hide(world: World, path: str, action: str = "html_502") -> None:
    world.admin.faults([{"method": "GET", "path": path, "action": action}])


# --- unknown outcomes ----------------------------------------------------------------------------


def test_an_unknown_outcome_stays_unknown_until_the_venue_tells(worlds: Worlds) -> None:
    world = worlds(signals="defaults:\n  ttl_bars: 3\n")
    lose(world, "drop_after")  # carried out, never answered
    hide(world, "/api/v3/order")
    report = world.cycle(8)
    assert report.code is ExitCode.UNKNOWN_OUTCOME
    assert world.states() == ["unknown"]
    assert world.held() == 0
    world.admin.clear_faults()
    report = world.cycle(9)
    # Settled before anything is decided, and never sent again.
    assert report.code is ExitCode.OK
    assert world.states()[0] == "filled"
    assert world.held() > 0
    assert len(world.posts()) == 1
    assert world.differences() == []


def test_an_unknown_order_is_looked_at_within_its_own_cycle(world: World) -> None:
    lose(world, "drop_after")
    assert world.cycle(8).code is ExitCode.OK
    assert world.states() == ["filled"]
    assert world.differences() == []


def test_an_unknown_order_blocks_entries_on_its_instrument(worlds: Worlds) -> None:
    world = worlds(signals="defaults:\n  ttl_bars: 4\n")
    lose(world, "drop_before")
    world.cycle(8)
    assert world.states() == ["unknown"]
    # The grace has not passed on the venue's clock: still unknown, and the signal still alive.
    world.at(9, second=0)
    report = world.cycle(APP__EXCHANGE__UNKNOWN_GRACE_MS="300000")
    assert report.code is ExitCode.UNKNOWN_OUTCOME
    assert report.plan is not None
    assert [r.code for r in report.plan.refused] == ["OUTCOME_UNKNOWN"]
    assert world.admin.books()["orders"] == []


def test_an_order_that_never_arrived_is_absent_only_after_the_grace(world: World) -> None:
    lose(world, "drop_before")
    report = world.cycle(8)
    assert report.code is ExitCode.UNKNOWN_OUTCOME
    world.at(9)
    assert world.cycle(APP__EXCHANGE__UNKNOWN_GRACE_MS="600000").code is ExitCode.UNKNOWN_OUTCOME
    assert world.states()[0] == "unknown"
    assert world.cycle(10).code is ExitCode.OK
    assert world.states()[0] == "absent"
    assert world.admin.books()["orders"] == []
    assert len(world.orders()) == 1


# --- late fills ----------------------------------------------------------------------------------


def test_a_fill_that_is_told_late_is_booked_once(world: World) -> None:
    world.admin.moods(trades_lag_ms=90_000)
    # The reply's own fills are taken away, as a venue that answers tersely would.
    world.admin.faults(
        [
            {
                **ORDER,
                "action": {"name": "edit", "edit": [{"op": "set", "at": ["fills"], "value": []}]},
            }
        ]
    )
    world.cycle(8)
    assert world.states() == ["filled"]
    assert world.held() == 0  # the order says filled, no execution has been told yet
    world.admin.clear_faults()
    world.cycle(9)
    for minute in (11, 11, 12):
        world.cycle(minute)
    assert world.held() > 0
    assert world.kinds()["fill"] == len(world.admin.books()["trades"])
    world.admin.moods(trades_lag_ms=0)
    for minute in (13, 14, 15):
        world.cycle(minute)
    assert world.differences() == []


def test_an_order_that_turns_up_long_after_it_was_settled_is_a_mismatch(world: World) -> None:
    lose(world, "drop_before")
    world.cycle(8)
    world.cycle(9)
    assert world.states()[0] == "absent"
    client_id = world.orders()[0]["client_id"]
    world.cycle(10)  # the settled order has left the state
    with world.journal() as journal:
        assert client_id not in journal.state.orders
    # It turns up at the venue after all, rests there, and is found by its id.
    world.admin.place("BTCUSDT", "BUY", "0.1", "90", client_id=client_id)
    report = world.cycle(11)
    assert report.code is ExitCode.MISMATCH
    assert any(client_id in finding for finding in report.reconciled.mismatches)


# --- strangers -----------------------------------------------------------------------------------


def test_a_foreign_order_is_reported_and_left_alone(world: World) -> None:
    world.admin.place("BTCUSDT", "BUY", "1", "50", client_id="by-hand")
    report = world.cycle(8)
    assert report.code is ExitCode.OK
    assert len(report.reconciled.foreign) == 1
    assert report.reconciled.foreign[0].startswith("BTC/USDT buy 1")
    (resting,) = [o for o in world.admin.books()["orders"] if o["client_id"] == "by-hand"]
    assert resting["status"] == "NEW"


def test_an_order_that_was_held_to_be_absent_and_turns_up_is_taken_back(world: World) -> None:
    lose(world, "drop_before")
    world.cycle(8)
    world.at(8, second=40)
    assert world.cycle(APP__EXCHANGE__UNKNOWN_GRACE_MS="10000").code is ExitCode.OK
    (row,) = world.orders()
    assert row["state"] == "absent"
    client_id, qty = str(row["client_id"]), Decimal(int(row["qty_lots"])) / 1000
    world.admin.place("BTCUSDT", "BUY", str(qty), "99", client_id=client_id)
    assert world.cycle().note == "resumed"
    assert world.states() == ["open"]
    world.admin.fill("BTCUSDT", client_id=client_id)
    world.cycle(9)
    assert world.states() == ["filled"]
    assert world.differences() == []


# --- shortages -----------------------------------------------------------------------------------


def test_a_shortage_ends_with_its_code_refuses_entries_and_lets_exits_go_on(world: World) -> None:
    world.cycle(8)
    world.admin.deposit("USDT", "-7.5")
    report = world.cycle(9)
    assert report.code is ExitCode.MISMATCH
    assert report.reconciled.mismatches[0].startswith("CASH_SHORT asset=USDT")
    assert report.reconciled.mismatches[0].endswith("short=7.5")
    assert world.cycle(10).code is ExitCode.MISMATCH  # and leaves its position
    assert world.held() < LOT  # dust of the fee
    report = world.cycle(12)
    assert report.plan is not None
    assert [r.code for r in report.plan.refused] == ["BOOKS_MISMATCH"]
    world.admin.deposit("USDT", "7.5")
    assert world.cycle(16).code is ExitCode.OK
    assert world.kinds()["mismatch"] == 3


def test_coins_that_are_missing_are_named(world: World) -> None:
    world.cycle(8)
    world.admin.deposit("BTC", "-0.001")
    report = world.cycle(9)
    assert report.code is ExitCode.MISMATCH
    assert "COINS_SHORT asset=BTC" in report.reconciled.mismatches[0]


def test_coins_and_cash_of_the_owner_are_no_mismatch(world: World) -> None:
    world.cycle(8)
    world.admin.deposit("USDT", "5000")
    world.admin.deposit("BTC", "3")
    assert world.cycle(9).code is ExitCode.OK
    world.cycle(10)
    assert world.held() < LOT
    free, _ = world.admin.books()["accounts"]["main"]["BTC"]
    assert Decimal(free) >= 3  # what the program did not buy it did not sell


def test_fills_that_were_hidden_until_their_order_was_settled_explain_what_is_short(
    world: World,
) -> None:
    lie = [
        {"op": "set", "at": ["status"], "value": "EXPIRED"},
        {"op": "set", "at": ["executedQty"], "value": "0"},
        {"op": "set", "at": ["cummulativeQuoteQty"], "value": "0"},
        {"op": "set", "at": ["fills"], "value": []},
    ]
    post = {"method": "POST", "path": "/api/v3/order", "when": {"nth": 1}}
    world.admin.faults([{**post, "action": {"name": "edit", "edit": lie}}])
    world.admin.moods(trades_lag_ms=150_000)
    assert world.cycle(8).code is ExitCode.OK
    [order] = world.orders()
    assert (order["state"], order["filled_lots"]) == ("expired", 0)
    report = world.cycle(9)
    assert report.code is ExitCode.MISMATCH
    assert report.reconciled.mismatches[0].startswith("CASH_SHORT")
    report = world.cycle(11)
    assert (report.code, report.reconciled.mismatches) == (ExitCode.OK, ())
    assert world.kinds()["order_recalled"] == 1
    assert world.held() > 0
    assert world.differences() == []


# --- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tick", "ratio"), [("0.1", 10), ("0.001", Decimal("0.1"))])
def test_a_tick_that_changes_under_a_position_does_not_move_its_stop(
    world: World, tick: str, ratio: Decimal
) -> None:
    world.cycle(8)
    with world.journal() as journal:
        stop = journal.state.positions["BTC/USDT"].stop_ticks
    assert stop == 5_000
    world.admin.instrument("BTCUSDT", tick=tick)
    forget_listing(world)
    assert world.cycle(9).code is ExitCode.OK
    with world.journal() as journal:
        assert journal.state.positions["BTC/USDT"].stop_ticks * ratio == stop
    assert world.held() > 0
    assert world.cycle(10).code is ExitCode.OK
    assert world.held() < LOT
    assert world.differences() == []


def test_an_instrument_that_is_delisted_becomes_inactive(worlds: Worlds) -> None:
    world = worlds(("BTC/USDT", "ETH/USDT"))
    world.cycle(8)
    world.admin.instrument("ETHUSDT", status="BREAK")
    forget_listing(world)
    report = world.cycle(12)
    with world.journal() as journal:
        assert journal.state.instruments["ETH/USDT"]["active"] == 0
        assert journal.state.instruments["BTC/USDT"]["active"] == 1
    assert report.bar_ms % (4 * MINUTE_MS) == 0


def test_an_instrument_that_the_venue_refuses_to_speak_of_does_not_stop_the_others(
    worlds: Worlds,
) -> None:
    world = worlds(("BTC/USDT", "ETH/USDT"))
    body = '{"code": -1121, "msg": "Invalid symbol."}'
    no_symbol = {"name": "answer", "status": 400, "body": body}
    lost = {"method": "POST", "path": "/api/v3/order", "contains": "ETHUSDT"}
    about = {"method": "GET", "contains": "symbol=ETHUSDT", "action": no_symbol}
    refused = {**about, "path": "/api/v3/(order|myTrades)"}
    world.admin.faults([{**lost, "when": {"nth": 1}, "action": "drop_after"}, refused])
    assert world.cycle(8).code is ExitCode.UNKNOWN_OUTCOME
    world.admin.faults([{**about, "path": "/api/v3/(openOrders|klines)"}])
    report = world.cycle(10)
    assert report.reconciled.refused == ("ETH/USDT",)
    assert report.code is ExitCode.UNKNOWN_OUTCOME
    with world.journal() as journal:
        sides = [(o["symbol"], o["side"], o["state"]) for o in journal.orders()]
    assert ("BTC/USDT", "sell", "filled") in sides
    assert ("ETH/USDT", "buy", "absent") not in sides
    world.admin.clear_faults()
    world.cycle(11)
    assert world.differences() == []


def test_rules_that_do_not_fit_the_integers_are_left_out(worlds: Worlds) -> None:
    world = worlds(("BTC/USDT", "ETH/USDT"))
    world.cycle(8)
    world.admin.instrument("ETHUSDT", tick="10000000000000")
    forget_listing(world)
    world.cycle(9)
    with world.journal() as journal:
        assert journal.state.instruments["ETH/USDT"]["active"] == 0
        assert journal.state.instruments["ETH/USDT"]["tick"] == "0.01"


def forget_listing(world: World) -> None:
    """The venue's listing is kept for a day: as if the day had passed."""
    path = world.setup().places.markets
    if path.exists():
        path.unlink()


@pytest.mark.parametrize(("off_ms", "refused"), [(5_900, True), (-5_900, True), (1_000, False)])
def test_a_clock_far_from_the_venues_decides_nothing(
    world: World, off_ms: int, refused: bool
) -> None:
    world.at(8)
    setup = world.setup()
    clock = TravelClock(world.admin.clock()["now_ms"] + off_ms)
    run = dataclasses.replace(setup.run, clock=clock, skew_ms_max=5_000)
    venue = wiring.open_venue(setup)
    with wiring.open_journal(setup, create=True) as journal:
        if not refused:
            assert read_venue(run, venue, journal).venue_ms > 0
            return
        with pytest.raises(VenueUnavailable, match=r"clock is [+-]\d"):
            read_venue(run, venue, journal)
        assert journal.head.seq == 0
