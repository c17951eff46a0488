"""What a back-test is held against: the same run at other costs, and buying and holding.

Lives here: those figures, as parts of a report. Must not live here: the run itself, layout.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.backtest_inputs import BacktestInputs, cost_variants
from trader.app.backtest_report import metrics_of
from trader.app.report_rows import amounts_of, opinion
from trader.app.report_series import curve_of, equity_points
from trader.app.statistics import Curve, Results, build_statistics
from trader.core.curve import add_held
from trader.core.money import PPM, mul_div_up
from trader.core.scale import Spec, fee_up, notional_down, notional_up
from trader.core.series import Series
from trader.domain.timeframe import timeframe_name

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
        trips = (*other.closed, *(position.trip for position in other.open))
        rows.append(
            {
                "cost": key,
                "name": COST_NAMES[key],
                "final_equity": cash(other.curve_units[-1]),
                "total_return": opinion(other.statistics.total_return),
                "max_drawdown": opinion(other.statistics.drawdown.share),
                "fees": cash(sum(trip.fee_units for trip in trips)),
                "round_trips": len(other.closed),
            }
        )
    return {"runs": rows}


@dataclass(frozen=True, slots=True)
class Holding:
    """What was bought of one instrument, at which row of its bars, for how much in all."""

    spec: Spec
    series: Series
    row: int
    lots: int
    paid_units: int
    value_units: int


def hold_of(result: BacktestResult, *, whole: bool) -> dict[str, Any]:
    """Equal shares of the starting balance, each bought at the open after the first decision, at
    the ask, fee and all; valued at the last close. `whole`: also its curve and metrics."""
    curve = curve_of(result)
    holdings = _holdings(result, curve.start_units)
    paid = sum(h.paid_units for h in holdings)
    end = curve.start_units - paid + sum(h.value_units for h in holdings)
    cash = amounts_of(curve.unit)
    found: dict[str, Any] = {
        "final_equity": cash(end),
        "total_return": opinion(end / curve.start_units - 1.0),
        "instruments": [
            {
                "symbol": h.spec.symbol,
                "qty": amounts_of(h.spec.lot)(h.lots),
                "paid": cash(h.paid_units),
                "value": cash(h.value_units),
            }
            for h in holdings
        ],
    }
    if not whole:
        return found
    held = _held_curve(curve, holdings)
    statistics = build_statistics(
        held,
        Results([], []),
        exposed_bars=len(held.units) - 1 if paid else 0,
        turnover_units=paid,
        market_changes=[last / first - 1.0 for first, last in result.market.values()],
    )
    return {**found, "metrics": metrics_of(statistics), "equity": equity_points(held)}


def _holdings(result: BacktestResult, start_units: int) -> list[Holding]:
    inputs = result.inputs
    name = timeframe_name(inputs.parameters.step_ms)
    share = start_units // len(result.market)
    found: list[Holding] = []
    for symbol, (_, last_ticks) in sorted(result.market.items()):
        series = inputs.series[symbol, name]
        row = series.index_of(inputs.start_ms) + 1
        if row >= series.index_of(inputs.end_ms):
            continue
        spec = result.spec(symbol)
        ask = mul_div_up(series.open[row], PPM + inputs.model.half_ppm, PPM)
        lots, paid = _bought(spec, ask, share)
        value = notional_down(spec, last_ticks, lots)
        found.append(Holding(spec, series, row, lots, paid, value))
    return found


def _bought(spec: Spec, ask_ticks: int, share_units: int) -> tuple[int, int]:
    """The most lots whose value and fee are no more than a share, and what they cost."""
    lots = share_units * spec.notional_den * PPM
    lots //= ask_ticks * spec.notional_num * (PPM + spec.fee_taker_ppm)
    while lots > 0:
        value = notional_up(spec, ask_ticks, lots)
        paid = value + fee_up(value, spec.fee_taker_ppm)
        if paid <= share_units:
            return lots, paid
        lots -= 1
    return 0, 0


def _held_curve(curve: Curve, holdings: list[Holding]) -> Curve:
    units = array("q", [curve.start_units]) * len(curve.units)
    closes = curve.closes_ms
    for h in holdings:
        if h.lots:
            factor = h.lots * h.spec.notional_num
            terms = array("q", (h.row, factor, h.spec.notional_den, h.paid_units))
            add_held(h.series.open_ms, h.series.close, terms, closes, units)
    return Curve(curve.start_ms, curve.start_units, closes, units, curve.unit)
