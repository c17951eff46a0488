#!/usr/bin/env python3
"""Claim: sessions, closed windows and the account's day are what the local clock says.

Policies with zones, windows and holidays are checked and built as any policy is; what the core then
says of an instant is held against zoneinfo (see `clock_oracle`): around every change of the clocks,
leap day and year end of 2010 to 2030, at random instants, and where each answer ends. The account's
day is compared at its first millisecond and the one before, for every local day of those years.
Every zone of the database is compared with its own file's list of changes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import sys
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from zoneinfo import ZoneInfo

from clock_oracle import (
    DAY,
    EPOCH,
    WEEKDAYS,
    Rules,
    changes_in_file,
    dates,
    day_begins_ms,
    instant_ms,
    wall,
)
from harness import Verdict, parser_of, prove, say

from trader.core.calendar import (
    blackout_answer,
    day_of,
    day_start_ms,
    session_answer,
    week_of,
)
from trader.core.limits import Calendar, Day, Zone
from trader.policy.checking import check_policy
from trader.policy.parameters import build_parameters
from trader.policy.problems import PolicyError
from trader.policy.sources import Source
from trader.policy.zones import FIRST_YEAR, LAST_YEAR, zone_names, zone_offsets

# North, south, one without changes any more, half an hour of them, some that were made and unmade,
# one that skipped a day, one that has its summer around the year.
ZONES = (
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/New_York",
    "Asia/Kathmandu",
    "UTC",
)
STARTS = ("00:00", "02:15", "17:00", "23:59")
YEARS = (2010, 2030)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NEAR_MS = (0, 1, MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 2 * HOUR_MS, 24 * HOUR_MS)
OTHERS = "app: {}\nuniverse: {tiers: {core: {pairs: [BTC/USDT]}}}\nsignals: {}\n"
STRATEGY = "strategies: {one: {enter: close < open, stop: 5%}}\n"


class Count:
    """What was compared, by kind, and what differed (the first few in words)."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.compared: Counter[str] = Counter()
        self.wrong: list[str] = []

    def same(self, kind: str, ours: object, theirs: object, where: str) -> None:
        """One comparison."""
        self.compared[kind] += 1
        if ours != theirs and len(self.wrong) < 20:
            self.wrong.append(f"{kind} {where}: {ours}, zoneinfo says {theirs}")
            say(self.wrong[-1])


def calendar_of(rules: Rules, name: str) -> Calendar:
    """What the core is given of a policy with these rules."""
    text = rules.policy(name) + OTHERS + STRATEGY
    checked = check_policy([Source("<proof>", "", ".", text.encode())], {})
    return build_parameters(checked.form, {}).limits.calendar


def usable(make: Callable[[], Rules]) -> Rules:
    """The first rules that leave some minute of the week; others are refused, and rightly."""
    while True:
        rules = make()
        try:
            calendar_of(rules, "UTC")
        except PolicyError as error:
            if {problem.code for problem in error.problems} - {"CALENDAR_CLOSED", "SESSION_MISSED"}:
                raise
        else:
            return rules


def zone_of(name: str) -> Zone:
    """What the core is given of a zone."""
    return calendar_of(Rules(), name).zone


def minute_text(rng: random.Random, least: int = 0) -> tuple[str, int]:
    """A time of day not before `least`: mostly in the small hours, where clocks are changed, and
    often at the very minutes."""
    often = [at for at in range(0, 240, 30) if at >= least]
    if often and rng.random() < 0.5:
        minutes = rng.choice(often)
    else:
        minutes = rng.randint(least, max(least, rng.choice((240, 1439))))
    return f"{minutes // 60:02d}:{minutes % 60:02d}", minutes


def window(rng: random.Random) -> str:
    """A window of a week as somebody might write it."""
    first, last = rng.choice(WEEKDAYS), rng.choice(WEEKDAYS)
    begins, at = minute_text(rng)
    if rng.random() < 0.5 and first != last:
        return f"{first} {begins}-{last} {minute_text(rng)[0]}"
    ends = "24:00" if at > 1430 or rng.random() < 0.2 else minute_text(rng, at + 1)[0]
    return f"{first} {begins}-{ends}" if first == last else f"{first}-{last} {begins}-{ends}"


