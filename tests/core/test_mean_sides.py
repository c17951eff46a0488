"""Conditions on means of prices, told by whole ticks: the very rows that columns say."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from trader.core.columns import PairColumns, build_columns, build_many
from trader.core.frames import Frames
from trader.core.history import evaluate_history
from trader.core.mean_sides import TILE_ROWS, TickSpans, leaf_of
from trader.core.parameters import StrategyCode, StrategySpec
from trader.core.rules import bind
from trader.core.series import Series, build_series
from trader.core.sides import tick_limit, tick_spans

from .made import BTC, MINUTE_MS, parameters, strategy
from .rule_made import Program, cross_program
from .test_history import START_MS, walk

OPERATORS = ("gt", "ge", "lt", "le", "eq", "ne", "crosses_above", "crosses_below")
SPEC = strategy(source="")


def ruled(program: dict[str, Any]) -> StrategyCode:
    return StrategyCode(lambda _: 0, lambda b, p: {}, program)


def coarse(count: int, seed: int, price: int = 6, tick: str = "0.1") -> Series:
    """Prices of few ticks: means are often equal, and windows level."""
    rng = random.Random(seed)
    rows: list[tuple[int, int, int, int, int, float]] = []
    for i in range(count):
        if rng.random() < 0.4:
            price = max(1, price + rng.choice((-1, 1)))
        if rng.random() < 0.97:
            at_ms = START_MS + i * MINUTE_MS
            rows.append((at_ms, price, price + rng.randrange(3), price, price, 1.0))
    return build_series(BTC, MINUTE_MS, Decimal(tick), rows)


def program(operator: str, one: tuple[str, int], other: tuple[str, int]) -> dict[str, Any]:
    p = Program()

    def mean(column: str, n: int) -> int:
        node = p.column(column)
        return p.indicator("sma", node, numbers=(n,)) if n else node

    held = p.add(operator, mean(*one), mean(*other))
    return p.plain(enter=held, exit=p.add("not", held), stop=p.number("1"))


def columns(text: dict[str, Any], series: Series, **more: Any) -> PairColumns:
    policy = replace(parameters(SPEC, missing_ppm_max=900_000), anchor_bars=16)
    given = {(BTC, "1m"): series}
    return build_columns(policy, {"one": ruled(text)}, given, [("one", BTC)], **more)["one", BTC]


def rows_of(runs: array[int]) -> list[int]:
    return [row for i in range(0, len(runs), 2) for row in range(runs[i], runs[i + 1])]


def flagged(text: dict[str, Any], series: Series, name: str) -> list[int]:
    bound = bind(text, {}, "1m", MINUTE_MS)
    said = evaluate_history(bound, Frames({(BTC, "1m"): series}, 2**60, 16), BTC)
    return [row for row, flag in enumerate(said[name]) if flag > 0]


@pytest.mark.parametrize("operator", OPERATORS)
def test_sides_are_those_of_the_floats_that_rules_compare(operator: str) -> None:
    pairs = (
        (("close", 3), ("close", 5)),
        (("close", 7), ("close", 2)),
        (("close", 0), ("close", 4)),
        (("close", 1), ("close", 0)),
        (("close", 3), ("high", 3)),
        (("low", 64), ("close", 65)),
    )
    equal = 0
    for seed, (one, other) in enumerate(pairs):
        text = program(operator, one, other)
        bound = bind(text, {}, "1m", MINUTE_MS)
        assert leaf_of(bound, text["outputs"]["enter"]) is not None
        for series in (coarse(1_500, seed), coarse(900, seed, 3, "0.37"), walk(900, seed, 0.01)):
            said = flagged(text, series, "enter")
            assert rows_of(columns(text, series).enters) == said
            equal += len(said)
    assert equal > 100


def test_prices_of_which_ticks_cannot_tell_are_compared_as_floats() -> None:
    text = program("crosses_above", ("close", 2), ("close", 3))
    wild = walk(2_000, 9, wild=True)
    assert rows_of(columns(text, wild).enters) == flagged(text, wild, "enter")
    high = coarse(800, 3, price=tick_limit(2, 3, 1) - 5, tick="1")
    assert rows_of(columns(text, high).enters) == flagged(text, high, "enter")
    fine = coarse(800, 4, price=3, tick="1e-120")
    assert rows_of(columns(text, fine).enters) == flagged(text, fine, "enter")


def test_prices_are_near_or_not_stretch_by_stretch() -> None:
    rows = [(START_MS + i * MINUTE_MS, 9, 9, 9, 9, 1.0) for i in range(2 * TILE_ROWS + 5)]
    series = build_series(BTC, MINUTE_MS, Decimal(1), rows)
    series.close = array("q", series.close)
    series.close[2 * TILE_ROWS + 1] = 9 << 20
    series.close[2 * TILE_ROWS + 2] = 8
    ticks = TickSpans()
    assert ticks.fit(series, "close", 0, TILE_ROWS, 9)
    assert ticks.fit(series, "close", 5, 2 * TILE_ROWS, 9)
    assert not ticks.fit(series, "close", 0, TILE_ROWS, 8)
    assert not ticks.fit(series, "close", 0, len(series), 1 << 40)
    assert ticks.fit(series, "open", 0, len(series), 1 << 40)


@pytest.mark.parametrize("name", ["sma", "ema"])
def test_the_work_block_changes_nothing(name: str) -> None:
    text = cross_program(4, 9, name)
    series = walk(3_000, 6, 0.01)
    whole = columns(text, series)
    assert len(whole.enters)
    for rows in (1, 40, 200):
        part = columns(text, series, work_rows=rows)
        assert (part.enters, part.leaves, part.stop) == (whole.enters, whole.leaves, whole.stop)
        assert (part.problems, part.offsets) == (whole.problems, whole.offsets)


def test_many_trials_at_once_say_what_each_says_alone() -> None:
    series = {(BTC, "1m"): walk(1_500, 6, 0.02)}
    trials: list[StrategySpec] = [
        replace(SPEC, numbers={"fast": fast, "slow": slow}, ttl_bars=ttl)
        for fast, slow, ttl in ((2, 5, 1), (2, 9, 1), (3, 70, 1), (3, 5, 2))
    ]
    for name in ("sma", "ema", "rma"):
        code = ruled(cross_program("$fast", "$slow", name))
        jobs = [(parameters(spec), {"one": code}) for spec in trials]
        ticks = TickSpans()
        together = build_many(jobs, series, [("one", BTC)], ticks=ticks)
        for (policy, codes), made in zip(jobs, together, strict=True):
            alone = build_columns(policy, codes, series, [("one", BTC)])["one", BTC]
            both = made["one", BTC]
            assert len(both.enters)
            for field in ("enters", "leaves", "offsets", "signals", "stop", "problems"):
                assert getattr(both, field) == getattr(alone, field)


def test_of_bars_that_are_not_wanted_nothing_need_be_known() -> None:
    series = walk(2_000, 6, 0.02)
    text = cross_program(4, 9)
    whole = columns(text, series)
    start, stop = 700, 1_200
    want = (series.open_ms[start], series.open_ms[stop])
    part = columns(text, series, want=want)
    kept = [row for row in rows_of(part.enters) if start <= row < stop]
    assert kept == [row for row in rows_of(whole.enters) if start <= row < stop]
    assert len(part.enters) < len(whole.enters)
    for row in range(start, stop):
        assert repr(part.opinion(row)) == repr(whole.opinion(row))
    assert part.quiet(start, stop) == whole.quiet(start, stop)
    assert columns(text, series, want=(0, 1)).enters == array("i")


def test_bars_in_mapped_memory_say_the_same() -> None:
    series = walk(900, 6, 0.02)
    names = ("open_ms", "open", "high", "low", "close", "volume")
    views = {name: memoryview(getattr(series, name)).toreadonly() for name in names}
    mapped = replace(series, **views)
    texts = [cross_program(4, 9, name) for name in ("sma", "ema")]
    for text in (*texts, program("gt", ("close", 0), ("high", 3))):
        one, other = columns(text, series), columns(text, mapped)
        assert len(one.enters)
        assert (one.enters, one.leaves, one.stop) == (other.enters, other.leaves, other.stop)
        assert repr(one.opinion(500)) == repr(other.opinion(500))


@pytest.mark.parametrize(("rows", "size"), [(1, 64), (15, 64), (16, 64), (100, 64), (999, 333)])
def test_a_stretch_of_prices_has_its_smallest_and_its_largest(rows: int, size: int) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        ticks = array("q", [rng.randrange(1, 10) ** rng.randrange(1, 19) for _ in range(rows)])
        tiles = -(-rows // size)
        least, most = (array("q", bytes(8 * tiles)) for _ in range(2))
        for tile in range(tiles):
            tick_spans(ticks, tile, size, least, most)
            stretch = ticks[tile * size : (tile + 1) * size]
            assert (least[tile], most[tile]) == (min(stretch), max(stretch))
