"""Daily bars that only the limits look at: asked for once a day, never a reason not to trade."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trader import wiring
from trader.app.replay import replay
from trader.build import code_hash
from trader.errors import ExitCode

from .world import START_MS, World

Worlds = Callable[..., World]
DAY_MS = 86_400_000
DAY = 1_440
BOUND = "{limit: 90%, days: 10, days_min: 5, assumed: 20%}"
KLINES = "/api/v3/klines"


def made(worlds: Worlds, **given: Any) -> World:
    """Two instruments over four days; the second day is 10 % lower, the third 10 % higher."""
    closes = dict.fromkeys(range(DAY, 2 * DAY), "90") | dict.fromkeys(range(2 * DAY, 4 * DAY), "99")
    world = worlds(
        ("BTC/USDT", "ETH/USDT"), closes=closes, minutes=4 * DAY, **{"var": BOUND, **given}
    )
    world.admin.clear_requests()
    return world


def asked(world: World) -> int:
    """Requests for bars since this was last looked at, beside one for each instrument's minutes."""
    counts = world.admin.requests()["counts"]
    world.admin.clear_requests()
    return int(counts[f"GET {KLINES}"]) - 2


def kept_days(world: World) -> list[list[int]]:
    """Days since the files begin of each entry of daily bars."""
    return [
        [(int(row[0]) - START_MS) // DAY_MS for row in payload["rows"]]
        for payload in world.payloads("bars")
        if payload["timeframe"] == "1d"
    ]


def test_daily_bars_are_asked_for_at_the_first_decision_of_a_day_alone(worlds: Worlds) -> None:
    world = made(worlds)
    world.cycle(3 * DAY + 8)
    assert asked(world) == 2
    assert kept_days(world) == [[0, 1, 2], [0, 1, 2]]
    for minute in (9, 10, 59, 60):
        assert world.cycle(3 * DAY + minute).code is ExitCode.OK
        assert asked(world) == 0
    world.cycle(4 * DAY - 1)
    assert asked(world) == 2
    assert kept_days(world)[2:] == [[3], [3]]


def test_a_day_that_the_venue_does_not_have_is_asked_for_on_the_hour(worlds: Worlds) -> None:
    world = made(worlds)
    world.cycle(8)  # the files begin today: there is no day before
    assert asked(world) == 2
    world.cycle(9)
    assert asked(world) == 0
    world.cycle(59)
    assert asked(world) == 2


def test_without_these_limits_no_daily_bar_is_asked_for(worlds: Worlds) -> None:
    world = made(worlds, var="{limit: 100%}", correlated="{exposure_max: 100%}")
    world.cycle(3 * DAY + 8)
    assert asked(world) == 0
    assert kept_days(world) == []


def test_daily_bars_that_cannot_be_read_keep_nobody_from_trading(worlds: Worlds) -> None:
    world = made(worlds)
    world.admin.faults([{"path": KLINES, "contains": "interval=1d", "action": "html_502"}])
    report = world.cycle(3 * DAY + 8)
    assert report.code is ExitCode.OK
    assert report.plan is not None
    assert [leg.symbol for leg in report.plan.legs] == ["BTC/USDT", "ETH/USDT"]
    (row,) = [row for row in report.plan.trail if row.symbol == "BTC/USDT" and row.gates]
    (risk,) = [answer for answer in row.gates if answer.code == "VALUE_AT_RISK"]
    # 20 % of what is bought is assumed: a fifth of equity is 20 of 1,000 at least.
    assert risk.measured * 5 >= risk.limit // 10


def test_a_decision_on_daily_bars_is_decided_again_from_the_journal(worlds: Worlds) -> None:
    world = made(worlds)
    for minute in (8, 9, 10, 11, 12):
        assert world.cycle(3 * DAY + minute).code is ExitCode.OK
    window = world.payloads("snapshot")[0]["windows"]["BTC/USDT|1d"]
    assert window[:3] == [START_MS, START_MS + 2 * DAY_MS, 3]
    with wiring.open_journal(world.setup(), read_only=True) as journal:
        told = replay(journal, code_hash())
    assert told.proven
    assert told.plans == 5
