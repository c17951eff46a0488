"""Children and their parent: no leg's attempts together ask for more than its first did.

Lives here: what is left of a leg's quantity, counted from its attempts themselves and from what
the venue told of each, never from a counter that is carried along. Asked before a further attempt
is approved, and again before it is sent. Must not live here: when a leg needs another attempt
(`step`).
"""

from __future__ import annotations

from collections.abc import Sequence

from trader.core.state import Order
from trader.domain.order import OrderState

CODE = "CHILD_QTY"


def taken_lots(order: Order) -> int:
    """Lots of the leg that an attempt has had or may still get: all of one that may still fill,
    else the most that our fills or the venue's own record say."""
    if order.working:
        return order.qty_lots
    return max(order.filled_lots, order.venue_lots, 0)


def rest_lots(attempts: Sequence[Order], ending: str = "") -> int:
    """What the leg may still ask for, lots: its first attempt's quantity less what its attempts
    took. 0 or less: nothing; also when an attempt is missing, for then nobody can count.

    `ending`: client id of an attempt that counts as if it had ended as it stands.
    """
    numbers = [order.attempt for order in attempts]
    if numbers != list(range(len(numbers))) or not numbers:
        return 0
    rest = attempts[0].qty_lots
    for order in attempts:
        if order.client_id == ending:
            rest -= max(order.filled_lots, order.venue_lots, 0)
        elif order.state is not OrderState.PLANNED:
            rest -= taken_lots(order)
    return rest


def child_problem(attempts: Sequence[Order], qty_lots: int) -> str:
    """Why so many lots may not be asked for beside these attempts, as `CODE key=value ...`; "" when
    they may. The limit is what is left of the parent."""
    rest = rest_lots(attempts)
    if 0 < qty_lots <= rest:
        return ""
    return f"{CODE} limit={rest} measured={qty_lots} unit=lots"
