"""Gates over time: sessions, blackouts and cooldowns.

Lives here: the plain integers that these gates compare, and one small question per gate. A number
that was not filled in refuses. Must not live here: how the numbers are made (`time_sums`), and the
order in which gates are asked (`gates`).
"""

from __future__ import annotations

from trader.core.calendar import NEVER_MS

Measure = tuple[bool, int, int]


class TimeSums:
    """What these gates compare. Built so that everything refuses until it was filled in.

    Attributes:
        now_ms: when the order would leave.
        session_ms, blackout_ms: the instant before which sessions or closed windows forbid it, 0
            when they do not; session_name, blackout_name: the window that does.
    """

    __slots__ = ("blackout_ms", "blackout_name", "now_ms", "session_ms", "session_name")

    def __init__(self) -> None:
        """Everything refuses."""
        self.now_ms = 0
        self.session_ms = self.blackout_ms = NEVER_MS
        self.session_name = self.blackout_name = "unknown"


def session(sums: TimeSums) -> Measure:
    """A session is on; else the next one begins at the limit."""
    return sums.now_ms >= sums.session_ms, sums.session_ms, sums.now_ms


def blackout(sums: TimeSums) -> Measure:
    """No closed window holds now; else the one that does ends at the limit."""
    return sums.now_ms >= sums.blackout_ms, sums.blackout_ms, sums.now_ms


def session_words(sums: TimeSums) -> str:
    """What is on instead of a session, and when it ends."""
    return f"window={sums.session_name} ends_ms={sums.session_ms}"


def blackout_words(sums: TimeSums) -> str:
    """The closed window, and when it ends."""
    return f"window={sums.blackout_name} ends_ms={sums.blackout_ms}"
