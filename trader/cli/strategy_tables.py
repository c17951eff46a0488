"""Strategies as tables for people.

Lives here: layout; fits 80 columns and uses what there is beyond. Must not live here: what is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

Row = dict[str, Any]
NONE = "-"


def list_table(rows: Sequence[Row]) -> RenderableType:
    """Every strategy on a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("name", "from", "bars", "trades", "state", "warm-up", "last check"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(
            row["name"],
            row["from"],
            row["timeframe"],
            row["trades"],
            row["state"],
            row["warmup"],
            row["verdict"],
        )
    return table


def check_table(rows: Sequence[Row]) -> RenderableType:
    """Every verdict on a row, the sentences below."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("strategy", "verdict", "bars", "first at (UTC)", "column", "value", "then"):
        table.add_column(title, overflow="fold")
    table.add_column("asked", justify="right")
    for row in rows:
        table.add_row(
            row["name"],
            Text(row["code"] or "passed", style="bold red" if row["code"] else "green"),
            row["market"] or NONE,
            _time(row["at_ms"]),
            row["column"] or NONE,
            row["expected"] or NONE,
            row["found"] or NONE,
            str(row["evaluations"]),
        )
    said = [Text(f"{row['name']}: {row['said']}") for row in rows if row["code"]]
    said += [Text(f"{row['name']}: note: {note}") for row in rows for note in row["notes"]]
    return Group(table, *([Text(), *said] if said else []))


def _time(at_ms: int) -> str:
    from trader.cli.times import minute

    return minute(at_ms) if at_ms >= 0 else NONE


def explain_view(row: Row) -> RenderableType:
    """Everything about one strategy."""
    return Group(*_explained(row))


def _explained(row: Row) -> Iterator[RenderableType]:
    yield Text.assemble((row["name"], "bold"), f", from {row['from']}, {row['state']}")
    if row["off_why"]:
        yield Text(f"off: {row['off_why']}; `trader resume --strategy {row['name']}`")
    yield Text(f"trades {row['trades'] or 'nothing'} on {row['timeframe']} bars")
    for read in row["reads"]:
        yield Text(
            f"reads {read['timeframe']} bars from the newest anchor (one every "
            f"{read['anchor_bars']} bars) less {read['warmup']} bars of warm-up"
        )
    if row["parameters"]:
        yield Text()
        table = Table(box=None, header_style="bold", pad_edge=False)
        for title in ("parameter", "value", "from"):
            table.add_column(title, overflow="fold")
        for number in row["parameters"]:
            table.add_row(number["name"], number["value"], number["origin"])
        yield table
    for rule in row["rules"]:
        yield Text()
        yield Text.assemble((rule["output"], "bold"), f": {rule['text']}")
        rest = "to the last bit" if rule["exact"] else "but for what has faded (e**-10)"
        yield Text(f"  settled after {rule['warmup']} rows, {rest}")
        for text, memory in rule["indicators"].items():
            yield Text(f"  {text}: memory {memory}")
    yield Text()
    yield Text(f"last check: {row['verdict']}" + (f": {row['said']}" if row["said"] else ""))
    if row["sha"]:
        yield Text(f"file sha256 {row['sha']}")
