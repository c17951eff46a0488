"""Gates over one tier of the universe: how many positions, and how much of equity.

Lives here: the plain integers that these gates compare, how they are summed, and one small question
per gate. Like every gate they guard new risk only. Must not live here: who is a member
(`membership`), and the order in which gates are asked (`gates`).
"""

from __future__ import annotations

from trader.core.account_sums import risk_rows
from trader.core.account_view import AccountView
from trader.core.approval import Proposal
from trader.core.money import AMOUNT_MAX, PPM, mul_div_down
from trader.core.parameters import UniverseSpec
from trader.core.sizing import entry_cost_units
from trader.core.universe import tier_of

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


def tier_sums(view: AccountView, proposal: Proposal, universe: UniverseSpec, tier: str) -> TierSums:
    """What would be true after this entry; a universe without tiers has no caps. Raises
    AmountOverflow when a sum does not fit."""
    sums = TierSums()
    specs = {spec.name: spec for spec in universe.tiers}
    if not specs:
        sums.positions_max = sums.exposure_units_max = AMOUNT_MAX
        return sums
    if tier not in specs:
        return sums
    rows = [row for row in risk_rows(view) if tier_of(universe, row[1]) == tier]
    spec = view.state.spec(proposal.symbol)
    cost = entry_cost_units(spec, proposal.price_ticks, proposal.qty_lots)
    sums.positions = len({row[1] for row in rows} | {proposal.symbol})
    sums.positions_max = specs[tier].positions_max
    sums.exposure_units = sum(row[2] for row in rows) + cost
    equity = max(0, view.equity_units())
    sums.exposure_units_max = mul_div_down(equity, specs[tier].weight_ppm, PPM)
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
