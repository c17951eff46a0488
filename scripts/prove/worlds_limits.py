"""Random limits and sizes of a world, and the same limits drawn tighter.

Lives here: which values each limit of a policy is given; every one is tight in some worlds. Must
not live here: what holds an order to them (the core), and what they mean (`worlds_rules`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

from trader.core.limits import (
    NEVER,
    Breaker,
    Calendar,
    Cooldowns,
    Correlated,
    Dated,
    Day,
    Home,
    Limits,
    Messages,
    Quality,
    Restricted,
    ValueAtRisk,
    Weekly,
    Zone,
)
from trader.core.parameters import EntryStyle, SizeSpec
from trader.policy.zones import zone_offsets

PPM = 1_000_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
WEEK_MIN = 10_080
METHODS = (
    "fixed",
    "risk",
    "conservative",
    "aggressive",
    "kelly",
    "volatility",
    "risk_parity",
)
ZONES = ("UTC", "America/New_York", "Asia/Kolkata")
HOME_RATE = "EUR/USDT"


class Given:
    """What a draw may look at."""

    def __init__(self, rng: random.Random, capital: Decimal, symbols: Sequence[str]) -> None:
        """`capital`: cash at the start. `symbols`: what is traded."""
        self.rng = rng
        self.capital = capital
        self.symbols = symbols


Draw = Callable[[Given], Any]


def _percent(*percents: float) -> Draw:
    return lambda g: int(g.rng.choice(percents) * 10_000) + g.rng.choice((0, 0, 0, 1, -1, 333))


def _one_of(*values: Any) -> Draw:
    return lambda g: g.rng.choice(values)


def _amount(*percents: float) -> Draw:
    """Decimal text: so much of the capital."""

    def draw(g: Given) -> str:
        share = Decimal(str(g.rng.choice(percents)))
        return str((g.capital * share / 100).quantize(Decimal("0.01")))

    return draw


@cache
def zone(name: str) -> Zone:
    """A zone's offsets as the policy gives them to the core."""
    if name == "UTC":
        return Zone()
    found = zone_offsets(name)
    return Zone(name, found.starts_ms, found.offsets_ms, found.ends_ms)


def _day(g: Given) -> Day:
    return Day(zone(g.rng.choice(ZONES)), g.rng.choice((0, 0, 1_020)))


def _calendar(g: Given) -> Calendar:
    rng = g.rng
    sessions: tuple[Weekly, ...] = ()
    if rng.random() < 0.5:
        starts = (day * 1_440 + rng.randrange(0, 1_440) for day in range(0, 7, 2))
        sessions = tuple(Weekly(at, at + rng.choice((600, 2_000, 2_880)), "open") for at in starts)
    weekly = tuple(
        Weekly(at, at + rng.choice((30, 600, 1_500)), "weekly")
        for at in (rng.randrange(0, WEEK_MIN) for _ in range(rng.randrange(0, 3)))
    )
    # Two dated windows somewhere in the time that worlds are played in; apart and sorted.
    first = 1_672_617_600_000 + rng.randrange(0, 100) * DAY_MS
    dated = (
        Dated(first, first + rng.choice((HOUR_MS, DAY_MS, 40 * DAY_MS)), "one"),
        Dated(first + 50 * DAY_MS, first + 52 * DAY_MS, "two"),
    )
    return Calendar(zone(rng.choice(ZONES)), sessions, weekly, dated if rng.random() < 0.5 else ())


def _cooldowns(g: Given) -> Cooldowns:
    pick = g.rng.choice
    return Cooldowns(
        pick((0, 30 * MINUTE_MS, 5 * HOUR_MS)),
        pick((0, 2, 30)),
        pick((0, 2 * HOUR_MS)),
        pick((0, HOUR_MS)),
    )


def _restricted(g: Given) -> Restricted:
    pick = g.rng.choice
    named = pick(((), (g.symbols[-1],), ("A*/USDT",), (".*/EUR",)))
    kinds = pick(((), (), ("post_only",), ("limit",)))
    return Restricted(
        named if "*" not in "".join(named) else (g.symbols[0],), pick(((), (), ("buy",))), kinds
    )


