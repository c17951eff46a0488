"""Money in flight: an order counts in full from when it is sent, and what fills counts once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.account_view import AccountView
from trader.core.fold import FoldError, fold
from trader.core.sizing import entry_cost_units
from trader.core.state import State
from trader.core.totals import Totals
from trader.domain.order import IllegalTransition

from .made import BTC, ETH, NOW_MS, UNIT, account, fill_row, order_row, sent
from .test_fold import dump, seen

ID = "a" * 32
LOTS = 1_000
PRICE = 10_000


def totals(state: State) -> Totals:
    """Everything at risk, positions marked at what the order pays at most."""
    view = AccountView(state, {BTC: PRICE, ETH: PRICE})
    return Totals(view, lambda _: "", 1_000, NOW_MS)


def cost(state: State, lots: int) -> int:
    return entry_cost_units(state.spec(BTC), PRICE, lots) if lots else 0


def ordered(outcome: str) -> State:
    state = account()
    sent(state, order_row(ID, qty_lots=LOTS, price_ticks=PRICE), outcome=outcome)
    return state


@pytest.mark.parametrize("outcome", ["", "unknown", "accepted"])
def test_an_order_counts_in_full_from_when_it_is_sent(outcome: str) -> None:
    state = ordered(outcome)
    full = cost(state, LOTS)
    found = totals(state)
    assert (found.all.exposure_units, found.pending_units) == (full, full)
    assert found.of_coin("BTC").exposure_units == found.of_strategy("one").exposure_units == full
    assert AccountView(state, {}).free_cash_units() == 1_000 * UNIT - full
    assert found.trades_hour == 1


@pytest.mark.parametrize("outcome", ["rejected", "not_sent"])
def test_an_order_that_never_stood_at_the_venue_counts_no_more(outcome: str) -> None:
    state = ordered(outcome)
    assert totals(state).all.exposure_units == 0
    assert AccountView(state, {}).free_cash_units() == 1_000 * UNIT


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.integers(1, 600)),
        st.tuples(st.just("seen"), st.integers(0, LOTS)),
        st.tuples(st.just("again"), st.integers(0, 5)),
    ),
    max_size=12,
)


@given(STEPS, st.sampled_from(["unknown", "accepted"]))
def test_filled_and_open_lots_are_the_order_whatever_is_told_in_which_order(
    steps: list[tuple[str, int]], outcome: str
) -> None:
    state, booked, told = ordered(outcome), 0, 0
    for number, (what, size) in enumerate(steps):
        payload: dict[str, Any] = {"qty_lots": size, "cost_units": size * PRICE * 1_000}
        before = dump(state)
        try:
            if what == "fill":
                fold(state, "fill", fill_row(ID, str(number), **payload))
                booked += size
            elif what == "seen":
                fold(state, "order_seen", seen(ID, "open", size))
                told = max(told, size)
            else:
                fold(state, "order_seen", seen(ID, str(state.orders[ID].state), told))
        except (FoldError, IllegalTransition):
            assert dump(state) == before
        found, order = totals(state), state.orders[ID]
        held = state.positions[BTC].qty_units // 100_000 if booked else 0
        assert held == booked == order.filled_lots <= LOTS
        rest = LOTS - booked if order.working else 0
        assert found.pending_units == cost(state, rest)
        assert found.all.exposure_units == booked * PRICE * 1_000 + cost(state, rest)
        free = AccountView(state, {}).free_cash_units()
        assert free == 1_000 * UNIT - booked * PRICE * 1_000 - cost(state, rest)


def test_what_the_venue_claims_and_no_fill_has_told_stays_reserved() -> None:
    state = ordered("accepted")
    fold(state, "order_seen", seen(ID, "expired", 300))
    assert state.orders[ID].working
    assert totals(state).pending_units == cost(state, LOTS)
    bought = {"qty_lots": 300, "cost_units": 300 * PRICE * 1_000}
    fold(state, "fill", fill_row(ID, "1", **bought))
    assert totals(state).pending_units == 0
    assert totals(state).all.exposure_units == 300 * PRICE * 1_000
