"""Policies that are larger than anybody's: refused, and never in more than bounded work."""

from __future__ import annotations

import pytest

from trader.policy.checking import examine
from trader.policy.compiling import LARGE_MAX, STRATEGIES_MAX
from trader.policy.rules_compile import compile_rules
from trader.policy.rules_program import WRITTEN_MAX
from trader.policy.rules_triggers import Trigger
from trader.policy.schema_base import PAIRS_MAX, PATTERNS_MAX

from .conftest import FindSources


def _codes(sources_of: FindSources, **files: str) -> set[tuple[str, str]]:
    _, problems, _ = examine(sources_of(**files), {})
    return {(p.code, p.where) for p in problems}


def _tier(pairs: list[str]) -> str:
    return "tiers: {core: {pairs: [" + ", ".join(["BTC/USDT", "ETH/USDT", *pairs]) + "]}}\n"


@pytest.mark.parametrize(
    "pairs",
    [
        [f"A{n}/USDT" for n in range(PAIRS_MAX)],
        [f"'A{n}X*/USDT'" for n in range(PATTERNS_MAX + 1)],
    ],
    ids=["names", "wildcards"],
)
def test_a_list_of_pairs_has_an_end(sources_of: FindSources, pairs: list[str]) -> None:
    assert ("TOO_LARGE", "tiers.core.pairs") in _codes(sources_of, universe=_tier(pairs))


def test_lists_at_their_bounds_are_good(sources_of: FindSources) -> None:
    names = [f"A{n}/USDT" for n in range(PAIRS_MAX - PATTERNS_MAX - 2)]
    patterns = [f"'B{n}X*/USDT'" for n in range(PATTERNS_MAX)]
    assert _codes(sources_of, universe=_tier([*names, *patterns])) == set()


def _doubling(depth: int) -> dict[str, Trigger]:
    """Each trigger names the one before twice: written out, 2 ** depth parts."""
    triggers = {"t0": Trigger("rsi(14) < 30")}
    for n in range(1, depth + 1):
        triggers[f"t{n}"] = Trigger(f"t{n - 1} and t{n - 1}")
    return triggers


def test_a_rule_that_doubles_with_every_trigger_is_refused_before_it_is_bound() -> None:
    def codes(depth: int) -> list[str]:
        found = compile_rules(
            {"enter": f"t{depth}"},
            parameters={},
            triggers=_doubling(depth),
            own_timeframe="1h",
        )
        return [problem.code.name for problem in found.problems]

    assert 2**8 * 4 < WRITTEN_MAX < 2**10 * 3
    assert codes(8) == []
    assert codes(10) == ["RULE_TOO_LARGE"]
    assert codes(40) == ["RULE_TOO_LARGE"]


def test_rules_beyond_all_bounds_are_told_up_to_a_number(sources_of: FindSources) -> None:
    doubling = _doubling(20)
    signals = "triggers:\n" + "".join(f"  {n}: {{rule: {t.rule}}}\n" for n, t in doubling.items())
    strategies = "".join(
        f"s{n}: {{enter: t20, stop: 5%}}\n" for n in range(STRATEGIES_MAX - LARGE_MAX)
    )
    _, problems, _ = examine(sources_of(signals=signals, strategies=strategies), {})
    large = [p for p in problems if p.code == "RULE_TOO_LARGE" and p.where.endswith(".enter")]
    assert len(large) == LARGE_MAX
