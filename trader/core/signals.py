"""Signals: what a strategy thinks of one instrument at one decision, causal and anchored.

Lives here: whether the bars are good enough, the call of a strategy's file, the reading of its
columns and of its rules' outputs, and which bars all that needs. An evaluation starts at the anchor
(the bar grid rounded down to the anchor block) minus the warm-up, so that the value does not depend
on how much history is at hand; rows of an earlier block are evaluated from their own anchor. Must
not live here: how rules are computed (`rules`, `frames`), sizes, prices to pay, permissions.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, nan
from typing import Any

from trader.core.daily import daily_windows
from trader.core.frames import Block, Frames, anchor_ms, last_open_ms, readings, spans
from trader.core.order_windows import order_span
from trader.core.parameters import Columns, Parameters, StrategyCode, StrategySpec
from trader.core.rules import Bound, Frame, RuleError, bound_of
from trader.core.series import Series
from trader.core.size_windows import closes_wanted, size_span
from trader.core.state import State
from trader.core.strategy import USER_CODE_ERRORS, Window
from trader.core.universe import followed_symbols, symbols_of
from trader.core.universe_windows import universe_windows
from trader.domain.timeframe import timeframe_name
from trader.records import dataclass, replace

PPM = 1_000_000
Span = tuple[int, int]
FILE_COLUMNS = ("enter", "exit", "stop")
DISTANCES = ("stop", "target", "trail", "trail_from", "break_even")
# Of a scale-out, in the order of strategies.yaml: `scale_out_1` ...
STEP_COLUMN = "scale_out_"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a strategy says; `problem` is "" or a reason code with details, then nothing else
    counts but `exit_now`, which holds only when the exit level is known to.

    Attributes:
        enter_ms: open time of the newest entry signal that is still alive; -1 when there is none.
        exit_now: the exit level holds on the newest bar.
        stop_distance: price distance of the stop below the close, at the signal bar; nan: none.
        target_distance: of the target above the close, trail_distance: that a trailing stop keeps
            below the highest price; both at the signal bar; nan: none. arm_distance: above the
            close, from where on the trail counts; even_distance: likewise, from where on the stop
            is where the position breaks even; step_distances: of the scale-out's steps, one for
            each share of `StrategySpec.scale_ppm`; all at the signal bar.
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
    arm_distance: float = nan
    even_distance: float = nan
    step_distances: tuple[float, ...] = ()

    def seen(self) -> dict[str, int | str]:
        """For the trail: floats to the last bit; what there is none of is left out."""
        told: dict[str, int | str] = {
            "bar_ms": self.bar_ms,
            "close_ticks": self.close_ticks,
            "enter_ms": self.enter_ms,
            "exit": int(self.exit_now),
            "stop_distance": self.stop_distance.hex(),
            "strength": self.strength.hex(),
        }
        for name in ("target_distance", "trail_distance", "arm_distance", "even_distance"):
            distance: float = getattr(self, name)
            if isfinite(distance):
                told[name] = distance.hex()
        if self.step_distances:
            told["step_distances"] = " ".join(step.hex() for step in self.step_distances)
        if self.note:
            told["note"] = self.note
        return told


def window_start_ms(open_ms: int, spec: StrategySpec, anchor_bars: int, warmup: int) -> int:
    """Open time of the first bar that an evaluation for the bar `open_ms` reads."""
    return anchor_ms(open_ms, spec.timeframe_ms, anchor_bars) - warmup * spec.timeframe_ms


def oldest_living_ms(spec: StrategySpec, newest_ms: int) -> int:
    """Open time of the oldest bar whose entry signal can still be alive."""
    return newest_ms - (spec.ttl_bars - 1) * spec.timeframe_ms


def form_opinion(
    spec: StrategySpec,
    code: StrategyCode,
    frames: Frames,
    symbol: str,
    missing_ppm_max: int,
    trouble: str = "",
    *,
    suppose: bool = False,
) -> Opinion:
    """Evaluate one strategy on one instrument at the decision that closes at `frames.close_ms`.

    `trouble`: why the strategy's code is not asked at all, as a reason code with details.
    `suppose`: take the newest bar for an entry signal, whatever `enter` says there (a preview).
    """
    if trouble:
        return _no(trouble)
    newest = last_open_ms(frames.close_ms, spec.timeframe_ms)
    where = "warmup"
    try:
        reading = Reading(spec, code, frames, symbol)
        for frame in reading.frames:
            problem = data_problem(frames, symbol, frame, spec.timeframe_ms, missing_ppm_max)
            if problem:
                return _no(problem)
        where = "signals"
        return _read(reading, newest, missing_ppm_max, suppose=suppose)
    except RuleError as error:
        return _no(f"STRATEGY_FAILED in=rules error={error}")
    except USER_CODE_ERRORS as error:
        return _no(f"STRATEGY_FAILED in={where} error={type(error).__name__}")


# --- whether the bars are good enough ------------------------------------------------------------


def data_problem(
    frames: Frames, symbol: str, frame: Frame, own_ms: int, missing_ppm_max: int
) -> str:
    """Why the bars of one timeframe of rules on bars of `own_ms` cannot be decided on; "" when
    they can."""
    newest = last_open_ms(frames.close_ms, frame.step_ms)
    if frame.step_ms != own_ms:
        # Bars of another timeframe are seen from the newest bar of their own.
        newest = last_open_ms(last_open_ms(frames.close_ms, own_ms) + own_ms, frame.step_ms)
    other = "" if frame.step_ms == own_ms else f" timeframe={frame.timeframe}"
    series = frames.series.get((symbol, frame.timeframe))
    if series is None or not len(series):
        return f"DATA_STALE wanted_ms={newest} newest_ms=none{other}"
    first, _, _ = frames.rows(symbol, frame, newest) or (0, 0, 0)
    at = series.index_of(newest)
    if at == len(series) or series.open_ms[at] != newest:
        seen = series.open_ms[at - 1] if at > first else "none"
        return f"DATA_STALE wanted_ms={newest} newest_ms={seen}{other}"
    short = _missing(frames, series, frame, (first, at + 1), newest, missing_ppm_max)
    return f"{short}{other}" if short else ""


def _missing(
    frames: Frames, series: Series, frame: Frame, rows: Span, newest: int, limit_ppm: int
) -> str:
    """Too many bars absent from the window that ends at `newest`; "" when not."""
    first, stop = rows
    start = anchor_ms(newest, frame.step_ms, frames.anchor_bars) - frame.warmup * frame.step_ms
    wanted = (newest - start) // frame.step_ms + 1
    missing_ppm = (wanted - (stop - first)) * PPM // wanted
    if missing_ppm <= limit_ppm:
        return ""
    # Bars that were never there before the first one are too short a history, not holes.
    since = (newest - series.open_ms[first]) // frame.step_ms + 1
    if (since - (stop - first)) * PPM // since > limit_ppm:
        return f"DATA_GAPPY limit_ppm={limit_ppm} missing_ppm={missing_ppm}"
    if frame.exact:
        return ""  # where the series starts does not matter: values are there or not ready
    return f"DATA_SHORT limit_ppm={limit_ppm} missing_ppm={missing_ppm}"


# --- what is said --------------------------------------------------------------------------------


class Reading:
    """One strategy's columns and outputs on one instrument, block by block.

    Rows are counted back from the end of a block: file and rules read windows of different
    lengths that end on the same bar.
    """

    def __init__(self, spec: StrategySpec, code: StrategyCode, frames: Frames, symbol: str) -> None:
        self.spec = spec
        self.code = code
        self.all = frames
        self.symbol = symbol
        self.bound: Bound | None = None
        self.file: Frame | None = None
        self.frames: tuple[Frame, ...] = ()
        if spec.source or not code.program:
            warmup = int(code.warmup(spec.numbers))
            self.file = Frame(spec.timeframe, spec.timeframe_ms, warmup, False, ())
            self.frames = (self.file,)
        if code.program:
            self.bound = bound_of(code.program, spec.numbers, spec.timeframe, spec.timeframe_ms)
            self.frames += self.bound.frames

    def columns(self, newest_ms: int) -> tuple[Columns, Block]:
        """Columns over the block that holds a bar, by name, and its rows."""
        found: dict[str, Any] = {}
        block: Block | None = None
        if self.file is not None:
            block = self.all.block(self.symbol, self.file, newest_ms)
            assert block is not None
            series = self.all.series[self.symbol, self.spec.timeframe]
            window = Window(series, block.first, block.stop)
            found.update(self.code.signals(window, self.spec.numbers))
            _check_lengths(found, len(block))
            ruled = () if self.bound is None else self.bound.outputs
            absent = [n for n in FILE_COLUMNS if n not in found and n not in ruled]
            if absent:
                raise KeyError(absent[0])
        if self.bound is not None:
            block = self.all.block(self.symbol, self.bound.frames[0], newest_ms)
            assert block is not None
            found.update(readings(block, self.bound))
        assert block is not None
        return found, block


def _check_lengths(columns: Columns, length: int) -> None:
    for name in (*FILE_COLUMNS, "strength", *DISTANCES):
        column = columns.get(name)
        if column is not None and len(column) != length:
            raise ValueError(f"column {name} has {len(column)} rows, the bars {length}")


def _read(reading: Reading, newest_ms: int, missing_ppm_max: int, *, suppose: bool) -> Opinion:
    columns, block = reading.columns(newest_ms)
    series = reading.all.series[reading.symbol, reading.spec.timeframe]
    said = Opinion(
        "",
        newest_ms,
        series.close[block.stop - 1],
        -1,
        _holds(_at(columns, "exit", 0)),
        number_at(columns, "stop", 0),
        1.0,
        note=_not_ready(reading, columns, "exit"),
    )
    if suppose:
        return _entering(said, columns, 0, newest_ms, len(reading.spec.scale_ppm))
    problem = _not_ready(reading, columns, "enter")
    if problem:
        return replace(said, problem=problem)
    oldest = oldest_living_ms(reading.spec, newest_ms)
    for at_ms in _block_ends(reading, newest_ms, oldest):
        if at_ms != newest_ms:
            if block_problem(reading, at_ms, missing_ppm_max):
                continue
            columns, block = reading.columns(at_ms)
        opens = block.bars.open_ms
        for back in range(len(block)):
            enter_ms = opens[len(block) - 1 - back]
            if enter_ms < oldest or len(block) - 1 - back < block.own:
                break
            if _holds(_at(columns, "enter", back)):
                return _entering(said, columns, back, enter_ms, len(reading.spec.scale_ppm))
    return said


def _block_ends(reading: Reading, newest_ms: int, oldest_ms: int) -> list[int]:
    """The newest bar of each anchor block that holds a living bar, the newest block first."""
    step_ms, anchor_bars = reading.spec.timeframe_ms, reading.all.anchor_bars
    ends = [newest_ms]
    while (before := anchor_ms(ends[-1], step_ms, anchor_bars) - step_ms) >= oldest_ms:
        ends.append(before)
    return ends


def block_problem(reading: Reading, at_ms: int, missing_ppm_max: int) -> bool:
    """Whether too many bars are absent from an earlier block: nothing was said there."""
    series = reading.all.series[reading.symbol, reading.spec.timeframe]
    for frame in reading.frames:
        if frame.step_ms != reading.spec.timeframe_ms:
            continue
        first, own, stop = reading.all.rows(reading.symbol, frame, at_ms) or (0, 0, 0)
        if stop <= own:
            return True
        if _missing(reading.all, series, frame, (first, stop), at_ms, missing_ppm_max):
            return True
    return False


def _entering(said: Opinion, columns: Columns, back: int, enter_ms: int, steps: int) -> Opinion:
    """The opinion with a living signal: its distances and strength are those of its own bar."""
    names = [f"{STEP_COLUMN}{number + 1}" for number in range(steps)]
    distances = {name: number_at(columns, name, back) for name in DISTANCES if name in columns}
    distances.setdefault("stop", distances.get("trail", nan))
    distances |= {name: number_at(columns, name, back) for name in names}
    strength = number_at(columns, "strength", back) if "strength" in columns else 1.0
    bad = [name for name, value in distances.items() if not (isfinite(value) and value > 0.0)]
    if bad or not 0.0 <= strength < inf:
        told = [f"{n}={distances[n].hex()}" for n in (*DISTANCES, *names) if n in ("stop", *bad)]
        problem = f"SIGNAL_NOT_READY {' '.join(told)} strength={strength.hex()}"
        return replace(said, problem=problem, stop_distance=distances["stop"])
    return replace(
        said,
        enter_ms=enter_ms,
        stop_distance=distances["stop"],
        strength=strength,
        target_distance=distances.get("target", nan),
        trail_distance=distances.get("trail", nan),
        arm_distance=distances.get("trail_from", nan),
        even_distance=distances.get("break_even", nan),
        step_distances=tuple(distances[name] for name in names),
    )


def _at(columns: Columns, name: str, back: int) -> Any:
    """A column's value so many rows before its end; None when there is no such column."""
    column = columns.get(name)
    return None if column is None else column[len(column) - 1 - back]


