"""What must not be mixed up: whose book, which window, which coin, which bar, which trade."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core.actions import StepFacts
from trader.core.fold import fold
from trader.core.marks import changed_marks, mark_account
from trader.core.order_sums import free_lots
from trader.core.parameters import TierSpec, UniverseSpec
from trader.core.plan import Plan, plan
from trader.core.series import build_series
from trader.core.simulate import Model, Simulation
from trader.core.state import State
from trader.core.step import Abandon, Send, step

from .made import (
    BAR_MS,
    BTC,
    ETH,
    LIMITS,
    MINUTE_MS,
    NOW_MS,
    TICK,
    UNIT,
    account,
    bars,
    fill_row,
    hold,
    instrument,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
    strategy,
)
from .risk_scenes import COST, ended, numbers, said

HOUR_MS = 60 * MINUTE_MS


def sell(state: State, name: str, lots: int, cost_units: int, reason: str = "exit_signal") -> None:
    """A sell of BTC that is filled whole, for so much."""
    client_id = name.ljust(32, "0")
    row = {"side": "sell", "qty_lots": lots, "signal_ms": 0, "reason": reason}
    sent(state, order_row(client_id, **row))
    trade = {"side": "sell", "qty_lots": lots, "cost_units": cost_units}
    fold(state, "fill", fill_row(client_id, name, **trade))


# --- which window ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ago_ms", "hour"), [(HOUR_MS - 1, 2), (HOUR_MS, 1), (5 * HOUR_MS, 1)], ids=str
)
def test_an_entry_of_hours_ago_counts_for_the_day_and_not_for_the_hour(
    ago_ms: int, hour: int
) -> None:
    state = ended(at_ms=NOW_MS - ago_ms)
    assert numbers(snapshot(state), "TRADES_HOUR")[1] == hour
    assert numbers(snapshot(state), "TRADES_DAY")[1] == 2
    assert said(plan(snapshot(state, parameters(trades_hour_max=hour)))) == []
    assert said(plan(snapshot(state, parameters(trades_hour_max=hour - 1)))) == ["TRADES_HOUR"]
    assert said(plan(snapshot(state, parameters(trades_hour_max=2, trades_day_max=1)))) == [
        "TRADES_DAY"
    ]


# --- legs of the same plan ---------------------------------------------------------------------

# Each entry costs 99.9997998 of 1,000 with its fee; its stop is 1.00 below 100.00.
LEGS: dict[str, dict[str, Any]] = {
    "EXPOSURE_TOTAL": {"exposure_ppm_max": 199_999},
    "PENDING_EXPOSURE": {"pending_ppm_max": 199_999},
    "LOSS_TOTAL": {"loss_ppm_max": 2_300},
    "TRADES_HOUR": {"trades_hour_max": 1},
    "TRADES_DAY": {"trades_day_max": 1},
    "POSITIONS_MAX": {"positions_max": 1},
    "UNATTENDED": {"unattended_max": 1},
}
BUDGETS: dict[str, dict[str, Any]] = {
    "BUDGET_EXPOSURE": {"budget_exposure_ppm": 199_999},
    "BUDGET_LOSS": {"budget_loss_ppm": 2_300},
    "BUDGET_POSITIONS": {"budget_positions_max": 1},
    "BUDGET_TRADES_DAY": {"budget_trades_day_max": 1},
}


def two_entries(budget: dict[str, Any], **limits: Any) -> Plan:
    """One strategy wants BTC and ETH in one plan."""
    return plan(snapshot(account(), parameters(strategy("one", BTC, ETH, **budget), **limits)))


def test_two_legs_leave_where_nothing_forbids_it() -> None:
    assert [leg.proposal.symbol for leg in two_entries({}).legs] == [BTC, ETH]


@pytest.mark.parametrize("code", [*LEGS, *BUDGETS])
def test_a_leg_that_the_plan_has_just_approved_counts_for_the_next(code: str) -> None:
    made = two_entries(BUDGETS.get(code, {}), **LEGS.get(code, {}))
    assert [leg.proposal.symbol for leg in made.legs] == [BTC]
    assert said(made) == [code]


def test_what_is_planned_and_not_sent_yet_counts_as_sent() -> None:
    state = account()
    fold(state, "order_planned", order_row(symbol=ETH, strategy="two"))
    told = snapshot(state)
    # 100 lots at 10,000 ticks are 10 USDT, and 0.1 % of it.
    assert numbers(told, "CASH")[0] == 1_000 * UNIT - 10 * UNIT - UNIT // 100
    assert numbers(told, "EXPOSURE_TOTAL")[1] == COST + 10 * UNIT + UNIT // 100
    assert numbers(told, "POSITIONS_MAX")[1] == 2
    fold(state, "order_planned", order_row("b" * 32, symbol=BTC, strategy="two"))
    assert said(plan(told)) == ["OWNED_BY_OTHER"]


# --- whose book --------------------------------------------------------------------------------


def test_what_another_strategy_has_in_flight_is_not_this_ones_unattended_entry() -> None:
    state = account()
    sent(state, order_row(symbol=ETH, strategy="two"))
    assert numbers(snapshot(state), "UNATTENDED")[1] == 1
    sent(state, order_row("b" * 32, symbol=ETH, strategy="one"))
    assert numbers(snapshot(state), "UNATTENDED")[1] == 2


def test_what_another_strategy_left_of_a_coin_is_not_free_to_be_sold() -> None:
    state = account()
    hold(state, BTC, lots=100, name="two")
    row = {"side": "sell", "qty_lots": 99, "signal_ms": 0, "strategy": "two"}
    sent(state, order_row("s" * 32, **row))
    trade = {"side": "sell", "qty_lots": 99, "cost_units": 99 * UNIT // 10}
    fold(state, "fill", fill_row("s" * 32, "s", **trade))
    sent(state, order_row("b" * 32, qty_lots=50, signal_ms=1))
    fold(state, "fill", fill_row("b" * 32, "b", qty_lots=50, cost_units=5 * UNIT))
    assert state.positions[BTC].qty_units == 51 * 100_000
    assert (free_lots(state, BTC, "one"), free_lots(state, BTC, "two")) == (50, 1)


def test_a_coin_is_counted_in_every_instrument_that_trades_it() -> None:
    other = "BTC/USDC"
    state = account(1_000 * UNIT, instrument(BTC), instrument(other))
    hold(state, other, lots=100, name="two")
    told = snapshot(state)
    assert numbers(told, "ASSET_EXPOSURE")[1] == COST + 10 * UNIT
    assert numbers(told, "POSITION_CAP")[1] == COST - 9_989_980  # of the instrument, without fee


# --- which trade -------------------------------------------------------------------------------


def test_each_closed_position_is_settled_with_its_own_result_alone() -> None:
    state = account()
    hold(state)  # 10 USDT
    sell(state, "first", 100, 12 * UNIT)  # +20 %
    book = state.books["one"]
    assert (book.wins, book.losses, book.won_ppm, book.lost_ppm) == (1, 0, 200_000, 0)
    sent(state, order_row("b" * 32, signal_ms=2))
    fold(state, "fill", fill_row("b" * 32, "b"))
    sell(state, "second", 100, 9 * UNIT)  # -10 %, though both together won 10 %
    assert (book.wins, book.losses, book.won_ppm, book.lost_ppm) == (1, 1, 200_000, 100_000)


@pytest.mark.parametrize(
    ("reason", "stopped"),
    [
        ("stop_loss", True),
        ("trailing_stop", True),
        ("break_even", True),
        ("protective_stop", True),
        ("take_profit", False),
        ("max_hold", False),
        ("exit_signal", False),
        ("force_exit", False),
        ("trim", False),
    ],
)
def test_every_stop_that_was_hit_begins_the_longer_wait(reason: str, *, stopped: bool) -> None:
    state = account()
    hold(state)
    sell(state, "sold", 100, 10 * UNIT, reason)
    wait = state.cooldowns[f"one|{BTC}"]
    assert (wait.exit_ms > 0, wait.stop_ms > 0) == (True, stopped)


# --- which bar ---------------------------------------------------------------------------------


def test_a_bar_of_earlier_hits_no_stop_and_no_target_again() -> None:
    """The newest bar is missing: that the one before was low is no news of this decision."""
    state = account()
    hold(state, lots=1_000, stop_ticks=9_900, target_ticks=10_200)
    before = bars([10_000, 10_000], last_ms=BAR_MS - MINUTE_MS, lows=[10_000, 9_800])
    seen: dict[str, Any] = {
        "series": {(BTC, "1m"): before},
        "strategies": {"one": says(enter=0)},
    }
    assert plan(snapshot(state, quotes={BTC: quote()}, **seen)).legs == ()
    (leg,) = plan(snapshot(state, quotes={BTC: quote(9_900, 9_901)}, **seen)).legs
    assert leg.proposal.reason == "stop_loss"  # the bid says it now


# --- whose signal, whose place, whose order ----------------------------------------------------


def test_a_signal_that_one_strategy_used_is_not_used_by_another() -> None:
    state = account()
    both = (strategy("one"), strategy("two"))
    for name, answers in (("one", ["SIGNAL_USED", ""]), ("two", ["", "SIGNAL_USED"])):
        state.consumed = {f"{name}|{BTC}": BAR_MS}
        made = plan(snapshot(state, parameters(*both)))
        assert [row.answer if not row.gates else "" for row in made.trail] == answers
        (leg,) = made.legs
        assert leg.proposal.strategy != name


def test_adding_to_a_position_opens_no_further_one() -> None:
    state = account()
    hold(state)
    adds = strategy("one", pyramiding=True)
    told = snapshot(state, parameters(adds, pyramiding=True, positions_max=1))
    assert numbers(told, "POSITIONS_MAX") == (1, 1)
    assert len(plan(told).legs) == 1
    hold(state, ETH, name="two")
    told = snapshot(state, parameters(adds, pyramiding=True, positions_max=1))
    assert said(plan(told)) == ["POSITIONS_MAX"]


def test_an_entry_at_rest_ends_where_a_trim_sells_in_the_same_plan() -> None:
    state = account()
    hold(state, lots=3_000)
    maker = {"tif": "gtc", "order_type": "post_only", "until_ms": NOW_MS + MINUTE_MS}
    sent(state, order_row("b" * 32, **maker))
    spec = strategy("one", pyramiding=True)
    limits = {"pyramiding": True, "exposure_ppm_max": 200_000, "trim_from_ppm": 100_000}
    made = plan(
        snapshot(state, parameters(spec, **limits), strategies={"one": says(enter=0)}),
    )
    assert [leg.proposal.reason for leg in made.legs] == ["trim"]
    assert made.ends == {"b" * 32: "POSITION_LEAVES"}


def test_an_exit_that_cannot_be_computed_keeps_no_other_from_leaving() -> None:
    state = account(10**17)
    hold(state, BTC, lots=90_000_000, target_ticks=20_000)
    hold(state, ETH, lots=100, stop_ticks=9_900)
    huge = 10_000_000_000  # ticks: 90,000 coins at 100,000,000
    made = plan(
        snapshot(
            state,
            parameters(strategy("one", BTC, ETH)),
            series={
                (BTC, "1m"): bars([10_000, huge]),
                (ETH, "1m"): bars([10_000, 9_800], ETH),
            },
            quotes={BTC: quote(huge - 1, huge), ETH: quote(9_800, 9_801)},
        )
    )
    assert [(leg.symbol, leg.proposal.reason) for leg in made.legs] == [(ETH, "stop_loss")]
    assert "AMOUNT_OVERFLOW" in [row.answer for row in made.trail if row.symbol == BTC]


def test_a_further_attempt_of_an_exit_for_more_than_is_left_of_its_leg_does_not_leave() -> None:
    """200 are held, so that the room to sell says nothing: the leg asked for 100, 60 of them went,
    and its next attempt may be for 40."""
    too_many = Abandon("b" * 32, "CHILD_QTY limit=40 measured=41 unit=lots")
    for lots, expected in ((40, Send("b" * 32)), (41, too_many)):
        state = account()
        hold(state, lots=200)
        row = {"side": "sell", "bar_ms": BAR_MS, "signal_ms": 0, "reason": "exit_signal"}
        first = order_row("a" * 32, qty_lots=100, **row)
        fold(state, "plan", {"bar_ms": BAR_MS, "legs": [first]})
        about = {"client_id": "a" * 32, "at_ms": NOW_MS}
        fold(state, "order_sent", about)
        fold(state, "order_outcome", {**about, "outcome": "accepted", "code": "", "text": ""})
        trade = {"side": "sell", "qty_lots": 60, "cost_units": 6 * UNIT}
        fold(state, "fill", fill_row("a" * 32, "60", **trade))
        ended_so = {"state": "expired", "venue_lots": 60, "source": "order", "venue_id": "1"}
        fold(state, "order_seen", {**about, **ended_so})
        fold(state, "order_planned", order_row("b" * 32, qty_lots=lots, attempt=1, **row))
        (action,) = step(state, parameters(), StepFacts(NOW_MS))
        assert action == expected


# --- what is not sold yet, and what a bar trades -----------------------------------------------


@pytest.mark.parametrize(("ppm", "codes"), [(10_000, ["ROLLING_LOSS"]), (10_001, [])])
def test_a_rolling_loss_is_marked_to_market_not_realised(ppm: int, codes: list[str]) -> None:
    """100 of 1,000 are held since today, worth 90 now: 10 are lost, and nothing was sold."""
    state = account()
    marks = changed_marks(state, mark_account(state, 1_000 * UNIT, BAR_MS - HOUR_MS, LIMITS))
    fold(state, "plan", {"bar_ms": BAR_MS - HOUR_MS, "legs": [], "marks": marks})
    hold(state, ETH, lots=1_000, name="two")
    falls = {(BTC, "1m"): bars([10_000, 10_000]), (ETH, "1m"): bars([9_000, 9_000], ETH)}
    limits = parameters(rolling_loss_ppm=ppm, rolling_days=1)
    assert said(plan(snapshot(state, limits, series=falls))) == codes


def test_what_one_resting_order_takes_of_a_bar_is_not_there_for_the_next() -> None:
    """The bar trades 100 lots, below both bids: 80 for the first, 20 for the second."""
    state = account()
    maker = {"tif": "gtc", "order_type": "post_only", "qty_lots": 80, "signal_ms": 0}
    for letter in "ab":
        sent(state, order_row(letter * 32, **maker))
    row = (BAR_MS, 10_000, 10_000, 9_990, 10_000, 0.1)
    series = {(BTC, "1m"): build_series(BTC, MINUTE_MS, TICK, [row])}
    quiet = {"one": says(enter=0)}
    simulation = Simulation(parameters(), quiet, series, state, Model(), lambda _, __: None)
    simulation.decide_and_execute(BAR_MS)
    assert state.positions[BTC].own_units == 100 * 100_000


def test_of_an_entry_at_rest_only_what_is_left_of_it_is_asked_about_again() -> None:
    """40 of 100 lots filled: 4 USDT are held and 60 lots may still cost 6.006; 10.01 are allowed,
    so it rests; of all 100 again 14.01 would be too much."""
    for ppm, ends in ((10_010, {}), (10_000, {"b" * 32: "EXPOSURE_TOTAL"})):
        state = account()
        maker = {"tif": "gtc", "order_type": "post_only", "until_ms": NOW_MS + MINUTE_MS}
        sent(state, order_row("b" * 32, **maker))
        fold(state, "fill", fill_row("b" * 32, "b", qty_lots=40, cost_units=4 * UNIT))
        quiet = {"one": says(enter=0)}
        limits = parameters(exposure_ppm_max=ppm)
        assert plan(snapshot(state, limits, strategies=quiet)).ends == ends


def test_a_tier_counts_what_every_strategy_holds_in_it_and_nothing_of_other_tiers() -> None:
    other, third = "SOL/USDT", "XRP/USDT"
    state = account(1_000 * UNIT, *(instrument(name) for name in (BTC, ETH, other, third)))
    hold(state, ETH, lots=1_000, name="two")  # 100 in the tier of BTC, by another strategy
    hold(state, other, lots=500)  # 50 in another tier, by the strategy itself
    sent(state, order_row("x" * 32, symbol=third))  # 10.01 on their way, there too
    tiers = (TierSpec("core", (BTC, ETH)), TierSpec("event", (other, third)))
    policy = replace(parameters(positions_max=9), universe=UniverseSpec(tiers=tiers))
    told = snapshot(state, policy)
    assert numbers(told, "TIER_POSITIONS")[1] == 2
    assert numbers(told, "TIER_WEIGHT")[1] == COST + 100 * UNIT
    assert numbers(told, "EXPOSURE_TOTAL")[1] == COST + 160 * UNIT + UNIT // 100
