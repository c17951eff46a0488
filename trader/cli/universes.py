"""`trader universe show`.

Lives here: its options, and where the decisions are found. Must not live here: choosing (core),
layout (`universe_tables`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from trader.cli.given import account_setup, setup_options
from trader.cli.output import console, print_json
from trader.cli.typed import AsJson, Config, StateDir

app = typer.Typer(no_args_is_help=True, help="What may be traded now, and why.")


@app.callback()
def group() -> None:
    """Keeps `show` a command of its own, whatever else comes."""


@app.command()
def show(
    *,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="As it was then: ISO (UTC), epoch s or ms.")
    ] = "",
    bars: Annotated[
        list[str],
        typer.Option(
            metavar="FILE[=SYMBOL]",
            help="From these bar files, as a back-test would choose; repeatable. Else from the "
            "journal's own decisions.",
            default_factory=list,
            show_default=False,
        ),
    ],
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Show tiers, members, every candidate with why it is in or out, and the regime."""
    from trader.wiring import parse_time

    at_ms = parse_time(at, "--at") if at else None
    mode, view = view_of(config, state_dir, bars, at_ms)
    if as_json:
        print_json({"mode": mode, **view})
        return 0
    from trader.cli.universe_tables import universe_view

    console().print(universe_view(mode, view))
    return 0


def view_of(
    config: list[str], state_dir: str, bars: list[str], at_ms: int | None
) -> tuple[str, dict[str, Any]]:
    """(mode, the universe as data), from bar files or from the journal."""
    from trader.app.universe_view import view_of_bars, view_of_journal
    from trader.wiring import open_journal

    setup = account_setup(setup_options(config, state_dir))
    mode = setup.run.parameters.mode
    if not bars:
        with open_journal(setup, read_only=True) as journal:
            return mode, view_of_journal(journal, at_ms)
    from trader.app.backtest_inputs import BacktestOptions, build_inputs
    from trader.cli.bar_files import load_files

    cash = setup.checked.form["app"]["paper"]["starting_balance"]
    options = BacktestOptions(cash=Decimal(cash))
    codes = setup.run.codes
    inputs = build_inputs(setup.run.parameters, codes, load_files(bars, {}), options)
    return mode, view_of_bars(inputs, at_ms)
