"""Approved and refused: what was not approved cannot be submitted, by type.

`Venue.submit` takes an `Approved` and nothing else. One is made in three places only: by the gates
(`gates.approve`), by `shrunk.approve_less`, of one that they approved, and by `restore`, which
reads back a leg that the journal holds as approved. Calling the class itself raises.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trader.core.scale import Spec
from trader.core.state import Order
from trader.domain.order import Side, TimeInForce
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sized order that wants to leave; nothing may be done with it but ask the gates.

    Attributes:
        leg: number of the leg in its plan, from 0; attempt: from 0, +1 each time it is repriced.
        price_ticks: limit price. qty_lots: > 0. stop_ticks: stop of the position it opens, 0 none.
        signal_ms: open time of the signal bar an entry acts on, 0 for an exit.
        reason: `entry_signal`, `stop_loss`, `exit_signal` ...
        target_ticks, trail_ticks (a distance), hold_ms: further exits of the position that it
            opens, 0 for none; arm_ticks, even_ticks, steps likewise (see `state.Order`).
        order_type: `limit`, `post_only` or `stop_limit`; trigger_ticks: of the last.
        until_ms: when what rests is to be cancelled, 0: not by the clock.
    """

    strategy: str
    symbol: str
    side: Side
    tif: TimeInForce
    bar_ms: int
    leg: int
    attempt: int
    price_ticks: int
    qty_lots: int
    stop_ticks: int
    signal_ms: int
    reason: str
    target_ticks: int = 0
    trail_ticks: int = 0
    hold_ms: int = 0
    arm_ticks: int = 0
    even_ticks: int = 0
    steps: str = ""
    order_type: str = "limit"
    trigger_ticks: int = 0
    until_ms: int = 0


class _Seal:
    """Kept by this module: who holds it may make an Approved."""


_SEAL: Final = _Seal()


class Approved:
    """An order that every gate let through, with its identity, in exact decimals for the venue."""

    __slots__ = ("client_order_id", "price", "proposal", "qty")

    def __init__(
        self, seal: _Seal, proposal: Proposal, client_order_id: str, price: Decimal, qty: Decimal
    ) -> None:
        """Only for this module; raises TypeError without its seal."""
        if seal is not _SEAL:
            raise TypeError("an Approved comes from the gates, not from a call")
        self.proposal = proposal
        self.client_order_id = client_order_id
        self.price = price
        self.qty = qty

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.proposal.symbol

    @property
    def side(self) -> Side:
        """The direction."""
        return self.proposal.side

    @property
    def tif(self) -> TimeInForce:
        """How long it may rest."""
        return self.proposal.tif

    @property
    def order_type(self) -> str:
        """`limit`, `post_only` or `stop_limit`."""
        return self.proposal.order_type

    def row(self) -> dict[str, int | str]:
        """The leg as the journal keeps it: `Order(row)` is the planned order."""
        p = self.proposal
        return {
            "client_id": self.client_order_id,
            "strategy": p.strategy,
            "symbol": p.symbol,
            "side": str(p.side),
            "tif": str(p.tif),
            "bar_ms": p.bar_ms,
            "leg": p.leg,
            "attempt": p.attempt,
            "price_ticks": p.price_ticks,
            "qty_lots": p.qty_lots,
            "stop_ticks": p.stop_ticks,
            "target_ticks": p.target_ticks,
            "trail_ticks": p.trail_ticks,
            "hold_ms": p.hold_ms,
            "arm_ticks": p.arm_ticks,
            "even_ticks": p.even_ticks,
            "steps": p.steps,
            "order_type": p.order_type,
            "trigger_ticks": p.trigger_ticks,
            "until_ms": p.until_ms,
            "signal_ms": p.signal_ms,
            "reason": p.reason,
        }


@dataclass(frozen=True, slots=True)
class Refused:
    """A gate's no: `code` is documented, `detail` is `key=value ...` with limit and measure.

    `words`: the part of the detail that is not limit and measure, "" for none.
    """

    proposal: Proposal
    code: str
    detail: str
    words: str = ""


def seal_approved(proposal: Proposal, client_order_id: str, spec: Spec) -> Approved:
    """For `gates.approve` alone (a test holds the list of callers)."""
    price, qty = spec.price(proposal.price_ticks), spec.qty(proposal.qty_lots)
    return Approved(_SEAL, proposal, client_order_id, price, qty)


def proposal_of(order: Order) -> Proposal:
    """What an order of the state once asked for."""
    return Proposal(
        order.strategy,
        order.symbol,
        order.side,
        order.tif,
        order.bar_ms,
        order.leg,
        order.attempt,
        order.price_ticks,
        order.qty_lots,
        order.stop_ticks,
        order.signal_ms,
        order.reason,
        order.target_ticks,
        order.trail_ticks,
        order.hold_ms,
        order.arm_ticks,
        order.even_ticks,
        order.steps,
        order.order_type,
        order.trigger_ticks,
        order.until_ms,
    )


def restore(order: Order, spec: Spec) -> Approved:
    """An order that the journal holds as planned: the gates approved it before it was written."""
    return seal_approved(proposal_of(order), order.client_id, spec)
