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
    told = bars.told(KEY, 60_000)
    assert told is not None
    assert told.seq == 7
    assert bars.told(KEY, 240_000) is None
    assert bars.has("BTC/USDT", "1m", 0)
    assert not bars.has("BTC/USDT", "5m", 0)


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


def test_bars_wait_for_the_rules_of_their_instrument() -> None:
    bars = Bars()
    bars.take(entry((0, 99)), 5)
    assert bars.series == {}
    assert bars.grid(KEY[0], CENT)
    assert not bars.grid(KEY[0], CENT)
    assert closes(bars.series[KEY]) == [(0, 99)]


def test_prices_follow_the_instrument_to_another_tick() -> None:
    bars = Bars()
    bars.grid(KEY[0], CENT)
    bars.take(entry((0, 100), (60_000, 105)), 5)
    assert bars.grid(KEY[0], Decimal("0.001"))
    bars.take(entry((120_000, 1_077), tick="0.001"), 6)
    assert closes(bars.series[KEY]) == [(0, 1_000), (60_000, 1_050), (120_000, 1_077)]
    # What is not whole in the coarser tick could not be read under it.
    assert bars.grid(KEY[0], CENT)
    assert closes(bars.series[KEY]) == [(0, 100), (60_000, 105)]
