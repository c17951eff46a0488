"""A small random venue in Decimal: the second opinion on what an order does to an account.

Lives here: matching by chance, orders at rest, fees, what it tells and what it keeps to itself for
a while. It shares no code with the core's fills. Must not live here: what the program makes of the
answers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from trader.core.approval import Approved
from trader.domain.account import Fill
from trader.domain.instrument import Instrument
from trader.domain.order import OrderState, Side, TimeInForce, VenueOrder

FEE_STEP = Decimal("0.00000001")
THIRD = "BNB"


@dataclass(slots=True)
class Landed:
    """An order that reached the venue. `told`: how many of its fills the program has heard of."""

    client_id: str
    rules: Instrument
    side: Side
    qty: Decimal
    limit: Decimal
    trigger: Decimal
    state: OrderState
    fills: list[Fill] = field(default_factory=list[Fill])
    told: int = 0

    @property
    def filled(self) -> Decimal:
        """Coins so far."""
        return sum((fill.qty for fill in self.fills), Decimal(0))


@dataclass(slots=True)
class Truth:
    """What really happened to the account, whether it was told or not; program's part alone."""

    cash: Decimal
    coins: dict[str, Decimal] = field(default_factory=dict[str, Decimal])


class RandomVenue:
    """Accepts, rejects, fills in part, loses answers: by chance."""

    def __init__(self, rng: random.Random, cash: Decimal, fee_mode: str) -> None:
        """`cash`: what the program may spend; the owner has more of everything beside it."""
        self.rng = rng
        self.fee_mode = fee_mode
        self.orders: dict[str, Landed] = {}
        self.truth = Truth(cash)
        self._trades = 0

    def land(
        self, approved: Approved, rules: Instrument, bid: Decimal, ask: Decimal, at_ms: int
    ) -> Landed:
        """An order arrives: what takes is matched against the touch by chance, what would rest
        rests, or is rejected where it would take or trigger at once."""
        p = approved.proposal
        order = Landed(
            approved.client_order_id,
            rules,
            approved.side,
            approved.qty,
            approved.price,
            p.trigger_ticks * rules.tick,
            OrderState.EXPIRED,
        )
        self.orders[order.client_id] = order
        if approved.tif is TimeInForce.GTC:
            takes = bid <= order.trigger if order.trigger else 0 < ask <= order.limit
            order.state = OrderState.REJECTED if takes else OrderState.OPEN
            return order
        touch = ask if approved.side is Side.BUY else bid
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 3))):
            if touch > 0:
                self._fill_some(order, touch, at_ms, maker=False)
        return order

    def trade(self, symbol: str, low: Decimal, at_ms: int) -> None:
        """The market went down to `low`: what rests there may fill, in part or whole, or not."""
        for order in self.orders.values():
            if order.state is not OrderState.OPEN or order.rules.symbol != symbol:
                continue
            reached = order.trigger or order.limit
            if low <= reached and self.rng.random() < 0.8:
                touch = min(reached, order.limit) if order.side is Side.BUY else reached
                self._fill_some(order, touch, at_ms, maker=not order.trigger)

    def cancel(self, client_id: str) -> None:
        """A cancel arrives; sometimes a fill was faster."""
        order = self.orders.get(client_id)
        if order is None or order.state is not OrderState.OPEN:
            return
        if self.rng.random() < 0.15:
            self._fill_some(
                order, order.limit, order.fills[-1].at_ms if order.fills else 0, maker=True
            )
        if order.state is OrderState.OPEN:
            order.state = OrderState.CANCELED

    def _fill_some(self, order: Landed, touch: Decimal, at_ms: int, *, maker: bool) -> None:
        rest = order.qty - order.filled
        price = self._price(order, touch)
        if rest <= 0 or price <= 0:
            return
        lots = int(rest / order.rules.lot)
        some = lots if self.rng.random() < 0.6 else self.rng.randrange(1, lots + 1)
        self._fill(order, some * order.rules.lot, price, at_ms, maker=maker)
        if order.filled == order.qty:
            order.state = OrderState.FILLED

    def _price(self, order: Landed, touch: Decimal) -> Decimal:
        """Between the touch and the limit, both ends often; 0: the touch is beyond the limit."""
        buy, tick = order.side is Side.BUY, order.rules.tick
        gap = int((order.limit - touch) / tick) * (1 if buy else -1)
        if gap < 0:
            return Decimal(0)
        steps = self.rng.choice((0, gap, self.rng.randrange(0, gap + 1)))
        return touch + tick * (steps if buy else -steps)

    def _fill(
        self, order: Landed, qty: Decimal, price: Decimal, at_ms: int, *, maker: bool
    ) -> None:
        self._trades += 1
        rules, cost = order.rules, price * qty
        fee, asset = self._fee(order.side, rules, qty, cost, maker=maker)
        fill = Fill(
            rules.symbol, str(self._trades), f"v{order.client_id}", order.client_id, order.side,
            price, qty, cost, fee, asset, maker, at_ms,
        )  # fmt: skip
        order.fills.append(fill)
        sign = 1 if order.side is Side.BUY else -1
        coins = self.truth.coins.get(rules.symbol, Decimal(0)) + sign * qty
        self.truth.coins[rules.symbol] = coins - (fee if asset == rules.base else 0)
        self.truth.cash -= sign * cost + (fee if asset == rules.quote else 0)

    def _fee(
        self, side: Side, rules: Instrument, qty: Decimal, cost: Decimal, *, maker: bool
    ) -> tuple[Decimal, str]:
        rounding = self.rng.choice((ROUND_DOWN, ROUND_UP))
        rate = rules.fee_maker if maker else rules.fee_taker
        if self.fee_mode == "base" and side is Side.BUY:
            return (qty * rate).quantize(FEE_STEP, rounding), rules.base
        if self.fee_mode == "third":
            return (cost * rate / 300).quantize(FEE_STEP, rounding), THIRD
        return (cost * rate).quantize(FEE_STEP, rounding), rules.quote

    def seen(self, client_id: str, at_ms: int) -> VenueOrder | None:
        """The order as the venue shows it; None: it knows none by that id."""
        order = self.orders.get(client_id)
        if order is None:
            return None
        return VenueOrder(
            client_id, f"v{client_id}", order.rules.symbol, order.side, order.state, order.qty,
            order.filled, order.limit, at_ms,
        )  # fmt: skip
