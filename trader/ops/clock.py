"""Clocks: where `now_ms` comes from.

Lives here: the host's clock, and one that travels (rehearsals against a loopback server). Wiring
chooses; nothing else in the program reads time. Must not live here: any judgement of time.
"""

from __future__ import annotations

import time
from typing import Protocol

_NS_PER_MS = 1_000_000


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        ...


class SystemClock:
    """The host's own clock; it may step."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        return time.time_ns() // _NS_PER_MS


class TravelClock:
    """Starts at a given time and runs on at the speed of the monotonic clock; never steps."""

    def __init__(self, start_ms: int) -> None:
        """`start_ms`: UTC epoch milliseconds that it shows now."""
        self._start_ms = start_ms
        self._began_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        return self._start_ms + (time.monotonic_ns() - self._began_ns) // _NS_PER_MS
