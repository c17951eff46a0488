"""A sweep's result for people: the count first, then the best trials, then the heat map.

Lives here: layout; fits 80 columns by leaving out what matters least. Must not live here: numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trader.app.sweeping_heat import Heat, caption, colour, is_light
from trader.app.sweeping_results import count_line
from trader.app.sweeping_rows import SHARES
from trader.cli.backtest_tables import share
from trader.cli.plain_tables import BOLD, PLAIN, Paper

if TYPE_CHECKING:
    from trader.app.sweeping_session import Swept

NONE = "-"
ASSUMED_MAX = 6
# In the order in which they leave a sheet that is too narrow, the last first.
_SHOWN = (
    ("total_return", "return"), ("sharpe", "Sharpe"), ("max_drawdown", "max DD"),
    ("round_trips", "trips"), ("profit_factor", "profit f."), ("win_rate", "win rate"),
    ("calmar", "Calmar"), ("sortino", "Sortino"), ("cagr", "CAGR"), ("exposure", "exposure"),
    ("fees", "fees"), ("final_equity", "equity"),
)  # fmt: skip
_NAMES = dict(_SHOWN)


def show_sweep(report: Mapping[str, Any], heat: Heat | None, swept: Swept, paper: Paper) -> None:
    """Everything, in the order in which it matters."""
    paper.says(count_line(dict(report)), style=BOLD)
    paper.says(_how(report), rest="  ")
    if swept.resumed:
        again = f"{swept.resumed} were there already, of an earlier run"
        torn = f"; {swept.torn} torn or damaged were made again" if swept.torn else ""
        paper.says(again + torn + ".")
    for how in dict.fromkeys(swept.died):
        paper.says(f"A worker was lost: {how}; its trial was tried again.")
    if report["best"]:
        paper.line()
        paper.says(f"Best by {_NAMES.get(report['by'], report['by'])}", style=BOLD)
        _best(report, paper)
    if heat is not None:
        paper.line()
        _heat(heat, paper)
    for why, count in report["troubles"].items():
        paper.says(f"{count} without numbers: {why}", rest="  ")
    paper.line()
    for line in report["assumed"][:ASSUMED_MAX]:
        paper.says(line, first="  ", rest="    ")
    paper.says(f"kept in {report['place']}", rest="  ")


def _how(report: Mapping[str, Any]) -> str:
    axes = "; ".join(f"{name} {_range(values)}" for name, values in report["axes"].items())
    seed = f", seed {report['seed']}" if report["how"] == "random" else ""
    where = f"; where {' and '.join(report['where'])}" if report["where"] else ""
    return f"{report['how']}{seed}: {axes}{where}"


def _range(values: Sequence[str]) -> str:
    if len(values) <= 4:
        return ", ".join(values)
    return f"{values[0]}, {values[1]} ... {values[-1]} ({len(values)})"


def _best(report: Mapping[str, Any], paper: Paper) -> None:
    """As many metrics as fit beside the parameters; the one that orders comes first."""
    by = str(report["by"])
    shown: list[tuple[str, str]] = [(by, _NAMES.get(by, by))]
    shown += [(name, head) for name, head in _SHOWN if name != by]
    axes = list(report["axes"])
    names = [axis.partition(".")[2] for axis in axes]
    if len(set(names)) < len(names):
        names = axes
    rows: list[list[str]] = [
        [
            str(row["trial"]),
            *row["values"].values(),
            *(_cell(name, row["metrics"][name]) for name, _ in shown),
        ]
        for row in report["best"]
    ]
    head: list[str] = ["trial", *names, *(title for _, title in shown)]
    while len(head) > len(axes) + 2 and _width(head, rows) > paper.width:
        head = head[:-1]
        rows = [row[:-1] for row in rows]
    paper.table(head, rows, left=0)


def _width(head: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return sum(widths) + 2 * (len(head) - 1)


def _cell(name: str, value: str | None) -> str:
    if value is None:
        return NONE
    if name in SHARES:
        return share(value)
    if name in {"round_trips", "orders", "unfilled"}:
        return value
    return f"{float(value):,.2f}"


def _heat(heat: Heat, paper: Paper) -> None:
    """Numbers on colours where they fit, else every so many columns of them."""
    paper.says(caption(heat), style=BOLD)
    side = max(len(heat.down.parameter), *(len(value) for value in heat.down.values))
    told = [[heat.told(value) for value in row] for row in heat.cells]
    wide = max(
        max((len(cell) for row in told for cell in row), default=1),
        *(len(value) for value in heat.across.values),
    )
    room = (paper.width - side - 1) // (wide + 1)
    every = -(-len(heat.across.values) // max(1, room))
    columns = range(0, len(heat.across.values), every)
    head = " ".join(heat.across.values[at].rjust(wide) for at in columns)
    paper.line(f"{'':>{side}} {head}")
    for value, row, cells in zip(heat.down.values, heat.cells, told, strict=True):
        line = "".join(_painted(heat, row[at], cells[at].rjust(wide), paper) for at in columns)
        paper.line(f"{value:>{side}}{line}")
    if every > 1:
        paper.says(f"One of {every} columns is shown: --svg FILE draws all of them.")


def _painted(heat: Heat, value: float | None, text: str, paper: Paper) -> str:
    if value is None or not paper.styled:
        return f" {text}"
    red, green, blue = colour(heat.place(value))
    # The cube of 256 colours, which nearly every terminal has.
    back = 16 + 36 * round(red / 51) + 6 * round(green / 51) + round(blue / 51)
    fore = 16 if is_light((red, green, blue)) else 231
    return f"\x1b[48;5;{back}m\x1b[38;5;{fore}m {text}{PLAIN}"
