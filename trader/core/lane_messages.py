# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lane's messages: how many were sent in a window of time.

Lives here: the typed mirror of `account_facts.count_message` and of what `messages` reads of it.
Must not live here: what windows may hold (`lane_sums`).
"""

from __future__ import annotations

from array import array

from trader.core.state import MINUTE_SLOTS, STAMP_SLOTS
from trader.core.totals import DAY_MS

MINUTE_MS = 60_000
# Numbers of other modules, as C numbers where this one is compiled.
STAMPS, MINUTES, A_DAY = STAMP_SLOTS, MINUTE_SLOTS, DAY_MS
# A window of so few minutes is counted minute by minute.
SHORT = 16


class LaneMessages:
    """Messages sent, see `State.messages`.

    Attributes:
        count: of all; new: since it was loaded. stamp_at: when, of the newest.
        minute_at, minutes: how many there were in a minute; log: places of minutes that changed
            since it was loaded; last_minute: the newest with one.
        day_count: those of the minutes from day_first on (-1: not counted).
        counted_day: those within a day when they were counted_at in all.
    """

    __slots__ = (
        "count", "counted_at", "counted_day", "day_count", "day_first", "last_minute", "log",
        "minute_at", "minutes", "new", "stamp_at",
    )  # fmt: skip

    def __init__(self) -> None:
        """None was sent."""
        self.count = self.new = self.counted_at = self.counted_day = self.day_count = 0
        self.day_first = self.last_minute = -1
        self.log: list[int] = []
        self.stamp_at = memoryview(array("q", [-1]) * STAMP_SLOTS)
        self.minute_at = memoryview(array("q", [-1]) * MINUTE_SLOTS)
        self.minutes = memoryview(array("q", [0]) * MINUTE_SLOTS)

    def note(self, at_ms: int) -> None:
        """As `account_facts.count_message` does."""
        minute = at_ms // MINUTE_MS
        slot = minute % MINUTES
        self.last_minute = minute
        self.day_count += 1
        if self.minute_at[slot] == minute:
            self.minutes[slot] += 1
        else:
            if self.day_first >= 0 and self.minute_at[slot] >= self.day_first:
                self.day_count -= self.minutes[slot]
            self.minute_at[slot] = minute
            self.minutes[slot] = 1
            self.log.append(slot)
        self.stamp_at[self.count % STAMPS] = at_ms
        self.count += 1
        self.new += 1

    def most(self) -> int:
        """At least as many as there were within the last day: those of the day that was counted
        last, and all since."""
        return self.counted_day + self.count - self.counted_at

    def in_day(self, now_ms: int) -> int:
        """Messages within the last day."""
        self.counted_day = self.after(now_ms - A_DAY)
        self.counted_at = self.count
        return self.counted_day

    def after(self, after_ms: int) -> int:
        """As `messages._after` does."""
        count = 0
        oldest = self.count % STAMPS
        if self.count < STAMPS or self.stamp_at[oldest] <= after_ms:
            i = self.count - 1
            last = max(0, self.count - STAMPS)
            while i >= last and self.stamp_at[i % STAMPS] > after_ms:
                count += 1
                i -= 1
            return count
        return self._since(after_ms // MINUTE_MS)

    def _since(self, first: int) -> int:
        """Messages of the minutes from `first` on. A long window is counted on from where it began
        when it was last asked for; times are asked for in order."""
        count = 0
        if self.last_minute - first < SHORT:
            for minute in range(first, self.last_minute + 1):
                slot = minute % MINUTES
                if self.minute_at[slot] == minute:
                    count += self.minutes[slot]
            return count
        if self.day_first < 0 or first < self.day_first:
            self.day_first = first
            self.day_count = 0
            for slot in range(MINUTES):
                if self.minute_at[slot] >= first:
                    self.day_count += self.minutes[slot]
        while self.day_first < first:
            slot = self.day_first % MINUTES
            if self.minute_at[slot] == self.day_first:
                self.day_count -= self.minutes[slot]
            self.day_first += 1
        return self.day_count
