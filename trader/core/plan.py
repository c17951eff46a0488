"""The decision: `plan(snapshot) -> Plan`, pure, with its trail.

Lives here: for each position whether it is left, for each strategy and instrument whether it is
entered, the sized order, and what every gate said. Exits come before entries, entries in the order
of strategies.yaml and its instruments. Must not live here: what happens after the plan (see
`step`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trader.core.account_view import AccountView
from trader.core.approval import Approved, Proposal, Refused
from trader.core.canonical import sha256_of
from trader.core.gates import Answer, GateView, approve
from trader.core.money import PPM, mul_div_down, price_down, price_up
from trader.core.parameters import Limits, StrategySpec
from trader.core.scale import Spec, notional_down, to_units_rounded
from trader.core.signals import Opinion, form_opinion
from trader.core.sizing import (
    entry_cost_units,
    entry_lots,
    exit_lots,
    stop_ticks_below,
    strength_ppm,
)
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import Position
from trader.domain.order import Side, TimeInForce


@dataclass(frozen=True, slots=True)
class TrailRow:
    """Why: what was seen, what was asked for, every gate's answer, and the answer.

    `answer` is `approved`, or the code of the refusal or of the quiet reason.
    """

    strategy: str
    symbol: str
    seen: dict[str, int | str]
    asked: dict[str, int | str]
    gates: tuple[Answer, ...]
    answer: str

    def row(self) -> dict[str, Any]:
        """Canonical form."""
        return {
            "strategy": self.strategy,
            "symbol": self.symbol,
            "seen": self.seen,
            "asked": self.asked,
            "gates": [list(answer) for answer in self.gates],
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What one decision bar wants: approved legs in the order they are to be carried out."""

    bar_ms: int
    legs: tuple[Approved, ...]
    refused: tuple[Refused, ...]
    trail: tuple[TrailRow, ...]


def plan_payload(plan: Plan) -> dict[str, Any]:
    """The `plan` entry: legs, refusals, and the hash of the trail (re-derived when asked for)."""
    return {
        "bar_ms": plan.bar_ms,
        "legs": [leg.row() for leg in plan.legs],
        "refused": [
            [r.proposal.strategy, r.proposal.symbol, str(r.proposal.side), r.code, r.detail]
            for r in plan.refused
        ],
        "trail": sha256_of([row.row() for row in plan.trail]),
    }


def plan(snapshot: Snapshot) -> Plan:
    """Decide one decision bar. Equal snapshots give equal plans, to the last bit."""
    return _Planner(snapshot).decide()


