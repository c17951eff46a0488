"""Whole back-tests that would show a look ahead: fills a bar too early, shifted signals, a cut.

Lives here: four claims about runs of both engines, each a list of what is wrong. Must not live
here: planted strategy files and their check (`no_lookahead`).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from equal_bars import made_market, walked_market
from equal_cases import Case, made_case, plain_case
from equal_told import FAST, REFERENCE, engine_of, fact_lines, told_result
from strategy_samples import AHEAD

from trader.app.backtest import open_books
from trader.app.backtest_inputs import BacktestInputs
from trader.app.context import StrategySource
from trader.app.strategy_verdicts import refuse_cheats
from trader.bars.resample import resample
from trader.core.account_view import AccountView
from trader.core.canonical import sha256_of
from trader.core.market import Market, Touch
from trader.core.parameters import Parameters
from trader.core.simulate import Simulation
from trader.core.state import Order, State
from trader.core.strategy import load_strategy
from trader.domain.order import Side
from trader.domain.timeframe import timeframe_name
from trader.errors import UsageError

ENGINES = (REFERENCE, FAST)
RISING = {"enter": "close > open", "exit": "close < open", "stop": "0.5 * close"}
SPARSE = {"enter": "crosses_above(sma(close, 3), sma(close, 8))", "stop": "0.5 * close"}


class MarketOfTheSameBar(Market):
    """What arrives for a purchase meets the open of the bar that has just ended."""

    buying = False

    def touch(self, symbol: str, close_ms: int) -> Touch | None:
        """The look ahead: at `close_ms` that open is history."""
        return super().touch(symbol, close_ms - self.step_ms if self.buying else close_ms)


class FillsTheBarThatDecided(Simulation):
    """The published mistake: an entry is filled at the open of the bar whose close decided it."""

    def __init__(self, inputs: BacktestInputs, record: Any) -> None:
        """Over inputs, on books of its own."""
        state = open_books(inputs)
        parts = (inputs.parameters, inputs.strategies, inputs.series, state, inputs.model)
        super().__init__(*parts, record)
        step_ms = inputs.parameters.step_ms
        self.early = MarketOfTheSameBar(inputs.series, inputs.model, step_ms, state)
        self.market = self.early

    def _take(self, order: Order, at_ms: int) -> None:
        self.early.buying = order.side is Side.BUY
        super()._take(order, at_ms)
        self.early.buying = False


@dataclass(frozen=True, slots=True)
class Bought:
    """One fill: when it was sent, its side and its price."""

    at_ms: int
    side: str
    price_ticks: int


def published_bug(seed: int) -> tuple[list[str], dict[str, str]]:
    """Filling at the deciding bar's open turns a walk that leads nowhere into a fortune; neither
    engine comes near it, and each of their fills is at the open of the bar after the decision."""
    market = walked_market(random.Random(f"bug {seed}"), 1_500)
    case = plain_case(market, RISING)
    fills: list[Bought] = []
    ahead = FillsTheBarThatDecided(case.inputs, _collector(fills))
    ahead.run(case.inputs.start_ms, case.inputs.end_ms)
    stolen = _worth(case.inputs, ahead.state)
    problems: list[str] = []
    told: dict[str, str] = {"looking ahead": f"{stolen:.3f}"}
    if _early(case, fills) < len(fills) // 3:
        problems.append("the planted engine does not fill at the deciding bar's open")
    for engine in ENGINES:
        result = told_result(case.inputs, engine)
        honest = int(result.rows["curve_units"][-1]) / int(result.rows["curve_units"][0])
        told[engine] = f"{honest:.3f}"
        if not 0.5 < honest < stolen / 1.2:
            problems.append(f"{engine}: {honest:.3f}, the planted engine {stolen:.3f}")
        mine = list(_fills(case, engine))
        wrong = [fill for fill in mine if fill.price_ticks != _next_open(case, fill.at_ms)]
        if wrong or not mine:
            problems.append(f"{engine}: {len(wrong)} of {len(mine)} fills not at the next open")
    return problems, told


def shifted_signals(seed: int) -> list[str]:
    """The same signals a bar later are filled a bar later, and come to something else."""
    market = walked_market(random.Random(f"shift {seed}"), 800)
    case = plain_case(market, SPARSE, hold_bars=2)
    late = {**SPARSE, "enter": f"({SPARSE['enter']})[1]"}
    later = plain_case(market, late, hold_bars=2)
    problems: list[str] = []
    for engine in ENGINES:
        now, then = list(_fills(case, engine)), list(_fills(later, engine))
        step_ms = market.step_ms
        moved = [fill.at_ms + step_ms for fill in now if fill.at_ms + 2 * step_ms < market.end_ms]
        if len(now) < 20 or moved != [fill.at_ms for fill in then][: len(moved)]:
            problems.append(f"{engine}: {len(now)} fills do not move with their signals")
        told = [told_result(one.inputs, engine).rows["curve_units"][-1] for one in (case, later)]
        if told[0] == told[1]:
            problems.append(f"{engine}: a bar later comes to the same {told[0]}")
    return problems


def refused_reader() -> list[str]:
    """A back-test does not begin with a file that reads the next bar."""
    problems: list[str] = []
    market = walked_market(random.Random("reader"), 200)
    for sample in (one for one in AHEAD if one.name.startswith("next_")):
        code, numbers = load_strategy(sample.name, sample.text)
        inputs = plain_case(market, RISING).inputs
        spec = replace(inputs.parameters.strategies[0], source="s0.py", program={}, numbers=numbers)
        parameters = replace(inputs.parameters, strategies=(spec,))
        source = StrategySource(spec.name, sample.text, sha256_of(sample.text), code)
        said = verdict_on(parameters, source)
        if "LOOKS_AHEAD" not in said:
            problems.append(f"{sample.name}: {said or 'a back-test would begin'}")
    return problems


def verdict_on(parameters: Parameters, source: StrategySource) -> str:
    """Why a back-test with this file does not begin; "" when it does."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            refuse_cheats(parameters, [source], Path(folder), "code")
        except UsageError as error:
            return str(error)
    return ""


