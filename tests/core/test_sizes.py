"""Sizes worked by hand: every method, both profiles at five balances and more, caps, roundings.

What all cases share: the newest close is 100.00 (10,000 ticks of 0.01), the slippage cap 0.1 %, the
taker fee 0.1 %, a lot 0.001. The worst price of an entry is 100.10, where a lot costs 0.1001 and
with its fee 0.1002001. A stop at S is sold at S - 0.1 % (up to a whole tick), less 0.1 % of fee:

| stop | sold at | a lot brings | a lot loses |
|---|---|---|---|
| 90.00 | 89.91 | 0.08982009 | 0.01038001 |
| 95.00 | 94.91 (94.905) | 0.09481509 | 0.00538501 |
| 99.00 | 98.91 (98.901) | 0.09881109 | 0.00138901 |
| 99.99 | 99.90 (99.890010) | 0.09980010 | 0.00040000 |
| none | | 0 | 0.10020010 |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.access import Access
from trader.core.books import Book
from trader.core.desk import Desk
from trader.core.parameters import (
    Parameters,
    RegimeSpec,
    RegimeState,
    SizeSpec,
    TierSpec,
    UniverseSpec,
)
from trader.core.plan import plan
from trader.core.risk import loss_units
from trader.core.series import build_series
from trader.core.sizes import METHODS, Sized, size_entry
from trader.core.sizing import entry_cost_units

from .made import (
    BTC,
    ETH,
    UNIT,
    account,
    bars,
    instrument,
    parameters,
    quote,
    says,
    snapshot,
    strategy,
)

WORST = 10_010
# Nothing but the method decides, unless a case says so.
FREE: dict[str, Any] = {
    "position_ppm": 1_000_000,
    "exposure_ppm_max": 1_000_000,
    "order_notional_min": "10",
}


@dataclass(frozen=True)
class Case:
    """One size: what is given, and what was worked by hand.

    `stop`: ticks, 0 for none. `lots` 0: nothing, and `says` is in the answer. `bound`: see Sized.
    """

    name: str
    size: SizeSpec
    balance: str
    stop: int
    lots: int
    bound: str = ""
    says: str = ""
    strength: float = 1.0
    limits: dict[str, Any] = field(default_factory=dict[str, Any])
    strategy: dict[str, Any] = field(default_factory=dict[str, Any])
    rules: dict[str, str] = field(default_factory=dict[str, str])


CONSERVATIVE, AGGRESSIVE = SizeSpec("conservative"), SizeSpec("aggressive")


def share(ppm: int) -> SizeSpec:
    """A share of equity."""
    return SizeSpec("equity_share", share_ppm=ppm)


def risk(ppm: int) -> SizeSpec:
    """A loss to the stop."""
    return SizeSpec("risk", risk_ppm=ppm)


CASES = [
    # --- conservative: 1 % lost at 90.00, a lot loses 0.01038001
    Case("1 % of 250", CONSERVATIVE, "250", 9_000, 240),  # 2.5 / 0.01038001 = 240.85
    Case("1 % of 1,000", CONSERVATIVE, "1000", 9_000, 963),  # 10 / 0.01038001 = 963.39
    Case("1 % of 10,000", CONSERVATIVE, "10000", 9_000, 9_633),  # 100 / .. = 9,633.90
    Case("1 % of 25,000", CONSERVATIVE, "25000", 9_000, 24_084),  # 250 / .. = 24,084.76
    Case("1 % of 55,000", CONSERVATIVE, "55000", 9_000, 52_986),  # 550 / .. = 52,986.46
    Case("1 % of 100,000", CONSERVATIVE, "100000", 9_000, 96_339),  # 1,000 / .. = 96,339.02
    # --- aggressive: r(b) = 2 % x 4 ** -((b - 10,000) / 90,000) of it
    Case("2 % of 250", AGGRESSIVE, "250", 9_000, 481),  # 5 / 0.01038001 = 481.70
    Case("2 % of 1,000", AGGRESSIVE, "1000", 9_000, 1_926),  # 20 / .. = 1,926.78
    Case("2 % of 10,000", AGGRESSIVE, "10000", 9_000, 19_267),  # 200 / .. = 19,267.80
    # 4 ** -(1/6) = 0.793700...: 15,874 ppm; 25,000 x 1.5874 % = 396.85; / .. = 38,232.14
    Case("1.5874 % of 25,000", AGGRESSIVE, "25000", 9_000, 38_232),
    # 4 ** -(1/2) = 0.5: 1 %; 550 / .. = 52,986.46
    Case("1 % of 55,000, aggressive", AGGRESSIVE, "55000", 9_000, 52_986),
    # 4 ** -(3/4) = 0.353553...: 7,071 ppm; 77,500 x 0.7071 % = 548.0025; / .. = 52,794.02
    Case("0.7071 % of 77,500", AGGRESSIVE, "77500", 9_000, 52_794),
    Case("0.5 % of 100,000", AGGRESSIVE, "100000", 9_000, 48_169),  # 500 / .. = 48,169.51
    Case("0.5 % of 1,000,000", AGGRESSIVE, "1000000", 9_000, 481_695),  # 5,000 / .. = 481,695.10
    # --- risk per trade
    Case("0.5 % at 95.00", risk(5_000), "1000", 9_500, 928),  # 5 / 0.00538501 = 928.50
    Case("1 % at 99.00", risk(10_000), "1000", 9_900, 7_199),  # 10 / 0.00138901 = 7,199.37
    # 1 / 0.0004 = 2,500 lots to the last unit: 250.50 of cost
    Case("what fits exactly", risk(1_000), "1000", 9_999, 2_500),
    # without a stop all of it is lost: 11 / 0.1002001 = 109.78; 10 / .. = 99.80, which is 9.91
    Case("without a stop", risk(11_000), "1000", 0, 109),
    Case("below the smallest order", risk(10_000), "1000", 0, 0,
         says="lots=99 value_units=990990000 value_units_min=1000000000"),
    # a nearer stop than costs: 1 % of 1,000 / 0.0004 = 25,000 lots cost 2,505; the cap is 1,000
    # 1,000 / 0.1002001 = 9,980.03
    Case("the cap binds", risk(10_000), "1000", 9_999, 9_980, "policy.limits.position"),
    # --- fixed and share of equity: value / 0.1002001
    Case("100 fixed", SizeSpec("fixed", notional="100"), "1000", 9_000, 998),  # 998.003
    Case("100.2001 fixed", SizeSpec("fixed", notional="100.2001"), "1000", 9_000, 1_000),  # exact
    Case("a unit less", SizeSpec("fixed", notional="100.200099999"), "1000", 9_000, 999),
    # 50 / 0.1002001 = 499.0015
    Case("fixed of little", SizeSpec("fixed", notional="100"), "50", 9_000, 499,
         "policy.limits.position"),
    Case("5 % of 1,000", share(50_000), "1000", 9_000, 499),  # 50 / .. = 499.0015
    Case("10 % of 1,000", share(100_000), "1000", 9_000, 998),
    # --- strength and roundings
    Case("half strength", CONSERVATIVE, "1000", 9_000, 481, strength=0.5),  # 5 / .. = 481.70
    # 0.3333337 is 333,333 ppm: 3.33333 / 0.01038001 = 321.13
    Case("a third", CONSERVATIVE, "1000", 9_000, 321, strength=0.3333337),
    Case("above 1 is 1", CONSERVATIVE, "1000", 9_000, 963, strength=7.0),
    Case("none", CONSERVATIVE, "1000", 9_000, 0, says="lots=0 ", strength=0.0),
    # --- caps on value, by name
    # 5 % of 1,000: 499 lots; 963 are asked for
    Case("position", CONSERVATIVE, "1000", 9_000, 499, "policy.limits.position",
         limits={"position_ppm": 50_000}),
    Case("exposure", CONSERVATIVE, "1000", 9_000, 499, "policy.limits.exposure_max",
         limits={"exposure_ppm_max": 50_000}),
    Case("budget", CONSERVATIVE, "1000", 9_000, 499, "budget.exposure",
         strategy={"budget_exposure_ppm": 50_000}),
    # 963 lots cost 96.49: just what 9.65 % leave; 96.4 / 0.1002001 = 962.08
    Case("a cap a lot above", CONSERVATIVE, "1000", 9_000, 963, limits={"position_ppm": 96_500}),
    Case("a cap a lot below", CONSERVATIVE, "1000", 9_000, 962, "policy.limits.position",
         limits={"position_ppm": 96_400}),
    Case("the venue's quantity", CONSERVATIVE, "1000", 9_000, 300, "qty_max",
         rules={"qty_max": "0.3"}),
    # --- smallest orders and coarse steps: the lot is 0.5 (50.05 at 100.10; with fee 50.10005)
    Case("one coarse lot", share(60_000), "1000", 9_000, 1, rules={"lot": "0.5", "qty_min": "0"}),
    Case("a step larger than the position", share(50_000), "1000", 9_000, 0, says="lots=0 ",
         rules={"lot": "0.5", "qty_min": "0"}),
    Case("the strategy's own smallest", replace(CONSERVATIVE, notional_min="97"), "1000", 9_000, 0,
         says="value_units=9639630000 value_units_min=9700000000"),  # 963 x 0.1001 = 96.3963
    Case("the venue's smallest", CONSERVATIVE, "1000", 9_000, 0,
         says="value_units_min=9700000000", rules={"notional_min": "97"}),
    Case("just the smallest", replace(CONSERVATIVE, notional_min="96.3963"), "1000", 9_000, 963),
    Case("nothing asked, nothing least", CONSERVATIVE, "1000", 9_000, 0, says="SIZE_NOTHING",
         strength=0.0, limits={"order_notional_min": "0"}, rules={"notional_min": "0"}),
    # --- no equity
    Case("nothing", CONSERVATIVE, "0", 9_000, 0, says="SIZE_NOTHING equity_units=0"),
]  # fmt: skip


def desk_of(case: Case) -> Desk:
    """A desk on which one strategy sizes so."""
    listed = instrument(BTC, active=True, **case.rules)
    state = account(int(case.balance) * UNIT, listed, instrument(ETH))
    spec = strategy("one", BTC, size=case.size, budget_exposure_ppm=1_000_000)
    spec = replace(spec, **case.strategy)
    return made_desk(parameters(spec, **{**FREE, **case.limits}), state)


def made_desk(policy: Parameters, state: Any, **given: Any) -> Desk:
    """A desk with these parameters."""
    return Desk(snapshot(state, policy, **given), Access(policy.universe, {}))


def sized(case: Case) -> Sized:
    """The size of a case."""
    desk = desk_of(case)
    return size_entry(desk, desk.parameters.strategies[0], BTC, case.strength, WORST, case.stop)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_size_is_the_one_worked_by_hand(case: Case) -> None:
    found = sized(case)
    assert found.lots == case.lots
    assert case.says in found.answer
    if case.lots:
        assert found.answer == ""
        assert found.told["bound"] == (case.bound or case.size.method)


def test_there_are_forty_cases() -> None:
    assert len(CASES) >= 40


# --- Kelly ---------------------------------------------------------------------------------------

# wins, losses, won, lost (ppm, sums), fraction, least trades, cap -> lots on 1,000 with a stop at
# 90.00 (a lot loses 0.01038001). p = wins / n, b = mean win / mean loss, f = p - (1 - p) / b,
# shrunk by n / (n + least).
KELLY = [
    # p 0.6, b 2: f 0.6 - 0.2 = 0.4; x 50 / 80 = 0.25; x 5 % = 1.25 %: 12.5 / .. = 1,204.24
    ((30, 20, 600_000, 200_000), 50_000, 30, 20_000, 1_204),
    # x 25 % = 6.25 %, the cap 2 %: 20 / .. = 1,926.78
    ((30, 20, 600_000, 200_000), 250_000, 30, 20_000, 1_926),
    # p 0.5, b 1.5: f 0.5 - 0.3333 = 0.166667; x 40 / 80 = 0.083333; x 20 % = 16,666 ppm; 1,605.58
    ((20, 20, 300_000, 200_000), 200_000, 40, 20_000, 1_605),
    # p 0.25, b 4: f 0.25 - 0.1875 = 0.0625; x 100 / 130 = 0.048077; x 25 % = 12,019 ppm; 1,157.88
    ((25, 75, 1_000_000, 750_000), 250_000, 30, 20_000, 1_157),
    # without a loss f is p = 1: x 30 / 60 = 0.5, the cap
    ((30, 0, 600_000, 0), 250_000, 30, 20_000, 1_926),
    # no edge: b 1 and p 0.5; then b 0.5; then no win at all
    ((25, 25, 250_000, 250_000), 250_000, 30, 20_000, 0),
    ((25, 25, 250_000, 500_000), 250_000, 30, 20_000, 0),
    ((0, 50, 0, 500_000), 250_000, 30, 20_000, 0),
    # nobody won or lost anything
    ((0, 50, 0, 0), 250_000, 30, 20_000, 0),
    # no evidence: 29 of 30
    ((29, 0, 600_000, 0), 250_000, 30, 20_000, 0),
]


@pytest.mark.parametrize(("results", "fraction", "least", "cap", "lots"), KELLY)
def test_kelly_from_given_results(
    results: tuple[int, int, int, int], fraction: int, least: int, cap: int, lots: int
) -> None:
    size = SizeSpec("kelly", fraction_ppm=fraction, trades_min=least, risk_ppm_max=cap)
    desk = desk_of(Case("", size, "1000", 9_000, lots))
    names = ("wins", "losses", "won_ppm", "lost_ppm")
    book = Book({"strategy": "one", **dict(zip(names, results, strict=True))})
    desk.snapshot.state.books["one"] = book
    found = size_entry(desk, desk.parameters.strategies[0], BTC, 1.0, WORST, 9_000)
    assert found.lots == lots
    if not lots:
        assert found.answer.startswith("SIZE_NOTHING bound=kelly lots=0 ")
        assert found.told["kelly_ppm"] == 0


def test_kelly_without_a_book_is_nothing() -> None:
    found = sized(Case("", SizeSpec("kelly"), "1000", 9_000, 0))
    assert found.lots == 0
    names = ("kelly_ppm", "losses", "lost_ppm", "risk_ppm", "trades_min", "wins", "won_ppm")
    assert [found.told[name] for name in names] == [0, 0, 0, 0, 30, 0, 0]


# --- volatility ----------------------------------------------------------------------------------


def volatile(closes: list[int], **size: Any) -> Sized:
    """A volatility size on 1,000 from these minute closes; span 3: 12 returns are read."""
    policy = parameters(
        strategy("one", BTC, size=SizeSpec("volatility", span_bars=3, **size)),
        **{**FREE, "missing_ppm_max": 0},
    )
    desk = made_desk(policy, account(1_000 * UNIT), series={(BTC, "1m"): bars(closes)})
    return size_entry(desk, desk.parameters.strategies[0], BTC, 1.0, WORST, 9_000)


# Of span 3 a return weighs half of the one after it: 1 + 1/2 + ... (12 of them) = 1.99951171875.
# A year has 525,600 minutes.
FLAT = [10_000] * 12


def test_volatility_by_hand() -> None:
    # One return of 1 %, the newest: 0.0001 / 1.9995117 x 525,600 = 26.28642; its root 5.127028.
    # 100 % / 5.127028 = 19.5044 % of 1,000: 195.044 / 0.1002001 = 1,946.545
    found = volatile([*FLAT, 10_100], volatility_ppm=1_000_000, share_ppm=1_000_000)
    assert (found.lots, found.told["share_ppm"]) == (1_946, 195_044)
    # The same two bars ago weighs a quarter: its root is 5.127028 / 2.
    found = volatile([*FLAT[:10], 10_100, 10_100, 10_100], volatility_ppm=1_000_000)
    assert found.told["share_ppm"] == 50_000  # at most `share`
    # Both 1 %: 1.5 x as much variance: 6.279301; 15.9253 % of 1,000: 159.253 / .. = 1,589.35
    found = volatile(
        [*FLAT[:11], 10_000, 10_100, 10_201][-13:], volatility_ppm=1_000_000, share_ppm=1_000_000
    )
    assert (found.lots, found.told["share_ppm"]) == (1_589, 159_253)


def test_volatility_does_not_depend_on_what_came_before_its_window() -> None:
    window = [10_000 + 7 * (i % 5) for i in range(13)]
    alone = volatile(window, volatility_ppm=100_000, share_ppm=1_000_000)
    after = volatile([5_000, 20_000, *window], volatility_ppm=100_000, share_ppm=1_000_000)
    assert alone.told == after.told
    assert alone.lots == after.lots > 0


def test_bars_before_the_window_do_not_make_up_for_one_that_is_missing() -> None:
    policy = parameters(
        strategy("one", BTC, size=SizeSpec("volatility", span_bars=3)),
        **{**FREE, "missing_ppm_max": 0},
    )
    whole = bars([*FLAT, 10_100, 10_200, 10_100])
    rows = [row for number, row in enumerate(whole.rows()) if number != 8]
    holed = build_series(BTC, whole.step_ms, whole.tick, rows)
    desk = made_desk(policy, account(1_000 * UNIT), series={(BTC, "1m"): holed})
    found = size_entry(desk, desk.parameters.strategies[0], BTC, 1.0, WORST, 9_000)
    assert found.answer == "SIZE_NOT_READY bars=12 bars_min=13 method=volatility"


@pytest.mark.parametrize(
    ("closes", "answer"),
    [
        (FLAT, "SIZE_NOT_READY bars=12 bars_min=13 method=volatility"),
        ([*FLAT, 10_000], "SIZE_NOT_READY method=volatility volatility=0x0.0p+0"),
    ],
)
def test_volatility_that_cannot_be_told_is_refused_by_name(closes: list[int], answer: str) -> None:
    found = volatile(closes, volatility_ppm=100_000)
    assert (found.lots, found.answer) == (0, answer)


# --- what surrounds a size -----------------------------------------------------------------------


def test_a_tiers_weight_is_a_cap_by_name() -> None:
    universe = UniverseSpec(tiers=(TierSpec("core", (BTC,), weight_ppm=50_000),))
    spec = strategy("one", BTC, size=CONSERVATIVE)
    policy = replace(parameters(spec, **FREE), universe=universe)
    found = size_entry(made_desk(policy, account(1_000 * UNIT)), spec, BTC, 1.0, WORST, 9_000)
    assert (found.lots, found.told["bound"]) == (499, "universe.tiers.core.weight")
    # Of caps that are equal the first is named.
    limits = {**FREE, "position_ppm": 50_000}
    policy = replace(parameters(spec, **limits), universe=universe)
    found = size_entry(made_desk(policy, account(1_000 * UNIT)), spec, BTC, 1.0, WORST, 9_000)
    assert (found.lots, found.told["bound"]) == (499, "policy.limits.position")


def test_a_regime_takes_its_share_of_every_size() -> None:
    state = RegimeState("bear", "", (), 500_000)
    universe = UniverseSpec(regime=RegimeSpec(BTC, "1m", 60_000, 1, (state,), {}))
    spec = strategy("one", BTC, size=CONSERVATIVE)
    made = snapshot(account(1_000 * UNIT), replace(parameters(spec, **FREE), universe=universe))
    desk = Desk(made, Access(universe, {}, "bear"))
    # 10 x 50 % = 5: / 0.01038001 = 481.70; and of it half the strength: 2.5 / .. = 240.85
    found = size_entry(desk, spec, BTC, 1.0, WORST, 9_000)
    assert (found.lots, found.told["risk_units"], found.told["regime_ppm"]) == (
        481,
        5 * UNIT,
        500_000,
    )
    assert size_entry(desk, spec, BTC, 0.5, WORST, 9_000).lots == 240


def test_a_size_says_what_it_costs_and_loses() -> None:
    found = sized(CASES[1])
    # 963 x 0.1002001 = 96.4926963; 963 x 0.01038001 = 9.99594963
    assert found.told == {
        "bound": "conservative",
        "cap_units": 1_000 * UNIT,
        "cost_units": 9_649_269_630,
        "equity_units": 1_000 * UNIT,
        "loss_units": 999_594_963,
        "method": "conservative",
        "risk_ppm": 10_000,
        "risk_units": 10 * UNIT,
        "worst_ticks": 10_010,
    }


@pytest.mark.parametrize(
    ("cash", "answer"),
    [
        (-5, "SIZE_NOTHING equity_units=-5"),
        (0, "SIZE_NOTHING equity_units=0"),
        (1, "SIZE_NOTHING bound=conservative lots=0 value_units=0 value_units_min=1000000000"),
    ],
)
def test_an_account_of_nothing_sizes_nothing_and_says_its_equity(cash: int, answer: str) -> None:
    desk = desk_of(CASES[1])
    desk.snapshot.state.meta["cash_units"] = cash
    desk = Desk(desk.snapshot, desk.access)
    found = size_entry(desk, desk.parameters.strategies[0], BTC, 1.0, WORST, 9_000)
    assert (found.lots, found.answer) == (0, answer)


# Closes, the stop's distance, the quote and the answer: the stop is never moved.
STOPS = [
    (10_000, 1.0, None, "approved"),
    # one tick: the nearest stop there is
    (10_000, 0.000001, None, "approved"),
    # a stop at the lowest price there is, which is the price
    (1, 0.5, (1, 1), "STOP_SIDE limit=1 measured=1 unit=ticks"),
    # the ask has fallen to the stop: 9,890 + 0.1 % = 9,899
    (10_000, 1.0, (9_880, 9_890), "STOP_SIDE limit=9899 measured=9900 unit=ticks"),
    (10_000, 1.0, (9_880, 9_892), "approved"),  # 9,901
    (10_000, 1e30, None, "AMOUNT_OVERFLOW"),
]


@pytest.mark.parametrize(("close", "distance", "touch", "answer"), STOPS)
def test_a_stop_on_the_wrong_side_is_refused_by_name(
    close: int, distance: float, touch: tuple[int, int] | None, answer: str
) -> None:
    policy = parameters(strategy(size=share(100_000)), **FREE, spread_ppm_max=1_000_000)
    given: dict[str, Any] = {"strategies": {"one": says(stop=distance)}}
    given["series"] = {(BTC, "1m"): bars([close, close])}
    if touch:
        given["quotes"] = {BTC: quote(*touch)}
    decided = plan(snapshot(account(), policy, **given))
    assert [row.answer for row in decided.trail] == [answer]


@pytest.mark.parametrize("strength", [1e30, 1e300])
def test_a_strategy_that_asks_for_too_much_is_refused_by_name(strength: float) -> None:
    decided = plan(snapshot(account(), strategies={"one": says(strength=strength)}))
    assert [row.answer for row in decided.trail] == ["AMOUNT_OVERFLOW"]


@pytest.mark.parametrize(
    "size",
    [SizeSpec("fixed", notional="100000000000"), replace(CONSERVATIVE, notional_min="1e11")],
)
def test_an_amount_that_the_cash_cannot_say_is_refused_by_name(size: SizeSpec) -> None:
    # 10**11 x 10**8 units is above 2**62
    decided = plan(snapshot(account(), parameters(strategy(size=size))))
    assert [row.answer for row in decided.trail] == ["AMOUNT_OVERFLOW"]


# --- laws ----------------------------------------------------------------------------------------

BALANCES = st.integers(1, 10**15)
SHARES = st.integers(100, 200_000)
PLAIN = st.sampled_from(["equity_share", "risk", "conservative", "aggressive", "kelly"])


def lawful(method: str, ppm: int) -> SizeSpec:
    """A size of a method whose own number is this one."""
    return SizeSpec(method, share_ppm=ppm, risk_ppm=ppm, risk_ppm_max=ppm, trades_min=1)


def any_sized(
    size: SizeSpec, units: int, stop: int, cap: int, strength: float = 1.0
) -> tuple[Desk, Sized]:
    """A size on an account of so many cash units, whose position is capped at `cap` ppm."""
    state = account(units)
    names = {"wins": 60, "losses": 30, "won_ppm": 900_000, "lost_ppm": 300_000}
    state.books["one"] = Book({"strategy": "one", **names})
    limits = {**FREE, "position_ppm": cap, "order_notional_min": "0"}
    desk = made_desk(parameters(strategy("one", BTC, size=size), **limits), state)
    spec = desk.parameters.strategies[0]
    return desk, size_entry(desk, spec, BTC, strength, WORST, stop)


@given(PLAIN, SHARES, BALANCES, st.integers(0, 9_999), st.integers(100, 1_000_000))
def test_no_rounding_leads_above_a_cap_or_a_loss(
    method: str, ppm: int, units: int, stop: int, cap: int
) -> None:
    desk, found = any_sized(lawful(method, ppm), units, stop, cap)
    spec = desk.snapshot.state.spec(BTC)
    if not found.lots:
        return
    assert found.lots <= spec.qty_lots_max
    assert entry_cost_units(spec, WORST, found.lots) * 1_000_000 <= units * cap
    if "risk_units" in found.told:
        lost = loss_units(spec, WORST, found.lots, stop, 1_000)
        assert lost <= int(found.told["risk_units"])
        more = loss_units(spec, WORST, found.lots + 1, stop, 1_000)
        # One lot more would break the loss, the cap, or the venue's quantity.
        assert more > int(found.told["risk_units"]) or found.told["bound"] != method


@given(PLAIN, SHARES, SHARES, BALANCES, st.integers(1, 9_999), st.integers(1_000, 1_000_000))
def test_a_smaller_number_never_makes_a_larger_size(
    method: str, one: int, other: int, units: int, stop: int, cap: int
) -> None:
    small, large = sorted((one, other))
    asked = [any_sized(lawful(method, ppm), units, stop, cap)[1].lots for ppm in (small, large)]
    assert asked[0] <= asked[1]
    capped = [any_sized(lawful(method, large), units, stop, ppm)[1].lots for ppm in (small, large)]
    assert capped[0] <= capped[1]


@given(PLAIN, SHARES, BALANCES, st.integers(1, 9_998), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_weaker_signal_never_makes_a_larger_size(
    method: str, ppm: int, units: int, stop: int, one: float, other: float
) -> None:
    weak, strong = sorted((one, other))
    lots = [
        any_sized(lawful(method, ppm), units, stop, 1_000_000, by)[1].lots for by in (weak, strong)
    ]
    assert lots[0] <= lots[1]
    nearer = any_sized(lawful(method, ppm), units, stop + 1, 1_000_000, strong)[1].lots
    assert lots[1] <= nearer


def test_every_method_has_a_case() -> None:
    assert set(METHODS) == {c.size.method for c in CASES} | {"kelly", "volatility", "risk_parity"}
