"""Metrics against what well-known libraries gave for the same curves, under the same convention.

The numbers are those of empyrical-reloaded 0.7.1 and quantstats 0.0.86 with pandas 3.1.1, one bar a
day, 365 periods a year: `empyrical.sharpe_ratio(r, annualization=365)`, `quantstats.stats.sharpe(r,
periods=365)` and so on for each name below, with `r = equity.pct_change().dropna()`; of results per
round trip pandas': `t[t > 0].sum() / -t[t < 0].sum()`, `t.mean()`, `(t > 0).mean()`.
"""

from __future__ import annotations

from array import array
from decimal import Decimal
from itertools import pairwise
from math import isclose

import pytest

from trader.app.statistics import Curve, Results, Statistics, build_statistics
from trader.core.curve import Closes
from trader.domain.timeframe import DAY_MS

START = 1_000_000
FOUND: dict[int, dict[tuple[str, str], float]] = {
    1: {
        ("sharpe", "empyrical"): -0.7645418424316964,
        ("sharpe", "quantstats"): -0.7645418424316964,
        ("sortino", "empyrical"): -1.060925773531059,
        ("sortino", "quantstats"): -1.0609257735310587,
        ("calmar", "empyrical"): -0.7668660123822519,
        ("cagr", "empyrical"): -0.1746152412466574,
        ("volatility", "empyrical"): 0.2195099786133403,
        ("volatility", "quantstats"): 0.2195099786133403,
        ("max_drawdown", "empyrical"): 0.22769980469498066,
        ("max_drawdown", "quantstats"): 0.22769980469497952,
        ("profit_factor", "pandas"): 0.9033461056886498,
        ("expectancy", "pandas"): -4.741625,
        ("win_rate", "pandas"): 0.4775,
    },
    2: {
        ("sharpe", "empyrical"): -0.48153732539983934,
        ("sharpe", "quantstats"): -0.48153732539983934,
        ("sortino", "empyrical"): -0.6714890810890978,
        ("sortino", "quantstats"): -0.6714890810890981,
        ("calmar", "empyrical"): -0.37502045723714567,
        ("cagr", "empyrical"): -0.11532404530407214,
        ("volatility", "empyrical"): 0.20912152411014373,
        ("volatility", "quantstats"): 0.20912152411014373,
        ("max_drawdown", "empyrical"): 0.30751401177868687,
        ("max_drawdown", "quantstats"): 0.307514011778687,
        ("profit_factor", "pandas"): 0.9301128912233164,
        ("expectancy", "pandas"): -3.14145,
        ("win_rate", "pandas"): 0.49,
    },
    3: {
        ("sharpe", "empyrical"): -1.289760794544474,
        ("sharpe", "quantstats"): -1.289760794544474,
        ("sortino", "empyrical"): -1.737544320936618,
        ("sortino", "quantstats"): -1.7375443209366181,
        ("calmar", "empyrical"): -0.745146086020379,
        ("cagr", "empyrical"): -0.26844871750747845,
        ("volatility", "empyrical"): 0.22301754042971147,
        ("volatility", "quantstats"): 0.22301754042971147,
        ("max_drawdown", "empyrical"): 0.3602632054892611,
        ("max_drawdown", "quantstats"): 0.36026320548926094,
        ("profit_factor", "pandas"): 0.8474288656963095,
        ("expectancy", "pandas"): -7.251275000000001,
        ("win_rate", "pandas"): 0.49,
    },
}


def cents_of(seed: int) -> list[int]:
    """400 days of a curve, in whole numbers, so that every machine and library has the same."""
    chance, cash, found = seed * 7919 + 1, START, list[int]()
    for _ in range(400):
        chance = (chance * 1_103_515_245 + 12_345) % 2**31
        cash = cash * (1_000_000 + (chance >> 8) % 40_001 - 19_800) // 1_000_000
        found.append(cash)
    return found


def statistics_of(seed: int) -> Statistics:
    cents = cents_of(seed)
    closes = Closes(array("q", range(0, 400 * DAY_MS, DAY_MS)), DAY_MS)
    curve = Curve(0, START, closes, array("q", cents), Decimal("0.01"))
    results = array("q", [after - before for before, after in pairwise([START, *cents])])
    return build_statistics(
        curve,
        Results(results, array("q", [1]) * len(results)),
        exposed_bars=0,
        turnover_units=0,
        market_changes=[],
    )


@pytest.mark.parametrize("seed", FOUND)
def test_metrics_are_those_of_the_libraries(seed: int) -> None:
    found = statistics_of(seed)
    values = {"max_drawdown": found.drawdown.share}
    for (metric, library), wanted in FOUND[seed].items():
        value = values.get(metric, getattr(found, metric, None))
        assert isinstance(value, float), metric
        assert isclose(value, wanted, rel_tol=1e-11), f"{library}: {metric}"
