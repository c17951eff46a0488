"""The oracle of a world: holds every decision against the rules, and counts how near they came.

Lives here: which rule is asked of what was approved and of what was refused, the laws of exits, and
what the venue's truth must obey after each fill. Must not live here: the rules themselves
(`worlds_rules`), results of days (`worlds_marks`), and the drawing of worlds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from worlds_ledger import ZERO, Ledger, Ours
from worlds_marks import UNITS_MAX, Marks
from worlds_moment import DAY_MS, HOUR_MS, Found, Leg, Moment
from worlds_rules import RULES, SANITY
from worlds_sizes import size_problem
from worlds_venue import RandomVenue

from trader.core.gates import GATES
from trader.core.limits import Limits
from trader.core.plan import Plan
from trader.core.state import Position, State
from trader.domain.order import Side

# Gates that the running core has; one without a rule is reported by the proof itself.
ASKED = {gate.code for gate in GATES}
# What rounding may cost, in the account's smallest units: one for each position and each fill.
SLACK_UNITS = 20
# A refusal may rest on sums that are rounded against the order, and on fees of what is in flight.
SURE = Decimal("0.98")
NEAR = Decimal("0.01")
OF_POSITIONS = {
    "OWNED_BY_OTHER",
    "ALREADY_HELD",
    "POSITIONS_MAX",
    "BUDGET_POSITIONS",
    "TIER_POSITIONS",
}


@dataclass
class Tally:
    """What a run of worlds has seen.

    Attributes:
        approved, refused: orders, by reason and by code. near: how often a rule's measure came
            within one unit or 1 % of its limit, by code. told: other things that happened.
        breaches: what must not be, in words; the first of each world.
    """

    approved: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    near: Counter[str] = field(default_factory=Counter[str])
    told: Counter[str] = field(default_factory=Counter[str])
    breaches: list[str] = field(default_factory=list[str])

    def add(self, other: Tally) -> None:
        """Take in what another run has seen."""
        self.approved.update(other.approved)
        self.refused.update(other.refused)
        self.near.update(other.near)
        self.told.update(other.told)
        self.breaches += other.breaches


class Oracle:
    """One world's judge."""

    def __init__(self, ledger: Ledger, tally: Tally) -> None:
        """Nothing has happened yet."""
        self.ledger = ledger
        self.tally = tally
        self.slack = SLACK_UNITS * ledger.unit
        self.marks = Marks(ledger, self.slack)
        self.breaches: list[str] = []
        self._ceiling: tuple[Decimal, Decimal] | None = None
        self._known: set[str] = set()
        self._freed = ZERO

    def breach(self, words: str) -> None:
        """Something that must not be."""
        self.breaches.append(words)

    # --- a plan ----------------------------------------------------------------------------------

    def judge(self, moment: Moment, plan: Plan) -> None:
        """Every order of a plan, in the order in which it was asked for."""
        legs, refused = iter(plan.legs), iter(plan.refused)
        self._freed = Decimal(len(plan.dust))
        for row in plan.trail:
            if row.answer in {"approved", "ENTRY_MOVES"}:
                again = str(row.seen.get("client_id", ""))
                leg = moment.leg_of(next(legs).proposal, again)
                self.approved(moment, leg)
                moment.legs.append(leg)
            elif row.answer.startswith("ENTRY_RESTS"):
                self._rests(moment, str(row.seen["client_id"]))
            elif len(row.gates) and not row.answer.startswith("ENTRY_ENDED"):
                no = next(refused)
                self._refused(moment, moment.leg_of(no.proposal), no.code, no.detail)
        if next(legs, None) is not None or next(refused, None) is not None:
            self.breach("the trail does not tell of every order")
        self._watch(moment)

    def approved(self, moment: Moment, leg: Leg) -> None:
        """An order that may leave."""
        self.tally.approved[leg.reason] += 1
        self._hold(moment, leg, "was approved")
        if leg.buy and not leg.again:
            problem = size_problem(moment, leg, self.slack)
            if problem:
                self.breach(problem)

    def _hold(self, moment: Moment, leg: Leg, what: str, but: tuple[str, ...] = ()) -> None:
        for code, rule in RULES.items():
            if code not in ASKED or code in but or not (leg.buy or code in SANITY):
                continue
            found = rule(moment, leg)
            if found is None:
                continue
            self._count_near(code, found)
            slack = self.slack if found.amount else ZERO
            if code in OF_POSITIONS:
                slack = self._freed  # what this very plan declares dust is no position any more
            if found.measured > found.limit + slack:
                self.breach(
                    f"{code}: {'buy' if leg.buy else 'sell'} of {leg.qty} {leg.symbol} {what} "
                    f"at {leg.price}: limit={found.limit} measured={found.measured}"
                )

    def _rests(self, moment: Moment, client_id: str) -> None:
        """An entry that goes on resting keeps every limit, as if it were sent now."""
        self.tally.told["entries that rest on"] += 1
        ours = self.ledger.orders[client_id]
        leg = Leg(
            ours.strategy, ours.symbol, True, ours.rest, ours.price, ours.stop, "entry_signal",
            "post_only", client_id, client_id, 0,
        )  # fmt: skip
        self._hold(moment, leg, "goes on resting", ("QTY_MIN", "NOTIONAL_MIN"))

    def _refused(self, moment: Moment, leg: Leg, code: str, detail: str) -> None:
        self.tally.refused[code] += 1
        rule = RULES.get(code)
        if "limit=" not in detail or "measured=" not in detail:
            self.breach(f"{code} refused without its numbers: {detail}")
        if not leg.buy and code not in SANITY:
            self.breach(f"{code} stopped an exit of {leg.symbol}")
        found = rule(moment, leg) if rule is not None else None
        if found is None:
            return
        self._count_near(code, found)
        # A measure below zero is one that must not be too small.
        least = found.limit * SURE if found.limit > 0 and found.amount else found.limit
        least -= self.slack if found.amount else found.loose
        if found.measured <= least:
            self.breach(f"{code} refused {leg} without a cause: {found}, it said {detail}")

    def _count_near(self, code: str, found: Found) -> None:
        gap = abs(found.measured - found.limit)
        if gap <= 1 or gap <= abs(found.limit) * NEAR:
            self.tally.near[code] += 1

    # --- exits -----------------------------------------------------------------------------------

    def judge_exits(
        self, moment: Moment, plan: Plan, state: State, lows: Mapping[str, Decimal]
    ) -> None:
        """Who is at its stop, or was asked to leave, leaves, whatever guards new risk says."""
        told = {leg.symbol for leg in plan.legs if leg.side is Side.SELL}
        told |= {r.proposal.symbol for r in plan.refused if r.proposal.side is Side.SELL}
        for symbol, position in state.positions.items():
            if not position.strategy or symbol in told:
                continue
            coins = self.ledger.opened_by(position.strategy, symbol)
            sells = [o for o in self.ledger.on(symbol) if not o.buy and not o.is_stop]
            pending = sum((o.rest for o in sells), ZERO)
            bid = self._fresh_bid(moment, symbol)
            rules = self.ledger.rules[symbol]
            if bid > 0 and (coins - pending) * bid < rules.notional_min:
                continue  # dust by value
            if coins * max(bid, moment.marks.get(symbol, ZERO)) >= UNITS_MAX * self.ledger.unit:
                continue  # a price at which nothing can be booked
            asked = self._asked(state, symbol)
            at_stop = self._at_stop(position, lows.get(symbol, ZERO), bid)
            if self.ledger.sellable(coins - pending, symbol) > 0 and (
                at_stop or (asked and bid > 0)
            ):
                why = "at its stop" if at_stop else "asked to leave"
                self.breach(f"{symbol} is {why}, holds {coins}, sells {pending}: nothing leaves")

    def judge_dust(self, moment: Moment, plan: Plan) -> None:
        """What is declared dust is what the venue does not take."""
        for key in plan.dust:
            name, _, symbol = key.partition("|")
            coins = self.ledger.opened_by(name, symbol)
            bid = self._fresh_bid(moment, symbol)
            if coins * bid > 0 and coins * bid >= self.ledger.rules[symbol].notional_min:
                self.breach(f"{coins} {symbol} at {bid} are no dust")
            self.ledger.dust.add((name, symbol))
            self.tally.told["dust declared"] += 1

    def _asked(self, state: State, symbol: str) -> bool:
        rows = [state.asked.get(key) for key in (symbol, "*")]
        return any(row is not None and int(row["done_ms"]) < 0 for row in rows)

    def _fresh_bid(self, moment: Moment, symbol: str) -> Decimal:
        quote = moment.quotes.get(symbol)
        if quote is None or not 0 < quote.bid_ticks <= quote.ask_ticks:
            return ZERO
        if abs(moment.now_ms - quote.at_ms) > moment.limits.quote_age_ms_max:
            return ZERO
        return quote.bid_ticks * self.ledger.rules[symbol].tick

    def _at_stop(self, position: Position, low: Decimal, bid: Decimal) -> bool:
        stop = position.stop_ticks * self.ledger.rules[position.symbol].tick
        return any(0 < price <= stop for price in (low, bid))

    # --- after the plan --------------------------------------------------------------------------

    def leaves(self, client_id: str, at_ms: int, limits: Limits, rank: int) -> None:
        """An order is sent: no two sells may together take more than there is, no leg's attempts
        more than its first asked for, and no entry leaves against a halt or a limit of how often.
        `rank`: of the halt that is in force."""
        ours = self.ledger.orders[client_id]
        if rank > (0 if ours.buy else 2):
            self.breach(f"{'buy' if ours.buy else 'sell'} of {ours.symbol} leaves at rank {rank}")
        if ours.buy:
            self._often(ours, at_ms, limits)
        leg = (ours.bar_ms, ours.leg, ours.symbol)
        others = [o for o in self.ledger.alive.values() if o.client_id != client_id]
        if not ours.buy:
            mine = self.ledger.held.get((ours.strategy, ours.symbol), ZERO)
            others = [o for o in others if not o.buy and o.state != "planned"]
            selling = sum((o.rest for o in others if o.symbol == ours.symbol), ZERO)
            if ours.qty > mine - selling:
                self.breach(f"sells {ours.qty} {ours.symbol}: holds {mine}, is selling {selling}")
        if ours.is_stop:
            return
        same = [o for o in self.ledger.orders.values() if (o.bar_ms, o.leg, o.symbol) == leg]
        same = [o for o in same if not o.is_stop and o.client_id != client_id]
        taken = sum((o.qty if o.in_flight else max(o.filled, o.claimed) for o in same), ZERO)
        first = next((o.qty for o in same if not o.attempt), ours.qty)
        if taken + ours.qty > first:
            self.breach(f"children of leg {ours.leg}: {taken} + {ours.qty} of {first}")

    def _often(self, ours: Ours, at_ms: int, limits: Limits) -> None:
        messages, ledger = limits.messages, self.ledger
        hour = sum(1 for at, *_ in ledger.entries if at > at_ms - HOUR_MS)
        day = sum(1 for at, *_ in ledger.entries if at > at_ms - DAY_MS)
        if not ours.attempt and (hour >= limits.trades_hour_max or day >= limits.trades_day_max):
            self.breach(f"entry {hour + 1} of the hour, {day + 1} of the day leaves")
        for most, window_ms in (
            (messages.second_max, 1_000),
            (messages.minute_max, 60_000),
            (messages.day_max, DAY_MS),
        ):
            free = most - -(-most * messages.reserve_ppm // 1_000_000)
            sent = sum(1 for at in ledger.messages if at > at_ms - window_ms)
            if sent >= free:
                self.breach(f"message {sent + 1} of {window_ms} ms is an entry, {free} are free")

    def _watch(self, moment: Moment) -> None:
        """What all orders together may come to, when at least one entry was approved now."""
        self._ceiling = None
        if any(leg.buy for leg in moment.legs):
            held = sum(
                (
                    coins * moment.marks.get(symbol, ZERO)
                    for (_, symbol), coins in self.ledger.held.items()
                ),
                ZERO,
            )
            self._known = set(self.ledger.trades)
            self._ceiling = (moment.share(moment.limits.exposure_ppm_max), held)

    def after_fill(self, venue: RandomVenue) -> None:
        """The venue's truth: no overdraft, no coin sold that the program does not have, and no
        overshoot by all fills together, told or not."""
        if venue.truth.cash < -self.slack:
            self.breach(f"the program's cash is {venue.truth.cash} at the venue")
        for symbol, coins in venue.truth.coins.items():
            if coins < 0:
                self.breach(f"the program has {coins} {symbol} at the venue")
        if self._ceiling is None:
            return
        limit, value = self._ceiling
        for order in venue.orders.values():
            if order.side is Side.BUY:
                value += sum((f.cost for f in order.fills if f.trade_id not in self._known), ZERO)
        if value > limit + self.slack:
            self.breach(f"EXPOSURE_TOTAL: fills together come to {value}, limit {limit}")
