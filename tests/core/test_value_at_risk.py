"""Value at risk and correlated exposure at whole decisions, with daily bars worked by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from trader.core.access import Access
from trader.core.desk import Desk
from trader.core.limits import Correlated, ValueAtRisk
from trader.core.money import AMOUNT_MAX, AmountOverflow
from trader.core.plan import plan
from trader.core.series import Series
from trader.core.snapshot import Snapshot

from .made import (
    BTC,
    ETH,
    UNIT,
    account,
    bars,
    hold,
    parameters,
    snapshot,
    strategy,
)
from .risk_scenes import (
    COST,
    LAST_DAY_MS,
    days,
    numbers,
    refusal,
    said,
)

Told = Mapping[str, Series]

# --- value at risk --------------------------------------------------------------------------------

# 20 days of which one lost 10 %, one 5 %, one 2 %; the others gained 1 %.
FALLS = {3: -100_000, 9: -50_000, 15: -20_000}


def closes(falls: dict[int, int] = FALLS, count: int = 20) -> list[int]:
    """Daily closes in ticks whose returns are exactly these: each is a step from 1,000,000."""
    found = [1_000_000]
    for day in range(count):
        change = falls.get(day, 10_000)
        found.append(found[-1] + found[-1] * change // 1_000_000)
    return found


def watched(
    limit_ppm: int, confidence_ppm: int, series: Told | None = None, *, held: bool = False
) -> Snapshot:
    """BTC wanted, perhaps 100 of ETH held; 20 days, all of which must be there."""
    state = account()
    if held:
        hold(state, ETH, lots=1_000, name="two", stop_ticks=9_000)
    var = ValueAtRisk(limit_ppm, confidence_ppm, days=20, days_min=20, assumed_ppm=200_000)
    seen = {(symbol, "1m"): bars([10_000, 10_000], symbol) for symbol in (BTC, ETH)}
    told = {(symbol, "1d"): found for symbol, found in (series or {}).items()}
    return snapshot(state, parameters(var=var), series=seen | told)


def test_value_at_risk_is_the_loss_of_the_days_beyond_the_confidence() -> None:
    history = {BTC: days(closes())}
    # 95 % of 20 days are 19: the second worst; 90 %: the third; 100 %: the worst.
    for confidence, loss_ppm in ((950_000, 50_000), (900_000, 20_000), (1_000_000, 100_000)):
        seen = watched(999_999, confidence, history)
        _, measured = numbers(seen, "VALUE_AT_RISK")
        exact = COST * loss_ppm // 1_000_000
        # Closes are whole ticks: a return may be a millionth lower than the one they were made of.
        assert exact <= measured <= exact + COST // 1_000_000 + 2


def test_value_at_risk_at_the_bound_and_one_unit_past_it() -> None:
    loss = COST * 200_000 // 1_000_000  # nothing is known of BTC: 20 % on every day
    ppm = -(-loss // (1_000 * UNIT // 1_000_000))
    assert said(plan(watched(ppm, 950_000))) == []
    refused = plan(watched(ppm - 1, 950_000))
    limit = (ppm - 1) * 1_000 * UNIT // 1_000_000
    assert refusal(refused) == (f"VALUE_AT_RISK assumed=1 limit={limit} measured={loss} unit=cash")


def test_what_is_held_and_what_moves_against_it_are_added_day_by_day() -> None:
    # ETH rises by 10 % on the day on which BTC falls by 10 %, and so on: together nothing is lost.
    against = {day: -ppm for day, ppm in FALLS.items()} | {
        day: -10_000 for day in range(20) if day not in FALLS
    }
    down, up, other = days(closes()), days(closes({}), ETH), days(closes(against), ETH)
    alone = watched(999_999, 1_000_000, {BTC: down, ETH: up}, held=True)
    hedged = watched(999_999, 1_000_000, {BTC: down, ETH: other}, held=True)
    lost = numbers(alone, "VALUE_AT_RISK")[1]
    # 100 of ETH gain 1 % each day: 99.99 x 10 % - 100 x 1 %.
    assert abs(lost - (COST // 10 - UNIT)) < 1_000_000
    assert numbers(hedged, "VALUE_AT_RISK")[1] < UNIT // 100


def test_an_instrument_with_too_few_days_counts_with_the_assumed_loss() -> None:
    enough, short = days(closes()), days(closes(count=19))
    assert numbers(watched(999_999, 950_000, {BTC: short}), "VALUE_AT_RISK")[1] == COST // 5
    assert numbers(watched(999_999, 950_000, {BTC: enough}), "VALUE_AT_RISK")[1] < COST // 10
    stale = days(closes(), last_ms=LAST_DAY_MS - 86_400_000)
    assert numbers(watched(999_999, 950_000, {BTC: stale}), "VALUE_AT_RISK")[1] == COST // 5


def test_legs_approved_before_count_in_the_value_at_risk() -> None:
    specs = (strategy("one", BTC), strategy("two", ETH))
    var = ValueAtRisk(limit_ppm=39_999)
    decided = plan(snapshot(account(), parameters(*specs, var=var)))
    assert [leg.symbol for leg in decided.legs] == [BTC]
    told = f"limit={39_999 * UNIT // 1_000} measured={2 * (COST // 5)} unit=cash"
    assert refusal(decided) == f"VALUE_AT_RISK assumed=2 {told}"
    wider = replace(var, limit_ppm=40_000)
    assert said(plan(snapshot(account(), parameters(*specs, var=wider)))) == []


@pytest.mark.parametrize(
    ("of_btc", "of_eth", "assumed"), [(20, 20, 0), (20, 19, 1), (19, 20, 1), (19, 19, 2)]
)
def test_a_refusal_says_of_how_many_instruments_a_loss_was_assumed(
    of_btc: int, of_eth: int, assumed: int
) -> None:
    told = {BTC: days(closes(count=of_btc)), ETH: days(closes(count=of_eth), ETH)}
    seen = watched(1, 950_000, told, held=True)
    assert refusal(plan(seen)).startswith(f"VALUE_AT_RISK assumed={assumed} ")


def test_what_was_looked_at_and_refused_is_not_at_risk() -> None:
    specs = (strategy("one", BTC, enabled=False), strategy("two", ETH))
    decided = plan(snapshot(account(), parameters(*specs, var=ValueAtRisk(limit_ppm=1))))
    assert [no.code for no in decided.refused] == ["STRATEGY_OFF", "VALUE_AT_RISK"]
    assert decided.refused[1].detail.startswith("assumed=1 ")


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_value_that_does_not_fit_is_refused_before_it_is_added(beyond: int) -> None:
    seen = watched(1, 950_000)
    desk = Desk(seen, Access(seen.parameters.universe, {}, ""))
    desk.totals.all.exposure_units = AMOUNT_MAX - 1_000
    if beyond:
        with pytest.raises(AmountOverflow):
            desk.risks.value_at_risk(BTC, 1_000)
    else:
        assert desk.risks.value_at_risk(BTC, 999) == 200  # 199.8 are lost, in full units


def test_at_the_whole_of_equity_value_at_risk_and_correlation_are_not_asked() -> None:
    seen = watched(1_000_000, 950_000)
    assert numbers(seen, "VALUE_AT_RISK") == (1_000 * UNIT, 0)
    assert numbers(seen, "CORRELATED_EXPOSURE") == (1_000 * UNIT, 0)


# --- correlated exposure --------------------------------------------------------------------------


def related(exposure_ppm: int, above_ppm: int, series: Told | None = None) -> Snapshot:
    """BTC wanted, 100 of ETH held."""
    state = account()
    hold(state, ETH, lots=1_000, name="two", stop_ticks=9_000)
    policy = parameters(
        correlated=Correlated(exposure_ppm, above_ppm),
        var=ValueAtRisk(days=20, days_min=3),
    )
    seen = {(symbol, "1m"): bars([10_000, 10_000], symbol) for symbol in (BTC, ETH)}
    told = {(symbol, "1d"): found for symbol, found in (series or {}).items()}
    return snapshot(state, policy, series=seen | told)


# Returns of +1 +2 +3 % and +1 +3 +2 %: a correlation of 0.5 (see test_returns), whole in ticks.
ONE, OTHER = [10**6, 1_010_000, 1_030_200, 1_061_106], [10**6, 1_010_000, 1_040_300, 1_061_106]


def test_what_moves_with_the_instrument_counts_with_it() -> None:
    both = {BTC: days(ONE), ETH: days(OTHER, ETH)}
    assert numbers(related(1, 500_000, both), "CORRELATED_EXPOSURE")[1] == 100 * UNIT + COST
    assert numbers(related(1, 500_001, both), "CORRELATED_EXPOSURE")[1] == COST


def test_what_is_held_of_the_instrument_itself_counts_with_it() -> None:
    state = account()
    hold(state, BTC, lots=100, stop_ticks=9_000)
    policy = parameters(
        strategy("one", BTC, pyramiding=True),
        pyramiding=True,
        position_ppm=1_000_000,
        correlated=Correlated(exposure_ppm_max=1),
    )
    told = refusal(plan(snapshot(state, policy)))
    assert told.startswith("CORRELATED_EXPOSURE instruments=1 ")
    assert f"measured={10 * UNIT + COST} " in told


def test_what_cannot_be_compared_counts_as_moving_together() -> None:
    for series in ({}, {BTC: days(ONE)}, {BTC: days(ONE), ETH: days(OTHER[1:], ETH)}):
        seen = related(1, 900_000, series)
        assert numbers(seen, "CORRELATED_EXPOSURE")[1] == 100 * UNIT + COST


def test_correlated_exposure_at_the_bound_and_one_unit_past_it() -> None:
    assert said(plan(related(200_000, 800_000))) == []
    assert refusal(plan(related(199_999, 800_000))) == (
        f"CORRELATED_EXPOSURE instruments=2 limit={199_999 * UNIT // 1_000} "
        f"measured={100 * UNIT + COST} unit=cash"
    )
