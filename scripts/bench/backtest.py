#!/usr/bin/env python3
"""What a back-test costs: the table of docs/backtest.md, everything in one run.

A: SMA 20/50 cross on 1,000,000 minutes of one instrument; B: on twenty instruments of one account,
5 % each, at most five open, a stop 5 % away; C: 100 pairs of averages over A's bars; the command as
a whole process, the first time and from the column cache; memory; A interpreted. Each is a process
of its own, pinned to one core (the sweep is not); rounds interleave ours with the peers, ratios are
taken within a round, medians are shown. `--peers FOLDER` holds peers and data as the bench's setup
makes them; without it bars are made with the standard library and the bound is one C pass over the
closes. Every fill, and the equity, must be those of a plain reading of the rule in whole numbers
(`backtest_oracle`). The last line is JSON; the exit code is 0 only when they are, to the unit.
"""

from __future__ import annotations

import argparse
import compileall
import json
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import backtest_work
from backtest_exact import exact
from backtest_memory import memory_of
from backtest_peers import HERE, ROOT, Measured, Row, command, measured, ours, peers_of

Rounds = dict[str, list[Measured]]


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="folder with peers and data")
    parser.add_argument("--quick", action="store_true", help="few bars, one round, no peers")
    parser.add_argument("--rounds", type=int, default=0, help="5, quick: 1")
    parser.add_argument("--seed", type=int, default=1, help="of made bars")
    parser.add_argument("--only", default="", help="A, whole, B, C or slow: these letters alone")
    given = parser.parse_args()
    rounds = given.rounds or (1 if given.quick else 5)
    # As an installation does, and the peers' was: no process measured here compiles sources.
    compileall.compile_dir(str(ROOT / "trader"), quiet=2)
    with tempfile.TemporaryDirectory(prefix="trader-bench-") as scratch:
        places = prepared(Path(scratch), given)
        told = measure(given, places, rounds)
    told["holds"] = not told["problems"]
    print(json.dumps(told))
    return 0 if told["holds"] else 1


