"""A policy, and the difference of two, as tables for people.

Lives here: layout; fits 80 columns and uses what there is beyond. Must not live here: what is
shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trader.cli.policy_views import value_text
from trader.policy.comparing import Change
from trader.policy.showing import Shown, ShownValue


def policy_view(shown: Shown) -> RenderableType:
    """One table for each file: key, value, where it was written; blocks of keys under their
    common name."""
    parts: list[RenderableType] = [Text(f"hash {shown.sha}", overflow="fold")]
    for section, rows in groupby(shown.values, key=lambda row: row.key.partition(".")[0]):
        parts += [Text(f"\n{section}.yaml", style="bold"), _values(list(rows))]
    return Group(*parts)


def _values(rows: Sequence[ShownValue]) -> Table:
    table = _table("key", "value", "from")
    block = ""
    for row in rows:
        _, _, inside = row.key.partition(".")
        above, _, leaf = inside.rpartition(".")
        if above and above != block:
            table.add_row(Text(above, style="bold"), "", "")
        block = above
        dim = "dim" if row.origin == "default" else ""
        table.add_row(
            Text(f"  {leaf}" if above else leaf),
            Text(value_text(row.value), style=dim),
            Text(row.origin, style=dim or "cyan"),
        )
    return table


def diff_view(rows: Sequence[tuple[Change, str]]) -> Table:
    """Key with what it means, and both values."""
    table = _table("key", "a", "b")
    for change, meaning in rows:
        table.add_row(
            Text.assemble(change.key, "\n", (f"  {meaning}", "dim")),
            Text(value_text(change.old), style="red"),
            Text(value_text(change.new), style="green"),
        )
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
