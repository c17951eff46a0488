"""Maker entries through the reference back-test: what rests, is moved, fills in part, and ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from trader.core.fold import fold
from trader.core.parameters import EntryStyle, StrategyCode
from trader.core.series import Series, build_series
from trader.core.simulate import Model, Simulation
from trader.core.state import State

from .made import BAR_MS, BTC, MINUTE_MS, TICK, account, parameters, strategy
from .test_simulate import FLAT, Bar, at

MAKER = EntryStyle(style="maker", ttl_ms=10 * MINUTE_MS, reprice_ppm=500, moves_max=2)
DIP: Bar = (10_000, 10_000, 9_990, 10_000)  # trades through a bid of 9,999
UP: Bar = (10_010, 10_010, 10_010, 10_010)  # 1,000 ppm higher: the bid is 10,008
Facts = list[tuple[str, dict[str, Any]]]
# 998 lots fit 100 USDT at the worst price of 10,010, see test_simulate.
LOTS = 998


def series_of(rows: Sequence[Bar], volumes: Sequence[float] = ()) -> Series:
    """One flat bar of warm-up, then these; 1 BTC (1,000 lots) trades in each unless said."""
    made = [(BAR_MS - MINUTE_MS, *FLAT, 1.0)]
    for number, row in enumerate(rows):
        volume = volumes[number] if number < len(volumes) else 1.0
        made.append((BAR_MS + number * MINUTE_MS, *row, volume))
    return build_series(BTC, MINUTE_MS, TICK, made)


def play(
    rows: Sequence[Bar],
    code: StrategyCode | None = None,
    style: EntryStyle = MAKER,
    *,
    spread_ppm: int = 200,
    volumes: Sequence[float] = (),
    before: Callable[[int, State], None] = lambda _bar, _state: None,
    **limits: Any,
) -> tuple[State, Facts]:
    """Everything that happened; `before` is called before each bar is decided."""
    facts: Facts = []
    state = account()
    simulation = Simulation(
        parameters(strategy(style=style), **limits),
        {"one": code or at({0}, set())},
        {(BTC, "1m"): series_of(rows, volumes)},
        state,
        Model(spread_ppm=spread_ppm),
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    for number in range(len(rows)):
        before(number, state)
        simulation.decide_and_execute(BAR_MS + number * MINUTE_MS)
    return state, facts


def story(facts: Facts) -> list[tuple[Any, ...]]:
    """(minute, what, numbers) of every order's life."""
    told: list[tuple[Any, ...]] = []
    for kind, fact in facts:
        minute = (fact.get("at_ms", 0) - BAR_MS) // MINUTE_MS
        if kind == "fill":
            told.append((minute, "fill", fact["price_ticks"], fact["qty_lots"]))
        elif kind == "cancel_sent":
            told.append((minute, "cancel", fact["why"]))
        elif kind == "order_sent":
            told.append((minute, "sent"))
        elif kind == "order_outcome" and fact["outcome"] == "rejected":
            told.append((minute, "rejected", fact["code"]))
        elif kind == "order_abandoned":
            told.append((minute, "abandoned", fact["why"].partition(" ")[0]))
    return told


def legs(facts: Facts) -> list[dict[str, Any]]:
    """Every leg of every plan."""
    return [leg for kind, fact in facts if kind == "plan" for leg in fact["legs"]]


def test_a_maker_rests_at_the_bid_and_is_filled_when_price_trades_through_it() -> None:
    state, facts = play([FLAT, FLAT, FLAT, DIP, FLAT])
    [leg] = legs(facts)
    assert (leg["order_type"], leg["tif"], leg["price_ticks"]) == ("post_only", "gtc", 9_999)
    assert leg["until_ms"] == BAR_MS + MINUTE_MS + MAKER.ttl_ms
    # Planned at the close of bar 0; bar 3 fills it at its own price, known when bar 3 closed.
    assert story(facts) == [(1, "sent"), (4, "fill", 9_999, LOTS)]
    [fill] = [fact for kind, fact in facts if kind == "fill"]
    # 998 x 9,999 x 1,000 units at the maker's 500 ppm
    assert (fill["maker"], fill["fee_cash_units"]) == (1, 4_989_501)
    assert state.positions[BTC].stop_ticks == 9_500


def test_a_maker_is_not_filled_where_price_only_touches_its_bid() -> None:
    touch: Bar = (10_000, 10_000, 9_999, 10_000)
    _, facts = play([FLAT, touch, touch, touch])
    assert story(facts) == [(1, "sent")]


def test_a_maker_that_would_take_is_refused_by_the_venue_and_ends() -> None:
    # Without a spread the bid is the ask: post-only refuses what would match at once.
    _, facts = play([FLAT, FLAT, FLAT], spread_ppm=0)
    assert story(facts) == [(1, "sent"), (1, "rejected", "would_take")]


def test_a_maker_lives_until_its_time_is_over() -> None:
    style = replace(MAKER, ttl_ms=3 * MINUTE_MS)
    _, facts = play([FLAT] * 7, style=style)
    # Planned at minute 1: it ends at the decision of minute 4, not one minute before.
    assert story(facts) == [(1, "sent"), (4, "cancel", "time_to_live")]


@pytest.mark.parametrize(
    ("close", "moves"),
    # The bid was 9,999; 500 ppm above, rounded up, is 10,004. A close of 10,005 bids 10,003,
    # one of 10,006 bids 10,004.
    [(10_005, False), (10_006, True)],
)
def test_a_maker_moves_when_the_bid_has_gone_its_distance_away(close: int, *, moves: bool) -> None:
    gone: Bar = (close, close, close, close)
    _, facts = play([FLAT, gone, gone, gone])
    moved = [(1, "sent"), (2, "cancel", "moved"), (2, "sent")]
    assert story(facts) == (moved if moves else [(1, "sent")])
    if moves:
        first, second = legs(facts)
        assert (second["bar_ms"], second["leg"]) == (first["bar_ms"], first["leg"])
        assert (second["attempt"], second["qty_lots"]) == (1, LOTS)
        assert second["price_ticks"] == 10_004
        assert second["until_ms"] == first["until_ms"]


