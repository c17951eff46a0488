"""`trader paper`: the same pass on the paper venue, whatever app.mode says.

Lives here: signatures. Must not live here: what they do.
"""

from __future__ import annotations

from typing import Annotated

import typer

from trader.cli.typed import AsJson, Config, DryRun, Now, StateDir, Verbose, Watch

app = typer.Typer(help="One pass on the paper venue; --watch goes on; reset starts anew.")


@app.callback(invoke_without_command=True)
def paper(
    context: typer.Context,
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    verbose: Verbose,
    now: Now,
    dry_run: DryRun,
    watch: Watch,
) -> int:
    """One pass on the paper venue; --watch goes on; reset starts anew."""
    from trader.cli import passes

    if context.invoked_subcommand is not None:
        return 0
    if watch:
        from trader.cli.paper_watch import watch_paper

        options = passes.setup_options(config, state_dir, now, passes.PAPER)
        return watch_paper(passes.account_setup(options), verbose)
    return passes.cycle_command(
        config=config,
        state_dir=state_dir,
        as_json=as_json,
        verbose=verbose,
        now=now,
        dry_run=dry_run,
        overrides=passes.PAPER,
    )


@app.command()
def reset(
    *,
    config: Config,
    state_dir: StateDir,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Put the paper account's books away (nothing is deleted) and start anew."""
    from trader.cli import passes
    from trader.cli.output import is_terminal
    from trader.errors import UsageError

    options = passes.setup_options(config, state_dir, "", passes.PAPER)
    setup = passes.account_setup(options, decides=False)
    if not yes and not is_terminal():
        raise UsageError("a reset wants to be confirmed", "add --yes")
    if not yes and not typer.confirm(f"[paper] start {setup.places.folder.name} anew?"):
        return 0
    return passes.reset_paper(setup)
