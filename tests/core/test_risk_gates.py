"""Gates of account and venue: laws of them all, approved hashes, duplicates, exposure, capital."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core import gates
from trader.core.approval import Refused
from trader.core.fold import fold
from trader.core.limits import Breaker, Correlated, Messages, ValueAtRisk
from trader.core.parameters import EntryStyle
from trader.core.plan import Plan, plan
from trader.core.risk_gates import HASHES, RiskSums
from trader.core.sizing import entry_cost_units
from trader.core.snapshot import Running, Snapshot
from trader.core.state import State
from trader.domain.order import Side

from .made import (
    BAR_MS,
    BTC,
    ETH,
    LIMITS,
    MINUTE_MS,
    NOW_MS,
    UNIT,
    account,
    bars,
    fill_row,
    hold,
    order_row,
    parameters,
    quote,
    sent,
    snapshot,
    strategy,
)
from .risk_scenes import (
    COST,
    RUNNING,
    approved,
    at_rest,
    end_one,
    ended,
    first_id,
    held_eth,
    numbers,
    refusal,
    said,
)

QUOTE = quote()
RISK_CODES = {
    "HASH_UNAPPROVED",
    "VENUE_DEGRADED",
    "DUPLICATE_INTENT",
    "MESSAGES",
    "ASSET_EXPOSURE",
    "PENDING_EXPOSURE",
    "CORRELATED_EXPOSURE",
    "VALUE_AT_RISK",
    "CAPITAL",
}


# --- laws of all of them --------------------------------------------------------------------------


def test_what_was_not_filled_in_refuses() -> None:
    asked = {gate.code: gate for gate in gates.GATES if gate.group == gates.RISK}
    assert set(asked) == RISK_CODES
    for gate in asked.values():
        ok, limit, measured = gate.ask(RiskSums())
        assert not ok
        assert limit < measured


def test_none_of_them_is_asked_of_an_exit() -> None:
    assert not [gate.code for gate in gates.GATES if gate.for_exits and gate.code in RISK_CODES]


def hopeless() -> Snapshot:
    """Everything that guards new risk says no, and a position is at its stop."""
    state = approved(account(), code="other")
    hold(state, BTC, lots=600, stop_ticks=10_000)
    for number in range(20):
        end_one(state, f"{number:032d}", NOW_MS)
    fold(state, "venue_fault", {"at_ms": NOW_MS, "why": "timeout"})
    limits = parameters(
        breaker=Breaker(1, 60_000),
        messages=Messages(second_max=1, minute_max=1, day_max=1, reserve_ppm=500_000),
        var=ValueAtRisk(limit_ppm=0),
        correlated=Correlated(exposure_ppm_max=0),
        asset_ppm_max=0,
        pending_ppm_max=0,
        approval="always",
    )
    return snapshot(state, limits, running=RUNNING)


def test_an_exit_leaves_when_every_one_of_them_would_refuse() -> None:
    decided = plan(hopeless())
    assert [leg.side for leg in decided.legs] == [Side.SELL]
    (entry,) = [row for row in decided.trail if len(row.gates) == len(gates.GATES)]
    noes = {answer.code for answer in entry.gates if not answer.ok}
    assert noes >= RISK_CODES - {"DUPLICATE_INTENT", "CAPITAL"}


# --- 26: code, policy and lock --------------------------------------------------------------------


def asking(state: State, running: Running, approval: str = "given") -> Plan:
    return plan(snapshot(state, parameters(approval=approval), running=running))


def test_what_was_approved_may_open_positions_and_nothing_else() -> None:
    state = approved(account())
    assert said(asking(state, RUNNING)) == []
    for name in HASHES:
        decided = asking(state, replace(RUNNING, **{name: "another"}))
        assert refusal(decided) == f"HASH_UNAPPROVED differs={name} limit=0 measured=1 unit=count"
    assert refusal(asking(state, Running())).startswith(
        "HASH_UNAPPROVED differs=code,lock,policy limit=0 measured=3"
    )


def test_without_any_approval_entries_leave_only_where_policy_does_not_ask_for_one() -> None:
    assert said(asking(account(), RUNNING, "given")) == []
    assert said(asking(account(), RUNNING, "always")) == ["HASH_UNAPPROVED"]
    assert said(asking(approved(account()), RUNNING, "always")) == []


def test_the_newest_approval_counts() -> None:
    state = approved(approved(account()), code="code-2")
    assert said(asking(state, RUNNING)) == ["HASH_UNAPPROVED"]
    assert said(asking(state, replace(RUNNING, code="code-2"))) == []


# --- 10: duplicate intents ------------------------------------------------------------------------


@pytest.mark.parametrize("of_other", [False, True])
def test_an_intent_that_exists_is_not_made_again(of_other: bool) -> None:
    state = ended("f" * 32 if of_other else first_id())
    assert said(plan(snapshot(state))) == ([] if of_other else ["DUPLICATE_INTENT"])


def test_an_intent_in_flight_counts_as_well() -> None:
    state = account()
    sent(state, order_row(first_id(), symbol=ETH, qty_lots=10), outcome="unknown")
    assert said(plan(snapshot(state))) == ["DUPLICATE_INTENT"]


# --- 8: one coin; 5: what is pending --------------------------------------------------------------


def test_a_coin_counts_what_is_held_and_bought_of_it_in_every_instrument() -> None:
    state = account()
    hold(state, BTC, lots=100, stop_ticks=9_000)
    policy = {"pyramiding": True, "position_ppm": 1_000_000}
    share = 10 * UNIT + COST  # 10 are held at their mark
    for ppm, codes in ((110_000, []), (109_999, ["ASSET_EXPOSURE"])):
        limits = parameters(strategy("one", BTC, pyramiding=True), asset_ppm_max=ppm, **policy)
        assert said(plan(snapshot(state, limits))) == codes
    assert numbers(snapshot(state, parameters(asset_ppm_max=1)), "ASSET_EXPOSURE") == (
        1_000 * UNIT // 1_000_000,
        share,
    )


def test_another_coin_is_not_counted() -> None:
    state = account()
    hold(state, ETH, lots=5_000, name="two", stop_ticks=9_000)
    assert said(plan(snapshot(state, parameters(asset_ppm_max=100_000)))) == []
    assert numbers(snapshot(state), "ASSET_EXPOSURE")[1] == COST


@pytest.mark.parametrize("outcome", ["", "unknown", "accepted"])
def test_a_sent_entry_counts_in_full_until_its_end_is_known(outcome: str) -> None:
    state = account()
    sent(state, order_row(symbol=ETH, qty_lots=100), outcome=outcome)
    pending = 1_000_000_000 + 1_000_000  # 100 lots at 10,000 and 0.1 % of fee
    _, measured = numbers(snapshot(state), "PENDING_EXPOSURE")
    assert measured == pending + COST
    fold(state, "fill", fill_row(symbol=ETH, qty_lots=40, cost_units=400_000_000))
    _, measured = numbers(snapshot(state), "PENDING_EXPOSURE")
    assert measured == pending * 60 // 100 + COST
    seen = {"client_id": "a" * 32, "at_ms": NOW_MS, "venue_id": ""}
    fold(state, "order_seen", {**seen, "state": "expired", "venue_lots": 40, "source": "order"})
    assert numbers(snapshot(state), "PENDING_EXPOSURE")[1] == COST


def test_entries_of_one_plan_are_pending_together() -> None:
    specs = (strategy("one", BTC), strategy("two", ETH))
    for ppm, codes in ((200_000, []), (199_999, ["PENDING_EXPOSURE"])):
        decided = plan(snapshot(account(), parameters(*specs, pending_ppm_max=ppm)))
        assert said(decided) == codes


# --- 7: capital -----------------------------------------------------------------------------------


def slice_of(capital: str, units: int) -> Snapshot:
    """100 of ETH are held, of 1,000; the slice is so large."""
    state = account()
    hold(state, ETH, lots=1_000, name="two", stop_ticks=9_000)
    state.meta["capital_units"] = units
    return snapshot(state, replace(parameters(), capital=capital))


def test_a_slice_is_not_exceeded_by_cost_orders_and_fees() -> None:
    used = 100 * UNIT + COST
    assert said(plan(slice_of("x", used))) == []
    assert refusal(plan(slice_of("x", used - 1))) == (
        f"CAPITAL limit={used - 1} measured={used} unit=cash"
    )
    # The whole of an account may use its equity, whatever was put in.
    assert said(plan(slice_of("", used - 1))) == []


def test_what_is_on_its_way_is_used_as_well() -> None:
    seen = slice_of("x", 1_000 * UNIT)
    sent(seen.state, order_row(symbol=ETH, strategy="two", qty_lots=100), outcome="unknown")
    assert numbers(seen, "CAPITAL")[1] == 100 * UNIT + 1_001_000_000 + COST


def test_profits_of_a_slice_are_not_used_and_its_losses_are_taken_off() -> None:
    for mark, limit in ((12_000, 1_000 * UNIT), (5_000, 950 * UNIT)):
        seen = slice_of("x", 1_000 * UNIT)
        series = {(BTC, "1m"): bars([10_000, 10_000]), (ETH, "1m"): bars([mark, mark], ETH)}
        found = plan(replace(seen, series=series))
        (row,) = [row for row in found.trail if len(row.gates) == len(gates.GATES)]
        assert [a.limit for a in row.gates if a.code == "CAPITAL"] == [limit]


@given(st.data())
def test_cost_orders_and_fees_stay_within_the_slice_however_fills_come(
    data: st.DataObject,
) -> None:
    state = account()
    policy = replace(
        parameters(
            strategy("one", BTC, pyramiding=True),
            strategy("two", ETH, pyramiding=True),
            pyramiding=True,
            position_ppm=1_000_000,
            positions_max=9,
        ),
        capital="1000",
    )
    fills = 0
    state.meta["capital_units"] = 250 * UNIT
    for turn in range(data.draw(st.integers(1, 6))):
        bar_ms = BAR_MS + turn * MINUTE_MS
        seen = snapshot(
            state,
            policy,
            bar_ms=bar_ms,
            now_ms=bar_ms + MINUTE_MS + 5_000,
            series={(s, "1m"): bars([10_000, 10_000], s, bar_ms) for s in (BTC, ETH)},
            quotes={s: replace(QUOTE, at_ms=bar_ms + MINUTE_MS) for s in (BTC, ETH)},
        )
        for leg in plan(seen).legs:
            sent(state, leg.row())
        for order in list(state.orders.values()):
            if order.working and order.open_lots and data.draw(st.booleans()):
                fills += 1
                lots = data.draw(st.integers(1, order.open_lots))
                units = lots * order.price_ticks * 1_000
                paid = {"cost_units": units, "fee_cash_units": -(-units // 1_000)}
                told = {"symbol": order.symbol, "qty_lots": lots, "price_ticks": order.price_ticks}
                fold(state, "fill", fill_row(order.client_id, str(fills), **told, **paid))
        held = sum(position.cost_units for position in state.positions.values())
        spec = state.spec(BTC)
        open_ = sum(
            entry_cost_units(spec, order.price_ticks, order.open_lots)
            for order in state.orders.values()
            if order.working and order.open_lots
        )
        assert held + open_ <= 250 * UNIT + fills  # a fee is rounded up once for each fill


# --- tightening -----------------------------------------------------------------------------------

LOOSE = replace(LIMITS, asset_ppm_max=150_000, pending_ppm_max=250_000)


@given(
    st.sampled_from(["asset", "pending", "var", "correlated", "messages"]),
    st.integers(0, 1_000_000),
    st.integers(0, 1_000_000),
)
def test_a_tighter_limit_never_lets_more_through(name: str, one: int, other: int) -> None:
    tight, loose = sorted((one, other))

    def let_through(value: int) -> int:
        changed: dict[str, Any] = {
            "asset": {"asset_ppm_max": value},
            "pending": {"pending_ppm_max": value},
            "var": {"var": ValueAtRisk(limit_ppm=value)},
            "correlated": {"correlated": Correlated(exposure_ppm_max=value)},
            "messages": {"messages": Messages(day_max=value % 7)},
        }[name]
        specs = (strategy("one", BTC), strategy("two", ETH))
        policy = parameters(*specs)
        limits = replace(LOOSE, **changed)
        return len(plan(snapshot(account(), replace(policy, limits=limits))).legs)

    if name == "messages":
        tight, loose = sorted((tight % 7, loose % 7))
    assert let_through(tight) <= let_through(loose)


def test_sums_start_by_refusing() -> None:
    sums = RiskSums()
    assert len(sums.unapproved) == 3
    assert isinstance(plan(held_eth(var=ValueAtRisk(limit_ppm=0))).refused[0], Refused)


# --- entries at rest -----------------------------------------------------------------------------


def resting(**limits: Any) -> Plan:
    """A maker's entry of 100 lots of BTC has rested at the bid since the bar before."""
    state = account()
    sent(state, at_rest())
    maker = strategy(style=EntryStyle("maker"))
    return plan(snapshot(state, parameters(maker, **limits)))


def test_an_entry_at_rest_is_no_message_and_no_duplicate_of_itself() -> None:
    decided = resting(messages=Messages(day_max=1))
    assert next(row.answer for row in decided.trail) == "ENTRY_RESTS"
    assert not decided.ends


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"asset_ppm_max": 9_999}, "ASSET_EXPOSURE"),
        ({"pending_ppm_max": 9_999}, "PENDING_EXPOSURE"),
        ({"var": ValueAtRisk(limit_ppm=1_999)}, "VALUE_AT_RISK"),
        ({"approval": "always"}, "HASH_UNAPPROVED"),
    ],
)
def test_an_entry_at_rest_ends_when_a_limit_would_not_let_it_leave_now(
    limits: dict[str, Any], why: str
) -> None:
    assert list(resting(**limits).ends.values()) == [why]
