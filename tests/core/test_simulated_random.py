"""Random markets through the whole back-test, with makers and resting stops: laws at every fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trader.core.children import rest_lots
from trader.core.parameters import EntryStyle, StrategyCode
from trader.core.series import Series, build_series
from trader.core.simulate import Model, Simulation
from trader.core.state import State
from trader.domain.order import OrderState, Side

from .made import BAR_MS, BTC, ETH, MINUTE_MS, TICK, account, parameters, strategy

BARS = 120


def market(rng: Random, symbol: str) -> Series:
    """A walk with gaps, thin bars and minutes without a trade."""
    price, rows = 10_000, list[tuple[int, int, int, int, int, float]]()
    for number in range(-1, BARS):
        opened = max(500, price + (rng.randrange(-300, 301) if rng.random() < 0.1 else 0))
        price = max(500, opened + rng.randrange(-60, 61))
        high = max(opened, price) + rng.randrange(30)
        low = min(opened, price) - rng.randrange(30)
        volume = rng.choice((0.0, 0.05, 0.5, 5.0))
        if number < 0 or rng.random() > 0.05:
            at_ms = BAR_MS + number * MINUTE_MS
            rows.append((at_ms, opened, high, low, price, volume))
    return build_series(symbol, MINUTE_MS, TICK, rows)


def moods(seed: int) -> StrategyCode:
    """Enters and leaves by the minute, always the same for a minute."""

    def signals(bars: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        dice = [Random(f"{seed} {at}").random() for at in bars.open_ms]
        return {
            "enter": [int(x < 0.3) for x in dice],
            "exit": [int(x > 0.93) for x in dice],
            "stop": [0.5 + 2 * x for x in dice],
            "trail": [1.0 + x for x in dice],
        }

    return StrategyCode(lambda _: 1, signals)


class Watch:
    """Holds the laws after every fact."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.kinds: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()

    def __call__(self, kind: str, payload: Mapping[str, Any]) -> None:
        self.kinds[kind] += 1
        if kind == "order_sent":
            self.sent[str(payload["client_id"])] += 1
            assert self.sent[str(payload["client_id"])] == 1
        if kind not in {"order_sent", "fill", "order_seen"}:
            return
        for symbol in (BTC, ETH):
            orders = self.state.orders_of(symbol)
            sells = [order for order in orders if order.side is Side.SELL]
            held = self.state.held_units("one", symbol) // self.state.spec(symbol).base_per_lot
            assert sum(order.open_lots for order in sells) <= held
            assert sum(1 for order in sells if order.is_stop and order.working) <= 1
        for order in self.state.orders.values():
            if order.side is Side.BUY and order.state is OrderState.CANCELED:
                assert order.ending, "an entry ended without a name"
        legs: dict[tuple[int, int], list[Any]] = {}
        for order in self.state.orders.values():
            if not order.is_stop:
                legs.setdefault((order.bar_ms, order.leg), []).append(order)
        for attempts in legs.values():
            attempts.sort(key=lambda order: order.attempt)
            assert rest_lots(attempts) >= 0
            assert sum(order.filled_lots for order in attempts) <= attempts[0].qty_lots


def play(seed: int, *, stops: bool, style: str) -> tuple[Watch, list[bytes]]:
    rng = Random(seed)
    state = account()
    watch, told = Watch(state), list[bytes]()

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        watch(kind, payload)
        told.append(repr((kind, payload)).encode())

    how = EntryStyle(style, rng.randrange(1, 12) * MINUTE_MS, rng.choice((0, 300, 2_000)), 3)
    policy = parameters(
        strategy("one", BTC, ETH, style=how, pyramiding=rng.random() < 0.5),
        bar_jump_ppm_max=900_000, collar_ppm=200_000, pyramiding=True, exit_attempts=3,
    )  # fmt: skip
    series = {(symbol, "1m"): market(rng, symbol) for symbol in (BTC, ETH)}
    model = Model(200, fee_in_base=rng.random() < 0.5, stops=stops)
    Simulation(policy, {"one": moods(seed)}, series, state, model, record).run(0, 2**60)
    book = state.books.get("one")
    flows = book.cash_units if book else 0
    assert flows == state.cash_units - state.number("capital_units")
    return watch, told


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), stops=st.booleans(), style=st.sampled_from(["maker", "taker"])
)
def test_no_market_makes_more_sell_than_is_held_or_a_leg_grow(
    seed: int, style: str, *, stops: bool
) -> None:
    play(seed, stops=stops, style=style)


def test_the_random_markets_do_what_they_are_there_for() -> None:
    kinds: Counter[str] = Counter()
    for seed in range(8):
        watch, told = play(seed, stops=True, style="maker")
        assert told == play(seed, stops=True, style="maker")[1]
        kinds += watch.kinds
    assert min(kinds[kind] for kind in ("fill", "cancel_sent", "order_planned")) > 60, kinds


@pytest.mark.parametrize("stops", [False, True])
def test_where_nothing_rests_the_offer_of_stops_changes_only_how_a_stop_sells(
    *, stops: bool
) -> None:
    watch, _ = play(5, stops=stops, style="taker")
    assert (watch.kinds["cancel_sent"] > 0) == stops
