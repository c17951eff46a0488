"""Books of strategies as plain data, decimals as text: what status and reports show of each.

Lives here: one row per strategy that the policy names or that has a book. Must not live here:
layout, and what a book is (`core.books`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from trader.app.day_rows import today_row
from trader.core.books import Book
from trader.core.scale import text, to_decimal, value_of_base_down
from trader.core.state import State

# By name: whether it may open positions, and whether it only watches.
Flags = Mapping[str, tuple[bool, bool]]


def book_rows(state: State, flags: Flags, marks: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row per strategy, by name. `marks`: by symbol, the price of what is held, ticks; what
    has none counts at what was paid for it."""
    names = sorted({*flags, *state.books})
    return [_row(state, name, flags, marks) for name in names]


def _row(state: State, name: str, flags: Flags, marks: Mapping[str, int]) -> dict[str, Any]:
    held = [h for h in state.holdings.values() if h.strategy == name and h.qty_units > 0]
    value = cost = 0
    for holding in held:
        spec, ticks = state.spec(holding.symbol), marks.get(holding.symbol, 0)
        cost += holding.cost_units
        value += (
            value_of_base_down(spec, ticks, holding.qty_units) if ticks > 0 else holding.cost_units
        )
    book = state.books.get(name) or Book({"strategy": name})
    result = book.cash_units + value
    fallen = max(0, book.high_units - result)
    return {
        "strategy": name,
        "state": state_word(flags.get(name), book),
        "off_why": book.off_why,
        "day": today_row(state, name),
        "positions": _owned(state, name),
        "fills": book.fills,
        "wins": book.wins,
        "losses": book.losses,
        "unattended": book.entries_filled - book.attended,
        "high": cash_text(state, book.high_units),
        "cash_flow": cash_text(state, book.cash_units),
        "fees": cash_text(state, book.fees_units),
        "realised_result": cash_text(state, book.realised_units),
        "open_result": cash_text(state, value - cost),
        "result": cash_text(state, result),
        "drawdown": cash_text(state, fallen),
        "drawdown_max": cash_text(state, max(fallen, book.drawdown_units)),
    }


def book_briefs(state: State, flags: Flags) -> list[dict[str, Any]]:
    """What a cycle leaves of each strategy in status.json: results as the newest plan told them."""
    rows: list[dict[str, Any]] = []
    for name in sorted({*flags, *state.books}):
        book = state.books.get(name) or Book({"strategy": name})
        rows.append(
            {
                "strategy": name,
                "state": state_word(flags.get(name), book),
                "off_why": book.off_why,
                "day": today_row(state, name),
                "positions": _owned(state, name),
                "realised_result": cash_text(state, book.realised_units),
                "result": cash_text(state, book.result_units),
                "drawdown_max": cash_text(state, book.drawdown_units),
            }
        )
    return rows


def state_word(flags: tuple[bool, bool] | None, book: Book) -> str:
    """`failed`, `gone` (from the policy), `off`, `stopped` (by its draw-down), `shadow`, `on`: the
    first that holds."""
    if book.off_why:
        return "failed"
    if flags is None:
        return "gone"
    enabled, shadow = flags
    if not enabled:
        return "off"
    if book.stopped:
        return "stopped"
    return "shadow" if shadow or book.shadow_why else "on"


def flags_of(form: Mapping[str, Any]) -> Flags:
    """Of every strategy that a checked policy names."""
    return {
        str(name): (bool(row.get("enabled", True)), bool(row.get("shadow", False)))
        for name, row in form.get("strategies", {}).items()
    }


def _owned(state: State, name: str) -> list[str]:
    positions: Iterable[tuple[str, Any]] = sorted(state.positions.items())
    return [symbol for symbol, position in positions if position.strategy == name]


def cash_text(state: State, units: int) -> str:
    """Cash units as exact decimal text."""
    return text(to_decimal(units, Decimal(1).scaleb(-state.number("cash_digits"))))
