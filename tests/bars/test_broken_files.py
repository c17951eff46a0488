"""Every broken bar file ends in one sentence: what, where, what to do."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.bars.load import load_bars
from trader.errors import DataError, ExitCode

WriteBars = Callable[..., Path]

HEADER = "timestamp_ms,open,high,low,close,volume\n"
T0 = 1_528_156_800_000
FLAT = "10,11,9,10,1"


def _rows(*minutes: float, values: str = FLAT) -> str:
    return "".join(f"{T0 + round(minute * 60_000)},{values}\n" for minute in minutes)


def _row(values: str) -> str:
    """A file whose line 3 holds these values."""
    return HEADER + _rows(0) + _rows(1, values=values) + _rows(2)


def _dated(*stamps: str, column: str = "date") -> str:
    return f"{column},open,high,low,close,volume\n" + "".join(f"{s},{FLAT}\n" for s in stamps)


GOOD = HEADER + _rows(*range(10))
NOISE = random.Random(7).randbytes(4_000)
CUT_GZIP = gzip.compress((HEADER + _rows(*range(3_000))).encode())[:-2_000]
RAW_ORDER = "1528156800000,7488.4,7491.4,7492.9,7487.9,23.7\n1528156860000,9.5,9.1,9.6,9,0.3\n"

# name: (content, place, what it says, what it advises)
BROKEN: dict[str, tuple[str | bytes, str, str, str]] = {
    "empty": ("", "", "is empty", "fetch or copy it again"),
    "only a byte-order mark": (b"\xef\xbb\xbf", "", "is empty", "fetch"),
    "only blank lines": ("\n\n\n", ":1", "no header line", "line 1 must name the columns"),
    "only a header": (HEADER, "", "has a header but no bars", "fetch"),
    "binary": (NOISE, "", "is not UTF-8 or UTF-16 text|holds zero bytes", "CSV or CSV.gz"),
    "binary tail": (GOOD + "\0" * 500, "", "holds zero bytes", "CSV or CSV.gz"),
    "utf-16 without mark": (GOOD.encode("utf-16-le"), "", "UTF-16 without its mark", "UTF-8"),
    "latin-1": (GOOD.encode() + b"\xe9\xe8\n", "", "not UTF-8", "UTF-8"),
    "damaged zip": (b"PK\x03\x04" + NOISE, "", "damaged inside its zip stream", "copy it again"),
    "parquet": (b"PAR1" + NOISE, "", "not installed|cut off or damaged", "parquet|copy it again"),
    "pickle": (b"\x80\x04" + NOISE, "", "a Python pickle, which is a program", ""),
    "cut gzip": (CUT_GZIP, "", "cut off or damaged inside its gzip stream", "copy it again"),
    "damaged gzip": (
        CUT_GZIP[:60] + bytes(40) + CUT_GZIP[100:], "", "gzip stream|cannot be read|UTF-8", "",
    ),
    "one endless line": ("x" * 2_500_000, "", "a line of over a million characters", "one bar"),
    "a page of HTML": ("<html>\n<body>429</body>\n", ":1", "no header line with known", "name the"),
    "no header": (
        RAW_ORDER.replace("9.5,9.1,9.6,9,", "9.5,9.6,9,9.1,"), ":1", "line 1 is a bar", "",
    ),
    "no header, Bitfinex's order": (
        RAW_ORDER, ":1", "the header line is not there.*in the usual order .* it is impossible",
        "as Bitfinex's API orders them; if they are, say --columns time,open,close,high,low,volume",
    ),
    "header of Bitfinex's rows in the wrong order": (
        HEADER + RAW_ORDER, ":2", "impossible bar: open 7488.4 high 7491.4",
        "Bitfinex's API gave it .*--columns time,open,close,high,low,volume",
    ),
    "header without close": (
        GOOD.replace("close", "last"),
        ":1", "header lacks close; it has timestamp_ms, open", "expec",
    ),
    "header without time": (GOOD.replace("timestamp_ms", "when"), ":1", "lacks a time column", ""),
    "header with two times": (
        f"timestamp_ms,date,open,high,low,close,volume\n{T0},2018-06-05 02:00,{FLAT}\n",
        ":1", "column timestamp_ms or column date", "keep",
    ),
    "header with two closes": (
        GOOD.replace("open,", "close,", 1), ":1", "close is there 2", "keep",
    ),
    "header with two volumes": (
        GOOD.replace("volume", "Volume ETH,Volume USD", 1), ":1",
        "could be volume_eth or volume_usd: rename", "expected",
    ),
    "half a last line": (GOOD + f"{T0 + 600_000},10,11", ":12", "3 columns where", "half-written"),
    "last line cut at a comma": (
        GOOD + f"{T0 + 600_000},10,11,9,10,", ":12", "volume: '' is not a number", "half-written",
    ),
    "a short line": (
        GOOD.replace("9,10,1\n", "9,10\n", 1), ":2", "5 columns where the header", "rep",
    ),
    "a long line": (
        GOOD.replace("10,1\n", "10,1,5\n", 1), ":2", "7 columns where the header", "rep",
    ),
    "short and long lines that even out": (
        HEADER + f"{T0},10,11,9,10\n{T0 + 60_000},10,11,9,10,1,1\n", ":2", "5 columns", "repair",
    ),
    "a line of spaces": (GOOD + "   \n", ":12", "1 columns where", "repair"),
    "the header again": (GOOD + HEADER, ":12", "'timestamp_ms' is not a time", "repair"),
    "out of order": (
        HEADER + _rows(0, 1, 3, 2), ":5", "00:02:00 UTC stands after that", "sort the",
    ),
    "newest first, but for one bar": (
        HEADER + _rows(3, 2, 0, 1), ":5", "stands after.*runs newest first", "oldest first",
    ),
    "doubled": (
        HEADER + _rows(0, 1, 1, 2), ":4", "there twice, the line before is the same", "remo",
    ),
    "two bars for one minute": (
        HEADER + _rows(0, 1) + _rows(1, values="10,12,9,10,1"),
        ":4", "twice.*is another bar", "remo",
    ),
    "order is told after blank lines": (
        HEADER + "\n\n" + _rows(0, 1) + "\n" + _rows(1), ":7", "there twice", "remove",
    ),
    "NaN price": (_row("10,NaN,9,10,1"), ":3", "high: 'NaN' is not a number", "repair"),
    "null price": (_row("null,11,9,10,1"), ":3", "open: 'null' is not a number", "repair"),
    "empty price": (_row("10,11,,10,1"), ":3", "low: '' is not a number", "repair"),
    "infinite price": (_row("10,inf,9,10,1"), ":3", "high: 'inf' is not a number", "repair"),
    "word as price": (_row("10,11,9,ten,1"), ":3", "close: 'ten' is not a number", "repair"),
    "underscored price": (_row("1_0,11,9,10,1"), ":3", "open: '1_0' is not a number", "repair"),
    "negative price": (_row("10,11,-9,10,1"), ":3", "low: -9 is negative", "repair"),
    "zero price": (_row("10,11,0.00,10,1"), ":3", "low: price 0.00 is zero", "repair"),
    "NaN volume": (_row("10,11,9,10,nan"), ":3", "volume: 'nan' is not a number", "repair"),
    "negative volume": (_row("10,11,9,10,-1"), ":3", "volume: -1 is negative", "repair"),
    "endless volume": (_row("10,11,9,10,1e400"), ":3", "volume: 1e400 is out of any", "repair"),
    "high below low": (
        _row("10,9,11,10,1"), ":3", "impossible bar: open 10 high 9 low 11", "repair",
    ),
    "high below close": (_row("10,11,9,12,1"), ":3", "impossible bar: .* close 12", "repair"),
    "low above open": (_row("10,12,11,12,1"), ":3", "impossible bar", "repair"),
    "high below open by one shadowless digit": (
        _row("10.00000001,10,9,10,1"), ":3", "impossible bar", "repair",
    ),
    "decimal commas": (
        GOOD.replace(",", ";").replace(";9;", ";9,5;"),
        ":2", "'9,5' is not.*need a point", "repair",
    ),
    "too fine and too high": (
        HEADER + f"{T0},9000000000,9000000000,9000000000,9000000000,1\n"
        + f"{T0 + 60_000},1,1,0.0000000001,1,1\n",
        ":2", "price 9000000000 does not fit in ticks of 0.0000000001", "round",
    ),
    "a price beyond 64 bits": (
        _row("10,99999999999999999999,9,10,1"), ":3", "does not fit", "name the tick",
    ),
    "a bar off the grid": (
        HEADER + _rows(0, 1, 2, 3.5, 4, 5, 6, 7), ":5", "opens 30s off the UTC grid of 1m", "UTC",
    ),
    "a bar between two minutes": (
        HEADER + _rows(0, 1, 2, 2.5, 3, 4, 5, 6), ":5", "opens 30s off.*1 of 8 bars", "UTC",
    ),
    "all bars off the grid": (
        HEADER + _rows(0.25, 1.25, 2.25), ":2", "opens 15s off.*as 3 of 3|all bars", "UTC",
    ),
    "distances without a step": (
        HEADER + _rows(0, 2, 5, 7), "", "cannot be told from distances of 2m", "name the timeframe",
    ),
    "empty time": (_dated("2018-06-05", ""), ":3", "time is empty|'' is not a date", "repair"),
    "seconds in a column of milliseconds": (
        _dated("1528156800", column="timestamp_ms"), ":2",
        r"1970-01-18 .*\(as ms\) or 2018-06-05 00:00:00 UTC \(as s\)", "repair",
    ),
    "a number that is no time": (
        _dated("5000"), ":2", r"could be .*\(as s\) or .*\(as ms\)", "rep",
    ),
    "a date as digits": (
        _dated("20180605"), ":2", "could be .* or a date written YYYYMMDD", "repair",
    ),
    "day or month first": (
        _dated("05/06/2018"), ":2", "day 05 of month 06 or day 06 of month 05", "repair",
    ),
    "a time in exponent form": (_dated("1.52816E+12"), ":2", "exponent form", "repair"),
    "a clock finer than milliseconds": (
        _dated("2018-06-05", "2018-06-05 00:00:00.0001"),
        ":3", "not a whole number of milliseconds", "repair",
    ),
    "a date glued to letters": (
        _dated("2018-06-05", "2018-06-05x00:00"), ":3", "'x00:00' is not a time of day", "repair",
    ),
    "an empty first time": (_dated(""), ":2", "the time is empty", "repair"),
    "a word as time": (_dated("yesterday"), ":2", "'yesterday' is not a time", "repair"),
    "no header and nonsense": ("7;x;y\n", ":1", "line 1 is a bar already", "must name the columns"),
    "an impossible day": (
        _dated("2018-06-05", "2018-06-31"), ":3", "'2018-06-31' is not a date", "",
    ),
    "an impossible hour": (
        _dated("2018-06-05 00:00", "2018-06-05 25:00"), ":3", "' 25:00' is not a time of day", "",
    ),
    "a time before 1970": (_dated("1969-12-31"), ":2", "is not after 1970", "repair"),
    "times in two units": (
        _dated("1528156800", "1528156860000", column="timestamp"),
        ":3", "is not after 1970|5138", "",
    ),
    "a fraction of a millisecond": (
        _dated("1528156800.0005", column="timestamp"),
        ":2", "not a whole number of milliseconds", "",
    ),
    "two instruments": (
        "date,symbol,open,high,low,close,volume\n2018-06-05,A,1,1,1,1,1\n2018-06-06,B,1,1,1,1,1\n",
        "",
        "holds several instruments: A, B", "one instrument per file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_place(bar_file: WriteBars, case: str) -> None:
    content, place, what, hint = BROKEN[case]
    path = bar_file(content, "BTC_USDT.csv")
    with pytest.raises(DataError, match=what) as caught:
        load_bars(path)
    assert f"{path}{place}" in caught.value.what
    assert caught.value.code is ExitCode.DATA
    assert caught.value.hint
    assert re.search(hint, caught.value.hint)
    assert "\n" not in str(caught.value)


# name of the file (good bars of 1m), arguments, what it says
ARGUMENTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "no instrument in the name": ("bars-1m.csv", {}, "does not say which instrument"),
    "a perpetual's name": ("btcusdt_perp_1m.csv", {}, "does not say which instrument"),
    "two instruments in the name": (
        "ETH_BTC_and_LTC_BTC.csv",
        {},
        "ETH/BTC or LTC/BTC",
    ),
    "a finer name than the bars": (
        "BTC_USDT-1s.csv",
        {},
        "named 1s, but its bars are mostly 1m",
    ),
    "an unknown timeframe": (
        "BTC_USDT.csv",
        {"timeframe": "7m"},
        "timeframe '7m' is not known",
    ),
    "a coarser timeframe": (
        "BTC_USDT.csv",
        {"timeframe": "5m"},
        ":3: .*opens 1m off the UTC grid",
    ),
    "a coarser tick": (
        "BTC_USDT.csv",
        {"tick": Decimal(2)},
        ":2: high: price 11 is not a multip",
    ),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_file_that_does_not_fit_its_name_or_arguments_is_refused(
    bar_file: WriteBars, case: str
) -> None:
    name, arguments, what = ARGUMENTS[case]
    with pytest.raises(DataError, match=what) as caught:
        load_bars(bar_file(GOOD, name), **arguments)
    assert caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv does not exist; check the path"):
        load_bars(tmp_path / "nowhere.csv")


def test_an_empty_folder_holds_no_bar_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no bar files"):
        load_bars(tmp_path)


def test_one_bar_alone_needs_a_timeframe(bar_file: WriteBars) -> None:
    with pytest.raises(DataError, match="one bar alone does not tell"):
        load_bars(bar_file(HEADER + _rows(0), "BTC_USDT.csv"))
    assert load_bars(bar_file(HEADER + _rows(0), "BTC_USDT-1m.csv")).step_ms == 60_000


def test_the_line_is_right_far_into_a_file(bar_file: WriteBars) -> None:
    lines = (HEADER + _rows(*range(60_000))).splitlines()
    lines[54_320] = lines[54_320].replace("11", "8")
    with pytest.raises(DataError, match=r":54321: impossible bar"):
        load_bars(bar_file("\n".join(lines)))


def test_a_price_too_fine_for_the_prices_long_before_it_is_refused(
    bar_file: WriteBars,
) -> None:
    high = HEADER + _rows(*range(40_000), values="9000000000,9000000000,9000000000,9000000000,1")
    fine = _rows(40_000, values="1,1,0.0000000001,1,1")
    with pytest.raises(DataError, match=r":40002: .*has 10 decimals.*as high as 9000000000 "):
        load_bars(bar_file(high + fine))


@pytest.mark.parametrize("column", ["timestamp_ms", "date"])
def test_any_garbled_file_loads_or_is_refused(bar_file: WriteBars, column: str) -> None:
    chance = random.Random(20_180_605)
    content = (
        GOOD if column == "timestamp_ms" else _dated(*(f"2018-06-{n:02}" for n in range(1, 9)))
    )
    refusals: list[str] = []
    for _ in range(1_500):
        text = list(content)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            span = chance.choice([0, 0, 1, 1, 1, 2, 9])
            text[at : at + span] = chance.choice('0123456789,,;.\n"- _eEnT:\tx\u0661\r+')
        try:
            load_bars(bar_file("".join(text)))
        except DataError as error:
            refusals.append(str(error))
    assert len(refusals) > 300
    assert not any("\n" in refusal for refusal in refusals)


def test_a_file_cut_at_any_byte_is_refused_or_reads_as_a_beginning(
    bar_file: WriteBars,
) -> None:
    whole = list(load_bars(bar_file(GOOD)).series.rows())
    beginnings = 0
    for size in range(len(GOOD)):
        try:
            found = load_bars(bar_file(GOOD[:size]))
        except DataError:
            continue
        beginnings += 1
        rows = list(found.series.rows())
        # A cut inside the last number cannot be told, so it is at least reported.
        assert rows == whole[: len(rows)] or not found.report.ended
    assert beginnings >= len(whole)
