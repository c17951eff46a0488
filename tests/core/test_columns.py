"""Columns: every row says what the decision at its close would say, holes and all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import nan
from typing import Any

import pytest

from trader.bars.resample import resample
from trader.core.columns import PairColumns, build_columns
from trader.core.frames import Frames, SeriesKey
from trader.core.parameters import Parameters, StrategyCode, StrategySpec
from trader.core.series import Series, build_series
from trader.core.signals import Opinion, form_opinion
from trader.core.strategy import CodeLost

from .made import BTC, MINUTE_MS, parameters, strategy
from .rule_made import Program, cross_program
from .test_history import walk

HOUR_MS = 60 * MINUTE_MS
MISSING_PPM = 150_000


def ruled(program: dict[str, Any]) -> StrategyCode:
    return StrategyCode(lambda _: 0, lambda b, p: {}, program)


def levels_program() -> dict[str, Any]:
    """Enter and leave on levels, with every distance that a strategy may have."""
    p = Program()
    close, calm = p.column(), p.indicator("ema", p.column(), numbers=(5,))
    span = p.add("sub", p.column("high"), p.column("low"))
    return p.plain(
        enter=p.add("gt", close, calm),
        exit=p.add("crosses_below", close, calm),
        stop=p.add("mul", p.number("2"), span),
        target=p.add("mul", p.number("0.04"), close),
        trail=p.indicator("sma", span, numbers=(3,)),
        trail_from=p.add("mul", p.number("0.01"), close),
        break_even=p.add("mul", p.number("0.02"), close),
        strength=p.add("div", calm, p.add("add", calm, close)),
        scale_out_1=p.add("mul", p.number("0.01"), close),
    )


def mean_program(enter: str, leave: str) -> dict[str, Any]:
    """Comparisons of a price and of means of two of them."""
    p = Program()
    close, high = p.column(), p.column("high")
    calm = p.indicator("sma", high, numbers=(3,))
    return p.plain(
        enter=p.add(enter, close, calm),
        exit=p.add(leave, calm, p.indicator("sma", close, numbers=(2,))),
        stop=p.add("max", p.number("0.01"), p.add("sub", high, p.column("low"))),
        strength=p.add("div", p.column("volume"), p.number("100")),
    )


def range_program() -> dict[str, Any]:
    """A cross of means, with a stop that needs more than the bar of the signal."""
    p = Program()
    close = p.column()
    quick, calm = (p.indicator("sma", close, numbers=(n,)) for n in (2, 3))
    return p.plain(
        enter=p.add("crosses_above", quick, calm),
        exit=p.add("not", p.add("gt", quick, calm)),
        stop=p.indicator("atr", numbers=(4,)),
    )


def hourly_program() -> dict[str, Any]:
    p = Program()
    hourly = p.indicator("ema", p.column(timeframe="1h"), numbers=(3,), timeframe="1h")
    above = p.add("gt", p.column(), p.add("on", hourly, text="1h"))
    return p.plain(
        enter=p.add("all", above, numbers=(2,)),
        exit=p.add("not", above),
        stop=p.add("mul", p.number("0.03"), p.column()),
    )


def from_file(window: Any, numbers: Mapping[str, float | int]) -> dict[str, Any]:
    """A file's columns: a NaN here and there, and a failure on some blocks."""
    closes = list(window.close)
    if closes[0] > numbers.get("most", 1e9):
        raise ValueError("too dear")
    ups = [0.0, *(float(b > a) for a, b in pairwise(closes))]
    return {
        "enter": [
            up if int(close * 100) % 7 else nan for up, close in zip(ups, closes, strict=True)
        ],
        "exit": [1.0 - up for up in ups],
        "stop": [close * 0.01 if int(close * 100) % 11 else 0.0 for close in closes],
    }


def said_by(
    spec: StrategySpec, code: StrategyCode, series: Mapping[SeriesKey, Series], close_ms: int
) -> Opinion:
    return form_opinion(spec, code, Frames(series, close_ms, 10), BTC, MISSING_PPM)


