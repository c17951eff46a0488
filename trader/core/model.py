"""Model: what a back-test assumes of the venue, as records of whole numbers.

Lives here: every switch of the modelled fills, with its default, and whether the whole is the plain
model that a fast engine may shorten. Amounts are exact: shares in ppm (millionths), money in cash
units of the run. Must not live here: what the assumptions do (`fills`, `market`, `simulate`), and
the words in which people choose them.
"""

from __future__ import annotations

from trader.core.money import PPM
from trader.records import dataclass, replace

# What becomes of a position when its bars end.
MARK, CLOSE = "mark", "close"
# A spread or slippage beyond this share is no price any more.
AWAY_PPM_MAX = PPM // 2


@dataclass(frozen=True, slots=True)
class Slippage:
    """How far beyond the touch a taker's order is filled, against us; the parts add up.

    Attributes:
        fixed_ppm: share of the price.
        of_spread_ppm: share of the spread in force (PPM: one whole spread).
        impact_ppm: share of the price that an order as large as all that the bar traded gives
            away; a smaller one gives away this times the square root of its share of the volume,
            with `linear` times the share itself.
    """

    fixed_ppm: int = 0
    of_spread_ppm: int = 0
    impact_ppm: int = 0
    linear: bool = False

    def times(self, factor: int) -> Slippage:
        """The same with every cost multiplied."""
        return replace(
            self,
            fixed_ppm=min(AWAY_PPM_MAX, self.fixed_ppm * factor),
            of_spread_ppm=self.of_spread_ppm,  # the spread itself is multiplied
            impact_ppm=min(AWAY_PPM_MAX, self.impact_ppm * factor),
        )


@dataclass(frozen=True, slots=True)
class VolumeCap:
    """How much of what a bar traded may be ours.

    Attributes:
        share_ppm: the most that all orders together fill of one bar; 0: takers are not bounded, and
            what rests is by the whole volume.
        carry_bars: for how many bars after its first the rest of a taker's order is tried again at
            the open, at its own limit; 0: the rest expires at once. Only with a share.
    """

    share_ppm: int = 0
    carry_bars: int = 10


@dataclass(frozen=True, slots=True)
class FeeTier:
    """Fees from a turnover on: cash units of all fills of the 30 days before."""

    turnover_units: int
    taker_ppm: int
    maker_ppm: int


@dataclass(frozen=True, slots=True)
class FeeCoin:
    """A third coin that fees are paid in; it is bought for cash at each fill.

    Attributes:
        asset: its name. price_units: cash units for one coin, a declared rate; 0: from bars.
        symbol: instrument whose closes tell the price, "" for none. A bar tells it once closed.
    """

    asset: str
    price_units: int = 0
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Fees:
    """How fees are charged; without tiers an instrument's own rates hold.

    Attributes:
        tiers: rising turnover, the first from 0.
        coin: None: in the quote currency, or as `Model.fee_in_base` says.
    """

    tiers: tuple[FeeTier, ...] = ()
    coin: FeeCoin | None = None

    def times(self, factor: int) -> Fees:
        """The same with every rate multiplied."""
        tiers = tuple(
            FeeTier(
                tier.turnover_units,
                min(PPM - 1, tier.taker_ppm * factor),
                min(PPM - 1, tier.maker_ppm * factor),
            )
            for tier in self.tiers
        )
        return replace(self, tiers=tiers)


@dataclass(frozen=True, slots=True)
class Model:
    """What is assumed of the venue.

    Attributes:
        spread_ppm: full distance between bid and ask around a bar's price, never free by default.
        fee_in_base: buys pay their fee in the base coin (as Binance takes it).
        stops: whether a protective stop may rest there.
        latency_bars: at which open after the decision an order arrives: 1 the next bar's open, 0
            the close of the deciding bar itself. So do a cancel and what is to rest.
        spread_range_ppm: the spread is at least this share of the last closed bar's range.
        detail: name of the finer timeframe whose bars tell the order of events, "" for none.
        at_end: `mark` or `close` what the run's end leaves open. delisted: the same for an
            instrument whose bars end before the run does.
        zero_volume_fills: whether a bar that traded nothing fills takers all the same. One whose
            data tell no volume at all does.
    """

    spread_ppm: int = 200
    fee_in_base: bool = False
    stops: bool = False
    latency_bars: int = 1
    spread_range_ppm: int = 0
    slippage: Slippage = Slippage()
    volume: VolumeCap = VolumeCap()
    fees: Fees = Fees()
    detail: str = ""
    at_end: str = MARK
    delisted: str = MARK
    zero_volume_fills: bool = False

    @property
    def half_ppm(self) -> int:
        """From the middle to bid or ask where the spread is fixed, rounded against us."""
        return (self.spread_ppm + 1) // 2

    @property
    def is_plain(self) -> bool:
        """Next open, a fixed spread, one fee rate in quote or base, nothing rests but makers'
        entries, the end is marked."""
        chosen = replace(self, spread_ppm=0, fee_in_base=False, zero_volume_fills=False)
        return chosen == _PLAIN

    def times(self, factor: int) -> Model:
        """The same with every cost of the model multiplied (fees of instruments are not here)."""
        return replace(
            self,
            spread_ppm=min(AWAY_PPM_MAX, self.spread_ppm * factor),
            spread_range_ppm=self.spread_range_ppm * factor,
            slippage=self.slippage.times(factor),
            fees=self.fees.times(factor),
        )


_PLAIN = Model(spread_ppm=0)
