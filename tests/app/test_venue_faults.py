"""What a pass writes down of a venue that fails, and the distance of the two clocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trader.app.replay import replay
from trader.build import code_hash
from trader.errors import ExitCode, VenueUnavailable

from .world import MINUTE_MS, START_MS, World

Worlds = Callable[..., World]
ACCOUNT, ORDER, TIME = "/api/v3/account", "/api/v3/order", "/api/v3/time"
BROKEN = {"POLICY__BREAKER__FAULTS": "2", "POLICY__BREAKER__REST": "2m"}


def failing(world: World, minute: int, path: str = ACCOUNT) -> None:
    """One pass whose reads are answered by 502."""
    world.admin.faults([{"method": "GET", "path": path, "action": "html_502"}])
    with pytest.raises(VenueUnavailable):
        world.cycle(minute)
    world.admin.clear_faults()


def refused(world: World, minute: int) -> list[str]:
    """Codes of the refusals of one pass."""
    report = world.cycle(minute)
    assert report.plan is not None
    return [no.code for no in report.plan.refused]


def test_a_failed_read_is_the_only_entry_of_its_pass(worlds: Worlds) -> None:
    world = worlds(env=BROKEN)
    world.cycle(8)
    before = world.kinds()
    failing(world, 9)
    assert world.kinds() - before == {"venue_fault": 1}
    (fault,) = world.payloads("venue_fault")
    assert fault["why"].startswith("reads: ")
    assert START_MS + 10 * MINUTE_MS <= fault["at_ms"] < START_MS + 11 * MINUTE_MS


def test_before_books_are_opened_and_without_a_breaker_nothing_is_written(worlds: Worlds) -> None:
    world = worlds(env=BROKEN)
    failing(world, 8)
    assert world.kinds() == {}
    world.cycle(8, POLICY__BREAKER__FAULTS="0")
    before = world.kinds()
    world.env["POLICY__BREAKER__FAULTS"] = "0"
    failing(world, 9)
    assert world.kinds() == before


def test_the_next_pass_that_is_answered_ends_the_row(worlds: Worlds) -> None:
    world = worlds(env=BROKEN)
    world.cycle(8)
    failing(world, 9)
    world.cycle(10)
    assert len(world.payloads("venue_ok")) == 1
    failing(world, 11)
    assert refused(world, 12) == []
    with world.journal() as journal:
        assert journal.state.number("venue_faults") == 0


def test_after_as_many_in_a_row_entries_wait_and_exits_do_not(worlds: Worlds) -> None:
    world = worlds(env=BROKEN)
    assert world.cycle(8).code is ExitCode.OK
    failing(world, 9)
    failing(world, 9)
    report = world.cycle(10)  # the minute of the exit
    assert report.plan is not None
    assert [str(leg.side) for leg in report.plan.legs] == ["sell"]
    # An accepted order closes the breaker, an exit's too.
    with world.journal() as journal:
        assert journal.state.number("venue_faults") == 0


def test_entries_wait_until_the_venue_was_left_alone(worlds: Worlds) -> None:
    world = worlds(env={**BROKEN, "POLICY__BREAKER__REST": "4m"})
    world.cycle(9)  # opens the books, no entry is due
    failing(world, 10)
    failing(world, 11)
    assert refused(world, 12) == ["VENUE_DEGRADED"]
    assert world.payloads("venue_ok") == []
    assert refused(world, 16) == []
    with world.journal() as journal:
        assert journal.state.number("venue_faults") == 0
        told = replay(journal, code_hash())
    assert told.proven


def test_an_order_whose_end_nobody_knows_counts_as_a_fault(worlds: Worlds) -> None:
    world = worlds(env=BROKEN)
    world.admin.faults([{"method": "POST", "path": ORDER, "action": "html_502"}])
    world.cycle(8)
    with world.journal() as journal:
        assert journal.state.number("venue_faults") == 1
        assert journal.state.word("venue_fault_why") == "http_502"


@pytest.mark.parametrize("off_ms", [0, 400, -400])
def test_the_distance_of_the_clocks_is_told(worlds: Worlds, off_ms: int) -> None:
    world = worlds()
    world.at(8)
    world.clock.put(world.clock.now_ms() + off_ms)
    world.cycle()
    (seen,) = world.payloads("snapshot")
    assert abs(int(seen.get("skew_ms", 0)) - off_ms) < 200
