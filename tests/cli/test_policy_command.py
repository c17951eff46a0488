"""`trader policy`."""

from __future__ import annotations

from .workspace import Workspace, loads


def test_check_says_what_is_usable(workspace: Workspace) -> None:
    done = workspace.trader("policy", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "[paper] the policy is usable: demo_cross on BTC/USDT" in done.stdout
    assert loads(workspace.trader("policy", "check", "--json"))["ok"] is True


def test_check_lists_problems_as_json(workspace: Workspace) -> None:
    workspace.replace("policy.yaml", "  slippage", "  slipage")
    done = workspace.trader("policy", "check", "--json")
    assert done.returncode == 2
    (problem,) = loads(done)["problems"]
    assert (problem["code"], problem["line"]) == ("UNKNOWN_KEY", 2)


def test_show_names_where_each_value_is_from(workspace: Workspace) -> None:
    said = workspace.trader("policy", "show", TRADER__APP__CAPITAL="5000").stdout
    assert "app.capital = 5000  # env TRADER__APP__CAPITAL" in said
    assert "app.account = demo  # config/app.yaml:2" in said
    assert "app.quote = USDT  # default" in said
    shown = loads(workspace.trader("policy", "show", "--json"))
    assert shown["policy"]["strategies"]["demo_cross"]["instruments"] == ["BTC/USDT"]


def test_later_files_win_and_standard_input_is_one(workspace: Workspace) -> None:
    text = "policy:\n  limits:\n    positions_max: 2\n"
    done = workspace.trader("policy", "show", "-c", "config", "-c", "-", stdin=text)
    assert "policy.limits.positions_max = 2  # <stdin>:3" in done.stdout


def test_schema_prints_one_or_all(workspace: Workspace) -> None:
    every = loads(workspace.trader("policy", "schema"))
    assert sorted(every) == sorted(
        f"{name}.yaml" for name in ("app", "policy", "universe", "signals", "strategies")
    )
    assert loads(workspace.trader("policy", "schema", "app.yaml")) == every["app.yaml"]


def test_a_file_that_needs_more_bars_than_can_be_read_is_refused(workspace: Workspace) -> None:
    workspace.replace("strategies/demo_cross.py", "def warmup(", "def _warmup(")
    path = workspace.folder / "config" / "strategies" / "demo_cross.py"
    path.write_text(path.read_text() + "\n\ndef warmup(p):\n    return 19_936\n")
    done = workspace.trader("policy", "check")
    assert done.returncode == 2
    assert "WARMUP_WINDOW strategies.demo_cross: needs 20001 bars of 1m" in done.stderr
    assert "20000 can be read of binance" in done.stderr


def test_warnings_are_told_beside_problems_in_the_same_run(workspace: Workspace) -> None:
    strategies = workspace.folder / "config" / "strategies.yaml"
    rule = "late:\n  enter: close > highest(high, 20)\n  stop: 5%\n  nonsense: 1\n"
    strategies.write_text(rule)
    done = workspace.trader("policy", "check")
    assert done.returncode == 2
    assert "UNKNOWN_KEY" in done.stderr
    assert "warning: config/strategies.yaml:2:10: RULE_NEVER" in done.stderr
