"""The market that bars become: path, book, candles."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.exchange.bars import load_bars
from trader.exchange.candles import Candles, bucket_close_ms, bucket_open_ms
from trader.exchange.instruments import default_instrument
from trader.exchange.market import STEPS, Market, Spot
from trader.exchange.money import exact

from .conftest import FLAT, MINUTE_MS, START_MS, Customer, Row

RULES = default_instrument("BTCUSDT", Decimal(100))


def _market(spec: str, seed: int = 1, half_spread: str = "0.0001") -> Market:
    series = load_bars(Path(spec.partition("=")[0]))
    return Market("BTCUSDT", series, seed, Decimal(half_spread), Decimal(1))


def _random_rows(seed: int, count: int) -> list[Row | None]:
    rng = random.Random(seed)
    rows: list[Row | None] = []
    for _ in range(count):
        low = rng.randrange(9_000, 11_000)
        high = low + rng.randrange(0, 300)
        prices = (rng.randrange(low, high + 1), high, low, rng.randrange(low, high + 1))
        o, h, lo, c = (str(Decimal(price) / 100) for price in prices)
        rows.append((o, h, lo, c, str(rng.randrange(0, 500))))
    return rows


def test_the_path_of_every_bar_respects_open_high_low_and_close(
    bar_file: Callable[..., str],
) -> None:
    market = _market(bar_file(_random_rows(5, 200)))
    lows_first = 0
    with exact():
        for index in range(200):
            bar, path = market.series.bar(index), market.path(RULES, index)
            assert len(path) == STEPS
            assert (path[0], path[-1]) == (bar.open, bar.close)
            assert (max(path), min(path)) == (bar.high, bar.low)
            lows_first += path.index(bar.low) < path.index(bar.high)
    assert 50 < lows_first < 150


def test_the_same_seed_gives_the_same_market_and_another_one_does_not(
    bar_file: Callable[..., str],
) -> None:
    spec = bar_file(_random_rows(6, 30))

    def seen(seed: int) -> list[Any]:
        market = _market(spec, seed)
        with exact():
            return [
                (market.path(RULES, index), market.book(RULES, Spot(index, 7)))
                for index in range(30)
            ]

    assert seen(1) == seen(1)
    assert seen(1) != seen(2)


def test_the_book_is_ordered_on_the_grid_and_thins_by_what_is_taken(
    bar_file: Callable[..., str],
) -> None:
    market = _market(bar_file([FLAT]))
    with exact():
        spot = Spot(0, 3)
        bids, asks = market.book(RULES, spot)
        assert (bids[0].price, asks[0].price) == (Decimal("99.99"), Decimal("100.01"))
        assert [x.price for x in bids] == sorted((x.price for x in bids), reverse=True)
        assert [x.price for x in asks] == sorted(x.price for x in asks)
        assert all(x.price % RULES.tick == 0 and x.qty % RULES.lot == 0 for x in bids + asks)
        market.take(spot, "ask", asks[0].price, asks[0].qty)
        market.take(spot, "bid", bids[1].price, RULES.lot)
        bids_left, asks_left = market.book(RULES, spot)
        assert asks_left == asks[1:]
        assert bids_left[1].qty == bids[1].qty - RULES.lot
        assert market.book(RULES, Spot(0, 4))[1][0].price == asks[0].price


def test_in_a_gap_the_quotes_stay_at_the_last_close_and_nothing_trades(
    bar_file: Callable[..., str],
) -> None:
    rows: list[Row | None] = [("100", "100", "90", "95", "60"), None, None, FLAT, FLAT]
    market = _market(bar_file(rows))
    with exact():
        spot = market.spot(START_MS + 2 * MINUTE_MS + 5)
        assert spot is not None
        assert spot.in_gap
        assert market.price(RULES, spot) == Decimal(95)
        assert market.step_volume(RULES, spot) == 0
        back = market.spot(START_MS + 3 * MINUTE_MS)
        assert back is not None
        assert market.price(RULES, back) == Decimal(100)
    assert market.spot(START_MS - 1) is None


@pytest.mark.parametrize(
    ("interval", "at", "opens", "closes"),
    [
        ("5m", 1_700_006_459_999, 1_700_006_400_000, 1_700_006_700_000),
        ("1d", 1_700_006_459_999, 1_700_006_400_000, 1_700_092_800_000),
        # Wednesday 2023-11-15 lies in the week of Monday the 13th, and in November.
        ("1w", 1_700_006_459_999, 1_699_833_600_000, 1_700_438_400_000),
        ("1M", 1_700_006_459_999, 1_698_796_800_000, 1_701_388_800_000),
    ],
)
def test_candles_lie_on_the_utc_grid(interval: str, at: int, opens: int, closes: int) -> None:
    assert bucket_open_ms(at, interval) == opens
    assert bucket_close_ms(opens, interval) == closes


def test_resampled_candles_are_the_first_highest_lowest_last_and_sum(
    bar_file: Callable[..., str],
) -> None:
    rows: list[Row | None] = [
        ("10", "12", "9", "11", "1"),
        ("11", "15", "11", "12", "2"),
        None,
        ("12", "13", "8", "9", "4"),
        None,
        ("9", "9.5", "9", "9.25", "8"),
    ]
    candles = Candles(_market(bar_file(rows)))
    with exact():
        found = candles.window(RULES, "5m", START_MS + 10 * MINUTE_MS, None, None, 10)
    shown = [(x.open_ms, x.open, x.high, x.low, x.close, x.volume) for x in found]
    late = START_MS + 5 * MINUTE_MS
    assert shown == [
        (START_MS, *map(Decimal, ("10", "15", "8", "9", "7"))),
        (late, *map(Decimal, ("9", "9.5", "9", "9.25", "8"))),
    ]


def test_the_open_candle_grows_into_the_bar_of_the_file(bar_file: Callable[..., str]) -> None:
    market = _market(bar_file([FLAT, ("100", "108", "92", "103", "60"), FLAT]))
    candles = Candles(market)
    seen: list[tuple[Decimal, Decimal, Decimal]] = []
    with exact():
        for second in range(60, 121):
            last = candles.window(RULES, "1m", START_MS + second * 1000, None, None, 2)
            assert len(last) == 2
            bar = last[-1] if second < 120 else last[0]
            assert bar.open == 100
            seen.append((bar.high, -bar.low, bar.volume))
    assert seen == sorted(seen), "high, -low and volume only ever grow"
    assert seen[0] == (Decimal(100), Decimal(-100), Decimal(1))
    assert seen[-1] == (Decimal(108), Decimal(-92), Decimal(60))


def test_a_clock_set_back_shows_the_candle_unfinished_again(bar_file: Callable[..., str]) -> None:
    candles = Candles(_market(bar_file([FLAT, ("100", "108", "92", "103", "60"), FLAT])))
    with exact():
        begun = START_MS + MINUTE_MS
        early = candles.window(RULES, "5m", begun, None, None, 1)
        late = candles.window(RULES, "5m", START_MS + 9 * MINUTE_MS, None, None, 1)
        assert candles.window(RULES, "5m", begun, None, None, 1) == early != late


def test_the_window_of_klines_is_by_open_time_and_pages_from_its_start(
    bar_file: Callable[..., str], serve: Callable[..., Any], customer: Callable[..., Customer]
) -> None:
    served = serve(bar_file([FLAT] * 30), now_ms=START_MS + 20 * MINUTE_MS + 1)
    who = customer(served)

    def opens(**window: int) -> list[int]:
        rows = who.get("klines", symbol="BTCUSDT", interval="1m", **window).json
        return [(row[0] - START_MS) // MINUTE_MS for row in rows]

    assert opens() == list(range(21)), "the open candle is the last row"
    assert opens(limit=2) == [19, 20]
    assert opens(startTime=START_MS + 3 * MINUTE_MS, limit=3) == [3, 4, 5]
    assert opens(startTime=START_MS + 1, limit=2) == [1, 2]
    assert opens(endTime=START_MS + 5 * MINUTE_MS, limit=2) == [4, 5]
    assert opens(startTime=START_MS, endTime=START_MS + MINUTE_MS) == [0, 1]
    assert opens(startTime=START_MS + 90 * MINUTE_MS) == []
    row = who.get("klines", symbol="BTCUSDT", interval="1m", limit=1).json[0]
    assert row[1:6] == ["100.00000000"] * 4 + ["10.00000000"]
    assert row[6] == row[0] + MINUTE_MS - 1
    assert who.get("klines", symbol="BTCUSDT", interval="1s").refusal[:2] == (400, -1120)


def test_tickers_are_asked_for_one_some_or_all(
    bar_file: Callable[..., str], serve: Callable[..., Any], customer: Callable[..., Customer]
) -> None:
    files = [bar_file([FLAT] * 3, name) for name in ("BTCUSDT", "ETHUSDT", "LTCUSDT")]
    who = customer(serve(*files))
    assert who.get("ticker/price", symbol="ETHUSDT").json["symbol"] == "ETHUSDT"
    some = who.get("ticker/price", symbols='["LTCUSDT","BTCUSDT"]').json
    assert [row["symbol"] for row in some] == ["LTCUSDT", "BTCUSDT"]
    assert len(who.get("ticker/price").json) == 3
    assert who.get("ticker/price", symbols='["NOSUCH"]').refusal == (400, -1121, "Invalid symbol.")
    for bad in ("BTCUSDT", "[]", '{"a":1}'):
        assert who.get("ticker/price", symbols=bad).refusal[:2] == (400, -1100)
    assert who.get("klines", symbol="BTCUSDT", interval="1m", limit="x").refusal[:2] == (400, -1100)


def test_before_its_first_bar_an_instrument_is_not_open_yet(
    bar_file: Callable[..., str], serve: Callable[..., Any], customer: Callable[..., Customer]
) -> None:
    who = customer(serve(bar_file([FLAT] * 3), now_ms=START_MS - 1))
    quote = who.get("ticker/bookTicker", symbol="BTCUSDT").json
    assert (quote["bidPrice"], quote["askQty"]) == ("0.00000000", "0.00000000")
    assert who.get("ticker/24hr", symbol="BTCUSDT").json["lastPrice"] == "0.00000000"
    assert who.get("klines", symbol="BTCUSDT", interval="1m").json == []
    assert who.get("depth", symbol="BTCUSDT").json["asks"] == []
    assert who.limit("BUY", "1", "100").refusal == (400, -1013, "Market is closed.")
