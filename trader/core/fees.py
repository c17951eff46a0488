"""Fees of a back-test: tiers by the turnover of 30 days, and fees in a third coin.

Lives here: which rate holds at a fill, what the third coin costs then, and how a `fill` fact says
that the fee was paid in it. Must not live here: what fills, and the rates that sizes and gates
count with (an instrument's own, which a back-test sets to the dearest tier).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from trader.core.model import FeeCoin, Fees
from trader.core.money import mul_div_up
from trader.core.scale import Spec, text, to_decimal
from trader.core.series import Series
from trader.core.snapshot import SeriesKey
from trader.domain.timeframe import DAY_MS, timeframe_name

TIER_MS = 30 * DAY_MS
# A third coin is counted in units of 1e-8 of it.
COIN_UNIT = Decimal("0.00000001")
COIN_UNITS = 100_000_000


class FeeBook:
    """What was traded in the last 30 days, and what the third coin costs."""

    def __init__(
        self,
        fees: Fees,
        series: Mapping[SeriesKey, Series],
        step_ms: int,
        cash_digits: int,
    ) -> None:
        """`series` holds the third coin's bars of the decision timeframe where they tell it."""
        self.fees = fees
        self._recent: deque[tuple[int, int]] = deque()
        self._turnover_units = 0
        coin = fees.coin
        name = timeframe_name(step_ms)
        self._step_ms = step_ms
        self._bars = series.get((coin.symbol, name)) if coin and coin.symbol else None
        self._ratio = (1, 1)
        if self._bars is not None:
            ratio = self._bars.tick / Decimal(1).scaleb(-cash_digits)
            self._ratio = ratio.as_integer_ratio()

    def rate_ppm(self, spec: Spec, at_ms: int, *, maker: bool) -> int:
        """The rate of a fill at an instant, by what was filled in the 30 days before it."""
        tiers = self.fees.tiers
        if not tiers:
            return spec.fee_maker_ppm if maker else spec.fee_taker_ppm
        while self._recent and self._recent[0][0] <= at_ms - TIER_MS:
            self._turnover_units -= self._recent.popleft()[1]
        tier = tiers[0]
        for further in tiers[1:]:
            if self._turnover_units >= further.turnover_units:
                tier = further
        return tier.maker_ppm if maker else tier.taker_ppm

    def note(self, at_ms: int, value_units: int) -> None:
        """Count a fill's value, before fees."""
        if self.fees.tiers:
            self._recent.append((at_ms, value_units))
            self._turnover_units += value_units

    def coin_units(self, coin: FeeCoin, at_ms: int) -> int:
        """Cash units for one coin at an instant: the newest close that was known then, rounded up;
        before the first the declared rate, and without one the first open."""
        if self._bars is None or not len(self._bars):
            return coin.price_units
        index = self._bars.index_of(at_ms - self._step_ms + 1) - 1
        if index < 0 and coin.price_units:
            return coin.price_units
        ticks = self._bars.close[index] if index >= 0 else self._bars.open[0]
        return mul_div_up(ticks, *self._ratio)


def in_coin(payload: dict[str, int | str], asset: str, price_units: int) -> dict[str, int | str]:
    """A `fill` fact whose cash fee is paid in a third coin that is bought for that cash: how much
    of it that is, rounded up to 1e-8."""
    coins = mul_div_up(int(payload["fee_cash_units"]), COIN_UNITS, price_units)
    return payload | {"fee_asset": asset, "fee": text(to_decimal(coins, COIN_UNIT))}
