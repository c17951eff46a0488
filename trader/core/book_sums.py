"""The numbers of `book_gates` for one entry.

Lives here: how they are made of the decision's desk. Must not live here: whether that is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.book_gates import BookSums

if TYPE_CHECKING:
    from trader.core.desk import Desk
    from trader.core.parameters import StrategySpec


def book_sums(desk: Desk, strategy: StrategySpec) -> BookSums:
    """What would be true of this entry. Raises AmountOverflow when a number does not fit."""
    del desk, strategy
    return BookSums()
