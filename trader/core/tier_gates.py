"""Gates over one tier of the universe: how many positions, and how much of equity.

Lives here: the plain integers that these gates compare, how they are summed, and one small question
per gate. Like every gate they guard new risk only. Must not live here: who is a member
(`membership`), and the order in which gates are asked (`gates`).
"""

from __future__ import annotations

from collections.abc import Mapping

from trader.core.approval import Proposal
from trader.core.money import AMOUNT_MAX, share_down
from trader.core.parameters import TierSpec
from trader.core.totals import Totals

Measure = tuple[bool, int, int]


class TierSums:
    """What would be true of the tier after the entry, beside what may be true.

    `positions`: instruments held and being bought, this one included. `exposure_units`: their
    value, cash units. Built so that everything refuses until it was filled in.
    """

    __slots__ = ("exposure_units", "exposure_units_max", "positions", "positions_max")

    def __init__(self) -> None:
        """Everything refuses."""
        self.positions = self.exposure_units = AMOUNT_MAX
        self.positions_max = self.exposure_units_max = 0


def tier_sums(
    totals: Totals, proposal: Proposal, specs: Mapping[str, TierSpec], tier: str, equity: int
) -> TierSums:
    """What would be true after this entry; a universe without tiers has no caps. `equity` cash
    units, >= 0. Raises AmountOverflow when a sum does not fit."""
    sums = TierSums()
    if not specs:
        sums.positions_max = sums.exposure_units_max = AMOUNT_MAX
        return sums
    if tier not in specs:
        return sums
    held = totals.of_tier(tier)
    cost, _ = totals.entry(
        proposal.symbol, proposal.price_ticks, proposal.qty_lots, proposal.stop_ticks
    )
    sums.positions = held.positions_with(proposal.symbol)
    sums.positions_max = specs[tier].positions_max
    sums.exposure_units = held.exposure_units + cost
    sums.exposure_units_max = share_down(equity, specs[tier].weight_ppm)
    return sums


def tier_positions(sums: TierSums) -> Measure:
    """Positions of the tier, open and being opened."""
    return sums.positions <= sums.positions_max, sums.positions_max, sums.positions


def tier_weight(sums: TierSums) -> Measure:
    """Value of everything of the tier that is held and being bought."""
    return (
        sums.exposure_units <= sums.exposure_units_max,
        sums.exposure_units_max,
        sums.exposure_units,
    )
