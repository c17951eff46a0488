"""Broken policies by table: what stands in a file -> every problem with its line and key."""

from __future__ import annotations

import pytest

from trader.policy.checking import check_policy, examine
from trader.policy.problems import Code, PolicyError

from . import broken_universe
from .broken_app import SECRET
from .broken_kinds import Row
from .broken_tables import TABLES, all_rows, rows_with_text
from .conftest import FindSources
from .incoherent import EXAMPLES

ROWS = all_rows()


def _ids() -> list[str]:
    return [f"{n}-{row.file}-{row.expected[0].split()[1]}" for n, row in enumerate(ROWS)]


@pytest.mark.parametrize("row", ROWS, ids=_ids())
def test_a_broken_file_is_refused_with_line_and_key(sources_of: FindSources, row: Row) -> None:
    with pytest.raises(PolicyError) as caught:
        check_policy(sources_of(**{row.file: row.text}), {})
    found = caught.value.problems
    assert [f"{p.line} {p.code} {p.where}" for p in found] == row.expected
    assert row.part in str(found[0])
    assert int(caught.value.code) == 2


def test_each_of_the_five_files_is_broken_in_at_least_sixty_ways() -> None:
    for file, rows in TABLES.items():
        texts = {row.text for row in rows_with_text(file)}
        assert len(texts) >= 60, file
        assert len(rows) >= 60, file


def test_every_code_of_an_error_has_a_row_or_a_test_of_its_own() -> None:
    in_table = {part.split()[1] for row in ROWS for part in row.expected}
    elsewhere = {
        # test_precedence.py, test_strategy_files.py, test_rules_in_files.py,
        # test_calendar_file.py, the warnings below
        "FOLDER_MISSING",
        "FILE_MISSING",
        "FILE_UNREADABLE",
        "FILE_STRAY",
        "CALENDAR_FILE",
        "UNKNOWN_SECTION",
        "ENTRY_TWICE",
        "INSTRUMENTS_TWICE",
        "PAIR_SPELLING",
        "CAP_BINDS",
        "NOTHING_ENABLED",
        "STRATEGY_FILE",
        "STRATEGY_SOURCE",
        "PARAMETER_UNKNOWN",
        "PARAMETER_KIND",
    }
    # Rules have tables of their own, and so have rules between keys (test_incoherent_policies.py).
    others = {name for name in Code.__members__ if not name.startswith("RULE_")}
    in_table = {name for name in in_table if not name.startswith("RULE_")}
    between_keys = {example.code for example in EXAMPLES} | {"TIMEFRAME_VENUE"}
    assert in_table | elsewhere | between_keys == others


def test_all_problems_of_all_files_come_in_one_run_in_file_order(sources_of: FindSources) -> None:
    sources = sources_of(
        app="mode: papr\nacount: x\ncycle: {settle_ms: 2s}\n",
        policy="limits: {colar: 1, collar: 9}\n",
        universe=broken_universe.CORE + "[BTC/EUR]\n",
        signals="a: [\n",
        strategies="cross: {enabled: on}\nother: {timeframe: 90m}\n",
    )
    env = {"TRADER__APP__QOUTE": "EUR"}
    with pytest.raises(PolicyError) as caught:
        check_policy(sources, env)
    lines = [f"{p.file}:{p.line} {p.code}" for p in caught.value.problems]
    assert lines == [
        "config/app.yaml:1 NOT_A_CHOICE",
        "config/app.yaml:2 UNKNOWN_KEY",
        "config/app.yaml:3 NOT_AN_INTEGER",
        "config/policy.yaml:1 UNKNOWN_KEY",
        "config/policy.yaml:1 SHARE_SCALE",
        "config/universe.yaml:3 PAIR_QUOTE",
        "config/signals.yaml:2 YAML_SYNTAX",
        "config/strategies.yaml:1 NOT_A_BOOLEAN",
        "config/strategies.yaml:2 NOT_A_CHOICE",
        "env TRADER__APP__QOUTE:0 UNKNOWN_KEY",
    ]
    assert str(caught.value).count("\n") == len(lines) - 1


