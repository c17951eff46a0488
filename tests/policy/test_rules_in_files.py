"""Rules of the files: the program beside each text, and every problem at its line and column."""

from __future__ import annotations

import json

import pytest

from trader.policy.checked import Checked
from trader.policy.checking import check_policy, examine
from trader.policy.compiling import STRATEGIES_MAX, rule_texts
from trader.policy.parameters import build_parameters
from trader.policy.problems import PolicyError

from .conftest import FindSources

DIP = "dip:\n  enter: rsi(14) < 30\n  stop: 5%\n"


def _placed(sources_of: FindSources, **files: str) -> list[str]:
    _, problems, _ = examine(sources_of(**files), {})
    return [f"{p.file}:{p.line}:{p.column} {p.code} {p.where}" for p in problems]


def test_a_strategy_of_rules_has_a_program_beside_its_texts_and_no_file(
    sources_of: FindSources,
) -> None:
    checked = check_policy(sources_of(strategies=DIP), {})
    row = checked.form["strategies"]["dip"]
    assert (row["file"], row["enter"], row["stop"]) == ("", "rsi(14) < 30", "5%")
    assert sorted(row["program"]["outputs"]) == ["enter", "stop"]
    (spec,) = build_parameters(checked.form, {}).strategies
    assert spec.program == row["program"]
    assert (spec.source, spec.source_sha) == ("", "")
    # The journal's form needs no parser: it is plain data that survives JSON.
    assert Checked.from_plain(json.loads(json.dumps(checked.to_plain()))) == checked


def test_shares_are_distances_of_the_close_and_stay_visible(sources_of: FindSources) -> None:
    text = DIP + "  target: 1000bps\n  trail: 2.50 %\n"
    row = check_policy(sources_of(strategies=text), {}).form["strategies"]["dip"]
    assert (row["target"], row["trail"]) == ("10%", "2.5%")
    assert rule_texts(row) == {
        "enter": "rsi(14) < 30",
        "stop": "0.05 * close",
        "target": "0.1 * close",
        "trail": "0.025 * close",
    }


def test_rules_beside_a_file_replace_its_columns_with_numbers_of_their_own(
    sources_of: FindSources,
) -> None:
    text = "cross:\n  exit: close < sma(close, calm)\n  parameters: {calm: 50}\n"
    checked = check_policy(sources_of(strategies=text), {}, strategy_files=True)
    row = checked.form["strategies"]["cross"]
    assert row["file"] == "cross.py"
    assert sorted(row["program"]["outputs"]) == ["exit"]


def test_the_regime_has_one_program_with_an_output_for_each_state(sources_of: FindSources) -> None:
    universe = (
        "tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\nregime:\n  states:\n"
        "    crash: {when: roc(6) < -10}\n    bear: {when: close < ema(200), tiers: [core], "
        "risk: 50%}\n    bull: {tiers: [core], risk: 100%}\n"
    )
    form = check_policy(sources_of(universe=universe), {}).form
    regime = build_parameters(form, {"cross": ""}).universe.regime
    assert regime is not None
    assert sorted(regime.program["outputs"]) == ["bear", "crash"]
    assert [(state.name, state.output) for state in regime.states] == [
        ("crash", "crash"),
        ("bear", "bear"),
        ("bull", ""),
    ]


def test_the_order_of_names_survives_a_form_whose_keys_were_sorted(sources_of: FindSources) -> None:
    text = DIP.replace("dip", "zeta") + DIP.replace("dip", "alpha")
    form = check_policy(sources_of(strategies=text), {}).form
    stored = json.loads(json.dumps(form, sort_keys=True))
    assert list(stored["strategies"]) == ["alpha", "zeta"]
    assert [spec.name for spec in build_parameters(stored, {}).strategies] == ["zeta", "alpha"]
    assert build_parameters(stored, {}) == build_parameters(form, {})


def test_triggers_are_written_out_where_they_are_used(sources_of: FindSources) -> None:
    signals = "triggers:\n  fall: {rule: rsi(14) < level, parameters: {level: 30}}\n"
    by_name = sources_of(signals=signals, strategies=DIP.replace("rsi(14) < 30", "fall"))
    program = check_policy(by_name, {}).form["strategies"]["dip"]["program"]
    plain = check_policy(sources_of(strategies=DIP), {}).form["strategies"]["dip"]["program"]
    assert program == plain


