"""Memory of a measured process and all that it started, looked at while they run.

Lives here: reading it from /proc. Must not live here: what is measured, and what it may take.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backtest_peers import ROOT, Row

LOOK_S = 0.004


@dataclass(frozen=True)
class Memory:
    """Peaks in MB: `largest_mb` what the largest process had resident, `all_mb` what all of them
    had together, pages that several map counted once; 0 where the system does not tell."""

    largest_mb: int
    all_mb: int


def memory_of(row: Row) -> Memory:
    """Run it to its end; its time says nothing then."""
    env = {**os.environ, **row.env}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(list(row.words), stdout=quiet, stderr=quiet, env=env, cwd=ROOT)
    largest = together = 0
    while process.poll() is None:
        seen = [_held(pid) for pid in _family(process.pid)]
        largest = max(largest, *(resident for resident, _ in seen))
        together = max(together, sum(shared_out for _, shared_out in seen))
        time.sleep(LOOK_S)
    return Memory(largest // 1024, together // 1024)


def _family(pid: int) -> Iterator[int]:
    """A process and its children, theirs too."""
    yield pid
    try:
        words = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for word in words:
        yield from _family(int(word))


def _held(pid: int) -> tuple[int, int]:
    """(resident, its share of what is mapped), KiB; zeros when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0, 0
    found = {line.split()[0]: int(line.split()[1]) for line in lines if line.endswith(" kB")}
    return found.get("Rss:", 0), found.get("Pss:", 0)
