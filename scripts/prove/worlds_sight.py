"""What one decision of a world sees: bars, quotes, troubles, hashes, clocks; for the core and for
its oracle.

Lives here: drawing it, as a snapshot of the core, and as a `Moment` of the oracle. Must not live
here: what happens then (`worlds_course`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import worlds_made
from worlds_ledger import Ledger
from worlds_limits import HOME_RATE
from worlds_made import World
from worlds_moment import Bar, Moment

from trader.core.series import Series
from trader.core.snapshot import CoreQuote, Running, Snapshot
from trader.core.state import HALT_LEVELS, State
from trader.domain.timeframe import timeframe_name

RUNNING = Running("policy", "code", "lock")


@dataclass
class Seen:
    """What one decision sees of the market and of its host."""

    bar_ms: int
    close_ms: int
    now_ms: int
    series: dict[tuple[str, str], Series]
    quotes: dict[str, CoreQuote]
    missing: set[str]
    skew_ms: int = 0
    running: Running = RUNNING
    repaints: dict[str, int] = field(default_factory=dict[str, int])
    troubles: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def look(world: World, bar_ms: int) -> Seen:
    """What is there when the bar that opens at `bar_ms` has closed."""
    rng = world.rng
    close_ms = bar_ms + world.step_ms
    now_ms = close_ms + rng.choice((0, 1_000, 5_000, 5_000, 40_000))
    missing = {symbol for symbol in world.prices if rng.random() < 0.02}
    series = worlds_made.series_of(world, close_ms, missing)
    quotes: dict[str, CoreQuote] = {}
    for symbol in world.prices:
        quote = draw_quote(world, symbol, now_ms)
        if quote is not None:
            quotes[symbol] = quote
    if rng.random() < 0.95:
        age = rng.choice((0, 500, 1_000, 1_001, 61_000))
        quotes[HOME_RATE] = CoreQuote(10_800 + rng.randrange(400), 11_300, -1, -1, now_ms - age)
    seen = Seen(bar_ms, close_ms, now_ms, series, quotes, missing)
    if rng.random() < 0.02:
        seen.troubles["*"] = ("CASH_SHORT asset=USDT",)
    if rng.random() < 0.02:
        seen.troubles[rng.choice(list(world.prices))] = ("DATA_IMPOSSIBLE why=made",)
    if rng.random() < 0.1:
        seen.repaints[rng.choice(list(world.prices))] = rng.choice((1, 500, 501, 9_000))
    if rng.random() < 0.3:
        seen.skew_ms = rng.choice((-501, -500, 500, 501, 1, 40_000))
    if rng.random() < 0.03:
        seen.running = rng.choice((Running("policy", "code", "other"), Running("", "code", "lock")))
    return seen


def draw_quote(world: World, symbol: str, now_ms: int) -> CoreQuote | None:
    """A quote around the price, now and then an odd one."""
    rng, price = world.rng, world.prices[symbol].at
    moved = max(1, price + price * rng.randrange(-10, 11) // 20_000)
    spread = price * rng.choice((0, 1, 2, 3, 9)) // 10_000
    bid, ask = max(1, moved - spread // 2), moved + (spread + 1) // 2
    at_ms = now_ms - rng.choice((0, 300, 900, 1_000, 1_001))
    odd = rng.random()
    if odd < 0.012:
        return None
    if odd < 0.024:
        bid, ask = rng.choice(((0, ask), (bid, 0), (0, 0)))
    elif odd < 0.036:
        bid, ask = ask + 1, bid
    elif odd < 0.06:
        at_ms = now_ms + rng.choice((-10_001, -10_000, -3_001, 10_001, 999))
    elif odd < 0.09:
        bid, ask = (max(1, value * rng.choice((90, 97, 104, 300)) // 100) for value in (bid, ask))
    lots = rng.choice(((-1, -1), (0, 7), (5_000, 5_000), (10**9, 10**9)))
    return CoreQuote(bid, ask, *lots, at_ms)


def snapshot_of(world: World, seen: Seen, state: State, latch: str) -> Snapshot:
    """What the core sees."""
    return Snapshot(
        seen.bar_ms,
        seen.now_ms,
        state,
        world.parameters,
        world.codes,
        seen.series,
        seen.quotes,
        seen.troubles,
        latch,
        running=seen.running,
        skew_ms=seen.skew_ms,
        repaints=seen.repaints,
    )


def moment_of(world: World, seen: Seen, state: State, ledger: Ledger, latch: str) -> Moment:
    """The same as the oracle sees it: its own ledger beside what was shown to the core."""
    rules = world.rules
    marks: dict[str, Decimal] = {}
    bars: dict[tuple[str, str], list[Bar]] = {}
    days: dict[str, list[tuple[int, Decimal]]] = {}
    newest: dict[str, int] = {}
    for (symbol, timeframe), series in seen.series.items():
        tick, rows = rules[symbol].tick, list(series.rows())
        if timeframe == "1d":
            days[symbol] = [(row[0], row[4] * tick) for row in rows]
            continue
        bars[symbol, timeframe] = [(row[0], row[4] * tick, row[5]) for row in rows]
        if rows and rows[-1][0] + series.step_ms > newest.get(symbol, -1):
            newest[symbol] = rows[-1][0] + series.step_ms
            marks[symbol] = rows[-1][4] * tick
    held = ((symbol, coins) for (_, symbol), coins in ledger.held.items())
    equity = sum((coins * marks[symbol] for symbol, coins in held), ledger.cash)
    rank = max(HALT_LEVELS.index(state.word("halt_level")), HALT_LEVELS.index(latch))
    return Moment(
        ledger,
        world.parameters,
        marks,
        bars,
        days,
        stops_of(world, state),
        seen.quotes,
        rank,
        len(seen.troubles.get("*", ())),
        seen.now_ms,
        seen.close_ms,
        equity,
        seen.skew_ms,
        seen.repaints,
        seen.running,
        frozenset(name for name, book in state.books.items() if book.shadow_why),
    )


def stops_of(world: World, state: State) -> dict[str, Decimal]:
    """The stop in force of each position, a price; 0 for none."""
    return {
        symbol: position.stop_ticks * world.rules[symbol].tick
        for symbol, position in state.positions.items()
    }


def lows_of(world: World, seen: Seen) -> Mapping[str, Decimal]:
    """The decision bar's low of each instrument that has one."""
    name, found = timeframe_name(world.step_ms), dict[str, Decimal]()
    for (symbol, timeframe), series in seen.series.items():
        if timeframe == name and len(series) and series.open_ms[-1] == seen.bar_ms:
            found[symbol] = series.low[-1] * world.rules[symbol].tick
    return found
