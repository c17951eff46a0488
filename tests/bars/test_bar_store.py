"""Kept bars: joined exactly, refused where they contradict, never half-written."""

from __future__ import annotations

import json
import os
import random
import signal
from array import array
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.app.kept_bars import stored
from trader.bars.joining import common_tick, join, on_tick
from trader.bars.store import BarStore, Page, missing_spans, series_sha, told_of, united
from trader.core.series import BarRow, Series, build_series
from trader.errors import DataError, LockHeld, UsageError

M = 60_000
T0 = 1_699_920_000_000  # a midnight UTC
Row = tuple[int, int]


def made(minutes: list[int], tick: str = "0.01", price: int = 1_000, step_ms: int = M) -> Series:
    """Bars of some minutes; equal minutes hold equal prices, whatever they are counted in."""
    times = int(Decimal("0.01") / Decimal(tick))  # the tick makes up hundredths
    rows: list[BarRow] = []
    for minute in sorted(set(minutes)):
        base = (price + minute) * times
        rows.append(
            (T0 + minute * step_ms, base, base + 5 * times, base - 5 * times, base, minute / 8)
        )
    return build_series("BTC/USDT", step_ms, Decimal(tick), rows)


def rows_of(series: Series) -> list[BarRow]:
    """Rows counted in ten-thousandths."""
    return list(on_tick(series, Decimal("0.0001")).rows())


MINUTES = st.lists(st.integers(0, 40), max_size=25)


@given(MINUTES, MINUTES)
def test_joining_is_the_union_whatever_overlaps(old: list[int], new: list[int]) -> None:
    joined = join(made(old), made(new), replace=False, where="new")
    assert list(joined.series.rows()) == list(made(old + new).rows())
    assert joined.added == len(set(new) - set(old))
    assert joined.equal == len(set(new) & set(old))
    assert joined.replaced == 0


@given(MINUTES, MINUTES)
def test_of_different_bars_the_second_stays_only_when_asked_for(
    old: list[int], new: list[int]
) -> None:
    shared = sorted(set(new) & set(old))
    other = made(new, price=2_000)
    if shared:
        with pytest.raises(DataError, match=r"kept as .*, new has .*--replace takes the new one"):
            join(made(old), other, replace=False, where="new")
    joined = join(made(old), other, replace=True, where="new")
    expected = {row[0]: row for row in made(old).rows()} | {row[0]: row for row in other.rows()}
    assert list(joined.series.rows()) == [expected[at] for at in sorted(expected)]
    assert joined.replaced == len(shared)
    assert (joined.equal, joined.added) == (0, len(set(new) - set(old)))


def test_a_contradiction_names_its_bar_and_both_values() -> None:
    other = made([3])
    assert isinstance(other.volume, array)
    other.volume[0] = 77.5
    with pytest.raises(DataError) as caught:
        join(made([1, 2, 3, 4]), other, replace=False, where="b.csv")
    assert str(caught.value) == (
        "BTC/USDT 1m: the bar of 2023-11-14 00:03:00 UTC is kept as 10.03 10.08 9.98 10.03 volume "
        "0.375, b.csv has 10.03 10.08 9.98 10.03 volume 77.5; find out which is right; --replace "
        "takes the new one"
    )


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("0.01", "0.01", "0.01"),
        ("0.01", "0.001", "0.001"),
        ("1", "0.5", "0.5"),
        ("0.02", "0.05", "0.01"),
        ("0.25", "0.1", "0.05"),
        ("10", "1", "1"),
        ("0.00000001", "0.5", "0.00000001"),
    ],
)
def test_two_ticks_meet_in_the_largest_that_makes_up_both(one: str, other: str, both: str) -> None:
    assert common_tick(Decimal(one), Decimal(other)) == Decimal(both)
    assert common_tick(Decimal(other), Decimal(one)) == Decimal(both)


def test_finer_prices_change_no_price() -> None:
    joined = join(made([1, 2]), made([2, 3], tick="0.0001"), replace=False, where="new")
    assert joined.series.tick == Decimal("0.0001")
    assert rows_of(joined.series) == rows_of(made([1, 2, 3]))
    assert joined.equal == 1


def test_prices_that_fit_no_tick_are_refused() -> None:
    high = build_series("A/B", M, Decimal(1), [(T0, 10**15, 10**15, 10**15, 10**15, 1.0)])
    fine = build_series("A/B", M, Decimal("0.0000000001"), [(T0 + M, 1, 1, 1, 1, 1.0)])
    with pytest.raises(DataError, match="do not fit in 64 bits"):
        join(high, fine, replace=False, where="fine")


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), max_size=8)


@given(SPANS, st.integers(0, 20), st.integers(1, 20))
def test_stretches_are_united_and_what_is_missing_is_the_rest(
    given_spans: list[Row], start: int, length: int
) -> None:
    spans = [(at, at + size) for at, size in given_spans]
    covered = {point for at, end in spans for point in range(at, end)}
    whole = united(spans)
    assert {point for at, end in whole for point in range(at, end)} == covered
    assert all(one[1] < other[0] for one, other in pairwise(whole))
    missing = missing_spans(spans, start, start + length)
    assert [point for at, end in missing for point in range(at, end)] == [
        point for point in range(start, start + length) if point not in covered
    ]


