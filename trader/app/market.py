"""The market a decision sees: bars and quotes read from the venue, bars kept by the journal.

Lives here: asking for exactly the bars that the anchored windows need, keeping new and changed ones
as facts, and building the snapshot from what the journal then holds (so that a replay sees the
same). Must not live here: judging whether the data is good enough to trade on (gates do), or
whether a bar can be (`bars.quality` does).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from trader.app.context import PassSetup
from trader.app.execute import core_quote
from trader.app.fanout import gather
from trader.app.ports import MarketData, RawBar
from trader.app.reconcile import ReconcileReport
from trader.bars.quality import judge_rows
from trader.core.daily import daily_windows
from trader.core.scale import ScaleError, text
from trader.core.series import Series
from trader.core.signals import opinion_windows, wanted_windows
from trader.core.snapshot import CoreQuote, SeriesKey, Snapshot
from trader.core.universe import followed_symbols
from trader.domain.market import Quote
from trader.domain.timeframe import DAY_MS, TIMEFRAMES_MS, timeframe_name
from trader.errors import TraderError
from trader.journal.journal import Journal
from trader.records import dataclass, field

# A bar may change at the venue shortly after its close: so many known ones are read again.
OVERLAP_BARS = 2
SETTLE_POLL_S = 0.25
HOUR_MS = 3_600_000
QUOTES: SeriesKey = ("", "quotes")
Windows = Mapping[SeriesKey, tuple[int, int]]


@dataclass(slots=True)
class Reading:
    """One round of market reads: raw bars and quotes, what could not be read, and by how much
    (millionths) bars that were decided on have changed since."""

    bars: dict[SeriesKey, list[RawBar]] = field(default_factory=dict[SeriesKey, list[RawBar]])
    quotes: dict[str, Quote] = field(default_factory=dict[str, Quote])
    troubles: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    repaints: dict[str, int] = field(default_factory=dict[str, int])
    errors: list[TraderError] = field(default_factory=list[TraderError])
    quotes_error: TraderError | None = None

    def trouble(self, symbol: str, what: str) -> None:
        """Note why an instrument cannot be decided on."""
        self.troubles.setdefault(symbol, []).append(what)


def read_market(
    setup: PassSetup,
    venue: MarketData,
    journal: Journal,
    bar_ms: int,
    reconciled: ReconcileReport,
) -> Snapshot:
    """Read, keep new bars as facts, and build the snapshot of one decision bar.

    Raises the TraderError of the reads when no bars were answered, or no quotes while something is
    held: a bar is planned once, so an exit without a price is left to the next cycle.
    """
    close_ms = bar_ms + setup.parameters.step_ms
    held = sorted(s for s, position in journal.state.positions.items() if position.qty_units > 0)
    windows = wanted_windows(setup.parameters, setup.codes, journal.state, close_ms)
    known = {key: span for key, span in windows.items() if key[0] in journal.state.instruments}
    followed = {*followed_symbols(setup.parameters, journal.state), *held}
    slow = _slow_windows(setup, journal, close_ms)
    due = _slow_are_due(setup, journal, close_ms)
    asked = {key: span for key, span in known.items() if due or key not in slow}
    read = {symbol for symbol, _ in known}
    _await_settled(setup, venue, sorted(followed & read or read), close_ms)
    reading = _read(setup, venue, journal, asked, followed, slow)
    if reading.errors and reading.bars.keys() <= set(slow):
        raise reading.errors[0]
    if held and reading.quotes_error is not None:
        raise reading.quotes_error
    _keep_bars(setup, journal, reading, close_ms, slow)
    series: dict[SeriesKey, Series] = {}
    for (symbol, timeframe), (first_ms, last_ms) in known.items():
        tick = journal.state.spec(symbol).tick
        series[symbol, timeframe] = journal.bars_window(
            symbol, timeframe, first_ms, last_ms + 1, tick=tick
        )
    quotes = _core_quotes(journal, reading)
    for symbol in reconciled.refused:
        reading.trouble(symbol, "INSTRUMENT_INACTIVE venue=refuses")
    for name, why in reconciled.universe.items():
        reading.trouble(name, why)
    troubles = {symbol: tuple(codes) for symbol, codes in reading.troubles.items()}
    mismatches = reconciled.mismatches
    if mismatches:
        troubles["*"] = mismatches
    return Snapshot(
        bar_ms,
        setup.clock.now_ms(),
        journal.state,
        setup.parameters,
        setup.codes,
        series,
        quotes,
        troubles,
        setup.latch_level(),
        setup.strategy_troubles,
        setup.running,
        reconciled.skew_ms,
        {symbol: ppm for symbol, ppm in reading.repaints.items() if ppm},
    )


def _slow_windows(setup: PassSetup, journal: Journal, close_ms: int) -> Collection[SeriesKey]:
    """Daily bars that only the limits look at. What cannot be read of them keeps nobody from
    trading: there, a day without a bar counts as a bad one."""
    daily = daily_windows(setup.parameters, journal.state, close_ms)
    if not daily:
        return ()
    own = opinion_windows(setup.parameters, setup.codes, journal.state, close_ms)
    return daily.keys() - own.keys()


def _slow_are_due(setup: PassSetup, journal: Journal, close_ms: int) -> bool:
    """Whether daily bars that the journal lacks are asked for: at the first decision of a UTC day,
    and on the hour, because a venue may have none (a coin listed today)."""
    before_ms = journal.state.number("last_bar_ms") + setup.parameters.step_ms
    return before_ms // DAY_MS != close_ms // DAY_MS or close_ms % HOUR_MS == 0


def _await_settled(setup: PassSetup, venue: MarketData, symbols: list[str], close_ms: int) -> None:
    """A bar that has just closed may still change at the venue: wait, bounded by the settle
    delay, until the venue shows the next bar of some instrument open."""
    timeframe = timeframe_name(setup.parameters.step_ms)
    while symbols and not setup.stopping():
        left_ms = close_ms + setup.settle_ms - setup.clock.now_ms()
        if not 0 < left_ms <= setup.settle_ms:
            return
        try:
            shown = venue.fetch_bars(symbols[0], timeframe, close_ms, 1)
        except TraderError:
            shown = ()  # the reads that follow meet the same trouble and name it
        if any(bar.open_ms >= close_ms for bar in shown):
            return
        setup.sleep(min(SETTLE_POLL_S, left_ms / 1000))


def _read(
    setup: PassSetup,
    venue: MarketData,
    journal: Journal,
    windows: Windows,
    followed: Collection[str],
    slow: Collection[SeriesKey],
) -> Reading:
    """Quotes and bars, in the order of the windows: what is held and traded comes first.

    What nobody trades is not asked again for bars that the journal has: hundreds of candidates may
    be looked at again for the sake of one that could not be read. Nor are `slow` ones.
    """
    symbols = sorted({symbol for symbol, _ in windows})
    reads: dict[SeriesKey, Callable[[], Any]] = {}
    if symbols:
        reads[QUOTES] = partial(venue.fetch_quotes, symbols)
    for (symbol, timeframe), (first_ms, last_ms) in windows.items():
        once = symbol not in followed or (symbol, timeframe) in slow
        if once and journal.last_bar_ms(symbol, timeframe) >= last_ms:
            continue
        step_ms = TIMEFRAMES_MS[timeframe]
        since_ms = _since(journal, symbol, timeframe, first_ms)
        # One more than the closed bars: the open one comes along.
        limit = (last_ms - since_ms) // step_ms + 2
        reads[symbol, timeframe] = partial(venue.fetch_bars, symbol, timeframe, since_ms, limit)
    answers = gather(reads, setup.reads_s)
    reading = Reading()
    for key, answer in answers.items():
        if isinstance(answer, TraderError) and key in slow:
            continue
        if isinstance(answer, TraderError):
            reading.errors.append(answer)
            if key == QUOTES:
                reading.quotes_error = answer
            else:
                reading.trouble(key[0], f"DATA_STALE read={answer.code.name}")
        elif key == QUOTES:
            reading.quotes = answer
        else:
            reading.bars[key] = list(answer)
    return reading


def _since(journal: Journal, symbol: str, timeframe: str, first_ms: int) -> int:
    """From where to read: the whole window, or from just before the newest bar that is known.

    Reads have always reached from a window's start to its end, so what lies between the oldest
    and the newest known bar is complete.
    """
    newest = journal.last_bar_ms(symbol, timeframe)
    if newest < 0 or journal.first_bar_ms(symbol, timeframe) > first_ms:
        return first_ms
    return max(first_ms, newest - OVERLAP_BARS * TIMEFRAMES_MS[timeframe])


def _keep_bars(
    setup: PassSetup,
    journal: Journal,
    reading: Reading,
    close_ms: int,
    slow: Collection[SeriesKey],
) -> None:
    now_ms = setup.clock.now_ms()
    with journal.transaction() as tx:
        for (symbol, timeframe), raw in reading.bars.items():
            step_ms = TIMEFRAMES_MS[timeframe]
            closed = [bar for bar in raw if bar.open_ms + step_ms <= close_ms]
            tick = journal.state.spec(symbol).tick
            clean, problems = judge_rows(closed, step_ms, tick)
            told = () if (symbol, timeframe) in slow else problems
            for problem in [found for found in told if not found.is_note]:
                what = f"DATA_IMPOSSIBLE bar_ms={problem.open_ms} why={problem.code}"
                reading.trouble(symbol, what)
            rows = journal.new_bars(symbol, timeframe, tick, clean)
            if rows and (symbol, timeframe) not in slow:
                decided_ms = journal.state.number("last_bar_ms") + setup.parameters.step_ms
                old = [row for row in rows if int(row[0]) + step_ms <= decided_ms]
                changed = journal.repainted_ppm(symbol, timeframe, tick, old)
                reading.repaints[symbol] = max(changed, reading.repaints.get(symbol, 0))
            if rows:
                payload = {
                    "symbol": symbol,
                    "timeframe": timeframe,
                    "tick": text(tick),
                    "rows": [list(row) for row in rows],
                }
                tx.append("bars", payload, now_ms)


def _core_quotes(journal: Journal, reading: Reading) -> dict[str, CoreQuote]:
    quotes: dict[str, CoreQuote] = {}
    for symbol, quote in sorted(reading.quotes.items()):
        try:
            quotes[symbol] = core_quote(quote, journal.state.spec(symbol))
        except ScaleError as error:
            reading.trouble(symbol, f"QUOTE_MISSING why={error}")
    return quotes
