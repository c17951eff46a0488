"""Trades become bars exactly: equal to the exchange's own, and to hand-made ones."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from trader.bars.load import load_bars
from trader.bars.resample import resample
from trader.bars.trades import bars_of_trades
from trader.core.series import Series
from trader.errors import DataError

from .conftest import WriteBars

M = 60_000
T0 = 1_699_920_000_000
COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")
TRADES = "freqtrade_binance_xrpeth_trades_2019-10.csv.gz"


def same(one: Series, other: Series) -> bool:
    """Every column, exactly."""
    return one.tick == other.tick and all(
        list(getattr(one, name)) == list(getattr(other, name)) for name in COLUMNS
    )


@pytest.mark.parametrize(("timeframe", "step_ms"), [("1m", M), ("5m", 5 * M)])
def test_real_trades_make_the_exchanges_own_bars(real: Path, timeframe: str, step_ms: int) -> None:
    found = bars_of_trades(real / TRADES, "XRP/ETH", step_ms)
    native = load_bars(real / f"freqtrade_binance_xrpeth_{timeframe}_2019-10.csv.gz").series
    assert found.trades == 12_477
    assert len(native) == {"1m": 2_469, "5m": 706}[timeframe]
    assert same(found.series, native)


def test_bars_of_real_trades_resample_to_those_of_a_longer_step(real: Path) -> None:
    minutes = bars_of_trades(real / TRADES, "XRP/ETH", M).series
    for step_ms in (5 * M, 15 * M, 60 * M):
        whole = resample(minutes, step_ms, 0, 10**13)
        direct = bars_of_trades(real / TRADES, "XRP/ETH", step_ms).series
        assert same(whole, direct)


def test_first_highest_lowest_last_and_the_exact_sum(bar_file: WriteBars) -> None:
    rows = [
        (T0 + 1, "10", "0.1"),
        (T0 + 1, "12.5", "0.2"),
        (T0 + 59_999, "9.75", "0.000000000000000001"),
        (T0 + 3 * M, "11", "5"),
    ]
    lines = ["time,price,amount", *(f"{at},{price},{amount}" for at, price, amount in rows)]
    found = bars_of_trades(bar_file("\n".join(lines) + "\n"), "A/B", M).series
    assert found.tick == Decimal("0.01")
    # 0.1 + 0.2 is 0.3 here, not a float's 0.30000000000000004; minutes 1 and 2 had no trade.
    assert list(found.rows()) == [
        (T0, 1_000, 1_250, 975, 975, 0.3),
        (T0 + 3 * M, 1_100, 1_100, 1_100, 1_100, 5.0),
    ]


def test_a_trade_that_is_there_twice_counts_once(bar_file: WriteBars) -> None:
    lines = ["id,time,price,qty", f"7,{T0},10,1", f"7,{T0},10,1", f"8,{T0},10,1"]
    found = bars_of_trades(bar_file("\n".join(lines) + "\n"), "A/B", M)
    assert (found.trades, found.repeated) == (2, 1)
    assert list(found.series.volume) == [2.0]


REFUSED = {
    "no price": (["time,amount", f"{T0},1"], ":1: the header lacks price"),
    "no time": (["price,amount", "1,1"], ":1: the header lacks a time"),
    "no amount": (["time,price", f"{T0},1"], ":1: the header lacks an amount"),
    "two amounts": (["time,price,qty,size", f"{T0},1,1,1"], "column qty or column size"),
    "no trades": (["time,price,amount"], "has a header but no trades"),
    "a step back": (
        ["time,price,amount", f"{T0 + 5},1,1", f"{T0},1,1"],
        ":3: the trade of .* stands after",
    ),
    "a word": (["time,price,amount", f"{T0},one,1"], ":2: 'one' is not a number"),
    "a price of nothing": (["time,price,amount", f"{T0},0,1"], ":2: price 0 is zero"),
    "a negative amount": (["time,price,amount", f"{T0},1,-1"], ":2: -1 is negative"),
    "a column less": (["time,price,amount", f"{T0},1"], ":2: a column is missing"),
    "two trades of one name": (
        ["id,time,price,amount", f"7,{T0},1,1", f"7,{T0},2,1"],
        ":3: two trades are named 7",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_file_of_trades_is_refused_with_its_line(what: str, bar_file: WriteBars) -> None:
    lines, said = REFUSED[what]
    with pytest.raises(DataError, match=said):
        bars_of_trades(bar_file("\n".join(lines) + "\n"), "A/B", M)
