"""`trader backtest` as typer sees it: a run, and what was run before.

Lives here: signatures. Must not live here: what they do. A run whose words are plain takes the
light path past typer (see `main`).
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trader.cli import sweeps
from trader.cli.options import LIGHT
from trader.cli.typed import AsJson, Config, StateDir, option, taking

app = typer.Typer(help="Run strategies over bars with the live decision code; look at past runs.")


@app.callback(invoke_without_command=True)
@taking(*LIGHT["backtest"])
def backtest(context: typer.Context, **given: Any) -> int:
    """Run the policy's strategies over bars, with the live decision code."""
    if context.invoked_subcommand is not None:
        return 0
    from trader.cli.backtests import backtest_command

    return backtest_command(given)


app.command("sweep")(sweeps.sweep)


@app.command("list")
def listing(*, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """List the kept runs, the newest first."""
    from trader.cli.backtest_views import list_command

    return list_command({"config": config, "state_dir": state_dir, "as_json": as_json})


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="ID", help="The run, or how its id begins.")],
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    csv: Annotated[str, option("csv")],
    html: Annotated[str, option("html")],
    png: Annotated[str, option("png")],
) -> int:
    """Show a kept run's report again, in any of its forms."""
    from trader.cli.backtest_views import show_command

    given = {"config": config, "state_dir": state_dir, "as_json": as_json}
    return show_command(run, {**given, "csv": csv, "html": html, "png": png})


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run, or how its id begins.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Show what two kept runs differ in: inputs, the first differing decision, results."""
    from trader.cli.backtest_views import compare_command

    given = {"config": config, "state_dir": state_dir, "as_json": as_json}
    return compare_command(first, second, given)