def test_a_maker_moves_no_more_often_than_it_may() -> None:
    rising: list[Bar] = [FLAT]
    rising += [(10_000 + 10 * n, 10_000 + 10 * n, 10_000 + 10 * n, 10_000 + 10 * n) for n in
               range(1, 7)]  # fmt: skip
    _, facts = play(rising, collar_ppm=90_000)
    assert [leg["attempt"] for leg in legs(facts)] == [0, 1, 2]
    assert [what for _, what, *_ in story(facts)] == ["sent", "cancel", "sent", "cancel", "sent"]


def test_what_was_filled_stays_and_the_rest_alone_is_moved() -> None:
    # 0.3 BTC trade in the bar that comes through the bid: 300 lots of 998.
    back: Bar = (10_010, 10_010, 10_000, 10_005)
    state, facts = play([FLAT, DIP, UP, back], volumes=[1.0, 0.3, 1.0, 1.0])
    assert story(facts) == [
        (1, "sent"),
        (2, "fill", 9_999, 300),
        (3, "cancel", "moved"),
        (3, "sent"),
        (4, "fill", 10_008, 698),
    ]
    assert [leg["qty_lots"] for leg in legs(facts)] == [998, 698]
    assert state.positions[BTC].bought_lots == LOTS
    # One entry, however often it was moved.
    assert state.number("sent_count") == 1


def test_a_part_fill_is_carried_on_bar_after_bar() -> None:
    _, facts = play([FLAT, DIP, DIP, DIP, FLAT], volumes=[1.0, 0.4, 0.4, 0.4])
    assert [(what, *rest) for _, what, *rest in story(facts)] == [
        ("sent",),
        ("fill", 9_999, 400),
        ("fill", 9_999, 400),
        ("fill", 9_999, 198),
    ]


@pytest.mark.parametrize("level", ["no_entries", "reduce_only", "frozen"])
def test_a_halt_ends_what_rests_by_name(level: str) -> None:
    def halt(bar: int, state: State) -> None:
        if bar == 2:
            fold(state, "halt", {"level": level, "why": "w", "by": "b", "at_ms": 1})

    state, facts = play([FLAT, FLAT, FLAT, DIP], before=halt)
    assert story(facts) == [(1, "sent"), (3, "cancel", "HALT_LEVEL")]
    assert state.positions == {}


def test_the_exit_level_ends_an_entry_that_still_rests() -> None:
    _, facts = play([FLAT, FLAT, FLAT, DIP], at({0}, {2}))
    assert story(facts) == [(1, "sent"), (3, "cancel", "EXIT_LEVEL")]


def test_what_a_human_wants_to_leave_is_not_bought_on() -> None:
    def ask(bar: int, state: State) -> None:
        if bar == 2:
            fold(state, "exit_asked", {"symbol": BTC, "by": "ann", "why": "w", "at_ms": 1})

    _, facts = play([FLAT, FLAT, FLAT, DIP], before=ask)
    assert story(facts) == [(1, "sent"), (3, "cancel", "EXIT_ASKED")]


def test_a_day_stop_that_is_hit_ends_an_entry_at_rest() -> None:
    def lose(bar: int, state: State) -> None:
        if bar == 2:
            state.meta["cash_units"] = state.cash_units - 100 * 10**8

    _, facts = play([FLAT, FLAT, FLAT, DIP], before=lose, day_stop_ppm=30_000)
    assert story(facts) == [(1, "sent"), (3, "cancel", "DAY_STOP")]


def test_the_limit_of_trades_does_not_end_the_entry_that_reached_it() -> None:
    _, facts = play([FLAT, FLAT, FLAT, DIP], trades_hour_max=1, trades_day_max=1)
    assert story(facts) == [(1, "sent"), (4, "fill", 9_999, LOTS)]


def test_a_part_that_no_human_has_seen_does_not_end_the_rest_of_its_own_entry() -> None:
    _, facts = play([FLAT, DIP, FLAT, DIP], volumes=[1.0, 0.3, 1.0, 1.0], unattended_max=1)
    assert story(facts)[-1] == (4, "fill", 9_999, 698)


def test_a_position_that_its_own_first_part_opened_does_not_end_the_rest() -> None:
    _, facts = play([FLAT, DIP, FLAT, DIP], volumes=[1.0, 0.3, 1.0, 1.0])
    assert story(facts)[-1] == (4, "fill", 9_999, 698)


def test_a_stop_that_is_hit_ends_the_rest_and_sells_what_was_bought() -> None:
    crash: Bar = (9_600, 9_600, 9_400, 9_450)
    rows = [FLAT, DIP, crash, (9_450, 9_460, 9_440, 9_450), FLAT]
    _, facts = play(rows, volumes=[1.0, 0.3, 0.1, 1.0], slippage_ppm=20_000)
    told = story(facts)
    assert (3, "cancel", "POSITION_LEAVES") in told
    # Bar 2 came through the bid: 100 lots more were bought at 9,999; all of it is sold.
    assert told[-1][1:] == ("fill", 9_450 - 1, 400)


def test_two_runs_record_the_same_facts() -> None:
    rows = [FLAT, DIP, UP, DIP]
    assert play(rows, volumes=[1.0, 0.3])[1] == play(rows, volumes=[1.0, 0.3])[1]
