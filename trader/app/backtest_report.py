"""A back-test's result as plain data: exact amounts as decimal text, opinions as fixed text.

Lives here: the one structure that the tables and `--json` show; equal inputs give equal bytes. Must
not live here: layout.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.book_rows import book_rows
from trader.app.round_trips import RoundTrip
from trader.app.statistics import CONVENTIONS, Statistics, why_undefined
from trader.core.scale import text, to_decimal
from trader.domain.timeframe import DAY_MS, timeframe_name

REPORT_VERSION = 1
OPINION_DIGITS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(at_ms: int) -> str:
    """`2024-01-31T23:59:00Z`; "" for a time that is not there (-1)."""
    if at_ms < 0:
        return ""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def opinion(value: float | None) -> str | None:
    """A metric as text with six decimals; None stays None."""
    if value is None:
        return None
    shown = f"{value:.{OPINION_DIGITS}f}"
    return shown[1:] if shown == f"-{0:.{OPINION_DIGITS}f}" else shown


def build_report(result: BacktestResult) -> dict[str, Any]:
    """Everything that a back-test says, ready for JSON."""
    inputs = result.inputs
    parameters = inputs.parameters
    step_ms = parameters.step_ms
    return {
        "report": "backtest",
        "version": REPORT_VERSION,
        "mode": parameters.mode,
        "assumed": list(inputs.assumed),
        "account": {
            "quote": parameters.quote,
            "starting_balance": text(inputs.cash),
            "final_equity": _cash(result, result.curve_units[-1]),
            "cash": _cash(result, result.state.cash_units),
            "fees": _cash(result, _fees(result)),
        },
        "range": {
            "first_open": utc_text(result.curve_ms[0] - step_ms),
            "last_close": utc_text(result.curve_ms[-1]),
            "first_open_ms": result.curve_ms[0] - step_ms,
            "last_close_ms": result.curve_ms[-1],
            "timeframe": timeframe_name(step_ms),
            "decision_bars": len(result.curve_ms),
        },
        "metrics": _metrics(result.statistics),
        "metrics_undefined": why_undefined(result.statistics),
        "conventions": CONVENTIONS,
        "instruments": _groups(result, "symbol"),
        "strategies": _groups(result, "strategy"),
        "books": _books(result),
        "exit_reasons": _groups(result, "exit_reason"),
        "market": _market(result),
        "orders": {"sent": result.sent, "unfilled": result.unfilled},
        "refusals": dict(result.refusals),
        "quiet": dict(result.quiet),
        "universe": dict(result.universe),
        "open_positions": _open(result),
        "round_trips": [_trip(result, trip) for trip in result.closed],
        "equity_daily": _daily(result),
    }


def _books(result: BacktestResult) -> list[dict[str, Any]]:
    """Each strategy's book at the end, closed and open round trips together."""
    flags = {s.name: (s.enabled, s.shadow) for s in result.inputs.parameters.strategies}
    marks = {symbol: last for symbol, (_, last) in result.market.items()}
    return book_rows(result.state, flags, marks)


def _cash(result: BacktestResult, units: int) -> str:
    return text(to_decimal(units, result.inputs.cash_unit))


def _fees(result: BacktestResult) -> int:
    trips = (*result.closed, *(position.trip for position in result.open))
    return sum(trip.fee_units for trip in trips)


def _metrics(found: Statistics) -> dict[str, Any]:
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


def _groups(result: BacktestResult, by: str) -> list[dict[str, Any]]:
    """Closed round trips grouped by one of their fields, in order of the name."""
    groups: dict[str, list[RoundTrip]] = {}
    for trip in result.closed:
        groups.setdefault(getattr(trip, by), []).append(trip)
    return [_group(result, by, name, trips) for name, trips in sorted(groups.items())]


def _group(result: BacktestResult, by: str, name: str, trips: list[RoundTrip]) -> dict[str, Any]:
    total = sum(trip.result_units for trip in trips)
    cost = sum(trip.cost_units for trip in trips)
    held_ms = sum(trip.closed_ms - trip.opened_ms for trip in trips) // len(trips)
    return {
        by: name,
        "round_trips": len(trips),
        "wins": sum(1 for trip in trips if trip.result_units > 0),
        "result": _cash(result, total),
        "mean_share": opinion(total / cost if cost else None),
        "best": _cash(result, max(trip.result_units for trip in trips)),
        "worst": _cash(result, min(trip.result_units for trip in trips)),
        "fees": _cash(result, sum(trip.fee_units for trip in trips)),
        "mean_held_ms": held_ms,
    }


def _market(result: BacktestResult) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
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


def _trip(result: BacktestResult, trip: RoundTrip) -> dict[str, Any]:
    spec = result.spec(trip.symbol)
    return {
        "strategy": trip.strategy,
        "symbol": trip.symbol,
        "opened": utc_text(trip.opened_ms),
        "closed": utc_text(trip.closed_ms) or None,
        "opened_ms": trip.opened_ms,
        "closed_ms": trip.closed_ms if trip.closed else None,
        "bought": text(spec.qty(trip.bought_lots)),
        "sold": text(spec.qty(trip.sold_lots)),
        "first_price": text(spec.price(trip.first_ticks)),
        "last_price": text(spec.price(trip.last_ticks)),
        "cost": _cash(result, trip.cost_units),
        "proceeds": _cash(result, trip.proceeds_units),
        "fees": _cash(result, trip.fee_units),
        "result": _cash(result, trip.result_units),
        "share": opinion(trip.result_units / trip.cost_units if trip.cost_units else None),
        "fills": trip.fills,
        "exit_reason": trip.exit_reason,
    }


def _open(result: BacktestResult) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
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


def _daily(result: BacktestResult) -> list[list[str]]:
    """[day, equity] at the last decision bar of each UTC day."""
    days: dict[int, int] = {}
    for at_ms, units in zip(result.curve_ms, result.curve_units, strict=True):
        days[(at_ms - 1) // DAY_MS] = units
    return [[utc_text(day * DAY_MS)[:10], _cash(result, units)] for day, units in days.items()]


def rounded(amount: str, digits: int = 2) -> str:
    """Decimal text for people: `digits` decimals, half to even."""
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(amount).quantize(step, ROUND_HALF_EVEN):,f}"
