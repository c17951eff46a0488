"""Kinds of values that are told by a clock: zones, times of day, dates and windows.

Lives here: the types that `schema_calendar` annotates its keys with. Must not live here: keys, and
what the texts mean (see `wall_times`, `zones`).
"""

from __future__ import annotations

import difflib
from typing import Any

from trader.policy import wall_times
from trader.policy.fields import Kind
from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText
from trader.records import dataclass

UTC = "UTC"
_DATE_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True)
class ZoneName(Kind):
    """A zone of the database such as Europe/Berlin, spelled as there."""

    def convert(self, text: str) -> str:
        """See Kind."""
        if text == UTC:
            return text
        from trader.policy.zones import zone_names  # half a policy's time, for those who need it

        names = zone_names()
        if text in names:
            return text
        raise BadText(Code.ZONE_UNKNOWN, f"{shown(text)} is no time zone", _zone_hint(text, names))

    def words(self) -> str:
        """See Kind."""
        return "time zone such as Europe/Berlin"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_+/-]{1,63}$"}


def _zone_hint(text: str, names: tuple[str, ...]) -> str:
    folded = {name.lower(): name for name in names}
    word = text.lower().replace(" ", "_")
    if word in folded:
        return f"did you mean {folded[word]}"
    places = {name.rpartition("/")[2]: folded[name] for name in folded}
    place = word.rpartition("/")[2]
    near = difflib.get_close_matches(word, folded, n=1, cutoff=0.75)
    near_place = difflib.get_close_matches(place, places, n=1, cutoff=0.75)
    if near:
        return f"did you mean {folded[near[0]]}"
    if near_place:
        return f"did you mean {places[near_place[0]]}"
    return "write a place, which knows when its clocks change: Europe/Berlin; or UTC"


@dataclass(frozen=True)
class TimeOfDay(Kind):
    """`08:30`."""

    def convert(self, text: str) -> str:
        """See Kind."""
        return wall_times.minutes_text(wall_times.parse_minutes(text))

    def words(self) -> str:
        """See Kind."""
        return "time of day, 00:00 to 23:59"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}


@dataclass(frozen=True)
class LocalDate(Kind):
    """`2026-12-24`."""

    def convert(self, text: str) -> str:
        """See Kind."""
        wall_times.parse_date(text)
        return text

    def words(self) -> str:
        """See Kind."""
        return f"date, {wall_times.FIRST_YEAR}-01-01 to {wall_times.LAST_YEAR}-12-31"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "pattern": f"^{_DATE_PATTERN}$"}


@dataclass(frozen=True)
class LocalMoment(Kind):
    """`2026-12-24 18:00`, or a date alone: its begin, or with `last` its end."""

    last: bool = False

    def convert(self, text: str) -> str:
        """See Kind."""
        return wall_times.moment_text(text, last=self.last)

    def words(self) -> str:
        """See Kind."""
        return "date, or date and time"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        time = "([01][0-9]|2[0-4]):[0-5][0-9]"
        return {"type": "string", "pattern": f"^{_DATE_PATTERN}([ T]{time})?$"}


@dataclass(frozen=True)
class WeekWindow(Kind):
    """`mon-fri 08:00-22:00`, or `fri 22:00-sun 22:00`."""

    def convert(self, text: str) -> str:
        """See Kind."""
        return wall_times.week_spans(text)[0]

    def words(self) -> str:
        """See Kind."""
        return "window of a week such as mon-fri 08:00-22:00"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string"}
