"""The exchange's own reader of bar files."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from trader.exchange.bars import ExchangeSetupError, load_bars
from trader.exchange.made_bars import DEMO_INSTRUMENTS, made_rows, write_made_bars

HEADER = "timestamp_ms,open,high,low,close,volume"


def _write(path: Path, text: str, name: str = "x.csv") -> Path:
    (path / name).write_text(text)
    return path / name


def test_prices_keep_every_digit_of_the_file(tmp_path: Path) -> None:
    rows = "60000,13763,13788,13752.18233851,13753,5.13326771\n120000,7.1e-05,7.2e-05,7e-05,7e-05,0"
    series = load_bars(_write(tmp_path, f"{HEADER}\n{rows}\n"))
    assert series.bar(0).low == Decimal("13752.18233851")
    assert series.bar(1).open == Decimal("0.000071")
    assert (len(series), series.step_ms, series.close_ms(1)) == (2, 60_000, 180_000)


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("timestamp_s", "1531768140.0"),
        ("timestamp", "1531768140"),
        ("timestamp", "1531768140000"),
        ("timestamp_ms", "1531768140000"),
        ("date", "2018-07-16 19:09:00"),
        ("date", "2018-07-16T19:09:00+00:00"),
        ("date", "1531768140"),
    ],
)
def test_each_way_to_write_a_time_is_the_same_time(tmp_path: Path, header: str, cell: str) -> None:
    text = f"{header},open,high,low,close,volume\n{cell},1,1,1,1,1\n"
    assert load_bars(_write(tmp_path, text)).opens_ms[0] == 1_531_768_140_000


def test_gzip_and_utf_16_are_read(tmp_path: Path) -> None:
    text = f"{HEADER}\n60000,1,1,1,1,1\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "b.csv").write_bytes(text.encode("utf-16"))
    assert len(load_bars(tmp_path / "a.csv.gz")) == len(load_bars(tmp_path / "b.csv")) == 1


def test_repeats_and_disorder_are_put_right_but_contradictions_are_not(tmp_path: Path) -> None:
    rows = ["120000,1,2,1,2,5", "60000,1,1,1,1,1", "120000,1,2,1,2,5"]
    series = load_bars(_write(tmp_path, "\n".join([HEADER, *rows])))
    assert list(series.opens_ms) == [60_000, 120_000]
    rows[2] = "120000,1,2,1,2,6"
    with pytest.raises(ExchangeSetupError, match="two different bars open at 120000"):
        load_bars(_write(tmp_path, "\n".join([HEADER, *rows])))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (HEADER, "no bars"),
        ("60000,1,2,1,2,5\n120000,1,2,1,2,5", "no usable header"),
        (f"{HEADER}\n60000,1,2,1\n", "x.csv:2: not a bar"),
        (f"{HEADER}\n60000,nan,2,1,2,5\n", "x.csv:2: impossible bar"),
        (f"{HEADER}\n60000,1,2,1,2,-5\n", "x.csv:2: impossible bar"),
        (f"{HEADER}\n60000,1,1,2,1,5\n", "x.csv:2: impossible bar"),
        (f"{HEADER}\n60000,1,1,0,1,5\n", "x.csv:2: impossible bar"),
        (f"{HEADER}\n60000,1,inf,1,1,5\n", "x.csv:2: impossible bar"),
    ],
)
def test_a_file_that_is_no_bar_file_is_refused_by_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ExchangeSetupError, match=said):
        load_bars(_write(tmp_path, text))


def test_a_missing_file_and_a_torn_gzip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExchangeSetupError, match="cannot read"):
        load_bars(tmp_path / "nowhere.csv")
    (tmp_path / "torn.csv.gz").write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(ExchangeSetupError, match="cannot read"):
        load_bars(tmp_path / "torn.csv.gz")


def test_made_bars_are_equal_for_an_equal_seed_and_load(tmp_path: Path) -> None:
    first = write_made_bars(tmp_path / "a", seed=7, minutes=90)
    again = write_made_bars(tmp_path / "b", seed=7, minutes=90)
    other = write_made_bars(tmp_path / "c", seed=8, minutes=90)
    assert [x.read_bytes() for x in first] == [x.read_bytes() for x in again]
    assert [x.read_bytes() for x in first] != [x.read_bytes() for x in other]
    assert [len(load_bars(path)) for path in first] == [90] * len(DEMO_INSTRUMENTS)


def test_made_bars_start_with_these_very_digits() -> None:
    made = DEMO_INSTRUMENTS[0]
    assert list(made_rows(made, 1, 0, 2)) == MADE_FIRST_ROWS


MADE_FIRST_ROWS = [
    "0,42000.00,42041.69,41995.56,42041.69,42.672",
    "60000,42041.69,42054.71,42039.06,42050.68,7.992",
]
