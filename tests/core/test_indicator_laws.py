"""Laws of all indicators: rows one by one, no drift, no start remembered, any sequence will do."""

from __future__ import annotations

import ctypes
import random
from array import array
from collections.abc import Sequence
from math import fsum, inf, isnan, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trader.core import indicators as face
from trader.core.indicator import Indicator
from trader.core.indicator_table import INDICATORS

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
EVERY = list(INDICATORS.values())
ONES = st.sampled_from(EVERY)
SEEDS = st.integers(0, 2**32)


ODD, HUGE = (nan, inf, -inf), (nan, inf, -inf, 1e308, -1e308)


def made(seed: int, rows: int, strange: Sequence[float] = ()) -> dict[str, Any]:
    """Bars with ties, flat stretches and hours without volume; some values are strange."""
    rng = random.Random(seed)
    unit = rng.choice((0.0001, 0.5, 1000.0))
    columns: dict[str, Any] = {name: array("d") for name in ("open", "high", "low", "close")}
    columns["volume"] = array("d")
    price = 100
    for _ in range(rows):
        opened, price = price, price + rng.choice((0, 0, 1, -1, 3, -3)) * rng.choice((0, 1))
        price = max(price, 5)
        values = [opened, max(opened, price) + rng.randrange(2), min(opened, price), price]
        row = [unit * value for value in values] + [rng.choice((0.0, 1.25, 1e6))]
        for name, value in zip(columns, row, strict=True):
            odd = strange and rng.random() < 0.02
            columns[name].append(rng.choice(strange) if odd else value)
    start = HOUR_MS * rng.randrange(48)
    columns["open_ms"] = array("q", [start + HOUR_MS * row for row in range(rows)])
    return columns


def numbers_of(entry: Indicator, seed: int) -> tuple[float, ...]:
    """Random numbers that it allows."""
    rng = random.Random(seed)
    while True:
        numbers = tuple(
            rng.randint(int(one.least), 9) if one.whole else rng.choice((0.02, 0.2, 1.0))
            for one in entry.numbers
        )
        if not entry.problem(numbers):
            return numbers


def inputs(entry: Indicator, columns: dict[str, Any]) -> list[Any]:
    sources = iter(("close", "open"))
    return [columns[next(sources) if name == "source" else name] for name in entry.inputs]


def full(entry: Indicator, numbers: tuple[float, ...]) -> tuple[float, ...]:
    return (*numbers, DAY_MS) if entry.session else numbers


def as_bytes(lines: Sequence[array[float]], start: int = 0) -> list[bytes]:
    return [bytes(line[start:]) for line in lines]


def cut(columns: dict[str, Any], start: int, stop: int | None = None) -> dict[str, Any]:
    return {name: column[start:stop] for name, column in columns.items()}


@given(ONES, SEEDS)
def test_rows_that_come_one_by_one_give_the_same_bits(entry: Indicator, seed: int) -> None:
    columns, numbers = made(seed, 60, HUGE), numbers_of(entry, seed)
    whole = entry.values(inputs(entry, columns), full(entry, numbers))
    outs = [array("d", [0.0]) * 60 for _ in whole]
    state = entry.new_state(numbers)
    for row in range(60):
        known = inputs(entry, cut(columns, 0, row + 1))
        entry.run(known, full(entry, numbers), outs, row, row + 1, state)
    assert as_bytes(outs) == as_bytes(whole)


@given(ONES, SEEDS, st.integers(0, 60))
def test_later_rows_change_nothing(entry: Indicator, seed: int, stop: int) -> None:
    columns, numbers = made(seed, 60, HUGE), numbers_of(entry, seed)
    whole = entry.values(inputs(entry, columns), full(entry, numbers))
    head = entry.values(inputs(entry, cut(columns, 0, stop)), full(entry, numbers))
    assert [bytes(line[:stop]) for line in whole] == as_bytes(head)


@given(st.sampled_from([e for e in EVERY if e.memory == "finite"]), SEEDS, st.integers(1, 20))
def test_what_a_finite_memory_says_does_not_depend_on_the_start(
    entry: Indicator, seed: int, late: int
) -> None:
    columns, numbers = made(seed, 90, ODD), numbers_of(entry, seed)
    whole = entry.values(inputs(entry, columns), numbers)
    later = entry.values(inputs(entry, cut(columns, late)), numbers)
    settled = entry.warmup(numbers)
    assert as_bytes(whole, late + settled) == as_bytes(later, settled)


@given(st.sampled_from([e for e in EVERY if e.session]), SEEDS, st.integers(1, 40))
def test_two_starts_of_a_session_agree_wherever_both_say_something(
    entry: Indicator, seed: int, late: int
) -> None:
    columns, numbers = made(seed, 90), numbers_of(entry, seed)
    whole = entry.values(inputs(entry, columns), full(entry, numbers))
    later = entry.values(inputs(entry, cut(columns, late)), full(entry, numbers))
    assert as_bytes(whole, late + 24) == as_bytes(later, 24)
    for line, other in zip(whole, later, strict=True):
        pairs = [(a, b) for a, b in zip(line[late:], other, strict=True) if not isnan(b)]
        assert all(a == b for a, b in pairs)


