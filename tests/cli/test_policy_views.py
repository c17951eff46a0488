"""`trader policy show` and `diff`: what people and programs are told."""

from __future__ import annotations

import pytest

from trader.policy.problems import PolicyError

from .terminal import Seen, in_terminal
from .workspace import STALE_CORE, Workspace, loads


def _lines(seen: Seen) -> list[str]:
    """What a terminal shows, but for what is said while somebody edits the core."""
    return [line for line in seen.text.splitlines() if not line.startswith(STALE_CORE)]


def _other(workspace: Workspace, **changed: str) -> str:
    """A second folder whose policy differs in some texts of policy.yaml."""
    place = workspace.folder / "other"
    place.mkdir()
    for path in (workspace.folder / "config").glob("*.yaml"):
        text = path.read_text()
        if path.name == "policy.yaml":
            for old, new in changed.items():
                assert old in text
                text = text.replace(old, new)
        (place / path.name).write_text(text)
    return "other"


@pytest.mark.parametrize("columns", [80, 120])
def test_show_on_a_terminal_is_a_table_for_each_file(workspace: Workspace, columns: int) -> None:
    seen = in_terminal(workspace, "policy", "show", columns=columns)
    assert seen.code == 0
    lines = _lines(seen)
    assert max(len(line) for line in lines) <= columns
    for name in ("app", "policy", "universe", "signals", "strategies"):
        assert f"{name}.yaml" in [line.strip() for line in lines]
    row, correlated = [line for line in lines if line.strip().startswith("exposure_max")]
    assert row.split() == ["exposure_max", "0.48", "config/policy.yaml:6"]
    assert correlated.split()[:2] == ["exposure_max", "0.48"]
    assert "…" not in seen.text


def test_diff_of_two_folders_names_key_values_and_meaning(workspace: Workspace) -> None:
    other = _other(workspace, **{"48%": "50%"})
    done = workspace.trader("policy", "diff", "config", other)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\npolicy.limits.exposure_max: 0.48 -> 0.5\n" in done.stdout
    assert "    most exposure (value) of all positions" in done.stdout
    shown = loads(workspace.trader("policy", "diff", "config", other, "--json"))
    keys = {change["key"]: (change["old"], change["new"]) for change in shown["changes"]}
    assert keys["policy.limits.exposure_max"] == ("0.48", "0.5")
    assert shown["a"]["sha"] != shown["b"]["sha"]
    assert all(change["meaning"] for change in shown["changes"])


def test_equal_policies_differ_in_no_key(workspace: Workspace) -> None:
    done = workspace.trader("policy", "diff", "config", "config")
    assert "no key differs" in done.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_diff_on_a_terminal_fits(workspace: Workspace, columns: int) -> None:
    other = _other(workspace, **{"48%": "50%"})
    seen = in_terminal(workspace, "policy", "diff", "config", other, columns=columns)
    assert max(len(line) for line in _lines(seen)) <= columns
    row, *_ = [line for line in _lines(seen) if line.startswith("policy.limits.exposure")]
    assert row.split() == ["policy.limits.exposure_max", "0.48", "0.5"]


def test_diff_finds_policies_in_the_journal_by_the_first_digits_of_their_hash(
    exchange: Workspace,
) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    exchange.replace("policy.yaml", "exposure_max: 48%", "exposure_max: 50%")
    exchange.trader("cycle", "--now", exchange.now(1))
    new = loads(exchange.trader("policy", "show", "--json"))["sha"]
    entries = exchange.trader("audit", "export", "entries", "--format", "json").stdout
    hashes = [row["sha"] for row in _policies(entries)]
    assert hashes[-1] == new
    shown = loads(exchange.trader("policy", "diff", hashes[0][:8], new[:8], "--json"))
    (limit,) = [c for c in shown["changes"] if c["key"] == "policy.limits.exposure_max"]
    assert (limit["old"], limit["new"]) == ("0.48", "0.5")
    journal = exchange.folder / "state" / "demo-testnet" / "journal.db"
    mixed = exchange.trader("policy", "diff", hashes[0], "config", "--journal", str(journal))
    assert "exposure_max: 0.48 -> 0.5" in mixed.stdout


def _policies(text: str) -> list[dict[str, str]]:
    import json

    rows = json.loads(text)
    payloads = [row["payload"] for row in rows if row["kind"] == "policy"]
    return [json.loads(p) if isinstance(p, str) else p for p in payloads]


def test_a_hash_that_no_journal_holds_is_a_usage_error(workspace: Workspace) -> None:
    done = workspace.trader("policy", "diff", "abcdef12", "config")
    assert done.returncode == int(PolicyError.code)
    assert "no policy with the hash abcdef12" in done.stderr


def test_a_rule_s_problem_is_drawn_with_its_caret(workspace: Workspace) -> None:
    path = workspace.folder / "config" / "strategies.yaml"
    path.write_text("dip:\n  enter: close > emma(20) and close[1] > open\n  stop: 5%\n")
    done = workspace.trader("policy", "check")
    assert done.returncode == 2
    assert "close > emma(20) and close[1] > open\n            ^^^^" in done.stderr


def test_diff_with_one_policy_compares_it_with_what_commands_read(workspace: Workspace) -> None:
    env = {"TRADER__POLICY__LIMITS__COLLAR": "4%"}
    done = workspace.trader("policy", "diff", "config", **env)
    assert "1 of the keys differ\npolicy.limits.collar: 0.03 -> 0.04\n" in done.stdout


def test_diff_takes_a_file_that_is_laid_over_another(workspace: Workspace) -> None:
    (workspace.folder / "mine.yaml").write_text("policy: {limits: {collar: 5%}}\n")
    done = workspace.trader("policy", "diff", "config", "config,mine.yaml")
    assert "policy.limits.collar: 0.03 -> 0.05" in done.stdout
