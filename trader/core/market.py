"""The market as a back-test models it: where an order meets it, and how much of a bar is there.

Lives here: bid and ask around a bar's price, the bar that opens at an instant, the finer bars
inside one, and what is left of a bar's volume for our orders. It only reads bars, and counts what
was taken. Must not live here: orders and the state (`simulate`), and what fills (`fills`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trader.core.fills import away_ticks
from trader.core.model import AWAY_PPM_MAX, Model
from trader.core.money import AmountOverflow, mul_div_up, share_down
from trader.core.series import Series
from trader.core.sizing import float_down
from trader.core.snapshot import CoreQuote, SeriesKey
from trader.core.state import State
from trader.domain.order import Side
from trader.domain.timeframe import timeframe_name

# A quotient of two decimals that are not binary may fall short of a whole number by its last bits.
NUDGE = 1.0000000000000004


class Touch(NamedTuple):
    """Where an order meets the market: the bar's price, the spread in force, and the bar."""

    base_ticks: int
    spread_ppm: int
    series: Series
    row: int


class Market:
    """Bars of every instrument under a model. `series` is by (symbol, timeframe)."""

    def __init__(
        self, series: Mapping[SeriesKey, Series], model: Model, step_ms: int, state: State
    ) -> None:
        """`state` tells the rules of instruments."""
        self.series = series
        self.model = model
        self.step_ms = step_ms
        self.state = state
        self._step_name = timeframe_name(step_ms)
        # Plain models ask for the same half spread at every bar.
        self._spread_ppm = model.spread_ppm
        self._used: dict[str, tuple[int, int]] = {}
        self._silent: dict[str, bool] = {}

    def whole(self, symbol: str) -> Series | None:
        """The instrument's bars of the decision timeframe."""
        return self.series.get((symbol, self._step_name))

    def at(self, symbol: str, open_ms: int) -> tuple[Series, int] | None:
        """The bar of the decision timeframe that opens at an instant."""
        series = self.whole(symbol)
        index = 0 if series is None else series.index_of(open_ms)
        if series is None or index >= len(series) or series.open_ms[index] != open_ms:
            return None
        return series, index

    def quote(self, price_ticks: int, spread_ppm: int, at_ms: int) -> CoreQuote:
        """Bid and ask around a price."""
        half = (spread_ppm + 1) // 2
        bid = away_ticks(Side.SELL, price_ticks, half)
        return CoreQuote(bid, away_ticks(Side.BUY, price_ticks, half), -1, -1, at_ms)

    def close_quote(self, symbol: str, bar_ms: int) -> CoreQuote | None:
        """The quote at the close of a bar, None where there is no such bar."""
        found = self.at(symbol, bar_ms)
        if found is None:
            return None
        series, index = found
        spread = self.spread_ppm(series, index)
        return self.quote(series.close[index], spread, bar_ms + self.step_ms)

    def spread_ppm(self, series: Series, index: int) -> int:
        """The spread in force once bar `index` has closed (-1: before the first)."""
        share = self.model.spread_range_ppm
        if not share or index < 0:
            return self._spread_ppm
        range_ppm = mul_div_up(series.high[index] - series.low[index], share, series.close[index])
        return min(AWAY_PPM_MAX, max(self._spread_ppm, range_ppm))

    def touch(self, symbol: str, close_ms: int) -> Touch | None:
        """Where what arrives at `close_ms` meets the market: the open of the bar that begins then;
        without latency the close of the bar that has just ended. None: there is no such bar."""
        if self.model.latency_bars == 0:
            found = self.at(symbol, close_ms - self.step_ms)
            if found is None:
                return None
            series, index = found
            return Touch(series.close[index], self.spread_ppm(series, index), series, index)
        found = self.at(symbol, close_ms)
        if found is None:
            return None
        series, index = found
        return Touch(series.open[index], self.spread_ppm(series, index - 1), series, index)

    def touch_quote(self, touch: Touch | None, at_ms: int) -> CoreQuote | None:
        """The quote of a touch."""
        return None if touch is None else self.quote(touch.base_ticks, touch.spread_ppm, at_ms)

    def last_ms(self, symbol: str) -> int:
        """Open time of the instrument's last bar, -1 when it has none."""
        series = self.whole(symbol)
        return series.open_ms[-1] if series is not None and len(series) else -1

    def ends_ms(self) -> int:
        """Open time of the last bar of all."""
        return max((self.last_ms(symbol) for symbol, _ in self.series), default=-1)

    # --- volume ------------------------------------------------------------------------------

    def volume_lots(self, series: Series, index: int) -> int:
        """What a bar traded, whole lots; a volume that cannot be is none."""
        return self._lots(series.symbol, series.volume[index])

    def taker_room(self, series: Series, index: int) -> int:
        """Lots that takers may still fill of a bar, -1: not bounded."""
        if self.model.volume.share_ppm:
            return self._share_left(series, index)
        told = series.volume[index] > 0.0 or self.model.zero_volume_fills
        return -1 if told or self.is_silent(series.symbol) else 0

    def resting_room(self, series: Series, index: int) -> int:
        """Lots that orders at rest may still fill of a bar, -1: not bounded."""
        if self.model.volume.share_ppm:
            return self._share_left(series, index)
        if self.is_silent(series.symbol):
            return -1
        return self.volume_lots(series, index) - self._used_of(series, index)

    def take(self, series: Series, index: int, lots: int, *, resting: bool) -> None:
        """What one order took is not there for the next; without a share only what rests counts."""
        if lots > 0 and (resting or self.model.volume.share_ppm):
            used = self._used_of(series, index) + lots
            self._used[series.symbol] = (series.open_ms[index], used)

    def is_silent(self, symbol: str) -> bool:
        """Whether an instrument's data tell no volume at all."""
        known = self._silent.get(symbol)
        if known is None:
            series = self.whole(symbol)
            known = series is None or not any(series.volume)
            self._silent[symbol] = known
        return known

    def _share_left(self, series: Series, index: int) -> int:
        volume = self.volume_lots(series, index)
        share = share_down(volume, self.model.volume.share_ppm)
        return max(0, share - self._used_of(series, index))

    def _used_of(self, series: Series, index: int) -> int:
        bar_ms, lots = self._used.get(series.symbol, (-1, 0))
        return lots if bar_ms == series.open_ms[index] else 0

    def _lots(self, symbol: str, coins: float) -> int:
        try:
            return float_down(coins / float(self.state.spec(symbol).lot) * NUDGE)
        except AmountOverflow:
            return 0

    # --- finer bars --------------------------------------------------------------------------

    def inside(self, series: Series, index: int) -> Iterator[tuple[Series, int]]:
        """The bars in whose order a bar's events happened: finer ones where the model asks for
        them and they are there, else the bar itself."""
        detail = self.series.get((series.symbol, self.model.detail)) if self.model.detail else None
        opens_ms = series.open_ms[index]
        first = last = 0
        if detail is not None:
            first = detail.index_of(opens_ms)
            last = detail.index_of(opens_ms + self.step_ms)
        if detail is None or first == last:
            yield series, index
            return
        for at in range(first, last):
            yield detail, at

    def detail_room(self, detail: Series, index: int, used: int, room: int) -> int:
        """Lots that may still fill of a finer bar, of which `used` are taken; `room`: of its bar,
        -1 for no bound."""
        if self.is_silent(detail.symbol):
            return room
        lots = self.volume_lots(detail, index)
        if self.model.volume.share_ppm:
            lots = share_down(lots, self.model.volume.share_ppm)
        own = max(0, lots - used)
        return own if room < 0 else min(own, room)
