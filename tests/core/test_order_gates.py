"""Gates over one order: each number as it is made of a decision, at the bound and one unit past it.

The order is 200 lots (0.2 BTC) at 10,000 ticks (100.00): 20 USDT = 2,000,000,000 cash units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trader.core import order_gates
from trader.core.access import Access
from trader.core.approval import Proposal
from trader.core.desk import Desk
from trader.core.fold import fold
from trader.core.limits import NEVER, Home, Restricted
from trader.core.money import AMOUNT_MAX
from trader.core.order_gates import OrderSums
from trader.core.order_sums import free_lots, order_sums
from trader.core.order_windows import order_span
from trader.core.parameters import Parameters
from trader.core.plan import plan
from trader.core.series import Series, build_series
from trader.core.signals import wanted_windows
from trader.core.snapshot import CoreQuote
from trader.core.state import State
from trader.domain.order import Side, TimeInForce

from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    NOW_MS,
    TICK,
    UNIT,
    account,
    hold,
    instrument,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
    strategy,
)

EUR = "EUR/USDT"
GATES = {
    "CLOCK_SKEW": order_gates.clock_skew,
    "RESTRICTED": order_gates.restricted,
    "DATA_REPAINTED": order_gates.data_repainted,
    "SPREAD": order_gates.spread,
    "COLLAR_WINDOW": order_gates.collar_window,
    "SHORT": order_gates.short,
    "SELF_CROSS": order_gates.self_cross,
    "ORDER_VALUE": order_gates.order_value,
    "ORDER_VALUE_HOME": order_gates.order_value_home,
    "ORDER_QTY": order_gates.order_qty,
    "VOLUME_SHARE": order_gates.volume_share,
    "DEPTH_SHARE": order_gates.depth_share,
}


def buy(price: int = 10_000, lots: int = 200, **changed: Any) -> Proposal:
    usual = Proposal(
        "one",
        BTC,
        Side.BUY,
        TimeInForce.IOC,
        BAR_MS,
        0,
        0,
        price,
        lots,
        9_900,
        BAR_MS,
        "entry_signal",
    )
    return replace(usual, **changed)


def made(
    policy: Parameters, order: Proposal | None = None, state: State | None = None, **seen: Any
) -> OrderSums:
    """The numbers of an order at a decision in which these things were seen."""
    shot = snapshot(state or account(), policy, **seen)
    desk = Desk(shot, Access(policy.universe, {}))
    order = order or buy()
    return order_sums(desk, order, policy.strategies[0], shot.state.spec(order.symbol))


def noes(sums: OrderSums) -> set[str]:
    found: set[str] = set()
    for code, ask in GATES.items():
        try:
            ok = ask(sums)[0]
        except OverflowError:
            ok = False
        found |= set() if ok else {code}
    return found


def with_rate() -> State:
    rate = instrument(EUR, tick="0.0001", lot="1", qty_min="1")
    return account(1_000 * UNIT, instrument(BTC), instrument(ETH), rate)


def rate(bid: int = 12_500, ask: int = 12_600, age_ms: int = 1_000) -> dict[str, CoreQuote]:
    return {BTC: quote(), EUR: CoreQuote(bid, ask, -1, -1, NOW_MS - age_ms)}


def home(most: str, **changed: Any) -> Parameters:
    return parameters(home=replace(Home("EUR", EUR, most, 60_000), **changed))


def test_nothing_is_refused_when_nothing_is_asked() -> None:
    assert noes(made(parameters())) == set()


def test_numbers_that_nobody_filled_in_refuse() -> None:
    assert noes(OrderSums()) == set(GATES)


# --- value, in both currencies, and quantity --------------------------------------------------


@pytest.mark.parametrize(("most", "refused"), [("20", False), ("19.99999999", True), ("0", True)])
def test_an_order_is_worth_no_more_than_the_policy_says(most: str, refused: bool) -> None:
    sums = made(parameters(order_value_max=most))
    assert ("ORDER_VALUE" in noes(sums)) is refused
    assert sums.value_units == 20 * UNIT


def test_a_value_below_one_unit_of_cash_is_rounded_up() -> None:
    # One tick x one lot is 1e-12, the cash unit 1e-8 and one order 0.2 of it.
    fine = instrument(BTC, tick="0.00000001", lot="0.0001", qty_min="0.0001", notional_min="0")
    state = account(1_000 * UNIT, fine)
    assert made(parameters(), buy(1, 2_000), state).value_units == 1
    assert made(parameters(), buy(1, 20_000), state).value_units == 2


def test_a_limit_that_the_integers_cannot_hold_lets_through_what_they_can() -> None:
    sums = made(parameters(order_value_max="99999999999999", order_qty_max="9" * 24))
    assert sums.value_units_max == sums.qty_lots_max == AMOUNT_MAX - 1


# 16 EUR at a bid of 1.25 are 20 USDT; at the ask of 1.26 they would be 20.16.
@pytest.mark.parametrize(("most", "refused"), [("16", False), ("15.99999999", True)])
def test_the_owners_currency_is_counted_at_the_bid_of_its_rate(most: str, refused: bool) -> None:
    sums = made(home(most), state=with_rate(), quotes=rate())
    assert ("ORDER_VALUE_HOME" in noes(sums)) is refused
    assert sums.home_words == "home=EUR rate_ticks=12500"
    assert sums.home_units_max == (2_000_000_000 if most == "16" else 1_999_999_998)


@pytest.mark.parametrize(
    ("quotes", "words"),
    [
        (rate(age_ms=60_000), "home=EUR rate_ticks=12500"),
        (rate(age_ms=-60_000), "home=EUR rate_ticks=12500"),
        (rate(age_ms=60_001), "home=EUR rate=old age_ms=60001"),
        (rate(age_ms=-60_001), "home=EUR rate=old age_ms=-60001"),
        (rate(bid=0), "home=EUR rate=none"),
        (rate(bid=12_601), "home=EUR rate=none"),
        ({BTC: quote()}, "home=EUR rate=none"),
    ],
)
def test_a_rate_that_cannot_be_told_refuses(quotes: dict[str, CoreQuote], words: str) -> None:
    sums = made(home("1000000"), state=with_rate(), quotes=quotes)
    assert sums.home_words == words
    assert ("ORDER_VALUE_HOME" in noes(sums)) is ("rate_ticks" not in words)


def test_a_rate_in_another_currency_or_of_an_unknown_instrument_refuses() -> None:
    unknown = made(home("1000000"), quotes=rate())
    assert unknown.home_words == "home=EUR rate=none"
    other = replace(home("1000000"), quote="USD")
    assert made(other, state=with_rate(), quotes=rate()).home_words == "home=EUR rate=in_USDT"
    assert "ORDER_VALUE_HOME" in noes(unknown)


def test_the_plan_says_at_which_rate_it_refused() -> None:
    policy = replace(home("0.01"), strategies=(strategy(),))
    (refused,) = plan(snapshot(with_rate(), policy, quotes=rate())).refused
    assert refused.code == "ORDER_VALUE_HOME"
    assert refused.detail.startswith("home=EUR rate_ticks=12500 limit=1250000 measured=")


def test_the_rate_is_among_what_a_decision_reads() -> None:
    last = (BAR_MS - MINUTE_MS, BAR_MS)
    for policy in (home("1"), replace(home("1"), strategies=(strategy("one", EUR),))):
        windows = wanted_windows(policy, {"one": says()}, account(), BAR_MS + MINUTE_MS)
        assert windows[EUR, "1m"][1] == last[1]
        assert windows[EUR, "1m"][0] <= last[0]
    plain = wanted_windows(parameters(), {"one": says()}, account(), BAR_MS + MINUTE_MS)
    assert (EUR, "1m") not in plain


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        ({"order_qty_max": "0.2"}, False),
        ({"order_qty_max": "0.1999"}, True),
        ({"order_qty_max": "0.1", "order_qty_max_of": {BTC: "0.2"}}, False),
        ({"order_qty_max": "9", "order_qty_max_of": {BTC: "0.199"}}, True),
        ({"order_qty_max": "9", "order_qty_max_of": {ETH: "0.001"}}, False),
    ],
)
def test_a_quantity_has_a_limit_of_its_own(limits: dict[str, Any], refused: bool) -> None:
    assert ("ORDER_QTY" in noes(made(parameters(**limits)))) is refused


def test_a_price_of_next_to_nothing_smuggles_no_quantity() -> None:
    tiny = instrument(BTC, tick="0.00000001", lot="1", qty_max="0", qty_min="1", notional_min="0")
    policy = parameters(order_value_max="25000", order_qty_max="1000000000")
    state = account(1_000 * UNIT, tiny)
    at_bound, past = (buy(1, lots) for lots in (1_000_000_000, 1_000_000_001))
    assert noes(made(policy, at_bound, state)) == set()
    assert noes(made(policy, past, state)) == {"ORDER_QTY"}


# --- prices -----------------------------------------------------------------------------------


def walk(closes: list[int], volume: float = 1.0, step_ms: int = MINUTE_MS) -> Series:
    first = BAR_MS - (len(closes) - 1) * step_ms
    rows = [(first + i * step_ms, c, c, c, c, volume) for i, c in enumerate(closes)]
    return build_series(BTC, step_ms, TICK, rows)


# 10 % above 9,091 is 10,000.1; above 9,090 it is 9,999. Below 11,111 it is 9,999.9, so 10,000.
@pytest.mark.parametrize(
    ("then", "refused"), [(9_091, False), (9_090, True), (11_111, False), (11_112, True)]
)
def test_a_price_is_held_against_the_close_so_many_bars_earlier(then: int, refused: bool) -> None:
    policy = parameters(collar_window_ppm=100_000, collar_window_bars=3)
    seen = walk([1, then, 9_950, 9_960, 10_000])
    sums = made(policy, series={(BTC, "1m"): seen})
    assert sums.window_ticks == then
    assert ("COLLAR_WINDOW" in noes(sums)) is refused


def test_bars_of_a_window_are_counted_by_time_and_an_absent_one_gives_the_one_before() -> None:
    policy = parameters(collar_window_ppm=100_000, collar_window_bars=3)
    whole = list(walk([9_700, 9_800, 9_900, 9_950, 10_000]).rows())
    holed = build_series(BTC, MINUTE_MS, TICK, [whole[0], *whole[2:]])
    assert made(policy, series={(BTC, "1m"): holed}).window_ticks == 9_700


def test_a_window_that_begins_after_its_bar_refuses_and_one_that_is_not_asked_does_not() -> None:
    policy = parameters(collar_window_ppm=100_000, collar_window_bars=3)
    seen = {(BTC, "1m"): walk([10_000] * 3)}
    assert noes(made(policy, series=seen)) == {"COLLAR_WINDOW"}
    assert noes(made(parameters(collar_window_bars=3), series=seen)) == set()


def test_the_bars_that_these_limits_look_at_are_asked_for() -> None:
    spec = strategy()
    close_ms = BAR_MS + MINUTE_MS
    unasked = parameters().limits
    assert order_span(spec, unasked, close_ms) == (BAR_MS, BAR_MS)
    window = parameters(collar_window_ppm=1, collar_window_bars=24, volume_bars=20).limits
    assert order_span(spec, window, close_ms) == (BAR_MS - 24 * MINUTE_MS, BAR_MS)
    volume = replace(window, collar_window_ppm=NEVER, volume_ppm_max=50_000)
    assert order_span(spec, volume, close_ms) == (BAR_MS - 19 * MINUTE_MS, BAR_MS)
    policy = parameters(collar_window_ppm=1, collar_window_bars=24)
    asked = wanted_windows(policy, {"one": says()}, account(), close_ms)
    assert asked[BTC, "1m"] == (BAR_MS - 24 * MINUTE_MS, BAR_MS)


# (ask - bid) / mid: 20 of 10,000 are 2,000 millionths, 21 of 10,000.5 are 2,099.9, rounded up.
@pytest.mark.parametrize(
    ("bid", "ask", "measured"),
    [(9_990, 10_010, 2_000), (9_990, 10_011, 2_100), (10_000, 10_000, 0), (3, 8, 909_091)],
)
def test_a_spread_is_a_share_of_the_price_between(bid: int, ask: int, measured: int) -> None:
    def at(limit: int) -> OrderSums:
        return made(parameters(spread_ppm_max=limit), quotes={BTC: quote(bid, ask)})

    assert order_gates.spread(at(measured)) == (True, measured, measured)
    if measured:
        assert noes(at(measured - 1)) == {"SPREAD"}


@pytest.mark.parametrize("quotes", [{}, {BTC: quote(0, 10)}, {BTC: quote(10_001, 10_000)}])
def test_a_spread_that_cannot_be_told_refuses(quotes: dict[str, CoreQuote]) -> None:
    assert noes(made(parameters(spread_ppm_max=999_999), quotes=quotes)) == {"SPREAD"}
    assert noes(made(parameters(spread_ppm_max=1_000_000), quotes=quotes)) == set()


# --- what stands and what is traded -----------------------------------------------------------


# Two bars of 3 coins and 18 absent ones: 0.3 coins a bar; 5 % of 0.3 are 15 lots.
@pytest.mark.parametrize(("lots", "refused"), [(15, False), (16, True)])
def test_a_quantity_is_a_share_of_the_mean_volume(lots: int, refused: bool) -> None:
    policy = parameters(volume_ppm_max=50_000, volume_bars=20)
    sums = made(policy, buy(lots=lots), series={(BTC, "1m"): walk([10_000] * 2, 3.0)})
    assert sums.volume_lots_max == 15
    assert ("VOLUME_SHARE" in noes(sums)) is refused


def test_only_the_newest_bars_count_for_the_volume() -> None:
    policy = parameters(volume_ppm_max=500_000, volume_bars=2)
    old, new = list(walk([10_000] * 5, 900.0).rows())[:3], list(walk([10_000] * 2, 4.0).rows())
    seen = build_series(BTC, MINUTE_MS, TICK, [*old, *new])
    assert made(policy, series={(BTC, "1m"): seen}).volume_lots_max == 2_000


@pytest.mark.parametrize("volume", [float("nan"), float("inf"), -1.0])
def test_a_volume_that_is_no_number_refuses(volume: float) -> None:
    policy = parameters(volume_ppm_max=NEVER - 1, volume_bars=2)
    seen = {(BTC, "1m"): walk([10_000] * 3, volume)}
    assert noes(made(policy, series=seen)) == {"VOLUME_SHARE"}
    assert noes(made(parameters(volume_bars=2), series=seen)) == set()


def test_bars_without_volume_let_nothing_through_and_a_huge_volume_everything() -> None:
    policy = parameters(volume_ppm_max=50_000, volume_bars=2)
    assert "VOLUME_SHARE" in noes(made(policy, buy(lots=1), series={(BTC, "1m"): walk([1], 0.0)}))
    assert made(policy, series={(BTC, "1m"): walk([1] * 2, 1e40)}).volume_lots_max == AMOUNT_MAX - 1


@pytest.mark.parametrize(
    ("share_ppm", "stands", "refused"),
    [
        (500_000, 400, False),
        (500_000, 399, True),
        (2_000_000, 100, False),
        (500_000, -1, True),
        (500_000, 0, True),
        (0, -1, False),
        (0, 0, False),
    ],
)
def test_a_quantity_is_a_share_of_what_stands_at_the_ask(
    share_ppm: int, stands: int, refused: bool
) -> None:
    seen = {BTC: CoreQuote(9_999, 10_001, -1, stands, NOW_MS)}
    sums = made(parameters(depth_ppm_max=share_ppm), quotes=seen)
    assert ("DEPTH_SHARE" in noes(sums)) is refused


# --- where it goes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "order", "by"),
    [
        ({"instruments": (BTC,)}, {}, "instrument"),
        ({"instruments": ("B.*/USDT",)}, {}, "instrument"),
        ({"instruments": (ETH, "E.*/USDT")}, {}, ""),
        ({"sides": ("buy",)}, {}, "side"),
        ({"sides": ("sell",)}, {}, ""),
        ({"order_types": ("limit",)}, {}, "order_type"),
        ({"order_types": ("post_only",)}, {}, ""),
        ({"order_types": ("post_only",)}, {"order_type": "post_only"}, "order_type"),
        ({}, {"order_type": "market"}, "order_type"),
        ({"venues": ("binance",)}, {}, "venue"),
        ({"venues": ("kraken",)}, {}, ""),
        ({"sides": ("buy",), "venues": ("binance",)}, {}, "side,venue"),
    ],
)
def test_what_is_restricted_or_unknown_is_refused(
    rules: dict[str, tuple[str, ...]], order: dict[str, Any], by: str
) -> None:
    sums = made(parameters(restricted=Restricted(**rules)), buy(**order))
    assert (sums.restricted_by, sums.restricted) == (by, len(by.split(",")) if by else 0)
    assert ("RESTRICTED" in noes(sums)) is bool(by)


def test_a_venue_that_nobody_named_is_refused_by_name() -> None:
    policy = replace(parameters(), venue="")
    (refused,) = plan(snapshot(account(), policy)).refused
    assert refused.code == "RESTRICTED"
    assert refused.detail == "by=venue limit=0 measured=1 unit=count"


@pytest.mark.parametrize(
    ("skew", "refused"), [(500, False), (-500, False), (501, True), (-501, True)]
)
def test_a_clock_that_is_too_far_off_refuses(skew: int, refused: bool) -> None:
    sums = made(parameters(clock_skew_ms_max=500), skew_ms=skew)
    assert ("CLOCK_SKEW" in noes(sums)) is refused


@pytest.mark.parametrize(("changed", "refused"), [(5_000, False), (5_001, True), (0, False)])
def test_a_bar_that_became_another_refuses_its_instrument(changed: int, refused: bool) -> None:
    policy = parameters(repaint_ppm_max=5_000)
    assert ("DATA_REPAINTED" in noes(made(policy, repaints={BTC: changed}))) is refused
    assert "DATA_REPAINTED" not in noes(made(policy, repaints={ETH: 9_999}))


# --- own sells --------------------------------------------------------------------------------


def test_a_buy_stays_below_every_own_sell_of_the_instrument() -> None:
    for price, refused in ((10_001, False), (10_000, True), (9_000, True)):
        state = account()
        hold(state, name="two")
        sent(state, order_row("s" * 32, side="sell", strategy="two", price_ticks=price))
        assert ("SELF_CROSS" in noes(made(parameters(), state=state))) is refused


def test_a_sell_of_this_plan_counts_and_one_of_another_instrument_does_not() -> None:
    state = account()
    policy = parameters()
    shot = snapshot(state, policy)
    desk = Desk(shot, Access(policy.universe, {}))
    selling = buy(9_990, 100, side=Side.SELL, strategy="two")
    desk.view.add(replace(selling, symbol=ETH))
    assert noes(order_sums(desk, buy(), policy.strategies[0], state.spec(BTC))) == set()
    desk.view.add(selling)
    assert noes(order_sums(desk, buy(), policy.strategies[0], state.spec(BTC))) == {"SELF_CROSS"}


@pytest.mark.parametrize(("trigger", "refused"), [(9_998, False), (9_999, True), (10_050, True)])
def test_a_stop_counts_once_the_bid_is_at_its_trigger(trigger: int, refused: bool) -> None:
    state = account()
    hold(state)
    stop = {"order_type": "stop_limit", "trigger_ticks": trigger, "tif": "gtc"}
    sent(state, order_row("s" * 32, side="sell", price_ticks=9_900, **stop))
    assert ("SELF_CROSS" in noes(made(parameters(), state=state))) is refused


def test_lots_are_free_unless_another_sell_may_take_them() -> None:
    state = account()
    assert free_lots(state, BTC, "one") == 0
    hold(state, lots=100)
    assert free_lots(state, BTC, "one") == 100
    stop = {"order_type": "stop_limit", "trigger_ticks": 9_800, "tif": "gtc", "qty_lots": 100}
    sent(state, order_row("p" * 32, side="sell", **stop))
    assert free_lots(state, BTC, "one") == 100  # it rests, and is known to: it is taken away first
    sent(state, order_row("s" * 32, side="sell", qty_lots=30), outcome="unknown")
    assert free_lots(state, BTC, "one") == 70
    fold(state, "order_planned", order_row("t" * 32, side="sell", qty_lots=10))
    assert free_lots(state, BTC, "one") == 60
    sent(state, order_row("u" * 32, side="sell", **stop), outcome="unknown")
    assert free_lots(state, BTC, "one") == -40  # nobody knows whether this one arrived


def test_an_exit_of_more_than_is_free_is_refused_and_an_exit_of_it_is_not() -> None:
    sums = OrderSums()
    for sell, free, ok in ((60, 60, True), (61, 60, False), (1, -40, False), (0, -40, True)):
        sums.sell_lots, sums.free_lots = sell, free
        assert order_gates.short(sums) == (ok, free, sell)
