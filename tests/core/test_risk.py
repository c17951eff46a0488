"""What a stop loses, and how many lots that allows: by hand, at the bound, and at real rules."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.money import AmountOverflow
from trader.core.risk import held_loss_units, loss_units, lots_at_risk
from trader.core.scale import ScaleError, Spec, cash_digits_for
from trader.core.sizing import entry_cost_units, entry_lots, most_lots

from .made import UNIT, instrument

SPEC = Spec(instrument(), 8)  # tick 0.01, lot 0.001, fee 0.1 %; tick x lot is 1,000 units


@pytest.mark.parametrize(
    ("price", "lots", "stop", "slippage", "lost"),
    [
        # 100 lots at 100.00: 10 + 0.01; at 90.00 - 1 %: 89.10 -> 8.91 - 0.00891
        (10_000, 100, 9_000, 10_000, 1_001_000_000 - 891_000_000 + 891_000),
        # without slippage: 9 - 0.009
        (10_000, 100, 9_000, 0, 1_001_000_000 - 900_000_000 + 900_000),
        # 90.01 - 0.1 % = 89.91999: the lowest price within the cap is 89.92
        (10_000, 100, 9_001, 1_000, 1_001_000_000 - 899_200_000 + 899_200),
        # no stop: all of it
        (10_000, 100, 0, 1_000, 1_001_000_000),
        # at the lowest price there is: 0.001 comes back, its fee rounded up
        (10_000, 100, 1, 1_000, 1_001_000_000 - 100_000 + 100),
        # a stop above the price gains: that is no loss (and is refused before it is asked)
        (10_000, 100, 20_000, 0, 0),
    ],
)
def test_a_loss_counts_slippage_and_both_fees(
    price: int, lots: int, stop: int, slippage: int, lost: int
) -> None:
    assert loss_units(SPEC, price, lots, stop, slippage) == lost


def test_a_position_loses_from_its_mark() -> None:
    # 10 coins' worth of lots: 0.1 coin marked at 10.00 USDT, stop 90.00 - 0.1 % = 89.91
    value, qty = 10 * UNIT, 10_000_000
    assert held_loss_units(SPEC, value, qty, 9_000, 1_000) == value - 899_100_000 + 899_100
    assert held_loss_units(SPEC, value, qty, 0, 1_000) == value
    # at the lowest price there is: 0.001 comes back, less its fee
    assert held_loss_units(SPEC, value, qty, 1, 1_000) == value - 100_000 + 100
    assert held_loss_units(SPEC, value, qty, 20_000, 1_000) == 0


@pytest.mark.parametrize(
    ("risk", "lots"),
    [
        # a lot bought at 100.00 (0.1001) and sold at 89.10 (0.0890109) loses 0.0110891
        (1_108_910, 1),
        (1_108_909, 0),
        (2_217_820, 2),
        (2_217_819, 1),
        (0, 0),
        (10**17, 9_000_000),  # the venue's largest quantity
    ],
)
def test_the_lots_of_a_risk_at_the_bound_and_a_unit_below(risk: int, lots: int) -> None:
    assert lots_at_risk(SPEC, 10_000, 9_000, 10_000, risk) == lots


def test_more_lots_than_are_asked_about_are_not_counted() -> None:
    free = Spec(instrument(active=True, fee_taker="0", qty_max="0"), 8)
    # One tick loses 1,000 units a lot: 10**17 would be 10**14 lots, whose cost does not fit.
    with pytest.raises(AmountOverflow):
        lots_at_risk(free, 10**6, 10**6 - 1, 0, 10**17)
    assert lots_at_risk(free, 10**6, 10**6 - 1, 0, 10**17, 500) == 500
    assert lots_at_risk(free, 10**6, 10**6 - 1, 0, 7_000, 500) == 7


@pytest.mark.parametrize("stop", [10_000, 10_001, 10**9])
def test_no_lots_with_a_stop_that_is_not_below_the_price(stop: int) -> None:
    assert lots_at_risk(SPEC, 10_000, stop, 1_000, UNIT) == 0


FINE = Spec(instrument(tick="0.00001", lot="0.0001"), 8)  # tick x lot: a tenth of a cash unit
# Ten million lots to a tick of one cash unit: one step back at a time would take for ever.
FINEST = Spec(instrument(active=True, tick="0.00000001", lot="0.0000001", qty_max="0"), 8)
COARSE = Spec(instrument(tick="100", lot="10", qty_max="0"), 8)  # 10**11 units


@given(
    st.sampled_from([SPEC, FINE, FINEST, COARSE]),
    st.integers(2, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 50_000),
    st.integers(0, 10**14),
)
def test_the_lots_are_the_most_that_lose_no_more(
    spec: Spec, price: int, stop: int, slippage: int, risk: int
) -> None:
    stop %= price
    # More cells than that do not fit: refused by name (see below).
    risk %= 10**8 if spec is FINEST else 10**14
    lots = lots_at_risk(spec, price, stop, slippage, risk)
    assert 0 <= lots <= spec.qty_lots_max
    if lots:
        assert loss_units(spec, price, lots, stop, slippage) <= risk
    if lots < spec.qty_lots_max:
        assert loss_units(spec, price, lots + 1, stop, slippage) > risk


@given(st.sampled_from([SPEC, FINE, FINEST, COARSE]), st.integers(1, 10**6), st.integers(0, 10**11))
def test_the_lots_of_a_budget_are_the_most_that_cost_no_more(
    spec: Spec, price: int, budget: int
) -> None:
    lots = entry_lots(spec, price, budget, budget)
    assert entry_cost_units(spec, price, lots) <= budget
    if lots < spec.qty_lots_max and spec is not FINEST:
        assert entry_cost_units(spec, price, lots + 1) > budget


def test_the_most_lots_are_found_among_many_that_are_worth_a_unit() -> None:
    asked: list[int] = []

    def amount(lots: int) -> int:
        asked.append(lots)
        return -(-lots // 10**9)  # a unit is worth 10**9 lots, rounded up

    assert most_lots(amount, 10**18, 7) == 7 * 10**9
    assert len(asked) < 70
    assert most_lots(amount, 10**18, 0) == 0
    assert [most_lots(lambda lots: lots, guess, 5) for guess in range(10)] == [
        0, 1, 2, 3, 4, 5, 5, 5, 5, 5,
    ]  # fmt: skip


# --- amounts of any size -------------------------------------------------------------------------


def test_a_quantity_that_no_integer_holds_is_bounded_when_the_instrument_is_loaded() -> None:
    rules = {"tick": "0.00000001", "lot": "0.00000001", "qty_max": "46116860414"}
    spec = Spec(instrument(active=True, qty_min="0.00000001", **rules), 8)
    # 2**62 units of the coin, one to a lot
    assert spec.qty_lots_max == min(4_611_686_041_400_000_000, 2**62 - 1)
    assert spec.qty_lots_max * spec.base_per_lot < 2**62


def test_a_tick_times_a_lot_below_a_cash_unit_makes_finer_cash() -> None:
    eth_btc = instrument("ETH/BTC", tick="0.00001", lot="0.0001", qty_min="0.0001")
    digits = cash_digits_for([eth_btc], Decimal(10_000))
    assert digits == 9
    spec = Spec(eth_btc, digits)
    assert (spec.notional_num, spec.notional_den) == (1, 1)
    with pytest.raises(ScaleError, match="ETH/BTC: 9 decimals do not fit beside 2000000000"):
        cash_digits_for([eth_btc], Decimal(2_000_000_000))


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"tick": "1000000", "lot": "100000"}, "does not fit"),
        ({"lot": "1000000000000", "qty_min": "0", "qty_max": "0"}, "BTC/USDT"),
        ({"lot": "0.000000000000000000001", "qty_min": "0", "qty_max": "9"}, "BTC/USDT"),
        ({"qty_min": "1000000000000", "qty_max": "0"}, "no quantity fits"),
        ({"notional_min": "1000000000000"}, "minimum value"),
    ],
)
def test_rules_that_do_not_fit_are_refused_by_name_when_loaded(
    rules: dict[str, str], said: str
) -> None:
    with pytest.raises(ScaleError, match="BTC/USDT") as refused:
        Spec(instrument("BTC/USDT", active=True, **rules), 8)
    assert said in str(refused.value)


@given(
    st.integers(1, 2**62),
    st.integers(1, 2**62),
    st.integers(0, 2**62),
    st.integers(0, 2**62),
)
def test_any_amount_gives_a_number_that_fits_or_is_refused(
    price: int, lots: int, stop: int, risk: int
) -> None:
    for spec in (SPEC, FINE, COARSE):
        try:
            cost = entry_cost_units(spec, price, lots)
            lost = loss_units(spec, price, lots, stop, 1_000)
        except (AmountOverflow, OverflowError):
            continue
        assert 0 <= lost <= cost < 2**62
    try:
        found = lots_at_risk(SPEC, price, stop, 1_000, risk)
    except (AmountOverflow, OverflowError):
        return
    assert 0 <= found <= SPEC.qty_lots_max
