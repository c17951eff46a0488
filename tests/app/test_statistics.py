"""Metrics against numbers worked by hand."""

from __future__ import annotations

from array import array
from decimal import Decimal
from itertools import accumulate
from math import isclose, sqrt
from random import Random

import pytest

from trader.app.statistics import (
    Curve,
    CurveSums,
    Results,
    build_statistics,
    cagr,
    daily_returns,
    max_drawdown,
    sharpe,
    sortino,
    why_undefined,
)
from trader.core.curve import Closes
from trader.domain.timeframe import DAY_MS
from trader.records import replace


def close(found: float | None, wanted: float) -> bool:
    return found is not None and isclose(found, wanted, rel_tol=1e-12)


def curve(*rows: tuple[int, int], start: int = 10_000, start_ms: int = 0) -> Curve:
    """(close, cents) of each bar."""
    closes, units = zip(*rows, strict=True) if rows else ((), ())
    return Curve(start_ms, start, Closes(array("q", closes), 0), array("q", units), Decimal("0.01"))


def results(*rows: tuple[int, int]) -> Results:
    gains, costs = zip(*rows, strict=True) if rows else ((), ())
    return Results(array("q", gains), array("q", costs))


def test_a_day_ends_with_the_bar_that_closes_at_midnight() -> None:
    found = curve((DAY_MS - 1, 10_100), (DAY_MS, 11_000), (DAY_MS + 1, 9_000), (2 * DAY_MS, 9_900))
    first, second = daily_returns(found)
    assert close(first, 0.1)
    assert close(second, -0.1)


def test_days_without_a_bar_are_days_without_change() -> None:
    assert daily_returns(curve((DAY_MS, 10_000), (4 * DAY_MS, 10_000))) == [0.0, 0.0, 0.0, 0.0]


def test_sharpe_uses_ddof_1_and_365_days() -> None:
    # mean 0.02, deviations -0.01 0 0.01: variance 0.0002 / 2
    assert close(sharpe([0.01, 0.02, 0.03]), 0.02 / 0.01 * sqrt(365))


def test_sortino_counts_losses_over_all_days() -> None:
    # mean 0.01, mean squared loss 0.0004 / 4
    assert close(sortino([0.02, 0.04, -0.02, 0.0]), 0.01 / 0.01 * sqrt(365))


def test_what_is_not_defined_is_none() -> None:
    assert sharpe([0.01]) is None
    assert sharpe([0.01, 0.01]) is None
    assert sortino([0.01, 0.02]) is None
    assert cagr(100.0, 110.0, 0.5) is None
    assert cagr(100.0, 0.0, 10.0) is None
    assert cagr(1.0, 1e308, 1.0) is None


def test_cagr_of_a_doubling_in_a_year_is_one() -> None:
    assert close(cagr(100.0, 200.0, 365.0), 1.0)


def test_the_deepest_fall_has_its_dates() -> None:
    rows = enumerate([110, 99, 120, 90, 119, 121, 110], 1)
    found = max_drawdown(curve(*((at_ms, cash * 100) for at_ms, cash in rows)))
    assert close(found.share, 0.25)
    assert found.amount == 30.0
    assert (found.peak_ms, found.trough_ms, found.recovered_ms) == (3, 4, 6)


def test_a_fall_from_the_start_counts_and_may_not_recover() -> None:
    found = max_drawdown(curve((1, 8_000), (2, 9_000)))
    assert (found.peak_ms, found.trough_ms, found.recovered_ms) == (0, 1, -1)
    assert close(found.share, 0.2)


def test_no_fall_is_no_drawdown() -> None:
    assert max_drawdown(curve((1, 10_000), (2, 10_100))).share == 0.0


def test_the_block_of_a_run() -> None:
    found = build_statistics(
        curve((10 * DAY_MS, 11_000), (20 * DAY_MS, 9_900), (30 * DAY_MS, 12_100)),
        results((3_000, 10_000), (-1_000, 5_000), (0, 0)),
        exposed_bars=2,
        turnover_units=22_000,
        market_changes=[0.5, -0.1],
    )
    assert found.days == 30.0
    assert close(found.total_return, 0.21)
    assert close(found.profit_factor, 3.0)
    assert close(found.expectancy, 20.0 / 3)
    assert close(found.expectancy_share, (0.3 - 0.2) / 2)
    assert close(found.win_rate, 1 / 3)
    assert close(found.exposure, 2 / 3)
    assert close(found.turnover, 2.0)
    assert close(found.market_change, 0.2)
    assert close(found.calmar, ((1.21) ** (365 / 30) - 1) / 0.1)


@pytest.mark.parametrize("seed", range(20))
def test_a_curve_that_is_shown_stretch_by_stretch_has_the_same_block(seed: int) -> None:
    chance = Random(seed)
    closes = list(accumulate(chance.randrange(1, DAY_MS) for _ in range(seed * 6)))
    whole = curve(*((close_ms, chance.randrange(9_000, 11_000)) for close_ms in closes))
    sums = CurveSums(replace(whole, units=array("q")))
    at = 0
    while at < len(closes):
        stop = min(len(closes), at + chance.randrange(0, 9))
        sums.show(whole.units, at, stop)
        at = stop
    told = results((5, 10), (-3, 7))
    shown_apart, at_once = (
        build_statistics(
            one, told, exposed_bars=1, turnover_units=9, market_changes=[0.1], sums=given
        )
        for one, given in ((replace(whole, units=array("q")), sums), (whole, None))
    )
    assert shown_apart == at_once


def test_a_run_below_30_days_has_no_figures_of_a_year_and_says_why() -> None:
    found = build_statistics(
        curve((10 * DAY_MS, 11_000), (20 * DAY_MS, 9_900), (30 * DAY_MS - 1, 12_100)),
        results((3_000, 10_000), (-1_000, 5_000)),
        exposed_bars=2,
        turnover_units=22_000,
        market_changes=[0.5, -0.1],
    )
    assert found.cagr is found.sharpe is found.sortino is found.calmar is found.volatility is None
    assert close(found.total_return, 0.21)
    short = "too short (29.9 days, 30 needed)"
    assert why_undefined(found) == dict.fromkeys(
        ("cagr", "sharpe", "sortino", "calmar", "volatility"), short
    )


def test_what_is_undefined_in_a_long_run_has_a_reason_of_its_own() -> None:
    found = build_statistics(
        curve((20 * DAY_MS, 10_000), (40 * DAY_MS, 11_000)), results(),
        exposed_bars=0, turnover_units=0, market_changes=[0.1],
    )  # fmt: skip
    assert why_undefined(found) == {
        "sortino": "no day lost anything",
        "calmar": "no drawdown, or no cagr",
        "profit_factor": "no closed round trip lost anything",
        "expectancy": "no round trip was closed",
        "expectancy_share": "no round trip was closed",
        "win_rate": "no round trip was closed",
    }


def test_a_run_without_anything_has_no_opinions() -> None:
    found = build_statistics(
        curve(), results(), exposed_bars=0, turnover_units=0, market_changes=[],
    )  # fmt: skip
    assert found.profit_factor is found.expectancy is found.exposure is found.turnover is None
    assert found.drawdown.share == 0.0
