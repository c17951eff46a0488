"""Decision inputs: one way from a checked form and strategy texts to what a plan reads."""

from __future__ import annotations

import hashlib

import pytest

from trader.app.inputs import decision_inputs
from trader.errors import UsageError

from .world import FLIPPER, World


def test_the_text_of_a_strategy_becomes_its_code_hash_and_numbers(world: World) -> None:
    form = world.setup().checked.form
    parameters, sources = decision_inputs(form, {"flipper": FLIPPER})
    sha = hashlib.sha256(FLIPPER.encode()).hexdigest()
    assert (sources[0].name, sources[0].sha, sources[0].text) == ("flipper", sha, FLIPPER)
    assert parameters.strategies[0].source_sha == sha
    assert parameters.strategies[0].numbers == {"period": 4, "stop": 50.0}
    assert sources[0].code.warmup({}) == 1
    assert parameters == world.setup().run.parameters


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def signals(", "flipper"),
        ("PARAMETERS = {}", "must define warmup"),
        ("1 / 0", "fails when loaded: ZeroDivisionError"),
        ("import nowhere_at_all", "fails when loaded: ModuleNotFoundError"),
        ("def warmup(p): ...\ndef signals(b, p): ...", "must define PARAMETERS"),
        (
            "PARAMETERS = {'a': 'x'}\ndef warmup(p): ...\ndef signals(b, p): ...",
            "is not a number",
        ),
    ],
)
def test_a_strategy_that_cannot_be_used_is_the_users_to_edit(
    world: World, text: str, said: str
) -> None:
    form = world.setup().checked.form
    with pytest.raises(UsageError, match=said) as caught:
        decision_inputs(form, {"flipper": text})
    assert caught.value.hint == "edit the strategy file or strategies.yaml"


def test_a_strategy_of_rules_needs_no_text_and_brings_its_program(world: World) -> None:
    path = world.folder / "config" / "strategies.yaml"
    path.write_text(
        path.read_text() + "dip:\n  enter: close < sma(close, calm)\n  stop: 5%\n"
        "  timeframe: 1m\n  parameters: {calm: 5}\n"
    )
    form = world.setup().checked.form
    parameters, sources = decision_inputs(form, {"flipper": FLIPPER})
    assert [(source.name, source.sha == "") for source in sources] == [
        ("flipper", False),
        ("dip", True),
    ]
    assert sources[1].code.program == form["strategies"]["dip"]["program"]
    assert sorted(sources[1].code.program["outputs"]) == ["enter", "stop"]
    assert parameters.strategies[1].numbers == {"calm": 5}


def test_a_rule_beside_a_file_has_numbers_that_the_file_does_not_know(world: World) -> None:
    path = world.folder / "config" / "strategies.yaml"
    path.write_text(
        path.read_text() + "  exit: close < sma(close, calm)\n  parameters: {calm: 5}\n"
    )
    form = world.setup().checked.form
    parameters, sources = decision_inputs(form, {"flipper": FLIPPER})
    assert parameters.strategies[0].numbers == {"period": 4, "stop": 50.0, "calm": 5}
    assert sorted(sources[0].code.program["outputs"]) == ["exit"]


def test_the_journal_keeps_the_files_of_strategies_and_no_file_of_rules(world: World) -> None:
    path = world.folder / "config" / "strategies.yaml"
    path.write_text(path.read_text() + "dip:\n  enter: close < open\n  stop: 5%\n  timeframe: 1m\n")
    world.cycle(9)
    (payload,) = world.payloads("policy")
    assert list(payload["strategies"]) == ["flipper"]
