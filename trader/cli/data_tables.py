"""`trader data import|fetch|list|show` for people, and their rows.

Lives here: layout; fits 80 columns. Must not live here: what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trader.app.data_fetch import Fetched
from trader.app.data_import import Imported
from trader.cli.times import minute, utc

Row = dict[str, Any]


def imported_row(done: Imported) -> Row:
    """One file, as JSON has it."""
    return {**asdict(done), "path": str(done.path), "notes": list(done.notes)}


def fetched_row(done: Fetched) -> Row:
    """One pair, as JSON has it."""
    row = {field.name: getattr(done, field.name) for field in fields(done)}
    return {**row, "error": "" if done.error is None else str(done.error)}


def imported_view(rows: Sequence[Row]) -> RenderableType:
    """A line for each file, then what was found in them."""
    table = _table("file", "pair", "tf", "bars", "new", "equal", "replaced")
    for row in rows:
        table.add_row(
            row["path"].rpartition("/")[2], row["symbol"], row["timeframe"],
            *(_count(row[name]) for name in ("rows", "added", "equal", "replaced")),
        )  # fmt: skip
    return Group(table, *_notes(rows, "path"))


def fetched_view(rows: Sequence[Row]) -> RenderableType:
    """A line for each pair, then what is to be said of it."""
    table = _table("pair", "tf", "pages", "new", "equal", "replaced", "kept", "last")
    for row in rows:
        table.add_row(
            row["symbol"], row["timeframe"],
            *(_count(row[name]) for name in ("pages", "added", "equal", "replaced", "bars")),
            minute(row["last_ms"]),
        )  # fmt: skip
    said = [*_notes(rows, "symbol")]
    said += [Text(f"left out: {line}") for row in rows for line in row["left_out"][:10]]
    said += [Text(f"{row['symbol']}: {row['error']}") for row in rows if row["error"]]
    return Group(table, *said)


def list_view(place: str, rows: Sequence[Row]) -> RenderableType:
    """Everything that is kept, a line each."""
    if not rows:
        return Text(f"No bars are kept in {place}: trader data import, or fetch, puts some there.")
    table = _table("pair", "tf", "bars", "first", "last", "missing", "MB")
    for row in rows:
        table.add_row(
            row["symbol"], row["timeframe"], _count(row["bars"]), minute(row["first_ms"]),
            minute(row["last_ms"]), _count(row["missing"]), f"{row['bytes'] / 1e6:.1f}",
        )  # fmt: skip
    return Group(table, Text(place))


def show_view(row: Row) -> RenderableType:
    """One instrument and timeframe."""
    share = f"{row['completeness_ppm'] / 10_000:.2f} %"
    head = [
        f"{row['symbol']} {row['timeframe']}: {row['bars']:,} bars, tick {row['tick']}",
        f"from {utc(row['first_ms'])} to {utc(row['last_ms'])}",
        f"{row['missing']:,} bars are absent in between ({share} complete)",
        f"kept in {row['path']}",
    ]
    lines = [Text(line) for line in head] + [Text(note) for note in row["notes"]]
    sources = _table("from", "bars")
    for source in row["sources"]:
        sources.add_row(str(source["what"]), _count(source["rows"]))
    fetched = [
        Text(f"told whole by the venue: {utc(one['from_ms'])} to {utc(one['until_ms'])}")
        for one in row["fetched"]
    ]
    newest = _table("newest bars", "open", "high", "low", "close", "volume")
    for bar in row["newest"]:
        names = ("open", "high", "low", "close", "volume")
        newest.add_row(minute(bar["open_ms"]), *(bar[name] for name in names))
    return Group(*lines, sources, *fetched, newest)


def _table(*names: str) -> Table:
    """Words to the left, numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    words = {"file", "pair", "tf", "first", "last", "from", "newest bars"}
    for name in names:
        table.add_column(name, justify="left" if name in words else "right", overflow="fold")
    return table


def _notes(rows: Sequence[Row], key: str) -> list[Text]:
    return [
        Text(f"{str(row[key]).rpartition('/')[2] if key == 'path' else row[key]}: {note}")
        for row in rows
        for note in row["notes"]
    ]


def _count(value: int) -> str:
    return f"{value:,}"
