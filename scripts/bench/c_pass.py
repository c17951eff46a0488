"""The yardstick of signal benchmarks: made columns, and one pass of C over them.

Lives here: the C text of an SMA cross in a single pass, compiled when it is asked for and a
compiler exists, and the columns that every signal benchmark reads. Must not live here: what is
claimed.
"""

from __future__ import annotations

import ctypes
import random
import shutil
import subprocess
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What a cross of two simple averages costs when nothing else is done: running sums, one pass.
SOURCE = """
#include <stdint.h>
void cross(int64_t n, const double *c, int f, int s, signed char *out) {
  double fast = 0, slow = 0, before = 0;
  for (int64_t i = 0; i < n; i++) {
    fast += c[i]; slow += c[i];
    if (i >= f) fast -= c[i - f];
    if (i >= s) slow -= c[i - s];
    out[i] = 0;
    if (i >= s - 1) {
      double gap = fast * (1.0 / f) - slow * (1.0 / s);
      if (i >= s) out[i] = (gap > 0 && before <= 0) - (gap < 0 && before >= 0);
      before = gap;
    }
  }
}
"""
FAST, SLOW = 20, 50
MINUTE_MS = 60_000


def made_columns(rows: int, seed: int) -> dict[str, Any]:
    """A random walk in minutes: open_ms int64, the others float64, two decimals."""
    rng = random.Random(seed)
    close = array("d", bytes(8 * rows))
    value = 100.0
    for i in range(rows):
        value *= 1.0 + rng.gauss(0.0, 0.001)
        close[i] = round(value, 2)
    opened = array("d", [close[0]]) + close[:-1]
    pairs = list(zip(opened, close, strict=True))
    return {
        "open_ms": array("q", range(0, rows * MINUTE_MS, MINUTE_MS)),
        "open": opened,
        "high": array("d", [max(pair) + 0.01 * rng.randrange(8) for pair in pairs]),
        "low": array("d", [min(pair) - 0.01 * rng.randrange(8) for pair in pairs]),
        "close": close,
        "volume": array("d", [round(rng.random() * 10.0, 3) for _ in pairs]),
    }


def best_of(rounds: int, work: Callable[[], Any]) -> float:
    """The shortest of several runs, in seconds: what the machine can do when left alone."""
    times: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def c_pass(close: Any) -> Callable[[], bytes] | None:
    """A call that runs the C pass over this column and gives its marks; None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "cross.c", Path(folder) / "cross.so"
        source.write_text(SOURCE, encoding="ascii")
        words = [compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(library)]
        if subprocess.run(words, check=False).returncode != 0:
            return None
        cross = ctypes.CDLL(str(library)).cross
    rows = len(close)
    values = (ctypes.c_double * rows).from_buffer(close)
    marks = (ctypes.c_byte * rows)()

    def work() -> bytes:
        cross(ctypes.c_int64(rows), values, FAST, SLOW, marks)
        return memoryview(marks).cast("B").tobytes()

    return work
