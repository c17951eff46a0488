"""Deciding where a strategy's process may be lost on the way.

Lives here: planning again without a strategy whose code ran out of time or memory or died, so that
the plan is made from a snapshot that says so. Must not live here: decisions (core), processes.
"""

from __future__ import annotations

from trader.app.strategy_process import StrategyLost
from trader.core.plan import Plan, plan
from trader.core.snapshot import Snapshot
from trader.errors import ProofFailed
from trader.records import replace


def decide(snapshot: Snapshot) -> tuple[Snapshot, Plan]:
    """The plan, and the snapshot that it was made from: each strategy that was lost while it was
    asked stands in its `strategy_troubles`, and was not asked."""
    while True:
        try:
            return snapshot, plan(snapshot)
        except StrategyLost as lost:
            told = {**snapshot.strategy_troubles, lost.name: lost.trouble}
            snapshot = replace(snapshot, strategy_troubles=told)


def decide_again(snapshot: Snapshot) -> Plan:
    """The plan of a snapshot that was decided before; raises ProofFailed when a strategy that
    answered then is lost now: this run cannot say what it would have answered."""
    try:
        return plan(snapshot)
    except StrategyLost as lost:
        raise ProofFailed(
            f"{lost}: it answered when this was decided", "try again on a calmer host"
        ) from lost
