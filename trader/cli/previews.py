"""`trader preview PAIR SIDE`: what would be sent, what it costs, and what every gate says.

Lives here: the options, the copy of the books, words and tables. Must not live here: deciding.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trader.cli.given import account_setup, setup_options
from trader.cli.output import console, print_json
from trader.cli.pairs import pair_of
from trader.cli.typed import AsJson, Config, StateDir
from trader.domain.order import Side
from trader.errors import ExitCode, UsageError
from trader.records import replace
from trader.wiring import SetupOptions, deadline, open_journal, open_venue, state_root

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from trader.app.preview import Ask


def preview(
    *,
    pair: Annotated[str, typer.Argument(metavar="PAIR", help="Such as BTC/USDT.")],
    side: Annotated[str, typer.Argument(metavar="SIDE", help="buy or sell.")],
    size: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Value in app.quote, in place of the method.")
    ] = "",
    strategy: Annotated[str, typer.Option(metavar="NAME", help="As this strategy's order.")] = "",
    now: Annotated[
        str, typer.Option(metavar="TIME", help="Travel in time (loopback, paper or testnet).")
    ] = "",
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Show what an order would be now: size, cost, fees, caps that bind, gates. Sends nothing."""
    from trader.app.preview import Ask
    from trader.cli.dry_runs import copy_books

    ask = Ask(pair_of(pair), side_of(side), size_of(size, side), strategy)
    options = setup_options(config, state_dir, now)
    with tempfile.TemporaryDirectory(prefix="trader-preview-") as scratch:
        setup = account_setup(replace(options, state_dir=scratch))
        copy_books(state_root(options, setup.settings.state_dir), setup.places)
        row = preview_row(options, scratch, ask)
    mode = setup.run.parameters.mode
    if as_json:
        print_json({"mode": mode, **row})
    else:
        console().print(preview_view(mode, row))
    return int(ExitCode.OK)


def preview_row(options: SetupOptions, scratch: str, ask: Ask) -> dict[str, Any]:
    """The preview as data, decided on the copy in `scratch`."""
    from trader.app.preview import preview_now

    setup = account_setup(replace(options, state_dir=scratch))
    with open_journal(setup, create=True) as journal:
        venue = open_venue(setup)
        abort: Callable[[], None] = getattr(venue, "abort", lambda: None)
        with deadline(setup.settings.deadline_ms / 1000, abort):
            return preview_now(setup.run, venue, journal, ask)


def side_of(text: str) -> Side:
    """Buy or sell; raises UsageError for anything else."""
    try:
        return Side(text.lower())
    except ValueError as error:
        raise UsageError(f"{text!r} is no side", "write buy or sell") from error


def size_of(text: str, side: str) -> str:
    """A positive amount as decimal text, "" for none; raises UsageError."""
    from decimal import Decimal, InvalidOperation

    if not text:
        return ""
    if side.lower() == str(Side.SELL):
        raise UsageError("--size goes with buy", "a sell is always of what is held")
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"--size {text!r} is no amount", "write a number such as 250") from error
    if not amount.is_finite() or not 0 < amount < 10**12:
        raise UsageError(f"--size {text} cannot be", "write an amount above 0, below 1e12")
    return format(amount, "f")


def preview_view(mode: str, row: dict[str, Any]) -> Group:
    """The order, how it came to its size, and the gates."""
    from rich.console import Group
    from rich.text import Text

    verdict = "would be sent" if row["would_send"] else "would NOT be sent"
    style = "green" if row["would_send"] else "red"
    head = Text.assemble(
        f"[{mode}] {row['side']} {row['symbol']} as {row['strategy']}: ", (verdict, style)
    )
    if not row["would_send"]:
        head.append(f", {row['answer']}")
    parts: list[Any] = [head]
    parts += [values_table(title, row[title]) for title in ("order", "size") if row[title]]
    if row["gates"]:
        parts.append(gates_table(row["gates"]))
    return Group(*parts)


def values_table(title: str, values: dict[str, str]) -> Table:
    """Names and values."""
    table = _table(title, "", "")
    for name, value in values.items():
        table.add_row(name, str(value))
    return table


def gates_table(gates: list[dict[str, Any]]) -> Table:
    """Every gate's answer, in the order in which they are asked."""
    from rich.text import Text

    table = _table("gates", "gate", "", "measured", "limit")
    for gate in gates:
        said = Text("ok", style="green") if gate["ok"] else Text("NO", style="bold red")
        table.add_row(gate["code"], said, gate["measured"], gate["limit"])
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=title,
        title_justify="left",
        show_header=any(columns),
    )
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
