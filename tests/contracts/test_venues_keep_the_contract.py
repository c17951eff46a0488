"""Both venues against the one suite of cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .venue_contract import CASES, Rig


def test_the_suite_has_its_cases() -> None:
    assert len(CASES) >= 20


@pytest.mark.parametrize("kind", ["ccxt", "paper"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_a_venue_keeps_its_contract(kind: str, name: str, rig_of: Callable[[str], Rig]) -> None:
    CASES[name](rig_of(kind))
