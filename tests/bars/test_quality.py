"""What a venue tells is sorted into sound rows and named problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.bars.quality import BarCode, CleanRow, judge_rows, series_of

M = 60_000
T0 = 1_528_156_800_000
TICK = Decimal("0.01")


@dataclass(frozen=True)
class Told:
    """A bar as an adapter hands it over."""

    open_ms: int
    open: str | None = "10.00"
    high: str | None = "11.5"
    low: str | None = "9"
    close: str | None = "10.25"
    volume: str | None = "1.50"


def _clean(minute: int, volume: str = "1.5") -> CleanRow:
    return CleanRow(T0 + minute * M, 1000, 1150, 900, 1025, volume)


GOOD = [Told(T0), Told(T0 + M), Told(T0 + 2 * M)]


def test_sound_rows_pass_without_a_word() -> None:
    assert judge_rows(GOOD, M, TICK) == ([_clean(0), _clean(1), _clean(2)], [])


BAD_ROWS = [
    ({"high": None}, BarCode.BAR_IMPOSSIBLE, "'' is not a number"),
    ({"close": "NaN"}, BarCode.BAR_IMPOSSIBLE, "'NaN' is not a number"),
    ({"open": "Infinity"}, BarCode.BAR_IMPOSSIBLE, "'Infinity' is not a number"),
    ({"low": "-9"}, BarCode.BAR_IMPOSSIBLE, "-9 is negative"),
    ({"low": "0"}, BarCode.BAR_IMPOSSIBLE, "0 is zero"),
    ({"volume": "-1"}, BarCode.BAR_IMPOSSIBLE, "-1 is negative"),
    ({"volume": None}, BarCode.BAR_IMPOSSIBLE, "not a number"),
    (
        {"high": "10.24"},
        BarCode.BAR_IMPOSSIBLE,
        "open 10.00 high 10.24 low 9 close 10.25",
    ),
    ({"low": "10.01"}, BarCode.BAR_IMPOSSIBLE, "low 10.01"),
    (
        {"close": "10.255"},
        BarCode.BAR_OFF_TICK,
        "10.255 is not a multiple of the tick 0.01",
    ),
    (
        {"open_ms": T0 + M + 1},
        BarCode.BAR_OFF_GRID,
        "00:01:00.001 UTC is off the grid of 60000 ms",
    ),
    ({"open_ms": -M}, BarCode.BAR_OFF_GRID, "is off the grid"),
]


@pytest.mark.parametrize(("change", "code", "what"), BAD_ROWS)
def test_a_bad_row_is_left_out_and_named(change: dict[str, str], code: BarCode, what: str) -> None:
    bad = replace(GOOD[1], **change)  # type: ignore[arg-type]  # a table of changed fields
    rows, problems = judge_rows([GOOD[0], bad, GOOD[2]], M, TICK)
    found = [problem for problem in problems if problem.code is not BarCode.BAR_ORDER]
    assert rows == [_clean(0), _clean(2)]
    assert [(problem.code, problem.open_ms) for problem in found] == [(code, bad.open_ms)]
    assert what in found[0].text
    assert not found[0].is_note


def test_an_identical_repeat_is_dropped_and_noted() -> None:
    again = replace(GOOD[1], open="10", volume="1.5")
    rows, problems = judge_rows([*GOOD[:2], again, GOOD[2]], M, TICK)
    assert rows == [_clean(0), _clean(1), _clean(2)]
    assert [(p.code, p.open_ms, p.is_note) for p in problems] == [
        (BarCode.BAR_REPEATED, T0 + M, True)
    ]


@pytest.mark.parametrize("change", [{"close": "10.26"}, {"volume": "1.51"}])
def test_of_two_contradicting_rows_none_is_used(change: dict[str, str]) -> None:
    other = replace(GOOD[1], **change)  # type: ignore[arg-type]  # a table of changed fields
    rows, problems = judge_rows([*GOOD, other], M, TICK)
    assert rows == [_clean(0), _clean(2)]
    assert [p.code for p in problems] == [BarCode.BAR_CONTRADICTION, BarCode.BAR_ORDER]


def test_a_sound_row_beside_an_impossible_one_is_not_trusted() -> None:
    rows, problems = judge_rows([GOOD[0], GOOD[1], replace(GOOD[1], low="-1")], M, TICK)
    assert rows == [_clean(0)]
    assert [p.code for p in problems] == [BarCode.BAR_IMPOSSIBLE]


def test_rows_out_of_order_are_sorted_and_noted() -> None:
    rows, problems = judge_rows([GOOD[2], GOOD[0], GOOD[1]], M, TICK)
    assert rows == [_clean(0), _clean(1), _clean(2)]
    assert [(p.code, p.open_ms, p.is_note) for p in problems] == [
        (BarCode.BAR_ORDER, T0, True),
        (BarCode.BAR_ORDER, T0 + M, True),
    ]


def test_clean_rows_become_a_series() -> None:
    rows, _ = judge_rows(GOOD, M, TICK)
    series = series_of("BTC/USDT", M, TICK, rows)
    assert list(series.rows())[1] == (T0 + M, 1000, 1150, 900, 1025, 1.5)
    assert (series.symbol, series.step_ms, series.tick) == ("BTC/USDT", M, TICK)


@given(order=st.permutations(range(6)), repeats=st.lists(st.integers(0, 5), max_size=6))
def test_order_and_repeats_never_change_the_rows(order: list[int], repeats: list[int]) -> None:
    told = [Told(T0 + minute * M) for minute in [*order, *repeats]]
    rows, problems = judge_rows(told, M, TICK)
    assert rows == [_clean(minute) for minute in range(6)]
    assert all(problem.is_note for problem in problems)
    assert sum(p.code is BarCode.BAR_REPEATED for p in problems) == len(repeats)