ROWS = [
    # strategies.yaml from its second line on, "line:column" of the problem, its code
    ("  enter: close > foo\n  stop: 5%\n", "2:18", "RULE_NAME"),
    ("  enter: 'close > foo'\n  stop: 5%\n", "2:19", "RULE_NAME"),
    ("  enter: '  close > foo'\n  stop: 5%\n", "2:21", "RULE_NAME"),
    ("  enter: |\n    close > open\n    and foo\n  stop: 5%\n", "4:0", "RULE_NAME"),
    ("  enter: >\n    close\n    > foo\n  stop: 5%\n", "2:10", "RULE_NAME"),
    ("  enter: close > open\n  stop: 3 * atrr(14)\n", "3:13", "RULE_NAME"),
    ("  {enter: close > foo, stop: 5%}\n", "2:19", "RULE_NAME"),
]


@pytest.mark.parametrize(("text", "place", "code"), ROWS)
def test_a_problem_of_a_rule_stands_at_its_line_and_column(
    sources_of: FindSources, text: str, place: str, code: str
) -> None:
    (found,) = _placed(sources_of, strategies="dip:\n" + text)
    assert found.startswith(f"config/strategies.yaml:{place} {code} dip.")


def test_a_problem_of_a_rule_shows_the_text_with_a_caret(sources_of: FindSources) -> None:
    sources = sources_of(strategies=DIP.replace("rsi(14)", "rsy(14)"))
    with pytest.raises(PolicyError) as caught:
        check_policy(sources, {})
    (problem,) = caught.value.problems
    assert problem.excerpt == "rsy(14) < 30\n^^^"
    assert str(problem).startswith("config/strategies.yaml:2:10: ")
    assert "did you mean rsi" in str(problem)


def test_what_is_wrong_inside_a_trigger_is_told_once_and_there(sources_of: FindSources) -> None:
    signals = "triggers:\n  bad: {rule: close < foo}\n"
    strategies = DIP.replace("rsi(14) < 30", "bad") + DIP.replace("dip", "two")
    found = _placed(sources_of, signals=signals, strategies=strategies)
    assert found == ["config/signals.yaml:2:23 RULE_NAME triggers.bad.rule"]


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("cross: {file: cross.py, enter: close > open}\n", "ENTRY_TWICE", "cross.enter"),
        (
            "cross: {tier: core, instruments: [BTC/USDT]}\n",
            "INSTRUMENTS_TWICE",
            "cross.instruments",
        ),
        ("dip: {enter: close > open}\n", "STOP_MISSING", "dip"),
        (DIP + "  parameters: {x: 3}\n", "PARAMETER_UNKNOWN", "dip.parameters.x"),
        (DIP.replace("5%", "0.05"), "NOT_A_SHARE", "dip.stop"),
        (DIP.replace("5%", "120%"), "OUT_OF_RANGE", "dip.stop"),
        (DIP.replace("5%", "0%"), "OUT_OF_RANGE", "dip.stop"),
        (DIP.replace("5%", "5.%"), "NOT_A_SHARE", "dip.stop"),
        (DIP.replace("rsi(14) < 30", "x" * 2_001), "TOO_LARGE", "dip.enter"),
        ("dip: {tier: cor, enter: close > open, stop: 5%}\n", "NOT_A_CHOICE", "dip.tier"),
    ],
)
def test_a_strategy_that_says_too_much_or_too_little_is_refused(
    sources_of: FindSources, text: str, code: str, where: str
) -> None:
    found = [entry.split(" ", 1)[1] for entry in _placed(sources_of, strategies=text)]
    assert f"{code} {where}" in found


def test_a_broken_enter_is_not_taken_for_a_missing_file(sources_of: FindSources) -> None:
    sources = sources_of(strategies="dip:\n  enter: [close]\n  stop: 5%\n")
    _, problems, _ = examine(sources, {}, strategy_files=True)
    assert [p.code for p in problems] == ["WRONG_KIND"]


def test_more_strategies_than_anybody_has_are_refused_at_once(sources_of: FindSources) -> None:
    text = "".join(DIP.replace("dip", f"dip{n}") for n in range(STRATEGIES_MAX + 1))
    found = _placed(sources_of, strategies=text)
    assert any("TOO_LARGE" in entry for entry in found)
