"""How much an exit sells: all, a step's part, or what brings a sum back to its cap.

Lives here: quantities in lots, from what is really held after fees. No sale is smaller than the
venue takes, and none leaves a rest behind that the venue would not take afterwards. Must not live
here: whether a position is left (`exits`), which one is trimmed (`trim`).
"""

from __future__ import annotations

from trader.core.ladder import least_lots
from trader.core.money import PPM, share_up
from trader.core.scale import Spec
from trader.core.state import Position
from trader.core.steps import steps_of


def can_sell(spec: Spec, qty_lots: int, bid_ticks: int) -> bool:
    """Whether the venue takes so many lots at the bid; not without one (0)."""
    return bid_ticks > 0 and qty_lots >= least_lots(spec, bid_ticks)


def reached_steps(position: Position, price_ticks: int) -> int:
    """How many steps of the scale-out were reached, those of earlier bars included."""
    passed = sum(1 for ticks, _ in steps_of(position.steps) if ticks <= price_ticks)
    return max(position.scaled, passed)


def kept_lots(position: Position, scaled: int) -> int:
    """What is left of a position after `scaled` steps: bought x (1 - sum of their shares), rounded
    up, so that no step sells more than its share. All shares: nothing is kept."""
    gone = sum(ppm for _, ppm in steps_of(position.steps)[:scaled])
    return share_up(position.bought_lots, max(0, PPM - gone))


def step_lots(spec: Spec, held_lots: int, kept: int, price_ticks: int) -> int:
    """Lots that the steps sell now: what is held beyond `kept`; 0 while that is too little to be
    sold alone (it goes with the next step), all when too little would remain."""
    wanted = held_lots - kept
    least = least_lots(spec, price_ticks)
    if held_lots < least:
        return 0
    if kept < least:
        return held_lots
    return wanted if wanted >= least else 0


def trim_lots(spec: Spec, held_lots: int, wanted_lots: int, price_ticks: int) -> int:
    """Lots that a trim sells: as many as are wanted, raised to the smallest order; all when too
    little would remain, 0 when the venue does not even take all. Never more than is held."""
    least = least_lots(spec, price_ticks)
    if wanted_lots <= 0 or held_lots < least:
        return 0
    lots = max(wanted_lots, least)
    return held_lots if held_lots - lots < least else lots