@given(ONES, SEEDS, st.sampled_from([nan, inf, -inf]))
def test_a_row_without_a_number_begins_the_count_anew(
    entry: Indicator, seed: int, strange: float
) -> None:
    columns, numbers = made(seed, 60), numbers_of(entry, seed)
    for name in ("open", "high", "low", "close", "volume"):
        columns[name][20] = strange
    whole = entry.values(inputs(entry, columns), full(entry, numbers))
    fresh = entry.values(inputs(entry, cut(columns, 21)), full(entry, numbers))
    assert all(isnan(line[20]) for line in whole)
    assert as_bytes(whole, 21) == as_bytes(fresh)


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_nan_before_the_first_number_is_skipped(entry: Indicator) -> None:
    columns, numbers = made(7, 80), numbers_of(entry, 3)
    columns["open_ms"] = array("q", range(0, 80 * HOUR_MS, HOUR_MS))
    late = {
        name: array("d", [nan] * 24) + column
        for name, column in columns.items()
        if name[4:] != "_ms"
    }
    late["open_ms"] = array("q", range(-24 * HOUR_MS, 80 * HOUR_MS, HOUR_MS))
    whole = entry.values(inputs(entry, columns), full(entry, numbers))
    after = entry.values(inputs(entry, late), full(entry, numbers))
    assert as_bytes(after, 24) == as_bytes(whole)


@given(SEEDS, st.integers(1, 60))
@settings(max_examples=40)
def test_a_mean_is_the_exact_sum_divided_wherever_it_is_in_a_long_series(seed: int, n: int) -> None:
    rng = random.Random(seed)
    walk, value = array("d"), 27_000.0
    for _ in range(3_000):
        value = max(1.0, value + rng.gauss(0, 40))
        walk.append(round(value, 2))
    volumes = array("d", [rng.choice((0, 0.01, 1, 1e4)) * rng.uniform(1, 2) for _ in walk])
    below = array("d", [x - 27_000.0 for x in walk])
    for x in (walk, volumes, below):
        means = face.sma(x, n)
        for row in rng.sample(range(n - 1, 3_000), 60):
            window = x[row - n + 1 : row + 1]
            level = len(set(window)) == 1
            assert means[row] == (window[0] if level else fsum(window) / n)


