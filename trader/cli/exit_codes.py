"""Exit codes in words: what each means and who acts, for the documents.

Lives here: the table (a test holds that every code is in it). Must not live here: the codes.
"""

from __future__ import annotations

from trader.errors import ExitCode

MEANINGS: dict[ExitCode, tuple[str, str]] = {
    ExitCode.OK: ('finished, including "nothing to do" and refusals', "nobody"),
    ExitCode.BUG: ("a bug", "report it with the traceback; `OnFailure=`"),
    ExitCode.USAGE: ("command line or policy", "fix the option or the file"),
    ExitCode.DATA: (
        "data stale, gappy or impossible; nothing could be decided, nothing sent",
        "wait or fetch",
    ),
    ExitCode.VENUE_DOWN: ("venue unavailable before any submit; nothing sent", "the next timer"),
    ExitCode.VENUE_REFUSED: ("the venue refused key, right or instrument", "a human"),
    ExitCode.UNKNOWN_OUTCOME: (
        "outcome unknown: a submit may have landed",
        "the next cycle reconciles; alert",
    ),
    ExitCode.MISMATCH: ("journal and venue disagree; no new risk", "a human"),
    ExitCode.HALTED: (
        "halted: no entries (kill or breaker); exits were looked after as the level allows",
        "see `trader status`",
    ),
    ExitCode.LOCKED: ("another cycle holds the lock", "nobody"),
    ExitCode.JOURNAL: ("journal: disk, schema, corruption", "a human"),
    ExitCode.NOT_CONFIRMED: ("a kill, stop or exit was not confirmed by the venue", "a human, now"),
    ExitCode.PROOF_FAILED: ("verify, replay or parity found a difference", "a human"),
    ExitCode.INTERRUPTED: ("interrupted; the books are clean or resumable", "nobody"),
}
