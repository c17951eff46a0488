"""A back-test's result as plain data: exact amounts as decimal text, opinions as fixed text.

Lives here: the one structure that the tables and `--json` show; equal inputs give equal bytes. Must
not live here: layout.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.book_rows import book_rows
from trader.app.report_rows import (
    Scales,
    amounts_of,
    opinion,
    trip_rows,
    utc_text,
)
from trader.app.report_series import build_series, daily
from trader.app.statistics import CONVENTIONS, Statistics, why_undefined
from trader.core.scale import text, to_decimal
from trader.core.trip_groups import SUM_COLUMNS, sum_by
from trader.core.trips import TRIP_COLUMNS
from trader.domain.timeframe import timeframe_name
from trader.records import dataclass

REPORT_VERSION = 2
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a report says that is no part of the run itself; None where nobody asked.

    Attributes:
        costs: the same run at other costs. hold: buying at the start and holding.
        manifest: what the run was made of.
    """

    costs: Row | None = None
    hold: Row | None = None
    manifest: Row | None = None


def build_report(result: BacktestResult, beside: Beside | None = None) -> Row:
    """Everything that a back-test says, ready for JSON."""
    report = build_summary(result, beside)
    trips = result.closed.rows
    return with_rows(report, trips, result.fills.names)


def with_rows(summary: Mapping[str, Any], trips: array[int], names: Sequence[str]) -> Row:
    """A summary and its closed round trips (rows of TRIP_COLUMNS) as one report."""
    rows = list(trip_rows(trips, names, Scales.of(summary)))
    return {**summary, "round_trips": rows}


def build_summary(
    result: BacktestResult, beside: Beside | None = None, *, drawn: bool = True
) -> Row:
    """A report without its round trips, which may be many: what tables and pictures show.
    `drawn`: false where nobody will draw it, so that only what tables show is worked out."""
    inputs = result.inputs
    parameters = inputs.parameters
    step_ms = parameters.step_ms
    beside = beside or Beside()
    closed = result.closed.rows
    return {
        "report": "backtest",
        "version": REPORT_VERSION,
        "mode": parameters.mode,
        "manifest": beside.manifest,
        "assumed": list(inputs.assumed),
        "costs": beside.costs,
        "buy_and_hold": beside.hold,
        "account": {
            "quote": parameters.quote,
            "starting_balance": text(inputs.cash),
            "final_equity": _cash(result, result.curve_units[-1]),
            "cash": _cash(result, result.state.cash_units),
            "fees": _cash(result, result.fills.fee_units),
            "turnover": _cash(result, result.turnover_units),
            "cash_unit": text(inputs.cash_unit),
        },
        "range": {
            "first_open": utc_text(result.curve_ms[0] - step_ms),
            "last_close": utc_text(result.curve_ms[-1]),
            "first_open_ms": result.curve_ms[0] - step_ms,
            "last_close_ms": result.curve_ms[-1],
            "timeframe": timeframe_name(step_ms),
            "decision_bars": len(result.curve_ms),
        },
        "metrics": metrics_of(result.statistics),
        "metrics_undefined": why_undefined(result.statistics),
        "conventions": CONVENTIONS,
        "instruments": _groups(result, closed, "symbol"),
        "strategies": _groups(result, closed, "strategy"),
        "books": _books(result),
        "exit_reasons": _groups(result, closed, "exit_reason"),
        "market": _market(result),
        "orders": {"sent": result.sent, "unfilled": result.unfilled, "fills": len(result.fills)},
        "refusals": dict(result.refusals),
        "quiet": dict(result.quiet),
        "universe": dict(result.universe),
        "open_positions": _open(result),
        "series": build_series(result, closed, all_of_it=drawn),
        "equity_daily": list(daily(result.curve)) if drawn else [],
    }


def _books(result: BacktestResult) -> list[Row]:
    """Each strategy's book at the end, closed and open round trips together."""
    flags = {s.name: (s.enabled, s.shadow) for s in result.inputs.parameters.strategies}
    marks = {symbol: last for symbol, (_, last) in result.market.items()}
    return book_rows(result.state, flags, marks)


