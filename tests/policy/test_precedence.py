"""Where a policy is looked for, and who wins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trader.policy.checked import Checked
from trader.policy.checking import check_policy, examine
from trader.policy.problems import PolicyError
from trader.policy.sources import STDIN, find_sources

from .conftest import FindSources, WritePolicy


def _check(
    cwd: Path, *configs: str, env: dict[str, str] | None = None, stdin: str | None = None
) -> Checked:
    variables = env or {}
    sources = find_sources(configs, cwd=cwd, env=variables, stdin=stdin, system=cwd / "etc")
    return check_policy(sources, variables)


def _codes(cwd: Path, *configs: str, stdin: str | None = None) -> list[str]:
    sources = find_sources(configs, cwd=cwd, env={}, stdin=stdin, system=cwd / "etc")
    _, problems, _ = examine(sources, {})
    return [f"{p.file}:{p.line} {p.code} {p.where}".strip() for p in problems]


def test_the_working_directory_comes_first_then_xdg_then_the_system(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy("etc", app="account: system\n")
    xdg = {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert _check(tmp_path, env=xdg).form["app"]["account"] == "system"
    write_policy("xdg/trader", app="account: mine\n")
    assert _check(tmp_path, env=xdg).form["app"]["account"] == "mine"
    write_policy("config", app="account: here\n")
    assert _check(tmp_path, env=xdg).form["app"]["account"] == "here"


def test_home_is_used_when_xdg_config_home_is_not_set(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy("home/.config/trader", app="account: home\n")
    found = _check(tmp_path, env={"HOME": str(tmp_path / "home")})
    assert found.form["app"]["account"] == "home"
    assert found.folders["cross"] == str(tmp_path / "home/.config/trader")


def test_a_config_folder_of_something_else_is_passed_over(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "other.yaml").write_text("a: 1\n")
    write_policy("etc", app="account: system\n")
    assert _check(tmp_path).form["app"]["account"] == "system"


def test_no_folder_at_all_is_one_error_that_names_every_place(tmp_path: Path) -> None:
    env = {"XDG_CONFIG_HOME": "/nowhere/xdg"}
    with pytest.raises(PolicyError) as caught:
        find_sources([], cwd=tmp_path, env=env, system=tmp_path / "etc")
    (problem,) = caught.value.problems
    assert problem.code == "FOLDER_MISSING"
    for place in ("config", "/nowhere/xdg/trader", str(tmp_path / "etc")):
        assert place in str(problem)


def test_a_missing_file_of_the_five_is_named(tmp_path: Path, write_policy: WritePolicy) -> None:
    write_policy(universe=None, signals=None)
    assert _codes(tmp_path) == [
        "config/universe.yaml:0 FILE_MISSING",
        "config/signals.yaml:0 FILE_MISSING",
    ]


def test_a_wrong_ending_is_found_by_name(tmp_path: Path, write_policy: WritePolicy) -> None:
    folder = write_policy(signals=None)
    (folder / "signals.yml").write_text("{}\n")
    sources = find_sources([], cwd=tmp_path, env={}, system=tmp_path / "etc")
    _, problems, warnings = examine(sources, {})
    assert "rename signals.yml to signals.yaml" in str(problems[0])
    assert [(w.code, w.file) for w in warnings] == [("FILE_STRAY", "config/signals.yml")]


def test_a_folder_in_the_place_of_a_file_is_unreadable(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    folder = write_policy(signals=None)
    (folder / "signals.yaml").mkdir()
    assert _codes(tmp_path) == ["config/signals.yaml:0 FILE_UNREADABLE"]


def test_a_pipe_in_the_folder_is_refused_and_not_waited_for(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy(signals=None)
    os.mkfifo(tmp_path / "config" / "signals.yaml")
    assert _codes(tmp_path) == ["config/signals.yaml:0 FILE_UNREADABLE"]


def test_later_files_win_key_by_key_and_say_so(tmp_path: Path, write_policy: WritePolicy) -> None:
    write_policy()
    (tmp_path / "mine.yaml").write_text(
        "policy:\n  limits:\n    collar: 4%\nstrategies:\n  cross: {enabled: false}\n"
    )
    stdin = "policy: {limits: {slippage: 5bps}}\n"
    checked = _check(tmp_path, "config", "mine.yaml", "-", stdin=stdin)
    limits = checked.form["policy"]["limits"]
    assert (limits["collar"], limits["slippage"], limits["exit_slippage"]) == (
        "0.04",
        "0.0005",
        "0.005",
    )
    origin = checked.origin
    assert origin["policy.limits.collar"] == "mine.yaml:3"
    assert origin["policy.limits.slippage"] == f"{STDIN}:1"
    assert origin["policy.limits.exit_slippage"] == "config/policy.yaml:3"
    assert origin["policy.limits.position"] == "default"
    assert checked.form["strategies"]["cross"]["timeframe"] == "1h"
    assert checked.folders["cross"] == str(tmp_path / "config")


def test_the_folder_of_a_strategy_is_the_one_whose_file_names_its_file(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy()
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "over.yaml").write_text("strategies: {cross: {file: other.py}}\n")
    checked = _check(tmp_path, "config", "more/over.yaml")
    assert checked.folders["cross"] == str(tmp_path / "more")


def test_an_overlay_folder_needs_only_the_files_it_changes(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy()
    (tmp_path / "over").mkdir()
    (tmp_path / "over" / "app.yaml").write_text("account: over\n")
    assert _check(tmp_path, "config", "over").form["app"]["account"] == "over"
    missing = [line.split()[1] for line in _codes(tmp_path, "over")]
    assert missing == ["FILE_MISSING"] * 4


def test_a_file_alone_must_bring_all_sections(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("app: {}\npolicy: {}\nuniverse: {}\n")
    assert _codes(tmp_path, "one.yaml") == ["one.yaml:0 FILE_MISSING"] * 2


def test_an_unknown_section_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy()
    assert _codes(tmp_path, "config", "-", stdin="polcy: {}\n") == [
        f"{STDIN}:1 UNKNOWN_SECTION polcy"
    ]


def test_stdin_that_was_not_given_and_files_that_do_not_exist_are_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no text was given"):
        find_sources(["-"], cwd=tmp_path, env={})
    assert _codes(tmp_path, "nothing.yaml")[0] == "nothing.yaml:0 FILE_MISSING"
    assert _codes(tmp_path, "a\x00b")[0].endswith("FILE_UNREADABLE")


def test_variables_win_over_every_file(tmp_path: Path, write_policy: WritePolicy) -> None:
    write_policy()
    env = {
        "TRADER__APP__EXCHANGE__BASE_URL": "http://127.0.0.1:9999",
        "TRADER__UNIVERSE__TIERS__CORE__PAIRS": "SOL/USDT, BTC/USDT",
        "TRADER__POLICY__LIMITS": "{collar: 7%, position: 2%}",
        "TRADER__STRATEGIES__CROSS__SIZE__EQUITY_SHARE": "1%",
        "TRADER_TESTNET_KEY": "not an override",
    }
    checked = _check(tmp_path, "config", "-", env=env, stdin="policy: {limits: {collar: 5%}}\n")
    form = checked.form
    assert form["app"]["exchange"]["base_url"] == "http://127.0.0.1:9999"
    assert form["strategies"]["cross"]["instruments"] == ["SOL/USDT", "BTC/USDT"]
    assert form["policy"]["limits"]["collar"] == "0.07"
    assert form["policy"]["limits"]["slippage"] == "0.001"
    assert form["strategies"]["cross"]["size"]["equity_share"] == "0.01"
    name = "env TRADER__APP__EXCHANGE__BASE_URL"
    assert checked.origin["app.exchange.base_url"] == name


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("TRADER__APP__MOOD", "paper", "UNKNOWN_KEY app.mood"),
        ("TRADER__AP__MODE", "paper", "UNKNOWN_SECTION"),
        ("TRADER__APP", "{mode: paper}", "BAD_NAME"),
        ("TRADER__", "x", "BAD_NAME"),
        ("TRADER__APP____MODE", "x", "BAD_NAME"),
        ("TRADER__APP__MODE", "LIVE", "NOT_A_CHOICE app.mode"),
        ("TRADER__APP__MODE", "pa\x01per", "CONTROL_CHARACTER"),
        ("TRADER__APP__MODE", "\udcff", "NOT_UTF8"),
        ("TRADER__POLICY__LIMITS", "{collar: [", "YAML_SYNTAX"),
        ("TRADER__STRATEGIES__CROS__ENABLED", "false", "UNKNOWN_KEY"),
        ("TRADER__APP__EXCHANGE__BASE_URL", "http://example.com", "BASE_URL app.exchange.base_url"),
        ("TRADER__APP__EXCHANGE__SECRET", "abc", "CREDENTIAL app.exchange.secret"),
    ],
)
def test_a_bad_variable_is_named(
    sources_of: FindSources, name: str, text: str, expected: str
) -> None:
    _, problems, _ = examine(sources_of(), {name: text})
    (problem,) = problems
    assert problem.file == f"env {name}"
    assert f"{problem.code} {problem.where}".strip() == expected


def test_a_variable_cannot_add_a_strategy_by_a_typo(sources_of: FindSources) -> None:
    _, problems, _ = examine(sources_of(), {"TRADER__STRATEGIES__CROS__ENABLED": "false"})
    assert "did you mean cross" in str(problems[0])
