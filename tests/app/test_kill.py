"""`kill --all`: latched, everything cancelled, confirmed by reading; and the one way back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trader.app.kill import LOG_NAME, kill_all, kill_status, read_log, resume
from trader.app.sweep import SweepLimits
from trader.domain.order import OrderState
from trader.domain.outcome import Accepted, Outcome, Rejected, Unknown
from trader.errors import ExitCode, JournalError, UsageError, VenueRefused, VenueUnavailable
from trader.journal.journal import Journal
from trader.ops.latch import Latch

from .kill_world import (
    NOW_MS,
    OWN_ID,
    FakeClock,
    MemoryVenue,
    Moody,
    World,
    fill_of,
    resting,
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An account without orders."""
    clock = FakeClock()
    return World(tmp_path, clock, MemoryVenue(clock))


def failing(name: str, times: int, what: Callable[[], Outcome | None]) -> Any:
    """A fault that happens to the first calls of one name."""
    left = [times]

    def fault(called: str, _: Any) -> Outcome | None:
        if called != name or left[0] == 0:
            return None
        left[0] -= 1
        return what()

    return fault


def unavailable() -> Outcome | None:
    """No sensible answer."""
    raise VenueUnavailable("HTTP 503")


def test_nothing_open_is_confirmed_and_latched(world: World) -> None:
    report = world.kill()
    assert report.confirmed
    assert report.exit_code is ExitCode.OK
    assert world.latch.level() == "frozen"
    assert world.venue.calls.count("fetch_open_orders") >= 2


def test_orders_of_policy_journal_and_nobody_are_all_cancelled(world: World) -> None:
    world.write_books("ETH/USDT")
    world.venue.listed = ("BTC/USDT", "ETH/USDT", "XRP/USDT")
    world.venue.add(resting("BTC/USDT", 1, "by-hand"), resting("ETH/USDT", 9, OWN_ID))
    world.venue.add(resting("XRP/USDT", 2))
    report = world.kill()
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []
    assert len(report.cancelled) >= 1
    assert any("XRP/USDT" in line for line in report.cancelled)


def test_what_survives_a_cancel_of_all_is_cancelled_one_by_one(world: World) -> None:
    world.venue.add(resting("BTC/USDT", 1, "stubborn"))
    world.venue.fault = failing("cancel_all", 10**6, lambda: Accepted(resting("BTC/USDT", 1)))
    report = world.kill()
    assert report.confirmed, report.left
    assert "cancel" in world.venue.calls
    assert world.venue.open_ids() == []


def test_one_empty_list_between_failures_confirms_nothing(world: World) -> None:
    answers = iter([True, False, True, False, True, True, True, True, True])
    looks: list[bool] = []

    def fault(name: str, _: Any) -> None:
        if name == "fetch_open_orders":
            looks.append(next(answers))
            if not looks[-1]:
                raise VenueUnavailable("timed out")

    world.venue.fault = fault
    world.write_books()
    world.venue.add(resting("ETH/USDT", 9, OWN_ID))
    assert world.kill().confirmed
    assert looks[:6] == [True, False, True, False, True, True]


@pytest.mark.parametrize("state", ["accepted", "unknown", "sending"])
def test_an_order_that_shows_two_seconds_late_is_still_cancelled(world: World, state: str) -> None:
    world.write_books("BTC/USDT", state)
    world.venue.add(resting("BTC/USDT", 9, OWN_ID), seen_from_ms=NOW_MS + 2_000)
    report = world.kill()
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []


def test_a_late_order_is_waited_for_when_the_journal_cannot_tell(world: World) -> None:
    world.journal_path.write_bytes(b"not a database" * 500)
    world.venue.add(resting("BTC/USDT", 9, OWN_ID), seen_from_ms=NOW_MS + 2_000)
    report = world.kill()
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []


