"""Order: its states, the one table of legal transitions, and the venue's view of it.

A state says what *we know*. `unknown` is a state of knowledge: a submit may have landed. It
is left only on the venue's evidence, never by sending again.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from trader.records import dataclass


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class TimeInForce(StrEnum):
    """How long an order may rest: until cancelled, or not at all."""

    GTC = "gtc"
    IOC = "ioc"


class OrderState(StrEnum):
    """What is known of an order."""

    PLANNED = "planned"  # intent committed; has not left
    SENDING = "sending"  # about to leave, or left and unanswered: after a crash as unknown
    UNKNOWN = "unknown"  # a submit whose outcome nobody told
    OPEN = "open"  # accepted, may still fill
    FILLED = "filled"  # whole quantity filled
    CANCELED = "canceled"  # ended by a cancel; may have filled in part
    EXPIRED = "expired"  # ended by the venue (IOC remainder); may have filled in part
    REJECTED = "rejected"  # the venue said no
    NOT_SENT = "not_sent"  # no connection was made
    ABSENT = "absent"  # the venue's own evidence: it never arrived
    ABANDONED = "abandoned"  # an intent of an older bar that never left


class OrderEvent(StrEnum):
    """What may happen to an order."""

    SEND = "send"
    ACCEPT = "accept"
    FILL_PART = "fill_part"
    FILL_ALL = "fill_all"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REJECT = "reject"
    LOSE = "lose"  # time-out, reset, 5xx, garbage: the outcome is unknown
    FAIL_CONNECT = "fail_connect"
    FIND_ABSENT = "find_absent"
    ABANDON = "abandon"


class IllegalTransition(ValueError):
    """An event that cannot happen to an order in this state: a bug, or a venue that lies."""


_SENT = {
    OrderEvent.ACCEPT: OrderState.OPEN,
    OrderEvent.FILL_PART: OrderState.OPEN,
    OrderEvent.FILL_ALL: OrderState.FILLED,
    OrderEvent.CANCEL: OrderState.CANCELED,
    OrderEvent.EXPIRE: OrderState.EXPIRED,
    OrderEvent.REJECT: OrderState.REJECTED,
    OrderEvent.LOSE: OrderState.UNKNOWN,
}

TRANSITIONS: dict[OrderState, dict[OrderEvent, OrderState]] = {
    OrderState.PLANNED: {
        OrderEvent.SEND: OrderState.SENDING,
        OrderEvent.ABANDON: OrderState.ABANDONED,
    },
    OrderState.SENDING: {
        **_SENT,
        OrderEvent.FAIL_CONNECT: OrderState.NOT_SENT,
        OrderEvent.FIND_ABSENT: OrderState.ABSENT,
    },
    OrderState.UNKNOWN: {**_SENT, OrderEvent.FIND_ABSENT: OrderState.ABSENT},
    OrderState.OPEN: {
        OrderEvent.ACCEPT: OrderState.OPEN,
        OrderEvent.FILL_PART: OrderState.OPEN,
        OrderEvent.FILL_ALL: OrderState.FILLED,
        OrderEvent.CANCEL: OrderState.CANCELED,
        OrderEvent.EXPIRE: OrderState.EXPIRED,
        # Some venues acknowledge first and refuse afterwards.
        OrderEvent.REJECT: OrderState.REJECTED,
    },
    # A fill may be told after the end of its order (late or hidden fills): it is booked, the
    # state stays, except that a cancelled order whose last lot turns up was filled.
    OrderState.CANCELED: {
        OrderEvent.FILL_PART: OrderState.CANCELED,
        OrderEvent.FILL_ALL: OrderState.FILLED,
    },
    OrderState.EXPIRED: {
        OrderEvent.FILL_PART: OrderState.EXPIRED,
        OrderEvent.FILL_ALL: OrderState.FILLED,
    },
    OrderState.FILLED: {
        OrderEvent.FILL_PART: OrderState.FILLED,
        OrderEvent.FILL_ALL: OrderState.FILLED,
    },
    OrderState.REJECTED: {},
    OrderState.NOT_SENT: {},
    # "Absent" is a conclusion; a fill that turns up all the same proves it wrong and is booked.
    OrderState.ABSENT: {
        OrderEvent.FILL_PART: OrderState.OPEN,
        OrderEvent.FILL_ALL: OrderState.FILLED,
        OrderEvent.ACCEPT: OrderState.OPEN,
        OrderEvent.CANCEL: OrderState.CANCELED,
        OrderEvent.EXPIRE: OrderState.EXPIRED,
    },
    OrderState.ABANDONED: {},
}

# May still change the account: counted as exposure in full.
WORKING = frozenset({OrderState.SENDING, OrderState.UNKNOWN, OrderState.OPEN})
UNRESOLVED = frozenset({OrderState.SENDING, OrderState.UNKNOWN})


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """The state after `event`; raises IllegalTransition when the table has no such row."""
    after = TRANSITIONS[state].get(event)
    if after is None:
        raise IllegalTransition(f"an order that is {state} cannot {event}")
    return after


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue shows it.

    Attributes:
        client_order_id: empty when the venue shows none.
        state: OPEN, FILLED, CANCELED, EXPIRED or REJECTED.
        filled: base coins filled so far.
        price: limit price; None for a market order.
    """

    client_order_id: str
    venue_order_id: str
    symbol: str
    side: Side
    state: OrderState
    qty: Decimal
    filled: Decimal
    price: Decimal | None
    at_ms: int
