"""The plan: scenarios with one answer each, and what a decision must not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from trader.core import gates
from trader.core.approval import Approved
from trader.core.fold import fold
from trader.core.marks import DAY_MS
from trader.core.money import PPM
from trader.core.parameters import SizeSpec, TierSpec, UniverseSpec
from trader.core.plan import Plan, plan, plan_payload
from trader.core.simulate import plan_bytes
from trader.core.snapshot import Snapshot
from trader.core.state import State, instrument_row
from trader.domain.order import Side

from .book_scenes import BOOK_SCENES
from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    NOW_MS,
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
from .order_scenes import ORDER_SCENES
from .risk_scenes import RISK_SCENES
from .test_fold import dump


def answers(decided: Plan) -> list[str]:
    return [row.answer for row in decided.trail]


def leg(decided: Plan, index: int = 0) -> tuple[Any, ...]:
    p = decided.legs[index].proposal
    return p.symbol, str(p.side), p.price_ticks, p.qty_lots, p.stop_ticks, p.reason


# --- entries -----------------------------------------------------------------------------------


def test_an_entry_by_hand() -> None:
    decided = plan(snapshot(account()))
    # Budget 10 % of 1,000 = 100; worst price 10,000 + 0.1 % = 10,010; a lot there with its fee
    # is 0.1001 x 1.001 = 0.1002001: 998 lots. Limit: ask 10,001 + 0.1 % = 10,011.001, at most
    # 10,010. Stop 1.00 below the close.
    assert leg(decided) == (BTC, "buy", 10_010, 998, 9_900, "entry_signal")
    assert answers(decided) == ["approved"]
    row = decided.legs[0].row()
    assert (row["signal_ms"], row["bar_ms"], row["leg"], row["attempt"]) == (BAR_MS, BAR_MS, 0, 0)


def test_a_cheaper_touch_makes_a_cheaper_limit_but_not_another_size() -> None:
    decided = plan(snapshot(account(), quotes={BTC: quote(9_980, 9_990)}))
    # 9,990 + 0.1 % = 9,999.99, down
    assert leg(decided)[2:4] == (9_999, 998)


@pytest.mark.parametrize(("strength", "lots"), [(0.5, 499), (1.0, 998), (2.0, 998)])
def test_strength_scales_the_size(strength: float, lots: int) -> None:
    decided = plan(snapshot(account(), strategies={"one": says(strength=strength)}))
    assert leg(decided)[3] == lots


def test_two_entries_share_the_cash() -> None:
    policy = parameters(
        strategy("one", BTC, share=600_000),
        strategy("two", ETH, share=600_000),
        position_ppm=1_000_000,
    )
    decided = plan(snapshot(account(), policy))
    assert answers(decided) == ["approved", "CASH"]
    refused = decided.refused[0]
    assert (refused.proposal.strategy, refused.code) == ("two", "CASH")
    # 1,000 less what the first may cost: 5,988 lots x 0.1001, and 0.1 % of it rounded up.
    free = 1_000 * UNIT - (599_398_800_00 + 59_939_880)
    assert f"limit={free} " in refused.detail
    payload = plan_payload(decided)
    assert payload["refused"] == [["two", ETH, "buy", "CASH", refused.detail]]


def test_cash_in_flight_is_not_spent_twice() -> None:
    state = account()
    big = order_row("b" * 32, symbol=ETH, qty_lots=9_500)
    sent(state, big, outcome="unknown")
    decided = plan(snapshot(state))
    assert answers(decided) == ["CASH"]


def test_an_instrument_owned_by_another_strategy_is_left_alone() -> None:
    state = account()
    hold(state, name="other")
    decided = plan(snapshot(state))
    assert answers(decided) == ["HOLD", "OWNED_BY_OTHER owner=other"]
    assert decided.refused[0].detail.startswith("owner=other limit=0 measured=1 ")


def test_dust_of_another_strategy_keeps_nobody_out() -> None:
    state = account()
    sent(state, order_row("d" * 32, strategy="other", qty_lots=2))
    # 2 lots less a fee of one unit: less than the smallest order.
    dust = fill_row("d" * 32, qty_lots=2, cost_units=UNIT // 5, fee_base_units=1)
    fold(state, "fill", dust)
    assert state.positions[BTC].qty_units == 199_999
    assert answers(plan(snapshot(state))) == ["DUST", "approved"]


QUIET: list[tuple[str, dict[str, Any]]] = [
    ("NO_SIGNAL", {"strategies": {"one": says(enter=0)}}),
    ("SIZE_NOTHING", {"strategies": {"one": says(strength=0.0)}}),
    ("DATA_STALE wanted_ms", {"series": {}}),
    ("STRATEGY_FAILED", {"strategies": {"one": says(enter=1, stop="x")}}),  # type: ignore[arg-type] # a user's mistake
    ("DATA_IMPOSSIBLE bar_ms=1", {"troubles": {BTC: ("DATA_IMPOSSIBLE bar_ms=1", "X")}}),
    ("AMOUNT_OVERFLOW", {"strategies": {"one": says(stop=1e300)}}),
]


@pytest.mark.parametrize(("answer", "changed"), QUIET)
def test_nothing_is_asked_for_and_the_trail_says_why(answer: str, changed: dict[str, Any]) -> None:
    decided = plan(snapshot(account(), **changed))
    assert not decided.legs
    assert not decided.refused
    assert len(decided.trail) == 1
    assert decided.trail[0].answer.startswith(answer)


def test_an_instrument_that_the_venue_does_not_list_is_not_traded() -> None:
    decided = plan(snapshot(account(1_000 * UNIT, instrument(ETH))))
    assert answers(decided) == ["INSTRUMENT_INACTIVE known=0"]


def test_a_signal_is_used_once_and_only_by_a_fill() -> None:
    state = account()
    sent(state, order_row(signal_ms=BAR_MS), outcome="rejected")
    assert answers(plan(snapshot(state))) == ["approved"]
    sent(state, order_row("b" * 32, signal_ms=BAR_MS, qty_lots=100))
    fold(state, "fill", fill_row("b" * 32, qty_lots=1, cost_units=UNIT // 10))
    seen = {"at_ms": 1, "state": "expired", "venue_lots": 1, "venue_id": "", "source": "order"}
    fold(state, "order_seen", {"client_id": "b" * 32, **seen})
    assert answers(plan(snapshot(state))) == ["DUST", "SIGNAL_USED"]


# --- exits -------------------------------------------------------------------------------------


def holding(**changed: Any) -> Snapshot:
    state = account()
    hold(state, **changed)
    return snapshot(state, strategies={"one": says(enter=0)})


def test_a_position_without_a_reason_to_leave_is_held() -> None:
    decided = plan(holding())
    assert answers(decided) == ["HOLD", "NO_SIGNAL"]


def test_an_exit_by_hand() -> None:
    state = account()
    hold(state)
    decided = plan(snapshot(state, strategies={"one": says(enter=0, leave=1)}))
    # 0.1 % below the bid of 9,999 is 9,989.001, up
    assert leg(decided) == (BTC, "sell", 9_990, 100, 0, "exit_signal")


@pytest.mark.parametrize(
    ("low", "bid", "reason"),
    [
        (9_900, 9_999, "stop_loss"),  # the bar touched it
        (9_901, 9_999, ""),
        (9_950, 9_900, "stop_loss"),  # the bid is there now
        (9_950, 9_901, ""),
    ],
)
def test_a_stop_is_hit_by_the_low_or_by_the_bid(low: int, bid: int, reason: str) -> None:
    state = account()
    hold(state)
    decided = plan(
        snapshot(
            state,
            strategies={"one": says(enter=0)},
            series={(BTC, "1m"): bars([10_000, 10_000], lows=[10_000, low])},
            quotes={BTC: quote(bid, 10_001)},
        )
    )
    assert [made.proposal.reason for made in decided.legs] == ([reason] if reason else [])


def test_a_stop_is_looked_at_though_the_strategy_is_gone_or_fails() -> None:
    for changed in (
        {"strategies": {"one": says(stop="x")}},  # type: ignore[arg-type] # a user's mistake
        {"troubles": {"*": ("CASH_SHORT",), BTC: ("DATA_STALE",)}},
    ):
        state = account()
        hold(state, stop_ticks=9_999)
        decided = plan(snapshot(state, **changed))
        assert leg(decided)[1] == "sell"
    state = account()
    hold(state, name="gone", stop_ticks=9_999)
    decided = plan(snapshot(state))
    assert leg(decided)[:2] == (BTC, "sell")
    assert decided.legs[0].proposal.strategy == "gone"
    assert decided.trail[0].seen["problem"] == "STRATEGY_GONE"


def test_exits_come_before_entries_and_free_nothing_yet() -> None:
    state = account(20 * UNIT)
    hold(state, ETH, lots=190, name="two", stop_ticks=10_000)
    policy = parameters(strategy("one", BTC, share=900_000), position_ppm=1_000_000)
    decided = plan(snapshot(state, policy))
    assert [(p.symbol, p.side) for p in decided.legs] == [(ETH, Side.SELL)]
    assert answers(decided) == ["approved", "CASH"]


def test_an_exit_sells_no_more_than_is_held_less_what_may_be_sold_already() -> None:
    state = account()
    hold(state, lots=200, stop_ticks=10_000)
    sent(state, order_row("s" * 32, side="sell", qty_lots=120, signal_ms=0), outcome="unknown")
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}))
    assert leg(decided)[1:4:2] == ("sell", 80)
    sent(state, order_row("t" * 32, side="sell", qty_lots=80, signal_ms=0), outcome="unknown")
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}))
    assert answers(decided)[0] == "EXIT_WORKING"


def test_an_exit_without_a_quote_is_refused_by_name() -> None:
    state = account()
    hold(state, stop_ticks=10_000)
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}, quotes={}))
    assert [r.code for r in decided.refused] == ["QUOTE_MISSING"]


def test_a_strategys_own_smallest_order_counts_when_it_is_larger() -> None:
    # 998 lots at 100.10, the worst price, are 99.8998.
    nothing = "SIZE_NOTHING bound=equity_share lots=998 value_units=9989980000 value_units_min="
    for own, answer in (
        ("101", nothing + "10100000000"),
        ("99.89980001", nothing + "9989980001"),
        ("99.8998", "approved"),
        ("9", "approved"),
    ):
        policy = parameters(strategy(size=SizeSpec(share_ppm=100_000, notional_min=own)))
        assert answers(plan(snapshot(account(), policy))) == [answer]


def capped(caps: Mapping[str, int], **own: int) -> int:
    """Lots of BTC that are bought when 100 of 1,000 are wanted, under these caps."""
    universe = UniverseSpec(tiers=(TierSpec("core", (BTC,), weight_ppm=own.pop("weight", PPM)),))
    policy = parameters(strategy("one", BTC, **own), **caps)
    state = account()
    members = {"core": f"{BAR_MS + MINUTE_MS} {BTC}"}
    fold(state, "plan", {"bar_ms": BAR_MS - MINUTE_MS, "legs": [], "members": members})
    decided = plan(snapshot(state, replace(policy, universe=universe)))
    return decided.legs[0].proposal.qty_lots


def test_a_size_above_a_cap_is_cut_to_the_cap() -> None:
    # 100 / 1.001 of fee = 99.90; at 100.10, the worst price, that is 998 lots of 0.001.
    assert capped({}) == capped({"position_ppm": 100_000}) == 998
    # 50 / 1.001 = 49.95: 499 lots.
    half = capped({"position_ppm": 50_000})
    assert half == 499
    assert half == capped({"exposure_ppm_max": 50_000})
    assert half == capped({}, budget_exposure_ppm=50_000)
    assert half == capped({}, weight=50_000)
    assert half == capped({"position_ppm": 70_000}, weight=50_000)


# --- purity ------------------------------------------------------------------------------------


def test_equal_snapshots_give_equal_bytes_and_the_state_stays_as_it_was() -> None:
    state = account()
    hold(state, ETH, name="two", stop_ticks=10_000)
    policy = parameters(strategy("one", BTC), strategy("two", ETH))
    view = snapshot(state, policy)
    before = dump(state)
    first = plan_bytes(plan(view))
    assert plan_bytes(plan(view)) == first
    assert plan_bytes(plan(snapshot(state, policy))) == first
    assert dump(state) == before


def test_a_later_clock_alone_changes_the_trail_but_not_the_orders() -> None:
    first, second = plan(snapshot(account())), plan(snapshot(account(), now_ms=NOW_MS + 1))
    assert plan_payload(first)["legs"] == plan_payload(second)["legs"]
    assert plan_payload(first)["trail"] != plan_payload(second)["trail"]


# --- each gate is needed -------------------------------------------------------------------------

Scene = Callable[[], Snapshot]


def with_orders(*rows: tuple[dict[str, Any], str]) -> State:
    state = account()
    for row, outcome in rows:
        sent(state, row, outcome=outcome)
    return state


def holding_many() -> State:
    state = account()
    for symbol in ("A/USDT", "B/USDT", "C/USDT"):
        fold(state, "instrument", instrument_row(instrument(symbol)))
        hold(state, symbol, lots=60, name="x")
    return state


SELL = {"side": "sell", "signal_ms": 0, "qty_lots": 10, "price_ticks": 10_100}
SCENES: dict[str, Scene] = {
    "HALT_LEVEL": lambda: snapshot(account(), latch="no_entries"),
    "STRATEGY_OFF": lambda: snapshot(account(), parameters(strategy(enabled=False))),
    "STRATEGY_SHADOW": lambda: snapshot(account(), parameters(strategy(shadow=True))),
    "BOOKS_MISMATCH": lambda: snapshot(account(), troubles={"*": ("CASH_SHORT x=1",)}),
    "INSTRUMENT_INACTIVE": lambda: snapshot(account(1_000 * UNIT, instrument(active=False))),
    "DATA_JUMP": lambda: snapshot(account(), series={(BTC, "1m"): bars([7_000, 10_000])}),
    "QUOTE_MISSING": lambda: snapshot(account(), quotes={BTC: quote(0, 10_001)}),
    "QUOTE_CROSSED": lambda: snapshot(account(), quotes={BTC: quote(10_002, 10_001)}),
    "QUOTE_OLD": lambda: snapshot(account(), quotes={BTC: quote(at_ms=NOW_MS - 10_001)}),
    "PRICE_COLLAR": lambda: snapshot(account(), parameters(collar_ppm=999)),
    "TOUCH_MOVED": lambda: snapshot(account(), quotes={BTC: quote(9_999, 10_011)}),
    "OUTCOME_UNKNOWN": lambda: snapshot(with_orders((order_row(**SELL), "unknown"))),
    "ORDER_WORKING": lambda: snapshot(with_orders((order_row(qty_lots=10), "accepted"))),
    "OWNED_BY_OTHER": lambda: snapshot(
        with_orders((order_row(strategy="two", **SELL), "accepted"))
    ),
    "POSITIONS_MAX": lambda: snapshot(holding_many()),
    "QTY_MIN": lambda: snapshot(
        account(1_000 * UNIT, instrument(qty_min="5")), parameters(position_ppm=1_000_000)
    ),
    # 99.90 at the price of the size, but the ask has fallen: 998 lots at 99.19 are 98.99.
    "NOTIONAL_MIN": lambda: snapshot(
        account(), parameters(order_notional_min="99.5"), quotes={BTC: quote(9_905, 9_910)}
    ),
}


def already_held() -> Snapshot:
    state = account()
    hold(state)
    return snapshot(state)


def cash() -> Snapshot:
    """500 of 1,000 were paid for ETH, worth 600 now; 480 are on their way: 110 more are not there,
    though what positions cost and orders may cost stays within equity."""
    state = account()
    hold(state, ETH, lots=5_000, name="two")
    sent(state, order_row("b" * 32, symbol=ETH, strategy="two", qty_lots=4_795), outcome="unknown")
    series = {(BTC, "1m"): bars([10_000, 10_000]), (ETH, "1m"): bars([12_000, 12_000], ETH)}
    return snapshot(state, series=series)


def marked(**marks: int) -> Snapshot:
    """An account whose marks were left so by the decision before."""
    state = account()
    fold(state, "plan", {"bar_ms": BAR_MS - MINUTE_MS, "legs": [], "marks": marks})
    return snapshot(state)


def traded(**limits: Any) -> Snapshot:
    """An account that has just sent and lost sight of nothing: one entry, expired unfilled."""
    state = account()
    sent(state, order_row(symbol=ETH, qty_lots=10))
    seen = {"client_id": order_row()["client_id"], "at_ms": NOW_MS, "venue_id": ""}
    fold(state, "order_seen", {**seen, "state": "expired", "venue_lots": 0, "source": "order"})
    own = limits.pop("own_trades", 10)
    spec = strategy(budget_trades_day_max=own)
    return snapshot(state, parameters(spec, **limits))


def holding_one(limits: Mapping[str, int] | None = None, **budget: int) -> Snapshot:
    """One strategy wants 100 of BTC and holds 60 lots (6 USDT) of ETH, of 1,000."""
    state = account()
    hold(state, ETH, lots=60, name="one", stop_ticks=9_000)
    return snapshot(state, parameters(strategy("one", BTC, **budget), **(limits or {})))


def adding() -> Snapshot:
    """The same strategy adds nearly 100 to 6 that it holds, of 1,000."""
    state = account()
    hold(state, BTC, lots=60, name="one", stop_ticks=9_000)
    spec = strategy("one", BTC, pyramiding=True)
    return snapshot(state, parameters(spec, pyramiding=True, position_ppm=105_000))


def tiered(**caps: int) -> Snapshot:
    """One strategy wants BTC and holds 60 lots (6 USDT) of ETH, of the same tier."""
    state = account()
    hold(state, ETH, lots=60, name="one", stop_ticks=9_000)
    chosen = f"{BAR_MS + MINUTE_MS} {BTC} {ETH}"
    fold(state, "plan", {"bar_ms": BAR_MS - MINUTE_MS, "legs": [], "members": {"core": chosen}})
    universe = UniverseSpec(tiers=(TierSpec("core", (BTC, ETH), **caps),))
    return snapshot(state, replace(parameters(strategy("one", BTC)), universe=universe))


SCENES |= {"ALREADY_HELD": already_held, "CASH": cash, "POSITION_CAP": adding}
SCENES |= {
    "TIER_POSITIONS": lambda: tiered(positions_max=1),
    # 6 are held and nearly 100 to be bought, of 1,000.
    "TIER_WEIGHT": lambda: tiered(weight_ppm=100_000),
}
SCENES |= {
    # The day began with 1,100: 1,000 are 9.1 % less; its high was 1,100 likewise.
    "DAY_STOP": lambda: replace(
        marked(day=BAR_MS // DAY_MS, day_units=1_100 * UNIT),
        parameters=parameters(day_stop_ppm=90_000),
    ),
    "DRAWDOWN_STOP": lambda: replace(
        marked(high_units=1_100 * UNIT), parameters=parameters(drawdown_ppm_max=90_000)
    ),
    "TRADES_HOUR": lambda: traded(trades_hour_max=1),
    "TRADES_DAY": lambda: traded(trades_day_max=1),
    "BUDGET_TRADES_DAY": lambda: traded(own_trades=0),
    "EXPOSURE_TOTAL": lambda: holding_one({"exposure_ppm_max": 105_000}),
    "LOSS_TOTAL": lambda: snapshot(account(), parameters(loss_ppm_max=1_000)),
    "BUDGET_EXPOSURE": lambda: holding_one(budget_exposure_ppm=105_000),
    "BUDGET_LOSS": lambda: holding_one(budget_loss_ppm=1_700),
    "BUDGET_POSITIONS": lambda: holding_one(budget_positions_max=1),
}
SCENES |= RISK_SCENES | ORDER_SCENES | BOOK_SCENES
# A plan cannot break these: it prices within the slippage cap, sizes within the largest quantity,
# and sells no more than is free. `step` can (rules that change under an exit), and the gates' own
# tests ask them alone.
NOT_BY_PLAN = {"SLIPPAGE_CAP", "QTY_MAX", "SHORT"}


def test_there_is_a_scene_for_every_gate() -> None:
    assert set(SCENES) | NOT_BY_PLAN == {gate.code for gate in gates.GATES}


@pytest.mark.parametrize("code", sorted(SCENES))
def test_a_gate_refuses_alone_and_without_it_the_order_would_leave(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided = plan(SCENES[code]())
    assert [r.code for r in decided.refused] == [code]
    assert not decided.legs
    monkeypatch.setattr(gates, "GATES", tuple(g for g in gates.GATES if g.code != code))
    without = plan(SCENES[code]())
    assert [made.symbol for made in without.legs] == [BTC]
    assert isinstance(without.legs[0], Approved)


def test_a_day_of_bars_is_not_needed_to_see_that_the_newest_low_is_the_decision_bars() -> None:
    state = account()
    hold(state)
    late = {(BTC, "1m"): bars([10_000, 10_000], last_ms=BAR_MS - MINUTE_MS, lows=[1, 1])}
    decided = plan(snapshot(state, strategies={"one": says(enter=0)}, series=late))
    assert decided.trail[0].seen["low_ticks"] == 0
    assert answers(decided)[0] == "HOLD"
