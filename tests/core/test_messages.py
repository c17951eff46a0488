"""Messages: three windows, a reserve, and a burst of intents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.fold import fold
from trader.core.limits import Messages
from trader.core.messages import UNBOUND, Room, count_messages, room
from trader.core.parameters import EntryStyle
from trader.core.plan import plan
from trader.core.snapshot import Snapshot
from trader.domain.order import Side

from .made import (
    BTC,
    ETH,
    NOW_MS,
    UNIT,
    account,
    bars,
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
from .risk_scenes import (
    at_rest,
    end_one,
    refusal,
    said,
)


def talked(*before_ms: int, **limits: Any) -> Snapshot:
    """An account that sent a message so long before NOW_MS each."""
    state = account()
    for number, back in enumerate(sorted(before_ms, reverse=True)):
        end_one(state, f"{number:032d}", NOW_MS - back)
    return snapshot(state, parameters(messages=Messages(**limits)))


@pytest.mark.parametrize(
    ("before_ms", "limits", "answer"),
    [
        ((0, 999), {"second_max": 3}, []),
        ((0, 999), {"second_max": 2}, "MESSAGES window=second limit=2 measured=3 unit=count"),
        ((0, 1_000), {"second_max": 2}, []),
        ((1, 59_999), {"minute_max": 2}, "MESSAGES window=minute limit=2 measured=3 unit=count"),
        ((1, 60_000), {"minute_max": 2}, []),
        ((1, 86_399_999), {"day_max": 2}, "MESSAGES window=day limit=2 measured=3 unit=count"),
        ((1, 86_400_000), {"day_max": 2}, []),
        # A fifth of 5 is kept for exits and cancels; of 4 it is 0.8, up: 1.
        ((0, 1, 2), {"day_max": 5, "reserve_ppm": 200_000}, []),
        (
            (0, 1, 2),
            {"day_max": 4, "reserve_ppm": 200_000},
            "MESSAGES window=day limit=3 measured=4 unit=count",
        ),
        ((), {"day_max": 1, "reserve_ppm": 1}, "MESSAGES window=day limit=0 measured=1 unit=count"),
        # The window that leaves least room speaks.
        (
            (0, 1, 2),
            {"second_max": 9, "minute_max": 2, "day_max": 3},
            "MESSAGES window=minute limit=2 measured=4 unit=count",
        ),
    ],
)
def test_messages_are_counted_in_three_windows_with_a_reserve(
    before_ms: tuple[int, ...], limits: dict[str, int], answer: str | list[str]
) -> None:
    decided = plan(talked(*before_ms, **limits))
    assert (refusal(decided) if answer else said(decided)) == answer


def test_legs_of_the_plan_in_hand_count_as_messages() -> None:
    state = account()
    hold(state, ETH, lots=100, name="two", stop_ticks=10_000)
    codes = {"one": says(), "two": says(enter=0)}
    for day_max, refused in ((3, []), (2, ["MESSAGES"])):
        policy = parameters(
            strategy("one", BTC), strategy("two", ETH), messages=Messages(day_max=day_max)
        )
        # One was sent when ETH was bought; the exit of this plan is the second.
        decided = plan(snapshot(state, policy, strategies=codes))
        assert decided.legs[0].side is Side.SELL
        assert said(decided) == refused


def test_of_a_burst_no_more_leave_than_are_allowed_and_cancels_still_pass() -> None:
    limits, state = Messages(5, 40, 100, 200_000), account()
    sent_at: list[int] = []
    for number in range(10_000):
        now_ms = NOW_MS + number * 37
        if room(limits, count_messages(state.messages, now_ms)).left <= 0:
            continue
        client_id = f"{number:032d}"
        end_one(state, client_id, now_ms)
        del state.orders[client_id]
        sent_at.append(now_ms)
    assert sent_at
    for window_ms, bound in ((1_000, 4), (60_000, 32), (86_400_000, 80)):
        assert max(sum(at - window_ms < t <= at for t in sent_at) for at in sent_at) <= bound
    assert len(sent_at) == 80
    # The reserve is there for what ends orders: nothing holds a cancel back, and it is counted.
    rest = order_row("r" * 32, symbol=ETH, qty_lots=10)
    sent(state, rest)
    fold(state, "cancel_sent", {"client_id": "r" * 32, "at_ms": NOW_MS + 370_000, "why": "kill"})
    assert count_messages(state.messages, NOW_MS + 370_000)[0] >= 1


@given(
    st.lists(st.integers(min_value=0, max_value=90_000_000), max_size=200),
    st.integers(min_value=0, max_value=2**40),
)
def test_messages_are_never_counted_too_few(gaps: list[int], start_ms: int) -> None:
    state, at_ms = account(), start_ms
    stamps: list[int] = []
    for gap in gaps:
        at_ms += gap % 5_000 if gap % 3 else gap
        fold(state, "order_planned", order_row("m" * 32))
        fold(state, "order_sent", {"client_id": "m" * 32, "at_ms": at_ms})
        del state.orders["m" * 32]
        stamps.append(at_ms)
    found = count_messages(state.messages, at_ms)
    exact = [sum(t > at_ms - ms for t in stamps) for ms in (1_000, 60_000, 86_400_000)]
    for counted, there, window_ms in zip(found, exact, (1_000, 60_000, 86_400_000), strict=True):
        # As long as the times that are kept reach back as far as the window, the count is exact.
        if len(stamps) < 64 or stamps[-64] <= at_ms - window_ms:
            assert counted == there
    # The oldest minute of a day makes room for the newest: what it held is younger than a day by
    # less than that minute.
    assert found[0] >= min(exact[0], 64)
    assert found[1] >= exact[1]
    assert found[2] >= sum(t > at_ms - 86_340_000 for t in stamps)


def test_a_window_beyond_the_times_that_are_kept_is_counted_by_minutes() -> None:
    state, minute_ms = account(), NOW_MS // 60_000 * 60_000
    for number in range(100):
        end_one(state, f"{number:032d}", minute_ms + 30_000 + number * 100)
    # Of the 100 the newest 64 are known by their time: the oldest of these was sent at 33.6 s.
    for now_ms, counted in ((80_000, 100), (93_599, 100), (93_600, 63), (99_850, 1), (99_900, 0)):
        assert count_messages(state.messages, minute_ms + now_ms)[1] == counted


def test_entries_of_one_plan_count_each_once() -> None:
    specs = [strategy(name, BTC if name == "a" else f"{name.upper()}/USDT") for name in "abcd"]
    state = account(1_000 * UNIT, *(instrument(spec.symbols[0]) for spec in specs))
    series = {(s.symbols[0], "1m"): bars([10_000, 10_000], s.symbols[0]) for s in specs}
    quotes = {s.symbols[0]: quote() for s in specs}
    for day_max, legs in ((4, 4), (3, 3)):
        policy = parameters(*specs, positions_max=9, messages=Messages(day_max=day_max))
        decided = plan(snapshot(state, policy, series=series, quotes=quotes))
        assert (len(decided.legs), len(decided.refused)) == (legs, 4 - legs)


@pytest.mark.parametrize(
    ("day_max", "answer"), [(3, "ENTRY_MOVES"), (2, "ENTRY_RESTS refused=MESSAGES")]
)
def test_an_entry_that_is_moved_is_a_cancel_and_a_new_order(day_max: int, answer: str) -> None:
    state = account()
    sent(state, at_rest(9_900, 200))
    maker = strategy(style=EntryStyle("maker"))
    policy = parameters(maker, messages=Messages(day_max=day_max))
    decided = plan(snapshot(state, policy))
    assert decided.trail[0].answer == answer


def test_room_tells_what_is_left() -> None:
    assert room(Messages(), (9, 9, 9)) == UNBOUND
    assert room(Messages(second_max=4, minute_max=6), (1, 3, 9)) == Room("second", 1, 4)
    assert room(Messages(second_max=4), (3, 9, 9)) == Room("second", 3, 4)
    assert room(Messages(second_max=4), (3, 9, 9)).left == 1
