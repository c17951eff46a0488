"""Loops over an equity curve, against plain definitions of the same."""

from __future__ import annotations

import random
from array import array
from bisect import bisect_right
from itertools import accumulate

import pytest

from trader.core.curve import (
    FALL_SLOTS,
    Closes,
    begin_fall,
    day_ends,
    drawn_rows,
    follow_fall,
    highs_at,
)
from trader.domain.timeframe import DAY_MS


def made(seed: int, bars: int) -> array[int]:
    chance = random.Random(seed)
    return array("q", [chance.randrange(90, 111) * 10**15 for _ in range(bars)])


def found_fall(units: array[int], start: int) -> tuple[float, list[int]]:
    out = array("q", bytes(8 * FALL_SLOTS))
    begin_fall(start, out)
    share = follow_fall(units, 0, len(units), 0, out)
    assert (out[5] << 31) + out[6] == sum(units)
    return share, list(out[:5])


@pytest.mark.parametrize("seed", range(30))
def test_the_deepest_fall_is_the_largest_of_all_pairs(seed: int) -> None:
    units = made(seed, 1 + seed * 3)
    share, (peak, trough, back, high, low) = found_fall(units, 10**17)
    whole = [10**17, *units]
    falls = [
        (whole[a] - whole[b]) / whole[a]
        for a in range(len(whole))
        for b in range(a + 1, len(whole))
    ]
    assert share == max(0.0, *falls)
    if share:
        assert (high, low) == (whole[peak + 1], whole[trough + 1])
        after = [row for row in range(trough, len(units)) if units[row] >= high]
        assert back == (after[0] if after else -1)


@pytest.mark.parametrize("unit", [1, 10**15, 10**16])
@pytest.mark.parametrize("seed", range(8))
def test_the_deepest_fall_of_a_walk_is_what_a_look_at_every_bar_says(seed: int, unit: int) -> None:
    chance = random.Random(seed)
    steps = (chance.choice([-2, -1, 0, 0, 1, 2 + seed % 2]) for _ in range(700))
    units = array("q", (max(0, value) * unit for value in accumulate(steps, initial=100)))
    high, share, wanted = 100 * unit, 0.0, [-1, -1, -1, 100 * unit, 100 * unit]
    high_row = -1
    for row, now in enumerate(units):
        if now > high:
            high, high_row = now, row
        if high and float(high - now) / float(high) > share:
            share, wanted = float(high - now) / float(high), [high_row, row, -1, high, now]
        if wanted[1] >= 0 and wanted[2] < 0 and now >= wanted[3]:
            wanted[2] = row
    assert found_fall(units, 100 * unit) == (share, wanted)


@pytest.mark.parametrize("seed", range(30))
def test_a_fall_that_is_followed_stretch_by_stretch_is_the_same(seed: int) -> None:
    chance, units = random.Random(seed), made(seed, 1 + seed * 3)
    out = array("q", bytes(8 * FALL_SLOTS))
    begin_fall(10**17, out)
    share, row = 0.0, 0
    while row < len(units):
        room = units[row : row + chance.randrange(1, 20)]
        before = chance.randrange(3)
        held = array("q", [1] * before) + room  # what lies before a stretch is none of it
        share = follow_fall(held, before, len(held), row, out)
        row += len(room)
    assert (share, list(out[:5])) == found_fall(units, 10**17)
    assert (out[5] << 31) + out[6] == sum(units)


def test_a_curve_that_never_falls_has_no_trough() -> None:
    assert found_fall(array("q", [5, 5, 6]), 5) == (0.0, [-1, -1, -1, 5, 5])


def ends_of(closes: array[int], later_ms: int = 0) -> list[int]:
    opens = array("q", [close_ms - later_ms for close_ms in closes])
    out = array("q", bytes(8 * (len(closes) + 1)))
    return list(out[: day_ends(opens, later_ms, out)])


def test_days_end_with_their_last_bar() -> None:
    closes = array("q", [1, DAY_MS, DAY_MS + 1, 3 * DAY_MS, 3 * DAY_MS + 1, 3 * DAY_MS + 2])
    assert ends_of(closes) == ends_of(closes, 60_000) == [1, 2, 3, 5]
    assert ends_of(array("q")) == []


@pytest.mark.parametrize("seed", range(40))
def test_days_end_where_a_look_at_every_bar_says(seed: int) -> None:
    chance = random.Random(seed)
    steps = [DAY_MS // 24] * 9 + [DAY_MS // 2, DAY_MS, 5 * DAY_MS // 3, 4 * DAY_MS]
    least = chance.randrange(len(steps))
    closes = array("q", accumulate(chance.choice(steps[least:]) for _ in range(seed * 7 + 1)))
    days = [(close_ms - 1) // DAY_MS for close_ms in closes]
    wanted = [row for row in range(len(days)) if days[row : row + 2] != [days[row]] * 2]
    assert ends_of(closes, chance.choice([0, 60_000])) == wanted


def test_closes_are_opens_so_much_later() -> None:
    closes = Closes(array("q", [10, 20, 30]), 5)
    assert list(closes) == [closes[0], closes[1], closes[-1]] == [15, 25, 35]
    assert (len(closes), list(closes[1:]), bisect_right(closes, 25)) == (3, [25, 35], 2)


def test_a_sum_beyond_64_bits_is_exact() -> None:
    units = array("q", [4_611_686_018_427_387_903] * 9 + [-7])
    found_fall(units, 5)


@pytest.mark.parametrize(("bars", "blocks"), [(1, 1), (2, 5), (7, 3), (1000, 10), (999, 1000)])
def test_drawn_rows_keep_the_ends_and_the_extremes(bars: int, blocks: int) -> None:
    units = made(bars, bars)
    out = array("q", bytes(8 * (2 * blocks + 2)))
    rows = out[: drawn_rows(units, blocks, out)]
    assert list(rows) == sorted(set(rows))
    assert (rows[0], rows[-1]) == (0, bars - 1)
    drawn = [units[row] for row in rows]
    assert (min(drawn), max(drawn)) == (min(units), max(units))


def test_highs_are_the_highest_so_far() -> None:
    units = made(3, 100)
    rows = array("q", [0, 5, 50, 99])
    out = array("q", bytes(32))
    highs_at(units, 10**17, rows, out)
    wanted = list(accumulate([10**17, *units], max))
    assert list(out) == [wanted[row + 1] for row in rows]
