"""Reason codes: every code that the core uses is documented, and every documented one is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import trader
from trader.core.gates import GATES
from trader.core.reasons import ORDERS, QUIET, REFUSALS, UNIVERSE

ROOT = Path(trader.__file__).parent
# Files that give codes as answers of a decision; evidence has findings of its own.
DECIDING = (
    "access.py", "children.py", "desk.py", "dust.py", "entries.py", "exits.py", "gates.py",
    "membership.py", "plan.py", "preview.py", "regime.py", "signals.py", "simulate.py",
    "sizes.py", "sizing.py", "standings.py", "step.py", "trim.py", "universe.py", "upkeep.py",
)  # fmt: skip
DOCUMENTED = {**REFUSALS, **QUIET, **UNIVERSE}
# Codes of one word are listed; any other has an underscore.
WORDS = "BLACKOUT|CAPITAL|CASH|COOLDOWN|DUST|HOLD|MESSAGES|RESTRICTED|SHORT|SPREAD|UNATTENDED"
CODE = re.compile(rf'"([A-Z]+_[A-Z_]+|{WORDS})(?=[" ])|f"([A-Z]+_[A-Z_]+|MEMBER)(?=[ {{])')
# Trail values and constants that are no answers: an owner that is not configured any more.
NO_ANSWER = {"STRATEGY_GONE"}


def used(*files: Path) -> set[str]:
    """Codes in string literals of these files."""
    found: set[str] = set()
    for path in filter(Path.exists, files):
        text = path.read_text(encoding="utf-8")
        found |= {first or second for first, second in CODE.findall(text)}
    return found


def test_every_code_of_a_decision_is_documented() -> None:
    codes = used(*(ROOT / "core" / name for name in DECIDING)) - NO_ANSWER
    assert len(codes) > 25
    assert codes <= set(DOCUMENTED), codes - set(DOCUMENTED)


def test_every_documented_code_is_given_by_the_core_or_the_market_read() -> None:
    reading = (ROOT / "app" / name for name in ("candidates.py", "market.py"))
    codes = used(*(ROOT / "core" / name for name in DECIDING), *reading)
    assert set(DOCUMENTED) <= codes, set(DOCUMENTED) - codes


def test_gates_give_refusals_and_no_code_is_listed_twice() -> None:
    assert {gate.code for gate in GATES} <= set(REFUSALS)
    assert not set(REFUSALS) & set(QUIET)
    assert not (set(REFUSALS) | set(QUIET)) & set(UNIVERSE)


def test_order_reasons_are_those_that_a_plan_gives() -> None:
    deciding = ("asked", "dust", "entries", "exit_prices", "exits", "trim")
    texts = [(ROOT / "core" / f"{name}.py").read_text(encoding="utf-8") for name in deciding]
    given = set(re.findall(r'"([a-z_]+)"', "".join(texts)))
    assert set(ORDERS) <= given
    told = re.findall(r'leave\(\s*desk, [^"]*"([a-z_]+)"', "".join(texts))
    assert set(told) == {"dust", "scale_out", "trim"}


@pytest.mark.parametrize("table", [REFUSALS, QUIET, UNIVERSE, ORDERS])
def test_a_meaning_is_a_clause_without_a_full_stop(table: dict[str, str]) -> None:
    assert all(len(text) > 15 and not text.endswith(".") for text in table.values())
