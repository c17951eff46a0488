"""What sizing, gates and exits cost: one plan of a large account, and a back-test without gates.

One plan: fifty instruments and five strategies, half of the instruments held; targets, sizing,
gates and exits, with the opinions made before. Once with a signal on every tenth of the 250 pairs,
which is a busy minute, and once with all of them wanting to enter at once, which is the worst that
can come. A back-test on which nothing is refused, with all gates on, as a multiple of the same run
with none (the table of gates emptied, and the sums that they compare left out). Garbage is not
collected meanwhile, as in a cycle. The last line is JSON; the exit code is 0 only when the bounds
hold (that of a plan is for the busy minute, and is not asked with --quick).
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from gate_scenes import back_test, large_account

from trader import build
from trader.core import desk as desk_module
from trader.core import entries, gates
from trader.core.plan import plan, plan_payload
from trader.core.signals import Opinion
from trader.core.snapshot import Snapshot

PLAN_MS_MAX = {"compiled": 5.0, "interpreted": 100.0}
GATES_RATIO_MAX = 1.25
BUSY_ONE_IN = 10
GROUPS = ("order_sums", "risk_sums", "time_sums", "book_sums", "tier_sums", "account_sums")


@contextmanager
def opinions_made_before(snapshot: Snapshot, one_in: int = 1) -> Generator[None]:
    """Each opinion is formed once; the decisions inside the block look it up. Only one in so many
    has a signal."""
    form = desk_module.form_opinion
    known: dict[tuple[str, str], Opinion] = {}

    def look_up(spec: Any, code: Any, frames: Any, symbol: str, *rest: Any, **more: Any) -> Opinion:
        key = (spec.name, symbol)
        if key not in known:
            found = form(spec, code, frames, symbol, *rest, **more)
            quiet = len(known) % one_in != 0
            known[key] = replace(found, enter_ms=-1) if quiet else found
        return known[key]

    setattr(desk_module, "form_opinion", look_up)  # noqa: B010 - a name of the module, exchanged
    try:
        plan(snapshot)
        yield
    finally:
        setattr(desk_module, "form_opinion", form)  # noqa: B010 - put back


@contextmanager
def no_gates() -> Generator[None]:
    """Nothing is asked and nothing is summed for it."""
    kept: list[tuple[Any, str, Any]] = [
        (gates, "GATES", gates.GATES),
        (gates, "EXIT_GATES", gates.EXIT_GATES),
        *((entries, name, getattr(entries, name)) for name in GROUPS),
    ]
    for module, name, _ in kept:
        setattr(module, name, () if module is gates else _nothing)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def _nothing(*_: Any) -> None:
    """In place of the numbers that no gate compares."""


def seconds(work: Callable[[], Any]) -> float:
    """Of the processor, that one call takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def plan_cost(rounds: int, one_in: int) -> dict[str, Any]:
    """One plan over fifty instruments and five strategies, in milliseconds: the best of the rounds
    (what else the machine did is in the others) and their median."""
    snapshot = large_account()
    with opinions_made_before(snapshot, one_in):
        decided = plan(snapshot)
        times = [seconds(lambda: plan(snapshot)) for _ in range(rounds)]
        written = [seconds(lambda: plan_payload(decided)) for _ in range(rounds)]
    asked = [row for row in decided.trail if len(row.gates)]
    return {
        "plan_ms": round(min(times) * 1000, 2),
        "plan_ms_median": round(statistics.median(times) * 1000, 2),
        "payload_ms": round(statistics.median(written) * 1000, 2),
        "rows": len(decided.trail),
        "proposals": len(asked),
        "gates_asked": sum(len(row.gates) for row in asked),
        "approved": len(decided.legs),
    }


def gates_ratio(bars: int, rounds: int) -> dict[str, Any]:
    """The same back-test with all gates and with none, taken in turns; medians."""
    run = back_test(bars)
    told = run()
    with_gates: list[float] = []
    without: list[float] = []
    bare = told
    for _ in range(rounds):
        with_gates.append(seconds(run))
        with no_gates():
            without.append(seconds(run))
            bare = run()
    return {
        "bars": bars,
        "fills": told.fills,
        "refused": told.refused,
        "same_fills": told.fills == bare.fills,
        "with_s": round(statistics.median(with_gates), 3),
        "without_s": round(statistics.median(without), 3),
        "ratio": round(statistics.median(with_gates) / statistics.median(without), 3),
    }


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer bars and rounds")
    given = parser.parse_args()
    core = build.describe()
    kind = "compiled" if core.startswith("compiled") else "interpreted"
    gc.disable()
    rounds = 5 if given.quick else 41
    busy, worst = plan_cost(rounds, BUSY_ONE_IN), plan_cost(rounds, 1)
    gc.enable()
    print(f"a plan with {busy['proposals']} signals: {busy} (bound {PLAN_MS_MAX[kind]} ms {kind})")
    print(f"a plan with {worst['proposals']} signals: {worst}")
    ratio = gates_ratio(500 if given.quick else 4_000, 2 if given.quick else 5)
    print(f"a back-test with all gates and with none: {ratio} (bound {GATES_RATIO_MAX})")
    fair = ratio["refused"] == 0 and ratio["fills"] > 0 and ratio["same_fills"]
    holds = fair and (
        given.quick or (busy["plan_ms"] < PLAN_MS_MAX[kind] and ratio["ratio"] <= GATES_RATIO_MAX)
    )
    figures = {
        "bench": "gates",
        "core": core,
        "busy": busy,
        "worst": worst,
        "backtest": ratio,
        "holds": holds,
    }
    print(json.dumps(figures))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
