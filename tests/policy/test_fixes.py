"""Every kind of problem has a fix in the documents."""

from __future__ import annotations

from trader.policy.fixes import FIXES
from trader.policy.problems import Code


def test_every_code_has_a_fix_and_a_sentence() -> None:
    assert len(Code) > 90
    assert set(FIXES) == set(Code.__members__.values())
    assert all(code.value and FIXES[code] for code in Code.__members__.values())
    assert len({code.value for code in Code.__members__.values()}) == len(Code.__members__)
