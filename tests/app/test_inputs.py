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
