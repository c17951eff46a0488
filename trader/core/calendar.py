"""Local time: the account's day, and when entries are allowed.

Lives here: pure functions over `limits.Zone` and what is told in its wall time. Must not live here:
zone names and how windows are written (see `policy.zones` and `policy.schema_calendar`), and who
asks.

Wall time decides: **an instant belongs to a window when the local clock shows a time inside it.**
So a window within an hour that the clock skips holds no instant on that day, one within an hour
that the clock shows twice holds both, and a window that ends at a time which is skipped ends with
the skip. A day is different, because a day must not begin twice: it begins at the first instant at
which the clock shows its start or a later time.

A zone is known between its first start and its end. Outside, the nearest known offset still numbers
days, so that accounts and exits go on; windows answer "closed".
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from trader.core.limits import Calendar, Dated, Day, Weekly, Zone

MINUTE_MS = 60_000
DAY_MS = 86_400_000
WEEK_MS = 604_800_000
# 1970-01-01 was a Thursday: so far into the week, which begins on Monday, was the clock at 0.
EPOCH_IN_WEEK_MS = 259_200_000
# Wall clocks are within 26 hours of UTC (they were never more than 16 away).
OFFSET_MS_MAX = 93_600_000
# No window begins here.
NOWHERE_MS = -4_611_686_018_427_387_904  # -2**62
# 9999-12-31 23:59:59 UTC, the last second that dates can name: no end is known.
NEVER_MS = 253_402_300_799_000
ZONE_UNKNOWN = "zone_unknown"
NO_SESSION = "no_session"


class Opening(NamedTuple):
    """Whether entries are allowed, 1 or 0; if not, the window that forbids them and when it ends.

    `ends_ms`: first instant (UTC) outside the window `name`, later than the one asked about; 0
    while entries are allowed. `name` is NO_SESSION between sessions (then `ends_ms` is the next
    one's start), or `ZONE_UNKNOWN:zone` where the local time cannot be told (then it is the start
    of what is known, NEVER_MS after its end).
    """

    is_open: int
    name: str
    ends_ms: int


OPEN = Opening(1, "", 0)


def segment(zone: Zone, at_ms: int) -> int:
    """Index of the offset in force at an instant; the nearest outside of what is known."""
    return max(0, bisect_right(zone.starts_ms, at_ms) - 1)


def is_known(zone: Zone, at_ms: int) -> bool:
    """Whether the zone tells the local time of an instant."""
    return zone.starts_ms[0] <= at_ms < zone.ends_ms


def wall_ms(zone: Zone, at_ms: int) -> int:
    """What the local clock shows at an instant, milliseconds since its own 1970-01-01 00:00."""
    return at_ms + zone.offsets_ms[segment(zone, at_ms)]


def first_instant_ms(zone: Zone, shown_ms: int) -> int:
    """The first instant at which the local clock shows `shown_ms` or a later time."""
    starts, offsets = zone.starts_ms, zone.offsets_ms
    at = segment(zone, shown_ms - OFFSET_MS_MAX)
    last = len(starts) - 1
    while at < last and shown_ms >= starts[at + 1] + offsets[at]:
        at += 1
        if shown_ms <= starts[at] + offsets[at]:  # the clock was put forward past it
            return starts[at]
    return shown_ms - offsets[at]


def day_start_ms(number: int, day: Day) -> int:
    """When the account's day of that number begins."""
    return first_instant_ms(day.zone, number * DAY_MS + day.starts_min * MINUTE_MS)


def day_of(at_ms: int, day: Day) -> int:
    """Number of the account's day at an instant: local days since 1970-01-01, each beginning at
    `starts_min`. Never falls while time goes on; days of 23 and 25 hours are one day each."""
    number = (wall_ms(day.zone, at_ms) - day.starts_min * MINUTE_MS) // DAY_MS
    # The clock was put back past the day's start: the day has begun all the same.
    while day_start_ms(number + 1, day) <= at_ms:
        number += 1
    return number


def week_of(number: int) -> int:
    """Number of the week, from Monday on, that a day belongs to."""
    return (number + 3) // 7


def session_answer(calendar: Calendar, at_ms: int) -> Opening:
    """Whether a session is on. Without sessions there always is one."""
    if not calendar.sessions:
        return OPEN
    zone = calendar.zone
    if not is_known(zone, at_ms):
        return _unknown(zone, at_ms)
    wall = wall_ms(zone, at_ms)
    for session in calendar.sessions:
        if _occurrence_ms(session, wall) != NOWHERE_MS:
            return OPEN
    return Opening(0, NO_SESSION, _next_session_ms(calendar, at_ms))


