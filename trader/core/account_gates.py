"""Gates over sums of the whole account and of one strategy's book.

Lives here: the plain integers that these gates compare, and one small question per gate. Like every
gate they guard new risk only. Must not live here: how the sums are made (`account_sums`), and the
order in which gates are asked (`gates`).
"""

from __future__ import annotations

from trader.core.money import AMOUNT_MAX

Measure = tuple[bool, int, int]


class AccountSums:
    """What would be true after the entry, beside what may be true; cash units unless said.

    Attributes:
        day_stopped, drawdown_stopped: 1 while the stop holds; `_loss_` and `_limit_` its numbers.
        trades_hour, trades_day, own_trades_day: entries sent, this one included.
        all_exposure_units, own_exposure_units: value of positions and entries in flight.
        all_loss_units, own_loss_units: what is lost if every stop is hit, exit fees included.
        own_positions: of the strategy, this one included.

    Built so that everything refuses until it was filled in.
    """

    __slots__ = (
        "all_exposure_units",
        "all_exposure_units_max",
        "all_loss_units",
        "all_loss_units_max",
        "day_limit_units",
        "day_loss_units",
        "day_stopped",
        "drawdown_limit_units",
        "drawdown_stopped",
        "drawdown_units",
        "own_exposure_units",
        "own_exposure_units_max",
        "own_loss_units",
        "own_loss_units_max",
        "own_positions",
        "own_positions_max",
        "own_trades_day",
        "own_trades_day_max",
        "trades_day",
        "trades_day_max",
        "trades_hour",
        "trades_hour_max",
    )

    def __init__(self) -> None:
        """Everything refuses."""
        self.day_stopped = self.drawdown_stopped = 1
        self.day_limit_units = self.day_loss_units = 0
        self.drawdown_limit_units = self.drawdown_units = 0
        self.trades_hour = self.trades_day = self.own_trades_day = AMOUNT_MAX
        self.trades_hour_max = self.trades_day_max = self.own_trades_day_max = 0
        self.all_exposure_units = self.own_exposure_units = AMOUNT_MAX
        self.all_loss_units = self.own_loss_units = self.own_positions = AMOUNT_MAX
        self.all_exposure_units_max = self.own_exposure_units_max = 0
        self.all_loss_units_max = self.own_loss_units_max = self.own_positions_max = 0


def day_stop(sums: AccountSums) -> Measure:
    """The day's loss reached its limit; holds until the day ends, whatever the mark does."""
    return sums.day_stopped == 0, sums.day_limit_units, sums.day_loss_units


def drawdown(sums: AccountSums) -> Measure:
    """Equity fell too far below its high; holds until a named human resets the mark."""
    return sums.drawdown_stopped == 0, sums.drawdown_limit_units, sums.drawdown_units


def trades_hour(sums: AccountSums) -> Measure:
    """Entries within the last hour."""
    return sums.trades_hour <= sums.trades_hour_max, sums.trades_hour_max, sums.trades_hour


def trades_day(sums: AccountSums) -> Measure:
    """Entries within the last 24 hours."""
    return sums.trades_day <= sums.trades_day_max, sums.trades_day_max, sums.trades_day


def exposure_total(sums: AccountSums) -> Measure:
    """Value of everything held and being bought."""
    limit = sums.all_exposure_units_max
    return sums.all_exposure_units <= limit, limit, sums.all_exposure_units


def loss_total(sums: AccountSums) -> Measure:
    """What is lost if every stop is hit."""
    return (
        sums.all_loss_units <= sums.all_loss_units_max,
        sums.all_loss_units_max,
        sums.all_loss_units,
    )


def budget_exposure(sums: AccountSums) -> Measure:
    """Value of everything that the strategy holds and is buying."""
    limit = sums.own_exposure_units_max
    return sums.own_exposure_units <= limit, limit, sums.own_exposure_units


def budget_loss(sums: AccountSums) -> Measure:
    """What is lost if every stop of the strategy is hit."""
    limit = sums.own_loss_units_max
    return sums.own_loss_units <= limit, limit, sums.own_loss_units


def budget_positions(sums: AccountSums) -> Measure:
    """Positions of the strategy, open and being opened."""
    limit = sums.own_positions_max
    return sums.own_positions <= limit, limit, sums.own_positions


def budget_trades_day(sums: AccountSums) -> Measure:
    """Entries of the strategy within the last 24 hours."""
    limit = sums.own_trades_day_max
    return sums.own_trades_day <= limit, limit, sums.own_trades_day
