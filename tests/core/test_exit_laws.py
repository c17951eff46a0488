"""Laws of exits over random bars: stops never loosen, nothing is sold that is not held, and what is
tighter never keeps a position longer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trader.core.bookkeeping import is_open
from trader.core.exits import Look, exit_reason
from trader.core.state import Position

from .exit_tables import Row
from .made import BTC
from .test_exit_tables import LOTS, bought, carry_out, decide

PRICE = st.integers(8_000, 12_000)


@st.composite
def bars(draw: st.DrawFn) -> list[Row]:
    """Bars around 10,000 ticks, some lots of whose sales fill."""
    rows: list[Row] = []
    for _ in range(draw(st.integers(2, 6))):
        low, close, high = sorted(draw(st.tuples(PRICE, PRICE, PRICE)))
        filled = draw(st.sampled_from([-1, -1, 0, 37, 150]))
        rows.append(Row((high, low, close), filled=filled))
    return rows


EXITS = st.fixed_dictionaries(
    {
        "stop_ticks": st.sampled_from([0, 8_500, 9_500, 9_900]),
        "target_ticks": st.sampled_from([0, 10_500, 11_500]),
        "trail_ticks": st.sampled_from([0, 200, 900]),
        "arm_ticks": st.sampled_from([0, 10_400]),
        "even_ticks": st.sampled_from([0, 10_050, 10_300]),
        "steps": st.sampled_from(["", "10300:250000", "10200:300000 10900:700000"]),
        "hold_ms": st.sampled_from([0, 180_000]),
    }
)


@settings(max_examples=60, deadline=None)
@given(EXITS, bars())
def test_stops_never_loosen_and_nothing_is_sold_that_is_not_held(
    exits: dict[str, Any], rows: list[Row]
) -> None:
    state = bought(**exits)
    position = state.positions[BTC]
    spec = state.spec(BTC)
    stop, scaled = position.stop_ticks, 0
    for at, row in enumerate(rows):
        held = state.held_units("one", BTC)
        decided = decide(state, rows, at)
        asked = sum(leg.proposal.qty_lots for leg in decided.legs)
        assert asked * spec.base_per_lot <= held
        assert len(decided.legs) <= 1
        filled = -1 if row.filled < 0 else min(row.filled, asked)
        carry_out(state, decided, filled)
        assert 0 <= state.held_units("one", BTC) <= held
        if not is_open(position, spec) or not position.strategy:
            return
        assert (position.stop_ticks, position.scaled) >= (stop, scaled)
        assert position.stop_ticks >= stop
        stop, scaled = position.stop_ticks, position.scaled


def left_at(exits: dict[str, Any], rows: list[Row]) -> int:
    """The first bar at which all of it is to be left."""
    state = bought(**exits)
    for at in range(len(rows)):
        decided = decide(state, rows, at)
        if any(leg.proposal.qty_lots == LOTS for leg in decided.legs):
            return at
        carry_out(state, decided)
    return len(rows)


TIGHTER: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "a nearer stop": ({"stop_ticks": 8_400}, [{"stop_ticks": 9_000}, {"stop_ticks": 9_800}]),
    "a nearer target": (
        {"target_ticks": 11_500},
        [{"target_ticks": 11_000}, {"target_ticks": 10_100}],
    ),
    "a shorter hold": ({"hold_ms": 300_000}, [{"hold_ms": 180_000}, {"hold_ms": 1}]),
    "a nearer trail": ({"trail_ticks": 1_500}, [{"trail_ticks": 700}, {"trail_ticks": 100}]),
    "a trail that counts sooner": (
        {"trail_ticks": 500, "arm_ticks": 11_000},
        [{"trail_ticks": 500, "arm_ticks": 10_500}, {"trail_ticks": 500, "arm_ticks": 0}],
    ),
    "a nearer break-even": (
        {"stop_ticks": 8_100, "even_ticks": 11_000},
        [{"stop_ticks": 8_100, "even_ticks": 10_400}, {"stop_ticks": 8_100, "even_ticks": 10_071}],
    ),
}


@pytest.mark.parametrize("name", TIGHTER)
@settings(max_examples=25, deadline=None)
@given(rows=bars())
def test_what_is_tighter_never_keeps_a_position_longer(name: str, rows: list[Row]) -> None:
    loose, tighter = TIGHTER[name]
    at = left_at(loose, rows)
    for exits in tighter:
        sooner = left_at(exits, rows)
        assert sooner <= at
        at = sooner


PRICES = st.integers(0, 300)


@given(
    st.tuples(PRICES, PRICES, PRICES, PRICES),
    st.tuples(PRICES, PRICES, PRICES),
    st.integers(0, 2),
    st.booleans(),
)
def test_a_stop_that_is_hit_is_named_before_anything_else(
    seen: tuple[int, int, int, int], asked: tuple[int, int, int], trailed: int, force: bool
) -> None:
    low, high, close, bid = seen
    stop, target, even = asked
    held = Position({"symbol": BTC, "stop_ticks": stop, "target_ticks": target, "hold_ms": 5})
    held.trailed = trailed
    look = Look(low, high, close, bid, 0, 9, exit_now=True, even_to_ticks=even, asked=force)
    reason = exit_reason(held, look)
    old = ("stop_loss", "trailing_stop", "break_even")[trailed]
    if stop and any(0 < price <= stop for price in (low, bid)):
        assert reason == old
    elif any(0 < price <= even for price in (close, bid)):
        assert reason == "break_even"
    elif force:
        assert reason == "force_exit"
    elif 0 < target <= max(high, bid):
        assert reason == "take_profit"
    else:
        assert reason == "max_hold"
    assert exit_reason(held, replace(look, held_ms=4, asked=True)) != "max_hold"
