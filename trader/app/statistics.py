"""Statistics of an equity curve and of results: opinions, as floats, each with its convention.

Lives here: the metric block of a report; every formula names itself in CONVENTIONS. Must not live
here: facts. Nothing that is computed here is ever written to a journal or sent to a venue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, fsum, isfinite, sqrt

from trader.domain.timeframe import DAY_MS

YEAR_DAYS = 365
# A year's figure from less than this is an extrapolation that says nothing.
DAYS_MIN = 30
ANNUALISED = ("cagr", "sharpe", "sortino", "calmar")

CONVENTIONS: dict[str, str] = {
    "year": "365 days; markets never close",
    "returns": "simple, from equity at the last decision bar of each UTC day; the first day is "
    "measured from the starting balance, days without a bar count as no change",
    "deviation": "ddof 1",
    "risk_free": "0",
    "equity": "cash plus holdings at the last close, fees paid taken off, no cost of selling",
    "shortest": "cagr, sharpe, sortino and calmar are null below 30 days",
    "cagr": "(end / start) ** (365 / days) - 1, from the first bar's open to the last bar's close",
    "sharpe": "mean of daily returns / their deviation * sqrt(365)",
    "sortino": "mean of daily returns / sqrt(mean of min(return, 0) ** 2) * sqrt(365)",
    "calmar": "cagr / max_drawdown",
    "max_drawdown": "largest fall below the highest equity so far, share, at decision bars",
    "profit_factor": "sum of winning results / sum of losing results, closed round trips",
    "expectancy": "mean result of a closed round trip",
    "exposure": "share of decision bars that end with a position",
    "turnover": "value of all fills / mean equity",
    "market_change": "mean over the instruments of last close / first close - 1",
}


@dataclass(frozen=True, slots=True)
class DrawDown:
    """The deepest fall of the equity below its high. `recovered_ms` is -1 when it never was."""

    share: float
    amount: float
    peak_ms: int
    trough_ms: int
    recovered_ms: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """The metric block; None where a number is not defined (no variance, nothing closed ...)."""

    days: float
    total_return: float | None
    cagr: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    drawdown: DrawDown
    profit_factor: float | None
    expectancy: float | None
    expectancy_share: float | None
    win_rate: float | None
    exposure: float | None
    turnover: float | None
    market_change: float | None


def daily_returns(start: float, curve: Sequence[tuple[int, float]]) -> list[float]:
    """Simple returns by UTC day. `curve`: (time of the bar's close, equity), oldest first."""
    returns: list[float] = []
    before, last_day = start, -1
    for index, (at_ms, equity) in enumerate(curve):
        # A bar that closes at midnight belongs to the day it ends.
        day = (at_ms - 1) // DAY_MS
        following = curve[index + 1][0] if index + 1 < len(curve) else -1
        if following >= 0 and (following - 1) // DAY_MS == day:
            continue
        if last_day >= 0:
            returns.extend([0.0] * (day - last_day - 1))
        returns.append(equity / before - 1.0 if before > 0 else 0.0)
        before, last_day = equity, day
    return returns


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over deviation (ddof 1), a year of 365 days, risk-free 0."""
    if len(returns) < 2:
        return None
    mean = fsum(returns) / len(returns)
    variance = fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return _ratio(mean * sqrt(YEAR_DAYS), sqrt(variance))


def sortino(returns: Sequence[float]) -> float | None:
    """Mean over the root of the mean squared loss, target 0, a year of 365 days."""
    if len(returns) < 2:
        return None
    mean = fsum(returns) / len(returns)
    losses = fsum(min(value, 0.0) ** 2 for value in returns) / len(returns)
    return _ratio(mean * sqrt(YEAR_DAYS), sqrt(losses))


def cagr(start: float, end: float, days: float) -> float | None:
    """Growth a year; None for less than a day, or when nothing is left."""
    if days < 1.0 or start <= 0 or end <= 0:
        return None
    try:
        return (end / start) ** (YEAR_DAYS / days) - 1.0
    except OverflowError:
        return None


def max_drawdown(start_ms: int, start: float, curve: Sequence[tuple[int, float]]) -> DrawDown:
    """The deepest share below the high so far; the first of equals. `start` is a high, too."""
    high, high_ms = start, start_ms
    deepest = DrawDown(0.0, 0.0, start_ms, start_ms, start_ms)
    mark = start
    for at_ms, equity in curve:
        if equity > high:
            high, high_ms = equity, at_ms
        fallen = (high - equity) / high if high > 0 else 0.0
        if fallen > deepest.share:
            deepest = DrawDown(fallen, high - equity, high_ms, at_ms, -1)
            mark = high
        elif deepest.recovered_ms < 0 and equity >= mark:
            deepest = DrawDown(
                deepest.share, deepest.amount, deepest.peak_ms, deepest.trough_ms, at_ms
            )
    return deepest


def build_statistics(
    *,
    start_ms: int,
    start: float,
    curve: Sequence[tuple[int, float]],
    results: Sequence[tuple[float, float]],
    exposed_bars: int,
    turnover: float,
    market_changes: Sequence[float],
) -> Statistics:
    """All metrics of one run.

    Args:
        start_ms, start: open of the first bar, starting balance. curve: (close time, equity).
        results: (cash result, cost) of every closed round trip.
        exposed_bars: decision bars that ended with a position. turnover: value of all fills.
        market_changes: last close / first close - 1 of each instrument.
    """
    end_ms, end = curve[-1] if curve else (start_ms, start)
    days = (end_ms - start_ms) / DAY_MS
    returns = daily_returns(start, curve)
    drawdown = max_drawdown(start_ms, start, curve)
    long_enough = days >= DAYS_MIN
    growth = cagr(start, end, days) if long_enough else None
    gains = [result for result, _ in results]
    won = fsum(gain for gain in gains if gain > 0)
    lost = -fsum(gain for gain in gains if gain < 0)
    shares = [result / cost for result, cost in results if cost > 0]
    mean_equity = _mean([equity for _, equity in curve])
    return Statistics(
        days=days,
        total_return=_ratio(end - start, start),
        cagr=growth,
        sharpe=sharpe(returns) if long_enough else None,
        sortino=sortino(returns) if long_enough else None,
        calmar=None if growth is None else _ratio(growth, drawdown.share),
        drawdown=drawdown,
        profit_factor=_ratio(won, lost),
        expectancy=_mean(gains),
        expectancy_share=_mean(shares),
        win_rate=_ratio(sum(1 for gain in gains if gain > 0), len(gains)),
        exposure=_ratio(exposed_bars, len(curve)),
        turnover=None if mean_equity is None else _ratio(turnover, mean_equity),
        market_change=_mean(market_changes),
    )


_UNDEFINED = {
    "cagr": "nothing is left, or more than a number can hold",
    "sharpe": "the daily returns do not vary",
    "sortino": "no day lost anything",
    "calmar": "no drawdown, or no cagr",
    "profit_factor": "no closed round trip lost anything",
    "expectancy": "no round trip was closed",
    "expectancy_share": "no round trip was closed",
    "win_rate": "no round trip was closed",
}


def why_undefined(found: Statistics) -> dict[str, str]:
    """Metric -> why it is None, for every metric that is."""
    missing = [name for name in Statistics.__slots__ if getattr(found, name) is None]
    if found.days >= DAYS_MIN:
        return {name: _UNDEFINED.get(name, "nothing to divide by") for name in missing}
    short = f"too short ({floor(found.days * 10) / 10:.1f} days, {DAYS_MIN} needed)"
    return {
        name: short if name in ANNUALISED else _UNDEFINED.get(name, "nothing to divide by")
        for name in missing
    }


def _mean(values: Sequence[float]) -> float | None:
    return fsum(values) / len(values) if values else None


def _ratio(part: float, whole: float) -> float | None:
    if whole == 0:
        return None
    ratio = part / whole
    return ratio if isfinite(ratio) else None
