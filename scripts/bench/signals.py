"""What signals cost: each indicator, a rule over a whole history, and the signals of a cycle.

Prints a table of indicators: million rows a second, and the time as a multiple of the C pass that
computes an SMA(20)/SMA(50) cross (compiled here; without a compiler there is no ratio). Then the
same cross as a rule, block by block, and as a back-test's columns, in C passes of the same run, and
what a cycle with fifty instruments and five strategies spends in signals. The last line is JSON;
the exit code is 0 only when the compiled core keeps to the bounds (not asked with --quick, nor
interpreted).
"""

from __future__ import annotations

import argparse
import json
import sys
from array import array
from math import nan
from typing import Any

from c_pass import best_of, c_pass, made_columns
from rule_costs import columns_costs, cycle_costs, history_costs

from trader import build
from trader.core.indicator import Indicator
from trader.core.indicator_table import INDICATORS

ROWS, ROWS_QUICK = 1_000_000, 100_000
DAY_MS = 86_400_000
# What an indicator without a default is given.
PERIOD = 20
CROSS_RATIO_MAX, COLUMNS_RATIO_MAX, CYCLE_MS_MAX = 2.0, 1.5, 25.0


def usual(entry: Indicator) -> tuple[float, ...]:
    """The numbers that an indicator is measured with."""
    return tuple(PERIOD if one.default is None else one.default for one in entry.numbers)


def indicator_seconds(entry: Indicator, columns: dict[str, Any], rounds: int) -> float:
    """Best time of one run over all rows, its memory made before."""
    numbers = usual(entry)
    inputs = [columns["close" if name == "source" else name] for name in entry.inputs]
    outs = [array("d", [nan]) * len(columns["close"]) for _ in range(entry.width)]
    full = (*numbers, DAY_MS) if entry.session else numbers

    def work() -> None:
        entry.run(inputs, full, outs, 0, len(outs[0]), entry.new_state(numbers))

    return best_of(rounds, work)


def throughput(columns: dict[str, Any], c_seconds: float, rounds: int) -> dict[str, Any]:
    """Every indicator: million rows a second and its time in C passes; printed as a table."""
    rows = len(columns["close"])
    told: dict[str, Any] = {}
    print(f"{'indicator':<14}{'numbers':<14}{'million rows/s':>16}{'C passes':>12}")
    for name, entry in INDICATORS.items():
        seconds = indicator_seconds(entry, columns, rounds)
        speed = round(rows / seconds / 1e6, 1)
        ratio = round(seconds / c_seconds, 2) if c_seconds else None
        numbers = ", ".join(f"{number:g}" for number in usual(entry))
        print(f"{name:<14}{numbers:<14}{speed:>16}{ratio if c_seconds else '-':>12}")
        told[name] = [speed, ratio]
    return told


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, two rounds")
    parser.add_argument("--seed", type=int, default=1, help="what the made bars start from")
    given = parser.parse_args()
    rows, rounds = (ROWS_QUICK, 2) if given.quick else (ROWS, 5)
    columns = made_columns(rows, given.seed)
    work = c_pass(columns["close"])
    c_seconds = best_of(2 * rounds, work) if work else 0.0
    figures: dict[str, Any] = {
        "bench": "signals",
        "core": build.describe(),
        "rows": rows,
        "seed": given.seed,
        "c_pass_ms": round(c_seconds * 1000, 2) if work else None,
        "indicators": throughput(columns, c_seconds, rounds),
    }
    if work:
        figures["history"] = history_costs(columns, work, 3 * rounds)
        print(f"rules over a history, in C passes: {figures['history']}")
        figures["columns"] = columns_costs(columns, work, rounds)
        print(f"columns of a back-test, in C passes: {figures['columns']}")
    figures["cycle"] = cycle_costs(given.seed, 2 if given.quick else 21)
    print(f"signals of a cycle: {figures['cycle']}")
    figures["holds"] = given.quick or not figures["core"].startswith("compiled") or holds(figures)
    print(json.dumps(figures))
    return 0 if figures["holds"] else 1


def holds(figures: dict[str, Any]) -> bool:
    """Whether the bounds are kept."""
    cycle, history = figures["cycle"], figures.get("history")
    fast = history is None or history["sma_cross_ratio"] <= CROSS_RATIO_MAX
    columns = figures.get("columns")
    fast = fast and (columns is None or columns["sma_ratio"] <= COLUMNS_RATIO_MAX)
    return fast and cycle["windows_ms"] + cycle["opinions_ms"] < CYCLE_MS_MAX


if __name__ == "__main__":
    sys.exit(main())
