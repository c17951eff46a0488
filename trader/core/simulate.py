"""The reference back-test: `plan`, `step`, fills and `fold`, one decision bar after another.

Lives here: the slow, right engine. It calls the live decision functions on one snapshot after
another; what is modelled is only what a venue would have said: a decision at a bar's close is
carried out against the next bar's open. It stays as the oracle of any faster engine. Must not live
here: decisions, statistics, files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from trader.core.approval import restore
from trader.core.canonical import canonical
from trader.core.fills import fill_ioc, fill_payload
from trader.core.fold import fold
from trader.core.money import PPM, mul_div_down, mul_div_up
from trader.core.parameters import Parameters, StrategyCode
from trader.core.plan import Plan, plan, plan_payload
from trader.core.series import Series
from trader.core.signals import wanted_windows
from trader.core.snapshot import CoreQuote, SeriesKey, Snapshot
from trader.core.state import State
from trader.core.step import (
    Abandon,
    Action,
    Look,
    PlanAttempt,
    Requote,
    Send,
    StepFacts,
    stale_intents,
    step,
)
from trader.domain.order import OrderState, Side
from trader.domain.timeframe import timeframe_name

Record = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Model:
    """What is assumed of the venue.

    Attributes:
        spread_ppm: full distance between bid and ask around a bar's price, never free by default.
        fee_in_base: buys pay their fee in the base coin (as Binance takes it).
    """

    spread_ppm: int = 200
    fee_in_base: bool = False


class Simulation:
    """A back-test in progress: one state, the bars of every instrument, and what was recorded.

    `record(kind, payload)` is called with every fact after it was folded. Whoever runs it may put
    a strategy into `strategy_troubles` (see Snapshot) and decide the same bar again: nothing was
    folded for a plan that was not made. `series` holds whole
    histories by (symbol, timeframe) and must contain the decision timeframe of each instrument.
    """

    def __init__(
        self,
        parameters: Parameters,
        strategies: Mapping[str, StrategyCode],
        series: Mapping[SeriesKey, Series],
        state: State,
        model: Model,
        record: Record,
    ) -> None:
        """`state` has seen its genesis and instruments."""
        self.parameters = parameters
        self.strategies = strategies
        self.series = series
        self.state = state
        self.model = model
        self.strategy_troubles: dict[str, str] = {}
        self._record = record
        self._step_name = timeframe_name(parameters.step_ms)
        self._fills = 0

    def run(self, start_ms: int, end_ms: int) -> int:
        """Decide every bar with data that opens in [start_ms, end_ms); returns how many."""
        decided = 0
        for bar_ms in self.decision_bars(start_ms, end_ms):
            self.decide_and_execute(bar_ms)
            decided += 1
        return decided

    def decision_bars(self, start_ms: int, end_ms: int) -> list[int]:
        """Open times at which at least one instrument has a bar, in order."""
        opens: set[int] = set()
        for (_, timeframe), series in self.series.items():
            if timeframe == self._step_name:
                first, last = series.index_of(start_ms), series.index_of(end_ms)
                opens.update(series.open_ms[first:last])
        return sorted(opens)

    def decide_and_execute(self, bar_ms: int) -> Plan:
        """One decision bar: plan at its close, carry out against the next open."""
        for intent in stale_intents(self.state, bar_ms):
            self._abandon(intent, bar_ms)
        decided = plan(self.snapshot(bar_ms))
        self._fact("plan", plan_payload(decided))
        self._execute(bar_ms)
        return decided

    def snapshot(self, bar_ms: int) -> Snapshot:
        """What the decision sees: bars up to its close and a quote modelled from that close."""
        close_ms = bar_ms + self.parameters.step_ms
        windows = wanted_windows(self.parameters, self.strategies, self.state, close_ms)
        seen: dict[SeriesKey, Series] = {}
        for key, (first_ms, last_ms) in windows.items():
            whole = self.series.get(key)
            if whole is not None:
                seen[key] = whole.slice(whole.index_of(first_ms), whole.index_of(last_ms + 1))
        quotes: dict[str, CoreQuote] = {}
        for symbol in sorted({symbol for symbol, _ in seen}):
            # Candidates of the universe are quoted too, though no window of theirs has this bar.
            whole = self.series.get((symbol, self._step_name))
            at = 0 if whole is None else whole.index_of(bar_ms)
            if whole is not None and at < len(whole) and whole.open_ms[at] == bar_ms:
                quotes[symbol] = self._quote(whole.close[at], close_ms)
        return Snapshot(
            bar_ms,
            close_ms,
            self.state,
            self.parameters,
            self.strategies,
            seen,
            quotes,
            strategy_troubles=dict(self.strategy_troubles),
        )

    def _quote(self, price_ticks: int, at_ms: int) -> CoreQuote:
        half = self.model.spread_ppm // 2
        bid = max(1, mul_div_down(price_ticks, PPM - half, PPM))
        return CoreQuote(bid, mul_div_up(price_ticks, PPM + half, PPM), -1, -1, at_ms)

    def _next_touch(self, symbol: str, bar_ms: int) -> CoreQuote | None:
        """The quote at the next bar's open; None when the next interval has no trade."""
        series = self.series.get((symbol, self._step_name))
        if series is None:
            return None
        at_ms = bar_ms + self.parameters.step_ms
        index = series.index_of(at_ms)
        if index >= len(series) or series.open_ms[index] != at_ms:
            return None
        return self._quote(series.open[index], at_ms)

    def _execute(self, bar_ms: int) -> None:
        facts = StepFacts(now_ms=bar_ms + self.parameters.step_ms)
        while actions := step(self.state, self.parameters, facts):
            for action in actions:
                facts = self._act(action, bar_ms, facts)

    def _act(self, action: Action, bar_ms: int, facts: StepFacts) -> StepFacts:
        if isinstance(action, Send):
            self._send(action.client_id, bar_ms)
        elif isinstance(action, Requote):
            touch = self._next_touch(action.symbol, bar_ms)
            return replace(facts, quotes={**facts.quotes, action.symbol: touch})
        elif isinstance(action, PlanAttempt):
            self._fact("order_planned", action.approved.row())
        elif isinstance(action, Look):
            return replace(facts, looked=facts.looked | {action.client_id})
        else:
            self._abandon(action, bar_ms)
        return facts

    def _send(self, client_id: str, bar_ms: int) -> None:
        at_ms = bar_ms + self.parameters.step_ms
        order = self.state.orders[client_id]
        spec = self.state.spec(order.symbol)
        asked = restore(order, spec).proposal
        base = {"client_id": client_id, "at_ms": at_ms, "venue_id": ""}
        self._fact("order_sent", {"client_id": client_id, "at_ms": at_ms})
        accepted = {"outcome": "accepted", "code": "", "text": ""}
        self._fact("order_outcome", {**base, **accepted})
        touch = self._next_touch(order.symbol, bar_ms)
        price, lots = 0, 0
        if touch is not None:
            ticks = touch.ask_ticks if asked.side is Side.BUY else touch.bid_ticks
            price, lots = fill_ioc(asked.side, asked.price_ticks, asked.qty_lots, ticks, -1)
        ended = OrderState.FILLED if lots == asked.qty_lots else OrderState.EXPIRED
        seen = {"state": str(ended), "venue_lots": lots, "source": "model"}
        self._fact("order_seen", {**base, **seen})
        if lots > 0:
            self._fills += 1
            payload = fill_payload(
                order,
                spec,
                str(self._fills),
                price,
                lots,
                at_ms,
                fee_ppm=spec.fee_taker_ppm,
                fee_in_base=self.model.fee_in_base,
                maker=False,
            )
            self._fact("fill", payload)

    def _abandon(self, action: Abandon, bar_ms: int) -> None:
        at_ms = bar_ms + self.parameters.step_ms
        payload = {"client_id": action.client_id, "at_ms": at_ms, "why": action.why}
        self._fact("order_abandoned", payload)

    def _fact(self, kind: str, payload: Mapping[str, Any]) -> None:
        fold(self.state, kind, dict(payload))
        self._record(kind, payload)


def plan_bytes(decided: Plan) -> bytes:
    """The plan as the bytes that replay and parity compare."""
    return canonical(plan_payload(decided)).encode()
