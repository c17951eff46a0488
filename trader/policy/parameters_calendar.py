"""Day and calendar of a checked form -> `core.limits`.

Lives here: the tables that `compiling_calendar` made become the core's values, once. Imports
neither yaml, pydantic nor a zone database. Must not live here: checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.core.limits import Calendar, Dated, Day, Weekly, Zone

Row = Mapping[str, Any]


def build_day(row: Row) -> Day:
    """The account's day."""
    hours, _, minutes = row["starts_at"].partition(":")
    return Day(_zone(row), int(hours) * 60 + int(minutes))


def build_calendar(row: Row) -> Calendar:
    """When entries are allowed."""
    table = row["table"]
    return Calendar(
        zone=_zone(row),
        sessions=tuple(Weekly(*window) for window in table["sessions"]),
        weekly=tuple(Weekly(*window) for window in table["weekly"]),
        dated=tuple(Dated(*window) for window in table["dated"]),
    )


def _zone(row: Row) -> Zone:
    """Without a table it is UTC."""
    table = row["table"]
    if "starts" not in table:
        return Zone()
    return Zone(row["zone"], tuple(table["starts"]), tuple(table["offsets"]), table["ends"])
