"""Broken archives, JSON, folders and files without header: each is one sentence and its class."""

from __future__ import annotations

import bz2
import gzip
import importlib
import json
import lzma
import os
import random
import re
import sys
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.bars import source
from trader.bars.load import load_bars
from trader.errors import DataError, ExitCode, UsageError

from .test_formats import (
    CCXT,
    MINUTE_MS,
    NAMES,
    ROWS,
    T0,
    USUAL,
    binance,
    csv,
    plain,
    quote,
    zipped,
)

WriteBars = Callable[..., Path]
NOISE = random.Random(3).randbytes(3_000)
LONG = USUAL + "".join(
    f"{T0 + i * MINUTE_MS},100,{100 + i % 7},{99 - i % 5},100,{i}\n" for i in range(5, 4_000)
)
FLAT = [[str(T0 + i * MINUTE_MS), "5", "5", "5", "5", "1"] for i in range(9)]
OKX_ROW = [*plain(ROWS[0]), quote(ROWS[0]), quote(ROWS[0])]
BOMB = gzip.compress(CCXT[:-1].encode() + b" " * (80 << 20))
ZIP = zipped({"BTC_USDT-1m.csv": LONG})


def swapped(content: bytes, at: float, to: bytes) -> bytes:
    index = int(len(content) * at)
    return content[:index] + to + content[index + len(to) :]


def encrypted() -> bytes:
    """A zip whose member says that it is encrypted."""
    content = bytearray(ZIP)
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


