"""`trader backtest` as typer sees it: a run, and what was run before.

Lives here: signatures. Must not live here: what they do. A run whose words are plain takes the
light path past typer (see `main`).
"""

from __future__ import annotations

from typing import Any

import typer

from trader.cli import sweeps
from trader.cli.options import LIGHT
from trader.cli.typed import taking

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
