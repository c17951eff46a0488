"""No order is made of data that must not be trusted: defects of real files, and the shipped limits.

Each case is a decision of a strategy that always wants in. Beside it stands the same decision one
step away, on sound bars of the same file, where it does get its order: so nothing else refuses.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trader.bars.load import load_bars
from trader.bars.quality import judge_rows
from trader.core.limits import NEVER
from trader.core.parameters import Parameters, StrategyCode
from trader.core.plan import Plan, plan
from trader.core.series import Series, build_series
from trader.core.signals import wanted_windows
from trader.core.snapshot import CoreQuote, Snapshot
from trader.domain.timeframe import timeframe_name
from trader.policy.compiling_calendar import compile_calendar
from trader.policy.effective import fill_in, origins
from trader.policy.parameters_limits import build_limits
from trader.policy.reading import Mark, Node
from trader.policy.schema import Files

from .made import BTC, UNIT, account, instrument, parameters, says, strategy

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
OUTAGE = "awkward_bitfinex_btcusd_1m_2016-07-25_2016-08-20_hack_outage"
PAGES = "awkward_bitfinex_btcusd_1m_2018-06-05_overlapping_pages"
COLUMNS = "awkward_bitfinex_btcusd_1m_2018-06-05_raw_column_order"
THIN = "bitfinex_ltcusd_1m_2016"
QUIET = "basana_bitstamp_btcusd_1d_2015_zero_volume_days"
TOP = "lean_coinbase_btcusd_1m_20171217"
BOOK = "hftbacktest_binance_spot_btcusdt_book_ticker_2024-08-08_2354"
MINUTE_MS, DAY_MS = 60_000, 86_400_000
# The last minute before the exchange was shut, and the first one after it.
SHUT_MS, OPENED_MS = 1_470_160_920_000, 1_470_844_380_000
# The last minute before a hole of an hour.
HOLE_MS = 1_528_194_840_000


@pytest.fixture(autouse=True)
def _real() -> None:
    if not REAL.is_dir():
        pytest.skip("real market data is not at ../shared/data/real")


@cache
def shipped() -> Parameters:
    """The limits that nobody has changed, and one strategy."""
    form: dict[str, Any] = Files().model_dump()
    nothing = Node({}, Mark("", 0, 0))
    fill_in(form, nothing, origins(form, nothing))
    compile_calendar(form)
    return replace(parameters(), limits=build_limits(form["policy"]))


@cache
def loaded(name: str) -> Series:
    """A file's bars; as a venue would tell them where the file itself is refused."""
    if name not in {PAGES, COLUMNS}:
        return load_bars(REAL / f"{name}.csv.gz").series
    rows, problems = judged(name)
    assert all(problem.is_note for problem in problems) or name == COLUMNS
    return build_series(BTC, MINUTE_MS, TICK, [(*row[:5], float(row.volume)) for row in rows])


TICK = Decimal("0.00000001")


