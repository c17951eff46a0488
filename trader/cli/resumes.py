"""`trader resume`: a strategy that was stopped, a calm halt, the mark; by a named human.

Lives here: which of the three is meant, and the words about it. Must not live here: what ends
(`app.resumes`); `trader kill resume` ends an emergency stop.
"""

from __future__ import annotations

from typing import Annotated

import typer

from trader.app.resumes import reset_mark, resume_entries, resume_strategy
from trader.cli.given import account_setup, setup_options
from trader.cli.kills import By, Reason
from trader.cli.output import print_lines
from trader.cli.typed import Config, Now, StateDir
from trader.errors import UsageError
from trader.ops.lock import hold
from trader.wiring import open_journal


def resume(
    *,
    config: Config,
    state_dir: StateDir,
    now: Now,
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="Let this strategy go on: off, in shadow, stopped.")
    ] = "",
    mark: Annotated[
        bool, typer.Option("--mark", help="Measure the draw-down anew from the next decision.")
    ] = False,
    by: By = "",
    reason: Reason = "",
) -> int:
    """Go on with entries, or with one strategy: by a named human, with a reason."""
    if strategy and mark:
        raise UsageError("--strategy and --mark are two things", "give one of them")
    setup = account_setup(setup_options(config, state_dir, now), decides=False)
    with hold(setup.places.lock), open_journal(setup) as journal:
        now_ms = setup.clock.now_ms()
        if strategy:
            known = [spec.name for spec in setup.run.parameters.strategies]
            why = resume_strategy(journal, known, strategy, by, reason, now_ms)
            done, nothing = bool(why), f"strategy {strategy} needs nobody"
            said = f"strategy {strategy} goes on: {why}"
        elif mark:
            done, nothing = reset_mark(journal, by, reason, now_ms), "no draw-down stops entries"
            said = "the draw-down is measured from the next decision on"
        else:
            done = resume_entries(journal, setup.run.latch_level(), by, reason, now_ms)
            said, nothing = "entries go on", "nothing was halted"
    mode = setup.run.parameters.mode
    print_lines(mode, [f"{said}; by {by.strip()}: {reason.strip()}" if done else nothing])
    return 0
