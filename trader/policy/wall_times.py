"""Times of a local clock as people write them: text <-> exact numbers, without yaml or pydantic.

Lives here: dates, moments, times of day and windows of a week, their canonical text, and what is
not one of them. Must not live here: zones (see `zones`), and bounds of single keys.
"""

from __future__ import annotations

import datetime as dt
import re

from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR = 2009
LAST_YEAR = 2050
DAY_MIN = 1_440
WEEK_MIN = 10_080
MINUTE_MS = 60_000
DAY_MS = 86_400_000
_EPOCH = dt.date(1970, 1, 1).toordinal()
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})")
_DAYWISE = re.compile(r"([a-z]+)(?:-([a-z]+))? ([0-9:]+)-([0-9:]+)")
_ACROSS = re.compile(r"([a-z]+) ([0-9:]+)-([a-z]+) ([0-9:]+)")
_ZONED = re.compile(r"[0-9](?:[zZ]|[+-][0-9]{2}:?[0-9]{2})$")
WINDOW_HINT = "write mon-fri 08:00-22:00, or fri 22:00-sun 22:00 for one that spans days"

Span = tuple[int, int]


def parse_date(text: str) -> int:
    """Days since 1970-01-01 of a date such as 2026-12-24; raises BadText."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise BadText(Code.NOT_A_DATE, f"{shown(text)} is not a date", _date_hint(text))
    year, month, day = (int(part) for part in match.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR:
        say = f"{shown(text)} is outside {FIRST_YEAR} to {LAST_YEAR}"
        hint = "beyond that nobody knows how clocks are set"
        raise BadText(Code.OUT_OF_RANGE, say, hint)
    try:
        return dt.date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        hint = _no_such_day(year, month)
        raise BadText(Code.NOT_A_DATE, f"{shown(text)} is no day of any calendar", hint) from None


def _no_such_day(year: int, month: int) -> str:
    if not 1 <= month <= 12:
        return "months are 01 to 12: write year-month-day"
    first = dt.date(year, month, 1)
    days = (dt.date(year + month // 12, month % 12 + 1, 1) - first).days
    return f"{first:%B} {year} has {days} days"


def _date_hint(text: str) -> str:
    parts = re.findall(r"[0-9]+", text)
    if len(parts) == 3 and len(parts[0]) == 4:
        return f"did you mean {int(parts[0]):04d}-{int(parts[1]):02d}-{int(parts[2]):02d}"
    return "write year-month-day: 2026-12-24"


def parse_minutes(text: str, *, midnight: bool = False) -> int:
    """Minutes since midnight of 08:30; 24:00 only with `midnight`; raises BadText."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadText(Code.NOT_A_TIME, f"{shown(text)} is not a time of day", _time_hint(text))
    hours, minutes = int(match.group(1)), int(match.group(2))
    total = hours * 60 + minutes
    if minutes > 59 or total > DAY_MIN or (total == DAY_MIN and not midnight):
        most = "24:00" if midnight else "23:59"
        say = f"{shown(text)} is outside 00:00 to {most}"
        raise BadText(Code.NOT_A_TIME, say, "write hours and minutes of one day, such as 08:30")
    return total


