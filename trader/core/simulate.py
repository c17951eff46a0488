"""The reference back-test: `plan`, `step`, fills and `fold`, one decision bar after another.

Lives here: the slow, right engine. It calls the live decision functions on one snapshot after
another; what is modelled is only what a venue would have said: a decision at a bar's close is
carried out against the next bar's open. It stays as the oracle of any faster engine. Must not live
here: decisions, statistics, files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trader.core.canonical import canonical
from trader.core.fills import fill_ioc, fill_payload, fill_resting, fill_stop, stop_touch
from trader.core.fold import fold
from trader.core.model import Model
from trader.core.money import PPM, AmountOverflow, mul_div_down, mul_div_up
from trader.core.parameters import Parameters, StrategyCode
from trader.core.plan import Plan, plan, plan_payload
from trader.core.series import Series
from trader.core.signals import wanted_windows
from trader.core.sizing import float_down
from trader.core.snapshot import CoreQuote, SeriesKey, Snapshot
from trader.core.state import Order, State
from trader.core.step import (
    Abandon,
    Action,
    Cancel,
    PlanAttempt,
    Requote,
    Send,
    StepFacts,
    noted,
    stale_intents,
    step,
)
from trader.domain.order import OrderState, Side, TimeInForce
from trader.domain.timeframe import timeframe_name

Record = Callable[[str, Mapping[str, Any]], None]


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
        self._windows: dict[SeriesKey, tuple[tuple[int, int], Series]] = {}
        self._triggered: set[str] = set()
        self._met_ms = -1

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
        """One decision bar: what rests meets it, then plan at its close, carry out against the
        next open."""
        self._meet(bar_ms)
        for intent in stale_intents(self.state, bar_ms):
            self._abandon(intent, bar_ms)
        decided = plan(self.snapshot(bar_ms))
        self._fact("plan", plan_payload(decided))
        self._execute(bar_ms)
        return decided

    def is_idle(self) -> bool:
        """Whether nothing of the model is pending beside the state: no order on its way, no rest
        that is carried on, no stop that was triggered and rests."""
        return not self._triggered

    def snapshot(self, bar_ms: int) -> Snapshot:
        """What the decision sees: bars up to its close and a quote modelled from that close."""
        close_ms = bar_ms + self.parameters.step_ms
        windows = wanted_windows(self.parameters, self.strategies, self.state, close_ms)
        seen: dict[SeriesKey, Series] = {}
        for key, span in windows.items():
            found = self._window(key, span)
            if found is not None:
                seen[key] = found
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

    def _window(self, key: SeriesKey, span: tuple[int, int]) -> Series | None:
        """Bars that open within a span, both ends included; None where there are no such bars at
        all. The same window again while its span stays (bars of a day stay for a day)."""
        kept = self._windows.get(key)
        if kept is not None and kept[0] == span:
            return kept[1]
        whole = self.series.get(key)
        if whole is None:
            return None
        found = whole.slice(whole.index_of(span[0]), whole.index_of(span[1] + 1))
        self._windows[key] = (span, found)
        return found

    def _quote(self, price_ticks: int, at_ms: int) -> CoreQuote:
        half = self.model.half_ppm
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

    # --- orders at rest ----------------------------------------------------------------------

    def _meet(self, bar_ms: int) -> None:
        """Orders that rested when the bar opened meet it: sales first, for what they sell is not
        there for the worse price after it; what one order took is not there for the next. Once,
        also when the bar is decided again."""
        if bar_ms <= self._met_ms:
            return
        self._met_ms = bar_ms
        resting = [
            order
            for order in self.state.orders.values()
            if order.tif is TimeInForce.GTC and order.state is OrderState.OPEN
        ]
        left: dict[str, int] = {}
        for order in sorted(resting, key=lambda order: order.side is Side.BUY):
            series = self.series.get((order.symbol, self._step_name))
            index = 0 if series is None else series.index_of(bar_ms)
            if series is None or index >= len(series) or series.open_ms[index] != bar_ms:
                continue
            if order.symbol not in left:
                left[order.symbol] = self._volume_lots(order.symbol, series.volume[index])
            bar = (series.open[index], series.high[index], series.low[index])
            left[order.symbol] -= self._meet_bar(order, bar, left[order.symbol], bar_ms)

    def _meet_bar(self, order: Order, bar: tuple[int, int, int], volume: int, bar_ms: int) -> int:
        """Lots that one resting order traded on one bar."""
        wanted = order.qty_lots - order.filled_lots
        if not order.is_stop or order.client_id in self._triggered:
            price, lots = fill_resting(order.side, order.price_ticks, wanted, bar, volume)
        else:
            at = stop_touch(order.trigger_ticks, bar)
            if not at:
                return 0
            self._triggered.add(order.client_id)
            touch = (at, self._quote(at, 0).bid_ticks)
            price, lots = fill_stop(order.price_ticks, wanted, touch, bar, volume)
        if lots > 0:
            at_ms = bar_ms + self.parameters.step_ms
            self._fill(order, price, lots, at_ms, maker=not order.is_stop)
        return lots

    def _volume_lots(self, symbol: str, coins: float) -> int:
        """What a bar traded, whole lots; a volume that cannot be is none."""
        try:
            return float_down(coins / float(self.state.spec(symbol).lot))
        except AmountOverflow:
            return 0

    # --- what a venue would have said --------------------------------------------------------

    def _execute(self, bar_ms: int) -> None:
        facts = StepFacts(now_ms=bar_ms + self.parameters.step_ms, stops=self.model.stops)
        while actions := step(self.state, self.parameters, facts):
            for action in actions:
                facts = self._act(action, bar_ms, facts)

    def _act(self, action: Action, bar_ms: int, facts: StepFacts) -> StepFacts:
        quote: CoreQuote | None = None
        if isinstance(action, Send):
            self._send(action.client_id, bar_ms)
        elif isinstance(action, Requote):
            quote = self._next_touch(action.symbol, bar_ms)
        elif isinstance(action, PlanAttempt):
            self._fact("order_planned", action.approved.row())
        elif isinstance(action, Cancel):
            self._cancel(action, bar_ms)
        elif isinstance(action, Abandon):
            self._abandon(action, bar_ms)
        return noted(facts, action, quote)

    def _send(self, client_id: str, bar_ms: int) -> None:
        at_ms = bar_ms + self.parameters.step_ms
        order = self.state.orders[client_id]
        touch = self._next_touch(order.symbol, bar_ms)
        self._fact("order_sent", {"client_id": client_id, "at_ms": at_ms})
        refused = _refusal(order, touch)
        answer = {"outcome": "rejected" if refused else "accepted", "code": refused, "text": ""}
        base = {"client_id": client_id, "at_ms": at_ms, "venue_id": ""}
        self._fact("order_outcome", {**base, **answer})
        if refused or order.tif is TimeInForce.GTC:
            return
        price, lots = 0, 0
        if touch is not None:
            ticks = touch.ask_ticks if order.side is Side.BUY else touch.bid_ticks
            price, lots = fill_ioc(order.side, order.price_ticks, order.qty_lots, ticks, -1)
        self._see(order, OrderState.FILLED if lots == order.qty_lots else OrderState.EXPIRED, lots)
        if lots > 0:
            self._fill(order, price, lots, at_ms, maker=False)

    def _see(self, order: Order, state: OrderState, lots: int) -> None:
        row = {"client_id": order.client_id, "at_ms": order.updated_ms, "venue_id": ""}
        seen = {"state": str(state), "venue_lots": lots, "source": "model"}
        self._fact("order_seen", {**row, **seen})

    def _fill(self, order: Order, price: int, lots: int, at_ms: int, *, maker: bool) -> None:
        spec = self.state.spec(order.symbol)
        self._fills += 1
        payload = fill_payload(
            order,
            spec,
            str(self._fills),
            price,
            lots,
            at_ms,
            fee_ppm=spec.fee_maker_ppm if maker else spec.fee_taker_ppm,
            fee_in_base=self.model.fee_in_base,
            maker=maker,
        )
        self._fact("fill", payload)

    def _cancel(self, action: Cancel, bar_ms: int) -> None:
        at_ms = bar_ms + self.parameters.step_ms
        payload = {"client_id": action.client_id, "at_ms": at_ms, "why": action.why}
        self._fact("cancel_sent", payload)
        order = self.state.orders[action.client_id]
        self._see(order, OrderState.CANCELED, order.filled_lots)

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


def _refusal(order: Order, touch: CoreQuote | None) -> str:
    """The code with which a venue refuses what would not rest; "" when it takes the order."""
    if touch is None:
        return ""
    if order.order_type == "post_only" and touch.ask_ticks <= order.price_ticks:
        return "would_take"
    if order.is_stop and touch.bid_ticks <= order.trigger_ticks:
        return "would_trigger"
    return ""


__all__ = ["Model", "Record", "Simulation", "plan_bytes"]
