"""Results of days and of books, followed from decision to decision by the oracle.

Lives here: the day's stop, the draw-down, the rolling loss and each strategy's draw-down as their
words say, with flows taken out. Must not live here: whether an entry may leave for them
(`worlds_rules_sums`).
"""

from __future__ import annotations

from decimal import Decimal

from worlds_ledger import ZERO, Ledger
from worlds_moment import MILLION, Moment, day_number

from trader.core.limits import NEVER

UNITS_MAX = 2**62


class Marks:
    """One account's. A state is 1 (holds), 0, or None (too near its limit to tell)."""

    def __init__(self, ledger: Ledger, slack: Decimal) -> None:
        """Before the first decision."""
        self.ledger = ledger
        self.slack = slack
        self.day = -1
        self.start = self.high = self.last = ZERO
        self.day_stopped: int | None = 0
        self.drawdown_stopped: int | None = 0
        self.days: dict[int, list[Decimal]] = {}
        self.book_high: dict[str, Decimal] = {}
        self.book_last: dict[str, Decimal] = {}
        self.fallen: dict[str, int | None] = {}

    def look(self, moment: Moment) -> None:
        """One decision's equity; what was hit before stays hit."""
        equity, limits = moment.equity, moment.limits
        moment.day_stopped, moment.drawdown_stopped = self.day_stopped, self.drawdown_stopped
        moment.fallen = self.fallen
        if equity >= UNITS_MAX * self.ledger.unit:
            return  # nobody can tell it: no mark is taken from it, and nothing is opened
        zone, starts = limits.day.zone.name, limits.day.starts_min
        day = day_number(zone, starts, moment.close_ms)
        if day > self.day:
            # Measured from where the day before ended; a decision at the very moment it begins is
            # both.
            begins = day_number(zone, starts, moment.close_ms - 1) != day
            self.start = equity if begins or self.day < 0 else self.last
            self.day, self.day_stopped = day, 0
            self.days[day] = [self.start, ZERO]
        self.last = equity
        self.high = max(self.high, equity)
        limit = max(ZERO, self.start) * limits.day_stop_ppm / MILLION
        self.day_stopped = self._hit(self.day_stopped, self.start - equity, limit)
        limit = max(ZERO, self.high) * limits.drawdown_ppm_max / MILLION
        self.drawdown_stopped = self._hit(self.drawdown_stopped, self.high - equity, limit)
        moment.day_stopped, moment.drawdown_stopped = self.day_stopped, self.drawdown_stopped
        first = self.day - limits.rolling_days + 1
        rows = [self.days[at] for at in sorted(self.days) if first <= at <= self.day]
        base = rows[0][0] + sum((row[1] for row in rows), ZERO)
        moment.rolled = (base - equity, base)
        self._books(moment)

    def _books(self, moment: Moment) -> None:
        for name in {name for name, _ in self.ledger.held} | set(self.ledger.booked):
            result = self.ledger.booked.get(name, ZERO)
            for (who, symbol), coins in self.ledger.held.items():
                if who == name:
                    result += coins * moment.marks.get(symbol, ZERO)
            self.book_high[name] = max(self.book_high.get(name, ZERO), result)
            self.book_last[name] = result
        for spec in moment.parameters.strategies:
            if spec.name not in self.book_last or moment.limits.strategy_drawdown_ppm >= NEVER:
                continue
            budget = moment.share(spec.budget_exposure_ppm)
            limit = budget * moment.limits.strategy_drawdown_ppm / MILLION
            loss = self.book_high[spec.name] - self.book_last[spec.name]
            self.fallen[spec.name] = self._hit(self.fallen.get(spec.name, 0), loss, limit)
        moment.fallen = self.fallen

    def _hit(self, before: int | None, loss: Decimal, limit: Decimal) -> int | None:
        limit = max(limit, self.ledger.unit)  # a loss of nothing hits nothing
        if before == 1 or loss >= limit + self.slack:
            return 1
        return None if loss > limit - self.slack and loss > 0 else before

    def reset(self) -> None:
        """A named human accepts the draw-down."""
        self.high, self.drawdown_stopped = ZERO, 0

    def resume(self, name: str) -> None:
        """A named human has looked at a strategy."""
        if self.fallen.get(name, 0) != 0:
            self.book_high[name] = self.book_last.get(name, ZERO)
        self.fallen[name] = 0

    def flow(self, amount: Decimal) -> None:
        """Money that came or went is no result."""
        if self.day >= 0:
            self.last += amount
            self.start += amount
            self.days[self.day][1] += amount
        if self.high > 0:
            self.high = max(ZERO, self.high + amount)
