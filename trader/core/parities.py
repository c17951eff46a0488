"""Risk parity on a desk: which parts share the risk, and with which weights.

Lives here: the returns of a strategy's instruments on common bars, or of strategies on common days,
and the weights that make each part add the same risk. Made once a decision for each strategy. Must
not live here: the arithmetic (`covariance`, `risk_parity`).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from trader.core.covariance import Floats, common_closes, covariance, shrink, simple_returns
from trader.core.days import ACCOUNT, day_row, days_of
from trader.core.desk import Desk
from trader.core.money import PPM
from trader.core.parameters import SizeSpec, StrategySpec
from trader.core.risk_parity import Parity, equal_risk
from trader.core.series import Series
from trader.core.size_windows import closes_wanted, size_span
from trader.core.sizing import float_down
from trader.core.universe import symbols_of


def parity(desk: Desk, strategy: StrategySpec) -> Parity:
    """The weights that a strategy's size is taken from."""
    found = desk.parities.get(strategy.name)
    if found is None:
        across = strategy.size.across
        make = of_strategies if across == "strategies" else of_instruments
        found = desk.parities[strategy.name] = make(desk, strategy)
    return found


def of_instruments(desk: Desk, strategy: StrategySpec) -> Parity:
    """Across the instruments that the strategy may open a position on now, by name.

    Every one of them must have its bars: a basket with a guess in it is none.
    """
    snapshot, size = desk.snapshot, strategy.size
    named = symbols_of(strategy, desk.parameters, snapshot.state)
    names = sorted(symbol for symbol in named if not desk.access.answer(strategy, symbol))
    series: list[Series] = []
    for symbol in names:
        one = snapshot.series.get((symbol, strategy.timeframe))
        if one is None or snapshot.troubles.get(symbol):
            return Parity({}, f"part={symbol} why=data")
        series.append(one)
    first_ms, last_ms = size_span(strategy, desk.limits.missing_ppm_max, snapshot.close_ms)
    wanted = closes_wanted(size)
    columns = common_closes(series, first_ms, last_ms, wanted)
    rows = len(columns[0])
    if rows < wanted:
        return Parity({}, f"bars={rows} bars_min={wanted} parts={len(names)}")
    return weigh(names, [simple_returns(column) for column in columns], size)


def of_strategies(desk: Desk, strategy: StrategySpec) -> Parity:
    """Across the strategies that share risk so and may open positions, by name.

    The return of a day is what its book came to that day, over the equity of the account at the
    start of the day; a day on which its book did not change is 0. Today is not over and not one.
    """
    state, size = desk.snapshot.state, strategy.size
    names = sorted(
        spec.name
        for spec in desk.parameters.strategies
        if spec.enabled
        and not spec.shadow
        and (spec.size.method, spec.size.across) == ("risk_parity", "strategies")
    )
    if strategy.name not in names:  # off, or only watching: it has no part, and no size
        return Parity({}, f"part={strategy.name} parts={len(names)} why=off")
    today = state.number("day")
    known = days_of(state, ACCOUNT, 0, today - 1)
    usable = [row for row in known if row.start_units > 0][-size.bars :]
    if len(usable) < size.bars:
        return Parity({}, f"days={len(usable)} days_min={size.bars} parts={len(names)}")
    columns: list[Floats] = []
    for name in names:
        column = array("d")
        for whole in usable:
            row = day_row(state, name, whole.day)
            result = float(row.result_units) if row is not None else 0.0
            column.append(result / float(whole.start_units))
        columns.append(column)
    return weigh(names, columns, size)


def weigh(names: Sequence[str], columns: Sequence[Floats], size: SizeSpec) -> Parity:
    """The weights of parts with these returns, each column as long as the others."""
    matrix = covariance(columns)
    shrink(matrix, len(names), size.shrink_ppm / PPM)
    weights, problem = equal_risk(matrix, len(names))
    if problem:
        why, _, place = problem.partition("=")
        part = f"part={names[int(place)]} " if place else ""
        return Parity({}, f"{part}parts={len(names)} why={why}")
    return Parity({name: float_down(weights[i] * PPM) for i, name in enumerate(names)})
