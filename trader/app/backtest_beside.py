"""What a back-test is held against: the same run at other costs, and buying and holding.

Lives here: those figures, as parts of a report. Must not live here: the run itself, layout.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.backtest_inputs import BacktestInputs, cost_variants
from trader.app.backtest_report import metrics_of
from trader.app.buy_and_hold import buy_and_hold
from trader.app.report_rows import amounts_of, opinion
from trader.app.report_series import equity_points
from trader.app.statistics import (
    Curve,
    Results,
    build_statistics,
    max_drawdown,
    total_return,
)

COST_NAMES = {
    "zero": "at no cost (no spread, slippage or fees)",
    "double": "at double cost (spread, slippage and fees)",
}
Run = Callable[[BacktestInputs], BacktestResult]


def costs_of(result: BacktestResult, run: Run) -> dict[str, Any]:
    """The same inputs run at no cost and at double."""
    rows: list[dict[str, Any]] = []
    for key, inputs in cost_variants(result.inputs).items():
        other = run(inputs)
        cash = amounts_of(inputs.cash_unit)
        curve = other.curve
        rows.append(
            {
                "cost": key,
                "name": COST_NAMES[key],
                "final_equity": cash(other.curve_units[-1]),
                "total_return": opinion(total_return(curve)),
                "max_drawdown": opinion(max_drawdown(curve).share),
                "fees": cash(other.fills.fee_units),
                "round_trips": len(other.closed),
            }
        )
    return {"runs": rows}


def hold_of(result: BacktestResult, *, whole: bool) -> dict[str, Any]:
    """What `buy_and_hold` came to. `whole`: also its curve and metrics."""
    curve = result.curve
    found = buy_and_hold(result.inputs, result.curve_ms if whole else ())
    cash = amounts_of(curve.unit)
    told: dict[str, Any] = {
        "final_equity": cash(found.final_units),
        "total_return": opinion(found.final_units / curve.start_units - 1.0),
        "instruments": [
            {
                "symbol": held.symbol,
                "qty": amounts_of(result.spec(held.symbol).lot)(held.lots),
                "paid": cash(held.paid_units),
                "fees": cash(held.fee_units),
                "value": cash(held.value_units),
            }
            for held in found.held
        ],
    }
    if not whole:
        return told
    units = found.curve_units
    held_curve = Curve(curve.start_ms, curve.start_units, curve.closes_ms, units, curve.unit)
    first_ms = min((one.bought_ms for one in found.held if one.bought_ms >= 0), default=-1)
    row = bisect_right(curve.closes_ms, first_ms) if first_ms >= 0 else len(units)
    statistics = build_statistics(
        held_curve,
        Results(array("q"), array("q")),
        exposed_bars=len(units) - row,
        turnover_units=sum(one.paid_units for one in found.held),
        market_changes=[last / first - 1.0 for first, last in result.market.values()],
    )
    return {**told, "metrics": metrics_of(statistics), "equity": equity_points(held_curve)}
