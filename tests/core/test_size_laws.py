"""What holds for the entry of a whole decision when one limit is tightened, and what does not.

One strategy wants to enter BTC while ETH is held and an order is in flight. A fixed order never
passes more gates under a tighter limit (see the tests of gates); here the size is made anew too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trader.core.approval import Proposal
from trader.core.limits import Breaker, Correlated, Messages, ValueAtRisk
from trader.core.money import price_down
from trader.core.parameters import SizeSpec
from trader.core.plan import plan
from trader.core.scale import notional_up
from trader.core.state import State

from .made import (
    BTC,
    ETH,
    UNIT,
    account,
    bars,
    hold,
    order_row,
    parameters,
    quote,
    says,
    sent,
    snapshot,
    strategy,
)

# By name of the limit: the tightest and the widest that is drawn; the entry may just pass either.
BOUNDS: dict[str, tuple[int, int]] = {
    "collar_ppm": (0, 20_000),
    "collar_window_ppm": (0, 20_000),
    "positions_max": (0, 4),
    "quote_age_ms_max": (0, 5_000),
    "bar_jump_ppm_max": (0, 20_000),
    "loss_ppm_max": (0, 300_000),
    "day_stop_ppm": (0, 100_000),
    "drawdown_ppm_max": (0, 100_000),
    "trades_hour_max": (0, 4),
    "trades_day_max": (0, 4),
    "order_value_max": (0, 400),
    "order_qty_max": (0, 4),
    "spread_ppm_max": (0, 1_000),
    "volume_ppm_max": (0, 6_000_000),
    "repaint_ppm_max": (0, 1_000),
    "clock_skew_ms_max": (0, 1_000),
    "asset_ppm_max": (0, 500_000),
    "pending_ppm_max": (0, 500_000),
    "strategy_drawdown_ppm": (0, 100_000),
    "unattended_max": (0, 4),
    "var": (0, 200_000),
    "correlated": (0, 800_000),
    "messages": (0, 6),
    "breaker": (1, 1_000),
}
# These make the order itself smaller, and a smaller order may pass what refused the larger one.
CUTS = {"position_ppm": (1_000, 500_000), "exposure_ppm_max": (1_000, 1_000_000)}
EQUITY = 9_999 * UNIT // 10  # 1,000 less the loss of 0.1 on ETH
BARS = {"collar_window_bars": 1, "volume_bars": 2}
Numbers = Mapping[str, int]
SIZES = st.one_of(
    st.builds(SizeSpec, share_ppm=st.integers(10_000, 600_000)),
    st.builds(SizeSpec, method=st.just("risk"), risk_ppm=st.integers(500, 20_000)),
    st.builds(SizeSpec, method=st.just("fixed"), notional=st.integers(10, 500).map(str)),
)


def _limits(numbers: Numbers) -> dict[str, Any]:
    told: dict[str, Any] = dict(numbers)
    for name in ("order_value_max", "order_qty_max"):
        told[name] = str(numbers[name])
    told["var"] = ValueAtRisk(limit_ppm=numbers["var"])
    told["correlated"] = Correlated(exposure_ppm_max=numbers["correlated"])
    told["messages"] = Messages(numbers["messages"], numbers["messages"], numbers["messages"])
    told["breaker"] = Breaker(numbers["breaker"], 60_000)
    return told


def _account() -> State:
    """100 of 1,000 are in ETH, and of 10 more nobody knows: that is one fault of the venue."""
    state = account()
    hold(state, ETH, lots=1_000, name="two")
    sent(state, order_row("f" * 32, symbol=ETH, strategy="two"), outcome="unknown")
    return state


def entry(numbers: Numbers, size: SizeSpec) -> tuple[int, Proposal | None]:
    """(value in cash units, order) that leaves under these limits; (0, None) for none."""
    state = _account()
    made = plan(
        snapshot(
            state,
            parameters(strategy("one", size=size), **_limits(numbers), **BARS),
            series={(BTC, "1m"): bars([9_950, 10_000]), (ETH, "1m"): bars([9_990, 9_990], ETH)},
            quotes={BTC: quote(), ETH: quote(9_989, 9_990)},
            strategies={"one": says()},
            skew_ms=200,
            repaints={BTC: 100},
        )
    )
    bought = [leg.proposal for leg in made.legs if leg.symbol == BTC]
    if not bought:
        return 0, None
    (one,) = bought
    return notional_up(state.spec(BTC), one.price_ticks, one.qty_lots), one


def _drawn(data: st.DataObject, name: str) -> tuple[Numbers, Numbers]:
    """Limits of which a few are tight, and the same with one of them tighter."""
    bounds = BOUNDS | CUTS
    wide = {key: most for key, (_, most) in bounds.items()}
    for key in data.draw(st.lists(st.sampled_from(sorted(bounds)), max_size=3)):
        wide[key] = data.draw(st.integers(*bounds[key]))
    return wide, {**wide, name: data.draw(st.integers(bounds[name][0], wide[name]))}


def test_an_entry_leaves_under_the_widest_of_these_limits() -> None:
    widest = {name: most for name, (_, most) in (BOUNDS | CUTS).items()}
    assert entry(widest, SizeSpec(share_ppm=100_000))[0] > 99 * UNIT


@given(st.data(), st.sampled_from(sorted(BOUNDS)), SIZES)
def test_no_limit_that_is_tightened_lets_a_larger_entry_leave(
    data: st.DataObject, name: str, size: SizeSpec
) -> None:
    wide, tight = _drawn(data, name)
    assert entry(tight, size)[0] <= entry(wide, size)[0]


@given(st.data(), st.sampled_from(sorted(CUTS)), SIZES)
def test_a_tighter_cap_makes_no_entry_larger_that_leaves_and_never_above_itself(
    data: st.DataObject, name: str, size: SizeSpec
) -> None:
    wide, tight = _drawn(data, name)
    before, after = entry(wide, size)[0], entry(tight, size)[0]
    if before:
        assert after <= before
    assert after <= EQUITY * tight[name] // 1_000_000


def test_a_smaller_entry_may_pass_what_refused_the_larger_one() -> None:
    """The pages say so: a cap cuts, and `order_value_max` refuses what was not cut."""
    widest = {name: most for name, (_, most) in (BOUNDS | CUTS).items()} | {"order_value_max": 50}
    share = SizeSpec(share_ppm=100_000)
    assert entry(widest, share)[0] == 0
    assert 29 * UNIT < entry({**widest, "position_ppm": 30_000}, share)[0] <= 50 * UNIT


def test_a_narrower_slippage_lets_lots_grow_but_never_what_they_may_lose() -> None:
    """It is what a sale at the stop is expected to lose as well: 5 are risked, whatever it is."""
    widest = {name: most for name, (_, most) in (BOUNDS | CUTS).items()}
    size = SizeSpec(method="risk", risk_ppm=5_000)
    found: list[int] = []
    for ppm in (10_000, 5_000, 1_000):
        value, order = entry({**widest, "slippage_ppm": ppm, "exit_slippage_ppm": 10_000}, size)
        assert order is not None
        sold = order.qty_lots * price_down(order.stop_ticks, ppm) * 1_000
        assert value * 1001 // 1000 - sold * 999 // 1000 <= EQUITY // 200
        found.append(order.qty_lots)
    assert found == sorted(found)
