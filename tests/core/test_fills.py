"""Fill rules as tables: the expected fill stands beside the touch or bar, worked by hand."""

from __future__ import annotations

import pytest

from trader.core.fills import (
    fill_ioc,
    fill_payload,
    fill_resting,
    fill_stop,
    modelled_fee,
    stop_touch,
)
from trader.core.scale import Spec
from trader.core.state import Order
from trader.domain.order import Side

from .made import UNIT, instrument, order_row

BUY, SELL = Side.BUY, Side.SELL
NONE = (0, 0)

IOC = [
    # side, limit, lots, touch, lots there -> price, lots
    (BUY, 100, 10, 99, -1, (99, 10)),  # better than asked: the touch is paid
    (BUY, 100, 10, 100, -1, (100, 10)),  # exactly at the limit
    (BUY, 100, 10, 101, -1, NONE),  # one tick past it
    (BUY, 100, 10, 100, 4, (100, 4)),  # only four lots there
    (BUY, 100, 10, 100, 10, (100, 10)),
    (BUY, 100, 10, 100, 11, (100, 10)),
    (BUY, 100, 10, 100, 0, NONE),  # a touch with nothing behind it
    (BUY, 100, 10, 0, -1, NONE),  # no ask
    (BUY, 100, 10, -5, -1, NONE),
    (SELL, 100, 10, 101, -1, (101, 10)),
    (SELL, 100, 10, 100, -1, (100, 10)),
    (SELL, 100, 10, 99, -1, NONE),
    (SELL, 100, 10, 100, 3, (100, 3)),
    (SELL, 100, 10, 0, -1, NONE),
    (SELL, 1, 10, 1, -1, (1, 10)),
]


@pytest.mark.parametrize(("side", "limit", "lots", "touch", "there", "expected"), IOC)
def test_immediate_or_cancel(
    side: Side, limit: int, lots: int, touch: int, there: int, expected: tuple[int, int]
) -> None:
    assert fill_ioc(side, limit, lots, touch, there) == expected


RESTING = [
    # side, limit, (open, high, low), lots in the bar -> price, lots
    (BUY, 100, (105, 106, 101), -1, NONE),  # never came near
    (BUY, 100, (105, 106, 100), -1, NONE),  # touched: others stand before us
    (BUY, 100, (105, 106, 99), -1, (100, 10)),  # traded through
    (BUY, 100, (100, 106, 100), -1, NONE),  # opened at the limit and went away
    (BUY, 100, (100, 106, 99), -1, (100, 10)),
    (BUY, 100, (97, 106, 95), -1, (100, 10)),  # opened below: it was met at its own price
    (BUY, 100, (97, 97, 97), -1, (97, 10)),  # all of it below: no higher price traded
    (BUY, 100, (97, 106, 95), 6, (100, 6)),  # as much as traded
    (BUY, 100, (97, 106, 95), 0, NONE),
    (BUY, 100, (105, 106, 99), 25, (100, 10)),
    (SELL, 100, (95, 99, 90), -1, NONE),
    (SELL, 100, (95, 100, 90), -1, NONE),  # touched
    (SELL, 100, (95, 101, 90), -1, (100, 10)),  # traded through
    (SELL, 100, (100, 100, 90), -1, NONE),
    (SELL, 100, (103, 110, 90), -1, (100, 10)),  # opened above: it was met at its own price
    (SELL, 100, (103, 104, 102), 2, (102, 2)),  # all of it above: no lower price traded
    (SELL, 100, (95, 101, 90), 0, NONE),
]


@pytest.mark.parametrize(("side", "limit", "bar", "volume", "expected"), RESTING)
def test_a_resting_order_on_one_bar(
    side: Side, limit: int, bar: tuple[int, int, int], volume: int, expected: tuple[int, int]
) -> None:
    assert fill_resting(side, limit, 10, bar, volume) == expected


