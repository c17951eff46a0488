"""One thread that ends requests which take too long in all.

A socket's time-out is per read: a server that sends one byte a second never exceeds it. Lives
here: the list of requests under way and the thread that cuts them when their time is up. Must not
live here: sockets, deadlines of a cycle (the caller's).
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Watchdog:
    """Cuts what is armed and not disarmed in time; its thread starts with the first request."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._due: dict[int, tuple[float, Callable[[], None]]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._next = 0

    def arm(self, seconds: float, cut: Callable[[], None]) -> int:
        """Call `cut` (from the watchdog's thread) after `seconds`; returns a token."""
        with self._changed:
            self._next += 1
            token = self._next
            self._due[token] = (self._monotonic() + seconds, cut)
            # After a fork the thread is gone, and says so.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif min(due for due, _ in self._due.values()) == self._due[token][0]:
                self._changed.notify()
            return token

    def disarm(self, token: int) -> None:
        """The request is over: it will not be cut."""
        with self._changed:
            self._due.pop(token, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                now = self._monotonic()
                late = [token for token, (due, _) in self._due.items() if due <= now]
                cuts = [self._due.pop(token)[1] for token in late]
                if not cuts:
                    soonest = min((due for due, _ in self._due.values()), default=None)
                    self._changed.wait(None if soonest is None else soonest - now)
            for cut in cuts:
                cut()
