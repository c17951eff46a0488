"""Resume: what only a named human, with a reason, may end.

Lives here: a strategy that was off, in shadow or stopped goes on; a calm halt ends; the draw-down's
mark is set anew. Each is one entry of the journal, and nothing else is touched. Must not live here:
the latch of an emergency stop (`kill`), and what the entries mean (`core.fold`).
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from trader.app.kill import named_human
from trader.core.bookkeeping import needs_human
from trader.core.books import Book
from trader.core.state import HALT_LEVELS
from trader.errors import UsageError
from trader.journal.journal import Journal

KILL_RESUME = "trader kill resume --by NAME --reason TEXT"
CALM = "no_entries"


def resume_strategy(
    journal: Journal, known: Collection[str], strategy: str, by: str, reason: str, now_ms: int
) -> str:
    """Let a strategy go on that was off, in shadow or stopped, and count the entries that fill
    without a human from 0; returns what that ended, "" when there was nothing.

    `known`: names of the policy. Raises UsageError for a name that neither policy nor journal
    knows, or without a human and a reason; JournalError.
    """
    by, reason = named_human(by, reason)
    book = journal.state.books.get(strategy)
    if book is None and strategy not in known:
        names = sorted({*known, *journal.state.books})
        close = get_close_matches(strategy, names, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
        raise UsageError(f"there is no strategy {strategy!r}", hint)
    if book is None or not needs_human(book):
        return ""
    why = _ended(book)
    entry = {"strategy": strategy, "by": by, "why": reason, "at_ms": now_ms}
    journal.append("strategy_resumed", entry, now_ms)
    return why


def _ended(book: Book) -> str:
    """What a resume ends, in words."""
    found: list[str] = []
    if book.off_why:
        found.append(f"it was off, {book.off_why}")
    if book.shadow_why:
        found.append(f"it was in shadow, {book.shadow_why}")
    if book.stopped:
        found.append("its draw-down had stopped it")
    filled = book.entries_filled - book.attended
    if filled:
        found.append(f"entries filled since somebody looked: {filled}")
    return "; ".join(found)


def resume_entries(journal: Journal, latch_level: str, by: str, reason: str, now_ms: int) -> bool:
    """End a halt of new entries alone; False when nothing was halted.

    Raises UsageError, naming the command that does it, for a graver halt or a latch.
    """
    by, reason = named_human(by, reason)
    ranks = (HALT_LEVELS.index(journal.state.word("halt_level")), HALT_LEVELS.index(latch_level))
    level = HALT_LEVELS[max(ranks)]
    if ranks[1] or level not in {HALT_LEVELS[0], CALM}:
        raise UsageError(f"the account was stopped at {level} by a kill", f"write {KILL_RESUME}")
    if level != CALM:
        return False
    entry = {"level": HALT_LEVELS[0], "why": reason, "by": by, "at_ms": now_ms}
    journal.append("resume", entry, now_ms)
    return True


def reset_mark(journal: Journal, by: str, reason: str, now_ms: int) -> bool:
    """Accept a draw-down: it is measured anew from the next decision's equity; False when the
    draw-down stopped nothing."""
    by, reason = named_human(by, reason)
    if not journal.state.number("drawdown_stopped"):
        return False
    journal.append("mark_reset", {"by": by, "why": reason, "at_ms": now_ms}, now_ms)
    return True
