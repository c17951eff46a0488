"""Generated documents are fresh, and systemd accepts the units."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from trader.cli.options import LIGHT
from trader.cli.tree import build_app
from trader.core import reasons
from trader.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "systemd").glob("trader-cycle.*"))


def test_generated_documents_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/docs.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run python scripts/docs.py"
    count, _, rest = done.stdout.partition(" documents, ")
    assert int(count) >= 10
    assert rest.startswith("0 stale")


def test_every_command_exit_code_and_reason_is_documented() -> None:
    cli = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    tree = get_command(build_app())
    assert set(LIGHT) <= set(tree.commands)
    for name in tree.commands:
        assert f"### `trader {name}" in cli
    for code in ExitCode:
        assert f"| {int(code)} | " in cli
    text = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    for code in (*reasons.REFUSALS, *reasons.QUIET, *reasons.UNIVERSE, *reasons.ORDERS):
        assert f"| `{code}` | " in text


def test_systemd_accepts_the_units() -> None:
    assert [path.name for path in UNITS] == ["trader-cycle.service", "trader-cycle.timer"]
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here: the units were NOT verified")
    done = subprocess.run(
        [analyze, "verify", *map(str, UNITS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "trader-cycle" not in done.stderr


def test_the_timer_fires_at_second_5_and_a_pass_ends_within_its_minute() -> None:
    service, timer = (path.read_text(encoding="utf-8").splitlines() for path in UNITS)
    assert "OnCalendar=*-*-* *:*:05" in timer
    assert "AccuracySec=100ms" in timer
    assert "Persistent=false" in timer
    seconds = {
        line.partition("=")[0]: int(line.partition("=")[2].removesuffix("s"))
        for line in service
        if line.startswith(("TimeoutStartSec", "TimeoutStopSec"))
    }
    assert seconds["TimeoutStartSec"] + seconds["TimeoutStopSec"] < 60
    assert "Type=oneshot" in service
