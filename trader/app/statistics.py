"""Statistics of an equity curve and of results: opinions, as floats, each with its convention.

Lives here: the metric block of a report; every formula names itself in CONVENTIONS, and equals what
empyrical and quantstats give under that convention (365 periods a year). The loops over bars are
`core.curve`'s. Must not live here: facts. Nothing that is computed here is ever written to a
journal or sent to a venue.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from math import floor, fsum, isfinite, sqrt

from trader.core.curve import (
    FALL_SLOTS,
    Closes,
    begin_fall,
    day_ends,
    day_returns,
    follow_fall,
    values_at,
)
from trader.core.exact import exact_sum
from trader.core.scale import to_decimal
from trader.core.trips import shares_of, sum_results
from trader.domain.timeframe import DAY_MS
from trader.records import dataclass

YEAR_DAYS = 365
# A year's figure from less than this is an extrapolation that says nothing.
DAYS_MIN = 30
ANNUALISED = ("cagr", "sharpe", "sortino", "calmar", "volatility")

CONVENTIONS: dict[str, str] = {
    "year": "365 days; markets never close",
    "returns": "simple, from equity at the last decision bar of each UTC day; the first day is "
    "measured from the starting balance, days without a bar count as no change",
    "deviation": "ddof 1",
    "risk_free": "0",
    "equity": "cash plus holdings at the last close, fees paid taken off, no cost of selling",
    "shortest": "cagr, sharpe, sortino, calmar and volatility are null below 30 days",
    "total_return": "end / start - 1",
    "cagr": "(end / start) ** (365 / days) - 1, from the first bar's open to the last bar's close",
    "sharpe": "mean of daily returns / their deviation * sqrt(365)",
    "sortino": "mean of daily returns / sqrt(mean of min(return, 0) ** 2) * sqrt(365)",
    "calmar": "cagr / max_drawdown",
    "volatility": "deviation of daily returns * sqrt(365)",
    "max_drawdown": "largest fall below the highest equity so far, share, at decision bars",
    "profit_factor": "sum of winning results / sum of losing results, closed round trips",
    "expectancy": "mean result of a closed round trip",
    "expectancy_share": "mean of result / cost of closed round trips",
    "win_rate": "closed round trips with a result above 0 / all closed round trips",
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
    volatility: float | None
    drawdown: DrawDown
    profit_factor: float | None
    expectancy: float | None
    expectancy_share: float | None
    win_rate: float | None
    exposure: float | None
    turnover: float | None
    market_change: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Equity at the close of every decision bar, oldest first, in cash units.

    Attributes:
        start_ms, start_units: open of the first bar, starting balance.
        units: int64[n]. unit: what one cash unit is worth.
    """

    start_ms: int
    start_units: int
    closes_ms: Closes
    units: array[int] | memoryview
    unit: Decimal

    def day_rows(self) -> array[int]:
        """Rows of the last bar of each UTC day that has one."""
        if not self.closes_ms:
            return array("q")
        days = (self.closes_ms[-1] - self.start_ms) // DAY_MS + 2
        rows = array("q", bytes(8 * days))
        closes = self.closes_ms
        return rows[: day_ends(closes.opens_ms, closes.later_ms, rows)]

    def cash(self, units: int) -> float:
        """An amount as an opinion."""
        return float(to_decimal(units, self.unit))


@dataclass(frozen=True, slots=True)
class Results:
    """What closed round trips came to, cash units: int64[n], result and cost of each."""

    results: array[int]
    costs: array[int]


class CurveSums:
    """What statistics need of a curve's values, which may be shown stretch by stretch.

    Attributes:
        bars: how many values were shown. end_units: the newest. day_rows, day_units: rows of the
            last bar of each UTC day, and the values there, as far as they were shown.
        fall: see `core.curve.follow_fall`, as is fall_share.
    """

    def __init__(self, curve: Curve) -> None:
        """Nothing is shown yet: of the curve only its times and its start are looked at."""
        self.bars, self.end_units = 0, curve.start_units
        self.day_rows = curve.day_rows()
        self.day_units = array("q", bytes(8 * len(self.day_rows)))
        self.fall, self.fall_share = array("q", bytes(8 * FALL_SLOTS)), 0.0
        begin_fall(curve.start_units, self.fall)

    def show(self, units: array[int] | memoryview, at: int, stop: int) -> None:
        """The next values: units[at:stop]."""
        if at >= stop:
            return
        rows, before = self.day_rows, self.bars
        self.fall_share = follow_fall(units, at, stop, before, self.fall)
        self.bars = before + stop - at
        first, last = bisect_left(rows, before), bisect_left(rows, self.bars)
        values_at(units, before - at, rows, first, last, self.day_units)
        self.end_units = units[stop - 1]

    @property
    def total_units(self) -> int:
        """The sum of all values, however large."""
        return (self.fall[5] << 31) + self.fall[6]


