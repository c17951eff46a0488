"""A series of views of read-only memory is the same series as one of arrays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trader.bars.resample import resample
from trader.core.returns import told_returns
from trader.core.series import Series, build_series
from trader.core.simulate import Model, Simulation
from trader.core.snapshot import window_row
from trader.core.strategy import Window

from .made import BAR_MS, BTC, MINUTE_MS, account, parameters, strategy
from .test_simulate import at

COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


def walk(count: int) -> Series:
    rows: list[tuple[int, int, int, int, int, float]] = []
    for i in range(count):
        price = 10_000 + (i * 7919) % 101
        bar = (BAR_MS + (i - 1) * MINUTE_MS, price, price + 9, price - 7, price + 2, i / 7)
        rows.append(bar)
    return build_series(BTC, MINUTE_MS, Decimal("0.01"), rows)


def mapped(series: Series) -> Series:
    """The same bars as read-only views of bytes, as a cache maps them."""
    views: list[Any] = [
        memoryview(bytes(memoryview(getattr(series, name)).cast("B"))).cast(
            "d" if name == "volume" else "q"
        )
        for name in COLUMNS
    ]
    assert all(view.readonly for view in views)
    return Series(series.symbol, series.step_ms, series.tick, *views)


def test_a_mapped_series_equals_the_one_it_was_made_from() -> None:
    series = walk(300)
    same = mapped(series)
    assert same == series
    assert len(same) == 300
    assert list(same.rows()) == list(series.rows())
    assert same.index_of(series.open_ms[77] + 1) == 78


def test_a_slice_of_a_mapped_series_is_a_view() -> None:
    series = walk(300)
    part = mapped(series).slice(10, 20)
    assert part == series.slice(10, 20)
    assert isinstance(part.close, memoryview)


def test_what_reads_a_series_reads_a_mapped_one_alike() -> None:
    series = walk(1_500)
    same = mapped(series)
    assert resample(same, 5 * MINUTE_MS) == resample(series, 5 * MINUTE_MS)
    for name in COLUMNS:
        column = getattr(Window(same, 3, 900), name)
        assert column == getattr(Window(series, 3, 900), name)
        assert column.readonly
    days = [told_returns(one.open_ms, one.close, one.open_ms[-1], 3) for one in (series, same)]
    assert days[0] == days[1]


def test_a_simulation_over_mapped_bars_tells_the_same_facts() -> None:
    told: list[list[tuple[str, object]]] = []
    series = walk(40)
    for bars in (series, mapped(series)):
        facts: list[tuple[str, object]] = []
        simulation = Simulation(
            parameters(strategy()),
            {"one": at({3, 20}, {9, 30})},
            {(BTC, "1m"): bars},
            account(),
            Model(spread_ppm=0),
            lambda kind, payload, to=facts: to.append((kind, dict(payload))),
        )
        simulation.run(BAR_MS, BAR_MS + 38 * MINUTE_MS)
        told.append(facts)
    assert told[0] == told[1]
    assert [kind for kind, _ in told[0]].count("fill") == 2


def test_a_window_of_mapped_bars_has_the_same_hash() -> None:
    series = walk(50)
    assert window_row(series) == window_row(mapped(series))
