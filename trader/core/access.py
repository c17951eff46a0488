"""Access: what the universe and the regime permit a strategy to open at one decision.

Lives here: the answer for one strategy and instrument, from members and regime that were told
before. New risk only: exits are never asked. Must not live here: who is a member (`membership`),
and what the regime is (`regime`).
"""

from __future__ import annotations

from collections.abc import Mapping

from trader.core.money import PPM
from trader.core.parameters import RegimeState, StrategySpec, UniverseSpec
from trader.core.universe import tier_of
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """What may be opened now.

    `members`: by tier, in force. `regime`: its name, `unknown`, or "" where none is declared.
    """

    universe: UniverseSpec
    members: Mapping[str, tuple[str, ...]]
    regime: str = ""

    @property
    def state(self) -> RegimeState | None:
        """The regime's state; None where none is declared, or it is unknown."""
        regime = self.universe.regime
        states = regime.states if regime is not None else ()
        return next((state for state in states if state.name == self.regime), None)

    @property
    def risk_ppm(self) -> int:
        """Factor of every entry's size."""
        if self.universe.regime is None:
            return PPM
        return self.state.risk_ppm if self.state is not None else 0

    def is_open(self, tier: str) -> bool:
        """Whether the regime lets a tier open positions."""
        if self.universe.regime is None:
            return True
        return self.state is not None and tier in self.state.tiers and self.risk_ppm > 0

    def tier(self, strategy: StrategySpec, symbol: str) -> str:
        """The tier under which a strategy trades an instrument; "" for none."""
        return strategy.tier or tier_of(self.universe, symbol)

    def answer(self, strategy: StrategySpec, symbol: str) -> str:
        """Why the strategy may not open a position on the instrument, with numbers; "" when it
        may. A universe without tiers permits every instrument."""
        tier = self.tier(strategy, symbol) or "none"
        if self.universe.regime is not None and self.state is None:
            return f"REGIME_UNKNOWN tier={tier}"
        free = not self.universe.tiers and not strategy.tier
        if self.risk_ppm == 0 or not (free or self.is_open(tier) or tier == "none"):
            return f"TIER_CLOSED regime={self.regime} risk_ppm={self.risk_ppm} tier={tier}"
        if free:
            return ""
        if tier == "none":
            return "NOT_A_MEMBER tier=none"
        members = self.members.get(tier, ())
        if symbol not in members:
            return f"NOT_A_MEMBER members={len(members)} tier={tier}"
        return ""
