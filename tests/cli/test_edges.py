"""Every failure is one sentence on stderr and its exit code; nothing else is ever printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from trader.cli.exit_codes import MEANINGS
from trader.errors import ExitCode

from .workspace import Workspace

WRONG = [
    (("bogus",), 2, "No such command 'bogus'"),
    (("status", "--bogus"), 2, "No such option: --bogus"),
    (("cycle", "--now"), 2, "requires an argument"),
    (("cycle", "--now", "soon"), 2, "--now is refused in mode paper against a real exchange"),
    (("backtest",), 2, "bars"),
    (("backtest", "--bars", "absent.csv"), 3, "absent.csv does not exist"),
    (("policy", "check", "-c", "nowhere"), 2, "nowhere"),
    (("policy", "schema", "x.yaml"), 2, "x.yaml is not one of the five"),
    (("audit", "verify"), 10, "journal.db"),
    (("audit", "verify", "--head", "12"), 2, "--head '12' is not SEQ:HASH"),
    (("audit", "explain", "1"), 10, "journal.db"),
    (("kill",), 2, "write trader kill --all"),
    (("kill", "resume"), 10, "journal.db"),
    (("paper", "reset"), 2, "add --yes"),
    (("exchange", "serve", "--bars", "absent.csv"), 2, "absent.csv"),
]


@pytest.mark.parametrize(("words", "code", "says"), WRONG, ids=lambda value: str(value)[:40])
def test_a_failure_is_one_sentence_and_a_code(
    workspace: Workspace, words: tuple[str, ...], code: int, says: str
) -> None:
    done = workspace.trader(*words)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("trader: ")
    assert done.stderr.count("\n") == 1


def test_every_problem_of_a_policy_is_named_at_once(workspace: Workspace) -> None:
    workspace.replace("policy.yaml", "  slippage", "  slipage")
    workspace.replace("app.yaml", "timeframe: 1m", "timeframe: 7m")
    done = workspace.trader("cycle")
    assert done.returncode == 2
    assert "the policy has 2 problems" in done.stderr
    assert "did you mean" in done.stderr
    assert "config/app.yaml:4" in done.stderr


def test_a_bug_is_one_line_that_says_where_the_traceback_is(workspace: Workspace) -> None:
    done = in_a_deleted_folder(workspace, "policy", "check")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    found = re.search(r"the traceback is in (\S+)", done.stderr)
    assert found is not None
    path = Path(found[1])
    assert "Traceback (most recent call last)" in path.read_text(encoding="utf-8")
    path.unlink()


def test_v_shows_the_traceback_of_a_bug(workspace: Workspace) -> None:
    done = in_a_deleted_folder(workspace, "status", "-v")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "trader: bug: FileNotFoundError" in done.stderr


def in_a_deleted_folder(workspace: Workspace, *words: str) -> subprocess.CompletedProcess[str]:
    """No command expects that the folder it runs in is gone."""
    gone = workspace.folder / "gone"
    gone.mkdir()
    code = (
        "import os, sys\n"
        f"os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})\n"
        "from trader.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    return workspace.python("-c", code, *words)


def test_a_reader_that_left_is_no_failure(workspace: Workspace) -> None:
    command = f"{sys.executable} -m trader policy schema | head -1"
    done = workspace.python("-c", f"import os; os.system({command!r})")
    assert done.stdout == "{\n"
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ["policy show", "status"])
def test_a_full_disk_under_stdout_is_code_10(workspace: Workspace, words: str) -> None:
    command = f"{sys.executable} -m trader {words} > /dev/full; echo $?"
    done = workspace.python("-c", f"import os; os.system({command!r})")
    assert done.stdout == "10\n"
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_coloured_when_piped(workspace: Workspace) -> None:
    for words in (("--help",), ("cycle", "--help"), ("policy", "show"), ("status",)):
        assert "\x1b" not in workspace.trader(*words).stdout


def test_help_and_version_end_with_0(workspace: Workspace) -> None:
    for words in (("--help",), ("-h",), ("cycle", "-h"), ("exchange", "serve", "--help")):
        done = workspace.trader(*words)
        assert done.returncode == 0, words
        assert "sage" in done.stdout, words
    assert workspace.trader("--version").stdout.startswith("trader ")


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


def test_the_console_script_is_the_module(workspace: Workspace) -> None:
    script = Path(sys.executable).with_name("trader")
    if not script.exists():
        pytest.skip("the package is not installed here")
    done = subprocess.run(
        [script, "policy", "check", "-c", "config"],
        cwd=workspace.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout == workspace.trader("policy", "check", "-c", "config").stdout
