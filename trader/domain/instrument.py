"""Instrument: what can be traded and the venue's rules for it."""

from __future__ import annotations

from decimal import Decimal

from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Instrument:
    """One spot pair as its venue describes it.

    Attributes:
        symbol: `BASE/QUOTE`.
        tick: smallest price step, quote currency per base coin, > 0.
        lot: smallest quantity step, base coins, > 0.
        qty_min: smallest order quantity, base coins; 0 when the venue names none.
        qty_max: largest order quantity, base coins; 0 when the venue names none.
        notional_min: smallest order value, quote currency; 0 when the venue names none.
        fee_taker: share of an order's value taken when it removes liquidity (0.001 = 10 bp).
        fee_maker: share taken when it adds liquidity.
        active: whether the venue accepts new orders now.
    """

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    qty_min: Decimal
    qty_max: Decimal
    notional_min: Decimal
    fee_taker: Decimal
    fee_maker: Decimal
    active: bool = True

    def __post_init__(self) -> None:
        """Refuse rules that no order could keep."""
        if self.symbol != f"{self.base}/{self.quote}":
            raise ValueError(f"instrument {self.symbol}: is not {self.base}/{self.quote}")
        if self.tick <= 0 or self.lot <= 0:
            raise ValueError(f"instrument {self.symbol}: tick and lot must be above 0")
        if min(self.qty_min, self.qty_max, self.notional_min) < 0:
            raise ValueError(f"instrument {self.symbol}: a negative limit")