def keep(store: BarStore, series: Series, timeframe: str = "1m") -> None:
    """Put bars into the store, as of a file whose hash is known."""
    with store.writing(series.symbol, timeframe) as writer:
        writer.add(series, {"what": "made", "sha": "0", "rows": len(series)})


def page(minutes: list[int], source: str = "venue") -> Page:
    """A page of bars, as a fetch commits it."""
    series = made(minutes)
    rows = tuple(series.rows())
    return Page(rows, series.tick, (rows[0][0], rows[-1][0] + M), source)


def test_what_is_kept_is_read_back_with_where_it_came_from(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    keep(store, made([1, 2, 3]))
    keep(store, made([3, 5]))
    found = store.load("BTC/USDT", "1m")
    assert found is not None
    assert list(found.series.rows()) == list(made([1, 2, 3, 5]).rows())
    assert [source["rows"] for source in found.sources] == [3, 2]
    assert store.held() == [("BTC/USDT", "1m")]
    assert store.load("ETH/USDT", "1m") is None
    assert store.load("BTC/USDT", "5m") is None


def test_pages_are_there_before_and_after_they_are_folded(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    keep(store, made([1, 2]))
    with store.writing("BTC/USDT", "1m") as writer:
        for minutes in ([2, 3], [4, 5, 6], [9]):
            writer.append(page(minutes))
        other = store.load("BTC/USDT", "1m")
        assert other is not None
        assert list(other.series.rows()) == list(made([1, 2, 3, 4, 5, 6, 9]).rows())
        writer.fold()
    found = store.load("BTC/USDT", "1m")
    assert found is not None
    assert list(found.series.rows()) == list(made([1, 2, 3, 4, 5, 6, 9]).rows())
    assert found.covered == ((T0 + 2 * M, T0 + 7 * M), (T0 + 9 * M, T0 + 10 * M))
    assert [(s["what"], s["rows"]) for s in found.sources] == [("made", 2), ("venue", 6)]


def test_many_pages_go_into_the_columns_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trader.bars.store.PAGES_MAX", 4)
    store = BarStore(tmp_path)
    with store.writing("BTC/USDT", "1m") as writer:
        for minute in range(0, 42, 3):
            writer.append(page([minute, minute + 1, minute + 2]))
            (pages,) = [*tmp_path.glob("*.pages")] or [None]
            assert pages is None or len(pages.read_bytes().splitlines()) < 4
    found = store.load("BTC/USDT", "1m")
    assert found is not None
    assert list(found.series.rows()) == list(made(list(range(42))).rows())
    assert found.covered == ((T0, T0 + 42 * M),)


def test_a_page_that_contradicts_is_not_committed(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    keep(store, made([1, 2], price=5_000))
    with store.writing("BTC/USDT", "1m") as writer:
        with pytest.raises(DataError, match="is kept as"):
            writer.append(page([2, 3]))
        assert writer.append(page([2, 3]), replace=True).replaced == 1
    found = store.load("BTC/USDT", "1m")
    assert found is not None
    assert list(found.series.rows())[1:] == list(made([2, 3]).rows())


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("cut", "bars: it was cut"),
        ("flip", "are damaged: column 2 does not have its checksum"),
        ("empty", "are damaged: it was cut inside its header"),
        ("foreign", "are damaged: it is no file of bars"),
        ("renamed", "are damaged: it holds BTC/USDT 1m"),
    ],
)
def test_a_damaged_file_is_refused_by_name_and_never_dropped(
    tmp_path: Path, damage: str, why: str
) -> None:
    store = BarStore(tmp_path)
    keep(store, made(list(range(100))))
    path = store.place("BTC/USDT", "1m")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-9]
    elif damage == "flip":
        data[-3 * 832 - 40] ^= 4
    elif damage == "empty":
        data.clear()
    elif damage == "foreign":
        data[0] ^= 1
    elif damage == "renamed":
        path = path.rename(store.place("ETH/USDT", "1m"))
    path.write_bytes(data)
    symbol = "ETH/USDT" if damage == "renamed" else "BTC/USDT"
    with pytest.raises(DataError) as caught:
        store.load(symbol, "1m")
    assert why in str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(DataError), store.writing(symbol, "1m"):
        pass
    assert path.read_bytes() == data


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    with (
        store.writing("BTC/USDT", "1m"),
        pytest.raises(LockHeld, match="another process writes"),
        BarStore(tmp_path).writing("BTC/USDT", "1m"),
    ):
        pass
    with store.writing("ETH/USDT", "1m"), store.writing("BTC/USDT", "5m"):
        pass