def prepared(scratch: Path, given: argparse.Namespace) -> dict[str, Path]:
    """Policies and data, by what they are."""
    places = {name: scratch / name for name in ("A", "B", "C", "data", "cache", "state")}
    for work in ("A", "B"):
        backtest_work.write_policy(places[work], work)
    backtest_work.write_policy(places["C"], "A", sweep=True)
    places["state"].mkdir()
    if given.peers is not None:
        places["data"] = given.peers.resolve() / "data"
    else:
        full = (backtest_work.A_ROWS, backtest_work.B_ROWS // 10)
        backtest_work.make_data(
            places["data"], given.seed, *((20_000, 2_000) if given.quick else full)
        )
    return places


def measure(given: argparse.Namespace, places: Mapping[str, Path], rounds: int) -> dict[str, Any]:
    """Every workload; what it came to."""
    peers = None if given.quick else given.peers
    told: dict[str, Any] = {"bench": "backtest", "machine": machine(), "problems": []}
    told["peers"] = bool(peers_of(peers, "A"))
    works: dict[str, Callable[[], dict[str, Any]]] = {
        "A": lambda: engine("A", places, peers, rounds, told),
        "whole": lambda: whole(places, peers, rounds, told),
        "B": lambda: engine("B", places, peers, rounds, told),
        "C": lambda: sweep(places, peers, rounds, told),
        "slow": lambda: interpreted(places, told),
    }
    wanted = [word for word in given.only.replace(",", " ").split() if word] or list(works)
    for work in wanted:
        told[work] = works[work]()
    return told


def engine(
    work: str, places: Mapping[str, Path], peers: Path | None, rounds: int, told: dict[str, Any]
) -> dict[str, Any]:
    """A or B: bars a second, beside the bound and the peers, and the fills."""
    others = peers_of(peers, work)
    bound = others[0].label if others else "C pass over closes"
    rows = [*(others or [c_row(places, work)]), ours(work, places, 3)]
    measured(rows[-1])  # so that no round has to parse
    got = in_rounds(rows, rounds)
    figures = table(f"{work}: signals, simulation and statistics", got, bound)
    mine = got["trader"][-1].told
    if not mine:
        told["problems"].append(f"{work}: the engine did not run")
        return figures
    figures["refusals"], figures["parts"] = mine["refusals"], mine["parts"]
    shares(mine)
    return figures | exact(work, places, others, told["problems"])


def whole(
    places: Mapping[str, Path], peers: Path | None, rounds: int, told: dict[str, Any]
) -> dict[str, Any]:
    """The command from its start to its printed result, the first time and again."""
    first = command(places, "A", "--no-save", name="trader, first time")
    again = command(places, "A", "--no-save", name="trader, from cache")
    once = measured(first)
    if once.code:
        told["problems"].append(f"the command ends with {once.code}")
        return {}
    others = peers_of(peers, "whole")
    got: Rounds = {row.label: [] for row in (*others, first, again)}
    for _ in range(rounds):
        for row in others:
            got[row.label].append(measured(row))
        for folder in places["state"].rglob("bars"):
            shutil.rmtree(folder, ignore_errors=True)
        got[first.label].append(measured(first))
        got[again.label].append(measured(again))
    return table("whole process, CSV on disk to printed result", got, others and others[0].label)


def sweep(
    places: Mapping[str, Path], peers: Path | None, rounds: int, told: dict[str, Any]
) -> dict[str, Any]:
    """100 pairs over A's bars, on all cores that there are."""
    others = peers_of(peers, "C")
    row = Row(
        "trader, two cores",
        [sys.executable, str(HERE / "backtest_sweep_work.py"), str(places["C"]),
         str(places["data"]), str(places["cache"])],
        {"PYTHONPATH": str(ROOT)},
        pinned=False,
    )  # fmt: skip
    measured(row)
    got = in_rounds([*others, row], rounds)
    if not got[row.label][-1].told:
        told["problems"].append("the sweep did not run")
    figures = table("C: 100 pairs of averages", got, others[0].label if others else "")
    one, all_of_it = memory_of(ours("A", places, 1)), memory_of(row)
    figures["memory"] = {
        "one_run_mb": one.all_mb, "all_mb": all_of_it.all_mb, "largest_mb": all_of_it.largest_mb,
    }  # fmt: skip
    print(f"  memory: one run {one.all_mb} MB; of the sweep the largest process "
          f"{all_of_it.largest_mb} MB, all together {all_of_it.all_mb} MB")  # fmt: skip
    return figures


def interpreted(places: Mapping[str, Path], told: dict[str, Any]) -> dict[str, Any]:
    """A without the compiled core, once."""
    row = ours("A", places, 1, TRADER_INTERPRETED="1")
    got = measured(row)
    if not got.told:
        told["problems"].append("the interpreted engine did not run")
        return {}
    print(f"A interpreted: {got.told['Mbars_s']} million bars/s, {got.rss_mb} MB")
    return {"Mbars_s": got.told["Mbars_s"], "rss_mb": got.rss_mb, "fills": got.told["fills"]}


def in_rounds(rows: Sequence[Row], rounds: int) -> Rounds:
    """Each row once a round, in order."""
    got: Rounds = {row.label: [] for row in rows}
    for _ in range(rounds):
        for row in rows:
            got[row.label].append(measured(row))
    return got


def table(title: str, got: Rounds, bound: str | list[Row]) -> dict[str, Any]:
    """Medians of the rounds, and ratios to the bound within a round; printed."""
    print(f"\n{title}")
    print(f"{'':26}{'Mbars/s':>10}{'x bound':>9}{'engine s':>10}{'wall s':>9}{'MB':>7}{'fills':>9}")
    figures: dict[str, Any] = {}
    for label, runs in got.items():
        good = [run for run in runs if not run.code]
        if not good:
            print(f"{label:26}   did not run")
            continue
        each = [run.seconds_per_bar for run in good]
        ratios = ratios_to(got.get(str(bound), []), runs)
        row = {
            "Mbars_s": round(1e-6 / statistics.median(each), 2) if all(each) else None,
            "x_bound": round(statistics.median(ratios), 2) if ratios else None,
            "engine_s": statistics.median(float(run.told.get("engine_s", 0.0)) for run in good),
            "wall_s": round(statistics.median(run.wall_s for run in good), 3),
            "rss_mb": statistics.median(run.rss_mb for run in good),
            "fills": good[0].told.get("fills", good[0].told.get("trades")),
            "rounds": len(good),
        }
        figures[label] = row
        print(f"{label:26}{row['Mbars_s'] or '-':>10}{row['x_bound'] or '-':>9}"
              f"{row['engine_s']:>10.4f}{row['wall_s']:>9.3f}{row['rss_mb']:>7.0f}"
              f"{row['fills'] or '-':>9}", flush=True)  # fmt: skip
    return figures


def ratios_to(bound: Sequence[Measured], runs: Sequence[Measured]) -> list[float]:
    """Time per bar (without one: the process) as a multiple of the bound's, round by round."""
    found: list[float] = []
    for run, least in zip(runs, bound, strict=False):
        if run.seconds_per_bar and least.seconds_per_bar:
            found.append(run.seconds_per_bar / least.seconds_per_bar)
        elif not run.code and not least.code:
            found.append(run.wall_s / least.wall_s)
    return found


def shares(mine: Mapping[str, Any]) -> None:
    """Where the process spent its time, in one line."""
    parts: Mapping[str, float] = mine["parts"]
    spent = {name: parts.get(name, 0.0) for name in ("policy", "load", "inputs")}
    within = {name: parts.get(name, 0.0) for name in ("signals", "lane", "statistics")}
    total = sum(within.values()) or 1.0
    told = ", ".join(f"{name} {value / total:.0%}" for name, value in within.items())
    before = ", ".join(f"{name} {value:.3f} s" for name, value in spent.items())
    print(f"  of the engine: {told}; before it: {before}")


def c_row(places: Mapping[str, Path], work: str) -> Row:
    """The bound where there are no peers: one C pass over a file's closes."""
    words = [sys.executable, str(HERE / "backtest_bound.py"), "pass", work, str(places["data"])]
    return Row("C pass over closes", words, {"PYTHONPATH": str(ROOT)})


def machine() -> dict[str, Any]:
    """What it ran on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), name)
    return {"cpu": name, "python": platform.python_version(), "system": platform.system()}


if __name__ == "__main__":
    sys.exit(main())
