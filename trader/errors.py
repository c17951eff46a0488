"""The error tree and the exit codes.

Lives here: every exception that ends a run, with the exit code that systemd and cron branch on and
a hint that says what to do. A class exists only where a handler differs. Expected outcomes (a
refusal, a rejected order, an unknown outcome) are values, not exceptions, and do not live here.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a finished process tells its caller; stable and documented (docs/cli.md)."""

    OK = 0
    BUG = 1
    USAGE = 2
    DATA = 3
    VENUE_DOWN = 4
    VENUE_REFUSED = 5
    UNKNOWN_OUTCOME = 6
    MISMATCH = 7
    HALTED = 8
    LOCKED = 9
    JOURNAL = 10
    NOT_CONFIRMED = 11
    PROOF_FAILED = 12
    INTERRUPTED = 130


# When several conditions hold at the end of a run, the first of these wins.
SEVERITY = (
    ExitCode.BUG,
    ExitCode.JOURNAL,
    ExitCode.NOT_CONFIRMED,
    ExitCode.MISMATCH,
    ExitCode.UNKNOWN_OUTCOME,
    ExitCode.VENUE_REFUSED,
    ExitCode.PROOF_FAILED,
    ExitCode.USAGE,
    ExitCode.VENUE_DOWN,
    ExitCode.DATA,
    ExitCode.HALTED,
)


def worst(codes: list[ExitCode]) -> ExitCode:
    """The code to exit with when all of `codes` hold; OK when there is none."""
    return next((code for code in SEVERITY if code in codes), ExitCode.OK)


class TraderError(Exception):
    """A run cannot go on. `what` names the thing and the place, `hint` says what to do."""

    code: ExitCode = ExitCode.BUG

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what if not hint else f"{what}; {hint}")
        self.what = what
        self.hint = hint


class UsageError(TraderError):
    """The command line or a policy file is wrong: the user edits it."""

    code = ExitCode.USAGE


class DataError(TraderError):
    """Market data is missing, stale or impossible: the user waits, fetches or repairs it."""

    code = ExitCode.DATA


class VenueUnavailable(TraderError):
    """The venue did not answer sensibly and nothing was sent: the next timer tries again.

    `retry_at_ms`: the venue asked for silence until then (epoch ms); 0 when it named no time.
    """

    code = ExitCode.VENUE_DOWN

    def __init__(self, what: str, hint: str = "", *, retry_at_ms: int = 0) -> None:
        super().__init__(what, hint)
        self.retry_at_ms = retry_at_ms


class VenueRefused(TraderError):
    """The venue refused the key, a right or an instrument: a human looks at the account."""

    code = ExitCode.VENUE_REFUSED


class LockHeld(TraderError):
    """Another cycle holds the lock: nobody needs to act."""

    code = ExitCode.LOCKED


class JournalError(TraderError):
    """The journal is locked, read-only, full, of a newer schema or corrupt."""

    code = ExitCode.JOURNAL


class ProofFailed(TraderError):
    """Verify, replay or parity found a difference."""

    code = ExitCode.PROOF_FAILED
