"""The exchange's own clock.

Here: exchange time as a line over wall time (origin and rate), so that it can stand still, run on,
race, jump, and go on where it was after a restart. The wall clock is handed in. Not here: anything
that happens because time passes (engine.py).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from trader.exchange.money import plain


class Clock:
    """Exchange time, UTC epoch ms. rate: exchange ms per wall ms; 0 stands still."""

    def __init__(self, wall_ms: Callable[[], int], start_ms: int, rate: Decimal) -> None:
        self._wall_ms = wall_ms
        self._origin_ms = start_ms
        self._origin_wall_ms = wall_ms()
        self.rate = rate
        self._last_ms = start_ms

    def now_ms(self) -> int:
        """Exchange time now; never before an earlier answer unless the clock was set back."""
        if self.rate:
            run = int((self._wall_ms() - self._origin_wall_ms) * self.rate)
            self._last_ms = max(self._last_ms, self._origin_ms + run)
        return self._last_ms

    def set(self, at_ms: int | None = None, rate: Decimal | None = None) -> None:
        """Jump to `at_ms` (back is allowed), change the rate, or both."""
        self._origin_ms = self.now_ms() if at_ms is None else at_ms
        self._last_ms = self._origin_ms
        self._origin_wall_ms = self._wall_ms()
        self.rate = self.rate if rate is None else rate

    def as_json(self) -> dict[str, Any]:
        """Origin and rate: enough to go on after a restart as if the clock had never stopped."""
        return {
            "exchange_ms": self._origin_ms,
            "wall_ms": self._origin_wall_ms,
            "rate": plain(self.rate),
        }

    def load(self, kept: dict[str, Any]) -> None:
        """Go on from what `as_json` said."""
        self._origin_ms = self._last_ms = int(kept["exchange_ms"])
        self._origin_wall_ms = int(kept["wall_ms"])
        self.rate = Decimal(kept["rate"])
