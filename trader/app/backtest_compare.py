"""What two kept back-tests differ in: what went into them, what was decided, what came of it.

Lives here: the differences, as plain data. Must not live here: layout, and running anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, cast

from trader.app.backtest_runs import KeptRun
from trader.app.report_rows import Scales, fill_rows
from trader.core.trips import FILL_COLUMNS

Row = dict[str, Any]
# Of an execution, what makes it the same decision carried out.
TOLD = ("time", "symbol", "strategy", "side", "qty", "price", "reason")


def compare_runs(a: KeptRun, b: KeptRun) -> Row:
    """Every difference; `same` of each part says that there is none."""
    inputs = [row for row in _changed(dict(a.manifest), dict(b.manifest)) if row["key"] != "id"]
    decisions = _decisions(a, b)
    results = list(_changed(_told(a.summary), _told(b.summary)))
    return {
        "a": a.manifest["id"],
        "b": b.manifest["id"],
        "inputs": {"same": not inputs, "changed": inputs},
        "decisions": decisions,
        "results": {"same": not results, "changed": results},
    }


def _told(summary: Mapping[str, Any]) -> Row:
    """The figures of a report that are worth holding side by side."""
    account = summary["account"]
    return {
        "account": {name: account[name] for name in ("final_equity", "fees", "turnover")},
        "metrics": summary["metrics"],
        "orders": summary["orders"],
        "instruments": _by(summary["instruments"], "symbol"),
        "strategies": _by(summary["strategies"], "strategy"),
        "exit_reasons": _by(summary["exit_reasons"], "exit_reason"),
        "refusals": summary["refusals"],
        "quiet": summary["quiet"],
        "universe": summary["universe"],
    }


def _by(rows: Sequence[Mapping[str, Any]], key: str) -> Row:
    wanted = ("round_trips", "wins", "result")
    return {str(row[key]): {name: row[name] for name in wanted} for row in rows}


def _changed(a: Any, b: Any, key: str = "") -> Iterator[Row]:
    """Leaves that are not equal, by dotted name; None where one side has none."""
    if isinstance(a, dict) and isinstance(b, dict):
        left, right = cast("Row", a), cast("Row", b)
        for name in dict.fromkeys([*left, *right]):  # in the order in which they stand
            yield from _changed(left.get(name), right.get(name), f"{key}.{name}" if key else name)
    elif isinstance(a, list) and isinstance(b, list):
        pairs = zip_longest(cast("list[Any]", a), cast("list[Any]", b))
        for at, (one, other) in enumerate(pairs):
            yield from _changed(one, other, f"{key}[{at + 1}]")
    elif a != b:
        yield {"key": key, "a": a, "b": b}


def _decisions(a: KeptRun, b: KeptRun) -> Row:
    """The first execution that is not the same in both, and how many were before it."""
    names_a, names_b = list(a.names), list(b.names)
    width = len(FILL_COLUMNS)
    equal = a.fills == b.fills and names_a == names_b and _scales(a) == _scales(b)
    if equal:
        return {"same": True, "executions": [len(a.fills) // width] * 2, "first": None}
    rows_a = fill_rows(a.fills, names_a, Scales.of(a.summary))
    rows_b = fill_rows(b.fills, names_b, Scales.of(b.summary))
    first: Row | None = None
    for at, (left, right) in enumerate(zip_longest(rows_a, rows_b)):
        if left is None or right is None or any(left[name] != right[name] for name in TOLD):
            first = {"execution": at + 1, "a": left, "b": right, "differs": _differs(left, right)}
            break
    executions = [len(a.fills) // width, len(b.fills) // width]
    return {"same": first is None, "executions": executions, "first": first}


def _differs(left: Row | None, right: Row | None) -> list[str]:
    if left is None or right is None:
        return ["missing"]
    return [name for name in TOLD if left[name] != right[name]]


def _scales(run: KeptRun) -> Any:
    units = run.summary["account"]["cash_unit"]
    return units, [(row["symbol"], row["tick"], row["lot"]) for row in run.summary["market"]]
