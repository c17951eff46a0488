"""How far long work is: one line on stderr that is written over, without rich.

Lives here: when a line is due, and what it says. Must not live here: the work.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from trader.cli.times import span

# Nothing is said of what is done within this time; then so often.
PATIENCE_S, EACH_S = 1.0, 0.2
Advance = Callable[[int, int], None]


class ProgressLine:
    """`of(what)` gives a callable(done, total); `close` takes the line away."""

    def __init__(self) -> None:
        """The clock starts now."""
        self._began = time.monotonic()
        self._due = self._began + PATIENCE_S
        self._shown = 0

    def of(self, what: str) -> Advance:
        """Progress of one piece of work."""
        began = time.monotonic()

        def advance(done: int, total: int) -> None:
            now = time.monotonic()
            if now >= self._due and total > 0:
                self._due = now + EACH_S
                left = (now - began) / done * (total - done) if done else 0.0
                more = f", {span(int(left * 1000))} left" if done else ""
                self._say(f"{what}: {100 * done // total} %{more}")

        return advance

    def close(self) -> None:
        """Leave the line as it was before."""
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0

    def _say(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(text)


@contextmanager
def progress_line(*, asked: bool) -> Generator[ProgressLine | None]:
    """A line for whoever waits at a terminal, or `asked` for one; else None."""
    waits = sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}
    if not (asked or waits):
        yield None
        return
    line = ProgressLine()
    try:
        yield line
    finally:
        line.close()
