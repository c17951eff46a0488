"""Sums over the account for the gates of one entry: exposure, loss to the stops, trades.

Lives here: what the state, the plan's approved legs and the entry in hand add up to, in cash units,
for the whole account and for one strategy. Must not live here: whether that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trader.core.account_gates import AccountSums
from trader.core.account_view import AccountView
from trader.core.approval import Proposal
from trader.core.limits import Limits
from trader.core.marks import DAY_MS, limit_units
from trader.core.money import PPM, mul_div_down
from trader.core.parameters import StrategySpec
from trader.core.scale import Spec, fee_up, notional_down, value_of_base_down
from trader.core.sizing import entry_cost_units
from trader.core.state import State
from trader.domain.order import Side

HOUR_MS = 3_600_000
Row = tuple[str, str, int, int]


def account_sums(
    view: AccountView,
    proposal: Proposal,
    strategy: StrategySpec,
    limits: Limits,
    marks: Mapping[str, int],
    now_ms: int,
) -> AccountSums:
    """What would be true after this entry. Raises AmountOverflow when a sum does not fit."""
    sums = AccountSums()
    equity = max(0, view.equity_units())
    rows = [*risk_rows(view), _row_of_leg(view.state, proposal)]
    own = [row for row in rows if row[0] == strategy.name]
    sums.all_exposure_units = sum(row[2] for row in rows)
    sums.own_exposure_units = sum(row[2] for row in own)
    sums.all_loss_units = sum(row[3] for row in rows)
    sums.own_loss_units = sum(row[3] for row in own)
    sums.own_positions = len({row[1] for row in own})
    sums.all_exposure_units_max = mul_div_down(equity, limits.exposure_ppm_max, PPM)
    sums.own_exposure_units_max = mul_div_down(equity, strategy.budget_exposure_ppm, PPM)
    sums.all_loss_units_max = mul_div_down(equity, limits.loss_ppm_max, PPM)
    sums.own_loss_units_max = mul_div_down(equity, strategy.budget_loss_ppm, PPM)
    sums.own_positions_max = strategy.budget_positions_max
    sums.trades_hour = trades_since(view, now_ms - HOUR_MS) + 1
    sums.trades_day = trades_since(view, now_ms - DAY_MS) + 1
    sums.own_trades_day = trades_since(view, now_ms - DAY_MS, strategy.name) + 1
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


def risk_rows(view: AccountView) -> Iterator[Row]:
    """(strategy, symbol, exposure, loss to the stop) of each position, order and leg at risk."""
    state = view.state
    for symbol in view.open_symbols():
        position = state.positions[symbol]
        spec = state.spec(symbol)
        value = value_of_base_down(spec, view.mark_ticks(symbol), position.qty_units)
        saved = 0
        if position.stop_ticks > 0:
            stopped = value_of_base_down(spec, position.stop_ticks, position.qty_units)
            saved = stopped - fee_up(stopped, spec.fee_taker_ppm)
        yield position.strategy, symbol, value, max(0, value - saved)
    for order in view.orders:
        lots = max(order.open_lots, order.qty_lots - order.filled_lots)
        if order.side is Side.BUY and lots > 0:
            spec = state.spec(order.symbol)
            risk = _entry_risk(spec, order.price_ticks, lots, order.stop_ticks)
            yield order.strategy, order.symbol, *risk
    for leg in view.legs:
        if leg.side is Side.BUY:
            yield _row_of_leg(state, leg)


def _row_of_leg(state: State, leg: Proposal) -> Row:
    spec = state.spec(leg.symbol)
    risk = _entry_risk(spec, leg.price_ticks, leg.qty_lots, leg.stop_ticks)
    return leg.strategy, leg.symbol, *risk


def _entry_risk(spec: Spec, price_ticks: int, lots: int, stop_ticks: int) -> tuple[int, int]:
    """Cost of an entry at its limit, and what is lost when it fills there and its stop is hit."""
    cost = entry_cost_units(spec, price_ticks, lots)
    if stop_ticks <= 0:
        return cost, cost
    stopped = notional_down(spec, stop_ticks, lots)
    return cost, max(0, cost - stopped + fee_up(stopped, spec.fee_taker_ppm))


def trades_since(view: AccountView, since_ms: int, strategy: str = "") -> int:
    """Entries sent after `since_ms` and those planned now, of one strategy or of all ("")."""
    sent = sum(
        1
        for at_ms, name in view.state.sent_entries()
        if at_ms > since_ms and strategy in {"", name}
    )
    planned = sum(1 for leg in view.legs if leg.side is Side.BUY and strategy in {"", leg.strategy})
    return sent + planned
