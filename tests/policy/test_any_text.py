"""Whatever stands in the files, a policy error is all that comes out."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trader.policy.checking import all_keys, examine
from trader.policy.problems import Code
from trader.policy.sources import SECTIONS, Source

from .good_policy import GOOD

WORDS = sorted({part for key in all_keys() for part in key.split(".") if part != "*"})
ODD = [
    *("", "~", "true", "no", "5%", "10bps", "1m", "all", "universe", "BTC/USDT", "BTC-USDT"),
    *("paper", "live", "1e3", "-1", "0", "nan", '""', "'", "&a x", "*a", "!!str x", "a: b"),
]
SCALARS = st.one_of(
    st.sampled_from(ODD),
    st.integers().map(str),
    st.text(max_size=12),
)


def _render(value: Any) -> str:
    if isinstance(value, dict):
        rows = cast("dict[str, Any]", value)
        return "{" + ", ".join(f"{key}: {_render(inner)}" for key, inner in rows.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_render(inner) for inner in cast("list[Any]", value)) + "]"
    return str(value)


TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), inner, max_size=5),
    ),
    max_leaves=12,
)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _judge(texts: dict[str, bytes], env: dict[str, str]) -> None:
    sources = [
        Source(f"config/{name}.yaml", name, "/nowhere", texts.get(name, GOOD[name].encode()))
        for name in SECTIONS
    ]
    checked, problems, warnings = examine(sources, env)
    assert (checked is None) == bool(problems)
    for problem in [*problems, *warnings]:
        assert problem.code in Code.__members__
        assert problem.message
        assert "\n" not in str(problem)


@QUICK
@given(st.sampled_from(SECTIONS), st.text(max_size=200))
def test_any_text_is_a_policy_or_a_list_of_problems(section: str, text: str) -> None:
    _judge({section: text.encode("utf-8", "surrogatepass")}, {})


@QUICK
@given(st.sampled_from(SECTIONS), st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_a_list_of_problems(section: str, data: bytes) -> None:
    _judge({section: data}, {})


@QUICK
@given(st.dictionaries(st.sampled_from(SECTIONS), TREES, max_size=5))
def test_any_tree_of_known_words_is_a_policy_or_a_list_of_problems(
    trees: dict[str, object],
) -> None:
    _judge({name: _render(tree).encode("utf-8", "ignore") for name, tree in trees.items()}, {})


@QUICK
@given(
    st.dictionaries(
        st.lists(st.sampled_from([*WORDS, *SECTIONS, "cross", ""]), max_size=5).map(
            lambda parts: "TRADER__" + "__".join(parts).upper()
        ),
        TREES.map(_render),
        max_size=4,
    )
)
def test_any_variables_are_a_policy_or_a_list_of_problems(env: dict[str, str]) -> None:
    _judge({}, env)
