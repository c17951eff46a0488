"""The schema of day and calendar in policy.yaml: every key with its description and default.

Lives here: models. Must not live here: what a local time is (see `core.calendar`), how the texts
become windows (see `compiling_calendar`), and rules between keys (see `coherence_calendar`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_serializer, model_validator

from trader.policy.clock_kinds import LocalDate, LocalMoment, TimeOfDay, WeekWindow, ZoneName
from trader.policy.fields import Name
from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText
from trader.policy.schema_base import Section
from trader.policy.wall_times import moment_ms

CALENDAR_FILE = r"[a-z0-9][a-z0-9_-]{0,60}\.yaml"
WINDOWS_MAX = 100
DATES_MAX = 2_000
Windows = Annotated[list[Annotated[str, WeekWindow()]], Field(max_length=WINDOWS_MAX)]
Dates = Annotated[list[Annotated[str, LocalDate()]], Field(max_length=DATES_MAX)]
WindowName = Annotated[
    str, Name("[A-Za-z0-9][A-Za-z0-9._+-]{0,39}", "a name without spaces, at most 40 long", True)
]
FileName = Annotated[
    str, Name(CALENDAR_FILE, "the name of a YAML file beside policy.yaml: calendar.yaml", True)
]


class Day(Section):
    """The account's day: what the day's stop, the results per day and the weeks are counted in."""

    zone: Annotated[str, ZoneName()] = Field(
        default="UTC", description="time zone of the account's day, such as Europe/Berlin"
    )
    starts_at: Annotated[str, TimeOfDay()] = Field(
        default="00:00", description="local time at which the account's day begins"
    )


class Closed(Section):
    """A window of dates in which nothing is opened."""

    from_: Annotated[str, LocalMoment()] = Field(
        alias="from",
        default="",
        validate_default=False,
        description="local date, or date and time, at which it begins, such as 2026-12-24 18:00",
    )
    to: Annotated[str, LocalMoment(last=True)] = Field(
        default="",
        validate_default=False,
        description="local date and time at which it ends; a date alone: the end of that day",
    )
    name: WindowName = Field(default="", description="what refusals call it; empty: its begin")

    @model_validator(mode="after")
    def _forward(self) -> Closed:
        for name, text in (("from", self.from_), ("to", self.to)):
            if not text:
                hint = "write 2026-12-24, or 2026-12-24 18:00"
                raise BadText(Code.NO_VALUE, f"has no `{name}`", hint)
        begins, ends = moment_ms(self.from_), moment_ms(self.to)
        if ends <= begins:
            what = "is empty" if ends == begins else "ends before it begins"
            say = f"the window from {shown(self.from_)} to {shown(self.to)} {what}"
            raise BadText(Code.WINDOW_EMPTY, say, "write the earlier one first")
        return self

    @model_serializer
    def _row(self) -> dict[str, str]:
        return {"from": self.from_, "to": self.to, "name": self.name}


class Calendar(Section):
    """When entries are allowed. Exits and protective stops never ask."""

    zone: Annotated[str, ZoneName()] = Field(
        default="UTC", description="time zone of every time in the calendar"
    )
    sessions: Windows = Field(
        default=[],
        description="windows of the week in which entries are allowed, such as "
        "mon-fri 08:00-22:00; none: always",
    )
    weekly: Windows = Field(
        default=[],
        description="windows of the week in which nothing is opened, such as sun 20:00-24:00",
    )
    dated: Annotated[list[Closed], Field(max_length=DATES_MAX)] = Field(
        default=[],
        description="windows in which nothing is opened, rows of from, to and name; a date alone "
        "means all of that day",
    )
    holidays: Dates = Field(
        default=[], description="local days on which nothing is opened, such as 2026-12-25"
    )
    file: FileName = Field(
        default="",
        description="a YAML file beside policy.yaml with more of weekly, dated and holidays; "
        "empty: none",
    )
