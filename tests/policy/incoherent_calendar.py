"""Rules between windows of the calendar, each with a bad and a good example.

Lives here: the table. Must not live here: rules of other keys (see `incoherent`).
"""

from __future__ import annotations

from .incoherent_kinds import Example, mild, of_file


def _calendar(*lines: str) -> str:
    return "calendar:\n" + "".join(f"  {line}\n" for line in lines)


OF_CALENDAR = (
    of_file(
        "WINDOWS_OVERLAP",
        "policy",
        4,
        "mon-fri 08:00-22:00 overlap from fri 21:00 on",
        _calendar("sessions:", "  - mon-fri 08:00-22:00", "  - fri 21:00-sat 01:00"),
        _calendar("sessions:", "  - mon-fri 08:00-22:00", "  - fri 22:00-sat 01:00"),
    ),
    of_file(
        "WINDOWS_OVERLAP",
        "policy",
        2,
        "overlap from mon 00:00 on",
        _calendar("weekly: [sun 20:00-mon 00:01, mon 00:00-01:00]"),
        _calendar("weekly: [sun 20:00-mon 00:00, mon 00:00-01:00]"),
    ),
    mild(
        of_file(
            "WINDOWS_OVERLAP",
            "policy",
            4,
            "fed from 2026-03-18 19:00 to 2026-03-18 21:00 begins before",
            _calendar(
                "dated:",
                "  - {from: 2026-03-18 18:00, to: 2026-03-18 19:01, name: talk}",
                "  - {from: 2026-03-18 19:00, to: 2026-03-18 21:00, name: fed}",
            ),
            _calendar(
                "dated:",
                "  - {from: 2026-03-18 18:00, to: 2026-03-18 19:00, name: talk}",
                "  - {from: 2026-03-18 19:00, to: 2026-03-18 21:00, name: fed}",
            ),
        )
    ),
    mild(
        of_file(
            "WINDOWS_OVERLAP",
            "policy",
            2,
            "named twice",
            _calendar("holidays: [2026-12-25, 2026-12-25]"),
            _calendar("holidays: [2026-12-25, 2026-12-26]"),
        )
    ),
    of_file(
        "CALENDAR_CLOSED",
        "policy",
        3,
        "no minute of the week",
        _calendar("sessions: [mon-fri 08:00-22:00]", "weekly: [mon-sun 08:00-22:00]"),
        _calendar("sessions: [mon-fri 08:00-22:00]", "weekly: [mon-sun 08:01-22:00]"),
    ),
    of_file(
        "CALENDAR_CLOSED",
        "policy",
        2,
        "no minute of the week",
        _calendar("weekly: [mon-sun 00:00-24:00]"),
        _calendar("weekly: [mon-sun 00:00-23:59]"),
    ),
    of_file(
        "CALENDAR_CLOSED",
        "policy",
        2,
        "all the years that are known",
        _calendar("dated: [{from: 2009-01-01, to: 2050-12-31}]"),
        _calendar("dated: [{from: 2009-01-01, to: 2050-12-30}]"),
    ),
    mild(
        of_file(
            "CALENDAR_LONG",
            "policy",
            2,
            "lasts 367 days",
            _calendar("dated: [{from: 2026-01-01, to: 2027-01-02}]"),
            _calendar("dated: [{from: 2026-01-01, to: 2027-01-01}]"),
        )
    ),
    # Bars of 4h close at 00, 04, 08 ... UTC, in Kolkata at 05:30, 09:30 ...
    Example(
        "SESSION_MISSED",
        "policy.yaml:3",
        "01:30, 05:30, 09:30, 13:30 ... Asia/Kolkata",
        {
            "app": "timeframe: 4h\n",
            "strategies": "cross: {timeframe: 4h}\n",
            "policy": _calendar("zone: Asia/Kolkata", "sessions: [mon-fri 09:31-13:30]"),
        },
        {
            "app": "timeframe: 4h\n",
            "strategies": "cross: {timeframe: 4h}\n",
            "policy": _calendar("zone: Asia/Kolkata", "sessions: [mon-fri 09:30-13:30]"),
        },
    ),
    # A day ends at 00:00 UTC: 01:00 in Berlin, in summer 02:00.
    mild(
        Example(
            "SESSION_LATE",
            "strategies.yaml:1",
            "they close at 01:00, 02:00 Europe/Berlin",
            {
                "strategies": "cross: {timeframe: 1d}\n",
                "policy": _calendar("zone: Europe/Berlin", "sessions: [mon-fri 08:00-22:00]"),
            },
            {
                "strategies": "cross: {timeframe: 1d}\n",
                "policy": _calendar("zone: Europe/Berlin", "sessions: [mon-fri 02:00-22:00]"),
            },
        )
    ),
    # A week ends on Monday 00:00 UTC, which is Monday 11:00 or 10:30 on Lord Howe Island.
    mild(
        Example(
            "SESSION_LATE",
            "strategies.yaml:1",
            "they close at 10:30, 11:00 Australia/Lord_Howe",
            {
                "strategies": "cross: {timeframe: 1w}\n",
                "policy": _calendar("zone: Australia/Lord_Howe", "sessions: [tue-sun 00:00-24:00]"),
            },
            {
                "strategies": "cross: {timeframe: 1w}\n",
                "policy": _calendar("zone: Australia/Lord_Howe", "sessions: [mon 10:30-10:31]"),
            },
        )
    ),
)
