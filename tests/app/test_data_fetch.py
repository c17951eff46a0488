"""Fetching history over HTTP from the local exchange: whole, exact, and never twice."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trader.app.data_fetch import (
    Fetched,
    FetchProgress,
    FetchRequest,
    fetch_each,
    fetch_history,
    worst_of,
)
from trader.bars.load import load_bars
from trader.bars.resample import resample
from trader.bars.store import BarStore
from trader.core.series import Series
from trader.errors import DataError, LockHeld, UsageError, VenueRefused, VenueUnavailable
from trader.exchange.server import ExchangeConfig, RunningExchange, serve_in_thread
from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue
from trader.venues.history import History

M = 60_000
START_MS = 1_700_006_400_000
BARS = 3_200
KLINES = "/api/v3/klines"
# Another bar for the time of the row before it: row 9 of a first page, as minute 7 is a hole.
OTHER_BAR = [START_MS + 10 * M, *["1"] * 5, START_MS + 11 * M - 1, "1", 1, "1", "1", "0"]
HOLES = (set(range(1_500, 1_620)), {7}, {2_999, 3_000, 3_001})


def write_bars(folder: Path) -> Path:
    """Minutes of random prices with an outage and two smaller holes."""
    draw = random.Random(5)
    lines = ["timestamp_ms,open,high,low,close,volume"]
    price = 40_000
    for index in range(BARS):
        first, price = price, price + draw.randrange(-30, 31)
        high, low = max(first, price) + draw.randrange(9), min(first, price) - draw.randrange(9)
        if any(index in hole for hole in HOLES):
            continue
        prices = ",".join(f"{value / 100:.2f}" for value in (first, high, low, price))
        lines.append(f"{START_MS + index * M},{prices},{draw.randrange(1, 90_000) / 1000}")
    path = folder / "BTC_USDT-1m.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass
class World:
    """A served exchange, the store beside it, and the file that it trades from."""

    served: RunningExchange
    source: Path
    store: BarStore
    stack: ExitStack
    waits: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def history(self) -> History:
        """A client of the exchange; whoever waits moves the exchange's clock."""
        config = CcxtConfig("binance", "paper", self.served.base_url, timeout_ms=2_000)
        clock = self.served.exchange.clock.now_ms
        venue = CcxtVenue(config, clock, sleep=lambda _: None)

        def sleep(seconds: float) -> None:
            self.served.admin.advance(int(seconds * 1_000))

        found = History(
            venue, clock, sleep=sleep, waiting=lambda why, ms: self.waits.append((why, ms))
        )
        self.stack.callback(found.close)
        return found

    def fetch(
        self,
        timeframe: str = "1m",
        since_ms: int | None = START_MS,
        until_ms: int | None = None,
        progress: FetchProgress | None = None,
        **more: Any,
    ) -> Fetched:
        """Fetch BTC/USDT; a bar may change for a second after its close."""
        request = FetchRequest("BTC/USDT", timeframe, since_ms, until_ms, **more)
        return fetch_history(self.history(), self.store, request, 1_000, progress)

    def kept(self, timeframe: str = "1m") -> list[tuple[int, ...]]:
        """Every kept bar: times, and prices and volume as exact integers."""
        found = self.store.load("BTC/USDT", timeframe)
        return [] if found is None else bars_of(found.series)

    def true(self, first: int = 0, stop: int = BARS) -> list[tuple[int, ...]]:
        """The bars of the file, minutes [first, stop)."""
        rows = bars_of(load_bars(self.source).series)
        return [row for row in rows if first <= (row[0] - START_MS) // M < stop]

    def asked(self) -> int:
        """Requests for bars so far."""
        return int(self.served.admin.requests()["counts"].get(f"GET {KLINES}", 0))


def bars_of(series: Series) -> list[tuple[int, ...]]:
    """Rows that can be compared whatever the tick is."""
    times = series.tick * 10**8
    return [
        (row[0], *(int(value * times) for value in row[1:5]), round(row[5] * 10**6))
        for row in series.rows()
    ]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An exchange whose clock stands ten seconds after the last bar."""
    source = write_bars(tmp_path)
    config = ExchangeConfig(
        bars=[f"{source}=BTCUSDT"], now_ms=START_MS + BARS * M + 10_000, state_dir=None, fsync=False
    )
    with ExitStack() as stack, serve_in_thread(config) as served:
        yield World(served, source, BarStore(tmp_path / "kept"), stack)


def test_every_bar_comes_and_gaps_stay_gaps(world: World) -> None:
    done = world.fetch()
    assert world.kept() == world.true()
    assert (done.added, done.equal, done.replaced) == (BARS - 124, 0, 0)
    assert (done.bars, done.first_ms) == (BARS - 124, START_MS)
    assert (done.left_out, done.notes) == ([], [])
    assert not list(world.store.folder.glob("*.pages"))


def test_what_was_told_is_not_asked_for_again(world: World) -> None:
    world.fetch()
    world.served.admin.clear_requests()
    again = world.fetch()
    assert world.asked() == 0
    assert (again.pages, again.added, again.bars) == (0, 0, BARS - 124)


def test_a_fetch_without_a_beginning_goes_on_where_the_last_one_ended(world: World) -> None:
    with pytest.raises(UsageError, match="nothing is kept of BTC/USDT 1m to go on from"):
        world.fetch(since_ms=None)
    world.fetch(until_ms=START_MS + 1_000 * M)
    assert world.kept() == world.true(0, 1_000)
    world.fetch(since_ms=None)
    assert world.kept() == world.true()


def test_stretches_join_in_any_order(world: World) -> None:
    for first, stop in ((2_000, 2_500), (0, 300), (2_400, 3_200), (250, 2_100)):
        world.fetch(since_ms=START_MS + first * M, until_ms=START_MS + stop * M)
    assert world.kept() == world.true()
    found = world.store.load("BTC/USDT", "1m")
    assert found is not None
    assert found.covered == ((START_MS, START_MS + BARS * M),)


def test_only_closed_bars_that_have_settled_are_kept(world: World) -> None:
    world.served.admin.set_clock(START_MS + 1_001 * M + 500)
    world.fetch()
    # Minute 1,000 closed half a second ago and may still change; 1,001 is open.
    assert world.kept() == world.true(0, 1_000)
    world.served.admin.advance(600)
    world.fetch()
    assert world.kept() == world.true(0, 1_001)


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_higher_bars_are_the_venues_own_and_equal_to_resampled_ones(
    world: World, timeframe: str
) -> None:
    world.fetch(timeframe)
    found = world.store.load("BTC/USDT", timeframe)
    assert found is not None
    whole = resample(
        load_bars(world.source).series, found.series.step_ms, START_MS, START_MS + BARS * M
    )
    assert len(whole) > 0
    assert bars_of(found.series) == bars_of(whole)


def edit(*edits: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A fault that changes answers with bars."""
    return {"path": KLINES, "action": {"name": "edit", "edit": list(edits)}, **more}


ODD_PAGES: dict[str, list[dict[str, Any]]] = {
    "short pages": [edit({"op": "first", "at": [], "value": 137})],
    "pages of one bar, sometimes": [
        edit({"op": "first", "at": [], "value": 1}, when={"every": 2}),
    ],
    "repeated rows": [edit({"op": "repeat", "at": [5]}, {"op": "repeat", "at": [-1]})],
    "newest first": [edit({"op": "reverse", "at": []})],
    "an empty page, once": [edit({"op": "first", "at": [], "value": 0}, when={"nth": 2})],
    "a bad gateway, twice": [{"path": KLINES, "times": 2, "action": "html_502"}],
    "a cut answer": [{"path": KLINES, "when": {"nth": 3}, "action": "cut_json"}],
    "a lost answer": [{"path": KLINES, "when": {"nth": 2}, "action": "drop_after"}],
    "a reset": [{"path": KLINES, "when": {"nth": 1}, "action": "reset_before"}],
    "null": [{"path": KLINES, "when": {"nth": 2}, "action": "null"}],
    "an error as a success": [{"path": KLINES, "when": {"nth": 2}, "action": "empty_object"}],
    "an impossible bar, once": [
        edit({"op": "set", "at": [3, 2], "value": "0.01"}, when={"nth": 2}),
    ],
    "two bars for a time, once": [
        edit({"op": "set", "at": [10], "value": OTHER_BAR}, when={"nth": 1}),
    ],
}


@pytest.mark.parametrize("odd", ODD_PAGES)
def test_odd_answers_change_nothing_of_what_is_kept(world: World, odd: str) -> None:
    world.served.admin.faults(ODD_PAGES[odd])
    done = world.fetch()
    assert sum(fault["injected"] for fault in world.served.admin.faults()) >= 1
    assert world.kept() == world.true()
    assert done.left_out == []


def test_an_answer_that_never_comes_is_waited_for_in_bounds(world: World) -> None:
    fault = {"path": KLINES, "times": 1, "action": {"name": "hold", "gate": "late"}}
    world.served.admin.faults([fault])
    config = CcxtConfig("binance", "paper", world.served.base_url, timeout_ms=150)
    clock = world.served.exchange.clock.now_ms
    history = History(CcxtVenue(config, clock, sleep=lambda _: None), clock)
    request = FetchRequest("BTC/USDT", "1m", START_MS)
    fetch_history(history, world.store, request, 1_000)
    history.close()
    world.served.admin.release("late")
    assert world.kept() == world.true()


def test_a_venue_that_asks_for_silence_gets_it(world: World) -> None:
    now_ms = world.served.exchange.clock.now_ms()
    world.served.admin.ban(now_ms + 45_000)
    world.fetch(until_ms=START_MS + 3_000 * M)
    assert world.kept() == world.true(0, 3_000)
    assert [why for why, _ in world.waits] == ["the venue asks for silence"]
    assert 44_000 < world.waits[0][1] < 47_000


def test_a_venue_that_asks_for_an_hour_of_silence_ends_the_run(world: World) -> None:
    world.served.admin.ban(world.served.exchange.clock.now_ms() + 3_600_000)
    with pytest.raises(VenueUnavailable):
        world.fetch()
    assert world.waits == []


def test_half_of_the_venues_weight_is_left_to_others(world: World) -> None:
    # Others of this address have used nearly all of what a fetch may use: 3,000 of 6,000.
    world.served.exchange.limits.spend("API", 2_994, world.served.exchange.clock.now_ms())
    world.fetch(until_ms=START_MS + 3_000 * M)
    assert world.kept() == world.true(0, 3_000)
    assert [why for why, _ in world.waits] == ["the venue's request weight of this minute is used"]
    assert 0 < world.waits[0][1] <= 60_500


def test_a_bar_that_cannot_be_is_left_out_by_name_and_asked_for_again(world: World) -> None:
    world.served.admin.faults(
        [edit({"op": "set", "at": [3, 2], "value": "0.01"}, contains=f"startTime={START_MS}")]
    )
    done = world.fetch()
    assert world.kept() == [row for row in world.true() if row[0] != START_MS + 3 * M]
    assert len(done.left_out) == 1
    assert "high 0.01" in done.left_out[0]
    error = worst_of([done])
    assert isinstance(error, DataError)
    assert "left out" in str(error)
    world.served.admin.clear_faults()
    assert worst_of([world.fetch()]) is None
    assert world.kept() == world.true()


def test_a_bar_that_the_venue_changed_is_refused_by_name_unless_asked_for(world: World) -> None:
    with world.store.writing("BTC/USDT", "1m") as writer:
        other = load_bars(world.source).series.slice(0, 50)
        other.volume[20] += 1
        writer.add(other, {"what": "file", "rows": 50})
    with pytest.raises(DataError, match=r"the bar of 2023-11-15 00:21:00 UTC is kept as .*--repl"):
        world.fetch()
    assert world.kept()[20][5] != world.true()[20][5]
    done = world.fetch(replace=True)
    assert (done.replaced, done.equal) == (1, 49)
    assert world.kept() == world.true()


def test_an_unknown_pair_is_refused(world: World) -> None:
    request = FetchRequest("NO/USDT", "1m", START_MS)
    with pytest.raises(VenueRefused, match="NO/USDT is not listed"):
        fetch_history(world.history(), world.store, request, 1_000)


def test_a_stretch_without_bars_is_said_and_may_come_later(world: World) -> None:
    after_ms = START_MS + BARS * M
    done = world.fetch(since_ms=after_ms)
    error = worst_of([done])
    assert done.bars == 0
    assert isinstance(error, DataError)
    world.served.admin.set_clock(after_ms + 7 * M)
    done = world.fetch(since_ms=after_ms)
    assert "tells no bars from 2023-11-17 05:20:00 UTC" in done.notes[0]
    assert str(worst_of([done])).startswith("there are no bars of BTC/USDT 1m; BTC/USDT 1m: bin")


def test_a_venue_that_tells_other_times_than_asked_for_is_not_followed(world: World) -> None:
    world.served.admin.faults(
        [
            edit(
                {"op": "first", "at": [], "value": 2},
                {"op": "set", "at": ["*", 0], "value": START_MS - 5 * M},
            )
        ]
    )
    done = world.fetch()
    assert world.kept() == []
    assert done.pages == 0
    assert "tells no bars from 2023-11-15 00:00:00 UTC" in done.notes[0]
    world.served.admin.clear_faults()
    world.fetch()
    assert world.kept() == world.true()


def test_progress_ends_whole(world: World) -> None:
    told: list[tuple[int, int, int]] = []
    world.fetch(progress=lambda done, total, newest: told.append((done, total, newest)))
    assert told[-1][0] == told[-1][1] == BARS * M
    assert told[-1][2] == START_MS + (BARS - 1) * M
    assert [row[0] for row in told] == sorted(row[0] for row in told)


def stop_after(pages: int, how: Callable[[], None]) -> FetchProgress:
    """A watcher that ends the run after so many pages."""
    left = [pages]

    def watch(*_: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            how()

    return watch


def test_an_interrupted_fetch_keeps_its_pages_and_goes_on(world: World) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.fetch(progress=stop_after(2, interrupt))
    before = world.kept()
    # Two pages of a thousand bars each: the exchange counts the holes out.
    assert before == world.true()[:2_000]
    world.served.admin.clear_requests()
    world.fetch()
    assert world.kept() == world.true()
    assert world.asked() == 2


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_killed_fetch_keeps_its_pages_and_goes_on(world: World) -> None:
    for pages in (1, 2, 3):
        pid = os.fork()
        if pid == 0:
            try:
                world.fetch(progress=stop_after(1, lambda: os.kill(os.getpid(), signal.SIGKILL)))
            finally:
                os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == -signal.SIGKILL
        assert world.kept() == world.true()[: 1_000 * pages]
    world.fetch()
    assert world.kept() == world.true()


def test_a_page_that_was_half_written_is_asked_for_again(world: World) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.fetch(progress=stop_after(3, interrupt))
    (pages,) = world.store.folder.glob("*.pages")
    sound = pages.read_bytes()
    lines = sound.splitlines(keepends=True)
    assert len(lines) == 3
    cut = len(lines[0]) + len(lines[1]) // 2
    draw = random.Random(3)
    true = world.true()
    places = [draw.randrange(len(lines[0]), len(sound)) for _ in range(40)]
    flipped = [_flipped(sound, place, draw) for place in places]
    for damaged in (*flipped, sound[:cut], sound[:-1], b"zz"):
        pages.write_bytes(damaged)
        kept = world.store.load("BTC/USDT", "1m")
        rows = [] if kept is None else bars_of(kept.series)
        assert rows == true[: len(rows)]
        assert len(rows) in {0, 1_000, 2_000, 3_000}
    done = world.fetch()
    assert world.kept() == world.true()
    assert done.pages == 4


def _flipped(data: bytes, place: int, draw: random.Random) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << draw.randrange(8)
    return bytes(changed)


def test_one_pair_that_cannot_be_fetched_does_not_end_the_others(world: World) -> None:
    requests = [FetchRequest(symbol, "1m", START_MS) for symbol in ("NO/USDT", "BTC/USDT")]

    def fetch(request: FetchRequest) -> Fetched:
        return fetch_history(world.history(), world.store, request, 1_000)

    refused, done = fetch_each(requests, fetch)
    assert isinstance(refused.error, VenueRefused)
    assert done.error is None
    assert world.kept() == world.true()
    with world.store.writing("BTC/USDT", "1m"):
        refused, locked = fetch_each(requests, fetch)
    assert isinstance(locked.error, LockHeld)
    assert worst_of([locked, refused]) is refused.error
    assert worst_of([locked, done]) is locked.error
    assert worst_of([done]) is None
    with pytest.raises(VenueRefused):
        fetch_each(requests[:1], fetch)


def test_two_fetches_of_one_pair_do_not_mix(world: World) -> None:
    with world.store.writing("BTC/USDT", "1m"), pytest.raises(LockHeld):
        world.fetch()
    assert world.kept() == []
