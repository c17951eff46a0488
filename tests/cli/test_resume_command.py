"""`trader resume`, and the strategies in `trader status`, through the installed command."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from trader.journal.journal import Journal

from .workspace import Workspace, loads

WHY = "STRATEGY_FAILED in=signals error=ZeroDivisionError"
GENESIS = {
    "account": "demo",
    "mode": "paper",
    "prefix": "abcdef",
    "quote": "USDT",
    "cash_digits": 8,
    "capital": "1000",
    "capital_units": 1000 * 10**8,
}


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """Books of an account one of whose strategies failed and whose entries are halted."""
    place = workspace.folder / "state" / "demo-paper"
    place.mkdir(parents=True)
    plan = {"bar_ms": 60_000, "legs": [], "refused": [], "trail": "", "off": [["ma_cross", WHY]]}
    halt = {"level": "no_entries", "why": "calm", "by": "ann", "at_ms": 3}
    with Journal.open(place / "journal.db", create=True) as journal:
        journal.append("genesis", GENESIS, 1)
        journal.append("plan", {**plan, "results": {"ma_cross": -150_000_000}}, 2)
        journal.append("halt", halt, 3)
    return place


WHO = ("--by", "ann", "--reason", "mended")


def test_a_strategy_comes_back_by_a_named_human(workspace: Workspace, folder: Path) -> None:
    shown = workspace.trader("status").stdout
    assert "ma_cross" in shown
    assert f"strategy ma_cross is off, {WHY}; to ask it again: trader resume" in shown
    assert workspace.trader("resume", "--strategy", "ma_cross").returncode == 2
    wrong = workspace.trader("resume", "--strategy", "ma_crss", *WHO)
    assert wrong.returncode == 2
    assert "did you mean ma_cross?" in wrong.stderr
    back = workspace.trader("resume", "--strategy", "ma_cross", *WHO)
    assert (back.returncode, back.stdout) == (
        0,
        f"[paper] strategy ma_cross goes on: it was off, {WHY}; by ann: mended\n",
    )
    again = workspace.trader("resume", "--strategy", "ma_cross", *WHO)
    assert (again.returncode, again.stdout) == (0, "[paper] strategy ma_cross needs nobody\n")
    (account,) = loads(workspace.trader("status", "--json"))["accounts"]
    (row,) = [s for s in account["strategies"] if s["strategy"] == "ma_cross"]
    assert (row["off_why"], row["drawdown_max"]) == ("", "1.5")


def test_a_strategy_in_shadow_and_stopped_comes_back(workspace: Workspace, folder: Path) -> None:
    why = "STRATEGY_QUALITY limit=800 measured=-5 unit=sharpe_milli days=60"
    told = {"shadow": [["ma_cross", why]], "stopped": ["ma_cross"]}
    with Journal.open(folder / "journal.db") as journal:
        journal.append("plan", {"bar_ms": 120_000, "legs": [], **told}, 4)
    shown = workspace.trader("status").stdout
    assert f"strategy ma_cross only watches, {why}; " in shown
    assert "strategy ma_cross is stopped, STRATEGY_DRAWDOWN" in shown
    back = workspace.trader("resume", "--strategy", "ma_cross", *WHO).stdout
    assert f"it was in shadow, {why}; its draw-down had stopped it; by ann" in back
    assert workspace.trader("resume", "--strategy", "ma_cross", *WHO).stdout.endswith("nobody\n")
    assert "only watches" not in workspace.trader("status").stdout


def test_a_calm_halt_ends_and_a_latch_does_not(workspace: Workspace, folder: Path) -> None:
    back = workspace.trader("resume", *WHO)
    assert (back.returncode, back.stdout) == (0, "[paper] entries go on; by ann: mended\n")
    assert workspace.trader("resume", *WHO).stdout == "[paper] nothing was halted\n"
    with Journal.open(folder / "journal.db") as journal:
        journal.append("halt", {"level": "frozen", "why": "x", "by": "ann", "at_ms": 4}, 4)
    refused = workspace.trader("resume", *WHO)
    assert refused.returncode == 2
    assert "trader kill resume --by NAME --reason TEXT" in refused.stderr


def test_the_mark_is_set_anew_when_a_draw_down_stopped_entries(
    workspace: Workspace, folder: Path
) -> None:
    assert workspace.trader("resume", "--mark", *WHO).stdout.endswith(
        "no draw-down stops entries\n"
    )
    with Journal.open(folder / "journal.db") as journal:
        marks = {"high_units": 9, "drawdown_stopped": 1}
        journal.append("plan", {"bar_ms": 120_000, "legs": [], "marks": marks}, 5)
    done = workspace.trader("resume", "--mark", *WHO)
    assert done.stdout.startswith("[paper] the draw-down is measured from the next decision on")
    both = workspace.trader("resume", "--mark", "--strategy", "ma_cross", *WHO)
    assert both.returncode == 2


def test_a_running_cycle_is_waited_for_by_nobody(workspace: Workspace, folder: Path) -> None:
    with (folder / "lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = workspace.trader("resume", "--strategy", "ma_cross", *WHO)
    assert done.returncode == 9, done.stderr
