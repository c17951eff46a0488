"""`trader paper --watch`: pass after pass until a signal, shown as it goes.

Lives here: when the next pass is due, which failures a watch outlives, and the screen. Must not
live here: what a pass does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trader.cli.output import draws, print_lines, say
from trader.cli.passes import Pass, one_pass, show_pass, trail_lines
from trader.cli.times import span, utc
from trader.errors import ExitCode, TraderError
from trader.records import dataclass, field
from trader.wiring import Setup, stop_on_signals

if TYPE_CHECKING:
    from rich.console import RenderableType

# The timer's own second: venues need a moment before a closed bar is in their answers.
SETTLED_MS = 5_000
RETRY_MS = 60_000
LOOK_S = 0.2
SHOWN_LINES = 12
# What passes by itself: the next pass may well succeed.
PASSING = frozenset({ExitCode.DATA, ExitCode.VENUE_DOWN, ExitCode.LOCKED})


@dataclass(slots=True)
class Watch:
    """A watch in progress.

    Attributes:
        lines: the last finished pass in words. trouble: why the pass after it failed; "" if not.
        due_ms: when the next pass begins, epoch ms; -1 while one is under way.
    """

    setup: Setup
    verbose: int
    lines: list[str] = field(default_factory=list[str])
    trouble: str = ""
    due_ms: int = -1
    failed: int = 0

    @property
    def mode(self) -> str:
        """The mode that every line names."""
        return self.setup.run.parameters.mode

    def take_pass(self) -> Pass | None:
        """One pass; None when it failed in a way that passes. Raises the other TraderErrors."""
        step_ms = self.setup.run.parameters.step_ms
        began_ms = self.setup.clock.now_ms()
        self.due_ms = (began_ms // step_ms + 1) * step_ms + SETTLED_MS
        try:
            done = one_pass(self.setup)
        except TraderError as error:
            if error.code not in PASSING:
                raise
            self.failed += 1
            self.trouble = f"pass failed with exit code {int(error.code)}: {error}"
            self.due_ms = min(self.due_ms, self.setup.clock.now_ms() + RETRY_MS)
            return None
        self.trouble = ""
        # A screen has no second stream to ask with -v: it always shows the answers.
        self.lines = [*done.lines, *trail_lines(done, max(self.verbose, 1))]
        return done


def watch_paper(setup: Setup, verbose: int) -> int:
    """Pass after pass until a signal; each at the fifth second after its bar's close."""
    watch = Watch(setup, verbose)
    with stop_on_signals(setup.stop), _shower(watch) as (finished, look):
        while not setup.stop():
            watch.due_ms = -1
            look()
            finished(watch.take_pass())
            while not setup.stop() and setup.clock.now_ms() < watch.due_ms:
                look()
                setup.run.sleep(LOOK_S)
    say(watch.mode, "watch ended by a signal, between two passes")
    return int(ExitCode.INTERRUPTED)


Finished = Callable[[Pass | None], None]
Look = Callable[[], None]


@contextmanager
def _shower(watch: Watch) -> Generator[tuple[Finished, Look]]:
    """What to do after each pass, and what to do while waiting."""
    if not draws():
        yield (lambda done: _say_pass(watch, done)), (lambda: None)
        return
    from trader.cli.status_tables import live_screen

    with live_screen() as show:
        rows: list[dict[str, Any]] = []
        shown_s = [-1]

        def finished(_: Pass | None) -> None:
            rows[:] = _rows(watch)

        def look() -> None:
            second = watch.setup.clock.now_ms() // 1000 if watch.due_ms >= 0 else -1
            if second < 0 or second != shown_s[0]:
                shown_s[0] = second
                show(_view(watch, rows))

        yield finished, look


def _say_pass(watch: Watch, done: Pass | None) -> None:
    """Plain lines, for a file or a pipe."""
    if done is None:
        print_lines(watch.mode, [watch.trouble])
    else:
        show_pass(watch.setup, done, as_json=False, verbose=watch.verbose)
    sys.stdout.flush()
    say(watch.mode, f"next pass at {utc(watch.due_ms)}; Ctrl-C ends")


def _rows(watch: Watch) -> list[dict[str, Any]]:
    """The account as it is after a pass; read once, not at every look."""
    from trader.app.status import account_folders, read_status
    from trader.cli.statuses import status_row

    folder = watch.setup.places.folder
    if folder not in account_folders(folder.parent):
        return []
    # Not overdue: the watch itself waits for the moment.
    return [{**status_row(read_status(folder), 0), "overdue_ms": 0}]


def _view(watch: Watch, rows: list[dict[str, Any]]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from trader.cli.status_tables import account_frame, fitted

    now_ms = watch.setup.clock.now_ms()

    # The watch's own next pass, not the timer's.
    due = {"next_due_ms": watch.due_ms} if watch.due_ms >= 0 else {}
    shown = watch.lines[:SHOWN_LINES]
    more = len(watch.lines) - len(shown)
    parts: list[RenderableType] = [
        account_frame({**row, **due}, now_ms, watch.verbose) for row in rows
    ]
    parts += [Text(f"[{watch.mode}] {line}") for line in shown]
    if more:
        parts.append(Text(f"[{watch.mode}] and {more} lines more: see `trader audit explain`"))
    if watch.trouble:
        parts.append(Text(f"[{watch.mode}] {watch.trouble}", style="bold red"))
    return fitted(_countdown(watch), Group(*parts))


def _countdown(watch: Watch) -> str:
    failed = f"; {watch.failed} failed so far" if watch.failed else ""
    if watch.due_ms < 0:
        return f"pass under way ...{failed}; Ctrl-C ends after it"
    left_ms = max(0, watch.due_ms - watch.setup.clock.now_ms())
    return f"next pass in {span(left_ms)}, at {utc(watch.due_ms)}{failed}; Ctrl-C ends"
