"""Quality: how good a strategy's settled days were.

Lives here: the measure, from the days that `fold` keeps, and what policy asks of it. Must not live
here: what becomes of a strategy that is not good enough (`standings`).

A day's return is the strategy's result of that day over the equity with which the account began
it; a day without any change is a return of 0. The Sharpe ratio is mean / standard deviation (ddof
1) of those returns, times sqrt(365) (Sharpe, "The Sharpe Ratio", 1994, with a riskless rate of 0).
A winning week is one (from Monday on, and over) whose results sum to more than 0, among those in
which there was any.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from trader.core.calendar import week_of
from trader.core.days import ACCOUNT, DAY_SLOTS, day_row
from trader.core.limits import NEVER, Quality
from trader.core.money import PPM
from trader.core.sizing import float_down
from trader.core.state import State

MILLI = 1_000.0
YEAR_DAYS = 365.0


class Measured(NamedTuple):
    """`day`: at whose first decision it was measured; `days` settled before it. `sharpe_milli`:
    thousandths, rounded down, within +-NEVER. `weeks` with a result, `weeks_ppm` of them won."""

    day: int
    days: int
    sharpe_milli: int
    weeks: int
    weeks_ppm: int


def is_asked(quality: Quality) -> bool:
    """Whether policy asks anything of quality at all."""
    return quality.sharpe_milli_min > -NEVER or quality.weeks_ppm_min > 0


def measure(state: State, name: str, today: int, ended: tuple[int, int] | None) -> Measured:
    """A strategy's settled days before `today`, at most DAY_SLOTS - 1 of them.

    `ended`: (day, what it came to in cash units) where the newest known day ends at this very
    decision, so that its row does not know yet.
    """
    book = state.books.get(name)
    if book is None or book.first_day < 0:
        return Measured(today, 0, 0, 0, 0)
    first = max(book.first_day, book.judged_day, today - DAY_SLOTS + 1)
    returns: list[float] = []
    weeks: dict[int, int] = {}
    for day in range(first, today):
        row, account = day_row(state, name, day), day_row(state, ACCOUNT, day)
        result = 0 if row is None else row.result_units
        if ended is not None and ended[0] == day:
            result = ended[1]
        start = account.start_units if account is not None else 0
        returns.append(result / start if start > 0 else 0.0)
        if row is not None or result != 0:
            week = week_of(day)
            weeks[week] = weeks.get(week, 0) + result
    weeks.pop(week_of(today), None)
    won = sum(1 for result in weeks.values() if result > 0)
    share = won * PPM // len(weeks) if weeks else 0
    return Measured(today, len(returns), sharpe_milli(returns), len(weeks), share)


def sharpe_milli(returns: list[float]) -> int:
    """Thousandths of the annualised Sharpe ratio of daily returns, rounded down; without spread
    it is as large as can be on the side of the mean, and 0 when there is nothing to tell."""
    count = len(returns)
    if count < 2:
        return 0
    total = 0.0
    for one in returns:
        total += one
    mean = total / count
    squares = 0.0
    for one in returns:
        off = one - mean
        squares += off * off
    spread = sqrt(squares / (count - 1))
    if spread <= abs(mean) * 1e-12:
        return NEVER if mean > 0.0 else -NEVER if mean < 0.0 else 0
    ratio = mean / spread * sqrt(YEAR_DAYS) * MILLI
    size = min(abs(ratio), float(NEVER))
    whole = float_down(size)
    return -whole - int(whole < size) if ratio < 0.0 else whole


def shortfall(measured: Measured, quality: Quality) -> str:
    """What is not good enough, as `key=value ...`; "" when it is, or the sample is too small."""
    if not is_asked(quality) or measured.days < quality.days_min:
        return ""
    if measured.sharpe_milli < quality.sharpe_milli_min:
        limit = f"limit={quality.sharpe_milli_min} measured={measured.sharpe_milli}"
        return f"{limit} unit=sharpe_milli days={measured.days}"
    if measured.weeks > 0 and measured.weeks_ppm < quality.weeks_ppm_min:
        limit = f"limit={quality.weeks_ppm_min} measured={measured.weeks_ppm}"
        return f"{limit} unit=weeks_ppm weeks={measured.weeks}"
    return ""
