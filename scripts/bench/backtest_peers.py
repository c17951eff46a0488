"""One measured process after another, pinned: ours, and the peers of a folder.

Lives here: `measured`, and the rows of the table by workload. Must not live here: what the figures
must be, and tables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# The peers' own scripts lie beside the checkout, what they run in is in the folder that is given.
SCRIPTS = ROOT.parent / "shared" / "bench" / "peers"
SAME = {"FEE": "0.0001", "CASH": "1e9"}


@dataclass(frozen=True)
class Measured:
    """One process: seconds from its start to its end, of the processor, its peak of memory, and
    the JSON of its last line ({} when it printed none)."""

    wall_s: float
    cpu_s: float
    rss_mb: int
    code: int
    told: Mapping[str, Any]

    @property
    def seconds_per_bar(self) -> float:
        """Of the engine alone; 0.0 when it was not told."""
        bars = float(self.told.get("bars") or 0)
        return float(self.told.get("engine_s", 0.0)) / bars if bars else 0.0


@dataclass(frozen=True)
class Row:
    """One line of a workload's table: what is started, and with what."""

    label: str
    words: Sequence[str]
    env: Mapping[str, str]
    pinned: bool = True


def core() -> int:
    """The processor that measured processes are pinned to: the last that may be used."""
    return max(os.sched_getaffinity(0))


def measured(row: Row) -> Measured:
    """Run it to its end. The peak of memory is the process's own as long as ours is small."""
    words = list(row.words)
    if row.pinned:
        words = ["taskset", "-c", str(core()), *words]
    env = {**os.environ, **row.env}
    began = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, cwd=ROOT
    )
    assert process.stdout is not None
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = used.ru_utime + used.ru_stime
    return Measured(wall_s, cpu_s, used.ru_maxrss // 1024, process.returncode, last_json(out))


def last_json(out: bytes) -> Mapping[str, Any]:
    """The object on the last line; {} when it is none."""
    lines = out.decode(errors="replace").strip().splitlines()
    try:
        found: Any = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def ours(work: str, places: Mapping[str, Path], rounds: int, **env: str) -> Row:
    """One process of ours that runs a workload's engine so often."""
    words = [
        sys.executable, str(HERE / "backtest_work.py"), work,
        "--folder", str(places[work]), "--data", str(places["data"]),
        "--cache", str(places["cache"]), "--rounds", str(rounds),
    ]  # fmt: skip
    return Row("trader", words, {"PYTHONPATH": str(ROOT), **env})


def command(
    places: Mapping[str, Path], work: str, *more: str, name: str = "", pinned: bool = True
) -> Row:
    """The installed command over A's file, from its start to its printed result."""
    words = [
        sys.executable, "-m", "trader", "backtest", *more,
        "--bars", f"{places['data'] / 'A.csv'}=A/USDT", "-c", str(places[work]),
        "--instruments", str(places[work] / "rules.json"), "--spread", "0",
        "--starting-balance", "1000000000", "--state-dir", str(places["state"]),
    ]  # fmt: skip
    return Row(name or "trader", words, {"PYTHONPATH": str(ROOT)}, pinned=pinned)


def peers_of(folder: Path | None, work: str) -> list[Row]:
    """The peers of a workload (`A`, `B`, `C`, `whole`), the C reference first; [] without any."""
    if folder is None or not SCRIPTS.exists():
        return []
    known: dict[str, tuple[tuple[str, str, str, str, dict[str, str]], ...]] = {
        "A": (
            ("C reference", "ref", "ref_c", "A", {}),
            ("raptorbt", "raptorbt", "raptorbt_", "A", {"R": "3"}),
            ("vectorbt[rust]", "vectorbt", "vectorbt", "A", {"R": "3", "ENGINE": "rust"}),
        ),
        "whole": (
            ("C with polars", "ref", "ref_c", "A", {"R": "1"}),
            ("raptorbt, polars", "raptorbt", "raptorbt_", "A", {"LOADER": "polars"}),
        ),
        "B": (
            ("C reference", "ref", "ref_c", "B", {}),
            ("raptorbt (looks ahead)", "raptorbt", "raptorbt_", "B", {}),
        ),
        "C": (
            ("C reference", "ref", "ref_c", "C", {"R": "3"}),
            ("raptorbt batch of 10", "raptorbt", "raptorbt_", "C", {"CHUNK": "10"}),
        ),
    }
    same = {} if work == "B" else SAME
    found: list[Row] = []
    for label, venv, script, which, env in known[work]:
        python = folder / venv / "bin" / "python"
        if python.exists():
            words = [str(python), str(SCRIPTS / f"{script}.py"), which]
            found.append(Row(label, words, {"PEERS": str(folder), **same, **env}))
    return found
