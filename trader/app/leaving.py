"""Leaving by hand: a named human wants out of one instrument, or of everything.

Lives here: writing it down, what of it is held, and what is left of it afterwards. Each decision
sells what was asked for (`core.exits`), and so does a pass whose decision was made before it
(`core.asked`). Must not live here: orders, the lock, words on the screen.
"""

from __future__ import annotations

from typing import Any

from trader.app.kill import named_human
from trader.core.asked import ALL, left_of
from trader.core.bookkeeping import is_open
from trader.core.scale import text, to_decimal
from trader.core.state import State
from trader.errors import UsageError
from trader.journal.journal import Journal
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is to be left.

    Attributes:
        symbol: the instrument, or `*`. held: instruments of it with a position, sorted. working:
            those on which only an order may still fill.
    """

    symbol: str
    held: tuple[str, ...]
    working: tuple[str, ...]

    @property
    def what(self) -> str:
        """For people."""
        return "every position" if self.symbol == ALL else self.symbol


def ask_exit(journal: Journal, symbol: str, by: str, reason: str, now_ms: int) -> Leaving:
    """Write down who wants out of `symbol` (`*`: of everything), and why.

    Nothing is written when nothing of it is held or on its way. Raises UsageError without a human
    and a reason, JournalError.
    """
    by, reason = named_human(by, reason)
    found = leaving_of(journal.state, symbol)
    if found.held or found.working:
        entry = {"symbol": symbol, "by": by, "why": reason, "at_ms": now_ms}
        journal.append("exit_asked", entry, now_ms)
    elif symbol != ALL:
        held = ", ".join(leaving_of(journal.state, ALL).held)
        hint = f"there are positions in {held}" if held else "there is no position at all"
        raise UsageError(f"nothing of {symbol} is held that could be sold", hint)
    return found


def withdraw_exit(journal: Journal, symbol: str, by: str, reason: str, now_ms: int) -> bool:
    """Take back what was asked for; False when nobody asks for it.

    What an instrument that the venue does not trade any more would keep open for good, a named
    human ends. Raises UsageError without a human and a reason, JournalError.
    """
    by, reason = named_human(by, reason)
    row = journal.state.asked.get(symbol)
    if row is None or int(row["done_ms"]) >= 0:
        return False
    entry = {"symbol": symbol, "at_ms": now_ms, "by": by, "why": reason}
    journal.append("exit_done", entry, now_ms)
    return True


def leaving_of(state: State, symbol: str) -> Leaving:
    """What of it is held, or may still be bought."""
    left = left_of(state, symbol)
    held = tuple(name for name in left if _is_held(state, name))
    return Leaving(symbol, held, tuple(name for name in left if name not in held))


def _is_held(state: State, symbol: str) -> bool:
    position = state.positions.get(symbol)
    return position is not None and is_open(position, state.spec(symbol))


def left_rows(state: State, symbol: str) -> list[dict[str, Any]]:
    """What is left of it, for people: instrument, quantity of its position, orders that may still
    fill; decimals as text."""
    rows: list[dict[str, Any]] = []
    for name in left_of(state, symbol):
        position, spec = state.positions.get(name), state.spec(name)
        units = position.own_units if position is not None else 0
        working = sum(1 for order in state.orders_of(name) if order.working)
        qty = text(to_decimal(units, spec.base_unit))
        rows.append({"symbol": name, "qty": qty, "orders": working})
    return rows
