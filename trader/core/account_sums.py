"""Sums over the account for the gates of one entry: exposure, loss to the stops, trades.

Lives here: what the running sums and the entry in hand add up to, in cash units, for the whole
account and for one strategy, beside what is allowed. Must not live here: whether it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from trader.core.account_gates import AccountSums
from trader.core.approval import Proposal
from trader.core.limits import Limits
from trader.core.money import limit_units, share_down
from trader.core.parameters import StrategySpec
from trader.core.totals import Totals


def account_sums(
    totals: Totals,
    proposal: Proposal,
    strategy: StrategySpec,
    limits: Limits,
    marks: Mapping[str, int],
    equity: int,
) -> AccountSums:
    """What would be true after this entry; `equity` cash units, >= 0. Raises AmountOverflow."""
    sums = AccountSums()
    cost, loss = totals.entry(
        proposal.symbol, proposal.price_ticks, proposal.qty_lots, proposal.stop_ticks
    )
    own = totals.of_strategy(strategy.name)
    sums.all_exposure_units = totals.all.exposure_units + cost
    sums.own_exposure_units = own.exposure_units + cost
    sums.all_loss_units = totals.all.loss_units + loss
    sums.own_loss_units = own.loss_units + loss
    sums.own_positions = own.positions_with(proposal.symbol)
    sums.all_exposure_units_max = share_down(equity, limits.exposure_ppm_max)
    sums.own_exposure_units_max = share_down(equity, strategy.budget_exposure_ppm)
    sums.all_loss_units_max = share_down(equity, limits.loss_ppm_max)
    sums.own_loss_units_max = share_down(equity, strategy.budget_loss_ppm)
    sums.own_positions_max = strategy.budget_positions_max
    sums.trades_hour = totals.trades_hour + 1
    sums.trades_day = totals.trades_day + 1
    sums.own_trades_day = totals.own_trades_day.get(strategy.name, 0) + 1
    sums.trades_hour_max = limits.trades_hour_max
    sums.trades_day_max = limits.trades_day_max
    sums.own_trades_day_max = strategy.budget_trades_day_max
    sums.day_stopped = marks["day_stopped"]
    sums.day_loss_units = marks["day_units"] - equity
    sums.day_limit_units = limit_units(marks["day_units"], limits.day_stop_ppm)
    sums.drawdown_stopped = marks["drawdown_stopped"]
    sums.drawdown_units = marks["high_units"] - equity
    sums.drawdown_limit_units = limit_units(marks["high_units"], limits.drawdown_ppm_max)
    return sums
