"""The universe at one time, as data: tiers, members, every candidate with why, and the regime.

Lives here: finding the decisions that chose, in a journal or by stepping over bar files, and
choosing again with the core's own functions, so that what is shown is what was decided. Must not
live here: choosing, layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.app.backtest import open_books
from trader.app.backtest_inputs import BacktestInputs
from trader.app.trail import Decision, Undecidable, walk
from trader.app.units import detail_text, time_text
from trader.core.access import Access
from trader.core.desk import TrailRow
from trader.core.fold import fold
from trader.core.membership import Membership, choose_members
from trader.core.parameters import Parameters, TierSpec
from trader.core.plan import plan, plan_payload
from trader.core.reasons import REFUSALS, UNIVERSE
from trader.core.regime import tell_regime
from trader.core.simulate import Simulation
from trader.core.snapshot import Snapshot
from trader.core.universe import due_tiers
from trader.errors import DataError, UsageError
from trader.journal.journal import Journal
from trader.records import dataclass, field, replace

MEANINGS = {**REFUSALS, **UNIVERSE}
# Over bar files members are chosen from so many refreshes before the time asked for: hysteresis
# remembers, and hardly ever that long.
REFRESHES = 200
# What the last state of a regime says: it has no rule.
OTHERWISE = "otherwise"


@dataclass(slots=True)
class Chosen:
    """What was decided last: rows of the trail by tier, with the time of the decision; members in
    force, and the regime."""

    rows: dict[str, tuple[TrailRow, ...]] = field(default_factory=dict[str, tuple[TrailRow, ...]])
    chosen_ms: dict[str, int] = field(default_factory=dict[str, int])
    members: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    regime: str = ""
    regime_row: TrailRow | None = None

    def note_members(self, found: Mapping[str, Membership], close_ms: int) -> None:
        """Take what one decision chose."""
        for tier, membership in found.items():
            self.members[tier] = membership.in_force
            if membership.kept:
                self.rows[tier] = membership.rows
                self.chosen_ms[tier] = close_ms

    def note_regime(self, snapshot: Snapshot) -> None:
        """Take what one decision told of the regime."""
        told = tell_regime(snapshot)
        self.regime = told.name
        if told.rows:
            self.regime_row = told.rows[0]


# --- where it is decided -------------------------------------------------------------------------


def view_of_journal(journal: Journal, at_ms: int | None) -> dict[str, Any]:
    """The universe as the newest decision that closed at or before `at_ms` left it.

    Raises UsageError when there is none, JournalError when entries do not follow from each other.
    """
    wanted, last_ms = _telling_cycles(journal, at_ms)
    chosen = Chosen()
    parameters: Parameters | None = None
    for event in walk(journal, lambda number: number in wanted):
        if isinstance(event, Undecidable):
            raise UsageError(
                f"cycle {event.cycle.number} cannot be decided again: {event.why}",
                "run `trader audit verify`",
            )
        if isinstance(event, Decision):
            parameters = event.snapshot.parameters
            chosen.note_members(choose_members(event.snapshot), event.snapshot.close_ms)
            chosen.note_regime(event.snapshot)
    assert parameters is not None
    return _view(parameters, chosen, last_ms)


def _telling_cycles(journal: Journal, at_ms: int | None) -> tuple[set[int], int]:
    """(cycles that chose or told last, by tier and for the regime, and the last that decided; the
    open time of its bar)."""
    by_topic: dict[str, int] = {}
    cycle, last_ms = 0, -1
    for entry in journal.entries(kinds=("cycle_start", "plan")):
        if entry.kind == "cycle_start":
            cycle = int(entry.payload["cycle"])
            continue
        bar_ms = int(entry.payload["bar_ms"])
        if at_ms is not None and bar_ms >= at_ms:
            break
        last_ms = bar_ms
        topics = [*entry.payload.get("members", {}), "plan"]
        if entry.payload.get("regime"):
            topics.append("regime")
        by_topic.update(dict.fromkeys(topics, cycle))
    if last_ms < 0:
        when = "" if at_ms is None else f" at or before {time_text(at_ms)}"
        raise UsageError(
            f"{journal.path} holds no decision{when}",
            "run `trader cycle`, or name bar files with --bars",
        )
    return set(by_topic.values()), last_ms


def view_of_bars(inputs: BacktestInputs, at_ms: int | None) -> dict[str, Any]:
    """The universe as a back-test over these bars would have it at `at_ms` (default: the end).

    Raises DataError when no bar lies before it.
    """
    parameters = replace(inputs.parameters, strategies=())
    state = open_books(inputs)
    run = Simulation(parameters, {}, inputs.series, state, inputs.model, _nothing)
    step_ms, refresh_ms = parameters.step_ms, parameters.universe.refresh_ms
    end_ms = inputs.end_ms if at_ms is None else min(at_ms - step_ms + 1, inputs.end_ms)
    bars = run.decision_bars(inputs.start_ms, end_ms)
    if not bars:
        raise DataError("no bar has closed at that time", "ask for a later one")
    chosen = Chosen()
    for bar_ms in bars:
        last = bar_ms == bars[-1]
        if not last and bar_ms < bars[-1] - REFRESHES * refresh_ms:
            continue
        if last or due_tiers(parameters.universe, state, bar_ms + step_ms):
            snapshot = run.snapshot(bar_ms)
            chosen.note_members(choose_members(snapshot), snapshot.close_ms)
            if last:
                chosen.note_regime(snapshot)
            else:
                fold(state, "plan", plan_payload(plan(snapshot)))
    return _view(parameters, chosen, bars[-1]) | {"assumed": list(inputs.assumed)}


def _nothing(_kind: str, _payload: Mapping[str, Any]) -> None:
    """Nobody keeps what is stepped over."""


# --- as data -------------------------------------------------------------------------------------


def _view(parameters: Parameters, chosen: Chosen, bar_ms: int) -> dict[str, Any]:
    """Plain data; numbers as text or int."""
    access = Access(parameters.universe, chosen.members, chosen.regime)
    close_ms = bar_ms + parameters.step_ms
    return {
        "at": time_text(close_ms),
        "at_ms": close_ms,
        "quote": parameters.quote,
        "refresh_ms": parameters.universe.refresh_ms,
        "timeframe": parameters.universe.timeframe,
        "deny": list(parameters.universe.deny),
        "regime": _regime_row(parameters, access, chosen),
        "tiers": [_tier_row(tier, access, chosen) for tier in parameters.universe.tiers],
    }


def _regime_row(parameters: Parameters, access: Access, chosen: Chosen) -> dict[str, Any] | None:
    regime = parameters.universe.regime
    if regime is None:
        return None
    row = chosen.regime_row
    seen = row.seen if row is not None else {}
    code, _, detail = (row.answer if row is not None else "").partition(" ")
    return {
        "name": chosen.regime,
        "open": [tier.name for tier in parameters.universe.tiers if access.is_open(tier.name)],
        "risk_ppm": access.risk_ppm,
        "benchmark": regime.benchmark,
        "timeframe": regime.timeframe,
        "confirm_bars": regime.confirm_bars,
        "bar": time_text(int(seen.get("bar_ms", -1))),
        "newest": str(seen.get("newest", "")),
        "why": detail_text(detail) if code == "REGIME_UNKNOWN" else "",
        "rules": {
            state.name: seen.get(f"rule_{state.name}") if state.output else OTHERWISE
            for state in regime.states
        },
        "values": {
            key: value for key, value in seen.items() if isinstance(value, str) and key != "newest"
        },
    }


def _tier_row(tier: TierSpec, access: Access, chosen: Chosen) -> dict[str, Any]:
    rows = chosen.rows.get(tier.name, ())
    in_first = sorted(rows, key=lambda row: (int(row.seen.get("rank", 10**9)), row.symbol))
    return {
        "tier": tier.name,
        "open": access.is_open(tier.name),
        "members": list(chosen.members.get(tier.name, ())),
        "chosen": time_text(chosen.chosen_ms.get(tier.name, -1)),
        "rank_by": tier.rank_by,
        "take": tier.take,
        "keep": max(tier.keep, tier.take),
        "positions_max": tier.positions_max,
        "weight_ppm": tier.weight_ppm,
        "candidates": [_candidate_row(row) for row in in_first],
    }


def _candidate_row(row: TrailRow) -> dict[str, Any]:
    code, _, detail = row.answer.partition(" ")
    return {
        "symbol": row.symbol,
        "member": code == "MEMBER",
        "answer": code,
        "detail": detail_text(detail),
        "meaning": MEANINGS.get(code, ""),
        "seen": dict(row.seen),
    }
