"""Gates over a strategy's book and the account's days.

Lives here: the plain integers that these gates compare, and one small question per gate. A number
that was not filled in refuses. Must not live here: how the numbers are made (`book_sums`), and the
order in which gates are asked (`gates`).
"""

from __future__ import annotations

from trader.core.money import AMOUNT_MAX

Measure = tuple[bool, int, int]


class BookSums:
    """What these gates compare. Built so that everything refuses until it was filled in.

    Attributes:
        rolling_loss_units, rolling_limit_units: loss of the account over the policy's rolling days,
            and the loss at which nothing is opened.
        stopped: 1 while the strategy's book is too far below its high; fallen_units,
            fallen_limit_units: how far it is, and how far is too far.
        unattended, unattended_max: entries of the strategy that filled or may fill since a named
            human last looked, this one included.
    """

    __slots__ = (
        "fallen_limit_units",
        "fallen_units",
        "rolling_limit_units",
        "rolling_loss_units",
        "stopped",
        "unattended",
        "unattended_max",
    )

    def __init__(self) -> None:
        """Everything refuses."""
        self.rolling_loss_units = self.unattended = AMOUNT_MAX
        self.rolling_limit_units = self.unattended_max = 0
        self.stopped = 1
        self.fallen_units = self.fallen_limit_units = 0


def rolling_loss(sums: BookSums) -> Measure:
    """The loss over the last days is below its limit."""
    limit = sums.rolling_limit_units
    return sums.rolling_loss_units < limit, limit, sums.rolling_loss_units


def strategy_drawdown(sums: BookSums) -> Measure:
    """The strategy's book never fell too far below its high since a named human last looked."""
    return sums.stopped == 0, sums.fallen_limit_units, sums.fallen_units


def unattended(sums: BookSums) -> Measure:
    """Not more entries than allowed are filled without a named human."""
    return sums.unattended <= sums.unattended_max, sums.unattended_max, sums.unattended
