"""The ports: what a use case needs from a venue. Adapters in `venues` implement them.

Reads raise VenueUnavailable (no sensible answer: nothing concluded) or VenueRefused (key, right,
instrument). Submits and cancels never raise for what the venue or the network did: the outcome is
a value. Decimals in and out; core integers stop here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trader.core.approval import Approved
from trader.domain.account import Balance, Fill
from trader.domain.instrument import Instrument
from trader.domain.market import Quote
from trader.domain.order import VenueOrder
from trader.domain.outcome import Outcome
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class RawBar:
    """One bar as the venue told it: text prices (may be impossible: `bars` judges that)."""

    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str


class MarketData(Protocol):
    """Public data of one venue."""

    name: str

    def fetch_instruments(self) -> dict[str, Instrument]:
        """By symbol, every spot instrument that the venue lists (inactive ones included)."""
        ...

    def instruments_for(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Of these symbols, those that the venue lists; may come from a listing that is at most
        a day old."""
        ...

    def active_symbols(self) -> list[str]:
        """Names of the spot instruments that can be traded now, sorted; may come from a listing
        that is at most a day old."""
        ...

    def fetch_venue_ms(self) -> int:
        """The venue's clock."""
        ...

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """Bars opening at or after `since_ms`, oldest first, at most `limit` (pages are joined
        when the venue's page is smaller). The bar that is still open may be the last one."""
        ...

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Best bid and ask by symbol; a symbol without a usable answer is left out."""
        ...


class HistoryVenue(Protocol):
    """What a fetch of history needs of a venue: it keeps the venue's limits by waiting.

    `bars_page`: bars in one answer at most. Both raise as every read does.
    """

    name: str
    bars_page: int

    def fetch_venue_ms(self) -> int:
        """The venue's clock."""
        ...

    def fetch_bars(
        self, symbol: str, timeframe: str, since_ms: int, limit: int
    ) -> Sequence[RawBar]:
        """One page: bars opening at or after `since_ms`, at most `limit`; none when there are none
        up to now. The bar that is still open may be among them."""
        ...


class Venue(MarketData, Protocol):
    """A venue where orders can be placed.

    `rests_stops`: whether it holds a protective stop (`stop_limit`) for us.
    """

    rests_stops: bool

    def fetch_balances(self) -> dict[str, Balance]:
        """By asset; an asset that is not named holds nothing."""
        ...

    def fetch_open_orders(self, symbols: Sequence[str]) -> list[VenueOrder]:
        """Every open order of these instruments, own and foreign."""
        ...

    def fetch_order(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The order by our id, open or ended; None only when the venue says it knows none."""
        ...

    def fetch_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Every fill of the account since a time, oldest first, pages joined."""
        ...

    def submit(self, order: Approved) -> Outcome:
        """Send one approved order, once. Never retried, never raises for the venue's doing."""
        ...

    def cancel(self, symbol: str, client_order_id: str) -> Outcome:
        """Ask for a cancel by our id. Rejected('not_found') when the venue knows no open one."""
        ...

    def cancel_all(self, symbol: str) -> Outcome | None:
        """Cancel every open order of an instrument, foreign ones too; None: nothing was open."""
        ...
