"""Entries of the indicator table: what they say, what they refuse, and six bars worked by hand."""

from __future__ import annotations

import re
import sys
from array import array
from fractions import Fraction
from math import isnan, nan
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "prove"))
from indicator_tables import BARS, HOUR_MS, SESSION, TABLES

from trader.core import indicators as face
from trader.core.indicator import Indicator, Number
from trader.core.indicator_table import GROUPS, INDICATORS

ASKED = (
    "sma ema wma rma hma rsi stoch cci mfi williams_r roc momentum macd ppo atr true_range natr "
    "bbands keltner donchian adx plus_di minus_di aroon psar supertrend obv vwap session_vwap cmf "
    "highest lowest stdev variance zscore percentrank linreg slope correlation heikin_ashi ichimoku"
)
DAY_MS = 86_400_000
EVERY = list(INDICATORS.values())
NAMES = ("open", "high", "low", "close", "volume")


def bars() -> dict[str, array[float]]:
    columns = {name: array("d", [bar[at] for bar in BARS]) for at, name in enumerate(NAMES)}
    return columns | {"open_ms": array("q", [HOUR_MS * row for row in range(len(BARS))])}


def inputs(entry: Indicator) -> list[array[float]]:
    """What it reads of the six bars; of two sources they are close and volume."""
    columns, sources = bars(), iter(("close", "volume"))
    return [columns[next(sources) if name == "source" else name] for name in entry.inputs]


def usual(entry: Indicator) -> list[float]:
    return [2 if one.default is None else one.default for one in entry.numbers]


def test_all_that_were_asked_for_are_there_once() -> None:
    assert sorted(ASKED.split()) == sorted(INDICATORS)
    assert sum(len(entries) for _, entries in GROUPS) == len(INDICATORS) == 41


@pytest.mark.parametrize(("name", "numbers", "wanted"), TABLES, ids=[row[0] for row in TABLES])
def test_six_bars_by_hand(name: str, numbers: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    entry = INDICATORS[name]
    given = [
        int(text) if one.whole else float(Fraction(text))
        for text, one in zip(numbers, entry.numbers, strict=True)
    ]
    more = {"session": SESSION} if entry.session else {}
    got = getattr(face, name)(*inputs(entry), *given, **more)
    assert (type(got)._fields if entry.outputs else ()) == entry.outputs
    for line, row in zip(got if entry.outputs else (got,), wanted, strict=True):
        paper = [nan if text == "_" else float(Fraction(text)) for text in row.split()]
        assert [round(v, 11) for v in line if not isnan(v)] == [
            round(v, 11) for v in paper if not isnan(v)
        ]
        assert [isnan(value) for value in line] == [isnan(value) for value in paper]


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_an_entry_says_all_that_it_should(entry: Indicator) -> None:
    numbers = usual(entry)
    assert len(entry.kinds) == len(entry.firsts(numbers)) == entry.width
    assert entry.formula
    assert entry.source
    assert entry.flat
    assert set(entry.inputs) <= {"source", "open_ms", *NAMES}
    assert ("open_ms" in entry.inputs) == entry.session
    assert ("source" in entry.kinds) <= ("source" in entry.inputs)
    if entry.memory == "finite":
        assert entry.warmup(numbers) == entry.first_valid(numbers)
    elif entry.memory == "fading":
        assert entry.warmup(numbers) > entry.first_valid(numbers)
    else:
        assert entry.warmup(numbers, 24) == 24


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_a_function_tells_formula_memory_warm_up_first_row_and_flat_value(entry: Indicator) -> None:
    words = " ".join((getattr(face, entry.name).__doc__ or "").split())
    assert re.search(r"(Finite|Fading|Session) memory", words)
    assert f"{entry.memory} memory" in words.lower()
    assert "lat input gives" in words
    if not entry.session:
        assert "warm-up" in words
        assert "first valid ind" in words
    else:
        assert "no number before a session's start is seen" in words
    if entry.talib:
        assert "TA-Lib" in words


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_warm_ups_in_words_are_those_of_the_table(entry: Indicator) -> None:
    words = " ".join((getattr(face, entry.name).__doc__ or "").split())
    told = re.search(r"warm-up (\d+) n( - 1)?[;,]", words)
    if told is None:
        return
    for n in (5, 14):
        assert entry.warmup([n]) == int(told[1]) * n - (1 if told[2] else 0)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0, "a period must be at least 1, not 0 (n)"),
        (10_001, "a period must be at most 10000, not 10001 (n)"),
        (2.0, "a period must be a whole number, not 2.0 (n)"),
        (True, "a period must be a whole number, not True (n)"),
        ("3", "a period must be a whole number, not '3' (n)"),
        (1, ""),
    ],
)
def test_a_period_is_a_whole_number_within_bounds(value: int, why: str) -> None:
    assert Number("n", True, None, 1, 10_000).problem(value) == why


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (-0.1, "k must be at least 0, not -0.1 (k)"),
        (1e9, "k must be at most 1000, not 1000000000.0 (k)"),
        (nan, "k must be at most 1000, not nan (k)"),
        (None, "k must be a number, not None"),
        (2, ""),
        (0.5, ""),
    ],
)
def test_a_factor_is_a_number_within_bounds(value: float, why: str) -> None:
    assert Number("k", False, 2.0, 0, 1_000).problem(value) == why


def test_numbers_that_do_not_go_together_are_refused() -> None:
    assert INDICATORS["macd"].problem((26, 12, 9)) == "fast must be below slow, not 26 and 12"
    assert INDICATORS["psar"].problem((0.3, 0.2)) == "step must not be above most, not 0.3 and 0.2"
    assert INDICATORS["macd"].problem((12, 26)) == "macd takes 3 numbers, not 2"
    assert INDICATORS["macd"].problem((12, 26, 9)) == ""


def test_a_kernel_is_never_run_beyond_its_buffers() -> None:
    sma, x = INDICATORS["sma"], array("d", [1.0] * 5)
    with pytest.raises(ValueError, match="5 rows are fewer than 6"):
        sma.run([x], [2], [array("d", [0.0] * 6)], 0, 6, sma.new_state([2]))
    with pytest.raises(ValueError, match="4 rows are fewer than 5"):
        sma.run([x], [2], [array("d", [0.0] * 4)], 0, 5, sma.new_state([2]))
    with pytest.raises(ValueError, match="rows 3 to 2 are no range"):
        sma.run([x], [2], [x], 3, 2, sma.new_state([2]))
    with pytest.raises(ValueError, match="rows -1 to 2 are no range"):
        sma.run([x], [2], [x], -1, 2, sma.new_state([2]))
    highest = INDICATORS["highest"]
    with pytest.raises(ValueError, match="its state is too short"):
        highest.run([x], [9], [array("d", [0.0] * 5)], 0, 5, highest.new_state([8]))
