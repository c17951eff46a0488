"""Loops over an equity curve, against plain definitions of the same."""

from __future__ import annotations

import random
from array import array
from itertools import accumulate

import pytest

from trader.core.curve import day_ends, deepest_fall, drawn_rows, highs_at, sum_parts
from trader.domain.timeframe import DAY_MS


def made(seed: int, bars: int) -> array[int]:
    chance = random.Random(seed)
    return array("q", [chance.randrange(90, 111) * 10**15 for _ in range(bars)])


def found_fall(units: array[int], start: int) -> tuple[float, list[int]]:
    out = array("q", bytes(40))
    return deepest_fall(units, start, out), list(out)


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


def test_a_curve_that_never_falls_has_no_trough() -> None:
    assert found_fall(array("q", [5, 5, 6]), 5) == (0.0, [-1, -1, -1, 5, 5])


def test_days_end_with_their_last_bar() -> None:
    closes = array("q", [1, DAY_MS, DAY_MS + 1, 3 * DAY_MS, 3 * DAY_MS + 1, 3 * DAY_MS + 2])
    out = array("q", bytes(8 * 5))
    assert (day_ends(closes, out), list(out[:4])) == (4, [1, 2, 3, 5])
    assert day_ends(array("q"), out) == 0


def test_a_sum_beyond_64_bits_is_exact() -> None:
    units = array("q", [4_611_686_018_427_387_903] * 9 + [-7])
    parts = array("q", bytes(16))
    sum_parts(units, parts)
    assert (parts[0] << 31) + parts[1] == sum(units)


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
