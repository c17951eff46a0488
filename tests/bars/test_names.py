"""File names tell the instrument and timeframe only when they can mean one thing."""

from __future__ import annotations

import pytest

from trader.bars.names import step_name, symbols_in, timeframes_in

NAMES = [
    ("BTC_USDT-1h.csv", ["BTC/USDT"], ["1h"]),
    ("binance_btcusdt_1h_2017-08_2024-04.csv.gz", ["BTC/USDT"], ["1h"]),
    ("BINANCE_BTC_USDT.csv", ["BTC/USDT"], []),
    ("derived_bitfinex_ethusd_5m_2016-2017.csv.gz", ["ETH/USD"], ["5m"]),
    ("lean_binance_btcbusd_1m_20221213.csv.gz", ["BTC/BUSD"], ["1m"]),
    ("freqtrade_binance_xrpeth_1m_2019-10.csv.gz", ["XRP/ETH"], ["1m"]),
    ("PEPE_USDT.csv", ["PEPE/USDT"], []),
    ("pepeusdt.csv", ["PEPE/USDT"], []),
    ("1000SHIBUSDT_1m.csv", ["1000SHIB/USDT"], ["1m"]),
    ("eth-btc.csv", ["ETH/BTC"], []),
    ("abcbusd.csv", ["ABC/BUSD", "ABCB/USD"], []),
    ("freqtrade_unittest_btc_1m_2017-11.csv.gz", [], ["1m"]),
    ("nautilus_btc_perp_1m.csv", [], ["1m"]),
    ("BTC_USDT_USDT-1h-futures.csv", [], ["1h"]),
    ("bars.csv", [], []),
    ("usdt.csv", [], []),
    ("BTCUSDT_1m_to_5m.csv", ["BTC/USDT"], ["1m", "5m"]),
]


@pytest.mark.parametrize(("name", "symbols", "timeframes"), NAMES)
def test_a_name_means_what_it_says(name: str, symbols: list[str], timeframes: list[str]) -> None:
    assert sorted(symbols_in(name)) == symbols
    assert timeframes_in(name) == timeframes


@pytest.mark.parametrize(
    ("step_ms", "name"),
    [
        (60_000, "1m"),
        (604_800_000, "1w"),
        (30_000, "30s"),
        (172_800_000, "2d"),
        (1_500, "1500ms"),
    ],
)
def test_every_length_has_a_name(step_ms: int, name: str) -> None:
    assert step_name(step_ms) == name
