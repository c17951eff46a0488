"""Messages: how many requests that change something at the venue left lately, and what room is.

Lives here: the count of submits, amends and cancels within a second, a minute and a day, from what
`fold` keeps of them, and the room that an entry finds. A reserve is kept for exits and cancels:
they are counted and never held back. Must not live here: sending, and what is kept (`state`).

Kept are the times of the newest messages (exact), and a count for each minute of the last day. A
window that reaches back beyond those times is counted in whole minutes, the one in which it begins
included: never too few.
"""

from __future__ import annotations

from collections.abc import Mapping

from trader.core.limits import NEVER, Messages
from trader.core.money import share_up
from trader.core.state import STAMP_SLOTS
from trader.records import dataclass

MINUTE_MS = 60_000
WINDOWS = ("second", "minute", "day")
WINDOWS_MS = (1_000, MINUTE_MS, 1_440 * MINUTE_MS)
Counts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Room:
    """What entries find in the window that leaves them least: messages counted, and how many there
    may be with theirs."""

    window: str
    counted: int
    limit: int

    @property
    def left(self) -> int:
        """How many more entries may be sent now; 0 or less: none."""
        return self.limit - self.counted


UNBOUND = Room("none", 0, NEVER)


def binds(limits: Messages) -> bool:
    """Whether anything has to be counted."""
    return min(limits.second_max, limits.minute_max, limits.day_max) < NEVER


def count_messages(kept: Mapping[str, str], now_ms: int) -> Counts:
    """Messages sent within the last second, the last minute and the last day (`state.messages`)."""
    stamps: list[int] = []
    minutes: list[tuple[int, int]] = []
    for key, value in kept.items():
        if key[0] == "s":
            stamps.append(int(value))
        else:
            minute, _, count = value.partition(" ")
            minutes.append((int(minute), int(count)))
    stamps.sort()
    second, minute, day = (_after(stamps, minutes, now_ms - back) for back in WINDOWS_MS)
    return second, minute, day


def _after(stamps: list[int], minutes: list[tuple[int, int]], after_ms: int) -> int:
    """Messages sent after a time: exact where the times reach back that far, else by minutes."""
    if len(stamps) < STAMP_SLOTS or stamps[0] <= after_ms:
        return sum(1 for at_ms in stamps if at_ms > after_ms)
    first = after_ms // MINUTE_MS
    return sum(count for minute, count in minutes if minute >= first)


def room(limits: Messages, counts: Counts) -> Room:
    """The room that entries find now: the window that leaves least of it.

    Of each limit the reserve, rounded up, is left to exits and cancels.
    """
    least = UNBOUND
    bounds = (limits.second_max, limits.minute_max, limits.day_max)
    for window, bound, count in zip(WINDOWS, bounds, counts, strict=True):
        if bound >= NEVER:
            continue
        found = Room(window, count, bound - share_up(bound, limits.reserve_ppm))
        if found.left < least.left:
            least = found
    return least