class _Planner:
    """The working state of one decision; lives no longer than `plan`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.parameters = snapshot.parameters
        self.limits = snapshot.parameters.limits
        self.view = AccountView(snapshot.state, newest_closes(snapshot))
        digits = snapshot.state.number("cash_digits")
        self.own_notional_units_min = to_units_rounded(
            Decimal(self.limits.order_notional_min),
            Decimal(1).scaleb(-digits),
            "order_notional_min",
            up=True,
        )
        self.legs: list[Approved] = []
        self.refused: list[Refused] = []
        self.trail: list[TrailRow] = []

    def decide(self) -> Plan:
        specs = {spec.name: spec for spec in self.parameters.strategies}
        for symbol in self.view.open_symbols():
            position = self.snapshot.state.positions[symbol]
            try:
                self._look_after(position, specs.get(position.strategy))
            except OverflowError:
                self._note(position.strategy, symbol, {}, {}, (), "AMOUNT_OVERFLOW")
        for spec in self.parameters.strategies:
            for symbol in spec.symbols:
                try:
                    self._consider(spec, symbol)
                except OverflowError:
                    self._note(spec.name, symbol, {}, {}, (), "AMOUNT_OVERFLOW")
        return Plan(self.snapshot.bar_ms, tuple(self.legs), tuple(self.refused), tuple(self.trail))

    def _opinion(self, spec: StrategySpec, symbol: str) -> Opinion:
        return form_opinion(
            spec,
            self.snapshot.strategies[spec.name],
            self.snapshot.series.get((symbol, spec.timeframe)),
            self.snapshot.close_ms,
            self.parameters.anchor_bars,
            self.limits.missing_ppm_max,
        )

    # --- exits -------------------------------------------------------------------------------

    def _look_after(self, position: Position, owner: StrategySpec | None) -> None:
        """A position is looked after even when its strategy is gone or fails."""
        symbol = position.symbol
        spec = self.snapshot.state.spec(symbol)
        quote = self.snapshot.quotes.get(symbol)
        bid = quote.bid_ticks if quote else 0
        low = newest_low(self.snapshot, symbol)
        opinion = self._opinion(owner, symbol) if owner else None
        exit_now = opinion is not None and not opinion.problem and opinion.exit_now
        seen: dict[str, int | str] = {
            "bid_ticks": bid,
            "exit": int(exit_now),
            "held_units": position.qty_units,
            "low_ticks": low,
            "problem": opinion.problem if opinion else "STRATEGY_GONE",
            "stop_ticks": position.stop_ticks,
        }
        reason = exit_reason(position.stop_ticks, low, bid, exit_now=exit_now)
        if not reason:
            self._note(position.strategy, symbol, seen, {}, (), "HOLD")
            return
        pending = self.view.sells_in_flight_lots(symbol)
        lots = exit_lots(spec, self.view.held_lots(symbol), pending)
        if lots <= 0:
            answer = "EXIT_WORKING" if pending else "NOTHING_TO_SELL"
            self._note(position.strategy, symbol, seen, {}, (), answer)
            return
        proposal = Proposal(
            position.strategy,
            symbol,
            Side.SELL,
            TimeInForce.IOC,
            self.snapshot.bar_ms,
            len(self.legs),
            0,
            price_down(bid, self.limits.slippage_ppm) if bid > 0 else 0,
            lots,
            0,
            0,
            reason,
        )
        gate_view = exit_view(
            proposal,
            spec,
            self.limits,
            quote,
            rank=self.snapshot.halt_rank,
            now_ms=self.snapshot.now_ms,
            slippage_ppm=self.limits.slippage_ppm,
        )
        self._ask(proposal, gate_view, spec, seen)

    # --- entries -----------------------------------------------------------------------------

    def _consider(self, strategy: StrategySpec, symbol: str) -> None:
        opinion = self._opinion(strategy, symbol)
        seen: dict[str, int | str] = {
            "bar_ms": opinion.bar_ms,
            "close_ticks": opinion.close_ticks,
            "enter_ms": opinion.enter_ms,
            "exit": int(opinion.exit_now),
            "stop_distance": opinion.stop_distance.hex(),
            "strength": opinion.strength.hex(),
        }
        quiet = self._quiet_reason(strategy, symbol, opinion)
        if quiet:
            self._note(strategy.name, symbol, seen, {}, (), quiet)
            return
        spec = self.snapshot.state.spec(symbol)
        worst = price_up(opinion.close_ticks, self.limits.slippage_ppm)
        equity = max(0, self.view.equity_units())
        share_ppm = mul_div_down(strategy.equity_ppm, strength_ppm(opinion.strength), PPM)
        budget = mul_div_down(equity, share_ppm, PPM)
        free = self.view.free_cash_units()
        asked: dict[str, int | str] = {
            "budget_units": budget,
            "equity_units": equity,
            "free_cash_units": free,
            "worst_ticks": worst,
        }
        # The size ignores cash here: the cash gate is what says no, with its numbers.
        lots = entry_lots(spec, worst, budget, budget)
        if lots <= 0:
            self._note(strategy.name, symbol, seen, asked, (), "SIZE_NOTHING")
            return
        quote = self.snapshot.quotes.get(symbol)
        ask = quote.ask_ticks if quote else 0
        limit = min(worst, price_up(ask, self.limits.slippage_ppm)) if ask > 0 else worst
        proposal = Proposal(
            strategy.name,
            symbol,
            Side.BUY,
            TimeInForce.IOC,
            self.snapshot.bar_ms,
            len(self.legs),
            0,
            limit,
            lots,
            stop_ticks_below(spec, opinion.close_ticks, opinion.stop_distance),
            opinion.enter_ms,
            "entry_signal",
        )
        gate_view = self._entry_view(proposal, spec, strategy, quote, equity)
        gate_view.worst_ticks = worst
        gate_view.cash_units = free
        self._ask(proposal, gate_view, spec, seen | asked)

    def _quiet_reason(self, strategy: StrategySpec, symbol: str, opinion: Opinion) -> str:
        """Why nothing is asked for; "" when an entry is wanted. Data troubles speak first."""
        troubles = self.snapshot.troubles.get(symbol, ())
        if troubles:
            return troubles[0]
        if opinion.problem:
            return opinion.problem
        if symbol not in self.snapshot.state.instruments:
            return "INSTRUMENT_INACTIVE known=0"
        if opinion.enter_ms < 0:
            return "NO_SIGNAL"
        key = f"{strategy.name}|{symbol}"
        if opinion.enter_ms <= self.snapshot.state.consumed.get(key, -1):
            return "SIGNAL_USED"
        return ""

    def _entry_view(
        self,
        proposal: Proposal,
        spec: Spec,
        strategy: StrategySpec,
        quote: CoreQuote | None,
        equity: int,
    ) -> GateView:
        symbol = proposal.symbol
        view = GateView(proposal, spec, self.limits)
        _fill_quote(view, quote, self.snapshot.now_ms)
        series = self.snapshot.series[(symbol, strategy.timeframe)]
        view.close_ticks = series.close[-1]
        view.before_ticks = series.close[-2] if len(series) > 1 else 0
        view.halt_rank = self.snapshot.halt_rank
        view.mismatches = len(self.snapshot.troubles.get("*", ()))
        view.enabled = int(strategy.enabled)
        view.unresolved = self.view.unresolved(symbol)
        view.working_entries = self.view.entries_in_flight(symbol)
        owner = self.view.owner(symbol)
        view.owner_other = int(owner not in {"", strategy.name})
        view.held_lots = self.view.held_lots(symbol)
        view.positions = self.view.busy_symbols(symbol)
        view.cost_units = entry_cost_units(spec, proposal.price_ticks, proposal.qty_lots)
        view.notional_units = notional_down(spec, proposal.price_ticks, proposal.qty_lots)
        view.exposure_units = self.view.exposure_units(symbol)
        view.own_notional_units_min = self.own_notional_units_min
        view.position_cap_units = mul_div_down(equity, self.limits.position_ppm, PPM)
        return view

    # --- both --------------------------------------------------------------------------------

    def _ask(
        self, proposal: Proposal, view: GateView, spec: Spec, seen: dict[str, int | str]
    ) -> None:
        verdict, answers = approve(proposal, view, spec, self.parameters)
        asked: dict[str, int | str] = {
            "price_ticks": proposal.price_ticks,
            "qty_lots": proposal.qty_lots,
            "reason": proposal.reason,
            "side": str(proposal.side),
            "stop_ticks": proposal.stop_ticks,
        }
        if isinstance(verdict, Approved):
            self.legs.append(verdict)
            self.view.add(proposal)
            answer = "approved"
        else:
            self.refused.append(verdict)
            answer = verdict.code
        self._note(proposal.strategy, proposal.symbol, seen, asked, tuple(answers), answer)

    def _note(
        self,
        strategy: str,
        symbol: str,
        seen: dict[str, int | str],
        asked: dict[str, int | str],
        gates: tuple[Answer, ...],
        answer: str,
    ) -> None:
        self.trail.append(TrailRow(strategy, symbol, seen, asked, gates, answer))


def exit_reason(stop_ticks: int, low_ticks: int, bid_ticks: int, *, exit_now: bool) -> str:
    """Why a position is left now, "" when it is held. The stop is looked at first: on one bar
    the worst case wins. Prices of 0 are not there and say nothing."""
    if stop_ticks > 0 and (0 < low_ticks <= stop_ticks or 0 < bid_ticks <= stop_ticks):
        return "stop_loss"
    return "exit_signal" if exit_now else ""


def exit_view(
    proposal: Proposal,
    spec: Spec,
    limits: Limits,
    quote: CoreQuote | None,
    *,
    rank: int,
    now_ms: int,
    slippage_ppm: int,
) -> GateView:
    """What the gates see of an exit, at plan time and when `step` prices it again."""
    view = GateView(proposal, spec, limits)
    _fill_quote(view, quote, now_ms)
    view.halt_rank = rank
    view.slippage_ppm = slippage_ppm
    view.notional_units = notional_down(spec, proposal.price_ticks, proposal.qty_lots)
    return view


def _fill_quote(view: GateView, quote: CoreQuote | None, now_ms: int) -> None:
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


def newest_low(snapshot: Snapshot, symbol: str) -> int:
    """Low of the decision bar, ticks; 0 when the decision timeframe has no such bar."""
    for (name, _), series in sorted(snapshot.series.items()):
        if name != symbol or series.step_ms != snapshot.parameters.step_ms:
            continue
        if len(series) and series.open_ms[-1] == snapshot.bar_ms:
            return series.low[-1]
    return 0
