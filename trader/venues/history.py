"""A venue's history: public bars, page by page, within the venue's limits.

Lives here: the waiting. A long fetch uses a share of what the venue serves in a minute and leaves
the rest to the cycles of the same host; a venue that asks for silence gets it. Must not live here:
requests (`ccxt_venue`), and what becomes of the bars.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from trader.app.ports import RawBar
from trader.errors import VenueUnavailable
from trader.venues.binance import DIALECTS
from trader.venues.ccxt_venue import CcxtVenue

# A cycle of the same address must never find the weight used up by a fetch.
WEIGHT_SHARE = 0.5
WINDOW_MS = 60_000
# Bans grow with each one that is not kept to; beyond this a human should look.
SILENCE_MS_MAX = 300_000
SILENCES_MAX = 3
# The venue's minute ends by its own clock.
_SLACK_MS = 500

T = TypeVar("T")

# Told why, and for how many ms.
Waiting = Callable[[str, int], None]


class History:
    """See `app.ports.HistoryVenue`."""

    def __init__(
        self,
        venue: CcxtVenue,
        clock_ms: Callable[[], int],
        *,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Waiting | None = None,
    ) -> None:
        """`waiting` is told of every wait before it begins."""
        dialect = DIALECTS[venue.name]
        self.name = venue.name
        self.bars_page = dialect.bars_page
        self._weight_max = int(dialect.weight_max * WEIGHT_SHARE)
        self._venue = venue
        self._clock_ms = clock_ms
        self._sleep = sleep
        self._waiting = waiting

    def fetch_venue_ms(self) -> int:
        """The venue's clock, epoch ms."""
        return self._patiently(self._venue.fetch_venue_ms)

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """One page of bars, asked for when the venue's limits allow it."""
        if self._weight_max and self._venue.used_weight() >= self._weight_max:
            left_ms = WINDOW_MS - self._clock_ms() % WINDOW_MS + _SLACK_MS
            self._wait("the venue's request weight of this minute is used", left_ms)
        return self._patiently(lambda: self._venue.fetch_bars(symbol, timeframe, since_ms, limit))

    def close(self) -> None:
        """Close idle connections."""
        self._venue.close()

    def _patiently(self, read: Callable[[], T]) -> T:
        """What a read returns, after the silences that the venue asks for."""
        for _ in range(SILENCES_MAX):
            try:
                return read()
            except VenueUnavailable as error:
                left_ms = error.retry_at_ms - self._clock_ms()
                if not error.retry_at_ms or left_ms > SILENCE_MS_MAX:
                    raise
            self._wait("the venue asks for silence", max(left_ms, 0) + _SLACK_MS)
        return read()

    def _wait(self, why: str, ms: int) -> None:
        if self._waiting is not None:
            self._waiting(why, ms)
        self._sleep(ms / 1000)
