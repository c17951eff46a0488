"""The same bars in every format that is read: the same series, and a report that says how."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.bars.bar_file import BarFile
from trader.bars.load import load_bars

WriteBars = Callable[..., Path]
Row = tuple[int, str, str, str, str, str]

T0 = 1_736_899_200_000  # 2025-01-15 00:00 UTC
MINUTE_MS = 60_000
ROWS: list[Row] = [
    (T0, "100.5", "101.25", "99.75", "100.75", "12.5"),
    (T0 + MINUTE_MS, "100.75", "102", "100.5", "101.5", "3"),
    (T0 + 2 * MINUTE_MS, "101.5", "101.5", "100.25", "100.25", "0.125"),
    (T0 + 4 * MINUTE_MS, "100.25", "100.5", "100", "100.5", "7.75"),
]
TICKS = [
    (at, *(int(Decimal(text) * 100) for text in prices[:4]), float(prices[4]))
    for at, *prices in ROWS
]


def quote(row: Row) -> str:
    """What the volume was worth, at the mean of high and low."""
    return str(Decimal(row[5]) * (Decimal(row[2]) + Decimal(row[3])) / 2)


def binance(row: Row, scale: int = 1) -> list[str]:
    at, *values = row
    closes = (at + MINUTE_MS) * scale - 1
    return [str(at * scale), *values, str(closes), quote(row), "17", "1.0", "100.5", "0"]


def csv(rows: list[list[str]], header: str = "", delimiter: str = ",") -> str:
    lines = [header] if header else []
    return "\n".join([*lines, *(delimiter.join(row) for row in rows), ""])


def plain(row: Row, stamp: Callable[[int], str] = str) -> list[str]:
    return [stamp(row[0]), *row[1:]]


def seconds(at_ms: int) -> str:
    return str(at_ms // 1000)


def clock(at_ms: int) -> str:
    return f"00:{(at_ms - T0) // MINUTE_MS:02}"


NAMES = ("time", "open", "high", "low", "close", "volume")
USUAL = csv([plain(row) for row in ROWS], "timestamp,open,high,low,close,volume")
CCXT = json.dumps([[row[0], *map(float, row[1:])] for row in ROWS])
OBJECTS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
NEWEST = ROWS[::-1]
CDD = csv(
    [[seconds(r[0]), f"2025-01-15 {clock(r[0])}:00", "BTC/USDT", *r[1:], quote(r)] for r in NEWEST],
    "https://www.CryptoDataDownload.com\n"
    "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT",
)
OKX_HEADER = "instrument_name,open,high,low,close,vol,vol_ccy,vol_quote,open_time,confirm"

# name: (content, report's layout, whether it is newest first)
TEXTS: dict[str, tuple[str | bytes, str, bool]] = {
    "header": (USUAL, "header", False),
    "header in capitals, other order": (
        csv([[*r[1:], str(r[0])] for r in ROWS], "Open,High,Low,Close,Volume,Open Time"),
        "header", False,
    ),
    "header of one letter each": (
        csv([plain(r, seconds) for r in ROWS], "t,o,h,l,c,v"), "header", False,
    ),
    "newest first": (csv([plain(r) for r in NEWEST], ",".join(NAMES)), "header", True),
    "semicolons, carriage returns": (
        csv([plain(r) for r in ROWS], ";".join(NAMES), ";").replace("\n", "\r\n"), "header", False,
    ),
    "carriage returns alone": (USUAL.replace("\n", "\r"), "header", False),
    "bars and tabs": (csv([plain(r) for r in ROWS], "\t".join(NAMES), "\t"), "header", False),
    "strokes": (csv([plain(r) for r in ROWS], "|".join(NAMES), "|"), "header", False),
    "utf-16": (USUAL.encode("utf-16"), "header", False),
    "utf-16, big end first": (b"\xfe\xff" + USUAL.encode("utf-16-be"), "header", False),
    "byte-order mark": (b"\xef\xbb\xbf" + USUAL.encode(), "header", False),
    "ISO dates": (
        csv([[f"2025-01-15T{clock(r[0])}:00.000Z", *r[1:]] for r in ROWS], ",".join(NAMES)),
        "header", False,
    ),
    "ISO dates of another zone": (
        csv([[f"2025-01-15 02:{clock(r[0])[3:]}:00+02:00", *r[1:]] for r in ROWS], ",".join(NAMES)),
        "header", False,
    ),
    "MetaTrader's dates": (
        csv([[f"2025.01.15 {clock(r[0])}", *r[1:]] for r in ROWS]), "the usual order", False,
    ),
    "epochs with a fraction": (
        csv([plain(r, lambda at: f"{at / 1000:.1f}") for r in ROWS], ",".join(NAMES)),
        "header", False,
    ),
    "nanoseconds": (
        csv([plain(r, lambda at: str(at * 10**6)) for r in ROWS], ",".join(NAMES)), "header", False,
    ),
    "no header": (csv([plain(r) for r in ROWS]), "the usual order", False),
    "Binance's klines": (csv([binance(r) for r in ROWS]), "Binance", False),
    "Binance's klines in microseconds": (csv([binance(r, 1000) for r in ROWS]), "Binance", False),
    "Binance's futures files": (
        csv(
            [binance(r) for r in ROWS],
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
            "taker_buy_quote_volume,ignore",
        ),
        "header", False,
    ),
    "Bybit": (csv([[*plain(r), quote(r)] for r in NEWEST]), "Bybit", True),
    "Kraken's OHLCVT": (csv([[*plain(r, seconds), "12"] for r in ROWS]), "Kraken", False),
    "Kraken's API": (
        csv([[seconds(r[0]), *r[1:5], r[4], r[5], "12"] for r in ROWS]), "Kraken's API", False,
    ),
    "KuCoin": (
        csv([[seconds(r[0]), r[1], r[4], r[2], r[3], r[5], quote(r)] for r in NEWEST]),
        "KuCoin", True,
    ),
    "OKX": (csv([[*plain(r), quote(r), quote(r), "1"] for r in NEWEST]), "OKX", True),
    "OKX's files": (
        csv(
            [["BTC-USDT", *r[1:], quote(r), quote(r), str(r[0]), "1"] for r in ROWS], OKX_HEADER
        ),
        "header", False,
    ),
    "MEXC": (csv([[*plain(r), str(r[0] + MINUTE_MS), quote(r)] for r in ROWS]), "MEXC", False),
    "Gate's API": (
        csv([[seconds(r[0]), quote(r), r[4], r[2], r[3], r[1], r[5], "true"] for r in ROWS]),
        "Gate's API", False,
    ),
    "CryptoDataDownload": (CDD, "header", True),
    "Kaggle's Bitstamp": (
        csv(
            [[*plain(r, seconds), quote(r), r[4]] for r in ROWS],
            "Timestamp,Open,High,Low,Close,Volume_(BTC),Volume_(Currency),Weighted_Price",
        ),
        "header", False,
    ),
    "a comment first": ("# from somewhere\n" + USUAL, "header", False),
    "Excel's first line": ("sep=,\n" + USUAL, "header", False),
    "ccxt's rows in utf-16": (CCXT.encode("utf-16"), "the usual order", False),
    "ccxt's rows": (CCXT, "the usual order", False),
    "ccxt's rows, spread out": (json.dumps(json.loads(CCXT), indent=2), "the usual order", False),
    "rows as JSON lines": (
        "\n".join(json.dumps(row) for row in json.loads(CCXT)) + "\n", "the usual order", False,
    ),
    "Binance's API": (json.dumps([binance(r) for r in ROWS]), "Binance", False),
    "objects": (json.dumps(OBJECTS), "header", False),
    "objects as JSON lines": ("\n".join(map(json.dumps, OBJECTS)), "header", False),
    "an answer of Bybit": (
        json.dumps(
            {
                "retCode": 0,
                "result": {"symbol": "X", "list": [[*plain(r), quote(r)] for r in NEWEST]},
                "time": 1,
            }
        ),
        "Bybit", True,
    ),
    "an answer of Kraken": (
        json.dumps(
            {
                "error": [],
                "result": {
                    "XXBTZUSD": [[r[0] // 1000, *r[1:5], r[4], r[5], 12] for r in ROWS],
                    "last": 9,
                },
            }
        ),
        "Kraken's API", False,
    ),
}  # fmt: skip


def check(found: BarFile, symbol: str = "BTC/USDT") -> None:
    assert (found.symbol, found.step_ms) == (symbol, MINUTE_MS)
    scale = Decimal("0.01") / found.tick
    assert scale == 1
    assert list(found.series.rows()) == TICKS


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_any_known_form_gives_the_same_bars(bar_file: WriteBars, name: str) -> None:
    content, layout, newest_first = TEXTS[name]
    found = load_bars(bar_file(content, "BTC_USDT-1m.txt"))
    check(found)
    assert (found.report.layout, found.report.newest_first) == (layout, newest_first)
    assert (found.report.gaps, found.report.missing, found.report.files) == (1, 1, 1)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", [*PACKED, "zstd", "zip"])
@pytest.mark.parametrize("content", [USUAL, CCXT], ids=["text", "json"])
def test_a_compressed_file_gives_the_same_bars(
    bar_file: WriteBars, kind: str, content: str
) -> None:
    if kind == "zip":
        packed = zipped({"BTCUSDT-1m-2025-01.csv": content})
    elif kind == "zstd":
        zstd = pytest.importorskip("backports.zstd", reason="backports.zstd is not installed")
        packed = zstd.compress(content.encode())
    else:
        packed = PACKED[kind](content.encode())
    found = load_bars(bar_file(packed, f"BTC_USDT-1m.csv.{kind}"))
    check(found)
    assert found.report.compression == kind


def zipped(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_freqtrade_json_is_named_by_its_file(bar_file: WriteBars) -> None:
    check(load_bars(bar_file(CCXT, "BTC_USDT-1m.json")))
    check(load_bars(bar_file(gzip.compress(CCXT.encode()), "BTC_USDT-1m.json.bin")))


def test_a_lean_minute_file_takes_its_date_from_its_name(tmp_path: Path) -> None:
    content = csv([plain(r, lambda at: str(at - T0)) for r in ROWS])
    folder = tmp_path / "crypto" / "binance" / "minute" / "btcusdt"
    folder.mkdir(parents=True)
    path = folder / "20250115_trade.zip"
    path.write_bytes(zipped({"20250115_btcusdt_minute_trade.csv": content}))
    check(load_bars(path))


def test_lean_days_of_a_folder_are_joined_and_quotes_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "minute" / "btcusdt"
    folder.mkdir(parents=True)
    for day, rows in (("20250115", ROWS[:2]), ("20250116", ROWS[2:])):
        content = csv([plain(r, lambda at: str(at - T0)) for r in rows])
        member = f"{day}_btcusdt_minute_trade.csv"
        (folder / f"{day}_trade.zip").write_bytes(zipped({member: content}))
        (folder / f"{day}_quote.zip").write_bytes(b"not looked at")
    found = load_bars(folder)
    assert [at - T0 for at in found.series.open_ms] == [0, 60_000, 86_520_000, 86_640_000]
    assert found.report.files == 2
    assert found.report.left_out == ("20250115_quote.zip", "20250116_quote.zip")


def test_a_lean_daily_file_has_dates_without_strokes(bar_file: WriteBars) -> None:
    rows = [[f"202501{day} 00:00", *ROWS[0][1:]] for day in (15, 16, 17)]
    found = load_bars(bar_file(zipped({"btcusd.csv": csv(rows)}), "btcusd_trade.zip"))
    assert (found.symbol, found.step_ms) == ("BTC/USD", 86_400_000)
    assert found.series.open_ms[0] == T0


def test_files_of_a_folder_are_joined_and_equal_bars_counted_once(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-1m-2025-01-a.csv").write_text(csv([binance(r) for r in ROWS[:3]]))
    # The next one is in microseconds, as Binance's are since 2025, and its first bar is known.
    (tmp_path / "BTCUSDT-1m-2025-01-b.csv").write_text(csv([binance(r, 1000) for r in ROWS[2:]]))
    (tmp_path / "BTCUSDT-1m-2025-01-a.csv.CHECKSUM").write_text("abc")
    found = load_bars(tmp_path)
    check(found)
    assert (found.report.files, found.report.repeated) == (2, 1)
    assert found.report.left_out == ("BTCUSDT-1m-2025-01-a.csv.CHECKSUM",)


def test_files_that_lie_within_one_another_are_joined(tmp_path: Path) -> None:
    (tmp_path / "BTCUSDT-1m-a.csv").write_text(
        csv([plain(r) for r in (ROWS[0], ROWS[3])], ",".join(NAMES))
    )
    (tmp_path / "BTCUSDT-1m-b.csv").write_text(csv([plain(r) for r in ROWS[1:3]], ",".join(NAMES)))
    check(load_bars(tmp_path))


def test_hours_of_half_days_are_read(bar_file: WriteBars) -> None:
    stamps = ("2020-07-05 01-PM", "2020-07-05 12-PM", "2020-07-05 11-AM", "2020-07-05 12-AM")
    text = csv([[at, *ROWS[0][1:]] for at in stamps], "Date,Open,High,Low,Close,Volume BTC")
    found = load_bars(bar_file(text, "BTC_USD-1h.csv"))
    assert [at // 3_600_000 % 24 for at in found.series.open_ms] == [0, 11, 12, 13]


def test_of_a_folder_of_pairs_the_one_asked_for_is_read(tmp_path: Path) -> None:
    (tmp_path / "BTC_USDT-1m.json").write_text(CCXT)
    (tmp_path / "ETH_USDT-1m.json").write_text("[[1,2]]")
    (tmp_path / "BTC_USDT-1h.json").write_text("[[1,2]]")
    (tmp_path / "futures").mkdir()
    (tmp_path / "futures" / "BTC_USDT_USDT-1m-futures.json").write_text("[[1,2]]")
    found = load_bars(tmp_path, symbol="BTC/USDT", timeframe="1m")
    check(found)
    assert found.report.left_out == (
        "futures/BTC_USDT_USDT-1m-futures.json",
        "BTC_USDT-1h.json",
        "ETH_USDT-1m.json",
    )


def test_the_caller_may_say_what_the_columns_are(bar_file: WriteBars) -> None:
    rows = [[str(r[0]), r[1], r[4], r[2], r[3], r[5]] for r in ROWS]
    told = "time,open,close,high,low,volume"
    found = load_bars(bar_file(csv(rows)), columns=told)
    check(found)
    assert found.report.layout == "columns"
    wrong = load_bars(bar_file(csv(rows, ",".join(NAMES))), columns=told)
    assert wrong.series == found.series


def arrow_table(pa: Any, stamps: Any) -> Any:
    floats = [[float(row[i]) for row in ROWS] for i in range(1, 6)]
    names = ["date", *NAMES[1:]]
    return pa.table([stamps, *(pa.array(column) for column in floats)], names=names)


@pytest.mark.parametrize("form", ["parquet", "feather", "feather-lz4"])
@pytest.mark.parametrize("unit", ["ns", "us", "ms", "int"])
def test_parquet_and_feather_give_the_same_bars(tmp_path: Path, form: str, unit: str) -> None:
    pa: Any = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    feather: Any = importlib.import_module("pyarrow.feather")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    scale = {"ns": 10**6, "us": 1000}.get(unit, 1)
    kind = pa.int64() if unit == "int" else pa.timestamp(unit, tz="UTC")
    table = arrow_table(pa, pa.array([row[0] * scale for row in ROWS], kind))
    path = tmp_path / f"BTC_USDT-1m.{form[:7]}"
    if form == "parquet":
        parquet.write_table(table, path)
    else:
        packed = "lz4" if form.endswith("lz4") else "uncompressed"
        feather.write_feather(table, str(path), compression=packed)
    found = load_bars(path)
    check(found)
    assert found.report.format == form[:7]
