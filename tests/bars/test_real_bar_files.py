"""Real files load as their source describes them, or are refused for a reason."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from trader.bars.bar_file import BarFile
from trader.bars.load import load_bars
from trader.bars.resample import resample
from trader.core.series import Series
from trader.errors import DataError

# name: symbol ("" when the name does not say it), step, rows, gaps, missing, zero volume
LOADED = {
    "awkward_bitfinex_btcusd_1m_2016-07-25_2016-08-20_hack_outage": (
        "BTC/USD", 60_000, 19341, 3522, 18099, 0,
    ),
    "basana_binance_btcusdt_1d_2020": ("BTC/USDT", 86_400_000, 366, 0, 0, 1),
    "basana_bitstamp_btcusd_1d_2015_utf16": ("BTC/USD", 86_400_000, 365, 0, 0, 3),
    "basana_bitstamp_btcusd_1d_2015_zero_volume_days": ("BTC/USD", 86_400_000, 365, 0, 0, 3),
    "basana_bitstamp_btcusd_1m_2020-01-01_zero_volume": ("BTC/USD", 60_000, 1440, 0, 0, 45),
    "binance_btcusdt_1h_2017-08_2024-04": ("BTC/USDT", 3_600_000, 58419, 28, 128, 4),
    "bitfinex_ltcusd_1m_2016": ("LTC/USD", 60_000, 41250, 24004, 485720, 0),
    "derived_binance_btcusdt_1d_2017-08_2024-04": ("BTC/USDT", 86_400_000, 2440, 0, 0, 0),
    "derived_bitfinex_ethusd_5m_2016-2017": ("ETH/USD", 300_000, 133472, 14062, 57280, 0),
    "freqtrade_binance_dashbtc_5m_2018-01_gaps": ("DASH/BTC", 300_000, 5758, 2, 2, 0),
    "freqtrade_binance_ethbtc_5m_2018-01": ("ETH/BTC", 300_000, 5760, 0, 0, 0),
    "freqtrade_binance_trxbtc_5m_2018-01_gaps": ("TRX/BTC", 300_000, 5754, 6, 6, 0),
    "freqtrade_binance_xrpeth_1m_2019-10": ("XRP/ETH", 60_000, 2469, 676, 1091, 0),
    "freqtrade_binance_xrpeth_5m_2019-10": ("XRP/ETH", 300_000, 706, 6, 6, 0),
    "freqtrade_binance_xrpusdt_perp_5m_2021-11": ("", 300_000, 1999, 0, 0, 0),
    "freqtrade_orderflow_5m_2024-01": ("", 300_000, 999, 0, 0, 0),
    "freqtrade_unittest_btc_1m_2017-11": ("", 60_000, 13681, 538, 717, 0),
    "lean_binance_btcbusd_1m_20221213": ("BTC/BUSD", 60_000, 1440, 0, 0, 0),
    "lean_bybit_btcusdt_1m_20221213": ("BTC/USDT", 60_000, 1440, 0, 0, 0),
    "lean_coinbase_btcusd_1d_2014-12_2018-08": ("BTC/USD", 86_400_000, 1318, 8, 34, 0),
    "lean_coinbase_btcusd_1m_20171217": ("BTC/USD", 60_000, 1440, 0, 0, 0),
    "lean_coinbase_btcusd_1s_20161007": ("BTC/USD", 1_000, 4063, 3799, 82332, 0),
    "nautilus_btc_perp_1m_2021-12-31_2022-02-01": ("", 60_000, 45031, 0, 0, 0),
    "octobot_bittrex_xrpbtc_1d_2014-2018": ("XRP/BTC", 86_400_000, 1313, 0, 0, 0),
    "octobot_bittrex_xrpbtc_1h_2018-07": ("XRP/BTC", 3_600_000, 1440, 0, 0, 0),
    "octobot_bittrex_xrpbtc_1m_2018-07": ("XRP/BTC", 60_000, 11248, 2168, 3150, 0),
    "octobot_bittrex_xrpbtc_30m_2018-07": ("XRP/BTC", 1_800_000, 1920, 0, 0, 0),
    "octobot_bittrex_xrpbtc_5m_2018-07": ("XRP/BTC", 300_000, 5701, 54, 59, 0),
}  # fmt: skip
# Half a million rows each: read by the proofs and benchmarks instead.
LARGE = {
    "bitfinex_btcusd_1m_2017",
    "bitfinex_btcusd_1m_2018",
    "bitfinex_ethusd_1m_2018",
    "derived_bitfinex_btcusd_5m_2013-2016",
}
REFUSED = {
    "awkward_bitfinex_btcusd_1m_2018-06-05_overlapping_pages": r":122: .*stands after that of",
    "awkward_bitfinex_btcusd_1m_2018-06-05_raw_column_order": r":1: .*Bitfinex's API orders them",
    "freqtrade_binance_xrpeth_trades_2019-10": ":1: the header lacks open, high, low, close",
    "freqtrade_binance_xrpusdt_perp_funding_8h_2021-11": ":1: the header lacks open",
    "hftbacktest_binance_spot_btcusdt_book_ticker_2024-08-08_2354": ":1: no header line with",
    "hftbacktest_binance_spot_btcusdt_trades_2024-08-08_2354": ":1: no header line with",
    "lean_coinbase_btcusd_1m_quotes_20171217": ":1: the header lacks open",
}


def test_every_real_file_is_accounted_for(real: Path) -> None:
    names = {path.name.removesuffix(".csv.gz") for path in real.glob("*.csv.gz")}
    assert names == LOADED.keys() | LARGE | REFUSED.keys()


@pytest.mark.parametrize("name", LOADED)
def test_a_real_file_loads_as_described(real: Path, name: str) -> None:
    symbol, step_ms, rows, gaps, missing, zero = LOADED[name]
    path = real / f"{name}.csv.gz"
    if not symbol:
        with pytest.raises(DataError, match="does not say which instrument it is; name the symbol"):
            load_bars(path)
    found = load_bars(path, symbol=None if symbol else "BTC/USD")
    report = found.report
    assert (found.symbol, found.step_ms) == (symbol or "BTC/USD", step_ms)
    assert (report.rows, report.gaps, report.missing, report.zero_volume) == (
        rows, gaps, missing, zero,
    )  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_that_is_no_bar_file_is_refused(real: Path, name: str) -> None:
    with pytest.raises(DataError, match=REFUSED[name]):
        load_bars(real / f"{name}.csv.gz")


@pytest.mark.parametrize(
    ("name", "tick", "snapped"),
    [
        ("freqtrade_binance_trxbtc_5m_2018-01_gaps", "0.00000001", 10117),
        ("freqtrade_binance_ethbtc_5m_2018-01", "0.00000001", 4710),
        ("basana_binance_btcusdt_1d_2020", "0.01", 0),
        ("octobot_bittrex_xrpbtc_1m_2018-07", "0.00000001", 0),
    ],
)
def test_every_price_equals_the_text_as_a_decimal(
    real: Path, name: str, tick: str, snapped: int
) -> None:
    path = real / f"{name}.csv.gz"
    found = load_bars(path)
    assert (found.tick, found.report.snapped) == (Decimal(tick), snapped)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    shadows = 0
    for index, told in enumerate(rows):
        for column in ("open", "high", "low", "close"):
            read = getattr(found.series, column)[index] * found.tick
            exact = Decimal(told[column])
            shadows += read != exact
            assert abs(read - exact) <= exact * Decimal("1e-14")
        assert found.series.volume[index] == float(told["volume"])
    assert shadows == snapped


def test_the_utf16_file_equals_its_utf8_twin(real: Path) -> None:
    told = load_bars(real / "basana_bitstamp_btcusd_1d_2015_utf16.csv.gz")
    twin = load_bars(real / "basana_bitstamp_btcusd_1d_2015_zero_volume_days.csv.gz")
    assert (told.report.encoding, told.report.time_unit) == ("utf-16", "iso")
    assert told.series == twin.series


def _matches(made: Series, own: BarFile) -> int:
    """Bars of the exchange in the span of ours; each must be equal, and none may be absent."""
    start, stop = (
        own.series.index_of(made.open_ms[0]),
        own.series.index_of(made.open_ms[-1]),
    )
    theirs = own.series.slice(start, stop + 1)
    assert made.tick == theirs.tick
    for ours, exchange in zip(made.rows(), theirs.rows(), strict=True):
        assert ours[:5] == exchange[:5]
        assert ours[5] == pytest.approx(exchange[5], rel=1e-6)
    return len(made)


def test_resampled_minutes_equal_the_exchanges_own_higher_bars(real: Path) -> None:
    minutes = load_bars(real / "octobot_bittrex_xrpbtc_1m_2018-07.csv.gz").series
    counts = []
    for timeframe in ("5m", "30m", "1h"):
        own = load_bars(real / f"octobot_bittrex_xrpbtc_{timeframe}_2018-07.csv.gz")
        counts.append(_matches(resample(minutes, own.step_ms), own))
    assert counts == [2867, 479, 239]


def test_resampled_xrpeth_minutes_equal_the_five_minute_file(real: Path) -> None:
    minutes = load_bars(real / "freqtrade_binance_xrpeth_1m_2019-10.csv.gz").series
    own = load_bars(real / "freqtrade_binance_xrpeth_5m_2019-10.csv.gz")
    # The last five minutes had not ended when the minutes were recorded.
    assert _matches(resample(minutes, own.step_ms), own) >= len(own.series) - 1


def test_hours_resampled_to_days_equal_the_derived_file(real: Path) -> None:
    hours = load_bars(real / "binance_btcusdt_1h_2017-08_2024-04.csv.gz").series
    days = load_bars(real / "derived_binance_btcusdt_1d_2017-08_2024-04.csv.gz")
    # Its first and last day are cut: the hours begin at 04:00 and end at 14:00.
    assert _matches(resample(hours, 86_400_000), days) == len(days.series) - 2


def test_the_raw_order_of_columns_is_read_when_the_caller_says_it(real: Path) -> None:
    path = real / "awkward_bitfinex_btcusd_1m_2018-06-05_raw_column_order.csv.gz"
    told = "time,open,close,high,low,volume"
    found = load_bars(path, columns=told)
    assert (found.report.rows, found.report.gaps, found.report.missing) == (2710, 14, 170)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, told.split(",")))
    assert [ticks * found.tick for ticks in found.series.high] == [Decimal(r["high"]) for r in rows]
    assert [ticks * found.tick for ticks in found.series.close] == [
        Decimal(row["close"]) for row in rows
    ]


def test_a_real_file_in_daily_parts_is_the_same_series(real: Path, tmp_path: Path) -> None:
    name = "freqtrade_binance_ethbtc_5m_2018-01"
    whole = load_bars(real / f"{name}.csv.gz")
    with gzip.open(real / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        header, *rows = lines.read().splitlines()
    parts: dict[int, list[str]] = {}
    for row in rows:
        parts.setdefault(int(row.split(",")[0]) // 86_400_000, []).append(row)
    days = sorted(parts)
    for day in days:
        # Each file begins with the last bar of the day before, and runs newest first.
        lap = parts[day - 1][-1:] if day > days[0] else []
        text = "\n".join([header, *reversed([*lap, *parts[day]]), ""])
        (tmp_path / f"ETH_BTC-5m-{day}.csv.gz").write_bytes(gzip.compress(text.encode()))
    found = load_bars(tmp_path)
    assert found.series == whole.series
    assert found.report.snapped >= whole.report.snapped
    assert (found.report.files, found.report.repeated) == (len(days), len(days) - 1)
    assert found.report.newest_first
