"""Runs every check that CI runs, tells the time of each, and ends with a table.

Lives here: the order of the checks and the report. What a check looks at, and how it knows that it
looked at something, is in `static.py`, `packages.py`, `proofs.py` and `suite.py`. Must not live
here: rules.

The last line is pytest's own closing line, so that a reader of the log finds it there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import packages
import proofs
import static
import suite
from verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Check:
    """One check: its name, what it runs, whether `--quick` keeps it, and whether those after it
    may run beside it (it uses one processor for long, and shares no file with them)."""

    name: str
    run: Callable[[Path], Verdict]
    quick: bool = True
    beside: bool = False


CHECKS = (
    Check("ruff check", static.ruff_check),
    Check("ruff format", static.ruff_format),
    Check("pyright strict", static.pyright),
    Check("import-linter", static.import_linter),
    Check("bandit", static.bandit),
    Check("secret scan", static.secrets),
    Check("deptry", packages.deptry),
    Check("lock files", packages.locks),
    Check("advisory audit", packages.audit, quick=False),
    Check("coverage", suite.coverage, quick=False, beside=True),
    Check("proofs", proofs.proofs, quick=False),
    Check("pytest", suite.pytest),
)


Result = tuple[Check, Verdict, float]


def run_all(checks: list[Check], root: Path) -> list[Result]:
    """Run each check, whatever came of the ones before it; the results in their order."""
    with ThreadPoolExecutor(max_workers=1) as lane:
        started = [
            lane.submit(run_one, check, root) if check.beside else run_one(check, root)
            for check in checks
        ]
        return [one.result() if isinstance(one, Future) else one for one in started]


def run_one(check: Check, root: Path) -> Result:
    """One check: told when it begins and ends, its output shown when it failed."""
    print(f"== {check.name} ...", flush=True)
    started = time.monotonic()
    verdict = check.run(root)
    seconds = time.monotonic() - started
    if verdict.text and not verdict.ok:
        print(verdict.text, flush=True)
    print(f"== {check.name}: {verdict.word}, {verdict.looked_at} ({seconds:.1f} s)", flush=True)
    return check, verdict, seconds


def table(results: list[Result]) -> str:
    """One row per check: outcome, what it looked at, seconds."""
    rows = [
        f"{check.name:<16} {verdict.word:<12} {seconds:>7.1f} s  {verdict.looked_at}"
        for check, verdict, seconds in results
    ]
    return "\n".join(["", *rows])


def chosen(arguments: argparse.Namespace) -> list[Check]:
    """The checks that the command line asks for; SystemExit when a name is unknown."""
    if arguments.only:
        names = {check.name for check in CHECKS}
        unknown = [name for name in arguments.only if name not in names]
        if unknown:
            raise SystemExit(f"no such check: {', '.join(unknown)}; see --list")
        return [check for check in CHECKS if check.name in arguments.only]
    return [check for check in CHECKS if check.quick or not arguments.quick]


def main(argv: list[str] | None = None) -> int:
    """Run the checks; 0 only if all passed."""
    parser = argparse.ArgumentParser(prog="scripts/test", description="Run every check.")
    parser.add_argument("--quick", action="store_true", help="without coverage and audit")
    parser.add_argument("--list", action="store_true", help="name the checks and stop")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this check")
    arguments = parser.parse_args(argv)
    if arguments.list:
        print("\n".join(check.name for check in CHECKS))
        return 0
    results = run_all(chosen(arguments), ROOT)
    print(table(results))
    failed = [check.name for check, verdict, _ in results if not verdict.ok]
    print(f"failed: {', '.join(failed)}" if failed else "every check passed")
    closing = [verdict.closing for _, verdict, _ in results if verdict.closing]
    if closing:
        print(closing[-1], flush=True)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
