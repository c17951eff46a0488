"""The numbers of `risk_gates` for one entry.

Lives here: how they are made of the decision's desk: what does not depend on the entry once a
decision (`RiskDesk`), the rest by adding the entry to it. Must not live here: whether that is
allowed.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from trader.core.account_view import in_flight
from trader.core.breaker import is_open, wait_ms
from trader.core.daily import DAY_NAME, asks_correlated, asks_var, daily_span
from trader.core.identity import client_order_id
from trader.core.messages import UNBOUND, binds, count_messages, room
from trader.core.money import AMOUNT_MAX, PPM, AmountOverflow, share_down
from trader.core.returns import (
    add_results,
    are_enough,
    cautious_returns,
    loss_exceeded_rarely,
    move_together,
    rare_days,
    told_returns,
)
from trader.core.risk_gates import RiskSums, unapproved
from trader.core.sizing import entry_cost_units
from trader.domain.order import Side

if TYPE_CHECKING:
    from trader.core.approval import Proposal
    from trader.core.desk import Desk
    from trader.core.parameters import StrategySpec
    from trader.core.scale import Spec


def risk_sums(desk: Desk, proposal: Proposal, strategy: StrategySpec, spec: Spec) -> RiskSums:
    """What would be true of this entry. Raises AmountOverflow when a number does not fit."""
    del strategy
    sums, limits, risks = RiskSums(), desk.limits, desk.risks
    risks.count_legs()
    totals, symbol = desk.totals, proposal.symbol
    cost, _ = totals.entry(symbol, proposal.price_ticks, proposal.qty_lots, proposal.stop_ticks)
    sums.unapproved = risks.unapproved
    sums.faults = desk.snapshot.state.number("venue_faults")
    sums.wait_ms = risks.venue_wait_ms()
    client_id = risks.client_id(proposal)
    sums.duplicates = int(client_id in risks.taken)
    # One at rest was sent before: asked about again, it sends nothing.
    found = UNBOUND if risks.is_at_rest(client_id) else risks.room
    sums.messages = found.counted + risks.planned + messages_of(proposal)
    sums.messages_max, sums.messages_window = found.limit, found.window
    sums.asset_units = totals.of_coin(spec.base).exposure_units + cost
    sums.asset_units_max = risks.asset_units_max
    sums.pending_units = totals.pending_units + cost
    sums.pending_units_max = risks.pending_units_max
    sums.used_units = risks.used_units + totals.pending_units + cost
    sums.capital_units = risks.capital_units
    sums.var_units = sums.correlated_units = 0
    sums.var_units_max = risks.var_units_max
    if asks_var(limits):
        sums.var_units = risks.value_at_risk(symbol, cost)
        sums.var_unknown = risks.unknown_with(symbol)
    sums.correlated_units_max = risks.correlated_units_max
    if asks_correlated(limits):
        with_it = risks.moving_with(symbol)
        sums.correlated_units = totals.exposure_of(with_it) + cost
        sums.correlated_count = len(with_it) + (0 if symbol in with_it else 1)
    return sums


def messages_of(leg: Proposal) -> int:
    """How many requests a leg is: itself, and the cancel of the one whose place it takes."""
    return 2 if leg.attempt else 1


class RiskDesk:
    """What the entries of one decision share.

    Attributes:
        taken: client order ids of the state's orders, but for one at rest that is asked about.
        planned: messages that this plan's legs will be.
        unapproved: which of code, lock and policy are not approved, where they have to be.
        room: what entries find of the limits on messages, this plan's legs not counted.
        used_units: what positions cost, fees in cash included.
        capital_units: what the program may use: equity, and of a slice of an account no more than
            what its owner put in (profits of a slice are not used before he says so).
        asset_units_max, pending_units_max, correlated_units_max, var_units_max: the limits.
    """

    __slots__ = (
        "_counted",
        "_desk",
        "_enters",
        "_moving",
        "_pairs",
        "_results",
        "_rows",
        "_told",
        "_unknown",
        "_worst",
        "asset_units_max",
        "capital_units",
        "correlated_units_max",
        "pending_units_max",
        "planned",
        "room",
        "taken",
        "unapproved",
        "used_units",
        "var_units_max",
    )

    def __init__(self, desk: Desk) -> None:
        """Raises AmountOverflow when a value does not fit."""
        limits, state = desk.limits, desk.snapshot.state
        self._desk = desk
        asks = limits.approval != "given" or state.word("approved_by") != ""
        self.unapproved = unapproved(state, desk.snapshot.running) if asks else []
        self.room = UNBOUND
        if binds(limits.messages):
            now_ms = desk.snapshot.now_ms
            self.room = room(limits.messages, count_messages(state.messages, now_ms))
        shares = (limits.asset_ppm_max, limits.pending_ppm_max)
        self.asset_units_max, self.pending_units_max = (
            share_down(desk.equity, ppm) for ppm in shares
        )
        shares = (limits.correlated.exposure_ppm_max, limits.var.limit_ppm)
        self.correlated_units_max, self.var_units_max = (
            share_down(desk.equity, min(ppm, PPM)) for ppm in shares
        )
        self.used_units = sum(position.cost_units for position in state.positions.values())
        whole = not desk.parameters.capital
        own = state.number("capital_units")
        self.capital_units = desk.equity if whole else min(own, desk.equity)
        self.taken = {order.client_id for order in desk.view.orders}
        self.taken.update(name for name, order in state.orders.items() if not in_flight(order))
        self.planned = self._counted = 0
        self._enters = False
        self._told: dict[str, array[int]] = {}
        self._rows: dict[str, array[int]] = {}
        self._unknown: set[str] = set()
        self._pairs: dict[tuple[str, str], bool] = {}
        # With how many instruments at risk it was told: they only grow while a decision lasts.
        self._moving: dict[str, tuple[int, list[str]]] = {}
        self._results: array[int] | None = None
        self._worst = array("q")

    def count_legs(self) -> None:
        """Count what was approved since the last entry asked."""
        legs = self._desk.view.legs
        for leg in legs[self._counted :]:
            self.planned += messages_of(leg)
            if leg.side is not Side.BUY:
                continue
            self._enters = True
            if self._results is not None:
                spec = self._desk.snapshot.state.spec(leg.symbol)
                cost = entry_cost_units(spec, leg.price_ticks, leg.qty_lots)
                add_results(self._results, self._row(leg.symbol), cost)
        self._counted = len(legs)

    def venue_wait_ms(self) -> int:
        """How long entries must leave the venue alone; half-open, one of a plan may try it."""
        breaker, state = self._desk.limits.breaker, self._desk.snapshot.state
        if self._enters and is_open(state, breaker):
            return max(1, breaker.rest_ms)
        return wait_ms(state, breaker, self._desk.snapshot.now_ms)

    def client_id(self, proposal: Proposal) -> str:
        """The id that an order of this proposal has."""
        parameters = self._desk.parameters
        return client_order_id(
            parameters.prefix,
            parameters.account,
            proposal.strategy,
            proposal.symbol,
            bar_ms=proposal.bar_ms,
            leg=proposal.leg,
            attempt=proposal.attempt,
        )

    def is_at_rest(self, client_id: str) -> bool:
        """Whether that order is the one at rest which is asked about."""
        return client_id not in self.taken and client_id in self._desk.snapshot.state.orders

    # --- by the history of days ------------------------------------------------------------------

    def value_at_risk(self, symbol: str, cost_units: int) -> int:
        """The loss of one day that `confidence_ppm` of the last days' returns did not exceed, of
        all that is held, on its way and planned, and `cost_units` more of an instrument."""
        if self._desk.totals.all.exposure_units + cost_units >= AMOUNT_MAX:
            raise AmountOverflow("the value of everything at risk does not fit")
        if self._results is None:
            self._results = self._add_up()
        return loss_exceeded_rarely(self._results, self._row(symbol), cost_units, self._worst)

    def unknown_with(self, symbol: str) -> int:
        """Of how many instruments, this one included, a loss was assumed on every day."""
        at_risk = self._desk.totals.symbols
        others = sum(1 for name in self._unknown if name in at_risk and name != symbol)
        return others + int(symbol in self._unknown)

    def moving_with(self, symbol: str) -> list[str]:
        """Instruments at risk that move with this one or cannot be compared with it; sorted."""
        at_risk = self._desk.totals.symbols
        known = self._moving.get(symbol)
        if known is None or known[0] != len(at_risk):
            names = [name for name in sorted(at_risk) if self._moves(symbol, name)]
            known = self._moving[symbol] = (len(at_risk), names)
        return known[1]

    def _moves(self, symbol: str, other: str) -> bool:
        if symbol == other:
            return True
        known = self._pairs.get((symbol, other))
        if known is None:
            limits = self._desk.limits
            one, two = self._told_returns(symbol), self._told_returns(other)
            known = move_together(one, two, limits.var.days_min, limits.correlated.above_ppm)
            self._pairs[symbol, other] = known
        return known

    def _add_up(self) -> array[int]:
        """Each day's result of everything at risk, as it is now."""
        var = self._desk.limits.var
        results = array("q", bytes(8 * var.days))
        self._worst = array("q", bytes(8 * rare_days(var.days, var.confidence_ppm)))
        for symbol, total in sorted(self._desk.totals.symbols.items()):
            add_results(results, self._row(symbol), total.exposure_units)
        return results

    def _row(self, symbol: str) -> array[int]:
        """A return for every day."""
        row = self._rows.get(symbol)
        if row is None:
            var, told = self._desk.limits.var, self._told_returns(symbol)
            row = self._rows[symbol] = cautious_returns(told, var.days_min, var.assumed_ppm)
            if not are_enough(told, var.days_min):
                self._unknown.add(symbol)
        return row

    def _told_returns(self, symbol: str) -> array[int]:
        """Returns of the days that have one."""
        told = self._told.get(symbol)
        if told is None:
            snapshot, days = self._desk.snapshot, self._desk.limits.var.days
            series = snapshot.series.get((symbol, DAY_NAME))
            _, last_ms = daily_span(self._desk.limits, snapshot.close_ms)
            none = array("q")
            open_ms, close = (none, none) if series is None else (series.open_ms, series.close)
            told = self._told[symbol] = told_returns(open_ms, close, last_ms, days)
        return told