def _time_hint(text: str) -> str:
    match = re.fullmatch(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?(?::00)?", text)
    if match is None or int(match.group(1)) > 24:
        return "write hours and minutes, such as 08:30"
    return f"did you mean {int(match.group(1)):02d}:{match.group(2) or '00'}"


def minutes_text(minutes: int) -> str:
    """`08:30`; the end of a day is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def moment_text(text: str, *, last: bool) -> str:
    """Canonical `2026-12-24 18:00` of a date, or of a date and a time.

    A date alone means all of that day: its begin, or, when `last`, its end (24:00). Raises BadText.
    """
    bare = " ".join(text.replace("T", " ").split())
    if not bare:
        say = "must be a local date, or date and time"
        raise BadText(Code.NO_VALUE, say, "write 2026-12-24, or 2026-12-24 18:00")
    if _ZONED.search(bare) and ":" in bare:
        say = f"{shown(text)} says a zone of its own"
        raise BadText(Code.NOT_A_DATE, say, "times are those of calendar.zone: write it in that")
    date, _, time = bare.partition(" ")
    parse_date(date)
    minutes = parse_minutes(time, midnight=True) if time else (DAY_MIN if last else 0)
    return f"{date} {minutes_text(minutes)}"


def moment_ms(canonical: str) -> int:
    """What the local clock counts at a moment that `moment_text` gave: milliseconds since its own
    1970-01-01 00:00."""
    date, _, time = canonical.partition(" ")
    return parse_date(date) * DAY_MS + parse_minutes(time, midnight=True) * MINUTE_MS


def week_spans(text: str) -> tuple[str, list[Span]]:
    """A window of the week: its canonical text, and its spans in minutes since Monday 00:00.

    `mon-fri 08:00-22:00` is one span a day (joined where they touch), `fri 22:00-sun 22:00` is one.
    A span begins within the week and may end in the next. Raises BadText.
    """
    bare = " ".join(text.lower().split()).replace("daily ", "mon-sun ")
    daywise, across = _DAYWISE.fullmatch(bare), _ACROSS.fullmatch(bare)
    if across is not None:
        return _one_span(*across.groups())
    if daywise is None:
        raise BadText(Code.NOT_A_TIME, f"{shown(text)} is not a window of a week", WINDOW_HINT)
    first, last, begins, ends = daywise.groups()
    start, end = parse_minutes(begins), parse_minutes(ends, midnight=True)
    if end <= start:
        raise _turned(bare, first, begins, ends, same=end == start)
    day, count = _day(first), (_day(last or first) - _day(first)) % 7 + 1
    days = first if count == 1 else f"{first}-{last}"
    spans = [((day + i) % 7 * DAY_MIN + start, (day + i) % 7 * DAY_MIN + end) for i in range(count)]
    return f"{days} {begins}-{ends}", joined(spans)


def _turned(bare: str, first: str, begins: str, ends: str, *, same: bool) -> BadText:
    if same:
        return BadText(Code.WINDOW_EMPTY, f"{shown(bare)} is empty", "write 00:00-24:00 for a day")
    after = DAYS[(_day(first) + 1) % 7]
    hint = f"over midnight, write {first} {begins}-{after} {ends}"
    return BadText(Code.WINDOW_EMPTY, f"{shown(bare)} ends before it begins", hint)


def _one_span(first: str, begins: str, last: str, ends: str) -> tuple[str, list[Span]]:
    start = _day(first) * DAY_MIN + parse_minutes(begins)
    end = _day(last) * DAY_MIN + parse_minutes(ends, midnight=True)
    text = f"{first} {begins}-{last} {ends}"
    if end == start:
        hint = "write mon-sun 00:00-24:00 for the whole week"
        raise BadText(Code.WINDOW_EMPTY, f"{shown(text)} is empty", hint)
    if end < start and first == last:
        hint = f"write {first} {ends}-{begins}"
        raise BadText(Code.WINDOW_EMPTY, f"{shown(text)} ends before it begins", hint)
    return text, [(start, end if end > start else end + WEEK_MIN)]


def _day(word: str) -> int:
    if word in DAYS:
        return DAYS.index(word)
    near = [day for day in DAYS if word[:2] == day[:2]]
    hint = f"did you mean {near[0]}" if near else "one of " + ", ".join(DAYS)
    raise BadText(Code.NOT_A_TIME, f"{shown(word)} is not a day of the week", hint)


def joined(spans: list[Span]) -> list[Span]:
    """Spans of a week in order, those that touch made one, the last and the first over Sunday too.

    They must not overlap.
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    if len(found) > 1 and found[-1][1] - WEEK_MIN == found[0][0]:
        first = found.pop(0)
        found[-1] = (found[-1][0], first[1] + WEEK_MIN)
    return found
