"""Measures of a candidate for the universe: traded value, age, rank, spread, depth.

Lives here: the numbers that a tier's filters and its ranking compare, all from closed bars of
`universe.timeframe` and from the snapshot's quote. Floats here are opinions, summed in the order of
the bars. Must not live here: limits, and who becomes a member (`membership`).
"""

from __future__ import annotations

from trader.core.money import PPM, mul_div_up
from trader.core.scale import Spec, notional_down
from trader.core.series import Series
from trader.core.snapshot import CoreQuote
from trader.core.universe import RANK_MS, SLACK_MS, VOLUME_MS

NOT_TOLD = -1


def quote_volume(spec: Spec, bars: Series, end_ms: int) -> float:
    """Traded value of the last 24 hours before `end_ms` (of the newest bar, where bars are
    longer): sum of close * volume, settlement currency."""
    total = 0.0
    first = bars.index_of(end_ms - max(VOLUME_MS, bars.step_ms))
    for index in range(first, bars.index_of(end_ms)):
        total += spec.price_float(bars.close[index]) * bars.volume[index]
    return total


def age_ms(bars: Series, days: Series | None, end_ms: int) -> int:
    """How long ago the oldest bar at hand opened: true age, or as far back as was looked. `days`:
    bars that reach further back, if there are any."""
    oldest = bars.open_ms[0]
    if days is not None and len(days):
        oldest = min(oldest, days.open_ms[0])
    return end_ms - oldest


def momentum(bars: Series, end_ms: int) -> float | None:
    """Change of the close over the last seven days, a share; None: no bar is that old (one that
    closed up to a day earlier will do)."""
    since_ms = end_ms - RANK_MS - bars.step_ms
    before = bars.index_of(since_ms + 1) - 1
    if before < 0 or bars.open_ms[before] < since_ms - SLACK_MS or bars.close[before] <= 0:
        return None
    return bars.close[-1] / bars.close[before] - 1.0


def volatility(bars: Series, end_ms: int) -> float | None:
    """Mean of (high - low) / close over the bars of the last seven days; None as in `momentum`."""
    first = bars.index_of(end_ms - RANK_MS)
    count = len(bars) - first
    if first == 0 or count <= 0:
        return None
    total = 0.0
    for index in range(first, len(bars)):
        total += (bars.high[index] - bars.low[index]) / max(1, bars.close[index])
    return total / count


def rank_measure(rank_by: str, spec: Spec, bars: Series, end_ms: int) -> float | None:
    """What candidates are ranked by, the greatest first; None when history is too short."""
    if rank_by == "momentum":
        return momentum(bars, end_ms)
    if rank_by == "volatility":
        return volatility(bars, end_ms)
    return quote_volume(spec, bars, end_ms)


def spread_ppm(quote: CoreQuote | None) -> int:
    """(ask - bid) / mid in millionths, rounded up; NOT_TOLD without a usable quote."""
    if quote is None or not 0 < quote.bid_ticks <= quote.ask_ticks:
        return NOT_TOLD
    twice_mid = quote.bid_ticks + quote.ask_ticks
    return mul_div_up(2 * (quote.ask_ticks - quote.bid_ticks), PPM, twice_mid)


def depth_units(spec: Spec, quote: CoreQuote | None) -> int:
    """The smaller of the values at best bid and ask, cash units; NOT_TOLD where the venue gives no
    sizes."""
    if quote is None or quote.bid_lots < 0 or quote.ask_lots < 0:
        return NOT_TOLD
    bid = notional_down(spec, quote.bid_ticks, quote.bid_lots)
    return min(bid, notional_down(spec, quote.ask_ticks, quote.ask_lots))


def number_text(value: float) -> str:
    """A float as the shortest text that reads back as the same float: no float in a trail."""
    return repr(value)
