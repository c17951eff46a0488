"""Time zones by name -> tables of offsets, from the zone database that is installed with us.

Lives here: the only reader of `tzdata` and `zoneinfo`, loaded when a policy with a zone is checked;
a checked form holds the table, so that neither a cycle nor a replay needs either. Must not live
here: what a local time means (`core.calendar`).

The package's files are read, not the host's: two hosts with one lock file have one calendar.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import tzdata

from trader.records import dataclass

FIRST_YEAR = 2009
LAST_YEAR = 2050
_FOLDER = Path(tzdata.__file__).parent
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Offsets:
    """From `starts_ms[i]` (UTC) on, `offsets_ms[i]` is added to UTC; known up to `ends_ms`."""

    starts_ms: tuple[int, ...]
    offsets_ms: tuple[int, ...]
    ends_ms: int


@cache
def zone_names() -> tuple[str, ...]:
    """Every zone of the database, sorted."""
    return tuple(sorted((_FOLDER / "zones").read_text(encoding="utf-8").split()))


@cache
def zone_offsets(name: str) -> Offsets:
    """The offsets of a zone from FIRST_YEAR to LAST_YEAR; KeyError when it does not exist.

    A change is looked for day by day and found to the second, which is how exact the database is.
    Two changes within a day that undo each other would be missed; no zone has had that since 1970,
    and a proof compares every table with the database's own list of changes.
    """
    if name not in zone_names():
        raise KeyError(name)
    with (_FOLDER / "zoneinfo" / name).open("rb") as stream:
        zone = ZoneInfo.from_file(stream, key=name)
    here_s = _year_s(FIRST_YEAR)
    end_s = _year_s(LAST_YEAR + 1)
    offset_s = _offset_s(zone, here_s)
    starts, offsets = [here_s], [offset_s]
    while here_s < end_s:
        there_s = min(here_s + _DAY_S, end_s)
        if _offset_s(zone, there_s) == offset_s:
            here_s = there_s
            continue
        here_s = _first_other_s(zone, here_s, there_s)
        offset_s = _offset_s(zone, here_s)
        if here_s < end_s:
            starts.append(here_s)
            offsets.append(offset_s)
    return Offsets(
        tuple(start * 1000 for start in starts),
        tuple(offset * 1000 for offset in offsets),
        end_s * 1000,
    )


def _first_other_s(zone: ZoneInfo, low_s: int, high_s: int) -> int:
    """The first second of (low, high] whose offset is not that of `low_s`."""
    before_s = _offset_s(zone, low_s)
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if _offset_s(zone, middle_s) == before_s:
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s


def _offset_s(zone: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    if offset is None:
        raise AssertionError(f"{zone.key} has no offset")
    return offset.days * _DAY_S + offset.seconds


def _year_s(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
