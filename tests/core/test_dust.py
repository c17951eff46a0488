"""Dust: told once, left in peace, sold as soon as the venue takes it; and exits without a bid.

60 lots are worth 6 USDT at 10,000 ticks; the venue takes 5 USDT and 2 lots, from 8,334 ticks on.
"""

from __future__ import annotations

from typing import Any

import pytest

from trader.core.fold import FoldError, fold
from trader.core.plan import Plan, plan, plan_payload
from trader.core.state import State, instrument_row

from .exit_tables import Row
from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    UNIT,
    account,
    fill_row,
    instrument,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
    strategy,
)
from .test_exit_tables import bought, carry_out, decide

KEY = f"one|{BTC}"


def answers(decided: Plan) -> list[str]:
    """What was answered about positions and dust."""
    told = [row.answer.partition(" ")[0] for row in decided.trail]
    return [word for word in told if word != "NO_SIGNAL" and not word.startswith("DATA_")]


def legs(decided: Plan) -> list[tuple[str, int, int]]:
    asked = [leg.proposal for leg in decided.legs]
    return [(one.reason, one.qty_lots, one.price_ticks) for one in asked]


def at(close: int, **changed: Any) -> Row:
    return Row((close, close, close), **changed)


def test_what_cannot_be_sold_is_told_once_and_sold_when_it_can_be() -> None:
    state = bought(60, stop_ticks=8_400)
    rows = [at(8_402), at(8_200), at(8_200), at(8_300), at(8_341)]
    told: list[list[str]] = []
    decided = decide(state, rows, 0)
    for number in range(len(rows)):
        decided = decide(state, rows, number)
        told.append(answers(decided))
        assert decided.dust == ({KEY: 6_000_000} if number == 1 else {})
        carry_out(state, decided)
        assert (state.positions[BTC].strategy == "one") == (number == 0)
    # The bid is 8,340 at the end; 60 lots go for 8,334, which is worth 5.0004 USDT.
    assert told == [["HOLD"], ["DUST"], [], [], ["approved"]]
    assert legs(decided) == [("dust", 60, 8_334)]
    assert state.held_units("one", BTC) == 0
    assert answers(decide(state, [*rows, at(8_341)], 5)) == []


def test_a_bid_that_cannot_be_makes_no_dust() -> None:
    # The collar is 3 %: of a close of 10,000 a bid of 9,700 counts, and one tick less is insane.
    state = bought(51, stop_ticks=9_900)
    assert answers(decide(state, [at(10_000, bid=9_700)], 0)) == ["DUST"]
    assert answers(decide(state, [at(10_000, bid=9_699)], 0)) == ["NOTIONAL_MIN"]
    # Without a bar there is nothing to hold it against.
    assert answers(decide(state, [at(10_000, bid=9_699)], 0, series={})) == ["DUST"]


def test_dust_is_no_position_and_keeps_nobody_out() -> None:
    state = bought(60, stop_ticks=8_400)
    carry_out(state, decide(state, [at(8_200)], 0))
    policy = parameters(strategy("two", BTC), positions_max=1)
    now_ms = BAR_MS + 2 * MINUTE_MS
    given: dict[str, Any] = {"bar_ms": BAR_MS + MINUTE_MS, "now_ms": now_ms}
    series = {(BTC, "1m"): _flat(8_200)}
    seen = snapshot(
        state, policy, **given, series=series, quotes={BTC: quote(8_199, 8_201, now_ms)}
    )
    decided = plan(seen)
    assert [(leg.symbol, leg.proposal.strategy) for leg in decided.legs] == [(BTC, "two")]
    row = decided.legs[0].row()
    fold(state, "plan", plan_payload(decided))
    client_id = str(row["client_id"])
    fold(state, "order_sent", {"client_id": client_id, "at_ms": now_ms})
    cost = {"qty_lots": row["qty_lots"], "cost_units": 1, "at_ms": now_ms}
    fold(state, "fill", fill_row(client_id, "t", **cost))
    assert state.positions[BTC].strategy == "two"
    assert state.held_units("one", BTC) == 6_000_000
    # What another strategy owns is not asked about, however much its dust is worth.
    later = {"bar_ms": BAR_MS + 2 * MINUTE_MS, "now_ms": now_ms + MINUTE_MS}
    series = {(BTC, "1m"): _flat(9_000, 2)}
    quotes = {BTC: quote(8_999, 9_001, now_ms + MINUTE_MS)}
    codes = {"two": says(enter=0)}
    decided = plan(snapshot(state, policy, **later, series=series, quotes=quotes, strategies=codes))
    assert answers(decided) == ["HOLD"]


