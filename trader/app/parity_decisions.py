"""One decision made again from two sides: what the journal saw, what a back-test has.

Lives here: snapshots put together as the back-test does (its windows, its quotes), with any part of
them taken from the journal instead; and the smallest set of parts that makes the journal's own
decision. That set is the proof of a cause: with those parts the same functions decide the same
bytes, and without any one of them they do not. Must not live here: what ran when (`parity`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from trader.app.decide import decide_again
from trader.app.parity_bars import BarChange, Bars, changes_between
from trader.app.trail import Decision
from trader.core.canonical import canonical
from trader.core.model import Model
from trader.core.parameters import Parameters
from trader.core.plan import plan_payload
from trader.core.simulate import Simulation
from trader.core.snapshot import Snapshot
from trader.core.state import State
from trader.records import dataclass, replace

# Parts of a snapshot, in the order in which it is asked whether a decision would be the same
# without the journal's: what is easily spared first.
CLOCK = "clock"
REPAINTS = "repaints"
SKEW = "skew"
APPROVAL = "approval"
STRATEGIES = "strategies"
LATCH = "latch"
TROUBLES = "troubles"
BARS = "bars"
QUOTES = "quotes"
STATE = "state"
PARTS = (CLOCK, REPAINTS, SKEW, APPROVAL, STRATEGIES, LATCH, TROUBLES, BARS, QUOTES, STATE)
# What a back-test cannot know and a stepped decision takes from the snapshot entry.
LIVE = (CLOCK, REPAINTS, SKEW, APPROVAL, STRATEGIES, LATCH, TROUBLES, QUOTES)


@dataclass(frozen=True, slots=True)
class Sides:
    """What one decision bar may be decided from.

    Attributes:
        seen: the journal's snapshot; its `state` is the account before the decision.
        free: the free run's. parameters: what that decides with.
        known, final: bars as the journal knew them then, and as it knows them in the end.
    """

    seen: Snapshot
    free: Snapshot
    known: Bars
    final: Bars
    model: Model

    def snapshot(self, parts: Collection[str]) -> Snapshot:
        """The back-test's snapshot with these parts of the journal's."""
        seen, free = self.seen, self.free
        state = seen.state if STATE in parts else free.state
        bars = self.known if BARS in parts else self.final
        approving = seen if APPROVAL in parts else free
        own = own_snapshot(approving.parameters, seen, bars, state, self.model)
        return replace(
            own,
            now_ms=(seen if CLOCK in parts else free).now_ms,
            quotes=seen.quotes if QUOTES in parts else {**own.quotes, **free.quotes},
            troubles=(seen if TROUBLES in parts else free).troubles,
            latch=(seen if LATCH in parts else free).latch,
            strategy_troubles=(seen if STRATEGIES in parts else free).strategy_troubles,
            running=approving.running,
            skew_ms=(seen if SKEW in parts else free).skew_ms,
            repaints=(seen if REPAINTS in parts else free).repaints,
        )

    def decide(self, parts: Collection[str]) -> dict[str, Any]:
        """The plan's payload from those parts. Raises ProofFailed when a strategy is lost now."""
        return payload_of(self.snapshot(parts))

    def smallest(self, stored: str) -> tuple[str, ...]:
        """The parts without any one of which the decision would not be `stored`, most telling
        first. All of them together must make it: else nothing is known."""
        kept = [part for part in PARTS if self._differs(part)]
        for part in list(kept):
            without = [other for other in kept if other != part]
            if canonical(self.decide(without)) == stored:
                kept = without
        return tuple(reversed(kept))

    def _differs(self, part: str) -> bool:
        """Whether the two sides hold different things there."""
        seen, free = self.seen, self.free
        pairs: Mapping[str, tuple[object, object]] = {
            CLOCK: (seen.now_ms, free.now_ms),
            REPAINTS: (dict(seen.repaints), dict(free.repaints)),
            SKEW: (seen.skew_ms, free.skew_ms),
            APPROVAL: (_approving(seen), _approving(free)),
            STRATEGIES: (dict(seen.strategy_troubles), dict(free.strategy_troubles)),
            LATCH: (seen.latch, free.latch),
            TROUBLES: (dict(seen.troubles), dict(free.troubles)),
            QUOTES: (dict(seen.quotes), dict(free.quotes)),
        }
        if part in pairs:
            one, other = pairs[part]
            return one != other
        return part == STATE or bool(self.changes())

    def changes(self) -> list[BarChange]:
        """Bars of this decision's windows that the journal told anew, or only later."""
        free, bare = self.free, self.seen.parameters
        then = own_snapshot(bare, self.seen, self.known, free.state, self.model)
        now = own_snapshot(bare, self.seen, self.final, free.state, self.model)
        return changes_between(then.series, now.series)


def _approving(snapshot: Snapshot) -> tuple[str, str]:
    """What decides whether entries need a human's approval of what decides."""
    return snapshot.parameters.limits.approval, snapshot.state.word("approved_by")


def own_snapshot(
    parameters: Parameters, seen: Snapshot, bars: Bars, state: State, model: Model
) -> Snapshot:
    """What a back-test over these bars would see of the decision bar, on that account."""
    beside = Simulation(parameters, seen.strategies, bars.series, state, model, _unheard)
    return beside.snapshot(seen.bar_ms)


def stepped_payload(event: Decision, known: Bars, model: Model) -> dict[str, Any]:
    """The back-test's decision on the journal's account, with the live parts of its snapshot."""
    seen = event.snapshot
    sides = Sides(seen, seen, known, known, model)
    return sides.decide(PARTS)


def live_parts(seen: Snapshot) -> tuple[str, ...]:
    """Which live parts say something that a back-test would not have known."""
    telling: Mapping[str, object] = {
        REPAINTS: seen.repaints,
        SKEW: seen.skew_ms,
        APPROVAL: seen.parameters.limits.approval != "given" or seen.state.word("approved_by"),
        STRATEGIES: seen.strategy_troubles,
        LATCH: seen.latch != "running",
        TROUBLES: seen.troubles,
        QUOTES: seen.quotes,
        CLOCK: seen.now_ms != seen.close_ms,
    }
    return tuple(part for part in LIVE if telling[part])


def payload_of(snapshot: Snapshot) -> dict[str, Any]:
    """The decision's payload, as the journal would hold it."""
    return plan_payload(decide_again(snapshot))


def _unheard(_kind: str, _payload: Mapping[str, Any]) -> None:
    """Nothing is carried out on the journal's account."""
