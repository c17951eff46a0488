"""`trader audit seal | repair | accept-head`: what changes a journal's files, under the cycle lock.

Lives here: signatures, the lock and words. Must not live here: how any of it is done.
"""

from __future__ import annotations

from trader.cli.given import account_setup, setup_options
from trader.cli.kills import By, Reason
from trader.cli.output import print_lines
from trader.cli.typed import Config, StateDir
from trader.errors import ExitCode, ProofFailed
from trader.ops.lock import hold


def seal(*, config: Config, state_dir: StateDir) -> int:
    """Close everything so far into a sealed file, and go on in a new, small one."""
    from trader.journal.segments import close_segment

    setup = account_setup(setup_options(config, state_dir), decides=False)
    with hold(setup.places.lock):
        sealed = close_segment(setup.places.journal, setup.clock.now_ms())
    number, span = sealed.number, f"entries {sealed.from_seq} to {sealed.to_seq}"
    lines = [
        f"sealed {span} in {sealed.file}",
        "it may be moved away: it is the only copy of these entries, keep it",
        f"without it verify says (info, exit 0): inputs archived in segment {number}: {span}",
    ]
    print_lines(setup.run.parameters.mode, lines)
    return 0


def repair(*, config: Config, state_dir: StateDir) -> int:
    """Make every projection again from the entries, and say what differed.

    Refused (exit 12) when the entries themselves are damaged; exit 12 also when verify still
    finds an error afterwards.
    """
    from trader.journal.rebuild import repair as repair_journal
    from trader.journal.verify import ERROR, verify

    setup = account_setup(setup_options(config, state_dir), decides=False)
    path, mode = setup.places.journal, setup.run.parameters.mode
    with hold(setup.places.lock):
        # Errors about an entry: folding a damaged one would spoil the rows it once made.
        spoilt = [f for f in verify(path) if f.level == ERROR and f.seq is not None]
        if spoilt:
            raise ProofFailed(
                f"{path} is not repaired, nothing was changed: its entries are damaged, "
                f"the first finding is {spoilt[0]}",
                "run `trader audit verify`; restore database, -wal and head file together",
            )
        differences = repair_journal(path)
        left = [found for found in verify(path) if found.level == ERROR]
    said = f"repaired {len(differences)} rows" if differences else "nothing differed"
    lines = [f"{said}: {path}", *(f"differed: {found}" for found in differences)]
    lines += [f"still wrong: {found}" for found in left]
    print_lines(mode, lines)
    return int(ExitCode.PROOF_FAILED if left else ExitCode.OK)


def accept_head(*, config: Config, state_dir: StateDir, by: By = "", reason: Reason = "") -> int:
    """Vouch for a journal whose head file is missing or behind: by a named human, with a reason.

    Refused (exit 12), and nothing is changed, when verify finds anything else.
    """
    from trader.journal.acceptance import accept_head as accept

    setup = account_setup(setup_options(config, state_dir), decides=False)
    with hold(setup.places.lock):
        accepted = accept(setup.places.journal, by, reason, setup.clock.now_ms())
    if accepted is None:
        said = "the head file knows the newest entry: nothing to accept"
    else:
        said = f"accepted head {accepted.seq}:{accepted.hash} by {by}: {reason}"
    print_lines(setup.run.parameters.mode, [said])
    return 0