def cut_off(seed: int, count: int, rows: int) -> tuple[list[str], int]:
    """Without the bars from some time on, everything before it is the same: facts and equity, in
    both engines. Returns what is wrong, and how many facts were held against each other."""
    problems: list[str] = []
    facts = 0
    for number in range(count):
        rng = random.Random(f"cut {seed} {number}")
        case = made_case(seed, 500_000 + number, rows, made_market(rng, rows))
        inputs = case.inputs
        step_ms = inputs.parameters.step_ms
        cut_ms = inputs.start_ms + rng.randrange(rows // 4, rows) * step_ms
        short = replace(inputs, series=cut_series(inputs, cut_ms))
        for engine in ENGINES:
            if any(not len(series) for series in short.series.values()):
                continue
            whole, part = told_before(inputs, engine, cut_ms), told_before(short, engine, cut_ms)
            facts += len(whole)
            if whole != part:
                lines = sorted(set(whole) ^ set(part))
                problems.append(f"{case.name} {engine}: {lines[:2]}")
    return problems, facts


def cut_series(inputs: BacktestInputs, cut_ms: int) -> dict[tuple[str, str], Any]:
    """The bars before a time; longer ones are made of them anew."""
    step_ms = inputs.parameters.step_ms
    name = timeframe_name(step_ms)
    kept = {
        symbol: series.slice(0, series.index_of(cut_ms))
        for (symbol, timeframe), series in inputs.series.items()
        if timeframe == name
    }
    return {
        (symbol, timeframe): kept[symbol]
        if timeframe == name
        else resample(kept[symbol], series.step_ms)
        for (symbol, timeframe), series in inputs.series.items()
    }


def told_before(inputs: BacktestInputs, engine: str, cut_ms: int) -> list[str]:
    """Facts of decisions whose orders meet a bar before the cut, and equity up to the cut."""
    step_ms = inputs.parameters.step_ms
    result = told_result(inputs, engine)
    worth = [
        f"{at_ms} {units}"
        for at_ms, units in zip(
            result.rows.get("curve_ms", ()), result.rows.get("curve_units", ()), strict=True
        )
        if int(at_ms) <= cut_ms
    ]
    simulation = engine_of(engine)
    facts: list[str] = []

    def record(kind: str, payload: Any) -> None:
        at_ms = payload["bar_ms"] + step_ms if kind == "plan" else payload.get("at_ms", 0)
        if at_ms < cut_ms:
            facts.extend(fact_lines(kind, payload))

    parts = (inputs.parameters, inputs.strategies, inputs.series, open_books(inputs), inputs.model)
    simulation(*parts, record).run(inputs.start_ms, inputs.end_ms)
    return worth + facts


# --- small parts ---------------------------------------------------------------------------------


def _collector(fills: list[Bought]) -> Any:
    def record(kind: str, payload: Any) -> None:
        if kind == "fill":
            fills.append(Bought(payload["at_ms"], payload["side"], payload["price_ticks"]))

    return record


def _fills(case: Case, engine: str) -> Iterator[Bought]:
    inputs = case.inputs
    fills: list[Bought] = []
    parts = (inputs.parameters, inputs.strategies, inputs.series, open_books(inputs), inputs.model)
    engine_of(engine)(*parts, _collector(fills)).run(inputs.start_ms, inputs.end_ms)
    yield from fills


def _next_open(case: Case, at_ms: int) -> int:
    """The open of the bar that opens at a time, ticks; 0 when there is none."""
    series = next(iter(case.inputs.series.values()))
    at = series.index_of(at_ms)
    return series.open[at] if at < len(series) and series.open_ms[at] == at_ms else 0


def _early(case: Case, fills: list[Bought]) -> int:
    """Purchases at the open of the bar that ended when they were sent."""
    step_ms = case.inputs.parameters.step_ms
    buys = (fill for fill in fills if fill.side == "buy")
    return sum(fill.price_ticks == _next_open(case, fill.at_ms - step_ms) for fill in buys)


def _worth(inputs: BacktestInputs, state: State) -> float:
    """The account at the last close, as a multiple of what it began with."""
    closes = {symbol: series.close[-1] for (symbol, _), series in inputs.series.items()}
    begun = inputs.cash / inputs.cash_unit
    return AccountView(state, closes).equity_units() / float(begun)
