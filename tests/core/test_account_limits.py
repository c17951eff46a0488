"""Marks, sums and counts of the account: tables worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trader.core.account_sums import account_sums
from trader.core.account_view import AccountView
from trader.core.approval import Proposal
from trader.core.fold import FoldError, fold
from trader.core.marks import MARKS, changed_marks, mark_account
from trader.core.state import SENT_SLOTS, State
from trader.core.totals import DAY_MS, HOUR_MS, Totals, dust_at_risk, held_at_risk
from trader.domain.order import Side, TimeInForce

from .made import BAR_MS, BTC, ETH, LIMITS, NOW_MS, UNIT, account, hold, order_row, sent, strategy

DAY = 20_000 * DAY_MS


def walk(*equities: int, day_stop: int = 30_000, draw_down: int = 100_000) -> list[dict[str, int]]:
    """Marks after decisions six hours apart, from midnight, with these equities (USDT)."""
    limits = replace(LIMITS, day_stop_ppm=day_stop, drawdown_ppm_max=draw_down)
    state, seen = State(), []
    for number, equity in enumerate(equities):
        marks = mark_account(state, equity * UNIT, DAY + number * DAY_MS // 4, limits)
        fold(state, "plan", {"bar_ms": number, "legs": [], "marks": changed_marks(state, marks)})
        assert {name: state.number(name) for name in MARKS} == marks
        seen.append(marks)
    return seen


# equities at 0, 6, 12, 18 o'clock and on; whether the day's stop (3 %) holds after each
DAYS: list[tuple[list[int], list[int]]] = [
    ([1_000, 999, 971, 970], [0, 0, 0, 1]),  # at 3 % exactly it is hit
    ([1_000, 970, 1_200, 1_300], [0, 1, 1, 1]),  # and holds, whatever the mark does
    ([1_000, 970, 970, 970, 970, 970], [0, 1, 1, 1, 0, 0]),  # until midnight
    ([1_000, 990, 980, 975, 950, 921], [0, 0, 0, 0, 0, 1]),  # measured anew: 950 - 3 % = 921.5
    ([1_000, 1_100, 1_067, 975], [0, 0, 0, 0]),  # from the day's start, not from its high
]


@pytest.mark.parametrize(("equities", "stopped"), DAYS)
def test_the_days_stop_holds_until_its_day_ends(equities: list[int], stopped: list[int]) -> None:
    assert [marks["day_stopped"] for marks in walk(*equities)] == stopped


def test_the_draw_down_is_measured_from_the_high_and_holds_for_good() -> None:
    marks = walk(1_000, 1_200, 1_081, 1_080, 2_000, 2_000, draw_down=100_000)
    assert [row["drawdown_stopped"] for row in marks] == [0, 0, 0, 1, 1, 1]
    assert [row["high_units"] // UNIT for row in marks] == [
        1_000,
        1_200,
        1_200,
        1_200,
        2_000,
        2_000,
    ]


def test_only_a_named_human_ends_a_draw_down() -> None:
    state = State()
    marks = {"high_units": 1_000, "drawdown_stopped": 1}
    fold(state, "plan", {"bar_ms": 1, "legs": [], "marks": marks})
    fold(state, "mark_reset", {"by": "ann", "why": "seen and accepted"})
    assert (state.number("high_units"), state.number("drawdown_stopped")) == (0, 0)
    after = mark_account(state, 700 * UNIT, DAY, LIMITS)
    assert (after["high_units"], after["drawdown_stopped"]) == (700 * UNIT, 0)


def test_an_account_without_equity_is_stopped_not_divided_by() -> None:
    state = State()
    fold(state, "plan", {"bar_ms": 1, "legs": [], "marks": {"day": 20_000, "day_units": 5}})
    marks = mark_account(state, 0, DAY, LIMITS)
    assert (marks["day_stopped"], marks["drawdown_stopped"]) == (1, 0)


def test_a_mark_that_does_not_exist_is_refused() -> None:
    with pytest.raises(FoldError, match="no mark"):
        fold(State(), "plan", {"bar_ms": 1, "legs": [], "marks": {"cash_units": 1}})


# --- what is at risk ---------------------------------------------------------------------------

# One lot is 0.001 coin, one tick 0.01: 1,000 lots at 10,000 ticks are 100 USDT; fee 0.1 %.
# name, stop in ticks, loss to the stop of 1,000 lots marked at 10,000 ticks
LOSSES = [
    ("at 90 %: 100 - (90 - 0.09)", 9_000, 10 * UNIT + 9_000_000),
    ("no stop: everything", 0, 100 * UNIT),
    ("a stop above the mark: nothing is lost, not less", 10_100, 0),
    ("at the mark: the fee of leaving", 10_000, 10_000_000),
]


@pytest.mark.parametrize(("stop", "loss"), [row[1:] for row in LOSSES], ids=[r[0] for r in LOSSES])
def test_a_positions_loss_is_from_its_mark_to_its_stop_with_the_exits_fee(
    stop: int, loss: int
) -> None:
    state = account()
    hold(state, BTC, lots=1_000, name="one", stop_ticks=stop)
    [(owner, symbol, exposure, lost)] = held_at_risk(AccountView(state, {BTC: 10_000}), 0)
    assert (owner, symbol, exposure, lost) == ("one", BTC, 100 * UNIT, loss)


def test_dust_is_worth_something_and_no_position() -> None:
    state = account()
    hold(state, BTC, lots=1, name="one", stop_ticks=9_000)  # the smallest order is 2 lots
    view = AccountView(state, {BTC: 10_000})
    # One lot at 100 is 0.1; no stop saves what cannot be sold.
    assert list(held_at_risk(view, 0)) == []
    assert list(dust_at_risk(view)) == [("one", BTC, UNIT // 10)]
    totals = totals_of(view)
    for found in (totals.all, totals.of_strategy("one"), totals.of_coin("BTC")):
        assert (found.exposure_units, found.loss_units) == (UNIT // 10, UNIT // 10)
        assert not found.symbols


def test_an_order_in_flight_is_at_risk_with_what_may_still_fill() -> None:
    state = account()
    sent(state, order_row(qty_lots=1_000, stop_ticks=9_000), outcome="unknown")
    totals = totals_of(AccountView(state, {}))
    # 100 + 0.1 fee; the stop gives back 90 - 0.09
    own = totals.of_strategy("one")
    assert (own.exposure_units, own.loss_units, own.symbols) == (
        10_010_000_000,
        1_019_000_000,
        {BTC},
    )
    assert totals.pending_units == totals.all.exposure_units == 10_010_000_000
    # An exit that slips by 1,000 ppm sells at 89.91, with a fee of 0.08991.
    slipping = totals_of(AccountView(state, {}), slippage_ppm=1_000)
    assert slipping.all.loss_units == 10_010_000_000 - 8_991_000_000 + 8_991_000


def totals_of(view: AccountView, slippage_ppm: int = 0, now_ms: int = NOW_MS) -> Totals:
    return Totals(view, lambda _: "core", slippage_ppm, now_ms)


def proposal(name: str = "one", symbol: str = BTC, lots: int = 1_000) -> Proposal:
    ioc = TimeInForce.IOC
    return Proposal(name, symbol, Side.BUY, ioc, BAR_MS, 0, 0, 10_000, lots, 9_000, 1, "x")


def test_the_sums_of_an_entry_count_positions_orders_legs_and_the_entry() -> None:
    state = account()
    hold(state, ETH, lots=1_000, name="two", stop_ticks=9_000)
    view = AccountView(state, {ETH: 10_000, BTC: 10_000})
    view.add(proposal())
    marks = dict.fromkeys(MARKS, 0) | {"day_units": 1_010 * UNIT, "high_units": 1_100 * UNIT}
    spec = strategy("one", budget_exposure_ppm=200_000, budget_positions_max=4)
    equity = view.equity_units()
    sums = account_sums(totals_of(view), proposal(), spec, LIMITS, marks, equity)
    entry, leg, held = 10_010_000_000, 10_010_000_000, 100 * UNIT
    assert sums.all_exposure_units == held + leg + entry
    assert sums.own_exposure_units == leg + entry
    assert sums.all_loss_units == 2 * 1_019_000_000 + 10 * UNIT + 9_000_000
    assert sums.own_positions == 1  # the leg and the entry are of one instrument
    assert sums.own_exposure_units_max == equity * 200_000 // 1_000_000
    assert sums.day_loss_units == 1_010 * UNIT - equity
    assert sums.drawdown_units == 1_100 * UNIT - equity
    assert (sums.day_limit_units, sums.drawdown_limit_units) == (1_010 * UNIT, 1_100 * UNIT)
    assert (sums.trades_hour, sums.own_trades_day) == (3, 2)  # ETH's own entry was sent too


# --- trades ------------------------------------------------------------------------------------


def test_trades_are_counted_when_they_are_sent_and_exits_are_not() -> None:
    state = account()
    sent(state, order_row("a" * 32, symbol=ETH, qty_lots=10))
    at_ms = state.sent_entries()[0][0]

    def counted(now_ms: int) -> tuple[int, int, dict[str, int]]:
        totals = totals_of(AccountView(state, {}), now_ms=now_ms)
        return totals.trades_hour, totals.trades_day, totals.own_trades_day

    assert counted(at_ms + HOUR_MS - 1) == (1, 1, {"one": 1})
    assert counted(at_ms + HOUR_MS) == (0, 1, {"one": 1})
    assert counted(at_ms + DAY_MS - 1) == (0, 1, {"one": 1})
    assert counted(at_ms + DAY_MS) == (0, 0, {})
    sent(state, order_row("b" * 32, side="sell", qty_lots=5, signal_ms=0))
    assert counted(at_ms + 1) == (1, 1, {"one": 1})


def test_a_leg_moves_the_sums_on_as_if_it_had_been_there() -> None:
    state = account()
    hold(state, ETH, lots=1_000, name="two", stop_ticks=9_000)
    view = AccountView(state, {ETH: 10_000, BTC: 10_000})
    running = totals_of(view)
    view.add(proposal())
    running.add(proposal())
    anew = totals_of(view)
    for group in ("strategies", "tiers", "symbols", "coins"):
        told = [
            {name: (s.exposure_units, s.loss_units, s.symbols) for name, s in found.items()}
            for found in (getattr(running, group), getattr(anew, group))
        ]
        assert told[0] == told[1]
    assert running.pending_units == anew.pending_units == running.of_coin("BTC").exposure_units
    assert (running.trades_day, running.own_trades_day) == (anew.trades_day, anew.own_trades_day)


def test_the_ring_keeps_the_newest_entries_and_counts_all() -> None:
    state = account()
    for number in range(SENT_SLOTS + 3):
        client_id = f"{number:032d}"
        fold(state, "order_planned", order_row(client_id, qty_lots=1))
        fold(state, "order_sent", {"client_id": client_id, "at_ms": 1_000 + number})
    kept = sorted(at_ms for at_ms, _ in state.sent_entries())
    assert kept == list(range(1_003, 1_000 + SENT_SLOTS + 3))
    assert state.number("sent_count") == SENT_SLOTS + 3
