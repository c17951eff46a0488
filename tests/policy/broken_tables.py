"""Every table of broken policies: what the tests run, and `scripts/prove/policy_errors.py`.

Lives here: the tables by file, and their rows in order. Must not live here: rows.
"""

from __future__ import annotations

from . import (
    broken_app,
    broken_calendar,
    broken_orders,
    broken_policy,
    broken_signals,
    broken_strategies,
    broken_text,
    broken_universe,
)
from .broken_kinds import Row

# By file: the breaks that only it can have. Every file also has those of any text.
TABLES = {
    "app": broken_app.ROWS,
    "policy": [*broken_policy.ROWS, *broken_calendar.ROWS, *broken_orders.ROWS],
    "universe": broken_universe.ROWS,
    "signals": broken_signals.ROWS,
    "strategies": broken_strategies.ROWS,
}


def rows_with_text(file: str) -> list[Row]:
    """All rows of one file: those of any text, then its own."""
    return [*broken_text.rows(file), *TABLES[file]]


def all_rows() -> list[Row]:
    """Every row of every table."""
    return [row for file in TABLES for row in rows_with_text(file)]
