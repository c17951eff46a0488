"""Signals: what a strategy thinks of one instrument at one decision, causal and anchored.

Lives here: the anchored window, the call of the strategy's code, and the reading of its columns.
An evaluation starts at the anchor (the bar grid rounded down to the anchor block) minus the
warm-up, so that the value does not depend on how much history is at hand. Must not live here:
sizes, prices to pay, permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any

from trader.core.parameters import Parameters, StrategyCode, StrategySpec
from trader.core.series import Series
from trader.core.strategy import USER_CODE_ERRORS, Window
from trader.domain.timeframe import grid_origin_ms, timeframe_name

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a strategy says; `problem` is "" or a reason code with details, then nothing else
    counts.

    Attributes:
        enter_ms: open time of the newest entry signal that is still alive; -1 when there is none.
        exit_now: the exit level holds on the newest bar.
        stop_distance: price distance of the stop below the close, at the signal bar; nan: none.
        target_distance: of the target above the close, trail_distance: that a trailing stop keeps
            below the highest price; both at the signal bar; nan: none.
        strength: 0..1. close_ticks: newest close. bar_ms: newest bar's open time.
        note: "" or what was not ready and did not stop the rest, as `CODE key=value ...`.
    """

    problem: str
    bar_ms: int
    close_ticks: int
    enter_ms: int
    exit_now: bool
    stop_distance: float
    strength: float
    target_distance: float = nan
    trail_distance: float = nan
    note: str = ""


def last_open_ms(close_ms: int, step_ms: int) -> int:
    """Open time of a strategy's newest bar closed at `close_ms`."""
    origin = grid_origin_ms(step_ms)
    return (close_ms - origin) // step_ms * step_ms + origin - step_ms


def anchor_ms(open_ms: int, step_ms: int, anchor_bars: int) -> int:
    """Start of the anchor block that holds the bar opening at `open_ms`."""
    block = step_ms * anchor_bars
    origin = grid_origin_ms(step_ms)
    return (open_ms - origin) // block * block + origin


def window_start_ms(open_ms: int, spec: StrategySpec, anchor_bars: int, warmup: int) -> int:
    """Open time of the first bar that an evaluation for the bar `open_ms` reads."""
    return anchor_ms(open_ms, spec.timeframe_ms, anchor_bars) - warmup * spec.timeframe_ms


def form_opinion(
    spec: StrategySpec,
    code: StrategyCode,
    series: Series | None,
    close_ms: int,
    anchor_bars: int,
    missing_ppm_max: int,
) -> Opinion:
    """Evaluate one strategy on one instrument at a decision that closes at `close_ms`."""
    newest = last_open_ms(close_ms, spec.timeframe_ms)
    try:
        warmup = int(code.warmup(spec.numbers))
    except USER_CODE_ERRORS as error:
        return _no(f"STRATEGY_FAILED in=warmup error={type(error).__name__}")
    if series is None or not len(series):
        return _no(f"DATA_STALE wanted_ms={newest} newest_ms=none")
    start = window_start_ms(newest, spec, anchor_bars, warmup)
    window = series.slice(series.index_of(start), series.index_of(newest + 1))
    if not len(window) or window.open_ms[-1] != newest:
        seen = window.open_ms[-1] if len(window) else "none"
        return _no(f"DATA_STALE wanted_ms={newest} newest_ms={seen}")
    wanted = (newest - start) // spec.timeframe_ms + 1
    missing_ppm = (wanted - len(window)) * PPM // wanted
    if missing_ppm > missing_ppm_max:
        # Bars that were never there before the first one are too short a history, not holes.
        since = (newest - window.open_ms[0]) // spec.timeframe_ms + 1
        holes_ppm = (since - len(window)) * PPM // since
        problem = "DATA_GAPPY" if holes_ppm > missing_ppm_max else "DATA_SHORT"
        return _no(f"{problem} limit_ppm={missing_ppm_max} missing_ppm={missing_ppm}")
    try:
        columns = code.signals(Window(window), spec.numbers)
        return _read(spec, columns, window, close_ms)
    except USER_CODE_ERRORS as error:
        return _no(f"STRATEGY_FAILED in=signals error={type(error).__name__}")


def _read(spec: StrategySpec, columns: Mapping[str, Any], window: Series, close_ms: int) -> Opinion:
    length = len(window)
    for name in ("enter", "exit", "stop"):
        if len(columns[name]) != length:
            raise ValueError(f"column {name} has {len(columns[name])} rows, the bars {length}")
    enter, leave, stop = columns["enter"], columns["exit"], columns["stop"]
    strengths = columns.get("strength")
    if strengths is not None and len(strengths) != length:
        raise ValueError(f"column strength has {len(strengths)} rows, the bars {length}")
    found = -1
    oldest = close_ms - spec.ttl_bars * spec.timeframe_ms
    for index in range(length - 1, -1, -1):
        # Alive while fewer than ttl bars have passed since the signal's bar closed.
        if window.open_ms[index] + spec.timeframe_ms <= oldest:
            break
        if _holds(enter[index]):
            found = index
            break
    distance = float(stop[found]) if found >= 0 else float(stop[length - 1])
    strength = float(strengths[found]) if strengths is not None and found >= 0 else 1.0
    if found >= 0 and not (isfinite(distance) and distance > 0.0 and 0.0 <= strength < inf):
        return _no(f"SIGNAL_NOT_READY stop={distance.hex()} strength={strength.hex()}")
    return Opinion(
        "",
        window.open_ms[-1],
        window.close[-1],
        window.open_ms[found] if found >= 0 else -1,
        _holds(leave[length - 1]),
        distance,
        strength,
    )


def _holds(value: Any) -> bool:
    """Whether a column says yes; a NaN (unlike its truth value in Python) says nothing."""
    return bool(value) and value == value  # noqa: PLR0124 - only a NaN differs from itself


def _no(problem: str) -> Opinion:
    return Opinion(problem, -1, 0, -1, exit_now=False, stop_distance=0.0, strength=0.0)


def wanted_windows(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    held: list[str],
    close_ms: int,
) -> dict[tuple[str, str], tuple[int, int]]:
    """By (symbol, timeframe): first and last open time of the bars that a decision reads.

    Every instrument of a strategy or a position also gets its decision bar and the one before,
    for stops and marks.
    """
    step_name = timeframe_name(parameters.step_ms)
    last = last_open_ms(close_ms, parameters.step_ms)
    wanted: dict[tuple[str, str], tuple[int, int]] = {}
    for symbol in sorted({*parameters.symbols, *held}):
        wanted[symbol, step_name] = (last - parameters.step_ms, last)
    for spec in parameters.strategies:
        newest = last_open_ms(close_ms, spec.timeframe_ms)
        warmup = warmup_bars(spec, strategies[spec.name])
        start = window_start_ms(newest, spec, parameters.anchor_bars, warmup)
        for symbol in spec.symbols:
            before = wanted.get((symbol, spec.timeframe), (start, newest))
            wanted[symbol, spec.timeframe] = (min(start, before[0]), max(newest, before[1]))
    return wanted


def warmup_bars(spec: StrategySpec, code: StrategyCode) -> int:
    """The warm-up a strategy declares; 0 when its code fails (its evaluation then says so)."""
    try:
        return max(0, int(code.warmup(spec.numbers)))
    except USER_CODE_ERRORS:
        return 0
