"""Ready profiles: below everything that is written, and named as the place of what they give."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from trader.policy.cache import cache_key
from trader.policy.checking import check_policy, examine
from trader.policy.coherence import findings
from trader.policy.compiling_calendar import compile_calendar
from trader.policy.effective import fill_in, origins
from trader.policy.effective_sizes import effective_sizes
from trader.policy.parameters import build_parameters
from trader.policy.reading import Mark, Node, is_mapping, read_tree
from trader.policy.schema import Files
from trader.policy.sources import PROFILE_FOLDER, PROFILES, find_sources, profile_bytes
from trader.policy.tree import plain, walk

from .conftest import FindSources, WritePolicy

CONSERVATIVE = "profile: conservative\n"


def _text(name: str) -> str:
    return profile_bytes(name).decode()


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_valid_by_itself_and_coherent_with_every_default(name: str) -> None:
    node, problems = read_tree(name, _text(name))
    assert problems == []
    assert node is not None
    form = Files.model_validate(plain(node)).model_dump()
    fill_in(form, node, origins(form, node))
    compile_calendar(form)
    found = findings(form, Node({}, Mark("", 0, 0)), set())
    assert [str(f.code) for f in found if not f.warning] == []


@pytest.mark.parametrize("name", PROFILES)
def test_every_key_of_a_profile_counts_and_says_where_it_is_from(
    sources_of: FindSources, name: str
) -> None:
    checked = check_policy(sources_of(policy=f"profile: {name}\n"), {})
    node, _ = read_tree(name, _text(name))
    assert node is not None
    leaves = [(path, n.at.line) for path, n in walk(node) if not is_mapping(n.value)]
    assert len(leaves) >= 10
    for path, line in leaves:
        assert checked.origin[".".join(path)] == f"profile {name}:{line}"


def test_a_profile_changes_the_limits_and_the_size_of_who_does_not_say(
    sources_of: FindSources,
) -> None:
    sizes: dict[str, str] = {}
    for name in ("none", *PROFILES):
        form = check_policy(sources_of(policy=f"profile: {name}\n"), {}).form
        parameters = build_parameters(form, {"cross": ""})
        sizes[name] = parameters.strategies[0].size.method
        assert form["policy"]["profile"] == name
        limits = parameters.limits
        # Loss to the stops, the day's stop and the draw-down stand in this order.
        assert limits.loss_ppm_max < limits.day_stop_ppm < limits.drawdown_ppm_max
        assert parameters.strategies[0].size.share_ppm <= limits.position_ppm
        assert limits.positions_max * limits.position_ppm <= limits.exposure_ppm_max
    assert sizes == {
        "none": "equity_share",
        "conservative": "conservative",
        "aggressive": "aggressive",
    }


# A stop, and what of it each profile loses of an account of 1,000 (see `size_shares.lost_at`).
MEANT = [
    # at 3 % a cost of 1 loses 0.03387225: 19 % of equity lose 0.6436 %, 33 % lose 1.1178 %
    ("3%", "6.44", "11.18"),
    # at 5 % 0.05379241: 18.59 % lose 1 %, 33 % lose 1.7751 %
    ("5%", "10.00", "17.76"),
    ("6%", "10.00", "20.00"),
    ("10%", "10.00", "20.00"),
    ("20%", "10.00", "20.00"),
]


@pytest.mark.parametrize(("stop", "conservative", "aggressive"), MEANT)
def test_the_risk_of_a_profile_means_something(
    sources_of: FindSources, stop: str, conservative: str, aggressive: str
) -> None:
    strategies = f"dip: {{enter: close < open, stop: {stop}}}\n"
    for profile, lost in (("conservative", conservative), ("aggressive", aggressive)):
        policy = f"profile: {profile}\n"
        form = check_policy(sources_of(policy=policy, strategies=strategies), {}).form
        (row,) = effective_sizes(form, Decimal(1_000)).rows
        assert str(row.loss_all) == lost
        (small,) = effective_sizes(form, Decimal(250)).rows
        assert small.trades


def test_a_size_that_is_written_wins_over_the_profiles(sources_of: FindSources) -> None:
    text = "cross: {size: {equity_share: 3%}}\ndip: {file: cross.py, size: {method: risk}}\n"
    checked = check_policy(sources_of(policy=CONSERVATIVE, strategies=text), {})
    built = build_parameters(checked.form, {"cross": "", "dip": ""}).strategies
    assert [(spec.size.method, spec.size.share_ppm) for spec in built] == [
        ("equity_share", 30_000),
        ("risk", 50_000),
    ]
    checked = check_policy(sources_of(policy=CONSERVATIVE), {})
    assert checked.origin["strategies.cross.size.method"].startswith("profile conservative:")


def test_what_is_written_wins_over_the_profile_and_variables_over_both(
    sources_of: FindSources,
) -> None:
    text = CONSERVATIVE + "limits:\n  day_stop: 2.8%\n"
    env = {"TRADER__POLICY__LIMITS__TRADES_PER_DAY_MAX": "100"}
    checked = check_policy(sources_of(policy=text), env)
    limits, origin = checked.form["policy"]["limits"], checked.origin
    assert (limits["day_stop"], limits["drawdown_max"]) == ("0.028", "0.25")
    assert limits["trades_per_day_max"] == 100
    assert origin["policy.limits.day_stop"] == "config/policy.yaml:3"
    assert origin["policy.limits.drawdown_max"].startswith("profile conservative:")
    assert origin["policy.limits.trades_per_day_max"].startswith("env TRADER__POLICY__")
    assert origin["policy.limits.slippage"] == "default"


def test_a_later_file_chooses_another_profile(tmp_path: Path, write_policy: WritePolicy) -> None:
    write_policy(policy=CONSERVATIVE)
    (tmp_path / "mine.yaml").write_text("policy: {profile: aggressive}\n")
    sources = find_sources(["config", "mine.yaml"], cwd=tmp_path, env={})
    assert check_policy(sources, {}).form["policy"]["limits"]["position"] == "0.33"
    env = {"TRADER__POLICY__PROFILE": "conservative"}
    assert check_policy(sources, env).form["policy"]["limits"]["position"] == "0.19"


def test_a_profile_does_not_make_up_for_a_missing_file(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy(policy=CONSERVATIVE, universe=None)
    _, problems, _ = examine(find_sources([], cwd=tmp_path, env={}), {})
    assert [p.code for p in problems] == ["FILE_MISSING"]


@pytest.mark.parametrize("text", ["profile: agressive\n", "profile: [aggressive]\n"])
def test_a_profile_that_does_not_exist_is_one_problem(sources_of: FindSources, text: str) -> None:
    _, problems, _ = examine(sources_of(policy=text), {})
    (problem,) = problems
    assert (problem.line, problem.where) == (1, "profile")


def test_the_cache_knows_the_profiles(
    sources_of: FindSources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sources = sources_of(policy=CONSERVATIVE)
    before = cache_key(sources, {}, "code")
    for name in PROFILES:
        (tmp_path / f"{name}.yaml").write_bytes(profile_bytes(name) + b"# changed\n")
    monkeypatch.setattr("trader.policy.sources.PROFILE_FOLDER", tmp_path)
    assert cache_key(sources, {}, "code") != before


def test_the_profiles_are_part_of_the_package() -> None:
    root = PROFILE_FOLDER.parents[2]
    packages = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    (pattern,) = packages["package-data"]["trader.policy"]
    shipped = {path.stem for path in PROFILE_FOLDER.parent.glob(pattern)}
    assert shipped == set(PROFILES)
