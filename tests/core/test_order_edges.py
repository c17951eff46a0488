"""Gates over one order to the last unit: what they say when they are not asked or cannot be told.

The order is 200 lots (0.2 BTC) at 10,000 ticks (100.00): 20 USDT.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from trader.core import order_gates
from trader.core.fold import fold
from trader.core.limits import NEVER
from trader.core.money import AMOUNT_MAX
from trader.core.order_gates import OrderSums
from trader.core.order_sums import free_lots, units_below
from trader.core.snapshot import CoreQuote
from trader.domain.order import Side

from .made import (
    BTC,
    ETH,
    NOW_MS,
    UNIT,
    account,
    fill_row,
    hold,
    instrument,
    order_row,
    parameters,
    quote,
    sent,
)
from .test_order_gates import buy, home, made, noes, rate, walk, with_rate

UNTOLD: dict[str, Any] = {
    "ask_ticks": 0,
    "bid_ticks": 0,
    "depth_asked": 1,
    "depth_lots_max": -1,
    "free_lots": -1,
    "home_asked": 1,
    "home_units_max": -1,
    "home_words": "",
    "is_buy": 1,
    "own_sell_ticks": 0,
    "price_ticks": AMOUNT_MAX,
    "qty_lots": AMOUNT_MAX,
    "qty_lots_max": -1,
    "repaint_ppm": AMOUNT_MAX,
    "repaint_ppm_max": 0,
    "restricted": 1,
    "restricted_by": "",
    "sell_lots": AMOUNT_MAX,
    "skew_ms": AMOUNT_MAX,
    "skew_ms_max": 0,
    "spread_asked": 1,
    "spread_ppm_max": 0,
    "value_units": AMOUNT_MAX,
    "value_units_max": -1,
    "volume_asked": 1,
    "volume_lots_max": -1,
    "window_asked": 1,
    "window_ppm": 0,
    "window_ticks": 0,
}


def test_numbers_begin_as_what_refuses() -> None:
    sums = OrderSums()
    assert {name: getattr(sums, name) for name in OrderSums.__slots__} == UNTOLD


def told(**numbers: Any) -> OrderSums:
    sums = OrderSums()
    for name, value in numbers.items():
        setattr(sums, name, value)
    return sums


def test_what_is_said_of_a_spread_and_a_window_that_are_not_asked_or_not_known() -> None:
    spread, window = order_gates.spread, order_gates.collar_window
    assert spread(told(spread_asked=0, spread_ppm_max=7)) == (True, 7, 0)
    assert spread(told(bid_ticks=0, ask_ticks=5, spread_ppm_max=7)) == (False, 7, -1)
    assert spread(told(bid_ticks=1, ask_ticks=1, spread_ppm_max=7)) == (True, 7, 0)
    assert window(told(window_asked=0, price_ticks=5)) == (True, 0, 5)
    assert window(told(window_ticks=0, price_ticks=5)) == (False, 0, 5)
    assert window(told(window_ticks=1, price_ticks=1)) == (True, 1, 1)


def test_a_self_cross_says_the_highest_price_that_would_do() -> None:
    assert order_gates.self_cross(told(own_sell_ticks=100, price_ticks=99)) == (True, 99, 99)
    assert order_gates.self_cross(told(own_sell_ticks=100, price_ticks=100)) == (False, 99, 100)
    assert order_gates.self_cross(told(is_buy=0, own_sell_ticks=100, price_ticks=100))[0]


def test_an_order_of_nothing_special_has_these_numbers() -> None:
    sums = made(parameters())
    assert (sums.repaint_ppm, sums.sell_lots, sums.free_lots, sums.is_buy) == (0, 0, 0, 1)
    assert (sums.volume_lots_max, sums.depth_lots_max) == (-1, -1)
    assert (sums.home_units_max, sums.home_words) == (-1, "")
    assert made(parameters(), buy(side=Side.SELL)).is_buy == 0


def test_a_best_ask_of_nothing_is_known_to_be_nothing() -> None:
    seen = {BTC: CoreQuote(9_999, 10_001, -1, 0, NOW_MS)}
    assert made(parameters(depth_ppm_max=500_000), quotes=seen).depth_lots_max == 0


def test_bars_that_are_not_there_make_no_window_and_no_volume() -> None:
    policy = parameters(collar_window_ppm=1, collar_window_bars=2, volume_ppm_max=1)
    gone = made(policy, series={(ETH, "1m"): walk([10_000])})
    assert (gone.window_ticks, gone.volume_lots_max) == (0, -1)
    short = made(policy, series={(BTC, "1m"): walk([10_000, 10_000])})
    assert short.window_ticks == 0


@pytest.mark.parametrize(
    ("volume", "lots"),
    [
        (0.0, 0),
        (0.0005, 0),  # half a lot
        (0.001, 1),
        (float("nan"), -1),
        (float("inf"), -1),
        (-0.001, -1),
    ],
)
def test_a_volume_in_lots_is_rounded_down(volume: float, lots: int) -> None:
    policy = parameters(volume_ppm_max=1_000_000, volume_bars=1)
    assert made(policy, series={(BTC, "1m"): walk([1], volume)}).volume_lots_max == lots


def test_a_volume_that_is_not_asked_is_not_looked_at() -> None:
    seen = {(BTC, "1m"): walk([1], 5.0)}
    at = parameters(volume_ppm_max=NEVER, volume_bars=1)
    assert made(at, series=seen).volume_lots_max == -1
    below = parameters(volume_ppm_max=NEVER - 1, volume_bars=1)
    assert made(below, series=seen).volume_lots_max == 4_999_999


def test_a_volume_as_large_as_the_integers_is_cut_to_them() -> None:
    whole = instrument(BTC, lot="1", qty_min="1", qty_max="0")
    state = account(1_000 * UNIT, whole)
    policy = parameters(volume_ppm_max=1_000_000, volume_bars=1)
    seen = {(BTC, "1m"): walk([1], float(AMOUNT_MAX))}
    assert made(policy, state=state, series=seen).volume_lots_max == AMOUNT_MAX - 1


def test_a_limit_with_many_digits_is_not_rounded_up() -> None:
    nines = Decimal("19." + "9" * 33)
    assert units_below(nines, Decimal("0.00000001")) == 1_999_999_999
    sums = made(home(str(Decimal("15." + "9" * 33))), state=with_rate(), quotes=rate())
    assert sums.home_units_max == 1_999_999_999


def test_a_rate_may_be_one_tick_and_without_a_spread() -> None:
    least = made(home("16"), state=with_rate(), quotes=rate(bid=1, ask=1))
    assert least.home_units_max == 16 * UNIT // 10_000
    assert noes(made(home("16"), state=with_rate(), quotes=rate(bid=12_500, ask=12_500))) == set()


@pytest.mark.parametrize(
    "quotes", [{BTC: quote()}, rate(bid=0), rate(bid=12_601), rate(age_ms=60_001)]
)
def test_a_rate_that_cannot_be_told_is_worth_nothing(quotes: dict[str, CoreQuote]) -> None:
    assert made(home("16"), state=with_rate(), quotes=quotes).home_units_max == -1
    assert made(home("16"), quotes=rate()).home_units_max == -1
    other = replace(home("16"), quote="USD")
    assert made(other, state=with_rate(), quotes=rate()).home_units_max == -1


def test_what_a_sell_has_filled_is_no_longer_taken() -> None:
    state = account()
    hold(state, lots=100)
    sent(state, order_row("s" * 32, side="sell", qty_lots=30))
    assert free_lots(state, BTC, "one") == 70
    fold(state, "fill", fill_row("s" * 32, "2", side="sell", qty_lots=10, cost_units=UNIT))
    # 90 are held, and 20 may still be sold.
    assert free_lots(state, BTC, "one") == 70
