"""Whether a workload's fills and equity are the rule's, every one of them, to the last unit.

Lives here: our fills beside the oracle's, line by line, and why another count is another: what the
rule fills when slots are free at once, and what the comparison's own rule does. Must not live here:
speed, and the rules (`backtest_oracle`, `backtest_free_slots`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import backtest_work
from backtest_peers import HERE, ROOT, Row, measured, ours


def exact(
    work: str, places: Mapping[str, Path], others: Sequence[Row], problems: list[str]
) -> dict[str, Any]:
    """Compare, print, name what differs. `others`: the C reference first, when it is there."""
    ours_at, rule_at = (places["state"] / f"{work}.{name}.fills" for name in ("ours", "rule"))
    row = ours(work, places, 1)
    mine = measured(replace(row, words=[*row.words, "--fills", str(ours_at)])).told
    rule = reading(places, "rule", work, str(rule_at))
    if not (mine and rule):
        problems.append(f"{work}: the engine or the oracle did not run")
        return {}
    first = first_difference(ours_at, rule_at)
    if mine["equity"] != rule["equity"]:
        first = first or f"equity {mine['equity']}, the rule's {rule['equity']}"
    if rule["capped"]:
        first = first or f"{rule['capped']} orders met the slippage cap, or the cash"
    if first:
        problems.append(f"{work}: {first}")
    print(f"  {mine['fills']:,} fills (time, side, lots, price, value, fee), equity "
          f"{mine['equity']}; refused {mine['refusals']}")  # fmt: skip
    print(f"  a plain reading of the rule in whole numbers: {rule['fills']:,} fills, equity "
          f"{rule['equity']}: {first or 'every one of them equal'}")  # fmt: skip
    found: dict[str, Any] = {"exact": not first, "equity": mine["equity"], "oracle": dict(rule)}
    return found | compared(work, places, others, rule["fills"], problems)


def compared(
    work: str,
    places: Mapping[str, Path],
    others: Sequence[Row],
    expected: int,
    problems: list[str],
) -> dict[str, Any]:
    """The C reference's count, and on B what its rule for slots makes of it."""
    found: dict[str, Any] = {}
    if backtest_work.POSITIONS[work] > 1:
        slots = reading(places, "slots", work)
        expected = int(slots.get("comparison_fills", -1))
        found["slots"] = dict(slots)
        print(f"  were a slot free at the close that decides to leave: {slots.get('fills', -1):,}; "
              f"the comparison's own rule\n  (that, and sums of floats that drift where averages "
              f"are equal): {expected:,}")  # fmt: skip
    if others:
        counted = measured(others[0]).told.get("trades")
        found["c_fills"] = counted
        print(f"  the C reference counts {counted:,}")
        if counted != expected:
            problems.append(f"{work}: C counts {counted} fills, its rule written down {expected}")
    return found


def reading(places: Mapping[str, Path], what: str, work: str, *more: str) -> Mapping[str, Any]:
    """What a reading of a rule came to (`backtest_bound`); {} when it did not run."""
    words = [
        sys.executable, str(HERE / "backtest_bound.py"), what, work, str(places["data"]),
        str(places["cache"]), *more,
    ]  # fmt: skip
    return measured(Row(what, words, {"PYTHONPATH": str(ROOT)})).told


def first_difference(one: Path, other: Path) -> str:
    """The first fill that is not in both files; "" when they are equal."""
    with one.open(encoding="ascii") as left, other.open(encoding="ascii") as right:
        for mine, theirs in zip_longest(left, right, fillvalue="nothing"):
            if mine != theirs:
                return f"first difference: ours {mine.strip()}, the rule's {theirs.strip()}"
    return ""
