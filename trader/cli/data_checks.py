"""`trader data check`: its options, its table, and its picture in the terminal.

Lives here: layout. Must not live here: the judgement (`app.data_check`), the drawing of the file
(`data_pictures`).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trader.app.data_check import Checked, Reading, check_file, check_kept
from trader.bars.store import BarStore
from trader.cli.data_given import read_file, read_pair
from trader.cli.data_pictures import columns_of, write_picture
from trader.cli.output import console
from trader.cli.times import minute, utc
from trader.errors import UsageError
from trader.records import dataclass

WIDTH = 60
_SHADES = " ░▒▓█"
_LEVELS = "▁▂▃▄▅▆▇█"
_FAULTS = {
    "unreadable": "lines that cannot be read",
    "impossible": "impossible bars",
    "off_grid": "bars off the UTC grid",
    "backward_steps": "backward steps",
    "overlaps": "stretches that overlap",
    "repeated": "bars told twice alike",
    "contradictions": "bars told in two ways",
    "future": "bars from the future",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at. `picture`: a file to draw into; `columns`: names of a file's columns in
    order; "" for none."""

    what: str
    timeframe: str
    threshold_ppm: int
    picture: str
    columns: str = ""


def read_threshold(text: str) -> int:
    """`--threshold` as millionths. Raises UsageError."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not (value.is_finite() and 0 <= value <= 100):
        raise UsageError(f"--threshold {text!r} is no percentage", "write 0 to 100")
    return int(value * 10_000)


def look(asked: Asked, place: Path, now_ms: int) -> Checked:
    """The judgement of a file or of a kept pair; draws the picture. Raises what both raise."""
    path, symbol = read_file(asked.what)
    shower = console(stderr=True)
    with shower.status("looking at every bar") if shower.is_terminal else _Nothing():
        if path.exists() or not _is_pair(asked.what):
            reading = Reading(symbol, asked.timeframe or None, asked.columns or None)
            found = check_file(path, reading, now_ms, asked.threshold_ppm)
        else:
            pair = read_pair(asked.what)
            found = check_kept(BarStore(place), pair, asked.timeframe, now_ms, asked.threshold_ppm)
    if asked.picture and found.series is not None:
        write_picture(Path(asked.picture), found)
    return found


def view(found: Checked) -> RenderableType:
    """Everything, for people."""
    row = found.row
    verdict = "will do" if row["sound"] else "will NOT do"
    name = " ".join(word for word in (row["symbol"], row["timeframe"]) if word) or row["file"]
    parts: list[RenderableType] = [
        Text.assemble((f"{name}: {verdict}, score {row['score']} of 100", "bold")),
        Text(f"score = {row['score_rule']}"),
    ]
    if row["bars"]:
        parts.append(Text(f"{utc(row['first_ms'])} to {utc(row['last_ms'])}, tick {row['tick']}"))
    if row["rows"]:
        parts += [_table(row), *_picture(found)]
    for kind, lines in row["examples"].items():
        parts += [Text(f"{_FAULTS[kind]}: {line}") for line in lines]
    return Group(*parts)


def _table(row: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("worst", overflow="fold")
    share = f"{row['completeness_ppm'] / 10_000:.2f} % of {row['expected']:,} are there"
    table.add_row("bars", f"{row['bars']:,}", share)
    table.add_row("missing bars", f"{row['missing']:,}", f"in {row['gaps']['count']:,} gaps")
    table.add_row("longest gap", _bars(row["gaps"]["longest"]), _since(row["gaps"]["longest"]))
    for kind, words in _FAULTS.items():
        table.add_row(words, f"{row[kind]:,}", "")
    for kind, words in (("zero_volume", "bars without volume"), ("flat", "flat bars")):
        still = row[kind]
        said = f"{still['runs']:,} runs of 10 or more"
        if still["runs"]:
            said += f", longest {_bars(still['longest'])} bars, {_since(still['longest'])}"
        table.add_row(words, f"{still['bars']:,}", said)
    outliers = row["outliers"]
    worst = outliers["worst"][0] if outliers["worst"] else None
    said = f"{minute(worst['open_ms'])}: {worst['by']}, {worst['ranges']} ranges" if worst else ""
    table.add_row("outliers", f"{outliers['count']:,}", said)
    return table


def _picture(found: Checked) -> list[Text]:
    """How much of each sixtieth of the time is there, and the closes."""
    if found.series is None or len(found.series) < 2:
        return []
    columns = columns_of(found.series, WIDTH)
    there = "".join(
        _SHADES[0 if not one.bars else 1 + min(3, one.bars * 4 // (one.expected + 1))]
        for one in columns
    )
    closes = [one.last for one in columns if one.bars]
    low, high = min(closes), max(closes)
    spread = max(1, high - low)
    drawn = "".join(_LEVELS[(one.last - low) * 7 // spread] if one.bars else " " for one in columns)
    return [Text(f"there  |{there}|"), Text(f"closes |{drawn}|")]


def _bars(runs: list[dict[str, int]]) -> str:
    return f"{runs[0]['bars']:,}" if runs else "0"


def _since(runs: list[dict[str, int]]) -> str:
    return f"from {minute(runs[0]['from_ms'])}" if runs else ""


def _is_pair(text: str) -> bool:
    """Whether the words could be a pair: no file's name has no dot and one slash or dash."""
    return "." not in text and sum(text.count(mark) for mark in "/-_") == 1


class _Nothing:
    """Nobody watches."""

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        """Nothing."""