def test_an_empty_list_is_not_believed_against_the_order_itself(world: World) -> None:
    world.write_books("BTC/USDT")
    world.venue.add(resting("BTC/USDT", 9, OWN_ID))
    lists: list[int] = []

    class Blind(MemoryVenue):
        def fetch_open_orders(self, symbols: Any) -> Any:
            lists.append(len(symbols))
            return []

    world.venue = Blind(world.clock, orders=world.venue.orders, seen_from_ms={"v9": 0})
    world.venue.fault = failing("cancel", 3, lambda: Unknown("timeout", "no answer"))
    left = [3]

    def fault(name: str, _: Any) -> Outcome | None:
        if name in {"cancel", "cancel_all"} and left[0] > 0:
            left[0] -= 1
            return Unknown("timeout", "no answer")
        return None

    world.venue.fault = fault
    report = world.kill()
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []
    assert len(lists) > 2


def test_a_venue_that_is_down_leaves_a_latch_and_says_what_is_not_known(world: World) -> None:
    def down(*_: Any) -> None:
        raise VenueUnavailable("connection refused")

    world.venue.fault = down
    world.venue.add(resting("BTC/USDT", 1))
    report = world.kill()
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    assert world.latch.level() == "frozen"
    assert any("could not be read: connection refused" in line for line in report.left)
    assert report.took_ms < world.limits.deadline_ms + 5_000


def test_rounds_are_bounded_even_when_the_clock_stands(world: World) -> None:
    world.clock.tick_ms = 0
    world.clock.sleep = lambda _: None  # type: ignore[method-assign] # a clock that stands
    world.limits = SweepLimits(rounds_max=7)
    world.venue.fault = failing("fetch_open_orders", 10**6, unavailable)
    report = world.kill()
    assert not report.confirmed
    # One look beside the first cancels, then seven rounds.
    assert world.venue.calls.count("fetch_open_orders") == 8


def test_an_order_that_cannot_be_cancelled_is_named_with_the_venues_words(world: World) -> None:
    world.venue.add(resting("BTC/USDT", 1, "stuck"))

    def refuse(name: str, _: Any) -> Outcome | None:
        return Rejected("no_right", "key may not trade") if name.startswith("cancel") else None

    world.venue.fault = refuse
    report = world.kill()
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    (line,) = [line for line in report.left if "still open" in line]
    assert "BTC/USDT buy 1 at 100" in line
    assert "stuck" in line
    assert "key may not trade" in line


def test_a_venue_that_cannot_be_made_leaves_a_latch_all_the_same(world: World) -> None:
    def broken() -> Any:
        raise UsageError("app.yaml line 3 is not YAML")

    report = kill_all(world.setup(broken), "drill", "ann")
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    assert report.latched
    assert world.latch.level() == "frozen"
    assert any("app.yaml line 3" in line for line in report.left)


def test_an_instrument_that_is_not_listed_does_not_spoil_the_others(world: World) -> None:
    world.symbols = ("BTC/USDT", "GONE/USDT")
    world.venue.add(resting("BTC/USDT", 1))

    def fault(name: str, what: Any) -> None:
        if name == "fetch_open_orders" and "GONE/USDT" in what:
            raise VenueRefused("GONE/USDT is not listed")

    world.venue.fault = fault
    report = world.kill()
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []
    assert any("GONE/USDT" in note for note in report.notes)


def test_without_a_journal_the_whole_list_of_the_venue_must_be_looked_through(
    world: World,
) -> None:
    world.venue.fault = failing("fetch_instruments", 10**6, unavailable)
    report = world.kill()
    assert not report.confirmed
    assert any("known instruments" in line for line in report.left)
    world.write_books()
    world.venue.add(resting("ETH/USDT", 9, OWN_ID))
    report = world.kill()
    assert report.confirmed, report.left
    assert any("known instruments" in note for note in report.notes)


@pytest.mark.parametrize("seed", range(60))
def test_with_three_calls_of_ten_failing_it_still_ends_at_zero(world: World, seed: int) -> None:
    symbols = tuple(f"C{number}/USDT" for number in range(20))
    world.symbols, world.venue.listed = symbols, symbols
    for number in range(60):
        late_ms = NOW_MS + 2_000 if number % 6 == 0 else 0
        order = resting(symbols[number % 20], number, f"id{number}")
        world.venue.add(order, seen_from_ms=late_ms)
    world.venue.fault = fault = Moody(seed)
    report = world.kill()
    assert fault.injected > 5
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []


# --- what is written down ------------------------------------------------------------------------


def test_the_halt_and_what_the_venue_told_are_in_the_journal(world: World) -> None:
    world.write_books("BTC/USDT")
    order = resting("BTC/USDT", 9, OWN_ID, filled="0.25")
    world.venue.add(order)
    world.venue.fills.append(fill_of(order, "t1", "0.25"))
    report = world.kill()
    assert report.confirmed, report.left
    assert "entry" in report.recorded
    assert report.fills == ["BTC/USDT buy 0.25 at 100, trade t1"]
    with Journal.open(world.journal_path, read_only=True) as journal:
        state = journal.state
        assert (state.word("halt_level"), state.word("halt_by")) == ("frozen", "ann")
        assert state.orders[OWN_ID].state is OrderState.CANCELED
        assert state.orders[OWN_ID].filled_lots == 2_500
        assert state.positions["BTC/USDT"].qty_units == 25_000_000
        kinds = [entry.kind for entry in journal.entries()][-3:]
        assert kinds == ["halt", "order_seen", "fill"]


def test_killing_twice_books_nothing_twice(world: World) -> None:
    world.write_books("BTC/USDT")
    order = resting("BTC/USDT", 9, OWN_ID, filled="0.25")
    world.venue.add(order)
    world.venue.fills.append(fill_of(order, "t1", "0.25"))
    assert world.kill().confirmed
    assert world.kill().confirmed
    with Journal.open(world.journal_path, read_only=True) as journal:
        assert journal.state.positions["BTC/USDT"].qty_units == 25_000_000


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 500])
def test_an_unusable_journal_is_replaced_by_a_file_of_its_own(
    world: World, content: bytes | None
) -> None:
    if content is not None:
        world.journal_path.write_bytes(content)
    world.venue.add(resting("BTC/USDT", 1))
    report = world.kill()
    assert report.confirmed, report.left
    assert world.venue.open_ids() == []
    assert report.recorded == str(world.folder / LOG_NAME)
    (record,) = read_log(world.folder / LOG_NAME)
    assert record["halt"]["level"] == "frozen"
    assert record["halt"]["by"] == "ann"
    assert record["report"]["cancelled"] == report.cancelled
    assert (world.journal_path.read_bytes() if content is not None else None) == content


def test_a_cut_line_of_the_log_hides_no_other(world: World) -> None:
    path = world.folder / LOG_NAME
    world.kill()
    world.kill()
    whole = path.read_text().splitlines()
    path.write_text(f"{whole[0]}\n{whole[1][:20]}\n{whole[1]}\n[1]\n")
    assert len(read_log(path)) == 2


# --- the running cycle ---------------------------------------------------------------------------

CYCLE = """
import signal, sys, time
from pathlib import Path
from trader.ops.lock import hold
signal.signal(signal.SIGTERM, lambda *_: None)
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    while True:
        time.sleep(60)
"""


def test_a_cycle_that_was_stopped_between_check_and_send_is_ended_first(world: World) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CYCLE, str(world.folder / "lock")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        process.send_signal(signal.SIGSTOP)
        report = world.kill()
        assert report.confirmed, report.left
        assert report.ended == (process.pid,)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_cycle_that_cannot_be_ended_is_named(world: World) -> None:
    world.write_books("BTC/USDT")
    world.venue.add(resting("BTC/USDT", 9, OWN_ID))
    with world.lock():  # held by this very process, which a kill does not end
        report = world.kill()
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    assert any("could not be ended" in line for line in report.left)
    assert world.venue.open_ids() == []
    with Journal.open(world.journal_path, read_only=True) as journal:
        # The halt follows without the lock; the facts are the next cycle's.
        assert journal.state.word("halt_level") == "frozen"
        assert journal.state.orders[OWN_ID].state is OrderState.OPEN