def _flat(close: int, minutes: int = 1) -> Any:
    from .test_exits import series_of

    return series_of([(close, close, close)] * 12, BAR_MS + minutes * MINUTE_MS)


def test_its_owner_finds_dust_again_with_its_next_position() -> None:
    state = bought(60, stop_ticks=8_400)
    carry_out(state, decide(state, [at(8_200)], 0))
    sent(state, order_row("b" * 32, signal_ms=2, qty_lots=100, stop_ticks=8_000))
    fold(state, "fill", fill_row("b" * 32, "2", cost_units=UNIT))
    assert state.positions[BTC].own_units == 16_000_000
    assert not state.holdings[KEY].is_dust
    decided = decide(state, [at(8_200), at(7_900)], 1)
    assert [(reason, lots) for reason, lots, _ in legs(decided)] == [("stop_loss", 160)]


def test_a_smallest_value_that_the_venue_raised_makes_dust_and_lowered_ends_it() -> None:
    state = bought(100, stop_ticks=9_900)
    raised = instrument_row(instrument(BTC, notional_min="20"))
    fold(state, "instrument", raised)
    carry_out(state, first := decide(state, [at(9_800)], 0))
    assert answers(first) == ["DUST"]
    fold(state, "instrument", instrument_row(instrument(BTC)))
    decided = decide(state, [at(9_800), at(9_800)], 1)
    assert legs(decided) == [("dust", 100, 9_790)]  # 9,799 less 1,000 ppm, up


def test_a_smallest_quantity_that_the_venue_raised_is_told_without_any_exit() -> None:
    state = bought(100, stop_ticks=9_900)
    fold(state, "instrument", instrument_row(instrument(BTC, qty_min="0.2")))
    decided = decide(state, [at(10_000)], 0)
    assert answers(decided) == ["DUST"]
    carry_out(state, decided)
    assert answers(decide(state, [at(10_000)] * 2, 1)) == []
    assert state.positions[BTC].strategy == ""


def test_a_step_that_grew_beyond_the_position_makes_dust() -> None:
    state = bought(100, stop_ticks=9_900)
    fold(state, "instrument", instrument_row(instrument(BTC, lot="1", qty_min="1")))
    decided = decide(state, [at(9_000)], 0)
    assert answers(decided) == ["DUST"]
    carry_out(state, decided)
    assert state.holdings[KEY].is_dust
    # Back again: the same coins are counted in the old lots, and still dust until they are sold.
    fold(state, "instrument", instrument_row(instrument(BTC)))
    assert state.holdings[KEY].is_dust
    assert [reason for reason, _, _ in legs(decide(state, [at(9_000)] * 2, 1))] == ["dust"]


def test_what_a_fee_left_of_an_exit_is_told_once() -> None:
    state = bought(1_000, fee_base_units=150_000, stop_ticks=9_900)  # one lot and a half
    rows = [at(9_800), at(9_800), at(9_800)]
    told: list[list[str]] = []
    for number in range(3):
        decided = decide(state, rows, number)
        told.append(answers(decided))
        carry_out(state, decided)
    assert told == [["approved"], ["DUST"], []]
    assert state.holdings[KEY].qty_units == state.holdings[KEY].dust_units == 50_000


def test_a_single_unit_is_dust_too() -> None:
    state = bought(1_000, fee_base_units=99_999, stop_ticks=9_900)
    carry_out(state, decide(state, [at(9_800)], 0))
    assert state.holdings[KEY].qty_units == 1
    assert decide(state, [at(9_800)] * 2, 1).dust == {KEY: 1}


