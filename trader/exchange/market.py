"""Bars as a market that moves with the clock.

Here: the path that the price takes inside each bar, the order book around it, and what was traded
so far. Everything is a function of (bars, seed, time): no state but the liquidity that orders have
taken out of the current step's book. Not here: orders and balances.

A bar is walked in 60 equal steps: open, then low and high (their order drawn from the seed), then
close, straight lines between, never outside low..high. Where there is no bar the price stays.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from itertools import pairwise

from trader.exchange.bars import Bar, BarSeries
from trader.exchange.instruments import Instrument
from trader.exchange.money import ONE, ZERO, ceil_to, floor_to, ratio
from trader.records import dataclass

STEPS = 60
LEVELS = 20
_PATHS_CACHED_MAX = 64


@dataclass(frozen=True, slots=True)
class Level:
    """A price of the book and the quantity on offer there."""

    price: Decimal
    qty: Decimal


@dataclass(frozen=True, slots=True)
class Spot:
    """A moment of the market: the bar's index and the step inside it.

    In a gap, or after the last bar, the step goes on counting beyond the bar's own sixty.
    """

    index: int
    step: int

    @property
    def in_gap(self) -> bool:
        """Whether no bar covers the moment: no trade happens and quotes are stale."""
        return self.step >= STEPS


class Market:
    """One instrument's market.

    half_spread: a fraction of the price; depth: multiplier of the size offered per level, which at
    1 is about what one step of the bar trades.
    """

    def __init__(
        self, symbol: str, series: BarSeries, seed: int, half_spread: Decimal, depth: Decimal
    ) -> None:
        self.symbol = symbol
        self.series = series
        self.half_spread = half_spread
        self.depth = depth
        self._seed = seed
        self._paths: dict[tuple[int, Decimal], tuple[Decimal, ...]] = {}
        self._book: tuple[Spot, Instrument, tuple[list[Level], list[Level]]] | None = None
        # Liquidity taken out of the book of one step: (index, step) and quantity by (side, price).
        self.taken_at: tuple[int, int] | None = None
        self.taken: dict[tuple[str, Decimal], Decimal] = {}

    @property
    def step_ms(self) -> int:
        """Length of one step of the path."""
        return max(1, self.series.step_ms // STEPS)

    @property
    def end_ms(self) -> int:
        """First millisecond after the last bar."""
        return self.series.close_ms(len(self.series) - 1)

    def spot(self, at_ms: int) -> Spot | None:
        """Where the market is at `at_ms`; None before the first bar."""
        index = self.series.index_at(at_ms)
        if index < 0:
            return None
        return Spot(index, (at_ms - self.series.opens_ms[index]) // self.step_ms)

    def price(self, rules: Instrument, spot: Spot) -> Decimal:
        """Last traded price: on the path, or the bar's close in a gap."""
        if spot.in_gap:
            return self.series.bar(spot.index).close
        return self.path(rules, spot.index)[spot.step]

    def path(self, rules: Instrument, index: int) -> tuple[Decimal, ...]:
        """The sixty prices of a bar; low, high, open and close are exactly the bar's own."""
        key = (index, rules.tick)
        found = self._paths.get(key)
        if found is None:
            if len(self._paths) >= _PATHS_CACHED_MAX:
                self._paths.clear()
            bar = self.series.bar(index)
            found = self._paths[key] = _walk(bar, self._draw("path", bar.open_ms), rules.tick)
        return found

    def partial_bar(self, rules: Instrument, spot: Spot) -> Bar:
        """The bar at `spot.index` as far as it has come: the open candle, or the whole bar."""
        bar = self.series.bar(spot.index)
        if spot.in_gap:
            return bar
        seen = self.path(rules, spot.index)[: spot.step + 1]
        volume = ratio(bar.volume * len(seen), Decimal(STEPS))
        return Bar(bar.open_ms, bar.open, max(seen), min(seen), seen[-1], min(volume, bar.volume))

    def book(self, rules: Instrument, spot: Spot) -> tuple[list[Level], list[Level]]:
        """Bids (best first) and asks (best first), less what orders took in this very step."""
        if self._book is None or self._book[0] != spot or self._book[1] is not rules:
            self._book = (spot, rules, self._make_book(rules, spot))
        bids, asks = self._book[2]
        if self.taken_at == (spot.index, spot.step):
            return self._less_taken("bid", bids), self._less_taken("ask", asks)
        return bids, asks

    def _make_book(self, rules: Instrument, spot: Spot) -> tuple[list[Level], list[Level]]:
        price = self.price(rules, spot)
        bid = max(rules.tick, floor_to(price * (ONE - self.half_spread), rules.tick))
        ask = ceil_to(price * (ONE + self.half_spread), rules.tick)
        if ask <= bid:
            ask = bid + rules.tick
        gap = max(rules.tick, floor_to(price * Decimal("0.00005"), rules.tick))
        draws = self._draw("book", spot.index, spot.step)
        unit = self._level_unit(rules, spot, price)
        bids = [
            Level(bid - gap * i, _size(unit, draws[i], rules.lot))
            for i in range(LEVELS)
            if bid - gap * i > ZERO
        ]
        asks = [
            Level(ask + gap * i, _size(unit, draws[LEVELS + i], rules.lot)) for i in range(LEVELS)
        ]
        return bids, asks

    def take(self, spot: Spot, side: str, price: Decimal, qty: Decimal) -> None:
        """Remember that `qty` at `price` of the "bid" or "ask" side is gone for this step."""
        moment = (spot.index, spot.step)
        if self.taken_at != moment:
            self.taken_at, self.taken = moment, {}
        self.taken[side, price] = self.taken.get((side, price), ZERO) + qty

    def step_volume(self, rules: Instrument, spot: Spot) -> Decimal:
        """What strangers trade at the path's price in this step and would share with an order."""
        if spot.in_gap:
            return ZERO
        share = self._draw("flow", spot.index, spot.step)[0]
        volume = self.series.bar(spot.index).volume
        return floor_to(ratio(volume * share, Decimal(256 * STEPS)), rules.lot)

    def _level_unit(self, rules: Instrument, spot: Spot, price: Decimal) -> Decimal:
        volume = self.series.bar(spot.index).volume
        per_step = ratio(volume * self.depth, Decimal(STEPS))
        return max(per_step, ratio(rules.notional_min * 4 * self.depth, price))

    def _less_taken(self, side: str, levels: list[Level]) -> list[Level]:
        left = [Level(x.price, x.qty - self.taken.get((side, x.price), ZERO)) for x in levels]
        return [level for level in left if level.qty > ZERO]

    def _draw(self, *what: object) -> bytes:
        name = "|".join(map(str, (self._seed, self.symbol, *what)))
        return blake2b(name.encode(), digest_size=64).digest()


def _size(unit: Decimal, draw: int, lot: Decimal) -> Decimal:
    return max(lot, floor_to(ratio(unit * (draw + 16), Decimal(128)), lot))


def _walk(bar: Bar, draws: bytes, tick: Decimal) -> tuple[Decimal, ...]:
    first, second = (bar.low, bar.high) if draws[0] & 1 else (bar.high, bar.low)
    turn_1, turn_2 = 5 + draws[1] % 20, 30 + draws[2] % 24
    knots = [(0, bar.open), (turn_1, first), (turn_2, second), (STEPS - 1, bar.close)]
    prices: list[Decimal] = [bar.open]
    for (begin, start), (end, stop) in pairwise(knots):
        for step in range(begin + 1, end):
            value = start + ratio((stop - start) * (step - begin), Decimal(end - begin))
            prices.append(min(bar.high, max(bar.low, floor_to(value, tick))))
        prices.append(stop)
    return tuple(prices)
