"""Gates over a strategy's book and the account's last days: at the bound, and one unit past it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.access import Access
from trader.core.book_gates import BookSums, rolling_loss, strategy_drawdown, unattended
from trader.core.desk import Desk
from trader.core.fold import FoldError, fold
from trader.core.limits import NEVER
from trader.core.marks import DAY_MS, changed_marks, mark_account
from trader.core.money import AMOUNT_MAX
from trader.core.plan import Plan, plan, plan_payload
from trader.core.standings import Standings
from trader.core.state import State

from .made import (
    BAR_MS,
    BTC,
    ETH,
    UNIT,
    account,
    fill_row,
    hold,
    instrument,
    order_row,
    parameters,
    quote,
    sent,
    snapshot,
    strategy,
)

TODAY = BAR_MS // DAY_MS


def decided(state: State, name: str = "one", budget: int = 1_000_000, **limits: Any) -> Plan:
    """A decision at which one strategy wants to enter BTC."""
    spec = strategy(name, budget_exposure_ppm=budget, budget_loss_ppm=2_000_000)
    return plan(snapshot(state, parameters(spec, **limits)))


def refusal_of(made: Plan) -> str:
    """Code and numbers of the only refusal."""
    [refused] = made.refused
    return f"{refused.code} {refused.detail}"


def refusal(made: Plan) -> str:
    """Code and numbers of the only refusal, "" for an entry that leaves."""
    if made.legs:
        assert not made.refused
        return ""
    return refusal_of(made)


def test_what_was_not_filled_in_refuses() -> None:
    answers = [ask(BookSums()) for ask in (rolling_loss, strategy_drawdown, unattended)]
    assert answers == [(False, 0, AMOUNT_MAX), (False, 0, 0), (False, 0, AMOUNT_MAX)]
    assert BookSums().stopped == 1


# --- rolling loss ------------------------------------------------------------------------------


def days_back(*equities: int, capital: int = 1_000) -> State:
    """An account worth so much (USDT) at noon of the days before today, oldest first, whose cash is
    the last of them."""
    state = account(capital * UNIT)
    for number, equity in enumerate(equities):
        close_ms = (TODAY - len(equities) + number) * DAY_MS + DAY_MS // 2
        marks = changed_marks(
            state, mark_account(state, equity * UNIT, close_ms, parameters().limits)
        )
        fold(state, "plan", {"bar_ms": close_ms, "legs": [], "marks": marks})
    state.meta["cash_units"] = equities[-1] * UNIT
    return state


# equities of the days before today, rolling days, limit in ppm, cents of loss allowed to remain
ROLLS = [
    ("3 % of 1,000 lost since yesterday", (1_000, 970), 2, 30_000, True),
    ("one unit less than 3 %", (1_000, 970), 2, 30_001, False),
    ("the loss is two days old", (1_000, 970, 970), 2, 20_000, False),
    ("two days back it is seen", (1_000, 970, 970), 3, 30_000, True),
    ("gains between do not hide a fall from the start", (1_000, 1_020, 969), 4, 30_000, True),
    ("a gain", (1_000, 1_100), 7, 1, False),
    ("days of which nothing is known", (1_000, 900), 365, 100_000, True),
]


@pytest.mark.parametrize(
    ("equities", "days", "ppm", "stops"), [row[1:] for row in ROLLS], ids=[row[0] for row in ROLLS]
)
def test_the_loss_of_the_last_days_stops_entries_at_its_limit(
    equities: tuple[int, ...], days: int, ppm: int, stops: bool
) -> None:
    made = decided(days_back(*equities), rolling_days=days, rolling_loss_ppm=ppm)
    assert refusal(made).startswith("ROLLING_LOSS" if stops else "")
    assert bool(made.refused) == stops


def test_a_rolling_loss_says_its_numbers() -> None:
    made = decided(days_back(1_000, 970), rolling_days=3, rolling_loss_ppm=30_000)
    assert refusal(made) == "ROLLING_LOSS limit=3000000000 measured=3000000000 unit=cash"


@pytest.mark.parametrize(("amount", "ppm", "stops"), [(500, 20_000, 1), (500, 20_001, 0)])
def test_money_that_came_is_no_part_of_a_rolling_loss(amount: int, ppm: int, stops: int) -> None:
    state = days_back(1_000, 970)
    who = {"by": "ann", "why": "told", "at_ms": BAR_MS, "flow_id": "f"}
    flow = {"kind": "deposit", "asset": "USDT", "amount": str(amount), "units": amount * UNIT}
    fold(state, "flow", {**flow, **who})
    # 30 lost of 1,000 + 500: 2 %
    made = decided(state, rolling_days=3, rolling_loss_ppm=ppm)
    assert len(made.refused) == stops


def test_more_days_than_are_kept_cannot_be_looked_back_upon() -> None:
    made = decided(days_back(1_000, 1_000), rolling_days=400, rolling_loss_ppm=30_000)
    assert refusal(made) == "ROLLING_LOSS limit=-1 measured=0 unit=cash"


def test_one_day_is_the_day_itself() -> None:
    state = days_back(1_000, 970)
    asked: dict[str, Any] = {"rolling_days": 1, "rolling_loss_ppm": 30_000}
    assert standings_of(state, **asked).rolling() == (3 * 970 * UNIT // 100, 0)
    state.meta["cash_units"] = 940 * UNIT
    assert standings_of(state, **asked).rolling() == (3 * 970 * UNIT // 100, 30 * UNIT)
    assert refusal(decided(state, **asked)).startswith("ROLLING_LOSS")


def test_the_first_decision_of_all_has_lost_nothing() -> None:
    assert refusal(decided(account(), rolling_days=7, rolling_loss_ppm=1)) == ""


# --- draw-down of a strategy -------------------------------------------------------------------


def fallen(high: int, result: int, name: str = "one") -> State:
    """An account of 1,000 whose strategy came to `high` cash units and is at `result` now."""
    state = account(1_000 * UNIT - result)
    for bar_ms, units in ((1, high), (2, result)):
        fold(state, "plan", {"bar_ms": bar_ms, "legs": [], "results": {name: units}})
    state.books[name].cash_units = result
    state.meta["cash_units"] = 1_000 * UNIT
    return state


# 15 % of a budget of 40 % of 1,000: 60 USDT
FALLS = [
    ("at the limit", 0, -60 * UNIT, 1),
    ("one unit before", 0, -60 * UNIT + 1, 0),
    ("from its high, not from its start", 80 * UNIT, 20 * UNIT, 1),
    ("a fall that is over was none of this decision", 80 * UNIT, 79 * UNIT, 0),
]


@pytest.mark.parametrize(
    ("high", "result", "stops"), [row[1:] for row in FALLS], ids=[row[0] for row in FALLS]
)
def test_a_strategy_whose_book_fell_too_far_opens_nothing(
    high: int, result: int, stops: int
) -> None:
    made = decided(fallen(high, result), budget=400_000, strategy_drawdown_ppm=150_000)
    assert [refused.code for refused in made.refused] == ["STRATEGY_DRAWDOWN"] * stops
    assert list(made.stopped) == ["one"] * stops
    limit = f"limit={60 * UNIT} measured={high - result} unit=cash"
    assert made.alarms == (f"STRATEGY_DRAWDOWN strategy=one {limit}",) * stops


def test_a_strategys_draw_down_holds_until_a_named_human_resumes_it() -> None:
    state = fallen(0, -60 * UNIT)
    limits: dict[str, Any] = {"budget": 400_000, "strategy_drawdown_ppm": 150_000}
    fold(state, "plan", plan_payload(decided(state, **limits)))
    assert state.books["one"].stopped == 1
    state.books["one"].cash_units = 10 * UNIT  # it came back: it stays stopped
    state.meta["last_bar_ms"] = 3
    again = decided(state, **limits)
    assert [refused.code for refused in again.refused] == ["STRATEGY_DRAWDOWN"]
    assert (again.stopped, again.alarms) == ((), ())
    state.books["one"].result_units = -60 * UNIT
    fold(state, "strategy_resumed", {"strategy": "one", "by": "ann", "why": "seen", "at_ms": 1})
    assert (state.books["one"].stopped, state.books["one"].high_units) == (0, -60 * UNIT)
    assert refusal(decided(state, **limits)) == ""


def test_a_strategy_that_stays_stopped_is_no_news() -> None:
    state = fallen(0, -60 * UNIT)
    limits: dict[str, Any] = {"budget": 400_000, "strategy_drawdown_ppm": 150_000}
    fold(state, "plan", plan_payload(decided(state, **limits)))
    state.meta["last_bar_ms"] = 3
    again = decided(state, **limits)
    assert (again.stopped, again.alarms) == ((), ())
    assert refusal(again).startswith("STRATEGY_DRAWDOWN limit=")
    assert f"measured={60 * UNIT} " in refusal(again)


def standings_of(state: State, **limits: Any) -> Standings:
    """Of a decision of strategies `one` and `two`."""
    made = snapshot(state, parameters(strategy("one"), strategy("two"), **limits))
    return Desk(made, Access(made.parameters.universe, {}, "")).standings


def test_how_far_a_book_is_below_its_high_and_how_far_is_too_far() -> None:
    state = fallen(80 * UNIT, 20 * UNIT)
    one, two = strategy("one", budget_exposure_ppm=400_000), strategy("two")
    asked = standings_of(state, strategy_drawdown_ppm=150_000)
    assert asked.drawdown(one) == (60 * UNIT, 60 * UNIT)
    assert asked.drawdown(two) == (150 * 2 * UNIT, 0)
    assert asked.changed_results() == {}
    assert standings_of(state).drawdown(one) == (AMOUNT_MAX, 60 * UNIT)
    state.books["one"].cash_units += 5
    assert standings_of(state).changed_results() == {"one": 20 * UNIT + 5}
    state.meta["cash_units"] = 10**17
    vast = standings_of(state, strategy_drawdown_ppm=NEVER - 1)
    assert vast.drawdown(one) == (AMOUNT_MAX, 60 * UNIT - 5)


def test_what_nobody_asks_of_days_is_not_looked_at() -> None:
    assert standings_of(days_back(1_000, 900)).rolling() == (AMOUNT_MAX, 0)


def test_another_strategys_fall_stops_only_that_one() -> None:
    state = fallen(0, -500 * UNIT, "two")
    made = decided(state, "one", strategy_drawdown_ppm=1_000)
    assert refusal(made) == ""


# --- without a human ---------------------------------------------------------------------------


def filled(state: State, count: int, name: str = "one") -> None:
    """So many entries of a strategy on ETH, each filled in two parts and sold."""
    for number in range(count):
        for side in ("buy", "sell"):
            client_id = f"{name}{side}{number}".ljust(32, "0")
            extra = {"side": side, "strategy": name, "symbol": ETH, "signal_ms": int(side == "buy")}
            sent(state, order_row(client_id, **extra))
            for part in ("a", "b"):
                trade = {"symbol": ETH, "side": side, "qty_lots": 50, "cost_units": 5 * UNIT}
                fold(state, "fill", fill_row(client_id, f"{client_id}{part}", **trade))


@pytest.mark.parametrize(("done", "stops"), [(4, 0), (5, 1), (6, 1)])
def test_entries_that_filled_without_a_human_are_counted_by_order(done: int, stops: int) -> None:
    state = account()
    filled(state, done)
    filled(state, 3, "two")
    made = decided(state, unattended_max=5)
    assert [refused.code for refused in made.refused] == ["UNATTENDED"] * stops
    if stops:
        assert refusal(made) == f"UNATTENDED limit=5 measured={done + 1} unit=count"


def test_an_entry_that_may_still_fill_counts_and_one_that_cannot_does_not() -> None:
    state = account()
    filled(state, 3)
    sent(state, order_row("c" * 32, symbol=ETH), outcome="unknown")
    assert refusal(decided(state, unattended_max=5)) == ""
    assert refusal(decided(state, unattended_max=4)).startswith("UNATTENDED limit=4 measured=5")
    gone = {"client_id": "c" * 32, "at_ms": 1, "state": "absent", "venue_lots": 0, "venue_id": ""}
    fold(state, "order_seen", {**gone, "source": "order"})
    assert refusal(decided(state, unattended_max=4)) == ""


def test_attempts_of_one_entry_are_one_entry() -> None:
    state = account()
    for attempt, lots in ((0, 60), (1, 40)):
        client_id = f"{attempt}".ljust(32, "c")
        sent(state, order_row(client_id, symbol=ETH, attempt=attempt, qty_lots=100))
        trade = {"symbol": ETH, "qty_lots": lots, "cost_units": UNIT}
        before = decided(state, unattended_max=2)
        assert refusal(before) == ""
        fold(state, "fill", fill_row(client_id, client_id, **trade))
        assert state.books["one"].entries_filled == 1


def test_legs_of_one_plan_count_for_each_other() -> None:
    spec = strategy("one", BTC, ETH, budget_loss_ppm=2_000_000)
    made = plan(snapshot(account(), parameters(spec, unattended_max=1)))
    assert len(made.legs) == 1
    assert refusal_of(made) == "UNATTENDED limit=1 measured=2 unit=count"


def test_a_leg_is_counted_once_however_often_it_is_asked() -> None:
    listed = [instrument(symbol) for symbol in (BTC, ETH, "XRP/USDT")]
    state = account(1_000 * UNIT, *listed)
    symbols = [one.symbol for one in listed]
    one = strategy("one", *symbols, budget_loss_ppm=2_000_000, share=50_000)
    quotes = {symbol: quote() for symbol in symbols}
    made = plan(snapshot(state, parameters(one, unattended_max=2), quotes=quotes))
    assert len(made.legs) == 2
    assert refusal_of(made) == "UNATTENDED limit=2 measured=3 unit=count"


def test_only_a_named_human_sets_the_count_of_unattended_entries_back() -> None:
    state = account()
    filled(state, 5)
    fold(state, "resume", {"by": "ann", "why": "calm", "level": "running"})
    fold(state, "mark_reset", {"by": "ann", "why": "calm"})
    fold(state, "policy", {"sha": "b" * 64, "strategies": {"one": "c" * 64}})
    assert refusal(decided(state, unattended_max=5)).startswith("UNATTENDED")
    fold(state, "strategy_resumed", {"strategy": "one", "by": "ann", "why": "seen", "at_ms": 1})
    assert refusal(decided(state, unattended_max=1)) == ""
    with pytest.raises(FoldError, match="all its entries were seen"):
        fold(state, "strategy_resumed", {"strategy": "one", "by": "ann", "why": "", "at_ms": 1})


# --- the laws ----------------------------------------------------------------------------------


@given(
    st.sampled_from(["rolling_loss_ppm", "strategy_drawdown_ppm", "unattended_max"]),
    st.integers(1, 200_000),
    st.integers(1, 200_000),
)
def test_a_tighter_limit_never_lets_more_through(name: str, one: int, two: int) -> None:
    tight, loose = sorted((one, two))

    def legs(value: int) -> int:
        state = days_back(1_000, 930)
        fold(state, "plan", {"bar_ms": BAR_MS - 1, "legs": [], "results": {"one": 0}})
        state.books["one"].cash_units = -70 * UNIT
        state.books["one"].entries_filled = 90_000
        limits: dict[str, Any] = {name: value}
        return len(decided(state, **limits).legs)

    assert legs(tight) <= legs(loose)


def test_none_of_these_gates_stops_an_exit() -> None:
    state = account()
    hold(state, BTC, lots=1_000, stop_ticks=10_500)
    state.books["one"].stopped = 1
    limits: dict[str, Any] = {
        "rolling_loss_ppm": 1,
        "strategy_drawdown_ppm": 1,
        "unattended_max": 1,
    }
    made = decided(state, **limits)
    assert [leg.row()["side"] for leg in made.legs] == ["sell"]
