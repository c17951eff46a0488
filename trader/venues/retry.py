"""Reads are tried again; nothing else ever is.

Lives here: the one retry rule, for idempotent reads: a few attempts, random growing pauses, never
past the caller's deadline. Must not live here: submits and cancels, which are sent once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from trader.errors import VenueUnavailable

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

ATTEMPTS_MAX = 4
PAUSE_S_FIRST = 0.1
PAUSE_S_MAX = 2.0


class Unwell(VenueUnavailable):
    """A read that may succeed in a moment. Not one that the venue named a time to wait for, that
    was stopped here, or that the end of the run interrupts."""


def worth_retrying(error: BaseException) -> bool:
    """Whether the same read may succeed in a moment."""
    return isinstance(error, Unwell)


def read_again(
    attempt: Callable[[], T],
    *,
    deadline_s: float | None,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> T:
    """What `attempt` returns, after at most ATTEMPTS_MAX calls; raises its last error.

    `deadline_s` is in monotonic seconds: no pause may end after it.
    """
    try:
        return attempt()
    except Unwell as error:
        failed: list[Unwell] = [error]
    # Costs as much as three bare interpreters, so it is imported when something failed.
    from tenacity import Retrying, retry_if_exception, wait_random_exponential

    def stop(state: RetryCallState) -> bool:
        if state.attempt_number >= ATTEMPTS_MAX:
            return True
        return deadline_s is not None and monotonic() + state.upcoming_sleep >= deadline_s

    def first_as_it_was() -> T:
        if failed:
            raise failed.pop()
        return attempt()

    retrying = Retrying(
        sleep=sleep,
        stop=stop,
        wait=wait_random_exponential(multiplier=PAUSE_S_FIRST, max=PAUSE_S_MAX),
        retry=retry_if_exception(worth_retrying),
        reraise=True,
    )
    return retrying(first_as_it_was)
