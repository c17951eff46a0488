"""The decision: `plan(snapshot) -> Plan`, pure, with its trail.

Lives here: the order of things: the universe, exits, what rests, then entries: in the order of
priority, then of strategies.yaml, then of a strategy's instruments. Must not live here: who leaves
and enters (`exits`, `entries`), and what happens after the plan (`step`).
"""

from __future__ import annotations

from typing import Any

from trader.core.access import Access
from trader.core.approval import Approved, Refused
from trader.core.canonical import sha256_of
from trader.core.desk import Desk, TrailRow
from trader.core.dust import look_after_dust
from trader.core.entries import consider
from trader.core.exits import look_after
from trader.core.gates import NO_ANSWERS
from trader.core.marks import changed_marks
from trader.core.membership import Membership, choose_members
from trader.core.quality import Measured
from trader.core.regime import Regime, tell_regime
from trader.core.snapshot import Snapshot
from trader.core.trim import trim
from trader.core.universe import symbols_of
from trader.core.upkeep import keep_up
from trader.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Plan:
    """What one decision bar wants: approved legs in the order they are to be carried out.

    `marks`: of the account (see `marks`), those that changed. `stops`: by symbol, those that were
    ratcheted up. `results`: by strategy, those of its book that changed. `off`: by strategy, why
    code failed now. `members`: by tier, who was chosen anew (see `universe`).
    `regime`: [bar_ms, name] when it was told anew and is another, or of another bar. `even`: those
    of `stops` that break-even put there. `scaled`: by symbol, steps reached where one is new.
    `ends`: by client id, why an entry at rest is to be cancelled.
    `stopped`: strategies whose book fell too far. `shadow`: by strategy, why it only watches from
    now on. `quality`: by strategy, what its settled days were measured to be (see `quality`).
    `dust`: by holding (`strategy|symbol`), base units declared dust now. `alarms`: what somebody
    must look at, as `CODE key=value ...`.
    """

    bar_ms: int
    legs: tuple[Approved, ...]
    refused: tuple[Refused, ...]
    trail: tuple[TrailRow, ...]
    marks: dict[str, int]
    stops: dict[str, int]
    results: dict[str, int]
    off: dict[str, str]
    members: dict[str, str]
    regime: list[int | str]
    even: tuple[str, ...] = ()
    scaled: dict[str, int] = field(default_factory=dict[str, int])
    dust: dict[str, int] = field(default_factory=dict[str, int])
    alarms: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    shadow: dict[str, str] = field(default_factory=dict[str, str])
    quality: dict[str, Measured] = field(default_factory=dict[str, Measured])
    ends: dict[str, str] = field(default_factory=dict[str, str])


def plan_payload(plan: Plan) -> dict[str, Any]:
    """The `plan` entry: legs, refusals, and the hash of the trail (re-derived when asked for).

    What did not change since the plan before is not in it.
    """
    told = {
        "stops": plan.stops,
        "results": plan.results,
        "off": [[name, why] for name, why in plan.off.items()],
        "members": plan.members,
        "regime": plan.regime,
        "even": list(plan.even),
        "scaled": plan.scaled,
        "dust": plan.dust,
        "alarms": list(plan.alarms),
        "stopped": list(plan.stopped),
        "shadow": [[name, why] for name, why in plan.shadow.items()],
        "quality": {name: list(numbers) for name, numbers in plan.quality.items()},
        "ends": plan.ends,
    }
    return {
        **{name: value for name, value in told.items() if value},
        "bar_ms": plan.bar_ms,
        "marks": plan.marks,
        "legs": [leg.row() for leg in plan.legs],
        "refused": [
            [r.proposal.strategy, r.proposal.symbol, str(r.proposal.side), r.code, r.detail]
            for r in plan.refused
        ],
        "trail": sha256_of([row.row() for row in plan.trail]),
    }


def open_desk(snapshot: Snapshot) -> tuple[dict[str, Membership], Regime, Desk]:
    """What the universe and the regime permit now, and a desk on which nothing is decided yet."""
    members = choose_members(snapshot)
    in_force = {tier: chosen.in_force for tier, chosen in members.items()}
    regime = tell_regime(snapshot)
    access = Access(snapshot.parameters.universe, in_force, regime.name)
    return members, regime, Desk(snapshot, access)


def plan(snapshot: Snapshot) -> Plan:
    """Decide one decision bar. Equal snapshots give equal plans, to the last bit."""
    members, regime, desk = open_desk(snapshot)
    told = [*regime.rows, *(row for chosen in members.values() for row in chosen.rows)]
    specs = {spec.name: spec for spec in desk.parameters.strategies}
    for symbol in desk.view.open_symbols():
        position = snapshot.state.positions[symbol]
        try:
            look_after(desk, position, specs.get(position.strategy))
        except OverflowError:
            desk.note(position.strategy, symbol, {}, {}, NO_ANSWERS, "AMOUNT_OVERFLOW")
    trim(desk, specs)
    look_after_dust(desk)
    keep_up(desk, specs)
    for spec in sorted(desk.parameters.strategies, key=lambda spec: spec.priority):
        for symbol in symbols_of(spec, desk.parameters, snapshot.state):
            try:
                consider(desk, spec, symbol)
            except OverflowError:
                desk.note(spec.name, symbol, {}, {}, NO_ANSWERS, "AMOUNT_OVERFLOW")
    standings = desk.standings
    return Plan(
        snapshot.bar_ms,
        tuple(desk.legs),
        tuple(desk.refused),
        (*desk.trail, *told),
        changed_marks(snapshot.state, desk.marks),
        desk.stops,
        standings.changed_results(),
        desk.off,
        {tier: chosen.kept for tier, chosen in members.items() if chosen.kept},
        list(regime.told or ()),
        tuple(desk.even),
        desk.scaled,
        desk.dust,
        tuple(desk.alarms),
        tuple(standings.stopped),
        standings.shadow,
        standings.quality,
        desk.ends,
    )
