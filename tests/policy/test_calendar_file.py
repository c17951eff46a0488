"""The calendar's own file: its rows join those of policy.yaml, and it is sealed with the policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from trader.policy.cache import load_checked
from trader.policy.checked import Checked
from trader.policy.checking import check_policy, examine
from trader.policy.parameters import build_parameters
from trader.policy.problems import PolicyError
from trader.policy.sources import find_sources

from .conftest import FindSources, WritePolicy

NAMED = "calendar:\n  zone: Europe/Berlin\n  holidays: [2026-12-25]\n  file: closed.yaml\n"
ROWS = (
    "weekly: [sun 20:00-24:00]\n"
    "dated:\n  - {from: 2026-03-18 19:00, to: 2026-03-18 21:00, name: fed}\n"
    "holidays: [2026-12-26]\n"
)


def _check(tmp_path: Path, *configs: str) -> Checked:
    return check_policy(find_sources(configs, cwd=tmp_path, env={}), {})


def _problems(find: FindSources, closed: str | bytes | None) -> list[str]:
    _, problems, _ = examine(find(policy=NAMED, closed=closed), {})
    return [f"{p.file}:{p.line} {p.code} {p.where}" for p in problems]


def test_rows_of_the_file_follow_those_of_the_policy(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(policy=NAMED, closed=ROWS), {})
    calendar = checked.form["policy"]["calendar"]
    assert calendar["holidays"] == ["2026-12-25", "2026-12-26"]
    assert calendar["weekly"] == ["sun 20:00-24:00"]
    assert calendar["dated"] == [
        {"from": "2026-03-18 19:00", "to": "2026-03-18 21:00", "name": "fed"}
    ]
    limits = build_parameters(checked.form, {"cross": ""}).limits
    assert [window.name for window in limits.calendar.dated] == [
        "fed",
        "holiday_2026-12-25",
        "holiday_2026-12-26",
    ]
    assert not [w for w in checked.warnings if w.code == "FILE_STRAY"]


def test_a_file_that_nobody_names_is_stray(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(closed=ROWS), {})
    assert [(w.code, w.file) for w in checked.warnings] == [("FILE_STRAY", "config/closed.yaml")]
    assert checked.form["policy"]["calendar"]["weekly"] == []


def test_a_file_that_is_not_there_is_named_at_the_key(sources_of: FindSources) -> None:
    assert _problems(sources_of, None) == ["config/policy.yaml:4 CALENDAR_FILE calendar.file"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("holidays: [2026-02-30]\n", ["1 NOT_A_DATE holidays"]),
        ("dated:\n  - {from: 2026-06-31, to: 2026-07-01}\n", ["2 NOT_A_DATE dated.from"]),
        ("dated:\n  - {from: 2026-07-02, to: 2026-06-01}\n", ["2 WINDOW_EMPTY dated"]),
        ("weekly: [sun 25:00-26:00]\n", ["1 NOT_A_TIME weekly"]),
        ("weekly: sun 20:00-24:00\n", ["1 WRONG_KIND weekly"]),
        ("sessions: [mon 08:00-22:00]\n", ["1 UNKNOWN_KEY sessions"]),
        ("zone: UTC\nholiday: []\n", ["1 UNKNOWN_KEY zone", "2 UNKNOWN_KEY holiday"]),
        ("- 2026-12-25\n", ["1 WRONG_KIND "]),
        ("dated: [\n", ["2 YAML_SYNTAX "]),
        ("holidays: [2026-12-25]\nholidays: []\n", ["2 DUPLICATE_KEY holidays"]),
        ("holidays:\n", ["1 NO_VALUE holidays"]),
        (b"\xff", ["1 NOT_UTF8 "]),
    ],
)
def test_what_is_wrong_in_the_file_is_told_at_its_own_line(
    sources_of: FindSources, text: str | bytes, expected: list[str]
) -> None:
    found = _problems(sources_of, text)
    if "WRONG_KIND weekly" in expected[0] or "NO_VALUE" in expected[0]:
        found = found[:1]
    assert found == [f"config/closed.yaml:{row}" for row in expected]


def test_an_overlap_across_the_two_files_is_told_where_the_later_window_stands(
    sources_of: FindSources,
) -> None:
    policy = "calendar:\n  weekly: [sun 19:00-21:00]\n  file: closed.yaml\n"
    _, problems, _ = examine(sources_of(policy=policy, closed=ROWS), {})
    assert [(p.file, p.line, p.code) for p in problems] == [
        ("config/closed.yaml", 1, "WINDOWS_OVERLAP")
    ]


def test_an_empty_file_adds_nothing(sources_of: FindSources) -> None:
    checked = check_policy(sources_of(policy=NAMED, closed="{}\n"), {})
    assert checked.form["policy"]["calendar"]["holidays"] == ["2026-12-25"]


def test_the_file_is_looked_for_beside_the_file_that_names_it(
    tmp_path: Path, write_policy: WritePolicy
) -> None:
    write_policy()
    other = tmp_path / "mine"
    other.mkdir()
    (other / "closed.yaml").write_text("holidays: [2026-12-31]\n")
    (other / "policy.yaml").write_text("policy: {calendar: {file: closed.yaml}}\n")
    checked = _check(tmp_path, "config", "mine/policy.yaml")
    assert checked.form["policy"]["calendar"]["holidays"] == ["2026-12-31"]
    assert list(checked.beside) == [str(other / "closed.yaml")]


def test_a_variable_may_name_the_file(tmp_path: Path, write_policy: WritePolicy) -> None:
    write_policy(closed=ROWS)
    env = {"TRADER__POLICY__CALENDAR__FILE": "closed.yaml"}
    checked = check_policy(find_sources([], cwd=tmp_path, env=env), env)
    assert checked.form["policy"]["calendar"]["holidays"] == ["2026-12-26"]


def test_another_file_is_another_policy(sources_of: FindSources) -> None:
    one = check_policy(sources_of(policy=NAMED, closed=ROWS), {})
    two = check_policy(sources_of(policy=NAMED, closed=ROWS.replace("-26", "-27")), {})
    same = check_policy(sources_of(policy=NAMED, closed=f"# said otherwise\n{ROWS}"), {})
    assert len({one.sha, two.sha}) == 2
    assert same.sha == one.sha
    assert len({one.source_sha, two.source_sha, same.source_sha}) == 3


def test_a_cached_policy_is_checked_anew_when_the_file_changes(
    tmp_path: Path, sources_of: FindSources, write_policy: WritePolicy
) -> None:
    sources = sources_of(policy=NAMED, closed=ROWS)
    first = load_checked(sources, {}, tmp_path / "cache", "code")
    assert load_checked(sources, {}, tmp_path / "cache", "code") == first
    write_policy(policy=NAMED, closed=ROWS.replace("-26", "-27"))
    later = load_checked(sources, {}, tmp_path / "cache", "code")
    assert later.form["policy"]["calendar"]["holidays"] == ["2026-12-25", "2026-12-27"]
    (tmp_path / "config" / "closed.yaml").unlink()
    with pytest.raises(PolicyError, match="CALENDAR_FILE"):
        load_checked(sources, {}, tmp_path / "cache", "code")
