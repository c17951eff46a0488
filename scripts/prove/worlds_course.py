"""The course of one world: decision after decision through the real core, answered by chance.

Lives here: plan -> fold -> step -> actions -> the random venue -> fold, with restarts and lost
answers in between; the oracle looks at each of them. Must not live here: what must hold
(`worlds_oracle`), how a world is drawn (`worlds_made`), and what people do in it
(`worlds_people`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import worlds_made
import worlds_people
from worlds_ledger import Ledger
from worlds_made import DAY_MS, HOUR_MS, World
from worlds_oracle import Oracle, Tally
from worlds_sight import Seen, draw_quote, look, lows_of, moment_of, snapshot_of
from worlds_venue import RandomVenue

from trader.core.approval import Approved, restore
from trader.core.asked import exits_done
from trader.core.canonical import canonical
from trader.core.evidence import fill_fact, judge_order, split_base_fee
from trader.core.fold import fold
from trader.core.plan import Plan, plan, plan_payload
from trader.core.scale import ScaleError
from trader.core.snapshot import CoreQuote, halt_rank
from trader.core.state import PROJECTIONS, State, instrument_row
from trader.core.step import StepFacts, noted, stale_intents, step
from trader.domain.account import Fill
from trader.domain.order import OrderState, Side

GRACE_MS = 30_000
ENDED = {
    OrderState.FILLED,
    OrderState.EXPIRED,
    OrderState.CANCELED,
    OrderState.REJECTED,
    OrderState.ABSENT,
}
STEPS_MAX = 300


class Unbookable(Exception):
    """The venue filled more than the account's integers can hold: nothing after that can be told
    apart from a mismatch, and the world ends."""


class Stopped(Exception):
    """The process ends here and now."""


class Course:
    """One world being played."""

    def __init__(self, world: World, tally: Tally) -> None:
        """An account that was just opened."""
        self.world = world
        self.rng = world.rng
        self.tally = tally
        unit = Decimal(1).scaleb(-world.cash_digits)
        capital_units = int(world.capital / unit)
        capital = capital_units * unit
        self.facts: list[tuple[str, dict[str, Any]]] = []
        self.state = State()
        self.venue = RandomVenue(self.rng, capital, world.fee_mode)
        self.ledger = Ledger(world.rules, unit, capital)
        self.ledger.capital = capital
        self.oracle = Oracle(self.ledger, tally)
        self.latch = "running"
        self.bar_ms = worlds_made.START_MS + world.step_ms * self.rng.randrange(0, 3_000)
        self.stops: dict[str, tuple[str, int, int]] = {}
        self.digest = hashlib.sha256()
        self.begun = 0
        genesis = {"account": "world", "mode": "paper", "prefix": "abcdef", "quote": "USDT"}
        digits = {"cash_digits": world.cash_digits, "capital_units": capital_units}
        self.fact("genesis", {**genesis, **digits, "capital": ""})
        for rules in world.rules.values():
            self.fact("instrument", instrument_row(rules))

    # --- facts -----------------------------------------------------------------------------------

    def fact(self, kind: str, payload: dict[str, Any]) -> None:
        """One entry: folded, and kept for the next restart."""
        fold(self.state, kind, payload)
        self.facts.append((kind, payload))
        for symbol, position in self.state.positions.items():
            if not position.strategy:
                # What is bought after that, even by the same entry, is another position.
                self.stops.pop(symbol, None)

    def restart(self) -> None:
        """The state is built anew, from the entries or from the rows of its projections."""
        self.tally.told["restarts"] += 1
        fresh, keys = State(), self._row_keys()
        if self.rng.random() < 0.5:
            for kind, payload in self.facts:
                fold(fresh, kind, payload)
        else:
            for table, key in keys:
                row = self.state.row(table, key)
                if row is not None:
                    fresh.load_row(table, dict(row))
        for table, key in keys:
            if fresh.row(table, key) != self.state.row(table, key):
                self.oracle.breach(f"after a restart {table} {key} is another")
        fresh.dirty |= self.state.dirty
        self.state = fresh

    def _row_keys(self) -> list[tuple[str, str]]:
        """Of every row there is; orders in the order in which they were planned."""
        orders = [("orders", key) for key in self.state.orders]
        others = sorted(key for key in self.state.dirty if key[0] in PROJECTIONS)
        return [*orders, *(key for key in others if key[0] != "orders")]

    # --- one world -------------------------------------------------------------------------------

    def play(self, decisions: int) -> None:
        """So many decisions, or fewer when something is wrong."""
        for _ in range(decisions):
            self._one()
            if self.oracle.breaches:
                return

    def told(self) -> str:
        """A digest of everything that was decided."""
        return self.digest.hexdigest()[:16]

    def _one(self) -> None:
        self.begun += 1
        self._pass_time()
        worlds_people.act(self)
        seen = look(self.world, self.bar_ms)
        try:
            self._decide(seen)
            self._execute(seen)
        except Stopped:
            self.tally.told["stopped in a cycle"] += 1
            self.restart()
            if self.rng.random() < 0.4:
                self._finish(seen)
        self.oracle.after_fill(self.venue)
        for problem in self.ledger.compare(self.state):
            self.oracle.breach(problem)
        self._stops_hold()

    def _finish(self, seen: Seen) -> None:
        """A later run for the same bar: the journaled plan goes on, nothing is planned again."""
        self._reconcile(seen.now_ms + 1_000)
        try:
            self._execute(replace(seen, now_ms=seen.now_ms + 2_000))
        except Stopped:
            self.restart()

    def _pass_time(self) -> None:
        """Bars go by, and meet what rests at the venue."""
        rng, world = self.rng, self.world
        step = world.step_ms
        pauses = (step, step, step, 2 * step, 5 * step, HOUR_MS - step, HOUR_MS, HOUR_MS + step)
        pauses += (DAY_MS - step, DAY_MS, rng.randrange(1, 3 * DAY_MS))
        before_ms = self.bar_ms
        self.bar_ms += max(step, rng.choice(pauses) // step * step)
        worlds_made.advance(world, self.bar_ms)
        for symbol, prices in world.prices.items():
            lows = [row[3] for row in prices.rows if row[0] > before_ms]
            self.venue.trade(symbol, min(lows) * prices.tick, self.bar_ms)
        self.oracle.after_fill(self.venue)
        if rng.random() < 0.06:
            self.restart()

    # --- a decision ------------------------------------------------------------------------------

    def _decide(self, seen: Seen) -> None:
        self._reconcile(seen.now_ms)
        for symbol in exits_done(self.state):
            self.fact("exit_done", {"symbol": symbol, "at_ms": seen.now_ms})
        for intent in stale_intents(self.state, seen.bar_ms):
            self._abandon(intent.client_id, intent.why, seen.now_ms)
        try:
            decided = plan(snapshot_of(self.world, seen, self.state, self.latch))
        except OverflowError as error:
            self.oracle.breach(f"the plan itself ends with {error!r}: no exit is looked at")
            raise Stopped from error
        payload = plan_payload(decided)
        self.digest.update(canonical(payload).encode())
        self._judge(seen, decided)
        self.fact("plan", payload)
        self.ledger.close_ms = seen.close_ms
        for leg in decided.legs:
            self.ledger.planned(leg)
        for client_id in decided.ends:
            if client_id not in self.ledger.alive:
                self.oracle.breach(f"{client_id} is not in flight and is to end")

    def _judge(self, seen: Seen, decided: Plan) -> None:
        moment = moment_of(self.world, seen, self.state, self.ledger, self.latch)
        moment.watching |= set(decided.shadow)
        self.oracle.marks.look(moment)
        self.oracle.judge(moment, decided)
        self.oracle.judge_exits(moment, decided, self.state, lows_of(self.world, seen))
        self.oracle.judge_dust(moment, decided)
        for row in decided.trail:
            if row.answer != "approved" and not len(row.gates):
                self.tally.told[row.answer.split(" ", 1)[0]] += 1

    def _stops_hold(self) -> None:
        """While a position stays the same one, its stop only rises."""
        for symbol, position in self.state.positions.items():
            before = self.stops.get(symbol)
            now = (position.strategy, position.opened_ms, position.stop_ticks)
            if before and before[:2] == now[:2] and now[2] < before[2]:
                self.oracle.breach(f"the stop of {symbol} went from {before[2]} to {now[2]}")
            if position.strategy:
                self.stops[symbol] = now
            else:
                self.stops.pop(symbol, None)

    # --- execution -------------------------------------------------------------------------------

    def _execute(self, seen: Seen) -> None:
        facts = StepFacts(
            now_ms=seen.now_ms,
            latch=self.latch,
            mismatches=len(seen.troubles.get("*", ())),
            stops=self.world.stops,
        )
        for _ in range(STEPS_MAX):
            actions = step(self.state, self.world.parameters, facts)
            if not actions:
                return
            for action in actions:
                if self.rng.random() < 0.02:
                    raise Stopped
                quote = self._act(action, seen)
                facts = noted(facts, action, quote)
        self.oracle.breach("a cycle does not end")

    def _act(self, action: Any, seen: Seen) -> CoreQuote | None:
        does = type(action).__name__
        if does == "Send":
            self._send(action.client_id, seen)
        elif does == "Look":
            if self.rng.random() < 0.7:
                self._tell(action.client_id, seen.now_ms)
        elif does == "Requote":
            return draw_quote(self.world, action.symbol, seen.now_ms)
        elif does == "PlanAttempt":
            self._attempt(action.approved)
        elif does == "Cancel":
            self._cancel(action, seen)
        elif does == "Abandon":
            self._abandon(action.client_id, action.why, seen.now_ms)
        else:
            raise AssertionError(f"nobody told this world about {does}")
        return None

    def _attempt(self, approved: Approved) -> None:
        """A further attempt of a leg, or a protective stop."""
        p, rules = approved.proposal, self.world.rules[approved.symbol]
        self.tally.told["stops planned" if p.trigger_ticks else "further attempts"] += 1
        if p.trigger_ticks:
            position = self.state.positions[p.symbol]
            if p.trigger_ticks != position.stop_ticks:
                self.oracle.breach(f"a stop at {p.trigger_ticks}, not at {position.stop_ticks}")
        mine = self.ledger.held.get((p.strategy, p.symbol), Decimal(0))
        if p.side is Side.SELL and p.qty_lots * rules.lot > mine:
            self.oracle.breach(f"plans to sell {p.qty_lots * rules.lot} {p.symbol} of {mine}")
        self.ledger.planned(approved)
        self.fact("order_planned", approved.row())

    def _send(self, client_id: str, seen: Seen) -> None:
        rng, at_ms = self.rng, seen.now_ms
        order = self.state.orders[client_id]
        approved = restore(order, self.state.spec(order.symbol))
        limits, rank = self.world.parameters.limits, halt_rank(self.state, self.latch)
        self.oracle.leaves(client_id, at_ms, limits, rank)
        self.fact("order_sent", {"client_id": client_id, "at_ms": at_ms})
        self.ledger.sent(client_id, at_ms)
        chance = rng.random()
        if chance < 0.03:
            raise Stopped
        if chance < 0.10:
            self._outcome(client_id, "not_sent" if chance < 0.06 else "rejected", at_ms)
            self.ledger.ended(client_id)
            return
        lost = chance < 0.22
        if not (lost and rng.random() < 0.5):
            self._land(approved, seen)
        if lost:
            if rng.random() < 0.8:
                self._outcome(client_id, "unknown", at_ms)
            if rng.random() < 0.2:
                raise Stopped
            return
        if self.venue.orders[client_id].state is OrderState.REJECTED:
            self._outcome(client_id, "rejected", at_ms)
            self.ledger.ended(client_id)
            return
        self._outcome(client_id, "accepted", at_ms, f"v{client_id}")
        self.ledger.opened(client_id)
        if rng.random() < 0.9:
            self._tell(client_id, at_ms)

    def _land(self, approved: Approved, seen: Seen) -> None:
        rules = self.world.rules[approved.symbol]
        quote = draw_quote(self.world, approved.symbol, seen.now_ms)
        bid, ask = (quote.bid_ticks, quote.ask_ticks) if quote else (0, 0)
        self.venue.land(approved, rules, bid * rules.tick, ask * rules.tick, seen.now_ms)
        self.oracle.after_fill(self.venue)

    def _cancel(self, action: Any, seen: Seen) -> None:
        """Written down, asked for; sometimes it does not arrive, sometimes its answer does not."""
        at_ms = seen.now_ms
        self.fact("cancel_sent", {"client_id": action.client_id, "at_ms": at_ms, "why": action.why})
        self.ledger.messages.append(at_ms)
        self.tally.told["cancels"] += 1
        if self.rng.random() < 0.9:
            self.venue.cancel(action.client_id)
            self.oracle.after_fill(self.venue)
            if self.rng.random() < 0.7:
                self._tell(action.client_id, at_ms)

    def _outcome(self, client_id: str, outcome: str, at_ms: int, venue_id: str = "") -> None:
        said = {"outcome": outcome, "code": "", "text": "", "venue_id": venue_id}
        self.fact("order_outcome", {"client_id": client_id, "at_ms": at_ms, **said})
        self.ledger.answered(outcome, at_ms)

    def _abandon(self, client_id: str, why: str, at_ms: int) -> None:
        self.tally.told["abandoned " + why.split(" ", 1)[0]] += 1
        self.fact("order_abandoned", {"client_id": client_id, "at_ms": at_ms, "why": why})
        self.ledger.ended(client_id)

    # --- what the venue tells --------------------------------------------------------------------

    def _reconcile(self, now_ms: int) -> None:
        """Before each decision: some of what is not settled is told."""
        for order in list(self.state.orders.values()):
            if order.working and self.rng.random() < 0.7:
                self._tell(order.client_id, now_ms)

    def _tell(self, client_id: str, now_ms: int) -> None:
        """The venue's answer about one order, and its fills or a part of them."""
        order = self.state.orders[client_id]
        spec = self.state.spec(order.symbol)
        seen = self.venue.seen(client_id, now_ms)
        told = judge_order(order, seen, spec, now_ms, GRACE_MS)
        if told is not None:
            self.fact("order_seen", told)
            claimed = seen.filled if seen is not None else Decimal(0)
            if OrderState(told["state"]) in ENDED:
                self.ledger.ended(client_id, claimed, str(told["state"]), now_ms)
            else:
                self.ledger.opened(client_id, claimed)
        landed = self.venue.orders.get(client_id)
        if landed is None:
            return
        while landed.told < len(landed.fills) and self.rng.random() < 0.9:
            self._book(landed.fills[landed.told])
            landed.told += 1

    def _book(self, fill: Fill) -> None:
        order = self.state.orders[fill.client_order_id]
        spec = self.state.spec(order.symbol)
        held = self.state.held_units(order.strategy, order.symbol)
        try:
            fact = fill_fact(order, fill, spec)
        except ScaleError as error:
            raise Unbookable(str(error)) from error
        self.fact("fill", split_base_fee(fact, held, spec))
        self.ledger.fill(fill)