def made(
    spec: StrategySpec, code: StrategyCode, series: Mapping[SeriesKey, Series], **more: Any
) -> PairColumns:
    policy = settings(spec)
    return build_columns(policy, {spec.name: code}, series, [(spec.name, BTC)], **more)[
        spec.name, BTC
    ]


def settings(spec: StrategySpec) -> Parameters:
    return parameters(spec, missing_ppm_max=MISSING_PPM)


def check(columns: PairColumns, expected: list[Opinion]) -> None:
    """Each row's opinion, and the runs and counts that say the same in short."""
    counts: Counter[str] = Counter()
    for row, said in enumerate(expected):
        assert repr(columns.opinion(row)) == repr(said), row
        assert (columns.run_of(row) >= 0) == (said.enter_ms >= 0), row
        assert columns.leaves_at(row) == said.exit_now, row
        signal = columns.own_row(row)
        assert signal < 0 or columns.own is not None
        if signal >= 0 and columns.own is not None:
            assert columns.own.open_ms[signal] == said.enter_ms
        if said.enter_ms < 0:
            counts[said.problem.split(" ")[0] or "NO_SIGNAL"] += 1
    assert columns.quiet(0, len(expected)) == counts
    half = len(expected) // 2
    assert columns.quiet(0, half) + columns.quiet(half, len(expected)) == counts


RULED = strategy(source="")
LIVES_ON = strategy(source="", ttl_bars=3)
SCALED = {"scale_ppm": (500_000,)}
CASES: dict[str, tuple[StrategySpec, StrategyCode]] = {
    "a cross": (RULED, ruled(cross_program(4, 9))),
    "a cross that lives on": (LIVES_ON, ruled(cross_program(4, 9))),
    "a fading cross": (RULED, ruled(cross_program(4, 9, "ema"))),
    "a fading cross that lives on": (LIVES_ON, ruled(cross_program(4, 9, "ema"))),
    "levels with all distances": (replace(RULED, **SCALED), ruled(levels_program())),
    "levels that live on": (replace(LIVES_ON, **SCALED), ruled(levels_program())),
    "levels of means": (RULED, ruled(mean_program("gt", "le"))),
    "levels of means that are rarely equal": (RULED, ruled(mean_program("eq", "ne"))),
    "a range that stops": (RULED, ruled(range_program())),
    "a higher timeframe": (RULED, ruled(hourly_program())),
    "a higher timeframe that lives on": (LIVES_ON, ruled(hourly_program())),
    "a file": (strategy(), StrategyCode(lambda _: 3, from_file)),
    "a file that lives on": (strategy(ttl_bars=12), StrategyCode(lambda _: 3, from_file)),
    "a file that fails at times": (
        strategy(ttl_bars=3, numbers={"most": 101.0}),
        StrategyCode(lambda _: 3, from_file),
    ),
    "a file beside rules": (strategy(), StrategyCode(lambda _: 3, from_file, cross_program(2, 5))),
    "no stop": (RULED, ruled({**cross_program(), "outputs": {"enter": 3, "exit": 4}})),
}


def several(series: Series) -> dict[SeriesKey, Series]:
    return {(BTC, "1m"): series, (BTC, "1h"): resample(series, HOUR_MS)}


@pytest.mark.parametrize("holes", [0.0, 0.12, 0.2])
@pytest.mark.parametrize("case", CASES)
def test_each_row_says_what_its_decision_says(case: str, holes: float) -> None:
    spec, code = CASES[case]
    series = several(walk(450, 3, holes))
    one = series[BTC, "1m"]
    expected = [said_by(spec, code, series, opens + MINUTE_MS) for opens in one.open_ms]
    columns = made(spec, code, series)
    assert columns.plain == (spec.ttl_bars == 1)
    check(columns, expected)


