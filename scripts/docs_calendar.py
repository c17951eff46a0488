"""The page about local time: sessions, closed windows and the account's day, worked out.

Lives here: the page's text and the instants it shows; what is said of each is asked of the program
when the page is made. Must not live here: keys (see `docs_keys`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trader.core.limits import Limits

POLICY = """\
day: {zone: Europe/Berlin, starts_at: 17:00}
calendar:
  zone: Europe/Berlin
  sessions: [mon-fri 08:00-22:00]
  weekly: [wed 14:00-14:30, "sun 02:10-02:30"]
  dated:
    - {from: 2026-12-24 18:00, to: 2026-12-26, name: christmas}
  holidays: [2026-05-01]
"""
INSTANTS = (
    "2026-03-02T06:59:59.999",
    "2026-03-02T07:00:00.000",
    "2026-03-04T13:00:00.000",
    "2026-03-04T13:29:59.999",
    "2026-03-04T13:30:00.000",
    "2026-03-30T05:59:59.999",
    "2026-03-30T06:00:00.000",
    "2026-04-30T22:00:00.000",
    "2026-10-25T00:10:00.000",
    "2026-10-25T00:30:00.000",
    "2026-10-25T01:10:00.000",
    "2026-12-24T16:59:59.999",
    "2026-12-24T17:00:00.000",
)
DAYS = ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def calendar_page(note: str) -> str:
    """The page's text."""
    lines = [note, "# Local time: sessions, closed windows and the account's day", ""]
    lines += [ABOUT, "", "```yaml", *POLICY.splitlines(), "```", "", WHAT_HOLDS, ""]
    lines += ["| instant (UTC) | the clock shows | entries (until: UTC) |", "|---|---|---|"]
    lines += instant_rows()
    lines += ["", CLOCK_CHANGES, "", "| day | begins (UTC) | hours |", "|---|---|---|", *day_rows()]
    return "\n".join([*lines, "", REST, ""])


def instant_rows() -> list[str]:
    """What the program says of each instant."""
    from trader.core.calendar import openings, wall_ms

    limits = _limits()
    rows: list[str] = []
    for text in INSTANTS:
        at_ms = _ms(datetime.fromisoformat(text + "+00:00"))
        shown = _moment(wall_ms(limits.calendar.zone, at_ms))
        said = [
            f"`{code}` {answer.name} until {_moment(answer.ends_ms):%a %d %b %H:%M}"
            for code, answer in zip(
                ("SESSION_CLOSED", "BLACKOUT"), openings(limits.calendar, at_ms), strict=True
            )
            if not answer.is_open
        ]
        clock = f"{shown:%a %d %b %H:%M:%S.%f}"[:-3]
        rows.append(f"| {text.replace('T', ' ')} | {clock} | {', '.join(said) or 'allowed'} |")
    return rows


def day_rows() -> list[str]:
    """Days of the account that begin at 02:30 local time, over both changes of the clock."""
    from trader.core.calendar import day_start_ms
    from trader.core.limits import Day

    day = Day(_limits().calendar.zone, 150)
    rows: list[str] = []
    for text in DAYS:
        number = (date.fromisoformat(text) - EPOCH.date()).days
        begins, ends = day_start_ms(number, day), day_start_ms(number + 1, day)
        hours = (ends - begins) / 3_600_000
        rows.append(f"| {text} | {_moment(begins):%Y-%m-%d %H:%M} | {hours:g} |")
    return rows


def _limits() -> Limits:
    """What the policy above is to the core."""
    from trader.policy.checking import check_policy
    from trader.policy.parameters import build_parameters
    from trader.policy.sources import Source

    others = {"app": "{}", "universe": "tiers: {core: {pairs: [BTC/USDT]}}", "signals": "{}"}
    texts = {**others, "strategies": "one: {enter: close < open, stop: 5%}", "policy": POLICY}
    sources: Sequence[Source] = [
        Source(f"{section}.yaml", section, ".", text.encode()) for section, text in texts.items()
    ]
    return build_parameters(check_policy(sources, {}).form, {}).limits


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _moment(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)


ABOUT = """\
Entries can be kept to hours and away from dates. **Exits, protective stops and cancels never
ask the calendar.** Every time is that of a local clock, in a zone that has a name; clocks are
set forward and back by the zone database of the package `tzdata`, never by the host's. A
checked policy holds what the zone is in numbers, from 2009 to 2050, so that a replay needs no
database: newer rules of a zone make another policy, with another hash."""
WHAT_HOLDS = """\
No `sessions`: always open. Windows of `weekly`, `dated` and `holidays` are closed whatever
sessions say. `mon-fri 08:00-22:00` is a window on each of these days, `fri 22:00-sun 22:00` one
that spans them; the first minute belongs to it, the last does not. A date alone in `dated`
means all of that day: the window above ends on the 27th at 00:00. Two windows that overlap are
told by `trader policy check`; dated ones count as one window with both names.

The gates `SESSION_CLOSED` and `BLACKOUT` are asked at the moment of sending, not at the close
of the bar that was decided on: an entry that was planned in time does not leave into a window
that has begun, and one that rests at the venue is cancelled at the next decision. A refusal
names the window and when it ends; of several windows the one that ends last."""
CLOCK_CHANGES = """\
**An instant belongs to a window when the clock shows a time inside it.** The window of Sunday
02:10 to 02:30 holds two stretches on 25 October 2026, when the clock shows 02:00 to 03:00
twice, and none on 29 March, when it jumps from 02:00 to 03:00. A window that ends in an hour
that is skipped ends with the jump. Where a zone is not known (before 2009, after 2050) entries
are refused.

**A day begins once**: at the first instant at which the clock shows its start or a later time.
With `day: {zone: Europe/Berlin, starts_at: 02:30}`:"""
REST = """\
The account's day is what `day_stop`, results per day and weeks are counted in; weeks begin on
Monday.

## A file of dates
`calendar.file: closed.yaml` names a file beside `policy.yaml` (beside the file that has the
key, that is) with more of `weekly`, `dated` and `holidays`. It is read with the policy, checked
line by line, and part of the policy's hash: another date is another policy. A cached policy is
checked anew when the file changes.

```yaml
dated:
  - {from: 2026-03-18 18:55, to: 2026-03-18 21:00, name: fed}
  - {from: 2026-04-29 18:55, to: 2026-04-29 21:00, name: fed}
holidays: [2026-12-25, 2027-01-01]
```

## What the check says
Windows that leave no minute of the week, dates that hold all years (`CALENDAR_CLOSED`), a
closed window of more than a year (`CALENDAR_LONG`), decision bars that never close while
entries are allowed (`SESSION_MISSED`). A strategy all of whose own bars close outside, such as
one on `1d` (00:00 UTC) with sessions from 08:00, is told by `SESSION_LATE`: it enters when the
session begins, while its signal is alive and the price is still within `limits.slippage` of its
bar's close.

`scripts/prove/calendars.py` holds sessions, closed windows and days of eight zones against
zoneinfo, around every change of the clocks, leap day and year end of 2010 to 2030."""
