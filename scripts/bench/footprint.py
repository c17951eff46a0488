"""What an installation weighs: a run-time environment made from the lock file, and the demo's time.

Makes a fresh virtual environment with the locked run-time requirements and the package itself,
counts the bytes of its files (pip's share is named: a run does not need it), and runs the installed
`trader demo`. Needs the package registry or its cache. Exit code 0 only when both bounds hold; the
last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stage import ROOT, folder_bytes

SIZE_MB_MAX, DEMO_S_MAX = 200.0, 60.0


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same; it is quick already")
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trader-footprint-") as scratch:
        folder = Path(scratch)
        venv = make_environment(folder / "venv")
        size_mb = folder_bytes(venv) / 1e6
        parts = largest(venv)
        pip_mb = sum(mb for name, mb in parts.items() if name.split("-")[0] == "pip")
        took_s, code = run_demo(venv, folder)
    holds = size_mb < SIZE_MB_MAX and took_s < DEMO_S_MAX and code == 0
    figures = {
        "bench": "footprint",
        "size_mb": round(size_mb, 1),
        "size_mb_max": SIZE_MB_MAX,
        "of_it_pip_mb": round(pip_mb, 1),
        "largest_mb": dict(list(parts.items())[:6]),
        "demo_s": round(took_s, 1),
        "demo_s_max": DEMO_S_MAX,
        "demo_exit_code": code,
        "holds": holds,
    }
    print(json.dumps(figures))
    return 0 if holds else 1


def make_environment(venv: Path) -> Path:
    """A virtual environment with the run-time requirements and the package, bytecode included."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    locked = [*pip, "install", "-q", "--require-hashes", "-r", str(ROOT / "requirements.lock")]
    subprocess.run(locked, check=True, stdout=sys.stderr)
    copy = venv.parent / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(copy)], check=True)
    built = [*pip, "install", "-q", "--no-deps", str(copy)]
    subprocess.run(built, check=True, stdout=sys.stderr)
    return venv


def largest(venv: Path) -> dict[str, float]:
    """Megabytes by folder of site-packages, largest first."""
    (site,) = venv.glob("lib/python3*/site-packages")
    sizes = {path.name: folder_bytes(path) / 1e6 for path in site.iterdir() if path.is_dir()}
    ordered = sorted(sizes.items(), key=lambda item: -item[1])
    return {name: round(mb, 1) for name, mb in ordered}


def run_demo(venv: Path, folder: Path) -> tuple[float, int]:
    """(seconds, exit code) of the installed demo."""
    began = time.monotonic()
    done = subprocess.run(
        [str(venv / "bin" / "trader"), "demo", "--dir", str(folder / "demo")],
        cwd=folder,
        stdout=sys.stderr,
        check=False,
    )
    return time.monotonic() - began, done.returncode


if __name__ == "__main__":
    sys.exit(main())