def _messages(g: Given) -> Messages:
    pick = g.rng.choice
    return Messages(
        pick((NEVER, 1, 2, 4)), pick((NEVER, 2, 5)), pick((NEVER, 3, 8, 20)), pick((0, 200_000))
    )


def _home(g: Given) -> Home:
    amount = _amount(4, 15, 40)(g)
    return Home("EUR", HOME_RATE, amount, g.rng.choice((1_000, 60_000)))


def _var(g: Given) -> ValueAtRisk:
    pick = g.rng.choice
    days = pick((10, 20))
    limit = _percent(0.3, 1, 3, 8)(g)
    return ValueAtRisk(limit, pick((950_000, 800_000)), days, pick((3, days)), pick((200_000, PPM)))


def _correlated(g: Given) -> Correlated:
    return Correlated(_percent(3, 10, 30)(g), g.rng.choice((0, 500_000, 800_000)))


# By name of the limit: loose and tight values. A world draws the tight ones for some of them.
LOOSE: dict[str, Draw] = {
    "slippage_ppm": _one_of(500, 1_000, 2_500),
    "exit_slippage_ppm": _one_of(5_000, 20_000),
    "exit_attempts": _one_of(2, 3),
    "collar_ppm": _one_of(50_000, 300_000),
    "collar_window_ppm": _one_of(NEVER),
    "collar_window_bars": _one_of(2, 5),
    "position_ppm": _percent(40, 100),
    "positions_max": _one_of(5, 9),
    "order_notional_min": _one_of("0", "5"),
    "order_value_max": _one_of("1000000000"),
    "order_qty_max": _one_of("1000000000000"),
    "order_qty_max_of": _one_of({}),
    "quote_age_ms_max": _one_of(10_000),
    "spread_ppm_max": _one_of(PPM),
    "volume_ppm_max": _one_of(NEVER),
    "volume_bars": _one_of(1, 4),
    "depth_ppm_max": _one_of(0),
    "missing_ppm_max": _one_of(PPM),
    "bar_jump_ppm_max": _one_of(200_000, 900_000),
    "repaint_ppm_max": _one_of(NEVER),
    "clock_skew_ms_max": _one_of(NEVER),
    "exposure_ppm_max": _percent(100, 200),
    "asset_ppm_max": _percent(100, 200),
    "pending_ppm_max": _percent(100, 200),
    "loss_ppm_max": _percent(100, 200),
    "day_stop_ppm": _percent(50, 99),
    "drawdown_ppm_max": _percent(60, 99),
    "rolling_loss_ppm": _one_of(PPM),
    "rolling_days": _one_of(2, 7),
    "strategy_drawdown_ppm": _one_of(NEVER),
    "unattended_max": _one_of(NEVER),
    "trades_hour_max": _one_of(50),
    "trades_day_max": _one_of(120),
    "pyramiding": _one_of(False, True, True),
    "trim_from_ppm": _one_of(0),
    "approval": _one_of("given"),
    "day": _one_of(Day()),
    "calendar": _one_of(Calendar()),
    "cooldowns": _one_of(Cooldowns()),
    "quality": _one_of(Quality()),
    "restricted": _one_of(Restricted()),
    "home": _one_of(Home()),
    "messages": _one_of(Messages()),
    "breaker": _one_of(Breaker()),
    "var": _one_of(ValueAtRisk()),
    "correlated": _one_of(Correlated()),
}
TIGHT: dict[str, Draw] = {
    "slippage_ppm": _one_of(0, 1, 100),
    "exit_slippage_ppm": _one_of(2_500),
    "exit_attempts": _one_of(1, 5),
    "collar_ppm": _one_of(200, 1_000, 3_000),
    "collar_window_ppm": _one_of(2_000, 10_000),
    "position_ppm": _percent(2, 7, 15),
    "positions_max": _one_of(1, 1, 2, 3),
    "order_notional_min": _one_of("10", "25", "99.99"),
    "order_value_max": _amount(2, 5, 9, 20),
    "order_qty_max": _one_of("0.5", "3", "1000"),
    "order_qty_max_of": lambda g: {g.symbols[0]: g.rng.choice(("0.25", "2", "500"))},
    "quote_age_ms_max": _one_of(1_000, 3_000),
    "spread_ppm_max": _one_of(100, 300, 1_000),
    "volume_ppm_max": _one_of(50_000, 400_000),
    "depth_ppm_max": _one_of(100_000, PPM),
    "missing_ppm_max": _one_of(400_000),
    "bar_jump_ppm_max": _one_of(1_000, 4_000),
    "repaint_ppm_max": _one_of(0, 500),
    "clock_skew_ms_max": _one_of(0, 500),
    "exposure_ppm_max": _percent(10, 25, 40, 70),
    "asset_ppm_max": _percent(3, 10, 22),
    "pending_ppm_max": _percent(3, 10, 22),
    "loss_ppm_max": _percent(0.2, 1, 3, 10),
    "day_stop_ppm": _percent(0.05, 0.3, 1, 3),
    "drawdown_ppm_max": _percent(0.1, 1, 4, 10),
    "rolling_loss_ppm": _percent(0.05, 0.3, 2),
    "strategy_drawdown_ppm": _percent(0.05, 0.5, 3),
    "unattended_max": _one_of(1, 2, 3),
    "trades_hour_max": _one_of(1, 1, 2, 3),
    "trades_day_max": _one_of(1, 2, 3, 4),
    "pyramiding": _one_of(True),
    "trim_from_ppm": _percent(1, 10),
    "approval": _one_of("always"),
    "day": _day,
    "calendar": _calendar,
    "cooldowns": _cooldowns,
    "quality": _one_of(Quality(500, 400_000, 1), Quality(-NEVER, 600_000, 2)),
    "restricted": _restricted,
    "home": _home,
    "messages": _messages,
    "breaker": _one_of(Breaker(1, 2 * HOUR_MS), Breaker(2, 5 * MINUTE_MS)),
    "var": _var,
    "correlated": _correlated,
}


