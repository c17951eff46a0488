"""What holds for all gates over one order: exits go on, names are given, tighter is never wider."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trader.core.limits import Home, Restricted
from trader.core.parameters import Parameters
from trader.core.plan import plan
from trader.core.snapshot import CoreQuote
from trader.domain.order import Side

from .made import BTC, NOW_MS, account, bars, hold, parameters, quote, says, snapshot
from .order_scenes import EUR
from .test_order_gates import GATES, buy, made, noes, walk

TIGHT: dict[str, Any] = {
    "clock_skew_ms_max": 0,
    "restricted": Restricted((BTC,), ("buy",), ("limit",), ("binance",)),
    "repaint_ppm_max": 0,
    "spread_ppm_max": 0,
    "collar_window_ppm": 1,
    "order_value_max": "0",
    "home": Home("EUR", EUR, "0", 1),
    "order_qty_max": "0",
    "volume_ppm_max": 1,
    "depth_ppm_max": 1,
}


def test_none_of_these_gates_stops_an_exit() -> None:
    state = account()
    hold(state)
    leave = {"one": says(enter=0, leave=1)}
    shot = snapshot(
        state,
        parameters(**TIGHT),
        strategies=leave,
        skew_ms=9_999_999,
        repaints={BTC: 999_999},
        quotes={BTC: quote(5_000, 10_001)},
    )
    (leg,) = plan(shot).legs
    assert (leg.proposal.side, leg.proposal.qty_lots) == (Side.SELL, 100)


def test_each_of_these_limits_alone_refuses_an_entry_by_its_name() -> None:
    found: set[str] = set()
    seen: dict[str, Any] = {"skew_ms": 1, "repaints": {BTC: 1}}
    seen["series"] = {(BTC, "1m"): bars([5_000] * 30 + [10_000, 10_000])}
    for name, value in TIGHT.items():
        (refused,) = plan(snapshot(account(), parameters(**{name: value}), **seen)).refused
        assert "limit=" in refused.detail, name
        assert "measured=" in refused.detail, name
        found.add(refused.code)
    assert found == set(GATES) - {"SHORT", "SELF_CROSS"}


LIMITS = st.fixed_dictionaries(
    {
        "clock_skew_ms_max": st.integers(0, 1_000),
        "repaint_ppm_max": st.integers(0, 10_000),
        "spread_ppm_max": st.integers(0, 10_000),
        "collar_window_ppm": st.integers(1, 300_000),
        "volume_ppm_max": st.integers(0, 500_000),
        "depth_ppm_max": st.integers(1, 2_000_000),
        "order_value_max": st.integers(0, 40),
        "order_qty_max": st.integers(0, 400),
    }
)
SEEN = st.fixed_dictionaries(
    {
        "skew_ms": st.integers(-1_000, 1_000),
        "repaint": st.integers(0, 10_000),
        "bid": st.integers(9_900, 10_000),
        "then": st.integers(7_000, 13_000),
        "volume": st.floats(0, 10),
        "stands": st.integers(-1, 500),
        "lots": st.integers(1, 400),
    }
)


def _policy(numbers: dict[str, int]) -> Parameters:
    told: dict[str, Any] = dict(numbers)
    told["order_value_max"] = str(numbers["order_value_max"])
    told["order_qty_max"] = str(Decimal(numbers["order_qty_max"]) / 1000)
    return parameters(**told, collar_window_bars=1, volume_bars=2)


@given(LIMITS, SEEN, st.data())
def test_tightening_a_limit_of_an_order_never_lets_more_through(
    wide: dict[str, int], seen: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(wide)))
    least = 1 if name in {"collar_window_ppm", "depth_ppm_max"} else 0
    tight = {**wide, name: data.draw(st.integers(least, wide[name]))}
    shot: dict[str, Any] = {
        "skew_ms": seen["skew_ms"],
        "repaints": {BTC: seen["repaint"]},
        "quotes": {BTC: CoreQuote(seen["bid"], 10_001, -1, seen["stands"], NOW_MS)},
        "series": {(BTC, "1m"): walk([seen["then"], 10_000], seen["volume"])},
    }
    before = noes(made(_policy(wide), buy(lots=seen["lots"]), **shot))
    assert before <= noes(made(_policy(tight), buy(lots=seen["lots"]), **shot))
