"""Broken policy.yaml: the account's day and the calendar.

Lives here: the table. Must not live here: limits (see `broken_policy`), rules between keys, the
calendar's own file (see `test_calendar_file`).
"""

from __future__ import annotations

from .broken_kinds import Row, rows_of

C = "calendar:\n  "
D = C + "dated:\n    - "
WEEK = ("sessions", "weekly")


def _dated(begins: str, ends: str, more: str = "") -> str:
    return f"{D}{{from: {begins}, to: {ends}{more}}}\n"


ROWS: list[Row] = rows_of(
    "policy",
    [
        # --- zones
        ("day: {zone: Europe/Berln}\n", ["1 ZONE_UNKNOWN day.zone"], "did you mean Europe/Berlin"),
        ("day: {zone: europe/berlin}\n", ["1 ZONE_UNKNOWN day.zone"], "did you mean Europe/Berlin"),
        ("day: {zone: Berlin}\n", ["1 ZONE_UNKNOWN day.zone"], "did you mean Europe/Berlin"),
        ("day: {zone: New York}\n", ["1 ZONE_UNKNOWN day.zone"], "did you mean America/New_York"),
        ("day: {zone: Mars/Olympus}\n", ["1 ZONE_UNKNOWN day.zone"], "write a place"),
        ("day: {zone: +02:00}\n", ["1 ZONE_UNKNOWN day.zone"], "write a place"),
        ("day: {zone: ../etc/passwd}\n", ["1 ZONE_UNKNOWN day.zone"], "write a place"),
        ("day: {zone: ''}\n", ["1 ZONE_UNKNOWN day.zone"], "write a place"),
        ("day: {zone: [UTC]}\n", ["1 WRONG_KIND day.zone"], "not a list"),
        ("day:\n  zone:\n", ["2 NO_VALUE day.zone"], "no value"),
        (C + "zone: utc\n", ["2 ZONE_UNKNOWN calendar.zone"], "did you mean UTC"),
        (C + "zone: Australia/Lord Howe\n", ["2 ZONE_UNKNOWN calendar.zone"], "Lord_Howe"),
        # --- times of day
        ("day: {starts_at: 24:00}\n", ["1 NOT_A_TIME day.starts_at"], "outside 00:00 to 23:59"),
        ("day: {starts_at: 8:00}\n", ["1 NOT_A_TIME day.starts_at"], "did you mean 08:00"),
        ("day: {starts_at: 08:60}\n", ["1 NOT_A_TIME day.starts_at"], "outside 00:00 to 23:59"),
        ("day: {starts_at: 17}\n", ["1 NOT_A_TIME day.starts_at"], "did you mean 17:00"),
        ("day: {starts_at: 17:00:00}\n", ["1 NOT_A_TIME day.starts_at"], "did you mean 17:00"),
        ("day: {starts_at: 5pm}\n", ["1 NOT_A_TIME day.starts_at"], "such as 08:30"),
        ("day: {starts_at: -01:00}\n", ["1 NOT_A_TIME day.starts_at"], "such as 08:30"),
        ("day: {ends_at: 17:00}\n", ["1 UNKNOWN_KEY day.ends_at"], "starts_at"),
        # --- windows of a week
        *(
            (f"{C}{name}: [{text}]\n", [f"2 {code} calendar.{name}"], part)
            for name in WEEK
            for text, code, part in (
                ("mon-fri", "NOT_A_TIME", "mon-fri 08:00-22:00"),
                ("08:00-22:00", "NOT_A_TIME", "mon-fri 08:00-22:00"),
                ("monday 08:00-22:00", "NOT_A_TIME", "did you mean mon"),
                ("mon-freitag 08:00-22:00", "NOT_A_TIME", "did you mean fri"),
                ("xyz 08:00-22:00", "NOT_A_TIME", "one of mon, tue"),
                ("mon 8:00-22:00", "NOT_A_TIME", "did you mean 08:00"),
                ("mon 08:00-25:00", "NOT_A_TIME", "outside 00:00 to 24:00"),
                ("mon 24:00-24:00", "NOT_A_TIME", "outside 00:00 to 23:59"),
                ("mon 08:00-08:00", "WINDOW_EMPTY", "is empty"),
                ("mon 00:00-mon 00:00", "WINDOW_EMPTY", "mon-sun 00:00-24:00"),
                ("mon 22:00-06:00", "WINDOW_EMPTY", "write mon 22:00-tue 06:00"),
                ("sun 22:00-06:00", "WINDOW_EMPTY", "write sun 22:00-mon 06:00"),
                ("fri 22:00-fri 06:00", "WINDOW_EMPTY", "write fri 06:00-22:00"),
                ("''", "NOT_A_TIME", "mon-fri 08:00-22:00"),
            )
        ),
        (C + "sessions: mon-fri 08:00-22:00\n", ["2 WRONG_KIND calendar.sessions"], "a list"),
        (
            C + "sessions:\n    - mon 08:00-09:00\n    - mon 9-10\n",
            ["4 NOT_A_TIME calendar.sessions"],
            "mean 09:00",
        ),
        # --- dates
        (_dated("2026-02-30", "2026-03-01"), ["3 NOT_A_DATE calendar.dated.from"], "has 28 days"),
        (_dated("2028-02-30", "2028-03-01"), ["3 NOT_A_DATE calendar.dated.from"], "has 29 days"),
        (_dated("2026-01-01", "2026-13-01"), ["3 NOT_A_DATE calendar.dated.to"], "01 to 12"),
        (_dated("2026-01-01", "2026-04-31"), ["3 NOT_A_DATE calendar.dated.to"], "has 30 days"),
        (_dated("2026-1-1", "2026-01-02"), ["3 NOT_A_DATE calendar.dated.from"], "mean 2026-01-01"),
        (_dated("1.1.2026", "2026-01-02"), ["3 NOT_A_DATE calendar.dated.from"], "year-month-day"),
        (_dated("tomorrow", "2026-01-02"), ["3 NOT_A_DATE calendar.dated.from"], "year-month-day"),
        (
            _dated("'2026-01-01 25:00'", "2026-01-02"),
            ["3 NOT_A_TIME calendar.dated.from"],
            "outside 00:00 to 24:00",
        ),
        (
            _dated("'2026-01-01 08:00Z'", "2026-01-02"),
            ["3 NOT_A_DATE calendar.dated.from"],
            "those of calendar.zone",
        ),
        (
            _dated("'2026-01-01T08:00+01:00'", "2026-01-02"),
            ["3 NOT_A_DATE calendar.dated.from"],
            "those of calendar.zone",
        ),
        (_dated("2008-12-31", "2026-01-02"), ["3 OUT_OF_RANGE calendar.dated.from"], "2009 to"),
        (_dated("2026-01-01", "2051-01-01"), ["3 OUT_OF_RANGE calendar.dated.to"], "to 2050"),
        (_dated("2026-01-03", "2026-01-01"), ["3 WINDOW_EMPTY calendar.dated"], "ends before"),
        (
            _dated("'2026-01-01 08:00'", "'2026-01-01 08:00'"),
            ["3 WINDOW_EMPTY calendar.dated"],
            "is empty",
        ),
        (D + "{from: 2026-01-01}\n", ["3 NO_VALUE calendar.dated"], "has no `to`"),
        (D + "{to: 2026-01-01}\n", ["3 NO_VALUE calendar.dated"], "has no `from`"),
        (D + "2026-01-01\n", ["3 WRONG_KIND calendar.dated"], "keys and values"),
        (
            _dated("2026-01-01", "2026-01-02", ", nmae: x"),
            ["3 UNKNOWN_KEY calendar.dated.nmae"],
            "did you mean name",
        ),
        (
            _dated("2026-01-01", "2026-01-02", ", name: new year"),
            ["3 NOT_A_NAME calendar.dated.name"],
            "without spaces",
        ),
        (C + "dated: {from: 2026-01-01}\n", ["2 WRONG_KIND calendar.dated"], "a list"),
        (C + "holidays: [2026-02-29]\n", ["2 NOT_A_DATE calendar.holidays"], "has 28 days"),
        (C + "holidays: [2026-12-25 18:00]\n", ["2 NOT_A_DATE calendar.holidays"], "not a date"),
        (C + "holidays: [12-25]\n", ["2 NOT_A_DATE calendar.holidays"], "year-month-day"),
        (C + "holidays: [2051-12-25]\n", ["2 OUT_OF_RANGE calendar.holidays"], "2009 to 2050"),
        (C + "holidays: 2026-12-25\n", ["2 WRONG_KIND calendar.holidays"], "a list"),
        # --- keys
        (C + "session: [mon 08:00-09:00]\n", ["2 UNKNOWN_KEY calendar.session"], "sessions"),
        (C + "file: ../calendar.yaml\n", ["2 NOT_A_NAME calendar.file"], "beside policy.yaml"),
        (C + "file: calendar.csv\n", ["2 NOT_A_NAME calendar.file"], "YAML file"),
        ("calendar: [mon]\n", ["1 WRONG_KIND calendar"], "keys and values"),
    ],
)
