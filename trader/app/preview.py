"""Preview: one wish looked at beside the account and the market as they are now.

Lives here: the reads of a pass up to its snapshot, on a copy of the books, and what came of the
wish as data for people. Must not live here: deciding (`core.preview`), the copy and layout (cli).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from trader.app.context import PassSetup
from trader.app.cycle import open_books, refuse_other_books
from trader.app.market import read_market
from trader.app.ports import Venue
from trader.app.reconcile import read_more_fills, read_venue, reconcile
from trader.app.units import Units
from trader.core.parameters import Parameters, SizeSpec, StrategySpec
from trader.core.preview import Preview, Wish, preview
from trader.core.risk import loss_units
from trader.core.scale import fee_up, notional_down, notional_up
from trader.core.snapshot import Snapshot
from trader.core.universe import symbols_of
from trader.domain.order import Side
from trader.domain.timeframe import last_closed_open_ms
from trader.errors import UsageError
from trader.journal.journal import Journal
from trader.records import dataclass

# What a trail's row says of the order itself, which is told apart.
OF_THE_ORDER = frozenset(
    ("price_ticks", "qty_lots", "reason", "side", "stop_ticks", "target_ticks", "trail_ticks")
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person asked for: `size` in settlement currency as decimal text, "" for the
    strategy's own method; `strategy` "" for the first that trades the instrument."""

    symbol: str
    side: Side
    size: str = ""
    strategy: str = ""


def preview_now(setup: PassSetup, venue: Venue, journal: Journal, ask: Ask) -> dict[str, Any]:
    """Read as a pass reads, and look at one wish. `journal` is a copy: it is written to.

    Raises UsageError for an instrument that no strategy trades, or a strategy that does not.
    """
    side = read_venue(setup, venue, journal)
    if not journal.state.word("account"):
        open_books(setup, journal, side)
    refuse_other_books(setup, journal)
    reconciled = reconcile(setup, journal, side, partial(read_more_fills, setup, venue, journal))
    bar_ms = last_closed_open_ms(setup.clock.now_ms(), setup.parameters.step_ms)
    snapshot = read_market(setup, venue, journal, bar_ms, reconciled)
    strategy = strategy_for(setup.parameters, snapshot, ask)
    size = SizeSpec(method="fixed", notional=ask.size) if ask.size else None
    found = preview(snapshot, Wish(strategy, ask.symbol, ask.side, size))
    return told(snapshot, strategy, ask, found)


def strategy_for(parameters: Parameters, snapshot: Snapshot, ask: Ask) -> StrategySpec:
    """Who would own the order: who holds the instrument, who is named, or who is asked first."""
    by_priority = sorted(parameters.strategies, key=lambda spec: spec.priority)
    trading = [
        spec for spec in by_priority if ask.symbol in symbols_of(spec, parameters, snapshot.state)
    ]
    names = ", ".join(spec.name for spec in trading)
    if ask.strategy:
        for spec in trading:
            if spec.name == ask.strategy:
                return spec
        raise UsageError(
            f"strategy {ask.strategy} does not trade {ask.symbol}",
            f"name one of {names}" if names else "see `trader universe show`",
        )
    position = snapshot.state.positions.get(ask.symbol)
    for spec in trading:
        if position is not None and spec.name == position.strategy:
            return spec
    if not trading:
        raise UsageError(
            f"no strategy trades {ask.symbol} now", "see `trader universe show` for what they trade"
        )
    return trading[0]


def told(snapshot: Snapshot, strategy: StrategySpec, ask: Ask, found: Preview) -> dict[str, Any]:
    """The preview as data: amounts as text, gates in their order."""
    units = Units(snapshot.state)
    row = found.row
    answers = [
        {
            "code": gate.code,
            "ok": gate.ok,
            "measured": units.measure(ask.symbol, gate.measured, gate.unit),
            "limit": units.measure(ask.symbol, gate.limit, gate.unit),
        }
        for gate in row.gates
    ]
    sized = dict(
        units.told(ask.symbol, key, value)
        for key, value in row.asked.items()
        if key not in OF_THE_ORDER
    )
    return {
        "symbol": ask.symbol,
        "side": str(ask.side),
        "strategy": row.strategy or strategy.name,
        "bar_ms": snapshot.bar_ms,
        "answer": row.answer,
        "would_send": found.leg is not None,
        "order": order_told(snapshot, units, found),
        "size": sized,
        "gates": answers,
        "refusal": found.refused.detail if found.refused else "",
    }


def order_told(snapshot: Snapshot, units: Units, found: Preview) -> dict[str, str]:
    """The order that would be sent or was refused, with what it costs; empty when there is none."""
    chosen = found.leg.proposal if found.leg else found.refused.proposal if found.refused else None
    if chosen is None:
        return {}
    symbol, lots, price = chosen.symbol, chosen.qty_lots, chosen.price_ticks
    spec = snapshot.state.spec(symbol)
    buys = chosen.side is Side.BUY
    value = (notional_up if buys else notional_down)(spec, price, lots)
    fee = fee_up(value, spec.fee_taker_ppm)
    order = {
        "quantity": units.qty(symbol, lots),
        "limit": units.price(symbol, price),
        "type": chosen.order_type,
        "lives": str(chosen.tif),
        "value": units.cash(value),
        "fee": units.cash(fee),
        "cost" if buys else "proceeds": units.cash(value + fee if buys else value - fee),
        "reason": chosen.reason,
    }
    if buys:
        slippage = snapshot.parameters.limits.slippage_ppm
        lost = loss_units(spec, price, lots, chosen.stop_ticks, slippage)
        order |= {
            "stop": units.price(symbol, chosen.stop_ticks),
            "target": units.price(symbol, chosen.target_ticks),
            "lost if the stop is hit": units.cash(lost),
        }
    return order
