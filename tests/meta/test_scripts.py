"""The commands of the README and of CI: executable, readable by any sh, kept so by git."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL = ("scripts/demo", "scripts/test", "scripts/build/setup", "scripts/build/lock", ".ci/run")


@pytest.mark.parametrize("name", SHELL)
def test_a_script_is_executable_and_sh_understands_it(name: str) -> None:
    path = ROOT / name
    assert os.access(path, os.X_OK)
    assert path.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", path], check=True)


@pytest.mark.parametrize("name", SHELL)
def test_git_keeps_the_executable_bit(name: str) -> None:
    words = ["git", "ls-files", "-s", name]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("100755 ")


def test_ci_runs_the_readme_s_test_command() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines[-1] == "exec scripts/test </dev/null"


def test_the_checks_have_names_that_can_be_asked_for() -> None:
    python = ROOT / ".venv/bin/python"
    if not python.exists():
        pytest.skip("not set up by scripts/test")
    words = [python, "scripts/checks/run.py", "--list"]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "import-linter" in ran.stdout.splitlines()


def test_an_unknown_level_of_set_up_is_refused() -> None:
    words = [ROOT / "scripts/build/setup", "everything"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "usage: scripts/build/setup runtime|dev" in ran.stderr


def test_floors_are_exhaustive_and_count_every_import() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    floors = next(item for item in settings["contracts"] if item["id"] == "floors")
    assert floors["exhaustive"] is True
    assert settings["exclude_type_checking_imports"] is False
    assert not [item for item in settings["contracts"] if item.get("ignore_imports")]
