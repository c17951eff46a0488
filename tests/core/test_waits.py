"""Cooldowns: what begins one, how long it is, and the gate at its bound."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.calendar import NEVER_MS
from trader.core.days import Cooldown
from trader.core.fold import fold
from trader.core.limits import Cooldowns
from trader.core.plan import plan
from trader.core.state import State
from trader.core.time_gates import TimeSums, cooldown, cooldown_words
from trader.core.waits import out_until

from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    UNIT,
    account,
    fill_row,
    hold,
    order_row,
    parameters,
    sent,
    snapshot,
    strategy,
)

KEY = f"one|{BTC}"


def waits(state: State) -> dict[str, Any]:
    """The wait of `one` on BTC as a row without its key."""
    row = state.row("cooldowns", KEY) or {}
    return {name: value for name, value in row.items() if name != "key"}


def sell(state: State, lots: int, at_ms: int, **changed: Any) -> None:
    """A sell of BTC that is filled whole."""
    client_id = f"sell{at_ms}{lots}".ljust(32, "0")
    sent(state, order_row(client_id, side="sell", qty_lots=lots, signal_ms=0, **changed))
    trade = {"side": "sell", "qty_lots": lots, "cost_units": lots * UNIT // 10, "at_ms": at_ms}
    fold(state, "fill", fill_row(client_id, client_id, **trade))


NEVER = {"exit_ms": -1, "stop_ms": -1, "unfilled_ms": -1}
T = BAR_MS + 7_000
# lots sold of 100 and why; what is waited for
SOLD = [
    ("a position that closes", 100, "exit_signal", {"exit_ms": T}),
    ("a target that closes", 100, "take_profit", {"exit_ms": T}),
    ("a part of it", 60, "exit_signal", None),
    ("all but dust: fewer lots than can be sold", 99, "exit_signal", {"exit_ms": T}),
    ("a stop that closes", 100, "stop_loss", {"exit_ms": T, "stop_ms": T}),
    ("a trail that closes", 100, "trailing_stop", {"exit_ms": T, "stop_ms": T}),
    ("a part of a stop", 60, "stop_loss", {"stop_ms": T}),
]


@pytest.mark.parametrize(
    ("lots", "reason", "expected"), [row[1:] for row in SOLD], ids=[row[0] for row in SOLD]
)
def test_what_leaves_a_position_begins_a_wait(
    lots: int, reason: str, expected: dict[str, int] | None
) -> None:
    state = account()
    hold(state)
    sell(state, lots, T, reason=reason)
    assert waits(state) == ({} if expected is None else NEVER | expected)
    assert state.row("cooldowns", f"one|{ETH}") is None


def test_an_exit_counts_from_the_close_it_was_decided_at_and_a_resting_stop_from_its_fill() -> None:
    for close_ms, changed, since in (
        (BAR_MS, {}, BAR_MS),
        (0, {}, 0),
        (T + 1, {}, T),
        (BAR_MS, {"tif": "gtc", "reason": "stop_loss"}, T),
    ):
        state = account()
        fold(state, "plan", {"bar_ms": 1, "legs": [], "marks": {"close_ms": close_ms}})
        hold(state)
        sell(state, 100, T, **changed)
        assert waits(state)["exit_ms"] == since


# state it ended in, filled lots, ttl, when it ended; whether it begins a wait
ENDED = [
    ("expired at once", "expired", 0, 0, 0, True),
    ("expired with a part of it filled", "expired", 40, 0, 0, False),
    ("expired with one lot filled", "expired", 1, 0, 0, False),
    ("its time was up long ago", "canceled", 0, 1, 0, True),
    ("its time was up", "canceled", 0, BAR_MS + 300_000, 300_000, True),
    ("taken back to be priced anew", "canceled", 0, BAR_MS + 300_000, 299_999, False),
    ("taken back, no clock", "canceled", 0, 0, 0, False),
    ("rejected by the venue", "rejected", 0, 0, 0, False),
]


@pytest.mark.parametrize(
    ("to", "lots", "until_ms", "after_ms", "begins"),
    [row[1:] for row in ENDED],
    ids=[row[0] for row in ENDED],
)
def test_an_entry_that_ended_without_a_fill_begins_a_wait(
    to: str, lots: int, until_ms: int, after_ms: int, begins: bool
) -> None:
    state = account()
    sent(state, order_row(until_ms=until_ms), outcome="" if to == "rejected" else "accepted")
    at_ms = BAR_MS + after_ms
    told = {"client_id": "a" * 32, "at_ms": at_ms, "state": to, "venue_lots": lots}
    fold(state, "order_seen", {**told, "venue_id": "v", "source": "order"})
    assert waits(state) == (NEVER | {"unfilled_ms": at_ms} if begins else {})
    assert (("cooldowns", KEY) in state.dirty) == begins


def test_a_sell_that_expired_begins_no_wait() -> None:
    state = account()
    hold(state)
    sent(state, order_row("b" * 32, side="sell", signal_ms=0))
    told = {"client_id": "b" * 32, "at_ms": BAR_MS, "state": "expired", "venue_lots": 0}
    fold(state, "order_seen", {**told, "venue_id": "v", "source": "order"})
    assert waits(state) == {}


LIMITS = Cooldowns(exit_ms=30 * MINUTE_MS, exit_bars=2, stop_ms=120 * MINUTE_MS, unfilled_ms=5)
HOUR = 60 * MINUTE_MS
# waits, the strategy's bars; until when and after what
UNTIL = [
    ("never left", (-1, -1, -1), MINUTE_MS, (0, "")),
    ("30 minutes are longer than 2 bars", (1_000, -1, -1), MINUTE_MS, (1_000 + HOUR // 2, "exit")),
    ("2 bars are longer", (1_000, -1, -1), HOUR, (1_000 + 2 * HOUR, "exit")),
    ("as long", (1_000, -1, -1), 15 * MINUTE_MS, (1_000 + HOUR // 2, "exit")),
    ("a stop is waited for longer", (1_000, 1_000, -1), MINUTE_MS, (1_000 + 2 * HOUR, "stop")),
    ("the one that ends last", (HOUR * 2, 1, -1), MINUTE_MS, (HOUR * 5 // 2, "exit")),
    ("unfilled", (-1, -1, 10), MINUTE_MS, (15, "unfilled")),
    ("since the very first moment", (0, -1, -1), MINUTE_MS, (HOUR // 2, "exit")),
    ("two that end together", (90 * MINUTE_MS, 0, -1), MINUTE_MS, (2 * HOUR, "exit")),
]


@pytest.mark.parametrize(
    ("since", "bar_ms", "expected"), [row[1:] for row in UNTIL], ids=[row[0] for row in UNTIL]
)
def test_the_length_of_a_wait(
    since: tuple[int, int, int], bar_ms: int, expected: tuple[int, str]
) -> None:
    exit_ms, stop_ms, unfilled_ms = since
    row: dict[str, int | str] = {"key": "k", "exit_ms": exit_ms, "stop_ms": stop_ms}
    wait = Cooldown({**row, "unfilled_ms": unfilled_ms})
    assert out_until(wait, LIMITS, bar_ms) == expected
    assert out_until(wait, Cooldowns(), bar_ms) == (0, "")
    assert out_until(None, LIMITS, bar_ms) == (0, "")
    least = Cooldowns(exit_ms=1)
    assert out_until(wait, least, bar_ms) == ((exit_ms + 1, "exit") if exit_ms >= 0 else (0, ""))


@given(st.lists(st.integers(0, 10**6), min_size=8, max_size=8))
def test_a_longer_wait_never_ends_earlier(numbers: list[int]) -> None:
    wait = Cooldown({"key": "k", "exit_ms": numbers[0], "stop_ms": numbers[1], "unfilled_ms": 7})
    exits, stops, unfilled = (sorted(pair) for pair in (numbers[2:4], numbers[4:6], numbers[6:8]))
    short, long = (Cooldowns(exits[i], i, stops[i], unfilled[i]) for i in (0, 1))
    assert out_until(wait, short, MINUTE_MS)[0] <= out_until(wait, long, MINUTE_MS)[0]


def test_what_nobody_told_refuses() -> None:
    assert cooldown(TimeSums()) == (False, NEVER_MS, 0)
    assert cooldown_words(TimeSums()) == f"after=unknown ends_ms={NEVER_MS}"
    assert (TimeSums().now_ms, TimeSums().session_name) == (0, "unknown")


@pytest.mark.parametrize(("early_ms", "refused"), [(0, 0), (1, 1)])
def test_the_gate_opens_when_the_wait_is_over(early_ms: int, refused: int) -> None:
    state = account()
    close_ms = BAR_MS + MINUTE_MS
    since = close_ms - 30 * MINUTE_MS + early_ms
    hold(state)
    sell(state, 100, since)
    policy = parameters(strategy(), cooldowns=Cooldowns(exit_ms=30 * MINUTE_MS))
    made = plan(snapshot(state, policy))
    assert [no.code for no in made.refused] == ["COOLDOWN"] * refused
    if refused:
        ends = f"ends_ms={close_ms + 1}"
        numbers = f"limit={close_ms + 1} measured={close_ms} unit=utc_ms"
        assert made.refused[0].detail == f"after=exit {ends} {numbers}"
    other = parameters(strategy("two"), cooldowns=Cooldowns(exit_ms=30 * MINUTE_MS))
    assert len(plan(snapshot(state, other)).legs) == 1


def test_a_wait_stops_no_exit() -> None:
    state = account()
    hold(state)
    sell(state, 40, BAR_MS, reason="stop_loss")
    state.positions[BTC].stop_ticks = 10_500
    policy = parameters(strategy(), cooldowns=Cooldowns(stop_ms=10**9))
    assert [leg.row()["side"] for leg in plan(snapshot(state, policy)).legs] == ["sell"]
