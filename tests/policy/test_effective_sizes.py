"""What each strategy would really trade, worked by hand, and the smallest account that can."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.core.money import PPM, mul_div_down
from trader.core.scale import Spec, notional_down
from trader.core.sizing import entry_lots
from trader.domain.instrument import Instrument
from trader.policy.checking import check_policy
from trader.policy.effective_sizes import EffectiveSizes, StrategySize, effective_sizes
from trader.policy.findings import Form
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
# Fee 0.1 %, smallest order 10. order = account x share / 1.001, down to cents;
# from = 10 x 1.001 / share, up to cents; at the stop = order x 5 %, up to cents.
#
# profile, account: [(wants, order, at the stop, trades) of cross, dip, small]
BY_HAND: dict[tuple[str, str], list[tuple[str, str, str | None, bool]]] = {
    # conservative: cross 5 %; dip wants 20 %, position leaves 6 %; small 1 %
    ("conservative", "250"): [
        ("12.50", "12.48", None, True),  # 12.5 / 1.001 = 12.4875
        ("50.00", "14.98", "0.75", True),  # 15 / 1.001 = 14.9850; x 5 % = 0.749
        ("2.50", "2.49", None, False),  # 2.5 / 1.001 = 2.4975
    ],
    ("conservative", "258.82"): [
        ("12.94", "12.92", None, True),  # 12.941 / 1.001 = 12.9280
        ("51.76", "15.51", "0.78", True),  # 15.5292 / 1.001 = 15.5136; x 5 % = 0.7755
        ("2.58", "2.58", None, False),  # 2.5882 / 1.001 = 2.5856
    ],
    ("conservative", "1000"): [
        ("50.00", "49.95", None, True),
        ("200.00", "59.94", "3.00", True),  # 59.94 x 5 % = 2.997
        ("10.00", "9.99", None, False),  # one cent short of the smallest order
    ],
    ("conservative", "10000"): [
        ("500.00", "499.50", None, True),
        ("2000.00", "599.40", "29.97", True),
        ("100.00", "99.90", None, True),
    ],
    ("conservative", "100000"): [
        ("5000.00", "4995.00", None, True),
        ("20000.00", "5994.00", "299.70", True),
        ("1000.00", "999.00", None, True),
    ],
    # aggressive: cross 10 %; dip wants 20 %, position leaves 12 %; small 1 %
    ("aggressive", "250"): [
        ("25.00", "24.97", None, True),  # 25 / 1.001 = 24.9750
        ("50.00", "29.97", "1.50", True),  # 30 / 1.001 = 29.9700; x 5 % = 1.4985
        ("2.50", "2.49", None, False),
    ],
    ("aggressive", "258.82"): [
        ("25.88", "25.85", None, True),  # 25.882 / 1.001 = 25.8561
        ("51.76", "31.02", "1.56", True),  # 31.0584 / 1.001 = 31.0273; x 5 % = 1.551
        ("2.58", "2.58", None, False),
    ],
    ("aggressive", "1000"): [
        ("100.00", "99.90", None, True),
        ("200.00", "119.88", "6.00", True),  # 119.88 x 5 % = 5.994
        ("10.00", "9.99", None, False),
    ],
    ("aggressive", "10000"): [
        ("1000.00", "999.00", None, True),
        ("2000.00", "1198.80", "59.94", True),
        ("100.00", "99.90", None, True),
    ],
    ("aggressive", "100000"): [
        ("10000.00", "9990.00", None, True),
        ("20000.00", "11988.01", "599.41", True),  # 12000 / 1.001 = 11988.0119; x 5 % = 599.4005
        ("1000.00", "999.00", None, True),
    ],
}
# profile: smallest account of cross, dip, small
FROM = {
    "conservative": ["200.20", "166.84", "1001.00"],  # 10.01 / 5 %, / 6 % = 166.8333, / 1 %
    "aggressive": ["100.10", "83.42", "1001.00"],  # 10.01 / 10 %, / 12 % = 83.4166, / 1 %
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
    assert [str(sizes.account_min), str(sizes.account_all)] == [FROM[profile][1], "1001.00"]
    assert [[cap.name for cap in row.binds] for row in sizes.rows] == [
        [],
        ["policy.limits.position"],
        [],
    ]


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
        budget = mul_div_down(equity, int(row.share * PPM), PPM)
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
