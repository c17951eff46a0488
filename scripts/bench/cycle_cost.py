"""What a cold cycle costs: `trader cycle` and `trader status` as multiples of `python -c pass`.

Twenty instruments in testnet mode over real HTTP against the local exchange (a process of its own),
a new decision bar for every cycle, bytecode compiled, all three kinds of process interleaved in one
run; the ratio of medians counts. `--growth` measures the journal over 1,440 in-process cycles.
Exit code 0 only when every bound holds; the last line is JSON.
"""

from __future__ import annotations

import argparse
import compileall
import json
import statistics
import sys
import tempfile
from pathlib import Path

from stage import ROOT, Stage, folder_bytes, staged, timed

CYCLE_MAX, CYCLE_GOAL, STATUS_MAX, RSS_MB_MAX = 28.0, 22.0, 20.0, 100.0
GROWTH_MB_MAX, GROWTH_CYCLES, INSTRUMENTS = 30.0, 1_440, 20
WARM_MINUTES = 600


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21, help="processes of each kind")
    parser.add_argument("--quick", action="store_true", help="seven rounds")
    parser.add_argument("--growth", action="store_true", help="measure the journal instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trader-bench-") as folder:
        minutes = WARM_MINUTES + (GROWTH_CYCLES if given.growth else 100) + 10
        with staged(Path(folder), minutes, WARM_MINUTES, "1m") as stage:
            if given.growth:
                return growth(stage)
            return cost(stage, 7 if given.quick else given.rounds)


def cost(stage: Stage, rounds: int) -> int:
    """Ratios of cold processes."""
    compileall.compile_dir(str(ROOT / "trader"), quiet=2)
    trader = str(Path(sys.executable).with_name("trader"))
    cycle = [trader, "cycle", *stage.options, "--now"]
    status = [trader, "status", *stage.options]
    for minute in range(2):  # the policy's cache, the venue's listing, the first windows
        timed([*cycle, stage.now(minute)])
    times: dict[str, list[float]] = {"pass": [], "cycle": [], "status": []}
    rss_kb = 0
    codes: set[int] = set()
    for turn in range(rounds):
        times["pass"].append(timed([sys.executable, "-c", "pass"])[0])
        took, peak, code = timed([*cycle, stage.now(turn + 2)])
        times["cycle"].append(took)
        rss_kb = max(rss_kb, peak)
        codes.add(code)
        took, peak, code = timed(status)
        times["status"].append(took)
        rss_kb = max(rss_kb, peak)
        codes.add(code)
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios = {name: round(middle[name] / middle["pass"], 1) for name in ("cycle", "status")}
    figures = {
        "bench": "cycle_cost",
        "instruments": INSTRUMENTS,
        "rounds": rounds,
        "pass_ms": round(middle["pass"] * 1000, 1),
        "cycle_ms": round(middle["cycle"] * 1000, 1),
        "status_ms": round(middle["status"] * 1000, 1),
        "cycle_ratio": ratios["cycle"],
        "status_ratio": ratios["status"],
        "cycle_ratio_max": CYCLE_MAX,
        "status_ratio_max": STATUS_MAX,
        "goal_22_reached": ratios["cycle"] <= CYCLE_GOAL,
        "rss_mb": round(rss_kb / 1024, 1),
        "exit_codes": sorted(codes),
    }
    holds = (
        ratios["cycle"] <= CYCLE_MAX
        and ratios["status"] <= STATUS_MAX
        and figures["rss_mb"] < RSS_MB_MAX
        and codes == {0}
    )
    print(json.dumps({**figures, "holds": holds}))
    return 0 if holds else 1


def growth(stage: Stage) -> int:
    """Bytes that a day of cycles adds to the journal; measured, nothing extrapolated."""
    from trader.cli.given import setup_options
    from trader.cli.passes import one_pass
    from trader.wiring import load_setup

    config, state = str(stage.folder / "config"), str(stage.folder / "state")
    sizes: list[int] = []
    orders = 0
    for minute in range(GROWTH_CYCLES + 1):
        setup = load_setup(setup_options([config], state, stage.now(minute)))
        done = one_pass(setup)
        orders += len(done.row["orders"])
        sizes.append(folder_bytes(setup.places.folder))
        if minute % 120 == 0:
            print(f"{minute} cycles, {sizes[-1] / 1e6:.2f} MB", file=sys.stderr, flush=True)
    # The first cycle fetched every window: it is where a day starts from, not part of it.
    grown_mb = (sizes[-1] - sizes[0]) / 1e6
    holds = grown_mb <= GROWTH_MB_MAX and orders > 0
    print(
        json.dumps(
            {
                "bench": "journal_growth",
                "cycles": GROWTH_CYCLES,
                "instruments": INSTRUMENTS,
                "orders": orders,
                "first_mb": round(sizes[0] / 1e6, 2),
                "grown_mb": round(grown_mb, 2),
                "grown_mb_max": GROWTH_MB_MAX,
                "measured": True,
                "holds": holds,
            }
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