def blackout_answer(calendar: Calendar, at_ms: int) -> Opening:
    """Whether no closed window holds the instant; of several, the one that ends last answers."""
    if not calendar.weekly and not calendar.dated:
        return OPEN
    zone = calendar.zone
    if not is_known(zone, at_ms):
        return _unknown(zone, at_ms)
    wall = wall_ms(zone, at_ms)
    answer = OPEN
    for window in calendar.weekly:
        start = _occurrence_ms(window, wall)
        if start != NOWHERE_MS:
            length = (window.end_min - window.start_min) * MINUTE_MS
            ends = _ends_ms(zone, at_ms, start, start + length)
            if ends > answer.ends_ms:
                answer = Opening(0, window.name, ends)
    dated = _dated_at(calendar.dated, wall)
    if dated is not None:
        ends = _ends_ms(zone, at_ms, dated.start_ms, dated.end_ms)
        if ends > answer.ends_ms:
            answer = Opening(0, dated.name, ends)
    later = _goes_on_ms(calendar, answer)
    while later > answer.ends_ms:
        answer = Opening(0, answer.name, later)
        later = _goes_on_ms(calendar, answer)
    return answer


def _goes_on_ms(calendar: Calendar, answer: Opening) -> int:
    """When the window ends that the clock is put forward into just as it ends: one that is closed
    every day but for its first minutes goes on where these are skipped. 0 when it is over."""
    zone = calendar.zone
    if answer.is_open or not is_known(zone, answer.ends_ms):
        return 0
    wall = wall_ms(zone, answer.ends_ms)
    for window in calendar.weekly:
        start = _occurrence_ms(window, wall)
        if window.name == answer.name and start != NOWHERE_MS:
            length = (window.end_min - window.start_min) * MINUTE_MS
            return _ends_ms(zone, answer.ends_ms, start, start + length)
    return 0


def openings(calendar: Calendar, at_ms: int) -> tuple[Opening, Opening]:
    """What sessions and closed windows say of an instant."""
    return session_answer(calendar, at_ms), blackout_answer(calendar, at_ms)


def _unknown(zone: Zone, at_ms: int) -> Opening:
    first = zone.starts_ms[0]
    return Opening(0, f"{ZONE_UNKNOWN}:{zone.name}", first if at_ms < first else NEVER_MS)


def _occurrence_ms(window: Weekly, wall: int) -> int:
    """Wall time at which the occurrence that holds `wall` began; NOWHERE_MS: none does."""
    into_week = (wall + EPOCH_IN_WEEK_MS) % WEEK_MS
    start = window.start_min * MINUTE_MS
    end = window.end_min * MINUTE_MS
    if start <= into_week < end:
        return wall - into_week + start
    if into_week + WEEK_MS < end:
        return wall - into_week - WEEK_MS + start
    return NOWHERE_MS


def _dated_at(dated: tuple[Dated, ...], wall: int) -> Dated | None:
    """The window that holds a wall time: they are sorted and apart, so it is found by halving."""
    low, high = 0, len(dated)
    while low < high:
        middle = (low + high) // 2
        if dated[middle].end_ms <= wall:
            low = middle + 1
        else:
            high = middle
    if low < len(dated) and dated[low].start_ms <= wall:
        return dated[low]
    return None


def _ends_ms(zone: Zone, at_ms: int, start: int, end: int) -> int:
    """First instant after `at_ms`, whose wall time is in [start, end), where it no longer is."""
    starts, offsets = zone.starts_ms, zone.offsets_ms
    at = segment(zone, at_ms)
    last = len(starts) - 1
    while at < last and end - offsets[at] >= starts[at + 1]:
        at += 1
        if not start <= starts[at] + offsets[at] < end:
            return starts[at]
    return min(end - offsets[at], zone.ends_ms)


def _next_session_ms(calendar: Calendar, at_ms: int) -> int:
    """First instant after `at_ms`, which no session holds, that one does."""
    zone = calendar.zone
    starts, offsets = zone.starts_ms, zone.offsets_ms
    at, here = segment(zone, at_ms), at_ms
    while True:
        wall = here + offsets[at]
        waits = [_wait_ms(session, wall) for session in calendar.sessions]
        found = here + min(waits)
        if at == len(starts) - 1 or found < starts[at + 1]:
            return min(found, zone.ends_ms)
        at += 1
        here = starts[at]


def _wait_ms(window: Weekly, wall: int) -> int:
    """How long until the clock shows a time in the window if it is not put forward or back."""
    if _occurrence_ms(window, wall) != NOWHERE_MS:
        return 0
    into_week = (wall + EPOCH_IN_WEEK_MS) % WEEK_MS
    return (window.start_min * MINUTE_MS - into_week) % WEEK_MS
