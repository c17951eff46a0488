"""The ladder of an exit: how far beyond the bid each of its attempts may go, and its limit price.

Lives here: pure functions from the number of an attempt to its cap and its price. Must not live
here: when an attempt follows another (`step`), and whether it may leave (`gates`).
"""

from __future__ import annotations

from trader.core.limits import Limits
from trader.core.money import mul_div_up, price_down
from trader.core.scale import Spec


def rung_ppm(limits: Limits, attempt: int) -> int:
    """What attempt 0, 1 ... of an exit may give away below the bid, millionths.

    Evenly from `slippage_ppm` to `exit_slippage_ppm` over `exit_attempts` rungs, rounded down, the
    last one exactly the wider cap; with a single rung that is the narrow one. Attempts beyond the
    last are capped like the last: whoever asks for them must not exist.
    """
    first, last = limits.slippage_ppm, max(limits.slippage_ppm, limits.exit_slippage_ppm)
    steps = limits.exit_attempts - 1
    return first + (last - first) * min(attempt, steps) // max(1, steps)


def exit_price_ticks(spec: Spec, bid_ticks: int, ppm: int, qty_lots: int) -> int:
    """The limit price of a sale: the bid lowered by the cap, but not below the price at which the
    order would be worth less than the venue takes, as long as the bid itself is not; 0 without a
    bid. Raises AmountOverflow."""
    if bid_ticks <= 0:
        return 0
    lowered = price_down(bid_ticks, ppm)
    worth = least_ticks(spec, qty_lots)
    return max(lowered, worth) if worth <= bid_ticks else lowered


def least_ticks(spec: Spec, qty_lots: int) -> int:
    """The lowest price at which so many lots (> 0) are worth what the venue takes."""
    return mul_div_up(least_cells(spec), 1, qty_lots)


def least_lots(spec: Spec, price_ticks: int) -> int:
    """The fewest lots that the venue takes at a price > 0: by quantity, and by value."""
    return max(spec.qty_lots_min, mul_div_up(least_cells(spec), 1, price_ticks))


def least_cells(spec: Spec) -> int:
    """The least ticks x lots whose value, rounded down, is the venue's smallest; exact."""
    return mul_div_up(spec.notional_units_min, spec.notional_den, spec.notional_num)
