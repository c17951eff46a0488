"""The regime: which state holds, how long it must, when it is unknown, and what it permits.

Rules are written as plain programs: crash below 50, bear below 90, bull above 110 (prices of the
benchmark's hourly close), sideways else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from trader.core.access import Access
from trader.core.fold import fold
from trader.core.money import PPM
from trader.core.parameters import (
    Parameters,
    RegimeSpec,
    RegimeState,
    StrategySpec,
    TierSpec,
    UniverseSpec,
)
from trader.core.plan import Plan, plan, plan_payload
from trader.core.series import BarRow, Series, build_series
from trader.core.signals import wanted_windows
from trader.core.snapshot import Snapshot
from trader.core.state import State
from trader.core.universe_windows import LOOK_BACK_BARS

from .made import BTC, ETH, MINUTE_MS, TICK, account, hold, parameters, quote, says, strategy

HOUR_MS = 60 * MINUTE_MS
CLOSE_MS = 16_667 * HOUR_MS
PROGRAM: dict[str, Any] = {
    "nodes": [
        ["column", "", [], [], "close"],
        ["number", "", [], ["50"], ""],
        ["lt", "", [0, 1], [], ""],
        ["number", "", [], ["90"], ""],
        ["lt", "", [0, 3], [], ""],
        ["number", "", [], ["110"], ""],
        ["gt", "", [0, 5], [], ""],
    ],
    "outputs": {"crash": 2, "bear": 4, "bull": 6},
}
# bull asks for a mean of three bars too: not ready before them.
SLOW: dict[str, Any] = {
    "nodes": [
        ["column", "", [], [], "close"],
        ["indicator", "", [0], ["3"], "sma"],
        ["gt", "", [0, 1], [], ""],
    ],
    "outputs": {"bull": 2},
}
STATES = (
    RegimeState("crash", "crash", (), 0),
    RegimeState("bear", "bear", ("core",), 500_000),
    RegimeState("bull", "bull", ("core", "rotational"), PPM),
    RegimeState("sideways", "", ("core",), 750_000),
)


def regime(confirm: int = 1, **changed: Any) -> RegimeSpec:
    return replace(RegimeSpec(BTC, "1h", HOUR_MS, confirm, STATES, PROGRAM), **changed)


def rules(spec: RegimeSpec | None, *strategies: StrategySpec) -> Parameters:
    """BTC is of the core, ETH rotational."""
    tiers = (TierSpec("core", (BTC,)), TierSpec("rotational", (ETH,)))
    universe = UniverseSpec(tiers=tiers, regime=spec)
    return replace(parameters(), strategies=strategies, universe=universe)


def hourly(closes: Sequence[int], end_ms: int = CLOSE_MS) -> Series:
    """Hourly bars of whole prices, the last of them closed at `end_ms`."""
    first_ms = end_ms - len(closes) * HOUR_MS
    rows: list[BarRow] = [
        (first_ms + i * HOUR_MS, c * 100, c * 100, c * 100, c * 100, 1.0)
        for i, c in enumerate(closes)
    ]
    return build_series(BTC, HOUR_MS, TICK, rows)


def at(
    closes: Sequence[int],
    policy: Parameters,
    state: State | None = None,
    end_ms: int = CLOSE_MS,
    close_ms: int = CLOSE_MS,
    **changed: Any,
) -> Snapshot:
    """A decision at `close_ms` with the benchmark's hours up to `end_ms` and flat minutes."""
    minutes: list[BarRow] = [
        (close_ms - (30 - i) * MINUTE_MS, 10_000, 10_000, 10_000, 10_000, 1.0) for i in range(30)
    ]
    series = {(s, "1m"): build_series(s, MINUTE_MS, TICK, minutes) for s in (BTC, ETH)}
    series |= {(BTC, "1h"): hourly(closes, end_ms), (ETH, "1h"): hourly([100] * 30, close_ms)}
    given: dict[str, Any] = {
        "strategies": {spec.name: says() for spec in policy.strategies},
        "quotes": {s: quote(at_ms=close_ms) for s in (BTC, ETH)},
        **changed,
    }
    return Snapshot(
        bar_ms=close_ms - MINUTE_MS, now_ms=close_ms + 5_000, state=state or account(),
        parameters=policy, series=series, **given,
    )  # fmt: skip


