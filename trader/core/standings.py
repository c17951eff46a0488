"""Standings: how each strategy and the account's last days stand at one decision.

Lives here: what is found once a decision and shared by the gates of all its entries: results of
books against their highs, quality, entries that were filled without a human, the rolling loss. What
is new of it is part of the plan, and `fold` keeps it. Must not live here: whether an entry may
leave (`book_gates`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.core.bookkeeping import leg_filled
from trader.core.books import Book
from trader.core.days import ACCOUNT, DAY_SLOTS, day_row, days_of
from trader.core.limits import ALL_PPM, NEVER
from trader.core.money import AMOUNT_MAX, AmountOverflow, limit_units, share_down
from trader.core.quality import Measured, is_asked, measure, shortfall
from trader.domain.order import Side

if TYPE_CHECKING:
    from trader.core.desk import Desk
    from trader.core.parameters import StrategySpec


class Standings:
    """One decision's view of its strategies.

    Attributes:
        results: by strategy, result of its book at this decision's marks, cash units.
        stopped: strategies whose book fell too far below its high at this decision.
        shadow: by strategy, why it only watches from this decision on.
        quality: by strategy, what was measured at this decision, the first of its day.
    """

    __slots__ = (
        "_desk",
        "_filling",
        "_legs_seen",
        "_rolling",
        "quality",
        "results",
        "shadow",
        "stopped",
    )

    def __init__(self, desk: Desk) -> None:
        """Judge every strategy that the policy names and that has a book."""
        self._desk = desk
        self._rolling: tuple[int, int] | None = None
        self._filling: dict[str, int] | None = None
        self._legs_seen = 0
        books = desk.snapshot.state.books
        if desk.valued:
            self.results = desk.view.book_results()
        else:
            self.results = {name: book.result_units for name, book in sorted(books.items())}
        self.stopped: list[str] = []
        self.shadow: dict[str, str] = {}
        self.quality: dict[str, Measured] = {}
        if not desk.valued:
            return
        asked = is_asked(desk.limits.quality)
        for spec in desk.parameters.strategies:
            book = books.get(spec.name)
            if book is not None:
                self._judge_fall(spec, book)
                if asked:
                    self._judge_quality(spec, book)

    def _judge_fall(self, spec: StrategySpec, book: Book) -> None:
        if book.stopped or self.results[spec.name] >= book.high_units:
            return
        limit, fallen = self.drawdown(spec)
        if fallen >= limit:
            self.stopped.append(spec.name)
            self._desk.alarm(
                f"STRATEGY_DRAWDOWN strategy={spec.name} limit={limit} measured={fallen} unit=cash"
            )

    def _judge_quality(self, spec: StrategySpec, book: Book) -> None:
        measured = self._measured(book)
        why = shortfall(measured, self._desk.limits.quality)
        if why and not book.shadow_why:
            self.shadow[spec.name] = f"STRATEGY_QUALITY {why}"
            self._desk.alarm(f"STRATEGY_QUALITY strategy={spec.name} {why}")

    def _measured(self, book: Book) -> Measured:
        """Settled days change at the first decision of a day alone."""
        today = self._desk.marks["day"]
        if book.quality_day == today:
            return Measured(today, book.quality_days, book.sharpe_milli, book.weeks, book.weeks_ppm)
        state = self._desk.snapshot.state
        ended = None
        newest = state.number("day")
        if newest != today and newest >= 0 and self._desk.marks["day_whole"]:
            row = day_row(state, book.strategy, newest)
            start = row.start_units if row is not None else book.result_units
            ended = (newest, self.results[book.strategy] - start)
        found = measure(state, book.strategy, today, ended)
        self.quality[book.strategy] = found
        return found

    def changed_results(self) -> dict[str, int]:
        """Results that differ from what the books knew: what the plan's entry carries."""
        books = self._desk.snapshot.state.books
        changed = self.results.items()
        return {name: units for name, units in changed if units != books[name].result_units}

    def drawdown(self, spec: StrategySpec) -> tuple[int, int]:
        """(limit, how far the strategy's book is below its high), cash units."""
        book = self._desk.snapshot.state.books.get(spec.name)
        result = self.results.get(spec.name, 0)
        high = max(book.high_units if book else 0, result)
        ppm = self._desk.limits.strategy_drawdown_ppm
        if ppm >= NEVER:
            return AMOUNT_MAX, high - result
        budget = share_down(self._desk.equity, spec.budget_exposure_ppm)
        try:
            return limit_units(budget, ppm), high - result
        except AmountOverflow:  # a share of many times everything
            return AMOUNT_MAX, high - result

    def is_stopped(self, name: str) -> bool:
        """Whether a strategy opens nothing because its book fell too far."""
        book = self._desk.snapshot.state.books.get(name)
        return name in self.stopped or (book is not None and book.stopped == 1)

    def shadow_why(self, name: str) -> str:
        """Why a strategy only watches by its quality; "" when it does not."""
        book = self._desk.snapshot.state.books.get(name)
        return self.shadow.get(name, "") or (book.shadow_why if book else "")

    def unattended(self, name: str) -> int:
        """Entries of a strategy that were filled since a named human last looked, and those that
        may still be filled for the first time: in flight, or in this plan."""
        book = self._desk.snapshot.state.books.get(name)
        filled = book.entries_filled - book.attended if book else 0
        return filled + self._may_fill().get(name, 0)

    def _may_fill(self) -> dict[str, int]:
        view, state = self._desk.view, self._desk.snapshot.state
        if self._filling is None:
            self._filling = {}
            for order in view.orders:
                new = order.side is Side.BUY and order.filled_lots == 0
                if new and not leg_filled(state, order):
                    self._filling[order.strategy] = self._filling.get(order.strategy, 0) + 1
        for leg in view.legs[self._legs_seen :]:
            if leg.side is Side.BUY:
                self._filling[leg.strategy] = self._filling.get(leg.strategy, 0) + 1
        self._legs_seen = len(view.legs)
        return self._filling

    def rolling(self) -> tuple[int, int]:
        """(limit, loss over the policy's rolling days), cash units; a limit of -1 where so many
        days cannot be looked back upon."""
        if self._rolling is None:
            self._rolling = self._roll()
        return self._rolling

    def _roll(self) -> tuple[int, int]:
        desk = self._desk
        limits, today = desk.limits, desk.marks["day"]
        if limits.rolling_loss_ppm >= ALL_PPM:
            return AMOUNT_MAX, 0
        if not 1 <= limits.rolling_days < DAY_SLOTS:
            return -1, 0
        state = desk.snapshot.state
        rows = days_of(state, ACCOUNT, today - limits.rolling_days + 1, today)
        base = rows[0].start_units if rows else desk.marks["day_units"]
        base += sum(row.flow_units for row in rows)
        return limit_units(base, limits.rolling_loss_ppm), base - desk.equity
