"""Prices that a position is left by: from its entry's signal, and from what it paid.

Lives here: distances of an opinion as ticks above the signal's close, and the price at which a
position breaks even. Must not live here: whether a price was reached
(`exits`), and how much is sold there (`exit_sizes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trader.core.money import PPM, mul_div_up
from trader.core.scale import Spec
from trader.core.signals import Opinion
from trader.core.sizing import distance_ticks
from trader.core.steps import steps_text

STEPS_MAX = 5
# Why a stop that is hit is where it is, by `Position.trailed`.
STOP_REASONS = ("stop_loss", "trailing_stop", "break_even")


class ExitPrices(NamedTuple):
    """What an entry's order carries besides its stop; ticks, 0 for none (see `state.Order`)."""

    target_ticks: int
    trail_ticks: int
    arm_ticks: int
    even_ticks: int
    steps: str


def exit_prices(spec: Spec, opinion: Opinion, scale_ppm: Sequence[int]) -> ExitPrices:
    """The prices that an opinion asks for. Raises AmountOverflow for a distance that does not fit.

    Distances are rounded down to ticks, at least one: a target, a step, a trail nearer to the price
    is reached sooner. Steps are sorted by price; those at one price are one step.
    """

    def above(distance: float) -> int:
        ticks = distance_ticks(spec, distance)
        return opinion.close_ticks + ticks if ticks else 0

    shares: dict[int, int] = {}
    for distance, ppm in zip(opinion.step_distances, scale_ppm, strict=True):
        at = above(distance)
        shares[at] = shares.get(at, 0) + ppm
    return ExitPrices(
        above(opinion.target_distance),
        distance_ticks(spec, opinion.trail_distance),
        above(opinion.arm_distance),
        above(opinion.even_distance),
        steps_text(sorted(shares.items())),
    )


def even_stop_ticks(spec: Spec, entry_ticks: int, slippage_ppm: int) -> int:
    """The stop at which leaving pays what was paid: the lowest price p, ticks, with this.

        p * (1 - slippage) * (1 - fee) >= entry * (1 + fee)

    Both fees are the taker's, and the sale is made as far below the stop as `slippage_ppm` allows.
    Rounded up to the tick. Raises AmountOverflow.
    """
    if slippage_ppm >= PPM:
        return 0
    paid = (PPM + spec.fee_taker_ppm) * PPM
    return mul_div_up(entry_ticks, paid, (PPM - spec.fee_taker_ppm) * (PPM - slippage_ppm))