@dataclass(frozen=True)
class Told:
    """A row as it stands in a file."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str


def judged(name: str) -> Any:
    """What a cycle makes of the rows of a file, in their order there."""
    with gzip.open(REAL / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.reader(lines) if row[0].isdigit()]
    return judge_rows([Told(int(row[0]), *row[1:6]) for row in rows], MINUTE_MS, TICK)


def decide(series: Series, bar_ms: int, **changed: Any) -> Plan:
    """The decision at the close of a bar, with a fresh quote one tick around the last price."""
    step_ms = series.step_ms
    name = timeframe_name(step_ms)
    spec = strategy(timeframe=name, timeframe_ms=step_ms)
    limits = replace(shipped().limits, **changed.pop("limits", {}))
    policy = replace(shipped(), strategies=(spec,), step_ms=step_ms, limits=limits)
    listed = instrument(BTC, tick=str(series.tick), lot="0.0001", qty_min="0.0001")
    state = account(10_000 * UNIT, listed)
    price = float(series.close[min(series.index_of(bar_ms), len(series) - 1)] * series.tick)
    codes: Mapping[str, StrategyCode] = {"one": says(stop=price / 50)}
    close_ms = bar_ms + step_ms
    first, last = wanted_windows(policy, codes, state, close_ms)[BTC, name]
    seen = series.slice(series.index_of(first), series.index_of(last + 1))
    last_price = seen.close[-1] if len(seen) else series.close[0]
    given: dict[str, Any] = {
        "series": {(BTC, name): seen},
        "quotes": {BTC: CoreQuote(last_price - 1, last_price + 1, -1, -1, close_ms)},
        **changed,
    }
    if "edit" in given:
        given["series"] = {(BTC, name): given.pop("edit")(seen)}
    return plan(Snapshot(bar_ms, close_ms + 2_000, state, policy, codes, **given))


def said(decided: Plan) -> str:
    """The answer to the one strategy; orders and answer agree."""
    answer = decided.trail[0].answer
    assert (len(decided.legs) == 1) is (answer == "approved")
    return answer.partition(" ")[0]


def around(series: Series, bar_ms: int, bid: int, ask: int, age_ms: int = 2_000) -> dict[str, Any]:
    """A quote so far from the close of a bar, in ticks."""
    close = series.close[series.index_of(bar_ms)]
    at_ms = bar_ms + series.step_ms + 2_000 - age_ms
    return {"quotes": {BTC: CoreQuote(close + bid, close + ask, -1, -1, at_ms)}}


def with_last(**changed: int) -> Any:
    """Replaces columns of the newest bar."""

    def edit(series: Series) -> Series:
        rows = [list(row) for row in series.rows()]
        for name, value in changed.items():
            rows[-1][("open_ms", "open", "high", "low", "close", "volume").index(name)] = value
        told: Any = rows
        return build_series(series.symbol, series.step_ms, series.tick, told)

    return edit


def sound_ms(name: str, before_ms: int) -> int:
    """A bar of the file at which the strategy gets its order, at most a day of bars earlier."""
    series = loaded(name)
    at = series.index_of(before_ms)
    for index in range(at, max(0, at - 1_440), -1):
        if said(decide(series, series.open_ms[index])) == "approved":
            return series.open_ms[index]
    raise AssertionError(f"{name}: no order in 1,440 bars before {before_ms}")


def test_a_bar_that_is_not_there_is_stale_for_every_minute_of_an_outage() -> None:
    series = loaded(OUTAGE)
    assert sound_ms(OUTAGE, SHUT_MS) > 0
    for minute in (1, 2, 60, 5_000, 11_389, 11_390):
        assert said(decide(series, SHUT_MS + minute * MINUTE_MS)) == "DATA_STALE"


def test_the_first_bars_after_an_outage_are_gappy_and_far_from_those_before() -> None:
    series = loaded(OUTAGE)
    answers = [said(decide(series, OPENED_MS + minute * MINUTE_MS)) for minute in range(10)]
    assert "approved" not in answers
    assert set(answers) <= {"DATA_GAPPY", "DATA_STALE", "DATA_SHORT", "COLLAR_WINDOW"}


def test_a_hole_of_an_hour_between_pages_that_overlap_makes_no_order() -> None:
    series = loaded(PAGES)
    assert sound_ms(PAGES, HOLE_MS) > 0
    for minute in (1, 30, 60):
        assert said(decide(series, HOLE_MS + minute * MINUTE_MS)) == "DATA_STALE"


def test_columns_in_another_order_are_impossible_bars_and_make_no_order() -> None:
    rows, problems = judged(COLUMNS)
    wrong = [problem for problem in problems if not problem.is_note]
    assert len(wrong) > 500
    assert len(rows) > 0  # those that could be: they are not decided on either
    series = loaded(PAGES)
    at = sound_ms(PAGES, HOLE_MS)
    told = f"DATA_IMPOSSIBLE bar_ms={wrong[0].open_ms} why={wrong[0].code}"
    assert said(decide(series, at, troubles={BTC: (told,)})) == "DATA_IMPOSSIBLE"


def test_a_thin_market_with_a_hole_of_two_months_makes_no_order_of_what_is_missing() -> None:
    series = loaded(THIN)
    answers = {said(decide(series, series.open_ms[index])) for index in range(100, 4_000, 50)}
    assert answers <= {"DATA_GAPPY", "DATA_SHORT", "COLLAR_WINDOW", "VOLUME_SHARE"}
    assert said(decide(series, 1_459_468_320_000 + DAY_MS)) == "DATA_STALE"


def test_days_without_volume_make_no_order() -> None:
    series = loaded(QUIET)
    quiet = [series.open_ms[i] for i in range(len(series)) if series.volume[i] == 0.0]
    assert len(quiet) == 3
    # The file begins a week earlier: a window of 24 days is not there yet.
    three = {"volume_bars": 3, "collar_window_ppm": NEVER}
    assert said(decide(series, quiet[-1])) == "COLLAR_WINDOW"
    assert said(decide(series, quiet[-1], limits=three)) == "VOLUME_SHARE"
    assert said(decide(series, quiet[0], limits=three)) == "approved"


@pytest.mark.parametrize(
    ("bid", "ask", "age_ms", "answer"),
    [
        (-1, 1, 2_000, "approved"),
        (-1, 1, 10_000, "approved"),
        (-1, 1, 10_001, "QUOTE_OLD"),
        (-1, 1, -10_001, "QUOTE_OLD"),
        (1, -1, 2_000, "QUOTE_CROSSED"),
        (-(10**15), 1, 2_000, "QUOTE_MISSING"),
    ],
)
def test_quotes_that_are_old_crossed_or_nothing_make_no_order(
    bid: int, ask: int, age_ms: int, answer: str
) -> None:
    series = loaded(TOP)
    at = sound_ms(TOP, series.open_ms[700])
    seen = around(series, at, bid, ask, age_ms)
    if bid == -(10**15):
        seen = {"quotes": {BTC: CoreQuote(0, 0, -1, -1, at + MINUTE_MS)}}
    assert said(decide(series, at, **seen)) == answer


def test_bars_that_jump_or_were_repainted_make_no_order() -> None:
    series = loaded(TOP)
    at = sound_ms(TOP, series.open_ms[700])
    close = series.close[series.index_of(at)]
    # 500 of 10,000 do not buy the smallest order at a thousand times the price; at one tick there
    # is no room for a stop.
    for price, answer in (
        (close * 2, "DATA_JUMP"),
        (close * 1_000, "SIZE_NOTHING"),
        (close // 2, "DATA_JUMP"),
        (1, "STOP_SIDE"),
    ):
        jumped = {BTC: CoreQuote(price, price + 1, -1, -1, at + MINUTE_MS)}
        edit = with_last(close=price, low=min(close, price), high=max(close, price))
        assert said(decide(series, at, edit=edit, quotes=jumped)) == answer
    assert said(decide(series, at, repaints={BTC: 5_000})) == "approved"
    assert said(decide(series, at, repaints={BTC: 5_001})) == "DATA_REPAINTED"


def test_a_clock_as_far_off_as_that_of_a_real_recorder_makes_no_order() -> None:
    with gzip.open(REAL / f"{BOOK.replace('book_ticker', 'trades')}.csv.gz", "rt") as lines:
        row = next(csv.DictReader(lines))
    skew_ms = int(row["recv_ns"]) // 1_000_000 - int(row["event_ms"])
    assert -1_300 < skew_ms < -1_200
    series = loaded(TOP)
    at = sound_ms(TOP, series.open_ms[700])
    for off_ms in (skew_ms, 3_600_000, -3_600_000, 501, -501):
        assert said(decide(series, at, skew_ms=off_ms)) == "CLOCK_SKEW"
    assert said(decide(series, at, skew_ms=-500)) == "approved"


def test_a_real_book_passes_and_one_that_is_wide_does_not() -> None:
    with gzip.open(REAL / f"{BOOK}.csv.gz", "rt") as lines:
        row = next(csv.DictReader(lines))
    unit = Decimal("0.01")
    bid, ask = (int(Decimal(row[side]) / unit) for side in ("bid", "ask"))
    series = loaded(TOP)
    at = sound_ms(TOP, series.open_ms[700])
    close = series.close[series.index_of(at)]
    # The book's own width around this market's price, and the same 100 times a half percent wide.
    assert ask - bid == 1
    assert said(decide(series, at, **around(series, at, bid - ask, 0))) == "approved"
    wide = around(series, at, -(close // 150), 0)
    assert said(decide(series, at, **wide)) == "SPREAD"
