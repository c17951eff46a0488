"""`trader signals show`.

Lives here: its options, where the bars are found, and its tables. Must not live here: evaluating
(core), what is shown (`app.signal_view`).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trader.cli.given import account_setup, setup_options
from trader.cli.output import console, print_json
from trader.cli.times import minute
from trader.cli.typed import AsJson, Config, StateDir

app = typer.Typer(no_args_is_help=True, help="What strategies think, down to each expression.")
Row = dict[str, Any]
NONE = "-"
_HEX = re.compile(r"-?0x[0-9a-f.]+p[+-]\d+")
_NUMBER = re.compile(r"[0-9.]+")


@app.callback()
def group() -> None:
    """Keeps `show` a command of its own, whatever else comes."""


@app.command()
def show(
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Such as BTC/USDT.")],
    *,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="As it was then: ISO (UTC), epoch s or ms.")
    ] = "",
    strategy: Annotated[
        str, typer.Option(metavar="NAME", help="This one, whatever it trades.")
    ] = "",
    bars: Annotated[
        list[str],
        typer.Option(
            metavar="FILE[=SYMBOL]",
            help="On these bar files, as a back-test sees them; repeatable. Else on the bars that "
            "the journal holds.",
            default_factory=list,
            show_default=False,
        ),
    ],
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Show each strategy's opinion of an instrument and the value of every part of its rules."""
    from trader.wiring import parse_time

    at_ms = parse_time(at, "--at") if at else None
    mode, view = view_of(config, state_dir, bars, (pair, at_ms, strategy))
    if as_json:
        print_json({"mode": mode, **view})
        return 0
    console().print(signals_view(mode, view))
    return 0


def view_of(
    config: list[str], state_dir: str, bars: list[str], asked: tuple[str, int | None, str]
) -> tuple[str, Row]:
    """(mode, opinions as data), on bar files or on the journal's bars."""
    from trader.app.signal_view import signals_of_bars, signals_of_journal
    from trader.wiring import open_journal

    setup = account_setup(setup_options(config, state_dir))
    parameters, codes = setup.run.parameters, setup.run.codes
    if not bars:
        with open_journal(setup, read_only=True) as journal:
            return parameters.mode, signals_of_journal(parameters, codes, journal, *asked)
    from trader.app.backtest_inputs import BacktestOptions, build_inputs
    from trader.cli.bar_files import load_files

    cash = setup.checked.form["app"]["paper"]["starting_balance"]
    options = BacktestOptions(cash=Decimal(cash), strategies=(asked[2],) if asked[2] else ())
    inputs = build_inputs(parameters, codes, load_files(bars, {}), options)
    return parameters.mode, signals_of_bars(inputs, *asked)


# --- for people ----------------------------------------------------------------------------------


def signals_view(mode: str, view: Row) -> RenderableType:
    """Everything."""
    head = f"[{mode}] {view['symbol']} at {view['at']}, anchored every {view['anchor_bars']} bars"
    parts: list[RenderableType] = [Text(head)]
    parts += [Text(f"assumed: {said}") for said in view.get("assumed", ())]
    for row in view["strategies"]:
        parts.append(Text())
        parts.append(Text(f"{row['strategy']} ({row['timeframe']})", style="bold"))
        parts += [Text(line) for line in _opinion_lines(row["opinion"])]
        if row["expressions"]:
            parts.append(_expressions(row["expressions"]))
        else:
            parts.append(Text(f"its file {row['file']} tells no more"))
    return Group(*parts)


def _opinion_lines(row: Row) -> list[str]:
    lines = [f"problem: {_decimals(row['problem'])}"] if row["problem"] else []
    lines += [f"note: {_decimals(row['note'])}"] if row["note"] else []
    entry = f"entry signal of {minute(row['enter_ms'])}" if row["enter_ms"] >= 0 else "no entry"
    leave = "exit" if row["exit_now"] else "no exit"
    names = [name for name in row if name.endswith("_distance")] + ["strength"]
    told = [f"{name.replace('_', ' ')} {row[name]:.10g}" for name in names if row[name] is not None]
    return [*lines, ", ".join([entry, leave, *told])]


def _decimals(told: str) -> str:
    """A reason with its exact numbers in a form that people read."""
    return _HEX.sub(lambda found: f"{float.fromhex(found[0]):.10g}", told)


def _expressions(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("output", no_wrap=True)
    table.add_column("expression", overflow="fold")
    table.add_column("bars", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    for row in rows:
        if not row["output"] and _NUMBER.fullmatch(row["expression"]):
            continue  # a number says itself
        table.add_row(row["output"] or NONE, row["expression"], row["timeframe"], _value(row))
    return table


def _value(row: Row) -> Text:
    if not row["ready"]:
        lacks = f", {row['rows_missing']} rows missing" if row["rows_missing"] else ""
        return Text(f"not ready{lacks}", style="yellow")
    if isinstance(row["value"], bool):
        return Text("yes", style="green") if row["value"] else Text("no")
    return Text(f"{row['value']:.10g}" if row["value"] is not None else row["hex"])
