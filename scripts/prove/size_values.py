"""Random values through what sizes are made of, for `compiled_equal`.

Lives here: the volatility, covariance and equal risk contributions of random closes, the risk
curve, Kelly and lots of random amounts, as text to the last bit. Must not live here: what is
compared.
"""

from __future__ import annotations

import random
from array import array

from trader.core.covariance import covariance, shrink, simple_returns
from trader.core.kelly import kelly_ppm
from trader.core.risk import loss_units, lots_at_risk
from trader.core.risk_curve import aggressive_ppm
from trader.core.risk_parity import equal_risk
from trader.core.scale import Spec
from trader.core.sizing import entry_lots
from trader.core.volatility import ewma_variance, yearly


def told_sizes(rng: random.Random, spec: Spec) -> str:
    """One round of everything."""
    told: list[object] = [_opinions(rng)]
    for _ in range(20):
        price, stop = rng.randrange(1, 10 ** rng.randrange(1, 12)), rng.randrange(10**9)
        units, slippage = rng.randrange(10 ** rng.randrange(1, 18)), rng.randrange(50_000)
        told.append(aggressive_ppm(units, 10 ** rng.randrange(14)))
        results = [rng.randrange(10**3), rng.randrange(10**3)]
        results += [rng.randrange(10**9), rng.randrange(10**9)]
        told.append(kelly_ppm(*results, rng.randrange(1_000_000), rng.randrange(1, 100)))
        try:
            lots = lots_at_risk(spec, price, stop % price, slippage, units)
            told.append((lots, entry_lots(spec, price, units, units)))
            told.append(loss_units(spec, price, lots, stop % price, slippage))
        except OverflowError:
            told.append("overflow")
    return str(told)


def _opinions(rng: random.Random) -> str:
    """Floats as they are to the last bit."""
    parts, rows = rng.randrange(1, 9), rng.randrange(25, 200)
    top = 10 ** rng.randrange(2, 18)
    closes = [array("q", [rng.randrange(1, top) for _ in range(rows)]) for _ in range(parts)]
    told: list[str] = []
    for column in closes:
        variance = ewma_variance(column, rng.randrange(rows - 2), rows, rng.randrange(2, 200))
        told += [variance.hex(), yearly(variance, 60_000).hex()]
    returns = [simple_returns(array("d", [float(close) for close in column])) for column in closes]
    matrix = covariance(returns)
    shrink(matrix, parts, rng.random())
    weights, why = equal_risk(matrix, parts)
    return " ".join([*told, *(value.hex() for value in [*matrix, *weights]), why])
