"""What a venue is known to offer, for judging a policy without asking it.

Lives here: a few published facts per venue, each a stated assumption: what really counts in a cycle
is what the venue says then. Must not live here: how a venue is spoken to (see `venues`).
"""

from __future__ import annotations

from decimal import Decimal

from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What rules between keys assume of a venue.

    Attributes:
        timeframes: the bars it serves, of those that this program knows.
        fee_taker: share of an order's value, without discounts.
        notional_min: its usual smallest order, settlement currency.
        bars_page: bars in one answer. history_days: how far its oldest instruments reach back, at
            least; it only grows.
    """

    timeframes: tuple[str, ...]
    fee_taker: Decimal
    notional_min: Decimal
    bars_page: int
    history_days: int


# A window is read in at most so many answers: a first cycle reads them all within its deadline.
PAGES_MAX = 20

VENUES: dict[str, VenueFacts] = {
    # Spot: taker 0.1 %, NOTIONAL filter of 5 in USDT pairs, klines since July 2017.
    "binance": VenueFacts(
        ("1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"),
        Decimal("0.001"),
        Decimal(5),
        1000,
        3_000,
    ),
}
