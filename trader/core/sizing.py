"""Sizing: how much. The only place where a float becomes an int.

Lives here: `float_down`, and the quantity of an entry and of an exit. Must not live here: whether
the order may be sent at all (see `gates`).
"""

from __future__ import annotations

from collections.abc import Callable

from trader.core.money import AMOUNT_MAX, PPM, AmountOverflow, mul_div_down
from trader.core.scale import Spec, fee_up, notional_up

# As a float: amounts stay below it.
FLOAT_MAX = float(AMOUNT_MAX)
STEPS_BACK = 3
# The same as C numbers where this module is compiled.
MILLION, TRIES = PPM, STEPS_BACK


def float_down(value: float) -> int:
    """The largest int not above a float >= 0.

    Raises AmountOverflow when it is not finite, negative or too large. Down is the safe direction
    for every caller: a smaller share of equity, a stop nearer to the price.
    """
    if not 0.0 <= value < FLOAT_MAX:
        raise AmountOverflow(f"{value!r} is not a usable amount")
    return int(value)


def strength_ppm(strength: float) -> int:
    """A signal's strength 0..1 in millionths, rounded down; above 1 counts as 1."""
    return min(MILLION, float_down(strength * MILLION))


def stop_ticks_below(spec: Spec, close_ticks: int, distance: float) -> int:
    """The stop price (ticks) `distance` (price, float) below the close; 0 when there is none.

    The distance is rounded down to ticks but is at least one; a distance that reaches zero or
    below leaves the lowest price there is, one tick.
    """
    den, num = spec.tick_den_float, spec.tick_num_float
    ticks = max(1, float_down(distance * den / num))
    return max(1, close_ticks - ticks)


def distance_ticks(spec: Spec, distance: float) -> int:
    """A distance in price as ticks, rounded down but at least one; 0 for nan, which means none."""
    if distance != distance:  # noqa: PLR0124 - only a nan differs from itself
        return 0
    den, num = spec.tick_den_float, spec.tick_num_float
    return max(1, float_down(distance * den / num))


def entry_lots(spec: Spec, price_ticks: int, budget_units: int, cash_units: int) -> int:
    """Lots whose cost with taker fee at `price_ticks` stays within budget and cash.

    Rounded down to whole lots and to the venue's largest quantity; 0 when not even one lot fits.
    `price_ticks` is the worst price the order may pay.
    """
    spendable = min(budget_units, cash_units)
    if spendable <= 0:
        return 0
    before_fee = mul_div_down(spendable, MILLION, MILLION + spec.fee_taker_ppm)
    cells = mul_div_down(before_fee, spec.notional_den, spec.notional_num)
    most = min(cells // price_ticks, spec.qty_lots_max)
    # Two roundings up (value and fee) may overshoot by a unit or two.
    lots = most
    while lots > 0 and lots > most - TRIES:
        if entry_cost_units(spec, price_ticks, lots) <= spendable:
            return lots
        lots -= 1
    return _search_lots(spec, price_ticks, most, spendable)


def _search_lots(spec: Spec, price_ticks: int, most: int, spendable: int) -> int:
    return most_lots(lambda lots: entry_cost_units(spec, price_ticks, lots), most, spendable)


def most_lots(amount: Callable[[int], int], guess: int, units: int) -> int:
    """The most lots up to `guess` whose amount (cash units, 0 for no lots) stays within `units`.

    A few steps back are enough where a lot is worth more than a unit; where a unit is worth many
    lots it is searched for by halves.
    """
    for lots in range(guess, max(0, guess - STEPS_BACK), -1):
        if amount(lots) <= units:
            return lots
    low, high = 0, max(0, guess - STEPS_BACK)
    while low < high:
        middle = high - (high - low) // 2
        if amount(middle) <= units:
            low = middle
        else:
            high = middle - 1
    return low


def entry_cost_units(spec: Spec, price_ticks: int, qty_lots: int) -> int:
    """What buying costs at most: value and taker fee, both rounded up, cash units."""
    value = notional_up(spec, price_ticks, qty_lots)
    return value + fee_up(value, spec.fee_taker_ppm)


def exit_lots(spec: Spec, sellable: int, unresolved_sell_lots: int) -> int:
    """Lots an exit may sell: what is held less the sells whose outcome is not known; >= 0."""
    return max(0, min(sellable - unresolved_sell_lots, spec.qty_lots_max))