STOPS = [
    # trigger, limit, (open, high, low), lots in the bar -> price, lots; the bid is one tick below
    (100, 90, (105, 106, 101), -1, NONE),  # never came near
    (100, 90, (105, 106, 100), -1, (99, 10)),  # touched: it sells at the bid there
    (100, 90, (105, 106, 80), -1, (99, 10)),
    (100, 90, (100, 106, 95), -1, (99, 10)),
    (100, 90, (96, 106, 95), -1, (95, 10)),  # a gap: the open's bid
    (100, 90, (91, 106, 80), -1, (90, 10)),  # exactly at the limit
    (100, 90, (90, 90, 80), -1, NONE),  # past the limit: it rests there, and nothing trades above
    (100, 90, (85, 91, 80), -1, (90, 10)),  # ... until the bar comes back through the limit
    (100, 90, (85, 90, 80), -1, NONE),
    (100, 100, (105, 106, 95), -1, NONE),  # triggered inside the bar, the bid below the limit
    (100, 90, (105, 106, 95), 4, (99, 4)),
    (100, 90, (105, 106, 95), 0, NONE),
]


@pytest.mark.parametrize(("trigger", "limit", "bar", "volume", "expected"), STOPS)
def test_a_stop_on_one_bar(
    trigger: int, limit: int, bar: tuple[int, int, int], volume: int, expected: tuple[int, int]
) -> None:
    at = stop_touch(trigger, bar)
    filled = fill_stop(limit, 10, (at, at - 1), bar, volume) if at else NONE
    assert filled == expected


@pytest.mark.parametrize(
    ("side", "in_base", "cost", "fee_cash", "fee_base"),
    [
        # 7 lots at 10,003 ticks = 70,021 cells of 1,000 units; 1,000 ppm of it is 70,021.
        ("buy", False, 70_021_000, 70_021, 0),
        # 7 lots are 700,000 base units; 1,000 ppm of them 700.
        ("buy", True, 70_021_000, 0, 700),
        # a seller receives cash: the fee is taken from it, whatever buyers pay in
        ("sell", True, 70_021_000, 70_021, 0),
        ("sell", False, 70_021_000, 70_021, 0),
    ],
)
def test_the_money_of_a_modelled_fill(
    side: str, in_base: bool, cost: int, fee_cash: int, fee_base: int
) -> None:
    order = Order(order_row(side=side))
    fill = fill_payload(
        order,
        Spec(instrument(), 8),
        "t1",
        10_003,
        7,
        5,
        fee_ppm=1_000,
        fee_in_base=in_base,
        maker=False,
    )
    assert (fill["cost_units"], fill["fee_cash_units"], fill["fee_base_units"]) == (
        cost,
        fee_cash,
        fee_base,
    )
    assert (fill["trade_id"], fill["side"], fill["qty_lots"], fill["maker"]) == ("t1", side, 7, 0)


def test_what_does_not_divide_is_rounded_against_us() -> None:
    # A cell of a tenth of a unit: 3 ticks x 7 lots are 2.1 units.
    spec = Spec(instrument(tick="0.00001", lot="0.0001"), 8)
    made = [
        fill_payload(
            Order(order_row(side=side)), spec, "1", 3, 7, 0, fee_ppm=1, fee_in_base=base, maker=True
        )
        for side, base in (("buy", False), ("sell", False), ("buy", True))
    ]
    assert [fill["cost_units"] for fill in made] == [3, 2, 3]
    assert [fill["fee_cash_units"] for fill in made] == [1, 1, 0]
    assert made[2]["fee_base_units"] == 1  # 70,000 base units x 1 ppm = 0.07


def test_a_modelled_fee_as_the_venue_would_book_it() -> None:
    spec = Spec(instrument(), 8)
    assert modelled_fee(spec, {"fee_base_units": 700, "fee_cash_units": 0}) == ("0.000007", "BTC")
    assert modelled_fee(spec, {"fee_base_units": 0, "fee_cash_units": UNIT}) == ("1", "USDT")
