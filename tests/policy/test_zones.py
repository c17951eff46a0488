"""Zones and windows of a policy: what the texts become, and who needs the zone database."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

import trader
from trader.core.limits import Calendar, Day, Weekly, Zone
from trader.policy.checking import check_policy
from trader.policy.compiling_calendar import dated_windows, week_windows
from trader.policy.parameters import build_parameters
from trader.policy.wall_times import DAYS, WEEK_MIN, moment_ms, moment_text, week_spans
from trader.policy.zones import FIRST_YEAR, LAST_YEAR, zone_names, zone_offsets

from .conftest import FindSources, WritePolicy

HOUR_MS = 3_600_000


def utc(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def test_a_zone_is_its_changes_from_2009_to_2050() -> None:
    berlin = zone_offsets("Europe/Berlin")
    # Two changes a year, and what was in force when the table begins.
    assert len(berlin.starts_ms) == 1 + 2 * (LAST_YEAR - FIRST_YEAR + 1)
    assert berlin.starts_ms[:3] == (
        utc("2009-01-01T00:00"), utc("2009-03-29T01:00"), utc("2009-10-25T01:00")
    )  # fmt: skip
    assert berlin.offsets_ms[:3] == (HOUR_MS, 2 * HOUR_MS, HOUR_MS)
    assert berlin.ends_ms == utc("2051-01-01T00:00")


def test_a_change_of_half_an_hour_and_a_skipped_day_are_in_the_tables() -> None:
    lord_howe = zone_offsets("Australia/Lord_Howe")
    assert set(lord_howe.offsets_ms) == {11 * HOUR_MS, 21 * HOUR_MS // 2}
    apia = zone_offsets("Pacific/Apia")
    at = apia.starts_ms.index(utc("2011-12-30T10:00"))
    assert apia.offsets_ms[at] - apia.offsets_ms[at - 1] == 24 * HOUR_MS


def test_a_zone_that_does_not_exist_has_no_table() -> None:
    with pytest.raises(KeyError):
        zone_offsets("Mars/Olympus")


def installed_zone(name: str) -> ZoneInfo:
    """The zone of the package that the tables are made from: the host's may be of another year."""
    with (Path(tzdata.__file__).parent / "zoneinfo" / name).open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


