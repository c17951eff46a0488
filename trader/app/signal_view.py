"""What strategies think of one instrument at one time, as data, down to each sub-expression.

Lives here: finding the bars (in the journal, or those of bar files) and asking the core's own
functions, so that what is shown is, to the bit, what a decision on those bars sees. Must not live
here: evaluating (core), layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from trader.app.backtest_inputs import BacktestInputs
from trader.app.strategy_process import StrategyLost
from trader.app.units import time_text
from trader.core.frames import Frames, last_open_ms
from trader.core.parameters import Parameters, StrategyCode, StrategySpec
from trader.core.rules import Bound
from trader.core.series import Series
from trader.core.signals import Opinion, form_opinion, rules_of, strategy_spans
from trader.core.snapshot import SeriesKey
from trader.core.state import State
from trader.core.universe import symbols_of, tier_of
from trader.domain.timeframe import bar_open_ms, timeframe_name
from trader.errors import DataError, UsageError
from trader.journal.journal import Journal

Row = dict[str, Any]


def signals_of_journal(
    parameters: Parameters,
    codes: Mapping[str, StrategyCode],
    journal: Journal,
    symbol: str,
    at_ms: int | None,
    strategy: str = "",
) -> Row:
    """Opinions on the bars that the journal holds, as the decision that closed at or before
    `at_ms` (default: the newest bar) reads them.

    Raises UsageError when the policy has no such strategy, DataError when the journal has no bars.
    """
    specs = _chosen(parameters, journal.state, symbol, strategy)
    newest = journal.last_bar_ms(symbol, timeframe_name(parameters.step_ms))
    if newest < 0:
        raise DataError(
            f"{journal.path} holds no bars of {symbol}",
            "run `trader cycle`, or name bar files with --bars",
        )
    close_ms = _close_ms(parameters, newest + parameters.step_ms, at_ms)
    series: dict[SeriesKey, Series] = {}
    for timeframe, (first_ms, last_ms) in _spans(parameters, specs, codes, close_ms).items():
        series[symbol, timeframe] = journal.bars_window(symbol, timeframe, first_ms, last_ms + 1)
    frames = Frames(series, close_ms, parameters.anchor_bars)
    return _view(parameters, specs, codes, frames, symbol)


def signals_of_bars(
    inputs: BacktestInputs, symbol: str, at_ms: int | None, strategy: str = ""
) -> Row:
    """Opinions on bar files, as a back-test over them has them at that time.

    Raises UsageError when the policy has no such strategy, DataError when no file is of `symbol`.
    """
    parameters = inputs.parameters
    own = inputs.series.get((symbol, timeframe_name(parameters.step_ms)))
    if own is None or not len(own):
        raise DataError(f"no bar file is of {symbol}", "name one with --bars FILE=SYMBOL")
    specs = _chosen(parameters, State(), symbol, strategy)
    close_ms = _close_ms(parameters, own.open_ms[-1] + parameters.step_ms, at_ms)
    frames = Frames(inputs.series, close_ms, parameters.anchor_bars)
    return {
        **_view(parameters, specs, inputs.strategies, frames, symbol),
        "assumed": list(inputs.assumed),
    }


def _chosen(
    parameters: Parameters, state: State, symbol: str, strategy: str
) -> tuple[StrategySpec, ...]:
    """The strategy that was asked for, or those that may trade the instrument."""
    known = {spec.name: spec for spec in parameters.strategies}
    if strategy:
        if strategy not in known:
            names = ", ".join(known) or "none"
            raise UsageError(f"strategy {strategy!r} is not in the policy", f"known are: {names}")
        return (known[strategy],)
    tier = tier_of(parameters.universe, symbol)
    found = tuple(
        spec
        for spec in known.values()
        if symbol in symbols_of(spec, parameters, state) or (spec.tier and spec.tier == tier)
    )
    if not found:
        raise UsageError(
            f"no strategy trades {symbol}", "name one with --strategy: it is asked all the same"
        )
    return found


def _close_ms(parameters: Parameters, newest_close_ms: int, at_ms: int | None) -> int:
    """Close of the newest decision bar at a time."""
    if at_ms is None:
        return newest_close_ms
    return bar_open_ms(at_ms, parameters.step_ms)


def _spans(
    parameters: Parameters,
    specs: Sequence[StrategySpec],
    codes: Mapping[str, StrategyCode],
    close_ms: int,
) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for spec in specs:
        spans = strategy_spans(spec, codes[spec.name], parameters.anchor_bars, close_ms)
        for timeframe, span in spans.items():
            known = found.get(timeframe, span)
            found[timeframe] = (min(span[0], known[0]), max(span[1], known[1]))
    return found


# --- as data -------------------------------------------------------------------------------------


def _view(
    parameters: Parameters,
    specs: Sequence[StrategySpec],
    codes: Mapping[str, StrategyCode],
    frames: Frames,
    symbol: str,
) -> Row:
    return {
        "symbol": symbol,
        "close_ms": frames.close_ms,
        "at": time_text(frames.close_ms),
        "anchor_bars": parameters.anchor_bars,
        "strategies": [_told(parameters, spec, codes[spec.name], frames, symbol) for spec in specs],
    }


def _told(
    parameters: Parameters, spec: StrategySpec, code: StrategyCode, frames: Frames, symbol: str
) -> Row:
    missing_ppm_max = parameters.limits.missing_ppm_max
    try:
        opinion = form_opinion(spec, code, frames, symbol, missing_ppm_max)
    except StrategyLost as lost:
        opinion = form_opinion(spec, code, frames, symbol, missing_ppm_max, lost.trouble)
    bound = rules_of(spec, code)
    return {
        "strategy": spec.name,
        "timeframe": spec.timeframe,
        "file": spec.source,
        "opinion": _opinion_row(opinion),
        "expressions": [] if bound is None else list(_expressions(bound, spec, frames, symbol)),
    }


def _opinion_row(opinion: Opinion) -> Row:
    """What is said; floats as numbers, and to the last bit in hex."""
    row: Row = {
        "problem": opinion.problem,
        "note": opinion.note,
        "bar_ms": opinion.bar_ms,
        "close_ticks": opinion.close_ticks,
        "enter_ms": opinion.enter_ms,
        "exit_now": opinion.exit_now,
    }
    for name in ("stop_distance", "target_distance", "trail_distance", "strength"):
        row |= _number(name, getattr(opinion, name))
    for name in ("arm_distance", "even_distance"):
        if isfinite(getattr(opinion, name)):
            row |= _number(name, getattr(opinion, name))
    for number, distance in enumerate(opinion.step_distances, 1):
        row |= _number(f"step_{number}_distance", distance)
    return row


def _number(name: str, value: float) -> Row:
    return {name: value if isfinite(value) else None, f"{name}_hex": value.hex()}


def _expressions(bound: Bound, spec: StrategySpec, frames: Frames, symbol: str) -> Iterator[Row]:
    """Each sub-expression on the newest bar of its timeframe that the strategy's newest bar sees,
    arguments first."""
    outputs = {index: name for name, index in bound.outputs.items()}
    own_close_ms = last_open_ms(frames.close_ms, spec.timeframe_ms) + spec.timeframe_ms
    for index, node in enumerate(bound.nodes):
        frame = bound.frames[node.place]
        newest = last_open_ms(own_close_ms, frame.step_ms)
        block = frames.block(symbol, frame, newest)
        row: Row = {
            "expression": node.text,
            "timeframe": frame.timeframe,
            "output": outputs.get(index, ""),
            "bar_ms": newest,
            "ready": False,
            "rows_missing": node.warmup + 1,
            "value": None,
            "hex": "",
        }
        if block is not None and len(block) and block.bars.open_ms[-1] == newest:
            value = block.column(bound, index)[-1]
            ready = value >= 0 if node.flags else value == value  # noqa: PLR0124 - only NaN differs
            row["rows_missing"] = max(0, node.warmup + 1 - len(block))
            row["ready"] = ready
            if ready and node.flags:
                row["value"] = bool(value)
            elif ready:
                number = float(value)
                row |= {"value": number if isfinite(number) else None, "hex": number.hex()}
        yield row