# name: (content, name of the file, what it says, what it advises)
BROKEN: dict[str, tuple[str | bytes, str, str, str]] = {
    "gzip cut": (gzip.compress(LONG.encode())[:-300], "a.gz", "inside its gzip stream", "again"),
    "gzip with a flipped byte": (
        swapped(gzip.compress(LONG.encode()), 0.5, b"\xff\x00\xff"), "a.gz",
        "gzip stream|columns where|impossible|not a|not UTF-8|stands after|zero bytes|is there", "",
    ),
    "gzip of nothing": (gzip.compress(b""), "a.gz", "is empty", "again"),
    "bzip2 cut": (bz2.compress(LONG.encode())[:-300], "a.bz2", "is cut off or damaged", "again"),
    "bzip2 of noise": (b"BZh9" + NOISE, "a.bz2", "is cut off or damaged inside its bzip2", "again"),
    "xz cut": (lzma.compress(LONG.encode())[:-300], "a.xz", "is cut off or damaged", "again"),
    "xz of noise": (b"\xfd7zXZ\x00" + NOISE, "a.xz", "damaged inside its xz stream", "again"),
    "zip cut": (ZIP[:-40], "a.zip", "damaged inside its zip stream", "again"),
    "zip with a flipped byte": (
        swapped(ZIP, 0.5, b"\xff\x00\xff"), "a.zip",
        "stream|columns where|impossible|not a|not UTF-8|stands after|zero bytes|is there", "",
    ),
    "zip of nothing": (zipped({}), "a.zip", "is a zip archive of 0 files", "bar files"),
    "zip of an empty file": (zipped({"a.csv": ""}), "a.zip", r"\(a.csv\) is empty", "again"),
    "zip in a zip": (
        zipped({"a.zip": "PK\x03\x04xxxxxxxxxxxxxx"}), "a.zip", "not CSV text", "compressed twice",
    ),
    "zip of two instruments": (
        zipped({"BTC_USDT.csv": USUAL, "ETH_USDT.csv": USUAL}), "a.zip",
        "holds several instruments: BTC/USDT, ETH/USDT", "name the symbol",
    ),
    "encrypted zip": (encrypted(), "a.zip", "is encrypted", "unpack"),
    "members that disagree": (
        zipped({"a/BTC_USDT-1m.csv": USUAL, "b/BTC_USDT-1m.csv": USUAL.replace("12.5", "13")}),
        "a.zip",
        r"\(a/BTC_USDT-1m.csv\) and .*\(b/BTC_USDT-1m.csv\) disagree about the bar of 2025-01-15",
        "remove the one",
    ),
    "a line of a member": (
        zipped({"BTC_USDT-1m.csv": USUAL + "x,1,1,1,1,1\n"}), "a.zip",
        r"a.zip \(BTC_USDT-1m.csv\):6: 'x' is not a time", "repair",
    ),
    "a bomb": (BOMB, "a.gz", "unpacks to more than 64 MB", "damaged or made to do harm"),
    "a bomb of empty lines": (
        gzip.compress(USUAL.encode() + b"\n" * 3_000_000), "a.gz", "over a million empty lines", "",
    ),
    "7z": (b"7z\xbc\xaf\x27\x1c" + NOISE, "a.7z", "not CSV text", "7z archive: unpack"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + NOISE, "a.h5", "not CSV text", "HDF5"),
    "SQLite": (b"SQLite format 3\0" + NOISE, "a.db", "not CSV text", "SQLite database"),
    "JSON cut in a row": (CCXT[:-30], "a.json", "row 4: the JSON is cut off", "again"),
    "JSON cut after a row": (CCXT[:-1], "a.json", "row 5: the JSON is cut off", "again"),
    "JSON with a comma lost": (
        CCXT.replace("], [", "] [", 1), "a.json", "row 2: the JSON is cut off or damaged", "again",
    ),
    "JSON with more behind it": (CCXT + "]", "a.json", "row 5: the JSON is cut off", "again"),
    "JSON of no rows": ("[]", "a.json", "JSON without rows of bars", "give an array of rows"),
    "an error of an exchange": (
        '{"code":-1121,"msg":"Invalid symbol."}', "a.json", "JSON without rows of bars", "give",
    ),
    "JSON of nested rows": ("[[[1,2],[3]]]", "a.json", "row 1: the JSON is cut off", "again"),
    "JSON with a short row": (
        CCXT.replace(", 3.0]", "]"), "a.json", "a.json: row 2: 5 columns where", "repair",
    ),
    "JSON with a null": (
        CCXT.replace("102.0", "null"), "a.json", "row 2: high: 'null' is not a number", "repair",
    ),
    "JSON with NaN": (
        CCXT.replace("102.0", "NaN"), "a.json", "row 2: high: 'NaN' is not a number", "repair",
    ),
    "objects of other names": (
        '[{"time":1,"open":1,"high":1,"low":1,"close":1,"volume":1},{"time":2,"close":1}]',
        "a.json", "row 2: its names are not those of the first", "same names",
    ),
    "objects without volume": (
        '[{"time":1736899200,"open":1,"high":1,"low":1,"close":1}]', "a.json",
        "header lacks volume", "expected",
    ),
    "no header, flat bars": (
        csv(FLAT), "a.csv",
        r"could be time,open,high,low,close,volume \(the usual order\) or .*",
        "--columns .* with the right one",
    ),
    "no header, Coinbase's order": (
        csv([[str(r[0] // 1000), r[3], r[2], r[1], r[4], r[5]] for r in ROWS]), "a.csv",
        "in the usual order .* it is impossible",
        "time,low,high,open,close,volume, as Coinbase's API orders them; .* --columns time,low,",
    ),
    "no header, Gate's order": (
        csv([[str(r[0] // 1000), r[5], r[4], r[2], r[3], r[1]] for r in ROWS]), "a.csv",
        "in the usual order .* it is impossible", "as Gate's files orders them",
    ),
    "no header, no known order": (
        csv([[str(r[0]), r[2], r[1], r[4], r[3], r[5]] for r in ROWS]), "a.csv",
        "no known order makes each line a bar", "name the columns",
    ),
    "no header, no volume": (
        csv([plain(r)[:5] for r in ROWS]), "a.csv", "too few columns for a bar", "name the columns",
    ),
    "no header, a turnover that is none": (
        csv([[*plain(r), "7.5"] for r in ROWS]), "a.csv", "no known order makes each line", "name",
    ),
    "no header, a close time before": (
        csv([[*binance(r)[:6], "5", *binance(r)[7:]] for r in ROWS]), "a.csv", "no known order", "",
    ),
    "a bar that has not ended": (
        csv([[*OKX_ROW, "0"]]), "a.csv", ":1: the bar had not ended when it was told", "repair",
    ),
    "two closes": (
        csv([[*plain(r), "1"] for r in ROWS], "time,open,high,low,c,volume,close_price"), "a.csv",
        "the close could be column c or column close_price", "keep one",
    ),
    "another instrument in a column": (
        csv([["ETH/BTC", *plain(r)] for r in ROWS], "symbol," + ",".join(NAMES)), "a.csv",
        "a column says that these are bars of ETH/BTC, not of BTC/USDT", "name ETH/BTC",
    ),
    "ms since midnight beyond it": (
        zipped({"20250115_btcusdt_minute_trade.csv": "86400000,1,2,1,2,5\n"}), "a.zip",
        ":1: time 86400000 is not within a day", "repair",
    ),
    "microseconds after milliseconds": (
        csv([binance(ROWS[0]), binance(ROWS[1], 1000)]), "a.csv",
        ":2: time .* is not after 1970|is not within", "",
    ),
    "newest first, doubled": (
        csv([plain(r) for r in (ROWS[2], ROWS[1], ROWS[1], ROWS[0])], ",".join(NAMES)), "a.csv",
        ":4: .* is there twice", "remove",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_refused_in_one_sentence(bar_file: WriteBars, case: str) -> None:
    content, name, what, hint = BROKEN[case]
    raw = content.encode() if isinstance(content, str) else content
    path = bar_file(b"", "x").with_name(name)
    path.write_bytes(raw)
    with pytest.raises(DataError) as caught:
        load_bars(path, None if "instruments" in case else "BTC/USDT")
    assert re.search(what, caught.value.what)
    assert re.search(hint, caught.value.hint or "")
    assert str(path) in caught.value.what
    assert caught.value.code is ExitCode.DATA
    assert "\n" not in str(caught.value)


COLUMNS = {
    "one too few": ("time,open,high,low,close", "names 5 columns, .* has 6"),
    "one misspelt": ("time,open,hihg,low,close,volume", "lacks high"),
    "one twice": ("time,open,open,low,close,volume", "lacks open"),
    "no time": ("when,open,high,low,close,volume", "lacks a time column"),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_columns_that_do_not_fit_are_the_callers_fault(bar_file: WriteBars, case: str) -> None:
    told, what = COLUMNS[case]
    with pytest.raises(UsageError, match=what):
        load_bars(bar_file(csv([plain(r) for r in ROWS])), columns=told)


def test_two_files_of_one_pair_that_disagree_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "BTC_USDT-1m-a.csv").write_text(USUAL)
    (tmp_path / "BTC_USDT-1m-b.csv").write_text(USUAL.replace("101.25", "101.5"))
    with pytest.raises(DataError, match=r"-a\.csv and .*-b\.csv disagree about the bar of 2025-01"):
        load_bars(tmp_path)


@pytest.mark.parametrize(
    ("names", "given", "what"),
    [
        (("BTC_USDT-1m.csv", "ETH_USDT-1m.csv"), {}, "holds several instruments: BTC/USDT, ETH"),
        (("BTC_USDT-1m.csv", "BTC_USDT-5m.csv"), {}, "holds several timeframes: 1m, 5m"),
        (("BTC_USDT-1m.csv",), {"symbol": "ETH/USDT"}, "holds no bar files"),
        (("notes.md", "BTC_USDT-trades.csv"), {}, "holds no bar files"),
    ],
)
def test_a_folder_that_does_not_say_one_thing_is_refused(
    tmp_path: Path, names: tuple[str, ...], given: dict[str, Any], what: str
) -> None:
    for name in names:
        (tmp_path / name).write_text(USUAL)
    with pytest.raises(DataError, match=what) as caught:
        load_bars(tmp_path, **given)
    assert caught.value.hint


def test_one_damaged_file_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "BTC_USDT-1m-a.csv").write_text(USUAL)
    (tmp_path / "BTC_USDT-1m-b.csv.gz").write_bytes(gzip.compress(LONG.encode())[:-99])
    with pytest.raises(DataError, match=r"-b\.csv\.gz is cut off or damaged inside its gzip"):
        load_bars(tmp_path)


def test_ticks_of_joined_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    high, fine = "9000000000", "0.0000000001"
    rows = [[str(T0), high, high, high, high, "1"]], [[str(T0 + 60_000), *[fine] * 4, "1"]]
    for name, part in zip("ab", rows, strict=True):
        (tmp_path / f"BTC_USDT-1m-{name}.csv").write_text(csv(part, ",".join(NAMES)))
    with pytest.raises(DataError, match=r"-a\.csv: its prices do not fit in 64 bits"):
        load_bars(tmp_path)


def test_joined_files_take_the_finest_tick(tmp_path: Path) -> None:
    for name, price, at in (("a", "7", 0), ("b", "7.125", 1)):
        row = [str(T0 + at * MINUTE_MS), *[price] * 4, "1"]
        (tmp_path / f"BTC_USDT-1m-{name}.csv").write_text(csv([row], ",".join(NAMES)))
    found = load_bars(tmp_path)
    assert found.tick == Decimal("0.001")
    assert list(found.series.close) == [7_000, 7_125]


@pytest.mark.parametrize("how", ["grows", "is replaced", "is emptied"])
@pytest.mark.parametrize("content", [LONG, LONG[:-4]], ids=["whole", "cut"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, content: str
) -> None:
    path = tmp_path / "BTC_USDT-1m.csv"
    path.write_text(content)
    true_blocks = source.line_blocks

    def write_meanwhile(part: Any, chunks: Any) -> Any:
        yield from true_blocks(part, chunks)
        if how == "grows":
            with path.open("a") as file:
                file.write("1,2,3\n")
        elif how == "is replaced":
            other = tmp_path / "other"
            other.write_text(content)
            other.replace(path)
        else:
            os.truncate(path, 0)

    monkeypatch.setattr(source, "line_blocks", write_meanwhile)
    with pytest.raises(DataError, match=r"BTC_USDT-1m\.csv was written to while it was read") as it:
        load_bars(path)
    assert "wait until its writer has finished" in (it.value.hint or "")


def test_a_small_archive_of_many_lines_is_no_bomb(bar_file: WriteBars) -> None:
    flat = "".join(f"{T0 + i * MINUTE_MS},5,5.5,4.5,5,0\n" for i in range(60_000))
    packed = gzip.compress((",".join(NAMES) + "\n" + flat).encode(), 9)
    found = load_bars(bar_file(packed, "BTC_USDT.csv.bin"))
    assert len(found.series) == 60_000


ARROW: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda raw: raw[: len(raw) // 2], "is cut off or damaged"),
    "noise behind the mark": (lambda raw: raw[:8] + NOISE, "is cut off or damaged"),
    "its last bytes gone": (lambda raw: raw[:-4], "is cut off or damaged"),
    "in a gzip": (gzip.compress, "not CSV text"),
}


@pytest.mark.parametrize("case", ARROW)
@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_a_damaged_parquet_or_feather_file_is_refused(tmp_path: Path, form: str, case: str) -> None:
    pa: Any = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    table = pa.table({name: [float(row[i]) for row in ROWS] for i, name in enumerate(NAMES)})
    path = tmp_path / f"BTC_USDT-1m.{form}"
    module: Any = importlib.import_module(f"pyarrow.{form}")
    getattr(module, "write_table" if form == "parquet" else "write_feather")(table, str(path))
    break_it, what = ARROW[case]
    path.write_bytes(break_it(path.read_bytes()))
    with pytest.raises(DataError, match=what):
        load_bars(path)


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_where_the_reader_of_a_form_is_not_installed_it_says_what_to_install(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = {"parquet": b"PAR1", "feather": b"ARROW1\0\0"}[form]
    path = tmp_path / f"BTC_USDT-1m.{form}"
    path.write_bytes(mark + bytes(64) + mark)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=f"is a {form} file, and the reader for it is not") as told:
        load_bars(path)
    assert "trader[parquet]" in told.value.hint


ARROW_TABLES: dict[str, tuple[dict[str, list[Any]], str]] = {
    "a null": ({"open": [1.0, None]}, "row 2: open: '' is not a number"),
    "a NaN": ({"open": [1.0, float("nan")]}, "row 2: open: 'nan' is not a number"),
    "impossible": ({"open": [1.0, 9.0]}, "row 2: impossible bar"),
    "no volume": ({"volume": []}, "header lacks volume"),
}


@pytest.mark.parametrize("case", ARROW_TABLES)
def test_a_parquet_table_that_is_no_bars_is_refused(tmp_path: Path, case: str) -> None:
    pa: Any = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    changed, what = ARROW_TABLES[case]
    columns: dict[str, list[Any]] = {"time": [T0, T0 + MINUTE_MS]}
    columns |= {name: [1.0, 1.0] for name in NAMES[1:]}
    columns = {name: column for name, column in (columns | changed).items() if column}
    path = tmp_path / "BTC_USDT-1m.parquet"
    parquet: Any = importlib.import_module("pyarrow.parquet")
    parquet.write_table(pa.table(columns), path)
    with pytest.raises(DataError, match=what):
        load_bars(path)


def test_a_float_of_parquet_is_the_shortest_text_of_it(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    chance = random.Random(11)
    prices = [chance.randrange(1, 10 ** chance.randint(1, 15)) / 10**8 for _ in range(4_000)]
    times = [T0 + i * MINUTE_MS for i in range(len(prices))]
    parquet: Any = importlib.import_module("pyarrow.parquet")
    table = pa.table([times, *[prices] * 4, prices], names=NAMES)
    path = tmp_path / "BTC_USDT-1m.parquet"
    parquet.write_table(table, path)
    found = load_bars(path)
    assert [ticks * found.tick for ticks in found.series.close] == [
        Decimal(repr(p)) for p in prices
    ]
    assert list(found.series.volume) == prices


def test_json_numbers_keep_their_text(bar_file: WriteBars) -> None:
    price = "0.123456789012345678"
    rows = json.dumps([[T0, *["@"] * 4, 1]]).replace('"@"', price)
    found = load_bars(bar_file(rows, "BTC_USDT-1m.json"), columns=",".join(NAMES))
    assert found.series.open[0] == 123456789012345678


def test_a_zip_of_directories_and_hidden_copies_is_read(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("BTCUSDT/", "")
        archive.writestr("BTCUSDT/BTCUSDT-1m.csv", USUAL)
        archive.writestr("__MACOSX/BTCUSDT/._BTCUSDT-1m.csv", b"\0\5\26\7")
    assert len(load_bars(path).series) == 4