def number_at(columns: Columns, name: str, back: int) -> float:
    """A column's number so many rows before its end; nan where it has none."""
    value = _at(columns, name, back)
    if value is None:
        return nan
    number = float(value)
    return number if number == number else nan  # noqa: PLR0124 - only a NaN differs from itself


def _holds(value: Any) -> bool:
    """Whether a condition says yes; not ready (NaN of a file, -1 of rules) says nothing."""
    return value is not None and bool(value > 0)


def _not_ready(reading: Reading, columns: Columns, name: str) -> str:
    """Which output of the rules is not ready on the newest row, and how many rows it lacks."""
    bound = reading.bound
    if bound is None or name not in bound.outputs or _at(columns, name, 0) != -1:
        return ""
    lacking, timeframe, step_ms = 0, bound.frames[0].timeframe, reading.spec.timeframe_ms
    close_ms = last_open_ms(reading.all.close_ms, step_ms) + step_ms
    for place, frame in enumerate(bound.frames):
        newest = last_open_ms(close_ms, frame.step_ms)
        rows = reading.all.rows(reading.symbol, frame, newest)
        there = 0 if rows is None else rows[2] - rows[0]
        nodes = (bound.nodes[i] for i in bound.below(bound.outputs[name]))
        needs = max((node.warmup for node in nodes if node.place == place), default=0)
        if needs + 1 - there > lacking:
            lacking, timeframe = needs + 1 - there, frame.timeframe
    return f"SIGNAL_NOT_READY output={name} rows_missing={lacking} timeframe={timeframe}"


