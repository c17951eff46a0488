"""`trader status` for a person at a terminal: one frame for each account, as rich tables.

Lives here: layout, colours and rounding of what `statuses` found; a frame names its mode. Imported
only when a terminal is there to be drawn on. Must not live here: sums, reading of files.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from trader.cli.exit_codes import MEANINGS
from trader.cli.output import console
from trader.cli.statuses import approval_lines, exit_lines, failed_text
from trader.cli.times import minute, span
from trader.errors import ExitCode

WIDTH_MAX = 100
DAYS_SHOWN = 7
MODE_STYLES = {"paper": "cyan", "testnet": "yellow", "live": "bold red"}
# An account of less than this is counted in a coin of which two decimals say nothing.
_CENTS_FROM = 100

Row = dict[str, Any]
Show = Callable[[RenderableType], None]


@contextmanager
def live_screen() -> Generator[Show]:
    """Draw in place until the block ends; what was drawn last then stays on the terminal."""
    shower = console()
    last: list[RenderableType] = []
    with Live(console=shower, auto_refresh=False, screen=True, vertical_overflow="crop") as live:

        def show(drawn: RenderableType) -> None:
            last[:] = [drawn]
            live.update(drawn, refresh=True)

        yield show
    for drawn in last:
        shower.print(drawn)
    sys.stdout.flush()


def status_view(rows: Sequence[Row], now_ms: int, verbose: int, root: Path) -> RenderableType:
    """Every account, each in its frame."""
    if not rows:
        return Text(f"No account has books in {root}: run `trader cycle` or `trader demo`.")
    return Group(*(account_frame(row, now_ms, verbose) for row in rows))


def fitted(head: str, drawn: RenderableType) -> RenderableType:
    """A screen that refreshes: its first line also says how much of it cannot be seen."""
    shower = console()
    hidden = 1 + len(shower.render_lines(drawn)) - shower.height
    if hidden > 0:
        head = f"{head}; {hidden} lines hidden"
    return Group(Text(head, style="dim"), drawn)


def account_frame(row: Row, now_ms: int, verbose: int = 0) -> Panel:
    """One account: what halts it, its last cycle, its money, positions and orders."""
    parts: list[RenderableType] = []
    if row["trouble"]:
        parts.append(Text(f"JOURNAL: {row['trouble']}", style="bold red"))
    if "cycle" in row:
        listed = [*_positions(row), *_orders(row)]
        books = _strategies(row)
        parts += [*_alarms(row), _header(row, now_ms), *listed]
        if len(listed) < 2:
            parts.append(Text(_nothing(row, bool(listed))))
        parts += books
        if verbose:
            parts += _days(row)
        parts += [Text(f"note: {note}") for note in row.get("notes", ())]
    if verbose and "head" in row:
        parts.append(Text(f"policy {row.get('policy', '')}", style="dim"))
        parts.append(Text(f"journal head {row['head']['seq']} {row['head']['hash']}", style="dim"))
    mode = str(row["mode"])
    width = min(console().width, WIDTH_MAX)
    folder = str(row["folder"])
    fits = len(folder) < width - 6
    if not fits:
        parts.append(Text(f"books in {folder}", style="dim", overflow="fold"))
    style = MODE_STYLES.get(mode, "white")
    return Panel(
        Group(*parts),
        title=Text(f"[{mode}] account {row.get('account', '?')}", style="bold"),
        title_align="left",
        subtitle=Text(folder, style="dim") if fits else None,
        subtitle_align="right",
        border_style=style,
        width=width,
    )


def _alarms(row: Row) -> list[Text]:
    """What a person must see first."""
    found: list[Text] = []
    said = halt_text(row)
    if said:
        found.append(Text(said, style="bold red"))
    found += [Text(line, style="bold red") for line in exit_lines(row)]
    found += [Text(line, style="yellow") for line in row.get("findings", ())]
    approval = row.get("approval")
    if approval is not None and approval["differs"]:
        found += [Text(line, style="bold red") for line in approval_lines(approval)]
    code = row.get("exit_code")
    if code:
        known = code in set(ExitCode)
        what, who = MEANINGS[ExitCode(code)] if known else ("unknown", "see docs/cli.md")
        found.append(Text(f"Last cycle ended with {code}: {what}. Who acts: {who}", style="yellow"))
    return found


def halt_text(row: Row) -> str:
    """What stops the account; "" when nothing does."""
    latch = row["latch"]
    if latch is not None:
        by = f" by {latch['by']}" if latch["by"] else ""
        return f"LATCHED at {latch['level']}{by}: {latch['why']}"
    if row.get("halt_level", "running") != "running":
        return f"HALTED at {row['halt_level']} by {row['halt_by']}: {row['halt_why']}"
    return ""


def _header(row: Row, now_ms: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for style in ("dim", "", "dim", ""):
        table.add_column(style=style, overflow="fold")
    halted = bool(halt_text(row))
    state = Text("HALTED" if halted else "running", style="bold red" if halted else "green")
    table.add_row("mode", str(row["mode"]), "state", state)
    table.add_row("last cycle", _cycle(row), "decided bar", minute(row["bar_ms"]))
    table.add_row("next due", minute(row.get("next_due_ms", -1)), *_due(row, now_ms))
    if "equity" in row:
        table.add_row("equity", money(row, "equity"), "capital", money(row, "capital"))
        table.add_row("cash", money(row, "cash"), "cash fees", money(row, "fees"))
        table.add_row(
            "realised", money(row, "realised_result"), "open result", money(row, "open_result")
        )
        if "high" in row:
            table.add_row("high", money(row, "high"), "in flight", money(row, "in_flight"))
        _today(table, row)
    return table


def _today(table: Table, row: Row) -> None:
    """What the newest day came to at its newest decision."""
    day = row.get("day")
    if day is None:
        return

    def shown(name: str) -> Text:
        return amount(row, day[name], signed=name.endswith("result"), quote=True)

    table.add_row("day", day["date"], "  result", shown("result"))
    table.add_row("  realised", shown("realised_result"), "  open", shown("unrealised_result"))
    table.add_row("  lowest", shown("low_result"), "  cash fees", shown("fees"))
    counted = f"{day['entries']} sent, {day['fills']} fills"
    moved = ("  moved", shown("flows")) if Decimal(day["flows"]) else ("", "")
    table.add_row("  entries", counted, *moved)


def _days(row: Row) -> list[RenderableType]:
    """The newest days, for who asks for more."""
    days = row.get("days", ())[-DAYS_SHOWN:]
    if not days:
        return []
    table = _listing(
        f"\nDays ({row.get('quote', '?')})",
        ("day",),
        ("result", "realised", "unrealised", "fees", "flows", "entries"),
    )
    for day in days:
        results = ("result", "realised_result", "unrealised_result")
        signed = [amount(row, day[name], signed=True) for name in results]
        plain = [amount(row, day[name], signed=False) for name in ("fees", "flows")]
        table.add_row(day["date"], *signed, *plain, str(day["entries"]))
    return [table]


def _cycle(row: Row) -> str:
    code = row.get("exit_code")
    return f"{row['cycle']}, " + ("not ended" if code is None else f"exit code {code}")


def _due(row: Row, now_ms: int) -> tuple[str, str | Text]:
    if row["running_pid"]:
        return "now", Text(f"process {row['running_pid']} runs a cycle", style="green")
    due_ms = row.get("next_due_ms")
    if due_ms is None:
        return "", ""
    if row["overdue_ms"]:
        return "OVERDUE by", Text(span(row["overdue_ms"]), style="bold red")
    return "due in", span(max(0, due_ms - now_ms))


def money(row: Row, name: str) -> Text:
    """An amount of the settlement currency, rounded for people; a loss in red."""
    return amount(row, row[name], signed=name.endswith("_result"), quote=True)


def amount(row: Row, exact: str, *, signed: bool, quote: bool = False) -> Text:
    """Decimal text for people: cents where the account is large enough for cents."""
    try:
        value = Decimal(exact)
    except ArithmeticError:
        return Text(exact)
    digits = 2 if Decimal(row["capital"]) >= _CENTS_FROM else 6
    shown = f"{value:+,.{digits}f}" if signed and value else f"{value:,.{digits}f}"
    style = ("red" if value < 0 else "green") if signed and value else ""
    return Text(f"{shown} {row['quote']}" if quote else shown, style=style)


def _nothing(row: Row, listed: bool) -> str:
    """What an empty place means."""
    if not listed:
        return "\nNo positions, no working orders."
    return "\nNo positions." if row.get("orders") else "\nNo working orders."


def _listing(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="dim",
    )
    for name in texts:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _positions(row: Row) -> list[RenderableType]:
    held = [p for p in row.get("positions", ()) if p["strategy"]]
    if not held:
        return []
    table = _listing(
        f"\nPositions (open results in {row.get('quote', '?')})",
        ("instrument", "strategy"),
        ("quantity", "entry", "last", "stop", "result"),
    )
    for p in held:
        result = amount(row, p.get("open_result", "?"), signed=True)
        table.add_row(
            p["symbol"], p["strategy"], p["qty"], p["entry"], p.get("last", "?"), p["stop"], result
        )
    return [table]


def _orders(row: Row) -> list[RenderableType]:
    orders = row.get("orders", ())
    if not orders:
        return []
    table = _listing(
        "\nWorking orders",
        ("order", "instrument", "side", "state"),
        ("price", "quantity", "filled"),
    )
    for o in orders:
        table.add_row(
            o["client_id"][-8:], o["symbol"], o["side"], o["state"], o["price"], o["qty"],
            o["filled"],
        )  # fmt: skip
    return [table]


def _strategies(row: Row) -> list[RenderableType]:
    books = row.get("strategies", ())
    if not books:
        return []
    table = _listing(
        f"\nStrategies (results in {row.get('quote', '?')})",
        ("strategy", "state"),
        ("positions", "today", "realised", "open", "drawdown"),
    )
    for s in books:
        day = s.get("day")
        today = amount(row, day["result"], signed=True) if day else Text("?")
        amounts = [
            amount(row, s[name], signed=True) if name in s else Text("?")
            for name in ("realised_result", "open_result")
        ]
        fallen = amount(row, s["drawdown"], signed=False) if "drawdown" in s else Text("?")
        table.add_row(
            s["strategy"],
            Text(s["state"], style="bold red" if s["off_why"] else ""),
            str(len(s["positions"])),
            today,
            *amounts,
            fallen,
        )
    failed = [Text(failed_text(s), style="yellow", overflow="fold") for s in books if s["off_why"]]
    return [table, *failed]
