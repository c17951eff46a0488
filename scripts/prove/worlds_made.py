"""A random world: instruments, limits, strategies and prices, all from one seed.

Lives here: what a world is made of, drawn so that every limit of a policy is tight in some worlds
and loose in others, and odd values (coarse ticks, lots larger than a position, prices that jump)
come up often. Must not live here: what happens in it (`worlds_course`), and what must hold.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from math import nan
from typing import Any

import worlds_limits

from trader.core.parameters import Parameters, StrategyCode, StrategySpec, TierSpec, UniverseSpec
from trader.core.scale import cash_digits_for
from trader.core.series import Series, build_series
from trader.domain.instrument import Instrument
from trader.domain.timeframe import TIMEFRAMES_MS, bar_open_ms, timeframe_name

PPM = 1_000_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
QUOTE = "USDT"
CASH_MAX = Decimal(1_000_000)
# 2023-01-02, a Monday: a multiple of every timeframe.
START_MS = 1_672_617_600_000
ROWS_KEPT = 24
DAYS_MADE = 24
# Decision bars, and the longer bars that some strategies decide on.
STEPS = ((MINUTE_MS, 5 * MINUTE_MS), (15 * MINUTE_MS, HOUR_MS), (HOUR_MS, 4 * HOUR_MS))
# price of one coin, tick, lot
GRIDS = (
    ("40000", "0.01", "0.00001"),
    ("2000", "0.05", "0.001"),
    ("100", "0.01", "0.001"),
    ("100", "0.01", "0.25"),
    ("1", "0.0001", "1"),
    ("1", "0.025", "3"),
    ("0.5", "0.00001", "5"),
    ("0.00002", "0.00000001", "100"),
    ("3", "1", "0.1"),
    ("60", "0.5", "7"),
    ("0.06", "0.000001", "0.0001"),
    ("0.05", "0.00000001", "0.0001"),
)
NAMES = ("AAA", "BBB", "CCC", "DDD")


@dataclass(slots=True)
class Prices:
    """The newest bars of one instrument, in ticks, and where its price is; `drift`: where it tends
    to, parts of 10,000 a bar."""

    tick: Decimal
    at: int
    first: int
    drift: int
    rows: list[tuple[int, int, int, int, int, float]] = field(
        default_factory=list[tuple[int, int, int, int, int, float]]
    )


@dataclass(slots=True)
class World:
    """Everything that is drawn before the first decision.

    Attributes:
        rules: instruments in force by symbol, that of the owner's currency among them. prices:
            of those that are traded: bars, `step_ms` long. salt: what made days are drawn from.
        parameters: in force; another comes in the middle. codes: by strategy. fee_mode: what a
            purchase pays its fee in. stops: whether protective stops may rest at the venue.
    """

    rng: random.Random
    step_ms: int
    long_ms: int
    rules: dict[str, Instrument]
    prices: dict[str, Prices]
    parameters: Parameters
    codes: Mapping[str, StrategyCode]
    capital: Decimal
    cash_digits: int
    fee_mode: str
    stops: bool
    salt: int


def make_world(seed: int, number: int) -> World:
    """World `number` of a seed: the same numbers always make the same world."""
    rng = random.Random(f"{seed} {number}")
    step_ms, long_ms = rng.choice(STEPS)
    symbols = [f"{name}/{QUOTE}" for name in NAMES[: rng.choice((1, 2, 3, 4))]]
    rules = {symbol: _instrument(rng, symbol) for symbol in symbols}
    prices = {symbol: _prices(rng, rules[symbol]) for symbol in symbols}
    rules[worlds_limits.HOME_RATE] = _home_rate()
    capital = Decimal(rng.choice(("250", "1000", "10000", "100000", "12345.67")))
    specs = tuple(
        _strategy(rng, index, symbols, (step_ms, long_ms), capital) for index in _counted(rng)
    )
    parameters = Parameters(
        account="world",
        mode="paper",
        prefix="abcdef",
        quote=QUOTE,
        step_ms=step_ms,
        anchor_bars=rng.choice((3, 8)),
        capital=rng.choice(("", "", str(capital))),
        cash_max=str(CASH_MAX),
        venue="worlds",
        limits=worlds_limits.draw_limits(rng, capital, symbols),
        strategies=specs,
        universe=_universe(rng, symbols, step_ms),
    )
    codes = {
        spec.name: _code(rng, spec.name, seed * 1_000_003 + number, len(spec.scale_ppm))
        for spec in specs
    }
    digits = cash_digits_for(list(rules.values()), CASH_MAX)
    fee_mode = rng.choice(("quote", "quote", "base", "third"))
    stops = rng.random() < 0.4
    return World(
        rng, step_ms, long_ms, rules, prices, parameters, codes, capital, digits, fee_mode, stops,
        number,
    )  # fmt: skip


def _home_rate() -> Instrument:
    tick, lot, fee = Decimal("0.0001"), Decimal("0.1"), Decimal("0.001")
    least, none = Decimal(5), Decimal(0)
    return Instrument(worlds_limits.HOME_RATE, "EUR", QUOTE, tick, lot, lot, none, least, fee, fee)


def _counted(rng: random.Random) -> range:
    return range(rng.choice((1, 2, 2, 3, 4)))


def _instrument(rng: random.Random, symbol: str) -> Instrument:
    price, tick, lot = map(Decimal, rng.choice(GRIDS))
    base = symbol.partition("/")[0]
    value = price * lot
    qty_min = lot * rng.choice((0, 0, 1, 3))
    # Largest quantities: none, one that only sizes feel, or the one of a real venue.
    qty_max = rng.choice((Decimal(0), Decimal(0), lot * 40, Decimal(46116860414)))
    if qty_max and (value * 40 < 60 or qty_max < qty_min):
        qty_max = Decimal(0)
    qty_max = qty_max // lot * lot
    taker = rng.choice(("0", "0.001", "0.001", "0.00075", "0.0026"))
    return Instrument(
        symbol,
        base,
        QUOTE,
        tick,
        lot,
        qty_min,
        qty_max,
        Decimal(rng.choice(("0", "1", "5", "10"))),
        Decimal(taker),
        Decimal(taker) * Decimal("0.5"),
    )


def _prices(rng: random.Random, rules: Instrument) -> Prices:
    # Any price of the grid's size: what one lot is worth then is anything, too.
    near = next(Decimal(p) for p, t, _ in GRIDS if Decimal(t) == rules.tick)
    for price, tick, lot in GRIDS:
        if (Decimal(tick), Decimal(lot)) == (rules.tick, rules.lot):
            near = Decimal(price)
    ticks = int(near / rules.tick)
    first = max(2, ticks * rng.randrange(700, 1400) // 1000)
    return Prices(rules.tick, first, first, rng.choice((0, 0, 0, 0, 0, 0, 0, 150, 40, -60)))


def _share(rng: random.Random, *percents: float) -> int:
    return int(rng.choice(percents) * 10_000) + rng.choice((0, 0, 1, -1, 77))


def _strategy(
    rng: random.Random,
    index: int,
    symbols: Sequence[str],
    steps_ms: tuple[int, int],
    capital: Decimal,
) -> StrategySpec:
    name = ("ada", "bob", "cyd", "dot")[index]
    step_ms, long_ms = steps_ms
    frame_ms = rng.choice((step_ms, step_ms, step_ms, long_ms))
    mine = [s for s in symbols if rng.random() < 0.8] or [rng.choice(symbols)]
    return StrategySpec(
        name=name,
        source=f"{name}.py",
        source_sha="0" * 64,
        symbols=tuple(mine),
        timeframe=timeframe_name(frame_ms),
        timeframe_ms=frame_ms,
        numbers={},
        ttl_bars=rng.choice((1, 1, 2, 4)),
        enabled=rng.random() < 0.97,
        shadow=rng.random() < 0.03,
        priority=rng.choice((10, 100, 100, 200)),
        hold_ms_max=rng.choice((0, 0, step_ms * 2, DAY_MS)),
        pyramiding=rng.random() < 0.6,
        scale_ppm=rng.choice(((), (), (), (500_000,), (300_000, 300_000, 400_000))),
        budget_exposure_ppm=_share(rng, 100, 100, 100, 100, 40, 12),
        budget_loss_ppm=_share(rng, 100, 100, 100, 100, 5, 1, 0.3),
        budget_positions_max=rng.choice((9, 9, 9, 2, 1)),
        budget_trades_day_max=rng.choice((999, 999, 6, 2, 1)),
        **worlds_limits.draw_strategy(rng, capital),
    )


def _universe(rng: random.Random, symbols: Sequence[str], step_ms: int) -> UniverseSpec:
    if rng.random() < 0.75:
        return UniverseSpec()
    cut = rng.randrange(0, len(symbols) + 1)
    named = {"core": tuple(symbols[:cut]), "rotational": tuple(symbols[cut:])}
    tiers = tuple(
        TierSpec(
            name,
            pairs,
            positions_max=rng.choice((1, 2, 9)),
            weight_ppm=_share(rng, 10, 30, 60),
        )
        for name, pairs in named.items()
        if pairs
    )
    return UniverseSpec(timeframe_name(step_ms), step_ms, step_ms, tiers)


def change_policy(world: World) -> Parameters:
    """Limits lowered or raised, strategies switched, gone or back: as a human may at any time."""
    rng, before = world.rng, world.parameters
    limits = worlds_limits.change_limits(rng, before.limits, world.capital, list(world.prices))
    specs = list(before.strategies)
    if rng.random() < 0.3:
        at = rng.randrange(len(specs))
        specs[at] = replace(
            specs[at],
            enabled=rng.random() < 0.7,
            shadow=rng.random() < 0.2,
            budget_exposure_ppm=_share(rng, 100, 40, 12),
            budget_positions_max=rng.choice((9, 2, 1)),
        )
    if len(specs) > 1 and rng.random() < 0.15:
        del specs[rng.randrange(len(specs))]
    return replace(before, limits=limits, strategies=tuple(specs))


# --- what strategies say -------------------------------------------------------------------------


def _code(rng: random.Random, name: str, salt: int, steps: int) -> StrategyCode:
    """Says anything about each bar, always the same about the same bar."""
    eager = rng.choice((35, 70, 95))
    leaves = rng.choice((0, 10, 30))
    wild = rng.random() < 0.15
    exits = rng.choice(
        (
            (),
            (),
            ("target",),
            ("trail",),
            ("target", "trail"),
            ("trail", "trail_from"),
            ("break_even",),
            ("trail", "trail_from", "break_even"),
        )
    )
    exits += tuple(f"scale_out_{step + 1}" for step in range(steps))
    strong = rng.random() < 0.3
    key = salt * 31 + sum(map(ord, name))

    def signals(bars: Any, _: Mapping[str, float | int]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {"enter": [], "exit": [], "stop": []}
        for extra in exits:
            found[extra] = []
        if strong:
            found["strength"] = []
        for at, close in zip(bars.open_ms, bars.close, strict=True):
            said = hash((key, at, close)) % 1_000_000_007
            found["enter"].append(int(said % 100 < eager))
            found["exit"].append(int(said // 100 % 100 < leaves))
            found["stop"].append(_distance(said // 10_000, close, wild=wild))
            for extra in exits:
                found[extra].append(close * (0.001 + (said // 1_000 + len(extra)) % 47 / 2_000))
            if strong:
                found["strength"].append((said // 10 % 23) / 20)
        return found

    return StrategyCode(lambda _: 1, signals)


def _distance(said: int, close: float, *, wild: bool) -> float:
    if wild:
        return (nan, 0.0, -close, 1e30, 1e-12, close * 2, close, close * 0.01)[said % 8]
    return close * (0.001, 0.004, 0.01, 0.03, 0.1, 0.5)[said % 6]


# --- prices --------------------------------------------------------------------------------------


def advance(world: World, bar_ms: int) -> None:
    """Bars up to the one that opens at `bar_ms`; after a long pause only the newest."""
    rng, step = world.rng, world.step_ms
    for prices in world.prices.values():
        first = bar_ms - 12 * step
        if prices.rows:
            first = max(first, prices.rows[-1][0] + step)
        for at in range(first, bar_ms + 1, step):
            prices.rows.append(_bar(rng, prices, at))
        del prices.rows[:-ROWS_KEPT]


def _bar(rng: random.Random, prices: Prices, at_ms: int) -> tuple[int, int, int, int, int, float]:
    opened = prices.at
    level = rng.random()
    size = 40 if level < 0.90 else 200 if level < 0.985 else 5_000
    moved = opened * (prices.drift + rng.randrange(-size, size + 1)) // 10_000
    closed = max(1, opened + moved)
    if level > 0.9985:
        closed = max(1, rng.choice((opened // 1000, min(opened * 1000, 10**9))))
    wick = max(opened, closed) * rng.randrange(0, 30) // 10_000
    low = max(1, min(opened, closed) - wick)
    prices.at = closed
    # Whatever falls to nothing stays there: it is lifted again, so that worlds do not die out.
    if closed < 4:
        prices.at = 4
    volume = float(rng.choice((0, 1, 50, 3_000, 10**6)))
    return (at_ms, opened, max(opened, closed) + wick, low, closed, volume)


def days_of(world: World, symbol: str, close_ms: int) -> list[tuple[int, int]]:
    """Made daily bars (open_ms, close in ticks) up to the newest that has closed; some are absent,
    some instruments move alike."""
    prices = world.prices[symbol]
    at_close = {row[0] + world.step_ms: row[4] for row in prices.rows}
    alike = world.salt % 3 == 0
    found: list[tuple[int, int]] = []
    last = close_ms // DAY_MS * DAY_MS - DAY_MS
    for at in range(last - DAYS_MADE * DAY_MS, last + 1, DAY_MS):
        said = hash((world.salt, 0 if alike else prices.first, at))
        if said % 17 == 0 and at != last:
            continue
        close = max(1, prices.first * (100_000 + said // 17 % 9_001 - 4_500) // 100_000)
        found.append((at, at_close.get(at + DAY_MS, close)))
    return found


def series_of(world: World, close_ms: int, missing: set[str]) -> dict[tuple[str, str], Series]:
    """Closed bars by (symbol, timeframe); the newest is absent for `missing` instruments."""
    limits = world.parameters.limits
    daily = limits.var.limit_ppm < PPM or limits.correlated.exposure_ppm_max < PPM
    found: dict[tuple[str, str], Series] = {}
    for symbol, prices in world.prices.items():
        rows = [row for row in prices.rows if row[0] + world.step_ms <= close_ms]
        if symbol in missing:
            rows = rows[:-1]
        found[symbol, timeframe_name(world.step_ms)] = build_series(
            symbol, world.step_ms, prices.tick, rows
        )
        found[symbol, timeframe_name(world.long_ms)] = build_series(
            symbol, world.long_ms, prices.tick, _longer(rows, world.long_ms, close_ms)
        )
        if daily:
            made = days_of(world, symbol, close_ms)
            if symbol in missing and close_ms % DAY_MS == 0:
                del made[-1]
            found[symbol, "1d"] = build_series(
                symbol, DAY_MS, prices.tick, ((at, c, c, c, c, 1.0) for at, c in made)
            )
    return found


def _longer(
    rows: Sequence[tuple[int, int, int, int, int, float]], long_ms: int, close_ms: int
) -> list[tuple[int, int, int, int, int, float]]:
    merged: dict[int, tuple[int, int, int, int, int, float]] = {}
    for row in rows:
        at = bar_open_ms(row[0], long_ms)
        old = merged.get(at)
        if old is None:
            merged[at] = (at, *row[1:])
        else:
            high, low = max(old[2], row[2]), min(old[3], row[3])
            merged[at] = (at, old[1], high, low, row[4], old[5] + row[5])
    return [row for at, row in merged.items() if at + long_ms <= close_ms]


__all__ = ["TIMEFRAMES_MS", "World", "advance", "change_policy", "make_world", "series_of"]