def _no(problem: str) -> Opinion:
    return Opinion(problem, -1, 0, -1, exit_now=False, stop_distance=0.0, strength=0.0)


# --- what is asked for ---------------------------------------------------------------------------


def wanted_windows(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    state: State,
    close_ms: int,
) -> dict[tuple[str, str], Span]:
    """By (symbol, timeframe): first and last open time of the bars that a decision reads: those of
    `opinion_windows`, and the daily bars that limits are measured on."""
    wanted = opinion_windows(parameters, strategies, state, close_ms)
    for key, span in daily_windows(parameters, state, close_ms).items():
        _widen(wanted, key, span)
    return wanted


def opinion_windows(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    state: State,
    close_ms: int,
) -> dict[tuple[str, str], Span]:
    """By (symbol, timeframe): first and last open time of the bars of strategies and universe.

    Every instrument of a strategy or a position also gets its decision bar and the one before,
    for stops and marks. Rules look at other timeframes too, each with its own warm-up and anchor;
    candidates of a tier and the benchmark are read when members or regime are told anew.
    """
    step_name = timeframe_name(parameters.step_ms)
    last = last_open_ms(close_ms, parameters.step_ms)
    held = [symbol for symbol, position in state.positions.items() if position.qty_units > 0]
    wanted: dict[tuple[str, str], Span] = {}
    for symbol in sorted({*followed_symbols(parameters, state), *held}):
        wanted[symbol, step_name] = (last - parameters.step_ms, last)
    for spec in parameters.strategies:
        needs = strategy_spans(spec, strategies[spec.name], parameters.anchor_bars, close_ms)
        for symbol in symbols_of(spec, parameters, state):
            for timeframe, span in needs.items():
                _widen(wanted, (symbol, timeframe), span)
            if closes_wanted(spec.size):
                span = size_span(spec, parameters.limits.missing_ppm_max, close_ms)
                _widen(wanted, (symbol, spec.timeframe), span)
            _widen(wanted, (symbol, spec.timeframe), order_span(spec, parameters.limits, close_ms))
    if parameters.limits.home.currency:
        # Its bars are read for its price in a back-test; alive, its quote comes with the others.
        key = (parameters.limits.home.rate_symbol, step_name)
        _widen(wanted, key, (last - parameters.step_ms, last))
    # Last, because they are read in this order: what is held and traded comes first.
    for key, span in universe_windows(parameters, state, close_ms).items():
        _widen(wanted, key, span)
    return wanted


