"""What is counted about bars, by table, worked by hand; and what broken files still tell."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.bars.load import load_bars
from trader.bars.rough import read_roughly
from trader.bars.survey import Run, Survey, score_tenths, survey
from trader.core.series import BarRow, Series, build_series

from .conftest import WriteBars

M = 60_000
T0 = 1_699_920_000_000
LATER = T0 + 10**9
PPM = 1_000_000


def bars(*minutes: int, **odd: tuple[int, int, int, int, float]) -> Series:
    """Bars that move by one tick up and down; `m5=(o, h, l, c, v)` is another bar for minute 5."""
    rows: list[BarRow] = []
    for minute in minutes:
        plain = (10_000, 10_010, 9_990, 10_000 + minute % 2, 1.0)
        rows.append((T0 + minute * M, *odd.get(f"m{minute}", plain)))
    return build_series("BTC/USDT", M, Decimal("0.01"), rows)


def look(series: Series, now_ms: int = LATER) -> Survey:
    """Its counts."""
    return survey(series, now_ms)


def test_sound_bars_have_nothing_to_say() -> None:
    found = look(bars(*range(600)))
    assert (found.bars, found.expected, found.missing, found.gaps) == (600, 600, 0, 0)
    assert found.completeness_ppm == PPM
    assert (found.zero_volume, found.flat, found.outliers, found.future) == (0, 0, (), 0)
    assert score_tenths(found.completeness_ppm, 0, 0) == 1_000


def test_gaps_are_counted_and_the_longest_named_first() -> None:
    found = look(bars(0, 1, 3, 4, 10, 11, 13, 20))
    assert (found.bars, found.expected, found.missing, found.gaps) == (8, 21, 13, 4)
    at = [(run.from_ms, run.bars) for run in found.longest_gaps]
    assert at == [(T0 + 14 * M, 6), (T0 + 5 * M, 5), (T0 + 2 * M, 1), (T0 + 12 * M, 1)]
    assert found.completeness_ppm == 8 * PPM // 21


@pytest.mark.parametrize(
    ("dead", "runs"),
    [
        (range(5, 14), []),
        (range(5, 15), [(5, 10)]),
        ([*range(5, 15), *range(16, 27)], [(5, 10), (16, 11)]),
        (range(30), [(0, 30)]),
    ],
)
def test_runs_without_volume_count_from_ten(dead: Any, runs: list[tuple[int, int]]) -> None:
    odd = {f"m{minute}": (10_000, 10_010, 9_990, 10_000 + minute % 2, 0.0) for minute in dead}
    found = look(bars(*range(40), **odd))
    assert found.zero_volume == len(list(dead))
    assert found.still_runs == tuple(Run(T0 + at * M, length) for at, length in runs)
    assert found.doubtful == sum(length for _, length in runs)


def test_flat_bars_repeat_the_close_before_them() -> None:
    flat = (10_000, 10_000, 10_000, 10_000, 1.0)
    moved = (10_005, 10_005, 10_005, 10_005, 1.0)
    odd = {f"m{minute}": flat for minute in range(7, 18)} | {"m30": moved}
    found = look(bars(*range(40), **odd))
    # Minute 6 closes at 10,000, so 7 is flat too; minute 30 has one price, but another one.
    assert found.flat == 11
    assert found.flat_runs == (Run(T0 + 7 * M, 11),)


def test_a_still_and_flat_bar_is_doubted_once() -> None:
    odd = {f"m{minute}": (10_000, 10_000, 10_000, 10_000, 0.0) for minute in range(7, 27)}
    found = look(bars(*range(40), **odd))
    assert (found.zero_volume, found.flat, found.doubtful) == (20, 20, 20)


# One bar in place of minute 300 among bars from 9,990 to 10,010: range 20, so 20 ranges are 400
# ticks above 10,010 or below 9,990, and a fiftieth of the close is 200.
OUTLIERS: dict[str, tuple[tuple[int, int, int, int, float], int | None]] = {
    "a wick just within": ((10_000, 10_410, 9_990, 10_000, 1.0), None),
    "a wick just beyond": ((10_000, 10_411, 9_990, 10_000, 1.0), 401),
    "a fall just within": ((10_000, 10_010, 9_590, 10_000, 1.0), None),
    "a fall just beyond": ((10_000, 10_010, 9_589, 10_000, 1.0), 401),
    "a wrong decimal": ((10_000, 10_010, 1_000, 10_000, 1.0), 8_990),
    "a close far off": ((10_000, 20_000, 9_990, 20_000, 1.0), 9_990),
}


@pytest.mark.parametrize("what", OUTLIERS)
def test_an_outlier_sticks_out_of_both_neighbours(what: str) -> None:
    row, out = OUTLIERS[what]
    found = look(bars(*range(600), m300=row))
    ticks = [(one.open_ms, one.ticks, one.ranges) for one in found.outliers]
    assert ticks == ([] if out is None else [(T0 + 300 * M, out, out // 20)])


@pytest.mark.parametrize("level", [5_000, 20_000])
def test_a_move_that_stays_is_no_outlier(level: int) -> None:
    moved = {f"m{n}": (level, level + 10, level - 10, level + n % 2, 1.0) for n in range(300, 600)}
    assert look(bars(*range(600), **moved)).outliers == ()


@pytest.mark.parametrize("place", [1, 510, 511, 512, 513, 598])
def test_outliers_are_found_at_the_seams_of_blocks(place: int) -> None:
    odd = {f"m{place}": (10_000, 20_000, 9_990, 10_000, 1.0)}
    found = look(bars(*range(600), **odd))
    assert [one.open_ms for one in found.outliers] == [T0 + place * M]


@pytest.mark.parametrize(("minute", "future"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_bars_that_close_after_now_are_from_the_future(minute: int, future: int) -> None:
    assert look(bars(0, 1, 2), T0 + minute * M).future == future
    assert look(bars(0, 1, 2), T0 + minute * M + M - 1).future == future


@pytest.mark.parametrize(
    ("complete", "faulty", "doubtful", "score"),
    [
        (PPM, 0, 0, 1_000),
        (950_000, 0, 0, 950),
        (PPM, 1_000, 0, 990),
        (PPM, 100_000, 0, 0),
        (PPM, 500_000, 0, 0),
        (PPM, 0, PPM, 500),
        (PPM, 0, 100_000, 950),
        (500_000, 50_000, 200_000, 225),
        (0, 0, 0, 0),
    ],
)
def test_the_score_is_its_formula(complete: int, faulty: int, doubtful: int, score: int) -> None:
    assert score_tenths(complete, faulty, doubtful) == score


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=60, unique=True))
def test_counts_agree_with_each_other(minutes: list[int]) -> None:
    found = look(bars(*sorted(minutes)))
    assert found.missing == max(minutes) - min(minutes) + 1 - len(minutes)
    assert sum(gap.bars for gap in found.longest_gaps) <= found.missing
    assert (found.missing == 0) == (found.gaps == 0)
    assert found.doubtful <= found.bars


HEADER = "timestamp,open,high,low,close,volume"


def line(minute: int, price: int = 100) -> str:
    """One row of a file."""
    return f"{T0 + minute * M},{price},{price + 1},{price - 1},{price},2"


# rows -> counts by kind that are not 0, bars left (minutes)
BROKEN: dict[str, tuple[list[str], dict[str, int], list[int]]] = {
    "sound": ([line(0), line(1)], {}, [0, 1]),
    "a word": (["x,1,1,1,1,1", line(1), line(2)], {"unreadable": 1}, [1, 2]),
    "a price of nan": ([line(0), f"{T0 + M},nan,1,1,1,1", line(2)], {"unreadable": 1}, [0, 2]),
    "a column less": ([line(0), f"{T0 + M},1,1,1", line(2)], {"unreadable": 1}, [0, 2]),
    "a minus": ([line(0), f"{T0 + M},-1,1,1,1,1", line(2)], {"unreadable": 1}, [0, 2]),
    "a high below": ([line(0), f"{T0 + M},5,4,3,4,1", line(2)], {"impossible": 1}, [0, 2]),
    "a price of nothing": ([line(0), f"{T0 + M},0,1,0,1,1", line(2)], {"impossible": 1}, [0, 2]),
    "twice alike": (
        [line(0), line(1), line(1), line(2)],
        {"repeated": 1, "overlaps": 1},
        [0, 1, 2],
    ),
    "told in two ways": (
        [line(0), line(1), line(1, 200), line(2)],
        {"contradictions": 1, "overlaps": 1},
        [0, 2],
    ),
    "swapped": (
        [line(0), line(2), line(1), line(3)],
        {"backward_steps": 1, "overlaps": 1},
        [0, 1, 2, 3],
    ),
    "pages that overlap": (
        [*map(line, range(6)), *map(line, range(3, 9)), *map(line, range(7, 12))],
        {"backward_steps": 2, "repeated": 5, "overlaps": 2},
        list(range(12)),
    ),
    "off the grid": (
        [line(0), line(1), f"{T0 + 2 * M + 17},1,1,1,1,1", line(3)],
        {"off_grid": 1},
        [0, 1, 3],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_tells_all_of_what_is_wrong(what: str, bar_file: WriteBars) -> None:
    rows, counts, left = BROKEN[what]
    path = bar_file("\n".join([HEADER, *rows]) + "\n")
    series, faults = read_roughly(path, None, None)
    found = {kind: count for kind, count in faults.counts.items() if count}
    if faults.overlaps:
        found["overlaps"] = faults.overlaps
    assert found == counts
    assert faults.rows == len(rows)
    assert series is not None
    assert [(at - T0) // M for at in series.open_ms] == left


def test_examples_name_their_lines(bar_file: WriteBars) -> None:
    rows = [line(0), "x,1,1,1,1,1", line(1), *["y"] * 9]
    _, faults = read_roughly(bar_file("\n".join([HEADER, *rows]) + "\n"), None, None)
    assert faults.counts["unreadable"] == 10
    assert [text.partition(":")[0] for text in faults.examples["unreadable"]] == [
        "line 3",
        "line 5",
        "line 6",
    ]


def test_the_overlapping_pages_of_the_real_file_are_counted(real: Path) -> None:
    path = real / "awkward_bitfinex_btcusd_1m_2018-06-05_overlapping_pages.csv.gz"
    series, faults = read_roughly(path, None, None)
    assert faults.rows == 2_864
    assert faults.counts["repeated"] == 154
    assert faults.counts["backward_steps"] == faults.overlaps == 20
    assert series is not None
    assert len(series) == 2_710
    found = look(series, 2 * LATER)
    assert max(gap.bars for gap in found.longest_gaps) == 67


def test_what_is_sound_reads_roughly_as_it_loads(real: Path) -> None:
    for name in ("basana_binance_btcusdt_1d_2020", "freqtrade_binance_xrpeth_5m_2019-10"):
        path = real / f"{name}.csv.gz"
        rough, faults = read_roughly(path, None, None)
        loaded = load_bars(path).series
        assert rough is not None
        assert faults.faulty == 0
        assert list(rough.rows()) == list(loaded.rows())


def test_any_bytes_are_told_apart_without_a_crash(bar_file: WriteBars) -> None:
    draw = random.Random(11)
    sound = "\n".join([HEADER, *map(line, range(30))])
    for _ in range(150):
        changed = list(sound)
        for _ in range(draw.randrange(1, 6)):
            changed[draw.randrange(len(HEADER) + 1, len(changed))] = draw.choice("0,9.x-\n e")
        series, faults = read_roughly(bar_file("".join(changed)), None, None)
        assert faults.faulty <= faults.rows
        assert series is None or len(series) <= faults.rows
