"""What a policy that was checked before costs a cycle, as a multiple of `python -c pass`.

Counted: the import of the policy's own modules and all that a cycle does with them: finding and
reading the files, the cache by hash, the strategy files, building the parameters. What the rest of
a cycle imports anyway is imported before the clock starts. The fastest of many processes counts.
Exit code 0 only when the bound holds; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stage import ROOT

RATIO_MAX = 1.0
CHILD = """
import sys, time
from pathlib import Path
import trader.app.context, trader.core.plan, trader.core.identity, decimal, json
assert not any(name.startswith("trader.policy.") for name in sys.modules)
began = time.perf_counter()
from trader.policy.cache import load_checked
from trader.policy.parameters import build_parameters, build_settings
from trader.policy.sources import find_sources
from trader.policy.strategy_files import load_strategies
checked = load_checked(find_sources([], cwd=Path.cwd(), env={}), {}, Path("cache"), "code")
shas = {name: source.sha for name, source in load_strategies(checked).items()}
build_parameters(checked.form, shas), build_settings(checked.form)
print(time.perf_counter() - began, "yaml" in sys.modules)
"""


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer processes")
    rounds = 8 if parser.parse_args().quick else 40
    loads: list[float] = []
    passes: list[float] = []
    with tempfile.TemporaryDirectory(prefix="trader-policy-") as scratch:
        folder = Path(scratch)
        shutil.copytree(ROOT / "config", folder / "config")
        load_s(folder)  # the first checks, and fills the cache
        for _ in range(rounds):
            loads.append(load_s(folder))
            passes.append(pass_s())
    ratio = min(loads) / min(passes)
    figures = {
        "bench": "policy_load",
        "load_ms": round(min(loads) * 1000, 2),
        "python_pass_ms": round(min(passes) * 1000, 2),
        "ratio": round(ratio, 2),
        "ratio_max": RATIO_MAX,
        "holds": ratio <= RATIO_MAX,
    }
    print(json.dumps(figures))
    return 0 if figures["holds"] else 1


def load_s(folder: Path) -> float:
    """Seconds of one cached load in a process of its own."""
    words = [sys.executable, "-c", CHILD]
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        words, cwd=folder, env=env, check=True, stdout=subprocess.PIPE, stderr=sys.stderr
    )
    took, parsed = ran.stdout.split()
    if parsed == b"True" and (folder / "filled").exists():
        raise AssertionError("a cached load parsed YAML")
    (folder / "filled").touch()
    return float(took)


def pass_s() -> float:
    """Seconds of `python -c pass`."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
