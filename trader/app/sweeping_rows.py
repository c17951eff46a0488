"""What is kept of a trial: one row of a few numbers, never a whole report.

Lives here: the metrics with their direction, a row from a back-test's result, rows as lines of text
and back, and their order by a metric. Must not live here: files, running.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from trader.app.backtest import BacktestResult
from trader.app.backtest_report import opinion
from trader.core.scale import text, to_decimal
from trader.errors import UsageError
from trader.records import dataclass

DONE, REFUSED, FAILED = "done", "refused", "failed"


@dataclass(frozen=True, slots=True)
class Metric:
    """A number of a trial: `better` is 1 where more is better, -1 where less is, 0 for neither."""

    name: str
    better: int
    of: Callable[[BacktestResult], str | None]


def _statistic(name: str) -> Callable[[BacktestResult], str | None]:
    return lambda result: opinion(getattr(result.statistics, name))


def _equity(result: BacktestResult) -> str:
    return text(to_decimal(result.curve_units[-1], result.inputs.cash_unit))


def _fees(result: BacktestResult) -> str:
    closed = sum(result.closed.column("fee_units"))
    left = sum(position.trip.fee_units for position in result.open)
    return text(to_decimal(closed + left, result.inputs.cash_unit))


METRICS: tuple[Metric, ...] = (
    Metric("final_equity", 1, _equity),
    *(Metric(name, 1, _statistic(name)) for name in ("total_return", "cagr", "sharpe", "sortino")),
    Metric("calmar", 1, _statistic("calmar")),
    Metric("max_drawdown", -1, lambda result: opinion(result.statistics.drawdown.share)),
    Metric("profit_factor", 1, _statistic("profit_factor")),
    Metric("expectancy", 1, _statistic("expectancy")),
    Metric("win_rate", 1, _statistic("win_rate")),
    Metric("exposure", 0, _statistic("exposure")),
    Metric("turnover", 0, _statistic("turnover")),
    Metric("fees", -1, _fees),
    Metric("round_trips", 0, lambda result: str(len(result.closed))),
    Metric("orders", 0, lambda result: str(result.sent)),
    Metric("unfilled", 0, lambda result: str(result.unfilled)),
)
# Told in percent.
SHARES = frozenset({"total_return", "cagr", "max_drawdown", "win_rate", "exposure"})
NAMES = tuple(metric.name for metric in METRICS)
_BETTER = {metric.name: metric.better for metric in METRICS}


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial: its number, what it tried, how it ended, and its metrics in the order of METRICS.

    `state`: `done`; `refused`: the rules do not take these values together; `failed`: its strategy
    or its worker failed. `why`: of the latter two. Metrics are None where not defined or not done.
    """

    trial: int
    values: tuple[str, ...]
    state: str
    why: str
    metrics: tuple[str | None, ...]

    def metric(self, name: str) -> str | None:
        """A metric by its name."""
        return self.metrics[NAMES.index(name)]

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(
            [self.trial, self.values, self.state, self.why, self.metrics], separators=(",", ":")
        )

    def plain(self, axes: Iterable[str]) -> dict[str, Any]:
        """As a mapping with names."""
        return {
            "trial": self.trial,
            "values": dict(zip(axes, self.values, strict=True)),
            "state": self.state,
            "why": self.why,
            "metrics": dict(zip(NAMES, self.metrics, strict=True)),
        }


def row_of(line: str | bytes) -> TrialRow:
    """From `line`; ValueError, TypeError or KeyError when it is none."""
    trial, values, state, why, metrics = json.loads(line)
    if len(metrics) != len(METRICS):
        raise ValueError("another number of metrics")
    return TrialRow(int(trial), tuple(values), str(state), str(why), tuple(metrics))


def done_row(trial: int, values: tuple[str, ...], result: BacktestResult) -> TrialRow:
    """The row of a run that came to its end."""
    metrics = tuple(metric.of(result) for metric in METRICS)
    return TrialRow(trial, values, DONE, "", metrics)


def no_row(trial: int, values: tuple[str, ...], state: str, why: str) -> TrialRow:
    """The row of one that did not."""
    return TrialRow(trial, values, state, why, (None,) * len(METRICS))


def check_metric(name: str) -> str:
    """A metric that trials can be ordered by; raises UsageError."""
    if _BETTER.get(name):
        return name
    from trader.policy.fields import close_to

    known = [metric for metric, better in _BETTER.items() if better]
    hint = close_to(name, known) or f"known are: {', '.join(known)}"
    raise UsageError(f"trials cannot be ordered by {name!r}", hint)


def order_key(row: TrialRow, by: str) -> tuple[bool, Decimal, int]:
    """Sorts the best first; what has no such number comes last, equals by their trial."""
    value = row.metric(by)
    if value is None:
        return (True, Decimal(0), row.trial)
    return (False, -_BETTER[by] * Decimal(value), row.trial)
