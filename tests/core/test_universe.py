"""Members of tiers: filters at their bounds, ranks and ties, hysteresis, and what the plan keeps.

Bars are hourly and stand still: so many coins a bar at one price, so that 24 hours' traded value is
24 * price * coins. The decision closes on a full hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from trader.core.fold import fold
from trader.core.measures import momentum, quote_volume, volatility
from trader.core.parameters import Parameters, TierSpec, UniverseSpec
from trader.core.plan import plan, plan_payload
from trader.core.series import BarRow, Series, build_series
from trader.core.signals import wanted_windows
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import State
from trader.core.universe import candidates_of, members_now, symbols_of, tier_of
from trader.domain.timeframe import DAY_MS

from .made import BTC, ETH, MINUTE_MS, TICK, UNIT, account, instrument, parameters, says, strategy

HOUR_MS = 60 * MINUTE_MS
CLOSE_MS = 16_667 * HOUR_MS  # of the decision: a full hour, in the middle of a day
A, B, C = "A/USDT", "B/USDT", "C/USDT"
Table = Mapping[str, float]


def hours(
    symbol: str,
    coins: float = 1.0,
    price: int = 10_000,
    count: int = 24,
    end_ms: int = CLOSE_MS,
    **changed: Sequence[int],
) -> Series:
    """Hourly bars up to `end_ms`; `closes`, `highs` stand in for the last of them."""
    closes = [price] * count
    tail = list(changed.get("closes", ()))
    closes[count - len(tail) :] = tail
    rows = [
        (end_ms - (count - i) * HOUR_MS, close, close, close, close, coins)
        for i, close in enumerate(closes)
    ]
    return build_series(symbol, HOUR_MS, TICK, rows)


def known(*symbols: str, **rules: Any) -> State:
    """An account that knows these instruments."""
    return account(1_000 * UNIT, *(instrument(symbol, **rules) for symbol in symbols))


def quoted(
    bid: int = 9_999, ask: int = 10_001, bid_lots: int = -1, ask_lots: int = -1
) -> CoreQuote:
    return CoreQuote(bid, ask, bid_lots, ask_lots, CLOSE_MS + 1_000)


def policy(*tiers: TierSpec, **changed: Any) -> Parameters:
    """No strategies unless they are given: the universe alone."""
    strategies = changed.pop("strategies", ())
    universe = UniverseSpec(tiers=tiers, **changed)
    return replace(parameters(), strategies=strategies, universe=universe)


def seen_at(
    state: State,
    rules: Parameters,
    series: Mapping[tuple[str, str], Series],
    close_ms: int = CLOSE_MS,
    **changed: Any,
) -> Snapshot:
    """A snapshot at a decision that closes at `close_ms`."""
    given: dict[str, Any] = {
        "quotes": {symbol: quoted() for symbol in state.instruments},
        "strategies": {spec.name: says() for spec in rules.strategies},
        **changed,
    }
    return Snapshot(
        bar_ms=close_ms - MINUTE_MS, now_ms=close_ms + 5_000, state=state, parameters=rules,
        series=series, **given,
    )  # fmt: skip


def answers(snapshot: Snapshot) -> dict[str, str]:
    """By candidate, the answer in the trail."""
    rows = plan(snapshot).trail
    return {row.symbol: row.answer for row in rows if row.strategy.startswith("universe:")}


def one(tier: TierSpec, bars: Series | None = None, **changed: Any) -> str:
    """The answer for the one candidate A."""
    state = changed.pop("state", known(A))
    series = {(A, "1h"): hours(A, count=60) if bars is None else bars}
    return answers(seen_at(state, policy(tier, **changed.pop("rules", {})), series, **changed))[A]


# --- filters -------------------------------------------------------------------------------------

# A stands at 100.00 with 1 coin an hour: 2,400 a day. Spread of the quote: 0.02 of 100 = 200 ppm.
BOUNDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("UNIVERSE_VOLUME", {"quote_volume_min": "2400"}, {"quote_volume_min": "2400.01"}),
    ("UNIVERSE_PRICE", {"price_min": "100"}, {"price_min": "100.01"}),
    ("UNIVERSE_PRICE", {"price_min": "99.991"}, {"price_min": "100.001"}),
    ("UNIVERSE_AGE", {"age_ms_min": 60 * HOUR_MS}, {"age_ms_min": 60 * HOUR_MS + 1}),
    ("UNIVERSE_SPREAD", {"spread_ppm_max": 200}, {"spread_ppm_max": 199}),
]


@pytest.mark.parametrize(("code", "inside", "outside"), BOUNDS)
def test_a_filter_lets_its_bound_in_and_one_unit_past_it_out(
    code: str, inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    assert one(TierSpec("core", (A,), **inside)) == "MEMBER rank=1"
    assert one(TierSpec("core", (A,), **outside)).startswith(f"{code} limit")


def test_a_long_age_is_told_by_bars_of_days() -> None:
    midnight = CLOSE_MS // DAY_MS * DAY_MS
    tier = TierSpec("core", (A,), age_ms_min=30 * DAY_MS)
    for days, answer in ((30, "MEMBER rank=1"), (29, "UNIVERSE_AGE limit_minutes=43200 ")):
        rows: list[BarRow] = [
            (midnight - (days - i) * DAY_MS, 100, 100, 100, 100, 1.0) for i in range(days)
        ]
        series = {(A, "1h"): hours(A), (A, "1d"): build_series(A, DAY_MS, TICK, rows)}
        found = answers(seen_at(known(A), policy(tier), series))[A]
        assert found.startswith(answer)
    assert one(tier, hours(A)) == "UNIVERSE_AGE limit_minutes=43200 measured_minutes=1440"


def test_the_smaller_side_of_the_book_is_its_depth_and_where_none_is_told_it_is_not_asked() -> None:
    # 50 lots of 0.001 at 99.99 are 4.9995; 100 lots at 100.01 are 10.001.
    book = {A: quoted(bid_lots=50, ask_lots=100)}
    assert one(TierSpec("core", (A,), depth_min="4.9995"), quotes=book) == "MEMBER rank=1"
    refused = one(TierSpec("core", (A,), depth_min="4.99950001"), quotes=book)
    assert refused == "UNIVERSE_DEPTH limit=4.99950001 measured=4.9995"
    assert one(TierSpec("core", (A,), depth_min="4.9996")) == "MEMBER rank=1"


def test_what_is_denied_not_listed_or_not_active_is_no_member() -> None:
    tier = TierSpec("core", (A,))
    assert one(tier, rules={"deny": (A,)}) == "UNIVERSE_DENIED"
    assert one(tier, rules={"deny": (".*/USDT",)}) == "UNIVERSE_DENIED"
    assert one(tier, state=known(B)) == "UNIVERSE_UNLISTED known=0"
    off = account(1_000 * UNIT, instrument(A, active=False))
    assert one(TierSpec("core", (A,), take=1), state=off) == "UNIVERSE_UNLISTED active=0"
    assert one(tier, state=off) == "MEMBER rank=1"  # the gate INSTRUMENT_INACTIVE says no
    misfit = one(tier, state=known(B), troubles={A: ("UNIVERSE_UNLISTED why=scale",)})
    assert misfit == "UNIVERSE_UNLISTED why=scale"


def test_a_tier_that_asks_for_nothing_reads_nothing_and_takes_all() -> None:
    troubles = {A: ("DATA_STALE read=VENUE_UNAVAILABLE",)}
    rules = policy(TierSpec("core", (A, B), rank_by="momentum", positions_max=1))
    snapshot = seen_at(known(A, B), rules, {}, quotes={A: quoted()}, troubles=troubles)
    assert answers(snapshot) == {A: "MEMBER rank=1", B: "MEMBER rank=2"}
    assert wanted_windows(rules, {}, known(A, B), CLOSE_MS) == {}


@pytest.mark.parametrize(
    "asked",
    [
        {"take": 1},
        {"spread_ppm_max": 1},
        {"depth_min": "0.1"},
        {"price_min": "1"},
        {"quote_volume_min": "1"},
        {"age_ms_min": 1},
    ],
)
def test_anything_that_is_asked_for_brings_bars_and_with_them_the_quote(
    asked: dict[str, Any],
) -> None:
    rules = policy(TierSpec("core", (A,), **asked))
    assert list(wanted_windows(rules, {}, known(A), CLOSE_MS)) == [(A, "1h")]


def test_bars_that_are_stale_absent_or_in_trouble_exclude_by_name() -> None:
    tier = TierSpec("core", (A,), take=1)
    late = one(tier, hours(A, end_ms=CLOSE_MS - HOUR_MS))
    newest, wanted = CLOSE_MS - 2 * HOUR_MS, CLOSE_MS - HOUR_MS
    assert late == f"UNIVERSE_DATA why=stale wanted_ms={wanted} newest_ms={newest}"
    state = known(A)
    empty = answers(seen_at(state, policy(tier), {}))
    assert empty == {A: f"UNIVERSE_DATA why=stale wanted_ms={wanted} newest_ms=none"}
    read = ("DATA_STALE read=VENUE_UNAVAILABLE",)
    assert one(tier, troubles={A: read}) == f"UNIVERSE_DATA why={read[0]}"
    no_quote = one(TierSpec("core", (A,), take=1, spread_ppm_max=500), quotes={})
    assert no_quote == "UNIVERSE_DATA why=quote"
    assert one(tier, quotes={}) == "MEMBER rank=1"


def test_a_bad_candidate_never_stops_the_others() -> None:
    state = known(A, B, C)
    series = {(A, "1h"): hours(A), (C, "1h"): hours(C)}
    tier = TierSpec("core", (A, B, C), take=2)
    found = answers(
        seen_at(state, policy(tier), series, troubles={A: ("DATA_IMPOSSIBLE bar_ms=1 why=x",)})
    )
    assert [found[s].partition(" ")[0] for s in (A, B, C)] == [
        "UNIVERSE_DATA", "UNIVERSE_DATA", "MEMBER",
    ]  # fmt: skip


def test_every_number_that_was_measured_is_in_the_trail() -> None:
    state = known(A)
    tier = TierSpec("core", (A,), take=1, spread_ppm_max=300)
    book = {A: quoted(bid_lots=50, ask_lots=100)}
    row = plan(seen_at(state, policy(tier), {(A, "1h"): hours(A, count=30)}, quotes=book)).trail[0]
    assert (row.strategy, row.symbol, list(row.gates), row.asked) == ("universe:core", A, [], {})
    assert row.seen == {
        "age_minutes": 30 * 60,
        "close_ticks": 10_000,
        "depth_units": 499_950_000,
        "quote_volume": "2400.0",
        "rank": 1,
        "spread_ppm": 200,
        "was_member": 0,
    }


# --- measures ------------------------------------------------------------------------------------


def test_traded_value_is_that_of_the_last_24_hours_bar_by_bar() -> None:
    spec = known(A).spec(A)
    assert quote_volume(spec, hours(A, 2.0, 150, count=30), CLOSE_MS) == 24 * 1.5 * 2.0
    assert quote_volume(spec, hours(A, 2.0, 150, count=3), CLOSE_MS) == 3 * 1.5 * 2.0


def test_momentum_is_the_change_since_the_close_seven_days_ago() -> None:
    # 169 closes: the first stood 168 hours before the last.
    closes = [8_000, *[9_000] * 167, 10_000]
    assert momentum(hours(A, count=169, closes=closes), CLOSE_MS) == 10_000 / 8_000 - 1.0
    assert momentum(hours(A, count=168), CLOSE_MS) is None
    # A hole where that bar should be: the one before it, up to a day older, will do.
    old = build_series(A, HOUR_MS, TICK, list(hours(A, count=180, price=8_000).rows())[:8])
    young = list(hours(A, count=160, price=10_000).rows())
    holed = build_series(A, HOUR_MS, TICK, [*old.rows(), *young])
    assert momentum(holed, CLOSE_MS) == 0.25
    older = build_series(A, HOUR_MS, TICK, [*list(hours(A, count=220).rows())[:2], *young])
    assert momentum(older, CLOSE_MS) is None


def test_volatility_is_the_mean_range_of_the_last_seven_days() -> None:
    rows = list(hours(A, count=169).rows())
    rows[-1] = (rows[-1][0], 10_000, 10_168, 9_832, 10_000, 1.0)
    bars = build_series(A, HOUR_MS, TICK, rows)
    assert volatility(bars, CLOSE_MS) == (336 / 10_000) / 168
    assert volatility(hours(A, count=168), CLOSE_MS) is None


def test_too_short_a_history_for_the_rank_excludes_by_name() -> None:
    tier = TierSpec("core", (A,), rank_by="momentum", take=1)
    assert one(replace(tier, take=0), hours(A, count=168)) == "MEMBER rank=1"
    assert one(tier, hours(A, count=168)) == "UNIVERSE_DATA why=short rank_by=momentum"
    assert one(tier, hours(A, count=169)) == "MEMBER rank=1"


# --- ranks and hysteresis ------------------------------------------------------------------------


def chosen(state: State, tier: TierSpec, coins: Table, close_ms: int, **changed: Any) -> list[str]:
    """Members after one refresh with these coins an hour; the plan is folded."""
    series = {(s, "1h"): hours(s, amount, end_ms=close_ms) for s, amount in coins.items()}
    made = plan(seen_at(state, policy(tier), series, close_ms, **changed))
    fold(state, "plan", plan_payload(made))
    return list(members_now(policy(tier).universe, state, tier.name))


def test_the_greatest_come_first_and_equal_ones_by_symbol() -> None:
    state = known(A, B, C)
    tier = TierSpec("core", (C, A, B), take=2, keep=2)
    assert chosen(state, tier, {A: 5.0, B: 7.0, C: 5.0}, CLOSE_MS) == [B, A]
    row = plan(
        seen_at(
            known(A, B, C),
            policy(tier),
            {(s, "1h"): hours(s, 5.0) for s in (A, B, C)},
        )
    ).trail
    assert [r.answer for r in row] == [
        "MEMBER rank=1", "MEMBER rank=2", "UNIVERSE_RANK limit=2 measured=3",
    ]  # fmt: skip


# Coins an hour of A, B, C at each refresh, and who is in with take 1 and keep 2.
HYSTERESIS: list[tuple[tuple[float, float, float], list[str]]] = [
    ((9.0, 8.0, 7.0), [A]),  # A is first
    ((8.0, 9.0, 7.0), [B, A]),  # B overtakes: it is in, and A is second: it stays
    ((9.0, 8.0, 7.0), [A, B]),  # and back: nobody leaves
    ((8.0, 9.0, 7.0), [B, A]),
    ((8.0, 9.0, 8.5), [B]),  # A is third: it leaves
    ((8.5, 9.0, 8.0), [B]),  # second again is not enough to come back
    ((8.5, 8.0, 9.0), [C]),  # B is third: out; A is second and was out
    ((9.5, 8.0, 9.0), [A, C]),
]


def test_a_pair_does_not_flap_over_several_refreshes() -> None:
    state = known(A, B, C)
    tier = TierSpec("rotational", (A, B, C), take=1, keep=2)
    changes = 0
    for turn, (coins, wanted) in enumerate(HYSTERESIS):
        before = list(members_now(policy(tier).universe, state, tier.name))
        at_ms = CLOSE_MS + turn * HOUR_MS
        found = chosen(state, tier, dict(zip((A, B, C), coins, strict=True)), at_ms)
        assert found == wanted, turn
        changes += set(before) != set(found)
    assert changes == 5  # ranks changed at each of the eight


def test_members_are_chosen_once_in_a_refresh_period() -> None:
    state = known(A, B)
    tier = TierSpec("core", (A, B), take=1)
    assert chosen(state, tier, {A: 2.0, B: 1.0}, CLOSE_MS) == [A]
    assert state.members["core"] == f"{CLOSE_MS} {A}"
    later = CLOSE_MS + 30 * MINUTE_MS
    quiet = plan(seen_at(state, policy(tier), {(A, "1h"): hours(A)}, later))
    assert not quiet.trail
    assert "members" not in plan_payload(quiet)
    assert chosen(state, tier, {A: 1.0, B: 2.0}, CLOSE_MS + HOUR_MS) == [B]


def test_what_could_not_be_looked_at_is_tried_again_and_stays_a_member_that_long() -> None:
    state = known(A, B, C)
    tier = TierSpec("core", (A, B, C), take=1, keep=2, spread_ppm_max=300)
    rules = policy(tier)
    assert chosen(state, tier, {A: 3.0, B: 2.0, C: 1.0}, CLOSE_MS) == [A]
    at_ms = CLOSE_MS + HOUR_MS
    series = {(s, "1h"): hours(s, n, end_ms=at_ms) for s, n in {A: 2.0, B: 3.0, C: 1.0}.items()}
    no_quote = {B: quoted(), C: quoted()}
    made = plan(seen_at(state, rules, series, at_ms, quotes=no_quote))
    fold(state, "plan", plan_payload(made))
    # A is out for now, and still due: kept apart from the time of the choice.
    assert [r.answer.partition(" ")[0] for r in made.trail] == [
        "UNIVERSE_DATA", "MEMBER", "UNIVERSE_RANK",
    ]  # fmt: skip
    assert state.members["core"] == f"{CLOSE_MS} {B} {A}"
    again = at_ms + MINUTE_MS
    made = plan(seen_at(state, rules, series, again))
    fold(state, "plan", plan_payload(made))
    assert state.members["core"] == f"{again} {B} {A}"
    refused = {A: ("DATA_STALE read=VENUE_REFUSED",)}
    made = plan(seen_at(state, rules, series, at_ms + HOUR_MS, troubles=refused))
    assert made.members == {"core": str(at_ms + HOUR_MS)}  # the others' bars are stale: nobody


# --- who belongs where ---------------------------------------------------------------------------


def test_a_pair_belongs_to_the_first_tier_that_names_it_and_else_to_the_first_pattern() -> None:
    universe = UniverseSpec(
        tiers=(TierSpec("core", ("A.*/USDT", B)), TierSpec("rotational", (".*/USDT", "AB/USDT")))
    )
    found = {s: tier_of(universe, s) for s in ("AB/USDT", A, B, C, "A/USD")}
    assert found == {
        "AB/USDT": "rotational", A: "core", B: "core", C: "rotational", "A/USD": "",
    }  # fmt: skip


def test_candidates_of_patterns_are_known_instruments_in_the_settlement_currency() -> None:
    rules = policy(TierSpec("core", (A, ".*/USDT", ".*/BTC")))
    listed = [B, "ETH/BTC", C]
    assert candidates_of(rules, rules.universe.tiers[0], listed) == [A, B, C]


def test_a_denied_member_is_out_at_once_not_at_the_next_refresh() -> None:
    state = known(A, B)
    fold(state, "plan", {"bar_ms": 1, "legs": [], "members": {"core": f"{CLOSE_MS} {A} {B}"}})
    tier = TierSpec("core", (A, B))
    assert members_now(policy(tier, deny=(A,)).universe, state, "core") == (B,)
    assert members_now(policy(TierSpec("core", (A,))).universe, state, "core") == (A,)


def test_a_strategy_follows_its_tier_and_one_with_a_list_keeps_it() -> None:
    state = known(A, B)
    fold(state, "plan", {"bar_ms": 1, "legs": [], "members": {"core": f"{CLOSE_MS} {B} {A}"}})
    rules = policy(TierSpec("core", (A, B)))
    assert symbols_of(replace(strategy(), symbols=(), tier="core"), rules, state) == (B, A)
    assert symbols_of(strategy("one", C), rules, state) == (C,)


# --- what is read --------------------------------------------------------------------------------


def test_candidates_are_read_only_when_they_are_due_and_as_far_back_as_is_measured() -> None:
    state = known(A, B, C)
    rules = policy(
        TierSpec("core", (A,), take=1),
        TierSpec("rotational", (B,), rank_by="momentum", take=1),
        TierSpec("event", (C,), age_ms_min=30 * DAY_MS),
        deny=("DENIED/USDT",),
    )
    windows = wanted_windows(rules, {}, state, CLOSE_MS)
    last = CLOSE_MS - HOUR_MS
    days = {A: 2, B: 8, C: 2}
    hourly = {(s, "1h"): (CLOSE_MS - n * DAY_MS, last) for s, n in days.items()}
    # A long age is told by whole days: of the last full one, 31 back.
    midnight = CLOSE_MS // DAY_MS * DAY_MS
    assert windows == {**hourly, (C, "1d"): (midnight - 31 * DAY_MS, midnight - DAY_MS)}
    for tier, symbol in (("core", A), ("rotational", B), ("event", C)):
        chosen_then = {"members": {tier: f"{CLOSE_MS} {symbol}"}}
        number = state.number("last_bar_ms") + 1
        fold(state, "plan", {"bar_ms": number, "legs": [], **chosen_then})
    assert wanted_windows(rules, {}, state, CLOSE_MS) == {}


def test_an_instrument_that_is_not_known_or_denied_is_not_read() -> None:
    rules = policy(TierSpec("core", (A, B, C), take=1), deny=(B,))
    assert list(wanted_windows(rules, {}, known(A, B), CLOSE_MS)) == [(A, "1h")]


# --- what membership permits ---------------------------------------------------------------------


def flat(open_ms: int) -> BarRow:
    """A bar that stands at 100.00."""
    return open_ms, 10_000, 10_000, 10_000, 10_000, 1.0


def trading(state: State, rules: Parameters, **changed: Any) -> Snapshot:
    """Minute and hour bars of BTC and ETH; every strategy wants to enter both."""
    minutes = [flat(CLOSE_MS - (30 - i) * MINUTE_MS) for i in range(30)]
    series = {(s, "1m"): build_series(s, MINUTE_MS, TICK, minutes) for s in (BTC, ETH)}
    series |= {(s, "1h"): hours(s) for s in (BTC, ETH)}
    return seen_at(state, rules, series, **changed)


def wishes(snapshot: Snapshot) -> dict[str, str]:
    rows = plan(snapshot).trail
    return {row.symbol: row.answer for row in rows if not row.strategy.startswith("universe:")}


def test_a_new_member_is_looked_at_from_the_next_decision_on_and_a_dropped_one_at_once() -> None:
    follower = strategy("one", tier="core", symbols=())
    rules = policy(TierSpec("core", (BTC, ETH), take=1), strategies=(follower,))
    state = account()
    fold(state, "plan", {"bar_ms": 1, "legs": [], "members": {"core": f"{HOUR_MS} {ETH}"}})
    now = trading(state, rules)
    # Equal measures: BTC is first, ETH second and beyond keep.
    assert wishes(now) == {ETH: "NOT_A_MEMBER members=1 tier=core"}
    fold(state, "plan", plan_payload(plan(now)))
    later = CLOSE_MS + MINUTE_MS
    series = dict(now.series)
    for symbol in (BTC, ETH):
        rows = [*now.series[symbol, "1m"].rows(), flat(CLOSE_MS)]
        series[symbol, "1m"] = build_series(symbol, MINUTE_MS, TICK, rows)
    quotes = {s: replace(quoted(), at_ms=later + 1_000) for s in (BTC, ETH)}
    assert wishes(seen_at(state, rules, series, later, quotes=quotes)) == {BTC: "approved"}


def test_a_list_is_held_to_the_tier_of_each_pair_and_needs_one() -> None:
    rules = policy(
        TierSpec("core", (BTC,)),
        TierSpec("rotational", (ETH,), price_min="101"),
        strategies=(strategy("one", BTC, ETH),),
    )
    found = wishes(trading(account(), rules))
    assert found == {BTC: "approved", ETH: "NOT_A_MEMBER members=0 tier=rotational"}
    homeless = policy(TierSpec("core", (BTC,)), strategies=(strategy("one", ETH),))
    assert wishes(trading(account(), homeless)) == {ETH: "NOT_A_MEMBER tier=none"}


def test_without_tiers_everything_is_permitted() -> None:
    rules = policy(strategies=(strategy("one", BTC),))
    assert wishes(trading(account(), rules)) == {BTC: "approved"}