@pytest.mark.parametrize("ttl", [1, 3])
@pytest.mark.parametrize("holes", [0.0, 0.01])
def test_a_slower_strategy_speaks_at_every_decision_until_its_next_bar(
    holes: float, ttl: int
) -> None:
    one = walk(2_500, 5, holes)
    whole = resample(one, 5 * MINUTE_MS)
    rng = random.Random(4)
    rows = [row for row in whole.rows() if rng.random() > holes]
    own = build_series(BTC, 5 * MINUTE_MS, one.tick, rows)
    series = {(BTC, "1m"): one, (BTC, "5m"): own}
    spec = replace(RULED, timeframe="5m", timeframe_ms=5 * MINUTE_MS, ttl_bars=ttl)
    code = ruled(levels_program())
    spec = replace(spec, scale_ppm=(500_000,))
    expected = [said_by(spec, code, series, opens + MINUTE_MS) for opens in one.open_ms]
    columns = made(spec, code, series)
    check(columns, expected)
    for bar_ms in range(one.open_ms[0], one.open_ms[0] + 300 * MINUTE_MS, MINUTE_MS):
        said = said_by(spec, code, series, bar_ms + MINUTE_MS)
        code_said = "" if said.enter_ms >= 0 else said.problem.split(" ")[0] or "NO_SIGNAL"
        assert columns.code_at(bar_ms) == code_said


def test_an_absent_bar_of_a_strategy_on_every_bar_is_stale() -> None:
    spec, code = CASES["a cross"]
    one = walk(300, 8, 0.05)
    series = several(one)
    columns = made(spec, code, series)
    there = set(one.open_ms)
    for bar_ms in range(one.open_ms[0], one.open_ms[-1], MINUTE_MS):
        if bar_ms not in there:
            said = said_by(spec, code, series, bar_ms + MINUTE_MS)
            assert columns.code_at(bar_ms) == said.problem.split(" ")[0] == "DATA_STALE"


def test_code_that_cannot_start_says_so_on_every_row() -> None:
    series = several(walk(50, 1))
    for spec, code in (
        (strategy(), StrategyCode(lambda p: int(p["none"]), from_file)),
        (RULED, ruled({"nodes": [["nonsense", "", [], [], ""]], "outputs": {"enter": 0}})),
    ):
        columns = made(spec, code, series)
        check(
            columns,
            [said_by(spec, code, series, at + MINUTE_MS) for at in series[BTC, "1m"].open_ms],
        )
        assert columns.code_at(0) == "STRATEGY_FAILED"


def test_without_bars_there_is_nothing_but_staleness() -> None:
    spec, code = CASES["a cross"]
    columns = made(spec, code, {})
    assert columns.code_at(0) == "DATA_STALE"
    assert not len(columns.enters)
    assert not len(columns.leaves)
    one = walk(20, 1)
    slow = replace(spec, timeframe="1h", timeframe_ms=HOUR_MS)
    series = {(BTC, "1m"): one}
    check(
        made(slow, code, series),
        [said_by(slow, code, series, at + MINUTE_MS) for at in one.open_ms],
    )


def test_code_that_gives_no_answer_is_asked_again_by_whoever_decides() -> None:
    series = several(walk(200, 3))
    one = series[BTC, "1m"]
    last = one.open_ms[99]

    def dies(window: Any, numbers: Mapping[str, float | int]) -> dict[str, Any]:
        if window.open_ms[-1] > last:
            raise CodeLost
        return from_file(window, numbers)

    for ttl in (1, 3):
        spec = strategy(ttl_bars=ttl)
        columns = made(spec, StrategyCode(lambda _: 3, dies), series)
        begun = next(start for start, _, code in columns.problems if code == "STRATEGY_FAILED")
        assert 90 <= begun <= 100
        lively = StrategyCode(lambda _: 3, from_file)
        for row in range(begun):
            said = said_by(spec, lively, series, one.open_ms[row] + MINUTE_MS)
            assert repr(columns.opinion(row)) == repr(said)
        assert not any(start >= begun for start in (*columns.enters[::2], *columns.leaves[::2]))
        for row in range(100, len(one)):
            with pytest.raises(CodeLost):
                columns.opinion(row)
