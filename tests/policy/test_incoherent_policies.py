"""Rules between keys: every one finds its bad example at its line, and lets the good one pass."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from trader.policy import coherence
from trader.policy.checking import check_policy, examine
from trader.policy.venue_facts import VENUES

from .conftest import FindSources
from .incoherent import EXAMPLES
from .incoherent_kinds import Example

IDS = [f"{number}-{example.code}" for number, example in enumerate(EXAMPLES)]


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_a_contradiction_is_found_at_its_line_with_a_fix(
    sources_of: FindSources, example: Example
) -> None:
    _, problems, warnings = examine(sources_of(**example.bad), {})
    found = [p for p in (warnings if example.warning else problems) if p.code == example.code]
    assert len(found) == 1, [*map(str, problems), *map(str, warnings)]
    file, line = example.place.split(":")
    assert (found[0].file, found[0].line) == (f"config/{file}", int(line))
    assert example.part in str(found[0])
    assert found[0].hint
    assert bool(problems) is not example.warning


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_without_the_contradiction_nothing_is_said(
    sources_of: FindSources, example: Example
) -> None:
    checked = check_policy(sources_of(**example.good), {})
    assert example.code not in {warning.code for warning in checked.warnings}


def coherence_codes() -> set[str]:
    """Every code that a rule between keys gives, from the rules' sources."""
    sources = sorted(Path(coherence.__file__).parent.glob("coherence_*.py"))
    assert len(sources) >= 4
    return {name for path in sources for name in re.findall(r"\bCode\.([A-Z_]+)", path.read_text())}


def test_every_rule_between_keys_has_an_example() -> None:
    # No venue that can be named today lacks a timeframe: that rule has a test of its own, below.
    assert {example.code for example in EXAMPLES} == coherence_codes() - {"TIMEFRAME_VENUE"}


def test_bars_that_the_venue_does_not_serve_are_named(
    sources_of: FindSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = sources_of(strategies="cross: {timeframe: 4h}\n")
    few = replace(VENUES["binance"], timeframes=("1m", "1h"))
    monkeypatch.setitem(VENUES, "binance", few)
    _, problems, _ = examine(sources, {})
    assert [(p.line, p.code, p.hint) for p in problems] == [(1, "TIMEFRAME_VENUE", "it has 1m, 1h")]