def told(decided: Plan) -> str:
    """The regime's answer in the trail; "" when it was not told anew."""
    return next((r.answer for r in decided.trail if r.strategy == "universe:regime"), "")


def named(closes: Sequence[int], confirm: int = 1, **changed: Any) -> str:
    """The regime's name after these closes; 30 bars at 100 come before them."""
    spec = regime(confirm, **changed)
    decided = plan(at([100] * 30 + list(closes), rules(spec)))
    return str(decided.regime[1])


# --- which state ---------------------------------------------------------------------------------

# close -> state; both bounds of each rule, and the order of asking: 40 is below 50 and below 90.
TABLE = [(40, "crash"), (50, "bear"), (89, "bear"), (90, "sideways"), (110, "sideways"),
         (111, "bull")]  # fmt: skip


@pytest.mark.parametrize(("close", "name"), TABLE)
def test_the_first_state_whose_rule_holds_counts_and_else_the_last(close: int, name: str) -> None:
    assert named([close]) == name


# closes after a flat start, bars that a state must hold, and what holds after the last.
CONFIRMED = [
    ([111, 111], 2, "bull"),
    ([111], 2, "sideways"),  # one bar: the state before it still holds
    ([111, 100, 111], 2, "sideways"),  # never twice in a row
    ([111, 111, 89], 2, "bull"),  # the newest that was confirmed
    ([111, 111, 89, 111], 2, "bull"),
    ([111, 111, 89, 89], 2, "bear"),
    ([111, 111, 89, 89, 89], 3, "bear"),
    ([111, 111, 111, 89, 89], 3, "bull"),
]


@pytest.mark.parametrize(("closes", "confirm", "name"), CONFIRMED)
def test_a_state_counts_when_it_held_so_many_bars_in_a_row(
    closes: list[int], confirm: int, name: str
) -> None:
    assert named(closes, confirm) == name


