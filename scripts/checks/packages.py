"""Checks of what the project depends on: declared, used, locked, and known to be vulnerable.

Lives here: deptry, the lock files' form, and the advisory audit, which says `not audited` when the
advisory database cannot be reached. Must not live here: checks of the sources.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from verdict import Verdict, call, judge, tool

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")


def deptry(root: Path) -> Verdict:
    """Unused, missing and indirect dependencies of the package."""
    ran = call([tool("deptry"), "trader"], root)
    scanned = re.search(r"Scanning (\d+) files", ran.text)
    return judge(ran.code == 0, int(scanned[1]) if scanned else 0, "files", ran.text)


def locked(text: str) -> dict[str, tuple[str, int]]:
    """A lock file's packages: name -> (version, how many hashes)."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in text.splitlines():
        pinned = re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line)
        if pinned:
            name = pinned[1].lower()
            found[name] = (pinned[2], 0)
        elif name and line.strip().startswith("--hash=sha256:"):
            found[name] = (found[name][0], found[name][1] + 1)
    return found


def lock_problems(root: Path) -> tuple[int, list[str]]:
    """How many packages are locked, and what is wrong: no hash, an address, a version twice."""
    packages: dict[str, dict[str, tuple[str, int]]] = {}
    problems: list[str] = []
    for lock in LOCKS:
        text = (root / lock).read_text(encoding="utf-8") if (root / lock).is_file() else ""
        packages[lock] = locked(text)
        if "://" in text or "--index" in text or "--extra-index" in text:
            problems.append(f"{lock}: names an address")
        if not packages[lock]:
            problems.append(f"{lock}: locks nothing")
        bare = [name for name, (_, hashes) in packages[lock].items() if not hashes]
        problems += [f"{lock}: {name} has no hash" for name in bare]
    superset = packages["requirements-dev.lock"]
    for lock in ("requirements.lock", "requirements-build.lock"):
        for name, (version, _) in packages[lock].items():
            if superset.get(name, ("", 0))[0] != version:
                problems.append(f"{lock}: {name} differs from requirements-dev.lock")
    runtime = set(packages["requirements.lock"])
    problems += [f"requirements.lock lacks {name}" for name in declared(root) - runtime]
    return sum(len(found) for found in packages.values()), problems


def declared(root: Path) -> set[str]:
    """Names of the run-time dependencies in pyproject.toml."""
    if not (root / "pyproject.toml").is_file():
        return set()
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = (re.split(r"[<>=!~ \[;]", line)[0] for line in project["dependencies"])
    # As lock files write them: dots and underscores are dashes (PEP 503).
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def locks(root: Path) -> Verdict:
    """Every package has hashes, no address is named, and the three files agree."""
    count, problems = lock_problems(root)
    return judge(not problems, count, "locked packages", "\n".join(problems))


def audit(root: Path) -> Verdict:
    """Known vulnerabilities of what is locked for run time."""
    lock = root / "requirements.lock"
    if not lock.is_file() or not locked(lock.read_text(encoding="utf-8")):
        return judge(False, 0, "packages", "requirements.lock locks nothing")
    words = [tool("pip-audit"), "--requirement", "requirements.lock", "--disable-pip", "--format"]
    ran = call([*words, "json", "--progress-spinner", "off", "--timeout", "20"], root)
    return audit_verdict(ran.code, ran.out, ran.err)


def audit_verdict(code: int, out: str, err: str) -> Verdict:
    """What pip-audit's answer means; no answer is `not audited`, never a clean one."""
    try:
        answer = json.loads(out)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (
            err.strip().splitlines()[-1].partition("(host")[0][:100]
            if err.strip()
            else f"exit {code}"
        )
        return Verdict(True, "not audited", f"no advisory database: {why}")
    skipped = [item for item in answer if "skip_reason" in item]
    bad = [
        f"{item['name']} {item['version']}: {advisory['id']}"
        for item in answer
        for advisory in item.get("vulns", [])
    ]
    count = len(answer) - len(skipped)
    if count <= 0 and code == 0:
        return Verdict(True, "not audited", "no package could be looked up")
    if code == 0 and not bad and skipped:
        return Verdict(True, "part audited", f"{count} packages; {len(skipped)} not looked up")
    return judge(code == 0 and not bad, count, "packages", "\n".join(bad) or err)
