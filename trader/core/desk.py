"""The desk: the working state of one decision, while it lasts.

Lives here: what `exits` and `entries` share: the snapshot, the account as it stands after the legs
that were approved so far, and the trail they write. Must not live here: rules about who leaves or
enters, and anything that outlives the decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trader.core.access import Access
from trader.core.account_view import AccountView
from trader.core.approval import Approved, Proposal, Refused
from trader.core.calendar import Opening, openings
from trader.core.gate_view import GateView
from trader.core.gates import Answers, approve
from trader.core.marks import kept_marks, mark_account
from trader.core.order_sums import OrderDesk
from trader.core.parameters import StrategySpec
from trader.core.risk_sums import RiskDesk
from trader.core.scale import Spec, cash_units
from trader.core.signals import Opinion, form_opinion
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.standings import Standings
from trader.core.totals import Totals
from trader.core.universe import tier_of
from trader.domain.order import Side
from trader.records import dataclass

if TYPE_CHECKING:  # a pass that sizes otherwise does not load it
    from trader.core.risk_parity import Parity

Seen = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class TrailRow:
    """Why: what was seen, what was asked for, every gate's answer, and what came of it.

    `answer` is `approved`, or the code of the refusal or of the quiet reason.
    """

    strategy: str
    symbol: str
    seen: dict[str, int | str]
    asked: dict[str, int | str]
    gates: Answers
    answer: str

    def row(self) -> dict[str, Any]:
        """Canonical form."""
        return {
            "strategy": self.strategy,
            "symbol": self.symbol,
            "seen": self.seen,
            "asked": self.asked,
            "gates": self.gates.digest() if self.gates else "",
            "answer": self.answer,
        }


class Desk:
    """The working state of one decision; lives no longer than `plan`."""

    def __init__(self, snapshot: Snapshot, access: Access, without: str = "") -> None:
        """Nothing decided yet, but what the universe permits. `without`: see `AccountView`.

        `valued`: whether equity fits; where it does not, `equity` is 0, nothing is opened or
        trimmed, and no mark or result changes.
        """
        self.snapshot = snapshot
        self.access = access
        self.parameters = snapshot.parameters
        self.limits = snapshot.parameters.limits
        self.view = AccountView(snapshot.state, newest_closes(snapshot), without)
        self.valued = True
        try:
            equity = self.view.equity_units()
            self.marks = mark_account(snapshot.state, equity, snapshot.close_ms, self.limits)
        except OverflowError:
            # Prices that nothing can be valued by: exits go on, each of them judged by itself.
            self.valued, equity = False, 0
            self.marks = kept_marks(snapshot.state, snapshot.close_ms)
        self.equity = max(0, equity)
        self.halt_rank = snapshot.halt_rank
        self.mismatches = len(snapshot.troubles.get("*", ()))
        self.tiers = {tier.name: tier for tier in access.universe.tiers}
        self.legs: list[Approved] = []
        self.refused: list[Refused] = []
        self.trail: list[TrailRow] = []
        self.stops: dict[str, int] = {}
        self.even: list[str] = []
        self.scaled: dict[str, int] = {}
        self.dust: dict[str, int] = {}
        self.alarms: list[str] = [] if self.valued else ["AMOUNT_OVERFLOW what=equity"]
        self.off: dict[str, str] = {}
        self.ends: dict[str, str] = {}
        self._opinions: dict[tuple[str, str], Opinion] = {}
        self.cash_digits = snapshot.state.number("cash_digits")
        self.parities: dict[str, Parity] = {}
        self._tier_of: dict[str, str] = {}
        self._totals: Totals | None = None
        self._orders: OrderDesk | None = None
        self._risks: RiskDesk | None = None
        self._standings: Standings | None = None
        self._openings: tuple[Opening, Opening] | None = None

    @property
    def totals(self) -> Totals:
        """Sums over everything at risk, this plan's legs included; made when the first entry asks.
        Raises AmountOverflow when a value does not fit: then nothing is opened."""
        if self._totals is None:
            now_ms = self.snapshot.now_ms
            self._totals = Totals(self.view, self.tier_of, self.limits.slippage_ppm, now_ms)
        return self._totals

    @property
    def risks(self) -> RiskDesk:
        """What the gates of `risk_gates` share; made when the first entry asks."""
        if self._risks is None:
            self._risks = RiskDesk(self)
        return self._risks

    @property
    def orders(self) -> OrderDesk:
        """What the gates of single orders share; made when the first entry asks."""
        if self._orders is None:
            self._orders = OrderDesk(self)
        return self._orders

    @property
    def openings(self) -> tuple[Opening, Opening]:
        """What sessions and closed windows say now; asked when the first entry does."""
        if self._openings is None:
            self._openings = openings(self.limits.calendar, self.snapshot.now_ms)
        return self._openings

    @property
    def standings(self) -> Standings:
        """How strategies and the last days stand; made once a decision."""
        if self._standings is None:
            self._standings = Standings(self)
        return self._standings

    def tier_of(self, symbol: str) -> str:
        """The tier that an instrument counts in; "" for none."""
        tier = self._tier_of.get(symbol)
        if tier is None:
            tier = self._tier_of[symbol] = tier_of(self.access.universe, symbol)
        return tier

    def without(self, client_id: str) -> Desk:
        """The desk as if an order were not there: what its own gates are asked beside."""
        other = Desk(self.snapshot, self.access, client_id)
        other.off, other._opinions = self.off, self._opinions
        for leg in self.legs:
            other.view.add(leg.proposal)
        return other

    def notional_units_min(self, strategy: StrategySpec) -> int:
        """The smallest entry worth its fees: the policy's or the strategy's, the larger."""
        least = cash_units(self.limits.order_notional_min, self.cash_digits, up=True)
        return max(least, cash_units(strategy.size.notional_min, self.cash_digits, up=True))

    def opinion(self, spec: StrategySpec, symbol: str) -> Opinion:
        """What a strategy thinks of an instrument now.

        Code that fails is not asked again, in this decision or a later one, until it is resumed.
        """
        book = self.snapshot.state.books.get(spec.name)
        why = self.off.get(spec.name) or (book.off_why if book else "")
        if why:
            return without_opinion(f"STRATEGY_OFF why={why}")
        trouble = self.snapshot.strategy_troubles.get(spec.name, "")
        found = without_opinion(trouble) if trouble else self._form_opinion(spec, symbol)
        if found.problem.startswith("STRATEGY_FAILED"):
            self.off[spec.name] = found.problem
        return found

    def _form_opinion(self, spec: StrategySpec, symbol: str) -> Opinion:
        found = self._opinions.get((spec.name, symbol))
        if found is None:
            found = self.snapshot.told_opinion(spec.name, symbol)
            if found is None:
                code, missing = self.snapshot.strategies[spec.name], self.limits.missing_ppm_max
                found = form_opinion(spec, code, self.snapshot.frames, symbol, missing)
            self._opinions[spec.name, symbol] = found
        return found

    def suppose(self, spec: StrategySpec, symbol: str) -> None:
        """From now on the strategy wants to enter, as on a newest bar with a signal (a preview)."""
        code, missing = self.snapshot.strategies[spec.name], self.limits.missing_ppm_max
        self._opinions[spec.name, symbol] = form_opinion(
            spec, code, self.snapshot.frames, symbol, missing, suppose=True
        )

    def ask(
        self,
        proposal: Proposal,
        view: GateView,
        spec: Spec,
        seen: Seen,
        sized: Seen | None = None,
    ) -> None:
        """Ask the gates; an approved leg counts from now on, a refused one is kept by name.

        `sized`: how an entry came to its size (see `sizes`). Raises AmountOverflow for an entry
        that every gate lets through and the books could not hold.
        """
        verdict, answers = approve(proposal, view, spec, self.parameters)
        if isinstance(verdict, Approved) and proposal.side is Side.BUY:
            self.view.check_room(proposal.symbol, proposal.qty_lots, view.cost_units)
        asked: Seen = {
            "price_ticks": proposal.price_ticks,
            "qty_lots": proposal.qty_lots,
            "reason": proposal.reason,
            "side": str(proposal.side),
            "stop_ticks": proposal.stop_ticks,
            "target_ticks": proposal.target_ticks,
            "trail_ticks": proposal.trail_ticks,
            **(sized or {}),
        }
        if isinstance(verdict, Approved):
            self.add_leg(verdict)
            answer = "approved"
        else:
            self.refused.append(verdict)
            answer = f"{verdict.code} {verdict.words}" if verdict.words else verdict.code
        self.note(proposal.strategy, proposal.symbol, seen, asked, answers, answer)

    def add_leg(self, leg: Approved) -> None:
        """Count an approved leg from now on."""
        self.legs.append(leg)
        self.view.add(leg.proposal)
        if self._totals is not None:
            self._totals.add(leg.proposal)

    def alarm(self, told: str) -> None:
        """Something that somebody must look at, as `CODE key=value ...`, once a decision."""
        if told not in self.alarms:
            self.alarms.append(told)

    def note(
        self,
        strategy: str,
        symbol: str,
        seen: Seen,
        asked: Seen,
        gates: Answers,
        answer: str,
    ) -> None:
        """One row of the trail."""
        self.trail.append(TrailRow(strategy, symbol, seen, asked, gates, answer))


def without_opinion(problem: str) -> Opinion:
    """Of a strategy whose code is not asked."""
    return Opinion(problem, -1, 0, -1, exit_now=False, stop_distance=0.0, strength=0.0)


def fill_quote(view: GateView, quote: CoreQuote | None, now_ms: int) -> None:
    """What the gates see of a quote; without one they keep what refuses."""
    if quote is not None:
        view.bid_ticks = quote.bid_ticks
        view.ask_ticks = quote.ask_ticks
        view.quote_age_ms = now_ms - quote.at_ms


def newest_closes(snapshot: Snapshot) -> dict[str, int]:
    """By symbol, the close of the newest bar among its timeframes, ticks."""
    found: dict[str, tuple[int, int]] = {}
    for (symbol, _), series in sorted(snapshot.series.items()):
        if len(series):
            at = series.open_ms[-1] + series.step_ms
            if symbol not in found or at > found[symbol][0]:
                found[symbol] = (at, series.close[-1])
    return {symbol: close for symbol, (_, close) in found.items()}
