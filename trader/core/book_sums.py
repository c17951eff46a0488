"""The numbers of `book_gates` for one entry.

Lives here: how they are made of the decision's desk. Must not live here: whether that is allowed,
and what is found once a decision (`standings`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.book_gates import BookSums

if TYPE_CHECKING:
    from trader.core.desk import Desk
    from trader.core.parameters import StrategySpec


def book_sums(desk: Desk, strategy: StrategySpec) -> BookSums:
    """What would be true of this entry. Raises AmountOverflow when a number does not fit."""
    sums = BookSums()
    standings = desk.standings
    sums.rolling_limit_units, sums.rolling_loss_units = standings.rolling()
    sums.fallen_limit_units, sums.fallen_units = standings.drawdown(strategy)
    sums.stopped = int(standings.is_stopped(strategy.name))
    sums.unattended = standings.unattended(strategy.name) + 1
    sums.unattended_max = desk.limits.unattended_max
    return sums
