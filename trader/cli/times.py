"""Times for people."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(at_ms: int) -> str:
    """`2024-01-31 23:59:00Z`; `never` for a time that is not there (-1)."""
    if at_ms < 0:
        return "never"
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
