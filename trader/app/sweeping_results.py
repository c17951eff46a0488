"""What a sweep says: the one structure behind its table and `--json`, and its rows as CSV and
Parquet.

Lives here: that structure, and how rows are told; equal inputs give equal bytes. Must not live
here: layout, pictures (see `sweeping_heat`).
"""

from __future__ import annotations

import csv
import heapq
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from trader.app.statistics import CONVENTIONS
from trader.app.sweeping_rows import DONE, NAMES, TrialRow, order_key
from trader.app.sweeping_session import Swept
from trader.errors import UsageError

REPORT_VERSION = 1


def build_sweep_report(swept: Swept, by: str, top: int) -> dict[str, Any]:
    """Everything but the single rows. `by`: the metric of `best`, `top`: how many of them."""
    plan = swept.plan
    axes = [axis.name for axis in plan.trials.axes]
    states = Counter(row.state for row in swept.store.rows())
    sound = (row for row in swept.store.rows() if row.state == DONE)
    best = heapq.nsmallest(top, sound, key=lambda row: order_key(row, by))
    return {
        "report": "sweep",
        "version": REPORT_VERSION,
        "mode": plan.inputs.parameters.mode,
        "id": plan.id,
        "place": str(swept.store.folder),
        "trials": {
            "made": len(plan.trials),
            "done": states[DONE],
            "refused": states["refused"],
            "failed": states["failed"],
            "counted": swept.counted.plain(),
        },
        "how": plan.trials.how,
        "seed": plan.trials.seed,
        "axes": {axis.name: list(axis.values) for axis in plan.trials.axes},
        "where": list(plan.trials.where),
        "by": by,
        "best": [row.plain(axes) for row in best],
        "troubles": _troubles(swept.store.rows()),
        "assumed": list(plan.inputs.assumed),
        "conventions": CONVENTIONS,
        "inputs": dict(plan.identity),
    }


def count_line(report: dict[str, Any]) -> str:
    """The first line of every picture of a sweep: how often somebody has looked."""
    trials, counted = report["trials"], report["trials"]["counted"]
    line = f"{counted['total']:,} trials made on these data and strategies"
    if counted["earlier"]:
        line += f" ({trials['made']:,} here, {counted['earlier']:,} before)"
    if trials["failed"] or trials["refused"]:
        line += f"; {trials['failed']} failed, {trials['refused']} refused"
    return line + ": the best of many looks good by chance"


def _troubles(rows: Iterable[TrialRow]) -> dict[str, int]:
    """Why trials have no numbers, and how many."""
    found = Counter(row.why for row in rows if row.state != DONE)
    return dict(found.most_common(5))


def cells(swept: Swept) -> Iterator[list[str]]:
    """The rows as cells, after their names."""
    yield ["trial", *(axis.name for axis in swept.plan.trials.axes), "state", "why", *NAMES]
    for row in swept.store.rows():
        metrics = ["" if value is None else value for value in row.metrics]
        yield [str(row.trial), *row.values, row.state, row.why, *metrics]


def write_csv(swept: Swept, path: Path) -> None:
    """Every trial as a row of CSV. Raises OSError; a file that is there stays until the end."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(cells(swept))
    write_bytes(path, text.getvalue().encode())


def write_parquet(swept: Swept, path: Path) -> None:
    """Every trial as a row of Parquet: numbers as float64, money as text. Raises OSError, and
    UsageError where pyarrow is not installed."""
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise UsageError(
            "Parquet needs the package pyarrow, which is an extra",
            'install it: pip install "trader[parquet]", or write --csv',
        ) from error
    names, *rows = cells(swept)
    columns: dict[str, Any] = {}
    for at, name in enumerate(names):
        told = [row[at] for row in rows]
        columns[name] = _column(name, told)
    sink = io.BytesIO()
    parquet.write_table(arrow.table(columns), sink)
    write_bytes(path, sink.getvalue())


def _column(name: str, told: list[str]) -> list[Any]:
    if name in {"trial", "round_trips", "orders", "unfilled"}:
        return [int(cell) if cell else None for cell in told]
    if name in {"state", "why", "final_equity", "fees"}:
        return list(told)
    return [float(cell) if cell else None for cell in told]


def write_bytes(path: Path, data: bytes) -> None:
    """A file is whole or as it was before. Raises OSError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
