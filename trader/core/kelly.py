"""Fractional Kelly: what a strategy's own settled results say it may risk.

Lives here: the formula, in integers. Must not live here: where results are counted (`bookkeeping`),
and how many lots a risk is (`risk`).
"""

from __future__ import annotations

from trader.core.money import PPM, mul_div_down, product


def kelly_ppm(
    wins: int, losses: int, won_ppm: int, lost_ppm: int, fraction_ppm: int, trades_min: int
) -> int:
    """The share of equity to risk to the stop, ppm, rounded down; 0 without evidence or edge.

    `wins`, `losses`: settled trades; `won_ppm`, `lost_ppm` >= 0: the sums of what they won and
    lost, each in ppm of its cost. `trades_min`: fewer settled trades are no evidence, and so many
    weigh as much as the prior, which is no edge.

    Kelly (1956), for a bet that wins b with chance p and else loses 1: f* = p - q / b. With
    n = wins + losses, p = wins / n and b = (won / wins) / (lost / losses) that is

        f* = wins x (won - lost) / (n x won),   shrunk: f* x n / (n + trades_min)

    and `fraction_ppm` of it is taken. Raises AmountOverflow.
    """
    settled = wins + losses
    if settled < trades_min or won_ppm <= lost_ppm:
        return 0
    edge = product(wins, won_ppm - lost_ppm)
    per_trade = product(settled + trades_min, won_ppm)
    return min(PPM, mul_div_down(fraction_ppm, edge, per_trade))