def test_a_sum_that_overflows_says_nothing_and_then_goes_on() -> None:
    x = [1.0] * 5 + [1e308] * 3 + [1.0] * 8
    means = face.sma(x, 4)
    assert list(means[3:6]) == [1.0, 1.0, 2.5e307]
    assert all(isnan(value) for value in means[6:10])
    assert list(means[10:]) == [2.5e307, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_a_flat_market_is_its_price_to_the_bit() -> None:
    for price in (0.1, 1.7, 3.3, 27_123.45):
        flat, times = [price] * 60, range(0, 60 * HOUR_MS, HOUR_MS)
        volume = [0.3] * 60
        same = [
            *(face.sma(flat, n) for n in (1, 3, 20)), face.ema(flat, 20), face.rma(flat, 14),
            face.wma(flat, 20), face.hma(flat, 20), face.linreg(flat, 14), *face.bbands(flat, 20),
            *face.donchian(flat, flat), *face.ichimoku(flat, flat, 3, 5, 7),
            face.psar(times, flat, flat, session="1d"),
            face.supertrend(times, flat, flat, flat, session="1d").line,
        ]  # fmt: skip
        for line in same:
            assert {value for value in line if not isnan(value)} == {price}
        still = [
            face.momentum(flat), *face.macd(flat), face.ppo(flat), face.roc(flat),
            face.atr(flat, flat, flat), face.natr(flat, flat, flat), face.stdev(flat, 20),
            face.zscore(flat, 20), face.slope(flat), face.adx(flat, flat, flat),
            face.cci(flat, flat, flat), face.cmf(flat, flat, flat, volume),
            face.correlation(flat, volume), face.percentrank(flat, 20),
        ]  # fmt: skip
        for line in still:
            assert {value for value in line if not isnan(value)} == {0.0}
        middle = [
            face.rsi(flat), *face.stoch(flat, flat, flat), face.mfi(flat, flat, flat, volume),
            [-value for value in face.williams_r(flat, flat, flat)],
        ]  # fmt: skip
        for line in middle:
            assert {value for value in line if not isnan(value)} == {50.0}


def test_prices_that_differ_by_rounding_only_do_not_move() -> None:
    # 41.4 + 40.4 + 40.5 and 41.7 + 40.1 + 40.5 are equal on paper, neighbours as floats.
    high, low, close = [41.4, 41.7], [40.4, 40.1], [40.5, 40.5]
    assert sum(bar[0] for bar in (high, low, close)) != sum(bar[1] for bar in (high, low, close))
    assert face.cci(high, low, close, 2)[1] == 0.0
    assert face.mfi(high, low, close, [1.0, 1.0], 1)[1] == 50.0
    assert face.zscore([0.1 + 0.2, 0.3], 2)[1] == 0.0
    assert face.correlation([0.1 + 0.2, 0.3], [1.0, 2.0], 2)[1] == 0.0


def test_any_sequence_of_numbers_is_the_same_column() -> None:
    whole = [3, 1, 4, 1, 5, 9, 2, 6]
    wanted = bytes(face.ema(array("d", whole), 3))
    doubles = (ctypes.c_double * 8)(*whole)
    strided = array("d", [v for value in whole for v in (value, 0.0)])
    for column in (
        whole, tuple(whole), array("q", whole), array("f", whole), memoryview(array("d", whole)),
        memoryview(array("d", whole)).toreadonly(), memoryview(array("h", whole)), doubles,
        memoryview(strided)[::2], bytes(whole), bytearray(whole), range(0),
    ):  # fmt: skip
        assert bytes(face.ema(column, 3)) == (wanted if len(column) else b"")


def test_numpy_columns_are_the_same_columns() -> None:
    numpy = pytest.importorskip("numpy")
    whole = [3, 1, 4, 1, 5, 9, 2, 6]
    wanted = bytes(face.ema(whole, 3))
    plain = numpy.array(whole, dtype=float)
    twice = numpy.repeat(plain, 2)
    for column in (
        plain, plain.astype("f4"), plain.astype("i8"), plain.astype("u1"), plain.astype(">f8"),
        twice[::2], numpy.array(whole, dtype=object),
    ):  # fmt: skip
        assert bytes(face.ema(column, 3)) == wanted
    times = numpy.arange(8) * HOUR_MS
    for column in (times, times.astype("i4"), times.astype(">i8"), list(times)):
        assert face.obv(column, whole, whole, session="1d")[0] == 3.0
    with pytest.raises(ValueError, match="one dimension, not 2"):
        face.sma(plain.reshape(2, 4), 2)


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ([1.0, None], "not a column of numbers"),
        ([1.0, "x"], "could not convert"),
        ([1.0, 10**400], "not a column of numbers"),
        ([[1.0], [2.0]], "not a column of numbers"),
    ],
)
def test_what_is_no_number_is_refused(column: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        face.sma(column, 1)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="columns of different lengths: 2, 2, 3"):
        face.atr([1.0] * 2, [1.0] * 2, [1.0] * 3, 1)
    with pytest.raises(ValueError, match="columns of different lengths: 3, 2"):
        face.obv([1, 2, 3], [1.0] * 2, [1.0] * 2, session="1d")
    with pytest.raises(ValueError, match="columns of different lengths: 1, 2"):
        face.crosses_above([1.0], [1.0, 2.0])


def test_a_session_is_named() -> None:
    with pytest.raises(ValueError, match=r"session must be one of 1m, 5m, .*1w: 'day'"):
        face.obv([1], [1.0], [1.0], session="day")


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_bad_numbers_are_refused_by_every_function(entry: Indicator) -> None:
    columns, more = inputs(entry, made(1, 5)), {"session": "1d"} if entry.session else {}
    function = getattr(face, entry.name)
    usual = [5 if one.default is None else one.default for one in entry.numbers]
    for at, one in enumerate(entry.numbers):
        for bad in (one.least - 1, one.most + 1, "3", None, nan):
            given = [*usual[:at], bad, *usual[at + 1 :]]
            with pytest.raises(ValueError, match=entry.name):
                function(*columns, *given, **more)
    assert function(*columns, *usual, **more)


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_are_no_trouble(entry: Indicator, rows: int) -> None:
    numbers = [5 if one.default is None else one.default for one in entry.numbers]
    columns = inputs(entry, made(1, rows))
    for line in entry.values(columns, full(entry, tuple(numbers))):
        assert len(line) == rows


def test_a_week_begins_on_monday_and_a_day_at_midnight() -> None:
    monday = 4 * DAY_MS
    times = [monday - 2 * DAY_MS, monday - DAY_MS, monday, monday + DAY_MS, monday + 7 * DAY_MS]
    ones = [1.0] * 5
    weekly = face.obv(times, [1.0, 2.0, 3.0, 4.0, 5.0], ones, session="1w")
    assert [isnan(value) for value in weekly] == [True, True, False, False, False]
    assert list(weekly[2:]) == [1.0, 2.0, 1.0]
    assert list(face.obv(times, ones, ones, session="1d")) == ones


def test_a_session_whose_first_bar_is_missing_begins_with_the_next_one() -> None:
    times = [hour * HOUR_MS for hour in (22, 23, 25, 26)]
    volume = [1.0, 2.0, 4.0, 8.0]
    told = face.obv(times, [1.0, 2.0, 3.0, 4.0], volume, session="1d")
    assert [isnan(value) for value in told] == [True, True, False, False]
    assert list(told[2:]) == [4.0, 12.0]
