"""Checks that run the tests: coverage over the interpreted core, and the suite as installed.

Lives here: the two runs of pytest and the floors of coverage. The first run has the core
interpreted, because compiled lines are invisible to coverage; the second has it compiled, as it
is used. Must not live here: tests.
"""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from verdict import Verdict, call, judge

PERCENT_MIN = 90.0
# Books, identity and life of an order: nothing here may go unexercised.
COMPLETE = (
    "trader/core/identity.py",
    "trader/domain/order.py",
    "trader/journal/*.py",
)
# What the run that measures leaves out: it adds no line of the program that the rest does not run
# (rules about files, whole runs compared, made worlds, long commands), and takes a third of the
# time. Each test is run by one of the two, most by both.
UNMEASURED = (
    "tests/meta",
    "tests/golden",
    "tests/pages",
    "tests/parity",
    "tests/simulation",
    "tests/cli/test_demo.py",
    "tests/cli/test_sweep_command.py",
    "tests/cli/test_parity_command.py",
    "tests/app/test_parity.py",
)
# Commands and use cases: about half of the time.
SLOW_HALF = ("tests/app", "tests/cli")
# What the run as installed leaves out, because the other runs it: tests of code that is never
# compiled, or that runs compiled code only through what is tested here. Commands are run as
# installed by tests/golden, tests/pages and those below.
RUN_ONCE = (
    "tests/bars",
    "tests/cli",
    "tests/contracts",
    "tests/domain",
    "tests/exchange",
    "tests/journal",
    "tests/ops",
    "tests/policy",
    "tests/venues",
)
COMPILED = (
    "tests/bars/test_row_text.py",
    "tests/bars/test_bar_load.py",
    "tests/cli/test_sweep_command.py",
    "tests/cli/test_parity_command.py",
    "tests/cli/test_backtest_command.py",
    "tests/cli/test_passes.py",
    "tests/cli/test_demo.py",
)
CLOSING = re.compile(r"^=*\s*((?:\d+ \w+,? ?)+in [\d.]+s.*?)\s*=*$")


def closing_of(text: str) -> tuple[str, int]:
    """Pytest's closing line without its frame, and how many tests passed."""
    for line in reversed(text.splitlines()):
        if match := CLOSING.match(line.strip()):
            passed = re.search(r"(\d+) passed", match[1])
            return match[1], int(passed[1]) if passed else 0
    return "", 0


def pytest(root: Path) -> Verdict:
    """The whole suite in random order, warnings as errors, the core as it is installed."""
    words = [sys.executable, "-m", "pytest", "-q"]
    places = sorted(str(place.relative_to(root)) for place in (root / "tests").glob("*"))
    words += [place for place in places if is_tests(root / place) and place not in RUN_ONCE]
    words += [place for place in COMPILED if (root / place).is_file()]
    text, code = stream(words, root)
    closing, passed = closing_of(text)
    return judge(code == 0, passed, "tests passed", "", closing)


def is_tests(place: Path) -> bool:
    """Whether a place under `tests/` holds tests: a folder of them, or one file."""
    return (place.is_dir() and place.name != "__pycache__") or place.name.startswith("test_")


def stream(words: list[str], root: Path) -> tuple[str, int]:
    """Run a program and show its lines as they come."""
    lines: list[str] = []
    with subprocess.Popen(
        words, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as started:  # fmt: skip
        assert started.stdout is not None
        for line in started.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines), started.returncode


def shares_of(root: Path) -> tuple[list[str], list[str]]:
    """The tests in two parts that take about as long, measured side by side."""
    places = sorted(str(place.relative_to(root)) for place in (root / "tests").glob("*"))
    found = [place for place in places if is_tests(root / place) and place not in UNMEASURED]
    return [p for p in found if p in SLOW_HALF], [p for p in found if p not in SLOW_HALF]


def coverage(root: Path) -> Verdict:
    """Branch coverage of the suite (see UNMEASURED), the core interpreted, against the floors."""
    for old in root.glob(".coverage*"):
        old.unlink()
    words = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "--no-header"]
    words += [f"--ignore={place}" for place in UNMEASURED]
    shares = [[*words, *places] for places in shares_of(root)]
    with ThreadPoolExecutor(2) as both:
        runs = list(both.map(lambda share: call(share, root, TRADER_INTERPRETED="1"), shares))
    closings = [closing_of(run.text) for run in runs]
    closing = "; ".join(said for said, _ in closings)
    if not any(passed for _, passed in closings):
        return judge(False, 0, "tests passed while measuring", runs[0].text[-20_000:])
    call([sys.executable, "-m", "coverage", "combine", "-q"], root)
    report = root / "build" / "coverage.json"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    told = call([sys.executable, "-m", "coverage", "json", "-q", "-o", str(report)], root)
    if not report.is_file():
        return judge(False, 0, "files", told.text)
    measured = json.loads(report.read_text(encoding="utf-8"))
    percent, problems = coverage_problems(measured)
    for run, (said, _) in zip(runs, closings, strict=True):
        if run.code != 0:
            problems.insert(0, f"{run.text[-20_000:]}\ntests failed while measuring: {said}")
    things = f"files, {percent:.1f} % of lines and branches ({closing})"
    return judge(not problems, len(measured["files"]), things, "\n".join(problems))


def coverage_problems(measured: dict) -> tuple[float, list[str]]:
    """The overall per cent, and every floor that is not held; `measured` is coverage's JSON."""
    percent = float(measured["totals"]["percent_covered"])
    problems: list[str] = []
    if percent < PERCENT_MIN:
        problems.append(f"overall {percent:.2f} % is below {PERCENT_MIN} %")
        problems += worst_files(measured)
    for pattern in COMPLETE:
        names = fnmatch.filter(measured["files"], pattern)
        if not names:
            problems.append(f"{pattern}: no such file was measured")
        problems += [incomplete(name, measured["files"][name]) for name in names]
    return percent, [line for line in problems if line]


def incomplete(name: str, file: dict) -> str:
    """What is missing in a file that must be covered whole; "" when nothing is."""
    if file["summary"]["percent_covered"] >= 100:
        return ""
    lines, branches = file["missing_lines"], file.get("missing_branches", [])
    return f"{name}: must be covered whole; missing lines {lines}, branches {branches}"


def worst_files(measured: dict) -> list[str]:
    """The files that cost most, for whoever has to raise the figure."""
    missing = {
        name: file["summary"]["missing_lines"] + file["summary"].get("missing_branches", 0)
        for name, file in measured["files"].items()
    }
    worst = sorted(missing, key=lambda name: -missing[name])[:15]
    return [f"  {name}: {missing[name]} lines and branches not covered" for name in worst]
