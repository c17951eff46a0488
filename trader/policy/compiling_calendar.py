"""Day and calendar of a policy: zones and windows as texts become numbers beside them.

Lives here: what a policy says about local time, as the plain data that a checked form keeps, so
that a cycle and a replay need no zone database. Must not live here: the models (see
`schema_calendar`), whether it makes sense (see `coherence_calendar`), and building `core.limits`
(see `parameters_calendar`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trader.policy.checked import Form
from trader.policy.clock_kinds import UTC
from trader.policy.wall_times import DAY_MS, moment_ms, parse_date, week_spans

NAMES_MAX = 3
Window = list[int | str]


def compile_calendar(form: Form) -> None:
    """Puts the tables of the account's day and of the calendar into the form."""
    day, calendar = form["policy"]["day"], form["policy"]["calendar"]
    day["table"] = zone_row(day["zone"])
    calendar["table"] = {
        **zone_row(calendar["zone"]),
        "sessions": week_windows(calendar["sessions"]),
        "weekly": week_windows(calendar["weekly"]),
        "dated": dated_windows(calendar["dated"], calendar["holidays"]),
    }


def zone_row(name: str) -> dict[str, Any]:
    """A zone's offsets as lists; nothing for UTC, which needs none."""
    if name == UTC:
        return {}
    from trader.policy.zones import zone_offsets  # half a policy's time, for those who need it

    found = zone_offsets(name)
    return {
        "starts": list(found.starts_ms),
        "offsets": list(found.offsets_ms),
        "ends": found.ends_ms,
    }


def week_windows(texts: Sequence[str]) -> list[Window]:
    """[start, end, name] of each span of a week, minutes since Monday 00:00; a name has no
    spaces."""
    return [
        [start, end, text.replace(" ", "_")] for text in texts for start, end in week_spans(text)[1]
    ]


def dated_windows(rows: Sequence[Mapping[str, str]], holidays: Sequence[str]) -> list[Window]:
    """[start, end, name] in wall time, milliseconds; sorted; those that overlap are made one."""
    found: list[tuple[int, int, str]] = [
        (
            moment_ms(row["from"]),
            moment_ms(row["to"]),
            row["name"] or row["from"].replace(" ", "_"),
        )
        for row in rows
    ]
    for text in holidays:
        start = parse_date(text) * DAY_MS
        found.append((start, start + DAY_MS, f"holiday_{text}"))
    joined: list[Window] = []
    names: list[str] = []
    end_ms = 0
    for start, end, name in sorted(found):
        if not joined or start >= end_ms:
            joined.append([start, end, name])
            names, end_ms = [name], end
            continue
        end_ms = max(end_ms, end)
        names = list(dict.fromkeys([*names, name]))
        more = ["more"] if len(names) > NAMES_MAX else []
        joined[-1] = [joined[-1][0], end_ms, "+".join([*names[:NAMES_MAX], *more])]
    return joined
