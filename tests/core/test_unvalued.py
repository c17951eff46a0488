"""A decision whose equity does not fit the core's integers: exits go on, nothing else does."""

from __future__ import annotations

from tests.core.made import (
    BTC,
    ETH,
    account,
    bars,
    hold,
    parameters,
    quote,
    snapshot,
    strategy,
)
from trader.core.fold import fold
from trader.core.plan import Plan, plan, plan_payload
from trader.core.state import State

# 90,000 coins at 100,000,000: 9e20 cash units.
HUGE = 10_000_000_000


def absurd(state: State, **limits: int) -> Plan:
    """BTC is quoted a million times its price while ETH falls through its stop."""
    both = strategy("one", BTC, ETH, budget_loss_ppm=1_000_000)
    return plan(
        snapshot(
            state,
            parameters(both, **limits),
            series={
                (BTC, "1m"): bars([10_000, HUGE]),
                (ETH, "1m"): bars([10_000, 9_800], symbol=ETH, lows=[10_000, 9_800]),
            },
            quotes={BTC: quote(HUGE - 1, HUGE), ETH: quote(9_800, 9_801)},
        )
    )


def holding_both() -> State:
    state = account(10**17)
    hold(state, BTC, lots=90_000_000, stop_ticks=9_000)
    hold(state, ETH, lots=100, stop_ticks=9_900)
    return state


def test_an_exit_leaves_while_another_position_cannot_be_valued() -> None:
    decided = absurd(holding_both(), trim_from_ppm=1, day_stop_ppm=1, drawdown_ppm_max=1)
    assert [(leg.symbol, leg.proposal.reason) for leg in decided.legs] == [(ETH, "stop_loss")]
    assert decided.alarms == ("AMOUNT_OVERFLOW what=equity",)


def test_no_mark_and_no_result_is_taken_from_what_cannot_be_valued() -> None:
    state = holding_both()
    before = {name: state.number(name) for name in ("equity_units", "high_units", "day_units")}
    decided = absurd(state, strategy_drawdown_ppm=1)
    fold(state, "plan", plan_payload(decided))
    assert {name: state.number(name) for name in before} == before
    assert set(decided.marks) <= {"close_ms"}
    assert (decided.results, decided.stopped) == ({}, ())


def test_nothing_is_opened_on_an_equity_that_nobody_can_tell() -> None:
    state = account(10**17)
    hold(state, BTC, lots=90_000_000, stop_ticks=9_000)
    decided = absurd(state)
    assert decided.legs == ()
    assert {row.answer for row in decided.trail if row.symbol == ETH} == {"AMOUNT_OVERFLOW"}
