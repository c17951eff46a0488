"""Local time: the account's day, sessions and closed windows, at the millisecond.

Zones are written by hand here, from the rules of Berlin and Lord Howe Island in 2026; what the zone
database says of them is another test's.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.calendar import (
    DAY_MS,
    NEVER_MS,
    NO_SESSION,
    OPEN,
    ZONE_UNKNOWN,
    Opening,
    blackout_answer,
    day_of,
    day_start_ms,
    session_answer,
    week_of,
)
from trader.core.limits import Calendar, Dated, Day, Weekly, Zone

HOUR_MS = 3_600_000


def utc(text: str) -> int:
    """Milliseconds of an instant written in UTC (or of a wall time: the clock's own count)."""
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


# 02:00 +1 becomes 03:00 +2 in March; 03:00 +2 becomes 02:00 +1 in October.
BERLIN = Zone(
    "Europe/Berlin",
    (utc("2026-01-01T00:00"), utc("2026-03-29T01:00"), utc("2026-10-25T01:00")),
    (HOUR_MS, 2 * HOUR_MS, HOUR_MS),
    utc("2027-01-01T00:00"),
)
# 02:00 +11 becomes 01:30 +10:30 in April; 02:00 +10:30 becomes 02:30 +11 in October.
LORD_HOWE = Zone(
    "Australia/Lord_Howe",
    (utc("2026-01-01T00:00"), utc("2026-04-04T15:00"), utc("2026-10-03T15:30")),
    (11 * HOUR_MS, 21 * HOUR_MS // 2, 11 * HOUR_MS),
    utc("2027-01-01T00:00"),
)
# A whole day was skipped: the clock went from Thursday 24:00 to Saturday 00:00.
APIA = Zone(
    "Pacific/Apia",
    (utc("2011-12-01T00:00"), utc("2011-12-30T10:00")),
    (-10 * HOUR_MS, 14 * HOUR_MS),
    utc("2012-01-10T00:00"),
)


def number(text: str) -> int:
    """Day number of a local date."""
    return utc(text + "T00:00") // DAY_MS


@pytest.mark.parametrize(
    ("zone", "starts", "date", "begins", "hours"),
    [
        (Zone(), "00:00", "2026-03-29", "2026-03-29T00:00", 24),
        (Zone(), "17:00", "2024-02-29", "2024-02-29T17:00", 24),
        (BERLIN, "00:00", "2026-03-28", "2026-03-27T23:00", 24),
        (BERLIN, "00:00", "2026-03-29", "2026-03-28T23:00", 23),
        (BERLIN, "00:00", "2026-10-25", "2026-10-24T22:00", 25),
        (BERLIN, "00:00", "2026-12-31", "2026-12-30T23:00", 24),
        # 02:30 does not exist that day: it begins when the clock jumps past it, at 03:00.
        (BERLIN, "02:30", "2026-03-29", "2026-03-29T01:00", 23.5),
        (BERLIN, "02:30", "2026-03-28", "2026-03-28T01:30", 23.5),
        # 02:30 is shown twice that day: it begins the first time.
        (BERLIN, "02:30", "2026-10-25", "2026-10-25T00:30", 25),
        (BERLIN, "03:00", "2026-10-25", "2026-10-25T02:00", 24),
        (LORD_HOWE, "00:00", "2026-04-05", "2026-04-04T13:00", 24.5),
        (LORD_HOWE, "00:00", "2026-10-04", "2026-10-03T13:30", 23.5),
        (LORD_HOWE, "01:45", "2026-04-05", "2026-04-04T14:45", 24.5),
    ],
)
def test_a_day_begins_when_the_clock_first_shows_its_start(
    zone: Zone, starts: str, date: str, begins: str, hours: float
) -> None:
    day = Day(zone, int(starts[:2]) * 60 + int(starts[3:]))
    start = utc(begins)
    assert day_start_ms(number(date), day) == start
    assert day_start_ms(number(date) + 1, day) - start == hours * HOUR_MS
    assert day_of(start, day) == number(date)
    assert day_of(start - 1, day) == number(date) - 1


def test_a_day_that_has_begun_goes_on_when_the_clock_is_put_back_before_its_start() -> None:
    day = Day(BERLIN, 150)
    # 02:10 for the second time: the day began at the first 02:30, half an hour ago in the making.
    for at in ("2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:10", "2026-10-25T01:30"):
        assert day_of(utc(at), day) == number("2026-10-25")
    assert day_of(utc("2026-10-25T00:30") - 1, day) == number("2026-10-24")


def test_a_date_that_a_zone_skipped_is_no_day() -> None:
    day = Day(APIA, 0)
    jump = utc("2011-12-30T10:00")
    assert day_of(jump - 1, day) == number("2011-12-29")
    assert day_of(jump, day) == number("2011-12-31")
    assert day_start_ms(number("2011-12-30"), day) == day_start_ms(number("2011-12-31"), day)


@given(
    st.sampled_from([Zone(), BERLIN, LORD_HOWE, APIA]),
    st.integers(0, 1439),
    st.integers(-10, 800 * DAY_MS),
    st.integers(0, 2 * DAY_MS),
)
def test_days_never_fall_and_hold_their_instants(
    zone: Zone, starts_min: int, after_ms: int, later_ms: int
) -> None:
    day = Day(zone, starts_min)
    at_ms = zone.starts_ms[0] + after_ms
    found = day_of(at_ms, day)
    assert day_start_ms(found, day) <= at_ms < day_start_ms(found + 1, day)
    assert day_of(at_ms + later_ms, day) >= found


def test_weeks_begin_on_monday() -> None:
    monday = number("2026-11-16")
    assert [week_of(monday + i) - week_of(monday) for i in (-1, 0, 6, 7)] == [-1, 0, 0, 1]


WORK = Weekly(8 * 60, 22 * 60, "mon 08:00-22:00")
# Sunday 23:00 to Monday 01:00: begins at minute 6 x 1,440 + 1,380 of the week.
NIGHT = Weekly(6 * 1440 + 23 * 60, 7 * 1440 + 60, "sun 23:00-mon 01:00")


def answers(calendar: Calendar, at: str) -> Opening:
    """What sessions say at an instant written in UTC."""
    return session_answer(calendar, utc(at))


def blackouts(calendar: Calendar, at: str) -> Opening:
    """What closed windows say at an instant written in UTC."""
    return blackout_answer(calendar, utc(at))


def test_without_windows_it_is_always_open() -> None:
    assert session_answer(Calendar(), -1) == blackout_answer(Calendar(), -1) == OPEN


def test_a_session_opens_and_closes_at_the_millisecond() -> None:
    calendar = Calendar(BERLIN, (WORK,))
    # Monday 16 November, +1: 08:00 is 07:00 UTC. The Monday after opens a week later.
    opens, closes = utc("2026-11-16T07:00"), utc("2026-11-16T21:00")
    assert session_answer(calendar, opens - 1) == Opening(0, NO_SESSION, opens)
    assert session_answer(calendar, opens) == OPEN
    assert session_answer(calendar, closes - 1) == OPEN
    assert session_answer(calendar, closes) == Opening(0, NO_SESSION, utc("2026-11-23T07:00"))


def test_the_next_session_is_told_across_a_change_of_the_clock() -> None:
    calendar = Calendar(BERLIN, (WORK,))
    # From Monday 23 March 22:00 (+1) to Monday 30 March 08:00 (+2).
    assert answers(calendar, "2026-03-23T21:00") == Opening(0, NO_SESSION, utc("2026-03-30T06:00"))
    assert answers(calendar, "2026-03-30T06:00") == OPEN


def test_a_weekly_window_reaches_over_the_end_of_the_week() -> None:
    calendar = Calendar(weekly=(NIGHT,))
    ends = utc("2026-11-16T01:00")
    for inside in ("2026-11-15T23:00", "2026-11-15T23:59", "2026-11-16T00:00", "2026-11-16T00:59"):
        assert blackouts(calendar, inside) == Opening(0, NIGHT.name, ends)
    assert blackout_answer(calendar, utc("2026-11-15T23:00") - 1) == OPEN
    assert blackout_answer(calendar, ends - 1).is_open == 0
    assert blackout_answer(calendar, ends) == OPEN


def test_a_window_in_an_hour_that_is_skipped_holds_nothing_that_day() -> None:
    sunday = 6 * 1440
    calendar = Calendar(BERLIN, weekly=(Weekly(sunday + 125, sunday + 175, "early"),))
    jump = utc("2026-03-29T01:00")
    assert blackout_answer(calendar, jump - 1) == blackout_answer(calendar, jump) == OPEN
    # A week earlier it is there: 02:05 +1.
    assert blackouts(calendar, "2026-03-22T01:05").ends_ms == utc("2026-03-22T01:55")


def test_a_window_that_ends_at_a_skipped_time_ends_with_the_jump() -> None:
    sunday = 6 * 1440
    calendar = Calendar(BERLIN, weekly=(Weekly(sunday, sunday + 150, "early"),))
    jump = utc("2026-03-29T01:00")
    assert blackouts(calendar, "2026-03-28T23:30") == Opening(0, "early", jump)
    assert blackout_answer(calendar, jump - 1).is_open == 0
    assert blackout_answer(calendar, jump) == OPEN


def test_a_window_in_an_hour_that_is_shown_twice_holds_both() -> None:
    sunday = 6 * 1440
    calendar = Calendar(BERLIN, weekly=(Weekly(sunday + 130, sunday + 150, "early"),))
    # 02:10-02:30 at +2 (00:10 UTC) and again at +1 (01:10 UTC).
    for first in ("2026-10-25T00:10", "2026-10-25T01:10"):
        begins = utc(first)
        ends = begins + 20 * 60_000
        assert blackout_answer(calendar, begins - 1) == OPEN
        assert blackout_answer(calendar, begins) == Opening(0, "early", ends)
        assert blackout_answer(calendar, ends - 1) == Opening(0, "early", ends)
        assert blackout_answer(calendar, ends) == OPEN


def test_a_window_that_ends_when_the_clock_is_put_back_goes_on() -> None:
    sunday = 6 * 1440
    calendar = Calendar(BERLIN, weekly=(Weekly(sunday + 60, sunday + 180, "early"),))
    # 01:00 +2 is 23:00 UTC; at 03:00 +2 the clock shows 02:00 again, which is inside.
    assert blackouts(calendar, "2026-10-24T23:00") == Opening(0, "early", utc("2026-10-25T02:00"))
    assert blackouts(calendar, "2026-10-25T01:00").is_open == 0


def test_half_an_hour_put_back_is_half_an_hour_twice() -> None:
    sunday = 6 * 1440
    calendar = Calendar(LORD_HOWE, weekly=(Weekly(sunday + 100, sunday + 110, "early"),))
    # 01:40 at +11 is 14:40 UTC, at +10:30 it is 15:10 UTC.
    for begins in ("2026-04-04T14:40", "2026-04-04T15:10"):
        assert blackouts(calendar, begins) == Opening(0, "early", utc(begins) + 600_000)
        assert blackout_answer(calendar, utc(begins) + 600_000) == OPEN


def test_dated_windows_are_told_by_the_clock_to_the_millisecond() -> None:
    calendar = Calendar(
        BERLIN,
        dated=(
            Dated(utc("2026-07-01T12:00"), utc("2026-07-01T12:30"), "rates"),
            Dated(utc("2026-12-25T00:00"), utc("2026-12-26T00:00"), "2026-12-25"),
            Dated(utc("2026-12-26T00:00"), utc("2026-12-27T00:00"), "2026-12-26"),
        ),
    )
    begins, ends = utc("2026-07-01T10:00"), utc("2026-07-01T10:30")
    assert blackout_answer(calendar, begins - 1) == OPEN
    assert blackout_answer(calendar, begins) == Opening(0, "rates", ends)
    assert blackout_answer(calendar, ends - 1) == Opening(0, "rates", ends)
    assert blackout_answer(calendar, ends) == OPEN
    assert blackouts(calendar, "2026-12-25T22:59").name == "2026-12-25"
    assert blackouts(calendar, "2026-12-25T23:00").name == "2026-12-26"
    assert blackouts(calendar, "2026-12-26T23:00") == OPEN


def test_a_dated_window_over_a_change_of_the_clock_ends_by_the_new_clock() -> None:
    spring = Dated(utc("2026-03-28T00:00"), utc("2026-03-30T00:00"), "spring")
    # Ends at 03:00 +2, when the clock is put back to 02:00: inside again, for another hour.
    autumn = Dated(utc("2026-10-25T01:00"), utc("2026-10-25T03:00"), "autumn")
    # Ends at 02:00, which is shown once more an hour later, but it is over.
    short = Dated(utc("2026-10-25T01:00"), utc("2026-10-25T02:00"), "short")
    for window, at, ends in (
        (spring, "2026-03-28T12:00", "2026-03-29T22:00"),
        (autumn, "2026-10-24T23:00", "2026-10-25T02:00"),
        (autumn, "2026-10-25T01:00", "2026-10-25T02:00"),
        (short, "2026-10-24T23:00", "2026-10-25T00:00"),
    ):
        calendar = Calendar(BERLIN, dated=(window,))
        assert blackouts(calendar, at) == Opening(0, window.name, utc(ends))
        assert blackout_answer(calendar, utc(ends) - 1).is_open == 0
        assert blackouts(calendar, ends) == OPEN


def test_a_session_that_begins_as_the_clock_is_put_back_begins_an_hour_later() -> None:
    sunday = 6 * 1440
    calendar = Calendar(BERLIN, (Weekly(sunday + 180, sunday + 240, "s"),))
    # 03:00 +2 is 02:00 +1: the clock shows 03:00 at 02:00 UTC.
    begins = utc("2026-10-25T02:00")
    assert answers(calendar, "2026-10-24T23:00") == Opening(0, NO_SESSION, begins)
    assert answers(calendar, "2026-10-25T01:00") == Opening(0, NO_SESSION, begins)
    assert answers(calendar, "2026-10-25T02:00") == OPEN


def test_a_daily_window_goes_on_where_its_gap_is_skipped() -> None:
    midnight = utc("2026-10-11T03:00")  # 00:00 -3 becomes 01:00 -2
    zone = Zone("S", (utc("2026-01-01T00:00"), midnight), (-3 * HOUR_MS, -2 * HOUR_MS), 2**42)
    windows = tuple(Weekly(day * 1440 + 30, day * 1440 + 1440, "w") for day in range(7))
    calendar = Calendar(zone, weekly=windows)
    # Saturday 00:30 to 24:00; the next gap that is there is Monday 00:00 to 00:30.
    ends = utc("2026-10-12T02:00")
    assert blackouts(calendar, "2026-10-10T12:00") == Opening(0, "w", ends)
    assert blackout_answer(calendar, midnight).is_open == 0
    assert blackouts(calendar, "2026-10-12T02:00") == OPEN


def test_of_several_closed_windows_the_one_that_ends_last_answers() -> None:
    long = Dated(utc("2026-11-16T00:00"), utc("2026-11-18T00:00"), "conference")
    calendar = Calendar(weekly=(Weekly(0, 120, "monday"), Weekly(60, 180, "later")), dated=(long,))
    assert blackouts(calendar, "2026-11-16T01:30").name == "conference"
    assert blackouts(calendar, "2026-11-23T01:30").name == "later"
    assert blackouts(calendar, "2026-11-23T00:30").name == "monday"
    turned = Calendar(weekly=tuple(reversed(calendar.weekly)), dated=(long,))
    assert blackouts(turned, "2026-11-23T01:30").name == "later"


def test_a_week_long_session_never_closes() -> None:
    calendar = Calendar(BERLIN, (Weekly(1440, 1440 + 10_080, "always"),))
    at_ms = utc("2026-10-19T00:00")
    assert all(session_answer(calendar, at_ms + i * HOUR_MS) == OPEN for i in range(24 * 14))


def test_where_the_zone_is_not_known_entries_are_closed_and_days_go_on() -> None:
    always = Weekly(0, 10_080, "always")
    calendar = Calendar(BERLIN, (always,), weekly=(Weekly(0, 1, "never here"),))
    first, last = BERLIN.starts_ms[0], BERLIN.ends_ms
    for answer in (session_answer, blackout_answer):
        assert answer(calendar, first - 1) == Opening(0, f"{ZONE_UNKNOWN}:Europe/Berlin", first)
        assert answer(calendar, first) == answer(calendar, last - 1) == OPEN
        assert answer(calendar, last) == Opening(0, f"{ZONE_UNKNOWN}:Europe/Berlin", NEVER_MS)
    assert day_of(first - 1, Day(BERLIN)) == number("2026-01-01")
    assert day_of(last + DAY_MS, Day(BERLIN)) == number("2027-01-02")


def test_windows_are_told_before_1970_too() -> None:
    zone = Zone("UTC", (-DAY_MS,), (0,), DAY_MS)
    calendar = Calendar(zone, (Weekly(0, 10_080, "always"),))
    assert session_answer(calendar, -1) == session_answer(calendar, 0) == OPEN


@given(
    st.sampled_from([BERLIN, LORD_HOWE, APIA]),
    st.integers(0, 10_079),
    st.integers(1, 10_080),
    st.integers(0, 365 * DAY_MS),
)
def test_an_answer_holds_until_its_end_and_no_longer(
    zone: Zone, start_min: int, length_min: int, after_ms: int
) -> None:
    window = Weekly(start_min, start_min + length_min, "w")
    at_ms = min(zone.starts_ms[0] + after_ms, zone.ends_ms - 1)
    for answer, calendar in (
        (session_answer, Calendar(zone, (window,))),
        (blackout_answer, Calendar(zone, weekly=(window,))),
    ):
        said = answer(calendar, at_ms)
        if said.is_open:
            continue
        assert said.ends_ms > at_ms
        for later in range(at_ms, said.ends_ms, max(1, (said.ends_ms - at_ms) // 7)):
            assert answer(calendar, later) == said
        assert answer(calendar, said.ends_ms - 1) == said
        # Windows less than a day apart may touch when a day is skipped.
        if length_min <= 10_080 - 1440 and said.ends_ms < zone.ends_ms:
            assert answer(calendar, said.ends_ms) == OPEN