@given(st.sampled_from(zone_names()), st.integers(0, 42 * 365 * 24 * 3600))
def test_a_table_tells_what_the_zone_tells(name: str, after_s: int) -> None:
    table = zone_offsets(name)
    at_ms = table.starts_ms[0] + after_s * 1000
    offset = dt.datetime.fromtimestamp(at_ms // 1000, installed_zone(name)).utcoffset()
    at = max(i for i, start in enumerate(table.starts_ms) if start <= at_ms)
    assert offset == dt.timedelta(milliseconds=table.offsets_ms[at])


def test_day_and_calendar_become_what_the_core_reads(sources_of: FindSources) -> None:
    policy = (
        "day: {zone: Europe/Berlin, starts_at: 17:30}\n"
        "calendar:\n"
        "  zone: Asia/Kolkata\n"
        "  sessions: [Mon-Fri 08:00-22:00]\n"
        "  weekly: [sun 23:00-mon 01:00]\n"
        "  dated:\n"
        "    - {from: 2026-12-24, to: 2026-12-25, name: eve}\n"
        "    - {from: 2026-12-31 18:00, to: 2027-01-01 12:00}\n"
        "  holidays: [2026-12-26]\n"
    )
    checked = check_policy(sources_of(policy=policy), {})
    limits = build_parameters(checked.form, {"cross": ""}).limits
    assert (limits.day.zone.name, limits.day.starts_min) == ("Europe/Berlin", 17 * 60 + 30)
    calendar = limits.calendar
    # India has had one offset since 1945.
    first = utc("2009-01-01T00:00")
    assert calendar.zone == Zone("Asia/Kolkata", (first,), (19_800_000,), utc("2051-01-01T00:00"))
    name = "mon-fri_08:00-22:00"
    assert calendar.sessions == tuple(
        Weekly(day * 1440 + 480, day * 1440 + 1320, name) for day in range(5)
    )
    assert calendar.weekly == (Weekly(6 * 1440 + 23 * 60, 10_140, "sun_23:00-mon_01:00"),)
    assert [(w.start_ms, w.end_ms, w.name) for w in calendar.dated] == [
        (utc("2026-12-24T00:00"), utc("2026-12-26T00:00"), "eve"),
        (utc("2026-12-26T00:00"), utc("2026-12-27T00:00"), "holiday_2026-12-26"),
        (utc("2026-12-31T18:00"), utc("2027-01-01T12:00"), "2026-12-31_18:00"),
    ]


def test_without_a_word_the_day_is_utc_and_entries_are_always_allowed(
    sources_of: FindSources,
) -> None:
    limits = build_parameters(check_policy(sources_of(), {}).form, {"cross": ""}).limits
    assert (limits.day, limits.calendar) == (Day(), Calendar())


def test_dated_windows_that_overlap_are_one_with_both_names() -> None:
    rows = [
        {"from": "2026-03-18 19:00", "to": "2026-03-18 21:00", "name": "fed"},
        {"from": "2026-03-18 18:00", "to": "2026-03-18 19:30", "name": "talk"},
        {"from": "2026-03-18 21:00", "to": "2026-03-18 22:00", "name": "after"},
    ]
    assert dated_windows(rows, []) == [
        [utc("2026-03-18T18:00"), utc("2026-03-18T21:00"), "talk+fed"],
        [utc("2026-03-18T21:00"), utc("2026-03-18T22:00"), "after"],
    ]
    many = [{**rows[0], "name": name} for name in "abcd"]
    assert dated_windows(many, ["2026-03-18"])[0][2] == "holiday_2026-03-18+a+b+more"


@pytest.mark.parametrize(
    ("text", "canonical", "spans"),
    [
        ("mon 08:00-22:00", "mon 08:00-22:00", [(480, 1320)]),
        ("  MON-tue  08:00-22:00 ", "mon-tue 08:00-22:00", [(480, 1320), (1920, 2760)]),
        ("mon-tue 00:00-24:00", "mon-tue 00:00-24:00", [(0, 2880)]),
        ("sat-sun 00:00-24:00", "sat-sun 00:00-24:00", [(7200, 10_080)]),
        # Sunday and Monday touch over the end of the week: one span, which wraps.
        ("sun-mon 00:00-24:00", "sun-mon 00:00-24:00", [(8640, 11_520)]),
        ("daily 00:00-24:00", "mon-sun 00:00-24:00", [(0, 10_080)]),
        ("fri 22:00-sun 22:00", "fri 22:00-sun 22:00", [(7080, 9960)]),
        ("sun 22:00-mon 06:00", "sun 22:00-mon 06:00", [(9960, 10_440)]),
        ("sun 22:00-mon 00:00", "sun 22:00-mon 00:00", [(9960, 10_080)]),
        ("mon 00:00-sun 24:00", "mon 00:00-sun 24:00", [(0, 10_080)]),
    ],
)
def test_a_window_of_a_week_in_minutes_since_monday(
    text: str, canonical: str, spans: list[tuple[int, int]]
) -> None:
    assert week_spans(text) == (canonical, spans)
    assert week_spans(canonical) == (canonical, spans)
    assert all(0 <= start < WEEK_MIN and start < end <= start + WEEK_MIN for start, end in spans)
    assert week_windows([canonical]) == [[*span, canonical.replace(" ", "_")] for span in spans]


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2028-02-29", "2028-02-29 00:00", "2028-02-29 24:00"),
        ("2026-12-24 18:00", "2026-12-24 18:00", "2026-12-24 18:00"),
        ("2026-12-24T18:00", "2026-12-24 18:00", "2026-12-24 18:00"),
        ("2026-12-24 24:00", "2026-12-24 24:00", "2026-12-24 24:00"),
    ],
)
def test_a_date_alone_means_all_of_that_day(text: str, begins: str, ends: str) -> None:
    assert (moment_text(text, last=False), moment_text(text, last=True)) == (begins, ends)
    assert moment_text(begins, last=True) == begins


def test_moments_are_the_local_clocks_own_count() -> None:
    assert moment_ms("2026-12-31 24:00") == moment_ms("2027-01-01 00:00") == utc("2027-01-01T00:00")
    assert DAYS[(moment_ms("2026-11-16 00:00") // 86_400_000 + 3) % 7] == "mon"


CHILD = """
import sys
from pathlib import Path
from trader.policy.sources import find_sources
from trader.policy.cache import load_checked
from trader.policy.parameters import build_parameters
checked = load_checked(find_sources([], cwd=Path.cwd(), env={}), {}, Path("cache"), "code")
zone = build_parameters(checked.form, {"cross": ""}).limits.day.zone
print(zone.name, len(zone.starts_ms), sorted({"zoneinfo", "tzdata"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("zone", "starts", "read"), [("Europe/Berlin", 85, True), ("UTC", 1, False)]
)
def test_a_cached_policy_needs_no_zone_database_and_utc_never_does(
    tmp_path: Path, write_policy: WritePolicy, zone: str, starts: int, read: bool
) -> None:
    write_policy(policy=f"day: {{zone: {zone}}}\n")
    root = Path(trader.__file__).parent.parent
    told: list[str] = []
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", CHILD],
            cwd=tmp_path,
            env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        told.append(run.stdout.strip() or run.stderr)
    assert [row.startswith(f"{zone} {starts} ") for row in told] == [True, True], told
    # The schema's library loads zoneinfo for itself; the database is ours alone.
    assert ("tzdata" in told[0], told[1]) == (read, f"{zone} {starts} []")
