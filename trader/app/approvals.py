"""Approvals: which code, policy and lock file entries may leave under.

Lives here: writing down that a named human approved what runs now. Must not live here: what it
permits (`core.risk_gates`), and what is shown of it (`status`).
"""

from __future__ import annotations

from trader.app.kill import named_human
from trader.core.risk_gates import HASHES, unapproved
from trader.core.snapshot import Running
from trader.errors import UsageError
from trader.journal.journal import Journal


def approve(journal: Journal, running: Running, by: str, reason: str, now_ms: int) -> list[str]:
    """Approve the three hashes of what runs; returns which of them differ from what was approved
    before, none when nothing changed (then nothing is written).

    Raises UsageError without a human and a reason, or before books are opened; JournalError.
    """
    by, reason = named_human(by, reason)
    if not journal.state.word("account"):
        raise UsageError(
            f"the journal {journal.path} has no books yet", "run `trader cycle` once, then approve"
        )
    changed = unapproved(journal.state, running)
    if changed:
        hashes = {name: str(getattr(running, name)) for name in HASHES}
        journal.append("approval", {**hashes, "by": by, "why": reason, "at_ms": now_ms}, now_ms)
    return changed
