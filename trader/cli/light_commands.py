"""`trader cycle` and `trader status` as typer sees them; `main` takes the light path past typer.

Lives here: their signatures. Must not live here: what they do.
"""

from __future__ import annotations

from trader.cli.typed import AsJson, Config, DryRun, Now, StateDir, Verbose, Watch


def cycle(
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    verbose: Verbose,
    now: Now,
    dry_run: DryRun,
) -> int:
    """One pass: policy, lock, reconcile, snapshot, plan, journal, submit; then exit."""
    from trader.cli.passes import cycle_command

    return cycle_command(
        config=config,
        state_dir=state_dir,
        as_json=as_json,
        verbose=verbose,
        now=now,
        dry_run=dry_run,
    )


def status(
    *, config: Config, state_dir: StateDir, as_json: AsJson, verbose: Verbose, watch: Watch
) -> int:
    """Show what the journals say: mode, last cycle, positions, orders, results, halts, next due."""
    from trader.cli.statuses import status_command

    return status_command(
        config=config, state_dir=state_dir, as_json=as_json, verbose=verbose, watch=watch
    )
