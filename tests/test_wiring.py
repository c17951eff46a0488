"""The composition root: places, clocks, modes, signals and the deadline of a pass."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.world import World, exchange_config, write_bars, write_config
from trader import wiring
from trader.errors import JournalError, UsageError, VenueUnavailable
from trader.exchange.server import serve_in_thread
from trader.ops.clock import SystemClock, TravelClock
from trader.venues.paper_venue import PaperVenue


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., wiring.SetupOptions]:
    """Options of a good configuration in the test's folder."""
    write_config(tmp_path, ["BTC/USDT"])

    def make(now: str = "", state_dir: str = "", **env: str) -> wiring.SetupOptions:
        named = {f"TRADER__{name}" if "__" in name else name: text for name, text in env.items()}
        return wiring.SetupOptions(state_dir=state_dir, now=now, env=named, cwd=tmp_path)

    return make


Options = Callable[..., wiring.SetupOptions]


def test_every_account_and_mode_has_its_own_folder(options: Options, tmp_path: Path) -> None:
    setup = wiring.load_setup(options(APP__MODE="paper"))
    assert setup.places.folder == tmp_path / "state" / "tests-paper"
    names = {
        getattr(setup.places, part).name
        for part in ("journal", "lock", "latch", "status", "markets", "paper")
    }
    assert names == {
        "journal.db",
        "lock",
        "latch",
        "status.json",
        "markets.json",
        "paper.json",
    }
    assert isinstance(setup.clock, SystemClock)


def test_the_command_line_names_the_state_folder_before_the_environment(
    options: Options, tmp_path: Path
) -> None:
    assert wiring.state_root(options(STATE_DIRECTORY="unit")) == tmp_path / "unit"
    assert wiring.state_root(options(STATE_DIRECTORY="unit"), "named") == tmp_path / "named"
    given = options(state_dir="mine", STATE_DIRECTORY="unit")
    assert wiring.state_root(given, "named") == tmp_path / "mine"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1706702400", 1_706_702_400_000),
        ("1706702400123", 1_706_702_400_123),
        ("2024-01-31T12:00", 1_706_702_400_000),
        ("2024-01-31T14:00+02:00", 1_706_702_400_000),
        ("2024-01-31", 1_706_659_200_000),
    ],
)
def test_a_time_is_written_in_several_ways(text: str, ms: int) -> None:
    assert wiring.parse_time(text) == ms


@pytest.mark.parametrize("text", ["noon", "2024-13-01", "-5", "1.5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        wiring.parse_time(text)


def test_time_travel_is_refused_against_a_real_exchange(options: Options) -> None:
    with pytest.raises(UsageError, match="--now is refused in mode paper against a real exchange"):
        wiring.load_setup(options(now="2024-01-31", APP__MODE="paper"))


def test_time_travel_takes_the_local_exchange_along(options: Options, tmp_path: Path) -> None:
    bars = write_bars(tmp_path)
    with serve_in_thread(exchange_config(bars)) as served:
        setup = wiring.load_setup(
            options(
                now="2023-11-15T00:30",
                APP__MODE="testnet",
                APP__EXCHANGE__BASE_URL=served.base_url,
            )
        )
        assert isinstance(setup.clock, TravelClock)
        there = served.exchange.clock.now_ms()
    assert abs(there - setup.clock.now_ms()) < 30_000
    assert there >= wiring.parse_time("2023-11-15T00:30")


def test_time_travel_works_where_nobody_has_an_admin_plane(options: Options) -> None:
    nobody = "http://127.0.0.1:9"
    setup = wiring.load_setup(options(now="0", APP__MODE="paper", APP__EXCHANGE__BASE_URL=nobody))
    assert setup.clock.now_ms() < 60_000


def test_paper_is_a_venue_and_needs_no_key(options: Options) -> None:
    setup = wiring.load_setup(options(APP__MODE="paper"))
    assert isinstance(wiring.open_venue(setup), PaperVenue)


def test_testnet_without_a_key_says_where_to_put_it(options: Options) -> None:
    setup = wiring.load_setup(options(APP__MODE="testnet"))
    with pytest.raises(UsageError, match="TRADER_TESTNET_KEY"):
        wiring.open_venue(setup)


def test_an_unarmed_live_mode_is_refused(options: Options) -> None:
    with pytest.raises(UsageError, match="live"):
        wiring.open_venue(wiring.load_setup(options(APP__MODE="live")))


def test_a_state_folder_that_cannot_be_made_is_named(options: Options, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    (tmp_path / "elsewhere").mkdir()
    setup = wiring.load_setup(options(state_dir="elsewhere", APP__MODE="paper"))
    (tmp_path / "elsewhere" / "tests-paper").write_text("in the way")
    with pytest.raises(JournalError, match="cannot make the state folder"):
        wiring.open_journal(setup, create=True)


def test_a_journal_is_made_only_when_asked_for(options: Options) -> None:
    setup = wiring.load_setup(options(APP__MODE="paper"))
    with pytest.raises(JournalError):
        wiring.open_journal(setup)
    with wiring.open_journal(setup, create=True) as journal:
        assert journal.head.seq == 0
    assert setup.places.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_for_an_orderly_stop_and_the_handlers_come_back(number: int) -> None:
    stop = wiring.StopFlag()
    before = signal.getsignal(number)
    with wiring.stop_on_signals(stop):
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
    assert signal.getsignal(number) is before


def test_a_pass_that_takes_too_long_is_ended_and_its_connections_closed() -> None:
    aborted: list[int] = []
    before = signal.getsignal(signal.SIGALRM)
    with (
        pytest.raises(VenueUnavailable, match=r"did not finish within 0.02 s"),
        wiring.deadline(0.02, lambda: aborted.append(1)),
    ):
        threading.Event().wait(10)
    assert aborted == [1]
    assert signal.getsignal(signal.SIGALRM) is before
    with wiring.deadline(30, lambda: aborted.append(2)):
        now = time.monotonic()
    assert now > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert aborted == [1]


def test_a_deadline_outside_the_main_thread_does_nothing() -> None:
    done: list[str] = []

    def work() -> None:
        with wiring.deadline(0.001, lambda: done.append("aborted")):
            done.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert done == ["worked"]


def test_a_whole_cycle_through_the_paper_venue(options: Options, tmp_path: Path) -> None:
    bars = write_bars(tmp_path)
    with serve_in_thread(exchange_config(bars)) as served:
        world = World(tmp_path, served, APP__MODE="paper")
        world.cycle(8)
        bought = world.held()
        assert bought > 0
        world.cycle(10)
        assert world.held() < bought
        assert world.posts() == []  # nothing of it reached the exchange's own books
