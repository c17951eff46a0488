"""Gates: each one at its bound and one unit past it, and what exits are asked."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.account_gates import AccountSums
from trader.core.approval import Approved, Proposal, Refused
from trader.core.gate_view import GateView
from trader.core.gates import GATES, approve, ask_all
from trader.core.limits import Limits
from trader.core.money import AMOUNT_MAX
from trader.core.scale import Spec
from trader.domain.order import Side, TimeInForce

from .made import BAR_MS, BTC, LIMITS, UNIT, instrument, parameters

SPEC = Spec(instrument(), 8)
SANITY = {
    "HALT_LEVEL",
    "INSTRUMENT_INACTIVE",
    "QUOTE_MISSING",
    "QUOTE_CROSSED",
    "QUOTE_OLD",
    "SLIPPAGE_CAP",
    "SHORT",
    "QTY_MIN",
    "QTY_MAX",
    "NOTIONAL_MIN",
}

# Of the account and of the strategy's book: nothing binds.
GOOD_SUMS: dict[str, Any] = {
    "day_stopped": 0,
    "drawdown_stopped": 0,
    "trades_hour": 1,
    "trades_hour_max": 5,
    "trades_day": 1,
    "trades_day_max": 20,
    "own_trades_day": 1,
    "own_trades_day_max": 10,
    "all_exposure_units": 20 * UNIT,
    "all_exposure_units_max": 500 * UNIT,
    "own_exposure_units": 20 * UNIT,
    "own_exposure_units_max": 300 * UNIT,
    "all_loss_units": UNIT,
    "all_loss_units_max": 30 * UNIT,
    "own_loss_units": UNIT,
    "own_loss_units_max": 20 * UNIT,
    "own_positions": 1,
    "own_positions_max": 3,
}


def proposal(side: Side = Side.BUY, price: int = 10_000, lots: int = 200) -> Proposal:
    kind = "entry_signal" if side is Side.BUY else "exit_signal"
    ioc = TimeInForce.IOC
    return Proposal("one", BTC, side, ioc, BAR_MS, 0, 0, price, lots, 9_900, BAR_MS, kind)


GOOD_TIER = {
    "tier_positions": 1,
    "tier_positions_max": 2,
    "tier_exposure_units": 20 * UNIT,
    "tier_exposure_units_max": 100 * UNIT,
}


# Now is 1,000; no session begins later, no closed window and no cooldown ends later.
GOOD_TIMES = {
    "times_now_ms": 1_000,
    "times_session_ms": 0,
    "times_blackout_ms": 0,
    "times_close_ms": 900,
    "times_cooldown_ms": 0,
}


GOOD_BOOK = {
    "book_rolling_loss_units": 0,
    "book_rolling_limit_units": 60 * UNIT,
    "book_stopped": 0,
    "book_fallen_units": 0,
    "book_fallen_limit_units": 150 * UNIT,
    "book_unattended": 1,
    "book_unattended_max": 100,
}


# Of the order: 200 lots at 10,000 ticks are 20 USDT; a quote of 9,999 and 10,001 is 2 bps wide.
GOOD_ORDER: dict[str, Any] = {
    "order_skew_ms": 0,
    "order_skew_ms_max": 500,
    "order_restricted": 0,
    "order_repaint_ppm": 0,
    "order_repaint_ppm_max": 5_000,
    "order_bid_ticks": 9_999,
    "order_ask_ticks": 10_001,
    "order_spread_ppm_max": 5_000,
    "order_price_ticks": 10_000,
    "order_window_ticks": 10_000,
    "order_window_ppm": 100_000,
    "order_sell_lots": 200,
    "order_free_lots": 200,
    "order_own_sell_ticks": 10_100,
    "order_value_units": 20 * UNIT,
    "order_value_units_max": 100 * UNIT,
    "order_home_units_max": 90 * UNIT,
    "order_qty_lots": 200,
    "order_qty_lots_max": 1_000,
    "order_volume_lots_max": 500,
    "order_depth_lots_max": 400,
}


# Of what account and venue can bear: nothing binds.
GOOD_RISK: dict[str, Any] = {
    "risk_unapproved": (),
    "risk_wait_ms": 0,
    "risk_duplicates": 0,
    "risk_messages": 3,
    "risk_messages_max": 8,
    "risk_asset_units": 20 * UNIT,
    "risk_asset_units_max": 200 * UNIT,
    "risk_pending_units": 20 * UNIT,
    "risk_pending_units_max": 90 * UNIT,
    "risk_correlated_units": 20 * UNIT,
    "risk_correlated_units_max": 150 * UNIT,
    "risk_var_units": 4 * UNIT,
    "risk_var_units_max": 30 * UNIT,
    "risk_used_units": 21 * UNIT,
    "risk_capital_units": 1_000 * UNIT,
}


def good(side: Side = Side.BUY, limits: Limits = LIMITS, **changed: Any) -> GateView:
    """A view that every gate lets through, with these numbers changed."""
    view = GateView(proposal(side), SPEC, limits)
    usual: dict[str, Any] = {
        "bid_ticks": 9_999,
        "ask_ticks": 10_001,
        "quote_age_ms": 500,
        "close_ticks": 10_000,
        "before_ticks": 10_000,
        "worst_ticks": 10_010,
        "halt_rank": 0,
        "mismatches": 0,
        "unresolved": 0,
        "working_entries": 0,
        "held_lots": 0,
        "owner_other": 0,
        "positions": 0,
        "enabled": 1,
        "shadow": 0,
        "may_add": 0,
        "own_notional_units_min": 10 * UNIT,
        "notional_units": 20 * UNIT,
        "cost_units": 20 * UNIT + UNIT // 50,
        "cash_units": 100 * UNIT,
        "exposure_units": 0,
        "position_cap_units": 250 * UNIT,
    }
    groups = {**GOOD_SUMS, **GOOD_TIER, **GOOD_TIMES, **GOOD_BOOK, **GOOD_ORDER, **GOOD_RISK}
    for name, value in {**usual, **groups, **changed}.items():
        if name.startswith("tier_"):
            setattr(view.tier, name.removeprefix("tier_"), value)
        elif name.startswith("order_"):
            setattr(view.order, name.removeprefix("order_"), value)
        elif name.startswith("risk_"):
            setattr(view.risk, name.removeprefix("risk_"), value)
        elif name.startswith("book_"):
            setattr(view.book, name.removeprefix("book_"), value)
        elif name.startswith("times_"):
            setattr(view.times, name.removeprefix("times_"), value)
        else:
            setattr(view.sums if name in AccountSums.__slots__ else view, name, value)
    return view


def noes(view: GateView) -> list[str]:
    return [answer.code for answer in ask_all(view) if not answer.ok]


def test_a_good_entry_and_a_good_exit_pass_every_gate() -> None:
    assert noes(good()) == []
    assert noes(good(Side.SELL)) == []


# code, what is changed at the bound (passes), and one unit past it (only this gate refuses)
BOUNDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("HALT_LEVEL", {"halt_rank": 0}, {"halt_rank": 1}),
    ("HASH_UNAPPROVED", {"risk_unapproved": ()}, {"risk_unapproved": ("code",)}),
    ("VENUE_DEGRADED", {"risk_wait_ms": 0}, {"risk_wait_ms": 1}),
    ("DUPLICATE_INTENT", {"risk_duplicates": 0}, {"risk_duplicates": 1}),
    ("MESSAGES", {"risk_messages": 8}, {"risk_messages": 9}),
    ("ASSET_EXPOSURE", {"risk_asset_units": 200 * UNIT}, {"risk_asset_units": 200 * UNIT + 1}),
    ("PENDING_EXPOSURE", {"risk_pending_units": 90 * UNIT}, {"risk_pending_units": 90 * UNIT + 1}),
    (
        "CORRELATED_EXPOSURE",
        {"risk_correlated_units": 150 * UNIT},
        {"risk_correlated_units": 150 * UNIT + 1},
    ),
    ("VALUE_AT_RISK", {"risk_var_units": 30 * UNIT}, {"risk_var_units": 30 * UNIT + 1}),
    ("CAPITAL", {"risk_used_units": 1_000 * UNIT}, {"risk_used_units": 1_000 * UNIT + 1}),
    ("STRATEGY_OFF", {"enabled": 1}, {"enabled": 0}),
    ("STRATEGY_SHADOW", {"shadow": 0}, {"shadow": 1}),
    ("BOOKS_MISMATCH", {"mismatches": 0}, {"mismatches": 1}),
    ("TIER_POSITIONS", {"tier_positions": 2}, {"tier_positions": 3}),
    (
        "TIER_WEIGHT",
        {"tier_exposure_units": 100 * UNIT},
        {"tier_exposure_units": 100 * UNIT + 1},
    ),
    ("INSTRUMENT_INACTIVE", {"active": 1}, {"active": 0}),
    ("SESSION_CLOSED", {"times_session_ms": 1_000}, {"times_session_ms": 1_001}),
    ("BLACKOUT", {"times_blackout_ms": 1_000}, {"times_blackout_ms": 1_001}),
    # 20 % of 10,000 before: 8,000 .. 12,000 (the collar is widened so as not to speak)
    ("DATA_JUMP", {"before_ticks": 12_500}, {"before_ticks": 12_501}),
    ("DATA_JUMP", {"before_ticks": 8_334}, {"before_ticks": 8_333}),
    ("DATA_JUMP", {"before_ticks": 8_334}, {"before_ticks": 0}),
    ("QUOTE_MISSING", {"bid_ticks": 1}, {"bid_ticks": 0}),
    ("QUOTE_CROSSED", {"bid_ticks": 10_001}, {"bid_ticks": 10_002}),
    ("QUOTE_OLD", {"quote_age_ms": 10_000}, {"quote_age_ms": 10_001}),
    ("QUOTE_OLD", {"quote_age_ms": -10_000}, {"quote_age_ms": -10_001}),
    # 3 % of 9,709 is 291.27, down: 10,000; of 9,708 9,999.24. The other side: 97 % of 10,309 is
    # 9,999.73, up: 10,000; of 10,310 10,000.7.
    ("PRICE_COLLAR", {"close_ticks": 9_709}, {"close_ticks": 9_708}),
    ("PRICE_COLLAR", {"close_ticks": 10_309}, {"close_ticks": 10_310}),
    # 0.1 % above an ask of 9,991 is 10,000.99; above 9,990 it is 9,999.99
    (
        "SLIPPAGE_CAP",
        {"ask_ticks": 9_991, "bid_ticks": 1},
        {"ask_ticks": 9_990, "bid_ticks": 1},
    ),
    ("TOUCH_MOVED", {"ask_ticks": 10_010}, {"ask_ticks": 10_011}),
    ("CLOCK_SKEW", {"order_skew_ms": 500}, {"order_skew_ms": 501}),
    ("CLOCK_SKEW", {"order_skew_ms": -500}, {"order_skew_ms": -501}),
    ("RESTRICTED", {"order_restricted": 0}, {"order_restricted": 1}),
    ("DATA_REPAINTED", {"order_repaint_ppm": 5_000}, {"order_repaint_ppm": 5_001}),
    # 2 ticks of 10,000 are 200 millionths
    ("SPREAD", {"order_spread_ppm_max": 200}, {"order_spread_ppm_max": 199}),
    ("SPREAD", {"order_bid_ticks": 1, "order_ask_ticks": 1}, {"order_bid_ticks": 0}),
    # 10 % above 9,091 is 10,000.1, above 9,090 it is 9,999; below 11,111 it is 9,999.9, up: 10,000
    ("COLLAR_WINDOW", {"order_window_ticks": 9_091}, {"order_window_ticks": 9_090}),
    ("COLLAR_WINDOW", {"order_window_ticks": 11_111}, {"order_window_ticks": 11_112}),
    (
        "COLLAR_WINDOW",
        {"order_window_asked": 0, "order_window_ticks": 0},
        {"order_window_ticks": 0},
    ),
    ("SHORT", {"order_free_lots": 200}, {"order_free_lots": 199}),
    ("SELF_CROSS", {"order_own_sell_ticks": 10_001}, {"order_own_sell_ticks": 10_000}),
    ("ORDER_VALUE", {"order_value_units_max": 20 * UNIT}, {"order_value_units_max": 20 * UNIT - 1}),
    (
        "ORDER_VALUE_HOME",
        {"order_home_units_max": 20 * UNIT},
        {"order_home_units_max": 20 * UNIT - 1},
    ),
    (
        "ORDER_VALUE_HOME",
        {"order_home_units_max": -1, "order_home_asked": 0},
        {"order_home_units_max": -1},
    ),
    ("ORDER_QTY", {"order_qty_lots_max": 200}, {"order_qty_lots_max": 199}),
    ("VOLUME_SHARE", {"order_volume_lots_max": 200}, {"order_volume_lots_max": 199}),
    (
        "VOLUME_SHARE",
        {"order_volume_lots_max": -1, "order_volume_asked": 0},
        {"order_volume_lots_max": -1},
    ),
    ("DEPTH_SHARE", {"order_depth_lots_max": 200}, {"order_depth_lots_max": 199}),
    (
        "DEPTH_SHARE",
        {"order_depth_lots_max": -1, "order_depth_asked": 0},
        {"order_depth_lots_max": -1},
    ),
    ("OUTCOME_UNKNOWN", {"unresolved": 0}, {"unresolved": 1}),
    ("ORDER_WORKING", {"working_entries": 0}, {"working_entries": 1}),
    ("OWNED_BY_OTHER", {"owner_other": 0}, {"owner_other": 1}),
    ("ALREADY_HELD", {"held_lots": 1}, {"held_lots": 2}),  # the smallest order is 2 lots
    ("POSITIONS_MAX", {"positions": 2}, {"positions": 3}),
    ("POSITION_CAP", {"exposure_units": 230 * UNIT}, {"exposure_units": 230 * UNIT + 1}),
    ("COOLDOWN", {"times_cooldown_ms": 900}, {"times_cooldown_ms": 901}),
    ("DAY_STOP", {"day_stopped": 0}, {"day_stopped": 1}),
    (
        "ROLLING_LOSS",
        {"book_rolling_loss_units": 60 * UNIT - 1},
        {"book_rolling_loss_units": 60 * UNIT},
    ),
    ("STRATEGY_DRAWDOWN", {"book_stopped": 0}, {"book_stopped": 1}),
    ("UNATTENDED", {"book_unattended": 100}, {"book_unattended": 101}),
    ("DRAWDOWN_STOP", {"drawdown_stopped": 0}, {"drawdown_stopped": 1}),
    ("TRADES_HOUR", {"trades_hour": 5}, {"trades_hour": 6}),
    ("TRADES_DAY", {"trades_day": 20}, {"trades_day": 21}),
    ("EXPOSURE_TOTAL", {"all_exposure_units": 500 * UNIT}, {"all_exposure_units": 500 * UNIT + 1}),
    ("LOSS_TOTAL", {"all_loss_units": 30 * UNIT}, {"all_loss_units": 30 * UNIT + 1}),
    (
        "BUDGET_EXPOSURE",
        {"own_exposure_units": 300 * UNIT},
        {"own_exposure_units": 300 * UNIT + 1},
    ),
    ("BUDGET_LOSS", {"own_loss_units": 20 * UNIT}, {"own_loss_units": 20 * UNIT + 1}),
    ("BUDGET_POSITIONS", {"own_positions": 3}, {"own_positions": 4}),
    ("BUDGET_TRADES_DAY", {"own_trades_day": 10}, {"own_trades_day": 11}),
    ("CASH", {"cash_units": 2_002_000_000}, {"cash_units": 2_001_999_999}),
    ("QTY_MIN", {"qty_lots": 2}, {"qty_lots": 1}),
    ("QTY_MAX", {"qty_lots": 9_000_000}, {"qty_lots": 9_000_001}),
    ("NOTIONAL_MIN", {"notional_units": 10 * UNIT}, {"notional_units": 10 * UNIT - 1}),
    (
        "NOTIONAL_MIN",
        {"own_notional_units_min": 0, "notional_units": 5 * UNIT},
        {"own_notional_units_min": 0, "notional_units": 5 * UNIT - 1},
    ),
]


@pytest.mark.parametrize(("code", "bound", "past"), BOUNDS)
def test_an_entry_at_the_bound_passes_and_one_unit_past_it_is_refused(
    code: str, bound: dict[str, Any], past: dict[str, Any]
) -> None:
    assert noes(good(**bound)) == []
    assert noes(good(**past)) == [code]


def test_every_gate_has_a_bound_here() -> None:
    assert {code for code, _, _ in BOUNDS} == {gate.code for gate in GATES}


EXIT_BOUNDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("HALT_LEVEL", {"halt_rank": 2}, {"halt_rank": 3}),
    ("INSTRUMENT_INACTIVE", {"active": 1}, {"active": 0}),
    ("QUOTE_MISSING", {"bid_ticks": 1}, {"bid_ticks": 0, "ask_ticks": 1}),
    ("QUOTE_CROSSED", {"ask_ticks": 9_999}, {"ask_ticks": 9_998}),
    ("QUOTE_OLD", {"quote_age_ms": 10_000}, {"quote_age_ms": 10_001}),
    # 0.1 % below a bid of 10,010 is 9,999.99, up: 10,000; below 10,011 it is 10,000.99
    (
        "SLIPPAGE_CAP",
        {"bid_ticks": 10_010, "ask_ticks": 10_020},
        {"bid_ticks": 10_011, "ask_ticks": 10_020},
    ),
    ("QTY_MIN", {"qty_lots": 2}, {"qty_lots": 1}),
    ("QTY_MAX", {"qty_lots": 9_000_000}, {"qty_lots": 9_000_001}),
    ("SHORT", {"order_free_lots": 200}, {"order_free_lots": 199}),
    # the venue's smallest value only: the policy's own is not asked of an exit
    ("NOTIONAL_MIN", {"notional_units": 5 * UNIT}, {"notional_units": 5 * UNIT - 1}),
]


@pytest.mark.parametrize(("code", "bound", "past"), EXIT_BOUNDS)
def test_an_exit_at_the_bound_passes_and_one_unit_past_it_is_refused(
    code: str, bound: dict[str, Any], past: dict[str, Any]
) -> None:
    assert noes(good(Side.SELL, **bound)) == []
    refused = noes(good(Side.SELL, **past))
    # Without a bid there is no slippage to measure either: both say so, the first one counts.
    assert refused == ([code, "SLIPPAGE_CAP"] if code == "QUOTE_MISSING" else [code])


def test_exits_are_asked_only_for_sanity_and_frozen() -> None:
    assert {gate.code for gate in GATES if gate.for_exits} == SANITY
    assert [answer.code for answer in ask_all(good(Side.SELL))] == [
        gate.code for gate in GATES if gate.code in SANITY
    ]


def test_an_exit_passes_whatever_guards_new_risk_would_say() -> None:
    bad: dict[str, Any] = {
        "halt_rank": 2,
        "mismatches": 9,
        "enabled": 0,
        "unresolved": 3,
        "working_entries": 3,
        "owner_other": 1,
        "positions": 99,
        "exposure_units": AMOUNT_MAX - 1,
        "cash_units": 0,
        "close_ticks": 0,
        "before_ticks": 0,
        "worst_ticks": 0,
    }
    assert noes(good(Side.SELL, **bad)) == []


@pytest.mark.parametrize("side", list(Side))
def test_a_view_that_nobody_filled_in_refuses(side: Side) -> None:
    view = GateView(proposal(side), SPEC, LIMITS)
    refused = noes(view)
    expected = {gate.code for gate in GATES if side is Side.BUY or gate.for_exits}
    # What the proposal and the instrument say by themselves is in order.
    told = {"INSTRUMENT_INACTIVE", "QUOTE_CROSSED", "QTY_MIN", "QTY_MAX"}
    assert set(refused) == expected - told
    assert refused[0] == "HALT_LEVEL"


def test_a_gate_that_cannot_be_evaluated_refuses() -> None:
    huge = AMOUNT_MAX - 1
    view = good(close_ticks=huge, before_ticks=huge)
    answers = {answer.code: answer for answer in ask_all(view)}
    for code in ("DATA_JUMP", "PRICE_COLLAR"):
        assert (answers[code].ok, answers[code].limit) == (False, -1)


def test_the_first_no_decides_and_says_limit_and_measure() -> None:
    verdict, answers = approve(
        proposal(), good(quote_age_ms=10_001, positions=7), SPEC, parameters()
    )
    assert isinstance(verdict, Refused)
    assert verdict.code == "QUOTE_OLD"
    assert verdict.detail == "limit=10000 measured=10001 unit=ms"
    assert len(answers) == len(GATES)


def test_what_every_gate_lets_through_is_approved_under_its_identity() -> None:
    verdict, _ = approve(proposal(), good(), SPEC, parameters())
    assert isinstance(verdict, Approved)
    assert verdict.client_order_id.startswith("abcdef")
    assert (str(verdict.price), str(verdict.qty)) == ("100.00", "0.200")


TIGHTER = st.fixed_dictionaries(
    {
        "slippage_ppm": st.integers(0, 20_000),
        "collar_ppm": st.integers(0, 60_000),
        "positions_max": st.integers(0, 6),
        "quote_age_ms_max": st.integers(0, 20_000),
        "bar_jump_ppm_max": st.integers(0, 400_000),
    }
)
VIEW = st.fixed_dictionaries(
    {
        "bid_ticks": st.integers(9_000, 10_100),
        "ask_ticks": st.integers(9_900, 11_000),
        "close_ticks": st.integers(9_000, 11_000),
        "before_ticks": st.integers(8_000, 13_000),
        "quote_age_ms": st.integers(-20_000, 20_000),
        "positions": st.integers(0, 5),
    }
)


@given(VIEW, TIGHTER, st.data(), st.sampled_from(list(Side)))
def test_tightening_any_limit_never_lets_more_through(
    numbers: dict[str, int], wide: dict[str, int], data: st.DataObject, side: Side
) -> None:
    name = data.draw(st.sampled_from(sorted(wide)))
    tight = {**wide, name: data.draw(st.integers(0, wide[name]))}
    before = set(noes(good(side, replace(LIMITS, **wide), **numbers)))
    after = set(noes(good(side, replace(LIMITS, **tight), **numbers)))
    assert before <= after


def test_a_gate_whose_numbers_do_not_fit_refuses_with_none() -> None:
    # Raised by the slippage cap the ask leaves the integers: nothing can be said.
    view = good(ask_ticks=AMOUNT_MAX - 1)
    told = {answer.code: answer for answer in ask_all(view)}["SLIPPAGE_CAP"]
    assert (told.ok, told.limit, told.measured) == (False, -1, -1)


def test_the_digest_of_answers_is_that_of_all_their_numbers() -> None:
    numbers = array("q")
    for answer in ask_all(good()):
        numbers.extend((int(answer.ok), answer.limit, answer.measured))
    expected = hashlib.sha256(b"".join(n.to_bytes(8, "little", signed=True) for n in numbers))
    assert ask_all(good()).digest() == expected.hexdigest()[:16]
    assert ask_all(good(cash_units=1)).digest() != ask_all(good()).digest()