def some_rules(rng: random.Random, changes: list[int]) -> Rules:
    """A calendar: one session (two could overlap), closed windows near changes and at random."""
    dated: list[tuple[dt.datetime, dt.datetime]] = []
    for _ in range(6):
        near = rng.choice(changes) if changes and rng.random() < 0.6 else random_ms(rng)
        begins = (EPOCH + dt.timedelta(milliseconds=near)).replace(tzinfo=None, second=0)
        begins = begins.replace(microsecond=0) + dt.timedelta(minutes=rng.randint(-1500, 1500))
        dated.append((begins, begins + dt.timedelta(minutes=rng.choice((1, 20, 90, 1500, 4000)))))
    holidays = {
        dt.date(2012, 2, 29), dt.date(2015, 12, 31), dt.date(2016, 1, 1),
        dt.date(2010, 1, 1) + rng.randint(0, 7000) * DAY,
    }  # fmt: skip
    return Rules(
        sessions=[window(rng)] if rng.random() < 0.7 else [],
        weekly=[window(rng)],
        dated=dated,
        holidays=sorted(holidays),
    )


def random_ms(rng: random.Random) -> int:
    """An instant of the years that are looked at."""
    first = instant_ms(dt.datetime(YEARS[0], 1, 1, tzinfo=dt.UTC))
    last = instant_ms(dt.datetime(YEARS[1] + 1, 1, 1, tzinfo=dt.UTC))
    return rng.randrange(first, last)


def special_ms(zone: Zone) -> Iterator[int]:
    """Instants around every change of the clocks, leap day and year end."""
    for change in changes_of(zone):
        for near in NEAR_MS:
            yield change - near
            yield change + near
    for year in range(YEARS[0], YEARS[1] + 1):
        for month, day in ((2, 28), (3, 1), (12, 31)):
            begins = instant_ms(dt.datetime(year, month, day, tzinfo=dt.UTC))
            for hours in range(-15, 40, 5):
                yield begins + hours * HOUR_MS - 1
                yield begins + hours * HOUR_MS


def changes_of(zone: Zone) -> list[int]:
    """When its clocks change within the years."""
    return [at for at in zone.starts_ms[1:] if YEARS[0] <= _year(at) <= YEARS[1]]


def _year(at_ms: int) -> int:
    return (EPOCH + dt.timedelta(milliseconds=at_ms)).year


def compare_windows(count: Count, name: str, rules: Rules, instants: list[int]) -> None:
    """Whether sessions and closed windows hold each instant, and where the answer ends."""
    calendar, zone = calendar_of(rules, name), ZoneInfo(name)
    for at_ms in instants:
        shown = wall(zone, at_ms)
        where = f"{name} {at_ms} {shown} {rules}"
        session = session_answer(calendar, at_ms)
        closed = blackout_answer(calendar, at_ms)
        count.same("session", session.is_open == 1, rules.in_session(shown), where)
        count.same("closed window", closed.is_open == 0, rules.closed(shown), where)
        if not session.is_open:
            ends_ms = session.ends_ms
            count.same("session begins", rules.in_session(wall(zone, ends_ms)), True, where)
            for between in points(at_ms, ends_ms):
                said = rules.in_session(wall(zone, between))
                count.same("no session before", said, False, f"{where} {between}")
        if not closed.is_open:
            for between in points(at_ms, closed.ends_ms):
                said = rules.closed(wall(zone, between))
                count.same("closed until", said, True, f"{where} {between}")
            named = rules.named(closed.name)
            if named is not None:
                held = named.closed(wall(zone, closed.ends_ms))
                count.same("over at its end", held, False, where)
                before = named.closed(wall(zone, closed.ends_ms - 1))
                count.same("not before", before, True, where)


def compare_ends(count: Count, name: str, rules: Rules, instants: list[int]) -> None:
    """Of one window alone: it is over at the very millisecond that is told, and not before."""
    calendar, zone = calendar_of(rules, name), ZoneInfo(name)
    for at_ms in instants:
        answer = blackout_answer(calendar, at_ms)
        if answer.is_open:
            continue
        where = f"{name} {rules} {at_ms}"
        count.same("ends", rules.closed(wall(zone, answer.ends_ms)), False, where)
        count.same("last millisecond", rules.closed(wall(zone, answer.ends_ms - 1)), True, where)


