"""The proofs in their quick form: each claim of the README, shown once more.

Lives here: running every program in scripts/prove and reading its last line. Must not live here:
what a proof claims.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from verdict import Called, Verdict, call, judge

ENTRY = '__name__ == "__main__"'
NEEDS_COMPILED = "compiled_equal.py"


def proofs(root: Path) -> Verdict:
    """Every proof with --quick; all must hold."""
    programs = [
        path
        for path in sorted((root / "scripts" / "prove").glob("*.py"))
        if ENTRY in path.read_text(encoding="utf-8")
    ]
    problems: list[str] = []
    left_out: list[str] = []
    for path in programs:
        if path.name == NEEDS_COMPILED and not is_compiled(root):
            left_out.append(path.name)
            continue
        ran = call([sys.executable, str(path), "--quick"], root)
        problem = problem_of(path.name, ran)
        problems += [problem] if problem else []
    things = "proofs"
    if left_out:
        things += f" ({', '.join(left_out)} left out: the core is not compiled here)"
    held = len(programs) - len(left_out)
    return judge(not problems, held, things, "\n".join(problems))


def is_compiled(root: Path) -> bool:
    """Whether this checkout's core runs compiled."""
    words = [sys.executable, "-c", "from trader import build; print(build.describe())"]
    return call(words, root).out.startswith("compiled")


def problem_of(name: str, ran: Called) -> str:
    """What a proof's end says against it; "" when it held."""
    lines = ran.out.strip().splitlines()
    try:
        told = json.loads(lines[-1]) if lines else {}
    except ValueError:
        told = {}
    if ran.code == 0 and told.get("holds") is True and told.get("count", 0) > 0:
        return ""
    return f"{name}: exit {ran.code}\n{ran.text[-3000:]}"
