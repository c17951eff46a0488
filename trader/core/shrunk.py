"""Less of what was approved: the rest of an entry whose first part filled while it was moved.

Lives here: the one way in which an attempt follows another without the whole decision: the same
order, at the same price, for fewer lots than the gates let through. What could only be wrong with
it because it is smaller is asked again. Must not live here: when that is wanted (`step`).
"""

from __future__ import annotations

from trader.core.approval import Approved, Refused, proposal_of, seal_approved
from trader.core.identity import client_order_id
from trader.core.parameters import Parameters
from trader.core.scale import cash_units, notional_down
from trader.core.state import Order, State
from trader.records import replace


def approve_less(
    state: State, parameters: Parameters, order: Order, qty_lots: int
) -> Approved | Refused:
    """The next attempt of an approved order for fewer lots, at its price; refused when so little is
    not worth an order. Raises ValueError when it is not less, AmountOverflow."""
    if not 0 < qty_lots < order.qty_lots:
        raise ValueError(f"{qty_lots} lots are not less than the {order.qty_lots} approved")
    spec = state.spec(order.symbol)
    proposal = replace(proposal_of(order), attempt=order.attempt + 1, qty_lots=qty_lots)
    if qty_lots < spec.qty_lots_min:
        detail = f"limit={spec.qty_lots_min} measured={qty_lots} unit=lots"
        return Refused(proposal, "QTY_MIN", detail)
    digits = state.number("cash_digits")
    own = [parameters.limits.order_notional_min]
    own += [s.size.notional_min for s in parameters.strategies if s.name == order.strategy]
    least = max(spec.notional_units_min, *(cash_units(text, digits, up=True) for text in own))
    value = notional_down(spec, order.price_ticks, qty_lots)
    if value < least:
        return Refused(proposal, "NOTIONAL_MIN", f"limit={least} measured={value} unit=cash")
    client_id = client_order_id(
        parameters.prefix,
        parameters.account,
        proposal.strategy,
        proposal.symbol,
        bar_ms=proposal.bar_ms,
        leg=proposal.leg,
        attempt=proposal.attempt,
    )
    return seal_approved(proposal, client_id, spec)
