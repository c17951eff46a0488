"""Which files of the core are mutated, and which files of tests answer for each.

Lives here: the table. Must not live here: anything that runs.
"""

from __future__ import annotations

_PLAN = ("tests/core/test_plan.py",)
_RISK = ("tests/core/test_risk_gates.py", "tests/core/test_value_at_risk.py")
_ACCOUNT = ("tests/core/test_account_limits.py", "tests/core/test_kept_apart.py")
_DAYS = ("tests/core/test_days.py", "tests/core/test_account_facts.py")
_STANDINGS = ("tests/core/test_standings.py", "tests/core/test_quality.py")
_SIZES = ("tests/core/test_sizes.py",)
_EXITS = (
    "tests/core/test_exits.py",
    "tests/core/test_exit_tables.py",
    "tests/core/test_exit_edges.py",
    "tests/core/test_dust.py",
)
_ORDER = tuple(f"tests/core/test_order_{part}.py" for part in ("edges", "gates", "laws"))
_PARITY = ("tests/core/test_risk_parity.py", "tests/core/test_parities.py")

TARGETS: dict[str, tuple[str, ...]] = {
    "account_facts": (*_DAYS, "tests/core/test_fold.py"),
    "account_gates": ("tests/core/test_gates.py", *_ACCOUNT),
    "account_sums": (*_ACCOUNT, *_PLAN),
    "account_view": (*_ACCOUNT, *_PLAN, "tests/core/test_account_view.py"),
    "asked": ("tests/core/test_asked.py",),
    "book_gates": ("tests/core/test_gates.py", *_STANDINGS),
    "book_sums": (*_STANDINGS, *_PLAN),
    "bookkeeping": (
        *_EXITS,
        "tests/core/test_fold.py",
        "tests/core/test_books.py",
        "tests/core/test_simulated_exits.py",
        "tests/core/test_kept_apart.py",
        "tests/core/test_plan.py",
        *_DAYS,
        *_STANDINGS,
        *_EXITS,
    ),
    "breaker": ("tests/core/test_breaker.py",),
    "covariance": _PARITY,
    "daily": ("tests/core/test_daily.py", *_RISK),
    "days": (*_DAYS, "tests/core/test_waits.py"),
    "dust": _EXITS,
    "exit_orders": _EXITS,
    "exit_prices": ("tests/core/test_exit_prices.py", *_EXITS),
    "exit_sizes": ("tests/core/test_exit_prices.py", *_EXITS),
    "exits": ("tests/core/test_asked.py", *_EXITS),
    "gates": ("tests/core/test_gates.py", *_PLAN),
    "kelly": _SIZES,
    "ladder": ("tests/core/test_ladder.py",),
    "marks": (*_DAYS, *_ACCOUNT),
    "messages": ("tests/core/test_messages.py",),
    "order_gates": _ORDER,
    "order_sums": _ORDER,
    "order_windows": _ORDER,
    "parities": _PARITY,
    "quality": _STANDINGS,
    "returns": ("tests/core/test_returns.py", *_RISK),
    "risk": ("tests/core/test_risk.py",),
    "risk_curve": ("tests/core/test_risk_curve.py", *_SIZES),
    "risk_gates": _RISK,
    "risk_parity": _PARITY,
    "risk_sums": ("tests/core/test_breaker.py", "tests/core/test_messages.py", *_RISK),
    "size_windows": _PARITY,
    "sizes": (*_SIZES, "tests/core/test_parities.py"),
    "sizing": ("tests/core/test_sizing.py", *_PLAN),
    "standings": (*_STANDINGS, *_PLAN),
    "steps": ("tests/core/test_exit_prices.py",),
    "tier_gates": ("tests/core/test_gates.py", "tests/core/test_universe.py", *_PLAN),
    "totals": (*_ACCOUNT, *_PLAN, "tests/core/test_account_view.py"),
    "trim": ("tests/core/test_trim.py",),
    "time_gates": (
        "tests/core/test_gates.py",
        "tests/core/test_time_gates.py",
        "tests/core/test_waits.py",
    ),
    "waits": ("tests/core/test_waits.py",),
    "volatility": _SIZES,
}
