"""The free run: a back-test beside the journal that decides and fills by itself.

Lives here: one simulation over the journal's bars from the first decision on, held against the
journal before each decision: orders since the last one, the account, then the decision; each
difference with the cause that entries prove. Must not live here: the walk (`parity`), and the rules
of proof for single orders and decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any

from trader.app.parity_account import Apart, account_of
from trader.app.parity_bars import Bars
from trader.app.parity_causes import EVENTS, Cause, Difference
from trader.app.parity_decisions import (
    APPROVAL,
    BARS,
    CLOCK,
    LATCH,
    QUOTES,
    REPAINTS,
    SKEW,
    STATE,
    STRATEGIES,
    TROUBLES,
    Sides,
    payload_of,
)
from trader.app.parity_orders import (
    KINDS,
    Around,
    Gathered,
    OrderFacts,
    Parted,
    compare_order,
)
from trader.app.strategy_process import StrategyLost
from trader.app.trail import Decision, first_difference
from trader.core.canonical import canonical
from trader.core.fold import FoldError, fold
from trader.core.model import Model
from trader.core.parameters import Parameters, StrategyCode
from trader.core.series import Series
from trader.core.simulate import Record, Simulation
from trader.core.snapshot import CoreQuote, SeriesKey, Snapshot
from trader.core.state import State
from trader.domain.timeframe import timeframe_name
from trader.errors import ProofFailed
from trader.journal.codec import Entry
from trader.records import dataclass, replace

# Entries that say what the account and its venue are: no difference, both sides have them.
SHARED = frozenset({"genesis", "instrument", "policy"})
# Of a plan, what a reader looks for first.
TELLING = (
    "legs",
    "refused",
    "ends",
    "stops",
    "even",
    "scaled",
    "dust",
    "members",
    "regime",
    "off",
    "stopped",
    "shadow",
)
# An instrument without a decision bar for so long was not followed.
FOLLOWED_BARS = 60
PLAIN = {
    CLOCK: (Cause.CLOCK, "the pass ran at another time than the close"),
    SKEW: (Cause.CLOCK_SKEW, "skew_ms"),
    REPAINTS: (Cause.BAR_REPAINTED, "repaints"),
    APPROVAL: (Cause.APPROVAL, "what decides needs a human's approval there"),
    STRATEGIES: (Cause.STRATEGY_LOST, "strategy_troubles"),
    LATCH: (Cause.HALT, "latch"),
    QUOTES: (Cause.QUOTE, "quotes"),
}


class _Beside(Simulation):
    """A simulation that says what it is about to decide from."""

    def __init__(
        self,
        inputs: tuple[Parameters, Mapping[str, StrategyCode]],
        series: Mapping[SeriesKey, Series],
        state: State,
        model: Model,
        hear: tuple[Record, Callable[[Snapshot], Snapshot]],
    ) -> None:
        super().__init__(*inputs, series, state, model, hear[0])
        self._asked = hear[1]

    def snapshot(self, bar_ms: int) -> Snapshot:
        """As ever, once what rested has met the bar."""
        return self._asked(super().snapshot(bar_ms))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a difference is."""

    what: str
    bar_ms: int
    seq: int = 0
    strategy: str = ""
    symbol: str = ""


