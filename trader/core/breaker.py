"""The breaker: when a venue that fails is left alone, and how it is tried again.

Lives here: what counts as the venue's fault, and how long entries still have to wait. Closed: fewer
faults in a row than the policy allows. Open: that many, and nothing is opened until the venue was
left alone for `rest_ms`. Half-open: then one entry may try; accepted, it closes the breaker, else
the rest begins anew. A row of faults is broken by an accepted order, and while the breaker is
closed a failed read by a pass whose reads are answered. Must not live here: the count (`fold`).
"""

from __future__ import annotations

from trader.core.limits import Breaker
from trader.core.state import State

# Why an order did not leave, where this side kept it and not the venue.
OWN_CODES = frozenset({"LATCHED", "aborted", "altered", "deadline", "not_built", "wrong_host"})
# What the reason of a fault begins with when a pass could not read.
READS = "reads"


def is_fault(outcome: str, code: str) -> bool:
    """Whether what came of a submit is the venue's fault: nobody knows (no answer, a 5xx, in
    maintenance, asked to wait), or no connection was made."""
    return outcome == "unknown" or (outcome == "not_sent" and code not in OWN_CODES)


def is_open(state: State, limits: Breaker) -> bool:
    """Whether there were as many faults in a row as are allowed; half-open counts as open."""
    return 0 < limits.faults_max <= state.number("venue_faults")


def wait_ms(state: State, limits: Breaker, now_ms: int) -> int:
    """How long entries must still leave the venue alone; 0 when one may be sent.

    The rest counts from the newest fault or the newest entry sent since, whichever is later: a try
    whose end nobody knows is not followed by another one before its time.
    """
    if not is_open(state, limits):
        return 0
    since_ms = max(state.number("venue_fault_ms"), state.number("venue_try_ms"))
    return max(0, since_ms + limits.rest_ms - now_ms)


def reads_close(state: State, limits: Breaker) -> bool:
    """Whether a pass whose reads were answered breaks the row of faults."""
    failed = state.number("venue_faults") > 0 and state.word("venue_fault_why").startswith(READS)
    return failed and not is_open(state, limits)
