"""One measured sweep: 100 pairs of averages over one instrument, on all cores.

Lives here: `main`, whose last line is JSON. Must not live here: rounds and peers.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from backtest_work import checked_policy, loaded


def main() -> int:
    """`FOLDER DATA CACHE [WORKERS]`: load, sweep, tell."""
    from trader.app.sweeping import run_sweep
    from trader.app.sweeping_trials import Conditions, grid, read_axes, read_conditions
    from trader.policy.sweep_ranges import build_sweeps

    folder, data, cache = (Path(word) for word in sys.argv[1:4])
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    inputs, _ = loaded(folder, data, "A", cache)
    declared = build_sweeps(checked_policy(folder).sweeps)
    specs = inputs.parameters.strategies
    wheres = read_conditions(specs, declared, [])
    trials = grid(Conditions(read_axes(specs, declared, []), wheres, specs))
    began = time.perf_counter()
    rows = run_sweep(inputs, trials, workers)
    engine_s = time.perf_counter() - began
    bars = len(inputs.series["A/USDT", "1m"]) * len(rows)
    told = {
        "trials": len(rows),
        "failed": sum(1 for row in rows if row.state != "done"),
        "bars": bars,
        "engine_s": round(engine_s, 4),
        "Mbars_s": round(bars / engine_s / 1e6, 2),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "worker_rss_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