def test_nothing_is_dust_while_an_order_may_still_fill() -> None:
    state = account()
    sent(state, order_row(signal_ms=1, qty_lots=100))
    fold(state, "fill", fill_row(qty_lots=1, cost_units=UNIT // 10))
    assert answers(decide(state, [at(10_000)], 0)) == []
    unknown = bought(60, stop_ticks=8_400)
    sell = order_row("c" * 32, side="sell", qty_lots=10, signal_ms=0, stop_ticks=0)
    sent(unknown, sell, outcome="unknown")
    # What is left of it is too little, but the ten may come back.
    assert answers(decide(unknown, [at(8_200)], 0)) == ["NOTIONAL_MIN"]


@pytest.mark.parametrize(
    "quotes",
    [{}, {BTC: quote(0, 1)}, {BTC: quote(9_800, 9_700)}, {BTC: quote(9_800, 9_801, BAR_MS - 1)}],
)
def test_without_a_fresh_bid_nothing_is_dust_nothing_is_sold_and_an_alarm_says_so(
    quotes: dict[str, Any],
) -> None:
    state = bought(60, stop_ticks=9_900)
    decided = decide(state, [at(7_000)], 0, quotes=quotes)
    assert (decided.legs, decided.dust) == ((), {})
    assert [refused.code[:6] for refused in decided.refused] == ["QUOTE_"]
    assert decided.alarms == (f"EXIT_NO_BID symbol={BTC} reason=stop_loss",)
    fold(state, "plan", plan_payload(decided))
    assert state.word("alarms") == decided.alarms[0]
    # It ends with the reason for it.
    carry_out(state, decide(state, [at(7_000), at(8_500)], 1))
    assert state.word("alarms") == ""


def test_a_position_that_nobody_can_see_raises_an_alarm() -> None:
    state = bought(1_000, stop_ticks=9_900)
    blind: dict[str, Any] = {"series": {}, "quotes": {}}
    decided = decide(state, [at(10_000)], 0, **blind)
    assert answers(decided) == ["EXIT_NO_BID"]
    assert decided.alarms == (f"EXIT_NO_BID symbol={BTC} reason=blind",)
    # Stale bars alone are no reason: the bid is looked at.
    decided = decide(state, [at(10_000)], 0, series={})
    assert (answers(decided), decided.alarms) == (["HOLD"], ())
    decided = decide(state, [at(9_900)], 0, series={})
    assert [reason for reason, _, _ in legs(decided)] == ["stop_loss"]


def test_a_step_without_a_bid_raises_an_alarm_and_is_not_lost() -> None:
    state = bought(1_000, stop_ticks=9_000, steps="10500:300000")
    rows = [Row((10_500, 10_400, 10_450)), at(10_100)]
    decided = decide(state, rows, 0, quotes={})
    assert decided.scaled == {BTC: 1}
    assert decided.alarms == (f"EXIT_NO_BID symbol={BTC} reason=scale_out",)
    assert (decided.refused, decided.trail[0].answer) == ((), "HOLD")
    carry_out(state, decided)
    assert [(r, lots) for r, lots, _ in legs(decide(state, rows, 1))] == [("scale_out", 300)]


@pytest.mark.parametrize(
    "payload",
    [
        {"dust": {KEY: 5}},
        {"dust": {"nobody|X": 5}},
        {"scaled": {BTC: 2}},
        {"scaled": {BTC: 0}},
        {"scaled": {ETH: 1}},
        {"stops": {BTC: 8_400}},
        {"stops": {ETH: 8_400}},
    ],
)
def test_a_plan_that_tells_what_cannot_be_is_refused(payload: dict[str, Any]) -> None:
    state = bought(60, stop_ticks=8_400, steps="10500:300000")
    with pytest.raises(FoldError):
        fold(state, "plan", {"bar_ms": BAR_MS, "legs": [], **payload})
    assert state.positions[BTC].stop_ticks == 8_400


def test_steps_and_prices_change_with_the_tick() -> None:
    state: State = bought(
        1_000,
        stop_ticks=9_001,
        arm_ticks=10_301,
        even_ticks=10_205,
        steps="10501:300000 11000:300000",
    )
    fold(state, "instrument", instrument_row(instrument(BTC, tick="0.1")))
    position = state.positions[BTC]
    assert (position.stop_ticks, position.arm_ticks, position.even_ticks) == (901, 1_031, 1_021)
    assert position.steps == "1051:300000 1100:300000"
