"""What every venue must do, whatever it is: one suite, run against each of them.

A case takes a `Rig`: a venue, its market standing still at a known quote, and a way to make
approved orders. The quote is bid 99.99, ask 100.01 with at least 1 BTC on each side, tick 0.01, lot
0.001, least value 10 USDT, fee 0.1 %; the account begins with 10,000 USDT and 5 BTC. The next bar
falls to 95.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from trader.app.ports import Venue
from trader.core.approval import Approved, Proposal, seal_approved
from trader.core.scale import Spec
from trader.domain.account import Balance
from trader.domain.instrument import Instrument
from trader.domain.order import OrderState, Side, TimeInForce
from trader.domain.outcome import Accepted, Rejected, Unknown

SYMBOL = "BTC/USDT"
D = Decimal
_NUMBERS = count(1)


@dataclass
class Rig:
    """A venue under test and how to move its market."""

    venue: Venue
    now_ms: Callable[[], int]
    advance_ms: Callable[[int], object]

    def order(
        self,
        side: Side,
        price: str | Decimal,
        qty: str | Decimal,
        tif: TimeInForce = TimeInForce.IOC,
        *,
        symbol: str = SYMBOL,
        client_id: str = "",
        order_type: str = "limit",
    ) -> Approved:
        """An approved order with an id of its own."""
        return approved(
            side, price, qty, tif, symbol=symbol, client_id=client_id, order_type=order_type
        )

    def maker(self, side: Side, price: str) -> Approved:
        """A post-only order for 1 BTC."""
        return self.order(side, price, "1", TimeInForce.GTC, order_type="post_only")

    def ask_qty(self) -> Decimal:
        """What is on offer at the ask."""
        qty = self.venue.fetch_quotes([SYMBOL])[SYMBOL].ask_qty
        assert qty is not None
        return qty

    def balance(self, asset: str) -> Balance:
        """What is held, zero when it is not named."""
        return self.venue.fetch_balances().get(asset, Balance(asset, D(0), D(0)))


def approved(
    side: Side,
    price: str | Decimal,
    qty: str | Decimal,
    tif: TimeInForce = TimeInForce.IOC,
    *,
    symbol: str = SYMBOL,
    client_id: str = "",
    order_type: str = "limit",
) -> Approved:
    """An approved order as a gate would make it, on a fine grid so that bad prices fit, too."""
    base, quote = symbol.split("/")
    fine, zero = D("0.00001"), D(0)
    rules = Instrument(symbol, base, quote, fine, fine, zero, zero, zero, zero, zero)
    spec = Spec(rules, 10)
    number = next(_NUMBERS)
    own = client_id or hashlib.sha256(f"order {number}".encode()).hexdigest()[:32]
    ticks, lots = spec.ticks(D(price)), spec.lots(D(qty))
    proposal = Proposal(
        "test", symbol, side, tif, 0, number, 0, ticks, lots, 0, 0, "test", order_type=order_type
    )
    return seal_approved(proposal, own, spec)


def case_an_ioc_that_fits_the_touch_fills_whole(rig: Rig) -> None:
    order = rig.order(Side.BUY, "100.05", "0.5")
    outcome = rig.venue.submit(order)
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.filled) == (OrderState.FILLED, D("0.5"))
    assert [(fill.price, fill.qty) for fill in outcome.fills] == [(D("100.01"), D("0.5"))]
    assert outcome.fills[0].client_order_id == order.client_order_id
    assert outcome.fills[0].venue_order_id == outcome.order.venue_order_id
    assert outcome.fills[0].cost == D("50.005")
    assert not outcome.fills[0].maker
    seen = rig.venue.fetch_order(SYMBOL, order.client_order_id)
    assert seen is not None
    assert (seen.state, seen.filled, seen.price) == (OrderState.FILLED, D("0.5"), D("100.05"))


def case_an_ioc_larger_than_the_touch_fills_in_part_and_expires(rig: Rig) -> None:
    there = rig.ask_qty()
    outcome = rig.venue.submit(rig.order(Side.BUY, "100.01", there + 1))
    assert isinstance(outcome, Accepted)
    assert outcome.order.state is OrderState.EXPIRED
    assert outcome.order.filled == sum(fill.qty for fill in outcome.fills) == there
    assert rig.balance("USDT").locked == 0
    assert rig.venue.fetch_open_orders([SYMBOL]) == []


def case_an_ioc_away_from_the_touch_fills_nothing_and_leaves_nothing(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.BUY, "100.00", "1"))
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.filled, outcome.fills) == (
        OrderState.EXPIRED,
        D(0),
        (),
    )
    assert rig.balance("USDT") == Balance("USDT", D(10000), D(0))
    assert rig.venue.fetch_fills(SYMBOL, 0) == []


def case_an_ioc_sale_fills_at_the_bid(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.SELL, "99.90", "1"))
    assert isinstance(outcome, Accepted)
    told = [(fill.price, fill.qty, fill.side) for fill in outcome.fills]
    assert told == [(D("99.99"), D(1), Side.SELL)]


def case_the_fee_of_a_purchase_comes_out_of_the_bought_coin(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.BUY, "100.01", "1"))
    assert isinstance(outcome, Accepted)
    assert [(fill.fee, fill.fee_asset) for fill in outcome.fills] == [(D("0.001"), "BTC")]
    assert rig.balance("BTC") == Balance("BTC", D("5.999"), D(0))
    assert rig.balance("USDT") == Balance("USDT", D("9899.99"), D(0))


def case_the_fee_of_a_sale_comes_out_of_the_proceeds(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.SELL, "99.99", "1"))
    assert isinstance(outcome, Accepted)
    assert [(fill.fee, fill.fee_asset) for fill in outcome.fills] == [(D("0.09999"), "USDT")]
    assert rig.balance("BTC") == Balance("BTC", D(4), D(0))
    assert rig.balance("USDT") == Balance("USDT", D("10099.89001"), D(0))


def case_a_gtc_order_rests_locks_funds_and_can_be_cancelled(rig: Rig) -> None:
    order = rig.order(Side.BUY, "90", "1", TimeInForce.GTC)
    outcome = rig.venue.submit(order)
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.filled) == (OrderState.OPEN, D(0))
    assert rig.balance("USDT") == Balance("USDT", D(9910), D(90))
    (resting,) = rig.venue.fetch_open_orders([SYMBOL])
    assert resting.client_order_id == order.client_order_id
    assert (resting.side, resting.qty, resting.price) == (Side.BUY, D(1), D(90))
    ended = rig.venue.cancel(SYMBOL, order.client_order_id)
    assert isinstance(ended, Accepted)
    assert (ended.order.client_order_id, ended.order.state) == (
        order.client_order_id,
        OrderState.CANCELED,
    )
    assert rig.balance("USDT") == Balance("USDT", D(10000), D(0))
    seen = rig.venue.fetch_order(SYMBOL, order.client_order_id)
    assert seen is not None
    assert seen.state is OrderState.CANCELED


def case_a_resting_sale_locks_the_coin(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.SELL, "150", "2", TimeInForce.GTC))
    assert isinstance(outcome, Accepted)
    assert rig.balance("BTC") == Balance("BTC", D(3), D(2))


def case_a_gtc_order_that_crosses_fills_and_rests_with_what_is_left(rig: Rig) -> None:
    there = rig.ask_qty()
    outcome = rig.venue.submit(rig.order(Side.BUY, "100.01", there + 3, TimeInForce.GTC))
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.filled) == (OrderState.OPEN, there)
    assert rig.balance("USDT").locked == D("300.03")


def case_a_resting_order_fills_when_the_price_trades_through_it(rig: Rig) -> None:
    order = rig.order(Side.BUY, "96", "1", TimeInForce.GTC)
    assert isinstance(rig.venue.submit(order), Accepted)
    rig.advance_ms(120_000)
    seen = rig.venue.fetch_order(SYMBOL, order.client_order_id)
    assert seen is not None
    assert (seen.state, seen.filled) == (OrderState.FILLED, D(1))
    fills = rig.venue.fetch_fills(SYMBOL, 0)
    assert sum(fill.qty for fill in fills) == 1
    assert {(fill.price, fill.maker) for fill in fills} == {(D(96), True)}
    assert {fill.venue_order_id for fill in fills} == {seen.venue_order_id}
    assert rig.balance("USDT") == Balance("USDT", D(9904), D(0))


def case_a_post_only_order_rests_at_the_bid_and_fills_as_a_maker(rig: Rig) -> None:
    order = rig.maker(Side.BUY, "99.99")
    outcome = rig.venue.submit(order)
    assert isinstance(outcome, Accepted)
    assert (outcome.order.state, outcome.order.filled, outcome.fills) == (OrderState.OPEN, D(0), ())
    rig.advance_ms(120_000)
    fills = rig.venue.fetch_fills(SYMBOL, 0)
    assert sum(fill.qty for fill in fills) == 1
    assert {(fill.price, fill.maker) for fill in fills} == {(D("99.99"), True)}


def case_a_post_only_order_that_would_take_is_rejected_whole(rig: Rig) -> None:
    for side, price in ((Side.BUY, "100.01"), (Side.BUY, "100.05"), (Side.SELL, "99.99")):
        order = rig.maker(side, price)
        outcome = rig.venue.submit(order)
        assert isinstance(outcome, Rejected)
        assert outcome.code == "would_take"
        assert rig.venue.fetch_order(SYMBOL, order.client_order_id) is None
    assert rig.balance("USDT") == Balance("USDT", D(10000), D(0))
    assert rig.venue.fetch_fills(SYMBOL, 0) == []


def case_a_post_only_order_one_tick_inside_the_spread_rests(rig: Rig) -> None:
    assert isinstance(rig.venue.submit(rig.maker(Side.BUY, "100.00")), Accepted)
    assert len(rig.venue.fetch_open_orders([SYMBOL])) == 1


def case_a_stop_order_is_refused_while_none_may_rest(rig: Rig) -> None:
    assert not rig.venue.rests_stops
    order = rig.order(Side.SELL, "95", "1", TimeInForce.GTC, order_type="stop_limit")
    outcome = rig.venue.submit(order)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "order_type"
    assert rig.venue.fetch_open_orders([SYMBOL]) == []


def case_a_second_order_with_the_id_of_an_open_one_is_unknown(rig: Rig) -> None:
    order = rig.order(Side.BUY, "90", "1", TimeInForce.GTC)
    assert isinstance(rig.venue.submit(order), Accepted)
    again = rig.venue.submit(order)
    assert isinstance(again, Unknown)
    assert again.code == "duplicate"
    assert len(rig.venue.fetch_open_orders([SYMBOL])) == 1


def case_more_than_is_free_is_rejected(rig: Rig) -> None:
    order = rig.order(Side.BUY, "100.01", "100")
    outcome = rig.venue.submit(order)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "insufficient_balance"
    assert rig.venue.fetch_order(SYMBOL, order.client_order_id) is None
    assert rig.balance("USDT") == Balance("USDT", D(10000), D(0))


def case_a_value_under_the_least_is_rejected(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.BUY, "100.01", "0.05"))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "notional_min"


def case_an_instrument_that_is_not_listed_is_rejected(rig: Rig) -> None:
    outcome = rig.venue.submit(rig.order(Side.BUY, "100", "1", symbol="NO/USDT"))
    assert isinstance(outcome, Rejected)
    assert outcome.code == "bad_symbol"


def case_a_cancel_of_a_filled_order_finds_none(rig: Rig) -> None:
    order = rig.order(Side.BUY, "100.01", "1")
    assert isinstance(rig.venue.submit(order), Accepted)
    outcome = rig.venue.cancel(SYMBOL, order.client_order_id)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_found"


def case_a_cancel_of_an_order_that_never_was_finds_none(rig: Rig) -> None:
    outcome = rig.venue.cancel(SYMBOL, "f" * 32)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "not_found"


def case_cancel_all_ends_every_open_order_and_then_finds_none(rig: Rig) -> None:
    for price in ("90", "91"):
        placed = rig.venue.submit(rig.order(Side.BUY, price, "1", TimeInForce.GTC))
        assert isinstance(placed, Accepted)
    assert isinstance(rig.venue.cancel_all(SYMBOL), Accepted)
    assert rig.venue.fetch_open_orders([SYMBOL]) == []
    assert rig.venue.cancel_all(SYMBOL) is None


def case_fills_keep_their_ids_and_their_order(rig: Rig) -> None:
    first = rig.venue.submit(rig.order(Side.BUY, "100.01", "0.5"))
    second = rig.venue.submit(rig.order(Side.SELL, "99.99", "0.5"))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    told = [fill.trade_id for fill in (*first.fills, *second.fills)]
    assert [fill.trade_id for fill in rig.venue.fetch_fills(SYMBOL, 0)] == told
    assert [fill.trade_id for fill in rig.venue.fetch_fills(SYMBOL, 0)] == told
    assert len(set(told)) == 2
    assert rig.venue.fetch_fills(SYMBOL, rig.now_ms() + 1) == []


def case_an_order_that_never_was_is_none(rig: Rig) -> None:
    assert rig.venue.fetch_order(SYMBOL, "e" * 32) is None


def case_instruments_carry_the_rules_of_the_listing(rig: Rig) -> None:
    listed = rig.venue.fetch_instruments()[SYMBOL]
    assert (listed.tick, listed.lot, listed.notional_min) == (D("0.01"), D("0.001"), D(10))
    assert (listed.fee_taker, listed.active) == (D("0.001"), True)
    assert rig.venue.instruments_for([SYMBOL, "NO/USDT"]) == {SYMBOL: listed}
    tradable = [s for s, one in rig.venue.fetch_instruments().items() if one.active]
    assert rig.venue.active_symbols() == sorted(tradable)


def case_quotes_and_bars_and_the_clock_are_told(rig: Rig) -> None:
    quote = rig.venue.fetch_quotes([SYMBOL])[SYMBOL]
    assert (quote.bid, quote.ask) == (D("99.99"), D("100.01"))
    assert quote.bid_qty is not None
    assert quote.bid_qty >= 1
    assert rig.venue.fetch_venue_ms() == rig.now_ms()
    bars = rig.venue.fetch_bars(SYMBOL, "1m", rig.now_ms() - 120_000, 10)
    closed = [bar for bar in bars if bar.open_ms + 60_000 <= rig.now_ms()]
    assert [D(bar.close) for bar in closed] == [D(100), D(100)]


CASES = {
    name.removeprefix("case_"): case for name, case in globals().items() if name[:5] == "case_"
}
