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
        now_ms: when the order would leave. close_ms: the close that it is decided at.
        cooldown_ms: the instant before which the strategy stays out of the instrument, 0 when it
            need not; cooldown_name: after what (`exit`, `stop`, `unfilled`).
        session_ms, blackout_ms: the instant before which sessions or closed windows forbid it, 0
            when they do not; session_name, blackout_name: the window that does.
    """

    __slots__ = (
        "blackout_ms",
        "blackout_name",
        "close_ms",
        "cooldown_ms",
        "cooldown_name",
        "now_ms",
        "session_ms",
        "session_name",
    )

    def __init__(self) -> None:
        """Everything refuses."""
        self.now_ms = self.close_ms = 0
        self.session_ms = self.blackout_ms = self.cooldown_ms = NEVER_MS
        self.session_name = self.blackout_name = self.cooldown_name = "unknown"


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


def cooldown(sums: TimeSums) -> Measure:
    """The strategy has stayed out of the instrument for long enough; else it may at the limit."""
    return sums.close_ms >= sums.cooldown_ms, sums.cooldown_ms, sums.close_ms


def cooldown_words(sums: TimeSums) -> str:
    """After what, and until when."""
    return f"after={sums.cooldown_name} ends_ms={sums.cooldown_ms}"
