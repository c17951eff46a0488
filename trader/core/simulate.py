"""The reference back-test: `plan`, `step`, fills and `fold`, one decision bar after another.

Lives here: the slow, right engine. It calls the live decision functions on one snapshot after
another; what is modelled is only what a venue would have said: a decision at a bar's close is
carried out against the next bar's open, or as its `Model` has it. It stays as the oracle of any
faster engine. Must not live here: decisions, statistics, files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trader.core.canonical import canonical
from trader.core.closing import close_row
from trader.core.fees import FeeBook, in_coin
from trader.core.fills import Met, fill_payload, fill_resting, fill_stop, fill_taker, stop_touch
from trader.core.fold import fold
from trader.core.market import Market, Touch
from trader.core.model import CLOSE, Model
from trader.core.parameters import Parameters, StrategyCode
from trader.core.plan import Plan, plan, plan_payload
from trader.core.series import Series
from trader.core.signals import wanted_windows
from trader.core.snapshot import CoreQuote, SeriesKey, Snapshot, halt_rank
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

    What is modelled and pending lies here, beside the state: orders and cancels on their way, rests
    of takers that are tried again, stops that were triggered.
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
        self.market = Market(series, model, parameters.step_ms, state)
        self._fees = FeeBook(model.fees, series, parameters.step_ms, state.number("cash_digits"))
        self._record = record
        self._step_name = timeframe_name(parameters.step_ms)
        self._fills = 0
        self._windows: dict[SeriesKey, tuple[tuple[int, int], Series]] = {}
        self._triggered: set[str] = set()
        self._met_ms = -1
        # By client id: when an order, or a cancel, arrives; until when a taker's rest is tried.
        self._due: dict[str, int] = {}
        self._cancels: dict[str, int] = {}
        self._carried: dict[str, int] = {}
        self._arrived_ms = -1
        self._ends_ms = self.market.ends_ms() if model.delisted == CLOSE else -1

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
        self.meet(bar_ms)
        for intent in stale_intents(self.state, bar_ms):
            self._abandon(intent, bar_ms)
        decided = plan(self.snapshot(bar_ms))
        self._fact("plan", plan_payload(decided))
        self._execute(bar_ms)
        return decided

    def finish(self, bar_ms: int) -> bool:
        """After the last decision bar: what is still open is sold at its last close, if the model
        closes at the end, else it stays, to be marked; whether anything was sold."""
        before = self._fills
        if self.model.at_end == CLOSE:
            for symbol in sorted(self.state.positions):
                self._close_out(symbol, bar_ms, "end_of_data")
        return self._fills > before

    def is_idle(self) -> bool:
        """Whether nothing of the model is pending beside the state: no order or cancel on its way,
        no rest that is tried again, no stop that was triggered and rests."""
        return not (self._triggered or self._due or self._cancels or self._carried)

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
            quote = self.market.close_quote(symbol, bar_ms)
            if quote is not None:
                quotes[symbol] = quote
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

    # --- orders at rest ----------------------------------------------------------------------

    def meet(self, bar_ms: int) -> None:
        """Orders that rested when the bar opened meet it: sales first, for what they sell is not
        there for the worse price after it; what one order took is not there for the next. Once,
        also when the bar is decided again; whoever marks equity at the close asks for it before."""
        if bar_ms <= self._met_ms:
            return
        self._met_ms = bar_ms
        if self.model.latency_bars:
            self._arrive(bar_ms)  # what no decision stood before
        resting = [
            order
            for order in self.state.orders.values()
            if order.tif is TimeInForce.GTC
            and order.state is OrderState.OPEN
            and self._due.get(order.client_id, bar_ms) <= bar_ms
        ]
        resting.sort(key=lambda order: order.side is Side.BUY)
        for symbol in dict.fromkeys(order.symbol for order in resting):
            found = self.market.at(symbol, bar_ms)
            if found is None:
                continue
            own = [order for order in resting if order.symbol == symbol]
            for series, index in self.market.inside(*found):
                self._meet_bar(own, (series, index), found)

    def _meet_bar(
        self, orders: list[Order], finer: tuple[Series, int], whole: tuple[Series, int]
    ) -> None:
        """Orders of one instrument on one bar, or on one of the finer bars inside it."""
        series, index = finer
        bar = (series.open[index], series.high[index], series.low[index])
        at_ms = series.open_ms[index] + series.step_ms
        spread = self.market.spread_ppm(whole[0], whole[1] - 1)
        used = 0
        for order in orders:
            if order.state is not OrderState.OPEN:
                continue
            room = self.market.resting_room(*whole)
            if series is not whole[0]:
                room = self.market.detail_room(series, index, used, room)
            price, lots = self._rested(order, bar, room, spread, finer)
            if lots > 0:
                used += lots
                self.market.take(*whole, lots, resting=True)
                self._fill(order, price, lots, at_ms, maker=not order.is_stop)

    def _rested(
        self,
        order: Order,
        bar: tuple[int, int, int],
        room: int,
        spread_ppm: int,
        finer: tuple[Series, int],
    ) -> tuple[int, int]:
        """(price_ticks, lots) that an order at rest trades on one bar."""
        wanted = order.qty_lots - order.filled_lots
        if not order.is_stop or order.client_id in self._triggered:
            return fill_resting(order.side, order.price_ticks, wanted, bar, room)
        at = stop_touch(order.trigger_ticks, bar)
        if not at:
            return (0, 0)
        self._triggered.add(order.client_id)
        met = Met(at, spread_ppm, room, self.market.volume_lots(*finer))
        price, lots = fill_taker(Side.SELL, order.price_ticks, wanted, met, self.model.slippage)
        if lots or not room:
            return price, lots
        return fill_stop(order.price_ticks, wanted, (at, 0), bar, room)

    # --- what a venue would have said --------------------------------------------------------

    def _execute(self, bar_ms: int) -> None:
        at_ms = bar_ms + self.parameters.step_ms
        for order in list(self.state.orders.values()) if self._carried else ():
            if order.side is Side.SELL and order.state is OrderState.PLANNED:
                self._give_up_buys(order.symbol, at_ms)
        self._arrive(at_ms)
        facts = StepFacts(now_ms=at_ms, stops=self.model.stops)
        while actions := step(self.state, self.parameters, facts):
            for action in actions:
                facts = self._act(action, at_ms, facts)
        if bar_ms < self._ends_ms:
            for symbol in sorted(self.state.positions):
                if self.market.last_ms(symbol) == bar_ms:
                    self._close_out(symbol, bar_ms, "delisted")

    def _act(self, action: Action, at_ms: int, facts: StepFacts) -> StepFacts:
        quote: CoreQuote | None = None
        if isinstance(action, Send):
            self._send(action.client_id, at_ms)
        elif isinstance(action, Requote):
            quote = self._quote_at(action.symbol, at_ms)
        elif isinstance(action, PlanAttempt):
            self._fact("order_planned", action.approved.row())
        elif isinstance(action, Cancel):
            self._cancel(action, at_ms)
        elif isinstance(action, Abandon):
            self._abandon(action, at_ms - self.parameters.step_ms)
        return noted(facts, action, quote)

    def _quote_at(self, symbol: str, at_ms: int) -> CoreQuote | None:
        """What an order that arrives now meets; None when the interval has no trade."""
        return self.market.touch_quote(self.market.touch(symbol, at_ms), at_ms)

    def _later(self, at_ms: int) -> int:
        """When what is sent now arrives: now, or some bars later."""
        return at_ms + max(0, self.model.latency_bars - 1) * self.parameters.step_ms

    def _send(self, client_id: str, at_ms: int) -> None:
        order = self.state.orders[client_id]
        due_ms = self._later(at_ms)
        self._fact("order_sent", {"client_id": client_id, "at_ms": at_ms})
        refused = "" if due_ms > at_ms else self._refusal(order, at_ms)
        answer = {"outcome": "rejected" if refused else "accepted", "code": refused, "text": ""}
        base = {"client_id": client_id, "at_ms": at_ms, "venue_id": ""}
        self._fact("order_outcome", {**base, **answer})
        if refused:
            return
        if due_ms > at_ms:
            self._due[client_id] = due_ms
        elif order.tif is TimeInForce.IOC:
            self._take(order, at_ms)

    def _refusal(self, order: Order, at_ms: int) -> str:
        return _refusal(order, self._quote_at(order.symbol, at_ms))

    def _arrive(self, at_ms: int) -> None:
        """What was on its way arrives, and rests of takers are tried again; sales first."""
        before_ms, self._arrived_ms = self._arrived_ms, max(self._arrived_ms, at_ms)
        if at_ms <= before_ms or not (self._due or self._cancels or self._carried):
            return
        for client_id in [key for key, due_ms in self._cancels.items() if due_ms <= at_ms]:
            del self._cancels[client_id]
            order = self.state.orders.get(client_id)
            if order is not None and order.state is OrderState.OPEN:
                self._see(order, OrderState.CANCELED, order.filled_lots, at_ms)
        orders = list(self.state.orders.values())
        for order in sorted(orders, key=lambda order: order.side is Side.BUY):
            due_ms = self._due.get(order.client_id, at_ms + 1)
            if due_ms <= at_ms:
                del self._due[order.client_id]
                self._arrives(order, due_ms)
            if due_ms != at_ms and order.client_id in self._carried:
                self._take(order, at_ms)

    def _arrives(self, order: Order, at_ms: int) -> None:
        if order.state is not OrderState.OPEN:
            return  # its cancel was quicker
        if order.tif is TimeInForce.IOC:
            self._take(order, at_ms)
        elif self._refusal(order, at_ms):
            self._see(order, OrderState.REJECTED, 0, at_ms)

    def _take(self, order: Order, at_ms: int) -> None:
        """One attempt of a taker: what the limit covers and the volume leaves fills; what only the
        volume withheld is tried again at the next bar, while the model carries it on."""
        price, lots = 0, 0
        left = order.qty_lots - order.filled_lots
        touch = self.market.touch(order.symbol, at_ms)
        first = order.client_id not in self._carried
        if touch is not None and (first or self._may_go_on(order)):
            room = self.market.taker_room(touch.series, touch.row)
            price, lots = self._filled(order, left, touch, room)
            self.market.take(touch.series, touch.row, lots, resting=False)
        if lots < left and self._carries(order, touch, at_ms):
            cap = self.model.volume
            until_ms = at_ms + cap.carry_bars * self.parameters.step_ms
            self._carried.setdefault(order.client_id, until_ms)
        else:
            self._carried.pop(order.client_id, None)
            after = OrderState.FILLED if lots == left else OrderState.EXPIRED
            self._see(order, after, order.filled_lots + lots, at_ms)
        if lots > 0:
            self._fill(order, price, lots, at_ms, maker=False)

    def _filled(self, order: Order, lots: int, touch: Touch, room: int) -> tuple[int, int]:
        impact = self.model.slippage.impact_ppm
        volume = self.market.volume_lots(touch.series, touch.row) if impact else -1
        met = Met(touch.base_ticks, touch.spread_ppm, room, volume)
        return fill_taker(order.side, order.price_ticks, lots, met, self.model.slippage)

    def _carries(self, order: Order, touch: Touch | None, at_ms: int) -> bool:
        """Whether a taker's rest is tried again: the volume withheld it, not its limit."""
        cap = self.model.volume
        if not (cap.share_ppm and cap.carry_bars):
            return False
        if at_ms >= self._carried.get(order.client_id, at_ms + 1) or not self._may_go_on(order):
            return False
        return touch is None or self._filled(order, 1, touch, -1)[1] > 0

    def _may_go_on(self, order: Order) -> bool:
        """New risk is not carried into a halt, or past a day or a draw-down that has stopped."""
        if order.side is Side.SELL:
            return True
        stopped = self.state.number("day_stopped") or self.state.number("drawdown_stopped")
        return not stopped and halt_rank(self.state, "running") == 0

    def _give_up_buys(self, symbol: str, at_ms: int) -> None:
        """What is being left is not bought any more."""
        for client_id in list(self._carried):
            order = self.state.orders[client_id]
            if order.symbol == symbol and order.side is Side.BUY:
                del self._carried[client_id]
                self._see(order, OrderState.EXPIRED, order.filled_lots, at_ms)

    def _see(self, order: Order, state: OrderState, lots: int, at_ms: int) -> None:
        row = {"client_id": order.client_id, "at_ms": at_ms, "venue_id": ""}
        seen = {"state": str(state), "venue_lots": lots, "source": "model"}
        self._fact("order_seen", {**row, **seen})

    def _fill(self, order: Order, price: int, lots: int, at_ms: int, *, maker: bool) -> None:
        spec = self.state.spec(order.symbol)
        self._fills += 1
        coin = self.model.fees.coin
        payload = fill_payload(
            order,
            spec,
            str(self._fills),
            price,
            lots,
            at_ms,
            fee_ppm=self._fees.rate_ppm(spec, at_ms, maker=maker),
            fee_in_base=self.model.fee_in_base and coin is None,
            maker=maker,
        )
        if coin is not None:
            payload = in_coin(payload, coin.asset, self._fees.coin_units(coin, at_ms))
        self._fees.note(at_ms, int(payload["cost_units"]))
        self._fact("fill", payload)

    def _cancel(self, action: Cancel, at_ms: int) -> None:
        payload = {"client_id": action.client_id, "at_ms": at_ms, "why": action.why}
        self._fact("cancel_sent", payload)
        due_ms = self._later(at_ms)
        if due_ms > at_ms:
            self._cancels.setdefault(action.client_id, due_ms)
            return
        order = self.state.orders[action.client_id]
        self._see(order, OrderState.CANCELED, order.filled_lots, at_ms)

    def _abandon(self, action: Abandon, bar_ms: int) -> None:
        at_ms = bar_ms + self.parameters.step_ms
        payload = {"client_id": action.client_id, "at_ms": at_ms, "why": action.why}
        self._fact("order_abandoned", payload)

    # --- the end of bars ---------------------------------------------------------------------

    def _close_out(self, symbol: str, bar_ms: int, why: str) -> None:
        """Sell everything at the newest close, with costs; the venue ends what still works."""
        at_ms = bar_ms + self.parameters.step_ms
        series = self.market.whole(symbol)
        index = -1 if series is None else series.index_of(bar_ms + 1) - 1
        for order in list(self.state.orders_of(symbol)):
            for pending in (self._due, self._cancels, self._carried):
                pending.pop(order.client_id, None)
            if order.working:
                self._see(order, OrderState.CANCELED, order.filled_lots, at_ms)
        if series is None or index < 0:
            return
        spec = self.state.spec(symbol)
        spread = self.market.spread_ppm(series, index)
        for _, holding in sorted(self.state.holdings.items()):
            lots = holding.qty_units // spec.base_per_lot
            if holding.symbol != symbol or lots < spec.qty_lots_min:
                continue
            met = Met(series.close[index], spread, -1, self.market.volume_lots(series, index))
            price, _ = fill_taker(Side.SELL, 0, lots, met, self.model.slippage)
            row = close_row(self.parameters, holding, bar_ms, price, lots, why)
            self._fact("order_planned", row)
            order = self.state.orders[str(row["client_id"])]
            self._fact("order_sent", {"client_id": order.client_id, "at_ms": at_ms})
            told = {"outcome": "accepted", "code": "", "text": "", "venue_id": ""}
            self._fact("order_outcome", {"client_id": order.client_id, "at_ms": at_ms, **told})
            self._see(order, OrderState.FILLED, lots, at_ms)
            self._fill(order, price, lots, at_ms, maker=False)

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
