"""Metrics against numbers worked by hand."""

from __future__ import annotations

from math import isclose, sqrt

from trader.app.statistics import (
    build_statistics,
    cagr,
    daily_returns,
    max_drawdown,
    sharpe,
    sortino,
    why_undefined,
)
from trader.domain.timeframe import DAY_MS


def close(found: float | None, wanted: float) -> bool:
    return found is not None and isclose(found, wanted, rel_tol=1e-12)


def test_a_day_ends_with_the_bar_that_closes_at_midnight() -> None:
    curve = [(DAY_MS - 1, 101.0), (DAY_MS, 110.0), (DAY_MS + 1, 90.0), (2 * DAY_MS, 99.0)]
    first, second = daily_returns(100.0, curve)
    assert close(first, 0.1)
    assert close(second, -0.1)


def test_days_without_a_bar_are_days_without_change() -> None:
    assert daily_returns(100.0, [(DAY_MS, 100.0), (4 * DAY_MS, 100.0)]) == [0.0, 0.0, 0.0, 0.0]


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
    curve = [(1, 110.0), (2, 99.0), (3, 120.0), (4, 90.0), (5, 119.0), (6, 121.0), (7, 110.0)]
    found = max_drawdown(0, 100.0, curve)
    assert close(found.share, 0.25)
    assert found.amount == 30.0
    assert (found.peak_ms, found.trough_ms, found.recovered_ms) == (3, 4, 6)


def test_a_fall_from_the_start_counts_and_may_not_recover() -> None:
    found = max_drawdown(0, 100.0, [(1, 80.0), (2, 90.0)])
    assert (found.peak_ms, found.trough_ms, found.recovered_ms) == (0, 1, -1)
    assert close(found.share, 0.2)


def test_no_fall_is_no_drawdown() -> None:
    assert max_drawdown(0, 100.0, [(1, 100.0), (2, 101.0)]).share == 0.0


def test_the_block_of_a_run() -> None:
    found = build_statistics(
        start_ms=0,
        start=100.0,
        curve=[(10 * DAY_MS, 110.0), (20 * DAY_MS, 99.0), (30 * DAY_MS, 121.0)],
        results=[(30.0, 100.0), (-10.0, 50.0), (0.0, 0.0)],
        exposed_bars=2,
        turnover=220.0,
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


def test_a_run_below_30_days_has_no_figures_of_a_year_and_says_why() -> None:
    found = build_statistics(
        start_ms=0,
        start=100.0,
        curve=[(10 * DAY_MS, 110.0), (20 * DAY_MS, 99.0), (30 * DAY_MS - 1, 121.0)],
        results=[(30.0, 100.0), (-10.0, 50.0)],
        exposed_bars=2,
        turnover=220.0,
        market_changes=[0.5, -0.1],
    )
    assert found.cagr is found.sharpe is found.sortino is found.calmar is None
    assert close(found.total_return, 0.21)
    short = "too short (29.9 days, 30 needed)"
    assert why_undefined(found) == dict.fromkeys(("cagr", "sharpe", "sortino", "calmar"), short)


def test_what_is_undefined_in_a_long_run_has_a_reason_of_its_own() -> None:
    found = build_statistics(
        start_ms=0, start=100.0, curve=[(20 * DAY_MS, 100.0), (40 * DAY_MS, 110.0)], results=[],
        exposed_bars=0, turnover=0.0, market_changes=[0.1],
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
        start_ms=0, start=100.0, curve=[], results=[], exposed_bars=0, turnover=0.0,
        market_changes=[],
    )  # fmt: skip
    assert found.profit_factor is found.expectancy is found.exposure is found.turnover is None
    assert found.drawdown.share == 0.0