def _cash(result: BacktestResult, units: int) -> str:
    return amounts_of(result.inputs.cash_unit)(units)


def metrics_of(found: Statistics) -> Row:
    """The metric block as text."""
    fallen = found.drawdown
    names = (
        "days", "total_return", "cagr", "sharpe", "sortino", "calmar", "volatility",
        "profit_factor", "expectancy", "expectancy_share", "win_rate", "exposure", "turnover",
        "market_change",
    )  # fmt: skip
    return {
        **{name: opinion(getattr(found, name)) for name in names},
        "max_drawdown": opinion(fallen.share),
        "max_drawdown_amount": opinion(fallen.amount),
        "max_drawdown_peak": utc_text(fallen.peak_ms),
        "max_drawdown_trough": utc_text(fallen.trough_ms),
        "max_drawdown_recovered": utc_text(fallen.recovered_ms) or None,
    }


def _groups(result: BacktestResult, closed: array[int], by: str) -> list[Row]:
    """Closed round trips grouped by one of their names, in order of the name."""
    names = result.fills.names
    found = array("q", bytes(8 * len(SUM_COLUMNS) * (len(names) + 1)))
    sum_by(closed, TRIP_COLUMNS.index(by), found)
    rows = (found[at : at + len(SUM_COLUMNS)] for at in range(0, len(found), len(SUM_COLUMNS)))
    groups = {name: row for name, row in zip(("", *names), rows, strict=True) if row[0]}
    return [_group(result, by, name, row) for name, row in sorted(groups.items())]


def _group(result: BacktestResult, by: str, name: str, sums: array[int]) -> Row:
    count, wins, *parts, best, worst = sums
    total, cost, fees, held_ms = (
        (upper << 31) + lower for upper, lower in zip(parts[::2], parts[1::2], strict=True)
    )
    cash = amounts_of(result.inputs.cash_unit)
    return {
        by: name,
        "round_trips": count,
        "wins": wins,
        "result": cash(total),
        "mean_share": opinion(total / cost if cost else None),
        "best": cash(best),
        "worst": cash(worst),
        "fees": cash(fees),
        "mean_held_ms": held_ms // count,
    }


def _market(result: BacktestResult) -> list[Row]:
    rows: list[Row] = []
    for symbol, (first, last) in sorted(result.market.items()):
        spec = result.spec(symbol)
        rows.append(
            {
                "symbol": symbol,
                "bars": result.bars[symbol],
                "first_close": text(spec.price(first)),
                "last_close": text(spec.price(last)),
                "change": opinion(last / first - 1.0),
                "tick": text(spec.tick),
                "lot": text(spec.lot),
                "fee_taker": text(Decimal(spec.fee_taker_ppm).scaleb(-6)),
            }
        )
    return rows


def _open(result: BacktestResult) -> list[Row]:
    rows: list[Row] = []
    for position in result.open:
        spec = result.spec(position.trip.symbol)
        held = result.state.positions[position.trip.symbol]
        rows.append(
            {
                "strategy": position.trip.strategy,
                "symbol": position.trip.symbol,
                "opened": utc_text(position.trip.opened_ms),
                "qty": text(to_decimal(position.qty_units, spec.base_unit)),
                "entry_price": text(spec.price(held.entry_ticks)),
                "last_price": text(spec.price(result.market[position.trip.symbol][1])),
                "stop_price": text(spec.price(held.stop_ticks)),
                "value": _cash(result, position.value_units),
                "cost": _cash(result, held.cost_units),
                "result_open": _cash(result, position.value_units - held.cost_units),
            }
        )
    return rows


def rounded(amount: str, digits: int = 2) -> str:
    """Decimal text for people: `digits` decimals, half to even."""
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(amount).quantize(step, ROUND_HALF_EVEN):,f}"
