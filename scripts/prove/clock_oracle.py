"""A second opinion on local time: zoneinfo and datetime, written as a person would say it.

Lives here: what the local clock shows, when a local day begins, and whether a window written as in
a policy holds a time, for `calendars`. Must not live here: anything of `trader.core.calendar`, of
the tables that it reads, or of how a policy reads a window.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata

WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)


def instant_ms(moment: dt.datetime) -> int:
    """Epoch milliseconds of a moment that knows its zone."""
    return (moment - EPOCH) // _MS


def wall(zone: ZoneInfo, at_ms: int) -> dt.datetime:
    """What the clock on the wall shows."""
    return (EPOCH + at_ms * _MS).astimezone(zone).replace(tzinfo=None, fold=0)


@cache
def day_begins_ms(zone: ZoneInfo, date: dt.date, starts: dt.time) -> int:
    """The first instant at which the clock shows `starts` of `date`, or a later time.

    A time that exists once or twice is converted by zoneinfo (fold 0 is the first); one that is
    skipped is waited for minute by minute.
    """
    shown = dt.datetime.combine(date, starts)
    first = instant_ms(shown.replace(tzinfo=zone, fold=0))
    if wall(zone, first) == shown:
        return first
    at_ms = first - 2 * 86_400_000
    while wall(zone, at_ms) < shown:
        at_ms += 60_000
    return at_ms


def holds_week(text: str, shown: dt.datetime) -> bool:
    """Whether a window of a week such as `mon-fri 08:00-22:00` holds a wall time."""
    across = re.fullmatch(r"(...) (..):(..)-(...) (..):(..)", text)
    into = shown - dt.datetime.combine(shown.date() - shown.weekday() * DAY, dt.time())
    if across:
        begins = _of_week(*across.groups()[:3])
        ends = _of_week(*across.groups()[3:])
        return begins <= into < ends if begins < ends else into >= begins or into < ends
    days, times = text.split(" ")
    first, _, last = days.partition("-")
    day = WEEKDAYS.index(first)
    wanted = {day}
    while WEEKDAYS[day] != (last or first):
        day = (day + 1) % 7
        wanted.add(day)
    begins_at, ends_at = times.split("-")
    now = f"{shown:%H:%M}"
    return shown.weekday() in wanted and begins_at <= now < ends_at


def _of_week(day: str, hours: str, minutes: str) -> dt.timedelta:
    return dt.timedelta(days=WEEKDAYS.index(day), hours=int(hours), minutes=int(minutes))


@dataclass(frozen=True)
class Rules:
    """A calendar as it is written: windows of the week, [from, to) and whole local days."""

    sessions: Sequence[str] = ()
    weekly: Sequence[str] = ()
    dated: Sequence[tuple[dt.datetime, dt.datetime]] = ()
    holidays: Sequence[dt.date] = ()

    def in_session(self, shown: dt.datetime) -> bool:
        """Whether a session is on."""
        return not self.sessions or any(holds_week(text, shown) for text in self.sessions)

    def closed(self, shown: dt.datetime) -> bool:
        """Whether some closed window holds the time."""
        return (
            any(holds_week(text, shown) for text in self.weekly)
            or any(begins <= shown < ends for begins, ends in self.dated)
            or shown.date() in self.holidays
        )

    def named(self, name: str) -> Rules | None:
        """The one window of that name, as refusals say it; None for several that were joined."""
        weekly = [text for text in self.weekly if text.replace(" ", "_") == name]
        dated = [row for row in self.dated if f"{row[0]:%Y-%m-%d_%H:%M}" == name]
        holidays = [date for date in self.holidays if f"holiday_{date}" == name]
        found = Rules(weekly=weekly, dated=dated, holidays=holidays)
        return found if len(weekly) + len(dated) + len(holidays) == 1 else None

    def policy(self, zone: str) -> str:
        """The same as a policy says it."""
        rows = ", ".join(
            f"{{from: {begins:%Y-%m-%d %H:%M}, to: {ends:%Y-%m-%d %H:%M}}}"
            for begins, ends in self.dated
        )
        return (
            f"policy: {{calendar: {{zone: {zone}, sessions: [{', '.join(self.sessions)}], "
            f"weekly: [{', '.join(self.weekly)}], dated: [{rows}], "
            f"holidays: [{', '.join(map(str, self.holidays))}]}}}}\n"
        )


def changes_in_file(name: str) -> Mapping[int, int]:
    """Second -> offset in seconds, of every change that the database's file itself lists."""
    data = (Path(tzdata.__file__).parent / "zoneinfo" / name).read_bytes()
    counts = struct.unpack(">6l", data[20:44])
    body = 44 + _length(counts, 4)
    counts = struct.unpack(">6l", data[body + 20 : body + 44])
    _, _, _, times, types, _ = counts
    at = body + 44
    seconds = struct.unpack(f">{times}q", data[at : at + 8 * times])
    kinds = data[at + 8 * times : at + 9 * times]
    table = at + 9 * times
    offsets = [
        struct.unpack(">l", data[table + 6 * kind : table + 6 * kind + 4])[0]
        for kind in range(types)
    ]
    return {second: offsets[kind] for second, kind in zip(seconds, kinds, strict=True)}


def _length(counts: Sequence[int], width: int) -> int:
    """Bytes after the header of one part of a zone's file (RFC 8536)."""
    utc, standard, leaps, times, types, letters = counts
    return times * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard + utc


def dates(first: int, last: int) -> Iterator[dt.date]:
    """Every date of these years."""
    date = dt.date(first, 1, 1)
    while date.year <= last:
        yield date
        date += DAY
