"""Resampled bars equal an exchange's own, though most of its minutes had no trade."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trader.bars.joining import common_tick, on_tick
from trader.bars.load import load_bars
from trader.bars.resample import resample
from trader.core.series import Series

M = 60_000
NATIVE = {"5m": (5, 2_867), "30m": (30, 479), "1h": (60, 239)}


def bittrex(real: Path, timeframe: str) -> Series:
    """The exchange's own bars."""
    return load_bars(real / f"octobot_bittrex_xrpbtc_{timeframe}_2018-07.csv.gz").series


@pytest.mark.parametrize("timeframe", NATIVE)
def test_minutes_make_the_exchanges_own_higher_bars(real: Path, timeframe: str) -> None:
    length, count = NATIVE[timeframe]
    minutes, native = bittrex(real, "1m"), bittrex(real, timeframe)
    assert minutes.open_ms[-1] - minutes.open_ms[0] > len(minutes) * M, "there are gaps"
    found = resample(minutes, length * M)
    assert len(found) == count
    tick = common_tick(found.tick, native.tick)
    made, own = on_tick(found, tick), on_tick(native, tick)
    theirs = {row[0]: row for row in own.rows()}
    for row in made.rows():
        assert row[:5] == theirs[row[0]][:5]
        assert row[5] == pytest.approx(theirs[row[0]][5], rel=1e-9)


@pytest.mark.parametrize(("source", "target"), [("5m", "30m"), ("5m", "1h"), ("30m", "1h")])
def test_bars_made_of_bars_equal_those_made_of_minutes(
    real: Path, source: str, target: str
) -> None:
    step_ms = NATIVE[target][0] * M
    direct = resample(bittrex(real, "1m"), step_ms)
    between = resample(resample(bittrex(real, "1m"), NATIVE[source][0] * M), step_ms)
    inner = [row for row in direct.rows() if row[0] in set(between.open_ms)]
    assert [row[:5] for row in between.rows()] == [row[:5] for row in inner]
    assert len(inner) >= len(direct) - 2


def test_hours_make_the_days_of_the_same_exchange(real: Path) -> None:
    hours = load_bars(real / "binance_btcusdt_1h_2017-08_2024-04.csv.gz").series
    days = load_bars(real / "derived_binance_btcusdt_1d_2017-08_2024-04.csv.gz").series
    tick = common_tick(hours.tick, days.tick)
    made = {row[0]: row for row in on_tick(resample(hours, 24 * 60 * M), tick).rows()}
    own = {row[0]: row for row in on_tick(days, tick).rows()}
    shared = sorted(made.keys() & own.keys())
    assert len(shared) > 2_400
    assert [made[at][:5] for at in shared] == [own[at][:5] for at in shared]


def test_weeks_begin_on_monday_midnight_utc(real: Path) -> None:
    hours = load_bars(real / "binance_btcusdt_1h_2017-08_2024-04.csv.gz").series
    weeks = resample(hours, 7 * 24 * 60 * M)
    assert len(weeks) > 340
    starts = [datetime.fromtimestamp(at / 1_000, UTC) for at in weeks.open_ms]
    assert {(start.weekday(), start.hour, start.minute) for start in starts} == {(0, 0, 0)}


def test_a_stretch_without_a_trade_has_no_higher_bar(real: Path) -> None:
    """A hole of an hour or more leaves out whole bars; a shorter one takes nothing away."""
    minutes = load_bars(real / "bitfinex_ltcusd_1m_2016.csv.gz").series
    hours = resample(minutes, 60 * M)
    traded = {at // (60 * M) * (60 * M) for at in minutes.open_ms}
    inner = {at for at in traded if minutes.open_ms[0] <= at <= minutes.open_ms[-1] - 59 * M}
    assert set(hours.open_ms) == inner
    assert len(hours) < (minutes.open_ms[-1] - minutes.open_ms[0]) // (60 * M)
    assert sum(hours.volume) == pytest.approx(
        sum(row[5] for row in minutes.rows() if row[0] // (60 * M) * (60 * M) in inner)
    )
