"""Which daily bars a decision reads: of what is held, on its way or followed, if a limit asks."""

from __future__ import annotations

import pytest

from trader.core.daily import daily_windows
from trader.core.limits import Correlated, ValueAtRisk
from trader.core.signals import opinion_windows, wanted_windows

from .made import BAR_MS, BTC, ETH, MINUTE_MS, account, hold, order_row, parameters, says, sent

DAY_MS = 86_400_000
CLOSE_MS = BAR_MS + MINUTE_MS
VAR = ValueAtRisk(limit_ppm=30_000, days=60)


def test_without_a_limit_that_can_bind_none_is_read() -> None:
    assert daily_windows(parameters(), account(), CLOSE_MS) == {}
    whole = parameters(var=ValueAtRisk(limit_ppm=1_000_000), correlated=Correlated(1_000_000))
    assert daily_windows(whole, account(), CLOSE_MS) == {}


@pytest.mark.parametrize(
    "limits", [{"var": VAR}, {"correlated": Correlated(exposure_ppm_max=999_999)}]
)
def test_one_more_day_than_there_are_returns_up_to_the_last_that_has_ended(
    limits: dict[str, object],
) -> None:
    last_ms = CLOSE_MS // DAY_MS * DAY_MS - DAY_MS
    for close_ms, last in (
        (CLOSE_MS, last_ms),
        (last_ms + 2 * DAY_MS - 1, last_ms),
        (last_ms + 2 * DAY_MS, last_ms + DAY_MS),
    ):
        found = daily_windows(parameters(**limits), account(), close_ms)
        assert found == {(BTC, "1d"): (last - 60 * DAY_MS, last)}


def test_what_is_held_or_on_its_way_counts_as_well() -> None:
    policy, state = parameters(var=VAR), account()
    assert [symbol for symbol, _ in daily_windows(policy, state, CLOSE_MS)] == [BTC]
    hold(state, ETH)
    state.positions[ETH].qty_units = 0
    assert [symbol for symbol, _ in daily_windows(policy, state, CLOSE_MS)] == [BTC]
    state.positions[ETH].qty_units = 1
    assert [symbol for symbol, _ in daily_windows(policy, state, CLOSE_MS)] == [BTC, ETH]
    state = account()
    sent(state, order_row(symbol=ETH), outcome="unknown")
    assert [symbol for symbol, _ in daily_windows(policy, state, CLOSE_MS)] == [BTC, ETH]


def test_they_are_wanted_beside_those_of_the_opinions() -> None:
    codes = {"one": says()}
    policy = parameters(var=VAR)
    own = opinion_windows(policy, codes, account(), CLOSE_MS)
    wanted = wanted_windows(policy, codes, account(), CLOSE_MS)
    assert wanted == own | daily_windows(policy, account(), CLOSE_MS)
    assert list(wanted)[-1] == (BTC, "1d")
