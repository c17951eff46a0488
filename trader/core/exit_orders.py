"""The order of an exit: its price, and what the gates are shown of it.

Lives here: asking for a sale, whatever wants it (`exits`, `dust`, `trim`, and `step` when it prices
one again). Must not live here: why and how much is sold.
"""

from __future__ import annotations

from trader.core.approval import Proposal
from trader.core.desk import Desk, Seen, fill_quote
from trader.core.gate_view import GateView
from trader.core.ladder import exit_price_ticks, rung_ppm
from trader.core.limits import Limits
from trader.core.order_sums import free_lots, sell_sums
from trader.core.scale import Spec, notional_down
from trader.core.snapshot import CoreQuote, Snapshot
from trader.domain.order import Side, TimeInForce


def leave(desk: Desk, strategy: str, spec: Spec, reason: str, qty_lots: int, seen: Seen) -> None:
    """Ask for a sale of so many lots: the first rung of its ladder."""
    snapshot, limits = desk.snapshot, desk.limits
    quote = snapshot.quotes.get(spec.symbol)
    ppm = rung_ppm(limits, 0)
    proposal = Proposal(
        strategy,
        spec.symbol,
        Side.SELL,
        TimeInForce.IOC,
        snapshot.bar_ms,
        len(desk.legs),
        0,
        exit_price_ticks(spec, quote.bid_ticks if quote else 0, ppm, qty_lots),
        qty_lots,
        0,
        0,
        reason,
    )
    selling = sum(leg.qty_lots for leg in desk.view.legs_on(spec.symbol) if leg.side is Side.SELL)
    gate_view = exit_view(
        proposal,
        spec,
        limits,
        quote,
        rank=snapshot.halt_rank,
        now_ms=snapshot.now_ms,
        slippage_ppm=ppm,
        free_lots=free_lots(snapshot.state, spec.symbol, strategy) - selling,
    )
    desk.ask(proposal, gate_view, spec, seen)


def exit_view(
    proposal: Proposal,
    spec: Spec,
    limits: Limits,
    quote: CoreQuote | None,
    *,
    rank: int,
    now_ms: int,
    slippage_ppm: int,
    free_lots: int,
) -> GateView:
    """What the gates see of an exit, at plan time and when `step` prices it again.

    `free_lots`: held, less what other sells may still take (see `order_sums.free_lots`).
    """
    view = GateView(proposal, spec, limits)
    fill_quote(view, quote, now_ms)
    view.halt_rank = rank
    view.slippage_ppm = slippage_ppm
    view.order = sell_sums(proposal, free_lots)
    view.notional_units = notional_down(spec, proposal.price_ticks, proposal.qty_lots)
    return view


def fresh_bid_ticks(snapshot: Snapshot, symbol: str) -> int:
    """The bid of a quote that the gates would take: both sides there, not crossed, not old; else
    0. An old price says nothing."""
    quote = snapshot.quotes.get(symbol)
    if quote is None or quote.bid_ticks > quote.ask_ticks:
        return 0
    age_ms = snapshot.now_ms - quote.at_ms
    return quote.bid_ticks if abs(age_ms) <= snapshot.parameters.limits.quote_age_ms_max else 0
