"""Rules between the keys of the calendar: windows that overlap, or that leave no time to trade.

Lives here: what sessions, closed windows and bars say together. Must not live here: single windows
(see `wall_times`), zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trader.domain.timeframe import TIMEFRAMES_MS, grid_origin_ms
from trader.policy.findings import Asked, Finding, Form, key, opening
from trader.policy.problems import Code
from trader.policy.reading import Node
from trader.policy.tree import find
from trader.policy.wall_times import (
    DAY_MIN,
    DAY_MS,
    DAYS,
    FIRST_YEAR,
    LAST_YEAR,
    MINUTE_MS,
    WEEK_MIN,
    Span,
    minutes_text,
    moment_ms,
    parse_date,
    week_spans,
)

CALENDAR = key("policy.calendar")
# Offsets that a zone had before this are history: no bar will close under them.
PRESENT_MS = parse_date("2024-01-01") * DAY_MS
# Minutes from Monday 00:00 to the epoch, which was a Thursday.
EPOCH_MIN = 3 * DAY_MIN
LONG_DAYS = 366
# What is known of zones: the calendar ends there too.
FIRST_MS = parse_date(f"{FIRST_YEAR}-01-01") * DAY_MS
LAST_MS = (parse_date(f"{LAST_YEAR}-12-31") + 1) * DAY_MS


def overlaps(form: Form, tree: Node) -> Iterator[Finding]:
    """Windows of one list that claim the same time."""
    calendar = form["policy"]["calendar"]
    for name in ("sessions", "weekly"):
        taken: dict[int, str] = {}
        for text in calendar[name]:
            minutes = {at for span in week_spans(text)[1] for at in minutes_of(span)}
            both = sorted(minutes & taken.keys())
            if both:
                message = f"{text} and {taken[both[0]]} overlap from {week_text(both[0])} on"
                path = (*CALENDAR, name)
                yield Finding(Code.WINDOWS_OVERLAP, (path,), message, "keep one", item=text)
            taken.update({at: str(text) for at in minutes})
    yield from _dated_overlaps(calendar, tree)


def _dated_overlaps(calendar: Mapping[str, Any], tree: Node) -> Iterator[Finding]:
    """A row that begins before an earlier one has ended, and a holiday that is named twice."""
    rows = sorted(
        (moment_ms(row["from"]), moment_ms(row["to"]), number)
        for number, row in enumerate(calendar["dated"])
    )
    until, last = FIRST_MS, -1
    for start, end, number in rows:
        if start < until:
            one, other = (_shown(calendar["dated"][at]) for at in (last, number))
            message = f"{other} begins before {one} has ended"
            yield _at_row(tree, number, Code.WINDOWS_OVERLAP, message, "they count as one window")
        if end > until:
            until, last = end, number
    seen: set[str] = set()
    for text in calendar["holidays"]:
        if text in seen:
            path = (*CALENDAR, "holidays")
            message = f"{text} is named twice"
            yield Finding(Code.WINDOWS_OVERLAP, (path,), message, "keep one", True, text)
        seen.add(text)


def _shown(row: Mapping[str, str]) -> str:
    return f"{row['name'] or 'the window'} from {row['from']} to {row['to']}"


def _at_row(tree: Node, number: int, code: Code, message: str, hint: str) -> Finding:
    """A warning about a row of `dated`, in whichever file it stands."""
    path = (*CALENDAR, "dated")
    node = find(tree, (*path, number))
    file, line = (node.at.file, node.at.line) if node else ("", 0)
    return Finding(code, (path,), message, hint, warning=True, file=file, line=line)


def never_open(form: Form, _tree: Node) -> Iterator[Finding]:
    """Windows that leave no minute of any week, or no day of any year."""
    calendar = form["policy"]["calendar"]
    if not any(open_minutes(calendar)):
        paths = tuple((*CALENDAR, name) for name in ("weekly", "sessions"))
        what = "sessions and weekly windows leave" if calendar["sessions"] else "weekly leaves"
        hint = "shorten a closed window, or lengthen a session"
        message = f"{what} no minute of the week: nothing is ever opened"
        yield Finding(Code.CALENDAR_CLOSED, paths, message, hint)
    if any(start <= FIRST_MS and end >= LAST_MS for start, end, _ in calendar["table"]["dated"]):
        message = "dated windows hold all the years that are known: nothing is ever opened"
        hint = "write when they end"
        yield Finding(Code.CALENDAR_CLOSED, ((*CALENDAR, "dated"), CALENDAR), message, hint)


def long_windows(form: Form, tree: Node) -> Iterator[Finding]:
    """A closed window of more than a year is probably a year that was mistyped."""
    for number, row in enumerate(form["policy"]["calendar"]["dated"]):
        days = (moment_ms(row["to"]) - moment_ms(row["from"])) // DAY_MS
        if days > LONG_DAYS:
            message = f"{_shown(row)} lasts {days} days"
            hint = "look at its years"
            yield _at_row(tree, number, Code.CALENDAR_LONG, message, hint)


def missed(form: Form, _tree: Node) -> Iterator[Finding]:
    """Bars that close only while nothing may be opened.

    Decision bars that do never open anything. A strategy whose own bars do opens later, while its
    signal is alive, when the decision bars are shorter.
    """
    calendar, step = form["policy"]["calendar"], form["app"]["timeframe"]
    if not any(open_minutes(calendar)):
        return
    sessions = tuple((*CALENDAR, name) for name in ("sessions", "weekly"))
    closes = None if _some_open(calendar, step) else _closes_text(calendar, step)
    if closes is not None:
        message = f"no decision bar of {step} closes while entries are allowed: {closes}"
        hint = "lengthen the sessions, or lower app.timeframe"
        yield Finding(Code.SESSION_MISSED, (*sessions, key("app.timeframe")), message, hint)
        return
    for name, row in opening(form):
        own = row["timeframe"]
        if not _some_open(calendar, own):
            message = (
                f"every bar of {own} closes while nothing may be opened "
                f"({_closes_text(calendar, own)}): strategy {name} enters later, at an older signal"
            )
            paths = (("strategies", name, "timeframe"), ("strategies", name))
            hint = "lengthen the sessions, or choose another timeframe"
            yield Finding(Code.SESSION_LATE, paths, message, hint, warning=True)


def open_minutes(calendar: Mapping[str, Any]) -> bytearray:
    """By minute of the week since Monday 00:00: 1 where sessions and weekly windows let enter."""
    minutes = bytearray(WEEK_MIN) if calendar["sessions"] else bytearray(b"\1" * WEEK_MIN)
    for name, value in (("sessions", 1), ("weekly", 0)):
        spans = [span for text in calendar[name] for span in week_spans(text)[1]]
        for at in (at for span in spans for at in minutes_of(span)):
            minutes[at] = value
    return minutes


def minutes_of(span: Span) -> Iterator[int]:
    """The minutes of the week in a span, which may reach into the next week."""
    return (at % WEEK_MIN for at in range(*span))


def _some_open(calendar: Mapping[str, Any], timeframe: str) -> bool:
    minutes = open_minutes(calendar)
    return any(minutes[at] for at in _closes(calendar, timeframe))


def _closes(calendar: Mapping[str, Any], timeframe: str) -> Iterator[int]:
    """Minutes of the local week at which bars close, under every offset that the zone has now."""
    step_ms = TIMEFRAMES_MS[timeframe]
    first = grid_origin_ms(step_ms) // MINUTE_MS + EPOCH_MIN
    for offset in present_offsets_min(calendar["table"]):
        for at in range(first, first + WEEK_MIN, step_ms // MINUTE_MS):
            yield (at + offset) % WEEK_MIN


def _closes_text(calendar: Mapping[str, Any], timeframe: str) -> str:
    """`they close at 00:00 UTC, mon 01:00 and 02:00 Europe/Berlin`, the first few of them."""
    zone = calendar["zone"]
    times = sorted({minutes_text(at % DAY_MIN) for at in _closes(calendar, timeframe)})
    more = " ..." if len(times) > 4 else ""
    return f"they close at {', '.join(times[:4])}{more} {zone}"


def present_offsets_min(table: Mapping[str, Any]) -> list[int]:
    """Minutes ahead of UTC that a zone is at some time from PRESENT_MS on."""
    starts, offsets = table.get("starts", [0]), table.get("offsets", [0])
    ends = [*starts[1:], LAST_MS]
    found = {
        offset // MINUTE_MS for offset, end in zip(offsets, ends, strict=True) if end > PRESENT_MS
    }
    return sorted(found)


def week_text(minute: int) -> str:
    """`mon 08:00` of a minute of the week."""
    return f"{DAYS[minute // DAY_MIN]} {minutes_text(minute % DAY_MIN)}"


_WINDOWS: tuple[str, ...] = ("policy.calendar",)
RULES: tuple[Asked, ...] = (
    (overlaps, _WINDOWS),
    (never_open, _WINDOWS),
    (long_windows, _WINDOWS),
    (missed, (*_WINDOWS, "app.timeframe")),
)
