"""`trader audit controls`: which controls are in force, and how often each refused.

Lives here: the command and its table. Must not live here: the controls (`core.controls`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trader.cli.given import account_setup, setup_options
from trader.cli.output import console, print_json
from trader.cli.times import minute
from trader.cli.typed import AsJson, Config, StateDir
from trader.wiring import open_journal

if TYPE_CHECKING:
    from rich.table import Table

    from trader.app.controls import ControlRow


def controls(*, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """Show each control: its keys and values, and how often it refused."""
    from trader.app.controls import control_rows

    setup = account_setup(setup_options(config, state_dir), decides=False)
    mode = setup.run.parameters.mode
    form = dict(setup.run.form)
    if setup.places.journal.exists():
        with open_journal(setup, read_only=True) as journal:
            rows = control_rows(form, journal)
    else:
        rows = control_rows(form, None)
    if as_json:
        print_json({"mode": mode, "controls": [row.row() for row in rows]})
    else:
        console().print(control_table(mode, rows))
    return 0


def _short(key: str) -> str:
    """A key as it is found in the policy's file: those of `limits` by their own name."""
    return key.removeprefix("policy.").removeprefix("limits.").removesuffix(".*")


def control_table(mode: str, rows: list[ControlRow]) -> Table:
    """Number, control with its keys, values, refusals; what comes later is dim."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, title=f"[{mode}] controls", title_justify="left"
    )
    for name in ("no", "control", "set to", "refused"):
        table.add_column(name, overflow="fold", justify="right" if name == "no" else "left")
    for row in rows:
        control = row.control
        style = "dim" if control.is_later else ""
        values = [f"{_short(key)} {value}" for key, value in row.values.items()]
        said = [f"{code} {count}" for code, count in row.refused.items()]
        if row.newest_ms >= 0:
            said.append(f"last {minute(row.newest_ms)}")
        always = "later" if control.is_later else "always on"
        table.add_row(
            str(control.number),
            Text(control.title, style=style),
            Text("\n".join(values) or always, style=style),
            Text("\n".join(said) or "-", style=style),
        )
    return table
