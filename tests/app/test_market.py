"""The market read: exactly the bars that are needed, kept once, and again when they change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trader.core.membership import is_universe_row
from trader.errors import ExitCode, VenueUnavailable

from .world import MINUTE_MS, START_MS, World

Worlds = Callable[..., World]
KLINES = "/api/v3/klines"
QUOTES = "/api/v3/ticker/bookTicker"


def opens(world: World) -> list[list[int]]:
    """Minutes of the bars of each `bars` entry."""
    return [
        [(int(row[0]) - START_MS) // MINUTE_MS for row in payload["rows"]]
        for payload in world.payloads("bars")
    ]


def test_a_bar_is_kept_once(world: World) -> None:
    for minute in (8, 9, 10):
        world.cycle(minute)
    # Anchor blocks of four bars from minute 8, one bar of warm-up.
    assert opens(world) == [[7, 8], [9], [10]]


def test_the_open_bar_is_never_kept_nor_decided_on(world: World) -> None:
    report = world.cycle(8)
    assert report.plan is not None
    assert report.plan.trail[0].seen["bar_ms"] == START_MS + 8 * MINUTE_MS
    assert opens(world)[-1][-1] == 8


def test_a_bar_that_changes_at_the_venue_is_a_new_fact(world: World) -> None:
    world.cycle(8)
    high = {"op": "set", "at": [0, 2], "value": "100.50"}  # of minute 7, which is read again
    edit = {"name": "edit", "edit": [high]}
    world.admin.faults([{"path": KLINES, "action": edit, "times": 1}])
    world.cycle(9)
    assert opens(world)[1:] == [[7, 9]]
    rows = world.payloads("bars")[1]["rows"]
    assert rows[0][2] == 10_050


# 100.50 in place of 100 is a change of 5,000 millionths: 50 bps.
@pytest.mark.parametrize(("high", "answer"), [("100.50", "approved"), ("100.51", "DATA_REPAINTED")])
def test_a_bar_that_was_decided_on_and_changed_opens_nothing_in_that_pass(
    worlds: Worlds, high: str, answer: str
) -> None:
    world = worlds(repaint_max="50bps")
    for minute in (8, 10, 11):
        world.cycle(minute)
    edit = {"name": "edit", "edit": [{"op": "set", "at": [0, 2], "value": high}]}
    world.admin.faults([{"path": KLINES, "action": edit, "times": 1}])
    report = world.cycle(12)
    assert report.plan is not None
    assert report.plan.trail[-1].answer == answer
    seen = world.payloads("snapshot")[-1]
    assert seen["repaints"] == {"BTC/USDT": 5_000 if answer == "approved" else 5_100}
    assert "repaints" not in world.payloads("snapshot")[0]
    if answer == "DATA_REPAINTED":
        (refused,) = report.plan.refused
        assert refused.detail == "limit=5000 measured=5100 unit=ppm"


def test_a_bar_that_is_told_for_the_first_time_has_not_changed(worlds: Worlds) -> None:
    world = worlds(repaint_max="0")
    world.cycle(8)
    # Minute 9 is new: what the venue tells of it first is what is decided on.
    edit = {"name": "edit", "edit": [{"op": "set", "at": [-2, 2], "value": "130"}]}
    world.admin.faults([{"path": KLINES, "action": edit, "times": 1}])
    world.cycle(9)
    assert "repaints" not in world.payloads("snapshot")[-1]


def test_bars_missed_between_two_cycles_are_read_up(world: World) -> None:
    world.cycle(8)
    world.cycle(16)
    assert [minute for kept in opens(world) for minute in kept][-2:] == [15, 16]
    assert world.cycle(17).code is ExitCode.OK


def test_bars_that_cannot_be_read_refuse_entries_of_their_instrument_alone(
    worlds: Worlds,
) -> None:
    world = worlds(("BTC/USDT", "ETH/USDT"))
    world.admin.faults([{"path": KLINES, "contains": "symbol=ETHUSDT", "action": "html_502"}])
    report = world.cycle(8)
    assert report.code is ExitCode.OK
    assert report.plan is not None
    rows = [row for row in report.plan.trail if not is_universe_row(row)]
    answers = {row.symbol: row.answer for row in rows}
    assert answers["BTC/USDT"] == "approved"
    assert answers["ETH/USDT"].startswith("DATA_STALE read=VENUE_DOWN")


def test_quotes_that_cannot_be_read_refuse_by_name(world: World) -> None:
    world.admin.faults([{"path": QUOTES, "action": "html_502"}])
    report = world.cycle(8)
    assert report.plan is not None
    assert [r.code for r in report.plan.refused] == ["QUOTE_MISSING"]
    assert report.code is ExitCode.DATA


def test_quotes_that_cannot_be_read_do_not_cost_a_position_its_exit(world: World) -> None:
    world.cycle(8)
    world.admin.faults([{"path": QUOTES, "action": "html_502"}])
    with pytest.raises(VenueUnavailable):
        world.cycle(10)
    assert [order["side"] for order in world.orders()] == ["buy"]
    world.admin.clear_faults()
    assert world.cycle().code is ExitCode.OK
    assert [order["side"] for order in world.orders()] == ["buy", "sell"]


def test_what_the_decision_saw_is_in_its_snapshot(world: World) -> None:
    world.cycle(8)
    (seen,) = world.payloads("snapshot")
    assert seen["windows"]["BTC/USDT|1m"][:3] == [
        START_MS + 7 * MINUTE_MS,
        START_MS + 8 * MINUTE_MS,
        2,
    ]
    assert len(seen["quotes"]["BTC/USDT"]) == 5
    assert (seen["latch"], seen["troubles"]) == ("running", {})