def test_a_problem_reads_as_one_line_with_place_key_and_hint(sources_of: FindSources) -> None:
    with pytest.raises(PolicyError) as caught:
        check_policy(sources_of(policy="limits:\n  colar: 3%\n"), {})
    text = "config/policy.yaml:2: UNKNOWN_KEY limits.colar: unknown key (did you mean collar)"
    assert str(caught.value) == text


def test_a_secret_is_never_quoted_in_a_message(sources_of: FindSources) -> None:
    texts = [f"account: {SECRET}\n", f"mode: {SECRET}\n", f"exchange: {{api_key: {SECRET}}}\n"]
    for text in texts:
        with pytest.raises(PolicyError) as caught:
            check_policy(sources_of(app=text), {})
        assert SECRET not in str(caught.value)
        assert {p.code for p in caught.value.problems} == {"CREDENTIAL"}


def test_a_broken_file_does_not_make_other_files_look_contradictory(
    sources_of: FindSources,
) -> None:
    _, problems, _ = examine(sources_of(universe="tiers: [\n"), {})
    assert [p.code for p in problems] == ["YAML_SYNTAX"]


@pytest.mark.parametrize("trigger", ["{}", "{rule: [close]}", "{rule: ''}"])
def test_a_key_that_must_be_there_hides_no_contradiction_elsewhere(
    sources_of: FindSources, trigger: str
) -> None:
    sources = sources_of(
        signals=f"triggers: {{x: {trigger}}}\n",
        policy="limits: {position: 20%}\n",
    )
    _, problems, _ = examine(sources, {})
    assert [(p.file, p.code) for p in problems] == [
        ("config/policy.yaml", "EXPOSURE_SUM"),
        ("config/signals.yaml", "WRONG_KIND" if "[" in trigger else "NO_VALUE"),
    ]


def test_a_value_that_was_refused_is_not_judged_by_its_stand_in(sources_of: FindSources) -> None:
    sources = sources_of(
        app="timeframe: 4h\n",
        policy="limits: {position: 1%}\n",
        strategies="cross:\n  timeframe: 7x\n  instruments: [SOL/USDT]\n"
        "  size: {equity_share: x}\nother:\n  file: cross.py\n  timeframe: 1h\n",
    )
    _, problems, warnings = examine(sources, {}, strategy_files=True)
    assert [(p.line, p.code) for p in problems] == [
        (2, "NOT_A_CHOICE"),
        (3, "PAIR_OUTSIDE_UNIVERSE"),
        (4, "NOT_A_SHARE"),
        (7, "TIMEFRAME_MULTIPLE"),
    ]
    assert [(w.line, w.code) for w in warnings] == [(5, "CAP_BINDS")]


def test_what_is_only_odd_is_a_warning(sources_of: FindSources) -> None:
    sources = sources_of(
        universe=broken_universe.CORE + "\n    - BTC-USDT\n",
        strategies="cross:\n  enabled: false\n  size: {equity_share: 20%}\n",
    )
    checked = check_policy(sources, {})
    assert [(w.file, w.line, w.code) for w in checked.warnings] == [
        ("config/universe.yaml", 4, "PAIR_SPELLING"),
        ("config/strategies.yaml", 1, "NOTHING_ENABLED"),
        ("config/strategies.yaml", 3, "CAP_BINDS"),
    ]
    assert checked.form["universe"]["tiers"]["core"]["pairs"] == ["BTC/USDT"]


def test_live_mode_may_be_checked(sources_of: FindSources) -> None:
    assert check_policy(sources_of(app="mode: live\n"), {}).form["app"]["mode"] == "live"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://localhost", "http://[::1]:90/x", "http://127.9.9.9"]
)
@pytest.mark.parametrize("mode", ["paper", "testnet"])
def test_a_loopback_address_is_accepted_in_paper_and_testnet(
    sources_of: FindSources, url: str, mode: str
) -> None:
    checked = check_policy(sources_of(app=f"mode: {mode}\nexchange: {{base_url: '{url}'}}\n"), {})
    assert checked.form["app"]["exchange"]["base_url"] == url