@pytest.mark.parametrize("symbol", ["../x/USDT", "BTC", "btc/usdt", "BTC/USDT:USDT", "A/B/C", "/"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(UsageError):
        BarStore(tmp_path).place(symbol, "1m")
    with pytest.raises(UsageError):
        BarStore(tmp_path).place("BTC/USDT", "7m")


def test_a_writer_killed_at_any_write_leaves_what_was_kept(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    keep(store, made([1, 2, 3]))
    before = store.place("BTC/USDT", "1m").read_bytes()
    true_write, code, writes = os.write, -1, 0
    for writes in range(13):
        pid = os.fork()
        if pid == 0:
            left = [writes]

            def write(descriptor: int, data: memoryview, left: list[int] = left) -> int:
                if left[0] == 0:
                    true_write(descriptor, data[: len(data) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return true_write(descriptor, data)

            os.write = write  # the kernel's own call, cut short: no code of ours is replaced
            try:
                keep(store, made([2, 3, 4]))
            finally:
                os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        found = store.load("BTC/USDT", "1m")
        assert found is not None
        if code == 0:
            assert len(found.series) == 4
            break
        assert store.place("BTC/USDT", "1m").read_bytes() == before
    assert code == 0, "the last of the tries was to end by itself"
    assert not list(tmp_path.glob(".*.part")) or writes > 0
    keep(store, made([2, 3, 4]))
    assert not list(tmp_path.glob(".*.part"))


def test_stored_bars_are_named_found_and_made_of_finer_ones(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    keep(store, made(list(range(60))))
    keep(store, made(list(range(5)), step_ms=30 * M), "30m")
    found = stored(["BTC/USDT"], "1m", tmp_path)
    assert list(found) == ["BTC/USDT"]
    assert found["BTC/USDT"].report.rows == 60
    assert found["BTC/USDT"].series.step_ms == M
    # The longest kept bars that make up an hour are those of half an hour.
    hours = stored(["BTC/USDT"], "1h", tmp_path)["BTC/USDT"]
    assert list(hours.series.open_ms) == [T0, T0 + 60 * M]
    assert hours.notes == ("BTC/USDT: bars of 1h are made of the kept ones of 30m",)
    assert stored(["BTC/USDT"], "15m", tmp_path)["BTC/USDT"].report.rows == 4
    assert stored([], None, tmp_path)["BTC/USDT"].series.step_ms == M
    assert stored([], "30m", tmp_path)["BTC/USDT"].report.rows == 5


def test_stored_bars_that_are_not_there_are_said_with_what_is(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    with pytest.raises(DataError, match="no bars are kept in"):
        stored([], None, tmp_path)
    keep(store, made(list(range(5)), step_ms=30 * M), "30m")
    with pytest.raises(DataError, match=r"no bars of 1m of BTC/USDT are kept in .*, only 30m; tra"):
        stored(["BTC/USDT"], "1m", tmp_path)
    with pytest.raises(DataError, match="no bars of ETH/USDT are kept"):
        stored(["ETH/USDT"], None, tmp_path)


def test_stored_prices_are_counted_in_the_tick_that_is_asked_for(tmp_path: Path) -> None:
    keep(BarStore(tmp_path), made([1, 2, 3]))
    fine = stored(["BTC/USDT"], "1m", tmp_path, Decimal("0.001"))["BTC/USDT"]
    assert fine.tick == Decimal("0.001")
    assert rows_of(fine.series) == rows_of(made([1, 2, 3]))
    with pytest.raises(DataError, match=r"the rules say 0\.5"):
        stored(["BTC/USDT"], "1m", tmp_path, Decimal("0.5"))


def test_sums_are_written_with_the_columns_and_made_anew_where_pages_lie_beside(
    tmp_path: Path,
) -> None:
    store = BarStore(tmp_path)
    keep(store, made([0, 1, 2, 5]))
    with store.writing("BTC/USDT", "1m") as writer:
        assert writer.kept is not None
        assert writer.kept.told == told_of(made([0, 1, 2, 5]))
        writer.append(page([8, 9]))
        found = stored(["BTC/USDT"], "1m", tmp_path)["BTC/USDT"]
        assert found.content_sha == series_sha(made([0, 1, 2, 5, 8, 9]))
        assert (found.report.gaps, found.report.missing, found.report.zero_volume) == (2, 4, 1)
        writer.fold()
    assert stored(["BTC/USDT"], "1m", tmp_path)["BTC/USDT"].report == found.report


def test_the_hash_of_bars_names_them_alone(tmp_path: Path) -> None:
    keep(BarStore(tmp_path), made([1, 2, 3]))
    found = stored(["BTC/USDT"], "1m", tmp_path)["BTC/USDT"]
    assert found.content_sha == series_sha(made([1, 2, 3]))
    assert found.content_sha != series_sha(made([1, 2, 4]))
    assert found.content_sha != series_sha(made([1, 2, 3], tick="0.001"))


def test_a_page_survives_its_line_bit_by_bit() -> None:
    """Floats come back as they were: JSON writes the shortest text that does."""
    draw = random.Random(8)
    rows = tuple((T0 + n * M, 5, 6, 4, 5, draw.random() * 10**n) for n in range(12))
    line = Page(rows, Decimal("0.01"), (T0, T0 + 12 * M), "venue").line()
    kept = json.loads(line.partition(b" ")[2])
    assert [tuple(row) for row in kept["rows"]] == list(rows)
