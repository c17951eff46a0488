"""Bars and instruments refuse to be impossible; balances add up."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import pytest

from trader.domain.account import Balance
from trader.domain.instrument import Instrument
from trader.domain.market import Bar, bar_problem

GOOD = {"open": "100", "high": "110", "low": "90", "close": "105", "volume": "3"}


def bar(open_ms: int = 0, close_ms: int = 60_000, **changed: str) -> Bar:
    values = {name: Decimal(value) for name, value in {**GOOD, **changed}.items()}
    return Bar(open_ms, close_ms, **values)


def instrument(**changed: Any) -> Instrument:
    given: dict[str, Any] = {
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "tick": "0.01",
        "lot": "0.001",
        "qty_min": "0",
        "qty_max": "0",
        "notional_min": "0",
        "fee_taker": "0.001",
        "fee_maker": "0",
        **changed,
    }
    words = {"symbol", "base", "quote", "active"}
    return Instrument(**{k: v if k in words else Decimal(v) for k, v in given.items()})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"open": "0"}, "zero or negative"),
        ({"low": "-1"}, "zero or negative"),
        ({"low": "0"}, "zero or negative"),
        ({"close": "NaN"}, "not a number"),
        ({"high": "Infinity"}, "not a number"),
        ({"volume": "NaN"}, "not a number"),
        ({"volume": "-0.1"}, "volume is negative"),
        ({"low": "100.01"}, "impossible prices"),  # above the open
        ({"low": "105.01", "open": "106"}, "impossible prices"),  # above the close
        ({"high": "104"}, "impossible prices"),  # below the close
        ({"high": "99", "close": "95"}, "impossible prices"),  # below the open
    ],
)
def test_a_bar_that_no_market_made_is_refused(changed: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        bar(**changed)


@pytest.mark.parametrize("close_ms", [1_000, 999])
def test_a_bar_that_closes_when_or_before_it_opens_is_refused(close_ms: int) -> None:
    with pytest.raises(ValueError, match="before it opens"):
        bar(1_000, close_ms)


def test_a_flat_bar_without_volume_is_a_bar() -> None:
    flat = bar(open="7", high="7", low="7", close="7", volume="0")
    assert flat.high == flat.low == Decimal(7)
    price = Decimal(7)
    assert bar_problem(price, price, price, price, Decimal(0)) is None


def test_a_bar_cannot_be_changed() -> None:
    one: Any = bar()
    with pytest.raises(FrozenInstanceError):
        one.close = Decimal(1)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"symbol": "BTC/USDT:USDT"}, "is not BTC/USDT"),
        ({"symbol": "BTCUSDT"}, "is not BTC/USDT"),
        ({"tick": "0"}, "tick and lot"),
        ({"tick": "-0.1"}, "tick and lot"),
        ({"lot": "0"}, "tick and lot"),
        ({"qty_min": "-1"}, "negative limit"),
        ({"qty_max": "-1"}, "negative limit"),
        ({"notional_min": "-0.01"}, "negative limit"),
    ],
)
def test_rules_that_no_order_could_keep_are_refused(changed: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        instrument(**changed)


def test_an_instrument_without_named_limits_is_good() -> None:
    assert instrument().active
    assert not instrument(active=False).active


def test_a_balance_counts_what_is_locked() -> None:
    assert Balance("BTC", Decimal("0.1"), Decimal("0.02")).total == Decimal("0.12")
