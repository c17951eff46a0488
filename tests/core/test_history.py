"""Whole histories: every row is what the decision at its close reads, holes and all."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from trader.bars.resample import resample
from trader.core.frames import Frames, readings
from trader.core.history import REREAD, evaluate_history
from trader.core.indicator_table import INDICATORS
from trader.core.rules import Bound, bind
from trader.core.series import Series, build_series
from trader.core.strategy import Window

from .made import BTC, MINUTE_MS
from .rule_made import Program, cross_program

START_MS = 1_700_006_400_000
HOUR_MS = 60 * MINUTE_MS


def walk(count: int, seed: int, holes: float = 0.0, wild: bool = False) -> Series:
    rng = random.Random(seed)
    rows: list[tuple[int, int, int, int, int, float]] = []
    price = 10_000
    for i in range(count):
        price = max(1, price + rng.randrange(-60, 61)) if rng.random() < 0.8 else price
        if wild and rng.random() < 0.01:
            price = rng.choice([1, 10**10])
        high, low = price + rng.randrange(30), max(1, price - rng.randrange(30))
        if rng.random() >= holes:
            volume = float(rng.randrange(1, 999)) / 7
            rows.append((START_MS + i * MINUTE_MS, price, high, low, price, volume))
    return build_series(BTC, MINUTE_MS, Decimal("0.01"), rows)


def by_decisions(bound: Bound, series: dict[tuple[str, str], Series], anchor: int) -> list[bytes]:
    """The outputs at each bar as its own decision sees them."""
    rows: list[bytes] = []
    for open_ms in series[BTC, "1m"].open_ms:
        frames = Frames(series, open_ms + MINUTE_MS, anchor)
        block = frames.block(BTC, bound.frames[0], open_ms)
        assert block is not None
        said = readings(block, bound)
        rows.append(b"".join(bytes(memoryview(said[name])[-1:]) for name in sorted(said)))
    return rows


def by_history(bound: Bound, series: dict[tuple[str, str], Series], anchor: int) -> list[bytes]:
    frames = Frames(series, 2**60, anchor)
    said = evaluate_history(bound, frames, BTC)
    n = len(series[BTC, "1m"])
    assert all(len(column) == n for column in said.values())
    views = [memoryview(said[name]) for name in sorted(said)]
    return [b"".join(bytes(view[i : i + 1]) for view in views) for i in range(n)]


def hourly_program() -> dict[str, Any]:
    p = Program()
    hourly = p.indicator("ema", p.column(timeframe="1h"), numbers=(3,), timeframe="1h")
    above = p.add("gt", p.column(), p.add("on", hourly, text="1h"))
    return p.plain(enter=above, exit=p.add("not", above))


def nested_program() -> dict[str, Any]:
    p = Program()
    spread = p.add("sub", p.column("high"), p.column("low"))
    mean = p.indicator("sma", p.indicator("sma", spread, numbers=(5,)), numbers=(7,))
    enter = p.add("any", p.add("rising", mean, numbers=(2,)), numbers=(3,))
    return p.plain(enter=enter, strength=p.add("div", mean, p.column()))


def faded_program() -> dict[str, Any]:
    """Averages that fade, under everything that looks at rows before."""
    p = Program()
    quick = p.indicator("ema", p.column("high"), numbers=(3,))
    calm = p.indicator("rma", p.column("low"), numbers=(8,))
    top = p.indicator("highest", p.add("sub", quick, calm), numbers=(5,))
    held = p.add("any", p.add("falling", quick, numbers=(2,)), numbers=(4,))
    return p.plain(
        enter=p.add("and", held, p.add("gt", p.column("hlc3"), p.add("back", calm, numbers=(3,)))),
        exit=p.add("not", held),
        stop=p.add("add", top, p.indicator("sma", p.column("volume"), numbers=(7,))),
        strength=p.indicator("williams_r", numbers=(6,)),
    )


PROGRAMS = {
    "faded": faded_program(),
    "sma": cross_program(4, 9),
    "ema": cross_program(4, 9, "ema"),
    "nested": nested_program(),
    "hourly": hourly_program(),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("holes", [0.0, 0.03, 0.6])
def test_a_history_says_on_each_bar_what_its_decision_says(name: str, holes: float) -> None:
    minutes = walk(500, 5, holes)
    series = {(BTC, "1m"): minutes, (BTC, "1h"): resample(minutes, HOUR_MS)}
    bound = bind(PROGRAMS[name], {}, "1m", MINUTE_MS)
    for anchor in (7, 60, 240):
        assert by_history(bound, series, anchor) == by_decisions(bound, series, anchor)


def test_prices_that_a_sum_cannot_hold_exactly_are_taken_block_by_block() -> None:
    series = {(BTC, "1m"): walk(400, 9, wild=True)}
    bound = bind(cross_program(4, 9), {}, "1m", MINUTE_MS)
    assert by_history(bound, series, 16) == by_decisions(bound, series, 16)


def test_a_history_longer_than_one_go_has_no_seams() -> None:
    series = {(BTC, "1m"): walk(70_000, 2, 0.0001)}
    bound = bind(cross_program(4, 9), {}, "1m", MINUTE_MS)
    window = Window(series[BTC, "1m"])
    frames = Frames(series, 2**60, 256)
    said = evaluate_history(bound, frames, BTC, window)
    for open_ms in series[BTC, "1m"].open_ms[::256]:
        block = frames.block(BTC, bound.frames[0], open_ms)
        assert block is not None
        own = memoryview(readings(block, bound)["enter"])[block.own :]
        begin = block.first + block.own
        assert bytes(memoryview(said["enter"])[begin : block.stop]) == bytes(own)


@pytest.mark.parametrize("name", sorted({*REREAD, "sma"}))
def test_what_is_computed_in_one_go_does_not_depend_on_its_start(name: str) -> None:
    indicator = INDICATORS[name]
    p = Program()
    close = p.column()
    sources = [close, p.column("open")][: indicator.inputs.count("source")]
    numbers = tuple(6 for _ in indicator.numbers)
    outputs: dict[str, int] = {}
    for at, line in enumerate(indicator.outputs or ("",)):
        text = f"{name}.{line}" if line else name
        outputs[f"strength{at}"] = p.indicator(text, *sources, numbers=numbers)
    bound = bind(p.plain(**outputs), {}, "1m", MINUTE_MS)
    assert bound.frames[0].exact
    series = {(BTC, "1m"): walk(300, 4, 0.02)}
    assert by_history(bound, series, 11) == by_decisions(bound, series, 11)
