"""Sound bar files, whatever their dialect, become the same series."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trader.bars.load import load_bars
from trader.core.scale import text as plain
from trader.errors import DataError

WriteBars = Callable[..., Path]

HEADER = "timestamp_ms,open,high,low,close,volume\n"
T0 = 1_528_156_800_000  # 2018-06-05 00:00 UTC
PLAIN = (
    HEADER
    + f"{T0},7488.4,7492.9,7487.9,7491.4,23.5\n"
    + f"{T0 + 60_000},7491.5,7491.5,7491.41,7491.41,0.25\n"
    + f"{T0 + 180_000},7491.5,7498.1,7491.4,7497.4,0\n"
)
ROWS = [
    (T0, 748840, 749290, 748790, 749140, 23.5),
    (T0 + 60_000, 749150, 749150, 749141, 749141, 0.25),
    (T0 + 180_000, 749150, 749810, 749140, 749740, 0.0),
]


def _with_stamps(column: str, *stamps: str) -> str:
    lines = PLAIN.splitlines()[1:]
    rows = [f"{stamp},{line.partition(',')[2]}" for stamp, line in zip(stamps, lines, strict=True)]
    return "\n".join([f"{column},open,high,low,close,volume", *rows]) + "\n"


def _reordered() -> str:
    rows = [line.split(",") for line in PLAIN.splitlines()]
    lines = [",".join([row[5], row[2], row[4], "x", row[0], row[1], row[3]]) for row in rows]
    lines[0] = "VOLUME, High ,Close,trades,TimeStamp_ms,OPEN,low"
    return "\n".join(lines) + "\n"


DIALECTS: dict[str, str | bytes] = {
    "plain": PLAIN,
    "columns in another order and case": _reordered(),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "windows line ends": PLAIN.replace("\n", "\r\n"),
    "old mac line ends": PLAIN.replace("\n", "\r"),
    "no line end at the end": PLAIN.rstrip("\n"),
    "blank lines": PLAIN.replace("\n", "\n\n"),
    "quoted cells": "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.splitlines()
    ),
    "spaces around cells": PLAIN.replace(",", " , "),
    "byte-order mark": PLAIN.encode("utf-8-sig"),
    "utf-16": PLAIN.encode("utf-16"),
    "utf-16 big endian": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "seconds": _with_stamps("timestamp", "1528156800", "1528156860", "1528156980"),
    "named seconds": _with_stamps("timestamp_s", "1528156800.0", "1528156860.0", "1528156980.0"),
    "microseconds": _with_stamps("open_time", *(f"{T0 + k}000" for k in (0, 60_000, 180_000))),
    "nanoseconds": _with_stamps("time", *(f"{T0 + k}000000" for k in (0, 60_000, 180_000))),
    "unnamed milliseconds": _with_stamps("Open Time", *(f"{T0 + k}" for k in (0, 60_000, 180_000))),
    "dates in UTC": _with_stamps(
        "date", "2018-06-05", "2018-06-05 00:01:00", "2018-06-05T00:03:00.000"
    ),
    "dates with zones": _with_stamps(
        "date",
        "2018-06-05T00:00:00Z",
        "2018-06-05 02:01:00+02:00",
        "2018-06-04 19:03:00-05:00",
    ),
    "some dates quoted": _with_stamps(
        "date", "2018-06-05 00:00", '"2018-06-05 00:01"', "2018-06-05 00:03 UTC"
    ),
    "trailing zeros": PLAIN.replace("7491.41,", "7491.41000000,"),
    "exponent form": PLAIN.replace("7488.4,", "7.4884e3,"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_as_the_same_bars(bar_file: WriteBars, dialect: str) -> None:
    found = load_bars(bar_file(DIALECTS[dialect]))
    assert list(found.series.rows()) == ROWS
    assert (found.symbol, found.step_ms, found.tick) == (
        "BTC/USDT",
        60_000,
        Decimal("0.01"),
    )


@pytest.mark.parametrize("name", ["BTC_USDT-1m.csv.gz", "BTC_USDT-1m.csv"])
def test_compression_is_told_by_content_not_by_name(bar_file: WriteBars, name: str) -> None:
    path = bar_file(PLAIN, "BTC_USDT-1m.csv.gz")
    assert list(load_bars(path.rename(path.with_name(name))).series.rows()) == ROWS


def test_a_missing_minute_is_counted_and_never_invented(bar_file: WriteBars) -> None:
    report = load_bars(bar_file(PLAIN)).report
    assert (report.rows, report.gaps, report.missing, report.zero_volume) == (
        3,
        1,
        1,
        1,
    )
    assert (report.first_ms, report.last_ms, report.ended) == (T0, T0 + 180_000, True)


def test_a_last_line_without_line_break_is_reported(bar_file: WriteBars) -> None:
    assert not load_bars(bar_file(PLAIN.rstrip("\n"))).report.ended


def test_unknown_columns_are_named_and_harmless_ones_are_not(
    bar_file: WriteBars,
) -> None:
    lines = PLAIN.splitlines()
    content = "\n".join([f"{lines[0]},trades,mood", *(f"{line},7,good" for line in lines[1:])])
    assert load_bars(bar_file(content)).report.ignored == ("mood",)


@pytest.mark.parametrize(
    ("shadow", "ticks", "digits"),
    [
        ("0.0016200000000000001", 162, 5),
        ("0.07745453000000001", 7745453, 8),
        ("0.07745452999999999", 7745453, 8),
        ("5.1000000000000006e-05", 51, 6),
        ("0.30000000000000004", 3, 1),
        ("7195.240000000000", 719524, 2),
    ],
)
def test_a_float_shadow_is_snapped_and_counted(
    bar_file: WriteBars, shadow: str, ticks: int, digits: int
) -> None:
    found = load_bars(bar_file(HEADER + f"{T0},{shadow},{shadow},{shadow},{shadow},1\n"))
    assert found.series.row(0)[1:5] == (ticks,) * 4
    assert found.tick == Decimal(1).scaleb(-digits)
    assert found.report.snapped == (0 if shadow.endswith("000") else 4)


def test_long_prices_that_are_no_shadows_are_kept_exactly(bar_file: WriteBars) -> None:
    price = "0.123456789012345678"
    found = load_bars(bar_file(HEADER + f"{T0},{price},{price},{price},{price},1\n"))
    assert found.series.open[0] == 123456789012345678
    assert found.report.snapped == 0


def test_a_price_within_1e_9_of_a_shorter_one_is_no_shadow_by_that_alone(
    bar_file: WriteBars,
) -> None:
    price = "13752.18233851"
    found = load_bars(bar_file(HEADER + f"{T0},{price},{price},{price},{price},1\n"))
    assert found.series.open[0] == 1375218233851


def test_a_given_tick_is_kept_and_shadows_snap_to_it(bar_file: WriteBars) -> None:
    shadow = PLAIN.replace("7491.4,23.5", "7491.400000000001,23.5")
    found = load_bars(bar_file(shadow), tick=Decimal("0.005"))
    assert found.tick == Decimal("0.005")
    assert found.series.close[0] == 1_498_280
    assert found.report.snapped == 1


def test_argument_symbol_and_timeframe_win_over_the_name(bar_file: WriteBars) -> None:
    path = bar_file(HEADER + f"{T0},1,1,1,1,1\n", "bars.csv")
    found = load_bars(path, symbol="XRP/BTC", timeframe="1d")
    assert (found.symbol, found.step_ms) == ("XRP/BTC", 86_400_000)


def test_weeks_start_on_monday(bar_file: WriteBars) -> None:
    rows = "".join(f"2018-06-{day:02},1,1,1,1,1\n" for day in (4, 11, 18))
    content = "date,open,high,low,close,volume\n" + rows
    assert load_bars(bar_file(content, "BTC_USDT-1w.csv")).step_ms == 604_800_000
    with pytest.raises(DataError, match="opens 1d off the UTC grid of 1w"):
        load_bars(bar_file(content.replace("-04,", "-05,"), "BTC_USDT.csv"), timeframe="1w")


def test_reading_in_blocks_equals_reading_at_once(bar_file: WriteBars) -> None:
    count = 40_000
    prices = [f"{100 + i % 977}.{i % 1000:03}" for i in range(count)]
    # The finest price comes last, in another block than the first.
    prices[-1] = "100.123456"
    rows = (f"{T0 + i * 60_000},{p},{p},{p},{p},{i}.5\n" for i, p in enumerate(prices))
    found = load_bars(bar_file(HEADER + "".join(rows)))
    assert found.tick == Decimal("0.000001")
    assert [Decimal(v) * found.tick for v in found.series.close] == [Decimal(p) for p in prices]
    assert found.series.volume[-1] == count - 1 + 0.5


_digits = st.integers(0, 8)


@st.composite
def _bars(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int, int, int, float]]]:
    digits = draw(_digits)
    rows = []
    at_ms = T0
    for _ in range(draw(st.integers(2, 30))):
        low, *middle, high = sorted(draw(st.lists(st.integers(1, 10**14), min_size=4, max_size=4)))
        opened, close = draw(st.permutations(middle))
        volume = draw(st.floats(0, 1e12, allow_subnormal=False))
        rows.append((at_ms, opened, high, low, close, volume))
        at_ms += 60_000 * draw(st.sampled_from([1, 1, 1, 2, 7]))
    return digits, rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bars=_bars(), form=st.sampled_from(["plain", "padded", "exponent"]))
def test_written_bars_are_read_back_exactly(
    bar_file: WriteBars,
    bars: tuple[int, list[tuple[int, int, int, int, int, float]]],
    form: str,
) -> None:
    digits, rows = bars
    unit = Decimal(1).scaleb(-digits)

    def cell(ticks: int) -> str:
        if form == "plain":
            return plain(ticks * unit)
        return f"{ticks * unit:.8f}" if form == "padded" else f"{ticks * unit:e}"

    lines = [f"{r[0]},{cell(r[1])},{cell(r[2])},{cell(r[3])},{cell(r[4])},{r[5]!r}" for r in rows]
    found = load_bars(bar_file(HEADER + "\n".join(lines) + "\n"), timeframe="1m")
    assert found.report.snapped == 0
    assert [
        (row[0], *(ticks * found.tick for ticks in row[1:5]), row[5]) for row in found.series.rows()
    ] == [(row[0], *(ticks * unit for ticks in row[1:5]), row[5]) for row in rows]


def test_progress_is_told_in_bytes_of_all_files(tmp_path: Path) -> None:
    row = "100.5,100.5,100.5,100.5,1.25\n"
    for day in range(3):
        rows = (f"{T0 + (day * 20_000 + i) * 60_000},{row}" for i in range(20_000))
        (tmp_path / f"BTC_USDT-1m-{day}.csv").write_text(HEADER + "".join(rows))
    told: list[tuple[int, int]] = []
    found = load_bars(tmp_path, progress=lambda done, total: told.append((done, total)))
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert len(found.series) == 60_000
    assert {total for _, total in told} == {size}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (size, size)
    assert len(told) > 6
