"""What each strategy would really trade, worked by hand, and the smallest account that can."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.scale import Spec, notional_down
from trader.core.sizing import entry_lots
from trader.domain.instrument import Instrument
from trader.policy.checking import check_policy
from trader.policy.effective_sizes import EffectiveSizes, StrategySize, effective_sizes
from trader.policy.findings import Form, percent
from trader.policy.sources import find_sources

from .conftest import FindSources
from .good_policy import write_files

STRATEGIES = """
cross: {}
dip:
  enter: close < open
  stop: 5%
  size: {equity_share: 20%}
  budget: {positions_max: 1}
small:
  file: cross.py
  size: {equity_share: 1%}
"""
# Fee 0.1 %, slippage 0.1 %, smallest order 10. order = account x share / 1.001, down to cents;
# from = 10 x 1.001 / share, up to cents; at the stop = order x 5 %, up to cents.
#
# `cross` takes the profile's size and its file decides the stop: 5 % is assumed. There a cost of 1
# loses 1 - 0.95 x 0.999**2 / 1.001**2 = 0.05379241: to lose 1 % it may cost 18.58998 % of equity,
# to lose 2 % 37.17997 %, to lose 0.5 % 9.294991 %.
#
# profile, account: [(wants, order, at the stop, trades) of cross, dip, small]
BY_HAND: dict[tuple[str, str], list[tuple[str, str, str | None, bool]]] = {
    # conservative: cross 1 % lost; dip wants 20 %, position leaves 19 %; small 1 % of value
    ("conservative", "250"): [
        ("46.47", "46.42", None, True),  # 250 x 0.1858998 = 46.4749; / 1.001 = 46.4285
        ("50.00", "47.45", "2.38", True),  # 47.5 / 1.001 = 47.4525; x 5 % = 2.3725
        ("2.50", "2.49", None, False),  # 2.5 / 1.001 = 2.4975
    ],
    ("conservative", "258.82"): [
        ("48.11", "48.06", None, True),  # 48.1145 / 1.001 = 48.0665
        ("51.76", "49.12", "2.46", True),  # 49.1758 / 1.001 = 49.1266; x 5 % = 2.456
        ("2.58", "2.58", None, False),  # 2.5882 / 1.001 = 2.5856
    ],
    ("conservative", "1000"): [
        ("185.89", "185.71", None, True),  # 185.8998 / 1.001 = 185.7141
        ("200.00", "189.81", "9.50", True),  # 190 / 1.001 = 189.8101; x 5 % = 9.4905
        ("10.00", "9.99", None, False),  # one cent short of the smallest order
    ],
    ("conservative", "10000"): [
        ("1858.99", "1857.14", None, True),
        ("2000.00", "1898.10", "94.91", True),
        ("100.00", "99.90", None, True),
    ],
    ("conservative", "100000"): [
        ("18589.98", "18571.41", None, True),
        ("20000.00", "18981.01", "949.06", True),  # 19000 / 1.001 = 18981.0189; x 5 % = 949.0505
        ("1000.00", "999.00", None, True),
    ],
    # aggressive: cross 2 % lost wants 37.18 %, position leaves 33 %; at 100,000 0.5 %
    ("aggressive", "250"): [
        ("92.94", "82.41", None, True),  # 82.5 / 1.001 = 82.4175
        ("50.00", "49.95", "2.50", True),  # 50 / 1.001 = 49.9500; x 5 % = 2.4975
        ("2.50", "2.49", None, False),
    ],
    ("aggressive", "258.82"): [
        ("96.22", "85.32", None, True),  # 85.4106 / 1.001 = 85.3252
        ("51.76", "51.71", "2.59", True),  # 51.764 / 1.001 = 51.7122; x 5 % = 2.5855
        ("2.58", "2.58", None, False),
    ],
    ("aggressive", "1000"): [
        ("371.79", "329.67", None, True),  # 330 / 1.001 = 329.6703
        ("200.00", "199.80", "9.99", True),
        ("10.00", "9.99", None, False),
    ],
    ("aggressive", "10000"): [
        ("3717.99", "3296.70", None, True),
        ("2000.00", "1998.00", "99.90", True),
        ("100.00", "99.90", None, True),
    ],
    ("aggressive", "100000"): [
        ("9294.99", "9285.70", None, True),  # 0.5 %: 9294.9914 / 1.001 = 9285.7057
        ("20000.00", "19980.01", "999.01", True),  # 20000 / 1.001 = 19980.0199; x 5 % = 999.0005
        ("1000.00", "999.00", None, True),
    ],
}
# profile: smallest account of cross, dip, small
FROM = {
    # 10.01 / 18.58998 % = 53.846, / 19 % = 52.685, / 1 %
    "conservative": ["53.85", "52.69", "1001.00"],
    # 10.01 / 33 % = 30.334, / 20 % = 50.05, / 1 %
    "aggressive": ["30.34", "50.05", "1001.00"],
}
# profile, account: the caps that bind cross and dip
BINDS = {
    "conservative": ([], ["policy.limits.position"]),
    "aggressive": (["policy.limits.position"], []),
}


@pytest.mark.parametrize(("profile", "account"), BY_HAND)
def test_sizes_of_the_ready_profiles_are_those_worked_by_hand(
    sources_of: FindSources, profile: str, account: str
) -> None:
    form = _form(sources_of, policy=f"profile: {profile}\n", strategies=STRATEGIES)
    sizes = effective_sizes(form, Decimal(account))
    rows = [
        (str(row.wanted), str(row.order), row.loss and str(row.loss), row.trades)
        for row in sizes.rows
    ]
    assert rows == BY_HAND[profile, account]
    assert [str(row.account_min) for row in sizes.rows] == FROM[profile]
    assert str(sizes.account_min) == min(FROM[profile], key=Decimal)
    assert str(sizes.account_all) == "1001.00"
    cross, dip = BINDS[profile]
    # 0.5 % of a large account is below every cap.
    cross = cross if account != "100000" else []
    assert [[cap.name for cap in row.binds] for row in sizes.rows] == [cross, dip, []]
    assert [row.assumed for row in sizes.rows] == ["a stop of 5%", "", ""]


def test_every_ready_profile_trades_from_250_up_with_the_size_it_gives(
    sources_of: FindSources,
) -> None:
    for profile in ("conservative", "aggressive", "none"):
        form = _form(sources_of, policy=f"profile: {profile}\n", strategies="cross: {}\n")
        assert _only(effective_sizes(form, Decimal(250))).trades, profile


def test_from_where_on_a_strategy_trades_in_every_regime_that_opens_it(
    sources_of: FindSources,
) -> None:
    # 10.01 / (5 % x 50 %) = 400.40 in calm, / (5 % x 20 %) = 1001.00 in bear; crash opens nothing
    universe = (
        "tiers: {core: {pairs: [BTC/USDT]}}\nregime:\n  states:\n"
        "    crash: {when: close < 1, tiers: [], risk: 0%}\n"
        "    bear: {when: close < 9, tiers: [core], risk: 20%}\n"
        "    calm: {tiers: [core], risk: 50%}\n"
    )
    files = {"strategies": "cross: {}\n", "universe": universe}
    row = _only(effective_sizes(_form(sources_of, **files), Decimal(500)))
    assert (str(row.account_min), str(row.account_always)) == ("400.40", "1001.00")
    few = {**files, "app": "capital: 900\n"}
    row = _only(effective_sizes(_form(sources_of, **few), Decimal(500)))
    assert (str(row.account_min), row.account_always) == ("400.40", None)


# A policy: its files, then what binds, the order on 10,000, the smallest account, what closes it.
CASES: list[tuple[str, dict[str, str], list[str], str, str | None, str]] = [
    ("as it is", {}, [], "499.50", "200.20", ""),
    (
        "a tier's weight",
        {"universe": "tiers: {core: {pairs: [BTC/USDT], weight: 2%}}\n"},
        ["universe.tiers.core.weight"],
        "199.80",
        "500.50",
        "",
    ),
    (
        "the best of two tiers",
        {
            "universe": "tiers: {core: {pairs: [BTC/USDT], weight: 2%}, "
            "event: {pairs: [ETH/USDT], weight: 4%}}\n"
        },
        ["universe.tiers.event.weight"],
        "399.60",
        "250.25",
        "",
    ),
    (
        "the most favourable regime",
        {
            "universe": "tiers: {core: {pairs: [BTC/USDT]}}\nregime:\n  states:\n"
            "    bear: {when: close < 9, tiers: [core], risk: 20%}\n"
            "    calm: {tiers: [core], risk: 50%}\n"
        },
        ["universe.regime"],
        "249.75",  # 5 % x 50 % of 10,000 = 250; / 1.001 = 249.7502
        "400.40",
        "",
    ),
    (
        "two caps, the tightest first",
        {
            "policy": "limits: {position: 4%, exposure_max: 20%}\n",
            "strategies": "cross: {budget: {exposure: 3%}}\n",
        },
        ["budget.exposure", "policy.limits.position"],
        "299.70",
        "333.67",  # 10.01 / 3 % = 333.6666
        "",
    ),
    (
        "a smallest order of its own",
        {"strategies": "cross: {size: {notional_min: 25}}\n"},
        [],
        "499.50",
        "500.50",
        "",
    ),
    (
        "the venue's smallest order",
        {"policy": "limits: {order_notional_min: 1}\n"},
        [],
        "499.50",
        "100.10",
        "",
    ),
    ("a slice of the account", {"app": "capital: 3000\n"}, [], "149.85", "200.20", ""),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_each_cap_binds_by_name(
    sources_of: FindSources, case: tuple[str, dict[str, str], list[str], str, str | None, str]
) -> None:
    _, files, binds, order, start, closed = case
    row = _only(effective_sizes(_form(sources_of, **files), Decimal(10_000)))
    assert [cap.name for cap in row.binds] == binds
    assert (str(row.order), row.account_min and str(row.account_min)) == (order, start)
    assert row.closed == closed
    assert row.trades


# A size, a stop (or "" for the file's), then on 10,000 with position 50 %: what is asked for, the
# order, what is lost of it with costs, and the smallest account. lost at 5 % = 0.05379241 as above,
# at 10 % 1 - 0.9 x 0.998001 / 1.002001 = 0.10359281 of the cost.
METHODS: list[tuple[str, str, str, str, str | None, str]] = [
    # 2 % / 0.10359281 = 19.30636 %; order 1930.636 / 1.001 = 1928.707; lost 2 % of 10,000
    ("method: risk, loss: 2%", "10%", "19.3063%", "1928.70", "200.00", "51.85"),
    # left out: 1 %
    ("method: risk", "10%", "9.6531%", "964.35", "100.00", "103.70"),
    ("method: conservative", "10%", "9.6531%", "964.35", "100.00", "103.70"),
    # 10,000 is where 2 % ends
    ("method: aggressive", "10%", "19.3063%", "1928.70", "200.00", "51.85"),
    # 250 of 10,000, whatever it is worth; the caps (50 %) leave 10.01 of 20.02
    ("method: fixed, notional: 250", "10%", "2.5%", "249.75", "25.90", "20.02"),
    # 20 % a year at an assumed 60 %: a third, below the position's cap
    ("method: volatility", "10%", "33.3333%", "3330.00", "345.31", "30.03"),
    ("method: volatility, equity_share: 10%", "10%", "10%", "999.00", "103.60", "100.10"),
    # its cap: 2 % / 0.10359281
    ("method: kelly", "10%", "19.3063%", "1928.70", "200.00", "51.85"),
    # 100 % (exposure_max) over two instruments
    ("method: risk_parity", "10%", "50%", "4995.00", "517.97", "20.02"),
    ("method: risk_parity, equity_share: 8%", "10%", "4%", "399.60", "41.44", "250.25"),
]


@pytest.mark.parametrize("case", METHODS, ids=[f"{case[0]} {case[1]}" for case in METHODS])
def test_each_method_asks_for_what_was_worked_by_hand(
    sources_of: FindSources, case: tuple[str, str, str, str, str | None, str]
) -> None:
    size, stop, asked, order, lost, start = case
    text = f"dip: {{enter: close < open, stop: {stop}, size: {{{size}}}}}\n"
    limits = "limits: {position: 50%, positions_max: 2, exposure_max: 100%, loss_max: 10%, "
    policy = limits + "day_stop: 12%, rolling_loss: 15%, drawdown_max: 20%}\n"
    universe = "tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\n"
    form = _form(sources_of, strategies=text, policy=policy, universe=universe)
    row = _only(effective_sizes(form, Decimal(10_000)))
    assert percent(row.asked) == asked
    assert (str(row.order), str(row.loss_all), str(row.account_min)) == (order, lost, start)
    assert row.trades


def test_an_order_above_the_largest_is_refused_and_said_so(sources_of: FindSources) -> None:
    form = _form(sources_of, policy="limits: {order_value_max: 499}\n")
    row = _only(effective_sizes(form, Decimal(10_000)))
    assert row.large == "an order of 499.50 is above policy.limits.order_value_max 499"
    assert not row.trades
    assert _only(effective_sizes(form, Decimal(9_000))).trades


def test_a_fixed_amount_below_the_smallest_order_trades_on_no_account(
    sources_of: FindSources,
) -> None:
    text = "cross: {size: {method: fixed, notional: 10}}\n"
    form = _form(sources_of, policy="limits: {order_notional_min: 5}\n", strategies=text)
    assert _only(effective_sizes(form, Decimal(500))).trades
    # 10 with its fee included buys 9.99
    form["policy"]["limits"]["order_notional_min"] = "10"
    row = _only(effective_sizes(form, Decimal(500)))
    assert row.closed == "its size is below policy.limits.order_notional_min 10 on any account"
    assert not row.trades


def test_a_strategy_that_is_off_or_in_the_shadow_has_no_size(sources_of: FindSources) -> None:
    text = "cross: {enabled: false}\nother: {file: cross.py, shadow: true}\n"
    sizes = effective_sizes(_form(sources_of, strategies=text), Decimal(10_000))
    assert sizes.rows == ()
    assert (sizes.account_min, sizes.account_all) == (None, None)


def test_an_account_of_nothing_trades_nothing(sources_of: FindSources) -> None:
    row = _only(effective_sizes(_form(sources_of), Decimal(0)))
    assert (row.order, row.trades, str(row.account_min)) == (0, False, "200.20")


@pytest.fixture(scope="module")
def form() -> Form:
    """A checked policy of three strategies."""
    with tempfile.TemporaryDirectory() as place:
        write_files(Path(place) / "config", {"strategies": STRATEGIES})
        return check_policy(find_sources([], cwd=Path(place), env={}), {}).form


@given(
    share=st.integers(100, 1_000_000),
    position=st.integers(100, 1_000_000),
    least=st.integers(1, 100_000),
)
def test_the_smallest_account_trades_and_a_cent_less_does_not(
    form: Form, share: int, position: int, least: int
) -> None:
    form["strategies"]["cross"]["size"]["equity_share"] = str(Decimal(share).scaleb(-6))
    form["policy"]["limits"]["position"] = str(Decimal(position).scaleb(-6))
    form["policy"]["limits"]["order_notional_min"] = str(Decimal(least).scaleb(-2))
    start = effective_sizes(form, Decimal(0)).rows[0].account_min
    assert start is not None
    assert effective_sizes(form, start).rows[0].trades
    assert not effective_sizes(form, start - Decimal("0.01")).rows[0].trades


@pytest.mark.parametrize(("profile", "account"), BY_HAND)
def test_the_order_is_what_the_core_sizes_within_a_lot(
    sources_of: FindSources, profile: str, account: str
) -> None:
    form = _form(sources_of, policy=f"profile: {profile}\n", strategies=STRATEGIES)
    rules = {"tick": "0.01", "lot": "0.001", "qty_min": "0.001", "qty_max": "9000"}
    rules |= {"notional_min": "5", "fee_taker": "0.001", "fee_maker": "0.001"}
    exact = {name: Decimal(value) for name, value in rules.items()}
    spec = Spec(Instrument(symbol="A/USDT", base="A", quote="USDT", active=True, **exact), 8)
    equity, price_ticks = int(Decimal(account) * 10**8), 10_010
    for row in effective_sizes(form, Decimal(account)).rows:
        budget = int(equity * row.share)
        lots = entry_lots(spec, price_ticks, budget, budget)
        value = Decimal(notional_down(spec, price_ticks, lots)).scaleb(-8)
        one_lot = Decimal(notional_down(spec, price_ticks, 1)).scaleb(-8)
        # The table's order is cut to cents as well.
        assert -Decimal("0.01") < row.order - value < one_lot


def _form(sources_of: FindSources, **files: str) -> Form:
    return check_policy(sources_of(**files), {}).form


def _only(sizes: EffectiveSizes) -> StrategySize:
    (row,) = sizes.rows
    return row