def shown(curve: Curve) -> CurveSums:
    """The sums of a curve that is there as a whole."""
    sums = CurveSums(curve)
    sums.show(curve.units, 0, len(curve.units))
    return sums


def daily_returns(curve: Curve, sums: CurveSums | None = None) -> list[float]:
    """Simple returns by UTC day, from the starting balance on; days without a bar are 0."""
    sums = shown(curve) if sums is None else sums
    rows, closes = sums.day_rows, curve.closes_ms
    if not rows:
        return []
    days = (closes[rows[-1]] - closes[rows[0]]) // DAY_MS + 2
    found = array("d", bytes(8 * days))
    count = day_returns(
        sums.day_units, curve.start_units, closes.opens_ms, closes.later_ms, rows, found
    )
    return found[:count].tolist()


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over deviation (ddof 1), a year of 365 days, risk-free 0."""
    if len(returns) < 2:
        return None
    mean = fsum(returns) / len(returns)
    variance = fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return _ratio(mean * sqrt(YEAR_DAYS), sqrt(variance))


def volatility(returns: Sequence[float]) -> float | None:
    """Deviation (ddof 1) of daily returns over a year of 365 days."""
    if len(returns) < 2:
        return None
    mean = fsum(returns) / len(returns)
    variance = fsum((value - mean) ** 2 for value in returns) / (len(returns) - 1)
    return sqrt(variance * YEAR_DAYS)


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


def total_return(curve: Curve) -> float | None:
    """End over start - 1."""
    return _grown(curve, curve.units[-1] if curve.units else curve.start_units)


def _grown(curve: Curve, end_units: int) -> float | None:
    return _ratio(end_units - curve.start_units, curve.start_units)


def max_drawdown(curve: Curve) -> DrawDown:
    """The deepest share below the high so far; the first of equals. The start is a high, too."""
    return _deepest_fall(curve, shown(curve))


def _deepest_fall(curve: Curve, sums: CurveSums) -> DrawDown:
    peak, trough, back, high, low = sums.fall[:5]
    if trough < 0:
        return DrawDown(0.0, 0.0, curve.start_ms, curve.start_ms, curve.start_ms)
    return DrawDown(
        sums.fall_share,
        curve.cash(high - low),
        curve.start_ms if peak < 0 else curve.closes_ms[peak],
        curve.closes_ms[trough],
        -1 if back < 0 else curve.closes_ms[back],
    )


def build_statistics(
    curve: Curve,
    closed: Results,
    *,
    exposed_bars: int,
    turnover_units: int,
    market_changes: Sequence[float],
    sums: CurveSums | None = None,
) -> Statistics:
    """All metrics of one run.

    Args:
        closed: result and cost of every closed round trip.
        exposed_bars: decision bars that ended with a position. turnover_units: value of all fills.
        market_changes: last close / first close - 1 of each instrument.
        sums: of a curve whose values are not there any more, but were all shown.
    """
    sums = shown(curve) if sums is None else sums
    bars, end = sums.bars, sums.end_units
    end_ms = curve.closes_ms[-1] if bars else curve.start_ms
    days = (end_ms - curve.start_ms) / DAY_MS
    returns = daily_returns(curve, sums)
    drawdown = _deepest_fall(curve, sums)
    long_enough = days >= DAYS_MIN
    growth = cagr(curve.start_units, end, days) if long_enough else None
    results, costs = memoryview(closed.results), memoryview(closed.costs)
    count = len(results)
    came, shares = array("q", bytes(8 * 5)), array("d", bytes(8 * count))
    sum_results(results, memoryview(came))
    paid = shares_of(results, costs, shares)
    won, lost, winners = (came[0] << 31) + came[1], (came[2] << 31) + came[3], came[4]
    expected = _ratio(won - lost, count)
    return Statistics(
        days=days,
        total_return=_grown(curve, end),
        cagr=growth,
        sharpe=sharpe(returns) if long_enough else None,
        sortino=sortino(returns) if long_enough else None,
        calmar=None if growth is None else _ratio(growth, drawdown.share),
        volatility=volatility(returns) if long_enough else None,
        drawdown=drawdown,
        profit_factor=_ratio(won, lost),
        expectancy=None if expected is None else expected * float(curve.unit),
        expectancy_share=exact_sum(shares[:paid]) / paid if paid else None,
        win_rate=_ratio(winners, count),
        exposure=_ratio(exposed_bars, bars),
        turnover=_ratio(turnover_units * bars, sums.total_units),
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
