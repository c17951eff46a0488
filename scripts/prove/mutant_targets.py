"""Which files of the core are mutated, and which files of tests answer for each.

Lives here: the table. Must not live here: anything that runs.
"""

from __future__ import annotations

_PLAN = ("tests/core/test_plan.py",)
_ACCOUNT = ("tests/core/test_account_limits.py",)

TARGETS: dict[str, tuple[str, ...]] = {
    "account_gates": ("tests/core/test_gates.py", *_ACCOUNT),
    "account_sums": (*_ACCOUNT, *_PLAN),
    "account_view": (*_ACCOUNT, *_PLAN, "tests/core/test_books.py"),
    "exits": ("tests/core/test_exits.py", *_PLAN),
    "gates": ("tests/core/test_gates.py", *_PLAN),
    "risk": ("tests/core/test_risk.py",),
    "sizing": ("tests/core/test_sizing.py", *_PLAN),
    "tier_gates": ("tests/core/test_gates.py", "tests/core/test_universe.py", *_PLAN),
    "totals": (*_ACCOUNT, *_PLAN),
}