# --- the way back --------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("ann", ""), (" ", "why"), ("ann", "\n")])
def test_nobody_resumes_without_a_name_and_a_reason(world: World, by: str, reason: str) -> None:
    world.write_books()
    world.venue.add(resting("ETH/USDT", 9, OWN_ID))
    world.kill()
    with Journal.open(world.journal_path) as journal:
        before = journal.head
        with pytest.raises(UsageError, match="named human"):
            resume(world.latch, journal, by, reason, NOW_MS)
        assert journal.head == before
    assert world.latch.level() == "frozen"


def test_a_named_human_resumes_and_the_journal_keeps_who_and_why(world: World) -> None:
    world.write_books()
    world.kill()
    with Journal.open(world.journal_path) as journal:
        assert resume(world.latch, journal, "ann", "all is well", NOW_MS)
        assert journal.state.word("halt_level") == "running"
        *_, last = journal.entries()
        assert last.kind == "resume"
        assert (last.payload["by"], last.payload["why"]) == ("ann", "all is well")
        assert not resume(world.latch, journal, "ann", "again", NOW_MS)
    assert world.latch.read() is None


def test_a_crash_between_the_entry_and_the_latch_leaves_it_halted(world: World) -> None:
    world.write_books()
    world.kill()

    class Crash(Latch):
        def clear(self, by: str, reason: str, at_ms: int) -> None:
            raise JournalError(f"power cut at {at_ms}, {by}, {reason}")

    with Journal.open(world.journal_path) as journal:
        with pytest.raises(JournalError):
            resume(Crash(world.latch.path), journal, "ann", "all is well", NOW_MS)
        assert kill_status(world.latch, journal, world.journal_path).level == "frozen"
        assert resume(world.latch, journal, "ann", "all is well", NOW_MS)
        assert kill_status(world.latch, journal, world.journal_path).level == "running"


def test_a_restored_journal_or_a_lost_latch_alone_does_not_resume(world: World) -> None:
    world.write_books()
    restored = world.journal_path.read_bytes()
    world.kill()
    world.latch.path.unlink()
    with Journal.open(world.journal_path, read_only=True) as journal:
        assert kill_status(world.latch, journal, world.journal_path).level == "frozen"
    world.kill()
    for path in world.folder.glob("journal*"):
        path.unlink()
    world.journal_path.write_bytes(restored)
    assert kill_status(world.latch, None, world.journal_path).level == "frozen"


def test_status_tells_what_stands_where(world: World) -> None:
    world.kill()
    status = kill_status(world.latch, None, world.journal_path)
    assert status.row() == {
        "level": "frozen",
        "latch": {"level": "frozen", "why": "drill", "by": "ann", "at_ms": NOW_MS + 1},
        "journal": {"level": "", "why": "", "by": ""},
        "log_lines": 1,
    }


def test_the_report_is_plain_data(world: World) -> None:
    world.venue.add(resting("BTC/USDT", 1))
    row = world.kill().row()
    assert row["confirmed"] is True
    assert row["left"] == []
    assert row["cancelled"] == ["BTC/USDT buy 1 at 100 (filled 0), venue id v1, no client id"]


def test_fills_that_cannot_be_read_are_not_passed_over(world: World) -> None:
    world.limits = SweepLimits(rounds_max=20)
    world.venue.add(resting("BTC/USDT", 1))
    world.venue.fault = failing("fetch_fills", 10**6, unavailable)
    report = world.kill()
    assert report.left == ["fills could not be read: BTC/USDT"]
    assert world.venue.open_ids() == []


def test_a_latch_that_cannot_be_written_is_named_and_the_orders_are_cancelled_all_the_same(
    world: World,
) -> None:
    world.latch.path.mkdir()  # a folder in its place: it reads as frozen, and cannot be written
    world.venue.add(resting("BTC/USDT", 1))
    report = world.kill()
    assert report.exit_code is ExitCode.NOT_CONFIRMED
    assert any("latch" in line and "cannot be written" in line for line in report.left)
    assert world.venue.open_ids() == []