def _widen(wanted: dict[tuple[str, str], Span], key: tuple[str, str], span: Span) -> None:
    before = wanted.get(key, span)
    wanted[key] = (min(span[0], before[0]), max(span[1], before[1]))


def strategy_spans(
    spec: StrategySpec, code: StrategyCode, anchor_bars: int, close_ms: int
) -> dict[str, Span]:
    """By timeframe: first and last open time of the bars that a strategy reads at a decision."""
    newest = last_open_ms(close_ms, spec.timeframe_ms)
    oldest = oldest_living_ms(spec, newest)
    start = window_start_ms(oldest, spec, anchor_bars, warmup_bars(spec, code))
    found = {spec.timeframe: (start, newest)}
    bound = rules_of(spec, code)
    if bound is not None:
        for timeframe, span in spans(bound, anchor_bars, newest, oldest).items():
            known = found.get(timeframe, span)
            found[timeframe] = (min(span[0], known[0]), max(span[1], known[1]))
    return found


def rules_of(spec: StrategySpec, code: StrategyCode) -> Bound | None:
    """The strategy's rules with its numbers; None without any, or when they cannot be bound (its
    evaluation then says so)."""
    if not code.program:
        return None
    try:
        return bound_of(code.program, spec.numbers, spec.timeframe, spec.timeframe_ms)
    except RuleError:
        return None


def warmup_bars(spec: StrategySpec, code: StrategyCode) -> int:
    """The warm-up a strategy's file declares; 0 when its code fails (its evaluation then says
    so), and for rules alone."""
    if code.program and not spec.source:
        return 0
    try:
        return max(0, int(code.warmup(spec.numbers)))
    except USER_CODE_ERRORS:
        return 0
