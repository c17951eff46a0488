"""The border between decimals and integers, with the rules of real venues."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.money import AMOUNT_MAX, AmountOverflow
from trader.core.scale import (
    ScaleError,
    Spec,
    cash_digits_for,
    digits_of,
    fee_up,
    notional_down,
    notional_up,
    text,
    to_decimal,
    to_units,
    to_units_rounded,
    value_of_base_down,
)

from .made import BTC, instrument

# symbol, rules -> cash digits, (notional_num, notional_den), base units in a lot, lots min and max.
VENUES = [
    # Binance ETH/BTC: tick x lot = 1e-9 is finer than 1e-8 of the quote.
    ("ETH/BTC", {"tick": "0.00001", "lot": "0.0001"}, 9, (1, 1), 10_000, (20, 90_000_000)),
    # Binance SHIB/USDT-like: maxQty alone is more than int64 steps.
    (
        "SHIB/USDT",
        {"tick": "0.00000001", "lot": "0.00000001", "qty_max": "46116860414"},
        16,
        (1, 1),
        1,
        (200_000, AMOUNT_MAX - 1),
    ),
    # PEPE/USDT: a tiny tick, whole coins.
    (
        "PEPE/USDT",
        {"tick": "0.00000001", "lot": "1", "qty_min": "1", "qty_max": "92141578"},
        8,
        (1, 1),
        100_000_000,
        (1, 92_141_578),
    ),
    # A tick that is no power of ten.
    ("BTC/USD", {"tick": "0.05", "lot": "0.001"}, 8, (5_000, 1), 100_000, (2, 9_000_000)),
    # A lot of more than one coin, no named limits.
    (
        "XRP/USDT",
        {"tick": "0.0001", "lot": "10", "qty_min": "0", "qty_max": "0"},
        8,
        (100_000, 1),
        1_000_000_000,
        (1, AMOUNT_MAX // 1_000_000_000 - 1),
    ),
]


@pytest.mark.parametrize(
    ("symbol", "rules", "digits", "ratio", "base_per_lot", "lots"), VENUES, ids=lambda v: str(v)[:9]
)
def test_the_scales_of_real_venues(
    symbol: str,
    rules: dict[str, str],
    digits: int,
    ratio: tuple[int, int],
    base_per_lot: int,
    lots: tuple[int, int],
) -> None:
    one = instrument(symbol, **rules)
    assert cash_digits_for([one], Decimal(100)) == digits
    spec = Spec(one, digits)
    assert (spec.notional_num, spec.notional_den) == ratio
    assert spec.base_per_lot == base_per_lot
    assert (spec.qty_lots_min, spec.qty_lots_max) == lots


def test_the_finest_instrument_sets_the_cash_digits_and_is_named_when_they_do_not_fit() -> None:
    coarse = instrument("BTC/USDT")
    fine = instrument("SHIB/USDT", tick="0.00000001", lot="0.00000001")
    assert cash_digits_for([coarse], Decimal(10_000_000)) == 8
    assert cash_digits_for([coarse, fine], Decimal(100)) == 16
    # 2**62 / 4 units of 1e-16 are 115.29 of cash.
    with pytest.raises(ScaleError, match=r"SHIB/USDT: 16 decimals do not fit beside 116"):
        cash_digits_for([coarse, fine], Decimal(116))
    with pytest.raises(ScaleError, match="the cash cap"):
        cash_digits_for([coarse], Decimal(2**62))


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"tick": "1e20"}, "tick 1E.20 x lot"),
        ({"tick": "1e-20", "lot": "1e-8"}, "does not fit"),
        ({"lot": "1e20"}, "lot: 1E.20 in units of"),
        ({"qty_min": "10", "qty_max": "9"}, "no quantity fits between 10000 and 9000"),
        ({"qty_max": "0.0009", "qty_min": "0"}, "no quantity fits"),
        ({"notional_min": "1e12"}, "minimum value"),
        ({"fee_taker": "1"}, "taker fee: 1 is not a share"),
        ({"fee_taker": "-0.0001"}, "taker fee: -0.0001 is not a share"),
        ({"fee_maker": "2"}, "maker fee"),
    ],
)
def test_rules_that_the_integers_cannot_hold_are_refused_by_name(
    rules: dict[str, str], why: str
) -> None:
    with pytest.raises(ScaleError, match=f"BTC/USDT.*{why}"):
        Spec(instrument(BTC, **rules), 8)


def test_limits_are_rounded_to_the_cautious_side() -> None:
    # minimum 0.0015 is 1.5 lots: 2; maximum 0.0105 is 10.5 lots: 10; 1e-9 of value: one unit.
    spec = Spec(instrument(qty_min="0.0015", qty_max="0.0105", notional_min="0.000000001"), 8)
    assert (spec.qty_lots_min, spec.qty_lots_max, spec.notional_units_min) == (2, 10, 1)
    assert Spec(instrument(fee_taker="0.00075015"), 8).fee_taker_ppm == 751


@given(st.integers(1, 10**14), st.sampled_from([row[:3] for row in VENUES]))
def test_prices_and_quantities_go_there_and_back(
    amount: int, case: tuple[str, dict[str, str], int]
) -> None:
    symbol, rules, digits = case
    spec = Spec(instrument(symbol, **rules), digits)
    assert spec.ticks(spec.price(amount)) == amount
    assert spec.lots(spec.qty(amount)) == amount


@given(st.integers(-(2**61), 2**61), st.integers(0, 18))
def test_units_go_there_and_back(units: int, digits: int) -> None:
    unit = Decimal(1).scaleb(-digits)
    assert to_units(to_decimal(units, unit), unit, "x") == units
    assert Decimal(text(to_decimal(units, unit))) == to_decimal(units, unit)


@pytest.mark.parametrize(
    ("value", "unit", "why"),
    [
        ("100.005", "0.01", "price: 100.005 is not a multiple of 0.01"),
        ("0.07", "0.05", "price: 0.07 is not a multiple of 0.05"),
        ("46116860184.27387904", "0.00000001", "does not fit"),  # exactly 2**62 units
        ("1e40", "1", "does not fit"),
    ],
)
def test_an_amount_off_the_grid_or_too_large_is_refused(value: str, unit: str, why: str) -> None:
    with pytest.raises(ScaleError, match=why):
        to_units(Decimal(value), Decimal(unit), "price")


def test_the_largest_amount_fits_and_the_next_does_not() -> None:
    largest = Decimal("46116860184.27387903")
    unit = Decimal("1e-8")
    assert to_units(largest, unit, "x") == AMOUNT_MAX - 1
    assert to_units_rounded(largest + Decimal("1e-9"), unit, "x", up=False) == AMOUNT_MAX - 1
    with pytest.raises(ScaleError, match=r"x: .* does not fit"):
        to_units_rounded(largest + Decimal("1e-9"), unit, "x", up=True)


@pytest.mark.parametrize(
    ("value", "down", "up"), [("1.25", 12, 13), ("1.2", 12, 12), ("0", 0, 0), ("-1.25", -13, -12)]
)
def test_rounding_has_a_direction(value: str, down: int, up: int) -> None:
    unit = Decimal("0.1")
    assert to_units_rounded(Decimal(value), unit, "x", up=False) == down
    assert to_units_rounded(Decimal(value), unit, "x", up=True) == up


@pytest.mark.parametrize(
    ("value", "plain", "digits"),
    [
        ("0.0500", "0.05", 2),
        ("100", "100", 0),
        ("1E+3", "1000", 0),
        ("1E-8", "0.00000001", 8),
        ("-0.0", "0", 0),
        ("10.10", "10.1", 1),
    ],
)
def test_text_is_plain_and_digits_are_counted(value: str, plain: str, digits: int) -> None:
    assert text(Decimal(value)) == plain
    assert digits_of(Decimal(value)) == digits


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_number_has_no_digits(value: str) -> None:
    with pytest.raises(ScaleError, match="is not a number"):
        digits_of(Decimal(value))


def test_value_and_fee_by_hand() -> None:
    spec = Spec(instrument(), 8)
    # 12.34 x 0.007 = 0.08638; 1,000 units per tick x lot.
    assert notional_down(spec, 1_234, 7) == notional_up(spec, 1_234, 7) == 8_638_000
    # 8,638,001 x 751 ppm = 6,487.138..., up.
    assert fee_up(8_638_001, 751) == 6_488
    coarse = Spec(instrument(tick="0.00001", lot="0.0001"), 8)  # a tenth of a unit per cell
    assert (notional_down(coarse, 3, 7), notional_up(coarse, 3, 7)) == (2, 3)


@given(st.integers(1, 10**7), st.integers(0, 10**11))
def test_the_value_of_base_units_is_never_more_than_exact(price: int, units: int) -> None:
    spec = Spec(instrument(), 8)
    exact = Decimal(price) * spec.tick * units * spec.base_unit / spec.cash_unit
    value = value_of_base_down(spec, price, units)
    assert exact - 1 < value <= exact


def test_values_that_do_not_fit_overflow_by_name() -> None:
    spec = Spec(instrument(), 8)
    for value in (notional_down, notional_up):
        with pytest.raises(AmountOverflow):
            value(spec, 2**40, 2**40)
    assert spec.price_float(10_001) == 100.01
