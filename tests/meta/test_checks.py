"""The checks themselves: each fails when it looked at nothing, and says what it found."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("verdict", "static", "packages", "suite", "run", "proofs")


@pytest.fixture(scope="module")
def checks() -> Iterator[dict[str, ModuleType]]:
    """The modules of scripts/checks, which are scripts and not part of the package."""
    sys.path.insert(0, str(ROOT / "scripts" / "checks"))
    yield {name: importlib.import_module(name) for name in NAMES}
    sys.path.remove(str(ROOT / "scripts" / "checks"))
    for name in NAMES:
        del sys.modules[name]


CHECKS = (
    "ruff check", "ruff format", "pyright strict", "import-linter", "bandit", "secret scan",
    "deptry", "lock files", "advisory audit", "coverage", "proofs", "pytest",
)  # fmt: skip


def test_every_check_is_tried_on_nothing(checks: dict[str, ModuleType]) -> None:
    assert tuple(check.name for check in checks["run"].CHECKS) == CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_that_looked_at_nothing_fails(
    name: str, checks: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(variable, raising=False)
    check = next(check for check in checks["run"].CHECKS if check.name == name)
    verdict = check.run(tmp_path)
    assert not verdict.ok
    assert verdict.word == "failed"


def test_a_check_may_run_beside_those_after_it_and_is_told_in_its_place(
    checks: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, began = checks["run"], threading.Event()

    def waits(_: Path) -> object:
        assert began.wait(10), "the next check did not begin while this one ran"
        return checks["verdict"].judge(True, 1, "thing", "")

    def begins(_: Path) -> object:
        began.set()
        return checks["verdict"].judge(False, 1, "thing", "what was wrong")

    both = [run.Check("long", waits, beside=True), run.Check("short", begins)]
    told = [(check.name, verdict.ok) for check, verdict, _ in run.run_all(both, tmp_path)]
    assert told == [("long", True), ("short", False)]
    assert "what was wrong" in capsys.readouterr().out


CLEAN = '{"name": "a", "version": "1", "vulns": []}'
BAD = '{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}'
SKIPPED = '{"name": "b", "skip_reason": "not found"}'
AUDITS = [
    # exit code, stdout, stderr -> word, ok
    (1, "", "ConnectionError: unreachable", "not audited", True),
    (0, "", "", "not audited", True),
    (0, '{"dependencies": []}', "No known vulnerabilities found", "not audited", True),
    (0, f'{{"dependencies": [{SKIPPED}]}}', "", "not audited", True),
    (0, f'{{"dependencies": [{CLEAN}]}}', "", "passed", True),
    (0, f'{{"dependencies": [{CLEAN}, {SKIPPED}]}}', "", "part audited", True),
    (1, f'{{"dependencies": [{BAD}, {SKIPPED}]}}', "", "failed", False),
]


@pytest.mark.parametrize(("code", "out", "err", "word", "ok"), AUDITS)
def test_the_audit_never_calls_clean_what_it_could_not_look_up(
    code: int, out: str, err: str, word: str, ok: bool, checks: dict[str, ModuleType]
) -> None:
    verdict = checks["packages"].audit_verdict(code, out, err)
    assert (verdict.word, verdict.ok) == (word, ok)


def test_a_lock_without_hash_or_with_an_address_is_found(
    checks: dict[str, ModuleType], tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["a>=1", "c"]\n')
    (tmp_path / "requirements.lock").write_text("a==1 \\\n    --hash=sha256:00\nb==2\n")
    (tmp_path / "requirements-dev.lock").write_text("a==2 \\\n    --hash=sha256:00\n")
    (tmp_path / "requirements-build.lock").write_text("--index-url https://example.org\n")
    count, problems = checks["packages"].lock_problems(tmp_path)
    assert count == 3
    assert sorted(problems) == [
        "requirements-build.lock: locks nothing",
        "requirements-build.lock: names an address",
        "requirements.lock lacks c",
        "requirements.lock: a differs from requirements-dev.lock",
        "requirements.lock: b differs from requirements-dev.lock",
        "requirements.lock: b has no hash",
    ]


def test_a_key_in_a_file_is_found_without_being_shown(
    checks: dict[str, ModuleType], tmp_path: Path
) -> None:
    found = "".join(chr(ord("a") + n % 26) for n in range(0, 300, 7))
    path = tmp_path / "notes.txt"
    path.write_text("nothing here\napi_" + f"secret = {found}\n")
    assert checks["static"].scan_file(path) == [(2, "exchange key")]


def measured(percent: float, journal: float) -> dict[str, object]:
    """Coverage's JSON of a package whose journal is covered in part."""
    files = {
        "trader/journal/a.py": journal,
        "trader/core/identity.py": 100.0,
        "trader/domain/order.py": 100.0,
    }
    return {
        "totals": {"percent_covered": percent},
        "files": {
            name: {
                "summary": {"percent_covered": part, "missing_lines": 1},
                "missing_lines": [7],
                "missing_branches": [],
            }
            for name, part in files.items()
        },
    }


def test_coverage_floors_are_held_and_name_what_is_missing(checks: dict[str, ModuleType]) -> None:
    suite = checks["suite"]
    assert suite.coverage_problems(measured(95.0, 100.0)) == (95.0, [])
    low = suite.coverage_problems(measured(89.9, 99.0))[1]
    assert low[0].startswith("overall 89.90 % is below")
    assert "trader/journal/a.py: must be covered whole; missing lines [7], branches []" in low
    nothing = {"totals": {"percent_covered": 95.0}, "files": {}}
    assert len(suite.coverage_problems(nothing)[1]) == len(suite.COMPLETE)


def test_the_closing_line_of_pytest_is_read(checks: dict[str, ModuleType]) -> None:
    closing_of = checks["suite"].closing_of
    assert closing_of("...\n===== 12 passed, 1 skipped in 3.21s =====\n") == (
        "12 passed, 1 skipped in 3.21s",
        12,
    )
    assert closing_of("1 failed, 2 passed in 65.00s (0:01:05)") == (
        "1 failed, 2 passed in 65.00s (0:01:05)",
        2,
    )
    assert closing_of("no tests ran in 0.01s") == ("", 0)


@pytest.mark.parametrize(
    ("code", "out", "ok"),
    [
        (0, '{"holds": true, "count": 3}', True),
        (0, 'said before\n{"holds": true, "count": 3}', True),
        (0, '{"holds": false, "count": 3}', False),
        (0, '{"holds": true, "count": 0}', False),
        (12, '{"holds": true, "count": 3}', False),
        (0, "no JSON", False),
        (0, "", False),
    ],
)
def test_a_proof_holds_only_with_its_last_line_and_exit_code(
    code: int, out: str, ok: bool, checks: dict[str, ModuleType]
) -> None:
    ran = checks["verdict"].Called(code, out, "")
    assert (checks["proofs"].problem_of("one.py", ran) == "") is ok