class FreeRun:
    """The simulation, and everything it and the journal were found to differ in."""

    def __init__(self, model: Model, known: Bars, final: Bars) -> None:
        """`known` grows as the journal is read; `final` is what the simulation runs over."""
        self.model = model
        self.known = known
        self.final = final
        self.state = State()
        self.started = False
        self.differences: list[Difference] = []
        self.bars = self.orders = 0
        self._mine, self._theirs = Gathered(), Gathered()
        self._apart = Apart()
        self._fresh: dict[str, list[int]] = {}
        self._decision_of: dict[int, int] = {}
        self._order_of: dict[str, int] = {}
        self._began: dict[int, int] = {}
        self._policy_seq = 0
        self._quoted: dict[str, int] = {}
        self._simulation: _Beside | None = None
        self._given: Parameters | None = None
        self._inputs: tuple[Parameters, Mapping[str, StrategyCode]] | None = None
        self._event: tuple[Decision, bool] | None = None
        self._last_ms = -1

    # --- the journal's side --------------------------------------------------------------------

    def begin(self, event: Decision, *, carried: bool) -> None:
        """The first decision; `carried`: go on from the account as it then was."""
        if self.started:
            return
        self.started = True
        if carried:
            self.state = deepcopy(event.state)
            self.differences.clear()
            self._fresh.clear()
        for symbol in self.state.instruments:
            self._grid(symbol)
        self._mine.take()
        self._last_ms = event.snapshot.bar_ms - 1

    def note(self, entry: Entry) -> None:
        """An entry that is no bar and not the plan in hand."""
        kind, payload = entry.kind, entry.payload
        if kind in SHARED:
            self._share(entry)
        elif kind in KINDS:
            self._mine.note(kind, payload, entry.seq)
        elif kind == "plan":
            self._mine.plan(payload)
        elif kind == "quote":
            self._quoted[str(payload["symbol"])] = entry.seq
        elif kind == "cycle_start":
            self._began.setdefault(int(payload["bar_ms"]), entry.seq)
        elif kind in EVENTS:
            place = _Place("event", self._last_ms, entry.seq, "", str(payload.get("symbol", "")))
            told = (kind, canonical(payload), "absent")
            self._add(place, told, (EVENTS[kind],), f"entry {entry.seq} ({kind})")

    def _share(self, entry: Entry) -> None:
        """What both sides have; an instrument's rules may not change under an order in flight."""
        try:
            fold(self.state, entry.kind, entry.payload)
        except FoldError as error:
            symbol = str(entry.payload.get("symbol", ""))
            follows = self._apart.behind({symbol})
            cause = Cause.FOLLOWS if follows else Cause.UNEXPLAINED
            place = _Place("event", self._last_ms, entry.seq, "", symbol)
            self._add(place, (entry.kind, "taken", str(error)), (cause,), str(error), follows)
            return
        if entry.kind == "policy":
            self._policy_seq = entry.seq
        elif entry.kind == "instrument":
            self._grid(str(entry.payload["symbol"]))

    def _grid(self, symbol: str) -> None:
        tick = self.state.spec(symbol).tick
        self.known.grid(symbol, tick)
        if self.final.grid(symbol, tick):
            self._simulation = None  # it keeps windows of the series as they were

    # --- deciding --------------------------------------------------------------------------------

    def decide(self, event: Decision, *, stepped: bool) -> None:
        """The bar of a stored decision, and bars before it that the journal did not decide.

        `stepped`: whether the back-test decides as stored on the journal's account.
        """
        bar_ms = event.snapshot.bar_ms
        if self._inputs is not None:
            for missed_ms in self._running().decision_bars(self._last_ms + 1, bar_ms):
                self._decide(missed_ms)
        self._take_inputs(event.snapshot)
        self._event = (event, stepped)
        if self._running().decision_bars(bar_ms, bar_ms + 1):
            self._decide(bar_ms)
        else:
            self._compare_orders()
            self._only_journal(event, stepped=stepped)
        self._event = None
        self._mine.plan(event.stored)
        self._last_ms = bar_ms

    def end(self) -> None:
        """The journal ends: compare what was carried out since its last decision."""
        if self.started:
            self._compare_orders()

    def _take_inputs(self, seen: Snapshot) -> None:
        """The policy in force, from this decision on."""
        if self._given is seen.parameters:
            return
        self._given = seen.parameters
        # What a back-test runs was approved by nobody, and sends nothing.
        limits = replace(seen.parameters.limits, approval="given")
        self._inputs = (replace(seen.parameters, limits=limits), seen.strategies)
        self._simulation = None

    def _running(self) -> _Beside:
        """The simulation; a new one goes on with the same account."""
        if self._simulation is None:
            assert self._inputs is not None
            self._simulation = _Beside(
                self._inputs,
                self.final.series,
                self.state,
                self.model,
                (self._record, self._about_to_decide),
            )
        return self._simulation

    def _decide(self, bar_ms: int) -> None:
        self.bars += 1
        try:
            self._running().decide_and_execute(bar_ms)
        except StrategyLost as lost:
            raise ProofFailed(
                f"{lost}: it answered when this was decided", "try again on a calmer host"
            ) from lost

    def _record(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "plan":
            self._theirs.plan(payload)
        elif kind in KINDS:
            self._theirs.note(kind, payload)

    def _about_to_decide(self, own: Snapshot) -> Snapshot:
        self._compare_orders()
        if self._event is None:
            self._missed(own.bar_ms)
            return own
        event, stepped = self._event
        own = replace(own, quotes={**own.quotes, **self._unfollowed(event.snapshot)})
        self._compare_accounts(event)
        self._compare_decision(event, own, stepped=stepped)
        return own

    def _unfollowed(self, seen: Snapshot) -> dict[str, CoreQuote]:
        """The journal's quotes of candidates: of what nobody follows it holds no decision bars, so
        that the model would have none."""
        step_ms = seen.parameters.step_ms
        found: dict[str, CoreQuote] = {}
        for symbol, quote in seen.quotes.items():
            series = self.final.series.get((symbol, timeframe_name(step_ms)))
            first_ms, end_ms = seen.bar_ms - FOLLOWED_BARS * step_ms, seen.close_ms
            if series is None or series.index_of(first_ms) == series.index_of(end_ms):
                found[symbol] = quote
        return found

    # --- comparing -------------------------------------------------------------------------------

    def _compare_orders(self) -> None:
        """What became of orders since the last decision, attempts in order."""
        mine, theirs = self._mine.take(), self._theirs.take()
        for client_id in sorted(mine.keys() | theirs.keys(), key=self._order_key):
            self.orders += 1
            self._compare_order(client_id, mine.get(client_id), theirs.get(client_id))
        self._policy_seq = 0
        self._quoted.clear()

    def _order_key(self, client_id: str) -> tuple[int, int, int]:
        row = self._mine.rows.get(client_id) or self._theirs.rows.get(client_id)
        return (row["bar_ms"], row["leg"], row["attempt"]) if row else (0, 0, 0)  # pyright: ignore[reportReturnType] - ints in any row

    def _compare_order(
        self, client_id: str, mine: OrderFacts | None, theirs: OrderFacts | None
    ) -> None:
        rows = (self._mine.rows.get(client_id), self._theirs.rows.get(client_id))
        row = rows[0] or rows[1] or {}
        bar_ms, symbol = int(row.get("bar_ms", -1)), str(row.get("symbol", ""))
        leg = f"{bar_ms}|{row.get('leg', '')}"
        told, attempt = self._order_of.get(client_id, 0), self._order_of.get(leg, 0)
        decision = self._decision_of.get(bar_ms, 0)
        around = Around(
            next_bar=self._fills_at(symbol, bar_ms),
            decided=decision > 0,
            told=told > 0,
            earlier=attempt > 0,
            apart=bool(self._apart),
            changed=self._policy_seq,
            requoted=self._quoted.get(symbol, 0),
        )
        parted = compare_order(rows, mine, theirs, around)
        if parted is None:
            return
        number = self._add(
            _Place(parted.what, bar_ms, _seq_of(mine), str(row.get("strategy", "")), symbol),
            (parted.where, (mine or OrderFacts()).words(), (theirs or OrderFacts()).words()),
            parted.causes,
            parted.proof,
            self._order_follows(parted, rows, told or attempt, decision, symbol),
        )
        self._order_of[client_id] = self._order_of[leg] = number

    def _order_follows(
        self,
        parted: Parted,
        rows: tuple[object, object],
        earlier: int,
        decision: int,
        symbol: str,
    ) -> tuple[int, ...]:
        if Cause.FOLLOWS not in parted.causes:
            return ()
        if rows[0] != rows[1] and decision:
            return (decision,)
        return (earlier,) if earlier else self._apart.behind({symbol})

    def _fills_at(self, symbol: str, bar_ms: int) -> bool:
        """Whether the bar that the model fills an order of this decision at can fill one."""
        if self._inputs is None:
            return False
        step_ms = self._inputs[0].step_ms
        return self.final.volume((symbol, timeframe_name(step_ms)), bar_ms + step_ms) > 0

    def _compare_accounts(self, event: Decision) -> None:
        mine, theirs = account_of(event.state), account_of(self.state)
        lost = self._apart.update(mine, theirs, self._fresh)
        self._fresh.clear()
        if lost:
            table, key = lost[0]
            told = (f"{table}.{key}", str(mine.get(lost[0])), str(theirs.get(lost[0])))
            place = _Place("account", event.snapshot.bar_ms, event.seq)
            proof = f"{len(lost)} rows differ, and no fact did"
            number = self._add(place, told, (Cause.UNEXPLAINED,), proof)
            self._apart.excuse(lost, number)

    def _compare_decision(self, event: Decision, own: Snapshot, *, stepped: bool) -> None:
        stored = canonical(event.stored)
        derived = payload_of(own)
        if canonical(derived) == stored:
            return
        told = _telling(event.stored, derived)
        telling = told[0].partition(".")[0].partition("[")[0] in TELLING
        place = _Place("decision" if telling else "numbers", own.bar_ms, event.seq)
        if not stepped:
            proof = "the back-test decides otherwise on the journal's own account, too"
            self._decided(place, told, (Cause.UNEXPLAINED,), proof)
            return
        sides = Sides(event.snapshot, own, self.known, self.final, self.model)
        parts = sides.smallest(stored)
        symbols = _symbols_of(event.stored) ^ _symbols_of(derived)
        causes, proofs, follows = self._proved(parts, sides, event.seq - 1, symbols)
        self._decided(place, told, causes, proofs, follows)

    def _proved(
        self, parts: Collection[str], sides: Sides, seq: int, symbols: Collection[str]
    ) -> tuple[tuple[Cause, ...], str, tuple[int, ...]]:
        """Causes of the parts without which the decision is another, and from where each is
        known; `seq` of the snapshot entry."""
        causes: list[Cause] = []
        proofs: list[str] = []
        follows: tuple[int, ...] = ()
        for part in parts:
            if part == STATE and self._apart:
                follows = self._apart.behind(symbols)
                found, proof = [Cause.FOLLOWS], "the accounts had parted"
            elif part == STATE:
                found, proof = [Cause.CLOCK], "only times of orders and fills differ"
            elif part == BARS:
                found, proof = _bars_changed(sides)
            elif part == TROUBLES:
                found, proof = _troubled(sides.seen)
            else:
                cause, name = PLAIN[part]
                found, proof = [cause], name
            causes += [cause for cause in found if cause not in causes]
            proofs.append(proof)
        if not causes:
            return (Cause.UNEXPLAINED,), "nothing that was seen differs", ()
        return tuple(causes), f"entry {seq} (snapshot): {'; '.join(proofs)}", follows

    def _missed(self, bar_ms: int) -> None:
        began = self._began.get(bar_ms, 0)
        proof = f"entry {began} (cycle_start) has no plan" if began else "no cycle began"
        place = _Place("decision", bar_ms, began)
        told = ("plan", "absent", "decided")
        self._decided(place, told, (Cause.MISSED_CYCLE,), f"{proof} for this bar")

    def _only_journal(self, event: Decision, *, stepped: bool) -> None:
        place = _Place("decision", event.snapshot.bar_ms, event.seq)
        cause = Cause.NO_BAR if stepped else Cause.UNEXPLAINED
        told = ("plan", "decided", "absent")
        self._decided(place, told, (cause,), "no instrument has a bar that opens then")

    def _decided(
        self,
        place: _Place,
        told: tuple[str, str, str],
        causes: tuple[Cause, ...],
        proof: str,
        follows: tuple[int, ...] = (),
    ) -> None:
        self._decision_of[place.bar_ms] = self._add(place, told, causes, proof, follows)

    def _add(
        self,
        place: _Place,
        told: tuple[str, str, str],
        causes: tuple[Cause, ...],
        proof: str,
        follows: tuple[int, ...] = (),
    ) -> int:
        number = len(self.differences) + 1
        self.differences.append(
            Difference(
                number,
                place.what,
                place.bar_ms,
                place.seq,
                place.strategy,
                place.symbol,
                *told,
                causes,
                proof,
                follows,
            )
        )
        self._fresh.setdefault(place.symbol, []).append(number)
        return number


def _seq_of(facts: OrderFacts | None) -> int:
    return max(facts.seqs.values(), default=0) if facts is not None else 0


def _telling(stored: Mapping[str, Any], derived: Mapping[str, Any]) -> tuple[str, str, str]:
    """(where, journal, free) of the difference that matters most."""
    for name in TELLING:
        if canonical(stored.get(name)) != canonical(derived.get(name)):
            one, other = stored.get(name, "absent"), derived.get(name, "absent")
            return first_difference(one, other, name)
    return first_difference(dict(stored), dict(derived))


def _symbols_of(plan: Mapping[str, Any]) -> frozenset[str]:
    """What a plan asks for or was refused, each as text that names its instrument."""
    legs = {str(leg["symbol"]) for leg in plan["legs"]}
    return frozenset(legs | {str(row[1]) for row in plan["refused"]})


def _bars_changed(sides: Sides) -> tuple[list[Cause], str]:
    changes = sides.changes()
    causes = [Cause.BAR_LATE] if any(change.late for change in changes) else []
    causes += [Cause.BAR_REPAINTED] if not all(change.late for change in changes) else []
    proofs: list[str] = []
    for change in changes[:3]:
        seq = sides.final.told_by(change.key, change.open_ms)
        said = "told" if change.late else "told anew"
        proofs.append(f"{' '.join(change.key)} {change.open_ms} {said} by entry {seq} (bars)")
    return causes, ", ".join(proofs)


def _troubled(seen: Snapshot) -> tuple[list[Cause], str]:
    """Mismatches stand under `*`; the rest is what could not be read of an instrument."""
    causes = [Cause.MISMATCH] if "*" in seen.troubles else []
    causes += [Cause.DATA_TROUBLE] if set(seen.troubles) - {"*"} else []
    codes = sorted({code.split(" ")[0] for told in seen.troubles.values() for code in told})
    return causes, f"troubles {' '.join(codes)}"
