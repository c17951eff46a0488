"""The first thing a newcomer runs."""

from __future__ import annotations

from .workspace import Workspace


def test_the_demo_shows_everything_and_can_be_run_again(workspace: Workspace) -> None:
    for _ in range(2):
        done = workspace.trader("demo")
        assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert "Everything is written to" in said
    assert "[testnet] cycle 36, bar" in said
    assert "[paper] cycle 4, bar" in said
    assert "[testnet] the journal is whole" in said
    assert "[testnet] replay PROVEN: 36 plans" in said
    assert "[paper] the journal is whole" in said
    assert "[paper] replay PROVEN: 4 plans" in said
    assert "What to do next:" in said
    assert "entry_signal): filled 0." in said
    typed = [line for line in said.splitlines() if not line.startswith("[")]
    assert max(len(line) for line in typed if str(workspace.folder) not in line) <= 80
    assert "Traceback" not in said + done.stderr
    workspace_folder = workspace.folder / "trader-demo"
    secrets = [name for name, data in workspace.tree().items() if b"local-secret" in data]
    assert secrets == []
    assert (workspace_folder / "state" / "demo-testnet" / "journal.db").exists()


def test_a_folder_of_somebody_else_is_left_alone(workspace: Workspace) -> None:
    before = workspace.tree()
    done = workspace.trader("demo", "--dir", "config")
    assert done.returncode == 2
    assert "was not made by a demo" in done.stderr
    assert workspace.tree() == before
