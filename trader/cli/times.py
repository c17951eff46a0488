"""Times for people."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(at_ms: int) -> str:
    """`2024-01-31 23:59:00Z`; `never` for a time that is not there (-1)."""
    if at_ms < 0:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def minute(at_ms: int) -> str:
    """`2024-01-31 23:59Z`: a bar's time, for lines that have to be short."""
    shown = utc(at_ms)
    return shown.removesuffix(":00Z") + "Z" if shown.endswith(":00Z") else shown


def span(ms: int) -> str:
    """A stretch of time, in its two largest units."""
    minutes = ms // 60_000
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if not minutes:
        return f"{ms // 1000}s"
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {rest}m" if hours else f"{rest}m"
