"""Risk: what is lost when a stop is hit, of an entry, of a position, and how many lots that allows.

Lives here: the one definition of a loss to the stop, used by sizing, by the gates LOSS_TOTAL and
BUDGET_LOSS, and by what a policy check shows. Must not live here: which risk is allowed (`sizes`,
`account_gates`), and where a stop is (`sizing`).

A loss counts everything that is certain to be paid: the entry at its limit with taker fee, less
what a sale brings at the stop lowered by the expected slippage, less its taker fee. What is not
counted is a gap: a price that jumps past the stop.
"""

from __future__ import annotations

from trader.core.money import AMOUNT_MAX, PPM, mul_div_down, price_down, product
from trader.core.scale import Spec, fee_up, notional_down, value_of_base_down
from trader.core.sizing import STEPS_BACK, entry_cost_units, most_lots


def loss_units(
    spec: Spec, price_ticks: int, qty_lots: int, stop_ticks: int, slippage_ppm: int
) -> int:
    """What is lost when an entry fills at its limit and its stop is hit; cash units, >= 0.

    `stop_ticks` 0: there is no stop, and all that it costs is at risk. Raises AmountOverflow.
    """
    cost = entry_cost_units(spec, price_ticks, qty_lots)
    return loss_of_cost(spec, cost, qty_lots, stop_ticks, slippage_ppm)


def loss_of_cost(
    spec: Spec, cost_units: int, qty_lots: int, stop_ticks: int, slippage_ppm: int
) -> int:
    """The same when it is known what the entry costs at most."""
    if stop_ticks <= 0:
        return cost_units
    received = notional_down(spec, price_down(stop_ticks, slippage_ppm), qty_lots)
    return max(0, cost_units - received + fee_up(received, spec.fee_taker_ppm))


def held_loss_units(
    spec: Spec, value_units: int, qty_units: int, stop_ticks: int, slippage_ppm: int
) -> int:
    """What is lost of a position worth `value_units` (at its mark) when its stop is hit; >= 0."""
    if stop_ticks <= 0:
        return value_units
    received = value_of_base_down(spec, price_down(stop_ticks, slippage_ppm), qty_units)
    return max(0, value_units - received + fee_up(received, spec.fee_taker_ppm))


def lots_at_risk(
    spec: Spec,
    price_ticks: int,
    stop_ticks: int,
    slippage_ppm: int,
    risk_units: int,
    lots_max: int = AMOUNT_MAX,
) -> int:
    """The most lots whose `loss_units` stay within `risk_units` (>= 0); 0 when not even one does,
    or the stop is not below the price.

    At most `lots_max` and the venue's largest quantity: a stop that loses nearly nothing asks for
    more lots than an amount can say. Raises AmountOverflow.
    """
    if stop_ticks >= price_ticks:
        return 0
    # Of one lot, in millionths of a cell (tick x lot), exact: cost with fee less proceeds less fee.
    lost = product(price_ticks, PPM + spec.fee_taker_ppm)
    if stop_ticks > 0:
        exit_ticks = price_down(stop_ticks, slippage_ppm)
        lost -= product(exit_ticks, PPM - spec.fee_taker_ppm)
    cells = mul_div_down(risk_units, spec.notional_den, spec.notional_num)
    # `cells` was rounded down, amounts are rounded against us: look one lot beyond, then back.
    most = min(mul_div_down(cells, PPM, lost) + 1, spec.qty_lots_max, lots_max)
    lots = most
    while lots > 0 and lots > most - STEPS_BACK:
        if loss_units(spec, price_ticks, lots, stop_ticks, slippage_ppm) <= risk_units:
            return lots
        lots -= 1
    return _search_lots(spec, price_ticks, stop_ticks, slippage_ppm, most, risk_units)


def _search_lots(
    spec: Spec, price_ticks: int, stop_ticks: int, slippage_ppm: int, most: int, risk_units: int
) -> int:
    return most_lots(
        lambda lots: loss_units(spec, price_ticks, lots, stop_ticks, slippage_ppm),
        most,
        risk_units,
    )
