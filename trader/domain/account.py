"""What an account holds and what happened to it: balances and fills."""

from __future__ import annotations

from decimal import Decimal

from trader.domain.order import Side
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Balance:
    """Coins of one asset: free to use, and locked in open orders."""

    asset: str
    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        """Free plus locked."""
        return self.free + self.locked


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, identified at its venue by (symbol, trade_id).

    Attributes:
        price: quote currency per base coin.
        qty: base coins, > 0.
        cost: quote currency exchanged, before fees.
        fee: amount taken, >= 0, in `fee_asset`.
        fee_asset: empty when the venue did not say (then `fee` is 0 and the gap is reported).
        client_order_id: empty when the venue's trade list does not carry it.
    """

    symbol: str
    trade_id: str
    venue_order_id: str
    client_order_id: str
    side: Side
    price: Decimal
    qty: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    at_ms: int
