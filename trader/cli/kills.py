"""`trader kill --all | resume | status`.

Lives here: the parts that a kill needs, put together also when the policy cannot be read, and the
words about it. Must not live here: what a kill does (`app.kill`).
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from trader.app.kill import KillReport, KillSetup, Target, kill_all, kill_status
from trader.app.kill import resume as resume_account
from trader.app.status import account_folders
from trader.cli.given import account_setup, setup_options
from trader.cli.output import print_json, print_lines, say
from trader.cli.typed import AsJson, Config, Now, StateDir
from trader.core.universe import named_symbols
from trader.errors import JournalError, TraderError, UsageError, worst
from trader.ops.clock import SystemClock
from trader.ops.latch import Latch
from trader.ops.lock import CycleLock, hold
from trader.wiring import Places, Setup, open_journal, open_venue, state_root

app = typer.Typer(help="Emergency stop: latch, cancel everything, confirm; resume by a human.")

YIELD_S = 0.5
GRACE_MS = 30_000
By = Annotated[str, typer.Option(metavar="NAME", help="Who does it.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why.")]


@app.callback(invoke_without_command=True)
def kill(
    context: typer.Context,
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    now: Now,
    everything: Annotated[
        bool, typer.Option("--all", help="Cancel every open order, protective stops too.")
    ] = False,
    reason: Reason = "trader kill --all",
    by: By = "",
) -> int:
    """Emergency stop: latch first, then cancel, and confirm by reading the venue again."""
    if context.invoked_subcommand is not None:
        return 0
    if not everything:
        raise UsageError("this version kills everything or nothing", "write trader kill --all")
    reports: list[tuple[str, KillReport]] = []
    for mode, setup in kill_setups(config, state_dir, now):
        say(mode, f"latching, then cancelling; up to {GRACE_MS // 1000} s for the venue to confirm")
        reports.append((mode, kill_all(setup, reason, by or user_name())))
    show_kill(reports, as_json=as_json)
    return int(worst([report.exit_code for _, report in reports]))


@app.command()
def resume(
    *, config: Config, state_dir: StateDir, now: Now, by: By = "", reason: Reason = ""
) -> int:
    """Take the latch away and run again: by a named human, with a reason."""
    setup = account_setup(setup_options(config, state_dir, now), decides=False)
    mode = setup.run.parameters.mode
    with hold(setup.places.lock), open_journal(setup) as journal:
        done = resume_account(setup.latch, journal, by, reason, setup.clock.now_ms())
    said = f"resumed by {by}: {reason}" if done else "nothing was halted"
    print_lines(mode, [said])
    return 0


@app.command()
def status(*, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """Show what halts the account: the latch, and the journal's halt."""
    setup = account_setup(setup_options(config, state_dir), decides=False)
    mode = setup.run.parameters.mode
    try:
        with open_journal(setup, read_only=True) as journal:
            found = kill_status(setup.latch, journal, setup.places.journal)
    except JournalError:
        found = kill_status(setup.latch, None, setup.places.journal)
    if as_json:
        print_json({"mode": mode, **found.row()})
        return 0
    print_lines(mode, [f"level {found.level}"])
    if found.latch is not None:
        print_lines(mode, [f"latch {found.latch.level} by {found.latch.by}: {found.latch.why}"])
    said = f"{found.journal_level} by {found.journal_by or 'nobody'}: {found.journal_why}"
    print_lines(mode, [f"journal {said}" if found.journal_level else "journal cannot be read"])
    return 0


def kill_setups(config: Sequence[str], state_dir: str, now: str) -> list[tuple[str, KillSetup]]:
    """(mode, what a kill needs) of the policy's account; of every account in the state folder
    when the policy cannot be read, for then nobody knows which one is meant."""
    options = setup_options(config, state_dir, now)
    try:
        setup = account_setup(options, decides=False)
    except TraderError as error:
        folders = account_folders(state_root(options))
        if not folders:
            raise
        return [
            (folder.name.rpartition("-")[2], blind_setup(Places(folder), error))
            for folder in folders
        ]
    return [(setup.run.parameters.mode, seeing_setup(setup))]


def seeing_setup(setup: Setup) -> KillSetup:
    """With the policy's venue and instruments."""
    return KillSetup(
        latch=setup.latch,
        lock=CycleLock(setup.places.lock, YIELD_S, time.sleep),
        journal_path=setup.places.journal,
        open_target=lambda: Target(open_venue(setup), named(setup)),
        clock=setup.clock,
        sleep=time.sleep,
        grace_ms=setup.run.grace_ms,
    )


def named(setup: Setup) -> tuple[str, ...]:
    """Instruments that the policy names; what its patterns stood for is in the journal."""
    return tuple(named_symbols(setup.run.parameters))


def blind_setup(places: Places, error: TraderError) -> KillSetup:
    """Without a policy: latched, and the venue named as not asked."""

    def no_target() -> Target:
        raise error

    return KillSetup(
        latch=Latch(places.latch),
        lock=CycleLock(places.lock, YIELD_S, time.sleep),
        journal_path=places.journal,
        open_target=no_target,
        clock=SystemClock(),
        sleep=time.sleep,
        grace_ms=GRACE_MS,
    )


def show_kill(reports: Sequence[tuple[str, KillReport]], *, as_json: bool) -> None:
    """What was done, and above all what could not be confirmed."""
    if as_json:
        print_json({"kills": [{"mode": mode, **report.row()} for mode, report in reports]})
        return
    for mode, report in reports:
        print_lines(mode, kill_lines(report))


def kill_lines(report: KillReport) -> list[str]:
    """One account's kill in words."""
    confirmed = "CONFIRMED: nothing is open" if report.confirmed else "NOT CONFIRMED"
    lines = [f"kill {confirmed}; {'latched' if report.latched else 'NOT latched'}"]
    lines += [f"LEFT {text}" for text in report.left]
    lines += [f"ended process {pid}, which held the lock" for pid in report.ended]
    lines += [f"cancelled {text}" for text in report.cancelled]
    lines += [f"filled {text}" for text in report.fills]
    lines += [f"note: {text}" for text in report.notes]
    lines.append(f"written down in {report.recorded}" if report.recorded else "NOT written down")
    if not report.confirmed:
        lines.append("look at the venue yourself now; run `trader kill --all` again")
    else:
        lines.append("to run again: trader kill resume --by NAME --reason TEXT")
    return lines


def user_name() -> str:
    """Who is at the keyboard, as the host knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