def draw_limits(rng: random.Random, capital: Decimal, symbols: Sequence[str]) -> Limits:
    """Limits of a world: each loose, but for some that are its theme, so that they are met."""
    given = Given(rng, capital, symbols)
    theme = set(rng.sample(sorted(TIGHT), rng.choice((1, 2, 3, 3, 8))))
    return _coherent(Limits(**{name: _draw(given, name, name in theme) for name in LOOSE}))


def _draw(given: Given, name: str, tight: bool) -> Any:  # noqa: FBT001 - told by its name
    return (TIGHT if tight and name in TIGHT else LOOSE)[name](given)


def change_limits(
    rng: random.Random, before: Limits, capital: Decimal, symbols: Sequence[str]
) -> Limits:
    """The same limits, some of them lowered, sometimes one raised."""
    given = Given(rng, capital, symbols)
    names = rng.sample(list(LOOSE), rng.choice((1, 2, 4)))
    return _coherent(
        replace(before, **{name: _draw(given, name, rng.random() < 0.6) for name in names})
    )


def _coherent(limits: Limits) -> Limits:
    return replace(limits, exit_slippage_ppm=max(limits.slippage_ppm, limits.exit_slippage_ppm))


def draw_strategy(rng: random.Random, capital: Decimal) -> dict[str, Any]:
    """What of a strategy belongs to sizes, styles and exits."""
    method = rng.choice(("equity_share",) * 9 + METHODS)
    share = int(rng.choice((2, 5, 9, 20, 45, 95)) * 10_000) + rng.choice((0, 0, 1, -1, 77))
    size = SizeSpec(
        method,
        share_ppm=share,
        notional=str((capital * share / PPM).quantize(Decimal("0.01"))),
        risk_ppm=rng.choice((1_000, 10_000, 50_000)),
        span_bars=2,
        volatility_ppm=rng.choice((100_000, PPM)),
        trades_min=rng.choice((1, 2)),
        fraction_ppm=rng.choice((250_000, PPM)),
        across=rng.choice(("instruments", "strategies")),
        bars=rng.choice((3, 8)),
        notional_min=rng.choice(("0", "0", "12", "40.5")),
    )
    maker = EntryStyle(
        "maker",
        rng.choice((MINUTE_MS, HOUR_MS, DAY_MS)),
        rng.choice((0, 500, 3_000)),
        rng.choice((0, 1, 5)),
    )
    style = maker if rng.random() < 0.25 else EntryStyle()
    return {"size": size, "style": style}
