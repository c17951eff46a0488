"""`trader stop`: no new entries, and with --cancel none that still works; by a named human.

Lives here: the parts that a stop needs, and the words about it. Must not live here: what it does
(`app.stopping`); `trader resume` ends it, `trader kill` is the emergency stop.
"""

from __future__ import annotations

import time
from typing import Annotated

import typer

from trader.app.stopping import Cancelling, StopReport, cancel_entries, stop_entries
from trader.cli.given import account_setup, setup_options
from trader.cli.kills import By, Reason
from trader.cli.leaves import wait_until_free
from trader.cli.output import print_json, print_lines
from trader.cli.typed import AsJson, Config, Now, StateDir
from trader.ops.lock import hold
from trader.wiring import open_journal, open_venue


def stop(
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    now: Now,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Cancel working entries now, and say whether it is so.")
    ] = False,
    by: By = "",
    reason: Reason = "",
) -> int:
    """No new entries: by a named human, with a reason; exits and protective stops go on."""
    setup = account_setup(setup_options(config, state_dir, now), decides=False)
    wait_until_free(setup)
    with hold(setup.places.lock), open_journal(setup) as journal:
        report = stop_entries(journal, by, reason, setup.clock.now_ms())
        if cancel:
            given = Cancelling(
                open_venue(setup), setup.clock.now_ms, time.sleep, setup.run.grace_ms
            )
            cancel_entries(journal, given, by.strip(), report)
    mode = setup.run.parameters.mode
    if as_json:
        print_json({"mode": mode, "confirmed": not report.left, **report.row()})
    else:
        print_lines(mode, stop_lines(report, by.strip(), reason.strip(), cancel=cancel))
    return int(report.exit_code)


def stop_lines(report: StopReport, by: str, reason: str, *, cancel: bool) -> list[str]:
    """What was done, and above all what was not confirmed."""
    if report.halted:
        lines = [f"no new entries; by {by}: {reason}"]
    else:
        lines = [f"entries were halted already: {report.level}"]
    lines += [f"cancelled {text}" for text in report.cancelled]
    lines += [f"goes on: {text}" for text in report.kept]
    lines += [f"finding: {text}" for text in report.findings]
    lines += [f"LEFT {text}" for text in report.left]
    if report.left:
        lines.append(
            "NOT CONFIRMED: look at the venue yourself now; every cycle goes on cancelling"
        )
    elif cancel:
        lines.append("CONFIRMED: no entry works any more")
    else:
        lines.append("an entry that still works is cancelled by the next cycle; now: --cancel")
    lines.append("to go on: trader resume --by NAME --reason TEXT")
    return lines
