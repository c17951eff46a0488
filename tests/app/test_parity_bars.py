"""Bars told and told anew, in the tick of the day; and what two readings of a window differ by."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trader.app.parity_bars import BarChange, Bars, changes_between
from trader.core.series import Series

KEY = ("BTC/USDT", "1m")
CENT = Decimal("0.01")


def entry(*rows: tuple[int, int], tick: str = "0.01") -> dict[str, Any]:
    """A `bars` entry: each row (open_ms, close)."""
    told = [[open_ms, close, close + 1, close - 1, close, "2.5"] for open_ms, close in rows]
    return {"symbol": KEY[0], "timeframe": KEY[1], "tick": tick, "rows": told}


def closes(series: Series) -> list[tuple[int, int]]:
    """(open_ms, close) of every bar."""
    return [(row[0], row[4]) for row in series.rows()]


def test_bars_are_appended_inserted_and_replaced_in_the_order_of_time() -> None:
    bars = Bars()
    bars.grid(KEY[0], CENT)
    bars.take(entry((60_000, 100), (180_000, 102)), 5)
    bars.take(entry((120_000, 101)), 6)
    bars.take(entry((60_000, 200)), 7)
    bars.take(entry((0, 99)), 8)
    assert closes(bars.series[KEY]) == [(0, 99), (60_000, 200), (120_000, 101), (180_000, 102)]
    assert [bars.told_by(KEY, open_ms) for open_ms in (0, 60_000, 240_000)] == [8, 7, 0]
    assert bars.told_by(("BTC/USDT", "5m"), 0) == 0
    assert [bars.volume(KEY, open_ms) for open_ms in (60_000, 240_000)] == [2.5, 0.0]
    assert bars.volume(("ETH/USDT", "1m"), 0) == 0.0


def test_a_window_that_was_taken_stays_as_it_was() -> None:
    bars = Bars()
    bars.grid(KEY[0], CENT)
    bars.take(entry((0, 99), (60_000, 100)), 5)
    window = bars.series[KEY].slice(0, 2)
    bars.take(entry((60_000, 150)), 6)
    assert closes(window) == [(0, 99), (60_000, 100)]
    changed = changes_between({KEY: window}, {KEY: bars.series[KEY]})
    assert changed == [BarChange(KEY, 60_000, late=False)]
    assert changes_between({}, {KEY: window}) == [
        BarChange(KEY, 0, late=True),
        BarChange(KEY, 60_000, late=True),
    ]


def test_prices_follow_the_instrument_to_another_tick() -> None:
    bars = Bars()
    bars.take(entry((0, 100), (60_000, 105)), 5)
    assert not bars.grid(KEY[0], CENT)
    assert bars.grid(KEY[0], Decimal("0.001"))
    bars.take(entry((120_000, 1_077), tick="0.001"), 6)
    assert closes(bars.series[KEY]) == [(0, 1_000), (60_000, 1_050), (120_000, 1_077)]
    # What is not whole in the coarser tick could not be read under it; it is not forgotten.
    assert bars.grid(KEY[0], CENT)
    assert closes(bars.series[KEY]) == [(0, 100), (60_000, 105)]
    assert bars.told_by(KEY, 120_000) == 6
    bars.take(entry((60_000, 1_055), tick="0.001"), 7)
    assert closes(bars.series[KEY]) == [(0, 100)]
    bars.grid(KEY[0], Decimal("0.001"))
    assert closes(bars.series[KEY]) == [(0, 1_000), (60_000, 1_055), (120_000, 1_077)]
    assert [bars.told_by(KEY, at) for at in (0, 60_000, 120_000)] == [5, 7, 6]


def test_a_series_that_is_new_takes_the_tick_that_is_in_force() -> None:
    bars = Bars()
    bars.grid(KEY[0], Decimal("0.1"))
    bars.take(
        {**entry(), "rows": [[0, 110, 120, 100, 110, "1"], [60_000, 111, 120, 100, 110, "1"]]}, 5
    )
    assert closes(bars.series[KEY]) == [(0, 11)]