def points(at_ms: int, ends_ms: int) -> Iterator[int]:
    """Some instants from one to just before another."""
    yield ends_ms - 1
    step = max(1, (ends_ms - at_ms) // 6)
    yield from range(at_ms, ends_ms, step)


def compare_days(count: Count, name: str, starts: str, step: int) -> dict[str, int]:
    """Every local day of the years (or each `step`th): its first millisecond and the one before;
    how many were how long."""
    day = Day(zone_of(name), int(starts[:2]) * 60 + int(starts[3:]))
    zone, begins_at = ZoneInfo(name), dt.time.fromisoformat(starts)
    lengths: Counter[str] = Counter()
    unusual = {
        wall(zone, change).date() + days * DAY
        for change in changes_of(day.zone)
        for days in range(-2, 3)
    }
    for number, date in enumerate(dates(*YEARS)):
        if number % step and date not in unusual:
            continue
        ours = (date - EPOCH.date()).days
        begins = day_begins_ms(zone, date, begins_at)
        ends = day_begins_ms(zone, date + DAY, begins_at)
        where = f"{name} {date} from {starts}"
        count.same("day begins", day_start_ms(ours, day), begins, where)
        count.same("week", week_of(ours) - week_of(ours - date.weekday()), 0, where)
        lengths[f"{(ends - begins) / HOUR_MS:g}"] += 1
        if begins < ends:  # else the date was skipped
            count.same("day at its begin", day_of(begins, day), ours, where)
            count.same("day at its end", day_of(ends - 1, day), ours, where)
            middle = (begins + ends) // 2
            count.same("day at its middle", day_of(middle, day), ours, where)
    for at_ms in list(special_ms(day.zone))[:: max(1, step // 4)]:
        shown = wall(zone, at_ms).date()
        begun = [
            date
            for date in (shown + days * DAY for days in range(-2, 3))
            if day_begins_ms(zone, date, begins_at) <= at_ms
        ]
        theirs = (max(begun) - EPOCH.date()).days
        count.same("day", day_of(at_ms, day), theirs, f"{name} {at_ms} from {starts}")
    return dict(lengths)


def compare_tables(count: Count, names: tuple[str, ...]) -> None:
    """Each change that a zone's file lists is in its table, at its second, and no other is."""
    first = instant_ms(dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC)) // 1000
    last = instant_ms(dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.UTC)) // 1000
    for name in names:
        table, listed = zone_offsets(name), changes_in_file(name)
        # After its last change a file gives a rule; what the rule says is asked of zoneinfo below.
        until = min(last, max(listed, default=first))
        offset = None
        wanted: dict[int, int] = {}
        for second, offset_s in sorted(listed.items()):
            if first < second <= until and offset_s != offset and offset is not None:
                wanted[second] = offset_s
            offset = offset_s
        ours = {
            start // 1000: shift // 1000
            for start, shift in zip(table.starts_ms[1:], table.offsets_ms[1:], strict=True)
            if start // 1000 <= until
        }
        count.same("zone table", ours, wanted, name)


def compare_offsets(count: Count, rng: random.Random, tries: int) -> None:
    """Any zone at any instant that its table knows."""
    names = zone_names()
    for _ in range(tries):
        name = rng.choice(names)
        table = zone_offsets(name)
        at_ms = rng.randrange(table.starts_ms[0], table.ends_ms)
        ours = table.offsets_ms[sum(1 for start in table.starts_ms if start <= at_ms) - 1]
        shown = wall(ZoneInfo(name), at_ms)
        theirs = shown - (EPOCH + dt.timedelta(milliseconds=at_ms)).replace(tzinfo=None)
        count.same("offset", ours, theirs // dt.timedelta(milliseconds=1), f"{name} {at_ms}")


def run(arguments: argparse.Namespace) -> Verdict:
    """Everything above; --quick takes fewer calendars, zones and days."""
    zoneinfo.reset_tzpath(to=[])  # the oracle reads the package too: one version of the rules
    rng, count, quick = random.Random(arguments.seed), Count(), arguments.quick
    lengths: dict[str, dict[str, int]] = {}
    for name in ZONES:
        zone = zone_of(name)
        special = list(special_ms(zone))
        for _ in range(2 if quick else 12):
            rules = usable(partial(some_rules, rng, changes_of(zone)))
            picked = rng.sample(special, len(special) // (8 if quick else 1))
            compare_windows(count, name, rules, [*picked, *(random_ms(rng) for _ in range(200))])
        for _ in range(3 if quick else 40):
            rules = usable(lambda: Rules(weekly=[window(rng)]))
            compare_ends(count, name, rules, rng.sample(special, 120))
        for starts in STARTS[:2] if quick else STARTS:
            lengths[f"{name} {starts}"] = compare_days(count, name, starts, 23 if quick else 1)
        say(f"{name}: {sum(count.compared.values())} comparisons so far")
    names = zone_names()
    compare_tables(count, tuple(rng.sample(names, 40)) if quick else names)
    compare_offsets(count, rng, 200 if quick else 20_000)
    figures = {
        "zones": list(ZONES),
        "by_kind": dict(sorted(count.compared.items())),
        "day_lengths_hours": lengths,
        "wrong": count.wrong,
    }
    return Verdict(not count.wrong, sum(count.compared.values()), figures)


if __name__ == "__main__":
    sys.exit(prove("calendars", run, parser_of("calendars", __doc__)))