def test_a_state_is_looked_for_only_so_far_back() -> None:
    flapping = [111, 89] * ((LOOK_BACK_BARS + 2) // 2)
    before = [100] * 20
    decided = plan(at([*before, *flapping], rules(regime(2))))
    assert told(decided) == "REGIME_UNKNOWN why=unconfirmed confirm_bars=2"
    assert decided.regime == [CLOSE_MS - HOUR_MS, "unknown"]
    # One flap fewer: of the oldest two bars that may count, both are sideways.
    shorter = plan(at([*before, *flapping[2:]], rules(regime(2))))
    assert told(shorter).startswith("REGIME_TOLD regime=sideways")


def test_the_regime_does_not_depend_on_what_was_told_before_nor_on_more_history() -> None:
    closes = [111, 111, 89]
    state = account()
    fold(state, "plan", {"bar_ms": 1, "legs": [], "regime": [7, "crash"]})
    policy = rules(regime(2))
    after = plan(at([100] * 30 + closes, policy, state))
    assert after.regime == plan(at([100] * 90 + closes, policy)).regime
    assert after.regime[1] == "bull"


# --- when it is unknown --------------------------------------------------------------------------


def test_a_stale_benchmark_is_unknown_and_asked_again() -> None:
    policy = rules(regime())
    late = plan(at([100] * 30, policy, end_ms=CLOSE_MS - HOUR_MS))
    assert told(late).startswith("REGIME_UNKNOWN why=DATA_STALE wanted_ms=")
    assert late.regime == [-1, "unknown"]
    state = account()
    fold(state, "plan", plan_payload(late))
    again = plan(at([100] * 30, policy, state, end_ms=CLOSE_MS - HOUR_MS,
                    close_ms=CLOSE_MS + MINUTE_MS))  # fmt: skip
    assert told(again)
    assert not again.regime  # nothing new to keep
    there = plan(at([100] * 30, policy, state, close_ms=CLOSE_MS + MINUTE_MS))
    assert there.regime == [CLOSE_MS - HOUR_MS, "sideways"]


def test_trouble_with_the_benchmarks_data_is_unknown() -> None:
    troubles = {BTC: ("DATA_IMPOSSIBLE bar_ms=1 why=x",)}
    decided = plan(at([100] * 30, rules(regime()), troubles=troubles))
    assert told(decided) == "REGIME_UNKNOWN why=DATA_IMPOSSIBLE bar_ms=1 why=x"


def test_a_rule_that_is_not_ready_is_unknown_not_false() -> None:
    spec = regime(states=(STATES[2], STATES[3]), program=SLOW)
    short = plan(at([100, 120], rules(spec)))
    assert told(short) == "REGIME_UNKNOWN why=not_ready"
    assert short.regime == [CLOSE_MS - HOUR_MS, "unknown"]
    ready = plan(at([100, 100, 120], rules(spec)))
    assert told(ready) == "REGIME_TOLD regime=bull risk_ppm=1000000 tiers=core,rotational"


def test_too_many_absent_bars_are_unknown() -> None:
    snapshot = at([100] * 300, rules(regime()))
    rows = [row for i, row in enumerate(snapshot.series[BTC, "1h"].rows()) if i % 2]
    holed = {**snapshot.series, (BTC, "1h"): build_series(BTC, HOUR_MS, TICK, rows)}
    assert "DATA_GAPPY" in told(plan(replace(snapshot, series=holed)))


# --- the trail and the state ---------------------------------------------------------------------


def test_the_trail_holds_every_rule_and_the_numbers_it_was_told_from() -> None:
    row = plan(at([100] * 30 + [89], rules(regime()))).trail[0]
    assert (row.strategy, row.symbol) == ("universe:regime", BTC)
    assert row.answer == "REGIME_TOLD regime=bear risk_ppm=500000 tiers=core"
    assert row.seen == {
        "bar_ms": CLOSE_MS - HOUR_MS, "close_ticks": 8_900, "newest": "bear",
        "rule_bear": 1, "rule_bull": 0, "rule_crash": 0,
    }  # fmt: skip
    slow = regime(states=(STATES[2], STATES[3]), program=SLOW)
    assert plan(at([100, 100, 130], rules(slow))).trail[0].seen["sma(close, 3)"] == "110.0"


def test_the_regime_is_told_once_a_bar_and_kept() -> None:
    policy, state = rules(regime()), account()
    first = plan(at([100] * 30 + [111], policy, state))
    assert first.regime == [CLOSE_MS - HOUR_MS, "bull"]
    fold(state, "plan", plan_payload(first))
    assert (state.word("regime"), state.number("regime_ms")) == ("bull", CLOSE_MS - HOUR_MS)
    minute = CLOSE_MS + MINUTE_MS
    second = plan(at([100] * 30 + [111], policy, state, close_ms=minute))
    assert (told(second), second.regime) == ("", [])
    assert "regime" not in plan_payload(second)
    later = CLOSE_MS + HOUR_MS
    third = plan(at([100] * 30 + [111, 111], policy, state, end_ms=later, close_ms=later))
    assert third.regime == [later - HOUR_MS, "bull"]


def test_a_name_that_the_policy_does_not_know_any_more_is_told_anew() -> None:
    state = account()
    fold(state, "plan", {"bar_ms": 1, "legs": [], "regime": [CLOSE_MS - HOUR_MS, "panic"]})
    assert plan(at([100] * 31, rules(regime()), state)).regime[1] == "sideways"


def test_the_benchmark_is_read_only_when_a_bar_of_it_has_closed() -> None:
    policy, state = rules(regime(2)), account()
    fold(
        state,
        "plan",
        {
            "bar_ms": 1,
            "legs": [],
            "members": dict.fromkeys(("core", "rotational"), f"{CLOSE_MS} {BTC}"),
        },
    )
    windows = wanted_windows(policy, {}, state, CLOSE_MS)
    ((first, last),) = windows.values()
    assert list(windows) == [(BTC, "1h")]
    assert last == CLOSE_MS - HOUR_MS
    # 66 bars may count; the block of the oldest starts at most 9 earlier, with 64 to warm up none.
    assert 0 <= (last - (2 + LOOK_BACK_BARS - 1) * HOUR_MS - first) // HOUR_MS <= 9
    fold(state, "plan", {"bar_ms": 2, "legs": [], "regime": [last, "bear"]})
    assert wanted_windows(policy, {}, state, CLOSE_MS) == {}


# --- what it permits -----------------------------------------------------------------------------


def wishes(decided: Plan) -> dict[str, str]:
    rows = decided.trail
    return {r.symbol: r.answer for r in rows if not r.strategy.startswith("universe:")}


def test_a_closed_tier_opens_nothing_and_says_which_regime_closed_it() -> None:
    both = strategy("one", BTC, ETH)
    bear = wishes(plan(at([100] * 30 + [89], rules(regime(), both))))
    assert bear == {
        BTC: "approved", ETH: "TIER_CLOSED regime=bear risk_ppm=500000 tier=rotational",
    }  # fmt: skip
    crash = wishes(plan(at([100] * 30 + [40], rules(regime(), both))))
    assert crash[BTC] == "TIER_CLOSED regime=crash risk_ppm=0 tier=core"
    bull = wishes(plan(at([100] * 30 + [111], rules(regime(), both))))
    assert bull == {BTC: "approved", ETH: "approved"}


def test_an_unknown_regime_opens_nothing() -> None:
    both = strategy("one", BTC, ETH)
    decided = plan(at([100] * 30, rules(regime(), both), end_ms=CLOSE_MS - HOUR_MS))
    assert wishes(decided)[BTC].startswith("REGIME_UNKNOWN tier=core")
    without = plan(at([100] * 30, rules(None, both)))
    assert set(wishes(without).values()) == {"approved"}


def test_a_regime_scales_every_size() -> None:
    sizes = {
        close: plan(at([100] * 30 + [close], rules(regime(), strategy("one", BTC)))).legs[0]
        for close in (111, 100, 89)
    }
    lots = {close: leg.proposal.qty_lots for close, leg in sizes.items()}
    # 10 % of 1,000 at the worst price 100.10 with its fee: 998.001... lots of 0.1001 + fee.
    assert lots == {111: 998, 100: 748, 89: 499}


def test_no_risk_at_all_opens_nothing() -> None:
    still = regime(states=(replace(STATES[0], tiers=("core",)), *STATES[1:]))
    decided = plan(at([100] * 30 + [40], rules(still, strategy("one", BTC))))
    assert wishes(decided)[BTC] == "TIER_CLOSED regime=crash risk_ppm=0 tier=core"


def test_a_regime_without_tiers_still_says_how_much_may_be_risked() -> None:
    policy = rules(regime(), strategy("one", BTC))
    bare = replace(policy, universe=replace(policy.universe, tiers=()))
    for close, said in ((111, "approved"), (40, "TIER_CLOSED regime=crash risk_ppm=0 tier=none")):
        assert wishes(plan(at([100] * 30 + [close], bare))) == {BTC: said}
    late = plan(at([100] * 30, bare, end_ms=CLOSE_MS - HOUR_MS))
    assert wishes(late) == {BTC: "REGIME_UNKNOWN tier=none"}


def test_exits_are_never_asked_for_regime_or_membership() -> None:
    state = account()
    hold(state, BTC, lots=100, name="one", stop_ticks=10_000)
    policy = rules(regime(), strategy("one", BTC))
    gone = replace(policy, universe=replace(policy.universe, deny=(BTC,)))
    decided = plan(at([100] * 30 + [40], gone, state))
    assert [leg.proposal.reason for leg in decided.legs] == ["stop_loss"]


def test_access_knows_the_tier_a_strategy_trades_under() -> None:
    access = Access(rules(regime()).universe, {"core": (BTC,)}, "bear")
    assert access.tier(strategy("one", ETH), ETH) == "rotational"
    assert access.tier(replace(strategy("one"), tier="core", symbols=()), BTC) == "core"
    assert (access.is_open("core"), access.is_open("rotational")) == (True, False)
